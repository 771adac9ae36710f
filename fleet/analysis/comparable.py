"""What differs between two runs alongside their numbers, and which of it forbids to compare them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.analysis.study import Study

MEMORY_SHARE = 0.05
"""Memory sizes closer than this are one machine size: firmware and the kernel keep a little to themselves."""
PRESSURE_POINTS = 10.0
"""Difference of the PSI averages, in percentage points, that a reader should know of."""

SHARED = ("dense_sharing", "dense_openapi", "dense_hibernate", "wec_programs")
"""Variables that say how much of the WECs is not as upstream makes it."""
_PORT_DIGITS = 5


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same. `blocks`: the numbers would not say what the user asks."""

    field: str
    a: str
    b: str
    blocks: bool


def differences(a: Study, b: Study) -> list[Difference]:
    """Those that block first. Client limits and flags never block: comparing them is what a comparison is for."""
    found = [Difference(name, was, now, blocks) for name, was, now, blocks in _facts(a, b) if was != now]
    return sorted(found, key=lambda difference: not difference.blocks)


def _facts(a: Study, b: Study) -> Iterator[tuple[str, str, str, bool]]:
    yield from _runs(a, b)
    yield from _machines(a, b)
    yield from _versions(a, b)
    yield from _specs(a, b)
    yield from _fleets(a, b)


def _runs(a: Study, b: Study) -> Iterator[tuple[str, str, str, bool]]:
    broken = "invalid" in (a.verdict.status, b.verdict.status)
    yield "run.status", a.verdict.status, b.verdict.status, broken
    if a.verdict.status == b.verdict.status == "invalid":
        yield "run.status", "invalid", "invalid too", True
    yield "run.version", a.run.version, b.run.version, False
    yield "run.git", a.run.git, b.run.git, False


def _machines(a: Study, b: Study) -> Iterator[tuple[str, str, str, bool]]:
    one, two = a.run.machine, b.run.machine
    yield "machine.cpu_model", one.cpu_model, two.cpu_model, True
    yield "machine.cores", str(one.cores), str(two.cores), True
    if abs(one.memory_bytes - two.memory_bytes) > MEMORY_SHARE * max(one.memory_bytes, two.memory_bytes):
        yield "machine.memory_bytes", str(one.memory_bytes), str(two.memory_bytes), True
    yield "machine.kernel", one.kernel, two.kernel, True
    yield "machine.python", one.python, two.python, False
    yield "machine.nofile_soft", str(one.nofile_soft), str(two.nofile_soft), False
    for name in sorted({*one.pressure, *two.pressure}):
        was, now = one.pressure.get(name, 0.0), two.pressure.get(name, 0.0)
        if abs(was - now) >= PRESSURE_POINTS:
            yield f"machine.pressure.{name}", f"{was:.1f} %", f"{now:.1f} %", False
    yield "fleet.machines", str(len(a.run.fleet.machines)), str(len(b.run.fleet.machines)), True


def _versions(a: Study, b: Study) -> Iterator[tuple[str, str, str, bool]]:
    one, two = a.run.fleet, b.run.fleet
    for name in sorted({*one.versions, *two.versions}):
        both = name in one.versions and name in two.versions  # else one of the toolchains was before the program
        yield f"fleet.versions.{name}", one.versions.get(name, "none"), two.versions.get(name, "none"), both
    managers = a.run.manager, b.run.manager
    if managers[0].name != managers[1].name:
        yield "manager", str(one.manager), str(two.manager), False
    was, now = one.manager.facts, two.manager.facts
    for name in sorted({*was, *now}):
        both = managers[0].name == managers[1].name  # else they are what is compared
        yield f"fleet.manager.{name}", was.get(name, "none"), now.get(name, "none"), both
    digests = [fleet.toolchain_digest.removeprefix("sha256:")[:16] for fleet in (one, two)]
    yield "fleet.toolchain_digest", digests[0], digests[1], False


