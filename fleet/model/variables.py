"""Every variable that an inventory may set: its type, its default, its meaning, and whether the fleet file records it.

One place: the defaults of inventories, the checks before anything is changed, the list of names against which misspelt
ones are found, what `fleet.json` records, and `docs/reference/variables.md` are all made from these models.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, PlainSerializer

from fleet.model.base import Model
from fleet.model.existing import ExistingHub, ExistingWecs
from fleet.model.fleet_load import state_root
from fleet.model.plane_settings import PlaneSettings
from fleet.model.variable_types import (
    Address,
    Checksums,
    Count,
    EmptyOrDuration,
    EmptyOrName,
    EmptyOrVersion,
    EmptyOrWhole,
    Environment,
    Flags,
    FleetName,
    Folder,
    FolderOrNone,
    Image,
    LinkText,
    NodeAddress,
    Part,
    Ports,
    Positive,
    Switch,
    Text,
    WecPrefix,
    Weight,
    Word,
    Words,
    one_of,
    whole,
)

Settings = Annotated[PlaneSettings, PlainSerializer(lambda settings: settings.model_dump(exclude_defaults=True))]
MOST_WECS, MOST_NODES = 1000, 9999
"""Names of both have at least three digits; beyond that no fleet was ever tried."""
MOST_WDSES = 9


def variable(default: Any, text: str, *, recorded: bool = True, limit: bool = False) -> Any:
    """A variable with its default and what it means.

    `recorded`: whether it belongs to the fleet, not to where and by whom it is built. `limit`: whether it is a client
    limit of a program, which experiments may sweep.
    """
    more: dict[str, Any] = {"recorded": recorded, "limit": limit}
    if callable(default):
        return Field(default_factory=default, description=text, json_schema_extra=more)
    return Field(default, description=text, json_schema_extra=more)


class FleetVariables(Model):
    """The fleet"""

    fleet_name: FleetName = variable("demo", "RFC 1123 label; also the name of its folder.", recorded=False)
    wec_count: Annotated[int, whole(1, MOST_WECS)] = variable(4, "WECs; up or down, `site.yml` converges.")
    wec_weight: Weight = variable(1.0, "Of one machine (host variable): its part of the WECs; 0 for none.")
    wec_prefix: WecPrefix = variable("wec", "WECs are named `<wec_prefix>001` and so on.")
    wec_nodes: Annotated[int, whole(0, MOST_NODES)] = variable(1, "Simulated nodes in each WEC; 0 for none.")
    node_simulator: Word = variable(
        "kwok",
        "What plays the nodes of WECs (a package of `fleet/simulators`): kwok, hollow (upstream's kubelet code,"
        " `docs/how-to/hollow-nodes.md`), mixed (both), or none: no nodes.",
    )
    wec_hollow_nodes: Annotated[int, whole(0, MOST_NODES)] = variable(
        0, "With `node_simulator: mixed`, how many of `wec_nodes` are hollow; kwok plays the others."
    )
    manager: Word = variable(
        "kubestellar", "The manager of the fleet (a package of `fleet/managers`); none: control planes alone, no hub."
    )
    manager_version: EmptyOrVersion = variable(
        "",
        "Version of the manager's programs at the hub, where it has several (`ocm`: v1.2.0, v1.0.0); empty: the pinned"
        " one. `hub-upgrade` changes it.",
    )
    manager_restart: EmptyOrName = variable(
        "", "Any word: with another one than before, the manager's programs at the hub start again."
    )
    wds_count: Annotated[int, whole(1, MOST_WDSES)] = variable(
        1, "WDSes, each with a KubeStellar of its own; up or down, `site.yml` converges."
    )
    its_count: Annotated[int, whole(-MOST_WECS, MOST_WECS)] = variable(
        1, "ITSes, at most as many as WDSes, which take them in turn: 1 is shared by all, `wds_count` is one for each."
    )
    wds_serving: EmptyOrWhole = variable(
        "", "KubeStellar runs for the first so many WDSes, the others rest; empty: for all. `wds-scaling` changes it."
    )
    wan: LinkText = variable(
        {},
        "The link of a machine's WECs to the hub (host variable, or all machines alike), such as `{rtt: 40ms, jitter:"
        " 5ms, rate: 50mbit}`; each field may be left out. `{rtt: 0ms}` is a link without delay, which `link-latency`"
        " sweeps. Empty: none.",
    )


class PlatformVariables(Model):
    """Platforms: systems under test that live in one WEC each (`docs/how-to/platforms.md`)"""

    platform: Words = variable(
        (), "Platforms of the fleet, one name or a list (packages of `fleet/platforms`), such as kubevirt; empty: none."
    )
    platform_wecs: Annotated[int, whole(1, MOST_WECS)] = variable(
        1, "The first so many WECs have them; `wec_count` or more: all."
    )
    platform_audit: Switch = variable(
        False, "API servers of WECs with platforms log who sent each request, so that runs count by user agent."
    )
    kubevirt_controller_qps: Positive = variable(200.0, "virt-controller at its API server; KubeVirt's own default.")
    kubevirt_controller_burst: Count = variable(400, "The same, burst.")
    kubevirt_api_qps: Positive = variable(200.0, "virt-api at its API server; KubeVirt's own default.")
    kubevirt_api_burst: Count = variable(400, "The same, burst.")
    karpenter_qps: Count = variable(200, "Karpenter at its API server; Karpenter's own default.")
    karpenter_burst: Count = variable(300, "The same, burst.")
    karpenter_extra_args: Flags = variable(
        (), "Flags of Karpenter, such as `--batch-max-duration=5s` or `--instance-types-file-path=FILE`; they win."
    )
    karpenter_env: Environment = variable({}, "Environment of Karpenter.")
    kyverno_client_qps: Positive = variable(100.0, "Each of Kyverno's controllers at its API server; its own default.")
    kyverno_client_burst: Count = variable(200, "The same, burst.")
    kyverno_admission_reports: Switch = variable(
        True, "Kyverno writes a report of each admitted object that a policy validated, as its chart has it."
    )
    kueue_qps: Positive = variable(50.0, "Kueue at its API server; its own default.")
    kueue_burst: Count = variable(100, "The same, burst.")


class PlaceVariables(Model):
    """Where it lies"""

    fleet_state_dir: Folder = variable(
        lambda: str(state_root().absolute()),
        "Folder of all fleets on the controller; default: `$FLEET_STATE_DIR`, else the user's state folder.",
        recorded=False,
    )
    machine_state_dir: FolderOrNone = variable("", "The same on a machine of the fleet; empty: `fleet_state_dir`.")
    target_python_interpreter: Text = variable(
        "auto_silent", "A machine's own Python, 3.11 or newer; `auto_silent`: the newest that Ansible finds there."
    )


class ProgramVariables(Model):
    """Upstream programs"""

    fleet_toolchain_dir: Text = variable(
        "", "A folder of programs of your own; empty: built from the pinned modules of `toolchain/`, once."
    )
    fleet_toolchain_sha256: Checksums = variable(
        {}, "Their checksums, program to sha256; required with `fleet_toolchain_dir`."
    )


class ControlPlaneVariables(Model):
    """Control planes"""

    control_plane_driver: Word = variable(
        "dense",
        "Of the WECs (a package of `fleet/host/drivers`): dense (many in one process), process (etcd and four programs"
        " each), kind, or existing: those that `existing_wecs` names.",
    )
    control_plane_parallelism: Annotated[int, whole(0, 256)] = variable(
        0, "Brought up at the same time; 0 is twice the number of cores."
    )
    dense_shard_size: Annotated[int, whole(1, 200)] = variable(25, "WECs in one process of the dense driver.")
    dense_sharing: Switch = variable(
        True,
        "WECs of one dense process share what never changes, and do without OpenAPI and some polls; false: each is"
        " exactly as upstream makes it, at about twice the memory.",
    )
    dense_hibernate: EmptyOrDuration = variable(
        "",
        "A WEC of a dense process sleeps after so long without a connection (such as `5m`) and is woken by the next,"
        " which waits; empty: never. A kwok or an agent is always connected: it is for control planes alone.",
    )
    wec_programs: Annotated[str, one_of("shared", "own")] = variable(
        "own",
        "kwok and the OCM agents of a machine's WECs: own (a process each) or shared (those of `dense_shard_size` WECs"
        " in one process).",
    )
    dense_openapi: Switch = variable(
        False, "WECs of the dense driver serve OpenAPI, which `kubectl explain` and client-side validation need."
    )
    control_plane_ready_seconds: Annotated[int, whole(1, 86400)] = variable(
        300, "Deadline of one API server on a machine that is busy with others."
    )
    control_plane_bind_address: Address = variable("127.0.0.1", "Address that the API servers listen on.")
    control_plane_ports: Ports = variable(
        {}, "Port of an API server by cluster name; the others are chosen from a registry."
    )
    control_plane_apiserver_extra_args: Flags = variable((), "Flags of the form --flag=value; they win over ours.")
    control_plane_etcd_extra_args: Flags = variable((), "The same of etcd.")
    control_plane_kcm_extra_args: Flags = variable(
        (), "The same of kube-controller-manager; not with the dense driver."
    )
    control_plane_scheduler_extra_args: Flags = variable((), "The same of kube-scheduler; not with the dense driver.")
    control_plane_kwok_extra_args: Flags = variable((), "The same of kwok.")
    control_plane_env: Environment = variable(
        {}, "Environment of every program of a control plane; that of one program wins over it. No secrets."
    )
    control_plane_apiserver_env: Environment = variable(
        {}, "With the dense driver: of the process that holds the API servers."
    )
    control_plane_etcd_env: Environment = variable({}, "Environment of etcd.")
    control_plane_kcm_env: Environment = variable(
        {}, "Environment of kube-controller-manager; not with the dense driver."
    )
    control_plane_scheduler_env: Environment = variable({}, "Environment of kube-scheduler; not with the dense driver.")
    control_plane_kwok_env: Environment = variable({}, "Environment of kwok.")
    control_plane_overrides: dict[str, Settings] = variable(
        {},
        "Settings of one control plane or one role, such as `{its1: {apiserver_extra_args: [--v=4]}, wec: {...}}`:"
        " added to those above. Fields: apiserver, etcd, kcm, scheduler and simulator, each with `_extra_args` and"
        " `_env`, and `env`. A WEC of the dense driver has only `apiserver_extra_args` and `simulator_*` of its own.",
    )
    audit: Annotated[str, one_of("", "sample")] = variable(
        "",
        "`sample`: API servers log each write of an object (metadata alone), and a run says by that how exact its"
        " latencies are (`docs/how-to/accuracy.md`). Empty: they log nothing.",
    )
    control_plane_debug: Switch = variable(
        False, "Profiles and metrics of etcd, controller managers, schedulers and kwok; API servers have them anyway."
    )


class HollowVariables(Model):
    """Hollow nodes (`node_simulator: hollow` or `mixed`)"""

    hollow_per_process: Annotated[int, whole(1, 250)] = variable(
        250, "Hollow nodes in one process, of one WEC; one that dies takes its nodes along until it is back."
    )
    hollow_placement: Annotated[str, one_of("process", "pods")] = variable(
        "process",
        "Where these processes are: programs of the machine, or (`control_plane_driver: kind`) pods of the real node of"
        " each WEC, a Deployment for each.",
    )
    hollow_address: NodeAddress = variable(
        "",
        "Address of a machine's hollow nodes (host variable), where their kubelets listen with TLS; not loopback, which"
        " a kubelet refuses. Empty: the machine's first other address.",
    )
    control_plane_hollow_extra_args: Flags = variable((), "Flags of hollow nodes' processes, such as `--v=2`.")
    control_plane_hollow_env: Environment = variable({}, "Environment of hollow nodes' processes.")


class KindVariables(Model):
    """kind clusters (`control_plane_driver: kind`)"""

    container_engine: Annotated[str, one_of("auto", "own", "system")] = variable(
        "auto", "The Docker of a machine: system (one that runs), own (the fleet starts one), auto (own if none runs)."
    )
    container_engine_packages: Switch = variable(
        True, "Install Docker from the distribution where it is missing; needs root."
    )
    kind_node_image: Image = variable(
        "", "Empty: built on the controller, as root; published: kind's own, pulled; or name@sha256:... of yours."
    )
    kind_node_image_mirror: Text = variable(
        "", "Debian mirror that the image is built from; empty: debootstrap's choice."
    )


class ExistingVariables(Model):
    """Clusters that exist already (`docs/how-to/existing.md`)"""

    hub_driver: Word = variable(
        "process", "process: the hub is built; existing: it is the one that `existing_hub` names."
    )
    existing_hub: ExistingHub = variable(
        {}, "Its clusters by role and name: `{its: {its1: {kubeconfig: FILE, context: NAME}}, wds: {wds1: ...}}`."
    )
    existing_wecs: ExistingWecs = variable(
        {},
        "WECs: `{kubeconfigs: [FILE or FOLDER, ...]}`, the current context of each; or `{kubeconfigs: [FILE], contexts:"
        " [NAME, ...]}`. Each is a member of the hub under the name of its context or file, or as `names: {CONTEXT:"
        " NAME}` has it.",
    )


class HubVariables(Model):
    """Hub and agents"""

    hub_registration_extra_args: Flags = variable((), "Flags of OCM's registration controller; they win over ours.")
    hub_registration_env: Environment = variable({}, "Its environment.")
    hub_placement_extra_args: Flags = variable((), "Flags of OCM's placement controller (`manager: ocm`).")
    hub_placement_env: Environment = variable({}, "Its environment.")
    hub_work_manager_extra_args: Flags = variable((), "Flags of OCM's work manager (`manager: ocm`).")
    hub_work_manager_env: Environment = variable({}, "Its environment.")
    hub_controller_manager_extra_args: Flags = variable((), "Flags of KubeStellar's controller-manager.")
    hub_controller_manager_env: Environment = variable({}, "Its environment.")
    hub_transport_extra_args: Flags = variable((), "Flags of KubeStellar's transport controller.")
    hub_transport_env: Environment = variable({}, "Its environment.")
    ocm_agents_extra_args: Flags = variable((), "Flags of every OCM agent.")
    ocm_agents_env: Environment = variable({}, "Environment of every OCM agent.")
    ocm_agents_status_sync_interval: Text = variable("10s", "How often an agent looks at what it applied.")
    ocm_agents_parallelism: Annotated[int, whole(1, 256)] = variable(8, "WECs that register at the same time.")
    ocm_agents_join_seconds: Positive = variable(240.0, "Deadline of one WEC's registration.")
    ocm_agents_leave_seconds: Positive = variable(60.0, "Longest time without progress while a WEC leaves.")
    ocm_feedback_scrape_type: Annotated[str, one_of("", "Poll", "Watch")] = variable(
        "", "How OCM's agents look for the status of what they applied (`manager: ocm`); empty: OCM's default, Poll."
    )
    ocm_agents_status_agent: Switch = variable(
        True,
        "false: another returns status; say in `record_status_agent` and `record_status_agent_version` which.",
    )
    ocm_agents_status_agent_extra_args: Flags = variable((), "Flags of the status agent.")
    ocm_agents_status_agent_env: Environment = variable({}, "Environment of the status agent.")
    ocm_agents_status_agent_journal: Switch = variable(False, "A JSON line per WorkStatus write alongside its log.")
    status_agent_parity: Switch = variable(
        True, "Our status agent calls the hub as often as ocm-status-addon does; false: only when a status changed."
    )
    record_status_agent: Annotated[str, one_of("fleet", "ocm-status-addon")] = variable(
        "fleet", "Which program returns status: ours, or the one that you run."
    )
    record_status_agent_version: Text = variable("", "Its version; empty: ours.")


class KarmadaVariables(Model):
    """Karmada (`manager: karmada`)"""

    karmada_mode: Annotated[str, one_of("pull", "push")] = variable(
        "pull", "pull: an agent per WEC fetches; push: Karmada's controller-manager writes into the WECs."
    )
    karmada_controller_manager_extra_args: Flags = variable((), "Flags of its controller-manager; they win over ours.")
    karmada_controller_manager_env: Environment = variable({}, "Its environment.")
    karmada_scheduler_extra_args: Flags = variable((), "Flags of its scheduler.")
    karmada_scheduler_env: Environment = variable({}, "Its environment.")
    karmada_webhook_extra_args: Flags = variable((), "Flags of its webhook.")
    karmada_webhook_env: Environment = variable({}, "Its environment.")
    karmada_aggregated_apiserver_extra_args: Flags = variable((), "Flags of its aggregated API server.")
    karmada_aggregated_apiserver_env: Environment = variable({}, "Its environment.")
    karmada_agent_extra_args: Flags = variable((), "Flags of every agent.")
    karmada_agent_env: Environment = variable({}, "Environment of every agent.")


class KubeFleetVariables(Model):
    """KubeFleet (`manager: kubefleet`)"""

    kubefleet_max_unavailable: Part = variable(
        "25%", "Of each policy's WECs, how many a change may reach at a time (`maxUnavailable`), `10` or `100%`."
    )
    kubefleet_unavailable_period_seconds: Annotated[int, whole(0, 3600)] = variable(
        60, "How long a WEC counts as unavailable where KubeFleet cannot say (`unavailablePeriodSeconds`)."
    )
    kubefleet_hub_agent_extra_args: Flags = variable((), "Flags of its hub agent; they win over ours.")
    kubefleet_hub_agent_env: Environment = variable({}, "Its environment.")
    kubefleet_member_agent_extra_args: Flags = variable((), "Flags of every member agent.")
    kubefleet_member_agent_env: Environment = variable({}, "Environment of every member agent.")


class MultiKueueVariables(Model):
    """MultiKueue (`manager: multikueue`)"""

    multikueue_controller_extra_args: Flags = variable((), "Flags of its program at the hub; they win over ours.")
    multikueue_controller_env: Environment = variable({}, "Its environment.")
    multikueue_worker_extra_args: Flags = variable((), "Flags of every worker's program.")
    multikueue_worker_env: Environment = variable({}, "Environment of every worker's program.")


class MemberVariables(Model):
    """Joining and leaving, of managers that are not built on OCM"""

    members_parallelism: Annotated[int, whole(1, 256)] = variable(8, "WECs that join at the same time.")
    members_join_seconds: Positive = variable(240.0, "Deadline of those WECs to become members.")
    members_leave_seconds: Positive = variable(120.0, "Longest time without progress while WECs leave.")


class MonitoringVariables(Model):
    """Prometheus alongside the fleet, on loopback. It takes CPU from what is measured."""

    monitoring_enabled: Switch = variable(False, "Whether it runs.")
    monitoring_become: Switch = variable(False, "Install the packages with sudo.")
    monitoring_prometheus: Folder = variable("/usr/bin/prometheus", "The program.")
    monitoring_exporter: Folder = variable("/usr/bin/prometheus-node-exporter", "The exporter of the machine.")
    monitoring_interval: Text = variable("15s", "How often every program is scraped.")
    monitoring_retention: Text = variable("7d", "How long values are kept.")
    monitoring_nodes: Annotated[str, one_of("none", "proxy", "direct")] = variable(
        "none",
        "How it scrapes hollow nodes (`/metrics` and `/metrics/resource` of each kubelet): through their API server's"
        " proxy, directly, or not.",
    )


class TuningVariables(Model):
    """Kernel limits that root may raise (`fs.inotify.*`)"""

    host_tuning_enabled: Switch = variable(
        True, "Off: a machine that lacks them is refused, with the line to run.", recorded=True
    )
    host_tuning_become: Switch = variable(False, "Use sudo for that, when `site.yml` does not run as root.")


class LimitVariables(Model):
    """Client limits that dominate latency. Defaults are those of the managers' own charts or programs."""

    ocm_registration_qps: Positive = variable(50.0, "OCM's registration controller at its hub.", limit=True)
    ocm_registration_burst: Count = variable(100, "The same, burst.", limit=True)
    ocm_placement_qps: Positive = variable(50.0, "OCM's placement controller (`manager: ocm`).", limit=True)
    ocm_placement_burst: Count = variable(100, "The same, burst.", limit=True)
    ocm_work_manager_qps: Positive = variable(50.0, "OCM's work manager (`manager: ocm`).", limit=True)
    ocm_work_manager_burst: Count = variable(100, "The same, burst.", limit=True)
    transport_wds_qps: Positive = variable(5.0, "Transport controller at the WDS.", limit=True)
    transport_wds_burst: Count = variable(10, "The same, burst.", limit=True)
    transport_its_qps: Positive = variable(5.0, "Transport controller at the ITS.", limit=True)
    transport_its_burst: Count = variable(10, "The same, burst.", limit=True)
    transport_concurrency: Count = variable(4, "Workers of the transport controller.", limit=True)
    max_num_wrapped: Count = variable(1, "Objects in one ManifestWork.", limit=True)
    max_size_wrapped: Count = variable(512000, "Bytes in one ManifestWork.", limit=True)
    controller_wds_qps: Positive = variable(5.0, "Controller-manager at the WDS.", limit=True)
    controller_wds_burst: Count = variable(10, "The same, burst.", limit=True)
    controller_its_qps: Positive = variable(5.0, "Controller-manager at the ITS.", limit=True)
    controller_its_burst: Count = variable(10, "The same, burst.", limit=True)
    status_hub_qps: Positive = variable(5.0, "Status agent at the ITS.", limit=True)
    status_hub_burst: Count = variable(10, "The same, burst.", limit=True)
    status_local_qps: Positive = variable(5.0, "Status agent at its WEC.", limit=True)
    status_local_burst: Count = variable(10, "The same, burst.", limit=True)
    work_hub_qps: Positive = variable(50.0, "OCM's work agent at the ITS.", limit=True)
    work_hub_burst: Count = variable(100, "The same, burst.", limit=True)
    work_spoke_qps: Positive = variable(50.0, "OCM's work agent at its WEC.", limit=True)
    work_spoke_burst: Count = variable(100, "The same, burst.", limit=True)
    karmada_controller_qps: Positive = variable(40.0, "Karmada's controller-manager at its hub.", limit=True)
    karmada_controller_burst: Count = variable(60, "The same, burst.", limit=True)
    karmada_controller_wec_qps: Positive = variable(40.0, "The same at each WEC (`karmada_mode: push`).", limit=True)
    karmada_controller_wec_burst: Count = variable(60, "The same, burst.", limit=True)
    karmada_scheduler_qps: Positive = variable(40.0, "Karmada's scheduler at its hub.", limit=True)
    karmada_scheduler_burst: Count = variable(60, "The same, burst.", limit=True)
    karmada_webhook_qps: Positive = variable(40.0, "Karmada's webhook at its hub.", limit=True)
    karmada_webhook_burst: Count = variable(60, "The same, burst.", limit=True)
    karmada_aggregated_qps: Positive = variable(40.0, "Karmada's aggregated API server at its hub.", limit=True)
    karmada_aggregated_burst: Count = variable(60, "The same, burst.", limit=True)
    karmada_agent_hub_qps: Positive = variable(40.0, "Karmada's agents at the hub (`karmada_mode: pull`).", limit=True)
    karmada_agent_hub_burst: Count = variable(60, "The same, burst.", limit=True)
    karmada_agent_wec_qps: Positive = variable(40.0, "The same at their WEC.", limit=True)
    karmada_agent_wec_burst: Count = variable(60, "The same, burst.", limit=True)
    karmada_controller_queue_qps: Count = variable(
        10, "Work queues of Karmada's controller-manager: entries a second.", limit=True
    )
    karmada_controller_queue_burst: Count = variable(100, "The same, burst.", limit=True)
    karmada_scheduler_queue_qps: Count = variable(10, "The same of its scheduler.", limit=True)
    karmada_scheduler_queue_burst: Count = variable(100, "The same, burst.", limit=True)
    karmada_agent_queue_qps: Count = variable(10, "The same of its agents.", limit=True)
    karmada_agent_queue_burst: Count = variable(100, "The same, burst.", limit=True)
    kubefleet_hub_qps: Positive = variable(250.0, "KubeFleet's hub agent at its hub.", limit=True)
    kubefleet_hub_burst: Count = variable(1000, "The same, burst.", limit=True)
    kubefleet_queue_qps: Count = variable(10, "Work queues of KubeFleet's hub agent: entries a second.", limit=True)
    kubefleet_queue_burst: Count = variable(100, "The same, burst.", limit=True)
    kubefleet_member_hub_qps: Positive = variable(
        5.0, "KubeFleet's member agents at the hub; upstream's have no flag.", limit=True
    )
    kubefleet_member_hub_burst: Count = variable(10, "The same, burst.", limit=True)
    kubefleet_member_wec_qps: Positive = variable(5.0, "The same at their WEC.", limit=True)
    kubefleet_member_wec_burst: Count = variable(10, "The same, burst.", limit=True)
    multikueue_hub_qps: Positive = variable(50.0, "MultiKueue at its hub.", limit=True)
    multikueue_hub_burst: Count = variable(100, "The same, burst.", limit=True)
    multikueue_dispatch_qps: Positive = variable(
        5.0, "The same at each worker, for each kind of object; upstream has no setting for it.", limit=True
    )
    multikueue_dispatch_burst: Count = variable(10, "The same, burst.", limit=True)
    multikueue_worker_qps: Positive = variable(50.0, "A worker's program at its WEC.", limit=True)
    multikueue_worker_burst: Count = variable(100, "The same, burst.", limit=True)


