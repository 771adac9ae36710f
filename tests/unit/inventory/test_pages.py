"""Where each program serves metrics and profiles, read from how it was started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleet.host.layout import Layout
from fleet.host.pages import Pages, Started, by_flags
from fleet.inventory.components import readers
from fleet.managers.ocm import serving

SERVERS = {"its1": "https://127.0.0.1:16000", "wec001": "https://127.0.0.1:16100"}


class Doors:
    """The programs of one machine."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def of(self, component: str, place: str, argv: list[str]) -> Pages:
        """As `fleet.inventory.components` reads it."""
        return readers().get(component, by_flags)(Started(self.layout, SERVERS, place, argv))


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(Layout(tmp_path / "demo"))


def test_the_last_flag_wins() -> None:
    layout = Layout(Path("/demo"))
    assert Started(layout, {}, "", ["x", "--a=1", "--ab=3", "--a=2"]).flag("a") == "2"
    assert Started(layout, {}, "", ["x"]).flag("a") == ""


@pytest.mark.parametrize(
    ("component", "argv", "base"),
    [
        ("kube-apiserver", [], "https://127.0.0.1:16000"),
        ("kube-controller-manager", ["--secure-port=5"], "https://127.0.0.1:5"),
        ("kube-controller-manager", ["--secure-port=0"], ""),
        ("kube-scheduler", [], ""),
        ("registration", ["--listen=127.0.0.1:7", "--config=/c"], "https://127.0.0.1:7"),
        ("registration", ["--listen=127.0.0.1:7"], ""),
        ("placement", ["--listen=127.0.0.1:8", "--config=/c"], "https://127.0.0.1:8"),
        ("work-manager", ["--listen=127.0.0.1:9", "--config=/c"], "https://127.0.0.1:9"),
    ],
)
def test_servers_with_tls_are_asked_as_the_admin(doors: Doors, component: str, argv: list[str], base: str) -> None:
    door = doors.of(component, "its1", argv)
    assert (door.metrics, door.pprof) == ((f"{base}/metrics", f"{base}/debug/pprof") if base else ("", ""))
    assert (door.tls is not None) == bool(base)
    if door.tls is not None:
        assert door.tls.ca == str(doors.layout.pki / "ca.crt")
        assert door.tls.cert == str(doors.layout.cluster("its1") / "pki" / "admin.crt")


def test_etcd_is_asked_by_its_own_client_and_profiled_only_when_debugged(doors: Doors) -> None:
    argv = [
        "etcd", "--listen-client-urls=https://127.0.0.1:2,unix:///s", "--cert-file=/d/pki/etcd-server.crt",
        "--trusted-ca-file=/pki/etcd-ca.crt",
    ]  # fmt: skip
    door = doors.of("etcd", "its1", argv)
    assert (door.metrics, door.pprof) == ("https://127.0.0.1:2/metrics", "")
    assert door.tls is not None
    assert door.tls.model_dump() == {
        "ca": "/pki/etcd-ca.crt", "cert": "/d/pki/etcd-client.crt", "key": "/d/pki/etcd-client.key",
        "server_name": "",
    }  # fmt: skip
    assert doors.of("etcd", "its1", [*argv, "--enable-pprof"]).pprof == "https://127.0.0.1:2/debug/pprof"
    assert doors.of("etcd", "its1", ["etcd"]).metrics == ""


def test_a_dense_process_is_profiled_over_its_socket(doors: Doors) -> None:
    assert doors.of("dense", "0", []).metrics == ""
    instances = doors.layout.dense / "0" / "instances"
    instances.mkdir(parents=True)
    (instances / "wec001.json").touch()
    door = doors.of("dense", "0", [])
    assert door.metrics == "https://127.0.0.1:16100/metrics"
    assert door.pprof == f"unix:{doors.layout.run}/dense-0.sock:/debug/pprof"


def test_servers_without_tls(doors: Doors) -> None:
    door = doors.of("transport", "wds1", ["--metrics-bind-address=a:1", "--pprof-bind-address=a:2"])
    assert (door.metrics, door.pprof, door.tls) == ("http://a:1/metrics", "http://a:2/debug/pprof", None)
    assert doors.of("transport", "wds1", ["--metrics-bind-address=0", "--pprof-bind-address=0"]).metrics == ""
    assert doors.of("kwok", "wec001", ["--server-address="]).metrics == ""
    assert doors.of("kwok", "wec001", ["--server-address=a:3"]).pprof == "http://a:3/debug/pprof"
    assert not doors.of("kwok", "wec001", ["--server-address=a:3"]).cpu
    assert doors.of("status-agent", "", []).metrics == ""


def test_ocm_serves_with_a_certificate_of_the_fleet(doors: Doors) -> None:
    layout = doors.layout
    layout.root.mkdir(mode=0o700)
    assert serving.ensure(layout, "demo")
    assert not serving.ensure(layout, "demo")
    config, certificate = serving.files(layout)
    document = json.loads(config.read_text(encoding="utf-8"))
    assert document["kind"] == "GenericOperatorConfig"
    assert document["servingInfo"]["certFile"] == str(certificate)
    assert config.stat().st_mode & 0o777 == 0o600
