/* sp_tls.h - the one place that says which TLS we speak: 1.2 and 1.3, OpenSSL's own sound defaults.
 *
 * Owner: the caller, until sp_tls_close.
 */
#ifndef CALLOUT_SP_TLS_H
#define CALLOUT_SP_TLS_H

#include "base/err.h"

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

/* A server's context from PEM files. ERR_INVALID with the problem's field naming the file. */
MUST_USE enum err sp_tls_open(SSL_CTX **out, const char *certificate_file, const char *key_file,
                              struct problem *problem);
/* A client's context that believes the authorities of a PEM file. */
MUST_USE enum err sp_tls_trust(SSL_CTX **out, const char *ca_file, struct problem *problem);

void sp_tls_close(SSL_CTX *tls); /* may be NULL */

/* The authority that a server's chain ends with, as DER, and its SHA-256. 0: the chain ends with no
 * certificate that signed itself, or there is no room; then nothing is written. */
enum { SP_TLS_DIGEST = 32 };
size_t sp_tls_authority(SSL_CTX *tls, uint8_t *bytes, size_t room, uint8_t digest[SP_TLS_DIGEST]);

struct bufferevent;
struct event_base;

/* The server's end of a connection that is about to say hello; `fd` may come later (-1). NULL:
 * there is no memory for it. */
struct bufferevent *sp_tls_accept(SSL_CTX *tls, struct event_base *base, int fd);

#endif
