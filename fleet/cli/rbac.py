"""`fleet rbac`: the least rights that a run needs in clusters that exist already, as manifests."""

from __future__ import annotations

from typing import Annotated

import typer

from fleet.cli.console import out
from fleet.errors import UsageError


def rbac(
    manager: Annotated[
        str,
        typer.Option(show_default=False, help="Of the hub, as the variable `manager` names it; default: its default."),
    ] = "",
    role: Annotated[
        str, typer.Option(show_default=False, help="Of source, transport and wec the one; default: all of them.")
    ] = "",
    kind: Annotated[
        list[str] | None,
        typer.Option(show_default=False, help="Kind of workload, as deployments.apps (the default); more than once."),
    ] = None,
    crds: Annotated[bool, typer.Option(help="The experiment brings CRDs of its own.")] = False,
    namespace: Annotated[str, typer.Option(help="Where the ServiceAccount lies.")] = "fleet-testbed",
) -> None:
    """Print the ServiceAccount, ClusterRole and binding that a run needs in a cluster of each role."""
    from fleet.experiment.rbac import manifests
    from fleet.experiment.rights import SPACES, needed
    from fleet.kube.resources import ALL
    from fleet.managers import registry
    from fleet.model.model_errors import nearest
    from fleet.model.variables import Variables

    manager = manager or Variables().manager
    known = {str(resource): resource for resource in ALL}
    wanted = kind or ["deployments.apps"]
    for name in wanted:
        if name not in known:
            raise UsageError(f"--kind: {name!r} is not known{nearest(name, known)}")
    rights = needed(registry.load(manager), [known[name] for name in wanted], crds=crds)
    spaces = [space for space in SPACES if any(one.space == space for one in rights)]
    if role and role not in spaces:
        raise UsageError(f"--role: {role!r} is not one of {', '.join(spaces)}, which {manager} has")
    shown = [space for space in spaces if role in ("", space)]
    documents = [f"# {space}: kubectl apply in each of them\n{manifests(rights, space, namespace)}" for space in shown]
    out("---\n".join(documents).rstrip("\n"))
