"""Reads a kubeconfig of the fleet's own, refuses what could leak a secret or reach a foreign cluster.

Those of clusters that a user has already are read by `fleet.kube.user_kubeconfig`, under other rules.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import ssl
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from fleet.kube.endpoint import Endpoint, client_context, show_certificate
from fleet.kube.kubeconfig_file import Chosen, KubeconfigFile


def load(path: Path | str, *, cluster: str, allowed: Collection[str] = (), context: str | None = None) -> Endpoint:
    """The endpoint of one context (default: `current-context`) of the kubeconfig at `path`.

    `cluster` is the name it has in messages and events. `allowed` are host names or addresses, besides loopback, that
    its server may have. Raises SpecError with the file, the field and how to fix it.
    """
    return _Reader(Path(path), frozenset(allowed)).endpoint(cluster, context)


def is_loopback(host: str) -> bool:
    """Whether that host, a name or an address, is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def end_of(certificate: bytes) -> datetime:
    """When a PEM certificate ends. ValueError when it is not one."""
    return x509.load_pem_x509_certificate(certificate).not_valid_after_utc


class _Reader:
    """One reading of one file."""

    def __init__(self, path: Path, allowed: frozenset[str]) -> None:
        self.file = KubeconfigFile(path)
        self.refuse = self.file.refuse
        self.allowed = allowed

    def endpoint(self, cluster: str, context: str | None) -> Endpoint:
        chosen = self.file.chosen(self.file.document(), context)
        server = self._server(chosen)
        self._check_user(chosen)
        return Endpoint(
            cluster=cluster,
            server=server,
            ssl_context=self._ssl(chosen.target, chosen.target_field, chosen.user, chosen.user_field),
            token=self._token(chosen.user, chosen.user_field),
            server_name=chosen.target.get("tls-server-name") or None,
            source=self.file.path,
            context=chosen.name,
        )

    def _server(self, chosen: Chosen) -> str:
        server, host = self.file.server(chosen)
        if not is_loopback(host) and host not in self.allowed:
            raise self.refuse(
                f"{chosen.target_field}.server",
                f"{host} is neither loopback nor a machine of the inventory; add the machine there if it is yours",
            )
        if chosen.target.get("proxy-url"):
            raise self.refuse(f"{chosen.target_field}.proxy-url", "the fleet's own clusters have no proxy; remove it")
        return server

    def _check_user(self, chosen: Chosen) -> None:
        for key in ("exec", "auth-provider"):
            if key in chosen.user:
                raise self.refuse(
                    f"{chosen.user_field}.{key}",
                    "no credential plugin is run for the fleet's own clusters; use a client certificate or token",
                )
        self.file.refuse_password(chosen)

    def _token(self, user: dict[str, Any], base: str) -> str | None:
        if user.get("tokenFile"):
            path = self._beside(str(user["tokenFile"]))
            return self.file.private_bytes(path, f"{base}.tokenFile").decode("utf-8", "replace").strip()
        return str(user["token"]) if user.get("token") else None

    def _beside(self, name: str) -> Path:
        """Relative names in a kubeconfig count from the kubeconfig's own folder."""
        return self.file.path.parent / name

    def _material(self, entry: dict[str, Any], base: str, key: str, *, private: bool) -> bytes | None:
        """PEM bytes of `key-data` (base64) or of the file that `key` names; None when neither is there."""
        if entry.get(f"{key}-data"):
            try:
                return base64.b64decode(str(entry[f"{key}-data"]), validate=True)
            except binascii.Error as error:
                raise self.refuse(f"{base}.{key}-data", "is not base64") from error
        if not entry.get(key):
            return None
        path = self._beside(str(entry[key]))
        if private:
            return self.file.private_bytes(path, f"{base}.{key}")
        try:
            return path.read_bytes()
        except OSError as error:
            raise self.refuse(f"{base}.{key}", f"cannot read {path}: {error.strerror}") from error

    def _check_lifetime(self, certificate: bytes, base: str) -> None:
        field_path = f"{base}.client-certificate"
        try:
            end = end_of(certificate)
        except ValueError as error:
            raise self.refuse(field_path, "holds no PEM certificate") from error
        if end < datetime.now(UTC):
            raise self.refuse(field_path, f"expired on {end:%Y-%m-%d %H:%M} UTC; build the fleet again to renew it")

    def _ssl(self, target: dict[str, Any], target_field: str, user: dict[str, Any], user_field: str) -> ssl.SSLContext:
        authority = self._material(target, target_field, "certificate-authority", private=False)
        if authority is None:
            raise self.refuse(f"{target_field}.certificate-authority", "is missing; give the CA of that API server")
        try:
            context = client_context(authority)
        except ValueError as error:
            raise self.refuse(f"{target_field}.certificate-authority", "holds no PEM certificate") from error
        certificate = self._material(user, user_field, "client-certificate", private=False)
        key = self._material(user, user_field, "client-key", private=True)
        if (certificate is None) != (key is None):
            raise self.refuse(user_field, "client-certificate and client-key must be given together")
        if certificate is not None and key is not None:
            self._check_lifetime(certificate, user_field)
            try:
                show_certificate(context, certificate, key)
            except ssl.SSLError as error:
                raise self.refuse(
                    user_field, "client-certificate and client-key are not a matching PEM pair"
                ) from error
        elif not user.get("token") and not user.get("tokenFile"):
            raise self.refuse(user_field, "has no client certificate and no token")
        return context
