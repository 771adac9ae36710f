"""Layouts: which policies bring the workload to the chosen WECs.

`one-to-one` makes policies for each WEC, `one-to-many` makes policies for all of them. What a policy is made of, its
manager knows.
"""

from __future__ import annotations

from collections.abc import Sequence

from fleet.kube.resources import Resource
from fleet.managers.manager import Policy
from fleet.model.experiment_file import Layout
from fleet.model.run_names import RunNames


def policies(
    layout: Layout,
    clusters: Sequence[str],
    *,
    resources: Sequence[Resource],
    names: RunNames,
    group: int,
    each: int = 1,
    own_namespaces: bool = False,
    sources: Sequence[str] = (),
) -> tuple[Policy, ...]:
    """The policies of one group of trials: one layout over one set of WECs, `each` policies per target.

    With `own_namespaces` each policy has a namespace of its own, else all share the run's. The policies go to the
    `sources` in turn; without any each WEC is its own.
    """
    chosen = tuple(sorted(clusters))
    members = [(name, (name,)) for name in chosen] if layout == "one-to-one" else [("all", chosen)]
    targets = [
        (target if each == 1 else f"{target}-p{number:03d}", wecs) for target, wecs in members for number in range(each)
    ]
    return tuple(
        Policy(
            name=names.policy(group, target),
            target=target,
            clusters=wecs,
            layout=layout,
            resources=tuple(dict.fromkeys(resources)),
            namespace=names.own_namespace(group, number) if own_namespaces else names.namespace,
            labels=tuple(names.labels().items()),
            source=sources[number % len(sources)] if sources else wecs[0],
        )
        for number, (target, wecs) in enumerate(targets)
    )
