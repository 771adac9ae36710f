"""Kubeconfigs of clusters that a user has already: any server, client certificates, tokens, plugins, proxies.

They are loaded by the official client (`fleet.kube.official_loader`). TLS is verified always. A credential plugin runs
because the user's own file names it, and no longer than `LOAD_SECONDS`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import ssl
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from pydantic import ValidationError

from fleet.errors import SpecError
from fleet.kube.endpoint import Endpoint, client_context, show_certificate
from fleet.kube.kubeconfig import end_of
from fleet.kube.kubeconfig_file import NOBODY_ELSE_WRITES, Chosen, KubeconfigFile
from fleet.kube.official_loader import Order, Outcome

LOAD_SECONDS = 60.0
"""Of one load, its plugin included. A plugin that wants a person to log in does not get one."""
PROVIDERS = ("gcp", "oidc")
"""Auth providers that the official client knows; kubectl itself dropped all but oidc."""
PROBLEM_LIMIT = 400
"""Characters of what a plugin said."""


@dataclass(frozen=True)
class UserKubeconfig:
    """One context (empty: the current one) of a user's kubeconfig, under the name that the cluster has in the fleet."""

    path: Path
    cluster: str
    context: str = ""
    seconds: float = LOAD_SECONDS

    @property
    def _file(self) -> KubeconfigFile:
        return KubeconfigFile(self.path, forbidden=NOBODY_ELSE_WRITES)

    def check(self) -> tuple[str, str]:
        """The context's name and its server, without running or asking anything.

        SpecError with file and field for what is never used: plain http, TLS that is not verified, passwords.
        """
        chosen = self._chosen()
        return chosen.name, self._file.server(chosen)[0]

    async def load(self) -> Endpoint:
        """The endpoint, its credential fetched now. SpecError with file and field when there is none."""
        chosen = self._chosen()
        server, _ = self._file.server(chosen)
        with tempfile.TemporaryDirectory(prefix="fleet-credential-") as folder:  # 0700 by itself
            order = Order(
                path=str(self.path), context=chosen.name, folder=folder, persist="auth-provider" in chosen.user
            )
            outcome = await self._run(order, chosen)
        if outcome.problem:
            raise self._file.refuse(chosen.user_field, f"gave no credential: {outcome.problem[:PROBLEM_LIMIT]}")
        if not outcome.verified:
            raise self._file.refuse(chosen.target_field, "TLS is always verified; give the CA instead")
        return Endpoint(
            cluster=self.cluster,
            server=server,
            ssl_context=self._ssl(outcome, chosen),
            token=outcome.token or None,
            server_name=outcome.server_name or None,
            source=self.path,
            context=chosen.name,
            proxy=self._proxy(outcome, chosen, server),
            expires=outcome.expires,
        )

    def _chosen(self) -> Chosen:
        file = self._file
        chosen = file.chosen(file.document(), self.context or None)
        file.refuse_password(chosen)
        field = chosen.user_field
        provider = chosen.user.get("auth-provider")
        if provider and (not isinstance(provider, dict) or provider.get("name") not in PROVIDERS):
            raise file.refuse(f"{field}.auth-provider", f"must be {' or '.join(PROVIDERS)}; others use an exec plugin")
        plugin = chosen.user.get("exec")
        if isinstance(plugin, dict) and plugin.get("interactiveMode") == "Always":
            raise file.refuse(f"{field}.exec.interactiveMode", "no plugin gets a terminal; use Never or IfAvailable")
        return chosen

    async def _run(self, order: Order, chosen: Chosen) -> Outcome:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "fleet.kube.official_loader"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(self.seconds):
                answer, _ = await process.communicate(order.model_dump_json().encode())
        except TimeoutError:
            raise self._file.refuse(
                chosen.user_field, f"gave no credential within {self.seconds:.0f} s; does its plugin wait for a login?"
            ) from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # with what a plugin left running
            await process.wait()
        try:
            return Outcome.model_validate_json(answer)
        except ValidationError:  # its text would quote the answer
            raise self._file.refuse(
                chosen.user_field, f"could not be loaded: the loader ended with {process.returncode}"
            ) from None

    def _proxy(self, outcome: Outcome, chosen: Chosen, server: str) -> str | None:
        if not outcome.proxy:
            return None
        host = urlsplit(server).hostname or ""
        named = chosen.target.get("proxy-url")
        if not named and proxy_bypass(host):
            return None
        if urlsplit(outcome.proxy).scheme not in ("http", "https"):
            where = f"{chosen.target_field}.proxy-url" if named else "HTTPS_PROXY"
            raise self._file.refuse(where, "must be an http:// or https:// proxy")
        return outcome.proxy

    def _ssl(self, outcome: Outcome, chosen: Chosen) -> ssl.SSLContext:
        try:
            context = client_context(outcome.authority.encode() or None)
        except ValueError as error:
            raise self._refuse_authority(chosen) from error
        if not outcome.certificate:
            return context
        certificate, key = outcome.certificate.encode(), outcome.key.encode()
        try:
            end = end_of(certificate)
            show_certificate(context, certificate, key)
        except (ValueError, ssl.SSLError) as error:
            raise self._file.refuse(
                chosen.user_field, "its client certificate and key are not a matching PEM pair"
            ) from error
        if end < datetime.now(UTC):
            raise self._file.refuse(
                chosen.user_field, f"its client certificate expired on {end:%Y-%m-%d %H:%M} UTC; renew it"
            )
        return context

    def _refuse_authority(self, chosen: Chosen) -> SpecError:
        return self._file.refuse(f"{chosen.target_field}.certificate-authority", "holds no PEM certificate")
