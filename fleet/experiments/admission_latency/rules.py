"""What pods must be like, in CEL: one rule about a label, and 16 of pod security; each with a pod that breaks it alone.

The rules are ours, after the controls of the Pod Security Standards. Kyverno's ValidatingPolicy and the API server's
ValidatingAdmissionPolicy evaluate the same expressions.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fleet.experiments.admission_latency.pods import TEAM, Pod

CONTAINERS = (
    "has(object.spec.initContainers) ? object.spec.containers + object.spec.initContainers : object.spec.containers"
)
"""The variable `containers` of every rule."""
_SECURITY = "variables.containers.all(c, !has(c.securityContext) || {})"
_POD_SECURITY = "!has(object.spec.securityContext) || {}"


@dataclass(frozen=True)
class Rule:
    """One rule of one policy."""

    name: str
    message: str
    """That a refused request is answered with; it names the rule, so that the refusal says which one it was."""
    expression: str
    """CEL over `object` and `variables.containers`; true for a pod that keeps it."""
    breaks: Callable[[Pod], None]
    """Changes a good pod so that it breaks this rule and no other, and the API server's own validation takes it."""

    def broken(self, good: Pod) -> Pod:
        """A pod that breaks it."""
        bad = copy.deepcopy(good)
        self.breaks(bad)
        return bad


def _drop_label(pod: Pod) -> None:
    del pod["metadata"]["labels"][TEAM]


def _spec(**fields: Any) -> Callable[[Pod], None]:
    return lambda pod: pod["spec"].update(fields)


def _context(**fields: Any) -> Callable[[Pod], None]:
    return lambda pod: pod["spec"]["securityContext"].update(fields)


def _container(**fields: Any) -> Callable[[Pod], None]:
    return lambda pod: pod["spec"]["containers"][0].update(fields)


def _container_context(**fields: Any) -> Callable[[Pod], None]:
    return lambda pod: pod["spec"]["containers"][0]["securityContext"].update(fields)


def _no_seccomp(pod: Pod) -> None:
    del pod["spec"]["securityContext"]["seccompProfile"]


def _rule(name: str, demand: str, expression: str, breaks: Callable[[Pod], None]) -> Rule:
    return Rule(name, f"{name}: {demand}", expression, breaks)


