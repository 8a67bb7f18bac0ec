"""Ties of Hull.v to CrossPolytope.v: hulls, midpoints and the Softmax codes that are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from proofs_check.kernel.register import Binding, Instance, Theorem

_OF_EXISTENCE = "it says that something exists, which no instance shows"

# -- vectors of balls -----------------------------------------------------------------------------


def _norm(x: Any) -> Any:
    return (x @ x).sqrt()


def unit(rows: Any) -> Any:
    """Rows scaled to length 1, over the last axis."""
    if rows.ndim == 1:
        return rows / _norm(rows)
    return np.stack([unit(row) for row in rows])


def folded(w: Any, h: Any) -> Any:
    """Directions without what they have against their unit weights: (K, d), (K, d)."""
    rows = [b - (a @ b).min(0) * a for a, b in zip(w, h, strict=True)]
    return unit(np.stack(rows))


def others(K: int) -> list[tuple[int, int]]:
    """All pairs of different classes, row after row."""
    return [(k, j) for k in range(K) for j in range(K) if j != k]


def gap(w: Any, h: Any, k: int, j: int) -> Any:
    """``<w_k - w_j, h_k>``."""
    return (w[k] - w[j]) @ h[k]


def least(values: Iterable[Any]) -> Any:
    """The least of some balls."""
    first, *rest = values
    for value in rest:
        first = first.min(value)
    return first


def margin(w: Any, h: Any) -> Any:
    """The least gap of a code and its directions."""
    return least(gap(w, h, k, j) for k, j in others(len(w)))


def midpoints(w: Any, h: Any) -> Any:
    """The midpoints of unit weights and directions on the sphere."""
    return unit(w + h)


def at_least(pairs: Iterable[tuple[int, int]], value: Callable[[int, int], Any]) -> tuple[int, int]:
    """The pair at which a value is least, by the midpoints of balls."""
    return min(pairs, key=lambda pair: value(*pair).mid())


def others_weights(k: int, z: Any) -> Any:
    """Weights (K - 1) of the other classes as shares of all K, as the claims read them."""
    total = sum(z)
    if total == 0:
        z, total = z + 1, len(z)
    return np.insert(z / total, k, 0)


# -- hulls ----------------------------------------------------------------------------------------


def _enclosed(v: Instance) -> list[Binding]:
    w, h = v["w"], unit(v["h"])
    K, d = w.shape
    return [
        {
            "d": d,
            "K": K,
            "k": k,
            "w": w,
            "a": others_weights(k, v["z"][k]),
            "h": h[k],
            "m": least(gap(w, h, k, j) for j in range(K) if j != k),
        }
        for k in range(K)
    ]


def hard_max(w: Any, h: Any) -> Any:
    """Minus the least gap of unit weights (K, d) and features (K, n, d)."""
    return -least(margin(w, h[:, i]) for i in range(h.shape[1]))


def _distance_of(w: Any, k: int, a: Any) -> Any:
    return _norm(w[k] - a @ w)


def _any_features(v: Instance) -> Binding:
    w, h = unit(v["w"]), unit(v["h"])
    K, d = w.shape
    a = [others_weights(k, v["z"][k]) for k in range(K)]
    k = min(range(K), key=lambda k: _distance_of(w, k, a[k]).mid())
    return {"d": d, "K": K, "k": k, "w": w, "a": a[k], "h": h[k, 0], "m": -hard_max(w, h)}


def _near_direction(v: Instance) -> list[Binding]:
    w, h = unit(v["w"]), unit(v["h"])
    K, d = w.shape
    return [
        {
            "d": d,
            "K": K,
            "k": k,
            "w": w,
            "a": others_weights(k, v["z"][k]),
            "h": h[k, i],
            "m": least(gap(w, h[:, i], k, j) for j in range(K) if j != k),
        }
        for k in range(K)
        for i in range(h.shape[1])
    ]


# -- midpoints ------------------------------------------------------------------------------------


def _code(v: Instance, folding: bool = True) -> dict[str, Any]:
    w, h = unit(v["w"]), unit(v["h"])
    h = folded(w, h) if folding else h
    return {"d": w.shape[1], "K": len(w), "w": w, "h": h}


def _with_margin(v: Instance, folding: bool = True) -> dict[str, Any]:
    code = _code(v, folding)
    return {**code, "rho": margin(code["w"], code["h"])}


def _pairs(v: Instance) -> list[Binding]:
    code, K = _code(v), len(v["w"])
    return [{**code, "k": k, "j": j} for k in range(K) for j in range(k + 1, K)]


def _apart(code: Binding) -> Callable[[int, int], Any]:
    y = midpoints(code["w"], code["h"])
    return lambda k, j: 1 - y[k] @ y[j]


def _nearest_midpoints(v: Instance) -> Binding:
    code = _with_margin(v)
    k, j = at_least(others(code["K"]), _apart(code))
    return {**code, "k": k, "j": j}


def _farthest_midpoints(v: Instance) -> Binding:
    code = _with_margin(v)
    away = _apart(code)
    k, j = at_least(others(code["K"]), lambda k, j: -away(k, j))
    return {**code, "k": k, "j": j}


def _nearest_of_each(v: Instance) -> list[Binding]:
    code = _with_margin(v)
    found: list[Binding] = []
    for k in range(code["K"]):
        _, j = at_least([(k, j) for j in range(code["K"]) if j != k], _apart(code))
        found.append({**code, "k": k, "j": j})
    return found


def _each_class(v: Instance) -> list[Binding]:
    code = _with_margin(v)
    return [{**code, "k": k} for k in range(code["K"])]


def _folding(v: Instance) -> Binding:
    code = _with_margin(v, folding=False)
    turned = folded(code["w"], code["h"])
    k, j = at_least(others(code["K"]), lambda k, j: gap(code["w"], turned, k, j))
    return {**code, "k": k, "j": j}


def _rattlers(v: Instance) -> list[Binding]:
    code = _code(v)
    w, h, K = code["w"], code["h"], code["K"]
    own = [least(gap(w, h, k, j) for j in range(K) if j != k) for k in range(K)]
    return [{**code, "m": np.array(own), "k": k, "j": j} for k, j in others(K)]


def _closest_weights(v: Instance) -> dict[str, Any]:
    w = unit(v["w"])
    k, j = at_least(others(len(w)), lambda k, j: 1 - w[k] @ w[j])
    return {"d": w.shape[1], "K": len(w), "w": w, "k": k, "j": j}


def _tammes(v: Instance) -> Binding:
    return {**_with_margin(v, folding=False), **_closest_weights(v)}


def _self_dual(v: Instance) -> Binding:
    w, h = unit(v["w"]), unit(v["h"])
    code = {"d": w.shape[1], "K": len(w), "w": w, "h": h[:, 0]}
    away = _apart({**code, "h": folded(w, h[:, 0])})
    k, j = at_least(others(len(w)), away)
    return {**code, "rho": -hard_max(w, h), "k": k, "j": j}


# -- known codes ----------------------------------------------------------------------------------


def _spread(v: Instance) -> dict[str, Any]:
    w = unit(v["w"])
    mu = least(1 - w[k] @ w[j] for k, j in others(len(w)))
    return {"d": w.shape[1], "K": len(w), "w": w, "mu": mu}


def _widest(v: Instance) -> Binding:
    code = _spread(v)
    w = code["w"]
    k, j = at_least(others(len(w)), lambda k, j: w[k] @ w[j])
    return {**code, "k": k, "j": j}


def _own_margins(v: Instance) -> Binding:
    code = _code(v, folding=False)
    w, h, K = code["w"], code["h"], code["K"]
    own = [least(gap(w, h, k, j) for j in range(K) if j != k).max(0) for k in range(K)]
    return {**code, "m": np.array(own)}


def _largest_product(v: Instance) -> Binding:
    w = unit(v["w"])
    largest = -least(-(w[k] @ w[j]) for k, j in others(len(w)))
    return {"d": w.shape[1], "K": len(w), "w": w, "t": largest}


_SHARP = ("gnc:sharp-1", "sharp", "any code, any directions")
_VALUES = ("gnc:conjecture-equivalence", "printed", "equal optimal values")
_OPTIMAL = ("gnc:theorem-3.2", "printed", "an element of the maximisers")
_SIMPLEX = ("gnc:theorem-3.3", "corrected", "K <= d + 1, by inner products")
_CROSS = ("gnc:theorem-3.3", "printed", "d + 1 < K <= 2d")
_RANKIN = ("gnc:remark-orthoplex", "printed", "K >= d + 2")
_NO_RATTLERS = ("gnc:theorem-3.7", "printed", "no rattlers")
_TAMMES = ("gnc:theorem-3.8", "printed", "K <= d + 1")

_HULL = (
    Theorem(
        "distance_enclosed",
        "Hull.v",
        "gnc:definition-2.1",
        "sharp",
        "enclosed from both sides",
        bind=_enclosed,
        conclusions={"any direction": 0},
    ),
    Theorem(
        "nearest_point_of_others",
        "Hull.v",
        "gnc:definition-2.1",
        "printed",
        "the definition",
        untied=_OF_EXISTENCE,
    ),
    Theorem(
        "gaps_at_most_distance",
        "Hull.v",
        *_OPTIMAL,
        bind=_any_features,
        conclusions={"any features": 0},
    ),
    Theorem("hardmax_is_distance", "Hull.v", *_OPTIMAL, untied=_OF_EXISTENCE),
)

_MIDPOINT = (
    Theorem(
        "midpoint_identity",
        "Midpoint.v",
        *_SHARP,
        bind=_pairs,
        conclusions={"pairs": 0, "directions turn no less than lengths": 1},
    ),
    Theorem(
        "midpoints_no_closer",
        "Midpoint.v",
        *_SHARP,
        bind=_nearest_midpoints,
        conclusions={"midpoints": 0},
    ),
    Theorem(
        "midpoints_apart", "Midpoint.v", *_SHARP, bind=_nearest_of_each, conclusions={"weights": 1}
    ),
    Theorem(
        "folding_keeps_margin",
        "SoftmaxCode.v",
        *_SHARP,
        bind=_folding,
        conclusions={"folding": 0},
    ),
    Theorem(
        "features_near_weights",
        "Midpoint.v",
        *_NO_RATTLERS,
        bind=_nearest_of_each,
        conclusions={"features": 0},
    ),
    Theorem(
        "self_dual_gap",
        "SoftmaxCode.v",
        *_NO_RATTLERS,
        bind=_closest_weights,
        conclusions={"spread": 0},
    ),
    Theorem(
        "rattlers_of_midpoints",
        "Midpoint.v",
        "gnc:definition-3.4",
        "sharp",
        "rattlers of both problems",
        bind=_rattlers,
        conclusions={"Softmax to Tammes": 0},
    ),
    Theorem("midpoint_theorem", "SoftmaxCode.v", *_VALUES, untied=_OF_EXISTENCE),
    Theorem("optimal_values_agree", "SoftmaxCode.v", *_VALUES, untied=_OF_EXISTENCE),
    Theorem(
        "midpoints_no_closer",
        "Midpoint.v",
        *_VALUES,
        bind=_nearest_midpoints,
        conclusions={"Softmax to Tammes": 0},
    ),
    Theorem(
        "no_loss_under_self_duality",
        "SoftmaxCode.v",
        "gnc:eq-10",
        "printed",
        "objective and optimal value",
        bind=_self_dual,
        conclusions={"no loss": 0},
    ),
    Theorem(
        "tammes_objective",
        "SoftmaxCode.v",
        "gnc:eq-11",
        "printed",
        "objective",
        bind=_tammes,
        conclusions={"objective": 0, "one-vs-rest": 1},
    ),
    Theorem(
        "features_near_direction",
        "SoftmaxCode.v",
        "gnc:theorem-3.5",
        "corrected",
        "optimum above zero",
        bind=_near_direction,
        conclusions={"features": 0},
    ),
    Theorem(
        "collapse_on_a_line_printed_fails",
        "SoftmaxCode.v",
        "gnc:theorem-3.5",
        "printed",
        "d = 1 included",
        refutes=True,
        untied="that no margin on a line is positive is no comparison of numbers",
    ),
)

_KNOWN = (
    Theorem("simplex_spread", "Optima.v", *_TAMMES, bind=_spread, conclusions={"one-vs-one": 0}),
    Theorem("simplex_pairs", "Optima.v", *_TAMMES, bind=_widest, conclusions={"pairs": 0}),
    Theorem(
        "simplex_margin",
        "Optima.v",
        *_SIMPLEX,
        bind=_farthest_midpoints,
        conclusions={"optimum": 0, "pairs": 1},
    ),
    Theorem(
        "simplex_weights", "Optima.v", *_SIMPLEX, bind=_with_margin, conclusions={"weights": 0}
    ),
    Theorem(
        "simplex_mean_square",
        "Optima.v",
        "gnc:theorem-3.6",
        "printed",
        "K <= d + 1",
        bind=_own_margins,
        conclusions={"mean square": 0},
    ),
    Theorem(
        "simplex_products",
        "Optima.v",
        *_SIMPLEX,
        untied="the claim has no conclusion on a code that it makes itself",
    ),
    Theorem("simplex_optimum", "Optima.v", *_SIMPLEX, untied=_OF_EXISTENCE),
    Theorem(
        "orthoplex_bound",
        "CrossPolytope.v",
        *_RANKIN,
        bind=_largest_product,
        conclusions={"Rankin": 0},
    ),
    Theorem(
        "margin_at_most_one",
        "CrossPolytope.v",
        *_RANKIN,
        bind=lambda v: _with_margin(v, folding=False),
        conclusions={"optimum": 0},
    ),
    Theorem(
        "margin_at_most_one",
        "CrossPolytope.v",
        *_CROSS,
        bind=lambda v: _with_margin(v, folding=False),
        conclusions={"at most 1": 0},
    ),
    Theorem("cross_polytope_optimum", "CrossPolytope.v", *_CROSS, untied=_OF_EXISTENCE),
    Theorem(
        "everyone_touches",
        "CrossPolytope.v",
        "gnc:theorem-3.6",
        "sharp",
        "K <= 2d",
        untied=_OF_EXISTENCE,
    ),
    Theorem(
        "weights_at_midpoints",
        "CrossPolytope.v",
        "gnc:theorem-3.8",
        "sharp",
        "K <= 2d",
        bind=_each_class,
        conclusions={"weights": 0},
    ),
)

THEOREMS = (*_HULL, *_MIDPOINT, *_KNOWN)
