#include "tls_init.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CA_DAYS = 3650, CERTIFICATE_DAYS = 825, HOSTS_MAX = 32 };

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
};

static void identity_free(struct identity *it)
{
    EVP_PKEY_free(it->key);
    X509_free(it->certificate);
}

static enum err failed(struct problem *problem, const char *what)
{
    return problem_set(problem, ERR_IO, what, "%s",
                       errno != 0 ? strerror(errno) : ERR_reason_error_string(ERR_peek_error()));
}

/* A key file is readable by its owner only, from its first byte on. */
static FILE *create(const char *folder, const char *name, mode_t mode)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/tls/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    return fd < 0 ? NULL : fdopen(fd, "w");
}

static FILE *existing(const char *folder, const char *name)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/tls/%s", folder, name);
    return fopen(path, "r");
}

static enum err write_identity(const struct identity *it, const struct identity *issuer,
                               const char *folder, const char *key_name,
                               const char *certificate_name, struct problem *problem)
{
    FILE *file = create(folder, key_name, 0600);
    bool ok = file != NULL && PEM_write_PrivateKey(file, it->key, NULL, NULL, 0, NULL, NULL) == 1;
    if (file != NULL && fclose(file) != 0) ok = false;
    file = ok ? create(folder, certificate_name, 0644) : NULL;
    ok = file != NULL && PEM_write_X509(file, it->certificate) == 1;
    if (ok && issuer != NULL) ok = PEM_write_X509(file, issuer->certificate) == 1;
    if (file != NULL && fclose(file) != 0) ok = false;
    return ok ? ERR_OK : failed(problem, certificate_name);
}

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool ok = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool set_names(X509 *certificate, X509 *issuer, const char *common_name)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name,
                                      -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1;
}

static bool set_serial(X509 *certificate)
{
    BIGNUM *number = BN_new();
    bool ok = number != NULL && BN_rand(number, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
              BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return ok;
}

/* A key and a certificate for it, signed by `issuer`, or by itself when that is NULL. */
static bool make_identity(struct identity *it, const struct identity *issuer,
                          const char *common_name, int days, const char *constraints,
                          const char *usage, const char *hosts)
{
    it->key = EVP_EC_gen("P-256");
    it->certificate = X509_new();
    if (it->key == NULL || it->certificate == NULL) return false;
    if (issuer == NULL) issuer = it;
    X509 *certificate = it->certificate;
    return X509_set_version(certificate, 2) == 1 && set_serial(certificate) &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != NULL &&
           X509_time_adj_ex(X509_getm_notAfter(certificate), days, 0, NULL) != NULL &&
           X509_set_pubkey(certificate, it->key) == 1 &&
           set_names(certificate, issuer->certificate, common_name) &&
           add_extension(certificate, issuer->certificate, NID_basic_constraints, constraints) &&
           add_extension(certificate, issuer->certificate, NID_key_usage, usage) &&
           add_extension(certificate, issuer->certificate, NID_subject_key_identifier, "hash") &&
           (hosts == NULL ||
            (add_extension(certificate, issuer->certificate, NID_subject_alt_name, hosts) &&
             add_extension(certificate, issuer->certificate, NID_ext_key_usage, "serverAuth"))) &&
           X509_sign(certificate, issuer->key, EVP_sha256()) > 0;
}

static bool load_ca(const char *folder, struct identity *ca)
{
    FILE *key = existing(folder, "ca.key"), *certificate = existing(folder, "ca.pem");
    if (key != NULL && certificate != NULL) {
        ca->key = PEM_read_PrivateKey(key, NULL, NULL, NULL);
        ca->certificate = PEM_read_X509(certificate, NULL, NULL, NULL);
    }
    if (key != NULL) fclose(key);
    if (certificate != NULL) fclose(certificate);
    return ca->key != NULL && ca->certificate != NULL;
}

static bool is_address(const char *host)
{
    return strchr(host, ':') != NULL || strspn(host, "0123456789.") == strlen(host);
}

/* "DNS:localhost,IP:127.0.0.1,...": only letters that mean nothing to OpenSSL's extension language.
 * An IPv4 address is listed as a DNS name too: nng's mbedTLS compares with no other kind of name.
 */
static enum err list_hosts(const char *const *hosts, uint32_t count, char *text, size_t size,
                           struct problem *problem)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:*";
    size_t used = (size_t)snprintf(text, size, "DNS:localhost,IP:127.0.0.1,IP:::1,DNS:127.0.0.1");
    if (count > HOSTS_MAX)
        return problem_set(problem, ERR_TOO_LARGE, "HOST", "at most %d", HOSTS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        size_t length = strlen(hosts[i]);
        if (length == 0 || length > 253 || strspn(hosts[i], plain) != length)
            return problem_set(problem, ERR_INVALID, "HOST", "\"%.64s\" is no host name or address",
                               hosts[i]);
        if (is_address(hosts[i]))
            used += (size_t)snprintf(text + used, size - used, ",IP:%s", hosts[i]);
        if (strchr(hosts[i], ':') == NULL)
            used += (size_t)snprintf(text + used, size - used, ",DNS:%s", hosts[i]);
    }
    return ERR_OK;
}

enum err tls_init(const char *folder, const char *const *hosts, uint32_t host_count,
                  struct problem *problem)
{
    char path[4200], names[HOSTS_MAX * 520 + 64];
    struct identity ca = {0}, server = {0};
    enum err err = list_hosts(hosts, host_count, names, sizeof names, problem);
    if (err != ERR_OK) return err;
    errno = 0;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) return failed(problem, folder);
    snprintf(path, sizeof path, "%s/tls", folder);
    errno = 0;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) return failed(problem, path);
    errno = 0;
    if (!load_ca(folder, &ca)) {
        identity_free(&ca);
        ca = (struct identity){0};
        if (!make_identity(&ca, NULL, "Callout CA", CA_DAYS, "critical,CA:TRUE,pathlen:0",
                           "critical,keyCertSign,cRLSign", NULL))
            err = failed(problem, "ca");
        else
            err = write_identity(&ca, NULL, folder, "ca.key", "ca.pem", problem);
    }
    if (err == ERR_OK &&
        !make_identity(&server, &ca, host_count > 0 ? hosts[0] : "localhost", CERTIFICATE_DAYS,
                       "critical,CA:FALSE", "critical,digitalSignature", names))
        err = failed(problem, "certificate");
    if (err == ERR_OK)
        err = write_identity(&server, &ca, folder, "server.key", "server.pem", problem);
    identity_free(&ca);
    identity_free(&server);
    return err;
}

enum err tls_certificate_end(const char *path, int64_t *end_us)
{
    int days = 0, seconds = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL) return ERR_NOT_FOUND;
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool read = certificate != NULL && epoch != NULL &&
                ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(certificate)) == 1;
    ASN1_TIME_free(epoch);
    X509_free(certificate);
    ERR_clear_error();
    if (!read) return ERR_INVALID;
    *end_us = (days * INT64_C(86400) + seconds) * INT64_C(1000000);
    return ERR_OK;
}
