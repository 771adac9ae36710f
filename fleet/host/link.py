"""The link of one machine: a TCP proxy between its WECs' agents and the hub, with a delay and a rate."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from pydantic import ValidationError

from fleet.errors import DeadlineError, HostError, UsageError
from fleet.host.change import Change
from fleet.host.files import private_directory, remove_tree, write_private
from fleet.host.https import Answer, UnixConnection, exchange
from fleet.host.layout import Layout
from fleet.host.machine import Machine
from fleet.host.supervisor_config import Program
from fleet.model.link import Link

GROUP = "link"
OWNER = "link"
NAME = "link"
EXECUTABLE = "fleet-link"
PROXY = "hub"
"""The proxy's name in toxiproxy's API."""
ANSWER_SECONDS = 20.0
"""From its start to the first answer; 50 ms on an idle machine."""
POLL = 0.05
TIMEOUT = 10.0


@dataclass(frozen=True)
class Toxic:
    """What one direction goes through, in toxiproxy's words."""

    name: str
    type: str
    stream: str
    """upstream: to the hub; downstream: from it."""
    attributes: Mapping[str, int]

    def document(self) -> dict[str, Any]:
        """As the API takes it."""
        return {
            "name": self.name,
            "type": self.type,
            "stream": self.stream,
            "toxicity": 1.0,
            "attributes": dict(self.attributes),
        }


