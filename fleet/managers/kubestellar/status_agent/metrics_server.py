"""Serves the metrics text on loopback."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from fleet.errors import HostError


class MetricsServer:
    """GET /metrics and /healthz on one loopback address."""

    def __init__(self, address: str, text: Callable[[], str]) -> None:
        host, _, port = address.rpartition(":")
        self._host, self._port = host, int(port)
        self._text = text
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listen; returns the address in use, `host:port`. HostError when the port is taken."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", _healthz)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self.stop()
            raise HostError(
                f"metrics_address {self._host}:{self._port}: {error.strerror}; free the port or choose another"
            ) from error
        host, port = self._runner.addresses[0][:2]
        return f"{host}:{port}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(text=self._text(), content_type="text/plain", charset="utf-8")


async def _healthz(_request: web.Request) -> web.Response:
    return web.Response(text="ok")
