"""Proofs about one class. `own`, `rivals` and the like are inner products with a feature."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import diff, exp, log, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.proximity import one_class
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, INNER_PRODUCT, JENSEN, MINKOWSKI, MONOTONE
from proofs_check.steps import Step, assumes, identity, nonnegative, number, point, proof, tie

_own, _rivals, _offset, _H, _S, _mean = sympy.symbols("own rivals offset H S mean", real=True)
_a, _more, _rest = sympy.symbols("a more rest", nonnegative=True)
_omega, _norm, _positive = sympy.symbols("omega norm positive", positive=True)
Sides = dict[str, tuple[Any, Any]]


def _one_sample() -> Iterator[Step]:
    """log-odds <= <omega, h> - H - mean offset: Jensen under pi, for z - log pi."""
    z, p = sympy.Symbol("z", real=True), sympy.Symbol("p", positive=True)
    yield identity("a rival's e^z is pi times e^(z - log pi)", p * exp(z - log(p)), exp(z))
    yield identity(
        "the mean under pi of z - log pi is that of z plus the entropy, rival by rival",
        p * (z - log(p)),
        p * z - p * log(p),
    )
    yield identity(
        "the mean under pi of z = <w_r - w_c, h> + b_r - b_c is the mean offset - <omega, h>",
        _rivals - _own + _offset,
        _offset - (_own - _rivals),
    )
    total = sympy.Symbol("total", positive=True)
    yield identity(
        "log(e^l - 1) is the logarithm of the sum of e^z", log(exp(log(1 + total)) - 1), log(total)
    )


def _from_the_mean_loss() -> Iterator[Step]:
    """-log(e^l - 1) is convex."""
    loss, q = sympy.symbols("loss q", positive=True)
    yield nonnegative(
        "the second derivative of -log(e^l - 1) is (1 + q)/q^2 at l = log(1 + q)",
        diff(-log(exp(loss) - 1), loss, 2).subs(loss, log(1 + q)),
        [1 + q, q**-2],
    )


@proof("bnwd:sharp-3", "sharp", "class mean", JENSEN, INNER_PRODUCT)
def class_mean(claim: Claim) -> Iterator[Step]:
    """Jensen gives the margin of a sample; the mean of margins is <omega, class mean> >= a >= 0.

    |omega| |class mean| is at least that, and |class mean| at most the root mean square norm.
    """
    yield from _one_sample()
    yield from _from_the_mean_loss()
    reach = (_a + _more) / _omega
    yield nonnegative(
        "|omega| |mean| = a + more >= <omega, mean> >= a, so |mean| - a/|omega| >= 0",
        reach - _a / _omega,
        [_more, 1 / _omega],
    )
    yield identity(
        "the variability is the mean square less |mean|^2, over the mean square",
        sympy.expand((_S - _mean) ** 2).subs(_S**2, _norm**2).subs(_S, _mean) / _norm**2,
        1 - _mean**2 / _norm**2,
    )
    v = symbolic.symbols(one_class.variability_of_class)
    at = {v["a"]: _a, v["omega"]: _omega, v["alpha"]: _norm}
    yield nonnegative(
        "so it is at most the formula, with |mean| = (a + more)/|omega|",
        symbolic.expression(one_class.variability_of_class).subs(at) - (1 - reach**2 / _norm**2),
        [_more, 2 * _a + _more, 1 / (_omega * _norm) ** 2],
    )
    c = symbolic.symbols(one_class.cosine_of_class)
    yield nonnegative(
        "the cosine (a + more)/(|omega| |mean|) is at least the formula, alpha = |mean| + rest",
        (_a + _more) / (_omega * _positive)
        - symbolic.expression(one_class.cosine_of_class).subs(
            {c["a"]: _a, c["omega"]: _omega, c["alpha"]: _positive + _rest}
        ),
        [
            _a * _rest + _more * (_positive + _rest),
            1 / (_omega * _positive * (_positive + _rest)),
        ],
    )
    n = symbolic.symbols(one_class.norm_of_class)
    yield identity(
        "the formula of the norm is a/|omega|",
        symbolic.expression(one_class.norm_of_class),
        n["a"] / n["omega"],
    )
    yield assumes(claim, **_LAYER)
    yield tie("the claim compares these", claim, _CLASSES, _class_sides)


@proof("bnwd:sharp-3", "sharp", "mean cosine", JENSEN, CAUCHY_SCHWARZ, INNER_PRODUCT)
def mean_cosine(claim: Claim) -> Iterator[Step]:
    """Chosen: |omega| |h| cos >= p >= 0. (mean sqrt p)^2 <= (mean of p/|h|) (mean of |h|).

    The others have a cosine of at least -1. The mean of |h| over the class, zero outside S, is at
    most alpha_c. The intra-class cosine is the square of the norm of the mean direction.
    """
    yield from _one_sample()
    p, h = sympy.symbols("p h", positive=True)
    yield identity("sqrt p is sqrt(p/|h|) sqrt(|h|)", sqrt(p / h) * sqrt(h), sqrt(p))
    yield nonnegative(
        "cos - p/(|omega| |h|) >= 0 for |omega| |h| cos = p + more",
        (p + _more) / (_omega * h) - p / (_omega * h),
        [_more, 1 / (_omega * h)],
    )
    root, alpha = sympy.symbols("root alpha", positive=True)
    yield nonnegative(
        "root^2/mean |h| - root^2/alpha >= 0, with mean |h| = h and alpha = h + rest",
        root**2 / (_omega * h) - root**2 / (_omega * (h + _rest)),
        [root**2, _rest, 1 / (_omega * h * (h + _rest))],
    )
    share = sympy.Symbol("share", real=True)
    yield identity(
        "outside S the cosines sum up to at least -(1 - share)",
        root**2 / (_omega * alpha) + (1 - share) * -1,
        root**2 / (_omega * alpha) - (1 - share),
    )
    yield nonnegative(
        "a number not below b >= 0 has no smaller square: the norm is at least the mean cosine",
        (_a + _more) ** 2 - _a**2,
        [_more, 2 * _a + _more],
    )
    instances = [
        {**instance, **point(chosen=chosen)}
        for instance, chosen in zip(_CLASSES, ([1, 0], [1, 1, 0]), strict=True)
    ]
    yield assumes(claim, **_LAYER, chosen="mask")
    yield tie("the claim compares these", claim, instances, _cosine_sides)


@proof("bnwd:sharp-3", "sharp", "identity (gap-W)", JENSEN, INNER_PRODUCT, MONOTONE)
def shortest_feature(claim: Claim) -> Iterator[Step]:
    """The linear term of f completes the square; f is convex with gradient -omega at h*."""
    s, mu = sympy.Symbol("s", real=True), sympy.Symbol("mu", positive=True)
    h, star, inner, f, least = sympy.symbols("h star inner f least", real=True)
    yield identity(
        "|h - h*|^2 + (2/mu)(f - f* + <mu h*, h - h*>) = |h|^2 - |h*|^2 + (2/mu)(f - f*), of "
        "each sample, with squares h and star and <h*, h> = inner",
        (h - 2 * inner + star) + 2 / mu * (f - least + mu * (inner - star)),
        h - star + 2 / mu * (f - least),
    )
    value, slope, bend = sympy.symbols("value slope bend", positive=True)
    total = value + slope * s + bend * s**2 / 2
    yield identity(
        "the slope of log sum e^z along a line is the mean of the slopes under a softmax: at h* "
        "it is the mean of <w_r - w_c, .> under pi, which is -<omega, .>",
        diff(log(total), s).subs(s, 0),
        slope / value,
    )
    yield identity(
        "its second derivative is a variance, so f is convex and lies above its tangent at h*",
        diff(log(total), s, 2).subs(s, 0),
        bend / value - (slope / value) ** 2,
    )
    yield from _one_sample()
    yield identity(
        "at h* that reads H + mean offset - f(h*) <= <omega', h*> <= |omega'| |h*|",
        _H + _offset - (_H + _offset - _own + _rivals),
        _own - _rivals,
    )
    log_pi = sympy.Symbol("log_pi", real=True)
    yield identity(
        "with equality for pi itself, whose log pi is z - f(h*) for every rival",
        (log_pi + least) - log_pi,
        least,
    )
    yield assumes(
        claim,
        rivals="real",
        offsets="real",
        mu="positive",
        shortest="real",
        others="positive",
        h="real",
    )
    instances = [
        point(
            rivals=[[1, 0], ["1/2", -1]],
            offsets=[0, "1/3"],
            mu=2,
            shortest=[1, 2],
            others=[1, 3],
            h=[[1, 1], [2, "1/2"]],
        ),
        point(rivals=[[2]], offsets=[-1], mu="1/2", shortest=[3], others=[1], h=[[1], [-2]]),
    ]
    yield tie(
        "the claim compares these", claim, instances, _split_sides, ("split of the mean square",)
    )


@proof("bnwd:sharp-3", "sharp", "equal norms", JENSEN, INNER_PRODUCT, MINKOWSKI)
def equal_norms(claim: Claim) -> Iterator[Step]:
    """Every |class mean| lies in [r_c, alpha_c]: the middle, and at most half the width off it."""
    yield from _one_sample()
    yield nonnegative(
        "|mean| - a/|omega| >= 0 where a >= 0, as |omega| |mean| = a + more; else r = 0",
        (_a + _more) / _omega - _a / _omega,
        [_more, 1 / _omega],
    )
    low, up = sympy.symbols("low up", nonnegative=True)
    yield nonnegative(
        "half the width squared less (x - middle)^2 for x = r + low, alpha = x + up",
        ((low + up) / 2) ** 2 - (_a + low - (2 * _a + low + up) / 2) ** 2,
        [low, up],
    )
    yield identity(
        "a standard deviation is at most the root mean square",
        sympy.expand((_S - _mean) ** 2).subs(_S**2, _norm**2).subs(_S, _mean),
        _norm**2 - _mean**2,
    )
    d, mean = sympy.symbols("d mean", positive=True)
    yield nonnegative(
        "(d + more) mean |mean| - d mean r >= 0, the first mean being larger by rest",
        (d + _more) * (mean + _rest) - d * mean,
        [_more * mean + _rest * (d + _more)],
    )
    yield assumes(claim, w="real", bias="real", weights="positive", h="real")
    instances = [
        point(
            w=[[2, 0], [0, 1], [-1, -1]],
            bias=[0, "1/2", 0],
            weights=[[1, 2], [1, 1], [3, 1]],
            h=[[[3, 0]], [[0, 2]], [[-1, -2]]],
        ),
        point(w=[[1], [-1]], bias=[0, 0], weights=[[1], [2]], h=[[[1], [2]], [[-3], [-1]]]),
    ]
    yield tie("the claim compares these", claim, instances, _norm_sides)


# -- the claims' sides by plain loops over exact numbers -----------------------------------------

_LAYER = {
    "rivals": "real",
    "offsets": "real",
    "weights": "positive",
    "direction": "real",
    "h": "real",
}
_CLASSES = [
    point(
        rivals=[[1, 0], ["1/2", -1]],
        offsets=[0, "1/3"],
        weights=[1, 2],
        direction=[3, 1],
        h=[[1, 1], [2, "1/2"]],
    ),
    point(rivals=[[2]], offsets=[-1], weights=[5], direction=[4], h=[[1], [2], [-1]]),
]


def _probabilities(weights: Any) -> list[Fraction]:
    return [Fraction(x) / sum(weights) for x in weights]


def _under(pi: list[Any], rows: Any) -> list[Any]:
    """The mean of rows under probabilities, coordinate by coordinate."""
    return [sum(p * row[j] for p, row in zip(pi, rows, strict=True)) for j in range(len(rows[0]))]


def _log_sum(x: Any, own: Any, rivals: Any, offsets: Any) -> Any:
    """log sum of e^z at a feature."""
    gaps = [_dot(row, x) - _dot(own, x) + b for row, b in zip(rivals, offsets, strict=True)]
    return sum((balls.ball(z).exp() for z in gaps), balls.ball(0)).log()


def _gain(pi: list[Any], offsets: Any) -> Any:
    """Entropy plus mean offset."""
    terms = zip(pi, offsets, strict=True)
    return sum((balls.ball(p) * (balls.ball(b) - balls.ball(p).log()) for p, b in terms), 0)


def _samples(
    rivals: Any, offsets: Any, weights: Any, direction: Any, h: Any
) -> tuple[list[Any], list[Any]]:
    """The f of every sample, and its guaranteed margin."""
    pi = _probabilities(weights)
    own = [a + b for a, b in zip(direction, _under(pi, rivals), strict=True)]
    f = [_log_sum(x, own, rivals, offsets) for x in h]
    return f, [_gain(pi, offsets) - value for value in f]


def _class_sides(rivals: Any, offsets: Any, weights: Any, direction: Any, h: Any) -> Sides:
    f, margins = _samples(rivals, offsets, weights, direction, h)
    a, mean = sum(margins) / len(h), _mean_row(h)
    loss = sum(((1 + value.exp()).log() for value in f), balls.ball(0)) / len(h)
    square = balls.ball(sum(_dot(x, x) for x in h) / Fraction(len(h)))
    omega, inner = _length(direction), balls.ball(_dot(direction, mean))
    return {
        "a not negative": (balls.ball(0), a),
        "margin": (a, inner),
        "margin from the mean loss": (a + sum(f) / len(h) - (loss.exp() - 1).log(), a),
        "variability": (1 - balls.ball(_dot(mean, mean)) / square, 1 - (a / omega) ** 2 / square),
        "cosine": (a / (omega * square.sqrt()), inner / (omega * _length(mean))),
        "norm": (a / omega, _length(mean)),
    }


def _cosine_sides(chosen: Any, h: Any, direction: Any, **layer: Any) -> Sides:
    _, margins = _samples(h=h, direction=direction, **layer)
    size, omega = len(h), _length(direction)
    kept = [p.max(balls.ball(0)) for p, c in zip(margins, chosen, strict=True) if c]
    root = sum((p.sqrt() for p in kept), balls.ball(0)) / size
    square = balls.ball(sum(_dot(x, x) for x in h) / Fraction(size))
    least = root * root / (omega * square.sqrt()) - balls.ball(Fraction(size - len(kept), size))
    of_directions = [balls.ball(0)] * len(direction)
    for x in h:
        length = _length(x)
        of_directions = [s + balls.ball(v) / length for s, v in zip(of_directions, x, strict=True)]
    of_directions = [s / size for s in of_directions]
    inner = sum((s * balls.ball(w) for s, w in zip(of_directions, direction, strict=True)), 0)
    floor = least.max(balls.ball(0))
    zero = balls.asarray([Fraction(0)] * size)
    marked = [p if c else balls.ball(0) for p, c in zip(margins, chosen, strict=True)]
    return {
        "chosen samples have a margin": (zero, balls.asarray(marked)),
        "mean cosine": (least, inner / omega),
        "intra-class cosine": (floor * floor, sum((s * s for s in of_directions), balls.ball(0))),
    }


def _split_sides(rivals: Any, offsets: Any, mu: Any, shortest: Any, others: Any, h: Any) -> Sides:
    mu = number(mu)
    tops = [
        balls.ball(_dot(row, shortest) + b).exp() for row, b in zip(rivals, offsets, strict=True)
    ]
    pi = [top / sum(tops, balls.ball(0)) for top in tops]
    omega = [mu * x for x in shortest]
    own = [balls.ball(a) + b for a, b in zip(omega, _in_balls(pi, rivals), strict=True)]
    least = _log_sum_in_balls(shortest, own, rivals, offsets)
    f = [_log_sum_in_balls(x, own, rivals, offsets) for x in h]
    tilted = [_dot(omega, [a - b for a, b in zip(x, shortest, strict=True)]) for x in h]
    mean_square = sum(_dot(x, x) for x in h) / Fraction(len(h))
    lag = sum(f) / len(h) - least
    whole = balls.ball(mean_square - _dot(shortest, shortest)) + 2 * lag / balls.ball(mu)
    other = _probabilities(others)
    direction = [a - balls.ball(b) for a, b in zip(own, _under(other, rivals), strict=True)]
    length = sum((x * x for x in direction), balls.ball(0)).sqrt()
    return {
        "split of the mean square": (whole, whole),
        "excess of off-class logits >= 0": (
            balls.asarray([Fraction(0)] * len(h)),
            balls.asarray([v - least + balls.ball(t) for v, t in zip(f, tilted, strict=True)]),
        ),
        "no probabilities do better": (_gain(other, offsets) - least, length * _length(shortest)),
    }


def _in_balls(pi: list[Any], rows: Any) -> list[Any]:
    return [
        sum((p * balls.ball(row[j]) for p, row in zip(pi, rows, strict=True)), balls.ball(0))
        for j in range(len(rows[0]))
    ]


def _log_sum_in_balls(x: Any, own: list[Any], rivals: Any, offsets: Any) -> Any:
    inner = sum((a * balls.ball(b) for a, b in zip(own, x, strict=True)), balls.ball(0))
    gaps = [balls.ball(_dot(row, x) + b) - inner for row, b in zip(rivals, offsets, strict=True)]
    return sum((z.exp() for z in gaps), balls.ball(0)).log()


def _norm_sides(w: Any, bias: Any, weights: Any, h: Any) -> Sides:
    found, middles, widths, known = [], [], [], []
    for c in range(len(w)):
        others = [r for r in range(len(w)) if r != c]
        rivals, offsets = [w[r] for r in others], [bias[r] - bias[c] for r in others]
        pi = _probabilities(weights[c])
        direction = [a - b for a, b in zip(w[c], _under(pi, rivals), strict=True)]
        _, margins = _samples(rivals, offsets, weights[c], direction, h[c])
        a = (sum(margins) / len(h[c])).max(balls.ball(0))
        least = a / _length(direction)
        alpha = balls.ball(sum(_dot(x, x) for x in h[c]) / Fraction(len(h[c]))).sqrt()
        found.append(_length(_mean_row(h[c])))
        known.append(least)
        middles.append((least + alpha) / 2)
        widths.append((alpha - least) / 2)
    at_most = _deviation(middles) + (sum(x * x for x in widths) / len(w)).sqrt()
    mean, floor = sum(found) / len(w), sum(known) / len(w)
    return {
        "deviation": (_deviation(found), at_most),
        "coefficient of variation": (_deviation(found) * floor, at_most * mean),
    }


def _deviation(values: list[Any]) -> Any:
    mean = sum(values) / len(values)
    return (sum((x - mean) * (x - mean) for x in values) / len(values)).sqrt()


def _mean_row(rows: Any) -> Any:
    return [sum(row[j] for row in rows) / Fraction(len(rows)) for j in range(len(rows[0]))]


def _length(x: Any) -> Any:
    return balls.ball(_dot(x, x)).sqrt()


def _dot(x: Any, y: Any) -> Any:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))
