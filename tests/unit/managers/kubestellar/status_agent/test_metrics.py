"""The Prometheus text, against a golden file."""

from pathlib import Path

from fleet.managers.kubestellar.status_agent.metrics import Histogram, Metrics, WecGauges, render

GOLDEN = Path(__file__).parents[4] / "golden" / "managers" / "status_agent" / "metrics.txt"


def test_histogram_buckets_are_cumulative() -> None:
    histogram = Histogram()
    for seconds in (0.004, 0.005, 0.2, 100.0):
        histogram.observe(seconds)
    lines = list(histogram.lines("x"))
    assert lines[0] == 'x_bucket{le="0.005"} 2'
    assert 'x_bucket{le="0.1"} 2' in lines
    assert 'x_bucket{le="0.25"} 3' in lines
    assert lines[-3:] == ['x_bucket{le="+Inf"} 4', "x_sum 100.209000", "x_count 4"]


def test_text_of_two_wecs() -> None:
    metrics = Metrics()
    metrics.of("wec002").creates = 3
    metrics.of("wec001").status_writes = 7
    metrics.latency.observe(0.03)
    gauges = {
        "wec001": WecGauges(
            queue_depth=2,
            unfinished=4,
            objects=9,
            watches=3,
            hub_wait_seconds=1.25,
            local_wait_seconds=0.0,
            hub_requests=12,
            local_requests=6,
            retries=1,
            ready=True,
        )
    }
    assert render(metrics, gauges) == GOLDEN.read_text()
