"""Optimal codes: where Softmax and Tammes codes agree, and what two touching points would change.

`softmax_not_tammes.json` holds a code of 22 points in R^5: 20 that fix the least distance and
two that touch nobody. No small move improves it, though a better code is known: what is shown on it
is what two touching points would change in an optimal code.
"""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.codes.margin import least_one_vs_rest_distance, one_vs_rest_distances
from ncbounds.codes.solver import best_code
from ncbounds.theory.softmax_code import midpoint
from ncbounds.theory.softmax_code.hardmax import hard_max
from ncbounds.theory.softmax_code.known_codes import planar_code, planar_distances

XP = numpy_namespace()
CODE = {
    name: np.array(rows)
    for name, rows in json.loads(
        Path(__file__).with_name("softmax_not_tammes.json").read_text()
    ).items()
}
RIGID = len(CODE["rigid"])


def in_balls(*parts):
    return balls.asarray(np.concatenate([CODE[part] for part in parts])[None])


def certain(x):
    return bool(balls.certainly_nonnegative(x).all())


def those_of_the_pair(matrices):
    """Entries off the diagonal in the rows and columns of the last two points."""
    K = RIGID + 2
    chosen = [(k, j) for k in range(K) for j in range(K) if k != j and max(k, j) >= RIGID]
    return balls.stack([matrices[0, k, j] for k, j in chosen])


def test_the_pair_of_the_tammes_code_touches_nobody():
    with balls.precision(200):
        code = midpoint.unit(balls, in_balls("rigid", "tammes_pair"))
        least = midpoint.spread(balls, code[:, list(range(RIGID))])
        pair = those_of_the_pair(midpoint.gaps(balls, code, code))
        assert certain(pair - least - 0.03)
        assert certain(least - 0.6435448278) and certain(0.6435448279 - least)


def test_a_code_with_the_same_margin_has_two_points_closer_than_any_of_the_tammes_code():
    with balls.precision(200):
        w = midpoint.unit(balls, in_balls("rigid", "softmax_pair"))
        h = midpoint.unit(balls, in_balls("rigid", "softmax_features"))
        least = midpoint.spread(balls, w[:, list(range(RIGID))])
        gaps = midpoint.gaps(balls, w, h)
        # Every gap of the pair exceeds the least of the others, which both codes share.
        assert certain(those_of_the_pair(gaps) - least - 0.0005)
        together = balls.sum(w[:, RIGID] * w[:, RIGID + 1], axis=-1)
        assert certain(together - (1 - least) - 0.088)


def test_both_codes_have_the_same_one_vs_rest_distance():
    tammes, softmax = (
        least_one_vs_rest_distance(np.concatenate([CODE["rigid"], CODE[pair]]), normalise=True)
        for pair in ("tammes_pair", "softmax_pair")
    )
    assert tammes == pytest.approx(softmax, abs=1e-12)
    assert tammes[1] - tammes[0] < 1e-12


def test_a_better_code_is_known():
    best = best_code(5, 22)
    assert best.lower > 0.645 and best.rattlers == ()


@pytest.mark.parametrize(("K", "nearest"), [(20, -0.9999), (26, 0.2105)])
def test_two_rattlers_of_a_best_code_need_not_meet(K, nearest):
    code = best_code(3, K)
    t = code.largest_inner_product[1]
    first, second = code.rattlers
    rest = np.delete(code.points, [first, second], axis=0)
    free = [
        {"type": "ineq", "fun": lambda z: t - (z.reshape(2, 3) @ rest.T).ravel()},
        {"type": "eq", "fun": lambda z: (z.reshape(2, 3) ** 2).sum(axis=1) - 1},
    ]
    start = code.points[[first, second]].ravel()
    found = minimize(lambda z: -z[:3] @ z[3:], start, constraints=free, method="SLSQP")
    assert -found.fun == pytest.approx(nearest, abs=1e-3) and -found.fun < t - 0.5


