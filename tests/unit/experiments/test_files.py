from __future__ import annotations

from pathlib import Path

import pytest

from fleet.errors import SpecError, UsageError
from fleet.experiments import registry
from fleet.experiments.policy_scaling import PolicyScaling
from fleet.experiments.wec_scaling import WecScaling
from fleet.model import experiment_load

MINIMAL = "experiment: wec-scaling\n"


def written(folder: Path, text: str) -> Path:
    file = folder / "mine.yaml"
    file.write_text(text)
    return file


def refusal(folder: Path, text: str, *sets: str) -> str:
    with pytest.raises((SpecError, UsageError)) as caught:
        registry.load(written(folder, text), sets=sets)
    assert caught.value.exit_code == 2
    return str(caught.value).replace(f"{folder}/", "")


def test_defaults_and_overrides(tmp_path: Path) -> None:
    file = written(tmp_path, MINIMAL + "repeats: 5\nthresholds:\n- {stage: downsync, test: p99 < 2s}\n")
    spec = registry.load(
        file,
        sets=["workload.objects=7", "quiet=6s", "repeats=2", "repeats=4", "thresholds.0.stage=e2e", "warmup=0"],
        flags={"wecs": [5, 1], "layouts": ["one-to-many"], "workload.kind": "pod", "seed": None},
    )
    assert (spec.workload.objects, spec.workload.kind, spec.quiet) == (7, "pod", 6.0)
    assert (spec.repeats, spec.wecs, spec.layouts, spec.warmup) == (4, [1, 5], ["one-to-many"], 0)
    assert spec.thresholds[0].stage == "e2e"
    assert spec.seed == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("repeats: 0\n", "mine.yaml:2: repeats: should be greater than or equal to 1, not 0"),
        ("repeats: -3\n", "mine.yaml:2: repeats: should be greater than or equal to 1, not -3"),
        ("repeats: 1000000\n", "mine.yaml:2: repeats: should be less than or equal to 1000, not 1000000"),
        ("repeats: many\n", "mine.yaml:2: repeats: must be a whole number, not 'many'"),
        ("repeats: true\n", "mine.yaml:2: repeats: must not be true"),
        ("repeat: 3\n", "mine.yaml:2: repeat: unknown field; did you mean `repeats`?"),
        ("objects: 3\n", "mine.yaml:2: objects: unknown field; did you mean `workload.objects`?"),
        (
            "workload:\n  kind: podd\n",
            "mine.yaml:3: workload.kind: must be 'deployment', 'pod' or 'configmap', not 'podd'",
        ),
        ("workload:\n  objcts: 3\n", "mine.yaml:3: workload.objcts: unknown field; did you mean `objects`?"),
        ("workload: 3\n", "mine.yaml:2: workload: must be a mapping of fields, not 3"),
        ("wecs: [0]\n", "mine.yaml:2: wecs.0: should be greater than or equal to 1, not 0"),
        ("wecs: [1, 1]\n", "mine.yaml:2: wecs: each WEC count once"),
        ("wecs: some\n", "mine.yaml:2: wecs: must be a list, not 'some' or must be 'all' or 'fleet', not 'some'"),
        ("layouts: []\n", "mine.yaml:2: layouts: name at least one layout"),
        ("name: ../x\n", "mine.yaml:2: name: '../x' is not a name: lower-case letters"),
        ("name: Upper\n", "mine.yaml:2: name: 'Upper' is not a name"),
        ("name: -a\n", "mine.yaml:2: name: '-a' is not a name"),
        ("name: \N{CYRILLIC SMALL LETTER A}bc\n", "mine.yaml:2: name: '\\u0430bc' is not a name"),
        (f"name: {'a' * 300}\n", "mine.yaml:2: name: 'aaaa"),
        ("quiet: 5\n", "mine.yaml:2: quiet: 5 has no unit: write 500ms, 30s, 5m or 1h30m"),
        ("quiet: 5.0\n", "mine.yaml:2: quiet: 5.0 has no unit"),
        ("quiet: .nan\n", "mine.yaml:2: quiet: nan has no unit"),
        ("quiet: .inf\n", "mine.yaml:2: quiet: inf has no unit"),
        ("quiet: -1s\n", "mine.yaml:2: quiet: '-1s' is not a duration: write 500ms, 30s, 5m or 1h30m"),
        ("quiet: 1y\n", "mine.yaml:2: quiet: '1y' is not a duration"),
        ("quiet: NaN\n", "mine.yaml:2: quiet: 'NaN' is not a duration"),
        ("timeouts:\n  object: 0s\n", "mine.yaml:3: timeouts.object: should be greater than 0, not '0s'"),
        (
            "thresholds:\n- stage: e2e\n  test: p98 < 1s\n",
            "mine.yaml:4: thresholds.0.test: 'p98 < 1s' is not a threshold",
        ),
        ("format: 2\n", "mine.yaml:2: format: must be 1, not 2"),
    ],
)
def test_bad_fields_name_file_line_field_and_fix(tmp_path: Path, text: str, said: str) -> None:
    assert refusal(tmp_path, MINIMAL + text).startswith(said)


