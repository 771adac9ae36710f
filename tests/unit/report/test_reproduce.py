"""The commands of a report build what was built, whatever `-e` had set."""

from __future__ import annotations

import json
import shlex

from fleet.model.fleet_file import FleetFile
from fleet.report.reproduce import commands


def _fleet(**values: object) -> FleetFile:
    raw = {
        "format": 2,
        "name": "lab",
        "created": "2026-01-01T00:00:00Z",
        "toolchain_digest": "",
        "machines": [],
        "clusters": [],
    }
    return FleetFile.model_validate({**raw, **values})


def test_all_that_was_given_is_in_the_command_and_keeps_its_type() -> None:
    fleet = _fleet(given={"manager": "none", "wec_count": 20, "wan": {"delay": "20ms"}, "monitoring_enabled": True})
    words = shlex.split(commands(fleet)[0])
    extra = [words[at + 1] for at, word in enumerate(words) if word == "-e"]
    assert "manager=none" in extra
    assert "wec_count=20" in extra
    assert "fleet_name=lab" in extra
    assert [json.loads(one) for one in extra if one.startswith("{")] == [
        {"monitoring_enabled": True},
        {"wan": {"delay": "20ms"}},
    ]


def test_a_file_of_an_older_release_gives_the_number_of_its_wecs() -> None:
    assert shlex.split(commands(_fleet())[0])[-2:] == ["-e", "wec_count=0"]
