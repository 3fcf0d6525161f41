/* verify_tool.h - the tool that checks a certificate: `callout verify FILE [--json]`.
 *
 * The plan in it is walked and priced again, and its lower bound proved again, by verify/, which
 * shares no code with those who made them. What is wrong is named with its place.
 */
#ifndef CALLOUT_OPTIMIZER_VERIFY_TOOL_H
#define CALLOUT_OPTIMIZER_VERIFY_TOOL_H

#include <stdbool.h>

/* Is it a path of something that is no folder? `callout verify FOLDER` is the dispatcher's. */
bool verify_is_certificate(const char *path);

/* The tool's main; argv[0] is the tool's word. Returns an exit code. */
int certificate_main(int argc, char **argv);

#endif