def test_bringing_two_that_touch_together_keeps_the_margin():
    # The construction of gnc:sharp-2 with its explicit constants, on the same code.
    rng = np.random.default_rng(0)
    rigid = CODE["rigid"] / np.linalg.norm(CODE["rigid"], axis=1, keepdims=True)
    pair = CODE["tammes_pair"] / np.linalg.norm(CODE["tammes_pair"], axis=1, keepdims=True)
    spread = float(midpoint.spread(XP, rigid[None])[0])
    least_angle = np.arccos(1 - spread)

    def at_angle(angle):
        middle = pair.sum(axis=0) / np.linalg.norm(pair.sum(axis=0))
        across = pair[0] - pair[1]
        across /= np.linalg.norm(across)
        return [np.cos(angle / 2) * middle + s * np.sin(angle / 2) * across for s in (1, -1)]

    touching = at_angle(least_angle)
    delta = np.arccos((np.array(touching) @ rigid.T).max()) - least_angle
    assert delta > 0.02
    for share in rng.uniform(0.01, 1, 20):
        phi = share * delta / 2
        angle = np.arccos(np.cos(phi) - 1 + np.cos(least_angle)) - phi
        w = np.concatenate([at_angle(angle), rigid])[None]
        h = midpoint.turned_apart(XP, w, np.tan(np.array([phi])))
        assert angle < least_angle
        assert midpoint.margin(XP, w, h)[0] == pytest.approx(spread, abs=1e-12)
        assert midpoint.spread(XP, w)[0] < spread


def test_the_closed_form_in_the_plane_is_the_certified_distance():
    rng = np.random.default_rng(1)
    for K in (2, 3, 4, 7):
        for _ in range(20):
            steps = rng.exponential(size=(1, K)) ** 2
            w, _, cut = planar_code(XP, steps)
            found = planar_distances(XP, cut)[0]
            for margin, distance in zip(one_vs_rest_distances(w[0]), found, strict=True):
                assert margin.lower - 1e-12 <= distance <= margin.upper + 1e-12


def test_hard_max_at_the_certified_directions_is_minus_the_distance():
    rng = np.random.default_rng(2)
    for K, d in ((3, 2), (5, 3), (9, 4)):
        w = midpoint.unit(XP, rng.normal(size=(1, K, d)))
        margins = one_vs_rest_distances(w[0])
        h = midpoint.unit(XP, np.stack([m.direction for m in margins])[None, :, None])
        least = min(m.lower for m in margins)
        assert hard_max(XP, w, h)[0] == pytest.approx(-least, abs=1e-9)


def test_a_cross_polytope_without_two_points_is_a_softmax_code_as_any_of_its_bends():
    # K = 5 in R^3: two poles and three points of the equator, no two closer than a right angle.
    for bend in (0.0, 0.2, 0.5):
        turns = np.array([0, 2 * np.pi / 3 - bend, 4 * np.pi / 3 - bend / 2])
        equator = np.stack([np.cos(turns), np.sin(turns), 0 * turns], axis=1)
        code = np.concatenate([equator, [[0, 0, 1], [0, 0, -1]]])
        assert max(x @ y for x, y in combinations(code, 2)) < 1e-12
        lower, upper = least_one_vs_rest_distance(code)
        assert lower == pytest.approx(1, abs=1e-12) and upper == pytest.approx(1, abs=1e-12)


def test_the_fourth_power_is_needed_for_seven_points_in_five_dimensions():
    for q in (0.3, 0.1, 0.03):
        axes = np.eye(4)[:3]
        signed = np.concatenate([axes, -axes]) * np.sqrt(1 - q * q)
        others = np.concatenate([np.full((6, 1), -q), signed], axis=1)
        angle = np.sqrt(q / 2)
        last = [[np.cos(angle), 0, 0, 0, sign * np.sin(angle)] for sign in (1, -1)]
        w, h = (np.concatenate([others, [row]])[None] for row in last)
        assert midpoint.margin(XP, w, h)[0] == pytest.approx(1 - q * q, abs=1e-12)
        moved = np.linalg.norm(w - midpoint.midpoints(XP, w, h).Y, axis=-1).max() ** 4
        assert q * q / 5 < moved < 4 * q * q
