"""Kubeconfigs as users have them: real plugins, token files, a proxy; against the fake API server over TLS."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.errors import SpecError
from fleet.kube.client import KubeClient
from fleet.kube.credential import Credential
from fleet.kube.endpoint import Endpoint
from fleet.kube.errors import Unauthorized, Unreachable
from fleet.kube.resources import CONFIGMAPS, NAMESPACES
from fleet.kube.user_kubeconfig import UserKubeconfig
from fleet.testing.api_server.server import FakeApiServer
from fleet.testing.connect_proxy import ConnectProxy
from tests.unit.kube.conftest import Recorder, config_map

PLUGIN = """#!/bin/sh
printf x >> "$CALLS"
test -z "$KUBERNETES_EXEC_INFO" && exit 3
printf '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "%s"%s}}' \
    "$(cat "$TOKEN")" "$(cat "$TOKEN.end" 2>/dev/null)"
"""


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def write(folder: Path, api: FakeApiServer, user: dict[str, Any], **cluster: Any) -> UserKubeconfig:
    assert api.authority is not None
    target = {"server": api.url, "certificate-authority-data": text(api.authority.certificate), **cluster}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "other",
        "contexts": [{"name": "admin@prod", "context": {"cluster": "prod", "user": "me"}}],
        "clusters": [{"name": "prod", "cluster": target}],
        "users": [{"name": "me", "user": user}],
    }
    file = folder / "config"
    file.write_text(yaml.safe_dump(document))
    file.chmod(0o600)
    return UserKubeconfig(file, "east", "admin@prod")


def plugin(folder: Path, script: str = PLUGIN) -> dict[str, Any]:
    """A user with a plugin that gives the token in `folder/token`, and counts its calls in `folder/calls`."""
    program = folder / "get-token"
    program.write_text(script)
    program.chmod(0o755)
    env = [{"name": "TOKEN", "value": str(folder / "token")}, {"name": "CALLS", "value": str(folder / "calls")}]
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "./get-token",
            "env": env,
            "interactiveMode": "IfAvailable",
        }
    }


def runs(pid: int) -> bool:
    """Whether that process runs: it is there, and no zombie."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def calls(folder: Path) -> int:
    return (folder / "calls").stat().st_size


async def test_client_certificates(tmp_path: Path) -> None:
    async with FakeApiServer(tls=True) as server:
        assert server.authority is not None
        pair = server.authority.issue("me")
        (tmp_path / "me.crt").write_bytes(pair.certificate)
        (tmp_path / "me.key").write_bytes(pair.key)
        source = write(tmp_path, server, {"client-certificate": "me.crt", "client-key": "me.key"})
        assert source.check() == ("admin@prod", server.url)
        async with await KubeClient.from_user_kubeconfig(source) as client:
            assert await client.list(NAMESPACES)
            assert client.cluster == "east"


async def test_a_token_file_that_changes_keeps_the_watch(tmp_path: Path) -> None:
    async with FakeApiServer(tls=True, certificates=False, token="one") as server:
        (tmp_path / "token").write_text("one\n")
        source = write(tmp_path, server, {"tokenFile": "token"})
        async with await KubeClient.from_user_kubeconfig(source) as client, Recorder(client) as told:
            await told.reflector.wait_synced(10)
            await server.until_watches(1)
            (tmp_path / "token").write_text("two\n")
            server.token = "two"
            server.end_watches()
            server.store.create(CONFIGMAPS, config_map("a"), "default")
            await told.until(lambda: len(told.events) == 1, 10)
            assert told.gaps == []
            assert told.reflector.stats.lists == 1
            assert await client.list(NAMESPACES)


async def test_a_plugin_gives_the_token_and_one_renewal_serves_all(tmp_path: Path) -> None:
    async with FakeApiServer(tls=True, certificates=False, token="one") as server:
        (tmp_path / "token").write_text("one")
        source = write(tmp_path, server, plugin(tmp_path))
        async with await KubeClient.from_user_kubeconfig(source) as client:
            await client.list(NAMESPACES)
            (tmp_path / "token").write_text("two")
            server.token = "two"
            await asyncio.gather(*(client.list(NAMESPACES) for _ in range(5)))
            assert calls(tmp_path) == 2
            server.token = "three"
            with pytest.raises(Unauthorized, match="east"):
                await client.list(NAMESPACES)


async def test_a_plugin_s_token_is_renewed_before_it_ends(tmp_path: Path) -> None:
    async with FakeApiServer(tls=True, certificates=False, token="one") as server:
        (tmp_path / "token").write_text("one")
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 50))
        (tmp_path / "token.end").write_text(f', "expirationTimestamp": "{end}"')
        source = write(tmp_path, server, plugin(tmp_path))
        async with await KubeClient.from_user_kubeconfig(source) as client:
            (tmp_path / "token").write_text("two")
            (tmp_path / "token.end").unlink()
            await client.list(NAMESPACES)
            async with asyncio.timeout(20):
                while client.transport.endpoint.token != "two":  # noqa: ASYNC110 - the renewal notifies nobody
                    await asyncio.sleep(0.02)
            server.token = "two"
            await client.list(NAMESPACES)
            assert [seen.code for seen in server.requests] == [200, 200]


