"""Laws of the probabilities that `bnwd:sharp-3` asks for."""

import numpy as np
import pytest
from scipy.special import logsumexp

from ncbounds.errors import InputError
from ncbounds.measure.rival_weights import centre, certified, rival_weights


def layer(seed, C=6, d=9, scale=2.0):
    rng = np.random.default_rng(seed)
    return scale * rng.normal(size=(C, d)), rng.normal(size=C), rng


def log_odds_of(weights, bias, class_, features):
    logits = features @ weights.T + bias
    rivals = np.delete(logits, class_, axis=1) - logits[:, [class_]]
    return -logsumexp(rivals, axis=1)


@pytest.mark.parametrize("seed", range(12))
def test_class_mean_is_at_least_as_long_as_guaranteed(seed):
    weights, bias, rng = layer(seed)
    features = weights[2] * 2 + 0.3 * rng.normal(size=(20, 9))
    found = rival_weights(weights, 2, log_odds_of(weights, bias, 2, features).mean(), bias)
    assert found.reach <= np.linalg.norm(features.mean(axis=0)) * (1 + 1e-12)
    assert found.margin <= found.direction @ features.mean(axis=0) + 1e-9


@pytest.mark.parametrize("seed", range(12))
def test_no_other_probabilities_guarantee_more(seed):
    weights, bias, rng = layer(seed, C=5)
    best = rival_weights(weights, 1, 4.0, bias)
    assert best.probabilities[1] == 0
    assert best.probabilities.sum() == pytest.approx(1)
    for _ in range(200):
        mixed = np.where(np.arange(5) == 1, 0.0, rng.dirichlet(np.ones(5) / 2) + 1e-12)
        near = 0.99 * best.probabilities + 0.01 * mixed / mixed.sum()
        for pi in (mixed / mixed.sum(), near):
            assert certified(weights, bias, 1, 4.0, pi).reach <= best.reach * (1 + 1e-9)


def test_shortest_feature_attains_the_guarantee():
    weights, bias, _ = layer(3)
    found = rival_weights(weights, 0, 5.0, bias)
    feature = found.direction / np.linalg.norm(found.direction) * found.reach
    assert log_odds_of(weights, bias, 0, feature[None])[0] == pytest.approx(5.0, abs=1e-6)


def test_an_etf_has_uniform_probabilities():
    found = rival_weights(3 * (np.eye(7) - 1 / 7), 4, 6.0)
    assert found.probabilities == pytest.approx(np.where(np.arange(7) == 4, 0, 1 / 6))
    assert found.margin == pytest.approx(6 + np.log(6))


def test_large_losses_guarantee_nothing():
    weights, bias, _ = layer(5)
    assert rival_weights(weights, 0, -20.0, bias).reach == 0.0


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_any_scale_gives_probabilities(scale):
    weights, _, _ = layer(7, scale=scale)
    found = rival_weights(weights, 0, 8.0)
    assert np.isfinite(found.probabilities).all()
    assert found.reach * scale == pytest.approx(
        rival_weights(weights / scale, 0, 8.0).reach, rel=1e-6
    )


def test_equal_weights_guarantee_nothing():
    assert rival_weights(np.ones((3, 4)), 0, 2.0).reach == 0.0


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [
        ((np.ones(3), 0, 1.0), "weights"),
        ((np.ones((3, 2)), 3, 1.0), "class"),
        ((np.ones((3, 2)), 0, np.nan), "log_odds"),
        ((np.ones((3, 2)), 0, 1.0, np.ones(2)), "bias"),
        ((np.full((3, 2), np.inf), 0, 1.0), "weights"),
    ],
)
def test_bad_input_names_the_parameter(arguments, parameter):
    with pytest.raises(InputError, match=parameter):
        rival_weights(*arguments)


@pytest.mark.parametrize("seed", range(6))
def test_the_centre_is_where_its_probabilities_are_the_softmax(seed):
    weights, bias, _ = layer(seed)
    found = rival_weights(weights, 1, 4.0, bias)
    polished = centre(weights, bias, 1, found)
    own = np.arange(6) != 1
    h = (weights[1] - polished.probabilities @ weights) / polished.mu
    logits = ((weights - weights[1]) @ h + bias - bias[1])[own]
    away = np.log(polished.probabilities[own]) - (logits - logsumexp(logits))
    assert abs(away).max() < 1e-11
    assert np.linalg.norm(h) == pytest.approx(found.reach, rel=1e-6)


def test_there_is_no_centre_where_nothing_is_guaranteed():
    weights, bias, _ = layer(5)
    assert centre(weights, bias, 0, rival_weights(weights, 0, -20.0, bias)).mu == 0
