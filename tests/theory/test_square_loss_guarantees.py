"""Cases in which guarantees from the square loss hold with equality, and why conditions stand."""

import numpy as np
import pytest

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.theory import statement
from ncbounds.theory.square_loss import collapse, given_weights, margin_spread, weight_decay

XP = numpy_namespace()


def judged(id, reading, **instance):
    """The comparisons of a claim at one instance, by name."""
    (claim,) = [v.claim for v in statement(id).variants if v.reading == reading]
    found = claim.judge(XP, **{k: np.asarray(v, dtype=float)[None] for k, v in instance.items()})
    return {c.name: (float(c.lhs.ravel()[0]), float(c.rhs.ravel()[0])) for c in found.conclusions}


def simplex(C):
    return np.eye(C) - 1 / C


def either_side(C, s):
    """Two features a class at the rms norm of a simplex, on either side of its vertices."""
    v = simplex(C)
    alpha = np.sqrt(np.square(v).sum(axis=1).mean())
    away = alpha * np.sqrt(2 * s - s * s) * np.ones(C) / np.sqrt(C)
    return np.stack([(1 - s) * v + away, (1 - s) * v - away], axis=1)


@pytest.mark.parametrize("C", [2, 3, 5])
@pytest.mark.parametrize("s", [0.01, 0.05])
def test_two_features_on_either_side_of_an_etf_attain_collapse_and_cosines(C, s):
    """T = 1, so that e = s, and the scale is kept by a share of 1/(2 (1 - s))."""
    h, w, share = either_side(C, s), simplex(C), 1 / (2 * (1 / (1 - s)))
    of = judged(
        "square:sharp-2",
        "guarantees from the loss",
        w=w,
        h=h,
        bias=np.zeros(C),
        share=share,
        decay=0.0,
    )
    for name in ("mean margin", "NC1", "distance"):
        assert of[name][0] == pytest.approx(of[name][1], rel=1e-9), name
    of = judged("square:sharp-2", "cosines from the loss", w=w, h=h, share=share)
    for name in ("mean cosine", "intra-class cosine"):
        assert of[name][0] == pytest.approx(of[name][1], rel=1e-9), name


def test_a_loss_above_one_guarantees_nothing():
    """Margins -1 and 3: at rho = 1 the loss is 4, and the spread is 2."""
    of = margin_spread.moments(XP, np.array([[-1.0, 3.0]]), np.ones(1), np.zeros(1))
    assert of.data_loss[0] == 4 and of.variance[0] / of.mu[0] ** 2 == 4
    assert margin_spread.square_spread(XP, L=of.data_loss)[0] < 0


def test_the_least_regularised_loss_is_that_of_the_balanced_simplex():
    C, decay = 4, 0.3
    given = {"C": np.array([4.0]), "lambda_": np.array([decay])}
    product = weight_decay.best_product(XP, **given)[0]
    v = simplex(C) / np.sqrt(np.square(simplex(C)).sum(axis=1).mean())
    w, h = np.sqrt(product / 2) * v, np.sqrt(product * 2) * v  # alpha^2 = C beta^2
    of = judged(
        "square:sharp-3",
        "the gap, split",
        w=w,
        h=h[:, None],
        bias=np.zeros(C),
        share=np.sqrt(C) * decay / 2,
    )
    assert of["least"][0] == pytest.approx(of["least"][1], rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_ridge_regression_with_the_error_of_the_class_is_the_exact_worst_case(seed):
    """Features g +- n with W n = 0 have the square error of g, and var = 1 - |g|^2/alpha^2."""
    rng = np.random.default_rng(seed)
    w, y, mu = rng.normal(size=(2, 4)), rng.normal(size=2), 0.3
    g = np.linalg.solve(w.T @ w + mu * np.eye(4), w.T @ y)
    n = np.linalg.svd(w)[2][-1]
    of = judged("square:sharp-4", "a ridge certificate", w=w, h=[g + n, g - n], y=y, g=g, mu=mu)
    for name in ("variability", "norm", "inner product"):
        assert of[name][0] == pytest.approx(of[name][1], rel=1e-9), name


def test_any_vector_is_a_certificate_but_the_residual_is_the_best():
    rng = np.random.default_rng(5)
    w, y = rng.normal(size=(3, 5)), rng.normal(size=3)
    h = rng.normal(size=(40, 5)) * 0.1 + np.linalg.pinv(w) @ y * 0.8
    loss = np.square(h @ w.T - y).sum(axis=1).mean()
    mus = np.geomspace(1e-6, 1e6, 400)
    ridges = [y - w @ np.linalg.solve(w.T @ w + m * np.eye(5), w.T @ y) for m in mus]

    def reach(v):
        a = given_weights.product_with_mean(XP, v[None], y[None], np.array([loss]))[0]
        return max(a, 0) / np.linalg.norm(w.T @ v)

    best = max(map(reach, ridges))
    assert best <= np.linalg.norm(h.mean(axis=0))
    others = [rng.normal(size=3) for _ in range(300)]
    assert all(reach(v) <= best * (1 + 1e-3) for v in others)
    nearest = min(ridges, key=lambda v: abs(v @ v - loss))
    assert reach(nearest) == pytest.approx(best, rel=1e-3)


def test_outputs_are_split_along_their_target_and_off_it():
    rng = np.random.default_rng(2)
    w, h, bias = rng.normal(size=(1, 3, 4)), rng.normal(size=(1, 3, 2, 4)), rng.normal(size=(1, 3))
    of = collapse.outputs(XP, h, w, bias)
    target = np.broadcast_to(simplex(3)[:, None], (3, 2, 3))
    assert np.allclose((of.rest[0] * target).sum(axis=-1), 0)
    assert np.allclose(of.z[0], of.margins[0][..., None] * target + of.rest[0])
