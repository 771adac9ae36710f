from __future__ import annotations

import xml.etree.ElementTree as ET

from fleet.analysis.pprof import Profile, SampleType, Stack
from fleet.report.flame import amount, boxes, flame, tree
from tests.unit.golden import check_golden


def made(**stacks: int) -> Profile:
    """Stacks written root first as `a__b__c`."""
    return Profile(
        (SampleType("inuse_space", "bytes"),),
        [Stack(tuple(reversed(text.split("__"))), (value,)) for text, value in stacks.items()],
    )


BASE = made(main__serve__decode=3 << 20, main__serve=1 << 20, main__idle=2 << 20)
NEW = made(main__serve__decode=9 << 20, main__serve=1 << 20, main__idle=1 << 20, main__tiny=100)


def test_boxes_by_hand() -> None:
    """main 10 = serve 8 (decode 6 and 2 of its own) + idle 2: idle comes first by name."""
    placed = boxes(tree(made(main__serve__decode=6, main__serve=2, main__idle=2)))
    assert [(box.frame.name, box.depth, round(box.left, 3), round(box.width, 3)) for box in placed] == [
        ("all", 0, 0.0, 1.0),
        ("main", 1, 0.0, 1.0),
        ("idle", 2, 0.0, 0.2),
        ("serve", 2, 0.2, 0.8),
        ("decode", 3, 0.2, 0.6),
    ]


def test_the_graph_is_the_golden_one() -> None:
    check_golden("report/flame.svg", flame(NEW, base=BASE) + "\n")


def test_titles_tell_value_share_and_change() -> None:
    root = ET.fromstring(flame(NEW, base=BASE))  # noqa: S314 - our own text
    titles = [title.text for title in root.iter("title")]
    assert "decode: 9.0 MiB, 81.8% of all, +6.0 MiB since" in titles
    assert "idle: 1.0 MiB, 9.1% of all, -1.0 MiB since" in titles
    assert not any(title and title.startswith("tiny") for title in titles)


def test_foreign_names_are_escaped_and_there_is_no_script() -> None:
    evil = "<script>alert('x')</script>&\"'"
    text = flame(Profile((SampleType("cpu", "nanoseconds"),), [Stack((evil,), (5_000_000_000,))]))
    root = ET.fromstring(text)  # noqa: S314 - our own text
    assert {element.tag for element in root.iter()} == {"svg", "g", "title", "rect", "text"}
    assert any(title.text == f"{evil}: 5.00 s, 100.0% of all" for title in root.iter("title"))
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)


def test_nothing_is_drawn_of_nothing() -> None:
    assert flame(made()) == ""
    assert flame(made(main=0)) == ""


def test_amounts() -> None:
    told = [amount(512, "bytes"), amount(-1536, "bytes"), amount(3 << 30, "bytes"), amount(7, "count")]
    assert [*told, amount(2.5e6, "nanoseconds")] == ["512 B", "-1.5 KiB", "3.0 GiB", "7", "2.5 ms"]
