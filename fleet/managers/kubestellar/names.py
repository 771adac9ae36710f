"""Names that KubeStellar and KubeFlex give a meaning to, and those of their programs and of our status agent."""

from __future__ import annotations

from fleet.managers.ocm.identities import Identity
from fleet.managers.ocm.names import at

CP_TYPE_LABEL = "kflex.kubestellar.io/cptype"
CP_SECRET = "admin-kubeconfig"  # noqa: S105 - the name of a Secret

STATUS_IDENTITY = Identity("status-agent", "fleet:status-agent", "fleet:status-agents")
"""Of our status agent on the ITS."""

BINDING_LABEL = "transport.kubestellar.io/originOwnerReferenceBindingKey"
"""On every ManifestWork that KubeStellar made."""
WDS_LABEL = "transport.kubestellar.io/originWdsName"
"""On every ManifestWork that KubeStellar made, and on its WorkStatuses: the WDS it came from. KubeStellar's
controller-manager takes only those WorkStatuses that name its own."""

STATUS_PROGRAM = "status-agent"


def status_program(seat: str = "") -> str:
    """The status agent of one ITS."""
    return f"{STATUS_PROGRAM}{at(seat)}"


def controller_program(wds: str) -> str:
    """KubeStellar's controller-manager of one WDS."""
    return f"controller-manager.{wds}"


def transport_program(wds: str) -> str:
    """KubeStellar's transport controller of one WDS."""
    return f"transport.{wds}"


def served_programs(wds: str) -> tuple[str, str]:
    """Both of KubeStellar's programs of one WDS."""
    return controller_program(wds), transport_program(wds)
