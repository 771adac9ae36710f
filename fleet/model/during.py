"""`during` of an experiment file: what is done to the fleet beside the load, when and for how long."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from fleet.model.base import Model
from fleet.model.duration import Duration, Moment

TrialName = Annotated[str, StringConstraints(pattern=r"^t[0-9]{3,}$")]


class DuringStep(Model):
    """`{at: 10s, action: stop, target: wec001, for: 30s}`."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    at: Moment
    """After the load of a trial began."""
    action: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    """A fault of `fleet.faults.registry`."""
    target: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    """A control plane, or a program by its name under the supervisor."""
    lasting: Duration | None = Field(default=None, alias="for")
    """How long until it is healed; None: until the trial's last mark was seen, or its time was up."""
    trial: TrialName | None = None
    """In this trial only, as `fleet experiment plan` numbers them; None: in every trial that counts."""

    def applies(self, trial: str, *, counted: bool) -> bool:
        """Whether it is done in that trial."""
        return self.trial == trial if self.trial else counted

    def __str__(self) -> str:
        """For messages: `stop of wec001`."""
        return f"{self.action} of {self.target}"
