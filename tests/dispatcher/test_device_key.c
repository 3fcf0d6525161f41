/* Keys and signatures as a browser's WebCrypto makes them; the bytes are one's own. */
#include "dispatcher/device_key.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* One key in both of its forms, its signature of "a token", and a key on another curve. */
static const char point_hex[] =
    "0420da511313a4f37cc438b835e82fd2488ae1d0234f8c299e5ff1579e4dcb5302c7df89fac98c15"
    "a6c29d4deea550824defaa2fde590c111c3c5f6a7f47b1f554";
static const char info_hex[] =
    "3059301306072a8648ce3d020106082a8648ce3d0301070342000420da511313a4f37cc438b835e8"
    "2fd2488ae1d0234f8c299e5ff1579e4dcb5302c7df89fac98c15a6c29d4deea550824defaa2fde59"
    "0c111c3c5f6a7f47b1f554";
static const char signature_hex[] =
    "171fe0363383f93f960cd0cbbeba5411dcef05d735effafef7104343b2a136775ac60efda72c1a17"
    "a311dffa271c4e4a57edc178529a201e42bc0aa072318309";
static const char other_curve_hex[] =
    "3076301006072a8648ce3d020106052b810400220362000470f7f6d8b532c465c1aa78b42de4a3ee"
    "5728145ff08900e51081db4777704bbd556fc6c1b7b4adea405fe4444e73049229f22c5d077e05b6"
    "747233817eb1ac31c2acad5f006974bd1134374adf19c9ef90c8bae8724162b328dd40ccfdeb7a0d";

static const char message[] = "a token";

struct bytes {
    uint8_t bytes[256];
    size_t size;
};

static struct bytes bytes_of(const char *hex)
{
    struct bytes out;
    assert_int_equal(
        sodium_hex2bin(out.bytes, sizeof out.bytes, hex, strlen(hex), NULL, &out.size, NULL), 0);
    return out;
}

static struct blob blob_of(const struct bytes *bytes)
{
    return (struct blob){bytes->bytes, bytes->size};
}

static void both_forms_are_one_key(void **state)
{
    (void)state;
    struct bytes point = bytes_of(point_hex), info = bytes_of(info_hex);
    uint8_t from_point[DEVICE_KEY_MAX], from_info[DEVICE_KEY_MAX];
    size_t point_size, info_size;
    assert_true(device_key_read("ecdsa-p256", blob_of(&point), from_point, &point_size));
    assert_true(device_key_read("ecdsa-p256", blob_of(&info), from_info, &info_size));
    assert_int_equal(point_size, info_size);
    assert_memory_equal(from_point, from_info, point_size);
}

static void what_is_no_key_is_refused(void **state)
{
    (void)state;
    struct bytes point = bytes_of(point_hex), info = bytes_of(info_hex);
    struct bytes other = bytes_of(other_curve_hex), none = {.size = 0};
    uint8_t out[DEVICE_KEY_MAX];
    size_t size;
    point.bytes[64] ^= 1; /* not on the curve any more */
    assert_false(device_key_read("ecdsa-p256", blob_of(&point), out, &size));
    assert_false(device_key_read("ecdsa-p256", blob_of(&other), out, &size));
    assert_false(device_key_read("ecdsa-p256", blob_of(&none), out, &size));
    info.size++; /* something behind it */
    assert_false(device_key_read("ecdsa-p256", blob_of(&info), out, &size));
    info.size -= 2;
    assert_false(device_key_read("ecdsa-p256", blob_of(&info), out, &size));
    assert_false(device_key_read("ed25519", blob_of(&point), out, &size));
    assert_false(device_key_read("rsa", blob_of(&point), out, &size));
    assert_false(device_key_algorithm_known("rsa"));
}

static bool signed_so(const struct bytes *key, const char *text, const struct bytes *signature)
{
    return device_key_signed("ecdsa-p256", blob_of(key), (struct blob){text, strlen(text)},
                             blob_of(signature));
}

static void a_browsers_signature_is_verified(void **state)
{
    (void)state;
    struct bytes point = bytes_of(point_hex), signature = bytes_of(signature_hex);
    assert_true(signed_so(&point, message, &signature));
    assert_false(signed_so(&point, "another token", &signature));
    for (size_t i = 0; i < signature.size; i += 7) {
        signature.bytes[i] ^= 0x10;
        assert_false(signed_so(&point, message, &signature));
        signature.bytes[i] ^= 0x10;
    }
    signature.size--;
    assert_false(signed_so(&point, message, &signature));
    struct bytes zero = {.size = DEVICE_SIGNATURE};
    assert_false(signed_so(&point, message, &zero));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_are_one_key),
        cmocka_unit_test(what_is_no_key_is_refused),
        cmocka_unit_test(a_browsers_signature_is_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
