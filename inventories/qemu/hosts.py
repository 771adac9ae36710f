#!/usr/bin/env python3
"""The machines of `fleet vm up`, as an Ansible inventory."""

import os
import sys
from pathlib import Path

# As fleet.model.fleet_load.state_root has it; this file runs with any Python.
state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
root = Path(os.environ.get("FLEET_STATE_DIR") or Path(state) / "fleet").expanduser()
file = root / ".vm" / "hosts.json"
try:
    sys.stdout.write(file.read_text(encoding="utf-8"))
except OSError as error:
    sys.exit(f"{file}: {error.strerror}: make the machines with `fleet vm up`")
