/* identity.h - who a device is: its Ed25519 key, and what enrolment gave it. One file, mode 0600.
 *
 * The key is made on the device and its private half never leaves it; it is saved before the
 * enrolment token is used, so that no device is ever enrolled with a key that nobody holds.
 */
#ifndef CALLOUT_GATEWAY_CLIENT_IDENTITY_H
#define CALLOUT_GATEWAY_CLIENT_IDENTITY_H

#include "base/err.h"
#include "base/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IDENTITY_PUBLIC_BYTES = 32,
    IDENTITY_PRIVATE_BYTES = 64,
    IDENTITY_SIGNATURE_BYTES = 64,
    IDENTITY_SERVER_NAME = 32,
    IDENTITY_BOOT_ID = 37, /* a UUID and its NUL */
};

struct identity {
    uint8_t public_key[IDENTITY_PUBLIC_BYTES];
    uint8_t private_key[IDENTITY_PRIVATE_BYTES];
    char server_name[IDENTITY_SERVER_NAME]; /* of the installation it enrolled at; "": not known */
    uint32_t epoch;
    char device_id[LIMIT_ID + 1]; /* "": not enrolled yet */
    char technician_id[LIMIT_ID + 1];
};

/* A new key that nobody has enrolled, in memory only. */
void identity_fresh(struct identity *out);
/* Reads the identity at `path`; if there is none, makes a key and saves it. */
MUST_USE enum err identity_load(struct identity *out, const char *path, struct problem *problem);
MUST_USE enum err identity_save(const struct identity *identity, const char *path,
                                struct problem *problem);
void identity_sign(const struct identity *identity, const void *bytes, size_t size,
                   uint8_t signature[IDENTITY_SIGNATURE_BYTES]);
/* The device is not one any more: its key goes. */
void identity_erase(struct identity *identity, const char *path);

/* The machine's boot, so that monotonic times of one boot are never compared with another's. */
void identity_boot_id(char out[IDENTITY_BOOT_ID]);
uint64_t identity_chance(void); /* a seed for jitter and request ids */

#endif