def test_several_problems_are_told_together_in_the_order_of_the_lines(tmp_path: Path) -> None:
    lines = refusal(tmp_path, MINIMAL + "repeats: 0\nwhat: 1\nwarmup: -1\n").split("\n")
    assert [line.split(":")[1] for line in lines] == ["2", "3", "4"]
    many = refusal(tmp_path, MINIMAL + "".join(f"x{n}: 1\n" for n in range(9))).split("\n")
    assert many[-1] == "and 4 more problems in this file"


def test_a_missing_experiment_and_a_list_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "repeats: 2\n").startswith("mine.yaml:1: experiment: is missing: write one of wec-scaling")
    said = refusal(tmp_path, "experiment: wec-scalin\n")
    assert said == "mine.yaml:1: experiment: 'wec-scalin' is no experiment; did you mean `wec-scaling`?"
    assert refusal(tmp_path, "- a\n").startswith("mine.yaml:1: must be a mapping of fields")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("repeat=3", "--set repeat: repeat: unknown field; did you mean `repeats`?"),
        ("workload.object=3", "--set workload.object: workload.object: unknown field; did you mean `objects`?"),
        ("objects=3", "--set objects: objects: unknown field; did you mean `workload.objects`?"),
        ("repeats.x=3", "--set repeats.x: repeats.x: repeats has no fields"),
        ("thresholds.3.test=x", "--set thresholds.3.test: thresholds.3: the list has 0 entries, counted from 0"),
        ("repeats=0", "--set repeats: repeats: should be greater than or equal to 1, not 0"),
        ("workload.kind=podd", "--set workload.kind: workload.kind: must be 'deployment'"),
        ("quiet=7", "--set quiet: quiet: 7 has no unit"),
        ("repeats", "--set 'repeats': write FIELD=VALUE"),
        ("=3", "--set '=3': write FIELD=VALUE"),
        ("a b=3", "--set 'a b=3': write FIELD=VALUE"),
        ("wecs={a: 1}", "--set wecs: is a mapping: give a scalar or a list"),
        ("name=!!python/name:os.system", "--set name:1: has the tag !!python/name"),
    ],
)
def test_bad_overrides_name_the_words_that_were_typed(tmp_path: Path, setting: str, said: str) -> None:
    assert refusal(tmp_path, MINIMAL + "thresholds: []\n", setting).startswith(said)


def test_a_flag_and_a_set_for_one_field_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="repeats is given by --repeats and by --set: keep one"):
        registry.load(written(tmp_path, MINIMAL), sets=["repeats=2"], flags={"repeats": 3})


@pytest.mark.parametrize(("text", "value"), [("all", "all"), ("fleet", "fleet"), ("1,5, 10", [1, 5, 10]), ("7", [7])])
def test_wecs_flag(text: str, value: object) -> None:
    assert experiment_load.parse_wecs(text) == value


@pytest.mark.parametrize("text", ["", "1,,5", "five", "-1", "1;5", "9999999", "1.5", "\N{ARABIC-INDIC DIGIT FIVE}"])
def test_bad_wecs_flag(text: str) -> None:
    with pytest.raises(UsageError, match=r"write counts such as 1,5,10, or all"):
        experiment_load.parse_wecs(text)


def spec_of(wecs: object) -> WecScaling:
    return WecScaling.model_validate({"experiment": "wec-scaling", "wecs": wecs})


@pytest.mark.parametrize(
    ("size", "counts"),
    [(1, [1]), (4, [1, 4]), (5, [1, 5]), (20, [1, 5, 10, 20]), (120, [*experiment_load.SWEEP, 120])],
)  # fmt: skip
def test_all_sweeps_to_the_size_of_the_fleet(size: int, counts: list[int]) -> None:
    assert experiment_load.sweep(spec_of("all"), size) == counts


def test_a_sweep_larger_than_the_fleet_is_refused_with_both_numbers() -> None:
    assert experiment_load.sweep(spec_of([3, 1]), 3) == [1, 3]
    with pytest.raises(UsageError, match="50 WECs are requested, the fleet has 20: lower --wecs, or grow it"):
        experiment_load.sweep(spec_of([1, 50]), 20)
    with pytest.raises(UsageError, match="no WEC"):
        experiment_load.sweep(spec_of("all"), 0)


