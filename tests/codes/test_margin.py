"""One-vs-rest distances: known codes, certificates that hold and certificates that must fail."""

import dataclasses
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ncbounds.codes.margin as margin_module
from ncbounds.codes import hull
from ncbounds.codes.hull import rough_directions
from ncbounds.codes.margin import (
    _Points,
    check_margin,
    least_one_vs_rest_distance,
    margin_table,
    one_vs_rest_distances,
    one_vs_rest_distances_as_found,
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


def cell_600():
    """120 unit quaternions: 24 of the Hurwitz kind, and even permutations of (0, 1, g, 1/g)/2."""
    golden = (1 + math.sqrt(5)) / 2
    even = [p for p in itertools.permutations(range(4)) if np.linalg.det(np.eye(4)[list(p)]) > 0]
    signs = list(itertools.product([1, -1], repeat=4))
    mixed = {
        tuple(np.array([s[0] * 0.0, s[1] / golden, s[2] * 1.0, s[3] * golden])[list(p)] / 2 + 0.0)
        for p in even
        for s in signs
    }
    halves = [np.array(s) / 2 for s in signs]
    return np.vstack([np.eye(4), -np.eye(4), halves, sorted(mixed)])


KNOWN = {
    **{f"{K}-gon": (polygon(K), 1 - math.cos(2 * math.pi / K)) for K in (3, 4, 5, 12, 30)},
    **{f"simplex of {K}": (np.eye(K) - 1 / K, K / (K - 1)) for K in (2, 3, 10)},
    "cross-polytope": (np.vstack([np.eye(5), -np.eye(5)]), 1.0),
    "24-cell": (short_roots(4), 0.5),
    "24-cell, scaled": (3 * short_roots(4), 0.5),
    "root system D5": (short_roots(5), 0.5),
    "root system E8": (e8(), 0.5),
    "600-cell": (cell_600(), 1 - math.cos(math.pi / 5)),
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


@pytest.mark.parametrize("few", [0, 100])
@pytest.mark.parametrize("name", [*KNOWN, "random"])
def test_both_methods_find_the_same_in_few_and_in_many_dimensions(name, few, monkeypatch):
    rows = KNOWN.get(name, [np.random.default_rng(7).normal(size=(60, 30))])[0][:60]
    margins = one_vs_rest_distances(rows)
    monkeypatch.setattr(hull, "_FEW", few)
    for one, other in zip(margins, one_vs_rest_distances(rows), strict=True):
        assert other.upper == pytest.approx(one.upper, rel=1e-10, abs=1e-13)
        assert other.lower == pytest.approx(one.lower, rel=1e-10, abs=1e-13)


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
    points = _Points.of(rows, False)
    upper = np.array([margin.upper for margin in _margins(points)])
    everyone = np.arange(len(upper))
    for directions in (points.cloud.centred, rough_directions(points.cloud, everyone)):
        assert (points.lower_bounds(everyone, directions) <= upper).all()


def test_better_directions_rule_more_rows_out():
    points = _Points.of(np.random.default_rng(5).normal(size=(40, 60)), True)
    everyone = np.arange(40)
    upper = np.array([margin.upper for margin in _margins(points)])
    bounds = points.lower_bounds(everyone, rough_directions(points.cloud, everyone))
    assert (points.lower_bounds(everyone, points.cloud.centred) < 0.99 * upper).all()
    assert (bounds > 0.998 * upper).all()


def _margins(points):
    return points.margins(np.arange(len(points.rows)))


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


def exact_square(rows, k):
    """The square of a one-vs-rest distance in rationals, by looking at every support.

    The nearest point lies inside a simplex of other rows and is the shortest of its affine hull.
    """
    others = [
        [Fraction(a) - Fraction(b) for a, b in zip(rows[k], row, strict=True)] for row in rows
    ]
    del others[k]
    best = None
    for size in range(1, min(len(others), len(rows[0]) + 1) + 1):
        for chosen in itertools.combinations(others, size):
            z = shortest_weights(chosen)
            if z is not None and min(z) >= 0:
                x = [
                    sum(a * row[i] for a, row in zip(z, chosen, strict=True))
                    for i in range(len(rows[0]))
                ]
                square = sum(a * a for a in x)
                best = square if best is None else min(best, square)
    return best


def shortest_weights(rows):
    """Solve G z = level, sum z = 1 by elimination; None for rows that depend affinely."""
    n = len(rows)
    table = [[sum(a * b for a, b in zip(x, y, strict=True)) for y in rows] + [-1, 0] for x in rows]
    table.append([1] * n + [0, 1])
    table = [[Fraction(a) for a in line] for line in table]
    for i in range(n + 1):
        pivot = next((j for j in range(i, n + 1) if table[j][i]), None)
        if pivot is None:
            return None
        table[i], table[pivot] = table[pivot], table[i]
        table[i] = [a / table[i][i] for a in table[i]]
        for j in range(n + 1):
            if j != i:
                table[j] = [a - table[j][i] * b for a, b in zip(table[j], table[i], strict=True)]
    return [line[-1] for line in table[:n]]


small = st.integers(-3, 3).map(float) | st.sampled_from([0.5, 2.0**-30, 1 + 2.0**-40])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 3).flatmap(
        lambda d: st.lists(st.lists(small, min_size=d, max_size=d), min_size=2, max_size=6)
    )
)
def test_exact_distances_of_small_rows_lie_inside(rows):
    for margin in one_vs_rest_distances(rows):
        square = exact_square(rows, margin.row)
        assert Fraction(margin.lower) ** 2 <= square <= Fraction(margin.upper) ** 2
        assert check_margin(rows, margin)
        if square == 0:
            assert margin.lower == 0
        elif square > Fraction(1, 10**12):
            assert margin.upper - margin.lower <= 1e-9 * margin.upper


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.sampled_from([(40, 3), (150, 6), (30, 50)]))
def test_the_order_of_rows_changes_no_interval(seed, normalise, shape):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=shape)
    rows[5], rows[7] = rows[3], 2 * rows[3]  # a twin, and one once it is normalised
    order = rng.permutation(len(rows))
    one = one_vs_rest_distances(rows, normalise=normalise)
    other = one_vs_rest_distances(rows[order], normalise=normalise)
    for margin, k in zip(other, order, strict=True):
        assert (margin.lower, margin.upper) == (one[k].lower, one[k].upper)
        assert sorted(margin.weights) == sorted(one[k].weights)


