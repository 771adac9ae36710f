"""The faults that a test asks of the fake API server; each counter says how many of the next requests are hit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Failpoints:
    """Set a field and the next matching requests meet that fault; counters run down to 0 by themselves."""

    only: str = ""
    """Plural of the resource to hit; empty: all."""
    gone_on_watch: int = 0
    """Watches answered with HTTP 410."""
    gone_event: int = 0
    """Watches that send one ERROR event with code 410 and end."""
    error_event: int = 0
    """Watches that send one ERROR event with code 500 and end."""
    empty_watch: int = 0
    """Watches answered with 200 that end at once without a line."""
    gone_on_continue: int = 0
    """Further pages of a list answered with 410."""
    cut_after: int | None = None
    """The next watch is cut (connection aborted) after so many events."""
    cut_mid_line: bool = False
    """With `cut_after`: half of the next event is sent before the cut."""
    garbage_line: int = 0
    """Watches whose first line is no JSON."""
    stall_watch: int = 0
    """Watches that are accepted and then say nothing, not even bookmarks."""
    delay_seconds: float = 0.0
    """Every answer is held back so long; stays until set to 0."""
    status_401: int = 0
    status_403: int = 0
    status_429: int = 0
    status_500: int = 0
    status_503: int = 0
    """Requests answered so, watches included."""
    retry_after: int = 0
    """Seconds in the Retry-After header of 429 and 503; 0: no header."""
    drop: int = 0
    """Requests whose connection is aborted without an answer."""

    def take(self, name: str, plural: str) -> bool:
        """Whether this request is hit by the counter of that name; counts it down."""
        left: int = getattr(self, name)
        if left <= 0 or (self.only and self.only != plural):
            return False
        setattr(self, name, left - 1)
        return True

    def take_cut(self, plural: str) -> int | None:
        """After how many events this watch is cut; None: never."""
        if self.cut_after is None or (self.only and self.only != plural):
            return None
        after, self.cut_after = self.cut_after, None
        return after
