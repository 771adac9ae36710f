"""Reads one kubeconfig, refuses what could leak a secret or reach a foreign cluster, and gives a ready endpoint."""

from __future__ import annotations

import base64
import binascii
import contextlib
import ipaddress
import os
import ssl
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from cryptography import x509

from fleet.errors import SpecError

SIZE_LIMIT = 1 << 20
"""Bytes. A kubeconfig with three certificates is about 6 kB."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an API server is and how to speak to it; no secret shows in its repr."""

    cluster: str
    server: str
    """https://host:port, without a slash at the end."""
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    """None only for a plain HTTP server inside tests."""
    token: str | None = field(default=None, repr=False)
    server_name: str | None = None
    """The name that the certificate must have, when it is not the host of `server`."""
    source: Path | None = None
    context: str = ""


def load(path: Path | str, *, cluster: str, allowed: Collection[str] = (), context: str | None = None) -> Endpoint:
    """The endpoint of one context (default: `current-context`) of the kubeconfig at `path`.

    `cluster` is the name it has in messages and events. `allowed` are host names or addresses, besides loopback, that
    its server may have. Raises SpecError with the file, the field and the mend.
    """
    return _Reader(Path(path), frozenset(allowed)).endpoint(cluster, context)


def is_loopback(host: str) -> bool:
    """Whether that host, a name or an address, is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Reader:
    """One reading of one file: keeps its path for the messages."""

    def __init__(self, path: Path, allowed: frozenset[str]) -> None:
        self.path = path
        self.allowed = allowed

    def refuse(self, field_path: str | None, message: str) -> SpecError:
        return SpecError(message, file=self.path, field=field_path)

    def endpoint(self, cluster: str, context: str | None) -> Endpoint:
        document = self._document()
        name = context or document.get("current-context")
        if not name:
            raise self.refuse("current-context", "no context is chosen; set current-context")
        chosen = self._named(document, "contexts", "context", str(name), "current-context")
        base = f"contexts[{name}].context"
        target = self._named(document, "clusters", "cluster", str(chosen.get("cluster", "")), f"{base}.cluster")
        user = self._named(document, "users", "user", str(chosen.get("user", "")), f"{base}.user")
        target_field, user_field = f"clusters[{chosen['cluster']}].cluster", f"users[{chosen['user']}].user"
        server = self._server(target, target_field)
        self._check_user(user, user_field)
        return Endpoint(
            cluster=cluster,
            server=server,
            ssl_context=self._ssl(target, target_field, user, user_field),
            token=self._token(user, user_field),
            server_name=target.get("tls-server-name") or None,
            source=self.path,
            context=str(name),
        )

    def _document(self) -> dict[str, Any]:
        text = self._private_bytes(self.path, None)
        if not text.strip():
            raise self.refuse(None, "this kubeconfig is empty; build the fleet again or name another file")
        try:
            document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = None if mark is None else mark.line + 1
            raise SpecError("this is not YAML; write the kubeconfig again", file=self.path, line=line) from error
        if not isinstance(document, dict) or document.get("kind", "Config") != "Config":
            raise self.refuse("kind", "this is not a kubeconfig (kind: Config)")
        return document

    def _private_bytes(self, path: Path, field_path: str | None) -> bytes:
        """The file's bytes; refused when missing, not a plain file, too large, or open to group or others."""
        try:
            with path.open("rb") as file:
                info = os.fstat(file.fileno())
                if not stat.S_ISREG(info.st_mode) or info.st_size > SIZE_LIMIT:
                    raise self.refuse(field_path, f"{path} is not a plain file of at most {SIZE_LIMIT} bytes")
                if info.st_mode & 0o077:
                    mode = stat.S_IMODE(info.st_mode)
                    raise self.refuse(
                        field_path, f"group or others have access to {path} (mode {mode:04o}); chmod 600 {path}"
                    )
                return file.read(SIZE_LIMIT + 1)
        except IsADirectoryError as error:
            raise self.refuse(field_path, f"{path} is a folder; name the kubeconfig file in it") from error
        except FileNotFoundError as error:
            raise self.refuse(field_path, f"{path} does not exist; build the fleet or name another file") from error
        except OSError as error:
            raise self.refuse(field_path, f"cannot read {path}: {error.strerror}") from error

    def _named(self, document: dict[str, Any], group: str, kind: str, name: str, asked_by: str) -> dict[str, Any]:
        entries = document.get(group)
        known = [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
        for entry in known:
            if entry.get("name") == name and name:
                value = entry.get(kind)
                if isinstance(value, dict):
                    return value
                raise self.refuse(f"{group}[{name}].{kind}", "is missing or not a mapping")
        names = ", ".join(sorted(str(e.get("name")) for e in known)) or "none"
        raise self.refuse(asked_by, f"names {name!r}, which {group} does not have; there: {names}")

    def _server(self, target: dict[str, Any], base: str) -> str:
        field_path = f"{base}.server"
        url = urlsplit(str(target.get("server") or ""))
        if url.scheme != "https":
            raise self.refuse(field_path, "must be an https:// URL: credentials never travel in clear text")
        try:
            host, _port = url.hostname, url.port
        except ValueError as error:
            raise self.refuse(field_path, f"has no valid port: {error}") from error
        if not host or url.username or url.password or url.query or url.fragment:
            raise self.refuse(field_path, "must be https://host:port with nothing else")
        if not is_loopback(host) and host not in self.allowed:
            raise self.refuse(
                field_path,
                f"{host} is neither loopback nor a machine of the inventory; add the machine there if it is yours",
            )
        if target.get("insecure-skip-tls-verify"):
            raise self.refuse(f"{base}.insecure-skip-tls-verify", "TLS is always verified; give the CA instead")
        if target.get("proxy-url"):
            raise self.refuse(f"{base}.proxy-url", "proxies are not supported; remove it")
        return f"https://{url.netloc}{url.path.rstrip('/')}"

    def _check_user(self, user: dict[str, Any], base: str) -> None:
        for key in ("exec", "auth-provider"):
            if key in user:
                raise self.refuse(
                    f"{base}.{key}", "credential plugins are never run; use a client certificate or token"
                )
        for key in ("username", "password"):
            if key in user:
                raise self.refuse(f"{base}.{key}", "API servers no longer take passwords; use a client certificate")

    def _token(self, user: dict[str, Any], base: str) -> str | None:
        if user.get("tokenFile"):
            path = self._beside(str(user["tokenFile"]))
            return self._private_bytes(path, f"{base}.tokenFile").decode("utf-8", "replace").strip()
        return str(user["token"]) if user.get("token") else None

    def _beside(self, name: str) -> Path:
        """Relative names in a kubeconfig count from the kubeconfig's own folder."""
        return self.path.parent / name

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
            return self._private_bytes(path, f"{base}.{key}")
        try:
            return path.read_bytes()
        except OSError as error:
            raise self.refuse(f"{base}.{key}", f"cannot read {path}: {error.strerror}") from error

    def _check_lifetime(self, certificate: bytes, base: str) -> None:
        field_path = f"{base}.client-certificate"
        try:
            end = x509.load_pem_x509_certificate(certificate).not_valid_after_utc
        except ValueError as error:
            raise self.refuse(field_path, "holds no PEM certificate") from error
        if end < datetime.now(UTC):
            raise self.refuse(field_path, f"expired on {end:%Y-%m-%d %H:%M} UTC; build the fleet again to renew it")

    def _ssl(self, target: dict[str, Any], target_field: str, user: dict[str, Any], user_field: str) -> ssl.SSLContext:
        authority = self._material(target, target_field, "certificate-authority", private=False)
        if authority is None:
            raise self.refuse(f"{target_field}.certificate-authority", "is missing; give the CA of that API server")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_verify_locations(cadata=authority.decode("ascii"))
        except (ssl.SSLError, UnicodeDecodeError) as error:
            raise self.refuse(f"{target_field}.certificate-authority", "holds no PEM certificate") from error
        certificate = self._material(user, user_field, "client-certificate", private=False)
        key = self._material(user, user_field, "client-key", private=True)
        if (certificate is None) != (key is None):
            raise self.refuse(user_field, "client-certificate and client-key must be given together")
        if certificate is not None and key is not None:
            self._check_lifetime(certificate, user_field)
            try:
                with _in_memory(certificate) as certificate_file, _in_memory(key) as key_file:
                    context.load_cert_chain(certificate_file, key_file)
            except ssl.SSLError as error:
                raise self.refuse(
                    user_field, "client-certificate and client-key are not a matching PEM pair"
                ) from error
        elif not user.get("token") and not user.get("tokenFile"):
            raise self.refuse(user_field, "has no client certificate and no token")
        return context


@contextlib.contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """A path that OpenSSL can read while the context lasts; the bytes never reach a disk."""
    descriptor = os.memfd_create("fleet-credential", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
