"""Labels, annotations and names of everything a run puts into a cluster, so that a later clean-up finds all of it."""

from __future__ import annotations

from dataclasses import dataclass

RUN_LABEL = "fleet-testbed/run"
"""Run id; on every policy, object and namespace. `fleet experiment clean` selects by it."""
TRIAL_LABEL = "fleet-testbed/trial"
POLICY_LABEL = "fleet-testbed/policy"
"""Name of the one policy that selects the object."""
OP_ANNOTATION = "fleet-testbed/op"
"""Op-id: travels with the object from its source to every WEC, so every hop of one write is joined by it."""

ACTION_ANNOTATION = "fleet-testbed/action"
"""On an object that the player changed: the id of its last change, by which its watch says when it came."""
ENTRY_ANNOTATION = "fleet-testbed/entry"
"""On a replayed pod: its key in the trace."""

DEFAULT_NAMESPACE_PREFIX = "fleet-run"


@dataclass(frozen=True)
class RunNames:
    """Names of one run, all made from its id.

    `run_id` is `<UTC>-<short id>`; its last part must be a lower-case RFC 1123 label of at most 12 characters, so that
    the longest policy name (short id, trial, a WEC of 40 characters) still fits into a label value of 63.
    """

    run_id: str
    prefix: str = DEFAULT_NAMESPACE_PREFIX
    """How its namespaces begin; some managers keep names that begin in certain ways to themselves."""

    @property
    def short(self) -> str:
        """The short id: last part of the run id, lower case."""
        return self.run_id.rsplit("-", 1)[-1].lower()

    @property
    def namespace(self) -> str:
        """The namespace that policies share, at the source and in every WEC that the run uses."""
        return f"{self.prefix}-{self.short}"

    def own_namespace(self, group: int, number: int) -> str:
        """Of one policy, where policies do not share the run's namespace."""
        return f"{self.namespace}-g{group:02d}-{number:03d}"

    def holds(self, namespace: str) -> bool:
        """Whether that is a namespace of the run."""
        return namespace == self.namespace or namespace.startswith(f"{self.namespace}-")

    def selector(self, **more: str) -> str:
        """Label selector of everything of this run that has `labels(**more)`."""
        return ",".join(f"{key}={value}" for key, value in self.labels(**more).items())

    def policy(self, group: int, target: str) -> str:
        """Name of a policy: `target` is the WEC in one-to-one, `all` in one-to-many."""
        return f"f{self.short}-g{group:02d}-{target}"

    def labels(self, **more: str) -> dict[str, str]:
        """The run's label, and `trial` and `policy` when given."""
        keys = {"trial": TRIAL_LABEL, "policy": POLICY_LABEL}
        return {RUN_LABEL: self.run_id} | {keys[key]: value for key, value in more.items()}


def trial_id(index: int) -> str:
    """Id of a trial: `t000` and so on, in the order in which the run does them."""
    return f"t{index:03d}"
