#!/usr/bin/env python3
"""tests/tools/http-hostile.py [--seconds N]: an HTTP server that tells what it was asked, and one that behaves badly, by path. Prints its address.
/echo: the request as JSON. /status/N. /redirect/URL: 302 to the (percent-encoded) URL. /headers: without end. /bomb: 64 MB of zeros as gzip.
/slow: a byte now and then. /short, /long: a wrong Content-Length. /huge: a body without end. /bytes: no UTF-8. /hits: how many requests came. /quit."""
import gzip, json, socket, sys, threading, time, urllib.parse

seconds = float(sys.argv[sys.argv.index("--seconds") + 1]) if "--seconds" in sys.argv else 60
hits = 0
_bomb = None
over = threading.Event()


def bomb():
    global _bomb
    if _bomb is None:
        _bomb = gzip.compress(b"\0" * (64 << 20), 9)
    return _bomb


def read_request(c):
    data = b""
    while b"\r\n\r\n" not in data:
        got = c.recv(65536)
        if not got:
            return None
        data += got
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ", 2)
    headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
    while len(body) < int(headers.get("content-length", 0)):
        body += c.recv(65536)
    return method, target, headers, body.decode("utf-8", "replace")


def answer(c, status, body, *headers):
    head = ["HTTP/1.1 %d X" % status, "Content-Length: %d" % len(body), "Connection: close", *headers]
    c.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)


def serve(c):
    global hits
    try:
        c.settimeout(20)
        rq = read_request(c)
        if not rq:
            return
        method, target, headers, body = rq
        hits += 1
        path = target.split("?")[0]
        if path.startswith("/status/"):
            answer(c, int(path[8:]), b'{"ok":true}')
        elif path.startswith("/redirect/"):
            answer(c, 302, b"moved", "Location: " + urllib.parse.unquote(path[10:]))
        elif path == "/headers":
            c.sendall(b"HTTP/1.1 200 X\r\n")
            while True:
                c.sendall(b"X-Filler: " + b"y" * 1000 + b"\r\n")
        elif path == "/bomb":
            answer(c, 200, bomb(), "Content-Encoding: gzip", "Content-Type: application/json")
        elif path == "/slow":
            c.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n")
            while True:
                c.sendall(b"z")
                time.sleep(0.2)
        elif path == "/short":
            c.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\nonly this")
        elif path == "/long":
            c.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 4\r\n\r\nfour and much more")
        elif path == "/huge":
            c.sendall(b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n")
            while True:
                c.sendall(b"h" * 65536)
        elif path == "/bytes":
            answer(c, 200, b"\xff\xfe\0 bytes")
        elif path == "/quit":
            answer(c, 200, b"")
            over.set()
        elif path == "/hits":
            hits -= 1
            answer(c, 200, json.dumps({"hits": hits}).encode())
        else:
            answer(c, 200, json.dumps({"method": method, "target": target, "headers": headers, "body": body}).encode(), "Content-Type: application/json")
    except (OSError, ValueError):
        pass
    finally:
        c.close()


def main():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
    s.listen(64)
    s.settimeout(0.1)
    print("http://127.0.0.1:%d" % s.getsockname()[1], flush=True)
    end = time.time() + seconds
    while time.time() < end and not over.is_set():
        try:
            c, _ = s.accept()
        except socket.timeout:
            continue
        threading.Thread(target=serve, args=(c,), daemon=True).start()


main()