class Variables(
    FleetVariables,
    PlatformVariables,
    PlaceVariables,
    ProgramVariables,
    ControlPlaneVariables,
    HollowVariables,
    KindVariables,
    ExistingVariables,
    HubVariables,
    KarmadaVariables,
    KubeFleetVariables,
    MultiKueueVariables,
    MemberVariables,
    LimitVariables,
    MonitoringVariables,
    TuningVariables,
):
    """All of them, of one machine."""

    @property
    def wecs(self) -> list[str]:
        """Names of the WECs, in order."""
        return [f"{self.wec_prefix}{number:03d}" for number in range(1, self.wec_count + 1)]

    @property
    def wecs_under_test(self) -> bool:
        """Whether the WECs themselves are what is measured: there is no manager over them."""
        return self.manager == "none"

    @property
    def programs_shared(self) -> bool:
        """Whether kwok and agents of many WECs are in one process."""
        return self.wec_programs == "shared"

    def recorded(self) -> dict[str, Any]:
        """Those that belong to the fleet, as JSON has them and as an inventory would write them."""
        fields = {name for name in type(self).model_fields if _mark(name, "recorded")}
        return self.model_dump(mode="json", include=fields)


def _mark(name: str, mark: str) -> bool:
    extra = Variables.model_fields[name].json_schema_extra
    return isinstance(extra, dict) and bool(extra[mark])


def limits() -> dict[str, bool]:
    """The client limits, each with whether it is a whole number."""
    return {name: field.annotation is int for name, field in Variables.model_fields.items() if _mark(name, "limit")}


def is_recorded(name: str) -> bool:
    """Whether the fleet file records the variable of that name; False for one that is none of ours."""
    return name in Variables.model_fields and _mark(name, "recorded")


def defaults() -> dict[str, Any]:
    """Every variable with its default, as JSON has it."""
    return Variables().model_dump(mode="json")


SECTIONS = tuple(base for base in Variables.__bases__ if issubclass(base, Model))
"""In the order in which docs/reference/variables.md has them."""