SINGLE = _rule(
    "team-label", "a pod has the label `team`", "has(object.metadata.labels) && 'team' in object.metadata.labels",
    _drop_label,
)  # fmt: skip
POD_SECURITY = (
    _rule(
        "host-namespaces", "no namespace of the host",
        "!(has(object.spec.hostNetwork) && object.spec.hostNetwork) && !(has(object.spec.hostPID) &&"
        " object.spec.hostPID) && !(has(object.spec.hostIPC) && object.spec.hostIPC)",
        _spec(hostPID=True),
    ),
    _rule(
        "host-ports", "no port of the host",
        "variables.containers.all(c, !has(c.ports) || c.ports.all(p, !has(p.hostPort) || p.hostPort == 0))",
        _container(ports=[{"containerPort": 8080, "hostPort": 8080}]),
    ),
    _rule(
        "host-paths", "no path of the host",
        "!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath))",
        _spec(volumes=[{"name": "v", "hostPath": {"path": "/data"}}]),
    ),
    _rule(
        "probe-hosts", "probes are sent to the pod",
        "variables.containers.all(c, !has(c.livenessProbe) || !has(c.livenessProbe.httpGet) ||"
        " !has(c.livenessProbe.httpGet.host) || c.livenessProbe.httpGet.host == '')",
        _container(livenessProbe={"httpGet": {"host": "example.com", "port": 80}}),
    ),
    _rule(
        "lifecycle-hosts", "hooks are sent to the pod",
        "variables.containers.all(c, !has(c.lifecycle) || !has(c.lifecycle.preStop) ||"
        " !has(c.lifecycle.preStop.httpGet) || !has(c.lifecycle.preStop.httpGet.host) ||"
        " c.lifecycle.preStop.httpGet.host == '')",
        _container(lifecycle={"preStop": {"httpGet": {"host": "example.com", "port": 80}}}),
    ),
    _rule(
        "added-capabilities", "no capability is added but NET_BIND_SERVICE",
        _SECURITY.format(
            "!has(c.securityContext.capabilities) || !has(c.securityContext.capabilities.add) ||"
            " c.securityContext.capabilities.add.all(a, a == 'NET_BIND_SERVICE')"
        ),
        _container_context(capabilities={"drop": ["ALL"], "add": ["SYS_TIME"]}),
    ),
    _rule(
        "app-armor", "an AppArmor profile is never Unconfined",
        _POD_SECURITY.format(
            "!has(object.spec.securityContext.appArmorProfile) ||"
            " object.spec.securityContext.appArmorProfile.type != 'Unconfined'"
        ),
        _context(appArmorProfile={"type": "Unconfined"}),
    ),
    _rule(
        "selinux-types", "SELinux types are those of containers",
        _POD_SECURITY.format(
            "!has(object.spec.securityContext.seLinuxOptions) ||"
            " !has(object.spec.securityContext.seLinuxOptions.type) ||"
            " object.spec.securityContext.seLinuxOptions.type in"
            " ['', 'container_t', 'container_init_t', 'container_kvm_t']"
        ),
        _context(seLinuxOptions={"type": "spc_t"}),
    ),
    _rule(
        "selinux-users", "no SELinux user or role is set",
        _POD_SECURITY.format(
            "!has(object.spec.securityContext.seLinuxOptions) ||"
            " (!has(object.spec.securityContext.seLinuxOptions.user) &&"
            " !has(object.spec.securityContext.seLinuxOptions.role))"
        ),
        _context(seLinuxOptions={"user": "root"}),
    ),
    _rule(
        "sysctls", "kernel parameters are among the safe ones",
        _POD_SECURITY.format(
            "!has(object.spec.securityContext.sysctls) || object.spec.securityContext.sysctls.all(s, s.name in"
            " ['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies'])"
        ),
        _context(sysctls=[{"name": "kernel.msgmax", "value": "65536"}]),
    ),
    _rule(
        "volume-kinds", "no volume of a network file system of its own",
        "!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.nfs) && !has(v.iscsi) && !has(v.cephfs) &&"
        " !has(v.glusterfs) && !has(v.rbd) && !has(v.fc))",
        _spec(volumes=[{"name": "v", "nfs": {"server": "example.com", "path": "/data"}}]),
    ),
    _rule(
        "privileges", "a container is not privileged and cannot become it",
        "variables.containers.all(c, has(c.securityContext) && has(c.securityContext.allowPrivilegeEscalation) &&"
        " !c.securityContext.allowPrivilegeEscalation && !(has(c.securityContext.privileged) &&"
        " c.securityContext.privileged))",
        _container_context(allowPrivilegeEscalation=True),
    ),
    _rule(
        "non-root", "a pod must run as another user than root",
        "has(object.spec.securityContext) && has(object.spec.securityContext.runAsNonRoot) &&"
        " object.spec.securityContext.runAsNonRoot && " + _SECURITY.format(
            "!has(c.securityContext.runAsNonRoot) || c.securityContext.runAsNonRoot"
        ),
        _context(runAsNonRoot=False),
    ),
    _rule(
        "users", "no user id is 0",
        "(!has(object.spec.securityContext) || !has(object.spec.securityContext.runAsUser) ||"
        " object.spec.securityContext.runAsUser != 0) && " + _SECURITY.format(
            "!has(c.securityContext.runAsUser) || c.securityContext.runAsUser != 0"
        ),
        _context(runAsUser=0),
    ),
    _rule(
        "seccomp", "a seccomp profile is set",
        "has(object.spec.securityContext) && has(object.spec.securityContext.seccompProfile) &&"
        " object.spec.securityContext.seccompProfile.type in ['RuntimeDefault', 'Localhost']",
        _no_seccomp,
    ),
    _rule(
        "dropped-capabilities", "every container drops all capabilities",
        "variables.containers.all(c, has(c.securityContext) && has(c.securityContext.capabilities) &&"
        " has(c.securityContext.capabilities.drop) && c.securityContext.capabilities.drop.exists(d, d == 'ALL'))",
        _container_context(capabilities={"drop": ["NET_RAW"]}),
    ),
)  # fmt: skip
