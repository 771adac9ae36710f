"""Programs that behave as far as `fleet.host` looks: they listen with TLS and answer `/readyz` and nodes."""

from __future__ import annotations

import sys
from pathlib import Path

IDLE = "import signal; signal.pause()"

API_SERVER = """
import base64, http.server, json, os, ssl, sys, urllib.parse
flags = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])
nodes = os.path.join(os.getcwd(), "nodes.json")

objects = {}  # of namespaces, by path

def load():
    return json.load(open(nodes)) if os.path.exists(nodes) else {}

def run(deployment):  # as its pod would: a hollow process makes its nodes
    name = deployment["metadata"]["name"]
    if "--die" in deployment["spec"]["template"]["spec"]["containers"][0]["args"]:
        deployment["status"] = {"replicas": 1, "unavailableReplicas": 1}
        return
    secret = objects["/api/v1/namespaces/" + deployment["metadata"]["namespace"] + "/secrets/" + name]
    settings = json.loads(base64.b64decode(secret["data"][name + ".json"]))
    made = {}
    for number in range(settings["first"], settings["first"] + settings["count"]):
        node = f"{settings['prefix']}{number:03d}"
        made[node] = {"metadata": {"name": node, "labels": {"fleet-testbed/node": "hollow"}},
                      "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    json.dump(load() | made, open(nodes, "w"))
    deployment["status"] = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), 1)

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
        if "/clusterrole" in self.path:
            return self.answer(200 if os.path.exists(self.path.rsplit("/", 1)[1]) else 404, {})
        if "/namespaces" in self.path:
            path, _, query = self.path.partition("?")
            if path.endswith(("/secrets", "/deployments", "/pods")):
                items = [objects[name] for name in objects if name.rpartition("/")[0] == path]
                return self.answer(200, {"items": items})
            return self.answer(200 if path in objects else 404, objects.get(path, {}))
        key, _, value = urllib.parse.unquote(self.path.partition("labelSelector=")[2]).partition("=")
        nodes = [node for node in load().values() if node["metadata"]["labels"].get(key) == value]
        self.answer(200, "ok" if self.path == "/readyz" else {"items": nodes})
    def do_POST(self):
        node = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "/clusterrole" in self.path:
            open(node["metadata"]["name"], "w").close()
            return self.answer(201, node)
        if "/namespaces" in self.path:
            return self.keep(self.path + "/" + node["metadata"]["name"], node, 201)
        node["status"]["conditions"] = [{"type": "Ready", "status": "True"}]  # as kwok would at once
        json.dump(load() | {node["metadata"]["name"]: node}, open(nodes, "w"))
        self.answer(201, node)
    def do_PUT(self):
        self.keep(self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"]))), 200)
    def keep(self, path, body, status):
        objects[path] = body
        if body["kind"] == "Deployment":
            run(body)
        self.answer(status, body)
    def do_DELETE(self):
        if "/namespaces" in self.path:
            gone = [path for path in objects if path == self.path or path.startswith(self.path + "/")]
            namespace = self.path.rsplit("/namespaces/", 1)[1]
            gone += [path for path in objects if "/" not in namespace and f"/namespaces/{namespace}/" in path]
            for path in gone:
                objects.pop(path, None)
            return self.answer(200 if gone else 404, {})
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

HOLLOW = """
import json, signal, ssl, sys, urllib.request
settings = json.load(open(sys.argv[1].removeprefix("--config=")))
context = ssl.create_default_context(cafile=settings["ca"])
context.load_cert_chain("pki/admin.crt", "pki/admin.key")
for number in range(settings["first"], settings["first"] + settings["count"]):
    name = f"{settings['prefix']}{number:03d}"
    node = {"metadata": {"name": name, "labels": {"fleet-testbed/node": "hollow"}}, "status": {}}
    body = json.dumps(node).encode()
    request = urllib.request.Request(settings["server"] + "/api/v1/nodes", body, method="POST")
    urllib.request.urlopen(request, context=context, timeout=30)
signal.pause()
"""


def write(folder: Path) -> Path:
    """Make the programs in `folder`; returns it."""
    folder.mkdir()
    idle = ("etcd", "kube-controller-manager", "kube-scheduler", "kwok")
    for name, source in {"kube-apiserver": API_SERVER, "hollow": HOLLOW, **dict.fromkeys(idle, IDLE)}.items():
        path = folder / name
        path.write_text(f"#!{sys.executable}\n{source}\n")
        path.chmod(0o755)
    return folder
