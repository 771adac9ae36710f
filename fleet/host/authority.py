"""Certificates of one fleet: authorities, client and server certificates, service account keys; renewed."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fleet.errors import HostError
from fleet.host.files import FILE_MODE, mode_of, private_directory, write_private

DAYS = 30
"""A fleet lives for hours or days; its authority dies with it."""
RENEW_BELOW = 1 / 3
"""Renewed by the next convergence when less than this part of its life is left."""
BACKDATE = datetime.timedelta(minutes=5)
"""For machines whose clocks differ a little."""


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as files of mode 0600; `changed` says whether they were (re)issued just
    now."""

    cert: Path
    key: Path
    changed: bool = False


@dataclass(frozen=True)
class Subject:
    """What a certificate must say; it is reissued when the one on disk says something else."""

    common_name: str
    organizations: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Subject alternative names: DNS names and IP addresses; a certificate with any can serve."""
    client: bool = True
    days: float = DAYS
    """Its life; a credential for one task is valid for hours."""


class Authority:
    """A certificate authority in a folder: `<name>.crt`, `<name>.key`."""

    def __init__(self, pair: Pair) -> None:
        self.cert_file = pair.cert
        self.key_file = pair.key
        self.changed = pair.changed
        self._cert = x509.load_pem_x509_certificate(pair.cert.read_bytes())
        self._key = _load_key(pair.key)

    @classmethod
    def ensure(cls, directory: Path, name: str = "ca", *, common_name: str = "fleet-ca", days: int = DAYS) -> Authority:
        """Load the authority, or make it; renewed with the same key when its time runs out, so that what
        it signed stays valid."""
        private_directory(directory)
        pair = Pair(directory / f"{name}.crt", directory / f"{name}.key")
        now = _now()
        key, new_key = _ensure_key(pair.key)
        cert = _load_cert(pair.cert)
        if cert is None or new_key or _due(cert, now) or cert.public_key() != key.public_key():
            write_private(pair.cert, _pem(_self_signed(key, common_name, now, days)))
            return cls(Pair(pair.cert, pair.key, changed=True))
        repaired = _repair_mode(pair.cert)
        return cls(Pair(pair.cert, pair.key, changed=repaired))

    def client(self, directory: Path, name: str, common_name: str, organizations: Sequence[str] = ()) -> Pair:
        """A client certificate `<directory>/<name>.crt`; `organizations` are Kubernetes groups."""
        return self.issue(directory, name, Subject(common_name, tuple(organizations)))

    def server(
        self, directory: Path, name: str, common_name: str, names: Iterable[str], *, client: bool = False
    ) -> Pair:
        """A server certificate for DNS names and addresses; with `client` it may also dial (etcd's gateway
        dials itself)."""
        return self.issue(directory, name, Subject(common_name, (), tuple(names), client))

    def issue(self, directory: Path, name: str, subject: Subject) -> Pair:
        """The certificate as it is, or a new one when it is missing, due, not of this authority, or says
        something else."""
        private_directory(directory)
        pair = Pair(directory / f"{name}.crt", directory / f"{name}.key")
        key, new_key = _ensure_key(pair.key)
        if not new_key and not self._stale(pair, key, subject):
            return Pair(pair.cert, pair.key, changed=_repair_mode(pair.cert))
        now = _now()
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(self._cert.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATE)
            .not_valid_after(min(now + datetime.timedelta(days=subject.days), self._cert.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(_usages(subject)), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if subject.names:
            builder = builder.add_extension(x509.SubjectAlternativeName(_alternative(subject.names)), critical=False)
        write_private(pair.cert, _pem(builder.sign(self._key, hashes.SHA256())))
        return Pair(pair.cert, pair.key, changed=True)

    def due(self, pair: Pair, subject: Subject) -> bool:
        """Whether `issue` would issue; changes nothing."""
        try:
            key = _load_key(pair.key)
        except (FileNotFoundError, ValueError, HostError):
            return True
        return self._stale(pair, key, subject)

    def _stale(self, pair: Pair, key: ec.EllipticCurvePrivateKey, subject: Subject) -> bool:
        cert = _load_cert(pair.cert)
        if (
            cert is None
            or _due(cert, _now())
            or cert.public_key() != key.public_key()
            or cert.subject != _name(subject)
        ):
            return True
        try:
            cert.verify_directly_issued_by(self._cert)
        except (ValueError, TypeError, InvalidSignature):
            return True
        usages = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if set(usages) != set(_usages(subject)):
            return True
        try:
            names = set(cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        except x509.ExtensionNotFound:
            names = set()
        return names != set(_alternative(subject.names))


def ensure_signing_keys(directory: Path, name: str = "sa") -> Pair:
    """The service account key pair of a fleet: `<name>.pub` (in `cert`) and `<name>.key`; never renewed,
    tokens depend on it."""
    private_directory(directory)
    pair = Pair(directory / f"{name}.pub", directory / f"{name}.key")
    key, new = _ensure_key(pair.key)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Pair(pair.cert, pair.key, changed=write_private(pair.cert, public) or new)


def ensure_bundle(path: Path, authorities: Iterable[Authority]) -> bool:
    """One file with the certificates of several authorities; True when it changed."""
    return write_private(path, b"".join(authority.cert_file.read_bytes() for authority in authorities))


def not_after(cert: Path) -> datetime.datetime:
    """When a certificate ends, UTC."""
    return x509.load_pem_x509_certificate(cert.read_bytes()).not_valid_after_utc


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _due(cert: x509.Certificate, now: datetime.datetime) -> bool:
    life = cert.not_valid_after_utc - cert.not_valid_before_utc
    return cert.not_valid_after_utc - now < life * RENEW_BELOW


def _name(subject: Subject) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, value) for value in subject.organizations]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, subject.common_name)])


def _alternative(names: Iterable[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _usages(subject: Subject) -> list[x509.ObjectIdentifier]:
    usages = [ExtendedKeyUsageOID.SERVER_AUTH] if subject.names else []
    return [*usages, ExtendedKeyUsageOID.CLIENT_AUTH] if subject.client else usages


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=ca, crl_sign=ca, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _self_signed(
    key: ec.EllipticCurvePrivateKey, common_name: str, now: datetime.datetime, days: int
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _pem(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(serialization.Encoding.PEM)


def _load_cert(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise HostError(f"{path} is not an elliptic curve key: remove it, the next run makes a new one")
    return key


def _ensure_key(path: Path) -> tuple[ec.EllipticCurvePrivateKey, bool]:
    """The key in that file and whether it is new; a damaged one is replaced, a wrong mode repaired.

    Written as SEC 1 (`EC PRIVATE KEY`): in no other form does kube-apiserver find the public half of a service
    account key.
    """
    try:
        key = _load_key(path)
    except (FileNotFoundError, ValueError):
        key = ec.generate_private_key(ec.SECP256R1())
        write_private(
            path,
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
            ),
        )
        return key, True
    _repair_mode(path)
    return key, False


def _repair_mode(path: Path) -> bool:
    if mode_of(path) == FILE_MODE:
        return False
    path.chmod(FILE_MODE)
    return True
