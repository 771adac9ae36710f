"""The command line of OpenSSH's client, for a program on another machine that is spoken to over pipes during a run."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from fleet.model.fleet_file import Machine

CONNECT_SECONDS = 10
ALIVE_SECONDS, ALIVE_COUNT = 5, 3
"""A machine that is cut off is noticed after 15 s; nothing else would end the connection for minutes."""


def command(machine: Machine, argv: Sequence[str]) -> list[str]:
    """What to run here to run `argv` there: known host keys only, no question asked, no connection of others used."""
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "ConnectTimeout": str(CONNECT_SECONDS),
        "ServerAliveInterval": str(ALIVE_SECONDS),
        "ServerAliveCountMax": str(ALIVE_COUNT),
        "ControlPath": "none",
    }
    if machine.known_hosts:
        options |= {"UserKnownHostsFile": machine.known_hosts, "GlobalKnownHostsFile": "none"}
    if machine.key_file:
        options |= {"IdentityFile": machine.key_file, "IdentitiesOnly": "yes"}
    # Quiet: that the machine is lost is told by whoever waits for its answers.
    words = ["ssh", "-q", "-F", "none", "-T", "-p", str(machine.port)]
    for name, value in options.items():
        words += ["-o", f"{name}={value}"]
    place = f"{machine.user}@{machine.address}" if machine.user else machine.address
    return [*words, "--", place, shlex.join(argv)]
