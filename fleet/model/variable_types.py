"""What a variable of the inventory may be: each type reads what Ansible gives (often text) and says its rule when it is
wrong."""

from __future__ import annotations

import ipaddress
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from fleet.errors import UsageError
from fleet.model.base import NAME_PATTERN
from fleet.model.duration import parse_duration
from fleet.model.link import link_of
from fleet.model.model_errors import NAME_RULE

LARGEST = 2**31 - 1
"""What every program's flag takes."""
SHOWN = 200
"""Characters of a wrong value that a message shows."""
PREFIX = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,35})?")
PATH = re.compile(r"""/[^\s"'*?\[\]]+""")
DOTS = re.compile(r"/(?:\.{1,2})?(?:/|\Z)")
WHOLE = re.compile(r"-?[0-9]{1,12}")
ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
UNFIT = re.compile(r"[\"'\r\n]|\s[#;]")
"""What an environment value cannot hold: supervisord would read it as syntax."""
SECRET = re.compile(r"passw|secret|token|credential|private_?key|api_?key", re.IGNORECASE)
WITH_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^/@\s]*:[^/@\s]+@", re.IGNORECASE)
FLAG = re.compile(r"--[a-z0-9][^\n]*")
PART = re.compile(r"(?:100|[0-9]{1,2})%|[0-9]{1,6}")
VERSION = re.compile(r"v[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}")
DIGEST = re.compile(r"[0-9a-f]{64}")
SHORTEST_NAP, LONGEST_NAP = 10.0, 86400.0
LOWEST_PORT, HIGHEST_PORT = 1024, 65_533


def told(value: Any) -> str:
    """A value as a user would write it, for a message."""
    text = json.dumps(value, default=str)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def as_whole(value: Any) -> int | None:
    """The whole number that a value is or spells; None when it is not one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return int(value) if isinstance(value, str) and WHOLE.fullmatch(value.strip()) else None


def whole(least: int, most: int) -> BeforeValidator:
    """A whole number from `least` to `most`."""

    def check(value: Any) -> int:
        found = as_whole(value)
        if found is None or not least <= found <= most:
            raise ValueError(f"{told(value)} is not a whole number from {least} to {most}")
        return found

    return BeforeValidator(check)


def _positive(value: Any) -> float:
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not 0 < found <= LARGEST:
        raise ValueError(f"{told(value)} is not a number above 0 and up to {LARGEST}")
    return found


def _count(value: Any) -> int:
    found = as_whole(value)
    if found is None or not 0 < found <= LARGEST:
        raise ValueError(f"{told(value)} is not a whole number, and so not a number above 0 and up to {LARGEST}")
    return found


def _weight(value: Any) -> float:
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not 0 <= found < math.inf:
        raise ValueError(f"{found if isinstance(value, str) else told(value)} is not a number from 0")
    return found


def _part(value: Any) -> str:
    """A number, or one out of a hundred: YAML reads `10` as a number."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not PART.fullmatch(text):
        raise ValueError(f"{told(value)} is neither a whole number nor a percentage such as 25%")
    return text


def _switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    found = words.get(str(value).strip().lower()) if isinstance(value, str | int) else None
    if found is None:
        raise ValueError(f"{told(value)} is neither true nor false")
    return found


