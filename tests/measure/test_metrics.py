"""Metrics against numbers computed by hand, and against a 50-digit reference on hard inputs."""

import math
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from measure_reference import reference
from metric_laws import far, hard_case

import ncbounds.measure
from ncbounds.errors import InputError, MissingDependencyError
from ncbounds.measure import METRICS, door, geometry, measure
from ncbounds.measure.geometry import mean_cdnv

# Two classes around (2, 0) and (-2, 0), each with deviations +-(1, 1).
SHEARED = np.array([[3, 1], [1, -1], [-3, -1], [-1, 1]])
TWO = np.array([0, 0, 1, 1])
AXIS = np.array([[1, 0], [-1, 0]])


def hand_computed():
    root5, root10, root2 = math.sqrt(5), math.sqrt(10), math.sqrt(2)
    loss = (math.log1p(math.exp(-6)) + math.log1p(math.exp(-2))) / 2
    spherical = sum(math.log1p(math.exp(-2 * c)) for c in (3 / root10, 1 / root2)) / 2
    return {
        "nc1.pinv": 1 / 8,  # Sigma_W = 11^T, Sigma_B = diag(4, 0)
        "gnc1": 1 / 8,
        "nc1.relative": 1 / 3,
        # Directions (3, 1)/root10 and (1, -1)/root2 of a class, and their opposites.
        "nc1.spherical": (1 - 2 / (root10 * root2)) / 2,
        "loss.hardmax": -2 / root2,
        "loss.cross_entropy.spherical": spherical,
        "nc2.etf": 0,
        "nc3.etf": 0,
        "nc3.cosine": 1,
        "nc3.angle": 0,
        "nc4.disagreement": 0,
        "cdnv.mean": 1 / 8,  # (2 + 2) / (2 * 16)
        "cosine.intra.min": (1 + 1 / root5) / 2,
        "cosine.intra.mean": (1 + 1 / root5) / 2,
        "cosine.inter.max": -(1 + 1 / root5) / 2,
        "cosine.inter.mean": -(1 + 1 / root5) / 2,
        "cosine.weights.mean": (3 / root10 + 1 / root2) / 2,
        "gnc2": 2,
        "gnc3": 1 - (3 / root10 + 1 / root2) / 2,
        "gnc3.unscaled": -1,
        "alpha": math.sqrt(6),
        "beta": 1,
        "centre.weights": 0,
        "loss.cross_entropy": loss,
        "logodds.mean": 4,
        "accuracy": 1,
    }


@pytest.mark.parametrize(("name", "expected"), hand_computed().items())
def test_metric_has_the_value_computed_by_hand(name, expected):
    assert measure(SHEARED, TWO, AXIS).metrics[name] == pytest.approx(expected, abs=1e-13)


def test_classes_of_unequal_size_are_balanced_where_the_definition_says_so():
    features = np.array([[2, 0], [2, 2], [2, 0], [2, -2], [-2, 0]])
    metrics = measure(features, [0, 0, 0, 0, 1], [[0, 1], [0, 0]]).metrics
    # Var_0 = 2 in the direction (0, 1), which Sigma_B = diag(4, 0) does not see.
    assert metrics["nc1.pinv"] == pytest.approx(0, abs=1e-30)
    assert metrics["cdnv.mean"] == pytest.approx(2 / (2 * 16))
    assert metrics["nc1.relative"] == pytest.approx(1 / 5)  # (2 + 0)/2 over (6 + 4)/2
    # The class of (2, -2) is missed; ties, at 0, go to class 0, also for (-2, 0).
    assert metrics["accuracy"] == pytest.approx(3 / 5)
    assert metrics["accuracy.balanced"] == pytest.approx(3 / 8)
    assert metrics["nc4.disagreement"] == pytest.approx(2 / 5)
    assert metrics["nc4.disagreement.balanced"] == pytest.approx(5 / 8)
    losses = [math.log(2), math.log1p(math.exp(-2)), math.log(2), math.log1p(math.exp(2))]
    assert metrics["loss.cross_entropy"] == pytest.approx((sum(losses) / 4 + math.log(2)) / 2)
    assert metrics["loss.cross_entropy.samples"] == pytest.approx((sum(losses) + math.log(2)) / 5)


