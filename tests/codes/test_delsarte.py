"""Certificates of linear programming: the checker accepts the true and refuses the planted."""

import dataclasses
from fractions import Fraction

import pytest

from ncbounds.codes.bounds import upper_bounds
from ncbounds.codes.check_delsarte import check_delsarte
from ncbounds.codes.delsarte import DelsarteCertificate, delsarte_bound
from ncbounds.errors import InputError

#: (d, K): the optimum where linear programming meets it.
SHARP = {(3, 12): 1 - 5**-0.5, (5, 16): 0.8, (8, 240): 0.5}


def products(*roots):
    """Gegenbauer coefficients in R^3 (Legendre) of the product of t - root."""
    powers = [Fraction(1)]
    for root in roots:
        shifted = [Fraction(0), *powers]
        powers = [a - root * b for a, b in zip(shifted, [*powers, Fraction(0)], strict=True)]
    t = [[Fraction(1)]]
    for _ in powers[1:]:  # t P_k = ((k+1) P_(k+1) + k P_(k-1))/(2k+1)
        row = [Fraction(0)] * (len(t[-1]) + 1)
        for k, c in enumerate(t[-1]):
            row[k + 1] += c * Fraction(k + 1, 2 * k + 1)
            if k:
                row[k - 1] += c * Fraction(k, 2 * k + 1)
        t.append(row)
    total = [Fraction(0)] * len(powers)
    for c, row in zip(powers, t, strict=True):
        total = [a + c * (row[k] if k < len(row) else 0) for k, a in enumerate(total)]
    return total


def test_the_octahedron_is_as_good_as_six_points_can_be():
    polynomial = products(-1, 0)  # t (t + 1), at most 6 points of products <= 0
    assert check_delsarte(3, 7, Fraction(0), polynomial)
    assert not check_delsarte(3, 6, Fraction(0), polynomial)


def test_a_polynomial_that_touches_zero_inside_is_accepted():
    half = Fraction(-1, 2)
    polynomial = products(half, half, Fraction(0))  # a double zero in the middle of [-1, 0]
    bound = sum(polynomial) / polynomial[0]
    assert check_delsarte(3, int(bound) + 1, Fraction(0), polynomial)
    assert not check_delsarte(3, int(bound), Fraction(0), polynomial)


@pytest.fixture(scope="module")
def found():
    return delsarte_bound(4, 10, degree=8)


def test_the_search_gives_a_certificate_that_holds(found):
    assert found.holds() and 5 / 6 < found.one_vs_rest < Fraction(8642, 10000)


PLANTED = {
    "an inner product 1 % larger": lambda c: {"s": c.s * Fraction(101, 100)},
    "one point fewer": lambda c: {"K": c.K - 1},
    "another dimension": lambda c: {"d": c.d + 1},
    "a negative coefficient": lambda c: {
        "coefficients": (*c.coefficients[:-1], -c.coefficients[1])
    },
    "no constant": lambda c: {"coefficients": (Fraction(0), *c.coefficients[1:])},
    "a constant 1 % larger": lambda c: {
        "coefficients": (c.coefficients[0] * Fraction(101, 100), *c.coefficients[1:])
    },
}


@pytest.mark.parametrize("error", PLANTED)
def test_a_planted_error_is_refused(found, error):
    assert not dataclasses.replace(found, **PLANTED[error](found)).holds()


@pytest.mark.slow
@pytest.mark.parametrize(("d", "K"), SHARP)
def test_it_meets_sharp_codes(d, K):
    found = delsarte_bound(d, K)
    assert found.holds()
    assert SHARP[d, K] < found.one_vs_rest < SHARP[d, K] + 1e-5


def test_the_certificate_stands_among_the_bounds(found):
    names = [b.name for b in upper_bounds(4, 10)]
    assert "linear programming" not in names
    settled, best, *others = upper_bounds(4, 10, search=True)
    assert settled.name == "Petersen code" and settled.cited
    assert best.name == "linear programming" and best.certificate.holds()
    assert settled.value <= best.value < others[0].value
    assert best.to_dict()["certificate"]["s"] == str(best.certificate.s)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [((1, 5), "d"), ((3, 4), "K"), ((3, 9, 0), "degree"), ((3, 9, 99), "degree")],
)
def test_what_is_out_of_range_is_refused(arguments, name):
    with pytest.raises(InputError, match=f"^{name}"):
        delsarte_bound(*arguments)


def test_nothing_is_certified_by_an_empty_polynomial():
    assert not DelsarteCertificate(3, 9, Fraction(0), ()).holds()
    assert not DelsarteCertificate(3, 9, Fraction(0), (Fraction(1),)).holds()
