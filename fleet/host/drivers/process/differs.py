"""In what WECs of plain processes differ from upstream's, as a report says it."""

from __future__ import annotations

from fleet.model.variables import Variables


def differs(variables: Variables) -> str:
    """Part of a sentence about the WECs of a fleet with these variables."""
    if variables.wecs_under_test:
        return "each as upstream ships its programs"
    return "small at rest: garbage collected at GOGC=20 (Go's default: 100), two polls of API servers off"
