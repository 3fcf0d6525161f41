/* pass_file.h - a file of SQLite's that hands everything on to the real one behind it. A test's own
 * VFS begins its struct with this one and puts its own functions where it wants to hear or meddle.
 */
#ifndef CALLOUT_TESTS_PASS_FILE_H
#define CALLOUT_TESTS_PASS_FILE_H

#include <sqlite3.h>

struct pass_file {
    sqlite3_file base;
    sqlite3_file *real; /* a VFS's szOsFile has room for both */
};

static inline sqlite3_file *real_file(sqlite3_file *file)
{
    return ((struct pass_file *)file)->real;
}

static inline int pass_close(sqlite3_file *file)
{
    return real_file(file)->pMethods->xClose(real_file(file));
}

static inline int pass_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 at)
{
    return real_file(file)->pMethods->xRead(real_file(file), bytes, size, at);
}

static inline int pass_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_file(file)->pMethods->xFileSize(real_file(file), size);
}

static inline int pass_lock(sqlite3_file *file, int level)
{
    return real_file(file)->pMethods->xLock(real_file(file), level);
}

static inline int pass_unlock(sqlite3_file *file, int level)
{
    return real_file(file)->pMethods->xUnlock(real_file(file), level);
}

static inline int pass_reserved(sqlite3_file *file, int *out)
{
    return real_file(file)->pMethods->xCheckReservedLock(real_file(file), out);
}

static inline int pass_control(sqlite3_file *file, int code, void *argument)
{
    return real_file(file)->pMethods->xFileControl(real_file(file), code, argument);
}

static inline int pass_sector_size(sqlite3_file *file)
{
    return real_file(file)->pMethods->xSectorSize(real_file(file));
}

static inline int pass_characteristics(sqlite3_file *file)
{
    return real_file(file)->pMethods->xDeviceCharacteristics(real_file(file));
}

#endif
