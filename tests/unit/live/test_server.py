"""The page on loopback: only behind its token, only by its own name; bodies come as they are made, the report last."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from fleet.live.page import frame
from fleet.live.server import Pages, served
from fleet.report.pages import page_script, script_digest


async def lines(response: aiohttp.ClientResponse, event: str) -> str:
    """The data of the next event of that kind."""
    async with asyncio.timeout(10):
        async for line in response.content:
            if line.decode().strip() == f"event: {event}":
                return (await response.content.readline()).decode().removeprefix("data: ")
    raise AssertionError("it ended")


async def test_the_page_then_bodies_then_the_report(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    report.write_text("<p>the report</p>")
    pages = Pages(lambda: frame("<b>evil"))
    async with served(pages) as address, aiohttp.ClientSession() as client:
        async with client.get(address) as page:
            text = await page.text()
            assert page.headers["Cache-Control"] == "no-store"
        assert "<b>evil" not in text
        script = text.partition("<script>")[2].partition("</script>")[0]
        assert script.startswith(page_script())
        assert f"script-src '{script_digest(script)}'; connect-src 'self'" in text
        async with client.get(f"{address}updates") as updates:
            await pages.show("<p>one</p>")
            assert json.loads(await lines(updates, "body")) == "<p>one</p>"
            await pages.show("<p>two</p>\n")
            assert json.loads(await lines(updates, "body")) == "<p>two</p>\n"
            assert pages.readers == 1
            await pages.freeze(report)
            await lines(updates, "end")
        waits = asyncio.create_task(pages.fetched(1))
        async with client.get(address) as page:
            assert await page.text() == "<p>the report</p>"
        await asyncio.wait_for(waits, 10)


@pytest.mark.parametrize("path", ["/", "/updates", "/x/", "/{token}x/", "/{token}", "/{token}/../x"])
async def test_nothing_else_is_served(path: str) -> None:
    async with served(Pages(lambda: "secret")) as address, aiohttp.ClientSession() as client:
        parts = urlsplit(address)
        token = parts.path.strip("/")
        assert len(token) >= 32
        url = f"http://{parts.netloc}{path.replace('{token}', token)}"
        async with client.get(url, allow_redirects=False) as answer:
            assert answer.status == 404
            assert "secret" not in await answer.text()


async def test_a_foreign_name_for_this_machine_is_refused() -> None:
    async with served(Pages(lambda: "secret")) as address, aiohttp.ClientSession() as client:
        assert urlsplit(address).hostname == "127.0.0.1"
        async with client.get(address, headers={"Host": "evil.example"}) as answer:
            assert answer.status == 403
