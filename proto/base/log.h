/* log.h - one line per event on standard error: time, role, level, text. Safe from any thread. */
#ifndef CALLOUT_BASE_LOG_H
#define CALLOUT_BASE_LOG_H

/* LOG_SILENT: not even errors, where failures are made on purpose. */
enum log_level { LOG_SILENT, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Sets the role shown in each line (kept, not copied: a literal) and the level; once, at start. */
void log_open(const char *role, enum log_level level_max);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

#endif
