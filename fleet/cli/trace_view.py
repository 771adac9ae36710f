"""A trace's summary and a drift, for people and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

from fleet.cli.console import API_VERSION
from fleet.trace.fidelity import Drift
from fleet.trace.summary import Spread, Summary


def as_text(found: Summary) -> str:
    """A few lines."""
    head = found.header
    lines = [
        f"source     {head.source}, clock {head.clock}, {'complete' if head.complete else 'not complete'}",
        f"pods       {head.pods} over {head.span:g} s: {found.rate:.3g} per second, {found.busiest} in the busiest",
        f"at once    {found.peak} at most",
        f"ends       {_counts(found.ends)}",
        f"owners     {_counts(found.owners)}",
        f"wait       {_spread(found.wait)}",
        f"life       {_spread(found.life)}",
        f"known      {_counts(found.known)}",
    ]
    lines += [f"untold     {name}: {why}" for name, why in head.untold.items()]
    lines += [f"left out   {count}: {why}" for why, count in head.left_out.items()]
    lines += [f"note       {note}" for note in head.notes]
    for name, value in (("licence", head.licence), ("by", head.attribution)):
        lines += [f"{name:<10} {value}"] if value else []
    return "\n".join(lines)


def as_json(found: Summary) -> str:
    """One document."""
    data = asdict(found) | {"header": found.header.model_dump()}
    return json.dumps({"apiVersion": API_VERSION, "kind": "TraceSummary", **data}, indent=2)


def drift_text(found: Drift) -> str:
    """A few lines."""
    return "\n".join([
        f"pods       {found.pods} in both, {found.lost} in the first alone",
        f"life       p50 {found.life_p50:.2%}, p90 {found.life_p90:.2%} off",
        f"arrival    p90 {found.arrival_p90:.2%} of the span off",
        f"ends       {found.ends:.1%} equal; exit codes {found.exits:.1%}",
    ])  # fmt: skip


def drift_json(found: Drift) -> str:
    """One document."""
    return json.dumps(
        {"apiVersion": API_VERSION, "kind": "TraceDrift", **asdict(found), "worst": found.worst}, indent=2
    )


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def _spread(found: Spread | None) -> str:
    if found is None:
        return "not known of any pod"
    return f"p50 {found.p50:.3g} s, p90 {found.p90:.3g} s, largest {found.largest:.3g} s (of {found.known} pods)"
