"""Identities on the hub: narrow rights, short lives, and the same notion of `the same hub` as OCM's agent."""

from __future__ import annotations

import base64
import datetime
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from fleet.host.authority import Authority
from fleet.host.files import write_private
from fleet.host.layout import Layout
from fleet.managers.kubestellar.names import STATUS_IDENTITY
from fleet.managers.kubestellar.status_config import status_agent_objects
from fleet.managers.ocm import names
from fleet.managers.ocm.access import LinkedAccess, OwnAccess
from fleet.managers.ocm.credentials import MOVED, ORPHANED, Credentials
from fleet.managers.ocm.identities import (
    HubEndpoint,
    bootstrap_kubeconfig,
    bootstrap_objects,
    client_certificate,
    embedded,
    identity_kubeconfig,
    same_hub,
    server_of,
)
from fleet.managers.ocm.programs import AgentFiles


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.ensure(tmp_path / "pki", "ca", common_name="demo-ca")


@pytest.fixture
def endpoint(authority: Authority) -> HubEndpoint:
    return HubEndpoint("https://127.0.0.1:16000", authority.cert_file, "its1-0badcafe")


def test_the_bootstrap_identity_lives_for_hours_and_is_nobody_else(
    tmp_path: Path, authority: Authority, endpoint: HubEndpoint
) -> None:
    certificate = client_certificate(bootstrap_kubeconfig(authority, tmp_path / "hub", endpoint))
    assert certificate is not None
    left = certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(hours=5) < left <= datetime.timedelta(hours=6)
    assert certificate.subject.rfc4514_string() == "CN=fleet:ocm-bootstrap,O=fleet:ocm-bootstrap"


def test_the_status_agent_is_somebody_else(tmp_path: Path, authority: Authority, endpoint: HubEndpoint) -> None:
    certificate = client_certificate(identity_kubeconfig(authority, tmp_path / "hub", STATUS_IDENTITY, endpoint))
    assert certificate is not None
    assert certificate.subject.rfc4514_string() == "CN=fleet:status-agent,O=fleet:status-agents"


def test_rights_are_those_of_the_handshake_and_no_more() -> None:
    (_, role), (_, binding) = bootstrap_objects()
    assert [(rule["resources"], sorted(rule["verbs"])) for rule in role["rules"]] == [
        (["certificatesigningrequests"], ["create", "get", "list", "watch"]),
        (["managedclusters"], ["create", "get", "list", "watch"]),
    ]
    assert binding["subjects"] == [
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": names.BOOTSTRAP_GROUP}
    ]


def test_a_status_agent_cannot_write_works() -> None:
    (_, role), _ = status_agent_objects()
    works = [rule for rule in role["rules"] if "manifestworks" in rule["resources"]]
    assert [rule["verbs"] for rule in works] == [["get", "list", "watch"]]


def test_the_same_hub_is_server_authority_and_name(tmp_path: Path, authority: Authority, endpoint: HubEndpoint) -> None:
    kubeconfig = bootstrap_kubeconfig(authority, tmp_path / "hub", endpoint)
    other = Authority.ensure(tmp_path / "other", "ca", common_name="other-ca")
    assert same_hub(kubeconfig, endpoint)
    assert not same_hub(kubeconfig, replace(endpoint, server="https://127.0.0.1:16001"))
    assert not same_hub(kubeconfig, replace(endpoint, context="its1-00000000"))
    assert not same_hub(kubeconfig, replace(endpoint, ca=other.cert_file))
    assert not same_hub(b"half a kubec", endpoint)


def test_a_kubeconfig_for_a_secret_names_no_file(tmp_path: Path) -> None:
    for name in ("ca.crt", "me.crt", "me.key"):
        write_private(tmp_path / name, name.encode())
    document = {
        "clusters": [{"name": "c", "cluster": {"server": "https://x", "certificate-authority": "ca.crt"}}],
        "users": [{"name": "u", "user": {"client-certificate": "me.crt", "client-key": str(tmp_path / "me.key")}}],
    }
    write_private(tmp_path / "kubeconfig", yaml.safe_dump(document).encode())
    made = yaml.safe_load(embedded(tmp_path / "kubeconfig"))
    assert made["clusters"][0]["cluster"].keys() == {"server", "certificate-authority-data"}
    assert base64.b64decode(made["users"][0]["user"]["client-key-data"]) == b"me.key"
    assert "client-certificate" not in made["users"][0]["user"]


def credentials(tmp_path: Path, endpoint: HubEndpoint) -> Credentials:
    layout = Layout(tmp_path)
    for wec in ("wec001", "wec002"):
        AgentFiles.of(layout, wec).hub_directory.mkdir(parents=True, mode=0o700)
    return Credentials(layout, OwnAccess(layout, "demo", endpoint), "its1")


def test_bootstrap_files_are_written_once_and_again_for_another_hub(tmp_path: Path, endpoint: HubEndpoint) -> None:
    made = credentials(tmp_path, endpoint)
    wecs = ["wec001", "wec002"]
    assert made.write_bootstrap(wecs, wecs) == wecs
    assert made.write_bootstrap(wecs, wecs) == []
    other = OwnAccess(made.layout, "demo", replace(endpoint, context="its1-00000000"))
    made = Credentials(made.layout, other, "its1")
    assert made.write_bootstrap(wecs, []) == wecs


def test_a_damaged_bootstrap_file_is_written_again(tmp_path: Path, endpoint: HubEndpoint) -> None:
    made = credentials(tmp_path, endpoint)
    made.write_bootstrap(["wec001"], [])
    write_private(AgentFiles.of(made.layout, "wec001").bootstrap, b"half")
    assert made.write_bootstrap(["wec001"], []) == ["wec001"]


async def test_credentials_that_are_of_no_use(tmp_path: Path, endpoint: HubEndpoint) -> None:
    made = credentials(tmp_path, endpoint)
    assert await made.faults(["wec001"], clusters=[]) == {}
    assert await made.faults(["wec001"], clusters=["wec001"], live=["ocm-agent.wec001"]) == {"wec001": "missing"}
    write_private(AgentFiles.of(made.layout, "wec001").hub_kubeconfig, b"half")
    assert await made.faults(["wec001"], clusters=["wec002"]) == {"wec001": ORPHANED}
    faults = await made.faults(["wec001"], clusters=["wec001"])
    assert faults["wec001"].startswith("damaged: ")


async def test_agents_that_get_a_link_begin_anew_and_dial_it(tmp_path: Path, endpoint: HubEndpoint) -> None:
    made = credentials(tmp_path, endpoint)
    made.write_bootstrap(["wec001"], ["wec001"])
    # The agent's own credential names the same server as the file that it began with.
    files = AgentFiles.of(made.layout, "wec001")
    write_private(files.hub_kubeconfig, files.bootstrap.read_bytes())

    linked = Credentials(made.layout, LinkedAccess(made.access, "https://127.0.0.1:1"), "its1")
    assert await linked.faults(["wec001"], clusters=["wec001"]) == {"wec001": MOVED}
    assert linked.write_bootstrap(["wec001"], ["wec001"]) == ["wec001"]
    assert linked.write_bootstrap(["wec001"], ["wec001"]) == []
    for document in (files.bootstrap.read_bytes(), linked.access.credential(STATUS_IDENTITY)):
        assert server_of(document) == "https://127.0.0.1:1"
        assert same_hub(document, linked.endpoint)
        assert client_certificate(document) is not None
    assert linked.access.credential(STATUS_IDENTITY) == linked.access.credential(STATUS_IDENTITY)
    assert server_of(b"half") == ""
