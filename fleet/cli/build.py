"""`fleet up` and `fleet down`: the playbooks that build a fleet and take it down."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fleet.cli.console import say
from fleet.cli.options import FleetOption, YesOption
from fleet.errors import SpecError, UnsafeFileError, UsageError

if TYPE_CHECKING:
    from fleet.model.yaml_source import Source

VARIABLE = r"[a-z_][a-z0-9_]*"

SetVariables = Annotated[
    list[str] | None,
    typer.Option(
        "-e",
        "--extra-vars",
        metavar="K=V|{K: V}|@FILE",
        envvar="FLEET_EXTRA_VARS",
        show_default=False,
        help="An inventory variable, a mapping or a YAML file of them, as of ansible-playbook.",
    ),
]
InventoryOption = Annotated[
    Path | None,
    typer.Option(
        "-i", "--inventory", metavar="PATH", envvar="FLEET_INVENTORY", show_default=False, help="Default: localhost."
    ),
]


TagsOption = Annotated[
    str | None,
    typer.Option(
        "--tags", metavar="TAGS", envvar="FLEET_TAGS", show_default=False, help="Play only these tags of site.yml."
    ),
]


ResetOption = Annotated[
    bool,
    typer.Option("--reset", envvar="FLEET_RESET", help="Forget what earlier -e have set: the inventory alone counts."),
]
ForceOption = Annotated[
    bool, typer.Option("--force", envvar="FLEET_FORCE", help="Also while an experiment runs on it, which then fails.")
]


def up(
    variables: SetVariables = None,
    inventory: InventoryOption = None,
    fleet: FleetOption = None,
    tags: TagsOption = None,
    reset: ResetOption = False,
) -> None:
    """Build the fleet, or change it. What earlier -e have set stays until it is set again, or until --reset."""
    from fleet.cli.playbook import play
    from fleet.cli.recorded import name_in, recorded
    from fleet.model import fleet_load
    from fleet.model.checkout import checkout

    values = _defaults() | pairs(variables or [])
    if fleet is not None:
        values["fleet_name"] = checked_name(fleet, "--fleet")
    if "fleet_name" in values:
        checked_name(str(values["fleet_name"]), "fleet_name")
    if inventory is not None and not inventory.exists():
        raise UsageError(f"the inventory {inventory} does not exist: give it with -i")
    root = Path(str(values.get("fleet_state_dir") or fleet_load.state_root()))
    name = str(values.get("fleet_name", ""))
    if not name and fleet_load.known({"FLEET_STATE_DIR": str(root)}):
        name = name_in(inventory, checkout())
    if name:
        known = recorded(name, root, checkout())
        inventory = inventory or known.inventory
        values = values if reset else {**known.given, **values}
    done = play("site.yml", inventory=inventory, variables=values, tags=tags or "")
    say(f"{done.changed} changed; look at it with `fleet status`")


def down(
    fleet: FleetOption = None,
    yes: YesOption = False,
    inventory: InventoryOption = None,
    variables: SetVariables = None,
    force: ForceOption = False,
) -> None:
    """Take a fleet down. Its programs, files, ports and secrets go; what is absent is fine."""
    from fleet.cli.playbook import play
    from fleet.cli.recorded import inventory_of
    from fleet.experiment.hold import holder
    from fleet.model.checkout import checkout

    found = _to_take_down(fleet)
    if found is None:
        say("there is no such fleet: nothing to take down")
        return
    name, state, recorded = found
    running = holder(state / name)
    if running and not force:
        raise UsageError(
            f"an experiment holds the fleet {name}: {running}. Wait for it, end that process, or take the fleet down"
            " all the same with --force"
        )
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Take down the fleet {name} ({state / name}) with all its data?", abort=True, err=True)
    if inventory is None:
        inventory = inventory_of(recorded, checkout())
    values = {"fleet_name": name, "fleet_state_dir": str(state), **pairs(variables or [])}
    play("playbooks/teardown.yml", inventory=inventory, variables=values)
    say(f"{name} is down")


def take_down(file: Path) -> None:
    """Take down the fleet of that fleet file, built from the default inventory."""
    from fleet.cli.playbook import play

    name, state = file.parent.name, file.parent.parent
    play("playbooks/teardown.yml", inventory=None, variables={"fleet_name": name, "fleet_state_dir": str(state)})
    say(f"{name} is down")


def _to_take_down(asked: str | None) -> tuple[str, Path, str] | None:
    """Name, state folder and recorded inventory of the fleet to take down; None when there is none.

    A half-built fleet has no fleet file, or a broken one: its folder and name are enough.
    """
    from fleet.model import fleet_load

    root = fleet_load.state_root()
    asked = asked or os.environ.get("FLEET_FILE") or os.environ.get("FLEET_NAME")
    if asked and "/" not in asked and not asked.endswith(".json"):
        name = checked_name(asked, "--fleet")
        if not (root / name).is_dir():
            return None
        file = root / name / fleet_load.FILE
    else:
        if not asked and not _folders(root):
            return None
        file = Path(asked) if asked else _only(root)
        if not file.parent.is_dir() or (asked and not file.exists()):
            return None
    if not file.exists():
        return file.parent.name, file.parent.parent, ""
    try:
        loaded = fleet_load.load(file, kubeconfigs=False)
    except UnsafeFileError:
        raise
    except SpecError as error:
        if file.absolute().parent.parent != root.absolute():
            raise
        say(f"warning: {error}\nwarning: taken down by its folder alone, with the default inventory")
        return file.parent.name, file.absolute().parent.parent, ""
    own = next((m for m in loaded.machines if m.connection == "local"), None)
    state = Path(own.state_dir).parent if own else file.absolute().parent.parent
    return loaded.name, state, loaded.inventory


def _folders(root: Path) -> list[Path]:
    """Folders of fleets, built or half-built."""
    if not root.is_dir():
        return []
    marks = ("fleet.json", "pki", "clusters", "supervisor")
    return [f for f in sorted(root.iterdir()) if f.is_dir() and any((f / mark).exists() for mark in marks)]


def _only(root: Path) -> Path:
    folders = _folders(root)
    if len(folders) > 1:
        names = ", ".join(folder.name for folder in folders)
        raise UsageError(f"there are several fleets ({names}): choose one with --fleet NAME")
    return folders[0] / "fleet.json"


def _defaults() -> dict[str, Any]:
    """Variables that the environment names."""
    values: dict[str, Any] = {}
    if os.environ.get("FLEET_NAME"):
        values["fleet_name"] = os.environ["FLEET_NAME"]
    if os.environ.get("FLEET_STATE_DIR"):
        values["fleet_state_dir"] = str(Path(os.environ["FLEET_STATE_DIR"]).expanduser().absolute())
    return values


def checked_name(text: str, what: str) -> str:
    """`text` when it is a name; UsageError telling the rule."""
    from fleet.model.base import NAME_PATTERN
    from fleet.model.model_errors import NAME_RULE, shown

    if not re.fullmatch(NAME_PATTERN, text):
        raise UsageError(f"{what}: {shown(text)} is not a name: {NAME_RULE}")
    return text


def pairs(texts: list[str]) -> dict[str, Any]:
    """`k=v` words, mappings in braces and the files of `@file` words as variables, with the types of YAML; the later
    word wins. As those of `ansible-playbook`."""
    from fleet.model import yaml_source
    from fleet.model.model_errors import shown

    values: dict[str, Any] = {}
    for text in texts:
        if text.startswith("@"):
            values |= _variables(yaml_source.read(Path(text.removeprefix("@"))))
            continue
        if text.startswith("{"):
            values |= _variables(yaml_source.parse(text, Path(f"-e {shown(text)}")))
            continue
        name, equals, value = text.partition("=")
        if not equals or not re.fullmatch(VARIABLE, name):
            raise UsageError(
                f"-e {shown(text)}: write NAME=VALUE, for example -e wec_count=20, {{NAME: VALUE}} or @FILE"
            )
        values[name] = yaml_source.scalar(value, what=f"-e {name}", mapping=True)
    return values


def _variables(source: Source) -> dict[str, Any]:
    """The variables of a text; SpecError when it is no mapping of names."""
    from fleet.model.model_errors import shown

    if not isinstance(source.data, dict):
        raise SpecError("holds no variables: write lines such as `wec_count: 20`", file=source.file)
    for name in source.data:
        if not re.fullmatch(VARIABLE, str(name)):
            raise SpecError(
                f"{shown(str(name))} is not the name of a variable", file=source.file, line=source.lines.get((name,))
            )
    return dict(source.data)
