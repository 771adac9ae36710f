"""A variant of `fleet ab`: what one side of the comparison has that the other has not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import Field

from fleet.errors import SpecError, UsageError
from fleet.model import yaml_source
from fleet.model.base import Model
from fleet.model.model_errors import shown, validate
from fleet.model.set_words import set_words

PLAIN = "default"
"""The word for a variant that changes nothing."""
_COMMA = re.compile(r",(?=[a-z_][A-Za-z0-9_.]*=)")
"""Before the next name: a value may have commas of its own."""
_WORD = re.compile(r"^([a-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)=(.*)$", re.DOTALL)


class Variant(Model):
    """The format of a variant's file."""

    name: str = Field(default="", max_length=80)
    """For people; the file's name, or the words of the command line."""
    variables: dict[str, Any] = Field(default_factory=dict)
    """Inventory variables of its fleet, as `-e` has them: manager, limits, flags, programs of its own."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Fields of the experiment, dotted, as `--set` has them."""
    checkout: Path | None = None
    """Another checkout of this project, with its code, its toolchain and its versions; absolute once loaded. None: the
    one that runs."""

    @property
    def sets(self) -> list[str]:
        """The words of `--set`."""
        return set_words(self.set)


def load(text: str) -> Variant:
    """The variant of a file, or of words: `default`, or `NAME=VALUE[,NAME=VALUE]`, where a name with a dot is a field
    of the experiment. UsageError, SpecError for what is neither."""
    if text == PLAIN:
        return Variant(name=PLAIN)
    if "=" not in text or Path(text).is_file():
        return _of_file(Path(text))
    variables: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    for word in _COMMA.split(text):
        match = _WORD.match(word)
        if match is None:
            raise UsageError(f"variant {shown(word)}: write NAME=VALUE,NAME=VALUE, the path of a file, or `{PLAIN}`")
        into = fields if "." in match[1] else variables
        if match[1] in into:
            raise UsageError(f"variant {shown(text)}: {match[1]} is given twice: keep one")
        into[match[1]] = yaml_source.scalar(match[2], what=f"variant {match[1]}", mapping=True)
    return Variant(name=text[:80], variables=variables, set=fields)


def _of_file(file: Path) -> Variant:
    source = yaml_source.read(file)
    if not isinstance(source.data, dict):
        raise SpecError("holds no variant: write lines such as `variables: {wec_count: 20}`", file=file)
    found = validate(Variant, source.data, lambda path: (file, source.line(path)))
    if found.checkout is None:
        return found.model_copy(update={"name": found.name or file.stem})
    folder = (file.parent / found.checkout).absolute()
    if not (folder / "site.yml").is_file():
        line = source.line(("checkout",))
        raise SpecError(f"{folder} is no checkout: it has no site.yml", file=file, line=line, field="checkout")
    return found.model_copy(update={"name": found.name or file.stem, "checkout": folder})