def test_unequal_classes_weigh_the_within_class_covariance_either_way():
    features = [[2, 0], [4, 0], [2, 0], [0, 0], [-2, 0]]
    metrics = measure(features, [0, 0, 0, 0, 1]).metrics
    assert metrics["nc1.pinv"] == pytest.approx((2 + 0) / 2 / 4 / 2)
    assert metrics["nc1.pinv.samples"] == pytest.approx(8 / 5 / 4 / 2)


@pytest.mark.parametrize("K", [2, 3, 10])
def test_a_collapsed_network_is_at_the_ideal_values(K):
    etf = np.eye(K) - 1 / K
    metrics = measure(np.repeat(3 * etf, 4, axis=0), np.repeat(np.arange(K), 4), 2 * etf).metrics
    zero = [
        *("nc1.pinv", "nc1.fuzziness", "nc1.trace", "nc1.relative", "cdnv.mean", "cdnv.max"),
        *("nc2.etf", "nc2.etf.unscaled", "nc2.etf.weights", "nc2.cosine", "nc2.cosine.weights"),
        *("nc2.equiangular", "nc2.equiangular.weights", "nc2.equinorm", "nc2.equinorm.weights"),
        *("nc3.etf", "nc3.etf.unscaled", "nc3.distance", "nc3.distance.directions", "nc3.angle"),
        *("gnc3", "ncc.error", "nc4.disagreement"),
    ]
    assert max(abs(metrics[name]) for name in zero) < 1e-6
    assert metrics["cosine.intra.min"] == pytest.approx(1, abs=1e-14)
    assert metrics["cosine.inter.max"] == pytest.approx(-1 / (K - 1), abs=1e-14)
    assert metrics["gnc2"] == pytest.approx(K / (K - 1), abs=1e-12)


def test_a_loss_far_below_the_rounding_of_one_keeps_its_digits():
    metrics = measure([[50.0], [-50.0]], [0, 1], [[1.0], [-1.0]]).metrics
    assert metrics["loss.cross_entropy"] == pytest.approx(math.exp(-100), rel=1e-13)
    assert metrics["logodds.mean"] == 100


def test_nc1_is_never_negative_where_features_are_float32_with_a_large_mean():
    rng = np.random.default_rng(0)
    features = (1e3 + 1e-3 * rng.normal(size=(60, 50))).astype(np.float32)
    assert measure(features, np.arange(60) % 3).metrics["nc1.pinv"] >= 0


def test_an_offset_far_above_the_spread_costs_no_digits():
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(4), 5)
    features = np.round(2**20 * (labels[:, None] + rng.normal(size=(20, 6)))) / 2**20
    plain, shifted = measure(features, labels), measure(features + 2.0**30, labels)
    of_uncentred = {"alpha", "nc1.relative", "nc2.gram", "gnc1", "nc1.spherical", "nc2.orthogonal"}
    fixed = {k: v for k, v in plain.metrics.items() if k not in of_uncentred}
    assert {k: shifted.metrics[k] for k in fixed} == pytest.approx(fixed, rel=1e-12)


def test_two_classes_far_nearer_than_the_rest_keep_the_digits_of_their_distance():
    close = 2.0**-26
    means = np.array([[1.0, 1.0], [1.0, 1.0 + close], [-1.0, 0.0]])
    pairs = [1 / close**2, 1 / 5, 1 / (4 + (1 + close) ** 2)]
    assert mean_cdnv(np.ones(3), means) == pytest.approx(sum(pairs) / 3, rel=1e-13)


