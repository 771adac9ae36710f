"""The fault `api-errors`: a share of what one machine's agents ask of the hub is answered with 429 or 500.

The machine's link is led through a proxy of ours (`fleet.faults.api_proxy`) and back: nothing else is restarted.
"""

from __future__ import annotations

import select
import socket
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

from pydantic import Field

from fleet.errors import DeadlineError, UsageError
from fleet.faults.api_proxy import Settings, files
from fleet.faults.by_link import LinkApi, through_link
from fleet.faults.fault import Aim, Chosen, Plain
from fleet.faults.notes import kept
from fleet.host.authority import Authority
from fleet.host.pki import Subject
from fleet.model.base import Model
from fleet.model.during import Action, Share
from fleet.model.fleet_file import FleetFile

FRONT = "front-proxy-client"
"""The name that API servers let speak for others (`--requestheader-allowed-names`)."""
START_SECONDS = 30.0


class ErrorSettings(Model):
    """Of `api-errors`."""

    share: Share = "1/3"
    """Of all requests, watches among them."""
    codes: list[int] = Field(default=[429, 500], min_length=1, max_length=10)
    """Each as likely."""


class ApiErrors(Plain):
    """See `Fault`."""

    name = "api-errors"
    settings = ErrorSettings
    prepares = True

    def __init__(self) -> None:
        self._proxies: dict[str, tuple[subprocess.Popen[bytes], int]] = {}

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:  # noqa: ARG002 - one machine
        """See `Fault`."""
        settings = ErrorSettings.model_validate(wanted.settings)
        if wrong := [code for code in settings.codes if not 400 <= code < 600]:  # noqa: PLR2004 - HTTP's errors
            raise UsageError(f"{wrong[0]} is no error of HTTP: write 429 or 500")
        aim = through_link(wanted, fleet)
        hub = next((c for c in fleet.transports() if c.server.endswith(f"//{aim.facts['upstream']}")), None)
        if hub is None or hub.machine != aim.machine:
            raise UsageError(
                f"the hub is not on the machine {aim.machine}: the proxy needs the key of the fleet's front proxy, and"
                " that lies alongside the hub alone"
            )
        return [aim.model_copy(update={"facts": {**aim.facts, "plane": hub.name, "server": hub.server}})]

    def prepare(self, aim: Aim, root: Path) -> None:
        """Start the proxy, so that the fault begins at its moment; nobody uses it yet."""
        pki = root / "pki"
        front = Authority.ensure(pki, "front-proxy-ca").issue(kept(root, aim), FRONT, Subject(FRONT))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        chosen = ErrorSettings.model_validate(aim.settings)
        settings = Settings(
            port=port,
            upstream=aim.facts["server"],
            front_proxy=(str(front.cert), str(front.key)),
            share=float(Fraction(chosen.share)),
            codes=chosen.codes,
            seed=f"{aim.key}/{aim.fleet}",
            **files(root, aim.facts["plane"]),
        )
        argv = [sys.executable, "-m", "fleet.faults.api_proxy"]
        proxy = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._proxies[aim.key] = proxy, port
        assert proxy.stdin is not None  # noqa: S101 - both are pipes
        assert proxy.stdout is not None  # noqa: S101
        proxy.stdin.write(settings.model_dump_json().encode() + b"\n")
        proxy.stdin.flush()
        readable, _, _ = select.select([proxy.stdout], [], [], START_SECONDS)
        if not readable or proxy.stdout.readline() != b"ready\n":
            self._end(aim)
            raise DeadlineError(f"the proxy in front of {aim.facts['plane']} did not listen within {START_SECONDS:g} s")

    def inject(self, aim: Aim, root: Path) -> None:
        """See `Fault`. Connections break once, as the link is led elsewhere."""
        LinkApi(root).send("POST", "", {"upstream": f"127.0.0.1:{self._proxies[aim.key][1]}"})

    def heal(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        LinkApi(root).send("POST", "", {"upstream": aim.facts["upstream"]})
        self._end(aim)

    def _end(self, aim: Aim) -> None:
        proxy, _ = self._proxies.pop(aim.key, (None, 0))
        if proxy is None:
            return
        proxy.kill()
        proxy.communicate()
