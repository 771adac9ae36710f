from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import xmlschema
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from prometheus_client.openmetrics.parser import text_fd_to_metric_families

from fleet.analysis.exposition import escaped
from fleet.analysis.study import Study
from fleet.experiments.wec_scaling import WecScaling
from fleet.model.experiment_file import Threshold
from fleet.report.exports import FORMATS
from fleet.results.format1_manager import MANAGER
from tests.unit.analysis.test_compare import study
from tests.unit.report.exports.schemas import OBJECTS, PERFDATA, QUANTILES, SUMMARIES
from tests.unit.report.made import run_record

RUN = "20261122T180000Z-0000000a"


@pytest.fixture(scope="module")
def lossy(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Three WECs, one of which gets nothing in either layout; two thresholds, the second of which fails."""
    thresholds = [Threshold(stage="binding", test="p50 < 1h"), Threshold(stage="downsync", test="missing <= 0")]
    spec = WecScaling(experiment="wec-scaling", thresholds=thresholds)
    record = run_record(RUN, 3).with_(spec=spec)
    return study(tmp_path_factory.mktemp("run"), counts=(3,), lost=frozenset({"wec003"}), record=record)


def documents(study_: Study) -> dict[str, list[dict[str, Any]]]:
    """kube-burner's files by name, the folder left out."""
    files = FORMATS["kube-burner"].files(study_)
    assert len({name.partition("/")[0] for name in files}) == 1
    return {name.partition("/")[2]: json.loads(content) for name, content in files.items()}


def test_hdr_logs_hold_every_sample_and_merge(lossy: Study, tmp_path: Path) -> None:
    """Read back by HdrHistogram's own reader: counts, quantiles to a thousandth, both layouts in one histogram."""
    total = HdrHistogram(1, 7 * 24 * 3600 * 1_000_000, 3)
    expected: list[float] = []
    for name, content in FORMATS["hdr"].files(lossy).items():
        if not name.startswith("hdr/downsync/"):
            continue
        file = tmp_path / name.replace("/", "_")
        file.write_bytes(content)
        layout = file.stem.removeprefix("hdr_downsync_").partition("_")[0]
        rows = [s for s in lossy.samples if s.stage == "downsync" and s.layout == layout and s.counted]
        assert f"{sum(s.seconds is None for s in rows)} missing, 0 below 0" in content.decode()
        values = sorted(s.seconds for s in rows if s.seconds is not None)
        one = HdrHistogram(1, 7 * 24 * 3600 * 1_000_000, 3)
        reader = HistogramLogReader(str(file), one)
        while reader.add_next_interval_histogram(one) is not None:
            pass
        reader.close()
        assert one.get_total_count() == len(values)
        assert one.get_max_value() / 1e6 == pytest.approx(values[-1], rel=1e-3)
        total.add(one)
        expected += values
    assert total.get_total_count() == len(expected) > 0
    median = sorted(expected)[(len(expected) - 1) // 2]
    assert total.get_value_at_percentile(50) / 1e6 == pytest.approx(median, rel=2e-3)


def test_kube_burner_documents_fit_their_schema(lossy: Study) -> None:
    for name, found in documents(lossy).items():
        schema = SUMMARIES if name == "jobSummary.json" else QUANTILES if "Quantiles" in name else OBJECTS
        jsonschema.validate(found, schema)
        assert name == "jobSummary.json" or name == f"{found[0]['metricName']}-{found[0]['jobName']}.json"
        assert len({document["uuid"] for document in found}) == 1


def test_kube_burner_has_a_document_per_object_and_wec(lossy: Study) -> None:
    found = documents(lossy)["fleetDownsyncLatencyMeasurement-wec-scaling-one-to-many-3.json"]
    assert {(d["cluster"], d["jobIteration"]) for d in found} == {(f"wec00{n}", r) for n in (1, 2, 3) for r in range(3)}
    assert all(("downsyncLatency" in d) == (d["cluster"] != "wec003") for d in found)
    sample = next(
        s for s in lossy.samples if (s.stage, s.layout, s.repeat, s.cluster) == ("downsync", "one-to-many", 0, "wec001")
    )
    document = next(d for d in found if (d["cluster"], d["jobIteration"]) == ("wec001", 0))
    assert sample.seconds is not None
    assert document["downsyncLatency"] == round(sample.seconds * 1000)
    summaries = documents(lossy)["jobSummary.json"]
    assert [summary["passed"] for summary in summaries] == [False, False]
    assert "missing" in summaries[0]["executionErrors"]


def test_perfdata_fits_its_schema_and_perfdashs_rules(lossy: Study) -> None:
    ((name, content),) = FORMATS["perfdata"].files(lossy).items()
    assert name == "FleetLatency_wec-scaling_2026-11-22T18:00:00Z.json"
    found = json.loads(content)
    jsonschema.validate(found, PERFDATA)
    assert {tuple(item["data"]) for item in found["dataItems"]} == {("Perc50", "Perc90", "Perc99")}
    labels = [tuple(sorted(item["labels"].items())) for item in found["dataItems"]]
    assert len(labels) == len(set(labels))
    row = next(r for r in lossy.rows if (r.stage, r.layout) == ("downsync", "one-to-one"))
    item = next(
        i for i in found["dataItems"] if (i["labels"]["Metric"], i["labels"]["Layout"]) == ("downsync", "one-to-one")
    )
    assert item["data"]["Perc50"] == pytest.approx((row.p50 or 0) * 1000)


def test_junit_fits_its_schema_and_counts_itself(lossy: Study) -> None:
    text = FORMATS["junit"].files(lossy)["junit.xml"]
    xmlschema.XMLSchema(str(Path(__file__).with_name("junit.xsd"))).validate(io.BytesIO(text))
    suite = ET.fromstring(text)[0]  # noqa: S314 - our own text
    cases = suite.findall("testcase")
    failed = [case.get("name") for case in cases if case.find("failure") is not None]
    assert failed == ["valid", "one-to-many, 3 WECs", "one-to-one, 3 WECs", "downsync: missing <= 0"]
    assert (suite.get("tests"), suite.get("failures"), len(cases)) == ("5", "4", 5)


def test_junit_writes_what_xml_cannot_hold_as_a_replacement(lossy: Study) -> None:
    verdict = type(lossy.verdict)("invalid", ("bad \x1b[31m <&> \x00",))
    text = FORMATS["junit"].files(Study(**{**vars(lossy), "verdict": verdict}))["junit.xml"]
    failure = ET.fromstring(text)[0].find("testcase/failure")  # noqa: S314 - our own text
    assert failure is not None
    assert failure.get("message") == "bad \ufffd[31m <&> \ufffd"


def test_openmetrics_is_read_by_prometheus_own_parser(lossy: Study) -> None:
    text = FORMATS["openmetrics"].files(lossy)["metrics.prom"].decode()
    families = {family.name: family for family in text_fd_to_metric_families(io.StringIO(text))}
    assert text.endswith("# EOF\n")
    name = "kubestellar_downsync_duration_seconds"
    counts = {
        (s.labels["layout"], s.labels["cluster"]): s.value for s in families[name].samples if s.name == f"{name}_count"
    }
    assert counts == {(layout, f"wec00{n}"): 3 for layout in ("one-to-one", "one-to-many") for n in (1, 2)}
    bounds = [s.labels["le"] for s in families[name].samples if s.name == f"{name}_bucket"][:16]
    assert bounds[:3] == ["0.1", "0.2", "0.4"]
    assert bounds[-2:] == ["1638.4", "+Inf"]
    missing = {
        s.labels["layout"]: s.value
        for s in families["fleet_missing_samples"].samples
        if s.labels["stage"] == "downsync"
    }
    assert missing == {"one-to-one": 3, "one-to-many": 3}
    assert all("name" not in s.labels for family in families.values() for s in family.samples)
    assert {families[MANAGER.metrics[stage]].unit for stage in ("downsync", "e2e")} == {"seconds"}


def test_label_values_are_escaped() -> None:
    assert escaped('a"b\\c\nd') == 'a\\"b\\\\c\\nd'


def test_svg_files_stand_alone(lossy: Study) -> None:
    files = FORMATS["svg"].files(lossy)
    assert [*files] == ["downsync-against-wec-count.svg", "end-to-end-against-wec-count.svg", "where-the-time-goes.svg"]
    for content in files.values():
        text = content.decode()
        root = ET.fromstring(text)  # noqa: S314 - our own text
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.get("viewBox")
        colours = set(re.findall(r"var\((--\w+)\)", text))
        assert colours
        assert all(f"{colour}: #" in text for colour in colours)
