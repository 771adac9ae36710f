"""The actions on objects that exist, by the word in a file. To add one, write its module, add it here, and a field of
its model to `Step` (`fleet.experiments.play.spec`)."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.experiments.play.actions import delete, label, patch, roll_out, scale
from fleet.experiments.play.actions.action import Action

ACTIONS: Mapping[str, Action] = {
    "scale": scale.ACTION,
    "roll_out": roll_out.ACTION,
    "label": label.ACTION,
    "patch": patch.ACTION,
    "delete": delete.ACTION,
}
