#!/usr/bin/env python3
"""A stand-in model server for tests, Python standard library only.

    model-server.py SCRIPT.json [--log FILE] [--max-requests N] [--seconds S] [--parent PID] [--by assistant|order] [--seed N]

It listens on 127.0.0.1 on a free port, prints that port as the one line of its standard output, and answers
POST .../chat/completions as OpenAI does and POST .../messages as Anthropic does, whole or as a stream of events when the request
has "stream": true. GET /quit ends it; so do N requests (default 500), S seconds (default 60) and the end of its parent.

SCRIPT.json has the format of lua/symbi/io/replay.lua: {"turns": [{"content", "tool_calls", "finish_reason", "usage"}, ...]}.
--by assistant (default): the turn is chosen by the number of assistant messages in the request, so that a repeated request gets
the same answer; --by order: one turn after the other. Beyond the last turn: HTTP 400.

Faults, chosen by a path that begins with /fault/MODE/ or by a model named fault-MODE; once-MODE does it to the first request only:
    garbage     200, bytes that are no JSON         html        200, a web page
    empty       200, no body                        shape       200, JSON of another shape
    429 500 503 that status (429 with Retry-After: 0, 503 with Retry-After-Ms: 20)
    401         401 with the request's key in the body, as some servers do
    context     400 context_length_exceeded         redirect    302 to another port
    hang        accepts, never answers              slow        answers byte by byte, for longer than anybody waits
    cut         closes within the body (of a stream: after the first events)
    short       Content-Length larger than the body, then closes
    long        Content-Length smaller than the body
    huge        200, an endless body                hugeline    a stream of one endless event
    error       a stream that ends with an error object
    nodone      a stream with a finish_reason but without [DONE]
    badids      equal and missing ids, arguments as objects

--log FILE gets one JSON line per request: {n, method, path, headers, model, stream, fault, body}."""
import argparse
import json
import os
import random
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OPT = None
LOCK = threading.Lock()
COUNT = {"requests": 0, "turns": 0}


def log(entry):
    if OPT.log:
        with LOCK, open(OPT.log, "a", encoding="utf-8") as f:
            f.write(json.dumps(entry, ensure_ascii=True) + "\n")


def pick(body):
    """The turn for this request, or None past the end."""
    if OPT.by == "order":
        with LOCK:
            i = COUNT["turns"]
            COUNT["turns"] += 1
    else:
        i = sum(1 for m in body.get("messages", []) if isinstance(m, dict) and m.get("role") == "assistant")
    return OPT.turns[i] if i < len(OPT.turns) else None


def calls_of(turn):
    out = []
    for i, c in enumerate(turn.get("tool_calls") or []):
        args = c.get("arguments", "{}")
        out.append({"id": c.get("id", "call_%d" % i), "name": c["name"], "arguments": args if isinstance(args, str) else json.dumps(args)})
    return out


