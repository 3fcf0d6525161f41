#include "sim/load/load.h"

#include "base/check.h"
#include "base/clock.h"
#include "message.h"

#include <stdio.h>

void load_technician_id(char out[LOAD_ID], uint32_t number)
{
    snprintf(out, LOAD_ID, "load-%05u", number);
}

/* A technician stays in one territory, however many devices the next run has. */
void load_territory_id(char out[LOAD_ID], uint32_t number)
{
    snprintf(out, LOAD_ID, "load-%02u", number % LOAD_TERRITORIES);
}

void load_order_id(char out[LOAD_ID], const struct load *load, uint32_t number)
{
    snprintf(out, LOAD_ID, "load-%s-%05u", load->run, number);
}

int64_t load_domain_us(const struct load *load)
{
    if (load->domain_us == 0) return 0;
    int64_t since_us = clock_mono_us() - load->domain_mono_us;
    return load->domain_us + (int64_t)((double)since_us * load->domain_rate);
}

void load_learn(struct load *load, const Callout__Reply *reply)
{
    if (reply->server_time_us <= 0) return;
    load->domain_us = reply->server_time_us;
    load->domain_rate = reply->clock_rate;
    load->domain_mono_us = clock_mono_us();
}

ProtobufCBinaryData load_pack(struct load *load, const void *token, size_t token_size,
                              const char *request_id, const char *method,
                              const ProtobufCMessage *message)
{
    union {
        const void *borrowed;
        uint8_t *bytes;
        char *text;
    } secret = {token}, id = {request_id}, name = {method}; /* packing only reads them */
    Callout__Request request;
    callout__request__init(&request);
    arena_rewind(&load->arena);
    request.proto_major = 1;
    request.session_token = (ProtobufCBinaryData){token_size, secret.bytes};
    if (request_id != NULL) request.request_id = id.text;
    request.method = name.text;
    request.body = message_encode(message, &load->arena);
    return message_encode(&request.base, &load->arena);
}

const Callout__Reply *load_unpack(struct load *load, const uint8_t *bytes, size_t size)
{
    ProtobufCMessage *message;
    arena_rewind(&load->arena);
    if (message_decode(&callout__reply__descriptor, bytes, size, &load->arena, &message, NULL) !=
        ERR_OK)
        return NULL;
    return (const Callout__Reply *)message;
}