@pytest.mark.parametrize("workers", [2])
def test_workers_change_nothing_but_time(workers, monkeypatch):
    monkeypatch.setattr(margin_module, "_BLOCK", 16)
    rows = np.random.default_rng(3).normal(size=(90, 12))
    alone = one_vs_rest_distances(rows)
    shared = one_vs_rest_distances(rows, workers=workers)
    for one, other in zip(alone, shared, strict=True):
        assert (other.lower, other.upper) == pytest.approx((one.lower, one.upper), rel=1e-12)
        assert check_margin(rows, other)


def test_chosen_rows_alone_and_progress():
    rows = np.random.default_rng(3).normal(size=(300, 12))
    rows[299] = rows[0]
    seen = []
    chosen = one_vs_rest_distances(
        rows, rows=[299, 7, 7, 250], progress=lambda *told: seen.append(told)
    )
    assert [m.row for m in chosen] == [7, 250, 299] and chosen[2].upper == 0
    assert seen[-1] == (3, 3, "rows")
    found = one_vs_rest_distances_as_found(rows, progress=lambda *told: seen.append(told))
    assert sorted(m.row for m in found) == list(range(300))
    assert [done for done, _, _ in seen[1:]] == [130, 258, 300]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8])
def test_types_are_taken_as_the_numbers_that_they_are(dtype):
    rows = (8 * np.random.default_rng(3).normal(size=(20, 4))).astype(dtype)
    exact = one_vs_rest_distances(rows.astype(np.float64))
    assert [m.to_dict() for m in one_vs_rest_distances(rows)] == [m.to_dict() for m in exact]


def test_tensors_are_measured():
    torch = pytest.importorskip("torch")
    rows = torch.randn(9, 4, generator=torch.Generator().manual_seed(0))
    for tensor, tolerance in ((rows.requires_grad_(), 0), (rows.bfloat16(), 0.1)):
        exact = one_vs_rest_distances(rows.detach().numpy().astype(np.float64))
        for one, other in zip(exact, one_vs_rest_distances(tensor), strict=True):
            assert other.upper == pytest.approx(one.upper, rel=tolerance, abs=tolerance)
            assert check_margin(tensor, other)


def test_thousands_of_rows_in_few_dimensions():
    """Most lie deep in the hull of the rest; the corners of a cube around them do not."""
    corners = np.array(list(itertools.product([-9.0, 9.0], repeat=3)))
    rows = np.vstack([corners, np.random.default_rng(5).normal(size=(800, 3))])
    margins = one_vs_rest_distances(rows)
    assert all(m.lower > 1 and m.upper - m.lower < 1e-12 for m in margins[:8])
    inside = [m for m in margins[8:] if m.lower == 0]
    assert len(inside) == 800 and max(m.upper for m in inside) < 1e-13
    assert all(check_margin(rows, m) for m in margins[::50])


def test_clusters_of_nearly_equal_rows():
    """Many rows that were never trained differ in their last bits alone."""
    rng = np.random.default_rng(6)
    rows = rng.normal(size=(120, 10)).astype(np.float32)
    rows[60:] = rows[0] + np.float32(1e-6) * rng.normal(size=(60, 10)).astype(np.float32)
    margins = one_vs_rest_distances(rows)
    for margin in margins:
        assert check_margin(rows, margin)
        assert margin.lower == 0 or margin.upper - margin.lower < 1e-6 * margin.upper


def test_all_rows_equal():
    margins = one_vs_rest_distances(np.ones((4, 3)), normalise=True)
    assert [(m.lower, m.upper) for m in margins] == [(0, 0)] * 4
    assert one_vs_rest_distances(np.zeros((2, 3)))[1].upper == 0


def test_a_random_matrix_is_certified_to_nine_digits_with_few_points_each():
    rows = np.random.default_rng(0).normal(size=(300, 60))
    margins = one_vs_rest_distances(rows, normalise=True)
    assert all(m.upper - m.lower <= 1e-9 * m.upper for m in margins)
    assert max(len(m.support) for m in margins) <= 61


@pytest.mark.parametrize(
    ("wrong", "name"), [({"rows": [5]}, "rows"), ({"rows": [-1]}, "rows"), ({"workers": 0}, "work")]
)
def test_choices_outside_of_their_domain_are_refused(wrong, name):
    with pytest.raises(InputError, match=f"^{name}"):
        one_vs_rest_distances(np.eye(5), **wrong)
