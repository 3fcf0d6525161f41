/* A planted bug: of a message that is read past, the last byte stays when much of it is there at
 * once. Found since it depends on how the bytes are cut. */
#include <event2/buffer.h>

enum { MUCH = 200 };

int planted_drain(struct evbuffer *buffer, size_t size) __asm__("__wrap_evbuffer_drain");
int real_drain(struct evbuffer *buffer, size_t size) __asm__("__real_evbuffer_drain");

int planted_drain(struct evbuffer *buffer, size_t size)
{
    return real_drain(buffer, size > MUCH ? size - 1 : size);
}
