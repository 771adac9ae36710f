"""From what Ansible passes to a module, to the values that `fleet.managers` takes; names the variable that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fleet.errors import UsageError
from fleet.host.machine import Machine
from fleet.install.program_parts import Extra
from fleet.install.upstream import UpstreamFolders
from fleet.model.client_limits import ClientLimits


def machine(given: Mapping[str, Any], *, check: bool) -> Machine:
    """`fleet` in `state_dir`, with the programs of `toolchain_dirs`."""
    upstream = UpstreamFolders.of(given["toolchain_dirs"], check=check)
    return Machine(given["fleet"], Path(given["state_dir"]), upstream, check=check)


def limits(given: Mapping[str, Any]) -> ClientLimits:
    """`limits`; UsageError names the one that is wrong."""
    try:
        return ClientLimits.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UsageError(f"fleet_limits: {'.'.join(str(p) for p in first['loc'])}: {first['msg']}") from error


def component_extra(args: list[str], env: Mapping[str, Any]) -> Extra:
    """Arguments and environment of one component; numbers become text."""
    return Extra(tuple(str(argument) for argument in args), {name: str(value) for name, value in env.items()})
