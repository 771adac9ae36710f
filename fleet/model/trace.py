"""A trace of pods: when each came, how long it ran and how it ended, as far as its source knows.

A file has a header line, then one line per pod in the order of `t`; all are JSON. What a source cannot say is absent
from the lines and named in the header's `untold`; a value that stands for something near is named in `inexact`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fleet.model.base import Model

FORMAT: Literal["fleet-trace/1"] = "fleet-trace/1"
Clock = Literal["receipt", "audit-us", "object-s", "source-us", "source-s"]
"""Of the times: the driver's own at the receipt of a watch line; an API server's audit stamps (microseconds); stamps in
objects (whole seconds); a public data set's, in micro- or whole seconds."""
End = Literal["succeeded", "failed", "deleted", "evicted", "open"]

Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=512)]


class Header(Model):
    """The first line."""

    format: Literal["fleet-trace/1"] = FORMAT
    source: Annotated[str, Field(min_length=1, max_length=64)]
    """What it was made from: `record`, or the name of an importer."""
    pods: int = Field(ge=0)
    """Lines that follow: a file with fewer is truncated."""
    span: Seconds
    """From the beginning of the recording to its end."""
    clock: Clock
    complete: bool
    """The recording saw everything in its span; else `notes` say what it may lack."""
    began: Text = ""
    """Moment of `t` 0, RFC 3339, where the source says it."""
    licence: Text = ""
    """Under which others may have it; empty: the user's own."""
    attribution: Annotated[str, Field(max_length=2000)] = ""
    clusters: list[Text] = Field(default_factory=list, max_length=10_000)
    """Control planes that it was recorded from."""
    untold: dict[Text, Text] = Field(default_factory=dict)
    """Fields that the source cannot say of any pod, with the reason."""
    left_out: dict[Text, int] = Field(default_factory=dict)
    """How many pods or records are not here, by the reason."""
    notes: list[Text] = Field(default_factory=list, max_length=100)


class Owner(Model):
    """The controller that made a pod."""

    kind: Annotated[str, Field(min_length=1, max_length=64)]
    name: Annotated[str, Field(min_length=1, max_length=256)]


class Pod(Model):
    """One line: a pod. Times are in seconds; absent is what is not known."""

    t: Seconds
    """Its creation, after the beginning; 0 for one that was there `before`."""
    key: Annotated[str, Field(min_length=1, max_length=512)]
    """Unique in the file."""
    ns: Text = ""
    cluster: Text = ""
    owner: Owner | None = None
    requests: dict[Text, Text] = Field(default_factory=dict, max_length=32)
    """Sums over its containers, as Kubernetes writes quantities."""
    priority: int | None = Field(default=None, ge=-(2**31), lt=2**31)
    node: Text | None = None
    wait: Seconds | None = None
    """From `t` until it ran."""
    life: Seconds | None = None
    """From when it ran (of one that was there `before`: from `t`) until its end."""
    lasted: Seconds | None = None
    """From `t` to its end, where the source does not say when it ran."""
    end: End
    """`open`: the source shows no end, and none is invented."""
    exit: int | None = Field(default=None, ge=0, le=255)
    """Exit code of the container that decided."""
    before: bool = False
    """It was there when the recording began."""
    inexact: list[Literal["t", "wait", "life", "lasted", "requests"]] = Field(default_factory=list, max_length=5)
    """Fields whose value stands for something near; the header's notes say what."""

    @model_validator(mode="after")
    def _consistent(self) -> Pod:
        if self.end == "open" and (self.life is not None or self.lasted is not None):
            raise ValueError("life: a pod whose end is open has no length: leave life and lasted out")
        if self.exit is not None and self.end not in ("succeeded", "failed"):
            raise ValueError(f"exit: a pod that was {self.end} has no exit code")
        if self.exit is not None and (self.exit == 0) != (self.end == "succeeded"):
            raise ValueError(f"exit: {self.exit} does not go with {self.end}")
        if self.before and self.t > 0:
            raise ValueError(f"t: must be 0 of a pod that was there before the recording, not {self.t:g}")
        return self

    @property
    def ends_after(self) -> float | None:
        """Seconds from `t` to its end; None when that is open or not known."""
        if self.life is not None:
            return self.life if self.before else (self.wait or 0.0) + self.life
        return self.lasted
