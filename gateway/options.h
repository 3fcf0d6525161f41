/* options.h - what the command line tells the gateway.
 *
 * Owner: the strings are argv's.
 */
#ifndef CALLOUT_GATEWAY_OPTIONS_H
#define CALLOUT_GATEWAY_OPTIONS_H

#include "base/err.h"

#include <stdbool.h>

enum { GATEWAY_DOORS_MAX = 8, GATEWAY_HTTP_NAMES_MAX = 8 };

struct gateway_options {
    const char *dispatcher;                /* URL of the dispatcher */
    const char *listen[GATEWAY_DOORS_MAX]; /* URLs for devices and keys */
    unsigned listen_count;
    const char *admin; /* HOST:PORT of /healthz and /metrics */
    const char *http;  /* HOST:PORT for HTTP; NULL: no such door */
    bool http_tls;     /* it is https:// */
    bool http_if_free; /* where its port is taken, there is no such door, and a warning */
    const char *http_names[GATEWAY_HTTP_NAMES_MAX]; /* that its clients know it by */
    unsigned http_name_count;
    const char *web;     /* folder of files for browsers; NULL: where it is found; "none" */
    const char *basemap; /* a map for them; NULL: none */
    const char *tls_dir; /* with server.pem and server.key; NULL: no TLS */
    bool lab;            /* plain tcp everywhere, no limits for this machine's own clients */
    bool behind_proxy;   /* plain tcp everywhere; addresses are the proxy's: no limits by address */
};

/* ERR_INVALID: the usage was broken. ERR_CONFLICT: a listener cannot be what it is asked to be,
 * such as open to the network without TLS. */
MUST_USE enum err gateway_options_read(int argc, char **argv, struct gateway_options *out,
                                       struct problem *problem);
extern const char gateway_usage[];

#endif
