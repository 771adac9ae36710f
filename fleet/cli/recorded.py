"""What is recorded of a fleet before `fleet up` changes it: its inventory, and what earlier `-e` have set."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleet.cli.console import say
from fleet.errors import SpecError, UnsafeFileError, UsageError
from fleet.model import fleet_load
from fleet.model.base import NAME_PATTERN

INVENTORY_SECONDS = 60.0
"""A dynamic inventory may ask others; it is asked once more by the playbook itself."""
GIVEN = "fleet_given"
"""Names and values that are kept as given, where a playbook's own variables say more than that."""


@dataclass(frozen=True)
class Recorded:
    """Nothing of a fleet that does not exist yet."""

    inventory: Path | None = None
    given: dict[str, Any] = field(default_factory=dict)


def recorded(name: str, root: Path, checkout: Path) -> Recorded:
    """What is known of the fleet `name` below `root`. UnsafeFileError for a file that others could have written."""
    file = root / name / fleet_load.FILE
    if not file.exists():
        return Recorded()
    try:
        fleet = fleet_load.load(file, kubeconfigs=False)
    except UnsafeFileError:
        raise
    except SpecError as error:
        say(f"warning: {error}\nwarning: what earlier -e have set is not known")
        return Recorded()
    return Recorded(inventory_of(fleet.inventory, checkout), dict(fleet.given))


def inventory_of(text: str, checkout: Path) -> Path | None:
    """The recorded inventory, where it still is."""
    places = (Path(text), checkout / text) if text else ()
    return next((place for place in places if place.exists()), None)


def name_in(inventory: Path | None, checkout: Path) -> str:
    """`fleet_name` as the inventory (None: the default one) sets it. UsageError when it cannot be read.

    Empty when it is no plain name: a template is resolved by the playbook alone.
    """
    command = [str(Path(sys.executable).with_name("ansible-inventory")), "--list"]
    command += ["-i", str(inventory.resolve())] if inventory is not None else []
    try:
        done = subprocess.run(
            command, cwd=checkout, capture_output=True, text=True, timeout=INVENTORY_SECONDS, check=False
        )
        machines = json.loads(done.stdout)["_meta"]["hostvars"] if done.returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
        raise UsageError(f"the inventory {inventory or 'of ansible.cfg'} cannot be read: {error}") from error
    if machines is None:
        raise UsageError(f"the inventory {inventory or 'of ansible.cfg'} cannot be read: {done.stderr.strip()}")
    names = {str(known["fleet_name"]) for known in machines.values() if "fleet_name" in known}
    name = names.pop() if len(names) == 1 else ""
    return name if re.fullmatch(NAME_PATTERN, name) else ""
