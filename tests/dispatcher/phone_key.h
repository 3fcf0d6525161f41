/* phone_key.h - a device's key in a test: what it signs in Enroll and Hello. */
#ifndef CALLOUT_TESTS_PHONE_KEY_H
#define CALLOUT_TESTS_PHONE_KEY_H

#include "pb/field.pb-c.h"
#include "signed_bytes.h"
#include "words.h"

#include <sodium.h>
#include <string.h>

struct phone_key {
    uint8_t open[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    uint8_t signature[crypto_sign_BYTES]; /* the last one; requests point here */
};

static inline void phone_key_make(struct phone_key *key)
{
    crypto_sign_keypair(key->open, key->secret);
}

static inline ProtobufCBinaryData phone_key_sign(struct phone_key *key, const void *bytes,
                                                 size_t size)
{
    crypto_sign_detached(key->signature, NULL, bytes, size, key->secret);
    return (ProtobufCBinaryData){sizeof key->signature, key->signature};
}

/* The request points into the key. */
static inline void phone_key_enroll(struct phone_key *key, const char *token,
                                    Callout__EnrollRequest *out)
{
    callout__enroll_request__init(out);
    out->enrol_token = words(token);
    out->key_algorithm = words("ed25519");
    out->public_key = (ProtobufCBinaryData){sizeof key->open, key->open};
    out->signature = phone_key_sign(key, token, strlen(token));
}

/* Answers a nonce: the second half of Hello. The challenge must live as long as the request. */
static inline void phone_key_hello(struct phone_key *key, const Callout__HelloReply *challenge,
                                   Callout__HelloRequest *hello)
{
    struct arena arena;
    arena_open(&arena, 1 << 16);
    hello->nonce = challenge->nonce;
    ProtobufCBinaryData text = signed_hello(hello, challenge->server_name, &arena);
    hello->signature = phone_key_sign(key, text.data, text.len);
    arena_close(&arena);
}

#endif
