"""Laws that every metric obeys, measured in memory and from batches that are merged."""

import numpy as np
import pytest
from metric_example import EXACT
from metric_laws import (
    COUNTS,
    HARD,
    LAWS,
    POWERS,
    SYMMETRIES,
    WAYS,
    Case,
    broken_laws,
    broken_symmetries,
    case,
    collapsing,
    far,
    from_batches,
    in_memory,
    inexact,
    wrong_absences,
    wrong_directions,
    wrong_temperatures,
    wrong_values,
)

from ncbounds.measure import METRICS, measure


@pytest.fixture(params=WAYS)
def way(request):
    if request.param == "of tensors":
        pytest.importorskip("torch")
    return WAYS[request.param]


def test_every_metric_has_the_value_computed_by_hand(way):
    assert EXACT.keys() == METRICS.keys()
    assert wrong_values(way) == []


@pytest.mark.parametrize("way", ["in memory", "from batches"], indirect=True)
@pytest.mark.parametrize("symmetry", SYMMETRIES)
def test_symmetries_leave_every_metric_alone(way, symmetry):
    assert broken_symmetries(way, symmetry) == []


@pytest.mark.parametrize("way", ["in memory", "from batches"], indirect=True)
@pytest.mark.parametrize("law", LAWS)
def test_metrics_ignore_what_they_say_and_nothing_else(way, law):
    assert broken_laws(way, law) == []


@pytest.mark.parametrize("hard", HARD)
def test_metrics_agree_with_fifty_digits(way, hard):
    assert inexact(way, hard) == []


def test_classes_without_samples_are_left_out_of_what_compares_class_means(way):
    assert wrong_absences(way) == []


def test_the_temperature_is_that_of_one_loss(way):
    assert wrong_temperatures(way) == []


def test_collapse_moves_metrics_in_their_direction(way):
    assert wrong_directions(way) == []


@pytest.mark.parametrize("seed", range(8))
def test_batches_and_the_order_of_merging_change_nothing(seed):
    assert far(from_batches(case(), seed), in_memory(case()), rel=1e-12) == []


def test_metrics_are_zero_where_they_say_at_collapse():
    found = in_memory(collapsing(0.0))
    orthogonal = {"nc2.orthogonal", "nc3.orthogonal"}
    said = [name for name, metric in METRICS.items() if metric.zero and name not in orthogonal]
    assert max(abs(found[name]) for name in said) < 1e-6
    frame = Case(np.eye(4), np.arange(4), np.eye(4), np.zeros(4))
    assert max(in_memory(frame)[name] for name in orthogonal) < 1e-12


def test_margins_and_ranks_attain_their_bounds_at_collapse():
    found = in_memory(collapsing(0.0))
    for name in ("margin.relative.mean", "margin.relative.min", "margin.spherical.mean"):
        assert found[name] == pytest.approx(5 / 4, rel=1e-12)
    for name in ("rank.means", "rank.weights"):
        ranks = [found[name + end] for end in ("", ".stable", ".effective")]
        assert ranks == pytest.approx(3 * [4], rel=1e-12)


def test_margins_and_ranks_obey_their_bounds():
    for seed in range(30):
        c = case(seed=seed)
        found = in_memory(Case(c.h, c.y, c.W, 0 * c.b))
        for kind in ("relative", "spherical"):
            assert found[f"margin.{kind}.mean"] <= 4 / 3
        assert found["margin.relative.min"] <= found["margin.relative.mean"]
        for name in ("rank.means", "rank.weights"):
            rank, stable, effective = (found[name + end] for end in ("", ".stable", ".effective"))
            assert 1 <= stable <= effective <= rank


@pytest.mark.parametrize("factor", [2.0**-20, 3.0])
def test_sizes_scale_with_their_power(way, factor):
    c, before = case(), way(case())
    after = way(Case(factor * c.h, c.y, factor**2 * c.W, c.b))
    expected = {k: before[k] * factor ** (p + 2 * q) for k, (p, q) in POWERS.items()}
    assert far(after, expected, rel=1e-13) == []


@pytest.mark.parametrize(("d", "fixed"), [(3, True), (5, False)])
def test_linear_maps_leave_nc1_alone_where_class_means_span_the_space(d, fixed):
    # With d = K - 1 the pseudo-inverse is an inverse, which undoes any map; with more it is not.
    c, rng = case(), np.random.default_rng(4)
    L = rng.normal(size=(d, d))
    undone = c.W[:, :d] @ np.linalg.inv(L)
    before = measure(c.h[:, :d], c.y, c.W[:, :d], c.b).metrics
    after = measure(c.h[:, :d] @ L.T, c.y, undone, c.b).metrics
    same = METRICS.keys() - far(after, before, rel=1e-9)
    of_maps = {"nc1.pinv", "nc1.pinv.samples", "nc1.fuzziness", "gnc1"}
    of_logits = {
        *("loss.cross_entropy", "loss.cross_entropy.samples", "logodds.mean", "margin.mean"),
        *("margin.min", "nc3.etf.unscaled", "nc3.orthogonal", "gnc3.unscaled"),
    }
    kept = of_logits | (of_maps if fixed else set())
    assert kept <= same <= kept | COUNTS


def test_uncentred_nc1_does_not_vanish_where_noise_alone_spans_a_direction():
    # With d >= K the class means of an ETF sum to noise, which Sigma_B^+ blows up again.
    rng = np.random.default_rng(5)
    etf, y = np.eye(5) - 1 / 5, np.repeat(np.arange(5), 20)
    near = measure(etf[y] + 1e-3 * rng.normal(size=(100, 5)), y).metrics
    assert near["nc1.pinv"] < 1e-4
    assert near["gnc1"] > 1
