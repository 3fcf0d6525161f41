/* sp_socket.h - listening sockets and what each accepted one is told; sockets that dial.
 *
 * Owner: the caller closes the descriptor, and unlinks the path of a Unix socket. All descriptors
 * are non-blocking and closed on exec.
 */
#ifndef CALLOUT_SP_SOCKET_H
#define CALLOUT_SP_SOCKET_H

#include "url.h"

#include <stdbool.h>
#include <stdint.h>

/* Binds and listens. A Unix socket gets mode 0600; a path left behind by a dead process is taken
 * over, one that somebody answers on is ERR_CONFLICT. */
MUST_USE enum err sp_socket_listen(const struct url *url, int *fd, struct problem *problem);
/* Begins to connect, from the IPv4 address `source` if it is not NULL. A host name is looked up,
 * which may take its time: addresses are for loops. */
MUST_USE enum err sp_socket_dial(const struct url *url, const char *source, int *fd,
                                 struct problem *problem);
uint16_t sp_socket_port(int fd); /* 0 for a Unix socket */
/* No delay for small replies; a peer that vanished without a word is noticed within 45 seconds. */
void sp_socket_tune(int fd);
/* Whether the peer has closed or reset the connection, also when bytes of his wait to be read. */
bool sp_socket_has_gone(int fd);

#endif
