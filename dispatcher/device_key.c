#include "dispatcher/device_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <string.h>

enum { POINT = 65, COORDINATE = 32, DER_MAX = 80 };

static const char ed25519[] = "ed25519", p256[] = "ecdsa-p256";

bool device_key_algorithm_known(const char *algorithm)
{
    return strcmp(algorithm, ed25519) == 0 || strcmp(algorithm, p256) == 0;
}

/* --- P-256 --- */

/* NULL: the point is not on the curve. */
static EVP_PKEY *key_of_point(struct blob point)
{
    static char group[] = "prime256v1";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point.bytes,
                                          point.size),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

static bool read_point(struct blob point, uint8_t *out)
{
    if (point.size != POINT || *(const uint8_t *)point.bytes != 4) return false;
    EVP_PKEY *key = key_of_point(point);
    if (key == NULL) return false;
    EVP_PKEY_free(key);
    memcpy(out, point.bytes, POINT);
    return true;
}

static bool read_key_info(struct blob info, uint8_t *out)
{
    const unsigned char *at = info.bytes;
    size_t size = 0;
    char group[32] = "";
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)info.size);
    bool fine =
        key != NULL && at == (const unsigned char *)info.bytes + info.size &&
        EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                       NULL) == 1 &&
        strcmp(group, "prime256v1") == 0 &&
        EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, out, POINT, &size) == 1 &&
        size == POINT && out[0] == 4;
    EVP_PKEY_free(key);
    return fine;
}

/* r and s as the DER that OpenSSL verifies; 0: it cannot be. */
static size_t signature_der(struct blob signature, uint8_t out[DER_MAX])
{
    const uint8_t *bytes = signature.bytes;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes, COORDINATE, NULL);
    BIGNUM *s = BN_bin2bn(bytes + COORDINATE, COORDINATE, NULL);
    int size = 0;
    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        uint8_t *end = out;
        size = i2d_ECDSA_SIG(pair, NULL) <= DER_MAX ? i2d_ECDSA_SIG(pair, &end) : 0;
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(pair);
    return size > 0 ? (size_t)size : 0;
}

static bool p256_signed(struct blob point, struct blob message, struct blob signature)
{
    uint8_t der[DER_MAX];
    size_t size = signature_der(signature, der);
    EVP_PKEY *key = key_of_point(point);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool fine = size > 0 && key != NULL && context != NULL &&
                EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestVerify(context, der, size, message.bytes, message.size) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return fine;
}

/* --- both --- */

bool device_key_read(const char *algorithm, struct blob key, uint8_t out[DEVICE_KEY_MAX],
                     size_t *size)
{
    if (strcmp(algorithm, p256) == 0) {
        *size = POINT;
        return key.size == POINT ? read_point(key, out) : key.size > 0 && read_key_info(key, out);
    }
    if (strcmp(algorithm, ed25519) != 0 || key.size != crypto_sign_PUBLICKEYBYTES) return false;
    memcpy(out, key.bytes, key.size);
    *size = key.size;
    return true;
}

bool device_key_signed(const char *algorithm, struct blob key, struct blob message,
                       struct blob signature)
{
    if (signature.size != DEVICE_SIGNATURE) return false;
    if (strcmp(algorithm, p256) == 0) return p256_signed(key, message, signature);
    return strcmp(algorithm, ed25519) == 0 && key.size == crypto_sign_PUBLICKEYBYTES &&
           crypto_sign_verify_detached(signature.bytes, message.bytes, message.size, key.bytes) ==
               0;
}
