import base64
import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.errors import SpecError
from fleet.kube.kubeconfig import is_loopback, load
from fleet.testing.api_server.tls import FakeAuthority

AUTHORITY = FakeAuthority()
PAIR = AUTHORITY.issue("admin")


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def document() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [
            {
                "name": "c",
                "cluster": {
                    "server": "https://127.0.0.1:6443",
                    "certificate-authority-data": text(AUTHORITY.certificate),
                },
            }
        ],
        "users": [
            {
                "name": "u",
                "user": {"client-certificate-data": text(PAIR.certificate), "client-key-data": text(PAIR.key)},
            }
        ],
    }


def write(path: Path, content: dict[str, Any] | str, mode: int = 0o600) -> Path:
    file = path / "kubeconfig"
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    file.chmod(mode)
    return file


def test_loads(tmp_path: Path) -> None:
    endpoint = load(write(tmp_path, document()), cluster="wec001")
    assert (endpoint.cluster, endpoint.server, endpoint.context) == ("wec001", "https://127.0.0.1:6443", "one")
    assert endpoint.ssl_context is not None
    assert endpoint.ssl_context.verify_mode == ssl.CERT_REQUIRED
    assert endpoint.ssl_context.check_hostname


def test_files_beside_it(tmp_path: Path) -> None:
    config = document()
    (tmp_path / "ca.crt").write_bytes(AUTHORITY.certificate)
    (tmp_path / "u.crt").write_bytes(PAIR.certificate)
    (tmp_path / "u.key").write_bytes(PAIR.key)
    config["clusters"][0]["cluster"] = {"server": "https://localhost:1", "certificate-authority": "ca.crt"}
    config["users"][0]["user"] = {"client-certificate": "u.crt", "client-key": "u.key"}
    (tmp_path / "u.key").chmod(0o640)
    file = write(tmp_path, config)
    with pytest.raises(SpecError, match=r"client-key.*chmod 600"):
        load(file, cluster="x")
    (tmp_path / "u.key").chmod(0o600)
    assert load(file, cluster="x").ssl_context is not None


def test_secrets_do_not_show(tmp_path: Path) -> None:
    config = document()
    config["users"][0]["user"] = {"token": "canary-secret"}
    endpoint = load(write(tmp_path, config), cluster="x")
    assert endpoint.token == "canary-secret"
    assert "canary" not in repr(endpoint)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_credentials_never_reach_a_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path, document())
    empty = tmp_path / "tmp"
    empty.mkdir()
    monkeypatch.setenv("TMPDIR", str(empty))
    before = open_descriptors()
    load(file, cluster="x")
    assert list(empty.iterdir()) == []
    assert open_descriptors() == before


def test_an_inventory_machine_is_allowed(tmp_path: Path) -> None:
    config = document()
    config["clusters"][0]["cluster"]["server"] = "https://10.1.2.3:6443"
    file = write(tmp_path, config)
    assert load(file, cluster="x", allowed={"10.1.2.3"}).server == "https://10.1.2.3:6443"
    with pytest.raises(SpecError, match=r"clusters\[c\].cluster.server: 10.1.2.3 is neither loopback"):
        load(file, cluster="x", allowed={"10.1.2.4"})


def cluster(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda config: config["clusters"][0]["cluster"].update(fields)


def user(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda config: config["users"][0]["user"].update(fields)


def top(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda config: config.update(fields)


REFUSALS: list[tuple[str, Callable[[dict[str, Any]], None], str]] = [
    ("exec plugin", user(exec={"command": "x"}), r"users\[u\].user.exec: no credential plugin is run"),
    ("auth provider", user(**{"auth-provider": {}}), r"users\[u\].user.auth-provider"),
    ("password", user(username="a", password="b"), r"users\[u\].user.username"),
    ("insecure", cluster(**{"insecure-skip-tls-verify": True}), "insecure-skip-tls-verify: TLS is always verified"),
    ("proxy", cluster(**{"proxy-url": "http://x"}), "proxy-url"),
    ("http", cluster(server="http://127.0.0.1:1"), "server: must be an https:// URL"),
    ("credentials in URL", cluster(server="https://a:b@127.0.0.1:1"), "server: must be https://host:port"),
    ("bad port", cluster(server="https://127.0.0.1:99999"), "server: has no valid port"),
    ("no server", cluster(server=None), "server: must be an https:// URL"),
    ("foreign host", cluster(server="https://prod.example.com"), "prod.example.com is neither loopback"),
    ("look-alike", cluster(server="https://127.0.0.1.example.com"), "is neither loopback"),
    ("no CA", cluster(**{"certificate-authority-data": ""}), "certificate-authority: is missing"),
    ("no PEM", cluster(**{"certificate-authority-data": "AAAA"}), "holds no PEM certificate"),
    ("no base64", user(**{"client-key-data": "***"}), "client-key-data: is not base64"),
    ("key alone", user(**{"client-certificate-data": ""}), "must be given together"),
    ("no credential", lambda c: c["users"][0]["user"].clear(), "no client certificate and no token"),
    ("no context", top(**{"current-context": ""}), "current-context: no context is chosen"),
    ("wrong context", top(**{"current-context": "two"}), "'two', which contexts does not have; there: one"),
    ("no clusters", top(clusters=None), r"contexts\[one\].context.cluster: names 'c'"),
    ("not a config", top(kind="Pod"), "kind: this is not a kubeconfig"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_refuses(tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str) -> None:
    config = document()
    change(config)
    file = write(tmp_path, config)
    with pytest.raises(SpecError, match=message) as caught:
        load(file, cluster="x")
    assert str(file) in str(caught.value)


def test_refuses_an_expired_certificate(tmp_path: Path) -> None:
    config = document()
    old = AUTHORITY.issue("admin", lifetime=-timedelta(hours=1))
    config["users"][0]["user"] = {
        "client-certificate-data": text(old.certificate),
        "client-key-data": text(old.key),
    }
    with pytest.raises(SpecError, match=r"expired on \d{4}-\d\d-\d\d \d\d:\d\d UTC; build"):
        load(write(tmp_path, config), cluster="x")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620])
def test_refuses_a_file_open_to_others(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SpecError, match="chmod 600"):
        load(write(tmp_path, document(), mode), cluster="x")


@pytest.mark.parametrize(("content", "message"), [("", "empty"), ("a: [", "not YAML"), ("- a", "not a kubeconfig")])
def test_refuses_other_content(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        load(write(tmp_path, content), cluster="x")


def test_refuses_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="does not exist"):
        load(tmp_path / "none", cluster="x")
    with pytest.raises(SpecError, match="is a folder"):
        load(tmp_path, cluster="x")


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("10.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("localhost.example.com", False),
    ],
)
def test_loopback(host: str, answer: bool) -> None:
    assert is_loopback(host) is answer
