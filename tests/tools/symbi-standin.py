#!/usr/bin/env python3
"""A stand-in Symbiont server for tests of the client, Python standard library only.

    symbi-standin.py [--seconds S] [--key KEY]

Listens on 127.0.0.1 on a free port and prints it as the one line of its output; ends after S seconds (default 60) or on GET /quit. Under
/api/v1 it answers what the seed's examples ask for; requests without "Bearer KEY" (default test-key) are 401.

    /api/v1/sleep/MS             answers after MS milliseconds
    /api/v1/echo                 what came: {method, path, headers, body}
    /api/v1/count/NAME           {"n": how often this was asked}; /api/v1/counted/NAME tells without counting
    /api/v1/fault/MODE[/NAME]    counted under NAME, then: html empty nothing half longlength shortlength twolengths headers huge bigheader reset
                                 halfhead lengthlist hexlength pluslength gzip gzipbomb badgzip wrongshape 401 expired 403 denied 404 405 429 501 503 204 array deep bigint chunked garbage noheaders
    /api/v1/to/KIND              redirects: self other https http loop relative, and post (307)"""
import argparse
import gzip
import json
import os
import socket
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OPT = None
LOCK = threading.Lock()
COUNTS = {}
RULES, SCHEDULES, POLICIES = [], [], []
NOW = "2026-01-01T00:00:00Z"
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


def count(name):
    with LOCK:
        COUNTS[name] = COUNTS.get(name, 0) + 1
        return COUNTS[name]


