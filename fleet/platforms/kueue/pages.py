"""Where Kueue shows what it does: profiles on loopback. Its metrics want a token of a ServiceAccount: they are off."""

from __future__ import annotations

import json
from pathlib import Path

from fleet.host.pages import Pages, Started, plain


def read(started: Started) -> Pages:
    """From the configuration file that it was started with."""
    file = Path(started.flag("config"))
    try:
        address = json.loads(file.read_text(encoding="utf-8"))["pprofBindAddress"]
    except (OSError, ValueError, KeyError):
        return Pages()
    return plain("", address)
