"""Every group, version and plural that this project uses, once, and the URL paths they have."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of object as an API server serves it; `group` is empty for the core group."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool

    def __str__(self) -> str:
        """`deployments.apps`, or `pods` for the core group: as `kubectl get` takes it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` for the core group: as a manifest has it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """`/apis/apps/v1`, or `/api/v1` for the core group."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, name: str | None = None, namespace: str | None = None, subresource: str | None = None) -> str:
        """The URL path of the collection, or of one object when `name` is given, percent-encoded.

        A namespaced collection without `namespace` spans all namespaces. ValueError for a namespaced object without
        its namespace and for a namespace where the kind has none: both are mistakes of the caller.
        """
        if namespace is not None and not self.namespaced:
            raise ValueError(f"{self} is cluster-scoped: it has no namespace {namespace!r}")
        if name is not None and self.namespaced and namespace is None:
            raise ValueError(f"{self} {name!r} needs its namespace")
        parts = [self.root]
        if namespace is not None:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        if name is not None:
            parts.append(quote(name, safe=""))
        if subresource is not None:
            parts.append(quote(subresource, safe="/"))
        return "/".join(parts)


NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
PODS = Resource("", "v1", "pods", "Pod", namespaced=True)
PRIORITY_CLASSES = Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False)
CONFIGMAPS = Resource("", "v1", "configmaps", "ConfigMap", namespaced=True)
SECRETS = Resource("", "v1", "secrets", "Secret", namespaced=True)
SERVICES = Resource("", "v1", "services", "Service", namespaced=True)
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount", namespaced=True)
EVENTS = Resource("", "v1", "events", "Event", namespaced=True)

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", namespaced=True)
REPLICASETS = Resource("apps", "v1", "replicasets", "ReplicaSet", namespaced=True)
STATEFULSETS = Resource("apps", "v1", "statefulsets", "StatefulSet", namespaced=True)
DAEMONSETS = Resource("apps", "v1", "daemonsets", "DaemonSet", namespaced=True)
JOBS = Resource("batch", "v1", "jobs", "Job", namespaced=True)

# Of OpenShift; elsewhere the profile cluster-density-ms brings minimal CRDs of them.
ROUTES = Resource("route.openshift.io", "v1", "routes", "Route", namespaced=True)
IMAGE_STREAMS = Resource("image.openshift.io", "v1", "imagestreams", "ImageStream", namespaced=True)

CRDS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False)
CSRS = Resource(
    "certificates.k8s.io", "v1", "certificatesigningrequests", "CertificateSigningRequest", namespaced=False
)
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease", namespaced=True)
ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role", namespaced=True)
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", namespaced=True)
CLUSTER_ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False)
CLUSTER_ROLE_BINDINGS = Resource(
    "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False
)

MANAGED_CLUSTERS = Resource("cluster.open-cluster-management.io", "v1", "managedclusters", "ManagedCluster", False)
MANIFEST_WORKS = Resource("work.open-cluster-management.io", "v1", "manifestworks", "ManifestWork", namespaced=True)
APPLIED_MANIFEST_WORKS = Resource(
    "work.open-cluster-management.io", "v1", "appliedmanifestworks", "AppliedManifestWork", namespaced=False
)
MANIFEST_WORK_REPLICA_SETS = Resource(
    "work.open-cluster-management.io", "v1alpha1", "manifestworkreplicasets", "ManifestWorkReplicaSet", namespaced=True
)
PLACEMENTS = Resource("cluster.open-cluster-management.io", "v1beta1", "placements", "Placement", namespaced=True)
PLACEMENT_DECISIONS = Resource(
    "cluster.open-cluster-management.io", "v1beta1", "placementdecisions", "PlacementDecision", namespaced=True
)
MANAGED_CLUSTER_SETS = Resource(
    "cluster.open-cluster-management.io", "v1beta2", "managedclustersets", "ManagedClusterSet", namespaced=False
)
MANAGED_CLUSTER_SET_BINDINGS = Resource(
    "cluster.open-cluster-management.io", "v1beta2", "managedclustersetbindings", "ManagedClusterSetBinding", True
)
MANAGED_CLUSTER_ADDONS = Resource(
    "addon.open-cluster-management.io", "v1alpha1", "managedclusteraddons", "ManagedClusterAddOn", namespaced=True
)

BINDING_POLICIES = Resource("control.kubestellar.io", "v1alpha1", "bindingpolicies", "BindingPolicy", namespaced=False)
BINDINGS = Resource("control.kubestellar.io", "v1alpha1", "bindings", "Binding", namespaced=False)
WORK_STATUSES = Resource("control.kubestellar.io", "v1alpha1", "workstatuses", "WorkStatus", namespaced=True)
CUSTOM_TRANSFORMS = Resource("control.kubestellar.io", "v1alpha1", "customtransforms", "CustomTransform", False)
STATUS_COLLECTORS = Resource("control.kubestellar.io", "v1alpha1", "statuscollectors", "StatusCollector", False)
COMBINED_STATUSES = Resource("control.kubestellar.io", "v1alpha1", "combinedstatuses", "CombinedStatus", True)

CONTROL_PLANES = Resource("tenancy.kflex.kubestellar.org", "v1alpha1", "controlplanes", "ControlPlane", False)
POST_CREATE_HOOKS = Resource("tenancy.kflex.kubestellar.org", "v1alpha1", "postcreatehooks", "PostCreateHook", False)

KARMADA_CLUSTERS = Resource("cluster.karmada.io", "v1alpha1", "clusters", "Cluster", namespaced=False)
PROPAGATION_POLICIES = Resource("policy.karmada.io", "v1alpha1", "propagationpolicies", "PropagationPolicy", True)
RESOURCE_BINDINGS = Resource("work.karmada.io", "v1alpha2", "resourcebindings", "ResourceBinding", namespaced=True)
KARMADA_WORKS = Resource("work.karmada.io", "v1alpha1", "works", "Work", namespaced=True)

MEMBER_CLUSTERS = Resource("cluster.kubernetes-fleet.io", "v1beta1", "memberclusters", "MemberCluster", False)
CLUSTER_RESOURCE_PLACEMENTS = Resource(
    "placement.kubernetes-fleet.io", "v1beta1", "clusterresourceplacements", "ClusterResourcePlacement", False
)
CLUSTER_RESOURCE_SNAPSHOTS = Resource(
    "placement.kubernetes-fleet.io", "v1beta1", "clusterresourcesnapshots", "ClusterResourceSnapshot", namespaced=False
)
CLUSTER_RESOURCE_BINDINGS = Resource(
    "placement.kubernetes-fleet.io", "v1beta1", "clusterresourcebindings", "ClusterResourceBinding", namespaced=False
)
FLEET_WORKS = Resource("placement.kubernetes-fleet.io", "v1beta1", "works", "Work", namespaced=True)
APPLIED_WORKS = Resource("placement.kubernetes-fleet.io", "v1beta1", "appliedworks", "AppliedWork", namespaced=False)

API_SERVICES = Resource("apiregistration.k8s.io", "v1", "apiservices", "APIService", namespaced=False)
MUTATING_WEBHOOKS = Resource(
    "admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", False
)
ADMISSION_POLICIES = Resource(
    "admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", False
)
ADMISSION_POLICY_BINDINGS = Resource(
    "admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", False
)
VALIDATING_WEBHOOKS = Resource(
    "admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", False
)

KWOK_STAGES = Resource("kwok.x-k8s.io", "v1alpha1", "stages", "Stage", namespaced=False)

ALL: tuple[Resource, ...] = tuple(value for value in dict(globals()).values() if isinstance(value, Resource))
"""Every constant of this module."""