def usage_of(turn):
    return turn.get("usage") or {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def openai_whole(turn, model):
    message = {"role": "assistant", "content": turn.get("content")}
    calls = calls_of(turn)
    if calls:
        message["tool_calls"] = [{"id": c["id"], "type": "function", "function": {"name": c["name"], "arguments": c["arguments"]}} for c in calls]
    finish = turn.get("finish_reason") or ("tool_calls" if calls else "stop")
    return {"id": "chatcmpl-1", "object": "chat.completion", "model": model, "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": usage_of(turn)}


def pieces(text, rng):
    while text:
        n = rng.randint(1, 7)
        yield text[:n]
        text = text[n:]


def openai_events(turn, model, rng):
    def chunk(delta, finish=None):
        return "data: " + json.dumps({"id": "c", "object": "chat.completion.chunk", "model": model,
                                      "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}) + "\n\n"
    yield ": keep-alive\n\n"
    yield chunk({"role": "assistant", "content": ""})
    for p in pieces(turn.get("content") or "", rng):
        yield chunk({"content": p})
    calls = calls_of(turn)
    rest = []
    for i, c in enumerate(calls):
        yield chunk({"tool_calls": [{"index": i, "id": c["id"], "type": "function", "function": {"name": c["name"], "arguments": ""}}]})
        rest += [(i, p) for p in pieces(c["arguments"], rng)]
    order = {i: [p for j, p in rest if j == i] for i in range(len(calls))}
    while any(order.values()):  # fragments of several calls come mixed
        i = rng.choice([k for k, v in order.items() if v])
        yield chunk({"tool_calls": [{"index": i, "function": {"arguments": order[i].pop(0)}}]})
    yield chunk({}, turn.get("finish_reason") or ("tool_calls" if calls else "stop"))
    yield "data: " + json.dumps({"choices": [], "usage": usage_of(turn)}) + "\r\n\r\n"
    yield "data: [DONE]\n\n"


def anthropic_parts(turn):
    blocks = []
    if turn.get("content"):
        blocks.append({"type": "text", "text": turn["content"]})
    for c in calls_of(turn):
        blocks.append({"type": "tool_use", "id": c["id"], "name": c["name"], "input": json.loads(c["arguments"])})
    usage = usage_of(turn)
    return blocks, "tool_use" if turn.get("tool_calls") else "end_turn", {"input_tokens": usage.get("prompt_tokens", 0), "output_tokens": usage.get("completion_tokens", 0)}


def anthropic_whole(turn, model):
    blocks, stop, usage = anthropic_parts(turn)
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": blocks, "stop_reason": stop, "usage": usage}


def anthropic_events(turn, model, rng):
    def event(kind, **rest):
        return "event: %s\ndata: %s\n\n" % (kind, json.dumps(dict(rest, type=kind)))
    blocks, stop, usage = anthropic_parts(turn)
    yield event("message_start", message={"model": model, "usage": {"input_tokens": usage["input_tokens"], "output_tokens": 1}})
    yield event("ping")
    for i, b in enumerate(blocks):
        if b["type"] == "text":
            yield event("content_block_start", index=i, content_block={"type": "text", "text": ""})
            for p in pieces(b["text"], rng):
                yield event("content_block_delta", index=i, delta={"type": "text_delta", "text": p})
        else:
            yield event("content_block_start", index=i, content_block=dict(b, input={}))
            for p in pieces(json.dumps(b["input"]), rng):
                yield event("content_block_delta", index=i, delta={"type": "input_json_delta", "partial_json": p})
        yield event("content_block_stop", index=i)
    yield event("message_delta", delta={"stop_reason": stop}, usage={"output_tokens": usage["output_tokens"]})
    yield event("message_stop")


def bad_ids(whole):
    message = whole["choices"][0]["message"]
    for i, c in enumerate(message.get("tool_calls") or []):
        c["id"] = "same"
        if i == 1:
            del c["id"]
        c["function"]["arguments"] = json.loads(c["function"]["arguments"])
    return whole


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # ---- sending
    def plain(self, status, data, kind="application/json", **headers):
        if not isinstance(data, bytes):
            data = (data if isinstance(data, str) else json.dumps(data)).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), str(v))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def begin_stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def stream(self, events, rng, stop_after=None):
        """The events in chunks that respect no boundary of lines, events or characters; stop_after: close after so many bytes."""
        data = "".join(events).encode()
        self.begin_stream()
        sent = 0
        while sent < len(data):
            n = min(rng.choice([1, 2, 3, 5, 17, 64, 301]), len(data) - sent)
            if stop_after is not None and sent + n > stop_after:
                return self.drop()
            self.chunk(data[sent:sent + n])
            sent += n
        self.chunk(b"")

    def drop(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    # ---- faults
    def fault(self, mode, body, rng):
        key = self.headers.get("Authorization") or self.headers.get("x-api-key") or ""
        if mode == "garbage":
            self.plain(200, b"\x00\xff}{ not json \xc3")
        elif mode == "html":
            self.plain(200, "<!DOCTYPE html><title>Welcome to nginx</title>", "text/html")
        elif mode == "empty":
            self.plain(200, b"")
        elif mode == "shape":
            self.plain(200, {"choices": {"message": [1, 2, 3]}, "usage": "none"})
        elif mode == "401":
            self.plain(401, {"error": {"message": "Incorrect API key provided: " + key.replace("Bearer ", ""), "code": "invalid_api_key"}})
        elif mode == "429":
            self.plain(429, {"error": {"message": "slow down"}}, Retry_After=0)
        elif mode == "503":
            self.plain(503, {"error": {"message": "overloaded"}}, Retry_After_Ms=20)
        elif mode == "500":
            self.plain(500, "internal error\nof two lines")
        elif mode == "context":
            self.plain(400, {"error": {"code": "context_length_exceeded", "message": "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."}})
        elif mode == "redirect":
            self.plain(302, b"", Location="http://127.0.0.1:9/")
        elif mode == "hang":
            time.sleep(OPT.seconds)
            self.drop()
        elif mode == "slow":
            self.begin_stream()
            while True:
                self.chunk(b":")
                time.sleep(0.2)
        elif mode == "huge":
            self.begin_stream()
            self.chunk(b'{"choices":[{"message":{"content":"')
            while True:
                self.chunk(b"x" * 65536)
        elif mode == "hugeline":
            self.begin_stream()
            self.chunk(b'data: {"choices":[{"delta":{"content":"')
            while True:
                self.chunk(b"x" * 65536)
        else:
            return False
        return True

    def altered(self, mode, whole, events, wants_stream, rng):
        """Faults that begin with a good answer."""
        data = json.dumps(whole).encode()
        if mode == "cut":
            if wants_stream:
                self.stream(events, rng, stop_after=sum(len(e) for e in events) // 2)
            else:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[:len(data) // 2])
                self.wfile.flush()
                self.drop()
        elif mode in ("short", "long"):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data) + (100 if mode == "short" else -10)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(data)
            self.wfile.flush()
            self.drop()
        elif mode == "error":
            self.stream(list(events[:4]) + ['data: {"error":{"message":"the backend went away","code":502}}\n\n'], rng)
        elif mode == "nodone":
            self.stream([e for e in events if "[DONE]" not in e], rng)
        elif mode == "badids":
            self.plain(200, bad_ids(whole))
        else:
            return False
        return True

    # ---- requests
    def answer(self, body, mode, rng):
        wants_stream = body.get("stream") is True
        if mode and self.fault(mode, body, rng):
            return
        turn = pick(body)
        if turn is None:
            return self.plain(400, {"error": {"message": "the script has no further turn"}})
        if "error" in turn:
            return self.plain(500, {"error": turn["error"]})
        model = body.get("model", "stand-in")
        anthropic = self.path.split("?")[0].endswith("/messages")
        whole = (anthropic_whole if anthropic else openai_whole)(turn, model)
        events = list((anthropic_events if anthropic else openai_events)(turn, model, rng))
        if mode and self.altered(mode, whole, events, wants_stream, rng):
            return
        if mode:
            return self.plain(400, {"error": {"message": "unknown fault " + mode}})
        if wants_stream:
            self.stream(events, rng)
        else:
            self.plain(200, whole)

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(min(length, 64 << 20))
        try:
            body = json.loads(raw)
        except ValueError:
            body = raw.decode("utf-8", "replace")
        with LOCK:
            COUNT["requests"] += 1
            n = COUNT["requests"]
        model = body.get("model", "") if isinstance(body, dict) else ""
        parts = self.path.split("/")
        mode = parts[2] if len(parts) > 2 and parts[1] == "fault" else model[6:] if str(model).startswith("fault-") else ""
        if mode.startswith("once-"):
            mode = mode[5:] if n == 1 else ""
        log({"n": n, "method": "POST", "path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, "model": model,
             "stream": isinstance(body, dict) and body.get("stream") is True, "fault": mode, "body": body})
        try:
            path = self.path.split("?")[0]
            if not path.endswith("/chat/completions") and not path.endswith("/messages"):
                self.plain(404, {"error": {"message": "no such path: " + path}})
            elif not isinstance(body, dict):
                self.plain(400, {"error": {"message": "the body is no JSON object"}})
            else:
                self.answer(body, mode, random.Random(OPT.seed * 1000003 + n))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        if n >= OPT.max_requests:
            threading.Timer(0.2, os._exit, (0,)).start()

    def do_GET(self):
        if self.path == "/quit":
            self.plain(200, {"ok": True})
            self.wfile.flush()
            threading.Timer(0.05, os._exit, (0,)).start()
        else:
            self.plain(404, {"error": {"message": "POST only"}})


def watch(parent, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.25)
        if OPT.parent:
            try:
                os.kill(parent, 0)
            except OSError:
                break
        elif os.getppid() != parent:
            break
    os._exit(0)


def main():
    global OPT
    p = argparse.ArgumentParser()
    p.add_argument("script")
    p.add_argument("--log")
    p.add_argument("--max-requests", type=int, default=500)
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("--parent", type=int, default=0)
    p.add_argument("--by", choices=["assistant", "order"], default="assistant")
    p.add_argument("--seed", type=int, default=1)
    OPT = p.parse_args()
    with open(OPT.script, encoding="utf-8") as f:
        text = f.read()
    try:
        doc = json.loads(text)
    except ValueError:
        doc = [json.loads(line) for line in text.splitlines() if line.strip()]
    OPT.turns = doc if isinstance(doc, list) else doc["turns"]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=watch, args=(OPT.parent or os.getppid(), OPT.seconds), daemon=True).start()
    sys.stdout.write("%d\n" % server.server_address[1])
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
