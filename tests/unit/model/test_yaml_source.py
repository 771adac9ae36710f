from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.errors import SpecError
from fleet.model import yaml_source
from fleet.model.yaml_source import SIZE_LIMIT, parse, read, scalar

FILE = Path("experiment.yaml")


def test_values_and_the_line_of_every_field() -> None:
    source = parse("a: 1\nb:\n  c: [x, y]\n  d:\n  - e: true\n", FILE)
    assert source.data == {"a": 1, "b": {"c": ["x", "y"], "d": [{"e": True}]}}
    assert {path: source.line(path) for path in (("a",), ("b", "c"), ("b", "c", 1), ("b", "d", 0, "e"))} == {
        ("a",): 1,
        ("b", "c"): 3,
        ("b", "c", 1): 3,
        ("b", "d", 0, "e"): 5,
    }
    assert source.line(("b", "absent", "deeper")) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "experiment.yaml:4: b.c: is given twice, first on line 3"),
        ("a: &x [1]\nb: *x\n", "experiment.yaml:1: has the alias or anchor 'x'"),
        ("a: !!python/object/apply:os.system ['true']\n", "experiment.yaml:1: has the tag !!python/object/apply"),
        ("a: !secret x\n", "experiment.yaml:1: has the tag !secret"),
        ("a:\n\t- b\n", "experiment.yaml:2: is indented with a tab"),
        ("a: b\0c\n", "experiment.yaml:1: holds the control character U+0000"),
        ("a: b\n---\nc: d\n", "experiment.yaml:2: has a second document"),
        ("a: {b: c\n", "experiment.yaml:2: is not YAML: "),
        ("<<: {a: b}\n", "experiment.yaml:1: a key must be a plain name"),
        ("? [a]\n: b\n", "experiment.yaml:1: a key must be a plain name"),
        ("a: 2026-13-45\n", "experiment.yaml:1: a: '2026-13-45' cannot be read as a value: quote it"),
        ("# nothing\n", "experiment.yaml: is empty"),
        ("[" * 5000, "experiment.yaml:1: is nested deeper than 32 levels"),
    ],
)
def test_refused_with_file_and_line(text: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(text, FILE)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 300


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    with pytest.raises(SpecError, match="alias or anchor 'a0'"):
        parse("\n".join(lines), FILE)


def test_a_huge_number_is_refused_briefly() -> None:
    with pytest.raises(SpecError) as caught:
        parse(f"a: 1{'0' * 5000}\n", FILE)
    assert len(str(caught.value)) < 200


def test_size_is_capped_and_only_plain_files_are_read(tmp_path: Path) -> None:
    big = tmp_path / "big.yaml"
    big.write_text("# " + "x" * SIZE_LIMIT)
    for path, said in ((big, "larger than"), (tmp_path, "cannot be read|not a plain file"), (tmp_path / "no", "exist")):
        with pytest.raises(SpecError, match=said):
            read(path)


def test_bytes_that_are_not_utf8_are_refused_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes(b"a: 1\nb: \xe9\n")
    with pytest.raises(SpecError, match=r"latin.yaml:2: is not UTF-8"):
        read(file)


@given(st.text(max_size=200))
def test_any_text_is_data_or_a_spec_error(text: str) -> None:
    try:
        source = parse(text, FILE)
    except SpecError as error:
        assert str(error).startswith("experiment.yaml:")  # noqa: PT017 - either outcome is right, nothing else is
    else:
        assert source.file == FILE


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), ("5s", "5s"), ("[1, 5]", [1, 5]), ("all", "all"), ("", ""), ("true", True), ("1.5", 1.5), ("~", None)],
)
def test_scalars_of_the_command_line(text: str, value: object) -> None:
    assert scalar(text, what="--set x") == value


def test_a_mapping_is_no_scalar() -> None:
    with pytest.raises(SpecError, match="--set x: is a mapping"):
        scalar("{a: b}", what="--set x")


def test_the_c_loader_is_the_one_in_use() -> None:
    assert yaml_source.Loader.__name__ in ("CSafeLoader", "SafeLoader")
