"""Which dimension K classes of a margin need: integers that agree with every known optimum."""

from fractions import Fraction

import pytest

from ncbounds.arithmetic.certified import certify
from ncbounds.theory.evaluate import evaluate
from ncbounds.theory.softmax_code.dimension import (
    is_attained,
    is_excluded,
    least_dimension_lower,
    least_dimension_upper,
    necessary_dimension,
    sufficient_dimension,
)

#: (K, rho) with the least dimension, known exactly.
KNOWN = [
    (2, "2", 1),
    (3, "3/2", 2),
    (3, "151/100", None),
    (3, "1/1000", 2),
    (6, "1/2", 2),
    (6, "501/1000", 3),
    (7, "1/3", 2),
    (12, "1339/10000", 2),
    (10, "1", 5),
    (11, "1", 6),
    (10, "1001/1000", 9),
    (10, "10/9", 9),
    (1000, "1", 500),
    (1000, "1001/1000", 999),
]


def both(K, rho):
    point = {"K": Fraction(K), "rho": Fraction(rho)}
    return tuple(
        int(certify(side, point).value) for side in (least_dimension_lower, least_dimension_upper)
    )


@pytest.mark.parametrize(("K", "rho", "least"), KNOWN)
def test_the_least_dimension_is_found_where_the_optimum_is_known(K, rho, least):
    if least is None:
        found = evaluate("gnc:remark-dimension", variant="sharp", K=K, rho=rho)
        assert all(not e.in_domain and "K/(K-1)" in e.outside for e in found)
    else:
        assert both(K, rho) == (least, least)


@pytest.mark.parametrize("K", [2, 3, 5, 8, 27, 1000, 10**6, 10**12])
@pytest.mark.parametrize("rho", ["1/1000", "1/4", "1/2", "9/10", "999/1000", "1"])
def test_the_lower_side_excludes_and_the_upper_side_attains(K, rho):
    low, high = both(K, rho)
    margin = Fraction(rho)
    assert 1 <= low <= high
    assert low == 1 or is_excluded(low - 1, K, margin)
    assert is_attained(high, K, margin)
    assert not is_excluded(high, K, margin)


@pytest.mark.parametrize("K", [3, 10, 1000, 10**9])
@pytest.mark.parametrize("rho", ["1/1000", "1/3", "4/5", "99/100"])
def test_the_integers_lie_within_the_explicit_sides(K, rho):
    point = {"K": Fraction(K), "rho": Fraction(rho)}
    low, high = both(K, rho)
    assert float(certify(necessary_dimension, point)) <= low
    suffices = float(certify(sufficient_dimension, point))
    assert high <= max(2, suffices) + 1


@pytest.mark.parametrize(
    ("d", "K", "rho"),
    [(5, 16, "4/5"), (6, 27, "3/4"), (22, 275, "5/6"), (7, 14, "1"), (3, 4, "4/3")],
)
def test_a_margin_that_a_code_has_is_not_excluded(d, K, rho):
    assert not is_excluded(d, K, Fraction(rho))
    assert is_excluded(d, K, Fraction(rho) + Fraction(1, 10**9))


@pytest.mark.parametrize(("K", "rho"), [("5/2", "1/2"), ("1", "1/2"), ("5", "0"), ("5", "-1")])
def test_outside_the_domain_there_is_no_number(K, rho):
    for found in evaluate("gnc:remark-dimension", variant="sharp", K=K, rho=rho):
        assert found.decimal is None and found.outside


def test_one_command_answers_which_dimension():
    found = {
        (e.variant, e.direction): e.decimal.value
        for e in evaluate("gnc:remark-dimension", digits=4, K=10**6, rho="0.8")
    }
    assert found["sharp", "lower"] == "27" and found["sharp", "upper"] == "555"
    assert found["printed", "value"] == "27.85"