def toxics(link: Link) -> tuple[Toxic, ...]:
    """The four that there always are, so that a change changes attributes only and breaks no connection.

    The delay is toxiproxy's own, in whole milliseconds: an odd one is a millisecond longer towards the hub. The rate
    comes behind it, in bytes per second.
    """
    delay, jitter = round(link.rtt * 1000), round(link.jitter * 1000)
    rate = 0 if link.rate is None else int(link.rate / 8)
    up = {"latency": delay - delay // 2, "jitter": jitter - jitter // 2}
    down = {"latency": delay // 2, "jitter": jitter // 2}
    return (
        Toxic("delay_up", "latency", "upstream", up),
        Toxic("rate_up", "shared_rate", "upstream", {"rate": rate}),
        Toxic("delay_down", "latency", "downstream", down),
        Toxic("rate_down", "shared_rate", "downstream", {"rate": rate}),
    )


class LinkControl(Protocol):
    """A running link."""

    def attributes(self) -> Mapping[str, Mapping[str, int]]:
        """Of its toxics by name. OSError while it does not listen."""
        ...

    def put(self, toxic: Toxic) -> None:
        """Give the toxic of that name these attributes; connections go on. HostError when it refuses."""
        ...


@dataclass(frozen=True)
class SocketControl:
    """Through the unix socket of the program."""

    socket: Path

    def attributes(self) -> Mapping[str, Mapping[str, int]]:
        """As in LinkControl."""
        document = self._call("GET", f"/proxies/{PROXY}").json()
        return {toxic["name"]: dict(toxic["attributes"]) for toxic in document["toxics"]}

    def put(self, toxic: Toxic) -> None:
        """As in LinkControl."""
        self._call("PATCH", f"/proxies/{PROXY}/toxics/{toxic.name}", {"attributes": dict(toxic.attributes)})

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        answer = exchange(UnixConnection(self.socket, TIMEOUT), method, path, body)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise HostError(f"the link at {self.socket}: {method} {path}: {answer.status} {answer.text()}")
        return answer


class FakeLink:
    """A link that only remembers; for tests."""

    def __init__(self, link: Link) -> None:
        self.now: dict[str, Mapping[str, int]] = {toxic.name: toxic.attributes for toxic in toxics(link)}
        self.put_names: list[str] = []

    def attributes(self) -> Mapping[str, Mapping[str, int]]:
        """As in LinkControl."""
        return self.now

    def put(self, toxic: Toxic) -> None:
        """As in LinkControl."""
        self.now[toxic.name] = toxic.attributes
        self.put_names.append(toxic.name)


def bring(control: LinkControl, wanted: Sequence[Toxic]) -> list[str]:
    """Give a running link these toxics; the names of those that differed."""
    found = control.attributes()
    differing = [toxic for toxic in wanted if found.get(toxic.name) != toxic.attributes]
    for toxic in differing:
        control.put(toxic)
    return [toxic.name for toxic in differing]


@dataclass(frozen=True)
class LinkSpec:
    """The link of one machine."""

    machine: Machine
    link: Link
    upstream: str
    """URL of the hub's API server that agents dial."""

    def target(self) -> str:
        """Address and port of it; UsageError when the URL has none."""
        parts = urlsplit(self.upstream)
        if parts.scheme != "https" or parts.port is None or not parts.hostname:
            raise UsageError(f"link_upstream: {self.upstream!r} is not https://address:port")
        return parts.netloc


@dataclass(frozen=True)
class Linked:
    """What a convergence did, and the URL by which agents reach the hub from now on."""

    change: Change
    server: str


def converge_link(spec: LinkSpec) -> Linked:
    """Have the link run as asked; with `machine.check` only say what would change.

    Another delay or rate is given to the running program: no connection breaks. Killed at any moment, the next call
    repairs.
    """
    machine, wanted = spec.machine, toxics(spec.link)
    live = NAME in machine.live_programs()
    port = machine.take(OWNER, 1, in_use=live).start
    server, layout = f"https://127.0.0.1:{port}", machine.layout
    was = _stored(layout)
    stated = Change.between({} if was is None else {"link": was}, {"link": str(spec.link)})
    program = _program(spec, port)
    if machine.check:
        started = machine.supervisor.converge(GROUP, [program], check=True)
        return Linked(Change.merge([stated, started]), server)
    private_directory(_folder(layout))
    write_private(_toxics_file(layout), _text([toxic.document() for toxic in wanted]))
    started = machine.supervisor.converge(GROUP, [program])
    control = SocketControl(_socket(layout))
    _wait(machine, control)
    differed = bring(control, wanted)
    # Last: a run that was killed before it finds the difference again.
    write_private(_link_file(layout), spec.link.model_dump_json().encode() + b"\n")
    running = {f"running link: {name}": "as it was" for name in differed if not stated.changed}
    given = {f"running link: {name}": "as asked" for name in differed if not stated.changed}
    return Linked(Change.merge([stated, started, Change(running, given)]), server)


def remove_link(machine: Machine) -> Change:
    """End the link and remove its files; the agents must reach the hub another way by then. Absent is fine."""
    layout = machine.layout
    if not _folder(layout).exists():
        return Change.none()
    ended = machine.supervisor.converge(GROUP, [], check=machine.check)
    before = {"link": _stored(layout) or "half-made"}
    if not machine.check:
        machine.registry.give_back(machine.fleet, OWNER)
        for log in layout.log.glob(f"{NAME}.log*"):
            log.unlink(missing_ok=True)
        remove_tree(_folder(layout))
    return Change.merge([Change(before, {}), ended])


def _program(spec: LinkSpec, port: int) -> Program:
    layout = spec.machine.layout
    argv = (
        str(spec.machine.programs.program(EXECUTABLE)),
        f"--listen=127.0.0.1:{port}",
        f"--upstream={spec.target()}",
        f"--toxics={_toxics_file(layout)}",
        f"--api={_socket(layout)}",
    )
    # Before the agents, which dial it.
    return Program(NAME, argv, {}, _folder(layout), priority=390)


def _folder(layout: Layout) -> Path:
    return layout.root / "link"


def _toxics_file(layout: Layout) -> Path:
    """What the program begins with when it starts."""
    return _folder(layout) / "toxics.json"


def _link_file(layout: Layout) -> Path:
    """What the running link was last given."""
    return _folder(layout) / "link.json"


def _socket(layout: Layout) -> Path:
    return layout.run / "link.sock"


def _text(document: Any) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()


def _stored(layout: Layout) -> str | None:
    """What the link was last given, in words; None when there is none."""
    try:
        return str(Link.model_validate_json(_link_file(layout).read_bytes()))
    except FileNotFoundError:
        return None
    except ValidationError:
        return "damaged"


def _wait(machine: Machine, control: SocketControl) -> None:
    end = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            control.attributes()
        except OSError as error:
            machine.supervisor.raise_if_dead(NAME, machine.supervisor.state(NAME))
            if time.monotonic() > end:
                raise DeadlineError(
                    f"the link did not answer within {ANSWER_SECONDS:.0f} s ({error}); its last lines in"
                    f" {machine.layout.program_log(NAME)}:\n{machine.supervisor.tail(NAME)}"
                ) from error
            time.sleep(POLL)
        else:
            return
