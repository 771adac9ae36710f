"""Which resource a manifest belongs to, asked of the server once per group and version."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fleet.kube.errors import NotFound
from fleet.kube.resources import ALL, Resource
from fleet.kube.transport import Transport

_KNOWN = {(resource.api_version, resource.kind): resource for resource in ALL}


class Discovery:
    """Remembers what each group and version of one server serves; asks again for a kind that it does not know yet."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._served: dict[str, dict[str, Resource]] = {}

    async def resource_for(self, manifest: Mapping[str, Any]) -> Resource:
        """The resource of a manifest's apiVersion and kind; no request for the constants of `fleet.kube.resources`.

        NotFound when the server does not serve it (a CRD that is not installed yet is requested again next time).
        """
        api_version, kind = str(manifest.get("apiVersion", "")), str(manifest.get("kind", ""))
        known = _KNOWN.get((api_version, kind))
        if known is not None:
            return known
        if kind not in self._served.get(api_version, {}):
            self._served[api_version] = await self.served(api_version)
        found = self._served[api_version].get(kind)
        if found is None:
            raise NotFound(
                f"kind {kind!r} of {api_version!r} is not served; install its CRD first or correct the manifest",
                cluster=self._transport.endpoint.cluster,
                status=HTTPStatus.NOT_FOUND,
                reason="NotFound",
            )
        return found

    async def served(self, api_version: str) -> dict[str, Resource]:
        """Resources of one group and version by kind, freshly asked; empty when the server does not know it."""
        group, _, version = api_version.rpartition("/")
        root = f"/apis/{api_version}" if group else f"/api/{version}"
        try:
            answer = await self._transport.request("GET", root, retry=True)
        except NotFound:
            return {}
        return {
            entry["kind"]: Resource(group, version, entry["name"], entry["kind"], bool(entry["namespaced"]))
            for entry in answer.json().get("resources", ())
            if "/" not in entry["name"]  # subresources repeat their parent's kind
        }
