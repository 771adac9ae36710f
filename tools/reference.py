"""Writes the reference that is made of the code: `python -m tools.reference`. A test compares."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import msgspec
import typer
from typer.cli import get_docs_for_click

from fleet.analysis import exposition, samples
from fleet.analysis.sample_columns import Samples
from fleet.cli import schemas
from fleet.cli.program import app
from fleet.experiments.registry import EXPERIMENTS
from fleet.managers import registry
from fleet.managers.kubestellar.status_agent import metrics as status_agent
from fleet.model import variable_page
from fleet.model.base import Model
from fleet.model.experiment_file import ExperimentFile, PolicyExperiment
from fleet.model.fleet_file import FleetFile
from fleet.model.manager_record import ManagerRecord
from fleet.results import events
from fleet.results.run import RunRecord
from tools.documented import Documented, fields, nested, sentence
from tools.links import ROOT

FOLDER = Path("docs") / "reference"
ALSO = " It also has the fields of experiments that distribute a workload."
DO_NOT_EDIT = "Generated from the code by `python -m tools.reference`; do not edit this page.\n"


def pages() -> Mapping[str, Callable[[], str]]:
    """File name below docs/reference, and what makes its text."""
    return {
        "cli.md": commands,
        "variables.md": variable_page.page,
        "experiment-fields.md": experiment_fields,
        "formats.md": formats,
        "metrics.md": metrics,
    }


def commands() -> str:
    """Every command with its arguments and options."""
    command = typer.main.get_command(app)
    context: Any = command.make_context("fleet", [], resilient_parsing=True)
    text = get_docs_for_click(obj=command, ctx=context, name="fleet", title="Command line")
    # What stands in angle brackets would be taken for HTML outside of code.
    return text.replace("# Command line\n", f"# Command line\n\n{DO_NOT_EDIT}", 1).rstrip() + "\n"


def experiment_fields() -> str:
    """The fields of every experiment file."""
    parts = [
        "# Experiment fields",
        "",
        DO_NOT_EDIT,
        "`fleet experiment show NAME` prints a file with all of its defaults. `--set FIELD=VALUE` sets a field for one",
        "run, `--set workload.objects=10` one inside another. Durations are written with their unit: `500ms`, `30s`,",
        "`5m`, `1h30m`; here they stand in seconds. [Run experiments](../how-to/experiments.md) says what each is for.",
        "",
        "## Every experiment",
        "",
        *_table(ExperimentFile),
        "## Experiments that distribute a workload",
        "",
        sentence(PolicyExperiment),
        "",
        *_table(PolicyExperiment),
    ]
    inside: dict[type, None] = {}
    _gather(ExperimentFile, inside)
    _gather(PolicyExperiment, inside)
    for name, experiment in EXPERIMENTS.items():
        both = ALSO if issubclass(experiment.file, PolicyExperiment) else ""
        parts += [f"## `{name}`", "", f"{sentence(experiment.file)}{both}", "", *_table(experiment.file)]
        _gather(experiment.file, inside)
    parts += ["## Fields inside fields", ""]
    for model in sorted(inside, key=lambda model: model.__name__):
        parts += [f"### {model.__name__}", "", sentence(model), "", *_table(model)]
    return "\n".join(parts).rstrip() + "\n"


def formats() -> str:
    """The lines of events.jsonl, run.json, fleet.json, the columns of samples."""
    links = [f"[{name}](../schemas/{schemas.file_name(name)})" for name in schemas.SCHEMAS]
    parts = [
        "# File formats",
        "",
        DO_NOT_EDIT,
        "[Architecture](../architecture.md) says which files a run folder and a fleet's folder hold. JSON Schemas,",
        f"which `fleet schema NAME` prints and editors use: {', '.join(links)}.",
        "",
        f"## events.jsonl, format {events.FORMAT}",
        "",
        "One JSON object per line; `t` names its kind. A field that has its default is left out. `ns` is the driver's",
        "monotonic clock at the receipt, before parsing; `wall` is Unix time of the same moment, both in nanoseconds.",
        "Each line has:",
        "",
        *_table(events.Event),
        "Lines of watches (`workload`, `hop`) also have:",
        "",
        *_table(events.Seen),
    ]
    for line in _lines(events.Event):
        parts += [f"### `{line.__struct_config__.tag}`", "", sentence(line), "", *_table(line)]
    parts += ["### Values in lines", ""]
    values: tuple[type, ...] = (events.ObjectRef, events.Fact)
    for value in values:
        parts += [f"**{value.__name__}** (a JSON array). {sentence(value)}", "", *_table(value)]
    parts += [
        "## samples.csv, samples.parquet",
        "",
        f"Columns: {', '.join(f'`{name}`' for name in samples.COLUMNS)}.",
        "",
    ]
    parts += [sentence(samples.Sample), "", *_table(samples.Sample)]
    for title, model in (("run.json", RunRecord), ("fleet.json", FleetFile)):
        parts += [f"## {title}", "", sentence(model), "", *_table(model)]
        inside: dict[type, None] = {}
        _gather(model, inside)
        for part in inside:
            if not issubclass(part, ExperimentFile | FleetFile):
                parts += [f"### {title}: {part.__name__}", "", sentence(part), "", *_table(part)]
    return "\n".join(parts).rstrip() + "\n"


def metrics() -> str:
    """Stages, flags, and what a Prometheus can read."""
    parts = [
        "# Stages and metrics",
        "",
        DO_NOT_EDIT,
        "A stage is a latency between two marks, in seconds on the driver's monotonic clock.",
        "[Managers](../concepts/managers.md) says what each mark is, [Architecture](../architecture.md#stages) which",
        "stages every manager has.",
        "",
    ]
    for name in registry.names():
        record: ManagerRecord = importlib.import_module(f"fleet.managers.{name}.record").RECORD
        rows: list[tuple[str, ...]] = [
            (f"`{row.name}`", row.text, f"`{row.begins}`", f"`{row.ends}`", row.per) for row in record.stages
        ]
        if rows:
            parts += [
                f"## Stages of {record.shown}",
                "",
                *_rows(("stage", "text", "from", "to", "one sample per"), rows),
            ]
        if record.fixed:
            rows = [(d.name, f"`{d.mark}`", f"{d.seconds:g} s", "yes" if d.holds_back else "no") for d in record.fixed]
            parts += ["Fixed delays:", "", *_rows(("delay", "before", "length", "counted from an earlier event"), rows)]
    for name, experiment in EXPERIMENTS.items():
        own = getattr(experiment, "own_stages", ())
        if own:
            rows = [(f"`{row.name}`", row.text, f"`{row.begin}`", f"`{row.end}`", row.resource or "all") for row in own]
            parts += [f"## Stages of `{name}`", "", *_rows(("stage", "text", "from", "to", "resource"), rows)]
    flags = " ".join((_below(samples, "Flag") or "").split())
    rows = [(f"`{flag}`", _of(flag, flags)) for flag in get_args(samples.Flag)]
    parts += ["## Flags of samples", "", *_rows(("flag", "meaning"), rows)]
    parts += [
        "## Prometheus",
        "",
        "With `monitoring_enabled`, a Prometheus reads the programs' own metrics and these.",
        "",
        "### The driver, between trials; also `fleet export --format openmetrics`",
        "",
        *_rows(("metric", "type", "what"), _of_a_run()),
        "### The status agent",
        "",
        *_rows(("metric", "type", "what"), _helped(status_agent.render(status_agent.Metrics(), {}))),
        "### A dense process",
        "",
        *_rows(("metric", "type", "what"), _of_dense()),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _of_a_run() -> list[tuple[str, str, str]]:
    empty = exposition.Exposition(ManagerRecord(name="none"), Samples(), {})
    stage = (
        "fleet_<stage>_duration_seconds",
        "histogram",
        "The stage; a manager's own exporter may have another name.",
    )
    return [
        stage,
        ("`fleet_send_lag_seconds`", "histogram", "Scheduled moment to the send."),
        *_helped(empty.prometheus()),
    ]


def _helped(text: str) -> list[tuple[str, str, str]]:
    """Name, type and text of each metric in Prometheus' text format."""
    types = dict(re.findall(r"# TYPE (\S+) (\S+)", text))
    return [(f"`{name}`", types[name], what) for name, what in re.findall(r"# HELP (\S+) (.*)", text)]


