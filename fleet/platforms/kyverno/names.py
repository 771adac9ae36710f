"""Names that Kyverno gives to its objects, and ours of its programs."""

from __future__ import annotations

from fleet.kube.resources import Resource

NAMESPACE = "kyverno"
ADMISSION, BACKGROUND, REPORTS, INIT = (
    "kyverno-admission-controller",
    "kyverno-background-controller",
    "kyverno-reports-controller",
    "kyverno-init",
)
"""Programs. The first three have the names of their Deployments and ServiceAccounts; the last runs once."""
CONTROLLERS = (ADMISSION, BACKGROUND, REPORTS)
MANIFEST = "kyverno-install"
"""Of the toolchain: what Kyverno's chart makes of its definitions, rights and settings."""
SERVICE = "kyverno-svc"
SETTINGS, METRICS_SETTINGS = "kyverno", "kyverno-metrics"
"""ConfigMaps."""
CA_SECRET, TLS_SECRET = f"{SERVICE}.{NAMESPACE}.svc.kyverno-tls-ca", f"{SERVICE}.{NAMESPACE}.svc.kyverno-tls-pair"
INIT_LOCK = "kyvernopre-lock"
"""The Lease that says that `kyverno-init` has run."""
MANAGED = "webhook.kyverno.io/managed-by=kyverno"
"""Selects its webhook configurations."""
POLICY_WEBHOOKS = "kyverno-policy-validating-webhook-cfg"
GROUPS = ("kyverno.io", "policies.kyverno.io", "reports.kyverno.io", "wgpolicyk8s.io")
"""Of its kinds."""

CLUSTER_POLICIES = Resource("kyverno.io", "v1", "clusterpolicies", "ClusterPolicy", namespaced=False)
VALIDATING_POLICIES = Resource(
    "policies.kyverno.io", "v1beta1", "validatingpolicies", "ValidatingPolicy", namespaced=False
)
MUTATING_POLICIES = Resource("policies.kyverno.io", "v1beta1", "mutatingpolicies", "MutatingPolicy", namespaced=False)
EPHEMERAL_REPORTS = Resource("reports.kyverno.io", "v1", "ephemeralreports", "EphemeralReport", namespaced=True)
POLICY_REPORTS = Resource("wgpolicyk8s.io", "v1alpha2", "policyreports", "PolicyReport", namespaced=True)


def user(account: str) -> str:
    """The user that the API server knows a ServiceAccount as."""
    return f"system:serviceaccount:{NAMESPACE}:{account}"


def groups() -> tuple[str, ...]:
    """Of every ServiceAccount of Kyverno."""
    return "system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}"


def program(component: str, wec: str) -> str:
    """Under the machine's supervisor."""
    return f"{component}.{wec}"
