"""A fleet over three machines that are reached over real SSH: refused, cut off, built, measured, scaled, ended."""

from __future__ import annotations

import asyncio
import csv
import ipaddress
import json
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from fleet.install.waiting import until
from fleet.kube.client import KubeClient
from fleet.kube.conditions import condition
from fleet.kube.resources import CSRS, MANAGED_CLUSTERS, MANIFEST_WORKS, NAMESPACES
from fleet.lab.plan import close_connections
from fleet.lab.requirements import lacking
from fleet.lab.system import LinuxSystem
from fleet.managers.ocm.names import CLUSTER_LABEL
from tests.live.conftest import FAST, state_folder
from tests.live.lab import BIN, Lab, Ran, changed
from tests.live.runs import report_path, run_record, summary, valid
from tests.live.test_fleet import RUN
from tests.live.waiting import SENT, until_written

SUBNET = "10.78.0.0/24"
"""Not the default: a lab that somebody has up on this host stays."""
WECS = 9
OTHER_LAB = re.compile(r"fl(?!4e00)[0-9a-f]{4}(m[0-9]+)?$")
HOME = ".local/state/fleet"


def why_not() -> str:
    """Why no lab is made here; empty when one is."""
    if os.environ.get("FLEET_TEST_LAB") != "1":
        return "minutes: `make test-lab` runs it"
    if os.geteuid() != 0:
        return "a lab of network namespaces needs root"
    if missing := lacking(LinuxSystem()):
        return f"a lab needs the packages {', '.join(missing)}"
    tried = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else f"no namespaces here: {tried.stderr.decode().strip()}"


pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("lab"),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]


@dataclass(frozen=True)
class Machines(Lab):
    """A fleet on the machines of a lab."""

    def site(self, *arguments: str, inventory: str = "inventories/lab", **variables: object) -> Ran:
        """Run site.yml on them."""
        return self.playbook("site.yml", "-i", inventory, *arguments, **variables)

    def _entering(self, machine: str) -> list[str]:
        """Words before a command that is to run on a machine, as root from the host, whether a cable is in or not."""
        known = json.loads((self.state / ".lab" / "lab.json").read_text(encoding="utf-8"))
        pid = next(entry["pid"] for entry in known["machines"] if f"m{entry['number']}" == machine)
        inside = next(child for child in psutil.Process(pid).children() if child.is_running())
        return ["nsenter", "-t", str(inside.pid), "-m", "-p", "-n"]

    def there(self, machine: str, *words: str) -> str:
        """What a command prints on a machine."""
        return subprocess.run([*self._entering(machine), *words], capture_output=True, text=True, check=True).stdout

    def start_there(self, machine: str, *words: str) -> subprocess.Popen[str]:
        """Start a command on a machine. It has to end with its input: no signal is passed on to it."""
        pipe = subprocess.PIPE
        return subprocess.Popen([*self._entering(machine), *words], stdin=pipe, stdout=pipe, text=True)

    def held(self, machine: str) -> set[str]:
        """What of any fleet lies on that machine, by the names in its state folder."""
        found = self.there(machine, "find", "/home/fleet", "-path", f"/home/fleet/{HOME}/*").split()
        return {path.removeprefix(f"/home/fleet/{HOME}/").partition("/")[0] for path in found}


def traces() -> dict[str, object]:
    """What a lab and its fleets could leave on this host; what other labs have meanwhile is theirs."""
    routes = Path("/proc/net/route").read_text(encoding="ascii").splitlines()
    return {
        "links": sorted(name for name in psutil.net_if_addrs() if not OTHER_LAB.match(name)),
        "namespaces": sorted(p.name for p in Path("/run/netns").glob("*") if not OTHER_LAB.match(p.name)),
        "users": Path("/etc/passwd").read_text(encoding="utf-8"),
        "routes": [line for line in routes if line.split()[1].endswith("004E0A")],  # 10.78.0, as the kernel prints it
        "groups": sorted(str(path) for path in Path("/sys/fs/cgroup").glob("*/fl4e00*")),
    }


@pytest.fixture(scope="module")
def before() -> dict[str, object]:
    return traces()


@pytest.fixture(scope="module")
def lab(before: dict[str, object]) -> Iterator[Machines]:  # noqa: ARG001 - taken first
    """Three machines, nothing on them; at the end all is gone whatever happened."""
    with state_folder() as state:
        made = Machines("t-lab", state, {"wec_count": WECS, **FAST})
        try:
            made.fleet("lab", "up", "--machines", "3", "--subnet", SUBNET).check()
            yield made
        finally:
            made.fleet("lab", "down")


