"""What an API server's refusals become: one subclass of KubeError per answer that callers treat differently.

KubeError
├── Unreachable        no answer: refused, reset, TLS failure, timeout (status None)
├── Unauthorized       401, after the credential was read again once
├── Forbidden          403
├── NotFound           404
├── Conflict           409, the object changed in between
│   └── AlreadyExists  409, create of a name that is taken
├── Gone               410, the resourceVersion or the continue token is too old
├── Invalid            422
├── TooManyRequests    429, with `retry_after` in seconds
└── Overlong           a watch line above the cap
"""

# ruff: noqa: N818 - named as the API server's reasons are
from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from fleet.errors import KubeError

MESSAGE_LIMIT = 600
"""Characters of a server's message that are passed on: an Invalid answer can quote the whole object."""


def refused_for_good(status: int) -> bool:
    """Whether an answer with that status would be the same again: the request's own fault (4xx), and no 429."""
    own = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return own and status != HTTPStatus.TOO_MANY_REQUESTS


class Unreachable(KubeError):
    """The server gave no answer: connection refused or cut, TLS failure, timeout."""


class Unauthorized(KubeError):
    """401, even with the credential read again."""


class Forbidden(KubeError):
    """403."""


class NotFound(KubeError):
    """404: no such object, or no such resource type."""


class Conflict(KubeError):
    """409: the object changed since it was read."""


class AlreadyExists(Conflict):
    """409 with reason AlreadyExists."""


class Gone(KubeError):
    """410: that resourceVersion or continue token is too old."""


class Invalid(KubeError):
    """422."""


class Overlong(KubeError):
    """One watch line is longer than the cap."""


class TooManyRequests(KubeError):
    """429; `retry_after` is what the server requests, in seconds, 0 when it does not say."""

    def __init__(
        self,
        message: str,
        *,
        cluster: str,
        status: int | None = HTTPStatus.TOO_MANY_REQUESTS,
        reason: str = "",
        retry_after: float = 0.0,
    ) -> None:
        self.retry_after = retry_after
        super().__init__(message, cluster=cluster, status=status, reason=reason)


_BY_STATUS: dict[int, type[KubeError]] = {
    HTTPStatus.UNAUTHORIZED: Unauthorized,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    410: Gone,
    HTTPStatus.UNPROCESSABLE_ENTITY: Invalid,
}


def retry_after_seconds(value: str | None) -> float:
    """Seconds of a Retry-After header; 0 when absent or a date (API servers send seconds)."""
    try:
        return max(0.0, float(value)) if value else 0.0
    except ValueError:
        return 0.0


def from_status(
    cluster: str, what: str, status: int, body: bytes | dict[str, Any], retry_after: float = 0.0
) -> KubeError:
    """The error of an answer: `what` was asked (`GET /api/v1/pods`), `body` is a Status object or any text."""
    fields = _status_fields(body)
    reason = str(fields.get("reason", ""))
    message = f"{what}: {status} {reason} {str(fields.get('message', ''))[:MESSAGE_LIMIT]}".rstrip()
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TooManyRequests(message, cluster=cluster, reason=reason, retry_after=retry_after)
    kind = AlreadyExists if reason == "AlreadyExists" else _BY_STATUS.get(status, KubeError)
    return kind(message, cluster=cluster, status=status, reason=reason)


def _status_fields(body: bytes | dict[str, Any]) -> dict[str, Any]:
    if isinstance(body, dict):
        return body
    try:
        parsed = json.loads(body)
    except ValueError:
        return {"message": body[:MESSAGE_LIMIT].decode("utf-8", "replace").strip()}
    return parsed if isinstance(parsed, dict) else {"message": str(parsed)}
