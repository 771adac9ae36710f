"""Tables about the objects of one control plane, against values worked out by hand."""

from __future__ import annotations

from collections import Counter

from fleet.analysis.agent_table import agent_table
from fleet.analysis.counters import spans
from fleet.analysis.five_parts import PARTS, errors_by_code
from fleet.analysis.node_spread import placed, spread_table
from fleet.analysis.phase_table import phase_table
from fleet.analysis.program_table import program_table
from fleet.analysis.recorded import Recorded, record
from fleet.analysis.request_table import API_SERVER_REQUESTS, Asked, asked, request_table
from fleet.analysis.samples import Sample
from fleet.analysis.webhook_table import METRIC, webhook_table
from fleet.model.manager_record import ManagerRecord
from fleet.model.stage import Stage
from fleet.results import events

SECOND = 10**9
POINT = "kind=a"


def recorded(*lines: events.Line) -> Recorded:
    """One counted trial of 10 s, from 5 s to 15 s, with those lines."""
    frame: list[events.Line] = [
        events.TrialPlan(ns=5 * SECOND, wall=0, trial="t000", layout="", wecs=1, repeat=0, clusters=["wec001"],
                         kind="", point=POINT),
        events.RunMark(ns=5 * SECOND, wall=0, step="trial", edge="begin", trial="t000"),
        *lines,
        events.RunMark(ns=15 * SECOND, wall=0, step="trial", edge="end", trial="t000"),
    ]  # fmt: skip
    return record(sorted(frame, key=lambda line: line.ns), ManagerRecord(name="none"), source="", object_timeout=60.0)


def metric(
    at: float, value: float, name: str, labels: str = "", component: str = "kube-apiserver"
) -> events.MetricSample:
    ns = round(at * SECOND)
    return events.MetricSample(
        ns=ns, wall=0, component=component, cluster="wec001", name=name, labels=labels, value=value
    )


def test_a_trial_lies_between_its_edges() -> None:
    assert spans(recorded(), "trial") == {"t000": (5 * SECOND, 15 * SECOND)}
    assert spans(recorded(), "load") == {}


def test_requests_per_object() -> None:
    labels = "code=200,resource=pods,subresource=status,verb=PATCH"
    found = recorded(metric(1, 10, "apiserver_request_total", labels), metric(9, 30, "apiserver_request_total", labels))
    rows = asked(found, (API_SERVER_REQUESTS,))
    assert rows == {Asked(POINT, "kube-apiserver", "PATCH", "pods/status", "200"): [20.0]}
    table = request_table(rows, 8, Counter({POINT: 1}))
    assert table.rows == [[POINT, "kube-apiserver", "PATCH", "pods/status", "200", 20.0, 2.5]]


def test_calls_of_a_webhook_and_their_quantiles() -> None:
    base = "name=w,operation=CREATE,rejected=false"
    lines = [metric(9, 4, f"{METRIC}_count", base), metric(9, 0.2, f"{METRIC}_sum", base)]
    edges = (("0.005", 0), ("0.025", 2), ("0.1", 4), ("+Inf", 4))
    lines += [metric(9, count, f"{METRIC}_bucket", f"le={edge},{base}") for edge, count in edges]
    (row,) = webhook_table(recorded(*lines), 2).rows
    assert row[:7] == [POINT, "w", "CREATE", "false", 4.0, 2.0, 50.0]
    assert [round(float(str(value)), 6) for value in row[7:]] == [25.0, 92.5]  # 95 %: 3.8 of 4, 0.9 of the way to 0.1 s


def weighed(at: float, pid: int, cpu: float, component: str = "virt") -> events.ProcessSample:
    return events.ProcessSample(
        ns=round(at * SECOND), wall=0, machine="here", program=f"{component}.wec001", component=component,
        cluster="wec001", pid=pid, cpu_seconds=cpu, rss=1,
    )  # fmt: skip