def statuses(lab: Machines) -> dict[str, dict[str, object]]:
    """The clusters that `fleet status` shows, by name."""
    ran = lab.fleet("status", "--fleet", lab.name, "-o", "json")
    return {item["name"]: item for item in json.loads(ran.out)["items"]}


def places(lab: Machines) -> dict[str, str]:
    """WEC to machine, of those that are ready and Available."""
    return {
        name: str(item["machine"])
        for name, item in statuses(lab).items()
        if item["role"] == "wec" and item["ready"] and item["registered"] == "Available"
    }


def recap(ran: Ran) -> dict[str, dict[str, int]]:
    """The counts of the recap by machine."""
    found = re.findall(r"^(m\d+)\s+: (.*)$", ran.out, re.MULTILINE)
    assert found, ran.out[-3000:]
    return {
        machine: {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", counts)} for machine, counts in found
    }


def inventory(lab: Machines, folder: Path, *without: str, **hosts: dict[str, object]) -> str:
    """A copy of the lab's inventory, less some machines, with these variables of machines, or machines, more."""
    told = json.loads((lab.state / ".lab" / "hosts.json").read_text(encoding="utf-8"))
    for name, variables in hosts.items():
        known = told["_meta"]["hostvars"].setdefault(name, dict(told["_meta"]["hostvars"]["m3"]))
        known.update(variables)
        if name not in told["hub_hosts"]["hosts"] + told["wec_hosts"]["hosts"]:
            told["wec_hosts"]["hosts"].append(name)
    told["wec_hosts"]["hosts"] = [name for name in told["wec_hosts"]["hosts"] if name not in without]
    for name in without:
        del told["_meta"]["hostvars"][name]
    source = Path(__file__).resolve().parents[2] / "inventories" / "lab"
    shutil.copytree(source / "group_vars", folder / "group_vars")
    answer = folder.with_suffix(".json")  # alongside it: Ansible reads every file of an inventory
    answer.write_text(json.dumps(told), encoding="utf-8")
    script = folder / "hosts.sh"
    script.write_text(f"#!/bin/sh\ncat {answer}\n", encoding="utf-8")
    script.chmod(0o755)
    return str(folder)


def refused(lab: Machines, ran: Ran, *said: str) -> None:
    """The play ended with an error that says this, and no machine has anything of a fleet."""
    text = " ".join(ran.out.split())
    assert ran.code == 2, text[-3000:]
    assert all(words in text for words in (*said, "Nothing was changed")), text[-3000:]
    assert not any(lab.held(machine) for machine in ("m1", "m2", "m3"))
    assert not lab.folder.exists()


def test_two_names_of_one_machine_are_refused(lab: Machines, tmp_path: Path) -> None:
    twice = inventory(lab, tmp_path / "address", twin={})
    refused(lab, lab.site(inventory=twice), "twin and m3 are one machine")
    told = json.loads((lab.state / ".lab" / "hosts.json").read_text(encoding="utf-8"))["_meta"]["hostvars"]["m3"]
    other = {
        "ansible_host": str(int(ipaddress.IPv4Address(told["ansible_host"]))),  # the address as one number
        "ansible_ssh_common_args": f"{told['ansible_ssh_common_args']} -o HostKeyAlias={told['ansible_host']}",
        "control_plane_bind_address": told["ansible_host"],
    }
    ran = lab.site(inventory=inventory(lab, tmp_path / "second", twin=other))
    refused(lab, ran, "m3 and twin are one machine")


def test_a_changed_host_key_and_an_open_key_file_are_refused(lab: Machines) -> None:
    # The connections of the test before this one were checked when they were made, and are shared for a minute.
    for argv in close_connections(sorted((lab.state / ".lab" / "cp").iterdir())):
        lab.run(argv)
    known = lab.state / ".lab" / "ssh" / "known_hosts"
    kept = known.read_text(encoding="ascii")
    lines = kept.splitlines()
    keys = [line.split()[2] for line in lines]
    known.write_text("".join(f"{' '.join(line.split()[:2])} {keys[i - 1]}\n" for i, line in enumerate(lines)), "ascii")
    try:
        refused(lab, lab.site(), "m2", "Host key verification failed")
    finally:
        known.write_text(kept, encoding="ascii")
    key = lab.state / ".lab" / "ssh" / "id_ed25519"
    key.chmod(0o644)
    try:
        refused(lab, lab.site(), "can be read by others: chmod 600 it")
    finally:
        key.chmod(0o600)


def test_a_machine_without_room_and_one_that_is_away_are_refused(lab: Machines) -> None:
    refused(lab, lab.site(preflight_disk_bytes=10**16), "GiB are free in")
    lab.fleet("lab", "cut", "m3").check()
    try:
        refused(lab, lab.site(), "m3", "is not reached", "--limit '!m3'")
    finally:
        lab.fleet("lab", "repair", "m3").check()


OLD_PYTHON = """\
from collections import namedtuple
import sys
sys.version = "3.9.2 (default, Feb 28 2021, 17:03:44) \\n[GCC 10.2.1 20210110]"
sys.version_info = namedtuple("version_info", "major minor micro releaselevel serial")(3, 9, 2, "final", 0)
"""
"""`sitecustomize` of a stand-in, as no older one is installed: the machine's own Python, saying that it is older."""


def test_a_wrong_python_and_one_that_is_missing_are_refused(lab: Machines, tmp_path: Path) -> None:
    program = '#!/bin/sh\nPYTHONPATH=/home/fleet/old exec /usr/bin/python3 "$@"\n'
    for path, text in (("old/sitecustomize.py", OLD_PYTHON), ("old/python", program)):
        lab.there("m2", "sh", "-c", f"mkdir -p /home/fleet/old && printf %s {shlex.quote(text)} > /home/fleet/{path}")
    lab.there("m2", "chmod", "-R", "a+rX,u+x", "/home/fleet/old")
    lab.there("m2", "chmod", "755", "/home/fleet/old/python")
    old = inventory(lab, tmp_path / "old", m2={"target_python_interpreter": "/home/fleet/old/python"})
    refused(lab, lab.site(inventory=old), "m2: ", "its Python is 3.9.2, 3.11 or newer is needed", "python3.11")
    missing = inventory(lab, tmp_path / "missing", m2={"target_python_interpreter": "/opt/python3.11"})
    refused(lab, lab.site(inventory=missing), "m2: ", "/opt/python3.11", "name it with target_python_interpreter")


def test_a_port_that_is_taken_is_refused(lab: Machines) -> None:
    for number, name in (("1", "its1"), ("3", f"wec00{WECS}")):
        listen = f"import socket, sys; held = socket.create_server(('10.78.0.1{number}', 17345))"
        listen += "; print(flush=True); sys.stdin.read()"
        with lab.start_there(f"m{number}", "python3", "-c", listen) as holder:
            assert holder.stdout is not None
            holder.stdout.readline()  # it listens
            ran = lab.site(control_plane_ports={name: 17345})
        refused(lab, ran, f"control_plane_ports: port 17345 for {name} is held by another program: choose another")


def test_check_mode_is_clean_on_machines_without_the_fleet(lab: Machines) -> None:
    lab.site("--check", "--diff").check()
    assert not any(lab.held(machine) for machine in ("m1", "m2", "m3"))
    assert not lab.folder.exists()


def test_a_machine_that_is_cut_off_during_bring_up_is_named_and_the_rest_is_built(lab: Machines) -> None:
    words = [str(Path(shutil.which("ansible-playbook", path=lab.environment["PATH"]) or "")), "site.yml"]
    variables = {"fleet_name": lab.name, "fleet_state_dir": str(lab.state), **lab.variables}
    said = ""
    with lab.start([*words, "-i", "inventories/lab", "-e", json.dumps(variables)]) as running:
        assert running.stdout is not None
        for line in running.stdout:
            said += line
            if "Control planes of the hub" in line:
                lab.fleet("lab", "cut", "m3").check()
    lab.fleet("lab", "repair", "m3").check()
    counts = recap(Ran(running.returncode, said, ""))
    assert running.returncode != 0
    assert (counts["m3"]["unreachable"], counts["m1"]["failed"], counts["m2"]["failed"]) == (1, 0, 0), said[-3000:]
    assert "m3 did not come through" in said
    assert set(places(lab).values()) == {"m2"}


def test_the_next_run_repairs(lab: Machines) -> None:
    assert changed(lab.site().check()) > 0
    names = [f"wec{number:03d}" for number in range(1, WECS + 1)]
    assert places(lab) == dict.fromkeys(names[:5], "m2") | dict.fromkeys(names[5:], "m3")


def test_a_second_run_changes_nothing_check_mode_and_one_machine_alone_agree(lab: Machines) -> None:
    assert changed(lab.site().check()) == 0
    assert changed(lab.site("--check", "--diff").check()) == 0
    alone = lab.site("--limit", "m3").check()
    assert changed(alone) == 0
    assert list(recap(alone)) == ["m3"]


def test_commands_reach_every_machine(lab: Machines, tmp_path: Path) -> None:
    assert lab.fleet("exec", f"wec00{WECS}", "hostname", "--fleet", lab.name).check().out.strip() == "m3"
    assert lab.fleet("exec", "m2", "--fleet", lab.name, "--", "sh", "-c", "exit 7").code == 7
    assert len(lab.fleet("logs", "its1", "-n", "2", "--fleet", lab.name).check().out.splitlines()) > 4
    assert lab.fleet("logs", "dense.0", "--fleet", lab.name).check(2).err.strip().endswith("m2/dense.0 or m3/dense.0")
    assert lab.fleet("logs", "m2/dense.0", "-n", "3", "--fleet", lab.name).check().out.strip()
    said = lab.fleet("profiles", "transport", "m3", "--out", str(tmp_path), "--fleet", lab.name, "-o", "json").check()
    files = {Path(item["file"]).relative_to(tmp_path).parts[:2] for item in json.loads(said.out)["items"]}
    assert ("m1", "transport.wds1") in files
    assert ("m3", "dense.0") in files


def test_api_servers_listen_on_the_machine_s_address_and_all_else_on_loopback(lab: Machines) -> None:
    for machine, address in (("m1", "10.78.0.11"), ("m2", "10.78.0.12")):
        lines = lab.there(machine, "ss", "-Hltnp").splitlines()
        open_ = {m[1] for line in lines if (m := re.search(r'users:\(\("([^"]+)"', line)) and f" {address}:" in line}
        others = [line for line in lines if f" {address}:" not in line and " 127.0.0.1:" not in line]
        assert open_ == ({"sshd", "kube-apiserver"} if machine == "m1" else {"sshd", "dense"})
        assert not others, others


def test_wec_scaling_is_valid_over_all_machines(lab: Machines, tmp_path: Path) -> None:
    ran = lab.fleet("experiment", "run", "wec-scaling", "--wecs", str(WECS), "--repeats", "1", "--set", "warmup=0",
                    "--fleet", lab.name, "--results", str(tmp_path))  # fmt: skip
    path = valid(lab, ran)
    record = run_record(path)
    cells = {row["layout"]: row for row in summary(path) if row["stage"] == "downsync"}
    assert {layout: (row["count"], row["missing"]) for layout, row in cells.items()} == {
        "one-to-one": (WECS, 0),
        "one-to-many": (WECS, 0),
    }
    clocks = record["clocks"]
    assert {clock["machine"]: bool(clock["rounds"]) for clock in clocks} == {"m1": True, "m2": True, "m3": True}
    with (path.parent / "resources.csv").open(encoding="utf-8", newline="") as file:
        weighed = {(row["machine"], row["program"]) for row in csv.DictReader(file)}
    assert {("m1", "transport.wds1"), ("m2", "dense.0"), ("m3", "dense.0"), ("m3", "status-agent")} <= weighed


def test_a_machine_cut_off_in_an_experiment_is_told_and_the_run_goes_on(lab: Machines, tmp_path: Path) -> None:
    command = [*RUN[:3], "--wecs", str(WECS), "--layout", "one-to-many", "--repeats", "3", "--set", "warmup=0",
               "--set", "timeouts.object=90s", "--set", "timeouts.clean=60s",
               "--fleet", lab.name, "--results", str(tmp_path)]  # fmt: skip
    with lab.start([str(BIN / "fleet"), *command]) as running:
        try:
            until_written(tmp_path, running, SENT)
            lab.fleet("lab", "cut", "m3").check()
            time.sleep(45)  # how long the machine is away, not a wait for anything: longer than TCP takes to notice
            lab.fleet("lab", "repair", "m3").check()
            out, err = running.communicate(timeout=600)
        finally:
            running.kill()
    assert running.returncode in (0, 4), f"{out}\n{err}"
    path = report_path(lab, out)
    record = run_record(path)
    assert record["status"] == "partial"
    assert f"wec00{WECS}" in json.dumps(record["reasons"])
    with (path.parent / "samples.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    flagged = {row["cluster"] for row in rows if "cluster-down" in row["flags"] or "gap" in row["flags"]}
    assert f"wec00{WECS}" in flagged
    assert not flagged & {"wec001", "wec002"}
    assert places(lab).keys() == {f"wec{number:03d}" for number in range(1, WECS + 1)}  # all are back


def test_tasks_per_machine_do_not_grow_with_wecs(lab: Machines) -> None:
    few = recap(lab.site().check())
    lab.site(wec_count=WECS + 3).check()
    many = recap(lab.site(wec_count=WECS + 3).check())
    assert {machine: counts["ok"] for machine, counts in many.items()} == {m: counts["ok"] for m, counts in few.items()}
    assert len(places(lab)) == WECS + 3


async def on_hub(lab: Machines) -> dict[str, set[str]]:
    """What the ITS has of WECs: ManagedClusters, their namespaces, requests, ManifestWorks; by the WEC's name."""
    async with hub(lab) as its:
        requests = await its.list_all(CSRS, label_selector=CLUSTER_LABEL)
        return {
            "clusters": {cluster["metadata"]["name"] for cluster in await its.list_all(MANAGED_CLUSTERS)},
            "namespaces": {
                space["metadata"]["name"]
                for space in await its.list_all(NAMESPACES)
                if space["metadata"]["name"].startswith("wec")
            },
            "requests": {request["metadata"]["labels"][CLUSTER_LABEL] for request in requests},
            "works": {work["metadata"]["namespace"] for work in await its.list_all(MANIFEST_WORKS)},
        }


def hub(lab: Machines) -> KubeClient:
    """The ITS, as the controller reaches it."""
    clusters = json.loads((lab.folder / "fleet.json").read_text(encoding="utf-8"))["clusters"]
    path = next(cluster["kubeconfig"] for cluster in clusters if cluster["name"] == "its1")
    return KubeClient.from_kubeconfig(path, cluster="its1", allowed=["10.78.0.11"])


async def give_work(lab: Machines, wec: str) -> None:
    """A ManifestWork that the WEC's agent has taken on, with OCM's finalizer: a lost machine cannot let it go."""
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "namespace": "default"}}
    work = {
        "apiVersion": MANIFEST_WORKS.api_version,
        "kind": MANIFEST_WORKS.kind,
        "metadata": {"name": "held", "namespace": wec},
        "spec": {"workload": {"manifests": [manifest]}},
    }
    async with hub(lab) as its:
        await its.create(MANIFEST_WORKS, work)

        async def applied() -> bool:
            found = await its.get(MANIFEST_WORKS, "held", wec)
            return bool(found["metadata"].get("finalizers")) and condition(found, "Applied")

        await until(applied, 60, lambda: f"the agent of {wec} did not take its work on")


