"""Sizes before the run: shards by number and by bytes, and what is refused."""

from __future__ import annotations

import orjson
import pytest

from fleet.errors import UsageError
from fleet.managers.kubestellar import sizing
from fleet.managers.kubestellar.manager import MANAGER
from fleet.managers.kubestellar.sizing import Sizes, check, sizes
from fleet.managers.manager import Write
from fleet.model.client_limits import ClientLimits
from fleet.model.experiment_file import Workload, WorkloadKind
from fleet.model.run_names import RunNames
from fleet.workload.content import Plain
from fleet.workload.layouts import policies
from fleet.workload.objects import objects

NAMES = RunNames("20261122T170000Z-0a1b2c3d")


def made(count: int, size: int, kind: WorkloadKind = "configmap") -> list[Write]:
    content = Plain(Workload(kind=kind, bytes=size))
    (policy,) = policies("one-to-many", ("a",), resources=content.resources, names=NAMES, group=0)
    return [item.write for item in objects(policy, content, count, manager=MANAGER, names=NAMES, trial="t000")]


def sized(count: int, size: int, number: int, most: int = 512_000) -> Sizes:
    return sizes(made(count, size), ClientLimits(max_num_wrapped=number, max_size_wrapped=most))


@pytest.mark.parametrize(("count", "number", "works"), [(7, 1, 7), (7, 3, 3), (7, 100, 1)])
def test_shards_by_number(count: int, number: int, works: int) -> None:
    assert sized(count, 0, number).works == works


def test_shards_by_size() -> None:
    # Objects of a bit more than 1000 bytes: three do not fit 3000.
    found = sized(6, 1000, 100, most=3000)
    assert found.wrapped == 6 * found.largest_object
    assert 1000 < found.largest_object < 1500
    assert found.works == 3
    assert found.largest_work == sizing.WORK_BYTES + 2 * (found.largest_object + sizing.STATUS_BYTES)


@pytest.mark.parametrize("kind", ["deployment", "pod"])
def test_what_the_api_server_adds_counts(kind: WorkloadKind) -> None:
    limits = ClientLimits(max_num_wrapped=1, max_size_wrapped=1000)
    plain = made(1, 0, kind)
    assert len(orjson.dumps(plain[0].body)) < 1000
    with pytest.raises(
        UsageError, match=r"an object of 1\d\d\d bytes does not fit the fleet's max_size_wrapped of 1000"
    ):
        check(sizes(plain, limits), limits)


def test_what_fits_is_let_through() -> None:
    limits = ClientLimits(max_num_wrapped=50, max_size_wrapped=512_000)
    check(sizes(made(100, 2048), limits), limits)


@pytest.mark.parametrize(
    ("count", "size", "number", "most", "said"),
    [
        (4, 600_000, 10, 5_000_000, "a ManifestWork of a policy would be about 2"),
        (9000, 0, 1, 512_000, "the Binding of a policy would be about 1"),
        (1, 600_000, 1, 512_000, "does not fit the fleet's max_size_wrapped of 512000"),
    ],
)
def test_what_does_not_fit_is_refused_with_numbers(count: int, size: int, number: int, most: int, said: str) -> None:
    limits = ClientLimits(max_num_wrapped=number, max_size_wrapped=most)
    with pytest.raises(UsageError, match=said) as caught:
        check(sizes(made(count, size), limits), limits)
    assert caught.value.exit_code == 2
