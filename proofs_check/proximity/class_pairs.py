"""Proofs about pairs of classes. Throughout k = C/(C-1), and a bar is a mean.

Vectors enter the algebra coordinate by coordinate, sums over classes as symbols of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import flint
import sympy
from sympy import diff, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.proximity import class_pairs
from ncbounds.theory.terms import Claim
from proofs_check.facts import (
    CAUCHY_SCHWARZ,
    INNER_PRODUCT,
    JENSEN,
    MINKOWSKI,
    MONOTONE,
    SPECTRUM,
    TRIANGLE,
)
from proofs_check.proximity.off_class import best_use, budget, cost, off_class_lemma, seen
from proofs_check.steps import Step, assumes, identity, nonnegative, point, proof, tie

_C = sympy.Symbol("C", integer=True, positive=True)
_e, _f, _u, _v, _x, _y = sympy.symbols("e f u v x y", real=True)
_t = sympy.Symbol("t", nonnegative=True)
_o, _S, _T = sympy.symbols("o S T", positive=True)
Sides = dict[str, tuple[Any, Any]]


def _three_terms() -> Iterator[Step]:
    """What two rows' inner product changes by, and the root mean square of the three terms."""
    yield identity(
        "<u + e, v + f> - <u, v> = <e, v> + <u, f> + <e, f>, coordinate by coordinate",
        (_u + _e) * (_v + _f) - _u * _v,
        _e * _v + _u * _f + _e * _f,
    )
    square = sympy.Symbol("square", positive=True)
    yield identity(
        "the sum over rivals of <e_c, v_c'>^2 is at most o^2 |e_c|^2: over C(C-1) pairs the mean "
        "is at most o^2 (mean |e|^2)/(C-1)",
        _o**2 * (_C * square) / (_C * (_C - 1)),
        _o**2 * square / (_C - 1),
    )
    yield identity(
        "sum over pairs of |e|^2 |f|^2 = S^2 - sum |e|^4 <= S^2 (1 - 1/C), S the sum of the |e|^2: "
        "the mean over pairs is (S/C)^2",
        _S**2 * (1 - 1 / _C) / (_C * (_C - 1)),
        (_S / _C) ** 2,
    )
    p = symbolic.symbols(class_pairs.pair_gap)
    yield identity(
        "the formula is 2 o sqrt(m/(C-1)) + m at mean |e|^2 <= m = 2s",
        symbolic.expression(class_pairs.pair_gap),
        2 * sqrt(p["o"] ** 2 * (2 * p["s"]) / (p["C"] - 1)) + 2 * p["s"],
    )


@proof(
    "bnwd:sharp-4", "sharp", "mean directions", CAUCHY_SCHWARZ, INNER_PRODUCT, MINKOWSKI, SPECTRUM
)
def mean_directions(claim: Claim) -> Iterator[Step]:
    """e_c = A_c - u_c has |e_c|^2 <= 2(1 - <u_c, A_c>), and Minkowski for the three terms."""
    share = 1 / (1 + _t)
    yield nonnegative(
        "2 (1 - k) - |A - u|^2 = 1 - |A|^2 >= 0: a mean of unit vectors has |A| = 1/(1 + t)",
        2 * (1 - _x) - (share**2 + 1 - 2 * _x),
        [_t, 2 + _t, (1 + _t) ** -2],
    )
    yield from _three_terms()
    yield identity(
        "a share of the pairs with at least y each has a root mean square of at least sqrt(share) "
        "y: squared",
        _S * _y**2,
        (sqrt(_S) * _y) ** 2,
    )
    yield assumes(claim, w="real", h="real", pairs="mask")
    instances = [
        point(
            w=[[2, 0, 0], [0, 2, 1], [0, "-1/2", 3]],
            h=[[[1, 0, "1/3"], [2, -1, 0]], [[0, 1, 0], [-1, 2, 1]], [[0, 0, 1], ["1/2", 0, 2]]],
            pairs=[1, 0, 1, 1, 0, 0],
        ),
        point(w=[[1, 1], [0, -1]], h=[[[1, "1/2"]], [[-1, -2]]], pairs=[0, 1]),
    ]
    yield tie("the claim compares these", claim, instances, _direction_sides)


