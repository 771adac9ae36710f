"""What one convergence changed, or would change: the value that every convergence returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """`before` and `after` map the name of a thing to one line that describes it; only things that differ are listed.

    `notes` are sentences for the user (a port that was skipped, and who holds it); a note alone is no change.
    """

    before: Mapping[str, str]
    after: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything differs."""
        return dict(self.before) != dict(self.after)

    @classmethod
    def none(cls) -> Change:
        """Nothing changed."""
        return cls({}, {})

    @classmethod
    def between(cls, before: Mapping[str, str], after: Mapping[str, str], notes: Iterable[str] = ()) -> Change:
        """The differences of two descriptions; equal entries are left out."""
        names = sorted(before.keys() | after.keys())
        differing = [name for name in names if before.get(name) != after.get(name)]
        return cls(
            {name: before[name] for name in differing if name in before},
            {name: after[name] for name in differing if name in after},
            tuple(notes),
        )

    @classmethod
    def merge(cls, changes: Iterable[Change]) -> Change:
        """One change out of several; a later entry of the same name wins."""
        before: dict[str, str] = {}
        after: dict[str, str] = {}
        notes: list[str] = []
        for change in changes:
            before.update(change.before)
            after.update(change.after)
            notes.extend(change.notes)
        return cls(before, after, tuple(notes))

    def text(self) -> tuple[str, str]:
        """`before` and `after` as lines, the way Ansible's `--diff` wants them."""
        return (
            "".join(f"{name}: {value}\n" for name, value in sorted(self.before.items())),
            "".join(f"{name}: {value}\n" for name, value in sorted(self.after.items())),
        )
