"""A stage of an experiment with marks of its own: a latency between two marks of one object, kept in run.json."""

from __future__ import annotations

from pydantic import Field

from fleet.model.base import Model

UNREADY, READY_AGAIN = "unready", "ready-again"
"""Marks of an object that was ready: that it is so no longer, and that it is again."""


class Stage(Model):
    """From one mark of an object to another one of the same object."""

    name: str
    begin: str
    """A mark that a watch saw, or of a request that created the object: `due`, `sent`, `answered`."""
    end: str
    text: str = ""
    """What it is from and to, for people."""
    resource: str = ""
    """Only of objects of this resource (`pods`, `deployments.apps`); empty: of all that reach `begin`."""
    optional: bool = False
    """An object that never reaches `begin` has no sample of it; else that sample is missing."""
    settles: bool = Field(default=False, exclude_if=lambda value: not value)
    """At its end an object is as it was to become: after a fault it is outstanding until then."""
    resolution: float = Field(default=0.0, ge=0, exclude_if=lambda value: not value)
    """Seconds; two runs that are no further apart are alike."""