def test_cpu_and_memory_of_a_program_that_was_started_anew() -> None:
    memory = events.Measured(ns=9 * SECOND, wall=0, trial="t000", name="pss", value=40.0, unit="MiB",
                             of={"program": "virt.wec001"})  # fmt: skip
    depth = metric(8, 7, "workqueue_depth", "name=q", "virt")
    found = recorded(weighed(4, 1, 10), weighed(8, 1, 12), weighed(12, 2, 3), memory, depth)
    (row,) = program_table(found, 10).rows
    assert row == [POINT, "virt.wec001", 5.0, 500.0, 40.0, None, 7.0, "q"]


def test_cpu_of_a_program_that_began_in_the_trial_counts_from_its_begin() -> None:
    found = recorded(weighed(4, 1, 10), weighed(8, 2, 3, "new"), weighed(12, 1, 11), weighed(12, 2, 5, "new"))
    assert [row[1:3] for row in program_table(found, 10).rows] == [["new.wec001", 5.0], ["virt.wec001", 1.0]]
    assert program_table(found, 10, step="load").rows == []
    alone = recorded(weighed(8, 2, 3, "new"), weighed(12, 2, 5, "new"))  # when it began is unknown
    assert [row[1:3] for row in program_table(alone, 10).rows] == [["new.wec001", 2.0]]


def test_spread_over_nodes() -> None:
    def bound(name: str, node: str) -> events.MarkSeen:
        return events.MarkSeen(ns=9 * SECOND, wall=0, cluster="wec001", type="MODIFIED", uid=name, rv="1", trial="t000",
                               resource="pods", namespace="n", name=name, mark="bound", data=node)  # fmt: skip

    found = recorded(bound("a", "n1"), bound("b", "n1"), bound("c", "n2"), bound("d", "n3"))
    spread = placed(found, "pods", "bound")
    assert spread == {"t000": Counter({"n1": 2, "n2": 1, "n3": 1})}
    assert spread_table(found, spread, 4).rows == [["t000", POINT, 4, 4, 3, 0, 1.0, 2, 2.0]]
    assert spread_table(found, spread, 3).rows[0][5] == 1


def test_percentiles_of_phases_count_what_is_missing() -> None:
    def sample(seconds: float | None, *flags: str) -> Sample:
        return Sample(
            trial="t000", repeat=0, layout="", wecs=1, policy="", kind="pods", namespace="n", name="x",
            cluster="wec001", stage="run", start_ns=0, end_ns=None, seconds=seconds, server_seconds=None,
            flags=flags, point=POINT,
        )  # fmt: skip

    made = [*(sample(float(n)) for n in range(1, 21)), sample(None, "missing"), sample(99.0, "warmup")]
    table = phase_table(made, [Stage(name="run", begin="a", end="b", text="from a to b")], ["run"], "creation")
    assert table.rows == [[POINT, "run", "from a to b", 20, 1, 10.0, 19.0, None, 20.0]]


def test_answers_that_were_no_success_by_code() -> None:
    rows = [["422", 3.0], ["200", 9.0], ["422", 1.0], ["500", 5.0]]
    assert errors_by_code(rows, 0, 1) == {"500": 5.0, "422": 4.0}
    assert list(PARTS) == ["creation", "scheduling", "management", "monitoring", "clean-up"]


def test_requests_by_user_agent() -> None:
    def counted(agent: str, value: float) -> events.Measured:
        of = {"agent": agent, "verb": "patch", "resource": "pods", "code": "200"}
        return events.Measured(ns=9 * SECOND, wall=0, trial="t000", name="audited", value=value, unit="1", of=of)

    table = agent_table(recorded(counted("a", 4), counted("b", 6)), 4, {POINT: 1})
    assert table.rows == [
        [POINT, "b", "patch", "pods", "200", 6.0, 1.5],
        [POINT, "a", "patch", "pods", "200", 4.0, 1.0],
    ]
