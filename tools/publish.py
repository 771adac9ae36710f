"""Copy a run to `results/<experiment>/<name>`, as small as git takes it, with everything that its report is made from.

`python -m tools.publish RUN NAME`: `events.jsonl` is packed, the tables in CSV, profiles and programs' logs stay behind
(the tables are in `summary.json`, the flame graphs in the report), the manifest is written again. Names that begin with
a digit are those of runs, which git ignores. A league's folder goes with all its runs to
`results/league-<league>/<name>`, without their reports, which `fleet report` makes again. What was published under the
name before stays where the new run is refused.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import sys
from collections.abc import Set
from pathlib import Path

from fleet.cli.reporting import PAGE
from fleet.host.weight import MIB
from fleet.results import league
from fleet.results.folder import EVENTS, MANIFEST, PPROF, PROFILES, RunFolder

ROOT = Path(__file__).parents[1]
MOST_BYTES = 10 * MIB


def left_out(_folder: str, names: list[str]) -> set[str]:
    """What is not copied, as `shutil.copytree` asks."""
    others = {EVENTS, MANIFEST, PPROF, PROFILES}
    return {one for one in names if one.endswith((".csv", ".log")) or one in others or one[0] == "."}


def publish(run: Path, name: str, results: Path, *, most: int = MOST_BYTES) -> Path:
    """The new folder. ValueError for what cannot be published, such as a run of more than `most` bytes."""
    if not name or name[0].isdigit():
        raise ValueError(f"{name!r}: names of published runs begin with a letter")
    if (run / league.FILE).is_file():
        record = league.read(run)
        folder, runs = f"league-{record.league.name}", [played.run for played in record.turns if played.run]
    else:
        record, folder, runs = None, RunFolder(run).read_run().spec.experiment, [""]
    for one in runs:
        _check(run / one)
    target = results / folder / name
    fresh = target.with_name(f".{name}")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        for one in runs:
            _copy(run / one, fresh / one, {PAGE} if record is not None else set())
            if (size := size_of(fresh / one)) > most:
                packed = f"{size / MIB:.1f} MiB when packed, more than {most / MIB:.0f}"
                raise ValueError(f"{run / one}: {packed}: take a shorter run")
        if record is not None:
            league.write(fresh, record)
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def size_of(folder: Path) -> int:
    """Bytes of its files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _check(run: Path) -> None:
    changed = RunFolder(run).modified()
    if changed:
        raise ValueError(f"{run}: {', '.join(changed)}: changed since the run; publish what was measured")


def _copy(run: Path, target: Path, but: Set[str]) -> None:
    shutil.copytree(run, target, ignore=lambda folder, names: left_out(folder, names) | but)
    events = RunFolder(run).file(EVENTS)
    if events.exists():
        (target / f"{EVENTS}.gz").write_bytes(gzip.compress(events.read_bytes(), mtime=0))
    RunFolder(target).seal()


def main() -> int:
    """For the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.publish", description="Put a run under results/, small.")
    parser.add_argument("run", type=Path, help="folder of the run, or of a league")
    parser.add_argument("name", help="its name below results/<experiment>/, such as reference")
    args = parser.parse_args()
    try:
        target = publish(args.run, args.name, ROOT / "results")
    except ValueError as error:
        print(f"publish: {error}", file=sys.stderr)
        return 2
    print(f"{target.relative_to(ROOT)}: {size_of(target) / 1024:.0f} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
