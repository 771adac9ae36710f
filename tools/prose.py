"""Words that this project's prose does without (`tools/words.yaml`), in docs, messages, help, docstrings and comments.

`python -m tools.prose [FILE...]` prints `file:line: word: write ...` for each and exits with 1; without files, of the
whole checkout.

Of Python and Go comments and strings with a space are read, of other files everything. What stands in backticks is
code.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from tools.links import ROOT, tracked

CODE = re.compile(r"`[^`\n]*`")
VALUE = re.compile(r"\{[^{}]*\}")
ALLOW = "prose: allow"
GO_PROSE = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:[^\"\\\n]|\\.)*\"", re.DOTALL)
WHOLE = {".md", ".yml", ".yaml", ".cff", ".toml", ".cfg", ".j2", ".sh", ""}
"""Files that are read whole."""
LEFT_OUT = re.compile(r"tools/words\.yaml|tests/unit/test_docs\.py|LICENSE")


@dataclass(frozen=True)
class Rule:
    """One entry of the list."""

    pattern: re.Pattern[str]
    better: str


@dataclass(frozen=True)
class Finding:
    """A word that is on the list, and where."""

    path: Path
    line: int
    word: str
    better: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.word!r}: write {self.better}"


def rules() -> list[Rule]:
    """The list, longest entries first: `told apart` before `told`."""
    listed = yaml.safe_load((Path(__file__).parent / "words.yaml").read_text(encoding="utf-8"))["words"]
    return [Rule(re.compile(rf"\b(?:{entry})\b", re.IGNORECASE), listed[entry]) for entry in listed]


def findings(path: Path, text: str, listed: Iterable[Rule]) -> Iterator[Finding]:
    """What is on the list in the prose of one file."""
    lines = text.splitlines()
    for first, prose in _prose(path, text):
        clean = CODE.sub(lambda found: " " * len(found[0]), prose)
        taken: set[int] = set()
        for rule in listed:
            for found in rule.pattern.finditer(clean):
                line = first + clean.count("\n", 0, found.start())
                if taken.isdisjoint(range(*found.span())) and ALLOW not in lines[line - 1]:
                    taken.update(range(*found.span()))
                    yield Finding(path, line, found[0], rule.better)


def _prose(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """Pieces of prose with the number of their first line."""
    if path.suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT or (token.type in _STRINGS and " " in token.string.strip()):
                prefix = token.string.split(token.string[-1])[0].lower()
                yield token.start[0], _without_values(token.string) if "f" in prefix else token.string
    elif path.suffix == ".go":
        for found in GO_PROSE.finditer(text):
            if " " in found[0].strip():
                yield 1 + text.count("\n", 0, found.start()), found[0]
    elif path.suffix in WHOLE:
        yield 1, text


def _without_values(literal: str) -> str:
    """An f-string with blanks in place of what is computed (before Python 3.12 it is one token)."""
    return VALUE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), literal)


_STRINGS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
"""Since Python 3.12 an f-string is several tokens."""


def main(arguments: list[str]) -> int:
    """Print what was found."""
    listed = rules()
    paths = [Path(name).resolve() for name in arguments] or tracked(ROOT)
    found = 0
    for path in paths:
        if LEFT_OUT.fullmatch(str(path.relative_to(ROOT))):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # pictures and archives
            continue
        for finding in findings(path, text, listed):
            print(finding, file=sys.stderr)
            found += 1
    print(f"prose: {found} findings" if found else "prose: no word of the list", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
