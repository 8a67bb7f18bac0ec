"""What holds for two samples of a class whose gradients nearly agree."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy

from ncbounds.arithmetic import balls
from ncbounds.theory.terms import Claim
from proofs_check.facts import INNER_PRODUCT, TRIANGLE
from proofs_check.square_loss.multiclass_layers import (
    Sides,
    about_targets,
    minus,
    outer,
    product,
    target_rows,
)
from proofs_check.steps import Step, assumes, identity, nonnegative, point, proof, tie
from proofs_check.vectors import dot, norm


@proof(
    "square:remark-nc-without-assumption",
    "sharp",
    "what equilibrium alone gives",
    INNER_PRODUCT,
    TRIANGLE,
)
def equilibrium_alone(claim: Claim) -> Iterator[Step]:
    """Along the target, the gradient r h^T of a sample is -k (1 - t) h: call u = (1 - t) h.

    So |u - u'| <= D/sqrt(k). And t (1 - t) is the inner product of u with W^T e~/k.
    """
    yield from about_targets()
    k = sympy.Symbol("k", positive=True)
    t, s, h, g, we = sympy.symbols("t s h g we", real=True)
    yield identity("<W h - e~, e~> = k t - k", k * t - k, -k * (1 - t))
    yield identity(
        "an entry of e~^T (r h^T - r' h'^T) is -k (u - u')",
        -k * (1 - t) * h - (-k * (1 - s) * g),
        -k * ((1 - t) * h - (1 - s) * g),
    )
    D = sympy.Symbol("D", nonnegative=True)
    yield identity(
        "so k |u - u'| <= |e~| D = sqrt(k) D, that is |u - u'| <= D/sqrt(k)",
        sympy.sqrt(k) * D / k,
        D / sympy.sqrt(k),
    )
    yield identity(
        "t (1-t) - s (1-s) = (t - s)(1 - t - s)", t * (1 - t) - s * (1 - s), (t - s) * (1 - t - s)
    )
    yield identity(
        "and it is <u - u', W^T e~>/k, as k t = <h, W^T e~>: a typical entry",
        (1 - t) * h * we / k - (1 - s) * g * we / k,
        ((1 - t) * h - (1 - s) * g) * we / k,
    )
    weight = sympy.Symbol("weight", nonnegative=True)
    yield identity(
        "its size is at most |W^T e~| D k^(-3/2)",
        weight * (D / sympy.sqrt(k)) / k,
        weight * D / (k * sympy.sqrt(k)),
    )
    yield identity(
        "(1-t)(h - h') = (u - u') + (t - s) h', entry by entry",
        (1 - t) * (h - g),
        ((1 - t) * h - (1 - s) * g) + (t - s) * g,
    )
    half, length, less, lost = sympy.symbols("half length less lost", nonnegative=True)
    bound = weight * D / (k * sympy.sqrt(k))
    yield nonnegative(
        "|t+s-1| (|u - u'| + |t-s| |h'|), with |u - u'| = D/sqrt(k) - less and |t+s-1| |t-s| = "
        "bound - lost",
        D / sympy.sqrt(k) * (half + weight * length / k)
        - (half * (D / sympy.sqrt(k) - less) + (bound - lost) * length),
        [half * less + lost * length],
    )
    yield assumes(claim, w="real", h="real", g="real")
    points = [
        point(w=[[1, 2], [0, -1]], h=[1, 1], g=["1/2", 0]),
        point(w=[[1, 0], [0, 1], ["-1/3", 2]], h=[1, 0], g=[0, 2]),
    ]
    yield tie("the claim compares these", claim, points, _sides)


def _sides(w: Any, h: Any, g: Any) -> Sides:
    C = len(w)
    k, e = Fraction(C, C - 1), target_rows(C)[0]
    t, s = (dot(product(w, x), e) / k for x in (h, g))
    gradients = [outer(minus(product(w, x), e), list(x)) for x in (h, g)]
    apart = norm(minus(*gradients))
    along = norm([dot(column, e) for column in zip(*w, strict=True)])
    root, half = balls.ball(k).sqrt(), abs(t + s - 1)
    limit = apart / root * (balls.ball(half) + along * norm(list(g)) / balls.ball(k))
    far = norm(minus(h, g))
    return {
        "margins": (abs(t - s) * half, along * apart / (balls.ball(k) * root)),
        "features": (balls.ball(abs(1 - t) * half) * far, limit),
    }
