"""Fitted exponents: that of a bound and that of the true worst case, over the same values."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from ncbounds.arithmetic.formula import formula, nonnegative, positive, proportion
from ncbounds.campaign.exponents import exponent
from ncbounds.theory import statement
from ncbounds.theory.terms import Comparison, Judgement

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("exponents")

pytest.importorskip("torch")

LEMMA = statement("bnwd:lemma-2.1").variants[0]
CODE = statement("gnc:theorem-3.9").variants[0]
SIZES = (Fraction(8), Fraction(16), Fraction(32))


def trend_of(variant, parameter, conclusion, values):
    chosen = next(
        t for t in variant.trends if (t.parameter, t.conclusion) == (parameter, conclusion)
    )
    return replace(chosen, values=values)


def polygon_exponent(values):
    """The exponent of ``1 - cos(2 pi / K)``, the margin of the regular polygon."""
    K = np.array([float(v) for v in values])
    return np.polyfit(np.log(K), np.log(1 - np.cos(2 * np.pi / K)), 1)[0]


@pytest.fixture(scope="module")
def upper():
    """The printed upper bound for d = 2, with little search: the polygon is found anyway."""
    trend = trend_of(CODE, "K", "upper side", SIZES)
    return exponent(CODE.claim, trend, restarts=8, steps=200)


# -- Lemma 2.1 ------------------------------------------------------------------------------------


def test_the_radius_of_lemma_2_1_goes_like_the_root_of_epsilon_and_so_does_the_truth():
    trend = trend_of(LEMMA, "epsilon", "upper", tuple(Fraction(1, 10**k) for k in (1, 4, 7)))
    found = exponent(LEMMA.claim, trend, restarts=8, steps=100)
    assert found.bound == pytest.approx(0.5, abs=1e-9)
    assert found.worst_case == pytest.approx(0.5, abs=0.01)
    assert found.values == (0.1, 1e-4, 1e-7)
    assert all(0.99 < tight <= 1 for tight in found.tightness)


def test_the_radius_of_lemma_2_1_goes_like_the_truth_in_delta():
    trend = trend_of(LEMMA, "delta", "upper", tuple(Fraction(1, 2**k) for k in (4, 6)))
    found = exponent(LEMMA.claim, trend, restarts=8, steps=100)
    radii = np.sqrt([15, 63])  # root of (1 - delta) / delta at delta = 1/16 and 1/64
    assert found.bound == pytest.approx(np.log(radii[1] / radii[0]) / np.log(1 / 4), abs=1e-9)
    assert found.worst_case == pytest.approx(found.bound, abs=0.02)


# -- Theorem 3.9 ----------------------------------------------------------------------------------


def test_the_printed_upper_bound_in_the_plane_is_off_by_a_factor_of_k(upper):
    assert upper.bound == pytest.approx(-1, abs=1e-9)
    assert upper.worst_case == pytest.approx(polygon_exponent(SIZES), abs=0.05)
    assert upper.worst_case < -1.9


def test_the_printed_lower_bound_in_the_plane_has_the_exponent_of_the_truth():
    found = exponent(CODE.claim, trend_of(CODE, "K", "lower side", SIZES), restarts=8, steps=200)
    assert found.bound == pytest.approx(-2, abs=1e-9)
    assert found.worst_case == pytest.approx(polygon_exponent(SIZES), abs=0.01)


def test_the_tightness_of_the_printed_upper_bound_is_that_of_the_polygon(upper):
    for K, tight in zip(upper.values, upper.tightness, strict=True):
        margin = 1 - np.cos(2 * np.pi / K)
        printed = float(CODE.bounds[1].formula(np_namespace(), d=2.0, K=K))
        assert tight == pytest.approx(margin / printed, rel=0.02)
        assert tight <= margin / printed * (1 + 1e-9)


def np_namespace():
    from ncbounds.arithmetic.floats import numpy_namespace

    return numpy_namespace()


# -- a planted exponent ---------------------------------------------------------------------------


@formula(
    nonnegative("epsilon", "gap", r"\epsilon"),
    proportion("delta", "fraction", r"\delta"),
    positive("m", "modulus", "m"),
)
def looser_radius(xp, epsilon, delta, m):
    """A radius that goes like the fourth root of epsilon, larger where epsilon is small."""
    return xp.sqrt(xp.sqrt(epsilon)) * xp.sqrt(2 * (1 - delta) / (m * delta))


def looser(xp, **instance):
    judged = LEMMA.claim.judge(xp, **instance)
    radius = looser_radius(
        xp,
        epsilon=instance["epsilon"],
        delta=xp.mean(instance["subset"], axis=-1),
        m=instance["m"],
    )
    return Judgement(
        judged.hypotheses, tuple(Comparison(c.name, c.lhs, radius) for c in judged.conclusions)
    )


def test_a_bound_of_a_smaller_order_than_the_truth_is_seen():
    values = tuple(Fraction(1, 10**k) for k in (2, 4, 6))
    trend = replace(trend_of(LEMMA, "epsilon", "upper", values), bound=looser_radius)
    found = exponent(replace(LEMMA.claim, judge=looser), trend, restarts=8, steps=100)
    assert found.bound == pytest.approx(0.25, abs=1e-9)
    assert found.worst_case == pytest.approx(0.5, abs=0.02)
    assert found.tightness[0] > 2 * found.tightness[-1]


# -- no fit ---------------------------------------------------------------------------------------


def test_one_value_makes_no_exponent():
    trend = trend_of(CODE, "K", "lower side", SIZES[:1])
    assert exponent(CODE.claim, trend, restarts=4, steps=10) is None


def test_hypotheses_that_nothing_meets_make_no_exponent():
    def never(xp, **instance):
        judged = CODE.claim.judge(xp, **instance)
        side = judged.conclusions[0].lhs
        return Judgement((Comparison("never", 1 + 0 * side, 0 * side),), judged.conclusions)

    trend = trend_of(CODE, "K", "lower side", SIZES)
    assert exponent(replace(CODE.claim, judge=never), trend, restarts=4, steps=10) is None


def test_the_same_seed_gives_the_same_exponent():
    trend = trend_of(LEMMA, "epsilon", "upper", tuple(Fraction(1, 10**k) for k in (1, 2)))
    first, again = (exponent(LEMMA.claim, trend, 5, restarts=4, steps=10) for _ in range(2))
    assert first == again and first.to_dict()["tightness"] == list(first.tightness)
