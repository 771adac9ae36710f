"""`fleet ab` up to where it builds: what is refused before anything is touched. The rest is tests/live/test_ab.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Fleet


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("default", "transport_its_qp=5"), "variant B: transport_its_qp: there is no such variable; did you mean"),
        (("wec_count=-1", "default"), "variant A: wec_count"),
        (("default", "workload.objekts=5"), "workload.objekts"),
        (("default", "nothing.yaml"), "nothing.yaml: does not exist"),
        (("default", "default", "--threshold", "10"), "--threshold"),
        (("default", "default", "--budget", "5"), "--budget"),
        (("default", "default", "--experiment", "wec-scalin"), "did you mean `wec-scaling`?"),
        (("default", "default", "--apart", "--keep"), "give one of them"),
        (("default", "default", "-i", "no-such-inventory"), "no-such-inventory does not exist"),
        (("default", "default", "--pairs", "2"), "--pairs"),
    ],
)
def test_wrong_input_builds_nothing(fleet: Fleet, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    ran = fleet("ab", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert not (tmp_path / "state").exists()
    assert not (tmp_path / "work" / "results").exists()
