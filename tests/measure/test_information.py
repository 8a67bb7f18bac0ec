"""Every number that a guarantee starts from encloses the truth, and hardly more."""

from fractions import Fraction

import numpy as np
import pytest

from ncbounds.arithmetic import balls
from ncbounds.errors import InputError
from ncbounds.measure.door import admit
from ncbounds.measure.information import enclose, gather
from ncbounds.theory.proximity.near_optimal_loss import (
    class_mean,
    last_layer,
    phi_inverse,
    square_norm,
)

CASES = [
    (K, d, n, scale, kind, bias, centred)
    for K, d, n in ((2, 1, 3), (4, 7, 5), (7, 3, 2))
    for scale, kind in ((1.0, np.float64), (1e-6, np.float32), (40.0, np.float32))
    for bias, centred in ((False, False), (True, False), (True, True))
]


def model(K, d, n, scale, kind, bias, seed=0):
    rng = np.random.default_rng(seed)
    features = (scale * rng.normal(size=(K * n, d)) + 3 * scale).astype(kind)
    weights = rng.normal(size=(K, d)).astype(kind)
    return features, np.repeat(np.arange(K), n), weights, rng.normal(size=K) if bias else None


def truth(features, weights, bias, centre, K):
    """The same numbers in exact arithmetic from the same floats, class by class."""
    h = balls.asarray(features.astype(np.float64).reshape(1, K, -1, features.shape[1]))
    w = balls.asarray(weights.astype(np.float64)[None])
    b = np.zeros(K) if bias is None else bias
    net = last_layer(balls, h, w, balls.asarray(b[None]))
    h = h - balls.asarray(centre[None, None, None])
    at_centre = balls.sum(w * balls.asarray(centre[None, None]), axis=-1) + balls.asarray(b[None])
    odds = phi_inverse(balls, net.losses, K - 1)
    mean_features = balls.mean(h, axis=2)
    return {
        "alpha": balls.sqrt(class_mean(balls, square_norm(balls, h))),
        "beta": net.b,
        "loss": net.loss,
        "log_odds": class_mean(balls, odds),
        "class_alpha": balls.sqrt(balls.mean(square_norm(balls, h), axis=-1)),
        "class_log_odds": balls.mean(odds, axis=-1),
        "mean_logits": mean_features @ balls.matrix_transpose(w),
        "bias": at_centre,
    }, odds


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_number_encloses_the_truth_and_is_narrow(case):
    K, d, n, scale, kind, bias, centred = case
    features, labels, weights, b = model(K, d, n, scale, kind, bias)
    samples = admit(features, labels, weights, b)
    known = gather(samples, centred=centred)
    means = np.stack([features[labels == c].astype(np.float64).mean(axis=0) for c in range(K)])
    centre = means.mean(axis=0) if centred else np.zeros(d)
    with balls.precision(300):
        if centred:  # the very vector that was subtracted
            from ncbounds.measure.moments import class_means

            centre = class_means(samples).uncentred.mean(axis=0)
        true, sample_odds = truth(features, weights, b, centre, K)
        for name, value in true.items():
            found = np.ravel(np.asarray(getattr(known, name), dtype=object))
            for inner, outer in zip(value.data.ravel(), found, strict=True):
                assert outer.contains(inner.mid()), name
                assert float(outer.rad()) <= 1e-9 * (1 + abs(float(inner.mid()))), name
        for c in range(K):
            for low, inner in zip(known.sample_log_odds[c], sample_odds.data[0, c], strict=True):
                assert low <= inner and inner - low < 1e-9 * (1 + abs(inner))


def test_given_numbers_are_as_exact_as_their_type():
    assert enclose(Fraction(1, 3), "loss").contains(balls.ball(Fraction(1, 3)))
    assert enclose(2, "loss") == 2
    wide = enclose(np.float32(0.1), "loss")
    assert wide.contains(balls.ball(0.1)) and 1e-7 < float(wide.rad()) < 1e-6
    assert float(enclose(0.1, "loss").rad()) < 1e-12


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), "a", None, [1, 2]])
def test_no_number_is_refused(wrong):
    with pytest.raises(InputError, match="loss"):
        enclose(wrong, "loss")


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e9])
def test_centred_numbers_are_those_of_the_exact_global_mean(offset):
    """Classes of unequal size, far from the origin: the centre itself is rounded."""
    rng = np.random.default_rng(1)
    counts, C, d = [1, 4, 7], 3, 4
    labels = np.repeat(np.arange(C), counts)
    features = rng.normal(size=(12, d)) + offset * rng.normal(size=d)
    weights, bias = rng.normal(size=(C, d)), rng.normal(size=C)
    known = gather(admit(features, labels, weights, bias), centred=True)
    h = [[[Fraction(x) for x in row] for row in features[labels == c]] for c in range(C)]
    means = [[sum(column) / len(rows) for column in zip(*rows, strict=True)] for rows in h]
    centre = [sum(column) / C for column in zip(*means, strict=True)]
    squares = [
        sum((x - m) ** 2 for row in rows for x, m in zip(row, centre, strict=True)) / len(rows)
        for rows in h
    ]
    with balls.precision(300):
        assert known.alpha.contains(balls.ball(sum(squares) / C).sqrt())
        for c in range(C):
            assert known.class_alpha[c].contains(balls.ball(squares[c]).sqrt())
            for r in range(C):
                w = [Fraction(x) for x in weights[r]]
                at_centre = sum(x * m for x, m in zip(w, centre, strict=True))
                at_mean = sum(x * m for x, m in zip(w, means[c], strict=True))
                assert known.mean_logits[c, r].contains(balls.ball(at_mean - at_centre))
                assert known.bias[r].contains(balls.ball(at_centre + Fraction(bias[r])))
    assert float(known.alpha.rad()) < 1e-13 * (1 + offset)


def test_weights_that_share_a_large_part_keep_a_narrow_norm():
    rng = np.random.default_rng(0)
    weights = 1e-6 * rng.normal(size=(5, 3)) + 1e6
    known = gather(admit(rng.normal(size=(5, 3)), np.arange(5), weights, None))
    with balls.precision(300):
        w = balls.asarray(weights[None])
        wdot = w - balls.mean(w, axis=1)[:, None, :]
        exact = balls.sqrt(balls.mean(square_norm(balls, wdot), axis=-1)).data[0]
        assert known.beta.contains(exact.mid())
    assert known.beta > 0
    assert float(known.beta.rad()) < 1e-2 * float(known.beta.mid())


@pytest.mark.parametrize("scale", [1e3, 1e9, 1e30])
def test_losses_of_huge_logits_are_enclosed(scale):
    """Where a loss underflows, and where its rounding error is larger than itself."""
    features, weights = scale * np.eye(3), np.eye(3)
    weights[0] = weights[1]
    known = gather(admit(features, np.arange(3), weights, None))
    assert (known.loss.is_finite() and known.loss >= 0) or known.loss.contains(0)
    with balls.precision(4000):
        exact, _ = truth(features, weights, None, np.zeros(3), 3)
    assert known.loss.overlaps(exact["loss"].data.ravel()[0])
    assert known.log_odds.overlaps(exact["log_odds"].data.ravel()[0])


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.uint16])
def test_integers_of_numpy_are_exact(kind):
    assert enclose(kind(7), "loss") == 7
