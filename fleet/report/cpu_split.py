"""The table of whose CPU it was, and its sentence."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.analysis.cpu_shares import EMULATION, CpuShare
from fleet.report.tables import Table

_MEANING = {
    "hub control planes": "API servers, stores and controller managers of the hub",
    "manager": "programs of the system under test on the hub",
    "agents": "its agents, one or more per WEC",
    "platforms": "programs of the platforms under test, in their WECs",
    "emulated WECs": "control planes of the WECs and their simulated nodes: a real fleet has them elsewhere",
    "other programs": "of the fleet, such as its monitoring",
    "driver": "this program and its helpers",
    "outside": "everything else on the machines",
}


def table(found: Sequence[CpuShare]) -> Table:
    """One row per owner."""
    head = ("whose", "cores", "share", "what that is")
    rows = [(one.owner, f"{one.cores:.2f}", f"{one.share:.0%}", _MEANING[one.owner]) for one in found]
    return Table(head, rows, frozenset({"cores", "share"}), frozenset({"what that is"}))


def sentence(found: Sequence[CpuShare]) -> str:
    """How much of it the emulation itself took; empty when nothing was sampled."""
    if not found:
        return ""
    total = sum(one.cores for one in found)
    said = f"While the counted trials were measured, {total:.2f} cores were busy"
    emulated = [one for one in found if one.owner in EMULATION]
    if not emulated or not any(one.owner == "hub control planes" for one in found):
        return f"{said}."  # without a hub the WECs are what is measured
    share, cores = sum(one.share for one in emulated), sum(one.cores for one in emulated)
    return (
        f"{said}; {share:.0%} of that ({cores:.2f} cores) went into emulating the WECs, which a real fleet has on "
        "machines of their own."
    )
