"""`report.html`: one page that opens offline, verdict first; it reads without JavaScript too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import yaml
from markupsafe import Markup

from fleet.analysis.study import Study
from fleet.analysis.theory import theory_of
from fleet.model.duration import written
from fleet.report import cpu_split, figures, profiled, tables, why_slow
from fleet.report.answer import answer
from fleet.report.figures import HEADLINE, Drawing
from fleet.report.pages import fill
from fleet.report.reproduce import commands
from fleet.report.sections import sections
from fleet.report.setting import facts
from fleet.report.time_marks import phase_colour, time_marks
from fleet.report.waterfall import first_stage
from fleet.report.why_slow import RAW_LINES


class HtmlReporter:
    """The page. Everything from outside is escaped; only our own drawings are passed through."""

    def files(self, study: Study) -> Mapping[str, bytes]:
        """`report.html`."""
        return {"report.html": page(study).encode()}


def page(study: Study) -> str:
    """The whole page."""
    hub = [cluster.name for cluster in study.run.fleet.hub()]
    theory = theory_of(study.run.manager.name)
    absent, missing = tables.missing(study.samples)
    return fill(
        "report.html",
        run=study.run,
        verdict=study.verdict,
        failures=study.failures,
        answer=answer(study),
        facts=facts(study),
        client_limits=tables.client_limits(study),
        programs=tables.programs(study),
        own=bool(study.own.stages or study.own.tables),
        headline=tables.latencies(study.rows, study.own.stages or HEADLINE),
        summary=tables.latencies(study.rows, [row.stage for row in study.rows]),
        fixed=_fixed(study),
        manager=study.run.manager,
        limits_text=theory.limits_text if theory else "",
        predicted=tables.predicted(study),
        components=tables.components(study, hub),
        cpu=cpu_split.table(study.cpu),
        cpu_sentence=cpu_split.sentence(study.cpu),
        api_requests=tables.api_requests(study),
        limiter=tables.limiter(study),
        slowest=[
            (why_slow.title(one), why_slow.stages(one), why_slow.lines(one), "\n".join(why_slow.raw(one, RAW_LINES)))
            for one in study.slowest
        ],
        disagrees=study.disagrees,
        absent=absent,
        missing=missing,
        shown=tables.MISSING_SHOWN,
        open_rows=tables.OPEN_ROWS,
        events=tables.events(study),
        sections=[(one, safe(one.figures)) for one in sections(study)],
        axis=figures.axis(study.rows) or "WEC count",
        scaling=safe(figures.scaling(study)),
        stages=safe(figures.stages(study)),
        distributions=safe(figures.distributions(study)),
        spectra=safe(figures.spectra(study)),
        over_time=safe(figures.over_time(study)),
        rates=safe(figures.rates(study)),
        wec_drawings=safe(figures.wecs(study)),
        phases=[(name, phase_colour(name)) for name in time_marks(study.recorded, study.disturbances).names],
        cpu_sides=safe(figures.cpu_sides(study)),
        limits=safe(figures.limits(study)),
        resources=safe(figures.resources(study, hub)),
        profiles=study.profiles,
        profiled_every=study.run.spec.profiles.interval,
        profile_table=profiled.table(study.profiles),
        flames=[(Markup(one.svg), one.title, one.caption) for one in profiled.flames(study.profiles)],  # noqa: S704
        spec=_spec(study),
        wecs=len(study.run.fleet.wecs()),
        commands=commands(study.run.fleet),
    )


def safe(drawings: Sequence[Drawing]) -> list[tuple[Markup, str, str]]:
    """Matplotlib escapes every text that it writes, so its SVG is the one thing that is not escaped again."""
    return [(Markup(drawing.svg), drawing.title, drawing.caption) for drawing in drawings]  # noqa: S704


def _fixed(study: Study) -> list[tuple[str, tables.Table]]:
    """What is fixed, each a sentence and a table of what is left without it."""
    manager = study.run.manager
    found = []
    for delay in manager.fixed:
        stage = first_stage(study.table, delay.mark)
        text = f"{delay.seconds:g} s of the way to the mark “{delay.mark}” are {manager.shown}'s {delay.name}."
        if stage:
            text += " That part is fixed, so it stands apart here:"
            found.append((text, tables.fixed_part(study.rows, stage, delay)))
    return found


def _spec(study: Study) -> str:
    return yaml.safe_dump(written(study.run.spec), sort_keys=False, default_flow_style=None)
