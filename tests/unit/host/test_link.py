"""The link of a machine: what a profile becomes, and that the second run changes nothing. Real supervisord."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.errors import HostError, UsageError
from fleet.host.link import EXECUTABLE, FakeLink, LinkSpec, bring, converge_link, remove_link, toxics
from fleet.host.machine import Machine
from fleet.host.program_folders import ProgramFolders
from fleet.install.control_planes import teardown
from fleet.model.link import Link

LISTENER = f"""#!{sys.executable}
'''As much of the link as a convergence sees: toxiproxy's API over a unix socket, without a proxy behind it.'''
import http.server, json, os, socketserver, sys
flags = dict(word[2:].split("=", 1) for word in sys.argv[1:])
toxics = {{toxic["name"]: toxic for toxic in json.load(open(flags["toxics"]))}}

class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments): pass
    def answer(self, document):
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.answer({{"name": "hub", "toxics": list(toxics.values())}})
    def do_PATCH(self):
        name = self.path.rsplit("/", 1)[1]
        toxics[name] |= json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(toxics[name])

if flags["upstream"].endswith(":1"):
    sys.exit("no such hub")
if os.path.exists(flags["api"]):
    os.remove(flags["api"])
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    def get_request(self):
        return self.socket.accept()[0], ("local", 0)
Server(flags["api"], Handler).serve_forever()
"""


@pytest.fixture
def machine() -> Iterator[Machine]:
    with tempfile.TemporaryDirectory(prefix="fk-") as folder:
        programs = Path(folder) / "bin"
        programs.mkdir()
        listener = programs / EXECUTABLE
        listener.write_text(LISTENER)
        listener.chmod(0o755)
        found = Machine("demo", Path(folder) / "state" / "demo", ProgramFolders((programs,)))
        try:
            yield found
        finally:
            teardown(found)


def spec(machine: Machine, link: Link, upstream: str = "https://127.0.0.1:20500") -> LinkSpec:
    return LinkSpec(machine, link, upstream)


def test_half_the_round_trip_each_way_and_bytes_of_bits() -> None:
    # 41 ms are 21 towards the hub and 20 back; 8 Mbit/s are 1,000,000 bytes a second.
    found = {toxic.name: dict(toxic.attributes) for toxic in toxics(Link(rtt=0.041, jitter=0.003, rate=8e6))}
    assert found == {
        "delay_up": {"latency": 21, "jitter": 2},
        "rate_up": {"rate": 1_000_000},
        "delay_down": {"latency": 20, "jitter": 1},
        "rate_down": {"rate": 1_000_000},
    }


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=60_000), st.data())
def test_the_two_ways_add_up_and_no_delay_is_negative(rtt: int, data: st.DataObject) -> None:
    jitter = data.draw(st.integers(min_value=0, max_value=rtt))
    ways = [toxic.attributes for toxic in toxics(Link(rtt=rtt / 1000, jitter=jitter / 1000)) if toxic.type == "latency"]
    assert sum(way["latency"] for way in ways) == rtt
    assert sum(way["jitter"] for way in ways) == jitter
    assert all(way["jitter"] <= way["latency"] for way in ways)


def test_only_what_differs_is_given_to_a_running_link() -> None:
    running = FakeLink(Link(rtt=0.04))
    assert bring(running, toxics(Link(rtt=0.04))) == []
    assert bring(running, toxics(Link(rtt=0.04, rate=8e6))) == ["rate_up", "rate_down"]
    assert bring(running, toxics(Link(rtt=0.041, rate=8e6))) == ["delay_up"]
    assert running.put_names == ["rate_up", "rate_down", "delay_up"]


def test_a_link_comes_changes_while_it_runs_and_goes(machine: Machine) -> None:
    promised = converge_link(spec(replace(machine, check=True), Link(rtt=0.04)))
    assert promised.change.changed
    assert not machine.root.exists()

    first = converge_link(spec(machine, Link(rtt=0.04)))
    assert first.change.after["link"] == "rtt 40ms"
    (block,) = machine.registry.blocks("demo")
    assert first.server == f"https://127.0.0.1:{block.start}"
    pid = machine.supervisor.states()[0].pid
    assert not converge_link(spec(machine, Link(rtt=0.04))).change.changed
    assert not converge_link(spec(replace(machine, check=True), Link(rtt=0.04))).change.changed

    other = converge_link(spec(machine, Link(rtt=0.1)))
    assert (other.change.before, other.change.after) == ({"link": "rtt 40ms"}, {"link": "rtt 100ms"})
    assert machine.supervisor.states()[0].pid == pid
    assert (machine.root / "link" / "toxics.json").stat().st_mode & 0o777 == 0o600

    assert remove_link(replace(machine, check=True)).before["link"] == "rtt 100ms"
    assert remove_link(machine).changed
    assert not (machine.root / "link").exists()
    assert machine.registry.blocks("demo") == []
    assert not remove_link(machine).changed


def test_a_killed_run_is_repaired(machine: Machine) -> None:
    converge_link(spec(machine, Link(rtt=0.04)))
    # As a run that was killed when the link had been given other attributes, before it wrote down which.
    (machine.root / "link" / "link.json").write_text(Link(rtt=0.02).model_dump_json())
    assert converge_link(spec(machine, Link(rtt=0.04))).change.before == {"link": "rtt 20ms"}
    (machine.root / "link" / "link.json").write_text("{")
    assert converge_link(spec(machine, Link(rtt=0.04))).change.before == {"link": "damaged"}
    assert not converge_link(spec(machine, Link(rtt=0.04))).change.changed


def test_a_link_that_dies_says_why(machine: Machine) -> None:
    with pytest.raises(HostError, match="no such hub"):
        converge_link(spec(machine, Link(), "https://127.0.0.1:1"))


def test_an_upstream_that_is_no_api_server_is_refused(machine: Machine) -> None:
    with pytest.raises(UsageError, match=r"link_upstream: 'http://x' is not https://address:port"):
        converge_link(spec(machine, Link(), "http://x"))