@pytest.mark.parametrize("d", [1, 3])
def test_cosines_are_means_over_all_pairs_of_samples(d):
    rng = np.random.default_rng(d)
    labels = np.repeat(np.arange(3), [4, 2, 7])
    features = rng.normal(size=(13, d)) + 3 * rng.normal(size=(3, d))[labels]
    means = np.array([features[labels == c].mean(axis=0) for c in range(3)])
    x = features - means.mean(axis=0)
    cosines = np.array([[p @ q / (np.linalg.norm(p) * np.linalg.norm(q)) for q in x] for p in x])
    pairs = np.array([[cosines[labels == c][:, labels == e].mean() for e in range(3)]
                      for c in range(3)])  # fmt: skip
    intra, inter = np.diagonal(pairs), pairs[~np.eye(3, dtype=bool)]
    metrics = measure(features, labels).metrics
    for name, values in (("intra", intra), ("inter", inter)):
        for how in ("min", "mean", "max"):
            expected = getattr(values, how)()
            assert metrics[f"cosine.{name}.{how}"] == pytest.approx(expected, abs=1e-13)


def test_rounding_does_not_pass_for_rank():
    # Class means in one direction; all variability is orthogonal to it, so out of sight.
    direction, across = np.array([1.0, 2.0, 3.0]), np.array([3.0, 0.0, -1.0])
    features = [c * direction + s * across for c in (0.1, 0.3, 0.7, 1.1) for s in (1, -1)]
    metrics = measure(features, np.repeat(np.arange(4), 2)).metrics
    assert metrics["nc1.pinv"] < 1e-25
    assert metrics["gnc1"] < 1e-25


@pytest.mark.parametrize("temperature", [0.05, 1, 30.0])
def test_the_temperature_divides_the_cosines(temperature):
    given = hard_case().arrays
    metrics = measure(*given, temperature=temperature).metrics
    exact = reference(*given, temperature=temperature)
    assert far(metrics, exact, floor=1e-280) == []
    plain = measure(*given).metrics
    same = metrics.keys() - {"loss.cross_entropy.spherical"}
    assert {k: metrics[k] for k in same} == {k: plain[k] for k in same}


def test_a_layer_on_the_sphere_has_the_loss_of_its_logits_over_the_temperature():
    features, labels, weights, _ = hard_case().arrays

    def unit(rows):
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    scaled = measure(unit(features), labels, unit(weights) / 0.2).metrics
    found = measure(features, labels, weights, temperature=0.2).metrics
    assert found["loss.cross_entropy.spherical"] == pytest.approx(scaled["loss.cross_entropy"])


@pytest.mark.parametrize("temperature", [0, -1, 1e-9, math.nan, math.inf, "cold", True])
def test_a_temperature_outside_its_range_is_named(temperature):
    with pytest.raises(InputError, match=r"^temperature = "):
        measure(SHEARED, TWO, AXIS, temperature=temperature)


def test_tensors_of_any_float_type_are_measured_like_arrays():
    torch = pytest.importorskip("torch")
    features, labels, weights, bias = hard_case().arrays
    for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
        tensor = torch.tensor(features, dtype=dtype, requires_grad=True)
        same = measure(tensor.detach().double().numpy(), labels, weights, bias)
        assert measure(tensor, torch.tensor(labels), torch.tensor(weights), bias) == same


def test_labels_may_be_any_integers_without_weights():
    features, labels, _, _ = hard_case().arrays
    renamed = np.array([-5, 7, 100, 2**40])[labels]
    assert measure(features, renamed) == measure(features, labels)


def test_without_weights_only_metrics_of_features_are_there():
    metrics = measure(SHEARED, TWO).metrics
    assert set(metrics) == {name for name in METRICS if not METRICS[name].needs_weights}


def test_metrics_of_collapse_say_where_they_are_zero():
    silent = {"nc3.cosine", "nc3.cosine.centred"}  # higher is nearer: their angles say it
    of_collapse = {name for name in METRICS if name.startswith(("nc", "cdnv", "gnc1", "gnc3"))}
    said = {name for name in METRICS if METRICS[name].zero}
    assert said == of_collapse - silent - {"gnc3.unscaled"}


