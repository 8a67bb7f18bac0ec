"""The network that loses half of its classes is what its closed form says."""

import numpy as np
import pytest

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.theory.proximity.near_optimal_loss import last_layer, minimum_loss
from ncbounds.theory.proximity.printed_theorem import (
    half_lost,
    inter_class_cosines,
    intra_class_cosines,
    printed_inter,
    printed_intra,
)

XP = numpy_namespace()


def network(n, product, opposite):
    """Weights and features of 2n classes of which n are lost, and a dimension for these."""
    C, tiny = 2 * n, product / (2 * n)
    own = 2 * product / np.sqrt(1 + tiny**2)
    simplex = (np.eye(n) - 1 / n) * np.sqrt(n / (n - 1))
    w, h = np.zeros((C, n + 1)), np.zeros((C, 2, n + 1))
    w[:n, :n] = own * simplex
    h[:n, :, :n] = simplex[:, None, :]
    h[n:, :, n] = tiny
    if opposite:
        h[n:, 1] *= -1
    return w[None], h[None]


@pytest.mark.parametrize("n", [2, 3, 7])
@pytest.mark.parametrize("opposite", [True, False])
def test_the_claim_speaks_of_this_network(n, opposite):
    size, share, part = 3.0, 0.5, 0.25
    product = size / (200 * n)
    w, h = network(n, product, opposite)
    net = last_layer(XP, h, w)
    given = {"C": 2.0 * n, "alpha": net.alpha[0], "beta": net.beta[0]}
    assert given["alpha"] * given["beta"] == pytest.approx(product)
    epsilon = net.loss[0] - minimum_loss(XP, **given)
    rest = {**given, "epsilon": epsilon, "kappa": 100 * part}
    intra = printed_intra(XP, **rest, delta=share / 2)
    inter = printed_inter(XP, **rest, delta=share * (n - 1) / (2 * (2 * n - 1)))
    arrays = {
        name: np.array([value])
        for name, value in {"n": n, "size": size, "share": share, "part": part}.items()
    }
    judged = half_lost(XP, **arrays)
    assert judged.conclusions[0].lhs[0] == pytest.approx(intra, rel=1e-6)
    assert judged.conclusions[1].rhs[0] == pytest.approx(inter, rel=1e-6)
    lost = n * (n - 1) // 2
    if opposite:
        assert np.sum(np.abs(intra_class_cosines(XP, h)) < 1e-12) == n
    else:
        assert np.sum(inter_class_cosines(XP, h) > 1 - 1e-12) == lost
    assert lost / (n * (2 * n - 1)) > share * (n - 1) / (2 * (2 * n - 1))


def test_the_gap_is_about_the_square_of_the_product_over_the_number_of_classes():
    for n in (100, 10_000):
        C, size = 2 * n, 0.1
        arrays = {
            name: np.array([value])
            for name, value in {"n": n, "size": size, "share": 0.5, "part": 0.5}.items()
        }
        product = size / (100 * C)
        epsilon = half_lost(XP, **arrays).hypotheses[0].lhs[0] / 1000
        assert epsilon == pytest.approx(product**2 / (2 * C), rel=0.05)
