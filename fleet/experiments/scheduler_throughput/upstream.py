"""What YuniKorn publishes of the same loads, to stand alongside what was measured here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """Of 5,000 pods in one form, pods a second: YuniKorn's evaluation with simulated nodes."""

    load: str
    form: str
    kube_scheduler: float
    yunikorn: float


PUBLISHED = (
    Published("one-group", "1 x 5,000", 50.5, 833),
    Published("five-groups", "5 x 1,000", 50.5, 556),
    Published("twenty-five-groups", "25 x 200", 50.5, 156),
)
"""yunikorn-k8shim at 23b6b47f, its performance test with simulated nodes, and the page about it: 99 s for
kube-scheduler in all three; 6, 9 and 32 s for YuniKorn. (5000 - 100) / 50 is 98 s: kube-scheduler was as fast as its
client's default limit let it be."""