def test_wecs_of_a_removed_machine_that_is_not_reached_but_runs_on_leave_the_hub(lab: Machines, tmp_path: Path) -> None:
    lab.site(wec_count=WECS).check()
    mine, lost = {f"wec00{number}" for number in range(1, 6)}, f"wec00{WECS}"
    assert {name for name, machine in places(lab).items() if machine == "m2"} == mine
    asyncio.run(give_work(lab, lost))
    assert asyncio.run(on_hub(lab))["works"] == {lost}
    lab.fleet("lab", "cut", "m3").check()
    try:
        fewer = inventory(lab, tmp_path / "fewer", "m3")
        lab.site(inventory=fewer, wec_count=5).check()
        assert lab.there("m3", "pgrep", "-f", "registration-operator")  # its agents still run
        found = asyncio.run(on_hub(lab))
        assert found.pop("requests") <= mine  # the controller manager forgets them by and by
        assert found == {"clusters": mine, "namespaces": mine, "works": set()}
        assert set(statuses(lab)) == {"its1", "wds1", *mine}
        assert changed(lab.site(inventory=fewer, wec_count=5).check()) == 0
    finally:
        lab.fleet("lab", "repair", "m3").check()
    lab.site(wec_count=WECS).check()  # it comes back, with what it had
    assert places(lab) == dict.fromkeys(mine, "m2") | {f"wec00{n}": "m3" for n in range(6, WECS + 1)}
    assert asyncio.run(on_hub(lab))["works"] == set()


def test_wecs_of_a_machine_that_is_gone_move_to_the_others(lab: Machines) -> None:
    lab.fleet("lab", "up", "--machines", "2").check()
    few = ("wec001", "wec002", "wec003", "wec004")
    lab.site(wec_count=len(few)).check()
    assert places(lab) == dict.fromkeys(few, "m2")
    assert set(statuses(lab)) == {"its1", "wds1", *few}
    assert changed(lab.site(wec_count=len(few)).check()) == 0


def test_teardown_leaves_nothing(lab: Machines, before: dict[str, object]) -> None:
    lab.playbook("playbooks/teardown.yml", "-i", "inventories/lab").check()
    assert not lab.folder.exists()
    for machine in ("m1", "m2"):
        own = lab.there(machine, "ps", "-u", "fleet", "-o", "args=").splitlines()
        assert [line for line in own if "sshd" not in line] == []
        assert lab.held(machine) <= {"ports.json", "ports.json.lock"}  # the registry of all fleets there, empty
    lab.fleet("lab", "down").check()
    assert not (lab.state / ".lab").exists()
    assert not lab.processes()
    assert traces() == before
