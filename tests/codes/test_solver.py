"""The solver: known optima reached, certificates that hold, nothing above a proved bound."""

import math
from fractions import Fraction

import numpy as np
import pytest

from ncbounds.codes import solver
from ncbounds.codes.annealing import (
    descend,
    estimates,
    largest_inner_products,
    smoothed_maximum,
    unit,
)
from ncbounds.codes.bounds import OptimumBound, exact, upper_bounds
from ncbounds.codes.contacts import near_pairs
from ncbounds.codes.margin import check_margin, one_vs_rest_distances
from ncbounds.codes.polish import balanced, contact_equations, linear_programmes, loosen
from ncbounds.codes.solver import best_code, enclosed_largest_inner_product
from ncbounds.errors import InputError, NcboundsError

#: (d, K): largest possible least one-vs-rest distance.
OPTIMA = {
    (1, 2): 2.0,
    (1, 5): 0.0,
    (2, 7): 0.3765101981412665,
    (3, 4): 4 / 3,
    (3, 5): 1.0,
    (3, 7): 0.7898616872693969,
    (3, 8): 0.7387961250362586,
    (3, 9): 2 / 3,
    (3, 10): 0.5956056747837493,
    (3, 12): 0.552786404500042,
    (4, 7): 1.0,
    (4, 10): 5 / 6,
    (5, 6): 6 / 5,
    (5, 16): 4 / 5,
    (6, 27): 3 / 4,
    (7, 56): 2 / 3,
    (8, 13): 1.0,
    (10, 8): 8 / 7,
    (16, 17): 17 / 16,
}


@pytest.mark.parametrize("d, K", OPTIMA)
def test_known_optima_are_reached_and_enclosed(d, K):
    code = best_code(d, K)
    optimum = OPTIMA[d, K]
    assert optimum - 1e-12 <= code.lower <= optimum + 1e-15
    assert code.lower <= code.upper <= code.best_proved_upper_bound.value
    assert code.proved_optimal and code.points.shape == (K, d)
    assert np.abs(np.linalg.norm(code.points, axis=1) - 1).max() < 1e-15


@pytest.mark.slow
@pytest.mark.parametrize(
    "d, K, optimum", [(3, 24, 0.27692153166649147), (4, 24, 0.5), (8, 240, 0.5)]
)
def test_hard_optima_are_reached(d, K, optimum):
    assert abs(best_code(d, K).lower - optimum) < 1e-12


@pytest.mark.parametrize("d, K, largest", [(3, 15, 0.592605902925074), (3, 20, 0.676477138129652)])
def test_the_best_codes_known_are_found(d, K, largest):
    code = best_code(d, K, restarts=64)
    assert abs(code.largest_inner_product[1] - largest) < 1e-12
    assert not code.proved_optimal and code.lower < code.best_proved_upper_bound.value


def test_the_certificate_of_a_found_code_checks():
    code = best_code(3, 13, restarts=64)
    margins = one_vs_rest_distances(code.points, normalise=True)
    assert all(check_margin(code.points, margin) for margin in margins)
    assert min(margin.upper for margin in margins) >= code.lower
    assert min(margin.lower for margin in margins) <= code.upper


@pytest.mark.parametrize("d, K", [(3, 9), (4, 9), (3, 40), (6, 13), (2, 100), (40, 41), (30, 50)])
def test_no_code_is_above_any_proved_bound(d, K):
    code = best_code(d, K, restarts=6)
    for bound in upper_bounds(d, K):
        assert code.lower <= bound.value


def test_a_false_bound_is_noticed(monkeypatch):
    planted = OptimumBound("planted", "upper", 3, 4, exact(Fraction(1, 2)), "nowhere")
    monkeypatch.setattr(solver, "best_upper_bound", lambda d, K: planted)
    with pytest.raises(NcboundsError, match="planted"):
        best_code(3, 4)


def test_one_seed_gives_one_code_and_the_kind_is_a_name():
    first, again = (best_code(4, 11, seed=3, restarts=16) for _ in range(2))
    assert np.array_equal(first.points, again.points)
    assert first.to_dict() == again.to_dict()
    tammes = best_code(4, 11, "tammes", seed=3, restarts=16)
    assert np.array_equal(first.points, tammes.points) and tammes.kind == "tammes"


def test_rattlers_are_named_and_have_room():
    code = best_code(3, 19, restarts=96)
    products = code.points @ code.points.T
    np.fill_diagonal(products, -1)
    room = code.largest_inner_product[1] - products.max(axis=1)
    assert code.rattlers and all(room[k] > 1e-6 for k in code.rattlers)
    distances = one_vs_rest_distances(code.points, normalise=True)
    assert all(distances[k].lower > code.upper for k in code.rattlers)


