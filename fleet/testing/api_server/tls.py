"""Certificates of the fake API server: a throw-away CA, a server pair for loopback, a client pair. Tests only."""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Pair:
    """PEM certificate and private key."""

    certificate: bytes
    key: bytes = field(repr=False)


class FakeAuthority:
    """A CA that lives as long as the test."""

    def __init__(self, name: str = "fake CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self._certificate = self._sign(self._name, self._key.public_key(), timedelta(days=1), authority=True, hosts=())
        self.certificate = self._certificate.public_bytes(serialization.Encoding.PEM)
        """PEM."""

    def issue(self, name: str, *, hosts: tuple[str, ...] = (), lifetime: timedelta = timedelta(days=1)) -> Pair:
        """A pair for that common name; a negative lifetime gives one that has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(_name(name), key.public_key(), lifetime, authority=False, hosts=hosts)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Pair(certificate.public_bytes(serialization.Encoding.PEM), private)

    def server_context(self, pair: Pair, *, demand: bool = True) -> ssl.SSLContext:
        """A server's TLS context that demands a client certificate of this CA, or takes one if it is shown."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_verify_locations(cadata=self.certificate.decode())
        context.verify_mode = ssl.CERT_REQUIRED if demand else ssl.CERT_OPTIONAL
        with tempfile.TemporaryDirectory(prefix="fake-tls-") as folder:  # 0700 by itself
            path = Path(folder) / "pair.pem"
            path.write_bytes(pair.certificate + pair.key)
            context.load_cert_chain(path)
        return context

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        lifetime: timedelta,
        *,
        authority: bool,
        hosts: tuple[str, ...],
    ) -> x509.Certificate:
        end = datetime.now(UTC) + lifetime
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - timedelta(days=2))
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if hosts:
            names = [x509.IPAddress(ipaddress.ip_address(h)) if h[0].isdigit() else x509.DNSName(h) for h in hosts]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
