"""Where Kyverno's controllers show metrics and profiles: plain HTTP on loopback."""

from __future__ import annotations

from fleet.host.pages import Pages, Started, plain


def of_controller(started: Started) -> Pages:
    """Both, from its flags."""
    return plain(
        f"{started.flag('metricsHost')}:{started.flag('metricsPort')}",
        f"{started.flag('profileAddress')}:{started.flag('profilePort')}",
    )
