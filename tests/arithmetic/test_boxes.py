"""Branch and bound proves, refuses honestly, and its covers are re-checked."""

from dataclasses import replace
from fractions import Fraction

import pytest

from ncbounds.arithmetic.boxes import Cover, Refusal, prove_nonnegative
from ncbounds.arithmetic.check_cover import check_cover
from ncbounds.errors import InputError


def interval(low, high):
    return (Fraction(low), Fraction(high))


def wave(xp, x):
    return 2 - xp.exp(-x) * xp.cos(3 * x) - xp.sin(x) ** 2 / 2


def bowl(xp, x, y):
    return (100 * (x * x + y * y - x * y) + 1) / 100


PROVABLE = {
    "wave": (wave, {"x": interval(0, 5)}),
    "bowl": (bowl, {"x": interval(-1, 1), "y": interval(-2, 1)}),
    "sinc": (lambda xp, x: 4 * xp.sinc(x) + 1, {"x": interval(-10, 10)}),
    "a kink": (lambda xp, x: 10 * xp.abs(x) + 1, {"x": interval(-1, 1)}),
    "a point": (wave, {"x": interval(1, 1)}),
}


@pytest.mark.parametrize("name", PROVABLE)
def test_a_cover_is_found_and_passes_the_independent_checker(name):
    f, box = PROVABLE[name]
    cover = prove_nonnegative(f, box)
    assert isinstance(cover, Cover)
    assert check_cover(f, cover)


def test_a_cover_does_not_pass_for_another_function():
    cover = prove_nonnegative(bowl, PROVABLE["bowl"][1])
    assert not check_cover(lambda xp, x, y: 50 * bowl(xp, x, y) - 1, cover)


def test_a_cover_whose_tree_is_damaged_does_not_pass():
    f, box = PROVABLE["bowl"]
    cover = prove_nonnegative(f, box)
    assert cover.boxes > 4
    assert not check_cover(f, replace(cover, tree="value"))
    assert not check_cover(f, replace(cover, tree=["z", "value", "value"]))


def test_a_negative_value_is_found_and_shown():
    outcome = prove_nonnegative(lambda xp, x: xp.exp(x) - 1 - x * 101 / 100, {"x": interval(-1, 2)})
    assert isinstance(outcome, Refusal) and outcome.negative
    assert 0 < outcome.point["x"] < Fraction(1, 10)


def test_a_touching_zero_is_refused_not_proved():
    outcome = prove_nonnegative(
        lambda xp, x: (x - 1) * (x - 1), {"x": interval(0, 3)}, max_boxes=300
    )
    assert isinstance(outcome, Refusal) and not outcome.negative
    assert "undecided" in outcome.reason


def test_a_pole_is_refused_not_an_error():
    outcome = prove_nonnegative(lambda xp, x: 1 / x + 9, {"x": interval(-1, 1)}, max_boxes=200)
    assert isinstance(outcome, Refusal)


def test_bad_boxes_are_refused():
    with pytest.raises(InputError, match="x = "):
        prove_nonnegative(wave, {"x": interval(2, 1)})
    with pytest.raises(InputError, match="max_boxes"):
        prove_nonnegative(wave, {"x": interval(0, 1)}, max_boxes=0)