@proof("bnwd:sharp-4", "sharp", "mean logits", INNER_PRODUCT, TRIANGLE)
def mean_logits(claim: Claim) -> Iterator[Step]:
    """A class mean is its projection q plus what is orthogonal to all centred weights.

    With the angles between class means and projections in place of theta the bound is the
    triangle inequality; theta is larger, as |class mean| <= alpha_c.
    """
    mix, w = sympy.symbols("mix w", real=True)
    yield identity(
        "<q_c, q_c'> is the combination of the mean logits <w_j, q_c'>, term by term",
        (mix * w) * _v,
        mix * (w * _v),
    )
    c, d, X = sympy.symbols("c d X", real=True)
    s, r = sympy.symbols("s r", real=True)
    yield identity(
        "the cosine less X, for unit vectors c q + s n and d q' + r n' with <q, q'> = X, <n, n'> "
        "= y, is -X (1 - c d) + s r y",
        (c * d * X + s * r * _y) - X,
        -X * (1 - c * d) + s * r * _y,
    )
    q, hidden, spread = sympy.symbols("q hidden spread", positive=True)
    yield nonnegative(
        "sin^2 theta less the sine squared of the angle: q/(q + hidden) - q/(q + hidden + spread)",
        (1 - q / (q + hidden + spread)) - (1 - q / (q + hidden)),
        [q, spread, 1 / ((q + hidden) * (q + hidden + spread))],
    )
    size, c0, d0, s0, r0 = sympy.symbols("size c0 d0 s0 r0", nonnegative=True)
    a, b, p, m = sympy.symbols("a b p m", nonnegative=True)
    yield nonnegative(
        "the bound does not decrease when cosines fall by a, b and sines rise by p, m",
        (size * (1 - c0 * d0) + (s0 + p) * (r0 + m)) - (size * (1 - (c0 + a) * (d0 + b)) + s0 * r0),
        [size * (a * d0 + c0 * b + a * b) + s0 * m + p * r0 + p * m],
    )
    yield nonnegative(
        "1 - mean |q|^2/alpha^2 less the variability 1 - mean |class mean|^2/alpha^2",
        (1 - q / _S) - (1 - (q + hidden) / _S),
        [hidden, 1 / _S],
    )
    yield assumes(claim, w="real", mix="real", unseen="real")
    instances = [
        point(
            w=[[2, 0], [0, 1], [-1, "1/2"]],
            mix=[[[1, 0, 0]], [[0, 2, "1/3"]], [[0, -1, 1]]],
            unseen=[[[1]], [["-1/2"]], [[2]]],
        ),
        point(
            w=[[1], [-2]],
            mix=[[[1, 0], [2, 1]], [[-1, 1], [1, 3]]],
            unseen=[[[1, 0], [0, 1]], [[1, 1], ["1/2", 0]]],
        ),
    ]
    yield tie("the claim compares these", claim, instances, _logit_sides)


@proof("bnwd:sharp-4", "sharp", "off-class logits", JENSEN, CAUCHY_SCHWARZ, MONOTONE)
def off_class_logits(claim: Claim) -> Iterator[Step]:
    """G is the logarithm of E e^u for the deviations u of the rivals' logits from their mean."""
    yield from off_class_lemma()
    G = symbolic.symbols(class_pairs.off_class_size)["G"]
    psi = symbolic.expression(class_pairs.off_class_size)
    yield identity(
        "the bound at m = psi(G) is G, as 1 + 4 psi^2 = (1 + 4G)^2",
        1 + 4 * psi**2,
        (1 + 4 * G) ** 2,
    )
    yield nonnegative(
        "psi is concave, so the mean of psi(G) is at most psi(mean G)",
        -diff(psi, G, 2).subs(G, _T),
        [(2 * _T + 4 * _T**2) ** sympy.Rational(-3, 2)],
    )
    yield from budget()
    yield nonnegative("psi increases", diff(psi**2, G), [2, 1 + 4 * G])
    yield assumes(claim, w="real", bias="real", h="real")
    instances = [
        point(
            w=[[2, 0], [0, 1], [-1, -1]],
            bias=[0, "1/2", -1],
            h=[[[3, 0], [1, 1]], [[0, 2], ["1/3", 1]], [[-1, -2], [0, -1]]],
        ),
        point(w=[[1], [2], [-1], [0]], bias=[0, 1, 0, 0], h=[[[1]], [[2]], [[-3]], [["1/2"]]]),
    ]
    yield tie("the claim compares these", claim, instances, _off_class_sides)


@proof(
    "bnwd:sharp-4",
    "sharp",
    "Gram matrix",
    JENSEN,
    CAUCHY_SCHWARZ,
    INNER_PRODUCT,
    MINKOWSKI,
    MONOTONE,
    SPECTRUM,
    TRIANGLE,
)
def gram_matrix(claim: Claim) -> Iterator[Step]:
    """T (1 - tau) + mean G = T s: what the last layer sees of the misalignment costs both terms.

    The off-class logits of a class mean are the means of those of its samples, so by the triangle
    inequality theirs have a mean size of at least (T/k)(y - Y).
    Of y = mean |D| it is known that a y^2 <= mean |E|^2 <= 2s, so that (T/k)(y - Y)_+ is at most
    M, and that mean G >= (g T/2) (y - Y)_+^2, Y being the mean off-class logit of the weights.
    """
    yield from _three_terms()
    yield from budget()
    yield from seen()
    yield from off_class_lemma()
    yield from cost()
    yield from best_use()
    yield assumes(claim, w="real", h="real")
    instances = [
        point(
            w=[[2, 0, 0], [0, 2, 1], [0, "-1/2", 3]],
            h=[[[1, 0, "1/3"], [2, -1, 0]], [[0, 1, 0], [-1, 2, 1]], [[0, 0, 1], ["1/2", 0, 2]]],
        ),
        point(
            w=[[2, -1, -1], [-1, 2, -1], [-1, -1, 2]],
            h=[[[4, -2, -1]], [[-2, 4, -2]], [[-1, -2, 4]]],
        ),
    ]
    yield tie("the claim compares these", claim, instances, _gram_sides)


