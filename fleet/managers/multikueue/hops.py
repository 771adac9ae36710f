"""Nothing is watched by a policy: which worker gets a Job is known when it is there (`job-dispatch` watches that)."""

from __future__ import annotations

from fleet.managers.manager import Hop

HOPS: tuple[Hop, ...] = ()
