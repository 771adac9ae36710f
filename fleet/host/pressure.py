"""How starved a machine is now: its pressure stall information (PSI) and load, for errors about what came too late."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

STARVED_PERCENT = 40.0
"""Of the last 10 s some task waited for a core: a program then takes several times as long as on an idle machine."""
_AVG10 = re.compile(r"^(some|full) avg10=([0-9.]+)", re.MULTILINE)
RESOURCES = ("cpu", "memory", "io")


@dataclass(frozen=True)
class Pressure:
    """Percent of the last 10 s in which some task (`some`), or every task (`full`), waited; by resource.

    Empty where the kernel has no PSI.
    """

    some: dict[str, float]
    full: dict[str, float]
    load: float
    """Runnable tasks, mean over a minute."""
    cores: int

    @property
    def starved(self) -> bool:
        """Whether programs here wait for cores or memory for much of their time."""
        worst = max(self.some.get("cpu", 0.0), self.full.get("memory", 0.0))
        return worst >= STARVED_PERCENT or (not self.some and self.load > 2 * self.cores)

    def __str__(self) -> str:
        """One sentence without its full stop."""
        parts = [
            f"{name} {self.some[name]:.0f} % some and {self.full.get(name, 0.0):.0f} % full"
            for name in RESOURCES
            if name in self.some
        ]
        told = f"pressure over 10 s: {', '.join(parts)}" if parts else "no pressure information"
        verdict = "the machine is starved" if self.starved else "the machine is not starved"
        return f"{verdict} ({told}; load {self.load:.1f} on {self.cores} core{'s' if self.cores != 1 else ''})"


def pressure(proc: Path = Path("/proc")) -> Pressure:
    """As it is now; what cannot be read is left out."""
    some, full = {}, {}
    for name in RESOURCES:
        try:
            text = (proc / "pressure" / name).read_text(encoding="ascii")
        except OSError:
            continue
        found = dict(_AVG10.findall(text))
        if "some" in found:
            some[name] = float(found["some"])
            full[name] = float(found.get("full", 0.0))
    return Pressure(some, full, os.getloadavg()[0], os.cpu_count() or 1)