def test_every_metric_is_defined_in_the_table_and_nothing_else_is_measured():
    assert list(measure(SHEARED, TWO, AXIS).metrics) == list(METRICS)


WITHOUT_WEIGHTS = {
    *("gnc2", "gnc3", "centre.weights", "nc2.etf.weights", "nc2.cosine.weights"),
    *("nc2.equiangular.weights", "nc2.equinorm.weights", "nc3.etf", "nc3.etf.unscaled"),
    *("nc3.orthogonal", "nc3.distance", "nc3.distance.directions", "rank.weights"),
    *("rank.weights.stable", "cosine.rows.max", "margin.relative.mean", "margin.spherical.mean"),
}


@pytest.mark.parametrize(
    ("features", "labels", "weights", "names"),
    [
        (
            [[1, 0], [-1, 0], [0, 0]],
            [0, 0, 1],
            None,
            {
                *("nc1.pinv", "nc1.fuzziness", "nc1.trace", "cdnv.mean", "cdnv.max", "nc2.etf"),
                *("nc2.etf.unscaled", "nc2.orthogonal", "nc2.equiangular", "gnc1"),
                *("rank.means", "rank.means.effective", "cosine.means.mean"),
            },
        ),
        ([[1.0], [0.0], [-1.0]], [0, 1, 2], None, {"nc2.etf", "cosine.intra.min"}),
        ([[1.0], [2.0]], [0, 1], [[0.0], [0.0]], WITHOUT_WEIGHTS),
        ([[1.0], [2.0]], [0, 1], [[3.0], [3.0]], {"cosine.weights.mean", "nc3.cosine"}),
        (
            [[0.0], [2.0]],
            [0, 1],
            [[1.0], [3.0]],
            {"gnc3", "cosine.weights.mean", "margin.relative.min", "margin.spherical.mean"},
        ),
        ([[0.0], [2.0]], [0, 1], [[0.0], [3.0]], {"nc2.cosine.weights", "nc2.equiangular.weights"}),
        ([[0.0], [0.0]], [0, 1], None, {"nc1.relative", "nc1.pinv", "gnc1", "cosine.inter.max"}),
    ],
)
def test_what_does_not_exist_is_named_with_its_reason(features, labels, weights, names):
    result = measure(features, labels, weights)
    assert names <= result.undefined.keys()
    assert not result.undefined.keys() & result.metrics.keys()
    assert all(result.undefined.values()) and np.isfinite(list(result.metrics.values())).all()
    assert result.to_dict()["undefined"] == result.undefined