# -- the claims' sides by plain loops over exact numbers -----------------------------------------


def _off(matrix: list[list[Any]]) -> list[Any]:
    """The entries of ordered pairs, row by row."""
    size = range(len(matrix))
    return [matrix[c][r] for c in size for r in size if r != c]


def _pair_gap(C: int, square: Any, s: Any) -> Any:
    return 2 * (2 * s * square / (C - 1)).sqrt() + 2 * s


def largest_eigenvalue(gram: list[list[Any]]) -> Any:
    """The 64th root of the largest absolute row sum of the 64th power."""
    power = flint.arb_mat([[balls.ball(x) for x in row] for row in gram])
    for _ in range(6):
        power = power * power
    places = range(len(gram))
    sums = [sum((abs(power[c, r]) for r in places), balls.ball(0)) for c in places]
    most = sums[0]
    for x in sums:
        most = most.max(x)
    return (most.log() / 64).exp()


def _direction_sides(w: Any, h: Any, pairs: Any) -> Sides:
    C = len(w)
    units = [_scaled(row, 1 / _length(row)) for row in w]
    means = []
    for rows in h:
        directions = [_scaled(x, 1 / _length(x)) for x in rows]
        means.append(_mean_row(directions))
    known = [[_dot(u, v) for v in units] for u in units]
    inner = [[_dot(u, v) for v in means] for u in means]
    away = [abs(a - b) for a, b in zip(_off(inner), _off(known), strict=True)]
    s = 1 - sum((_dot(u, v) for u, v in zip(units, means, strict=True)), balls.ball(0)) / C
    bound = _pair_gap(C, largest_eigenvalue(known), s)
    chosen = [x for x, one in zip(away, pairs, strict=True) if one]
    least = chosen[0]
    for x in chosen:
        least = least.min(x)
    share = balls.ball(Fraction(len(chosen), len(away))).sqrt()
    return {
        "root mean square": (_root_mean_square(away), bound),
        "mean": (sum(away) / len(away), bound),
        "most pairs": (share * least, bound),
    }


def _logit_sides(w: Any, mix: Any, unseen: Any) -> Sides:
    C = len(w)
    wdot = _centred(w)
    seen = [[_combination(x, wdot) for x in rows] for rows in mix]
    q, rest = [_mean_row(rows) for rows in seen], [_mean_row(rows) for rows in unseen]
    square = [
        sum(_exact(a, a) + _exact(b, b) for a, b in zip(s, n, strict=True)) / Fraction(len(s))
        for s, n in zip(seen, unseen, strict=True)
    ]
    lengths = [balls.ball(_exact(q[c], q[c]) + _exact(rest[c], rest[c])).sqrt() for c in range(C)]
    away, radii = [], []
    for c in range(C):
        for r in range(C):
            if r == c:
                continue
            cosine = balls.ball(_exact(q[c], q[r]) + _exact(rest[c], rest[r]))
            cosine = cosine / (lengths[c] * lengths[r])
            known = _dot(q[c], q[r]) / (_length(q[c]) * _length(q[r]))
            shares = [_exact(q[i], q[i]) / square[i] for i in (c, r)]
            near = (balls.ball(shares[0]) * balls.ball(shares[1])).sqrt()
            off = (balls.ball(1 - shares[0]) * balls.ball(1 - shares[1])).sqrt()
            away.append(abs(cosine - known))
            radii.append(abs(known) * (1 - near) + off)
    whole = sum(square) / C
    kept = sum(_exact(a, a) + _exact(b, b) for a, b in zip(q, rest, strict=True)) / C
    return {
        "cosine of every pair": (balls.asarray(away), balls.asarray(radii)),
        "variability": (1 - kept / whole, 1 - sum(_exact(a, a) for a in q) / C / whole),
    }