def _specs(a: Study, b: Study) -> Iterator[tuple[str, str, str, bool]]:
    one, two = a.run.spec, b.run.spec
    yield "spec.experiment", one.experiment, two.experiment, True
    was, now = (spec.workload.model_dump() if spec.workload else {} for spec in (one, two))
    for name in sorted({*was, *now}):
        yield f"spec.workload.{name}", str(was.get(name)), str(now.get(name)), True
    yield "layouts that ran", _layouts(a), _layouts(b), True
    yield "WEC counts that ran", _wecs(a), _wecs(b), True
    was, now = one.profiles.model_dump(), two.profiles.model_dump()
    if one.profiles.enabled or two.profiles.enabled:  # they disturb
        for name in sorted(was):
            yield f"spec.profiles.{name}", str(was.get(name)), str(now.get(name)), True
    rest = {"profiles", "experiment", "workload", "layouts", "wecs", "name", "description", "format", "thresholds"}
    was, now = one.model_dump(exclude=rest), two.model_dump(exclude=rest)
    for name in sorted({*was, *now}):
        yield f"spec.{name}", str(was.get(name)), str(now.get(name)), False


def _fleets(a: Study, b: Study) -> Iterator[tuple[str, str, str, bool]]:
    one, two = a.run.fleet, b.run.fleet
    was, now = one.limits, two.limits
    for name in sorted({*was, *now}):
        yield f"fleet.limits.{name}", f"{was.get(name)}", f"{now.get(name)}", False
    yield "fleet WECs", str(len(one.wecs())), str(len(two.wecs())), False
    yield "fleet transports", str(len(one.transports())), str(len(two.transports())), False
    yield "fleet drivers", _drivers(a), _drivers(b), False
    for name in ("node_simulator", "wec_nodes", "wec_hollow_nodes"):
        yield f"fleet.{name}", str(getattr(one, name)), str(getattr(two, name)), False
    was_placed, now_placed = (str(fleet.variables.get("hollow_placement", "process")) for fleet in (one, two))
    yield "fleet.hollow_placement", was_placed, now_placed, False
    yield "fleet links", _links(a), _links(b), False
    for name in SHARED:
        yield f"fleet.{name}", str(one.variables.get(name)), str(two.variables.get(name)), False
    flags_a, flags_b = _flags(a), _flags(b)
    for name in sorted({*flags_a, *flags_b}):
        left = " ".join(sorted(flags_a.get(name, set()) - flags_b.get(name, set())))
        right = " ".join(sorted(flags_b.get(name, set()) - flags_a.get(name, set())))
        yield f"flags of {name}", left or "none of its own", right or "none of its own", False


def _layouts(study: Study) -> str:
    return ", ".join(sorted({plan.layout for plan in study.recorded.trials})) or "none"


def _wecs(study: Study) -> str:
    return ", ".join(str(count) for count in sorted({plan.wecs for plan in study.recorded.trials})) or "none"


def _drivers(study: Study) -> str:
    return ", ".join(sorted({cluster.driver for cluster in study.run.fleet.wecs()})) or "none"


def _links(study: Study) -> str:
    return "; ".join(sorted({str(machine.wan) for machine in study.run.fleet.machines if machine.wan})) or "none"


def _flags(study: Study) -> dict[str, set[str]]:
    """Flags of the first program of each component whose value is no address or path of one fleet; agents of further
    transports, which are named after them, have some of their own."""
    found: dict[str, set[str]] = {}
    for component in study.run.fleet.components:
        if component.component not in found and component.program.partition(".")[0] == component.component:
            found[component.component] = {
                word for word in component.argv[1:] if word.startswith("-") and not _own(word.partition("=")[2])
            }
    return found


def _own(value: str) -> bool:
    """A path, an address or a port: every fleet has its own, and they change nothing."""
    return "/" in value or ":" in value or "$STATE" in value or (value.isdigit() and len(value) >= _PORT_DIGITS)
