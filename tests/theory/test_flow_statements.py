"""The flow of unconstrained features and the batch-normalised optimum, at small numbers."""

from fractions import Fraction

import numpy as np
import pytest

from ncbounds.arithmetic.certified import certify
from ncbounds.arithmetic.floats import numpy_namespace, torch_namespace
from ncbounds.theory.unconstrained.linear_flow import factor_at, largest_factor
from ncbounds.theory.unconstrained.normalised_features import (
    batch_norm,
    decayed_risk,
    least_risk,
    optimum,
    squared_length,
)
from ncbounds.theory.unconstrained.square_model import strong_errors

XP = numpy_namespace()


def test_the_factor_off_the_subspace_is_approached_and_not_passed():
    top = largest_factor(XP, K=2.0, n=4.0)
    assert top == pytest.approx(np.exp(1 / 4))
    found = [factor_at(XP, K=2.0, n=4.0, t=t) for t in (0.0, 0.1, 1.0, 5.0)]
    assert found[0] == 1 and sorted(found) == found and found[-1] == pytest.approx(top)


@pytest.mark.parametrize(("m", "reached"), [(1, False), (2, True)])
def test_strong_collapse_needs_k_minus_1_dimensions(m, reached):
    """Three classes of one sample: the best rank-m factor of the simplex's Gram matrix."""
    values, vectors = np.linalg.eigh(np.eye(3) - 1 / 3)
    A = (vectors[:, -m:] * np.sqrt(values[-m:]))[None]
    first, second, third = strong_errors(XP, A[:, :, None, :], A, np.full((1, 3), 1 / 3))
    assert first[0] == pytest.approx(0 if reached else 1, abs=1e-12)
    assert second[0] == pytest.approx(0, abs=1e-12) and third[0] == pytest.approx(0, abs=1e-12)


def test_the_printed_optimum_is_right_at_one_weight_decay_alone():
    """(62) with its best weights costs K lambda (sqrt(n) - 1 - lambda)^2/(2 (1 + lambda)) more."""
    for lam, n in ((0.5, 4), (1.0, 4), (1.5, 4)):
        printed = 2 * (lam * n / (1 + lam) + lam) / 2
        least = least_risk(XP, K=2.0, n=float(n), m=2.0, lambda_=lam)
        excess = 2 * lam * (np.sqrt(n) - 1 - lam) ** 2 / (2 * (1 + lam))
        assert printed - least == pytest.approx(excess, abs=1e-12)


@pytest.mark.parametrize("m", [1, 2, 3])
@pytest.mark.parametrize("lam", [0.5, 1.3, 1.5])  # sqrt(2) is between the last two
def test_no_descent_ends_below_the_closed_form_and_one_ends_there(m, lam):
    torch = pytest.importorskip("torch")
    from scipy.optimize import minimize

    K, n, xp = 2, 2, torch_namespace()
    shapes = ((K, m), (m, K, n), (m,), (m,))
    cuts = np.cumsum([int(np.prod(s)) for s in shapes])

    def value(flat):
        x = torch.tensor(flat, requires_grad=True)
        pieces = torch.tensor_split(x, cuts[:-1].tolist())
        args = [p.reshape(1, *s) for p, s in zip(pieces, shapes, strict=True)]
        found = decayed_risk(xp, *args, torch.tensor([lam], dtype=torch.float64))[0]
        found.backward()
        return found.item(), x.grad.numpy()

    rng = np.random.default_rng(m)
    least = float(least_risk(XP, K=float(K), n=float(n), m=float(m), lambda_=lam))
    F = rng.standard_normal((1, *shapes[1]))
    best = np.concatenate([np.ravel(x) for x in optimum(XP, F, np.array([lam]))])
    starts = [rng.standard_normal(cuts[-1]), best + 0.05 * rng.standard_normal(cuts[-1])]
    options = {"maxiter": 200, "ftol": 1e-16, "gtol": 1e-9}
    ends = [
        minimize(value, start, jac=True, method="L-BFGS-B", options=options).fun for start in starts
    ]
    assert min(ends) >= least - 1e-10
    assert ends[1] == pytest.approx(least, abs=1e-9)


def test_features_at_the_optimum_are_an_orthogonal_frame_and_a_simplex_once_centred():
    K, n, lam = 3, 2, 0.25
    F = np.random.default_rng(0).standard_normal((1, 4, K, n))
    A, rows, gamma, v = optimum(XP, F, np.array([lam]))
    found = batch_norm(XP, rows, gamma, v)[0]
    assert np.ptp(found, axis=-1).max() < 1e-12 and found.min() > -1e-12
    means = found[..., 0].T
    length = squared_length(XP, n=float(n), lambda_=lam)
    assert means @ means.T == pytest.approx(length / n * np.eye(K), abs=1e-12)
    off = means - means.mean(axis=0)
    assert off @ off.T == pytest.approx(length / n * (np.eye(K) - 1 / K), abs=1e-12)
    assert np.linalg.norm(A) ** 2 == pytest.approx(K * length)


def test_certified_digits_of_the_least_risk_on_both_sides_of_the_threshold():
    point = {"K": Fraction(3), "n": Fraction(4), "m": Fraction(2)}
    below = certify(least_risk, {**point, "lambda": Fraction(1)}, 20)
    above = certify(least_risk, {**point, "lambda": Fraction(5, 2)}, 20)
    assert Fraction(below.value) == 5 and Fraction(above.value) == 6
