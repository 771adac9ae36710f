"""Safe loading of YAML that users write: capped, no aliases, no tags, no duplicate keys, line numbers kept."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fleet.errors import SpecError

SIZE_LIMIT = 1 << 20
"""Bytes. The largest file that a person writes here is a few kB."""
DEPTH_LIMIT = 32
"""Nested collections; the deepest field of our own formats has 4. The composer of libyaml recurses."""

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

FieldPath = tuple[str | int, ...]

_TOO_DEEP = "maximum nesting depth"
"""Of libyaml's error since PyYAML 6.0.4, which reads ahead and ends at some hundred levels, before ours are counted."""
_PLAIN_TAG = "tag:yaml.org,2002:"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")


@dataclass(frozen=True)
class Source:
    """A parsed document: plain dicts, lists and scalars, and the line (from 1) of every field."""

    file: Path
    data: Any
    lines: dict[FieldPath, int]

    def line(self, path: FieldPath) -> int | None:
        """The line of that field, or of the nearest field around it that the file has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def read(file: Path) -> Source:
    """Parse the one document of `file`. Raises SpecError with file and line; never runs or builds anything."""
    return parse(_text(file), file)


def parse(text: str, file: Path) -> Source:
    """As `read`, for text that is already there; `file` is only for the messages."""
    _check_text(text, file)
    try:
        _check_events(text, file)
        node = yaml.compose(text, Loader=Loader)
    except yaml.YAMLError as error:
        raise _syntax_error(error, file) from error
    if node is None:
        raise SpecError("is empty", file=file)
    lines: dict[FieldPath, int] = {}
    return Source(file, _Builder(file, lines).build(node, ()), lines)


def scalar(text: str, *, what: str, mapping: bool = False) -> Any:
    """The value of a command line's `a.b=VALUE`: a YAML scalar or a flow list, under the rules of a file.

    With `mapping` it may be a flow mapping too. Raises SpecError that begins with `what`.
    """
    if not text.strip():
        return ""
    value = parse(text, Path(what)).data
    if isinstance(value, dict) and not mapping:
        raise SpecError("is a mapping: give a scalar or a list, and one --set per field", file=what)
    return value


def _text(file: Path) -> str:
    """The file's text; refused when it is missing, no plain file, too large or not UTF-8."""
    try:
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as handle:
            info = os.fstat(handle.fileno())
            if not stat.S_ISREG(info.st_mode):
                raise SpecError("is not a plain file", file=file)
            content = handle.read(SIZE_LIMIT + 1)
    except FileNotFoundError as error:
        raise SpecError("does not exist", file=file) from error
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror}", file=file) from error
    if len(content) > SIZE_LIMIT:
        raise SpecError(f"is larger than {SIZE_LIMIT} bytes: this is no file of ours", file=file)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SpecError("is not UTF-8: save it as UTF-8 text", file=file, line=line) from error


def _check_text(text: str, file: Path) -> None:
    """Refuse control characters, and tabs where YAML counts columns."""
    if found := _CONTROL.search(text):
        code = ord(found.group())
        line = text.count("\n", 0, found.start()) + 1
        raise SpecError(f"holds the control character U+{code:04X}: remove it", file=file, line=line)
    for number, content in enumerate(text.split("\n"), start=1):
        if "\t" in content[: len(content) - len(content.lstrip())]:
            raise SpecError("is indented with a tab: YAML wants spaces", file=file, line=number)


def _check_events(text: str, file: Path) -> None:
    """Refuse aliases, anchors, tags, depth and a second document before anything is composed."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=Loader):
        line = 1 if event.start_mark is None else event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            name = getattr(event, "anchor", "")
            raise SpecError(f"has the alias or anchor {name!r}: write the value out", file=file, line=line)
        if isinstance(event, yaml.NodeEvent) and (tag := getattr(event, "tag", None)):
            shown = tag.replace(_PLAIN_TAG, "!!", 1)
            raise SpecError(f"has the tag {shown}: tags are not read here, remove it", file=file, line=line)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH_LIMIT:
                raise SpecError(f"is nested deeper than {DEPTH_LIMIT} levels", file=file, line=line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise SpecError("has a second document (---): one file, one document", file=file, line=line)


def _syntax_error(error: yaml.YAMLError, file: Path) -> SpecError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    line = None if mark is None else mark.line + 1
    if _TOO_DEEP in problem:
        return SpecError(f"is nested deeper than {DEPTH_LIMIT} levels", file=file, line=line)
    return SpecError(f"is not YAML: {problem}", file=file, line=line)


class _Builder:
    """Turns composed nodes into plain values and notes the line of every field."""

    def __init__(self, file: Path, lines: dict[FieldPath, int]) -> None:
        self.file = file
        self.lines = lines
        self.scalars = yaml.constructor.SafeConstructor()

    def build(self, node: yaml.Node, path: FieldPath) -> Any:
        """The value of `node`, which stands at `path`."""
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, index)) for index, child in enumerate(node.value)]
        try:
            return self.scalars.construct_object(node)
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            raise self._refuse(node, path, f"{node.value[:60]!a} cannot be read as a value: quote it") from error

    def _mapping(self, node: yaml.MappingNode, path: FieldPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == f"{_PLAIN_TAG}merge":
                raise self._refuse(key_node, path, "a key must be a plain name")
            key = key_node.value
            here = (*path, key)
            if key in values:
                first = self.lines[here]
                raise self._refuse(key_node, here, f"is given twice, first on line {first}: keep one")
            self.lines[here] = key_node.start_mark.line + 1
            values[key] = self.build(value_node, here)
        return values

    def _refuse(self, node: yaml.Node, path: FieldPath, message: str) -> SpecError:
        field = ".".join(str(part) for part in path) or None
        return SpecError(message, file=self.file, line=node.start_mark.line + 1, field=field)
