/* page_token.h - where the next page begins, in a text that only we can have written.
 *
 * Idea: the operation writes what it needs to go on as a text; outside it carries a keyed hash over
 * that text, the operation, its asker and the log. So a token that was made up, changed, or given
 * to somebody else, for something else or before a restore is INVALID, and an operation may believe
 * its own words.
 *
 * Owner: texts live in the call's arena. Thread: the engine's.
 */
#ifndef CALLOUT_DISPATCHER_PAGE_TOKEN_H
#define CALLOUT_DISPATCHER_PAGE_TOKEN_H

#include "dispatcher/engine_impl.h"

char *page_token_make(struct call *call, const char *text);
/* "" for an empty token: the first page. ERR_INVALID names page_token. */
MUST_USE enum err page_token_read(struct call *call, const char *token, const char **text);
/* The same of a number; 0 for an empty token. */
char *page_token_of(struct call *call, int64_t number);
MUST_USE enum err page_token_number(struct call *call, const char *token, int64_t *number);

#endif
