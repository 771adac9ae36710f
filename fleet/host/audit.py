"""An API server's audit log: who sent each request, metadata alone, one JSON line per answered request."""

from __future__ import annotations

import json
from pathlib import Path

from fleet.host.plan import TextFile

LOG = "audit.log"
"""In the folder of its control plane."""
MEGABYTES = 2000
"""Of one file; the one before is kept too."""
POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    # Answered ones only: a line when a request comes would say nothing more. Watches answer when they end.
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "omitManagedFields": True,
    "rules": [{"level": "Metadata"}],
}


def policy(folder: Path) -> TextFile:
    """What is logged."""
    return TextFile(folder / "audit-policy.json", json.dumps(POLICY, indent=1) + "\n")


def arguments(folder: Path) -> tuple[str, ...]:
    """The flags of an API server that logs."""
    return (
        f"--audit-policy-file={policy(folder).path}",
        f"--audit-log-path={folder / LOG}",
        f"--audit-log-maxsize={MEGABYTES}",
        "--audit-log-maxbackup=1",
    )
