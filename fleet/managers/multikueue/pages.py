"""Where the programs show what they do: profiles, plain on loopback."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.host.pages import Reader
from fleet.managers.multikueue import names
from fleet.platforms.kueue.pages import read

PAGES: Mapping[str, Reader] = {names.CONTROLLER: read, names.WORKER: read}
