"""One-vs-rest distances: known codes, certificates that hold and certificates that must fail."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

from ncbounds.codes import hull
from ncbounds.codes.margin import (
    _Points,
    check_margin,
    least_one_vs_rest_distance,
    margin_table,
    one_vs_rest_distances,
)
from ncbounds.errors import InputError


def polygon(K):
    angle = 2 * np.pi * np.arange(K) / K
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def short_roots(d):
    """Vectors with two entries +-1: for d = 4 the 24-cell."""
    vectors = itertools.product([-1, 0, 1], repeat=d)
    return np.array([v for v in vectors if np.abs(v).sum() == 2]) / math.sqrt(2)


def e8():
    halves = [v for v in itertools.product([-0.5, 0.5], repeat=8) if np.sum(v) % 2 == 0]
    return np.vstack([short_roots(8), np.array(halves) / math.sqrt(2)])


def icosahedron():
    golden = (1 + math.sqrt(5)) / 2
    rows = [(0, a, b * golden) for a in (1, -1) for b in (1, -1)]
    return np.array([np.roll(row, k) for row in rows for k in range(3)])


KNOWN = {
    **{f"{K}-gon": (polygon(K), 1 - math.cos(2 * math.pi / K)) for K in (3, 4, 5, 12, 30)},
    **{f"simplex of {K}": (np.eye(K) - 1 / K, K / (K - 1)) for K in (2, 3, 10)},
    "cross-polytope": (np.vstack([np.eye(5), -np.eye(5)]), 1.0),
    "24-cell": (short_roots(4), 0.5),
    "24-cell, scaled": (3 * short_roots(4), 0.5),
    "root system D5": (short_roots(5), 0.5),
    "root system E8": (e8(), 0.5),
    "icosahedron": (icosahedron(), 1 - 1 / math.sqrt(5)),
    "cube": (np.array(list(itertools.product([-1, 1], repeat=4))), 0.5),
    "line": (np.array([[-1.0], [1.0]]), 2.0),
}


def rotated(rows):
    d = rows.shape[1]
    return rows @ np.linalg.qr(np.random.default_rng(d).normal(size=(d, d)))[0]


@pytest.mark.parametrize("turn", [np.asarray, rotated])
@pytest.mark.parametrize("name", KNOWN)
def test_known_codes_have_their_distance_at_every_row(name, turn):
    rows, distance = KNOWN[name]
    for margin in one_vs_rest_distances(turn(rows), normalise=True):
        assert margin.lower <= distance + 4e-15 and margin.upper >= distance - 4e-15
        assert margin.upper - margin.lower <= 1e-9 * distance


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("shape", [(2, 1), (2, 5), (30, 3), (60, 20), (12, 40), (450, 4)])
def test_generic_intervals_are_tight_and_their_certificates_check(shape, normalise):
    rows = np.random.default_rng(sum(shape)).normal(size=shape)
    margins = one_vs_rest_distances(rows, normalise=normalise)
    apart = [margin for margin in margins if margin.upper > 1e-12]
    assert all(margin.upper - margin.lower <= 1e-9 * margin.upper for margin in apart)
    assert all(check_margin(rows, margin) for margin in margins[:5])


@pytest.mark.parametrize("scale", [2.0**-300, 1.0, 2.0**300])
def test_distances_scale_with_the_rows(scale):
    rows = np.random.default_rng(0).normal(size=(9, 12))
    for one, other in zip(
        one_vs_rest_distances(rows), one_vs_rest_distances(scale * rows), strict=True
    ):
        assert other.lower == pytest.approx(scale * one.lower, rel=1e-12)
        assert check_margin(scale * rows, other)


def test_a_common_offset_costs_no_digits():
    rows = np.round(2**20 * np.random.default_rng(0).normal(size=(8, 10))) / 2**20
    for one, other in zip(
        one_vs_rest_distances(rows), one_vs_rest_distances(rows + 2**20), strict=True
    ):
        assert (other.lower, other.upper) == pytest.approx((one.lower, one.upper), rel=1e-12)


def test_nearly_equal_rows_have_a_tight_positive_distance():
    rng = np.random.default_rng(0)
    base = rng.normal(size=(10, 8))
    rows = np.vstack([base, base + 1e-4 * rng.normal(size=base.shape)])
    for margin in one_vs_rest_distances(rows):
        assert margin.lower > 0 and margin.upper - margin.lower <= 1e-9 * margin.upper
        assert check_margin(rows, margin)


def test_rows_apart_by_less_than_the_root_of_the_smallest_float_are_enclosed():
    margin = one_vs_rest_distances([[0.0, 2.0**-600], [0.0, 0.0], [1.0, 1.0]])[0]
    assert margin.lower <= 2.0**-600 <= margin.upper
    assert margin.upper < 2.0**-599


@pytest.mark.parametrize("normalise", [False, True])
def test_equal_rows_have_distance_exactly_zero(normalise):
    rows = np.array([[1.0, 2.0], [0.5, -1.0], [1.0, 2.0]])
    margins = one_vs_rest_distances(rows, normalise=normalise)
    assert [(m.lower, m.upper) for m in (margins[0], margins[2])] == [(0, 0), (0, 0)]
    assert margins[1].lower > 0
    assert all(check_margin(rows, margin) for margin in margins)
    assert least_one_vs_rest_distance(rows, normalise=normalise) == (0, 0)


def test_a_row_inside_the_hull_has_lower_end_zero():
    square = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1], [0.25, 0.5]])
    inside = one_vs_rest_distances(square)[4]
    assert inside.lower == 0 and inside.upper < 1e-14 and not inside.direction.any()
    assert check_margin(square, inside)


def test_integers_have_their_exact_distance_inside_the_interval():
    triangle = [[0, 0], [4, 0], [0, 3]]  # altitude 12/5 on the hypotenuse, legs 4 and 3
    for margin, distance in zip(one_vs_rest_distances(triangle), (2.4, 4, 3), strict=True):
        assert margin.lower <= distance <= margin.upper
        assert margin.upper - margin.lower < 1e-12


@pytest.mark.parametrize("name", ["24-cell", "5-gon", "simplex of 3"])
def test_claims_beyond_the_certificate_fail_the_check(name):
    rows = KNOWN[name][0]
    margin = one_vs_rest_distances(rows)[1]
    assert check_margin(rows, margin)
    for wrong in (
        {"lower": margin.lower * (1 + 1e-12)},
        {"upper": margin.upper * (1 - 1e-12)},
        {"lower": math.nan},
        {"upper": math.nan},
        {"direction": np.zeros_like(margin.direction)},
        {"direction": -margin.direction},
        {"direction": np.roll(margin.direction, 1)},
        {"direction": np.full_like(margin.direction, math.nan)},
        {"weights": -margin.weights},
        {"weights": 0 * margin.weights},
        {"support": (margin.support + 1) % len(rows)},
        {"support": np.full_like(margin.support, margin.row)},
        {"support": margin.support + len(rows)},
        {"row": 0},
        {"row": len(rows)},
    ):
        assert not check_margin(rows, dataclasses.replace(margin, **wrong)), wrong


def test_a_penalised_fit_without_a_certificate_would_fail_the_check():
    rows = short_roots(4)
    margin = one_vs_rest_distances(rows)[4]
    far = dataclasses.replace(margin, lower=0.8055, upper=0.8056)
    assert not check_margin(rows, far)


def test_the_search_recovers_from_a_poor_first_guess(monkeypatch):
    def nearest(differences):
        return np.eye(1, len(differences))[0]

    rows = np.random.default_rng(1).normal(size=(40, 10))
    good = one_vs_rest_distances(rows, normalise=True)
    monkeypatch.setattr(hull, "_by_pivoting", lambda *_: np.zeros(0))
    monkeypatch.setattr(hull, "_nonnegative_least_squares", nearest)
    for one, other in zip(good, one_vs_rest_distances(rows, normalise=True), strict=True):
        assert other.upper == pytest.approx(one.upper, rel=1e-10)
        assert other.lower == pytest.approx(one.lower, rel=1e-10)


def test_few_rows_at_a_time_give_the_same(monkeypatch):
    rows = np.random.default_rng(2).normal(size=(80, 5))
    whole = [m.upper for m in one_vs_rest_distances(rows, normalise=True)]
    monkeypatch.setattr(hull, "_NEIGHBOURS", 3)
    monkeypatch.setattr(hull, "_JOINING", 2)
    few = [m.upper for m in one_vs_rest_distances(rows, normalise=True)]
    assert few == pytest.approx(whole, rel=1e-10)


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("shape", [(40, 8), (12, 20), (100, 3)])
def test_the_least_distance_is_the_least_of_all(shape, normalise):
    rows = np.random.default_rng(4).normal(size=shape)
    least = margin_table(one_vs_rest_distances(rows, normalise=normalise))["min"]
    assert least_one_vs_rest_distance(rows, normalise=normalise) == pytest.approx(
        (least["lower"], least["upper"]), rel=1e-12, abs=1e-12
    )


@pytest.mark.parametrize("name", KNOWN)
def test_a_row_is_ruled_out_only_by_a_bound_below_its_distance(name):
    rows = KNOWN[name][0].astype(float)
    for bound, margin in zip(
        _Points.of(rows, False).cheap_lower_bounds(), one_vs_rest_distances(rows), strict=True
    ):
        assert bound <= margin.upper


def test_the_table_is_plain_data():
    table = margin_table(one_vs_rest_distances([[0.0, 0.0], [3.0, 4.0]]))
    assert [row["row"] for row in table["rows"]] == [0, 1]
    assert table["min"].keys() == {"lower", "upper"}
    assert table["min"]["lower"] <= 5 <= table["min"]["upper"]


@pytest.mark.parametrize(
    ("rows", "normalise"),
    [
        ([[1.0, 2.0]], False),
        ([1.0, 2.0], False),
        (np.zeros((3, 0)), False),
        (np.zeros((0, 3)), False),
        ([[1.0], [math.nan]], False),
        ([[1.0], [math.inf]], False),
        ([[1.0], [2.0, 3.0]], False),
        ([["a"], ["b"]], False),
        ([[1e200], [1.0]], False),
        ([[1e-200], [0.0]], False),
        ([[1.0], [0.0]], True),
    ],
)
def test_bad_rows_are_refused_by_name(rows, normalise):
    for measure in (one_vs_rest_distances, least_one_vs_rest_distance):
        with pytest.raises(InputError, match=r"^weights = "):
            measure(rows, normalise=normalise)
