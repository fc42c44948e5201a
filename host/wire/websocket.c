/* wire/websocket.c: the client's side of WebSocket (RFC 6455) as a codec: the opening request and the check of its answer, frames out (masked,
 * as clients must) and messages in. Strict: reserved bits, masked frames from a server, unknown opcodes, control frames in pieces or over
 * 125 bytes, lengths that are not the shortest, text that is no UTF-8 and messages out of sequence end the connection. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "symbi/websocket.h"
#include "wire/sha1.h"

enum { HEAD_MAX = 14, DEFAULT_MAX = 16 << 20 };

struct symbi_ws {
    symbi_ctx *cx;
    size_t max;
    uint8_t head[HEAD_MAX];
    size_t nhead;
    bool in_frame, fin;
    uint8_t op, message_op; /* message_op 0: no message is open */
    uint64_t left;          /* of the frame's payload */
    sy_buf message, control;
    bool given;             /* message was handed out: it starts anew */
    symbi_status status;
};

static void base64(const uint8_t *p, size_t n, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? (uint32_t)p[i + 2] : 0);
        *out++ = digits[v >> 18 & 63];
        *out++ = digits[v >> 12 & 63];
        *out++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
        *out++ = i + 2 < n ? digits[v & 63] : '=';
    }
    *out = 0;
}

void symbi_ws_key(const uint8_t nonce[16], char out[SYMBI_WS_KEY]) { base64(nonce, 16, out); }

void symbi_ws_accept(const char *key, char out[SYMBI_WS_ACCEPT])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[24 + sizeof guid];
    uint8_t digest[20];
    size_t n = strnlen(key, 24);
    memcpy(text, key, n);
    memcpy(text + n, guid, sizeof guid);
    sy_sha1_short(text, n + sizeof guid - 1, digest);
    base64(digest, 20, out);
}

static bool is_word(symbi_str list, const char *lower)
{
    size_t n = strlen(lower);
    for (size_t i = 0; i < list.n;) {
        size_t e, s;
        while (i < list.n && (list.p[i] == ' ' || list.p[i] == '\t' || list.p[i] == ',')) i++;
        for (s = e = i; e < list.n && list.p[e] != ',';) e++;
        i = e;
        while (e > s && (list.p[e - 1] == ' ' || list.p[e - 1] == '\t')) e--;
        if (e - s != n) continue;
        for (size_t k = 0;; k++) {
            if (k == n) return true;
            if ((char)(list.p[s + k] >= 'A' && list.p[s + k] <= 'Z' ? list.p[s + k] + 32 : list.p[s + k]) != lower[k]) break;
        }
    }
    return false;
}

symbi_status symbi_ws_check(const symbi_http1_message *m, const char *key, symbi_err *err)
{
    char want[SYMBI_WS_ACCEPT];
    symbi_str got = symbi_http1_get(m, "sec-websocket-accept");
    if (m->status != 101) return sy_fail(err, SYMBI_EDENIED, "the server answered %d instead of changing to WebSocket", m->status);
    if (!is_word(symbi_http1_get(m, "upgrade"), "websocket") || !is_word(symbi_http1_get(m, "connection"), "upgrade")) return sy_fail(err, SYMBI_EPARSE, "the server's answer does not change to WebSocket");
    symbi_ws_accept(key, want);
    if (!sy_str_eqz(got, want)) return sy_fail(err, SYMBI_EPARSE, "the server's Sec-WebSocket-Accept does not answer our key");
    if (symbi_http1_get(m, "sec-websocket-extensions").p || symbi_http1_get(m, "sec-websocket-protocol").p) return sy_fail(err, SYMBI_EPARSE, "the server chose an extension or a protocol that nobody offered");
    return SYMBI_OK;
}

/* ---- frames out ---- */

symbi_status symbi_ws_write(symbi_ctx *cx, symbi_ws_op op, symbi_str payload, const uint8_t mask[4], symbi_text *out, symbi_err *err)
{
    sy_buf b;
    char *p;
    symbi_err_clear(err);
    memset(out, 0, sizeof *out);
    if ((op & 8) ? (op > SYMBI_WS_PONG || payload.n > 125) : (op != SYMBI_WS_TEXT && op != SYMBI_WS_BINARY)) return sy_fail(err, SYMBI_EINVAL, "no such WebSocket frame");
    if (op == SYMBI_WS_TEXT && !sy_utf8_valid(payload, NULL)) return sy_fail(err, SYMBI_EINVAL, "a text frame must be UTF-8");
    sy_buf_init(&b, cx->alloc, cx->limits.output_bytes);
    sy_buf_addc(&b, (char)(0x80 | op));
    if (payload.n < 126) {
        sy_buf_addc(&b, (char)(0x80 | payload.n));
    } else if (payload.n < 65536) {
        sy_buf_addc(&b, (char)(0x80 | 126));
        sy_buf_addc(&b, (char)(payload.n >> 8));
        sy_buf_addc(&b, (char)(payload.n & 255));
    } else {
        sy_buf_addc(&b, (char)(0x80 | 127));
        sy_buf_u64be(&b, payload.n);
    }
    sy_buf_add(&b, mask, 4);
    p = payload.n ? sy_buf_reserve(&b, payload.n) : NULL;
    if (p) {
        for (size_t i = 0; i < payload.n; i++) p[i] = (char)((uint8_t)payload.p[i] ^ mask[i & 3]);
        sy_buf_commit(&b, payload.n);
    }
    return sy_buf_take(&b, out, "a WebSocket frame", err);
}

/* ---- messages in ---- */