def _of_dense() -> list[tuple[str, str, str]]:
    source = (ROOT / "toolchain" / "controlplane" / "dense" / "metrics.go").read_text(encoding="utf-8")
    found = re.findall(r'NewDesc\("(\w+)",\s*"([^"]*)"', source)
    return [(f"`{name}`", "counter" if name.endswith("_total") else "gauge", what) for name, what in found]


def _below(module: object, name: str) -> str:
    """The text below an assignment of a module."""
    source = Path(str(module.__file__)).read_text(encoding="utf-8")  # type: ignore[attr-defined]
    found = re.search(rf'^{name} = .*?^"""(.*?)"""', source, re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


def _of(flag: str, text: str) -> str:
    """What `flag: meaning; other, flag: meaning.` says of one of them."""
    for part in text.rstrip(".").split("; "):
        names, _, meaning = part.partition(": ")
        if flag in names.split(", "):
            return meaning
    return ""


def _lines(base: type[events.Event]) -> Iterator[type[events.Event]]:
    """Kinds of lines, in the order in which they are declared."""
    for line in base.__subclasses__():
        if isinstance(line.__struct_config__.tag, str) and line.__struct_config__.tag != line.__name__:
            yield line
        yield from _lines(line)


def _gather(model: type, into: dict[type, None]) -> None:
    """Models inside the fields of one, and inside those."""
    for part in nested(model, Model):
        if part not in into and not issubclass(part, ExperimentFile):
            into[part] = None
            for base in part.__mro__[1:]:
                if issubclass(base, Model) and base is not Model:
                    _gather(base, into)
            _gather(part, into)


def _table(cls: type) -> list[str]:
    """Its fields and those of what it derives from, short of the bases that have a table of their own."""
    listed: dict[str, Documented] = {}
    meanings: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not _declares(base):
            continue
        for field in fields(base):
            meanings[field.name] = field.text or meanings.get(field.name) or _meaning(base, field)
            if base is cls or base not in APART:
                listed[field.name] = field
    rows = []
    for name, field in listed.items():
        default = (
            f"`{field.default}`" if field.default not in {"", "''"} else ("required" if not field.default else "empty")
        )
        if re.fullmatch(r"\w+\(\)", field.default):
            default = "its own defaults"
        rows.append((f"`{name}`", f"`{field.kind}`", default, meanings[name]))
    return _rows(("field", "type", "default", "what"), rows) if rows else []


APART = {ExperimentFile, PolicyExperiment, Model, events.Event, events.Seen}


def _declares(base: type) -> bool:
    return issubclass(base, Model | msgspec.Struct) and base not in (Model, msgspec.Struct)


def _meaning(owner: type, field: Documented) -> str:
    """Of a field that says nothing itself: what the model in it says."""
    for part in nested(owner, Model):
        if re.search(rf"\b{part.__name__}\b", field.kind):
            return sentence(part)
    return ""


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    escaped = [[cell.replace("|", "&#124;") if "`" not in cell else _in_code(cell) for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *escaped)] + [""]


def _in_code(cell: str) -> str:
    """A bar ends a cell even in code, where only a backslash hides it."""
    return cell.replace("|", "\\|")


def main() -> int:
    """Write every page."""
    for name, made in pages().items():
        (ROOT / FOLDER / name).write_text(made(), encoding="utf-8")
        print(FOLDER / name, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
