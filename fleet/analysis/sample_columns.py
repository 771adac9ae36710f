"""Samples in columns: 42 bytes each (58 with the versions of their ends), where an object takes 300. They are read as a
sequence of `Sample`, made one by one as somebody looks at them.

A million samples must not fill the driver's memory, so whoever needs them all chooses rows by the columns, and never
makes a list of the objects.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from fleet.analysis.samples import UNCOUNTED, Sample
from fleet.analysis.setting import Setting
from fleet.analysis.tracks import UNKNOWN

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Rows = npt.NDArray[np.uint32]
    Codes = npt.NDArray[np.unsignedinteger]
    Mask = npt.NDArray[np.bool_]

_NONE = -(1 << 63)
"""In a column of moments, where there is none."""
_AT_ONCE = 4096
"""Samples that are unpacked together."""

Word = TypeVar("Word", bound=Hashable)


class Subject(NamedTuple):
    """What all samples of one object have alike."""

    trial: str
    repeat: int
    layout: str
    wecs: int
    policy: str
    kind: str
    namespace: str
    name: str
    point: str
    source: str

    @property
    def setting(self) -> Setting:
        """What it belongs together with."""
        return Setting(self.layout, self.wecs, self.point)


@dataclass(frozen=True, slots=True)
class Table:
    """A row per sample, in columns; `subject`, `cluster`, `stage` and `flag` are places in the lists of words."""

    subjects: Sequence[Subject]
    clusters: Sequence[str]
    stages: Sequence[str]
    flags: Sequence[tuple[str, ...]]
    subject: array[int] = field(default_factory=lambda: array("I"))
    cluster: array[int] = field(default_factory=lambda: array("H"))
    stage: array[int] = field(default_factory=lambda: array("H"))
    flag: array[int] = field(default_factory=lambda: array("H"))
    start_ns: array[int] = field(default_factory=lambda: array("q"))
    end_ns: array[int] = field(default_factory=lambda: array("q"))
    seconds: array[float] = field(default_factory=lambda: array("d"))
    server_seconds: array[float] = field(default_factory=lambda: array("d"))
    start_version: array[int] = field(default_factory=lambda: array("q"))
    end_version: array[int] = field(default_factory=lambda: array("q"))
    """Both empty where no version is known."""

    def __len__(self) -> int:
        return len(self.subject)


def table(samples: Iterable[Sample], *, versions: bool = True) -> Table:
    """Put them into columns. Without their versions when nothing will be looked up in an audit log."""
    subjects, clusters, stages, flags = _Words[Subject](), _Words[str](), _Words[str](), _Words[tuple[str, ...]]()
    made = Table(subjects.words, clusters.words, stages.words, flags.words)
    for one in samples:
        made.subject.append(subjects.place(_subject(one)))
        made.cluster.append(clusters.place(one.cluster))
        made.stage.append(stages.place(one.stage))
        made.flag.append(flags.place(one.flags))
        made.start_ns.append(_NONE if one.start_ns is None else one.start_ns)
        made.end_ns.append(_NONE if one.end_ns is None else one.end_ns)
        made.seconds.append(math.nan if one.seconds is None else one.seconds)
        made.server_seconds.append(math.nan if one.server_seconds is None else one.server_seconds)
        if versions:
            made.start_version.append(one.versions[0])
            made.end_version.append(one.versions[1])
    return made


class Samples(Sequence[Sample]):
    """Some rows of some tables, in their order. Two are equal when their samples are."""

    def __init__(self, parts: Sequence[tuple[Table, Rows | None]] = ()) -> None:
        """`parts`: tables, each with the chosen rows in ascending order; None for all."""
        self._parts = parts
        self._len = sum(len(made) if rows is None else len(rows) for made, rows in parts)

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> Samples:
        """Themselves, when they are in columns already."""
        if isinstance(samples, Samples):
            return samples
        made = table(samples)
        return cls([(made, None)] if len(made) else [])

    # --- a sequence -----------------------------------------------------------------------------------------------
    def __len__(self) -> int:
        return self._len

    def __iter__(self) -> Iterator[Sample]:
        for made, rows in self._parts:
            count = len(made) if rows is None else len(rows)
            for begin in range(0, count, _AT_ONCE):
                end = min(begin + _AT_ONCE, count)
                yield from _unpacked(made, range(begin, end) if rows is None else rows[begin:end].tolist())

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | Sequence[Sample]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(self._len))]
        at = index + self._len if index < 0 else index
        for made, rows in self._parts:
            count = len(made) if rows is None else len(rows)
            if 0 <= at < count:
                return next(_unpacked(made, [at if rows is None else int(rows[at])]))
            at -= count
        raise IndexError(index)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(one == two for one, two in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: Iterable[Sample]) -> Samples:
        """These, then those."""
        return Samples([*self._parts, *Samples.of(other)._parts])

    # --- chosen by columns ----------------------------------------------------------------------------------------
    @property
    def counted(self) -> Samples:
        """Those that belong in the summary."""
        return self._where(lambda made: _by_word(made.flag, [UNCOUNTED.isdisjoint(flags) for flags in made.flags]))

    @property
    def ended(self) -> Samples:
        """Those that are not missing."""
        import numpy as np  # noqa: PLC0415 - a cold start of the command line must not pay for it

        return self._where(lambda made: ~np.isnan(_view(made.seconds)))

    @property
    def missing(self) -> Samples:
        """The others."""
        import numpy as np  # noqa: PLC0415

        return self._where(lambda made: np.isnan(_view(made.seconds)))

    @property
    def negative(self) -> Samples:
        """Those that ended before they began."""
        return self._where(lambda made: _view(made.seconds) < 0)

    def of_stages(self, *stages: str) -> Samples:
        """Those of these stages."""
        return self._where(lambda made: _by_word(made.stage, [stage in stages for stage in made.stages]))

    @property
    def of_wecs(self) -> Samples:
        """Those that are of one WEC."""
        return self._where(lambda made: _by_word(made.cluster, [bool(cluster) for cluster in made.clusters]))

    def flagged(self, *flags: str) -> Samples:
        """Those with one of these flags."""
        wanted = frozenset(flags)
        return self._where(lambda made: _by_word(made.flag, [not wanted.isdisjoint(one) for one in made.flags]))

    def about(self, wanted: Callable[[Subject], bool]) -> Samples:
        """Those of these objects."""
        return self._where(lambda made: _by_word(made.subject, [wanted(one) for one in made.subjects]))

    def of_trials(self, trials: Collection[str]) -> Samples:
        """Those of these trials."""
        return self.about(lambda subject: subject.trial in trials)

    def cells(self) -> dict[tuple[str, Setting], Samples]:
        """By stage and setting; this and the next two in the order in which each comes first."""
        import numpy as np  # noqa: PLC0415

        def grouping(made: Table) -> tuple[Codes, Sequence[tuple[str, Setting]]]:
            settings = _Words[Setting]()
            places = np.array([settings.place(one.setting) for one in made.subjects], dtype=np.uint32)
            codes = places[_view(made.subject)] * len(made.stages) + _view(made.stage)
            return codes, [(stage, setting) for setting in settings.words for stage in made.stages]

        return self._by(grouping)

    def by_trial(self) -> dict[str, Samples]:
        """By trial."""
        import numpy as np  # noqa: PLC0415

        def grouping(made: Table) -> tuple[Codes, Sequence[str]]:
            trials = _Words[str]()
            places = np.array([trials.place(one.trial) for one in made.subjects], dtype=np.uint32)
            return places[_view(made.subject)], trials.words

        return self._by(grouping)

    def by_cluster(self) -> dict[str, Samples]:
        """By the WEC that they are of; those of an object as a whole under the empty name."""
        return self._by(lambda made: (_view(made.cluster), made.clusters))

    def counted_cells(self, rank: Mapping[str, int]) -> dict[tuple[str, Setting], Samples]:
        """Counted samples by stage and setting, in the order of the path; an experiment's own stages as they come."""
        found = self.counted.cells()
        order = sorted(found, key=lambda key: (rank.get(key[0], len(rank)), key[1].order))
        return {key: found[key] for key in order}

    def with_flags(self, more: Callable[[str], Collection[str]]) -> Samples:
        """The same with the flags that `more` adds to those of a trial."""
        return Samples([(_with_flags(made, more), rows) for made, rows in self._parts])

    def slowest_first(self) -> Iterator[Sample]:
        """Those that ended, the slowest first; of those that took as long the earlier one."""
        import numpy as np  # noqa: PLC0415

        ended = self.ended
        for at in np.argsort(-_view(ended.seconds()), kind="stable"):
            yield ended[int(at)]

    def _by(self, grouping: Callable[[Table], tuple[Codes, Sequence[Word]]]) -> dict[Word, Samples]:
        """`grouping`: for each row of a table a code, and what each code means."""
        import numpy as np  # noqa: PLC0415

        found: dict[Word, list[tuple[Table, Rows | None]]] = {}
        for made, rows in self._parts:
            chosen = np.arange(len(made), dtype=np.uint32) if rows is None else rows
            codes, words = grouping(made)
            mine = codes[chosen]
            every, firsts = np.unique(mine, return_index=True)
            for code in every[np.argsort(firsts)].tolist():
                found.setdefault(words[code], []).append((made, chosen[mine == code]))
        return {word: Samples(parts) for word, parts in found.items()}

    def _where(self, wanted: Callable[[Table], Mask]) -> Samples:
        import numpy as np  # noqa: PLC0415

        parts: list[tuple[Table, Rows | None]] = []
        for made, rows in self._parts:
            mask = wanted(made)
            chosen = np.flatnonzero(mask).astype(np.uint32) if rows is None else rows[mask[rows]]
            if len(chosen):
                parts.append((made, chosen))
        return Samples(parts)

    # --- columns --------------------------------------------------------------------------------------------------
    def seconds(self) -> array[float]:
        """Of those that ended, in their order."""
        import numpy as np  # noqa: PLC0415

        found = array("d")
        for made, rows in self._parts:
            values = _chosen(made.seconds, rows)
            found.frombytes(values[~np.isnan(values)].tobytes())
        return found

    def ordered(self) -> array[float]:
        """The same, ascending."""
        import numpy as np  # noqa: PLC0415

        return array("d", np.sort(_view(self.seconds())).tobytes())

    def starts(self) -> array[int]:
        """Moments at which those began of which that is known; nanoseconds."""
        return self._moments(lambda made: made.start_ns)

    def ends(self) -> array[int]:
        """Moments at which those ended that did; nanoseconds."""
        return self._moments(lambda made: made.end_ns)

    def points(self, first_ns: int) -> list[tuple[float, float]]:
        """Of those that ended by then: seconds since `first_ns`, and how long each took, by time."""
        ended = self.ended
        return sorted(zip(((ns - first_ns) / 1e9 for ns in ended.ends()), ended.seconds(), strict=True))

    def _moments(self, column: Callable[[Table], array[int]]) -> array[int]:
        found = array("q")
        for made, rows in self._parts:
            values = _chosen(column(made), rows)
            found.frombytes(values[values != _NONE].tobytes())
        return found

    def count_flags(self) -> dict[str, int]:
        """How many have each flag, by its name."""
        found: dict[str, int] = {}
        for made, rows in self._parts:
            for place, count in _counted(made.flag, rows):
                for flag in made.flags[place]:
                    found[flag] = found.get(flag, 0) + count
        return dict(sorted(found.items()))

    def count_stages(self) -> dict[str, int]:
        """How many are of each stage, in the order in which each comes first."""
        import numpy as np  # noqa: PLC0415

        found: dict[str, int] = {}
        for made, rows in self._parts:
            places, firsts, counts = np.unique(_chosen(made.stage, rows), return_index=True, return_counts=True)
            for at in np.argsort(firsts).tolist():
                stage = made.stages[int(places[at])]
                found[stage] = found.get(stage, 0) + int(counts[at])
        return found

    def clusters(self) -> set[str]:
        """WECs that any of them is of."""
        found: set[str] = set()
        for made, rows in self._parts:
            found.update(made.clusters[place] for place, _ in _counted(made.cluster, rows))
        return found - {""}

    def trials(self) -> set[str]:
        """Trials that any of them is of."""
        found: set[str] = set()
        for made, rows in self._parts:
            found.update(made.subjects[place].trial for place, _ in _counted(made.subject, rows))
        return found


