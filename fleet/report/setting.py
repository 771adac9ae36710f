"""What ran, on what, how well watched: one line each."""

from __future__ import annotations

from fleet.analysis.study import Study


def facts(study: Study) -> list[tuple[str, str]]:
    """Name and value of each line; the manager first, with what of it may not be upstream's."""
    run, fleet = study.run, study.run.fleet
    versions = ", ".join(f"{name} {version}" for name, version in sorted(fleet.versions.items()))
    return [
        ("Manager", str(fleet.manager)),
        ("Versions", versions or "none given"),
        *((("Platforms", "; ".join(map(str, fleet.platforms))),) if fleet.platforms else ()),
        ("Fleet", _fleet(study)),
        *([("WECs", shared)] if (shared := _sharing(study)) else []),
        *([("Nodes", fleet.node_load)] if fleet.node_load else []),
        *([("Links", links)] if (links := _links(study)) else []),
        ("Machine", _machine(study)),
        ("Limits of the machine", _limits(study)),
        ("Driver", _driver(study)),
        ("Clock", f"{run.clock.implementation or 'monotonic'}, one process, stamped at receipt"),
        ("Program", f"{run.version or 'unknown'} {run.git}".strip() + f", Python {run.machine.python}"),
        ("Toolchain", f"sha256 {fleet.toolchain_digest.removeprefix('sha256:')[:16]}"),
        ("Inventory", f"{fleet.inventory or 'not recorded'}, sha256 {run.inventory_sha256[:16] or 'not recorded'}"),
        ("Run", f"{run.id}, seed {run.seed}, started {run.started}, ended {run.ended or 'never'}"),
    ]


def _fleet(study: Study) -> str:
    fleet = study.run.fleet
    wecs = fleet.wecs()
    drivers = ", ".join(sorted({cluster.driver for cluster in wecs})) or "no"
    sources = len(fleet.sources())
    term = study.run.manager.term("source")
    nodes = f"{_many(fleet.wec_nodes, f'{fleet.node_simulator} node')}{fleet.node_kinds()}"
    return (
        f"{fleet.name}: {_many(len(wecs), 'WEC')} ({drivers} driver), {nodes} each, "
        f"{_many(sources, term, f'{term}es') + ', ' if sources > 1 else ''}{_many(len(fleet.machines), 'machine')}"
    )


def _sharing(study: Study) -> str:
    """Whether WECs are as upstream makes them; empty where nobody says, or none is of the dense driver."""
    fleet = study.run.fleet
    variables = fleet.variables
    dense = any(cluster.driver == "dense" for cluster in fleet.wecs())
    if not dense or "dense_sharing" not in variables:
        return ""
    said = (
        "those of one process share what never changes, informers and the way to the API server (dense_sharing)"
        if variables["dense_sharing"]
        else "each as upstream makes it (dense_sharing: false)"
    )
    programs = variables.get("wec_programs")
    if programs:
        said += "; kwok and agents " + ("of many in one process" if programs == "shared" else "in a process each")
    nap = variables.get("dense_hibernate")
    return f"{said}; asleep after {nap} without a connection" if nap else said


def _links(study: Study) -> str:
    """Of machines that have one between their WECs and the hub."""
    machines = [machine for machine in study.run.fleet.machines if machine.wan is not None]
    told = "; ".join(f"{machine.name}: {machine.wan}" for machine in machines)
    return f"{told}; swept by the experiment" if study.roundtrips else told


def _machine(study: Study) -> str:
    machine = study.run.machine
    return (
        f"{machine.cpu_model or 'unknown processor'}, {_many(machine.cores, 'core')}, "
        f"{machine.memory_bytes / (1 << 30):.1f} GiB, Linux {machine.kernel or 'unknown'}"
    )


def _limits(study: Study) -> str:
    machine = study.run.machine
    pressure = ", ".join(f"{name} {value:.1f} %" for name, value in sorted(machine.pressure.items()))
    return (
        f"{machine.nofile_soft} open files, {machine.inotify_instances} inotify instances; "
        f"pressure at the start: {pressure or 'not readable'}"
    )


def _driver(study: Study) -> str:
    driver = study.run.driver
    return (
        f"loop late by {driver.loop_lag_p99 * 1e3:.2f} ms (p99), {driver.loop_lag_max * 1e3:.1f} ms (max); "
        f"{_many(driver.watches, 'watch', 'watches')}, {_many(driver.events, 'event')}, {_many(driver.gaps, 'gap')}"
    )


def _many(count: int, word: str, words: str = "") -> str:
    return f"{count} {word if count == 1 else words or word + 's'}"
