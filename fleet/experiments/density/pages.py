"""What a program reports about itself: Go's memory by its profile page or its metrics, etcd's sizes, profiles as
files."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fleet.host.https import Answer, Endpoint, UnixConnection, exchange
from fleet.host.pages import Pages
from fleet.observe.prometheus import kept

SECONDS = 60.0
"""A busy program of a gigabyte answers late."""
OK = 200
_STAT = re.compile(r"^# (\w+) = (.+)$", re.MULTILINE)
_GOROUTINES = re.compile(r"goroutine profile: total (\d+)")
_METRICS = {
    "go_memstats_heap_alloc_bytes": "heap_alloc",
    "go_memstats_heap_inuse_bytes": "heap_inuse",
    "go_memstats_heap_sys_bytes": "heap_sys",
    "go_memstats_heap_released_bytes": "heap_released",
    "go_memstats_stack_inuse_bytes": "stacks",
    "go_goroutines": "goroutines",
    "etcd_mvcc_db_total_size_in_bytes": "etcd_size",
    "etcd_mvcc_db_total_size_in_use_in_bytes": "etcd_in_use",
    "etcd_debugging_mvcc_keys_total": "etcd_keys",
}
"""Of a metrics page, and what they are called here."""


@dataclass(frozen=True)
class Told:
    """What was found, by name; a name that a program does not report is absent."""

    values: dict[str, float]
    failed: str = ""


def told(pages: Pages, *, metrics: bool) -> Told:
    """Go's memory before and after a garbage collection, goroutines; with `metrics` what its metrics page has too.

    A collection is forced, so this is asked between two phases only. Memory is in bytes.
    """
    values: dict[str, float] = {}
    failed = []
    if metrics and pages.metrics:
        page, why = _fetched(pages, pages.metrics, "")
        failed += [why] if why else []
        values |= {_METRICS[series.name]: series.value for series in kept(page.decode(), dict.fromkeys(_METRICS))}
    if pages.pprof:
        before, why = _fetched(pages, pages.pprof, "/heap?debug=1")
        after, also = _fetched(pages, pages.pprof, "/heap?gc=1&debug=1")
        routines, third = _fetched(pages, pages.pprof, "/goroutine?debug=1")
        failed += [text for text in (why, also, third) if text]
        values |= _memory(before.decode(errors="replace"), after.decode(errors="replace"))
        if found := _GOROUTINES.search(routines.decode(errors="replace")):
            values["goroutines"] = float(found[1])
    return Told({name: value for name, value in values.items() if math.isfinite(value)}, "; ".join(failed))


def profile(pages: Pages, kind: str, seconds: float) -> tuple[bytes, str]:
    """One profile as it is served, or the reason why there is none. `goroutine` is text, as kplane keeps it."""
    query = {"heap": "/heap", "goroutine": "/goroutine?debug=1", "cpu": f"/profile?seconds={max(1, round(seconds))}"}
    return _fetched(pages, pages.pprof, query[kind], seconds)


def _memory(before: str, after: str) -> dict[str, float]:
    """Of two heap pages in text, the second after a collection (runtime.MemStats, which Go's net/http/pprof prints)."""
    first, second = (dict(_STAT.findall(text)) for text in (before, after))
    found = {}
    for name, key in (
        ("heap_alloc", "HeapAlloc"), ("heap_inuse", "HeapInuse"), ("heap_sys", "HeapSys"),
        ("heap_released", "HeapReleased"), ("gc_cpu", "GCCPUFraction"),
    ):  # fmt: skip
        if key in first:
            found[name] = float(first[key])
    if "Stack" in first:
        found["stacks"] = float(first["Stack"].split("/")[0])
    if "HeapAlloc" in second:
        found["live_heap"] = float(second["HeapAlloc"])
    return found


def _fetched(pages: Pages, base: str, path: str, seconds: float = 0.0) -> tuple[bytes, str]:
    try:
        answer = _get(pages, base, path, SECONDS + seconds)
    except OSError as error:
        return b"", f"{base}{path}: {error}"
    return (answer.body, "") if answer.status == OK else (b"", f"{base}{path}: {answer.status} {answer.text(100)}")


def _get(pages: Pages, base: str, path: str, seconds: float) -> Answer:
    if base.startswith("unix:"):
        socket, _, root = base.removeprefix("unix:").rpartition(":")
        return exchange(UnixConnection(Path(socket), seconds), "GET", f"{root}{path}")
    parts = urlsplit(base)
    if pages.tls is None:
        raise OSError("it has no certificate for its clients")
    server = f"{parts.scheme}://{parts.netloc}"
    endpoint = Endpoint(server, Path(pages.tls.ca), Path(pages.tls.cert), Path(pages.tls.key))
    return endpoint.request("GET", f"{parts.path}{path}", timeout=seconds)
