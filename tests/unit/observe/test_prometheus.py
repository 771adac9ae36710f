"""The few series that are kept of a metrics page, by hand-worked sums."""

from __future__ import annotations

from fleet.managers.kubestellar.record import RECORD
from fleet.observe.metrics import API_SERVER, CONTROLLER
from fleet.observe.prometheus import Series, kept

PAGE = r"""
# HELP apiserver_request_total Counter of requests
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",component="apiserver",group="apps",resource="deployments",verb="GET"} 2
apiserver_request_total{code="200",component="apiserver",group="extensions",resource="deployments",verb="GET"} 3
apiserver_request_total{code="404",component="apiserver",group="apps",resource="deployments",verb="GET"} 1
apiserver_request_total_other{code="200"} 100
process_open_fds 12
process_cpu_seconds_total 1.5e+01 1700000000000
go_goroutines NaN
"""


def test_labels_that_are_not_kept_are_summed_over() -> None:
    assert kept(PAGE, API_SERVER) == [
        Series("apiserver_request_total", "code=200,resource=deployments,verb=GET", 5.0),
        Series("apiserver_request_total", "code=404,resource=deployments,verb=GET", 1.0),
        Series("process_cpu_seconds_total", "", 15.0),
        Series("process_open_fds", "", 12.0),
    ]


def test_a_prefix_takes_sums_and_counts_but_no_buckets() -> None:
    page = """
kubestellar_call_latency_seconds_bucket{space="wds",le="1"} 4
kubestellar_call_latency_seconds_sum{space="wds",method="get",error="x"} 0.5
kubestellar_call_latency_seconds_count{space="wds",method="get",error="x"} 4
workqueue_depth{name="a",controller="b"} 2
"""
    names = CONTROLLER | {name: frozenset(labels) for name, labels in RECORD.series.items()}
    assert kept(page, names) == [
        Series("kubestellar_call_latency_seconds_count", "method=get,space=wds", 4.0),
        Series("kubestellar_call_latency_seconds_sum", "method=get,space=wds", 0.5),
        Series("workqueue_depth", "name=a", 2.0),
    ]


def test_label_values_with_quotes_braces_and_newlines() -> None:
    page = 'x{a="say \\"hi\\" {b} 1",c="two\\nlines"} 7\n'
    assert kept(page, {"x": None}) == [Series("x", 'a=say "hi" {b} 1,c=two lines', 7.0)]


def test_a_backslash_before_an_n_is_no_newline() -> None:
    assert kept('x{a="C:\\\\new"} 7\n', {"x": None}) == [Series("x", "a=C:\\new", 7.0)]


def test_lines_that_are_no_samples_are_passed_over() -> None:
    assert kept("x\nx one\nx{a=\n\n# x 1\n", {"x": None}) == []