BAD = {
    "NaN": ("features", [[math.nan, 1], [1, 2]], [0, 1], None, None),
    "infinity": ("features", [[math.inf, 1], [1, 2]], [0, 1], None, None),
    "empty": ("features", np.zeros((0, 2)), np.zeros(0, int), None, None),
    "no dimension": ("features", np.zeros((2, 0)), [0, 1], None, None),
    "vector": ("features", [1.0, 2.0], [0, 1], None, None),
    "ragged": ("features", [[1.0], [2.0, 3.0]], [0, 1], None, None),
    "text": ("features", [["a"], ["b"]], [0, 1], None, None),
    "complex": ("features", [[1j], [2j]], [0, 1], None, None),
    "squares overflow": ("features", [[1e200], [1.0]], [0, 1], None, None),
    "squares vanish": ("features", [[1e-200], [0.0]], [0, 1], None, None),
    "too few labels": ("labels", [[1.0], [2.0]], [0], None, None),
    "one class": ("labels", [[1.0], [2.0]], [3, 3], None, None),
    "fractions as labels": ("labels", [[1.0], [2.0]], [0.0, 1.0], None, None),
    "text as labels": ("labels", [[1.0], [2.0]], ["cat", "dog"], None, None),
    "one-hot labels": ("labels", [[1.0], [2.0]], [[1, 0], [0, 1]], None, None),
    "label without weights": ("labels", [[1.0], [2.0]], [0, 2], [[1.0], [2.0]], None),
    "negative label": ("labels", [[1.0], [2.0]], [-1, 0], [[1.0], [2.0]], None),
    "weights without label": ("labels", [[1.0], [2.0]], [0, 1], [[1.0], [2.0], [3.0]], None),
    "weights of another d": ("weights", [[1.0], [2.0]], [0, 1], [[1.0, 1.0], [2.0, 1.0]], None),
    "weights NaN": ("weights", [[1.0], [2.0]], [0, 1], [[1.0], [math.nan]], None),
    "bias alone": ("bias", [[1.0], [2.0]], [0, 1], None, [1.0, 2.0]),
    "bias of another K": ("bias", [[1.0], [2.0]], [0, 1], [[1.0], [2.0]], [1.0]),
    "bias infinite": ("bias", [[1.0], [2.0]], [0, 1], [[1.0], [2.0]], [1.0, -math.inf]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_that_names_the_parameter(case):
    parameter, *given = BAD[case]
    with pytest.raises(InputError) as caught:
        measure(*given)
    assert caught.value.parameter == parameter
    assert "\n" not in str(caught.value) and "must be" in str(caught.value)


def test_a_class_of_one_sample_is_measured():
    assert measure([[1.0], [2.0], [5.0]], [0, 0, 1]).metrics["cdnv.mean"] == pytest.approx(
        0.25 / (2 * 3.5**2)
    )


def test_many_blocks_of_samples_give_the_metrics_of_one(monkeypatch):
    given = hard_case().arrays
    whole = measure(*given).metrics
    many = [np.repeat(a, 40, axis=0) for a in given[:2]] + list(given[2:])
    monkeypatch.setattr(door, "_BLOCK_ENTRIES", 1)
    assert measure(*many).metrics == pytest.approx(whole, rel=1e-12)


def test_float32_features_are_never_copied_to_float64_whole():
    features = np.random.default_rng(0).normal(size=(60_000, 100)).astype(np.float32)
    labels = np.arange(60_000) % 10
    measure(features[:1000], labels[:1000])  # loads the compiled loops, once
    tracemalloc.start()
    measure(features, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < features.nbytes


def test_many_classes_are_compared_in_blocks(monkeypatch):
    given = hard_case(K=7, d=3).arrays
    whole = measure(*given).metrics
    monkeypatch.setattr(geometry, "_BLOCK_ENTRIES", 14)
    assert measure(*given).metrics == pytest.approx(whole, rel=1e-13)


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, ncbounds.measure; print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ["torch", "sympy", "sklearn", "scipy", "flint", "safetensors"]
    command = [sys.executable, "-c", code, *heavy]
    assert subprocess.run(command, capture_output=True, check=True).stdout.strip() == b"[]"


def test_the_package_itself_measures():
    assert ncbounds.measure(SHEARED, TWO) == measure(SHEARED, TWO)


def test_a_measurement_is_plain_data_and_a_table():
    result = measure(SHEARED, TWO)
    assert result.to_dict().keys() == {"n", "d", "K", "metrics"}
    assert "<code>nc1.pinv</code>" in result._repr_html_()


def test_a_frame_has_a_row_for_each_metric_and_the_reason_of_what_is_undefined():
    pytest.importorskip("pandas")
    found = measure([[1.0, 0.0], [1.0, 2.0], [1.0, 0.0], [1.0, 2.0]], [0, 0, 1, 1])
    frame = found.to_frame()
    assert found.undefined and set(frame.index) == found.metrics.keys() | found.undefined.keys()
    assert list(frame.index) == [name for name in METRICS if name in frame.index]
    for name, row in frame.iterrows():
        assert row["what"] == METRICS[name].what and row["source"] == METRICS[name].source
        assert row["direction"] == METRICS[name].direction
        assert row["undefined"] == found.undefined.get(name, "")
        assert np.isnan(row["value"]) if row["undefined"] else row["value"] == found.metrics[name]


def test_a_frame_without_pandas_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match="pip install pandas"):
        measure(SHEARED, TWO).to_frame()
