"""Certificates: issued once, renewed in time, reissued when they say something else."""

from __future__ import annotations

import datetime
import ssl
import subprocess
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from fleet.errors import HostError
from fleet.host import authority as module
from fleet.host.authority import Authority, Pair, Subject
from fleet.host.pki import FleetPki, write_kubeconfig


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return Authority.ensure(tmp_path / "pki", common_name="demo-ca")


def test_everything_is_private(tmp_path: Path) -> None:
    FleetPki.ensure(tmp_path / "pki", "demo")
    assert (tmp_path / "pki").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "pki").iterdir()} == {0o600}


def test_a_second_run_changes_nothing_and_a_wrong_mode_is_repaired(tmp_path: Path) -> None:
    assert FleetPki.ensure(tmp_path, "demo").changed
    assert not FleetPki.ensure(tmp_path, "demo").changed
    (tmp_path / "ca.key").chmod(0o644)
    (tmp_path / "ca.crt").chmod(0o644)
    assert FleetPki.ensure(tmp_path, "demo").changed
    assert (tmp_path / "ca.key").stat().st_mode & 0o777 == 0o600


def test_the_hub_trusts_what_its_controller_manager_signs(tmp_path: Path) -> None:
    pki = FleetPki.ensure(tmp_path, "demo")
    certificates = x509.load_pem_x509_certificates(pki.hub_client_ca.read_bytes())
    assert [c.subject.rfc4514_string() for c in certificates] == ["CN=demo-ca", "CN=demo-hub-signer"]


def test_service_account_keys_are_of_the_form_that_kube_apiserver_reads(tmp_path: Path) -> None:
    pki = FleetPki.ensure(tmp_path, "demo")
    assert pki.service_account.key.read_text().startswith("-----BEGIN EC PRIVATE KEY-----")
    assert pki.service_account.cert.read_text().startswith("-----BEGIN PUBLIC KEY-----")


def test_a_client_certificate_carries_user_and_groups(ca: Authority, tmp_path: Path) -> None:
    pair = ca.client(tmp_path, "admin", "fleet-admin", ["system:masters"])
    cert = x509.load_pem_x509_certificate(pair.cert.read_bytes())
    assert cert.subject.rfc4514_string() == "CN=fleet-admin,O=system:masters"
    assert pair.changed
    assert not ca.client(tmp_path, "admin", "fleet-admin", ["system:masters"]).changed


@pytest.mark.parametrize(
    "other",
    [
        Subject("someone", ("a",), ("127.0.0.1", "localhost")),
        Subject("server", ("b",), ("127.0.0.1", "localhost")),
        Subject("server", ("a",), ("127.0.0.1",)),
        Subject("server", ("a",), ("127.0.0.1", "localhost"), client=False),
    ],
)
def test_a_certificate_that_says_something_else_is_reissued(ca: Authority, tmp_path: Path, other: Subject) -> None:
    pair = ca.issue(tmp_path, "server", Subject("server", ("a",), ("127.0.0.1", "localhost")))
    assert ca.due(pair, other)
    assert ca.issue(tmp_path, "server", other).changed
    assert not ca.due(pair, other)


def test_a_certificate_of_another_authority_is_reissued(ca: Authority, tmp_path: Path) -> None:
    other = Authority.ensure(tmp_path / "other", common_name="demo-ca")
    other.client(tmp_path, "admin", "admin")
    assert ca.client(tmp_path, "admin", "admin").changed


def test_renewed_when_less_than_a_third_of_its_life_is_left(
    ca: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = ca.client(tmp_path, "admin", "admin")
    end = x509.load_pem_x509_certificate(pair.cert.read_bytes()).not_valid_after_utc
    begin = x509.load_pem_x509_certificate(pair.cert.read_bytes()).not_valid_before_utc
    third = (end - begin) / 3

    def at(moment: datetime.datetime) -> bool:
        monkeypatch.setattr(module, "_now", lambda: moment)
        return ca.due(pair, Subject("admin"))

    assert not at(end - third - datetime.timedelta(seconds=2))
    assert at(end - third + datetime.timedelta(seconds=2))


def test_a_renewed_authority_keeps_its_key_so_that_what_it_signed_stays_valid(
    ca: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = ca.client(tmp_path, "admin", "admin")
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=module.DAYS - 1)
    monkeypatch.setattr(module, "_now", lambda: moment)
    renewed = Authority.ensure(ca.cert_file.parent, common_name="demo-ca")
    assert renewed.changed
    x509.load_pem_x509_certificate(pair.cert.read_bytes()).verify_directly_issued_by(
        x509.load_pem_x509_certificate(renewed.cert_file.read_bytes())
    )


def test_a_damaged_key_is_replaced_with_its_certificate(ca: Authority, tmp_path: Path) -> None:
    pair = ca.client(tmp_path, "admin", "admin")
    pair.key.write_text("garbage")
    again = ca.client(tmp_path, "admin", "admin")
    assert again.changed
    ssl.create_default_context().load_cert_chain(again.cert, again.key)


def test_an_rsa_key_is_refused(ca: Authority, tmp_path: Path) -> None:
    subprocess.run(["openssl", "genrsa", "-out", str(tmp_path / "admin.key"), "2048"], check=True, capture_output=True)
    with pytest.raises(HostError, match=r"admin\.key is not an elliptic curve key"):
        ca.client(tmp_path, "admin", "admin")


def test_load_without_authorities_is_none_and_writes_nothing(tmp_path: Path) -> None:
    assert FleetPki.load(tmp_path / "pki") is None
    assert list(tmp_path.iterdir()) == []


def test_a_kubeconfig_is_whole_private_and_stable(ca: Authority, tmp_path: Path) -> None:
    pair = ca.client(tmp_path, "admin", "fleet-admin", ["system:masters"])
    path = tmp_path / "kubeconfig"
    assert write_kubeconfig(path, "https://127.0.0.1:16000", ca.cert_file, pair.cert, pair.key, "fleet-demo-its1")
    assert not write_kubeconfig(path, "https://127.0.0.1:16000", ca.cert_file, pair.cert, pair.key, "fleet-demo-its1")
    document = yaml.safe_load(path.read_text())
    assert document["current-context"] == "fleet-demo-its1"
    assert set(document["clusters"][0]["cluster"]) == {"server", "certificate-authority-data"}
    assert path.stat().st_mode & 0o777 == 0o600


def test_due_without_files(ca: Authority, tmp_path: Path) -> None:
    assert ca.due(Pair(tmp_path / "x.crt", tmp_path / "x.key"), Subject("x"))
