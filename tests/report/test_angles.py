"""How near the worst case the bounds on angles of class means are, by instances built for it."""

import numpy as np
import pytest
from explicit_networks import rotated_simplex

import ncbounds
from ncbounds.measure.door import admit
from ncbounds.measure.information import gather
from ncbounds.report.angles import FEW
from ncbounds.report.guarantees import LEVELS, certificate


@pytest.mark.parametrize(
    ("C", "T", "s", "share"),
    [
        (10, 7.05, 0.0046, 0.92),
        (10, 8.33, 0.0214, 0.83),
        (10, 20.0, 0.0001, 0.95),
        (10, 40.0, 0.000001, 0.98),
        (30, 12.0, 0.01, 0.90),
    ],
)
def test_an_explicit_network_comes_close_to_the_bound_on_angles(C, T, s, share):
    h, W = rotated_simplex(C, T, s)
    found = ncbounds.compare(np.tile(h, (2, 1)), np.tile(np.arange(C), 2), W)
    (row,) = [b for b in found.bounds if (b.quantity, b.level) == ("nc2.cosine", LEVELS[3])]
    assert row.id == "bnwd:sharp-5"
    assert share < row.measured / float(row.bound) <= 1


def overfitted(seed, C=5, d=7, n=8):
    rng = np.random.default_rng(seed)
    W, bias = rng.normal(size=(C, d)), 0.1 * rng.normal(size=C)
    y = np.repeat(np.arange(C), n)
    h = 3 * (W - W.mean(axis=0))[y] + 0.2 * rng.normal(size=(C * n, d))
    return h, y, W, bias


@pytest.mark.parametrize("seed", range(4))
def test_ellipsoids_are_better_than_the_mean_cosine_to_known_directions(seed):
    found = certificate(gather(admit(*overfitted(seed)), centred=True), ".centred", True)
    rows = {(g.quantity, g.level): g for g in found.guarantees}
    for quantity in ("nc2.cosine", "cosine.inter.deviation"):
        assert rows[quantity, LEVELS[3]].id == "bnwd:sharp-5"
    # The same numbers with directions of the weights, in place of the h0.
    assert float(rows["cosine.inter.deviation", LEVELS[3]].bound) < float(
        rows["cosine.inter.deviation", LEVELS[0]].bound
    )


def test_a_class_of_which_nothing_is_known_is_named():
    h, y, W, bias = overfitted(0)
    h[y == 2] *= -1
    found = ncbounds.compare(h, y, W, bias)
    assert found.skipped["bnwd:sharp-5"] == "the losses of some class say nothing of its mean"
    assert not [b for b in found.bounds if b.id == "bnwd:sharp-5"]


def test_many_classes_say_what_is_missing():
    W = 9 * np.eye(FEW + 1)
    found = ncbounds.compare(W, np.arange(FEW + 1), W)
    assert found.skipped["bnwd:sharp-5"] == f"more than {FEW} classes"


@pytest.mark.parametrize("C", [2, 3])
def test_equal_rivals_and_few_classes(C):
    """No variance to see, or no other direction: the bound is of second order or plain."""
    W = np.zeros((C, 3))
    W[0, 0] = 4.0
    h = np.concatenate([W - W.mean(axis=0)] * 2) + 0.01 * np.eye(2 * C, 3)
    found = ncbounds.compare(h, np.tile(np.arange(C), 2), W)
    for row in found.bounds:
        assert row.holds