def test_found_by_name_or_path(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
        (folder / "wec-scaling.yaml").write_text(MINIMAL)
    (second / "other.yml").write_text(MINIMAL)
    (second / "notes.txt").write_text("")
    places = [first, second]
    assert experiment_load.available(places) == {
        "other": second / "other.yml",
        "wec-scaling": first / "wec-scaling.yaml",
    }
    assert experiment_load.find("wec-scaling", places) == first / "wec-scaling.yaml"
    assert experiment_load.find("./x.yaml", places) == Path("x.yaml")
    with pytest.raises(UsageError, match="no experiment 'wec-scalin'; did you mean `wec-scaling`"):
        experiment_load.find("wec-scalin", places)
    for bad in ("..", "Wec", "a b", "-x", "a" * 41):
        with pytest.raises(UsageError, match="is no name of an experiment"):
            experiment_load.find(bad, places)


def test_a_load_shape_on_the_command_line_takes_the_place_of_the_files(tmp_path: Path) -> None:
    file = written(tmp_path, MINIMAL + "load:\n  steppedLoad: {burstSize: 2, stepDelay: 1s}\n")
    spec = registry.load(file, sets=["load.globalQPSLoad.qps=5", "load.globalQPSLoad.burst=3"])
    assert str(spec.load) == "globalQPSLoad qps=5 burst=3"
    assert str(registry.load(file).load) == "steppedLoad burstSize=2 stepDelay=1"
    assert refusal(tmp_path, MINIMAL + "load: {}\n").startswith("mine.yaml:2: load: name exactly one load shape")
    assert "stepDelay: 1 has no unit" in refusal(
        tmp_path, MINIMAL + "load:\n  steppedLoad: {burstSize: 2, stepDelay: 1}\n"
    )
    assert "trace.times.1: 2 has no unit" in refusal(tmp_path, MINIMAL + "load: {trace: {times: [0s, 2]}}\n")


def test_the_short_form_yields_to_what_is_asked_for(tmp_path: Path) -> None:
    file = written(tmp_path, "experiment: policy-scaling\npolicies: [1, 50]\n")
    short = registry.load(file, quick=True)
    assert isinstance(short, PolicyScaling)
    assert (short.policies, short.workload.profile, short.workload.objects) == ([1, 3], None, 2)
    asked = registry.load(file, sets=["policies=[2]"], flags={"repeats": 4}, quick=True)
    assert isinstance(asked, PolicyScaling)
    assert (asked.policies, asked.repeats) == ([2], 4)


@pytest.mark.parametrize("name", registry.MODELS)
def test_every_experiment_has_a_file_that_says_its_defaults_and_a_short_form(name: str) -> None:
    file = Path(__file__).parents[3] / "experiments" / f"{name}.yaml"
    spec = registry.load(file)
    plain = registry.MODELS[name].model_validate({"experiment": name})
    same = {"description", "thresholds"}
    assert spec.model_dump(exclude=same) == plain.model_dump(exclude=same)
    assert registry.load(file, quick=True) != spec


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("policy-scaling\npolicies: [1, 1]\n", "mine.yaml:2: policies: each value once"),
        ("policy-scaling\npolicies: []\n", "mine.yaml:2: policies:"),
        ("workload-size\nbytes: [2000000]\n", "mine.yaml:2: bytes.0:"),
        ("client-limits\nclients: [5]\n", "mine.yaml:2: clients.0: must be text"),
        ("client-limits\npoints: [{qps: 5}]\n", "mine.yaml:2: points.0.burst: is missing"),
        ("client-limits\npolicies: [1]\n", "mine.yaml:2: policies: unknown field; did you mean"),
        ("link-latency\nrtts: [0ms, 0ms]\n", "mine.yaml:2: rtts: each value once"),
        ("link-latency\nrtts: [40ms]\n", "mine.yaml:2: rtts:"),
        ("link-latency\nrtts: [0ms, 1500us]\n", "mine.yaml:2: rtts.1: '1500us' is not a duration"),
        ("link-latency\nrtts: [0ms, 0.5ms]\n", "mine.yaml:2: rtts.1: 0.5 ms: write whole milliseconds"),
        ("link-latency\nrate: 50\n", "mine.yaml:2: rate: 50 is not a rate"),
        ("link-latency\nlayouts: [one-to-one, one-to-one]\n", "mine.yaml:2: layouts: each layout once"),
        ("long-run\ncompression: 0.5\n", "mine.yaml:2: compression: should be greater than or equal to 1"),
        ("long-run\nload: {parallelismLimitedLoad: {parallelismLimit: 1}}\n", "mine.yaml:1:"),
        ("long-run\nworkload: {kind: configmap}\n", "mine.yaml:1:"),
        ("wec-scaling\nworkload: {kind: deployment, lifetime: 5s}\n", "mine.yaml:2: workload: lifetime is for pods"),
        ("wec-scaling\nthresholds: [{stage: downsync, test: count <= 0}]\n", "mine.yaml:2: thresholds.0: the test"),
        (
            "wec-scaling\nthresholds: [{stage: fights, test: count <= few}]\n",
            "mine.yaml:2: thresholds.0.test: 'few' is not a count: write for example `count <= 0`",
        ),
        ("wec-scaling\nthresholds: [{stage: fights, test: max <= 1s}]\n", "mine.yaml:2: thresholds.0: the test"),
    ],
)
def test_bad_fields_of_the_experiments(tmp_path: Path, text: str, said: str) -> None:
    assert refusal(tmp_path, f"experiment: {text}").startswith(said)
