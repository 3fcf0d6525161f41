#include "gateway/openapi.h"

#include "base/check.h"
#include "message_json.h"
#include "pb/dispatch.pb-c.h"
#include "pb/field.pb-c.h"
#include "pb/people.pb-c.h"
#include "pb/roster.pb-c.h"
#include "pb/wire.pb-c.h"

#include <stdio.h>
#include <string.h>

enum { REF_SIZE = 128 };

static json_t *made(json_t *value)
{
    CHECK(value != NULL);
    return value;
}

static void set(json_t *object, const char *name, json_t *value)
{
    CHECK(json_object_set_new(object, name, made(value)) == 0);
}

static json_t *reference(const char *name)
{
    char ref[REF_SIZE];
    snprintf(ref, sizeof ref, "#/components/schemas/%s", name);
    return made(json_pack("{s:s}", "$ref", ref));
}

/* --- schemas --- */

/* The mapping of message_json.h. A 64-bit number is text that we write; numbers are read too. */
static json_t *value_schema(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return json_pack("{s:s,s:s}", "type", "integer", "format", "int32");
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32: return json_pack("{s:s,s:i}", "type", "integer", "minimum", 0);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return json_pack("{s:[ss],s:s}", "type", "string", "integer", "format", "int64");
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return json_pack("{s:[ss],s:s}", "type", "string", "integer", "format", "uint64");
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE: return json_pack("{s:s}", "type", "number");
    case PROTOBUF_C_TYPE_BOOL: return json_pack("{s:s}", "type", "boolean");
    case PROTOBUF_C_TYPE_STRING: return json_pack("{s:s}", "type", "string");
    case PROTOBUF_C_TYPE_BYTES:
        return json_pack("{s:s,s:s}", "type", "string", "contentEncoding", "base64");
    case PROTOBUF_C_TYPE_ENUM:
        return reference(((const ProtobufCEnumDescriptor *)field->descriptor)->short_name);
    case PROTOBUF_C_TYPE_MESSAGE:
        return reference(((const ProtobufCMessageDescriptor *)field->descriptor)->short_name);
    }
    CHECK(false);
    return NULL;
}

static json_t *enum_schema(const ProtobufCEnumDescriptor *type)
{
    json_t *words = made(json_array());
    for (unsigned i = 0; i < type->n_values; i++)
        CHECK(json_array_append_new(words, json_string(type->values[i].name)) == 0);
    return json_pack("{s:s,s:o}", "type", "string", "enum", words);
}

static void add_message(json_t *schemas, const ProtobufCMessageDescriptor *type);

/* What a field's type needs, once. */
static void add_type(json_t *schemas, const ProtobufCFieldDescriptor *field)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) add_message(schemas, field->descriptor);
    if (field->type != PROTOBUF_C_TYPE_ENUM) return;
    const ProtobufCEnumDescriptor *words = field->descriptor;
    if (json_object_get(schemas, words->short_name) == NULL)
        set(schemas, words->short_name, enum_schema(words));
}

static void add_message(json_t *schemas, const ProtobufCMessageDescriptor *type)
{
    if (json_object_get(schemas, type->short_name) != NULL) return;
    json_t *properties = made(json_object());
    json_t *schema = made(json_pack("{s:s,s:o,s:b}", "type", "object", "properties", properties,
                                    "additionalProperties", 0));
    set(schemas, type->short_name, schema);
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        char name[MESSAGE_JSON_NAME_SIZE];
        json_t *value = made(value_schema(field));
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            value = made(json_pack("{s:s,s:o}", "type", "array", "items", value));
        message_json_name(field->name, name);
        set(properties, name, value);
        add_type(schemas, field);
    }
}

/* --- operations --- */

/* The Reply envelope, whose body is the method's own reply. */
static json_t *answer_schema(const ProtobufCMessageDescriptor *type)
{
    json_t *body = made(json_pack("{s:{s:o}}", "properties", "body", reference(type->short_name)));
    return made(json_pack("{s:[oo]}", "allOf", reference("Reply"), body));
}

static json_t *operation(const ProtobufCMethodDescriptor *method, const char *service)
{
    const char *json = "application/json";
    return made(json_pack(
        "{s:s, s:[s], s:{s:b, s:{s:{s:o}}}, s:{s:{s:s, s:{s:{s:o}}}, s:{s:s, s:{s:{s:o}}}}}",
        "operationId", method->name, "tags", service, "requestBody", "required", 1, "content", json,
        "schema", reference(method->input->short_name), "responses", "200", "description",
        "status is OK", "content", json, "schema", answer_schema(method->output), "default",
        "description", "refused: status, text and errors say why", "content", json, "schema",
        reference("Reply")));
}

static void add_service(json_t *paths, json_t *schemas, const ProtobufCServiceDescriptor *service)
{
    for (unsigned i = 0; i < service->n_methods; i++) {
        const ProtobufCMethodDescriptor *method = &service->methods[i];
        char path[REF_SIZE];
        snprintf(path, sizeof path, "/api/%s", method->name);
        set(paths, path, json_pack("{s:o}", "post", operation(method, service->short_name)));
        add_message(schemas, method->input);
        add_message(schemas, method->output);
    }
}

/* On the wire the body is bytes; in JSON it is what they say, and each operation tells what. */
static void open_body(json_t *schemas)
{
    json_t *reply = json_object_get(schemas, callout__reply__descriptor.short_name);
    set(json_object_get(reply, "properties"), "body", json_object());
    json_object_del(reply, "additionalProperties");
}

char *openapi_text(void)
{
    json_t *paths = made(json_object()), *schemas = made(json_object());
    add_message(schemas, &callout__reply__descriptor);
    open_body(schemas);
    add_service(paths, schemas, &callout__dispatch__descriptor);
    add_service(paths, schemas, &callout__field__descriptor);
    add_service(paths, schemas, &callout__people__descriptor);
    add_service(paths, schemas, &callout__roster__descriptor);
    json_t *document =
        made(json_pack("{s:s, s:{s:s, s:s}, s:[{s:[]}], s:o, s:{s:{s:{s:s, s:s}}, s:o}}", "openapi",
                       "3.1.0", "info", "title", "Callout", "version", "1", "security", "token",
                       "paths", paths, "components", "securitySchemes", "token", "type", "http",
                       "scheme", "bearer", "schemas", schemas));
    char *text = json_dumps(document, JSON_COMPACT | JSON_PRESERVE_ORDER);
    CHECK(text != NULL);
    json_decref(document);
    return text;
}
