/* http_impl.h - what the files of the HTTP door share, and nobody else sees.
 *
 *      http.c          the door: its life, who is let in, how answers leave
 *      http_asks.c     requests of operations, and their answers
 *      http_streams.c  changes, for as long as a page is open
 *      http_files.c    what is there to GET: the tree of web_tree.h, and the map
 *      http_authority.c  the authority that vouches for this door, for phones that do not know it
 *
 * Whoever takes a request answers it by http_send or http_refuse, or in parts of his own and
 * then http_done.
 */
#ifndef CALLOUT_GATEWAY_HTTP_IMPL_H
#define CALLOUT_GATEWAY_HTTP_IMPL_H

#include "base/arena.h"
#include "gateway/http.h"
#include "gateway/http_sessions.h"
#include "gateway/http_visitors.h"
#include "gateway/http_words.h"
#include "message.h"
#include "message_json.h"
#include "pb/wire.pb-c.h"
#include "sp_tls.h"

enum { HTTP_ADDRESS_SIZE = 48 };

struct evbuffer;
struct stream;
struct evhttp;
struct evhttp_connection;
struct evhttp_request;
struct web_tree;

/* What an answer means for the session of a browser (http_sessions.h). */
enum http_act { HTTP_OPERATION, HTTP_WHO, HTTP_LOGIN, HTTP_LOGOUT, HTTP_STREAM };

/* A request that waits for its answer. */
struct ask {
    struct evhttp_request *request; /* NULL: the slot is free */
    struct http *http;
    uint32_t generation;
    bool packed; /* protobuf, else JSON */
    enum http_act act;
    struct stream *stream; /* NULL: it is answered once */
    struct method method;
    char csrf[HTTP_CSRF_SIZE]; /* that the answer is to tell */
    char peer[HTTP_ADDRESS_SIZE];
};

enum { STREAMS_MAX = 1024 };

struct streams {
    struct stream *list[STREAMS_MAX];
    unsigned count;
};

/* A large file that is read as it is sent. */
struct basemap {
    int fd; /* -1: there is none */
    uint64_t size;
    char etag[40];
    struct map_part *parts; /* that are being sent */
};

/* Who vouches for the door's certificate. */
struct authority {
    uint8_t bytes[4096];                 /* DER */
    size_t size;                         /* 0: nobody whom phones would have to be told of */
    char fingerprint[3 * SP_TLS_DIGEST]; /* of SHA-256: AB:CD:... */
};

struct http {
    struct shell *shell;
    struct evhttp *evhttp;
    struct visitors *visitors;
    SSL_CTX *tls;
    unsigned port; /* that we listen on */
    struct http_counters counters;
    struct arena request_arena, reply_arena;
    char *openapi;        /* made when somebody first asks */
    struct web_tree *web; /* NULL: there is none */
    struct basemap basemap;
    struct authority authority;
    struct streams streams;
    uint32_t asking; /* slots in use */
    uint32_t next;   /* where the search for a free one begins */
    struct ask asks[VISITORS_MAX];
};

/* --- http.c --- */

/* "" where it is not given. */
const char *http_header(struct evhttp_request *request, const char *name);
void http_put_header(struct evhttp_request *request, const char *name, const char *value);

/* The headers of all that is no file. */
void http_put_headers(struct evhttp_request *request, const char *type, uint32_t retry_after_ms);
struct bufferevent *http_stream_of(struct evhttp_request *request);
struct http_origin http_origin_of(const struct http *http, struct evhttp_request *request);

/* The whole answer; its headers are there. `body` may be NULL. */
void http_send(struct http *http, struct evhttp_request *request, struct http_status status,
               struct evbuffer *body);
void http_send_bytes(struct http *http, struct evhttp_request *request, struct http_status status,
                     const void *bytes, size_t size);
/* The last byte of an answer that was sent in parts is on its way. */
void http_done(struct http *http, struct evhttp_request *request);
/* Nothing more is sent to him: what he had was not all. */
void http_cut(struct evhttp_request *request);

/* --- http_asks.c --- */

/* An operation, or what a browser asks about its session. */
void http_ask(struct http *http, struct evhttp_request *request);
/* A request that never gets as far as the edge. */
void http_refuse(struct http *http, struct evhttp_request *request, bool packed,
                 struct http_status status, enum err err, const struct problem *problem);

/* A slot for a request that is answered later; and that it is not any more. */
struct ask *http_ask_new(struct http *http, struct evhttp_request *request);
void http_ask_free(struct ask *ask);
void http_ask_left(struct evhttp_connection *connection, void *ask); /* evhttp's close callback */
/* A packed envelope; the answer comes by http_reply, at once or later. */
void http_ask_edge(struct ask *ask, ProtobufCBinaryData envelope);

/* The envelope, in which the body's bytes give way to what they say; body NULL: there is none. */
json_t *http_reply_json(const Callout__Reply *reply, const ProtobufCMessage *body);
/* Takes `json`. */
void http_send_json(struct http *http, struct evhttp_request *request, struct http_status status,
                    json_t *json);

/* --- http_streams.c --- */

/* Not ERR_OK: the request is not answered. */
MUST_USE enum err http_streams_open(struct http *http, struct evhttp_request *request,
                                    const uint8_t *token, size_t token_size,
                                    struct problem *problem);
void http_streams_reply(struct http *http, struct stream *stream, const Callout__Reply *reply);
void http_streams_tick(struct http *http);
void http_streams_close(struct http *http);

/* --- http_files.c --- */

/* Reads --web and --basemap; also again, when what was there stays if something is wrong. */
MUST_USE enum err http_files_open(struct http *http, struct problem *problem);
void http_files_close(struct http *http);
/* Answers a GET or HEAD of a file. False: there is none, and nothing was answered. */
bool http_files_answer(struct http *http, struct evhttp_request *request);

/* --- http_authority.c --- */

/* Of the certificate that the door has by now. */
void http_authority_read(struct http *http);
/* Answers GET /authority/ca.crt and /authority/fingerprint, and keeps the page about them from
 * where there is no authority. False: nothing was answered. */
bool http_authority_answer(struct http *http, struct evhttp_request *request);

#endif
