"""Makes and finds the observations that `fleet plan` estimates from: of run folders, in a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fleet.analysis.sizing import observation
from fleet.analysis.sizing.observation import SHIPPED, Observation, Setup
from fleet.analysis.sizing.reading import read
from fleet.analysis.sizing.sized import Model
from fleet.errors import UsageError
from fleet.host.files import private_directory, write_private
from fleet.model import fleet_load
from fleet.results.folder import RUN, RunFolder

FILE = "sizing.json"
"""Alongside the fleets of this machine."""
FEWEST_COUNTS = 2


@dataclass
class Made:
    """What `--fit` has read and written."""

    file: Path
    observations: list[Observation] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """Each with its reason."""

    def lines(self) -> Iterator[str]:
        """For people."""
        yield from (f"not used: {text}" for text in self.skipped)
        setups: dict[str, set[int]] = {}
        for one in self.observations:
            setups.setdefault(str(one.setup), set()).add(one.wecs)
        for setup, counts in sorted(setups.items()):
            yield f"{setup}: {', '.join(map(str, sorted(counts)))} WECs"
        yield f"{len(self.observations)} observations of {len(self.used)} runs in {self.file}"


def own_file() -> Path:
    """This machine's."""
    return fleet_load.state_root() / FILE


def make(folders: Sequence[Path], file: Path | None) -> Made:
    """Read the runs and write the file (default: this machine's) again; UsageError, and nothing written, when no run
    can be used."""
    made = Made(file or own_file())
    for folder in folders:
        for path in _runs(folder):
            found = read(RunFolder.open(path))
            if found.why_not:
                made.skipped.append(f"{path}: {found.why_not}")
            else:
                made.used.append(str(path))
                made.observations += found.observations
    if not made.observations:
        reasons = "\n".join(made.skipped) or "there is no run folder"
        raise UsageError(f"no run can be used; nothing was written:\n{reasons}")
    data = observation.dump(made.observations)
    if file is None:
        private_directory(made.file.parent)
        write_private(made.file, data)
    else:
        made.file.write_bytes(data)
    return made


def choose(file: Path | None, setup: Setup) -> Model:
    """Those of a file, else this machine's where they have such a fleet in several sizes, else the shipped."""
    if file is not None:
        return Model(observation.load(file), f"runs in {file}")
    own = own_file()
    if own.exists():
        mine = observation.load(own)
        if len({one.wecs for one in mine if one.setup == setup}) >= FEWEST_COUNTS:
            return Model(mine, f"runs of this machine ({own})")
    return Model(observation.load(SHIPPED), "the runs that came with this release")


def _runs(folder: Path) -> list[Path]:
    """The run folder itself, or all at any depth below the folder; oldest first."""
    if not folder.is_dir():
        raise UsageError(f"--fit {folder}: is no folder; name a run folder, or a folder of run folders")
    found = [file.parent for file in folder.rglob(RUN) if not file.parent.is_symlink()]
    return sorted(found, key=lambda path: path.name)
