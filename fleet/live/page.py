"""The page of a run that goes on: the same drawings and tables as in its report, made of the events so far."""

from __future__ import annotations

from importlib import resources

from markupsafe import Markup

from fleet.analysis.study import Study
from fleet.live.progress import Progress
from fleet.report import cpu_split, figures, tables
from fleet.report.figures import HEADLINE
from fleet.report.html import safe
from fleet.report.pages import fill
from fleet.report.time_marks import phase_colour, time_marks


def frame(title: str) -> str:
    """The page, still empty: its script fetches what stands in it."""
    script = resources.files("fleet.report").joinpath("templates/live.js").read_text()
    return fill("live.html", title=title, more_script=script)


def body(study: Study, progress: Progress) -> str:
    """What changes."""
    hub = [cluster.name for cluster in study.run.fleet.hub()]
    marks = time_marks(study.recorded, study.disturbances)
    return fill(
        "live_body.html",
        progress=progress,
        run=study.run,
        headline=tables.latencies(study.rows, study.own.stages or HEADLINE),
        phases=[(name, phase_colour(name)) for name in marks.names],
        over_time=safe(figures.over_time(study)),
        rates=safe(figures.rates(study)),
        wecs=safe(figures.wecs(study)),
        cpu_sides=safe(figures.cpu_sides(study)),
        cpu_sentence=cpu_split.sentence(study.cpu),
        resources=safe(figures.resources(study, hub)),
        events=tables.events(study),
    )


def waiting(text: str) -> str:
    """In place of the body, before the first event."""
    return str(Markup("<p>{}</p>").format(text))
