"""What a fleet reports about itself: profiles of every program, a Prometheus that every panel finds its values in."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleet.analysis.pprof import Profile, difference, read, top
from fleet.model import fleet_load
from fleet.simulators.scraped import address_of
from tests.live.conftest import FAST, shared_lab
from tests.live.lab import REPO, Lab
from tests.live.runs import valid

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("observed")]

DASHBOARD = REPO / "roles" / "monitoring" / "files" / "dashboards" / "fleet.json"
INTERVAL = 5
ANSWER_SECONDS = 90
"""Rates over a minute need two scrapes in it, and the rules a round more."""
_SHARE = r"-?[\d.]+(?:e-\d+)?%"
"""A few bytes of many megabytes are printed as 1.2e-05%."""
_ROW = re.compile(rf"^ *(-?\d+)B? +{_SHARE} +{_SHARE} +(-?\d+)B? +{_SHARE} +(\S.*?)(?: \((?:partial-)?inline\))?$")


@pytest.fixture(scope="module")
def observed() -> Iterator[Lab]:
    """Two dense WECs with everything open that can be, and Prometheus."""
    switches = {"control_plane_debug": True, "monitoring_enabled": True, "monitoring_interval": f"{INTERVAL}s"}
    with shared_lab("t-observe", {"wec_count": 2, **switches, **FAST}) as lab:
        lab.playbook("site.yml").check()
        yield lab


def upstream_top(*words: str) -> dict[str, tuple[int, int]]:
    """Function -> flat, cumulative as `go tool pprof -top` prints them, nothing trimmed."""
    go = shutil.which("go")
    assert go is not None
    every = ["-top", "-nodefraction=0", "-edgefraction=0", "-nodecount=1000000", "-unit=B", "-sample_index=inuse_space"]
    done = subprocess.run(
        [go, "tool", "pprof", *every, *words], check=True, capture_output=True, text=True, timeout=120
    )
    rows = [match for line in done.stdout.partition("cum%")[2].splitlines() if (match := _ROW.match(line))]
    return {row[3]: (int(row[1]), int(row[2])) for row in rows if (row[1], row[2]) != ("0", "0")}


def as_upstream_prints(function: str) -> str:
    """`go tool pprof` takes a name with type parameters for C++ and drops what stands in its parentheses."""
    if ".<" in function or "])." in function or not re.search(r"[<>\[\]]|::", function):
        return function
    for innermost in (r"\([^()]*\)", r"<[^<>]*>"):
        while (shorter := re.sub(innermost, "", function)) != function:
            function = shorter
    return function


def our_top(profile: Profile) -> dict[str, tuple[int, int]]:
    """Function -> flat, cumulative as our reader counts them, under the names that upstream prints."""
    stacks = tuple(
        replace(stack, functions=tuple(map(as_upstream_prints, stack.functions))) for stack in profile.stacks
    )
    return {cost.function: (cost.flat, cost.cumulative) for cost in top(replace(profile, stacks=stacks), "inuse_space")}


def test_every_program_in_go_gives_its_profiles_and_our_reader_agrees_with_upstreams(
    observed: Lab, tmp_path: Path
) -> None:
    kinds = ["--kind", "heap", "--kind", "goroutine", "--kind", "cpu", "--seconds", "1"]
    fetched = [tmp_path / "one", tmp_path / "two"]
    for folder in fetched:
        observed.fleet("profiles", *kinds, "--fleet", observed.name, "--out", str(folder)).check()
    fleet = fleet_load.load(observed.folder / "fleet.json")
    silent = ("status-agent", "prometheus", "node-exporter")
    expected = {c.program for c in fleet.components if c.component not in silent}
    assert {path.name for path in fetched[0].iterdir()} == expected
    for program in sorted(expected):
        (old,), (new,) = ([*(folder / program).glob("heap-*")] for folder in fetched)
        profile = read(new.read_bytes())
        assert our_top(profile) == upstream_top(str(new)), program
        grown = difference(read(old.read_bytes()), profile)
        assert our_top(grown) == upstream_top(f"-diff_base={old}", str(new)), program


def test_a_run_takes_profiles_and_shows_them(observed: Lab, tmp_path: Path) -> None:
    sets = ["enabled=true", "interval=10s", "kinds=[heap, cpu]", "seconds=1s"]
    ran = observed.fleet(
        "experiment", "run", "wec-scaling", "--fleet", observed.name, "--wecs", "2", "--repeats", "1",
        "--results", str(tmp_path), "--set", "warmup=0",
        *(word for one in sets for word in ("--set", f"profiles.{one}")),
    )  # fmt: skip
    page = valid(observed, ran)
    text = page.read_text(encoding="utf-8")
    assert "That disturbs what is measured" in text
    assert '<details class="flame">' in text
    assert list((page.parent / "profiles" / "dense.0").glob("heap-*.pb.gz"))
    words = ["export", str(page.parent), "--format", "pyroscope", "--out", str(tmp_path / "out")]
    exported = observed.fleet(*words).check()
    assert all(Path(line).is_file() for line in exported.out.splitlines())


def asked(base: str, path: str, **query: str) -> Any:
    """The `data` of one answer of Prometheus."""
    url = f"{base}{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - http on loopback, from our own fleet file
        return json.load(answer)["data"]


def test_every_target_answers_and_every_panel_has_values(observed: Lab) -> None:
    """After the run above, whose stages the driver has shown."""
    fleet = fleet_load.load(observed.folder / "fleet.json")
    (base,) = (url for component in fleet.components if (url := address_of(component)))
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    queries = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    assert len(queries) > 30
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        targets = asked(base, "/api/v1/targets")["activeTargets"]
        down = [(one["labels"]["instance"], one["lastError"]) for one in targets if one["health"] != "up"]
        empty = [query for query in queries if not asked(base, "/api/v1/query", query=query)["result"]]
        if not down and not empty:
            break
        assert time.monotonic() < deadline, (down, empty)
        time.sleep(INTERVAL)
    assert {one["labels"]["instance"] for one in targets} == {c.program for c in fleet.components if c.metrics} | {
        "prometheus",
        "node-exporter",
    }
    rules = [rule for group in asked(base, "/api/v1/rules")["groups"] for rule in group["rules"]]
    assert rules
    assert {rule["health"] for rule in rules} == {"ok"}


def test_a_second_run_of_site_changes_nothing_and_monitoring_can_be_ended(observed: Lab) -> None:
    recap = observed.playbook("site.yml").check().out
    assert re.search(r"changed=0\s", recap), recap[-2000:]
    observed.playbook("site.yml", monitoring_enabled=False).check()
    status = observed.fleet("status", "--fleet", observed.name, "-o", "json").check()
    assert "prometheus" not in status.out
