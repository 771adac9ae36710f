"""How far a build is: packages compiled of those expected, measured by what each group takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TRUST = 0.05
"""Below this fraction the speed says nothing yet, so the estimate of `versions.yaml` is used."""


READY = "ready"
"""The last step of every build."""


@dataclass(frozen=True)
class BuildProgress:
    """One step of a build."""

    group: str
    """What is being built: a group's name, `Go`, or `READY`."""
    fraction: float
    """Of the whole build, 0 to 1."""
    elapsed: float
    """Seconds since the build began."""
    estimate: float
    """Seconds that a cold build of what is missing takes; groups that the cache has are not counted."""
    root: Path
    """The folder of all groups."""

    @property
    def eta(self) -> float:
        """Seconds still to go."""
        if self.fraction < TRUST:
            return max(0.0, self.estimate - self.elapsed)
        return self.elapsed * (1.0 - self.fraction) / self.fraction


Report = Callable[[BuildProgress], None]
