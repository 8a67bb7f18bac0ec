"""Special cases of unregularised cross-entropy: both sides of the thresholds, in balls."""

from fractions import Fraction

import numpy as np
import pytest

from ncbounds.arithmetic import balls
from ncbounds.campaign.certify import certainly_holds, judge_exact
from ncbounds.theory import statement


def claim_of(id, variant, reading):
    return next(
        v.claim
        for v in statement(f"review:{id}").variants
        if (v.name, v.reading) == (variant, reading)
    )


def holds(claim, name, **instance):
    exact = {
        key: np.asarray(
            np.frompyfunc(Fraction, 1, 1)(np.asarray(value, dtype=object)), dtype=object
        )
        for key, value in instance.items()
    }
    with balls.precision(128):
        judged = judge_exact(claim, exact)
        assert all(map(certainly_holds, judged.hypotheses))
        return certainly_holds(next(c for c in judged.conclusions if c.name == name))


@pytest.mark.parametrize(
    ("alpha", "descends"),
    [("1/2", True), ("1", True), ("6/5", True), ("5/4", False), ("79/50", False), ("8/5", True)],
)
def test_two_opposed_classes_on_a_line_are_a_minimum_for_middle_norms_only(alpha, descends):
    claim = claim_of("remark-tangent", "printed", "in any dimension m, here K = 3, m = 1")
    assert holds(claim, "a direction of descent", alpha=alpha) == descends


def test_a_ball_about_b_keeps_the_closed_form_where_the_rivals_of_b_are_equal():
    claim = claim_of("eq-12", "printed", "centre b, the closed form moved to b")
    u = ["1/10", "0", "-1/10"]
    assert not holds(claim, "least", u=u, b=["0", "0", "3"], room="0")
    assert holds(claim, "least", u=u, b=["7", "3", "3"], room="0")
    assert holds(claim, "least", u=["1", "-2"], b=["0", "3"], room="0")


def test_the_limit_of_scaled_outputs_is_zero_just_for_positive_margins():
    claim = claim_of("eq-11", "printed", "margins of at least 0, as TPT is put after (14)")
    assert not holds(claim, "limit", g=[["0", "0"]], q=["0"])
    assert holds(claim, "limit", g=[["0", "0"]], q=["1/1000000"])


def test_the_mean_of_probabilities_turns_where_the_sample_is_misclassified():
    claim = claim_of("eq-55", "printed", "the integral of Phi_k, as typeset")
    assert holds(claim, "integral", h=[["0", "2"], ["0", "4"]], v=["1", "0"])
    assert not holds(claim, "integral", h=[["2", "0"], ["4", "0"]], v=["1", "0"])


def test_a_third_dimension_makes_the_square_a_kkt_point_that_is_not_global():
    claim = claim_of("remark-kkt", "printed", "then KKT points are global minima")
    assert not holds(claim, "global", mirror=[["1", "0", "0"]])