class _Words(dict[Word, int]):
    """Words in the order of their coming; `place` gives each one's."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[Word] = []

    def place(self, word: Word) -> int:
        """Where it is in `words`."""
        place = self.get(word)
        if place is None:
            place = self[word] = len(self.words)
            self.words.append(word)
        return place


def _subject(one: Sample) -> Subject:
    """Words that many objects have alike are kept once: each line of a file has its own."""
    word = sys.intern
    return Subject(
        word(one.trial), one.repeat, word(one.layout), one.wecs, word(one.policy), word(one.kind), word(one.namespace),
        one.name, word(one.point), word(one.source),
    )  # fmt: skip


def _unpacked(made: Table, rows: Sequence[int]) -> Iterator[Sample]:
    versions = bool(made.start_version)
    for row in rows:
        subject = made.subjects[made.subject[row]]
        start, end = made.start_ns[row], made.end_ns[row]
        seconds, server = made.seconds[row], made.server_seconds[row]
        yield Sample(
            trial=subject.trial,
            repeat=subject.repeat,
            layout=subject.layout,
            wecs=subject.wecs,
            policy=subject.policy,
            kind=subject.kind,
            namespace=subject.namespace,
            name=subject.name,
            cluster=made.clusters[made.cluster[row]],
            stage=made.stages[made.stage[row]],
            start_ns=None if start == _NONE else start,
            end_ns=None if end == _NONE else end,
            seconds=None if math.isnan(seconds) else seconds,
            server_seconds=None if math.isnan(server) else server,
            flags=made.flags[made.flag[row]],
            point=subject.point,
            source=subject.source,
            versions=(made.start_version[row], made.end_version[row]) if versions else (UNKNOWN, UNKNOWN),
        )


def _view(column: array[Any]) -> npt.NDArray[Any]:
    """The column for arithmetic, not copied."""
    import numpy as np  # noqa: PLC0415 - a cold start of the command line must not pay for it

    return np.frombuffer(column, dtype=column.typecode) if column else np.empty(0, dtype=column.typecode)


def _chosen(column: array[Any], rows: Rows | None) -> npt.NDArray[Any]:
    """Of these rows; None for all."""
    return _view(column) if rows is None else _view(column)[rows]


def _by_word(column: array[int], wanted: Sequence[bool]) -> Mask:
    """Of each row whether its word is wanted."""
    import numpy as np  # noqa: PLC0415

    mask: Mask = np.array(wanted, dtype=np.bool_)[_view(column)]
    return mask


def _counted(column: array[int], rows: Rows | None) -> Iterator[tuple[int, int]]:
    """Each place that the rows have, and how many have it."""
    import numpy as np  # noqa: PLC0415

    counts = np.bincount(_chosen(column, rows))
    return ((int(place), int(counts[place])) for place in np.flatnonzero(counts))


def _with_flags(made: Table, more: Callable[[str], Collection[str]]) -> Table:
    import numpy as np  # noqa: PLC0415

    added = _Words[tuple[str, ...]]()
    places = np.array([added.place(tuple(sorted(more(one.trial)))) for one in made.subjects], dtype=np.uint32)
    if added.words in ([], [()]):
        return made
    flags, both = _Words[tuple[str, ...]](), places[_view(made.subject)] * len(made.flags) + _view(made.flag)
    codes, inverse = np.unique(both, return_inverse=True)
    pairs = (divmod(code, len(made.flags)) for code in codes.tolist())
    changed = [flags.place(tuple(sorted({*added.words[extra], *made.flags[flag]}))) for extra, flag in pairs]
    return replace(made, flags=flags.words, flag=array("H", np.array(changed, dtype=np.uint16)[inverse].tobytes()))
