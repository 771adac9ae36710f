"""Where modules of `fleet` say words that only some of them may know."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

import fleet

ROOT = Path(fleet.__file__).parent


def mentions(words: re.Pattern[str], inside: str, allowed: Collection[str]) -> list[str]:
    """`file:line: word`, but for files whose path below `fleet` begins as the pattern `inside`, and those that are
    `allowed`: a path, or a folder with its `/`."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if re.match(inside, name) or any(
            name == one or (one.endswith("/") and name.startswith(one)) for one in allowed
        ):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if word := words.search(line):
                found.append(f"{name}:{number}: {word[0]}")
    return found
