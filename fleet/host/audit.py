"""An API server's audit log: metadata alone, one JSON line per answered request, of all requests or of writes alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from fleet.host.plan import AuditKind, TextFile

FOLDER = "audit"
"""Of the folder of its control plane: policy and log."""
LOG = f"{FOLDER}/audit.log"
MEGABYTES = 2000
"""Of one file; the one before is kept too."""
WRITES = ("create", "update", "patch", "delete")
UNSAMPLED = (
    {"group": "", "resources": ["bindings", "endpoints", "events", "nodes", "nodes/status", "pods/binding"]},
    {"group": "authentication.k8s.io"},
    {"group": "authorization.k8s.io"},
    {"group": "coordination.k8s.io"},
    {"group": "discovery.k8s.io"},
    {"group": "events.k8s.io"},
)
"""No object of a workload, and no manager carries one in them: heartbeats, elections, reviews."""
RULES: Mapping[AuditKind, Sequence[Mapping[str, object]]] = {
    "all": ({"level": "Metadata"},),
    "sample": ({"level": "None", "resources": UNSAMPLED}, {"level": "Metadata", "verbs": WRITES}),
}


def folders(folder: Path, kind: AuditKind | None) -> tuple[Path, ...]:
    """What a control plane that logs needs in its folder; as the next two, none for one that does not."""
    return () if kind is None else (folder / FOLDER,)


def policies(folder: Path, kind: AuditKind | None) -> tuple[TextFile, ...]:
    """What is logged."""
    return () if kind is None else (_policy(folder, kind),)


def arguments(folder: Path, kind: AuditKind | None) -> tuple[str, ...]:
    """The flags of an API server that sees the folder of its control plane there."""
    if kind is None:
        return ()
    return (
        f"--audit-policy-file={_policy(folder, kind).path}",
        f"--audit-log-path={folder / LOG}",
        f"--audit-log-maxsize={MEGABYTES}",
        "--audit-log-maxbackup=1",
    )


def _policy(folder: Path, kind: AuditKind) -> TextFile:
    """A file of its own for each kind: another policy is another argument, which restarts whoever has it."""
    document = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        # Answered ones only: a line when a request comes would say nothing more. Watches answer when they end.
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "omitManagedFields": True,
        "rules": RULES[kind],
    }
    return TextFile(folder / FOLDER / f"{kind}.json", json.dumps(document, indent=1) + "\n")
