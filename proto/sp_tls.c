#include "sp_tls.h"

#include "base/check.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

static enum err refuse(struct problem *problem, SSL_CTX *tls, const char *file)
{
    unsigned long code = ERR_get_error();
    const char *reason =
        ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
    SSL_CTX_free(tls);
    ERR_clear_error();
    return problem_set(problem, ERR_INVALID, file, "cannot be used for TLS: %s",
                       reason == NULL ? "unknown reason" : reason);
}

enum err sp_tls_open(SSL_CTX **out, const char *certificate_file, const char *key_file,
                     struct problem *problem)
{
    if (certificate_file == NULL || key_file == NULL)
        return problem_set(problem, ERR_INVALID, "tls", "a certificate and a key file are needed");
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (tls == NULL) return refuse(problem, tls, "tls");
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_cipher_list(tls,
                            "ECDHE+AESGCM:ECDHE+CHACHA20"); /* of TLS 1.2: forward secret, AEAD */
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS); /* thousands of connections are mostly idle */
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    if (SSL_CTX_use_certificate_chain_file(tls, certificate_file) != 1)
        return refuse(problem, tls, certificate_file);
    if (SSL_CTX_use_PrivateKey_file(tls, key_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(tls) != 1)
        return refuse(problem, tls, key_file);
    *out = tls;
    return ERR_OK;
}

void sp_tls_close(SSL_CTX *tls)
{
    SSL_CTX_free(tls);
}

size_t sp_tls_authority(SSL_CTX *tls, uint8_t *bytes, size_t room, uint8_t digest[SP_TLS_DIGEST])
{
    STACK_OF(X509) *chain = NULL;
    if (SSL_CTX_get0_chain_certs(tls, &chain) != 1 || sk_X509_num(chain) < 1) return 0;
    X509 *last = sk_X509_value(chain, sk_X509_num(chain) - 1);
    int size = i2d_X509(last, NULL);
    if (X509_self_signed(last, 1) != 1 || X509_check_ca(last) != 1) return 0;
    if (size <= 0 || (size_t)size > room) return 0;
    if (X509_digest(last, EVP_sha256(), digest, NULL) != 1) return 0;
    return i2d_X509(last, &bytes) == size ? (size_t)size : 0;
}

struct bufferevent *sp_tls_accept(SSL_CTX *tls, struct event_base *base, int fd)
{
    SSL *ssl = SSL_new(tls);
    CHECK(ssl != NULL);
    struct bufferevent *stream = bufferevent_openssl_socket_new(
        base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (stream != NULL) bufferevent_openssl_set_allow_dirty_shutdown(stream, 1);
    return stream;
}

enum err sp_tls_trust(SSL_CTX **out, const char *ca_file, struct problem *problem)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    if (tls == NULL) return refuse(problem, tls, "tls");
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_load_verify_locations(tls, ca_file, NULL) != 1)
        return refuse(problem, tls, ca_file);
    *out = tls;
    return ERR_OK;
}
