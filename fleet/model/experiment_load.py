"""Loads an experiment: found by name or path, overridden by `--set` and the common flags, checked against the fleet."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic.fields import FieldInfo

from fleet.errors import SpecError, UsageError
from fleet.model import yaml_source
from fleet.model.base import NAME_PATTERN
from fleet.model.checkout import HOMES
from fleet.model.duration import is_duration
from fleet.model.experiment_file import ExperimentFile, PolicyExperiment
from fleet.model.model_errors import (
    NAME_RULE,
    FieldPath,
    Place,
    dotted,
    fields_at,
    is_choice,
    nearest,
    shown,
    unknown,
    validate,
)
from fleet.model.yaml_source import Source

E = TypeVar("E", bound=ExperimentFile)

SWEEP = (1, 5, 10, 20, 50, 100)
"""What `wecs: all` counts through, as far as the fleet goes; its own size ends it."""
FLAGS = {"layouts": "--layout", "workload.kind": "--workload"}
"""Flags that are not named as the last word of their field."""
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Override:
    """One field that the command line sets: `path` inside the file, its value, and the words the user typed."""

    path: tuple[str, ...]
    value: Any
    typed: str


def folders() -> list[Path]:
    """Where experiments are looked for by name: `experiments/` here, then in the checkout, then in the wheel."""
    places = [home / "experiments" for home in (Path.cwd(), *HOMES)]
    return [folder for folder in dict.fromkeys(places) if folder.is_dir()]


def available(places: Sequence[Path] | None = None) -> dict[str, Path]:
    """Experiment files by name, the first place winning; sorted by name."""
    found: dict[str, Path] = {}
    for folder in folders() if places is None else places:
        for file in sorted(folder.iterdir()):
            if file.suffix in SUFFIXES and file.is_file():
                found.setdefault(file.stem, file)
    return dict(sorted(found.items()))


def find(name: str, places: Sequence[Path] | None = None) -> Path:
    """The file of an experiment: `name` is a path when it has a slash or ends in .yaml, else a name in `places`."""
    if "/" in name or name.endswith(SUFFIXES):
        return Path(name)
    if not re.fullmatch(NAME_PATTERN, name):
        raise UsageError(f"{shown(name)} is no name of an experiment: {NAME_RULE}; or give the path of a file")
    known = available(places)
    if name not in known:
        raise UsageError(f"there is no experiment {name!r}{nearest(name, known)}; or give the path of a file")
    return known[name]


def parse_set(text: str) -> Override:
    """`a.b=VALUE`, VALUE a YAML scalar or a list such as [1, 5]; the last of two for one field wins."""
    name, equals, value = text.partition("=")
    parts = tuple(name.split("."))
    if not equals or not all(re.fullmatch(r"\w+", part, re.ASCII) for part in parts):
        raise UsageError(f"--set {shown(text)}: write FIELD=VALUE, for example --set workload.objects=10")
    return Override(parts, yaml_source.scalar(value, what=f"--set {name}"), f"--set {name}")


def parse_wecs(text: str) -> list[int] | str:
    """The value of `--wecs`: `all`, `fleet`, or counts such as `1,5,10`."""
    if text.strip() in ("all", "fleet"):
        return text.strip()
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"[0-9]{1,6}", part) for part in parts):
        raise UsageError(f"--wecs {shown(text)}: write counts such as 1,5,10, or all, or fleet")
    return [int(part) for part in parts]


def load(
    file: Path,
    models: Mapping[str, type[E]],
    *,
    sets: Sequence[str] = (),
    flags: Mapping[str, Any] | None = None,
    quick: bool = False,
) -> E:
    """The experiment of `file` with its overrides.

    `models` are the formats of all experiments by the word in the file (`fleet.experiments.registry` has them);
    `sets` are the values of `--set`; `flags` maps a dotted field to the value of its own flag, None when not given;
    `quick` sets what the experiment's short form has otherwise, where neither says it.
    Raises SpecError with file, line and field, or UsageError for an override that fits no field.
    """
    source = yaml_source.read(file)
    if not isinstance(source.data, dict):
        raise SpecError("must be a mapping of fields; begin with `experiment: wec-scaling`", file=file, line=1)
    model = _model(source, models)
    overrides = [parse_set(text) for text in sets]
    for field, value in (flags or {}).items():
        if value is None:
            continue
        path = tuple(field.split("."))
        flag = FLAGS.get(field, f"--{path[-1]}")
        if any(o.path == path for o in overrides):
            raise UsageError(f"{field} is given by {flag} and by --set: keep one of them")
        overrides.append(Override(path, value, flag))
    if quick:
        asked = {override.path for override in overrides}
        short = [Override(tuple(field.split(".")), value, "--quick") for field, value in model.QUICK.items()]
        overrides = [*(override for override in short if override.path not in asked), *overrides]
    data = source.data
    for override in overrides:
        data = _with(model, data, override)
    place = _placer(source, overrides)
    _check_raw(model, data, place)
    return validate(model, data, place)


def sweep(spec: PolicyExperiment, size: int) -> list[int]:
    """The WEC counts to run on a fleet of `size` WECs, ascending. UsageError when the fleet is too small."""
    if size < 1:
        raise UsageError("the fleet has no WEC: add some with `fleet up -e wec_count=5`")
    if spec.wecs == "fleet":
        return [size]
    if spec.wecs == "all":
        return sorted({count for count in SWEEP if count <= size} | {size})
    counts = sorted(int(count) for count in spec.wecs)
    if counts[-1] > size:
        raise UsageError(
            f"wecs: {counts[-1]} WECs are requested, the fleet has {size}:"
            f" lower --wecs, or grow it with `fleet up -e wec_count={counts[-1]}`"
        )
    return counts


def _model(source: Source, known: Mapping[str, type[E]]) -> type[E]:
    """The format of the experiment that the file says it is."""
    word = source.data.get("experiment")
    if word is None:
        raise SpecError(f"is missing: write one of {', '.join(known)}", file=source.file, line=1, field="experiment")
    model = known.get(word) if isinstance(word, str) else None
    if model is None:
        reason = f"{shown(word)} is no experiment{nearest(str(word), known)}"
        raise SpecError(reason, file=source.file, line=source.line(("experiment",)), field="experiment")
    return model


def _with(model: type[ExperimentFile], data: Any, override: Override, depth: int = 0) -> Any:
    """A copy of `data` with one field set; the parts of the path must be fields that the format has."""
    if depth == len(override.path):
        return override.value
    part, so_far = override.path[depth], override.path[: depth + 1]
    if isinstance(data, list):
        if not part.isdigit() or int(part) >= len(data):
            raise UsageError(f"{override.typed}: {dotted(so_far)}: the list has {len(data)} entries, counted from 0")
        return [_with(model, v, override, depth + 1) if i == int(part) else v for i, v in enumerate(data)]
    fields = fields_at(model, override.path[:depth])
    if fields is None or part not in fields:
        reason = unknown(model, so_far) if fields else f"{dotted(so_far[:-1])} has no fields"
        raise UsageError(f"{override.typed}: {dotted(so_far)}: {reason}")
    inner = data.get(part) if isinstance(data, dict) else None
    new = _with(model, {} if inner is None else inner, override, depth + 1)
    # Naming another branch of a choice takes the place of the one that the file names.
    rest = data if isinstance(data, dict) and not is_choice(model, so_far[:-1]) else {}
    return {**rest, part: new}


def _placer(source: Source, overrides: Sequence[Override]) -> Callable[[FieldPath], Place]:
    """Where a field came from: the words on the command line, or the file and its line."""

    def place(path: FieldPath) -> Place:
        words = tuple(str(part) for part in path)
        for override in reversed(overrides):
            if words[: len(override.path)] == override.path:
                return override.typed, None
        return source.file, source.line(path)

    return place


def _check_raw(
    model: type[ExperimentFile],
    data: Any,
    place: Callable[[FieldPath], Place],
    path: FieldPath = (),
    holder: FieldInfo | None = None,
) -> None:
    """Refuse what pydantic would take for something else: a bare number as a duration, true or false as a number."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    fields = fields_at(model, path) or {}
    for key, value in items:
        here = (*path, key)
        file, line = place(here)
        field = holder if isinstance(data, list) else fields.get(str(key))
        if isinstance(value, bool) and (field is None or field.annotation is not bool):
            raise SpecError(f"must not be {shown(value)}", file=file, line=line, field=dotted(here))
        if isinstance(value, (int, float)) and is_duration(field):
            raise SpecError(
                f"{value} has no unit: write 500ms, 30s, 5m or 1h30m", file=file, line=line, field=dotted(here)
            )
        _check_raw(model, value, place, here, field)