def _text(value: Any) -> str:
    """Text; a number is taken as it is written, since YAML and `-e` do not distinguish `1.0` from text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{told(value)} is not text")
    return str(value)


def one_of(*choices: str) -> BeforeValidator:
    """One of these words."""

    def check(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"{told(value)} is not one of {', '.join(choices)}")
        return str(value)

    return BeforeValidator(check)


def _name(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(NAME_PATTERN, value):
        raise ValueError(f"{told(value)} is not a name: use {NAME_RULE}")
    return value


def _prefix(value: Any) -> str:
    if not isinstance(value, str) or not PREFIX.fullmatch(value):
        raise ValueError(
            f"{told(value)} does not begin a name: use lower-case letters, digits and '-', at most 36, beginning with"
            " a letter or digit"
        )
    return value


def _words(value: Any) -> tuple[str, ...]:
    found = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if value in ("", None):
        return ()
    if not isinstance(found, Sequence) or not all(isinstance(part, str) for part in found):
        raise ValueError(f"{told(value)} is neither a name nor a list of names")
    names = tuple(_name(part) for part in found)
    if len(set(names)) != len(names):
        raise ValueError(f"{told(value)} names one twice")
    return names


def _folder(value: Any) -> str:
    if not isinstance(value, str) or not PATH.fullmatch(value) or DOTS.search(value):
        raise ValueError(
            f"{told(value)} must be an absolute path without white space, quotes, wildcards, '.' and '..', and no '/'"
            " at its end"
        )
    return value


def _folder_or_none(value: Any) -> str:
    return "" if value in ("", None) else _folder(value)


def _address(value: Any) -> str:
    try:
        found = ipaddress.ip_address(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.is_unspecified or found.is_multicast:
        raise ValueError(
            f"{told(value)} is not one address of this machine, such as 127.0.0.1; listening on all of them would open "
            "the fleet to others"
        )
    return str(value)


def _node_address(value: Any) -> str:
    """Empty, or an IPv4 address that a kubelet takes."""
    if value in ("", None):
        return ""
    found = ipaddress.ip_address(_address(value))
    if found.version != 4 or found.is_loopback or found.is_link_local:  # noqa: PLR2004 - IPv4
        raise ValueError(
            f"{told(value)} is no address that a kubelet takes for its node: give an IPv4 address of the machine that"
            " is neither loopback nor link-local, or leave it empty"
        )
    return str(value)


def _flags(value: Any) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or not all(
        isinstance(flag, str) and FLAG.fullmatch(flag) for flag in value
    ):  # fmt: skip
        raise ValueError(f"{told(value)} must be a list of flags of the form --flag=value")
    for flag in value:
        if WITH_PASSWORD.search(flag):
            raise ValueError(
                f"{flag.partition('=')[0]} has a URL with a password, which fleet.json would hold: leave it out"
            )
    return tuple(value)


def _environment(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(
        isinstance(name, str) and ENVIRONMENT_NAME.fullmatch(name) and not UNFIT.search(str(content))
        for name, content in value.items()
    ):
        raise ValueError(
            f"{told(value)} must map names of environment variables to values without quotes, line breaks and comment"
            " signs"
        )
    for name, content in value.items():
        if (SECRET.search(name) and not str(content).startswith("/")) or WITH_PASSWORD.search(str(content)):
            raise ValueError(
                f"{name} looks like a secret, and its value would be in fleet.json and in the record of every run: put"
                " the secret into a file and name that by its absolute path"
            )
    return {name: str(content) for name, content in value.items()}


def _ports(value: Any) -> dict[str, int]:
    found = {str(name): as_whole(port) for name, port in value.items()} if isinstance(value, Mapping) else None
    if found is None or not all(port is not None and LOWEST_PORT <= port <= HIGHEST_PORT for port in found.values()):
        raise ValueError(
            f"{told(value)} must map names of this fleet's control planes to ports from {LOWEST_PORT} to {HIGHEST_PORT}"
        )
    return {name: port for name, port in found.items() if port is not None}


def _link(value: Any) -> dict[str, str]:
    try:
        link = link_of(value)
    except UsageError as error:
        raise ValueError("\n".join(line.removeprefix("wan: ") for line in str(error).splitlines())) from error
    return {} if link is None else link.written()


def _checksums(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(DIGEST.fullmatch(str(digest)) for digest in value.values()):
        raise ValueError(f"{told(value)} must map programs to their sha256, 64 hexadecimal digits each")
    return {str(name): str(digest) for name, digest in value.items()}


def _image(value: Any) -> str:
    if not isinstance(value, str) or (value not in ("", "published") and "@sha256:" not in value):
        raise ValueError(f"{told(value)} must be empty, published, or an image pinned as name@sha256:...")
    return value


def _empty_or_duration(value: Any) -> str:
    text = str(value or "").strip()
    if text and not SHORTEST_NAP <= parse_duration(text) <= LONGEST_NAP:
        raise ValueError(f"{told(value)} is not from {SHORTEST_NAP:.0f}s to 24h, nor empty")
    return text


def _empty_or_version(value: Any) -> str:
    text = str(value or "").strip()
    if text and not VERSION.fullmatch(text):
        raise ValueError(f"{told(value)} is not a version such as v1.2.0, nor empty")
    return text


def _empty_or_name(value: Any) -> str:
    text = str(value or "").strip()
    return _name(text) if text else ""


def _empty_or_whole(value: Any) -> int | str:
    found = as_whole(value)
    if value not in ("", None) and found is None:
        raise ValueError(f"{told(value)} is not a whole number, nor empty")
    return "" if found is None else found


Positive = Annotated[float, BeforeValidator(_positive)]
"""Above 0 and finite: requests per second, seconds."""
Count = Annotated[int, BeforeValidator(_count)]
Weight = Annotated[float, BeforeValidator(_weight)]
Switch = Annotated[bool, BeforeValidator(_switch)]
Part = Annotated[str, BeforeValidator(_part), WithJsonSchema({"type": ["string", "integer"]})]
Text = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": ["string", "number"]})]
FleetName = Annotated[str, BeforeValidator(_name)]
Word = Annotated[str, BeforeValidator(_name)]
"""Names a package of ours."""
Words = Annotated[
    tuple[str, ...],
    BeforeValidator(_words),
    WithJsonSchema({"type": ["string", "array", "null"], "items": {"type": "string"}}),
]
"""Names packages of ours: one name, several with commas, or a list."""
WecPrefix = Annotated[str, BeforeValidator(_prefix)]
Folder = Annotated[str, BeforeValidator(_folder)]
FolderOrNone = Annotated[str, BeforeValidator(_folder_or_none)]
Address = Annotated[str, BeforeValidator(_address)]
NodeAddress = Annotated[str, BeforeValidator(_node_address)]
Flags = Annotated[tuple[str, ...], BeforeValidator(_flags)]
Environment = Annotated[dict[str, str], BeforeValidator(_environment)]
Ports = Annotated[dict[str, int], BeforeValidator(_ports)]
LinkText = Annotated[dict[str, str], BeforeValidator(_link), WithJsonSchema({"type": ["string", "object", "null"]})]
"""A link as a user writes it; empty for none."""
Checksums = Annotated[dict[str, str], BeforeValidator(_checksums)]
Image = Annotated[str, BeforeValidator(_image)]
EmptyOrDuration = Annotated[str, BeforeValidator(_empty_or_duration)]
"""As a user wrote it, such as `5m`; empty for none."""
EmptyOrVersion = Annotated[str, BeforeValidator(_empty_or_version)]
EmptyOrName = Annotated[str, BeforeValidator(_empty_or_name)]
EmptyOrWhole = Annotated[int | str, BeforeValidator(_empty_or_whole)]
