"""One kubeconfig as a document: read under the rules of its kind and looked up by names; errors say where."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from fleet.errors import SpecError

SIZE_LIMIT = 1 << 20
"""Bytes. A kubeconfig with three certificates is about 6 kB."""
NOBODY_ELSE = 0o077
NOBODY_ELSE_WRITES = 0o022


@dataclass(frozen=True)
class Chosen:
    """One context with what it names, and their places for messages."""

    name: str
    target: dict[str, Any]
    target_field: str
    user: dict[str, Any]
    user_field: str


class KubeconfigFile:
    """One file. `forbidden` are the permission bits that it, and files that it names, must not have."""

    def __init__(self, path: Path, *, forbidden: int = NOBODY_ELSE) -> None:
        self.path = path
        self._forbidden = forbidden

    def refuse(self, field_path: str | None, message: str) -> SpecError:
        """The error to raise."""
        return SpecError(message, file=self.path, field=field_path)

    def document(self) -> dict[str, Any]:
        """The whole document. SpecError when the file must not be used, or is no kubeconfig."""
        text = self.private_bytes(self.path, None)
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

    def private_bytes(self, path: Path, field_path: str | None) -> bytes:
        """The file's bytes; refused when missing, not a plain file, too large, or open to others."""
        try:
            with path.open("rb") as file:
                info = os.fstat(file.fileno())
                if not stat.S_ISREG(info.st_mode) or info.st_size > SIZE_LIMIT:
                    raise self.refuse(field_path, f"{path} is not a plain file of at most {SIZE_LIMIT} bytes")
                if info.st_mode & self._forbidden:
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

    def chosen(self, document: dict[str, Any], context: str | None) -> Chosen:
        """A context (None: the current one) with the cluster and the user that it names."""
        name = context or document.get("current-context")
        if not name:
            raise self.refuse("current-context", "no context is chosen; set current-context")
        found = self._named(document, "contexts", "context", str(name), "current-context")
        base = f"contexts[{name}].context"
        target = self._named(document, "clusters", "cluster", str(found.get("cluster", "")), f"{base}.cluster")
        user = self._named(document, "users", "user", str(found.get("user", "")), f"{base}.user")
        return Chosen(str(name), target, f"clusters[{found['cluster']}].cluster", user, f"users[{found['user']}].user")

    def server(self, chosen: Chosen) -> tuple[str, str]:
        """The API server's URL and its host. SpecError unless it is https with TLS verified."""
        base = chosen.target_field
        field_path = f"{base}.server"
        url = urlsplit(str(chosen.target.get("server") or ""))
        if url.scheme != "https":
            raise self.refuse(field_path, "must be an https:// URL: credentials never travel in clear text")
        try:
            host, _port = url.hostname, url.port
        except ValueError as error:
            raise self.refuse(field_path, f"has no valid port: {error}") from error
        if not host or url.username or url.password or url.query or url.fragment:
            raise self.refuse(field_path, "must be https://host:port with nothing else")
        if chosen.target.get("insecure-skip-tls-verify"):
            raise self.refuse(f"{base}.insecure-skip-tls-verify", "TLS is always verified; give the CA instead")
        return f"https://{url.netloc}{url.path.rstrip('/')}", host

    def refuse_password(self, chosen: Chosen) -> None:
        """SpecError for a user with a password."""
        for key in ("username", "password"):
            if key in chosen.user:
                raise self.refuse(
                    f"{chosen.user_field}.{key}", "API servers no longer take passwords; use a client certificate"
                )

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
