"""What reaches the terminal: data on stdout, the rest on stderr, colour where it is wanted, foreign text cleaned."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

import typer

API_VERSION = "fleet.testbed/v1"
SIGPIPE_CODE = 141
"""128 + SIGPIPE: what a shell reports for a program whose reader went away."""

_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: window titles, links, clipboard
    r"|\x1b[PX^_].*?(?:\x1b\\|$)"  # DCS, SOS, PM, APC
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b.?",
    re.DOTALL,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CODES = {"ok": "32", "warn": "33", "fail": "31", "dim": "2", "head": "1"}


def clean(text: str) -> str:
    """Text of foreign origin without escape sequences, control characters and direction overrides."""
    return _CONTROL.sub("", _ESCAPES.sub("", text))


def wants_colour(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether colour and motion may be written: a terminal, and none of NO_COLOR, TERM=dumb and CI."""
    return "NO_COLOR" not in environ and environ.get("TERM") != "dumb" and not environ.get("CI") and stream.isatty()


@dataclass(frozen=True)
class Ink:
    """Colours words, or leaves them alone."""

    colour: bool = False

    def __call__(self, text: str, style: str) -> str:
        """`text` in `style` (ok, warn, fail, dim, head; empty for none)."""
        if not self.colour or style not in _CODES or not text.strip():
            return text
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m"


def ink_for(stream: TextIO) -> Ink:
    """The ink for that stream."""
    return Ink(wants_colour(stream))


def out(text: str) -> None:
    """Data, to stdout. A reader that went away ends the program quietly."""
    try:
        sys.stdout.write(text if text.endswith("\n") or not text else f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError as error:
        # What is still buffered would fail again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(SIGPIPE_CODE) from error


def out_items(kind: str, items: Sequence[Mapping[str, Any]], **more: Any) -> None:
    """A list as JSON with `apiVersion`, `kind` and `items`; an empty one is `[]`."""
    document = {"apiVersion": API_VERSION, "kind": kind, **more, "items": list(items)}
    out(json.dumps(document, indent=2, ensure_ascii=True))


def say(text: str) -> None:
    """A word to the user, on stderr; never fails."""
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except OSError:
        return


def say_error(text: str) -> None:
    """An error, on stderr."""
    lines = [clean(line) for line in text.split("\n")]
    say("\n".join([f"{ink_for(sys.stderr)('error:', 'fail')} {lines[0]}", *(f"       {line}" for line in lines[1:])]))
