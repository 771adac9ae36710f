"""Links that mkdocs does not see: those of pages outside of docs/, and mentions of a docs page in any file.

`python -m tools.links` prints each one that leads nowhere and exits with 1.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
MENTION = re.compile(r"(?<![\w/.-])docs/[\w./-]+\.(?:md|json|svg|png|cast)\b")
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)")
LEFT_OUT = ("results/", "tests/golden/")
"""Published runs are sealed, and name pages as these were called when the run was made."""


def main() -> int:
    """Print what leads nowhere."""
    problems = list(broken(ROOT))
    print("\n".join(problems) if problems else "links: all lead somewhere", file=sys.stderr)
    return 1 if problems else 0


def broken(root: Path) -> Iterator[str]:
    """`file:line: target` of each link or mention without a file."""
    for path in tracked(root):
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:  # pictures and archives
            continue
        page = path.suffix == ".md"
        for number, line in enumerate(lines, 1):
            targets = [root / mention for mention in MENTION.findall(line)]
            if page:
                targets += [path.parent / link for link in LINK.findall(line) if "://" not in link and ":" not in link]
            for target in targets:
                if not target.exists():
                    yield f"{path.relative_to(root)}:{number}: {os.path.relpath(target, root)} does not exist"


def tracked(root: Path) -> list[Path]:
    """Files of the checkout that git has, and new ones that it does not ignore, without those that are left out."""
    command = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [root / name for name in listed if not name.startswith(LEFT_OUT) and (root / name).is_file()]


if __name__ == "__main__":
    sys.exit(main())