@pytest.mark.parametrize(
    "arguments, name",
    [
        ((0, 3), "d"),
        ((-2, 3), "d"),
        ((2.5, 3), "d"),
        ((True, 3), "d"),
        ((3, 1), "K"),
        ((3, "5"), "K"),
        ((3, 10**6), "K"),
        ((10**9, 3), "K"),
        ((3, 5, "hard"), "kind"),
    ],
)
def test_bad_sizes_are_refused(arguments, name):
    with pytest.raises(InputError, match=f"^{name} = "):
        best_code(*arguments)


@pytest.mark.parametrize(
    "options",
    [{"seed": -1}, {"seed": 0.5}, {"effort": 0}, {"effort": math.nan}, {"restarts": 0}],
)
def test_bad_options_are_refused(options):
    with pytest.raises(InputError, match=f"^{next(iter(options))} = "):
        best_code(3, 7, **options)


def test_progress_is_told():
    told = []
    best_code(3, 15, restarts=64, progress=lambda *what: told.append(what))
    assert told[-1][0] <= told[-1][1] == 64 and 0.3 < float(told[-1][2]) < 0.5


def test_the_smoothed_maximum_has_its_gradient_and_its_distance_from_the_maximum():
    rng = np.random.default_rng(0)
    points = unit(rng.normal(size=(3, 6, 4)))
    beta = np.array([1.0, 10.0, 100.0])
    value, gradient = smoothed_maximum(points, beta)
    largest = largest_inner_products(points)
    assert (value >= largest).all() and (value <= largest + np.log(15) / beta).all()
    move = 1e-6 * rng.normal(size=points.shape)
    ahead, behind = (smoothed_maximum(unit(points + s * move), beta)[0] for s in (1, -1))
    expected = 2 * np.einsum("bkd,bkd->b", gradient, move)
    assert np.allclose(ahead - behind, expected, rtol=1e-5, atol=1e-13)


def test_an_estimate_nears_the_local_optimum_faster_than_the_largest_inner_product():
    points = unit(np.random.default_rng(3).normal(size=(1, 8, 3)))
    for beta in (12.0, 40.0, 120.0):
        points = descend(points, beta, 400, 1e-14)
    optimum = 1 - OPTIMA[3, 8]
    assert abs(estimates(points, 120.0)[0] - optimum) < 1e-4
    assert largest_inner_products(points)[0] - optimum > 1e-3


def test_a_descent_does_not_depend_on_where_memory_lies():
    points = unit(np.random.default_rng(5).normal(size=(6, 21, 5)))
    room = np.zeros(points.size + 40)
    found = set()
    for start in range(40):
        shifted = room[start : start + points.size].reshape(points.shape)
        shifted[:] = points
        keep = [np.empty(start + 1) for _ in range(start)]
        found.add(descend(shifted, 20.0, 30, 1e-9).tobytes())
        del keep
    assert len(found) == 1


@pytest.mark.parametrize("slack", [0.0, 0.3, 3.0])
def test_near_pairs_are_those_within_the_slack_and_the_next(slack):
    points = unit(np.random.default_rng(4).normal(size=(9, 3)))
    first, second, products = near_pairs(points, slack)
    i, j = np.triu_indices(9, 1)
    every = np.sort((points @ points.T)[i, j])[::-1]
    count = min(len(every), (every >= every[0] - slack).sum() + 1)
    assert np.allclose(products, every[:count], rtol=0, atol=1e-15)
    assert (first < second).all() and len(set(zip(first, second, strict=True))) == count
    assert np.allclose(np.einsum("pd,pd->p", points[first], points[second]), products)


def test_polishing_never_makes_a_code_worse():
    rng = np.random.default_rng(1)
    for d, K in ((3, 5), (3, 9), (4, 15)):
        points = unit(rng.normal(size=(K, d)))
        for work in (contact_equations, loosen, lambda x: linear_programmes(x, 0.01)):
            better = work(points)
            assert largest_inner_products(better) <= largest_inner_products(points) + 1e-15


def test_a_shaken_optimum_is_found_again_and_is_in_balance():
    from ncbounds.codes.catalogue import known

    exact = known(3, 24).points
    shaken = unit(exact + 1e-4 * np.random.default_rng(0).normal(size=exact.shape))
    assert not balanced(shaken)
    polished = contact_equations(linear_programmes(shaken, 1e-3))
    assert abs(largest_inner_products(polished) - largest_inner_products(exact)) < 1e-14
    assert balanced(polished)


def test_the_interval_of_the_largest_inner_product_holds_it():
    rng = np.random.default_rng(2)
    for d, K in ((2, 3), (5, 40), (100, 9)):
        points = unit(rng.normal(size=(K, d)))
        low, high = enclosed_largest_inner_product(points)
        rows = [[Fraction(x) for x in row] for row in points.tolist()]
        norms = [sum(x * x for x in row) for row in rows]
        for i in range(K):
            for j in range(i):
                dot = sum(x * y for x, y in zip(rows[i], rows[j], strict=True))
                square = dot * dot / (norms[i] * norms[j])
                assert dot <= 0 or square <= Fraction(max(high, 0.0)) ** 2
        assert high - low < 1e-13 * (d + 4)
