"""Proofs of the gain of collapse: the tangent of log sum exp, and a divergence.

Everything is a sum over classes j of terms with the softmax shares ``phi_j`` at the mean and
``psi_j`` at an output, both of sum 1; a typical term stands for the sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import LOGARITHM, TANGENT
from proofs_check.steps import Fact, Step, assumes, identity, nonnegative, number, point, proof, tie

PINSKER = Fact(
    "Pinsker's inequality",
    "The divergence of two distributions is at least half the square of the sum of the absolute "
    "differences of their probabilities.",
    "Cover and Thomas, Elements of Information Theory, Lemma 11.6.1",
)
HOEFFDING_RANGE = Fact(
    "Hoeffding's lemma",
    "For a random number X within an interval of length r, log E exp(X - E X) <= r^2/8.",
    "W. Hoeffding, J. Amer. Statist. Assoc. 58 (1963), (4.16)",
)

_phi, _psi, _zj, _hj, _lz, _lh = sympy.symbols("phi psi z_j h_j L_z L_h", real=True)
_a, _b = sympy.symbols("a b", real=True)


# -- numbers in balls -----------------------------------------------------------------------------


def log_total(z: Any) -> Any:
    """Log of the sum of exponentials, in balls."""
    return sum((balls.ball(x).exp() for x in z), balls.ball(0)).log()


def shares(z: Any) -> list[Any]:
    """Softmax, in balls."""
    total = sum((balls.ball(x).exp() for x in z), balls.ball(0))
    return [balls.ball(x).exp() / total for x in z]


def loss(z: Any, k: int) -> Any:
    """Cross-entropy of logits of class k, in balls."""
    return log_total(z) - balls.ball(z[k])


def _mean(rows: Any, p: Any) -> list[Any]:
    total = sum(p)
    return [
        sum(w * row[j] for w, row in zip(p, rows, strict=True)) / total for j in range(len(rows[0]))
    ]


# -- shared steps ---------------------------------------------------------------------------------


def tangent() -> Iterator[Step]:
    """Log sum exp lies above its tangent, by a divergence."""
    yield identity(
        "a term of L(h) - L(z) - <Phi(z), h - z>, the shares of sum 1: log phi = z - L(z)",
        _phi * (_lh - _lz) - _phi * (_hj - _zj),
        _phi * ((_zj - _lz) - (_hj - _lh)),
    )
    x, y = sympy.symbols("x y", positive=True)
    yield identity(
        "log(phi/psi) >= 1 - psi/phi, from e^w >= 1 + w: a term of the divergence is at least",
        x * (1 - y / x),
        x - y,
    )
    yield identity("and the sum of these is 1 - 1", sympy.Integer(1) - 1, 0)
    w, more, u, v = sympy.symbols("w more u v", positive=True)
    centre = (w * u + more * v) / (w + more)
    yield identity(
        "the linear term: a sample of weight w and all others, about their mean",
        w * (u - centre) + more * (v - centre),
        0,
    )


def spread() -> Iterator[Step]:
    """The divergence is a cumulant, and a range is at most the root of twice a square."""
    yield identity(
        "L(h) - L(z) is the log of the mean of exp(h - z) under Phi(z): a term",
        sympy.exp(_hj) / sympy.exp(_lz),
        sympy.exp(_zj - _lz) * sympy.exp(_hj - _zj),
    )
    yield nonnegative(
        "(a - b)^2 <= 2 (a^2 + b^2) for the largest and the least entry",
        2 * (_a**2 + _b**2) - (_a - _b) ** 2,
        [(_a + _b) ** 2],
    )


# -- equation (10) --------------------------------------------------------------------------------

_POINTS = [
    point(h=[[[2, 0], [1, -1]], [[0, "1/2"], [-1, 3]]]),
    point(h=[[[1, 0, 0]], [[0, 2, 1]], [[1, 1, 1]]]),
]


def _risks(h: Any, p: Any) -> dict[str, Any]:
    total = sum(x for row in p for x in row)
    K = len(h)
    means = [_mean(h[k], p[k]) for k in range(K)]
    sums: dict[str, Any] = dict.fromkeys(
        ("risk", "collapsed", "excess", "least", "range", "v"), balls.ball(0)
    )
    for k in range(K):
        z, at = means[k], shares(means[k])
        for row, q in zip(h[k], p[k], strict=True):
            weight = balls.ball(q) / balls.ball(total)
            there = shares(row)
            step = [x - y for x, y in zip(row, z, strict=True)]
            kl = sum((a * (a / b).log() for a, b in zip(at, there, strict=True)), balls.ball(0))
            shift = sum((abs(a - b) for a, b in zip(at, there, strict=True)), balls.ball(0))
            sums["risk"] += weight * loss(row, k)
            sums["collapsed"] += weight * loss(z, k)
            sums["excess"] += weight * kl
            sums["least"] += weight * shift * shift / 2
            sums["range"] += weight * balls.ball(max(step) - min(step)) ** 2 / 8
            sums["v"] += weight * balls.ball(sum(x * x for x in step)) / 4
    return sums


@proof("review:eq-10", "printed", "1/n times the sum over the samples", TANGENT, LOGARITHM)
def means(claim: Claim) -> Iterator[Step]:
    """Jensen for log sum exp, with equal weights; the own logit is linear."""
    yield from tangent()
    yield assumes(claim, h="real")

    def sides(h: Any) -> dict[str, tuple[Any, Any]]:
        found = _risks(h, [[1] * len(rows) for rows in h])
        return {"risk": (found["collapsed"], found["risk"])}

    yield tie("the claim compares these", claim, _POINTS, sides)


@proof(
    "review:eq-10",
    "corrected",
    "by the share of the class, with the excess",
    TANGENT,
    LOGARITHM,
    PINSKER,
    HOEFFDING_RANGE,
)
def by_share(claim: Claim) -> Iterator[Step]:
    """The excess is a mean divergence; Pinsker below, Hoeffding above."""
    yield from tangent()
    yield from spread()
    yield assumes(claim, h="real", p="positive")

    def sides(h: Any, p: Any) -> dict[str, tuple[Any, Any]]:
        found = _risks(h, p)
        return {
            "risk": (found["collapsed"], found["risk"]),
            "excess": (found["risk"], found["risk"]),
            "at least": (found["least"], found["excess"]),
            "at most": (found["excess"], found["range"]),
            "variance": (found["excess"], found["v"]),
        }

    given = [
        {**_POINTS[0], **point(p=[[1, 2], ["1/2", 3]])},
        {**_POINTS[1], **point(p=[[1], [2], ["1/3"]])},
    ]
    yield tie("the claim compares these", claim, given, sides, ("excess",))


# -- equation (55) --------------------------------------------------------------------------------


def _second_derivatives() -> Iterator[Step]:
    """Any Hessian entry meets at most the own class, two rivals and the sum of the rest."""
    own, i, j = sympy.symbols("h_k h_i h_j", real=True)
    rest = sympy.Symbol("rest", positive=True)
    total = sympy.exp(own) + sympy.exp(i) + sympy.exp(j) + rest
    share = {x: sympy.exp(x) / total for x in (own, i, j)}
    p = share[own]
    for name, x, y in (("own", own, own), ("own, rival", own, i), ("rival", i, i), ("two", i, j)):
        derivative = sympy.diff(p, x, y)
        of_own = (int(x is own) - share[x]) * (int(y is own) - share[y])
        yield identity(
            f"the second derivatives of Phi_k: {name}",
            derivative,
            p * (of_own - share[x] * (int(x is y) - share[y])),
        )
        if name in ("rival", "two"):
            yield identity(
                f"those of log sum exp: {name}",
                sympy.diff(sympy.log(total), x, y),
                share[x] * (int(x is y) - share[y]),
            )


def _variance() -> Iterator[Step]:
    u, w, total, mean = sympy.symbols("u w total mean", real=True)
    p, q = sympy.symbols("p q", nonnegative=True)
    yield identity(
        "the sum over all pairs of p q (u - w)^2, of which each counts twice: a term",
        p * q * (u - w) ** 2,
        p * u**2 * q + q * w**2 * p - 2 * (p * u) * (q * w),
    )
    yield identity("with shares of sum 1", 2 * total * 1 - 2 * mean**2, 2 * (total - mean**2))
    least, more = sympy.symbols("least more", nonnegative=True)
    yield nonnegative(
        "a variance is a mean square about the mean, at least the least share times the sum of "
        "squares about it",
        (least + more) * (u - mean) ** 2 - least * (u - mean) ** 2,
        [more, (u - mean) ** 2],
    )
    yield nonnegative(
        "and the sum of squares is least about the plain mean: n of them, n (a - b)^2 more",
        p * (_a - _b) ** 2,
        [p, (_a - _b) ** 2],
    )


@proof("review:eq-55", "corrected", "the integral of -log Phi_k", TANGENT, LOGARITHM)
def loss_form(claim: Claim) -> Iterator[Step]:
    """The Hessian of the loss is a covariance; collapse is Jensen."""
    yield from _second_derivatives()
    yield from _variance()
    yield from tangent()
    c = sympy.Symbol("c", real=True)
    yield identity(
        "a number added to all logits: L(z + c) = L(z) + c, of which the own logit takes c",
        (_lz + c) - (_zj + c),
        _lz - _zj,
    )
    yield assumes(claim, h="real", v="real", shift="real")

    def sides(h: Any, v: Any, shift: Any) -> dict[str, tuple[Any, Any]]:
        z = _mean(h, [1] * len(h))
        p = shares(z)
        v = list(v)
        middle = sum((a * balls.ball(b) for a, b in zip(p, v, strict=True)), balls.ball(0))
        form = sum(
            (a * (balls.ball(b) - middle) ** 2 for a, b in zip(p, v, strict=True)), balls.ball(0)
        )
        across = sum((x - sum(v) / len(v)) ** 2 for x in v)
        least = p[0]
        for share in p:
            least = least.min(share)
        mean = sum((loss(row, 0) for row in h), balls.ball(0)) / len(h)
        at = loss(z, 0)
        return {
            "Hessian": (form, form),
            "strictly convex": (least * balls.ball(across), form),
            "integral": (at, mean),
            "equality": (at, at),
        }

    given = [
        point(h=[[2, 0], [1, -1]], v=[1, "1/2"], shift=[1, 3]),
        point(h=[[1, 0, "1/2"]], v=[1, 2, -1], shift=[2]),
    ]
    yield tie("the claim compares these", claim, given, sides, ("Hessian", "equality"))


@proof("review:eq-55", "sharp", "where Phi_k is not convex")
def not_convex(claim: Claim) -> Iterator[Step]:
    """The form by the matrix, and a direction that leaves the own share and the mean alone."""
    yield from _second_derivatives()
    p, q, r = sympy.symbols("p q r", positive=True)
    own, mean, square = sympy.symbols("own mean square", real=True)
    yield identity(
        "the form: (v_k - mean)^2 from the own entries, less the variance",
        p * (own**2 - 2 * own * mean + mean**2 - (square - mean**2)),
        p * ((own - mean) ** 2 - (square - mean**2)),
    )
    yield identity("the mean of e_i/q - e_j/r is zero", q * (1 / q) - r * (1 / r), 0)
    yield identity("its mean square", q / q**2 + r / r**2, 1 / q + 1 / r)
    yield identity("so the form", p * (0 - (1 / q + 1 / r)), -p * (1 / q + 1 / r))
    yield assumes(claim, z="real", v="real")

    def sides(z: Any, v: Any) -> dict[str, tuple[Any, Any]]:
        p = shares(z)
        middle = sum((a * balls.ball(b) for a, b in zip(p, v, strict=True)), balls.ball(0))
        variance = sum(
            (a * (balls.ball(b) - middle) ** 2 for a, b in zip(p, v, strict=True)), balls.ball(0)
        )
        form = p[0] * ((balls.ball(number(v[0])) - middle) ** 2 - variance)
        negative = -p[0] * (1 / p[1] + 1 / p[2])
        return {"form": (form, form), "negative": (negative, negative)}

    given = [point(z=[1, 0, "1/2"], v=[1, 2, 3]), point(z=[0, 0, 0, 1], v=[1, -1, "1/2", 2])]
    yield tie("the claim compares these", claim, given, sides, ("form", "negative"))
