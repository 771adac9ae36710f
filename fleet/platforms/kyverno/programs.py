"""The files and programs of one WEC's Kyverno, pure but for the ports."""

from __future__ import annotations

from fleet.host.authority import Subject
from fleet.host.plan import Certificate, Kubeconfig, Plan, PlannedProgram
from fleet.host.supervisor_config import Program
from fleet.platforms.kyverno import names
from fleet.platforms.kyverno.places import HOST, Places

PRIORITY = {names.ADMISSION: 500, names.BACKGROUND: 510, names.REPORTS: 520}
OMITTED = "PolicyApplied,PolicySkipped"
"""Events that Kyverno's chart leaves out by default."""
REPORTED = "validate,mutate,mutateExisting,imageVerify,generate"


def plan(places: Places) -> Plan:
    """An identity for each controller, three programs."""
    seat = places.seat
    identities = {component: _identity(places, component) for component in names.CONTROLLERS}
    programs = tuple(_planned(places, component, identities[component]) for component in names.CONTROLLERS)
    return Plan(
        (seat.folder, seat.folder / "pki"),
        tuple(kubeconfig.certificate for kubeconfig in identities.values()),
        tuple(identities.values()),
        (),
        programs,
    )


def environment(component: str, wec: str) -> dict[str, str]:
    """What the manifest's Deployment gives to a controller; its pod's name is the program's."""
    return {
        "INIT_CONFIG": names.SETTINGS,
        "METRICS_CONFIG": names.METRICS_SETTINGS,
        "KYVERNO_NAMESPACE": names.NAMESPACE,
        "KYVERNO_POD_NAME": names.program(component, wec),
        "KYVERNO_SERVICEACCOUNT_NAME": component,
        "KYVERNO_ROLE_NAME": component.replace("kyverno-", "kyverno:", 1),
        "KYVERNO_SVC": names.SERVICE,
        "KYVERNO_DEPLOYMENT": component,
    }


def init_command(places: Places) -> tuple[str, ...]:
    """The init container of the admission controller, with that controller's identity."""
    program = places.seat.upstream.program(names.INIT)
    return str(program), f"--kubeconfig={_identity(places, names.ADMISSION).path}", "--v=2"


def arguments(places: Places, component: str) -> tuple[str, ...]:
    """The flags of the manifest's Deployment, with our addresses and the inventory's limits."""
    variables = places.seat.variables
    reports = str(variables.kyverno_admission_reports).lower()
    shared = (
        f"--metricsHost={HOST}",
        f"--metricsPort={places.metrics[component]}",
        "--profile=true",
        f"--profileAddress={HOST}",
        f"--profilePort={places.profiles[component]}",
        f"--clientRateLimitQPS={variables.kyverno_client_qps:g}",
        f"--clientRateLimitBurst={variables.kyverno_client_burst}",
        f"--omitEvents={OMITTED}",
        f"--enableReporting={REPORTED}",
    )
    own: dict[str, tuple[str, ...]] = {
        names.ADMISSION: (
            # The mode for a controller outside the cluster: webhooks are called by URL, and the certificate says so.
            f"--serverIP={HOST}:{places.webhooks}",
            f"--webhookServerHost={HOST}",
            f"--webhookServerPort={places.webhooks}",
            f"--servicePort={places.webhooks}",
            f"--caSecretName={names.CA_SECRET}",
            f"--tlsSecretName={names.TLS_SECRET}",
            f"--backgroundServiceAccountName={names.user(names.BACKGROUND)}",
            f"--reportsServiceAccountName={names.user(names.REPORTS)}",
            "--controllerRuntimeMetricsAddress=0",
            "--generateValidatingAdmissionPolicy=true",
            "--maxAdmissionReports=1000",
            f"--admissionReports={reports}",
        ),
        names.BACKGROUND: ("--controllerRuntimeMetricsAddress=0",),
        names.REPORTS: ("--backgroundScanWorkers=2", f"--admissionReports={reports}"),
    }
    return (*own[component], *shared)


def _identity(places: Places, component: str) -> Kubeconfig:
    """A certificate that says the ServiceAccount, so that Kyverno's own RBAC applies."""
    seat = places.seat
    subject = Subject(names.user(component), names.groups())
    certificate = Certificate(seat.folder / "pki", component, "ca", subject)
    server = seat.server or "https://127.0.0.1:0"  # of a WEC that is not made yet, in check mode
    return Kubeconfig(seat.folder / f"{component}.kubeconfig", server, component, certificate)


def _planned(places: Places, component: str, own: Kubeconfig) -> PlannedProgram:
    seat = places.seat
    argv = (str(seat.upstream.program(component)), f"--kubeconfig={own.path}", *arguments(places, component))
    running = Program(
        names.program(component, seat.wec),
        argv,
        environment(component, seat.wec),
        seat.folder,
        priority=PRIORITY[component],
    )
    return PlannedProgram(running, component, seat.wec, (own.path,))
