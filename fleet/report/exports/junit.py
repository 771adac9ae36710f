"""junit.xml as Jenkins and its kin read it: the verdict, each sweep point and each threshold is a test case."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence

from fleet.analysis.recorded import setting_of
from fleet.analysis.setting import Setting
from fleet.analysis.study import Study
from fleet.report.exports.grouping import seconds_between

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write."""


class JunitReporter:
    """A point of the sweep fails when samples are missing; a threshold that cannot be judged has failed."""

    def files(self, study: Study) -> Mapping[str, bytes]:
        """`junit.xml`."""
        run = study.run
        suite = ET.Element("testsuite", name=run.experiment, timestamp=run.started.rstrip("Z"), hostname=run.fleet.name)
        _properties(suite, study)
        cases = [_case(suite, "verdict", "valid", study.verdict.reasons, seconds_between(run.started, run.ended))]
        cases += [_point(suite, study, setting) for setting in _points(study)]
        for threshold in run.spec.thresholds:
            texts = [f.text for f in study.failures if (f.stage, f.test) == (threshold.stage, threshold.test)]
            cases.append(_case(suite, "threshold", f"{threshold.stage}: {threshold.test}", texts, 0.0))
        for one in study.own.assertions:
            name = f"{one.stage} ({one.point}): {one.test}"
            cases.append(_case(suite, "assertion", name, [one.text] if one.why else [], 0.0))
        total = {"tests": str(len(cases)), "failures": str(sum(cases)), "errors": "0", "skipped": "0"}
        for name, value in {**total, "time": f"{seconds_between(run.started, run.ended):.3f}"}.items():
            suite.set(name, value)
        root = ET.Element("testsuites")
        root.append(suite)
        ET.indent(root)
        return {"junit.xml": ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"}


def _properties(suite: ET.Element, study: Study) -> None:
    properties = ET.SubElement(suite, "properties")
    facts = {"run": study.run.id, "status": study.verdict.status, "git": study.run.git}
    facts |= {f"version.{name}": version for name, version in sorted(study.run.fleet.versions.items())}
    for row in study.rows:
        if row.p50 is not None:
            facts[".".join(["p50", row.stage, row.layout, str(row.wecs), *row.point.split()])] = f"{row.p50:.6f}"
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=_text(name), value=_text(value))


def _points(study: Study) -> list[Setting]:
    return sorted({row.setting for row in study.rows})


def _point(suite: ET.Element, study: Study, setting: Setting) -> bool:
    spans = [study.recorded.span(p) for p in study.recorded.trials if p.repeat >= 0 and setting_of(p) == setting]
    rows = [row for row in study.rows if row.setting == setting and row.missing]
    texts = [f"{row.stage}: {row.missing} of {row.missing + row.count} samples are missing" for row in rows]
    return _case(suite, "point", _name(setting), texts, sum(end - begin for begin, end in spans) / 1e9)


def _name(setting: Setting) -> str:
    where = f"{setting.layout}, {setting.wecs} WECs"
    return f"{where}, {setting.point}" if setting.point else where


def _case(suite: ET.Element, group: str, name: str, failures: Sequence[str], seconds: float) -> bool:
    """Add a test case; whether it failed."""
    place = f"fleet.{suite.get('name')}.{group}"
    case = ET.SubElement(suite, "testcase", classname=place, name=_text(name), time=f"{max(0.0, seconds):.3f}")
    if failures:
        failure = ET.SubElement(case, "failure", message=_text(failures[0]), type=group)
        failure.text = _text("\n".join(failures))
    return bool(failures)


def _text(value: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", value)
