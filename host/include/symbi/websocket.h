/* symbi/websocket.h: the client's side of WebSocket (RFC 6455) as a codec, without sockets. */
#ifndef SYMBI_WEBSOCKET_H
#define SYMBI_WEBSOCKET_H
#include "symbi/wire.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef enum symbi_ws_op { SYMBI_WS_TEXT = 1, SYMBI_WS_BINARY = 2, SYMBI_WS_CLOSE = 8, SYMBI_WS_PING = 9, SYMBI_WS_PONG = 10 } symbi_ws_op;
enum { SYMBI_WS_KEY = 25, SYMBI_WS_ACCEPT = 29 }; /* with the final NUL */
/* Sec-WebSocket-Key from 16 random bytes, and the Sec-WebSocket-Accept that answers it. */
SYMBI_API void symbi_ws_key(const uint8_t nonce[16], char out[SYMBI_WS_KEY]);
SYMBI_API void symbi_ws_accept(const char *key, char out[SYMBI_WS_ACCEPT]);
/* Is this answer the change to WebSocket that we asked for with key, and nothing more? EDENIED: another status than 101. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_ws_check(const symbi_http1_message *m, const char *key, symbi_err *err);
/* One frame with a whole message, masked; mask must be random. CLOSE, PING and PONG carry at most 125 bytes. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_ws_write(symbi_ctx *cx, symbi_ws_op op, symbi_str payload, const uint8_t mask[4], symbi_text *out, symbi_err *err);

typedef struct symbi_ws symbi_ws;
typedef struct symbi_ws_message {
    symbi_ws_op op;
    symbi_str data;      /* of CLOSE: the reason */
    uint16_t close_code; /* 0: none was given */
} symbi_ws_message;
/* max_message: bytes of one message, all its frames together (0 = 16 MiB). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_ws_new(symbi_ctx *cx, size_t max_message, symbi_ws **out, symbi_err *err);
SYMBI_API void symbi_ws_free(symbi_ws *w);
/* Takes bytes from the front of *in. OK: *out holds a message or a control frame, borrowed until the next call; call again. EAGAIN: *in is used
 * up. EPARSE, ELIMIT, ENOMEM: final. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_ws_next(symbi_ws *w, symbi_str *in, symbi_ws_message *out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
