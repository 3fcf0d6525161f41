/* openapi.h - the operations of the HTTP door as an OpenAPI 3.1 document, made from the contract's
 * descriptors, so that it cannot say anything else than what is there.
 *
 * Source: OpenAPI Specification 3.1.0; JSON Schema 2020-12.
 */
#ifndef CALLOUT_GATEWAY_OPENAPI_H
#define CALLOUT_GATEWAY_OPENAPI_H

/* The caller's to free. Never NULL. */
char *openapi_text(void);

#endif
