#include "gateway/client/identity.h"

#include "base/check.h"
#include "base/digest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static_assert(IDENTITY_PUBLIC_BYTES == crypto_sign_PUBLICKEYBYTES, "Ed25519");
static_assert(IDENTITY_PRIVATE_BYTES == crypto_sign_SECRETKEYBYTES, "Ed25519");
static_assert(IDENTITY_SIGNATURE_BYTES == crypto_sign_BYTES, "Ed25519");

/* The first had a shared secret where the name of the installation is now. */
static const char magic[8] = {'C', 'A', 'L', 'L', 'D', 'E', 'V', '2'};
static const char magic_first[8] = {'C', 'A', 'L', 'L', 'D', 'E', 'V', '1'};

struct image {
    char magic[8];
    struct identity identity;
    uint64_t checksum;
};

static uint64_t checksum_of(const struct image *image)
{
    struct digest digest = digest_start();
    digest_bytes(&digest, image, offsetof(struct image, checksum));
    return digest.state;
}

static enum err failed(const char *path, const char *what, struct problem *problem)
{
    return problem_set(problem, ERR_IO, path, "%s: %s", what, strerror(errno));
}

enum err identity_save(const struct identity *identity, const char *path, struct problem *problem)
{
    struct image image;
    memset(&image, 0, sizeof image);
    memcpy(image.magic, magic, sizeof magic);
    image.identity = *identity;
    image.checksum = checksum_of(&image);
    char fresh[1024];
    CHECK((size_t)snprintf(fresh, sizeof fresh, "%s.new", path) < sizeof fresh);
    int file = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return failed(fresh, "open", problem);
    bool fine = write(file, &image, sizeof image) == (ssize_t)sizeof image && fsync(file) == 0;
    sodium_memzero(&image, sizeof image);
    if (close(file) != 0 || !fine || rename(fresh, path) != 0)
        return failed(path, "save the device's identity", problem);
    return ERR_OK;
}

void identity_fresh(struct identity *out)
{
    CHECK(sodium_init() >= 0);
    memset(out, 0, sizeof *out);
    crypto_sign_keypair(out->public_key, out->private_key);
}

static enum err make(struct identity *out, const char *path, struct problem *problem)
{
    struct identity identity;
    identity_fresh(&identity);
    enum err err = identity_save(&identity, path, problem);
    if (err == ERR_OK) *out = identity;
    sodium_memzero(&identity, sizeof identity);
    return err;
}

enum err identity_load(struct identity *out, const char *path, struct problem *problem)
{
    CHECK(sodium_init() >= 0);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT) return make(out, path, problem);
    if (file < 0) return failed(path, "open", problem);
    struct image image;
    memset(&image, 0, sizeof image);
    ssize_t got = read(file, &image, sizeof image);
    close(file);
    bool first = memcmp(image.magic, magic_first, sizeof magic) == 0;
    if (got != (ssize_t)sizeof image || (!first && memcmp(image.magic, magic, sizeof magic) != 0) ||
        image.checksum != checksum_of(&image))
        return problem_set(problem, ERR_IO, path,
                           "the device's identity is damaged; enrol it again in an empty folder");
    *out = image.identity;
    if (first) memset(out->server_name, 0, sizeof out->server_name);
    sodium_memzero(&image, sizeof image);
    return ERR_OK;
}

void identity_sign(const struct identity *identity, const void *bytes, size_t size,
                   uint8_t signature[IDENTITY_SIGNATURE_BYTES])
{
    crypto_sign_detached(signature, NULL, bytes, size, identity->private_key);
}

void identity_erase(struct identity *identity, const char *path)
{
    sodium_memzero(identity, sizeof *identity);
    unlink(path);
}

void identity_boot_id(char out[IDENTITY_BOOT_ID])
{
    memset(out, 0, IDENTITY_BOOT_ID);
    int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    if (read(file, out, IDENTITY_BOOT_ID - 1) != IDENTITY_BOOT_ID - 1) out[0] = '\0';
    close(file);
}

uint64_t identity_chance(void)
{
    CHECK(sodium_init() >= 0);
    uint64_t chance;
    randombytes_buf(&chance, sizeof chance);
    return chance;
}
