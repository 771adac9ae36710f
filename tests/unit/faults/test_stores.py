"""Exchanging an etcd's data, throttling it, and giving a certificate another end, on this machine's own files."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest
from cryptography import x509

from fleet.errors import HostError
from fleet.faults import stores
from fleet.faults.certificate import reissued
from fleet.faults.crd import _bare, _resource
from fleet.faults.disk_slow import DiskSlow
from fleet.faults.fault import Aim
from fleet.faults.webhook import configuration
from fleet.host.authority import Authority, Subject


def test_data_is_exchanged_and_an_exchange_that_was_cut_off_is_finished_or_undone(tmp_path: Path) -> None:
    data, backup = tmp_path / "etcd", tmp_path / "backup"
    for folder, text in ((data, "new"), (backup, "old")):
        folder.mkdir()
        (folder / "db").write_text(text, encoding="ascii")
    stores.copy(data, tmp_path / "copy")
    stores.exchange(data, backup)
    assert (data / "db").read_text(encoding="ascii") == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "etcd"]
    data.rename(tmp_path / "etcd.old")  # killed between the two renames
    stores.recover(data)
    assert (data / "db").read_text(encoding="ascii") == "old"
    stores.copy(data, tmp_path / "etcd.old")  # killed before the old one was removed
    stores.recover(data)
    assert not (tmp_path / "etcd.old").exists()


def test_what_the_system_refuses_is_said(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="cp -a --sparse=always: "):
        stores.copy(tmp_path / "nothing", tmp_path / "x")
    with pytest.raises(HostError, match="no-such-program-here"):
        stores.run("no-such-program-here")


def aim(action: str, **settings: object) -> Aim:
    return Aim(
        key=f"000-{action}", action=action, target="etcd.its1", parts=["etcd.its1"], planes=["its1"], fleet="demo",
        machine="local", settings=settings, facts={"store": "its1"}, programs=["etcd.its1"], repair="x",
    )  # fmt: skip


@pytest.mark.skipif(os.geteuid() != 0, reason="the question after root comes first")
def test_a_kernel_that_cannot_throttle_is_named(tmp_path: Path) -> None:
    (tmp_path / "clusters" / "its1" / "etcd").mkdir(parents=True)
    assert "the kernel cannot throttle a device here" in DiskSlow(tmp_path / "none").refuse(aim("disk-slow"), tmp_path)


def test_without_root_disks_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert DiskSlow(tmp_path).refuse(aim("disk-slow"), tmp_path) == "a control group needs root"


def test_a_certificate_is_the_same_but_for_its_end(tmp_path: Path) -> None:
    authority = Authority.ensure(tmp_path, "ca")
    pair = authority.issue(tmp_path, "agent", Subject("agent-1", ("agents",)))
    old = x509.load_pem_x509_certificate(pair.cert.read_bytes())
    pem = reissued(pair.cert.read_bytes(), tmp_path / "ca", datetime.timedelta(seconds=30))
    new = x509.load_pem_x509_certificate(pem)
    new.verify_directly_issued_by(x509.load_pem_x509_certificate((tmp_path / "ca.crt").read_bytes()))
    assert (new.subject, new.public_key()) == (old.subject, old.public_key())
    assert [extension.value for extension in new.extensions] == [extension.value for extension in old.extensions]
    left = new.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(seconds=0) < left <= datetime.timedelta(seconds=30)


def test_a_webhook_is_for_the_runs_objects_unless_everything_is_wanted() -> None:
    (hook,) = configuration(aim("webhook"), 9, b"ca")["webhooks"]
    assert hook["objectSelector"]["matchExpressions"] == [{"key": "fleet-testbed/run", "operator": "Exists"}]
    assert (hook["failurePolicy"], hook["timeoutSeconds"]) == ("Fail", 10)
    (hook,) = configuration(aim("webhook", everything=True, timeout_seconds=3), 9, b"ca")["webhooks"]
    assert (hook["objectSelector"], hook["timeoutSeconds"]) == ({}, 3)


def test_an_object_is_restored_without_what_a_server_gave_it() -> None:
    crd = {
        "metadata": {"name": "xs.y", "uid": "u", "resourceVersion": "1", "labels": {"a": "b"}},
        "spec": {"group": "y", "scope": "Namespaced", "names": {"plural": "xs", "kind": "X"},
                 "versions": [{"name": "v1", "storage": False}, {"name": "v2", "storage": True}]},
        "status": {},
    }  # fmt: skip
    assert _bare(crd)["metadata"] == {"name": "xs.y", "labels": {"a": "b"}}
    assert "status" not in _bare(crd)
    resource = _resource(crd)
    assert (str(resource), resource.version, resource.namespaced) == ("xs.y", "v2", True)
