#include "dispatcher/password.h"

#include <sodium.h>
#include <string.h>

enum { PASSES = 3 };
#define MEMORY ((size_t)64 << 20)

const char password_nobodys[] = "$argon2id$v=19$m=65536,t=3,p=1$177itYS7oCfBk3+KmMM+Xg$"
                                "YO29OmQPfK7YmqJBA8MwIM2NKcPf1Nec32XATDhkgMc";

/* Bytes that begin a character. */
static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

enum err password_check_new(const char *password, struct problem *problem)
{
    if (strlen(password) <= PASSWORD_BYTES_MAX && characters(password) >= PASSWORD_CHARACTERS_MIN)
        return ERR_OK;
    return problem_set(problem, ERR_INVALID, "password", "must be %d characters to %d bytes",
                       PASSWORD_CHARACTERS_MIN, PASSWORD_BYTES_MAX);
}

enum err password_hash(const char *password, char hash[PASSWORD_HASH_SIZE], struct problem *problem)
{
    enum err err = password_check_new(password, problem);
    if (err != ERR_OK) return err;
    memset(hash, 0, PASSWORD_HASH_SIZE);
    if (crypto_pwhash_str_alg(hash, password, strlen(password), PASSES, MEMORY,
                              crypto_pwhash_ALG_ARGON2ID13) == 0)
        return ERR_OK;
    return problem_set(problem, ERR_BUSY, "password", "there is no memory to hash it");
}

void password_forget(struct password_work *work)
{
    sodium_memzero(work, sizeof *work);
}

void password_do(struct password_work *work)
{
    work->right = crypto_pwhash_str_verify(work->hash, work->password, strlen(work->password)) == 0;
    work->new_hash[0] = '\0';
    if (work->right && work->new_password[0] != '\0' &&
        password_hash(work->new_password, work->new_hash, NULL) != ERR_OK)
        work->right = false;
}
