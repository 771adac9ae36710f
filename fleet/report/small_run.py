"""A finding of the checker as a folder to be filed: a small run in which `fleet check` finds it again, and a text.

`<folder>/<rule>-<number>/` holds `run.json` (without paths of a user), `events.jsonl` (the lines that are about the
finding's objects, and the frame of their trial) and `finding.md`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import yaml

from fleet.analysis.checker.check import Checked
from fleet.analysis.checker.rule import Finding
from fleet.model.duration import written
from fleet.report.reproduce import commands
from fleet.results import events
from fleet.results.eventlog import decoder, open_log
from fleet.results.folder import EVENTS, RUN, RunFolder
from fleet.results.run import RunRecord, without_paths

FRAME = (
    events.RunMark, events.TrialPlan, events.GapSeen, events.ClusterState, events.Anomaly, events.FaultInjected,
    events.FaultHealed, events.ProgramChanged, events.LeaderChanged,
)  # fmt: skip
"""Kinds of lines that say what went on around an object; few of them in any run."""
SHOWN = 20
"""Raw lines in the text."""


@dataclass(frozen=True)
class Reproduction:
    """One finding's folder: its name, and files by name."""

    name: str
    files: Mapping[str, bytes]


def raw_lines(folder: RunFolder, numbers: Collection[int]) -> dict[int, bytes]:
    """Those lines of events.jsonl as they are, by number from 1 (blank ones are not counted)."""
    wanted = set(numbers)
    found: dict[int, bytes] = {}
    with open_log(folder.log) as file:
        number = 0
        for line in file:
            number += not line.isspace()
            if number in wanted and not line.isspace():
                found[number] = line
    return found


def reproductions(folder: RunFolder, record: RunRecord, checked: Checked) -> list[Reproduction]:
    """One per finding."""
    kept = _kept(folder, record, checked.findings)
    public = record.with_(fleet=without_paths(record.fleet))
    counts: dict[str, int] = {}
    made = []
    for finding, lines in zip(checked.findings, kept, strict=True):
        counts[finding.rule] = counts.get(finding.rule, 0) + 1
        shown = raw_lines(folder, finding.lines)
        files = {
            RUN: public.model_dump_json(indent=2).encode() + b"\n",
            EVENTS: b"".join(lines),
            "finding.md": _text(finding, public, checked.says[finding.rule], list(shown.values())).encode(),
        }
        made.append(Reproduction(f"{finding.rule}-{counts[finding.rule]}", files))
    return made


def _kept(folder: RunFolder, record: RunRecord, findings: Sequence[Finding]) -> list[list[bytes]]:
    """Of each finding its lines, in one pass."""
    kept: list[list[bytes]] = [[] for _ in findings]
    decode = decoder(record.format)
    wanted = [(set(one.lines), set(one.ops), one.trial) for one in findings]
    uids: list[set[str]] = [set(one.uids) for one in findings]
    with open_log(folder.log) as file:
        number = 0
        for raw in file:
            if raw.isspace():
                continue
            number += 1
            try:
                line = decode(raw)
            except msgspec.DecodeError:
                continue
            for index, (lines, ops, trial) in enumerate(wanted):
                mine = _ops(line) & ops
                if mine and isinstance(line, events.Seen):
                    uids[index].add(line.uid)
                about = mine or (isinstance(line, events.Seen) and line.uid in uids[index])
                frame = isinstance(line, FRAME) and getattr(line, "trial", "") in ("", trial)
                if number in lines or about or frame:
                    kept[index].append(raw)
    return kept


def _ops(line: events.Line) -> set[str]:
    match line:
        case events.Planned() | events.Sent() | events.WorkloadSeen():
            return {line.op}
        case events.HopSeen():
            return {fact.about[1] for fact in line.facts if fact.about[0] == "op"}
        case _:
            return set()


def _text(finding: Finding, record: RunRecord, says: str, lines: Sequence[bytes]) -> str:
    """What to file: what must hold, what was seen, with which versions, and how to make it again."""
    versions = {**record.fleet.versions, "testbed": record.version, "kernel": record.machine.kernel}
    shown = "".join(line.decode(errors="replace") for line in lines[:SHOWN])
    more = f"\n({len(lines) - SHOWN} more lines)" if len(lines) > SHOWN else ""
    shell = "\n".join(commands(record.fleet)[:2])
    spec = yaml.safe_dump(written(record.spec), sort_keys=False, default_flow_style=None)
    return (
        f"# {finding.rule}: {finding.object or finding.cluster}\n\n{finding.text}.\n\n"
        f"What must hold: {says}\n\n"
        f"Manager: {record.fleet.manager}. Run {record.id}"
        f"{f', trial {finding.trial}' if finding.trial else ''}.\n\n"
        f"## Versions\n\n{_list(versions)}\n"
        f"## Raw lines\n\n```json\n{shown}```{more}\n\n"
        "## How to make it again\n\n"
        "`fleet check` on this folder finds it in these lines. A new run, from the folder of the project, with the same"
        f" seed ({record.seed}), which draws the same schedule of faults:\n\n"
        f"```sh\n{shell}\n```\n\n`experiment.yaml`:\n\n```yaml\n{spec}```\n"
    )


def _list(values: Mapping[str, str]) -> str:
    return "".join(f"- {name}: {value}\n" for name, value in values.items() if value)
