/* wal_scan.h - is what lies at the end of a write-ahead log a tear or damage?
 *
 * Source: SQLite's file format, "The Write-Ahead Log": a head of 32 bytes, then frames of a 24-byte
 * head and a page each; both heads carry the log's two salts, and each frame a checksum over all
 * before it. A frame that ends a transaction says so.
 * Pure but for reading `path`. Thread: any.
 */
#ifndef CALLOUT_BASE_WAL_SCAN_H
#define CALLOUT_BASE_WAL_SCAN_H

#include <stdbool.h>

/* True: behind the first frame that is not sound, a transaction ends and another one begins; or the
 * log's head is neither sound nor empty. A log that is synced at each commit never looks so after a
 * kill or a power cut. A log that is not there is sound. False too when it cannot be read: whoever
 * opens it then finds out. */
bool wal_damaged(const char *path);

#endif
