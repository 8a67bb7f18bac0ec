"""Certified digits are right, and what has none says so."""

from fractions import Fraction

import mpmath
import pytest

from ncbounds.arithmetic.certified import certify, exact
from ncbounds.arithmetic.formula import formula, positive, real
from ncbounds.errors import InputError


@formula(real("x", "a number", "x"))
def wobble(xp, x):
    """exp(x) - 1 - x, which cancels for small x."""
    return xp.exp(x) - 1 - x


@formula(positive("x", "a number", "x"))
def third(xp, x):
    """x over three."""
    return x / 3


def value(f, x, digits):
    return certify(f, {"x": Fraction(x)}, digits)


@pytest.mark.parametrize("digits", [1, 5, 17, 60, 400])
def test_every_printed_digit_is_right(digits):
    with mpmath.workdps(digits + 60):
        truth = mpmath.expm1(mpmath.mpf(1) / 10**20) - mpmath.mpf(1) / 10**20
        got = value(wobble, Fraction(1, 10**20), digits)
        assert got.digits == digits
        assert abs(truth - mpmath.mpf(got.value)) <= mpmath.mpf(got.radius) * (1 + 1e-20)
        assert mpmath.mpf(got.radius) <= mpmath.mpf(10) ** (-40 - digits + 2)


@pytest.mark.parametrize(
    ("x", "digits", "shown"),
    [
        (1, 4, "0.3333"),
        (2, 4, "0.6667"),
        (3000, 3, "1.00e+3"),
        (3000, 4, "1000"),
        (3, 5, "1.0000"),
        (Fraction(3, 8), 2, "0.12"),
        (Fraction(1, 10**12), 3, "3.33e-13"),
        (Fraction(3 * 10**40), 2, "1.0e+40"),
    ],
)
def test_decimals_are_written_as_people_write_them(x, digits, shown):
    assert value(third, x, digits).value == shown


def test_a_near_tie_is_rounded_to_the_nearest():
    assert value(third, 3 * (Fraction("1.2345") + Fraction(1, 10**40)), 4).value == "1.235"
    assert value(third, 3 * (Fraction("1.2345") - Fraction(1, 10**40)), 4).value == "1.234"


def test_zero_is_zero():
    assert value(wobble, 0, 10).value == "0"


def test_a_value_beyond_float64_has_its_logarithm():
    huge = value(wobble, 10**5, 8)
    assert huge.log10 == pytest.approx(10**5 / 2.302585092994046)
    assert huge.value.endswith("e+43429")


def test_no_value_is_none():
    @formula(real("x", "a number", "x"))
    def pole(xp, x):
        """One over x."""
        return 1 / x

    assert value(pole, 0, 10) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("0.1", Fraction(1, 10)), ("1/3", Fraction(1, 3)), ("1e-8", Fraction(1, 10**8)), ("-7", -7)],
)
def test_text_is_read_exactly(text, number):
    assert exact(text, "x") == number


@pytest.mark.parametrize("text", ["", "nan", "inf", "1e999999", "1/0", "two", "__import__('os')"])
def test_text_that_is_no_number_is_refused(text):
    with pytest.raises(InputError, match="x = "):
        exact(text, "x")


def test_bad_digits_and_names_are_refused():
    with pytest.raises(InputError, match="digits = 0"):
        value(third, 1, 0)
    with pytest.raises(InputError, match="y = 1"):
        certify(third, {"x": Fraction(1), "y": Fraction(1)})
    with pytest.raises(InputError, match="x = missing"):
        certify(third, {})
