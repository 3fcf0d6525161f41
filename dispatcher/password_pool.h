/* password_pool.h - workers that hash passwords beside the loop.
 *
 * Thread: all functions on the loop's; `done` is called there too. Closing waits for what is under
 * way.
 */
#ifndef CALLOUT_DISPATCHER_PASSWORD_POOL_H
#define CALLOUT_DISPATCHER_PASSWORD_POOL_H

#include "dispatcher/password.h"

#include <stdint.h>

struct event_base;
struct password_pool;

/* `done` is told the slot of the work that is done. */
struct password_pool *password_pool_open(struct event_base *base,
                                         void (*done)(void *context, uint32_t slot), void *context);
void password_pool_close(struct password_pool *pool); /* may be NULL */

/* `work` stays the caller's and is left alone until it is done; slot < PASSWORDS_AT_ONCE, and each
 * has one piece of work at a time. */
void password_pool_start(struct password_pool *pool, uint32_t slot, struct password_work *work);

#endif
