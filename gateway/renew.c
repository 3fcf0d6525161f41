#include "gateway/renew.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "gateway/shell.h"

#include <stdio.h>
#include <sys/stat.h>

enum { LOOK_EVERY_US = 2000000, PATH_SIZE = 1024 };

static void write_paths(const struct shell *shell, char certificate[PATH_SIZE], char key[PATH_SIZE])
{
    const char *folder = shell->gateway.options.tls_dir;
    snprintf(certificate, PATH_SIZE, "%s/server.pem", folder);
    snprintf(key, PATH_SIZE, "%s/server.key", folder);
}

static void digest_file(struct digest *digest, const char *path)
{
    struct stat file;
    if (stat(path, &file) != 0) return;
    digest_u64(digest, (uint64_t)file.st_ino);
    digest_u64(digest, (uint64_t)file.st_size);
    digest_u64(digest, (uint64_t)file.st_mtim.tv_sec);
    digest_u64(digest, (uint64_t)file.st_mtim.tv_nsec);
}

/* 0: there is no certificate. */
static uint64_t look(const struct shell *shell)
{
    char certificate[PATH_SIZE], key[PATH_SIZE];
    struct digest digest = digest_start();
    if (shell->gateway.options.tls_dir == NULL) return 0;
    write_paths(shell, certificate, key);
    digest_file(&digest, certificate);
    digest_file(&digest, key);
    return digest.state;
}

/* All doors; the first problem is told. */
static enum err renew(struct shell *shell, bool files, struct problem *problem)
{
    char certificate[PATH_SIZE], key[PATH_SIZE];
    enum err err = ERR_OK;
    if (shell->gateway.options.tls_dir != NULL) write_paths(shell, certificate, key);
    for (unsigned i = 0; err == ERR_OK && i < shell->door_count; i++)
        err = sp_listener_renew(shell->doors[i].listener, certificate, key, problem);
    if (err == ERR_OK && shell->http != NULL) err = http_renew(shell->http, files, problem);
    return err;
}

void renew_start(struct shell *shell)
{
    shell->renewal =
        (struct renewal){.seen = look(shell), .look_us = clock_mono_us() + LOOK_EVERY_US};
}

void renew_tick(struct shell *shell)
{
    struct problem problem;
    struct renewal *renewal = &shell->renewal;
    int64_t now_us = clock_mono_us();
    if (now_us < renewal->look_us) return;
    renewal->look_us = now_us + LOOK_EVERY_US;
    uint64_t seen = look(shell);
    if (seen == renewal->seen) return;
    renewal->seen = seen;
    if (renew(shell, false, &problem) == ERR_OK)
        log_info("the certificate was read again");
    else
        log_warn("the certificate stays as it was: %s: %s", problem.field, problem.text);
}

void renew_all(struct shell *shell)
{
    struct problem problem;
    shell->renewal.seen = look(shell);
    if (renew(shell, true, &problem) == ERR_OK)
        log_info("certificate and files were read again");
    else
        log_warn("what there was stays: %s: %s", problem.field, problem.text);
}
