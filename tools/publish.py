"""Copy a run to `results/<experiment>/<name>`, as small as git takes it, with everything that its report is made from.

`python -m tools.publish RUN NAME`: `events.jsonl` is packed, the tables in CSV and the profiles stay behind (the tables
are in `summary.json`, the flame graphs in the report), the manifest is written again. Names that begin with a digit are
those of runs, which git ignores. A league's folder goes with all its runs to `results/league-<league>/<name>`.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import sys
from pathlib import Path

from fleet.results import league
from fleet.results.folder import EVENTS, MANIFEST, PPROF, PROFILES, RunFolder

ROOT = Path(__file__).parents[1]
MOST_BYTES = 10 << 20


def left_out(_folder: str, names: list[str]) -> set[str]:
    """What is not copied, as `shutil.copytree` asks."""
    return {one for one in names if one.endswith(".csv") or one in {EVENTS, MANIFEST, PPROF, PROFILES} or one[0] == "."}


def publish(run: Path, name: str, results: Path) -> Path:
    """The new folder. ValueError for what cannot be published."""
    if not name or name[0].isdigit():
        raise ValueError(f"{name!r}: names of published runs begin with a letter")
    if (run / league.FILE).is_file():
        return _league(run, name, results)
    target = results / RunFolder(run).read_run().spec.experiment / name
    _check(run)
    shutil.rmtree(target, ignore_errors=True)
    _copy(run, target)
    return target


def _league(folder: Path, name: str, results: Path) -> Path:
    """A league with each of its runs."""
    record = league.read(folder)
    runs = [played.run for played in record.turns if played.run]
    for run in runs:
        _check(folder / run)
    target = results / f"league-{record.league.name}" / name
    shutil.rmtree(target, ignore_errors=True)
    for run in runs:
        _copy(folder / run, target / run)
    league.write(target, record)
    return target


def _check(run: Path) -> None:
    changed = RunFolder(run).modified()
    if changed:
        raise ValueError(f"{run}: {', '.join(changed)}: changed since the run; publish what was measured")


def _copy(run: Path, target: Path) -> None:
    shutil.copytree(run, target, ignore=left_out)
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
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    print(f"{target.relative_to(ROOT)}: {size / 1024:.0f} KiB")
    if size > MOST_BYTES:
        shutil.rmtree(target)
        print(f"publish: more than {MOST_BYTES >> 20} MiB, so it was removed: take a shorter run", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
