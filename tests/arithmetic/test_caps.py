"""Caps of a sphere: shares against mpmath, radii against shares, and no wrong digit."""

from fractions import Fraction

import flint
import mpmath
import numpy as np
import pytest

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.caps import doubled_share, squares_of_share
from ncbounds.arithmetic.certified import certify
from ncbounds.arithmetic.floats import numpy_namespace, torch_namespace
from ncbounds.arithmetic.formula import algorithm, integer, real
from ncbounds.errors import InputError


def by_mpmath(d, square):
    with mpmath.workdps(60):
        half = mpmath.mpf(d - 1) / 2
        return mpmath.betainc(half, 0.5, 0, mpmath.mpf(square.numerator) / square.denominator, True)


@pytest.mark.parametrize("d", [2, 3, 4, 7, 30, 300])
@pytest.mark.parametrize("square", ["1/1000000", "1/3", "1/2", "9/10", "999/1000"])
def test_the_share_of_a_cap_is_the_incomplete_beta_function(d, square):
    exact = Fraction(square)
    with balls.precision(200):
        share = doubled_share(d, balls.ball(exact))
        truth = flint.arb(mpmath.nstr(by_mpmath(d, exact), 50))
        assert share.rad() < share * flint.arb(2) ** -150
        assert abs(share - truth) < truth * flint.arb(10) ** -45


@pytest.mark.parametrize("d", [2, 3, 8, 64, 513, 4096, 10**6, 10**11])
@pytest.mark.parametrize("share", [Fraction(2, 3), Fraction(1, 50), Fraction(2, 10**12)])
def test_the_radius_of_a_share_has_that_share(d, share):
    with balls.precision(160):
        sine, cosine = squares_of_share(d, share)
        assert (sine + cosine).contains(1)
        small, of_cosine = (cosine, True) if cosine < sine else (sine, False)
        assert small.rad() < small * flint.arb(2) ** -60
    with balls.precision(400):
        ends = (flint.arb(small.lower()), flint.arb(small.upper()))
        low, high = sorted(
            (doubled_share(d, end, of_cosine) for end in ends), key=lambda ball: ball.mid()
        )
        assert low <= balls.ball(share) <= high


@pytest.mark.parametrize("d", [2, 5, 2048])
def test_shares_far_below_the_range_of_floats_are_no_trouble(d):
    with balls.precision(200):
        sine, _ = squares_of_share(d, Fraction(2, 10**400))
        assert sine.is_finite() and sine.rel_accuracy_bits() > 100
        assert doubled_share(d, sine).overlaps(balls.ball(Fraction(2, 10**400)))


def test_in_space_the_share_is_the_height():
    with balls.precision(128):
        for K in (2, 3, 7, 100):
            sine, _ = squares_of_share(3, Fraction(2, K))
            height = 1 - Fraction(2, K)
            assert (sine - balls.ball(1 - height**2)).contains(0)


def test_half_of_the_sphere_is_exact():
    sine, cosine = squares_of_share(17, Fraction(1))
    assert sine == 1 and cosine == 0
    assert doubled_share(17, flint.arb(1)) == 1 and doubled_share(17, flint.arb(0)) == 0


@pytest.mark.parametrize(
    ("d", "share", "name"), [(1, "1/2", "d"), (3, "0", "share"), (3, "2", "share")]
)
def test_what_is_out_of_range_is_refused(d, share, name):
    with pytest.raises(InputError, match=f"^{name}"):
        squares_of_share(d, Fraction(share))


# -- algorithms in the place of formulas ----------------------------------------------------------


@algorithm(integer("n", "a number", "n", at_least=0), real("x", "another", "x"))
def tower(n, x):
    """A number without closed form."""
    value = balls.ball(x)
    for _ in range(int(n)):
        value = value.cos()
    return value


def test_an_algorithm_runs_over_floats_tensors_and_balls_alike():
    n, x = np.array([0.0, 1.0, 3.0]), np.array([0.5, 0.5, 0.25])
    plain = tower(numpy_namespace(), n=n, x=x)
    torch = torch_namespace()
    tensor = tower(torch, n=torch.asarray(n), x=torch.asarray(x))
    certain = tower(balls, n=balls.asarray(n), x=balls.asarray(x))
    expected = [0.5, np.cos(0.5), np.cos(np.cos(np.cos(0.25)))]
    assert plain == pytest.approx(expected) and tensor.tolist() == pytest.approx(expected)
    assert [float(b.mid()) for b in certain.data] == pytest.approx(expected)
    assert (
        certify(tower, {"n": Fraction(1), "x": Fraction(1, 2)}, 20).value
        == "0.87758256189037271612"
    )


def test_an_algorithm_of_no_number_is_no_number():
    blurred = balls.asarray([0.5])
    blurred.data[0] = flint.arb(0.5, 0.1)
    assert not tower(balls, n=balls.asarray([1]), x=blurred).data[0].is_finite()
    assert np.isnan(tower(numpy_namespace(), n=np.array([1.0]), x=np.array([np.nan])))[0]
