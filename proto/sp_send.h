/* sp_send.h - a message into a connection's stream, at once where the kernel takes it.
 *
 * Idea: what is put into a bufferevent leaves when the loop comes round again: the socket is
 * watched for room, found to have it, written to, and not watched any more. Where a turn of the
 * loop has one message for each of a thousand peers, those steps cost more than the message; so it
 * is sent from here, and only what the kernel has no room for waits. Where a turn has many messages
 * for one peer, it is better to wait: they leave together.
 *
 * Thread: the stream's loop. What is wrong with the socket is told by the stream's own callbacks.
 */
#ifndef CALLOUT_SP_SEND_H
#define CALLOUT_SP_SEND_H

#include <stdbool.h>
#include <stddef.h>

struct bufferevent;

/* Sends a head and a body, in this order and behind what waits already; `at_once` as above, which
 * TLS does not know. The bytes are copied. */
void sp_send(struct bufferevent *stream, bool at_once, const void *head, size_t head_size,
             const void *body, size_t body_size);
/* Gives the kernel what it takes now of all that waits. */
void sp_push_out(struct bufferevent *stream);

#endif
