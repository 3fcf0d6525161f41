/* borrowed.h - text that a message points to and does not own.
 *
 * protobuf-c's structs are not const-correct. Nothing writes through what is returned here: such a
 * message is packed, never freed by protobuf-c.
 *
 * Owner: whoever owns `text`, which must outlive the message. Thread: any.
 */
#ifndef CALLOUT_BASE_BORROWED_H
#define CALLOUT_BASE_BORROWED_H

static inline char *borrowed(const char *text)
{
    union {
        const char *in;
        char *out;
    } view = {text};
    return view.out;
}

#endif