symbi_status symbi_ws_new(symbi_ctx *cx, size_t max_message, symbi_ws **out, symbi_err *err)
{
    symbi_ws *w = sy_calloc(&cx->alloc, 1, sizeof *w);
    symbi_err_clear(err);
    *out = w;
    if (!w) return sy_fail_nomem(err);
    w->cx = cx;
    w->max = max_message ? max_message : DEFAULT_MAX;
    sy_buf_init(&w->message, cx->alloc, w->max);
    sy_buf_init(&w->control, cx->alloc, 125);
    return SYMBI_OK;
}

void symbi_ws_free(symbi_ws *w)
{
    if (!w) return;
    sy_buf_free(&w->message);
    sy_buf_free(&w->control);
    sy_free(&w->cx->alloc, w, sizeof *w);
}

static symbi_status broken(symbi_ws *w, symbi_status st, symbi_err *err, const char *why)
{
    w->status = st;
    return sy_fail(err, st, "WebSocket: %s", why);
}

static size_t head_size(const symbi_ws *w)
{
    uint8_t n = w->nhead > 1 ? w->head[1] & 127 : 0;
    return n == 127 ? 10 : n == 126 ? 4 : 2;
}

static symbi_status open_frame(symbi_ws *w, symbi_err *err)
{
    uint8_t op = w->head[0] & 15, len = w->head[1] & 127;
    uint64_t n = len;
    bool fin = (w->head[0] & 0x80) != 0, control = (op & 8) != 0;
    if (w->head[0] & 0x70) return broken(w, SYMBI_EPARSE, err, "reserved bits are set");
    if (w->head[1] & 0x80) return broken(w, SYMBI_EPARSE, err, "a masked frame from the server");
    if (len == 126) {
        n = (uint64_t)w->head[2] << 8 | w->head[3];
        if (n < 126) return broken(w, SYMBI_EPARSE, err, "a length that is not in its shortest form");
    } else if (len == 127) {
        n = 0;
        for (size_t i = 0; i < 8; i++) n = n << 8 | w->head[2 + i];
        if (n < 65536 || n >> 63) return broken(w, SYMBI_EPARSE, err, "a length that is not in its shortest form");
    }
    if (control) {
        if (op > SYMBI_WS_PONG) return broken(w, SYMBI_EPARSE, err, "an unknown opcode");
        if (!fin || n > 125) return broken(w, SYMBI_EPARSE, err, "a control frame in pieces or over 125 bytes");
        if (op == SYMBI_WS_CLOSE && n == 1) return broken(w, SYMBI_EPARSE, err, "a close frame with half a code");
        sy_buf_clear(&w->control);
    } else {
        if (op > SYMBI_WS_BINARY) return broken(w, SYMBI_EPARSE, err, "an unknown opcode");
        if (!op && !w->message_op) return broken(w, SYMBI_EPARSE, err, "a continuation without a message");
        if (op && w->message_op) return broken(w, SYMBI_EPARSE, err, "a new message inside another");
        if (op) w->message_op = op;
        if (n > w->max || w->message.n > w->max - n) return broken(w, SYMBI_ELIMIT, err, "a message over the limit");
    }
    w->op = op;
    w->fin = fin;
    w->left = n;
    w->in_frame = true;
    return SYMBI_OK;
}

symbi_status symbi_ws_next(symbi_ws *w, symbi_str *in, symbi_ws_message *out, symbi_err *err)
{
    memset(out, 0, sizeof *out);
    symbi_err_clear(err);
    if (w->status) return sy_fail(err, w->status, "WebSocket: the connection has failed");
    if (w->given) {
        sy_buf_clear(&w->message);
        w->message_op = 0;
        w->given = false;
    }
    for (;;) {
        symbi_status st;
        sy_buf *to;
        size_t n;
        if (!w->in_frame) {
            while (w->nhead < head_size(w) && in->n) w->head[w->nhead++] = (uint8_t)*in->p, in->p++, in->n--;
            if (w->nhead < head_size(w)) return SYMBI_EAGAIN;
            if ((st = open_frame(w, err))) return st;
        }
        to = w->op & 8 ? &w->control : &w->message;
        n = w->left < in->n ? (size_t)w->left : in->n;
        if (n) {
            sy_buf_add(to, in->p, n);
            if (sy_buf_status(to)) return broken(w, sy_buf_status(to), err, sy_buf_status(to) == SYMBI_ENOMEM ? "out of memory" : "a message over the limit");
            in->p += n, in->n -= n;
            w->left -= n;
        }
        if (w->left) return SYMBI_EAGAIN;
        w->in_frame = false;
        w->nhead = 0;
        if (w->op & 8) {
            out->op = (symbi_ws_op)w->op;
            out->data = sy_buf_str(&w->control);
            if (w->op == SYMBI_WS_CLOSE && out->data.n >= 2) {
                out->close_code = (uint16_t)((uint8_t)out->data.p[0] << 8 | (uint8_t)out->data.p[1]);
                out->data.p += 2, out->data.n -= 2;
                if (out->close_code < 1000 || out->close_code >= 5000 || (out->close_code > 1003 && out->close_code < 1007) || (out->close_code > 1014 && out->close_code < 3000))
                    return broken(w, SYMBI_EPARSE, err, "a close code that nobody may send");
                if (!sy_utf8_valid(out->data, NULL)) return broken(w, SYMBI_EPARSE, err, "a close reason that is no UTF-8");
            }
            return SYMBI_OK;
        }
        if (!w->fin) continue;
        out->op = (symbi_ws_op)w->message_op;
        out->data = sy_buf_str(&w->message);
        w->given = true;
        if (w->message_op == SYMBI_WS_TEXT && !sy_utf8_valid(out->data, NULL)) return broken(w, SYMBI_EPARSE, err, "a text that is no UTF-8");
        return SYMBI_OK;
    }
}
