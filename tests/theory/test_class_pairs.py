"""How near the worst case the bounds on pairs of classes are, by instances built for it."""

import numpy as np
import pytest
from explicit_networks import rotated_simplex

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.theory import statement
from ncbounds.theory.proximity.class_pairs import (
    gram_gap,
    largest_eigenvalue,
    off_class_size,
    pair_gap,
)

GRAM = next(v.claim for v in statement("bnwd:sharp-4").variants if v.reading == "Gram matrix")


def instance(C, T, s):
    """The rotated simplex as an instance of a claim, one feature a class."""
    means, weights = rotated_simplex(C, T, s)
    return {"w": weights[None], "h": means[None, :, None, :]}


def shares(C, T, s):
    """lhs/rhs of both conclusions at the rotated simplex."""
    judged = GRAM.judge(numpy_namespace(), **instance(C, T, s))
    return {c.name: float(c.lhs[0] / c.rhs[0]) for c in judged.conclusions}


@pytest.mark.parametrize(
    ("C", "T", "s", "share"),
    [
        (10, 7.05, 0.0046, 0.88),
        (10, 8.33, 0.0214, 0.81),
        (10, 20.0, 0.0001, 0.85),
        (100, 12.0, 0.01, 0.96),
        (100, 30.0, 0.001, 0.97),
    ],
)
def test_an_explicit_instance_comes_close_to_the_bound_on_gram_matrices(C, T, s, share):
    found = shares(C, T, s)["mean"]
    assert share < found <= 1


def test_without_the_off_class_logits_the_bound_is_off_by_the_more_the_larger_T():
    assert shares(10, 7.05, 0.0001)["root mean square"] > 0.75
    assert shares(10, 40.0, 0.0001)["root mean square"] < 0.45


def test_the_bound_with_off_class_logits_is_never_the_larger():
    xp, rng = numpy_namespace(), np.random.default_rng(0)
    C = rng.integers(2, 200, size=5000).astype(float)
    T, s = 10 ** rng.uniform(-3, 3, 5000), 10 ** rng.uniform(-8, 0, 5000)
    o = np.sqrt(C / (C - 1)) * (1 + rng.exponential(size=5000))
    Y = rng.exponential(size=5000) * 10 ** rng.uniform(-8, 0, 5000)
    joint = gram_gap(xp, C=C, T=T, o=o, s=s, Y=Y)
    assert (joint <= pair_gap(xp, C=C, o=o, s=s)).all()
    assert (joint >= 0).all()


def test_the_bound_on_eigenvalues_is_above_and_near():
    rng = np.random.default_rng(1)
    for C in (2, 3, 10, 50):
        rows = rng.normal(size=(20, C, 4))
        grams = [rows @ rows.transpose(0, 2, 1), (np.eye(C) - 1 / C)[None]]
        for gram in grams:
            truth = np.linalg.eigvalsh(gram)[:, -1]
            found = largest_eigenvalue(numpy_namespace(), gram)
            assert (found >= truth * (1 - 1e-12)).all()
            assert (found <= truth * C ** (1 / 128) * (1 + 1e-12)).all()


def test_the_lemma_on_log_moments_is_sharper_than_by_a_variance():
    G = 10 ** np.linspace(-12, 4, 400)
    assert (off_class_size(numpy_namespace(), G=G) < G + np.sqrt(G * G + 2 * G)).all()
