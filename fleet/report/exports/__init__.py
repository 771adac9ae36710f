"""A run in the formats of other tools: each an Exporter whose file names may have folders in them."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.report.exports.hdr import HdrReporter
from fleet.report.exports.junit import JunitReporter
from fleet.report.exports.kube_burner import KubeBurnerReporter
from fleet.report.exports.openmetrics import OpenMetricsReporter
from fleet.report.exports.perfdata import PerfDataReporter
from fleet.report.exports.pyroscope import PyroscopeReporter
from fleet.report.exports.svg import SvgReporter
from fleet.report.reporter import Exporter

FORMATS: Mapping[str, Exporter] = {
    "kube-burner": KubeBurnerReporter(),
    "perfdata": PerfDataReporter(),
    "hdr": HdrReporter(),
    "junit": JunitReporter(),
    "openmetrics": OpenMetricsReporter(),
    "pyroscope": PyroscopeReporter(),
    "svg": SvgReporter(),
}
"""By the name that `fleet export --format` takes."""

__all__ = ["FORMATS"]
