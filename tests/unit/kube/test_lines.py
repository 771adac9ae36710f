import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.kube.lines import LineSplitter, LineTooLongError


@given(st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"x"))), st.lists(st.integers(1, 9), min_size=1))
def test_lines_do_not_depend_on_the_chunks(lines: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(line + b"\n" for line in lines) + b"rest"
    splitter = LineSplitter(1000)
    found: list[bytes] = []
    position = turn = 0
    while position < len(stream):
        size = sizes[turn % len(sizes)]
        found += splitter.feed(stream[position : position + size])
        position, turn = position + size, turn + 1
    assert found == lines
    assert splitter.pending == 4


@pytest.mark.parametrize(
    "chunks",
    [
        [b"x" * 11],
        [b"x" * 6, b"x" * 5],
        [b"x" * 11 + b"\n"],
        [b"a\n" + b"x" * 11 + b"\nb"],
        [b"x" * 6, b"x" * 5 + b"\n"],
    ],
)
def test_the_cap(chunks: list[bytes]) -> None:
    splitter = LineSplitter(10)
    with pytest.raises(LineTooLongError):
        [splitter.feed(chunk) for chunk in chunks]


def test_a_line_of_exactly_the_cap_passes() -> None:
    assert LineSplitter(10).feed(b"x" * 10 + b"\n" + b"y" * 10 + b"\n") == [b"x" * 10, b"y" * 10]