def _losses(w: Any, bias: Any, h: Any) -> tuple[Any, Any, Any, Any]:
    """Mean absolute deviation of the rivals' logits, G and the log-odds p of each sample; T."""
    C, wdot = len(w), _centred(w)
    sizes, gaps, odds = [], [], []
    for c in range(C):
        for x in h[c]:
            logits = [_exact(row, x) + b for row, b in zip(w, bias, strict=True)]
            rivals = [z - logits[c] for r, z in enumerate(logits) if r != c]
            mean = sum(rivals) / (C - 1)
            sizes.append(sum(abs(z - mean) for z in rivals) / (C - 1))
            total = sum((balls.ball(z - mean).exp() for z in rivals), balls.ball(0)) / (C - 1)
            gaps.append(total.log())
            odds.append(-total.log() - balls.ball(mean))
    samples = [x for rows in h for x in rows]
    alpha = balls.ball(sum(_exact(x, x) for x in samples) / Fraction(len(samples))).sqrt()
    b = balls.ball(sum(_exact(row, row) for row in wdot) / Fraction(C)).sqrt()
    return sizes, gaps, odds, (alpha, b, balls.ball(Fraction(C, C - 1)) * alpha * b)


def _off_class_sides(w: Any, bias: Any, h: Any) -> Sides:
    sizes, gaps, odds, (_, _, T) = _losses(w, bias, h)
    floors = [G.max(balls.ball(0)) for G in gaps]
    mean = sum(floors, balls.ball(0)) / len(floors)
    budget = (T - sum(odds, balls.ball(0)) / len(odds)).max(balls.ball(0))
    return {
        "sample": (
            balls.asarray(sizes),
            balls.asarray([(2 * G * (1 + 2 * G)).sqrt() for G in floors]),
        ),
        "mean": (sum(sizes) / Fraction(len(sizes)), (2 * mean * (1 + 2 * mean)).sqrt()),
        "mean from the log-odds": (
            sum(sizes) / Fraction(len(sizes)),
            (2 * budget * (1 + 2 * budget)).sqrt(),
        ),
    }


def _gram_sides(w: Any, h: Any) -> Sides:
    C = len(w)
    _, _, odds, (alpha, b, T) = _losses(w, [Fraction(0)] * C, h)
    s = 1 - sum(odds, balls.ball(0)) / len(odds) / T
    v = [_scaled(row, 1 / b) for row in _centred(w)]
    A = [_scaled(_mean_row(rows), 1 / alpha) for rows in h]
    known = [[_dot(x, y) for y in v] for x in v]
    inner = [[_dot(x, y) for y in A] for x in A]
    away = [abs(x - y) for x, y in zip(_off(inner), _off(known), strict=True)]
    tilted = [[x + known[c][c] / (C - 1) for x in known[c]] for c in range(C)]
    Y = sum((abs(x) for x in _off(tilted)), balls.ball(0)) / (C * (C - 1))
    square = largest_eigenvalue(known)
    a, along = (C - 1) / square, square / (C * (C - 1))
    excess = ((2 * s / a).sqrt() - Y).max(balls.ball(0)) * T * (C - 1) / C
    g = 2 * T * balls.ball(Fraction((C - 1) ** 2, C * C)) / (1 + (1 + 4 * excess * excess).sqrt())
    eta = (2 * s / (1 / (a + g) + along)).sqrt()
    cost, least = (1 + eta) * g, Y.min(eta / a)
    across = (eta * eta + 2 * eta * cost * least - a * cost * least * least) / (eta * (a + cost))
    old = _pair_gap(C, square, s)
    return {
        "mean": (
            sum(away) / len(away),
            (2 * s + 2 * s / eta + across + eta * along).min(old),
        ),
        "root mean square": (_root_mean_square(away), old),
    }


def _root_mean_square(values: list[Any]) -> Any:
    return (sum((x * x for x in values), balls.ball(0)) / len(values)).sqrt()


def _centred(rows: Any) -> Any:
    mean = _mean_row(rows)
    return [[x - m for x, m in zip(row, mean, strict=True)] for row in rows]


def _combination(numbers: Any, rows: Any) -> Any:
    return [
        sum(a * row[j] for a, row in zip(numbers, rows, strict=True)) for j in range(len(rows[0]))
    ]


def _mean_row(rows: Any) -> Any:
    share = Fraction(1, len(rows))
    weight = share if isinstance(rows[0][0], Fraction) else balls.ball(share)
    return [sum(row[j] * weight for row in rows[1:]) + rows[0][j] * weight for j in _places(rows)]


def _places(rows: Any) -> range:
    return range(len(rows[0]))


def _scaled(row: Any, factor: Any) -> list[Any]:
    return [balls.ball(x) * factor for x in row]


def _length(row: Any) -> Any:
    return _dot(row, row).sqrt()


def _exact(x: Any, y: Any) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def _dot(x: Any, y: Any) -> Any:
    return sum((balls.ball(a) * balls.ball(b) for a, b in zip(x, y, strict=True)), balls.ball(0))
