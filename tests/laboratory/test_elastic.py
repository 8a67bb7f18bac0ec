"""Locally elastic dynamics: exact spectra, closed forms, simulation, separation."""

from fractions import Fraction

import numpy as np
import pytest

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.errors import InputError
from ncbounds.laboratory import elastic
from ncbounds.theory.elasticity import separation

START = np.random.default_rng(1).standard_normal((4, 4))
TIMES = (0.0, 0.5, 2.0, 8.0)


@pytest.mark.parametrize("K", range(2, 7))
def test_the_spectrum_is_exact_for_every_number_of_classes(K):
    for m in (K, K + 1, 2 * K) if K < 5 else (K,):
        assert elastic.spectrum_is_exact(K, Fraction(5, 3), Fraction(-2, 7), m)
    assert sum(e.multiplicity for e in elastic.spectrum(K, Fraction(2), Fraction(1))) == K * K


def test_twice_as_many_dimensions_as_classes_make_impacts_between_classes_invisible():
    assert elastic.spectrum(3, Fraction(2), Fraction(-9), 6)[0] == elastic.Eigenvalue(
        Fraction(2), 3
    )


@pytest.mark.parametrize(("alpha", "beta"), [(1, -0.5), (1, 0), (1, 0.5), (-1, 3), (0.5, -1.5)])
def test_closed_form_and_integration_agree_to_1e_minus_9(alpha, beta):
    closed = elastic.residual_means(START, alpha, beta, TIMES)
    found = elastic.integrate(START, alpha, beta, TIMES)
    scale = np.abs(closed).max(axis=(1, 2), keepdims=True)
    assert np.abs((found - closed) / scale).max() < 1e-9
    T = np.array([[2.0, 1, 0, 0], [1, 2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    closed = elastic.common_means(START, T, alpha, beta, TIMES)
    found = elastic.integrate(START, alpha, beta, TIMES, T)
    scale = np.abs(closed).max(axis=(1, 2), keepdims=True)
    assert np.abs((found - closed) / scale).max() < 1e-9


@pytest.mark.parametrize(("beta", "aligned"), [(-0.2, True), (0.2, False)])
def test_the_sign_of_beta_decides_whether_class_means_become_a_simplex(beta, aligned):
    end = elastic.residual_means(START, 1.0, beta, [400.0])[0]
    assert (elastic.alignment(end).gram < 1e-6) == aligned


def test_nu_need_not_be_positive_and_the_orientation_is_that_of_the_start():
    K, alpha, beta = 4, -1.0, -2.0
    assert alpha + (K - 1) * beta < 0
    for start in (START, -START):
        found = elastic.alignment(elastic.residual_means(start, alpha, beta, [120.0])[0])
        assert found.cosine == pytest.approx(np.sign(elastic.alignment(start).tau))


def test_features_spread_as_the_drive_says():
    start = 3 * (np.eye(3) - 1 / 3)
    settings = {"times": (0.0, 6.0), "samples": 400, "noise": 0.5, "seed": 3}
    by_means = elastic.simulate(start, 3.0, -1.0, **settings)[-1]
    assert by_means.var(axis=1).mean() == pytest.approx(0.25 * 6, rel=0.1)
    by_themselves = elastic.simulate(start, 3.0, -1.0, drive="own", **settings)[-1]
    assert elastic.variability(by_themselves) > 20 * elastic.variability(by_means)


def test_separation_along_the_difference_and_along_any_direction():
    for signal in (0.0, 2.0, 6.0):
        exact = elastic.separation_probability(signal, 3)
        drawn = np.random.default_rng(5).standard_normal((2, 20000, 3))
        found = np.mean((drawn[0] + signal).min(axis=1) > drawn[1].max(axis=1))
        assert found == pytest.approx(exact, abs=0.012)
        least = separation.least_probability(numpy_namespace(), signal**2, 3)
        assert exact >= least and (signal < 6 or least > 0.9)
    assert elastic.separation_probability(0.0, 3) == pytest.approx(1 / 20)
    for signal in (0.0, 0.2):
        rate = elastic.separation_rate(0.0, 2, 1.0, signal, n=12, m=2, trials=60, seed=0)
        assert rate <= elastic.largest_separation_rate(12, 2, signal) + 0.05
    assert elastic.largest_separation_rate(6, 2) == pytest.approx(67 / 462)


@pytest.mark.parametrize(("factor", "share"), [(0.6, 0.0), (1.5, 1.0)])
def test_classes_separate_on_one_side_of_the_threshold_only(factor, share):
    K, t = 3, 1e6
    gamma = factor * elastic.separation_threshold(K)
    found = elastic.separation_rate(gamma, K, t, 2.0, n=12, m=2, trials=20, seed=1)
    assert found == pytest.approx(share, abs=0.1)


def test_a_difference_in_the_kernel_of_a_semi_definite_matrix_is_never_amplified():
    T, start = np.ones((2, 2)), np.array([[1.0, -1.0], [-1.0, 1.0]])
    end = elastic.common_means(start, T, 2.0, 0.0, [50.0])[0]
    assert np.allclose(end, start)


def test_bad_input_is_named():
    with pytest.raises(InputError, match="K"):
        elastic.spectrum(1, Fraction(1), Fraction(0))
    with pytest.raises(InputError, match="increasing"):
        elastic.integrate(START, 1.0, 0.0, [1.0, 1.0])
    with pytest.raises(InputError, match="logits"):
        elastic.residual_means(START[:, :3], 1.0, 0.0, [1.0])


def test_at_the_resonance_features_of_three_classes_grow_linearly():
    K, alpha, beta = 3, 1.0, -2.0
    start = START[:K, :K]
    ends = elastic.residual_means(start, alpha, beta, [0.0, 10.0, 20.0])
    simplex = elastic.alignment(start).tau * (np.eye(K) - 1 / K)
    grown = [
        F - simplex * np.expm1((alpha - beta) * t / K)
        for F, t in zip(ends, (0, 10, 20), strict=True)
    ]
    assert np.allclose(grown[2] - grown[1], grown[1] - grown[0])
    assert np.abs(grown[1] - grown[0]).max() > 1
    found = elastic.integrate(start, alpha, beta, [0.0, 10.0, 20.0])
    assert np.abs(found[2] / ends[2] - 1).max() < 1e-8
