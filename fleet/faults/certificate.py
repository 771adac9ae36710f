"""The fault `expire-certificate`: the certificate by which an agent is known to the hub ends in the middle of a run.

The same certificate (subject, key, uses) is signed again with an end that is near, put wherever the agent has the old
one (its files, and Secrets of its WEC), and the agent restarted. Whether it gets a new one in time is the agent's own
matter. Afterwards the old one is put back where the short one still is.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fleet.errors import HostError, UsageError
from fleet.faults.back import bring_back
from fleet.faults.fault import Aim, Chosen, Plain
from fleet.faults.notes import kept
from fleet.faults.targets import find, of_programs
from fleet.host.files import private_directory, write_private
from fleet.host.layout import Layout
from fleet.host.supervise import Supervisor
from fleet.install import dial
from fleet.kube.resources import SECRETS
from fleet.model.base import Model
from fleet.model.duration import Duration
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile

AUTHORITIES = ("hub-signer", "ca")
FIELD = "tls.crt"


class ExpirySettings(Model):
    """Of `expire-certificate`."""

    after: Duration = 1.0
    """From the fault's begin to the certificate's end."""


class ExpireCertificate(Plain):
    """See `Fault`."""

    name = "expire-certificate"
    settings = ExpirySettings

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:
        """See `Fault`."""
        program = find(wanted, fleet, chosen).program
        if program is None or not program.cluster or program.component in ("etcd", "kube-apiserver"):
            raise UsageError(f"{wanted.target} is no agent of a WEC: name its program, as `fleet status` shows it")
        (aim,) = of_programs(wanted, [program], fleet)
        places = [word.partition("=")[2] for word in program.argv if word.startswith("--") and "=/" in word]
        return [aim.model_copy(update={"facts": {"wec": program.cluster, "places": places}})]

    def refuse(self, aim: Aim, root: Path) -> str:
        """See `Fault`."""
        try:
            _issuer(root, _current(aim, root))
        except HostError as error:
            return str(error)
        return ""

    def inject(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        old = _current(aim, root)
        after = ExpirySettings.model_validate(aim.settings).after
        short = reissued(old, _issuer(root, old), datetime.timedelta(seconds=after))
        private_directory(kept(root, aim))
        write_private(kept(root, aim) / "old.crt", old)
        write_private(kept(root, aim) / "short.crt", short)
        self._exchange(aim, root, old, short)

    def heal(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        old, short = kept(root, aim) / "old.crt", kept(root, aim) / "short.crt"
        if short.exists():
            self._exchange(aim, root, short.read_bytes(), old.read_bytes())
        bring_back(Supervisor(root), aim.parts)

    @staticmethod
    def _exchange(aim: Aim, root: Path, old: bytes, new: bytes) -> None:
        """The Secrets first: an agent writes its files from them when it starts."""
        supervisor = Supervisor(root)
        for name in aim.parts:
            supervisor.stop(name)
        try:
            asyncio.run(_secrets(root, aim.facts["wec"], old, new))
            for file in _files(aim, root):
                text = file.read_bytes()
                changed = text.replace(old, new).replace(base64.b64encode(old), base64.b64encode(new))
                if changed != text:
                    write_private(file, changed)
        finally:
            for name in aim.parts:
                supervisor.start(name)


async def _secrets(root: Path, wec: str, old: bytes, new: bytes) -> None:
    encoded = base64.b64encode(old).decode()
    async with dial.client(Layout(root), wec) as client:
        for secret in await client.list_all(SECRETS):
            fields = [name for name, value in (secret.get("data") or {}).items() if value == encoded]
            if fields:
                patch = {"data": dict.fromkeys(fields, base64.b64encode(new).decode())}
                metadata = secret["metadata"]
                await client.patch(SECRETS, metadata["name"], patch, metadata["namespace"])


def _files(aim: Aim, root: Path) -> list[Path]:
    """Files that the agent's command line names, and those in folders that it names; none outside of the fleet."""
    found: list[Path] = []
    for place in (Path(word) for word in aim.facts["places"]):
        if not place.is_relative_to(root) or not place.exists():
            continue
        found += [path for path in place.iterdir() if path.is_file()] if place.is_dir() else [place]
    return found


def _current(aim: Aim, root: Path) -> bytes:
    """The agent's client certificate, PEM: a file `tls.crt`, or what a kubeconfig holds."""
    files = _files(aim, root)
    for file in files:
        if file.name == FIELD:
            return file.read_bytes()
    for file in files:
        if file.suffix in ("", ".kubeconfig", ".yaml"):
            document = yaml.safe_load(file.read_bytes())
            users = document.get("users", ()) if isinstance(document, dict) else ()
            for user in users:
                if data := (user.get("user") or {}).get("client-certificate-data"):
                    return base64.b64decode(data)
    raise HostError(f"{', '.join(aim.parts)} has no client certificate in {', '.join(aim.facts['places'])}")


def _issuer(root: Path, pem: bytes) -> Path:
    """The authority's files without their suffix. HostError when its key is not on this machine."""
    certificate = x509.load_pem_x509_certificate(pem)
    for name in AUTHORITIES:
        file = root / "pki" / f"{name}.crt"
        if file.exists() and (root / "pki" / f"{name}.key").exists():
            try:
                certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(file.read_bytes()))
            except (ValueError, TypeError, InvalidSignature):
                continue
            return file.with_suffix("")
    raise HostError(
        "the key of the authority that signed the agent's certificate is not on this machine but on the hub's"
    )


def reissued(pem: bytes, issuer: Path, life: datetime.timedelta) -> bytes:
    """The same certificate with an end that near, signed by the authority `<issuer>.crt`, `<issuer>.key`."""
    old = x509.load_pem_x509_certificate(pem)
    key = serialization.load_pem_private_key(issuer.with_suffix(".key").read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise HostError(f"{issuer}.key is no key of this testbed")
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.issuer)
        .public_key(old.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(old.not_valid_before_utc)
        .not_valid_after(datetime.datetime.now(datetime.UTC) + life)
    )
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
