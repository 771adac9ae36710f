"""The report's latency drawings as SVG files of their own, for a README or a slide."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from fleet.analysis.study import Study
from fleet.report import figures
from fleet.report.pages import fill
from fleet.report.sections import sections


class SvgReporter:
    """A file per drawing; each knows the light and the dark page, as the report does."""

    def files(self, study: Study) -> Mapping[str, bytes]:
        """`<title>.svg`, spaces as dashes: downsync-against-wec-count.svg and its kin, the stages' waterfall, and
        what the sections of the experiment have."""
        own = [drawing for section in sections(study) for drawing in section.figures]
        drawings = [*figures.scaling(study), *figures.stages(study), *own]
        return {file_name(drawing.title): alone(drawing).encode() for drawing in drawings}


def file_name(title: str) -> str:
    """Of a drawing with that title."""
    return "-".join(title.lower().replace(",", "").split()) + ".svg"


def alone(drawing: figures.Drawing) -> str:
    """The drawing as a file of its own."""
    opening, _, body = drawing.svg.partition(">")
    box = opening.partition('viewBox="')[2].partition('"')[0]
    # The body is what matplotlib wrote, with the words of ticks and legends escaped by it.
    return fill("drawing.svg", title=drawing.title, caption=drawing.caption, box=box, body=Markup(body))  # noqa: S704
