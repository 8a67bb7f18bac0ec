"""The shape of a last layer beside random ones, and how far apart its rows are.

`shape` tells norms, angles, ranks and rows that coincide; `margins` the certified one-vs-rest
distances of unit rows, of all of them or of a sample; `uniform` and `same_spectrum` give random
matrices of the same size, the second with the same singular values too; `inside` and `never_first`
which classes lie in the hull of the others, and which of them no feature makes the largest logit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.published.heads import Head
from ncbounds.codes.certificate import Margin
from ncbounds.codes.margin import Floats, Indices, one_vs_rest_distances
from ncbounds.errors import InputError
from ncbounds.measure.geometry import (
    Undefined,
    coefficient_of_variation,
    rank_summary,
    unit_rows,
)

#: Rows nearer than this to another, relative to their length, are the same but for rounding.
SAME = 1e-5
_BLOCK = 2048


@dataclass(frozen=True)
class Shape:
    """Numbers of a matrix W of K rows w_k; what names they have in `METRICS` is said of each."""

    K: int
    d: int
    equinorm: float
    """`nc2.equinorm.weights`: standard deviation of the lengths over their mean."""
    cosine: float
    """Mean cosine of two rows."""
    spread: float
    """`nc2.equiangular.weights`: standard deviation of the cosines of two rows."""
    nearest: float
    """Median over the rows of the largest cosine with another."""
    centre: float
    """`centre.weights`: share of the squared norm that all rows have in common."""
    rank: float
    """`rank.weights`."""
    stable: float
    """`rank.weights.stable`."""
    effective: float
    """`rank.weights.effective`."""
    coinciding: int
    """Rows that are the same as another but for rounding."""


def shape(weights: NDArray[np.floating]) -> Shape:
    """Measure a matrix (K, d)."""
    W = weights.astype(np.float64)
    unit, ranks = unit_rows(W), rank_summary(W)
    if isinstance(ranks, Undefined):
        raise InputError("weights", "all zero", "of a positive rank")
    # Sums over pairs, of cosines and of their squares, from d numbers and from d x d.
    pairs = len(W) * (len(W) - 1)
    mean = (np.square(unit.sum(axis=0)).sum() - len(W)) / pairs
    square = (np.square(unit.T @ unit).sum() - len(W)) / pairs
    return Shape(
        K=W.shape[0],
        d=W.shape[1],
        equinorm=coefficient_of_variation(W),
        cosine=float(mean),
        spread=float(np.sqrt(max(0.0, square - mean**2))),
        nearest=float(np.median(_largest_cosines(unit))),
        centre=float(len(W) * np.square(W.mean(axis=0)).sum() / np.square(W).sum()),
        rank=ranks[""],
        stable=ranks[".stable"],
        effective=ranks[".effective"],
        coinciding=len(coinciding(W)),
    )


def coinciding(weights: NDArray[np.floating]) -> Indices:
    """The rows that are the same as another up to `SAME` of their length.

    >>> coinciding(np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1e-7]]))
    array([0, 2])
    """
    W = weights.astype(np.float64)
    lengths = np.linalg.norm(W, axis=1)
    found = np.zeros(len(W), dtype=bool)
    # Along one random direction only neighbours can be that near.
    along = W @ np.random.default_rng(0).normal(size=W.shape[1]) / np.sqrt(W.shape[1])
    order = np.argsort(along)
    reach = 8 * SAME * lengths.max()
    for step in range(1, len(W)):
        left, right = order[:-step], order[step:]
        near = along[right] - along[left] <= reach
        if not near.any():
            break
        i, j = left[near], right[near]
        same = np.linalg.norm(W[i] - W[j], axis=1) <= SAME * np.minimum(lengths[i], lengths[j])
        found[i[same]] = found[j[same]] = True
    return np.flatnonzero(found)


def uniform(weights: NDArray[np.floating], seed: int) -> Floats:
    """As many rows of the same dimension, of independent directions."""
    return np.random.default_rng(seed).normal(size=weights.shape)


def same_spectrum(weights: NDArray[np.floating], seed: int) -> Floats:
    """As many rows with the same singular values, their left singular vectors random."""
    singular = np.linalg.svd(weights.astype(np.float64), compute_uv=False)
    random = np.random.default_rng(seed).normal(size=(len(weights), len(singular)))
    frame: Floats = np.linalg.qr(random)[0] * singular
    return frame


def margins(weights: NDArray[np.floating], most: int, seed: int) -> Floats:
    """Upper ends of the one-vs-rest distances of unit rows; of `most` rows at random if fewer."""
    K = len(weights)
    rows = np.arange(K)
    if most < K:
        rows = np.random.default_rng(seed).choice(K, most, replace=False)
    found = one_vs_rest_distances(weights, normalise=True, rows=rows.tolist())
    return np.array([margin.upper for margin in found])


def inside(weights: NDArray[np.floating]) -> list[Margin]:
    """The rows that lie in the hull of the others, or too near it to tell.

    A row that has the largest product with its own direction from the mean, by more than float32
    errs, lies outside; the rest are searched.

    >>> found = inside(np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [0.5, 0.0]]))
    >>> [margin.row for margin in found]
    [4]
    """
    W = weights.astype(np.float64)
    centred = (W - W.mean(axis=0)).astype(np.float32)
    doubtful = []
    for start in range(0, len(W), _BLOCK):
        products = centred[start : start + _BLOCK] @ centred.T
        rows = np.arange(len(products))
        own = products[rows, start + rows].copy()
        products[rows, start + rows] = -np.inf
        doubtful.append(start + np.flatnonzero(products.max(axis=1) >= own * (1 - 1e-4)))
    return _inside(W, np.concatenate(doubtful))


def never_first(head: Head, found: Iterable[Margin]) -> list[int]:
    """The classes whose logit is the largest for no feature, bias included, or by too little.

    A row outside the hull of the others is the largest somewhere whatever the biases, so that only
    rows `inside` are asked for. Row k is never first where w_k = sum z_j w_j, sum z_j b_j >= b_k,
    that is, where (w_k, b_k) lies in the hull of the other (w_j, b_j) and of points below them.
    Source: Grivas, Bogoychev, Lopez 2022.

    >>> corners = np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [0.0, 0.0]])
    >>> for bias in (1.0, -1.0):
    ...     b = np.array([0, 0, 0, 0, bias])
    ...     print(never_first(Head(corners, list("abcde"), b), inside(corners)))
    []
    [4]
    """
    W = head.weights.astype(np.float64)
    bias = np.zeros(len(W)) if head.bias is None else head.bias.astype(np.float64)
    below = np.full(len(bias), bias.min() - 1)
    columns = np.concatenate([np.column_stack([W, level]) for level in (bias, below)])
    never: list[int] = []
    asked: list[int] = []
    for margin in found:
        # The combination that is known already may do.
        level = margin.weights @ bias[margin.support] / margin.weights.sum()
        (never if level >= bias[margin.row] else asked).append(margin.row)
    return sorted([*never, *(margin.row for margin in _inside(columns, asked))])


def _inside(rows: Floats, wanted: Iterable[int]) -> list[Margin]:
    found = one_vs_rest_distances(rows, rows=[int(k) for k in wanted])
    return [margin for margin in found if not margin.lower > 0]


def _largest_cosines(unit: Floats) -> Floats:
    rows = unit.astype(np.float32)
    largest = np.empty(len(rows))
    for start in range(0, len(rows), _BLOCK):
        cosines = rows[start : start + _BLOCK] @ rows.T
        own = np.arange(len(cosines))
        cosines[own, start + own] = -np.inf
        largest[start : start + _BLOCK] = cosines.max(axis=1)
    return largest
