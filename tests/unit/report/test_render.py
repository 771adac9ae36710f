"""The reports of a run folder: golden files, what a dead driver leaves, and what may not get through."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from fleet.analysis.samples import COLUMNS
from fleet.analysis.study import Study, analyse
from fleet.errors import UsageError
from fleet.experiments.wec_scaling import WecScaling
from fleet.report import render
from fleet.report.csvfile import cell
from fleet.report.exports import FORMATS
from fleet.report.markdown_page import markdown
from fleet.report.pages import page_script, script_digest, with_code
from fleet.report.render import write
from fleet.results.events import Anomaly, ClusterState, GapSeen, Line, ProfileTaken
from fleet.results.folder import RunFolder
from tests.unit.analysis.profile_maker import cpu, heap
from tests.unit.analysis.simulator import MS, Simulator
from tests.unit.golden import check_golden
from tests.unit.report.made import run_record, simulated, weighed, write_run

FILES = ["resources.csv", "report.html", "samples.csv", "samples.parquet", "summary.json"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A valid run over 1 and 4 WECs, rendered."""
    made = write_run(tmp_path_factory.mktemp("results"), weighed(simulated([1, 4], repeats=2).ordered()), wecs=4)
    assert render(made).status == "valid"
    return made


def scrubbed(text: str, folder: RunFolder) -> str:
    """Without the run's random id, the script (a file of its own) and the drawings, whose bytes belong to a version of
    matplotlib."""
    text = text.replace(folder.id, "RUN-ID").replace(page_script(), "").replace(script_digest(), "DIGEST")
    return re.sub(r"<svg .*?</svg>", "<svg/>", text, flags=re.DOTALL)


@pytest.mark.parametrize("name", ["report.html", "samples.csv", "summary.json", "resources.csv"])
def test_golden(folder: RunFolder, name: str) -> None:
    check_golden(f"report/{name}", scrubbed((folder.path / name).read_text(), folder))


def test_a_name_between_backquotes_is_code_and_nothing_gets_through_in_it() -> None:
    assert with_code("`<b>` is 5, a `") == "<code>&lt;b&gt;</code> is 5, a `"


def test_the_markdown_report_is_the_golden_one(folder: RunFolder) -> None:
    check_golden("report/report.md", markdown(analyse(folder)).replace(folder.id, "RUN-ID"))


def test_every_file_is_there_and_sealed(folder: RunFolder) -> None:
    names = sorted(path.name for path in folder.path.iterdir())
    assert names == sorted([*FILES, "MANIFEST.sha256", "events.jsonl", "run.json"])
    assert folder.modified() == []


def test_a_second_rendering_has_the_same_bytes(folder: RunFolder) -> None:
    before = {name: (folder.path / name).read_bytes() for name in FILES}
    render(folder)
    assert {name: (folder.path / name).read_bytes() for name in FILES} == before


def test_csv_and_parquet_hold_the_same(folder: RunFolder) -> None:
    table = pd.read_csv(folder.path / "samples.csv", keep_default_na=False, dtype=str)
    typed = pd.read_parquet(folder.path / "samples.parquet")
    assert tuple(table.columns) == tuple(typed.columns) == COLUMNS
    assert table["end_ns"].tolist() == [str(value) for value in typed["end_ns"]]
    assert table["cluster"].tolist() == typed["cluster"].tolist()
    assert str(typed["end_ns"].dtype) == "Int64"
    assert typed.dtypes[["repeat", "wecs", "seconds"]].map(str).tolist() == ["int64", "int64", "float64"]


