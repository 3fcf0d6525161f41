/* input_file.h - a problem from a file or folder, by the name of its format: what all tools that
 * read one have in common.
 *
 * Where nobody names it, the format is seen: a folder is a day; a text that begins with a brace is
 * VROOM's JSON; one with VRPLIB's keys among its first lines is VRPLIB's; any other is Solomon's.
 *
 * `tool` is the command's own name, for what is said on standard error.
 */
#ifndef CALLOUT_OPTIMIZER_INPUT_FILE_H
#define CALLOUT_OPTIMIZER_INPUT_FILE_H

#include "optimizer/solve_input.h"

/* Is it solomon, vrplib, vroom or day? If not, that is said on standard error. */
bool input_format_known(const char *tool, const char *format);

/* Reads into an open input; `format` may be NULL. A day folder's mistakes are said on standard
 * error, but for the last one, which is the problem. `overtime` is a day folder's. */
MUST_USE enum err input_file_read(struct solve_input *input, const char *tool, const char *format,
                                  const char *path, bool overtime, struct problem *problem);

/* What the text of a file looks like. */
enum solve_format input_format_of_text(const char *text, size_t size);

/* All of a file of at most `max` bytes, with a 0 behind it; the caller frees it. */
MUST_USE enum err file_take(const char *path, size_t max, char **text, size_t *size,
                            struct problem *problem);

#endif
