"""What an audit log has grown by, counted by who sent it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from fleet.observe.audit_log import AuditLog, Request


def line(agent: str, verb: str, code: int, resource: str = "pods", below: str = "") -> str:
    reference = {"resource": resource, "subresource": below} if resource else None
    event = {"userAgent": agent, "verb": verb, "objectRef": reference, "responseStatus": {"code": code}}
    return json.dumps(event) + "\n"


async def test_only_what_came_since_and_no_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text(line("old/v1", "get", 200))
    log = AuditLog(path)
    new = line("virt-controller/v1.8.0 (linux/amd64)", "patch", 422) + line("kwok/v0", "patch", 200, below="status")
    torn = line("kwok/v0", "get", 200, "")
    with path.open("a") as stream:
        stream.write(new + torn[:20])
    expected = {Request("virt-controller", "patch", "pods", 422): 1, Request("kwok", "patch", "pods/status", 200): 1}
    assert await log.read() == Counter(expected)
    with path.open("a") as stream:
        stream.write(torn[20:])
    assert await log.read() == Counter({Request("kwok", "get", "", 200): 1})


async def test_one_that_was_begun_anew_and_one_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    assert await AuditLog(path).read() == Counter()
    path.write_text(line("a/1", "list", 200) * 3)
    log = AuditLog(path)
    path.write_text(line("b/1", "get", 404))
    assert await log.read() == Counter({Request("b", "get", "pods", 404): 1})
