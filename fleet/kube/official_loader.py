"""Loads one context by the official `kubernetes` client: a program of its own, `python -m fleet.kube.official_loader`.

A process of its own, because the loader runs whatever the kubeconfig names (credential plugins, token requests) without
a time-out, blocks meanwhile, and writes keys into temporary files: its caller can end it, and removes that folder.
stdin: an `Order` as JSON. stdout: an `Outcome` as JSON. Exit code 0 even when `problem` says why there is none.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

from fleet.model.base import Model


class Order(Model):
    """Which context to load."""

    path: str
    context: str
    folder: str
    """Where the loader may leave temporary files."""
    persist: bool = False
    """Write a refreshed token back into the kubeconfig, as kubectl does for auth providers."""


class Outcome(Model):
    """What it came to."""

    problem: str = ""
    host: str = ""
    authority: str = ""
    """PEM; empty: what this machine trusts."""
    certificate: str = ""
    key: str = ""
    token: str = ""
    proxy: str = ""
    server_name: str = ""
    verified: bool = True
    expires: float | None = None
    """Unix time, in seconds."""


class _Said(logging.Handler):
    """The loader logs why a plugin failed, and goes on without a credential."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def load(order: Order) -> Outcome:
    """Load it; never raises for what a kubeconfig or a plugin may be."""
    from kubernetes.client import Configuration  # noqa: PLC0415 - slow, and of this program alone
    from kubernetes.config import kube_config as untyped  # noqa: PLC0415

    kube_config: Any = untyped
    said = _Said()
    logging.getLogger().addHandler(said)
    configuration = Configuration()
    try:
        merger = kube_config.KubeConfigMerger(order.path)
        loader = kube_config.KubeConfigLoader(
            config_dict=merger.config,
            active_context=order.context,
            config_base_path=None,
            config_persister=merger.save_changes if order.persist else None,
            temp_file_path=order.folder,
        )
        loader.load_and_set(configuration)
        return _outcome(configuration, getattr(loader, "expiry", None), said.lines)
    except Exception as error:  # noqa: BLE001 - the loader raises whatever its parts raise; the caller names the file
        return Outcome(problem=f"{type(error).__name__}: {error}")


def _outcome(configuration: Any, expiry: Any, said: list[str]) -> Outcome:
    token = str(configuration.api_key.get("BearerToken") or "").strip()
    if not token and not configuration.cert_file:
        return Outcome(problem="; ".join(said) or "has no client certificate, token, plugin or provider")
    return Outcome(
        host=configuration.host,
        authority=_text(configuration.ssl_ca_cert),
        certificate=_text(configuration.cert_file),
        key=_text(configuration.key_file),
        token=token.removeprefix("Bearer ").strip(),
        proxy=configuration.proxy or "",
        server_name=configuration.tls_server_name or "",
        verified=bool(configuration.verify_ssl),
        expires=expiry.timestamp() if expiry is not None else None,
    )


def _text(file: str | None) -> str:
    return Path(file).read_text(encoding="utf-8") if file else ""


def main() -> None:
    """Read, load, answer; as a program that gives way, since it may run in the middle of a measurement."""
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    os.nice(10)
    sys.stdout.write(load(Order.model_validate_json(sys.stdin.buffer.read())).model_dump_json())


if __name__ == "__main__":
    main()
