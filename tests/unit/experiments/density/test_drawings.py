"""The drawings of density have what they are of, and nothing is drawn of nothing."""

from __future__ import annotations

from fleet.experiments.density import drawings
from fleet.experiments.density.quantities import sequences
from tests.unit.experiments.density.test_analysis import recorded

MIB = 1 << 20


def test_cost_says_its_slope() -> None:
    drawn = drawings.cost(sequences(recorded([0, 4, 8, 12])), "steady", "pss", (MIB, "MiB"), "Memory")
    assert drawn is not None
    assert drawn.caption == "Each further control plane: 30 \N{PLUS-MINUS SIGN} 0 MiB."
    assert drawn.svg.startswith("<svg")
    assert drawings.cost(sequences(recorded([0, 4])), "steady", "pss", (MIB, "MiB"), "Memory") is None


def test_phases_have_a_line_for_each_component() -> None:
    drawn = drawings.phases(sequences(recorded([0, 4, 8, 12])), "pss", (MIB, "MiB"), "Memory")
    assert drawn is not None
    assert all(word in drawn.svg for word in ("dense", "etcd", "baseline", "steady"))
    assert "client" not in drawn.svg


def test_a_spectrum_of_what_was_measured() -> None:
    drawn = drawings.spectrum({"read": [0.001 * n for n in range(1, 200)], "write": []}, "Spectrum", "")
    assert drawn is not None
    assert "read" in drawn.svg
    assert "write" not in drawn.svg
    assert drawings.spectrum({"read": []}, "Spectrum", "") is None
