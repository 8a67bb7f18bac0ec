"""Bounds on the optimum meet every optimum that is known, and planted errors in them do not."""

import math
from fractions import Fraction
from itertools import pairwise

import pytest

from ncbounds.arithmetic.certified import certify
from ncbounds.codes.bounds import (
    best_lower_bound,
    best_upper_bound,
    exact,
    lower_bounds,
    upper_bounds,
)
from ncbounds.codes.levenshtein import degree, tight_design_size
from ncbounds.errors import InputError


def polygon(K):
    return 2 * math.sin(math.pi / K) ** 2


ROOT = math.sqrt(5)
#: (d, K): the optimum, of arrangements that are proved to be optimal.
OPTIMA = {
    **{(2, K): polygon(K) for K in (3, 5, 7, 12, 30)},
    **{(d, K): K / (K - 1) for d, K in ((3, 4), (5, 6), (10, 8), (16, 17))},
    **dict.fromkeys(((3, 5), (3, 6), (4, 7), (5, 10), (8, 13), (10, 20)), 1.0),
    (3, 7): 0.7898616872693969,
    (3, 8): 0.7387961250362586,
    (3, 9): 2 / 3,
    (3, 10): 0.5956056747837493,
    (3, 11): 1 - 1 / ROOT,
    (3, 12): 1 - 1 / ROOT,
    (3, 24): 0.27692153166649147,
    (4, 10): 5 / 6,
    (4, 24): 1 / 2,
    (4, 120): (3 - ROOT) / 4,
    (5, 16): 4 / 5,
    (6, 27): 3 / 4,
    (7, 56): 2 / 3,
    (8, 240): 1 / 2,
    (21, 112): 8 / 9,
    (21, 162): 6 / 7,
    (22, 100): 10 / 11,
    (22, 275): 5 / 6,
    (22, 891): 3 / 4,
    (23, 552): 4 / 5,
    (23, 4600): 2 / 3,
    (24, 196560): 1 / 2,
}
#: Where no bound of ours that takes milliseconds meets the optimum.
LOOSE = {(3, 7), (3, 8), (3, 9), (3, 10), (3, 11), (3, 24), (4, 10), (4, 24), (4, 120)}
ROUNDING = 1e-13


@pytest.mark.parametrize(("d", "K"), OPTIMA)
def test_every_bound_is_on_its_side_of_the_optimum(d, K):
    optimum = OPTIMA[d, K]
    for bound in upper_bounds(d, K):
        assert bound.value >= optimum - ROUNDING, bound.name
    for bound in lower_bounds(d, K):
        assert bound.value <= optimum + ROUNDING, bound.name


@pytest.mark.parametrize(("d", "K"), set(OPTIMA) - LOOSE)
def test_the_best_bound_is_the_optimum(d, K):
    assert best_upper_bound(d, K).value == pytest.approx(OPTIMA[d, K], rel=1e-13)


@pytest.mark.parametrize(("d", "K"), [(2, 9), (3, 4), (6, 12), (1, 2), (1, 7)])
def test_both_sides_agree_where_the_optimum_is_known_for_all(d, K):
    lower, upper = best_lower_bound(d, K), best_upper_bound(d, K)
    assert lower.value <= upper.value
    assert lower.value == pytest.approx(upper.value, abs=1e-15)


def test_a_value_is_rounded_to_the_safe_side():
    for bound in (*upper_bounds(7, 56), *lower_bounds(7, 56)):
        ball = bound.ball(200)
        assert ball <= bound.value if bound.direction == "upper" else ball >= bound.value
        assert abs(float(ball.mid()) - bound.value) <= 2 * math.ulp(bound.value)


def test_the_best_comes_first():
    names = [b.name for b in upper_bounds(3, 40)]
    assert names[0] == "Fejes Toth" and names[-1] == "Rankin"
    values = [b.value for b in upper_bounds(3, 40)]
    assert values == sorted(values)


@pytest.mark.parametrize("d", [2, 3, 8, 50])
def test_bounds_fall_with_the_number_of_classes(d):
    values = [best_upper_bound(d, K).value for K in range(2, 60)]
    assert all(a >= b - ROUNDING for a, b in pairwise(values))


def test_the_margin_of_a_line_is_two_or_nothing():
    assert best_upper_bound(1, 2).value == best_lower_bound(1, 2).value == 2
    assert best_upper_bound(1, 3).value == best_lower_bound(1, 3).value == 0


@pytest.mark.parametrize(
    ("d", "K", "name"), [(0, 3, "d"), (3, 1, "K"), (2.5, 3, "d"), (3, True, "K"), ("3", 4, "d")]
)
def test_what_is_no_dimension_or_number_is_refused(d, K, name):
    with pytest.raises(InputError, match=f"^{name}"):
        upper_bounds(d, K)
    with pytest.raises(InputError, match=f"^{name}"):
        best_lower_bound(d, K)


def test_a_bound_tells_its_source_and_its_digits():
    best = best_upper_bound(8, 240).to_dict()
    assert best["name"] == "Levenshtein" and best["cited"] and "1992" in best["source"]
    assert best["value"] == "0.500000000000000" and best["d"] == 8 and best["K"] == 240


def test_exact_numbers_come_with_their_digits():
    sympy = pytest.importorskip("sympy")
    values = (Fraction(2, 3), 1 - 1 / sympy.sqrt(5))
    digits = [certify(exact(value), {}, 20).value for value in values]
    assert digits == ["0.66666666666666666667", "0.55278640450004206072"]


# -- Levenshtein's polynomials --------------------------------------------------------------------


def test_tight_designs_have_their_sizes():
    assert [tight_design_size(3, m) for m in range(1, 6)] == [2, 4, 6, 9, 12]
    assert tight_design_size(8, 7) == 240 and tight_design_size(24, 11) == 196560
    assert degree(24, 196560) == 10 and degree(3, 10**9) is None


@pytest.mark.parametrize("K", [5, 14, 31])
def test_in_the_plane_it_is_the_polygon(K):
    found = next(b for b in upper_bounds(2, K) if b.name == "Levenshtein")
    assert found.value == pytest.approx(polygon(K), rel=1e-13)


@pytest.mark.parametrize(("d", "K"), [(5, 18), (9, 30), (40, 500)])
def test_of_degree_three_it_is_the_bound_of_third_moments(d, K):
    assert degree(d, K) == 3
    found = {b.name: b.certified(30).value for b in upper_bounds(d, K)}
    assert found["Levenshtein"] == found["third moments"]


# -- planted errors -------------------------------------------------------------------------------

PLANTED = {
    "1 % smaller": lambda bound, d, K: 0.99 * bound.value,
    "for K + 1": lambda bound, d, K: upper_of(bound.name, d, K + 1),
    "exponent doubled": lambda bound, d, K: bound.value**2 / 2,
}


def upper_of(name, d, K):
    return next(b.value for b in upper_bounds(d, K) if b.name == name)


@pytest.mark.parametrize("error", PLANTED)
@pytest.mark.parametrize("name", ["caps, packing", "Levenshtein", "Fejes Toth", "third moments"])
def test_a_planted_error_is_seen_at_a_known_optimum(name, error):
    broken = [
        (d, K)
        for (d, K), optimum in OPTIMA.items()
        for b in upper_bounds(d, K)
        if b.name == name and PLANTED[error](b, d, K) < optimum - ROUNDING
    ]
    assert broken
