"""Pairs of points in contact: which they may be, and the equations that they satisfy.

The equations are <x_i, x_j> = t, with t unknown, on the pairs in contact. Each step of Gauss and
Newton takes the shortest move that solves the linearised ones, by normal equations of the smaller
kind: their rounding costs steps, not digits, as each step begins with exact residuals. In plain
loops that Numba compiles, since arrangements are small.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ncbounds.codes.annealing import Floats, compiled

Indices = NDArray[np.int64]

#: No coordinate moves further than this in a step, and in all.
LONGEST = 0.05
#: Residuals that are as good as zero, and those that rounding may leave.
_ZERO, SMALL = 4e-16, 1e-14
#: Slack at which pairs in contact may begin and must end, and the least jump between the two.
_LEAST_SLACK, MOST_SLACK, _LEAST_JUMP = 1e-9, 1e-2, 1.5
_FLAT = 1e-16
_GUESSES = 3
_STEPS = 10
#: A step that leaves more of the residual does not converge.
_PROGRESS = 0.9
#: Added to the diagonal of the normal equations, relative to it: directions that no pair feels.
_RIDGE = 1e-10


def near_pairs(points: Floats, slack: float) -> tuple[Indices, Indices, Floats]:
    """Pairs i < j whose inner product is within `slack` of the largest, and the next one.

    Returns (first, second, products) by falling product.
    """
    pairs, products = _near_pairs(points, slack)
    order = np.argsort(-products, kind="stable")
    return pairs[order, 0], pairs[order, 1], products[order]


@compiled
def _near_pairs(x, slack):  # type: ignore[no-untyped-def]
    K = len(x)
    top = -2.0
    for i in range(K):
        for j in range(i):
            top = max(top, _product(x, i, j))
    least, following, n = top - slack, -2.0, 1
    for i in range(K):
        for j in range(i):
            product = _product(x, i, j)
            n += product >= least
    pairs, products = np.empty((n, 2), dtype=np.int64), np.empty(n)
    n = 1  # the first place is for the pair that follows
    for i in range(K):
        for j in range(i):
            product = _product(x, i, j)
            if product >= least and n < len(products):
                pairs[n, 0], pairs[n, 1], products[n] = j, i, product
                n += 1
            elif product > following:
                pairs[0, 0], pairs[0, 1], products[0] = j, i, product
                following = product
    start = 0 if following > -2 else 1
    return pairs[start:n], products[start:n]


@compiled
def _product(x, i, j):  # type: ignore[no-untyped-def]
    total = 0.0
    for a in range(x.shape[1]):
        total += x[i, a] * x[j, a]
    return total


@compiled
def likely_counts(products, d, most, pairs):  # type: ignore[no-untyped-def]
    """How many pairs may be in contact, up to three numbers: where the slack jumps the most.

    Parameters:
        products: the largest inner products, falling.
        d: dimension; forces between fewer than d (d + 1) / 2 pairs hardly ever balance.
        most: inner products that are looked at.
        pairs: how many inner products there are.
    """
    n = min(len(products), most)
    counts, jumps = np.zeros(_GUESSES, dtype=np.int64), np.full(_GUESSES, _LEAST_JUMP)
    found = 0
    for p in range(d * (d + 1) // 2 - 1, n - 1):
        before = max(products[0] - products[p], _FLAT)
        after = max(products[0] - products[p + 1], _FLAT)
        if after < _LEAST_SLACK or before > MOST_SLACK or after <= _LEAST_JUMP * before:
            continue
        place = min(found, _GUESSES - 1)
        if found == _GUESSES and jumps[place] >= after / before:
            continue
        while place > 0 and jumps[place - 1] < after / before:
            counts[place], jumps[place] = counts[place - 1], jumps[place - 1]
            place -= 1
        counts[place], jumps[place] = p + 1, after / before
        found = min(found + 1, _GUESSES)
    if found == 0 and n == pairs and products[0] - products[n - 1] < MOST_SLACK:
        counts[0], found = pairs, 1
    return counts[:found]


@compiled
def derivatives(x, first, second):  # type: ignore[no-untyped-def]
    """(pairs, K d) derivatives of the inner products along the sphere."""
    K, d = x.shape
    n = len(first)
    rows = np.zeros((n, K * d))
    for p in range(n):
        i, j = first[p], second[p]
        product = _product(x, i, j)
        for a in range(d):
            rows[p, i * d + a] = x[j, a] - product * x[i, a]
            rows[p, j * d + a] = x[i, a] - product * x[j, a]
    return rows


@compiled
def meet(x, first, second):  # type: ignore[no-untyped-def]
    """Move (K, d) unit rows, in place, towards where all pairs have one inner product.

    Stops early where steps grow too long or do not bring it nearer.
    """
    K, d = x.shape
    n = len(first)
    slack, last = np.empty(n), np.inf
    for _ in range(_STEPS):
        for p in range(n):
            slack[p] = _product(x, first[p], second[p])
        slack -= slack.mean()
        residual = max(slack.max(), -slack.min())
        solved = residual < _ZERO or last / 2 < residual < SMALL
        if solved or residual > _PROGRESS * last:
            break
        last = residual
        rows = derivatives(x, first, second)
        for q in range(K * d):
            rows[:, q] -= rows[:, q].mean()
        if n <= K * (d - 1) - d * (d - 1) // 2:
            move = rows.T @ _solution(rows @ rows.T, slack.copy())
        else:
            move = _solution(rows.T @ rows, rows.T @ slack)
        if not np.abs(move).max() < LONGEST:
            break
        _subtract(x, move)


@compiled
def _subtract(x, move):  # type: ignore[no-untyped-def]
    K, d = x.shape
    for k in range(K):
        for a in range(d):
            x[k, a] -= move[k * d + a]
        length = math.sqrt(_product(x, k, k))
        for a in range(d):
            x[k, a] /= length


@compiled
def _solution(gram, right):  # type: ignore[no-untyped-def]
    """Solve (gram + ridge) y = right in place, by Cholesky's factors; NaN where there are none."""
    n, trace = len(gram), 0.0
    for i in range(n):
        trace += gram[i, i]
    for i in range(n):
        for j in range(i):
            gram[i, j] = (gram[i, j] - _dot(gram[i], gram[j], j)) / gram[j, j]
        pivot = gram[i, i] + _RIDGE * trace / n - _dot(gram[i], gram[i], i)
        gram[i, i] = math.sqrt(pivot) if pivot > 0 else math.nan
        right[i] = (right[i] - _dot(gram[i], right, i)) / gram[i, i]
    for i in range(n - 1, -1, -1):
        right[i] /= gram[i, i]
        for j in range(i):
            right[j] -= right[i] * gram[i, j]
    return right


@compiled
def _dot(x, y, n):  # type: ignore[no-untyped-def]
    total = 0.0
    for a in range(n):
        total += x[a] * y[a]
    return total
