/* device_key.h - the public keys by which devices are known, and whether a signature is theirs.
 *
 *      "ed25519"     32 bytes; verified by libsodium (48 us)
 *      "ecdsa-p256"  what a browser's WebCrypto can do: the point (04, x, y) or the same as
 *                    SubjectPublicKeyInfo, signature r and s of 32 bytes each, over SHA-256;
 *                    verified by OpenSSL
 */
#ifndef CALLOUT_DISPATCHER_DEVICE_KEY_H
#define CALLOUT_DISPATCHER_DEVICE_KEY_H

#include "dispatcher/core/row.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DEVICE_KEY_MAX = 65, DEVICE_SIGNATURE = 64 };

bool device_key_algorithm_known(const char *algorithm);

/* The key as it is kept, so that one key has one form: out[0..*size). False: it is none. */
bool device_key_read(const char *algorithm, struct blob key, uint8_t out[DEVICE_KEY_MAX],
                     size_t *size);

/* `key` is as device_key_read gave it. */
bool device_key_signed(const char *algorithm, struct blob key, struct blob message,
                       struct blob signature);

#endif
