/* A planted bug: an address without a host is taken. Found since nobody can listen there. */
#include "url.h"
#include <string.h>

enum err planted_parse(const char *text, struct url *out,
                       struct problem *problem) __asm__("__wrap_url_parse");
enum err real_parse(const char *text, struct url *out,
                    struct problem *problem) __asm__("__real_url_parse");

enum err planted_parse(const char *text, struct url *out, struct problem *problem)
{
    if (strncmp(text, "tcp://:", strlen("tcp://:")) != 0) return real_parse(text, out, problem);
    *out = (struct url){.scheme = URL_TCP};
    strcpy(out->port, "1");
    return ERR_OK;
}
