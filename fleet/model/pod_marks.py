"""Names of the marks that the watches of `play` and `replay` give to pods, alongside `created` and `deleted`."""

from __future__ import annotations

SCHEDULED = "scheduled"
"""It has a node; alongside it the node's name."""
RUNNING = "running"
TERMINATING = "terminating"
"""Its deletion was requested."""
ENDED = "ended"
"""It succeeded or failed; alongside it the exit code, None when no container says one."""
ENTRY = "entry"
"""First of all, of a replayed pod; alongside it its key in the trace."""
