"""Names that Karpenter gives to its objects, and ours of its program."""

from __future__ import annotations

from fleet.kube.resources import Resource

NAMESPACE = "karpenter"
NODE_POOLS = Resource("karpenter.sh", "v1", "nodepools", "NodePool", namespaced=False)
NODE_CLAIMS = Resource("karpenter.sh", "v1", "nodeclaims", "NodeClaim", namespaced=False)
NODE_CLASSES = Resource("karpenter.kwok.sh", "v1alpha1", "kwoknodeclasses", "KWOKNodeClass", namespaced=False)
NODE_CLASS = "default"
"""The one that is there for everybody's NodePools."""
CRD_FILES = ("karpenter-nodeclaims", "karpenter-nodeoverlays", "karpenter-nodepools", "karpenter-kwoknodeclasses")
"""Its CustomResourceDefinitions in the toolchain."""

CONTROLLER = "karpenter"
"""Its one program; also the name of its ServiceAccount and roles."""
ACCOUNT = "karpenter"
USER = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
"""The user that the API server knows it as: what binds the ServiceAccount applies to its certificate."""
GROUPS = ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}")


def program(wec: str) -> str:
    """Under the machine's supervisor."""
    return f"{CONTROLLER}.{wec}"
