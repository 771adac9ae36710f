"""A stand-in for kplane's API server: its flags, and `/clusters/NAME/control-plane/...` made by the first request.

Run as a program (`python -m fleet.testing.kplane_server --secure-port=...`). Objects are kept in memory by path; there
is no schema and no controller, and a definition is Established and served at once.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import re
import ssl
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

FLAGS = (
    "etcd-servers", "etcd-prefix", "cert-dir", "tls-cert-file", "tls-private-key-file", "client-ca-file", "secure-port",
    "bind-address", "enable-aggregator-routing", "authorization-mode", "anonymous-auth", "token-auth-file",
    "allow-privileged", "service-cluster-ip-range", "service-cidr-sharing-mode", "kubernetes-service-mode",
    "service-account-issuer", "api-audiences", "service-account-signing-key-file", "service-account-key-file", "v",
)  # fmt: skip
VCP = re.compile(r"^/clusters/([a-z0-9-]+)/control-plane(/.*)$")
HEAP = "heap profile: 0: 0\n# runtime.MemStats\n# HeapAlloc = 1000\n# HeapInuse = 2000\n# Stack = 3000 / 4000\n"
ESTABLISHED = {"conditions": [{"type": "Established", "status": "True"}]}
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class KplaneServer:
    """All virtual control planes; each is a dictionary of objects by path."""

    def __init__(self, tokens: set[str]) -> None:
        self._tokens = tokens
        self.planes: dict[str, dict[str, dict[str, Any]]] = {}
        self._version = 0

    async def answer(self, request: web.Request) -> web.Response:
        """Any request."""
        if request.path == "/readyz":
            return web.Response(text="ok")
        if request.path.startswith("/debug/pprof/heap"):
            return web.Response(text=HEAP)
        if request.path.startswith("/debug/pprof/goroutine"):
            return web.Response(text="goroutine profile: total 5\n")
        found = VCP.match(request.path)
        if found is None:
            return web.Response(status=404)
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self._tokens:
            return web.Response(status=401)
        plane = self.planes.setdefault(found[1], {"/api/v1/namespaces/default": {"metadata": {"name": "default"}}})
        body = json.loads(await request.read() or b"{}")
        return self._of_plane(plane, request.method, found[2], body)

    def _of_plane(self, plane: dict[str, Any], method: str, path: str, body: dict[str, Any]) -> web.Response:
        if path == "/readyz":
            return web.Response(text="ok")
        if method == "POST":
            path = f"{path}/{body['metadata']['name']}"
            if path in plane:
                return web.Response(status=409)
        elif path not in plane:
            return self._discovery(plane, path)
        if method == "GET":
            return web.json_response(plane[path])
        if method == "PUT" and body["metadata"].get("resourceVersion") != plane[path]["metadata"]["resourceVersion"]:
            return web.Response(status=409)
        self._version += 1
        body["metadata"]["resourceVersion"] = str(self._version)
        if path.startswith(DEFINITIONS):
            body["status"] = ESTABLISHED
        plane[path] = body
        return web.json_response(body, status=201 if method == "POST" else 200)

    def _discovery(self, plane: dict[str, Any], path: str) -> web.Response:
        """Of the groups that a definition has brought."""
        for stored, crd in plane.items():
            spec = crd.get("spec", {})
            if stored.startswith(DEFINITIONS) and path == f"/apis/{spec['group']}/{spec['versions'][0]['name']}":
                return web.json_response({"resources": [{"name": spec["names"]["plural"]}]})
        return web.Response(status=404)


def tokens(file: Path) -> set[str]:
    """The first column of a token file."""
    return {row[0] for row in csv.reader(file.read_text(encoding="utf-8").splitlines())}


async def serve(given: argparse.Namespace) -> None:
    """Until the process is ended."""
    server = KplaneServer(tokens(Path(given.token_auth_file)))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(given.tls_cert_file, given.tls_private_key_file)
    await web.TCPSite(runner, given.bind_address, int(given.secure_port), ssl_context=context).start()
    await asyncio.Event().wait()


def main(arguments: list[str]) -> None:
    """`--help` names every flag, as the real program's does."""
    parser = argparse.ArgumentParser(prog="kplane-apiserver", allow_abbrev=False)
    for flag in FLAGS:
        parser.add_argument(f"--{flag}", required=flag in {"token-auth-file", "secure-port"})
    asyncio.run(serve(parser.parse_args(arguments)))


if __name__ == "__main__":
    main(sys.argv[1:])
