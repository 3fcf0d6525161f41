#include "gateway/client/lookup.h"

#include "base/check.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_BYTES = 256 };

/* Whoever of the two is last, the asker or the thread, frees it. */
struct lookup {
    struct client_loop *loop;
    lookup_found *found;
    void *context;
    struct client_note note;
    char host[HOST_BYTES];
    uint32_t turn;
    char address[INET6_ADDRSTRLEN]; /* "": none; the thread's until `heard` */
    pthread_mutex_t lock;           /* of the two below */
    bool heard, left;
};

bool lookup_is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static void destroy(struct lookup *lookup)
{
    pthread_mutex_destroy(&lookup->lock);
    free(lookup);
}

/* The addresses of a name have their turn one after the other, from the resolver's first on. */
static const struct addrinfo *choose(const struct addrinfo *list, uint32_t turn)
{
    uint32_t count = 0;
    for (const struct addrinfo *it = list; it != NULL; it = it->ai_next)
        count++;
    for (turn %= count; turn > 0; turn--)
        list = list->ai_next;
    return list;
}

static void resolve(struct lookup *lookup)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list = NULL;
    int error = getaddrinfo(lookup->host, NULL, &hints, &list);
    if (error != 0) { /* a machine without any network but its own has no address to go by */
        hints.ai_flags = 0;
        error = getaddrinfo(lookup->host, NULL, &hints, &list);
    }
    if (error != 0) return;
    const struct addrinfo *it = choose(list, lookup->turn);
    if (getnameinfo(it->ai_addr, it->ai_addrlen, lookup->address, sizeof lookup->address, NULL, 0,
                    NI_NUMERICHOST) != 0)
        lookup->address[0] = '\0'; /* an address with a zone is longer than any that we dial */
    freeaddrinfo(list);
}

static void *run(void *context)
{
    struct lookup *lookup = context;
    resolve(lookup);
    pthread_mutex_lock(&lookup->lock);
    bool left = lookup->left;
    lookup->heard = true;
    if (!left) client_loop_post(lookup->loop, &lookup->note);
    pthread_mutex_unlock(&lookup->lock);
    if (left) destroy(lookup);
    return NULL;
}

static void on_note(void *context)
{
    const struct lookup *lookup = context;
    lookup->found(lookup->context, lookup->address[0] == '\0' ? NULL : lookup->address);
}

static bool start(struct lookup *lookup)
{
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0);
    bool started = pthread_create(&thread, &attributes, run, lookup) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}

struct lookup *lookup_open(struct client_loop *loop, const char *host, uint32_t turn,
                           lookup_found *found, void *context)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);
    CHECK(lookup != NULL && strlen(host) < sizeof lookup->host);
    *lookup = (struct lookup){.loop = loop, .turn = turn, .found = found, .context = context};
    lookup->note = (struct client_note){.run = on_note, .context = lookup};
    memcpy(lookup->host, host, strlen(host) + 1);
    CHECK(pthread_mutex_init(&lookup->lock, NULL) == 0);
    if (start(lookup)) return lookup;
    destroy(lookup);
    return NULL;
}

void lookup_leave(struct lookup *lookup)
{
    if (lookup == NULL) return;
    pthread_mutex_lock(&lookup->lock);
    bool heard = lookup->heard;
    lookup->left = true;
    pthread_mutex_unlock(&lookup->lock);
    if (!heard) return; /* the thread frees it */
    client_loop_withdraw(lookup->loop, &lookup->note);
    destroy(lookup);
}