def routes(method, parts, query, body):
    """(status, value) of a path below /api/v1."""
    p = "/".join(parts)
    key = method + " " + p
    fixed = {
        "GET health": {"status": "healthy", "uptime_seconds": 12, "timestamp": NOW, "version": "1.19.0"},
        "GET agents": [{"id": "agent-1", "name": "one", "state": "Running"}, {"id": "agent-2", "name": "two", "state": "Ready"}],
        "GET metrics": {"agents": {"total": 2, "running": 1}, "system": {"uptime_seconds": 12, "memory_usage_bytes": 1024, "cpu_usage_percent": 1.5}},
        "GET metrics/snapshot": {"timestamp": NOW, "system": {"cpu_usage_percent": 1.5}},
        "GET tools": [{"name": "nmap", "version": "1.0.0", "description": "scan", "risk_tier": "medium", "human_approval": False, "arg_count": 1,
                       "backend": "shell", "source_path": "tools/nmap.clad.toml"}],
        "GET tools/nmap/schema": {"name": "nmap", "description": "scan", "inputSchema": {"type": "object", "properties": {"target": {"type": "string"}}}},
        "POST tools/reload": {"reloaded": True, "loaded": 1, "tools": ["nmap"], "errors": []},
        "GET schedules": SCHEDULES,
        "GET approvals": [],
    }
    if key in fixed:
        return 200, fixed[key]
    if key == "POST tools/nmap/execute":
        return 200, {"status": "success", "scan_id": "1767225600-1", "tool": "nmap", "command": "nmap " + body["args"]["target"], "duration_ms": 5,
                     "timestamp": NOW, "output_hash": "sha256:00", "exit_code": 0, "stderr": "", "results": {}}
    if key == "POST communication/rules":
        rule = dict(body, id="rule-%d" % (len(RULES) + 1), effect=body.get("effect", "allow"))
        RULES.append(rule)
        return 201, rule
    if key == "GET communication/rules":
        return 200, RULES
    if key == "POST communication/evaluate":
        for rule in RULES:
            if rule["from_agent"] == body["sender"] and rule["to_agent"] == body["recipient"]:
                return 200, {"allowed": True, "rule": rule, "reason": ""}
        return 200, {"allowed": False, "rule": None, "reason": "No matching rule and default is deny"}
    if key == "POST workflows/execute":
        return 200, {"execution_id": "e1", "status": "success", "started_at": NOW, "result": {"echo": body["parameters"]}}
    if key == "POST schedules":
        if len(body["cron_expression"].split()) != 6:
            return 400, {"error": "six fields are needed", "code": "CREATE_SCHEDULE_FAILED", "details": None}
        job = {"job_id": "job-%d" % (len(SCHEDULES) + 1), "name": body["name"], "cron_expression": body["cron_expression"], "timezone": body["timezone"],
               "status": "Active", "enabled": True, "next_run": NOW, "run_count": 0}
        SCHEDULES.append(job)
        return 201, {"job_id": job["job_id"], "next_run": NOW, "status": "created"}
    if len(parts) == 3 and parts[0] == "schedules" and parts[2] == "history":
        return 200, {"job_id": parts[1], "history": [{"run_id": "r%d" % i, "started_at": NOW, "completed_at": None, "status": "Succeeded", "error": None,
                                                       "execution_time_ms": 3} for i in range(50)]}
    if parts[0] == "agents" and len(parts) > 1:
        agent = parts[1]
        rest = "/".join(parts[2:])
        if agent not in ("agent-1", "agent-2"):
            return 404, {"error": "no such agent", "code": "AGENT_NOT_FOUND", "details": {"agent_id": agent}}
        if method == "GET" and rest == "status":
            return 200, {"agent_id": agent, "state": "Running", "last_activity": NOW,
                         "resource_usage": {"memory_bytes": 1, "cpu_percent": 0.5, "active_tasks": 1}, "execution_mode": "Ephemeral"}
        if method == "POST" and rest == "execute":
            return 200, {"execution_id": "x1", "status": "execution_started", "input": body.get("input")}
        if method == "POST" and rest == "reasoning/loop":
            return 200, {"loop_id": "loop-1", "result": {"output": "done: " + body["initial_message"], "iterations": 2, "total_usage": USAGE,
                                                          "termination_reason": {"type": "completed"}, "duration_ms": 9}}
        if method == "GET" and rest == "reasoning/journal":
            first = int(query["from_sequence"][0])
            return 200, [{"sequence": i, "timestamp": NOW, "agent_id": agent, "iteration": 0, "event": {"type": "started", "agent_id": agent}}
                         for i in range(first, first + 200)]
        if rest == "reasoning/cedar":
            if method == "POST":
                POLICIES.append(body)
                return 201, {"added": True, "name": body["name"]}
            return 200, POLICIES
        if rest == "reasoning/circuit-breakers":
            return 200, {"search": {"state": "closed", "failure_count": 0, "success_count": 4,
                                    "config": {"failure_threshold": 5, "recovery_timeout_ms": 30000, "half_open_max_calls": 3}}}
        if rest == "reasoning/tool-profiles":
            return 200, [{"tool_name": "search", "calls": 4, "success_rate": 1.0}]
    return None, None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def answer(self, status, value, headers=()):
        data = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        for k, v in headers:
            self.send_header(k, v)
        if value is not None:
            self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def raw(self, data, close=True):
        self.wfile.write(data)
        self.wfile.flush()
        if close:
            self.close_connection = True

    def fault(self, mode, name):
        if name:
            count(name)
        ok = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        if mode == "html":
            return self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>")
        if mode == "empty":
            return self.raw(ok + b"Content-Length: 0\r\n\r\n")
        if mode == "nothing":
            self.close_connection = True
            return None
        if mode == "half":
            return self.raw(ok + b"Content-Length: 100\r\n\r\n{\"a\":")
        if mode == "halfhead":
            return self.raw(ok + b"Content-Le")
        if mode in ("lengthlist", "hexlength", "pluslength"):
            return self.raw(ok + {"lengthlist": b"Content-Length: 2, 7", "hexlength": b"Content-Length: 0x2", "pluslength": b"Content-Length: +2"}[mode] + b"\r\n\r\n{}12345")
        if mode in ("gzip", "gzipbomb", "badgzip"): # as it was asked for
            asked = "gzip" in (self.headers.get("Accept-Encoding") or "")
            body = b'{"a":1}' if mode == "gzip" else b'{"a":"' + b"x" * (64 << 20) + b'"}' if mode == "gzipbomb" else b""
            body = gzip.compress(body, 1) if asked else body[:1000]
            if mode == "badgzip":
                body, asked = b"this is no gzip", True
            return self.raw(ok + (b"Content-Encoding: gzip\r\n" if asked else b"") + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        if mode == "longlength":
            return self.raw(ok + b"Content-Length: 99999\r\n\r\n{}")
        if mode == "shortlength":
            return self.raw(ok + b"Content-Length: 2\r\n\r\n{} and more")
        if mode == "twolengths":
            return self.raw(ok + b"Content-Length: 2\r\nContent-Length: 7\r\n\r\n{}12345")
        if mode == "bigheader":
            return self.raw(ok + b"X: " + b"a" * 2000000 + b"\r\nContent-Length: 2\r\n\r\n{}")
        if mode == "garbage":
            return self.raw(b"\x00\x01\x02 this is no HTTP\r\n\r\n")
        if mode == "chunked":
            return self.raw(ok + b"Transfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n", False)
        if mode in ("headers", "huge"):
            try:
                if mode == "headers":
                    self.wfile.write(ok)
                    for i in range(1000000):
                        self.wfile.write(b"X-%d: %s\r\n" % (i, b"a" * 100))
                else:
                    self.wfile.write(ok + b"Content-Length: 2147483648\r\n\r\n")
                    for _ in range(20000):
                        self.wfile.write(b" " * 65536)
            except OSError:
                pass
            self.close_connection = True
            return None
        if mode == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.close_connection = True
            return self.connection.close()
        if mode == "204":
            return self.answer(204, None)
        if mode == "wrongshape":
            return self.answer(200, {"status": 5, "uptime_seconds": "soon"})
        if mode == "array":
            return self.answer(200, [1, 2, 3])
        if mode == "bigint":
            return self.raw(ok + b"Content-Length: 26\r\n\r\n{\"n\":12345678901234567890}", False)
        if mode == "deep":
            data = b"[" * 100000 + b"]" * 100000
            return self.raw(ok + b"Content-Length: %d\r\n\r\n" % len(data) + data, False)
        if mode == "expired":
            return self.answer(401, {"error": "the token expired", "code": "TOKEN_EXPIRED", "details": None})
        if mode == "denied":
            return self.answer(403, {"error": "no", "code": "POLICY_DENIED", "details": {"policy": "p1"}})
        if mode == "429":
            return self.answer(429, None, [("Retry-After", "7")])
        if mode.isdigit():
            return self.answer(int(mode), {"error": "e", "code": "SOME_CODE", "details": {"x": 1}})
        return self.answer(404, None)

    def redirect(self, kind):
        port = self.server.server_address[1]
        to = {"self": "/api/v1/echo", "relative": "../echo", "loop": "/api/v1/to/loop", "other": "http://localhost:%d/api/v1/echo" % port,
              "https": "https://127.0.0.1:%d/api/v1/echo" % port, "post": "/api/v1/echo", "odd": "http://u:p@127.0.0.1/", "userinfo": "//u@127.0.0.1/"}[kind]
        self.send_response(307 if kind == "post" else 302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def serve(self):
        n = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(n) if n else b""
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/quit":
            self.answer(200, {})
            os._exit(0)
        parts = [urllib.parse.unquote(p) for p in url.path.split("/")[1:]]
        if parts[:2] != ["api", "v1"]:
            return self.answer(404, None)
        parts = parts[2:]
        if parts[0] == "counted":
            return self.answer(200, {"n": COUNTS.get(parts[1], 0)})
        if parts[0] == "echo":
            return self.answer(200, {"method": self.command, "path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, "body": text.decode()})
        if parts[0] == "to":
            return self.redirect(parts[1])
        if self.headers.get("Authorization") != "Bearer " + OPT.key:
            return self.answer(401, {"error": "who are you", "code": "UNAUTHORIZED", "details": None}, [("WWW-Authenticate", "Bearer")])
        if parts[0] == "sleep":
            time.sleep(int(parts[1]) / 1000)
            return self.answer(200, {"slept": int(parts[1])})
        if parts[0] == "count":
            return self.answer(200, {"n": count(parts[1])})
        if parts[0] == "fault":
            return self.fault(parts[1], parts[2] if len(parts) > 2 else None)
        try:
            body = json.loads(text) if text else {}
        except ValueError:
            return self.answer(400, {"error": "no JSON", "code": "INVALID_JSON", "details": None})
        status, value = routes(self.command, parts, urllib.parse.parse_qs(url.query), body)
        if status is None:
            return self.answer(404, None)
        return self.answer(status, value)

    do_GET = do_POST = do_PUT = do_DELETE = serve


class Server(ThreadingHTTPServer):
    request_queue_size = 2048
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def main():
    global OPT
    a = argparse.ArgumentParser()
    a.add_argument("--seconds", type=float, default=60)
    a.add_argument("--key", default="test-key")
    OPT = a.parse_args()
    s = Server(("127.0.0.1", 0), Handler)
    threading.Timer(OPT.seconds, lambda: os._exit(0)).start()
    print(s.server_address[1], flush=True)
    s.serve_forever()


if __name__ == "__main__":
    main()
