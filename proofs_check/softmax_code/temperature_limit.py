"""Proofs of the convergence to HardMax, of its rate, and of what a measured loss guarantees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy import diff, exp, log

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.softmax_code import temperature_limit
from ncbounds.theory.terms import Claim
from proofs_check.facts import ENDS, INNER_PRODUCT, JENSEN, LOGARITHM
from proofs_check.softmax_code.temperature import (
    Sides,
    Sphere,
    from_largest_gap,
    hull_margin,
    largest,
    least,
    softplus,
)
from proofs_check.steps import (
    Step,
    assumes,
    cases,
    identity,
    nonnegative,
    number,
    point,
    proof,
    tie,
)
from proofs_check.vectors import dot, norm

_K, _N = sympy.symbols("K N", integer=True, positive=True)
_tau = sympy.Symbol("tau", positive=True)
_M = sympy.Symbol("M", real=True)
_x, _eps, _others, _y = sympy.symbols("x epsilon others y", nonnegative=True)
_l = sympy.Symbol("l", positive=True)
_many, _q = sympy.symbols("many q", positive=True)


def _worst_sample() -> Iterator[Step]:
    """log(1 + e^{M/tau}) <= N times the mean loss of N samples, M the largest gap."""
    yield from from_largest_gap()
    worst = sympy.Symbol("worst", nonnegative=True)
    yield nonnegative(
        "N times the mean loss less the worst loss is the sum of the others, none negative",
        _N * ((worst + _others) / _N) - worst,
        [_others],
    )
    yield identity("solved: e^{log(1 + e^{M/tau})} - 1 = e^{M/tau}", _solved(), exp(_M / _tau))


def _solved() -> Any:
    return exp(log(1 + exp(_M / _tau))) - 1


def _of_a_class() -> Iterator[Step]:
    """Each loss of class k is at least log(1 + e^{-D_k/tau}), and so is their mean.

    Some gap of the sample is at least -D_k: none of its margins is above D_k.
    """
    yield from from_largest_gap()
    yield from hull_margin()


def _convex_inverse() -> Iterator[Step]:
    """-log(e^l - 1), the margin in units of tau that log(1 + e^{-m}) = l has, is convex."""
    inverse = -log(exp(_l) - 1)
    yield identity("log(1 + e^{-m}) = l", 1 + exp(-inverse), exp(_l))
    yield nonnegative(
        "its second derivative at l = log(1 + q)",
        diff(inverse, _l, 2).subs(_l, log(1 + _q)),
        [1 + _q, _q**-2],
    )
    yield nonnegative(
        "it decreases: minus its derivative at l = log(1 + q)",
        -diff(inverse, _l).subs(_l, log(1 + _q)),
        [1 + _q, 1 / _q],
    )


def _is_inverse(formula: Any, loss: Any, sign: int = 1) -> Step:
    """A closed form is tau times the margin at a loss, or minus that."""
    named = symbolic.symbols(formula)
    own = {s: named[str(s)] for s in loss.free_symbols if str(s) in named}
    found = symbolic.expression(formula)
    return identity(
        f"the formula {formula.name.replace('_', ' ')}",
        exp(sign * found / named["tau"]) * (exp(loss.subs(own)) - 1),
        1,
    )


# -- the limit ------------------------------------------------------------------------------------


@proof(
    "gnc:lemma-3.1", "printed", "every cluster point of minimisers", LOGARITHM, INNER_PRODUCT
)  # fmt: skip
def cluster_points(claim: Claim) -> Iterator[Step]:
    """HardMax of the near-minimiser by its loss, HardMax of the cluster point by continuity.

    The last steps send the temperature to zero: for epsilon = 0 and M' <= 0 put
    x = (K-1) e^{M'/tau}, which is at most K - 1. The sum of (1+x)^i over i < N is then at most
    that of K^i, and a weak inequality that holds for all tau > 0 holds in the limit.
    """
    yield from _worst_sample()
    a, b, w, h, v, u = sympy.symbols("a_j b w_j h w_k a_k", real=True)
    yield identity(
        "<a_j - a_k, b> - <w_j - w_k, h> = <a_j - w_j, b> - <a_k - w_k, b> + <w_j - w_k, b - h>, "
        "at most 2 delta + 2 delta' for unit vectors",
        (a - u) * b - (w - v) * h,
        (a - w) * b - (u - v) * b + (w - v) * (b - h),
    )
    yield identity(
        "(1+x)^N - 1 = x times the sum of (1+x)^i over i < N: from N to N + 1",
        (1 + _x) ** (_N + 1) - 1,
        ((1 + _x) ** _N - 1) + _x * (1 + _x) ** _N,
    )
    yield nonnegative("1 + x <= K for x = (K-1)/(1 + y)", _K - 1 - (_K - 1) / (1 + _y), [
        _K - 1, _y, 1 / (1 + _y),
    ])  # fmt: skip
    yield identity(
        "tau log(x (K^N - 1)/(K - 1)) = M' + tau log(K^N - 1)",
        sympy.expand_log(_tau * log(exp(_M / _tau) * (_many**_N - 1)), force=True),
        _M + _tau * log(_many**_N - 1),
    )
    names = ("w", "h", "a", "b", "v", "g")
    yield assumes(claim, tau="positive", epsilon="budget", **dict.fromkeys(names, "real"))
    yield tie("the claim compares these", claim, [_cluster(0), _cluster(1)], _cluster_sides)


@proof(
    "gnc:lemma-3.1",
    "sharp",
    "rate for every temperature",
    LOGARITHM,
    JENSEN,
    INNER_PRODUCT,
    ENDS,
)
def rate(claim: Claim) -> Iterator[Step]:
    """The loss of a near-minimiser from a competitor's HardMax; the rest from that loss.

    The simple rate, with y = K ((K-1) e^{M'/tau} + epsilon), which is not below K s: for
    y >= log 2 its left-hand side is not positive; below, e^y - 1 <= y/log 2.
    """
    yield from _worst_sample()
    yield from _of_a_class()
    yield nonnegative(
        "x - log(1 + x) does not fall from 0 at x = 0: log(1 + x) + epsilon <= x + epsilon",
        diff(_x - log(1 + _x), _x),
        [_x, 1 / (1 + _x)],
    )
    chord = _y / log(2) - (exp(_y) - 1)
    yield identity("y/log 2 - (e^y - 1) is 0 at y = 0", chord.subs(_y, 0), 0)
    yield identity("and at y = log 2", chord.subs(_y, log(2)), 0)
    yield nonnegative("and concave between them", -diff(chord, _y, 2), [exp(_y)])
    e = temperature_limit
    rho, K, tau = (symbolic.symbols(e.simple_distance_rate)[n] for n in ("rho", "K", "tau"))
    yield identity(
        "for epsilon = 0 and M' = -rho the simple rate is its formula",
        sympy.expand_log(tau * log(log(2) / (K * (K - 1) * exp(-rho / tau))), force=True),
        sympy.expand_log(symbolic.expression(e.simple_distance_rate), force=True),
    )
    n, x = sympy.Symbol("n", integer=True, positive=True), (_K - 1) * exp(-_q / _tau)
    for formula, samples, sign in ((e.hardmax_rate, n * _K, -1), (e.distance_rate, _K, 1)):
        named = symbolic.symbols(formula)
        own = {_K: named["K"], _tau: named["tau"], _q: named["rho"]}
        own |= {n: named["n"]} if "n" in named else {}
        yield identity(
            f"the formula {formula.name.replace('_', ' ')}",
            exp(-sign * symbolic.expression(formula) / named["tau"]),
            (exp(samples * log(1 + x)) - 1).xreplace(own),
        )
    names = {"w": "real", "h": "real", "v": "real", "g": "real", "z": "positive"}
    yield assumes(claim, tau="positive", epsilon="budget", **names)
    yield tie("the claim compares these", claim, [_rival(0), _rival(1)], _rate_sides)


# -- one model ------------------------------------------------------------------------------------


@proof("gnc:lemma-3.1", "sharp", "direction of the features", LOGARITHM, JENSEN, INNER_PRODUCT)
def direction_of_features(claim: Claim) -> Iterator[Step]:
    """D <h, u> = <w_k - p, h> >= m. The mean feature is at least as long as its component along u.

    From the loss: m_i is at least tau times the convex inverse at the loss of the sample, whose
    mean is at least its value at the mean loss.
    """
    yield from hull_margin()
    long = sympy.Symbol("long", nonnegative=True)
    yield identity(
        "mean |h - mean|^2 = 1 - |mean|^2 for unit vectors", 1 - 2 * long**2 + long**2, 1 - long**2
    )
    yield nonnegative(
        "|mean|^2 >= <mean, u>^2 >= (m/D)^2 where m/D = x >= 0, |mean| = x + y",
        (_x + _y) ** 2 - _x**2,
        [_y, 2 * _x + _y],
    )
    yield from from_largest_gap()
    yield from _convex_inverse()
    share, other, D, E = sympy.symbols("share other D E", positive=True)
    yield nonnegative(
        "mean (m_k/D_k)^2 mean D_k^2 >= (mean m_k)^2: for two classes the difference is a square, "
        "and the sum over pairs of classes is the difference for all",
        (share**2 / D**2 + other**2 / E**2) * (D**2 + E**2) - (share + other) ** 2,
        [(share * E / D - other * D / E) ** 2],
    )
    e = temperature_limit
    named = symbolic.symbols(e.variability_from_loss)
    yield _is_inverse(e.mean_distance_from_loss, sympy.Symbol("L", positive=True))
    margin = symbolic.expression(e.mean_distance_from_loss).xreplace(
        {s: named[name] for name, s in symbolic.symbols(e.mean_distance_from_loss).items()}
    )
    shape = 1 - sympy.Max(0, margin / named["D"]) ** 2
    same = symbolic.expression(e.variability_from_loss) == shape
    yield cases("the formula is 1 - max(0, m/D)^2 with that margin m", {"its expression": same})
    yield assumes(claim, w="real", h="real", z="positive", tau="positive")
    points = [_model(0), _model(1)]
    yield tie("the claim compares these", claim, points, _direction_sides)


@proof("gnc:lemma-3.1", "sharp", "guarantee from the loss", LOGARITHM, JENSEN, INNER_PRODUCT)
def guarantee(claim: Claim) -> Iterator[Step]:
    """From losses to gaps, and from gaps to distances by weak duality.

    Class by class: log(1 + sum of e^{<w_j - w_k, h>/tau}) is convex in h, so the loss at the mean
    feature is at most L_k; there some gap is at least -|mean feature| D_k. With |mean feature| <= 1
    the loss is at least log(1 + e^{-D_k/tau}), which is convex in D_k.
    """
    yield from _worst_sample()
    yield from _of_a_class()
    first, second = sympy.symbols("first second", positive=True)
    s = sympy.Symbol("s", real=True)
    along = log(1 + first * exp(s) + second * exp(-s))
    total = 1 + first * exp(s) + second * exp(-s)
    yield nonnegative(
        "log(1 + sum of e^z) is convex: along a line, for two exponents that differ, the second "
        "derivative times the square of the sum",
        sympy.simplify(diff(along, s, 2) * total**2),
        [first * exp(s) + second * exp(-s) + 4 * first * second],
    )
    own = log(1 + exp(-_M))
    yield nonnegative(
        "log(1 + e^{-D}) is convex", diff(own, _M, 2), [exp(-_M), 1 / (1 + exp(-_M)) ** 2]
    )
    yield nonnegative(
        "the sum of the losses of the classes, K L, is at least each of them",
        (_l + _others) - _l,
        [_others],
    )
    e, K = temperature_limit, sympy.Symbol("K", positive=True)
    n, L = sympy.symbols("n L", positive=True)
    yield _is_inverse(e.hardmax_from_loss, n * K * L, -1)
    yield _is_inverse(e.distance_from_loss, K * L)
    yield _is_inverse(e.mean_distance_from_loss, L)
    yield assumes(claim, w="real", h="real", z="positive", tau="positive")
    points = [_model(0), _model(1)]
    yield tie("the claim compares these", claim, points, _guarantee_sides)


# -- the claims' own sides ------------------------------------------------------------------------

_LAYERS: tuple[dict[str, Any], ...] = (
    {
        "w": [[1, 2], [-1, 0], ["1/2", -1]],
        "h": [[[1, 1], [0, 3]], [[-2, 1], [-1, 0]], [[0, -1], [1, -1]]],
        "z": [[1, 1, 1], [2, 1, 1], ["1/3", 1, 5]],
        "tau": "1/3",
    },
    {"w": [[1], [-2]], "h": [[[3]], [[-1]]], "z": [[1, 2], [1, 3]], "tau": "1/5"},
)


def _model(place: int) -> dict[str, Any]:
    return point(**_LAYERS[place])


def _rival(place: int) -> dict[str, Any]:
    given = _LAYERS[place]
    swapped = {"v": given["w"][::-1], "g": given["h"][::-1], "epsilon": "1/4"}
    return point(**given, **swapped)


def _cluster(place: int) -> dict[str, Any]:
    given = {name: rows for name, rows in _LAYERS[place].items() if name != "z"}
    near = {"a": _turned(given["w"]), "b": _turned(given["h"])}  # nothing where it was
    return point(**given, **near, v=given["w"][::-1], g=given["h"], epsilon="1/4")


def _turned(rows: Any) -> Any:
    return [*rows[1:], rows[0]]


def _allowed(rival: Sphere, tau: Any, epsilon: Any) -> Any:
    step = (rival.hardmax / balls.ball(tau)).exp()
    return (1 + (rival.K - 1) * step).log() + balls.ball(number(epsilon))


def _apart(rows: Any, others: Any) -> Any:
    return largest(
        [
            norm([x - y for x, y in zip(row, other, strict=True)])
            for row, other in zip(rows, others, strict=True)
        ]
    )


def _mean(rows: Any) -> Any:
    return [sum((row[j] for row in rows), balls.ball(0)) / len(rows) for j in range(len(rows[0]))]


def _cluster_sides(w: Any, h: Any, a: Any, b: Any, v: Any, g: Any, tau: Any, epsilon: Any) -> Sides:
    tau = number(tau)
    net, limit, rival = (Sphere(*layer, tau) for layer in ((w, h), (a, b), (v, g)))
    away = _apart(net.w, limit.w)
    apart = largest([_apart(x, y) for x, y in zip(net.h, limit.h, strict=True)])
    kept = softplus((limit.hardmax - 2 * away - 2 * apart) / balls.ball(tau))
    return {
        "near-minimal": (net.loss, rival.loss + balls.ball(number(epsilon))),
        "HardMax of the cluster point": (kept, net.K * net.n * _allowed(rival, tau, epsilon)),
    }


def _rate_sides(w: Any, h: Any, z: Any, v: Any, g: Any, tau: Any, epsilon: Any) -> Sides:
    tau, eps = number(tau), balls.ball(number(epsilon))
    net, rival = Sphere(w, h, tau), Sphere(v, g, tau)
    allowed, scale = _allowed(rival, tau, epsilon), balls.ball(tau)
    distance = least([norm(row) for row in net.away(z)])
    budget = net.K * ((net.K - 1) * (rival.hardmax / scale).exp() + eps)
    return {
        "near-minimal": (net.loss, rival.loss + eps),
        "HardMax": (softplus(net.hardmax / scale), net.K * net.n * allowed),
        "one-vs-rest distance": (softplus(-distance / scale), net.K * allowed),
        "simple rate": (scale * (balls.ball(2).log() / budget).log(), distance),
    }


def _guarantee_sides(w: Any, h: Any, z: Any, tau: Any) -> Sides:
    tau = number(tau)
    net, scale = Sphere(w, h, tau), balls.ball(tau)
    worst = softplus(net.hardmax / scale)
    distances = [norm(row) for row in net.away(z)]
    lengths = [norm(_mean(rows)) for rows in net.h]
    middle = sum(distances, balls.ball(0)) / net.K
    return {
        "worst sample": (worst, net.K * net.n * net.loss),
        "mean loss": (net.loss, (1 + (net.K - 1) * (net.hardmax / scale).exp()).log()),
        "class by class": (
            [softplus(-D * r / scale) for D, r in zip(distances, lengths, strict=True)],
            net.of_class,
        ),
        "least distance": (softplus(-least(distances) / scale), net.K * net.loss),
        "mean distance": (softplus(-middle / scale), net.loss),
    }


def _direction_sides(w: Any, h: Any, z: Any, tau: Any) -> Sides:
    net, scale = Sphere(w, h, number(tau)), balls.ball(number(tau))
    columns: list[list[Any]] = [[] for _ in range(5)]
    shares, along, spreads, bounds, of_loss = columns
    squares_of_distances = []
    for rows, margins, loss, away in zip(
        net.h, net.margins, net.of_class, net.away(z), strict=True
    ):
        D, centre = norm(away), _mean(rows)
        squares_of_distances.append(D * D)
        shares += [m / D for m in margins]
        along += [dot(away, x) / D for x in rows]
        squares = [dot(x, x) - 2 * dot(x, centre) + dot(centre, centre) for x in rows]
        spreads.append(sum(squares, balls.ball(0)) / net.n)
        for values, margin in (
            (bounds, sum(margins, balls.ball(0)) / net.n),
            (of_loss, -scale * (loss.exp() - 1).log()),
        ):
            kept = (margin / D).max(balls.ball(0))
            values.append(1 - kept * kept)
    typical = (sum(squares_of_distances, balls.ball(0)) / net.K).sqrt()
    kept = (-scale * (net.loss.exp() - 1).log() / typical).max(balls.ball(0))
    return {
        "mean variability": (sum(spreads, balls.ball(0)) / net.K, 1 - kept * kept),
        "cosine": (shares, along),
        "variability from margins": (spreads, bounds),
        "variability from the loss": (spreads, of_loss),
    }
