"""A fleet behind a link: agents dial it, its delay is what was requested and changes while all runs on, and it goes."""

from __future__ import annotations

import json
import os
import ssl
import time
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import pytest

from fleet.managers.ocm.identities import server_of
from fleet.model import fleet_load
from fleet.model.link import Link
from tests.live.conftest import FAST, own_lab
from tests.live.lab import Lab, changed
from tests.live.runs import valid

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("lab"),
    pytest.mark.skipif(os.environ.get("FLEET_TEST_LAB") != "1", reason="minutes: `make test-lab` runs it"),
]

GETS = 20


@pytest.fixture(scope="module")
def linked() -> Iterator[Lab]:
    """Two dense WECs behind a link without delay; the first test builds them."""
    with own_lab("t-link", {"wec_count": 2, "wan": {"rtt": "0ms"}, **FAST}) as made:
        yield made


def listener(lab: Lab) -> str:
    """The URL of the link."""
    (program,) = [c for c in fleet_load.load(lab.folder / "fleet.json").components if c.component == "link"]
    return "https://" + next(word.partition("=")[2] for word in program.argv if word.startswith("--listen="))


def get_seconds(lab: Lab, url: str) -> float:
    """Median of GETs of the ITS's version over one connection, its certificate verified."""
    pki = lab.folder / "clusters" / "its1" / "pki"
    context = ssl.create_default_context(cafile=str(lab.folder / "pki" / "ca.crt"))
    context.load_cert_chain(str(pki / "admin.crt"), str(pki / "admin.key"))
    place = urlsplit(url)
    connection = HTTPSConnection(str(place.hostname), place.port, timeout=30, context=context)
    took = []
    try:
        for _ in range(GETS + 1):
            began = time.monotonic()
            connection.request("GET", "/version")
            assert connection.getresponse().read()
            took.append(time.monotonic() - began)
    finally:
        connection.close()
    return median(took[1:])


def agents(lab: Lab) -> dict[str, int]:
    """Process ids of what speaks through the link."""
    status = json.loads(lab.fleet("status", "--fleet", lab.name, "-o", "json").check().out)
    text = json.dumps(status)
    assert "ocm-agent" in text
    return {
        process.cmdline()[2]: process.pid
        for process in lab.processes()
        if any(word.startswith("--spoke-cluster-name=") for word in process.cmdline())
    }


def test_it_is_built_and_a_second_run_changes_nothing(linked: Lab) -> None:
    linked.playbook("site.yml", "--check", "--diff").check()
    assert changed(linked.playbook("site.yml").check()) > 0
    assert changed(linked.playbook("site.yml").check()) == 0
    assert changed(linked.playbook("site.yml", "--check").check()) == 0
    assert fleet_load.load(linked.folder / "fleet.json").machines[0].wan == Link()
    for wec in ("wec001", "wec002"):
        assert server_of((linked.folder / "agents" / wec / "hub" / "kubeconfig").read_bytes()) == listener(linked)
    assert server_of((linked.folder / "hub" / "status-agent.kubeconfig").read_bytes()) == listener(linked)
    socket = linked.folder / "run" / "link.sock"
    assert socket.stat().st_mode & 0o777 == 0o600


def test_bad_values_are_refused_before_anything_is_changed(linked: Lab) -> None:
    refused = linked.playbook("site.yml", wan={"rtt": "40ms", "loss": "1%"}).check(2)
    assert "wan: loss: the link is a TCP proxy, which cannot lose packets: leave it out" in refused.out
    assert fleet_load.load(linked.folder / "fleet.json").machines[0].wan == Link()


def test_another_delay_is_given_to_the_running_link(linked: Lab) -> None:
    direct = get_seconds(linked, fleet_load.load(linked.folder / "fleet.json").of_role("its")[0].server)
    through = get_seconds(linked, listener(linked))
    before = agents(linked)
    asked = {"rtt": "80ms", "rate": "100mbit"}
    assert changed(linked.playbook("site.yml", "--tags", "binaries,link,record", wan=asked).check()) == 2
    delayed = get_seconds(linked, listener(linked))
    # Timers may be late and never early; how late says how busy the machine is.
    assert through < 0.08 <= delayed - min(direct, through) + 0.005
    assert agents(linked) == before
    assert fleet_load.load(linked.folder / "fleet.json").machines[0].wan == Link(rtt=0.08, rate=100e6)
    assert changed(linked.playbook("site.yml", wan=asked).check()) == 0
    print(f"GET: direct {direct * 1e3:.2f} ms, link {through * 1e3:.2f} ms, 80 ms {delayed * 1e3:.2f} ms")  # noqa: T201


def test_link_latency_measures_what_the_protocol_asks_for(linked: Lab, tmp_path: Path) -> None:
    ran = linked.fleet(
        "experiment", "run", "link-latency", "--quick", "--fleet", linked.name, "--results", str(tmp_path)
    )
    path = valid(linked, ran)
    found = {row["stage"]: row for row in json.loads((path.parent / "summary.json").read_text())["roundtrips"]}
    print({stage: round(row["measured"], 2) for stage, row in found.items()})  # noqa: T201
    assert set(found) >= {"binding", "packaging", "delivery", "activation", "downsync"}
    # Half a round trip apart would be another protocol.
    assert found["delivery"]["predicted"] >= 1.5
    assert abs(found["delivery"]["measured"] - found["delivery"]["predicted"]) <= 0.5
    page = path.read_text(encoding="utf-8")
    assert "What a round trip costs" in page
    # The links have their own delay again.
    assert fleet_load.load(linked.folder / "fleet.json").machines[0].wan == Link(rtt=0.08, rate=100e6)


def test_without_the_variable_the_link_goes_and_agents_go_straight(linked: Lab) -> None:
    assert changed(linked.playbook("site.yml", wan={}).check()) > 0
    assert changed(linked.playbook("site.yml", wan={}).check()) == 0
    fleet = fleet_load.load(linked.folder / "fleet.json")
    assert fleet.machines[0].wan is None
    assert not [c for c in fleet.components if c.component == "link"]
    assert not (linked.folder / "link").exists()
    for wec in ("wec001", "wec002"):
        hub = server_of((linked.folder / "agents" / wec / "hub" / "kubeconfig").read_bytes())
        assert hub == fleet.of_role("its")[0].server
    refused = linked.fleet("experiment", "run", "link-latency", "--fleet", linked.name).check(2)
    assert "has none: build the fleet with one" in refused.err


def test_teardown_of_a_fleet_with_a_link_leaves_nothing(linked: Lab) -> None:
    linked.playbook("site.yml").check()
    linked.playbook("playbooks/teardown.yml").check()
    assert linked.processes() == []
    assert not linked.folder.exists()
    ports = linked.state / "ports.json"
    assert not ports.exists() or linked.name not in ports.read_text(encoding="utf-8")
