"""Where an API server is and how to speak to it: what a kubeconfig comes to."""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One API server with a credential; no secret shows in its repr."""

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
    proxy: str | None = field(default=None, repr=False)
    """URL of an HTTP proxy, which may hold a password."""
    expires: float | None = None
    """Unix time, in seconds, at which the credential ends; None where nobody says."""


def client_context(authority: bytes | None) -> ssl.SSLContext:
    """A client's TLS context that trusts this PEM bundle; None: what the machine trusts. ValueError if it is no PEM."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authority is None:
        context.load_default_certs()
        return context
    try:
        context.load_verify_locations(cadata=authority.decode("ascii"))
    except ssl.SSLError as error:
        raise ValueError(str(error)) from error
    return context


def show_certificate(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Let `context` show this PEM pair to servers. ssl.SSLError when they do not belong together."""
    with _in_memory(certificate) as certificate_file, _in_memory(key) as key_file:
        context.load_cert_chain(certificate_file, key_file)


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
