"""Probes of how a control plane is extended: custom resources with a schema, and a webhook of ours on loopback."""

from __future__ import annotations

import base64
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from fleet.experiments.density.probes.objects import config_map
from fleet.experiments.density.probes.probe import Planes, Probe, gone, until
from fleet.host.pki import Authority, Subject
from fleet.kube.errors import Forbidden, Invalid, NotFound
from fleet.kube.resources import CONFIGMAPS, CRDS, Resource

GROUP = "probe.density.fleet.example"
GADGETS = Resource(GROUP, "v1", "gadgets", "Gadget", namespaced=True)
WEBHOOKS = Resource(
    "admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration",
    namespaced=False,
)  # fmt: skip


def definition() -> dict[str, Any]:
    """Of a resource whose `size` is a whole number from 1 on."""
    size = {"type": "integer", "minimum": 1}
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": size}}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": str(GADGETS)},
        "spec": {
            "group": GROUP, "scope": "Namespaced",
            "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }  # fmt: skip


async def schema(planes: Planes) -> str:
    """What does not fit the schema is refused, what it does not know is pruned, and the other serves none of it."""
    client, namespace = planes.one, planes.namespace
    await client.create(CRDS, definition())

    def gadget(name: str, **spec: Any) -> dict[str, Any]:
        return {"apiVersion": f"{GROUP}/v1", "kind": "Gadget", "metadata": {"name": name}, "spec": spec}

    async def served() -> bool:
        try:
            await client.list(GADGETS, namespace)
        except NotFound:
            return False
        return True

    try:
        if not await until(served):
            return "a definition is not served"
        try:
            await client.create(GADGETS, gadget("small", size=0), namespace)
        except Invalid:
            stored = await client.create(GADGETS, gadget("good", size=1, colour="red"), namespace)
            if "colour" in stored["spec"]:
                return "what the schema does not know is kept"
            return (
                "" if await gone(planes.other, GADGETS, "good", namespace) else "the other control plane serves it too"
            )
        return "an object that does not fit its schema is taken"
    finally:
        await client.delete(CRDS, str(GADGETS))


async def webhook(planes: Planes) -> str:
    """A validating webhook is asked and its refusal holds, in its own control plane only."""
    client, namespace = planes.one, planes.namespace
    async with _refusing() as (url, authority):
        configuration = {
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": GROUP},
            "webhooks": [{
                "name": GROUP, "sideEffects": "None", "admissionReviewVersions": ["v1"], "failurePolicy": "Ignore",
                "clientConfig": {"url": url, "caBundle": base64.b64encode(authority).decode()},
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "objectSelector": {"matchLabels": {"refuse": "me"}},
                "rules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"],
                }],
            }],
        }  # fmt: skip
        await client.create(WEBHOOKS, configuration)
        marked = config_map("refused", labels={"refuse": "me"})

        async def refused() -> bool:
            try:
                await client.create(CONFIGMAPS, marked, namespace)
            except Forbidden:
                return True
            await client.delete(CONFIGMAPS, "refused", namespace)
            return False

        try:
            if not await until(refused):
                return "a webhook's refusal has no effect"
            await planes.other.create(CONFIGMAPS, marked, namespace)
        except Forbidden:
            return "a webhook of one control plane holds in the other"
        finally:
            await client.delete(WEBHOOKS, GROUP)
    return ""


@asynccontextmanager
async def _refusing() -> AsyncIterator[tuple[str, bytes]]:
    """A webhook on loopback that refuses everything: its URL and the certificate to trust."""

    async def refuse(request: web.Request) -> web.Response:
        review = await request.json()
        answer = {"uid": review["request"]["uid"], "allowed": False, "status": {"code": 403, "message": "probe"}}
        return web.json_response({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer})

    with tempfile.TemporaryDirectory(prefix="fleet-probe-") as folder:
        authority = Authority.ensure(Path(folder), "ca", common_name="fleet-probe")
        pair = authority.issue(Path(folder), "webhook", Subject("webhook", (), ("127.0.0.1",), client=False))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.cert, pair.key)
        trusted = authority.cert_file.read_bytes()
    app = web.Application()
    app.router.add_post("/refuse", refuse)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        yield f"https://127.0.0.1:{runner.addresses[0][1]}/refuse", trusted
    finally:
        await runner.cleanup()


EXTENSIONS = (
    Probe("crd-schema", "a schema refuses and prunes", schema),
    Probe("webhooks", "a webhook's refusal holds", webhook),
)
