"""Programs that behave as far as `fleet.host` looks: they listen with TLS and answer `/readyz` and nodes."""

from __future__ import annotations

import sys
from pathlib import Path

IDLE = "import signal; signal.pause()"

API_SERVER = """
import http.server, json, os, ssl, sys
flags = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])
nodes = os.path.join(os.getcwd(), "nodes.json")

def load():
    return json.load(open(nodes)) if os.path.exists(nodes) else {}

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *arguments): pass
    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.answer(200, "ok" if self.path == "/readyz" else {"items": list(load().values())})
    def do_POST(self):
        node = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        node["status"]["conditions"] = [{"type": "Ready", "status": "True"}]  # as kwok would at once
        json.dump(load() | {node["metadata"]["name"]: node}, open(nodes, "w"))
        self.answer(201, node)
    def do_DELETE(self):
        left = load()
        self.answer(200 if left.pop(self.path.rsplit("/", 1)[1], None) else 404, {})
        json.dump(left, open(nodes, "w"))

if "--die" in sys.argv[1:] or flags.get("die"):
    sys.exit("no such flag: --die")
server = http.server.ThreadingHTTPServer((flags["bind-address"], int(flags["secure-port"])), Handler)
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=flags["client-ca-file"])
context.verify_mode = ssl.CERT_REQUIRED
context.load_cert_chain(flags["tls-cert-file"], flags["tls-private-key-file"])
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


def write(folder: Path) -> Path:
    """Make the programs in `folder`; returns it."""
    folder.mkdir()
    idle = ("etcd", "kube-controller-manager", "kube-scheduler", "kwok")
    for name, source in {"kube-apiserver": API_SERVER, **dict.fromkeys(idle, IDLE)}.items():
        path = folder / name
        path.write_text(f"#!{sys.executable}\n{source}\n")
        path.chmod(0o755)
    return folder
