from __future__ import annotations

from pathlib import Path

import pytest

from fleet.errors import SpecError, UsageError
from fleet.model.ab_variant import load


def test_words_are_variables_and_dotted_ones_fields() -> None:
    found = load("transport_its_qps=50,wan={rtt: 40ms, rate: 50mbit},workload.bytes=100")
    assert found.variables == {"transport_its_qps": 50, "wan": {"rtt": "40ms", "rate": "50mbit"}}
    assert found.sets == ["workload.bytes=100"]
    assert load("default").variables == {}


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "site.yml").touch()
    file = tmp_path / "mine.yaml"
    file.write_text("variables: {manager: ocm}\nset: {layouts: [one-to-one], warmup: 0}\ncheckout: base\n")
    found = load(str(file))
    assert (found.name, found.variables, found.checkout) == ("mine", {"manager": "ocm"}, tmp_path / "base")
    assert found.sets == ["layouts=[one-to-one]", "warmup=0"]


@pytest.mark.parametrize("words", ["=3", "a=1,a=2", "x y=1"])
def test_wrong_words_are_refused(words: str) -> None:
    with pytest.raises(UsageError, match="variant"):
        load(words)


def test_wrong_files_name_file_and_field(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"nothing\.yaml: does not exist"):
        load(str(tmp_path / "nothing.yaml"))
    file = tmp_path / "mine.yaml"
    file.write_text("variabels: {}\n")
    with pytest.raises(SpecError, match=r"mine.yaml:1: variabels: unknown field; did you mean `variables`"):
        load(str(file))
    file.write_text("checkout: nowhere\n")
    with pytest.raises(SpecError, match=r"mine.yaml:1: checkout: .*nowhere is no checkout: it has no site.yml"):
        load(str(file))
