/* tls_init.h - a certificate authority of one's own, and a certificate for the gateway.
 *
 * Writes FOLDER/tls/ca.pem, ca.key, server.pem (with its chain) and server.key, keys with mode
 * 0600, ECDSA P-256, CA for ten years, certificate for 825 days. An existing CA is kept and signs
 * again. Devices pin ca.pem. Tool use only: any thread, one at a time.
 */
#ifndef CALLOUT_TLS_INIT_H
#define CALLOUT_TLS_INIT_H

#include "base/err.h"

#include <stdint.h>

/* `hosts` are DNS names or IP addresses for the subject alternative names; localhost, 127.0.0.1 and
 * ::1 are always among them. */
MUST_USE enum err tls_init(const char *folder, const char *const *hosts, uint32_t host_count,
                           struct problem *problem);

/* When a certificate ends, in UTC microseconds; the first of the file. ERR_NOT_FOUND: there is no
 * such file. ERR_INVALID: it is none. */
MUST_USE enum err tls_certificate_end(const char *path, int64_t *end_us);

#endif
