"""Copy a run to `results/<experiment>/<name>`, as small as git takes it, with everything that its report is made from.

`python -m tools.publish RUN NAME`: `events.jsonl` is packed, the tables in CSV and the profiles stay behind (the tables
are in `summary.json`, the flame graphs in the report), the manifest is written again. Names that begin with a digit are
those of runs, which git ignores.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import sys
from pathlib import Path

from fleet.results.folder import EVENTS, MANIFEST, PPROF, PROFILES, RunFolder

ROOT = Path(__file__).parents[1]
MOST_BYTES = 3 << 20


def left_out(_folder: str, names: list[str]) -> set[str]:
    """What is not copied, as `shutil.copytree` asks."""
    return {one for one in names if one.endswith(".csv") or one in {EVENTS, MANIFEST, PPROF, PROFILES} or one[0] == "."}


def publish(run: Path, name: str, results: Path) -> Path:
    """The new folder. ValueError for what cannot be published."""
    folder = RunFolder(run)
    record = folder.read_run()
    if folder.modified():
        raise ValueError(f"{run}: {', '.join(folder.modified())}: changed since the run; publish what was measured")
    if not name or name[0].isdigit():
        raise ValueError(f"{name!r}: names of published runs begin with a letter")
    target = results / record.spec.experiment / name
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(run, target, ignore=left_out)
    if folder.file(EVENTS).exists():
        packed = gzip.compress(folder.file(EVENTS).read_bytes(), mtime=0)
        (target / f"{EVENTS}.gz").write_bytes(packed)
    RunFolder(target).seal()
    return target


def main() -> int:
    """For the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.publish", description="Put a run under results/, small.")
    parser.add_argument("run", type=Path, help="folder of the run")
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
        print(f"publish: more than {MOST_BYTES >> 20} MiB: take a shorter run", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
