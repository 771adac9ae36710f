"""What a run needs where there is no manager: the WECs are where objects are created."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.kube.resources import Resource
from fleet.managers.rights import Right, right


def rights(kinds: Sequence[Resource]) -> tuple[Right, ...]:
    """See `fleet.managers.rights`."""
    return tuple(right("wec", kind, "create", "delete", "list", "watch") for kind in kinds)