async def test_by_way_of_a_proxy_and_another_name(tmp_path: Path) -> None:
    async with FakeApiServer(tls=True, host="api.example.com") as server, ConnectProxy() as proxy:
        assert server.authority is not None
        pair = server.authority.issue("me")
        user = {"client-certificate-data": text(pair.certificate), "client-key-data": text(pair.key)}
        names = {"proxy-url": proxy.url, "tls-server-name": "api.example.com"}
        source = write(tmp_path, server, user, **names)
        async with await KubeClient.from_user_kubeconfig(source) as client, Recorder(client) as told:
            await told.reflector.wait_synced(10)
            server.store.create(CONFIGMAPS, config_map("a"), "default")
            await told.until(lambda: len(told.events) == 1, 10)
        assert set(proxy.targets) == {server.url.removeprefix("https://")}
        source = write(tmp_path, server, user, **{"proxy-url": proxy.url})
        async with await KubeClient.from_user_kubeconfig(source, retry_seconds=0) as client:
            with pytest.raises(Unreachable, match="certificate"):
                await client.list(NAMESPACES)


REFUSALS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"token": "t"}, {"insecure-skip-tls-verify": True}, "insecure-skip-tls-verify: TLS is always verified"),
    ({"token": "t"}, {"server": "http://1.2.3.4"}, "server: must be an https"),
    ({"username": "a", "password": "b"}, {}, "username: API servers no longer take passwords"),
    ({"auth-provider": {"name": "azure"}}, {}, "auth-provider: must be gcp or oidc"),
    ({"exec": {"command": "x", "interactiveMode": "Always"}}, {}, "interactiveMode: no plugin gets a terminal"),
    ({"token": "t"}, {"proxy-url": "socks5://127.0.0.1:1"}, "proxy-url: must be an http"),
    ({"token": "t"}, {"certificate-authority-data": text(b"none")}, "certificate-authority: holds no PEM"),
    ({}, {}, r"users\[me\].user: gave no credential"),
    ({"tokenFile": "absent"}, {}, "gave no credential"),
]


@pytest.mark.parametrize(("user", "cluster", "message"), REFUSALS, ids=[row[2][:25] for row in REFUSALS])
async def test_refused(tmp_path: Path, user: dict[str, Any], cluster: dict[str, Any], message: str) -> None:
    source = write(tmp_path, FakeApiServer(tls=True), user, **cluster)
    with pytest.raises(SpecError, match=message) as caught:
        await source.load()
    assert str(source.path) in str(caught.value)


async def test_a_file_that_others_can_change_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path, FakeApiServer(tls=True), {"token": "t"})
    source.path.chmod(0o644)
    assert (await source.load()).token == "t"
    source.path.chmod(0o664)
    with pytest.raises(SpecError, match="chmod 600"):
        await source.load()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("#!/bin/sh\necho log in first >&2\nexit 1\n", "gave no credential: .*log in first"),
        ('#!/bin/sh\necho \'{"secret": "canary"}\'\n', "gave no credential: .*missing key"),
    ],
)
async def test_a_plugin_that_fails_says_why(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], script: str, said: str
) -> None:
    source = write(tmp_path, FakeApiServer(tls=True), plugin(tmp_path, script))
    with pytest.raises(SpecError, match=said) as caught:
        await source.load()
    assert "canary" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


async def test_a_plugin_that_hangs_is_ended(tmp_path: Path) -> None:
    source = write(tmp_path, FakeApiServer(tls=True), plugin(tmp_path, '#!/bin/sh\necho $$ > "$TOKEN"\nsleep 600\n'))
    with pytest.raises(SpecError, match="within 2 s; does its plugin wait for a login"):
        await replace(source, seconds=2.0).load()
    assert not runs(int((tmp_path / "token").read_text()))


async def test_a_renewal_that_fails_is_tried_again(tmp_path: Path) -> None:
    async with FakeApiServer(tls=True, certificates=False, token="one") as server:
        (tmp_path / "token").write_text("one")
        source = write(tmp_path, server, {"tokenFile": "token"})
        async with await KubeClient.from_user_kubeconfig(source, retry_seconds=0) as client:
            (tmp_path / "token").unlink()
            server.token = "two"
            with pytest.raises(Unreachable, match="the credential could not be renewed"):
                await client.list(NAMESPACES)
            (tmp_path / "token").write_text("two")
            assert await client.list(NAMESPACES)


def endpoint(token: str, ends_in: float | None = None) -> Endpoint:
    return Endpoint("east", "https://x:1", token=token, expires=None if ends_in is None else time.time() + ends_in)


def reload_by(answer: Callable[[], Endpoint], asked: list[int]) -> Callable[[], Any]:
    async def reload() -> Endpoint:
        asked.append(1)
        await asyncio.sleep(0)
        return answer()

    return reload


async def test_one_that_has_ended_is_waited_for() -> None:
    asked: list[int] = []
    held = Credential(endpoint("old", -1), reload_by(lambda: endpoint("new", 3600), asked))
    used = await asyncio.gather(*(held.fresh() for _ in range(3)))
    assert {each.token for each in used} == {"new"}
    assert len(asked) == 1
    assert await held.refused(endpoint("older")) is True
    assert len(asked) == 1
    assert await Credential(endpoint("only"), None).refused(held.endpoint) is False


async def test_a_waiter_that_is_cancelled_leaves_the_renewal_to_others() -> None:
    asked: list[int] = []
    held = Credential(endpoint("old", -1), reload_by(lambda: endpoint("new"), asked))
    first, second = asyncio.create_task(held.fresh()), asyncio.create_task(held.fresh())
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).token == "new"
    assert len(asked) == 1