class Page(HTMLParser):
    """What a browser would make of the page: tags that could run or load anything, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, Mapping[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def check_inert(text: str) -> Page:
    page = Page(text)
    assert not [tag for tag, _ in page.tags if tag in {"iframe", "object", "embed", "form", "link", "img"}]
    assert [attributes for tag, attributes in page.tags if tag == "script"] == [{}]
    assert f"<script>{page_script()}</script>" in text
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")
    return page


def test_the_page_loads_nothing_and_is_small(folder: RunFolder) -> None:
    text = (folder.path / "report.html").read_text()
    page = check_inert(text)
    policy = [attributes.get("content") for tag, attributes in page.tags if tag == "meta"]
    allowed = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src '{script_digest()}'"
    assert allowed in policy
    assert len(text) < 800_000
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_verdict_comes_first_and_sections_follow_in_order(folder: RunFolder) -> None:
    text = (folder.path / "report.html").read_text()
    order = ["Verdict", "setting", "latency", "stages", "distribution", "spectrum", "time", "wecs", "limits",
             "resources", "summary", "slowest", "missing", "events", "again"]  # fmt: skip
    places = [text.index(f'"{name}"', text.index("<body>")) for name in order]
    assert places == sorted(places)


EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}$x_1$]]>"


def evil_lines() -> list[Line]:
    sim = Simulator()
    sim.trial("one-to-many", ["wec001", "wec002"], lost=frozenset({"wec002"}))
    lines = []
    for line in sim.out.ordered():
        fields = {name: getattr(line, name) for name in line.__struct_fields__}
        if "ref" in fields:
            fields["ref"] = type(fields["ref"])("apps", "deployments", EVIL, "=cmd|'/c calc'!A1")
        lines.append(type(line)(**fields))
    at = lines[-1].ns
    return [
        *lines,
        Anomaly(ns=at, wall=0, what=EVIL, trial=EVIL, cluster=EVIL, text=EVIL),
        GapSeen(ns=at, wall=0, cluster=EVIL, resource=EVIL, start_ns=at - MS, reason=EVIL),
        ClusterState(ns=at, wall=0, cluster=EVIL, state="down", reason=EVIL),
    ]


def test_nothing_from_outside_gets_through(tmp_path: Path) -> None:
    lines = [
        type(line)(**{n: getattr(line, n) for n in line.__struct_fields__} | {"component": EVIL, "cluster": EVIL})
        if line.__class__.__name__ in {"ProcessSample", "MetricSample"}
        else line
        for line in weighed(evil_lines())
    ]
    record = run_record("x", 2, notes=[EVIL], status="partial", reasons=[EVIL], git=EVIL)
    folder = write_run(tmp_path, lines, record)
    render(folder)
    page = check_inert((folder.path / "report.html").read_text())
    assert EVIL in page.text
    assert "<script" not in markdown(analyse(folder))
    cells = list(csv.reader(io.StringIO((folder.path / "samples.csv").read_text())))
    assert {row[COLUMNS.index("name")] for row in cells[1:]} == {"'=cmd|'/c calc'!A1"}


@pytest.mark.parametrize(
    ("value", "text"),
    [("=1", "'=1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\tx", "'\tx"), ("a=b", "a=b"),
     (-1.5, "-1.500000000"), (-1, "-1"), (None, ""), (("a", "b"), "a;b"), ((), "")],
)  # fmt: skip
def test_cells(value: object, text: str) -> None:
    assert cell(value) == text


def test_what_a_killed_driver_leaves_is_reported(tmp_path: Path) -> None:
    """run.json still says running, and the last line is cut."""
    folder = write_run(tmp_path, simulated([2], repeats=1).ordered(), run_record("x", 2, status="running", ended=None))
    events = folder.path / "events.jsonl"
    events.write_bytes(events.read_bytes()[:-30])
    verdict = render(folder)
    assert verdict.status == "partial"
    assert verdict.reasons[0].startswith("the run did not finish: its driver died")
    assert "the run did not finish" in (folder.path / "report.html").read_text()
    assert json.loads((folder.path / "summary.json").read_text())["status"] == "partial"
    assert not (folder.path / "MANIFEST.sha256").exists()


def test_a_run_cut_off_before_its_first_trial(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [], run_record("x", 2, status="running"))
    verdict = render(folder)
    assert verdict.status == "invalid"
    assert "no answer to give" in (folder.path / "report.html").read_text()


def test_every_missing_sample_is_listed(tmp_path: Path) -> None:
    sim = Simulator()
    sim.trial("one-to-one", ["wec001", "wec002"], lost=frozenset({"wec002"}))
    folder = write_run(tmp_path, sim.out.ordered(), wecs=2)
    render(folder)
    text = (folder.path / "report.html").read_text()
    listed = text[text.index('id="missing"') : text.index('id="events"')]
    study = analyse(folder)
    missing = [sample for sample in study.samples if sample.seconds is None]
    assert listed.count("<tr>") == len(missing) + 1
    assert f"{len(missing)} planned samples were never seen" in listed


def test_changed_raw_files_are_told_and_stay_told(tmp_path: Path) -> None:
    folder = write_run(tmp_path, simulated([1], repeats=1).ordered(), wecs=1)
    assert render(folder).warnings == ()
    events = folder.path / "events.jsonl"
    events.write_bytes(events.read_bytes() + b"\n")
    assert (
        render(folder).warnings
        == render(folder).warnings
        == ("events.jsonl was changed after the run had been sealed",)
    )


class Broken:
    """A format that fails."""

    def files(self, study: Study) -> Mapping[str, bytes]:
        raise UsageError(f"no {study.run.id}")


class Whole:
    """A format that does not."""

    def files(self, study: Study) -> Mapping[str, bytes]:
        return {"whole.txt": study.run.id.encode()}


def test_an_error_leaves_no_file(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [], run_record("x", 1))
    before = sorted(folder.path.iterdir())
    with pytest.raises(UsageError):
        write(folder, analyse(folder), [Whole(), Broken()])
    assert sorted(folder.path.iterdir()) == before


def test_a_missing_events_file_is_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [], run_record("x", 1))
    (folder.path / "events.jsonl").unlink()
    with pytest.raises(UsageError, match=r"events\.jsonl"):
        render(folder)


@pytest.mark.parametrize("kind", ["pod", "configmap"])
def test_kinds_without_an_aggregate(tmp_path: Path, kind: str) -> None:
    folder = write_run(tmp_path, simulated([3], repeats=1, kind=kind).ordered(), wecs=3)
    assert render(folder).status == "valid"
    text = (folder.path / "report.html").read_text()
    assert ("As reported" in text or "as reported" in text) == (kind == "pod")


def test_twenty_wecs(tmp_path: Path) -> None:
    """A run as large as the one of the issue: valid, nothing missing, a page that can be sent by mail."""
    folder = write_run(tmp_path, simulated([1, 5, 10, 20]).ordered(), wecs=20)
    assert render(folder).status == "valid"
    summary = json.loads((folder.path / "summary.json").read_text())
    assert {row["missing"] for row in summary["rows"]} == {0}
    rows = {(row["stage"], row["layout"], row["wecs"]): row for row in summary["rows"]}
    assert rows["downsync", "one-to-many", 20]["count"] == 60
    assert rows["e2e", "one-to-many", 20]["count"] == 3
    assert (folder.path / "report.html").stat().st_size < 900_000


def profiled(root: Path) -> RunFolder:
    """A run of one WEC with two heaps and a CPU profile of the transport controller, and one that failed."""
    lines: list[Line] = list(simulated([1], repeats=1).ordered())
    end = max(line.ns for line in lines)
    contents = {
        "heap-20261122T180000Z": heap(cache=4 << 20, leak=1 << 20),
        "heap-20261122T180500Z": heap(cache=3 << 20, leak=6 << 20),
        "cpu-20261122T180000Z": cpu(work=700_000_000, **{"<script>": 300_000_000}),
        "": b"",
    }
    for number, (name, data) in enumerate(contents.items()):
        taken = ProfileTaken(
            ns=end + number, wall=end + number, machine="local", program="transport.wds1", component="transport",
            cluster="wds1", kind=name.partition("-")[0] or "goroutine", size=len(data),
            file=f"profiles/transport.wds1/{name}.pb.gz" if name else "", error="" if name else "timed out",
        )  # fmt: skip
        lines.append(taken)
    made = write_run(root, lines, wecs=1)
    spec = WecScaling.model_validate({"experiment": "wec-scaling", "profiles": {"enabled": True}})
    made.write_run(run_record(made.id, 1, spec=spec))
    (made.path / "profiles" / "transport.wds1").mkdir(parents=True)
    for name, data in contents.items():
        if name:
            (made.path / "profiles" / "transport.wds1" / f"{name}.pb.gz").write_bytes(data)
    return made


def test_profiles_are_shown_sealed_and_said_to_disturb(tmp_path: Path) -> None:
    made = profiled(tmp_path)
    render(made)
    page = (made.path / "report.html").read_text()
    assert "That disturbs what is measured" in page
    assert "leak +5.0 MiB" in page
    assert "transport.wds1: no goroutine profile: timed out" in page
    assert page.count('<details class="flame">') == 2
    assert page.count("<script>") == 1
    manifest = (made.path / "MANIFEST.sha256").read_text()
    assert "  profiles/transport.wds1/cpu-20261122T180000Z.pb.gz\n" in manifest
    (made.path / "profiles/transport.wds1/cpu-20261122T180000Z.pb.gz").write_bytes(b"else")
    assert made.modified() == ["profiles/transport.wds1/cpu-20261122T180000Z.pb.gz"]


def test_pyroscope_gets_every_profile_as_it_was_served(tmp_path: Path) -> None:
    made = profiled(tmp_path)
    files = FORMATS["pyroscope"].files(analyse(made))
    assert len(files) == 3
    push = json.loads(files["pyroscope/transport.wds1/heap-20261122T180500Z.json"])
    (series,) = push["series"]
    labels = {pair["name"]: pair["value"] for pair in series["labels"]}
    assert (labels["__name__"], labels["service_name"], labels["cluster"]) == ("memory", "fleet/transport", "wds1")
    (sample,) = series["samples"]
    assert set(sample) == {"rawProfile", "ID"}
    assert base64.b64decode(sample["rawProfile"]) == heap(cache=3 << 20, leak=6 << 20)


def test_pyroscope_of_a_run_without_profiles_is_refused(folder: RunFolder) -> None:
    with pytest.raises(UsageError, match=r"profiles\.enabled=true"):
        FORMATS["pyroscope"].files(analyse(folder))
