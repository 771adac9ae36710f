"""Which names are taken for a misspelt one, and which are somebody else's."""

from __future__ import annotations

import pytest

from fleet.model.misspelt import misspelt

KNOWN = ("wec_count", "wec_nodes", "transport_its_qps", "transport_wds_qps", "fleet_name")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("wec_cuont", "wec_count"),
        ("wec-count", "wec_count"),
        ("wec_counts", "wec_count"),
        ("transport_its_pqs", "transport_its_qps"),
        ("flet_name", "fleet_name"),
    ],
)
def test_misspelt(given: str, meant: str) -> None:
    assert misspelt([given], KNOWN) == {given: meant}


@pytest.mark.parametrize("given", ["wec_count", "our_region", "ansible_user", "site"])
def test_known_or_somebody_else_s(given: str) -> None:
    assert misspelt([given], KNOWN) == {}
