"""Virtual machines are planned, converge, refuse what cannot work, and leave nothing. QEMU is not run here."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.errors import HostError, UsageError
from fleet.lab.spec import SshFiles
from fleet.lab.system import FakeSystem
from fleet.vm import control, plan, seed
from fleet.vm.control import Host
from fleet.vm.image import ensure_image
from fleet.vm.spec import Image, Vm, Wanted, wanted_of
from tests.unit.golden import check_golden


def host(tmp_path: Path, system: FakeSystem | None = None, **more: Any) -> Host:
    fields = {"machine": "x86_64", "kvm": True, **more}
    return Host(system or FakeSystem(), tmp_path / "state", tmp_path / "cache", **fields)


def image(tmp_path: Path) -> Image:
    file = tmp_path / "image.qcow2"
    file.write_bytes(plan.QCOW2_MAGIC + b"rest")
    return Image(path=str(file))


def wanted(tmp_path: Path, **size: Any) -> Wanted:
    return wanted_of(image(tmp_path).model_dump(), size)


def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / ".vm"


def test_up_and_down_run_what_the_transcript_says(tmp_path: Path) -> None:
    system = FakeSystem()
    here = host(tmp_path, system)
    made = control.up(here, 2, wanted(tmp_path))
    text = "# up, 2 machines\n" + "\n".join(" ".join(argv) for argv in system.ran)
    system.ran.clear()
    assert control.down(here)
    text += "\n# down\n" + "".join(f"{' '.join(argv)}\n" for argv in system.ran)
    text = text.replace(str(tmp_path), "<tmp>")
    for vm in made:
        text = text.replace(f"127.0.0.1:{vm.port}-", f"127.0.0.1:<port of {vm.name}>-")
    check_golden("vm/transcript.txt", text)
    assert not system.living
    assert not folder(tmp_path).exists()
    assert not control.down(here)


def test_keys_are_private_and_host_keys_known_before_the_machine_is(tmp_path: Path) -> None:
    (vm,) = control.up(host(tmp_path), 1, wanted(tmp_path))
    files = SshFiles(folder(tmp_path))
    assert files.known_hosts.read_text(encoding="ascii") == f"[127.0.0.1]:{vm.port} ssh-ed25519 AAAAvm1\n"
    for path in (vm.seed, vm.folder / "seed" / "user-data", files.inventory):
        assert path.stat().st_mode & 0o077 == 0
    assert folder(tmp_path).stat().st_mode & 0o077 == 0


def test_up_again_starts_only_what_is_not_as_it_should_be(tmp_path: Path) -> None:
    system = FakeSystem()
    here = host(tmp_path, system)
    control.up(here, 2, wanted(tmp_path))
    for name in ("vm1", "vm2"):
        (folder(tmp_path) / name / "disk.qcow2").touch()
    system.ran.clear()
    made = control.up(here, 2, wanted(tmp_path))
    assert system.ran == []

    system.kill(1001)  # vm2 ends by itself: it comes back with its disk, its key and its port
    assert control.up(here, 2, wanted(tmp_path)) == made
    assert [argv[0] for argv in system.ran] == ["genisoimage", "qemu-system-x86_64"]
    system.ran.clear()

    control.up(here, 2, wanted(tmp_path, cpus=4))  # another size keeps the disks
    assert [argv[0] for argv in system.ran] == ["genisoimage", "qemu-system-x86_64"] * 2
    system.ran.clear()

    other = tmp_path / "other.raw"
    other.write_bytes(b"\0" * 8)
    control.up(here, 1, wanted_of({"path": str(other)}, {"cpus": 4}))  # another image is another machine
    assert [argv[0] for argv in system.ran] == ["genisoimage", "qemu-img", "qemu-system-x86_64"]
    assert "raw" in system.ran[1]
    assert not (folder(tmp_path) / "vm2").exists()
    assert len(system.living) == 1


def test_refusals_change_nothing(tmp_path: Path) -> None:
    for system, match in (
        (FakeSystem(lacking=["qemu-system-x86_64", "qemu-img"]), "qemu-system-x86 qemu-utils"),
        (FakeSystem(lacking=["genisoimage", "xorriso", "mkisofs"]), "genisoimage"),
    ):
        with pytest.raises(UsageError, match=match):
            control.up(host(tmp_path, system), 1, wanted(tmp_path))
        assert system.ran == []
    with pytest.raises(UsageError, match="--machines: 0"):
        control.up(host(tmp_path), 0, wanted(tmp_path))
    with pytest.raises(UsageError, match="and this is riscv64"):
        control.up(host(tmp_path, machine="riscv64"), 1, wanted(tmp_path))
    with pytest.raises(UsageError, match="is not there"):
        control.up(host(tmp_path), 1, wanted_of({"path": str(tmp_path / "nothing")}, {}))
    assert not folder(tmp_path).exists()


def test_without_genisoimage_xorriso_makes_the_seed(tmp_path: Path) -> None:
    system = FakeSystem(lacking=["genisoimage"])
    control.up(host(tmp_path, system), 1, wanted(tmp_path))
    assert any(argv[:3] == ("xorriso", "-as", "mkisofs") for argv in system.ran)


@pytest.mark.parametrize(
    ("given_image", "size", "said"),
    [
        ({}, {}, "image: give either path or url"),
        ({"path": "/i", "url": "https://x/i"}, {}, "image: give either path or url"),
        ({"url": "https://x/i"}, {}, "image: sha256: is needed with url"),
        ({"url": "http://x/i", "sha256": "0" * 64}, {}, "image.url: 'http://x/i' is no https URL"),
        ({"path": "/i", "sha256": "12"}, {}, "image.sha256: '12' is not a SHA-256"),
        ({"path": "i"}, {}, "image.path: 'i' is not absolute"),
        ({"path": "/a,b"}, {}, "image.path: '/a,b' holds a comma"),
        ({"path": "/i", "kernel": "/k"}, {}, "image: give both kernel and initrd"),
        ({"path": "/i"}, {"cpus": 0}, "size.cpus: should be greater than or equal to 1"),
        ({"path": "/i"}, {"memory": 1}, "size.memory: unknown field; did you mean `memory_mib`?"),
    ],
)
def test_what_no_machine_can_be_is_refused_with_field_and_mend(
    given_image: dict[str, Any], size: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        wanted_of(given_image, size)
    assert str(refused.value).startswith(said)


def test_an_image_is_fetched_once_and_only_believed_by_its_checksum(tmp_path: Path) -> None:
    content, asked = plan.QCOW2_MAGIC + b"image", []

    def fetch(url: str) -> BinaryIO:
        asked.append(url)
        return io.BytesIO(content)

    def refuse(_: str) -> BinaryIO:
        raise OSError("no route")

    good = Image(url="https://x/i", sha256=hashlib.sha256(content).hexdigest())
    told: list[str] = []
    for _ in range(2):
        file, kind = ensure_image(good, tmp_path, fetch=fetch, tell=told.append)
        assert (file.read_bytes(), kind) == (content, "qcow2")
    assert (asked, told) == (["https://x/i"], ["fetching https://x/i"])
    with pytest.raises(UsageError, match="it is another file"):
        ensure_image(Image(url="https://x/i", sha256="0" * 64), tmp_path, fetch=fetch, tell=told.append)
    with pytest.raises(HostError, match=r"cannot be fetched \(no route\)"):
        ensure_image(Image(url="https://x/i", sha256="1" * 64), tmp_path, fetch=refuse, tell=told.append)
    assert [path.name for path in (tmp_path / "images").iterdir()] == [good.sha256]
    with pytest.raises(UsageError, match="it is another file"):
        ensure_image(Image(path=str(file), sha256="0" * 64), tmp_path, tell=told.append)


@settings(deadline=None)
@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Z"]), max_size=40), st.booleans())
def test_a_seed_is_what_cloud_init_reads(comment: str, outside: bool) -> None:
    vm = Vm(3, Path("/vms"), 20_000)
    text = seed.user_data(vm, authorized=f"ssh-ed25519 AAAA {comment}", host_private="-----\nkey\n", host_public="pub")
    assert text.startswith("#cloud-config\n")
    document = yaml.safe_load(text)
    assert document["users"][0]["ssh_authorized_keys"] == [f"ssh-ed25519 AAAA {comment}"]
    assert document["ssh_keys"]["ed25519_private"] == "-----\nkey\n"
    assert "passwd" not in text.replace("lock_passwd", "")
    network = yaml.safe_load(seed.network_config(vm, outside=outside))["ethernets"]["eth0"]
    assert network["match"]["macaddress"] == vm.mac
    assert ("routes" in network) is outside
    assert (
        yaml.safe_load(seed.meta_data(vm, "a"))["instance-id"] != yaml.safe_load(seed.meta_data(vm, "b"))["instance-id"]
    )


class Breaking(FakeSystem):
    """A host whose KVM opens and does not work: QEMU ends at once."""

    def spawn(self, argv: Sequence[str], log: Path) -> tuple[int, float]:
        pid, began = super().spawn(argv, log)
        if "kvm" in argv:
            log.write_text("failed to set MSR\n", encoding="ascii")
            self.kill(pid)
        return pid, began


def test_a_machine_is_emulated_where_kvm_opens_and_does_not_work(tmp_path: Path) -> None:
    told: list[str] = []
    here = host(tmp_path, Breaking(), tell=told.append)
    control.up(here, 1, wanted(tmp_path))
    assert told == ["vm1: QEMU ended with KVM (failed to set MSR): emulated instead"]
    assert [state.accelerator for state in control.status(here)] == ["tcg"]
    with pytest.raises(HostError, match="QEMU ended: failed to set MSR"):
        control.up(here, 1, wanted(tmp_path, accelerator="kvm"))
    with pytest.raises(UsageError, match="/dev/kvm is not there or not for you"):
        control.up(host(tmp_path, kvm=False), 1, wanted(tmp_path, accelerator="kvm"))
    control.down(here)


def test_without_kvm_and_with_a_kernel(tmp_path: Path) -> None:
    boot = {"kernel": "/k", "initrd": "/i", "root": "/dev/vda"}
    asked = wanted_of({**image(tmp_path).model_dump(), **boot}, {"outside": True})
    argv = plan.qemu(Vm(1, Path("/vms"), 20_000), asked, plan.ARCHITECTURES["x86_64"], kvm=False)
    assert [argv[n + 1] for n, word in enumerate(argv) if word == "-accel"] == ["tcg,thread=multi"]
    assert argv[-6:] == ("-kernel", "/k", "-initrd", "/i", "-append", "root=/dev/vda rw console=ttyS0 ds=nocloud")
    assert "user,id=net,restrict=off,hostfwd=tcp:127.0.0.1:20000-:22" in argv
    arm = plan.qemu(Vm(1, Path("/vms"), 20_000), wanted(tmp_path), plan.ARCHITECTURES["aarch64"], kvm=True)
    assert arm[-2:] == ("-bios", str(plan.UEFI_ARM))
