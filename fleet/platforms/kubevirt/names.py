"""Names that KubeVirt gives to its objects, and ours of its programs."""

from __future__ import annotations

from fleet.kube.resources import Resource

NAMESPACE = "kubevirt"
VERSION_VARIABLE = "KUBEVIRT_VERSION"
REGISTRY = "quay.io/kubevirt"
"""Of the images that Deployments and pods name; nobody pulls them."""

KUBEVIRTS = Resource("kubevirt.io", "v1", "kubevirts", "KubeVirt", namespaced=True)
VMS = Resource("kubevirt.io", "v1", "virtualmachines", "VirtualMachine", namespaced=True)
VMIS = Resource("kubevirt.io", "v1", "virtualmachineinstances", "VirtualMachineInstance", namespaced=True)
PRIORITY_CLASSES = Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False)

CR = "kubevirt"
API_SERVICE, OPERATOR_SERVICE = "virt-api", "kubevirt-operator-webhook"
"""The Services that API server and aggregator dial."""
OPERATOR_WEBHOOK_PORT = 8444
"""virt-operator listens there on the address of its `--listen`, whatever `--port` says."""
STRATEGY_LABEL = "kubevirt.io/install-strategy"
"""Of the Job that writes down what is to be installed."""
MANAGED = "app.kubernetes.io/managed-by=virt-operator"

OPERATOR, API, CONTROLLER, STAGES = "virt-operator", "virt-api", "virt-controller", "kwok-kubevirt"
"""Programs; the last is the kwok that plays VMIs."""
ACCOUNTS = {OPERATOR: "kubevirt-operator", API: "kubevirt-apiserver", CONTROLLER: "kubevirt-controller"}
"""ServiceAccount of each: its certificate says that name, so that KubeVirt's own RBAC applies."""


def user(program: str) -> str:
    """The user that the API server knows it as."""
    return f"system:serviceaccount:{NAMESPACE}:{ACCOUNTS[program]}"


def groups() -> tuple[str, ...]:
    """Of every ServiceAccount of KubeVirt."""
    return "system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}"


def program(component: str, wec: str) -> str:
    """Under the machine's supervisor."""
    return f"{component}.{wec}"
