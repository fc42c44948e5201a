#!/usr/bin/env python3
"""tests/tools/browser-server.py LOG: pages for the browser tests, on a free port of 127.0.0.1 (printed first). Each request is a line of
LOG: host, path. The scope of the tests is the name localhost; 127.0.0.1 stands for everything outside it."""
import base64
import hashlib
import hmac
import http.server
import socketserver
import struct
import sys
import time
import urllib.parse

log = open(sys.argv[1], "a", buffering=1)


SEED = "JBSWY3DPEHPK3PXP"


def codes():
    """The one-time codes of now and of the steps around it."""
    key = base64.b32decode(SEED)
    out = []
    for step in (-1, 0, 1):
        mac = hmac.new(key, struct.pack(">Q", int(time.time()) // 30 + step), hashlib.sha1).digest()
        at = mac[19] & 15
        out.append("%06d" % ((struct.unpack(">I", mac[at:at + 4])[0] & 0x7FFFFFFF) % 1000000))
    return out


def signin(kind="password", action="/signin"):
    return ("<title>Sign in</title><form id=f action=%s method=post><input id=user name=user><input id=pass name=pass type=%s>"
            "<button id=go>Sign in</button></form>" % (action, kind))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body, status=200, kind="text/html; charset=utf-8", **headers):
        if isinstance(body, str):
            body = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        n = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(n).decode("utf-8", "replace")
        log.write("%s POST %s %s\n" % (self.headers.get("Host"), self.path, body))
        fields = urllib.parse.parse_qs(body)
        if self.path == "/signin":
            good = fields.get("user") == ["alice"] and fields.get("pass") == ["s3cr3t pass; {x}"]
            return self.answer("", 303, Location="/code" if good else "/signin?next=/account")
        if self.path == "/code":
            return self.answer("", 303, Location="/account" if fields.get("otp", [""])[0] in codes() else "/code")
        self.answer("<title>posted</title><p id=got>%s</p>" % body.replace("<", "&lt;"))

    def do_GET(self):
        port = self.server.server_address[1]
        out = "http://127.0.0.1:%d" % port
        path = self.path.split("?")[0]
        log.write("%s GET %s %s\n" % (self.headers.get("Host"), self.path, self.headers.get("Upgrade", "")))
        pages = {
            "/": "<title>Front</title><h1>Hello</h1><p>Some text.</p><a id=in href=/two>In</a> <a id=out href='%s/out'>Out</a>"
                 "<form id=f action=/post method=post><input id=name name=name aria-label=Name><button id=go>Send</button></form>" % out,
            "/two": "<title>Two</title><p id=second>Second page</p>",
            "/tall": "<title>Tall</title><div style='height:9000px'>tall</div>",
            "/meta": "<title>Meta</title><meta http-equiv=refresh content='0;url=%s/meta-out'><p>here</p>" % out,
            "/js": "<title>Js</title><p>here</p><script>setTimeout(()=>location.href='%s/js-out',20)</script>" % out,
            "/jsfile": "<title>File</title><p>here</p><script>setTimeout(()=>location.href='file:///etc/passwd',20)</script>",
            "/pop": "<title>Pop</title><a id=blank target=_blank href='%s/pop-out'>x</a><a id=good target=_blank href=/two>y</a>"
                    "<button id=open onclick=\"window.open('%s/open-out')\">o</button>" % (out, out),
            "/frame": "<title>Frame</title><iframe src='%s/frame-out'></iframe><iframe src=/two></iframe><iframe srcdoc='<p>doc</p>'></iframe>" % out,
            "/parts": "<title>Parts</title><img src='%s/img-out'><script src='%s/script-out'></script><link rel=stylesheet href='%s/css-out'>"
                      "<script>fetch('%s/fetch-out',{mode:'no-cors'}).catch(()=>0);navigator.sendBeacon('%s/beacon-out','x');"
                      "new WebSocket('ws://127.0.0.1:%d/ws-out');new Worker('/worker.js');fetch('/fetch-in')</script>" % (out, out, out, out, out, port),
            "/pre": "<title>Pre</title><link rel=prefetch href='%s/prefetch-out'><link rel=preload as=script href='%s/preload-out'>"
                    "<link rel=preconnect href='%s'><link rel=dns-prefetch href='%s'>" % (out, out, out, out),
            "/alert": "<title>Alert</title><script>alert(1);confirm(2);prompt(3);document.title='after'</script>",
            "/hang": "<title>Hang</title><p>x</p><script>setTimeout(()=>{for(;;);},300)</script>",
            "/dirty": "<title>Dirty</title><script>document.querySelector=()=>null;Object.prototype.error='no';"
                      "HTMLElement.prototype.scrollIntoView=()=>{throw 1}</script><a id=in href=/two>In</a>",
            "/late": "<title>Late</title><script>setTimeout(()=>{const p=document.createElement('p');p.id='late';document.body.append(p)},400)</script>",
            "/cover": "<title>Cover</title><button id=b>b</button><div style='position:fixed;inset:0;background:red'></div>",
            "/half": "<title>Half</title><p id=p></p><script>document.getElementById('p').textContent='a\\ud800b'</script>",
            "/login": "<title>Login</title><div id=user>alice</div>",
            "/signin": signin(),
            "/signin-text": signin("text"),
            "/signin-app": "<title>App</title><div id=app></div><script>setTimeout(()=>{app.innerHTML='<input id=user><input id=pass type=password>"
                           "<button id=go>Go</button>';go.onclick=()=>setTimeout(()=>{app.innerHTML=user.value==='alice'&&pass.value.length===16?'<p id=me>hello</p>':'no'},300)},300)</script>",
            "/code": "<title>Code</title><form action=/code method=post><input id=otp name=otp><button>Send</button></form>",
            "/account": "<title>Account</title><p>Hello alice</p>",
        }
        if path in pages:
            self.answer(pages[path])
        elif path == "/worker.js":
            self.answer("fetch('%s/worker-out',{mode:'no-cors'}).catch(()=>0)" % out, kind="text/javascript")
        elif path == "/signin-away":
            self.answer("", 302, Location="http://app.localhost:%d/signin" % port)
        elif path == "/redirect":
            self.answer("", 302, Location="%s/redirect-out" % out)
        elif path == "/redirect-in":
            self.answer("", 302, Location="/two")
        elif path == "/redirect-file":
            self.answer("", 302, Location="file:///etc/passwd")
        elif path == "/download":
            self.answer("data", kind="application/octet-stream", Content_Disposition="attachment; filename=x.bin")
        elif path == "/giant":
            self.answer("<title>Giant</title>" + "<p>0123456789 abcdefghij</p>" * 120000)
        elif path == "/fetch-in":
            self.answer("ok", kind="text/plain")
        else:
            self.answer("<title>other</title><p>%s</p>" % self.path.replace("<", "&lt;"), 200 if path.endswith("out") else 404)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # a browser that goes in the middle of an answer
            super().handle_error(request, client_address)


server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
