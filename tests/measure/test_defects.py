"""The splits of the loss gap: exact, non-negative, and by name."""

import math

import numpy as np
import pytest

from ncbounds.errors import InputError
from ncbounds.measure.defects import MEASURED, SPLITS, loss_gap


def network(K=4, N=3, d=6, scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(K), N))
    weights = rng.normal(size=(K, d))
    features = scale * (weights[labels] + rng.normal(size=(K * N, d)))
    return features, labels, weights


@pytest.mark.parametrize("K", [2, 3, 10])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 3.0])
def test_every_split_adds_up_to_its_gap_and_no_term_is_negative(K, scale):
    found = loss_gap(*network(K, scale=scale), weight_decay=0.05)
    for split, words in SPLITS.items():
        terms = [found[f"{split}.{defect}"] for defect in words]
        assert sum(terms) == pytest.approx(found[f"{split}.gap"], rel=1e-9, abs=1e-12)
        assert min(terms) >= -1e-12
    assert len(found) == len(MEASURED) + sum(1 + len(words) for words in SPLITS.values())


def test_at_collapse_nothing_is_left_but_what_weight_decay_asks_for():
    simplex = np.eye(3) - 1 / 3
    found = loss_gap(3 * simplex, [0, 1, 2], 2 * simplex, weight_decay=0.01)
    assert [found[f"log.{defect}"] for defect in SPLITS["log"]] == pytest.approx([0, 0, 0])
    assert found["gap.gap"] == pytest.approx(0, abs=1e-12)
    assert found["reg.margins"] + found["reg.self_duality"] == pytest.approx(found["reg.gap"])


def test_the_minimum_of_the_regularised_loss_has_no_gap():
    K, decay = 3, 0.02
    k, combined = K / (K - 1), math.sqrt(K) * decay
    product = math.log(K / combined - K + 1) / k
    simplex = (np.eye(K) - 1 / K) / math.sqrt((K - 1) / K)
    alpha = math.sqrt(product * math.sqrt(K))
    features, weights = alpha * simplex, product / alpha * simplex
    found = loss_gap(features, np.arange(K), weights, decay)
    assert found["reg.gap"] == pytest.approx(0, abs=1e-14)


def test_the_numbers_are_those_that_are_measured():
    import ncbounds

    features, labels, weights = network()
    found, metrics = loss_gap(features, labels, weights), ncbounds.measure(*network()).metrics
    assert found["loss"] == pytest.approx(metrics["loss.cross_entropy"])
    assert found["log_odds"] == pytest.approx(metrics["logodds.mean"])
    assert found["alpha"] == pytest.approx(metrics["alpha"])
    assert found["beta"] == pytest.approx(metrics["beta"])
    assert found["centre"] == pytest.approx(metrics["centre.weights"] * metrics["beta"] ** 2)
    assert found["nc1.relative"] == pytest.approx(metrics["nc1.relative"])
    assert found["nc3.cosine"] == pytest.approx(metrics["nc3.cosine"])
    assert found["margin"] - found["off_class"] == pytest.approx(found["log_odds"])


def test_without_weight_decay_there_is_no_regularised_gap():
    assert not any(name.startswith("reg.") for name in loss_gap(*network()))


@pytest.mark.parametrize(
    ("given", "parameter"),
    [
        (([[1.0], [2.0], [3.0]], [0, 0, 1], [[1.0], [2.0]]), "labels"),
        (([[1.0], [2.0]], [0, 1], None), "weights"),
        (([[0.0], [0.0]], [0, 1], [[1.0], [2.0]]), "features, weights"),
        (([[1.0], [2.0]], [0, 1], [[2.0], [2.0]]), "features, weights"),
        (([[math.nan], [2.0]], [0, 1], [[1.0], [2.0]]), "features"),
        (([[1e4], [-1e4]], [0, 1], [[1.0], [-1.0]]), "weights"),
        ((*network(), -1e-3), "weight_decay"),
        ((*network(), 0.5), "weight_decay"),
        ((*network(), math.nan), "weight_decay"),
    ],
)
def test_bad_input_is_named(given, parameter):
    with pytest.raises(InputError) as caught, np.errstate(all="ignore"):
        loss_gap(*given)
    assert caught.value.parameter == parameter
