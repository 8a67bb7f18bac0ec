"""Add a block of samples to the sums of a pass: each formula once, over NumPy and torch.

At the level of rows of d numbers large NumPy blocks take the fused loops of
`ncbounds.measure.kernels` instead, which spell the same formulas a row at a time. Nothing here asks
a tensor for a value, so that a stream of batches never waits for its device; and nothing is as
large as K x d, so that a batch costs the same among ten classes and among thousands, but for the
logits and for samples far enough from their class mean to need a look at the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ncbounds.measure.door import Floats, Indices
from ncbounds.measure.moments import (
    FirstPass,
    Frame,
    Layer,
    SecondPass,
    add_by_class,
    inverse_root,
    turn,
)

#: From so many numbers on a block of rows is worth a compiled loop.
_COMPILED_FROM = 2**14
_BLOCK_ENTRIES = 2**18


def add_to_first(
    total: FirstPass, h: Any, index: Indices, order: Indices, layer: Layer | None
) -> None:
    """Add the samples h[order], of the classes index[order], which ascend; all NumPy arrays.

    h is (n, d) of any real type; numbers like `total.shortest` are in `total` arrays of one entry.
    """
    d, K = h.shape[1], 0 if layer is None else len(layer.weights)
    step = _step(d + K)
    copies, inverses, room = np.empty((step, d)), np.empty(step), np.empty(2 * step * K)
    for start in range(0, len(order), step):
        rows = order[start : start + step]
        own = index[rows]
        copy, inverse = copies[: len(rows)], inverses[: len(rows)]
        products = room[: 2 * len(rows) * K].reshape(2, len(rows), K)
        if len(order) * d >= _COMPILED_FROM:
            from ncbounds.measure.kernels import first_rows

            shortest = first_rows(*_given(h, rows, own), total.counts, total.anchors, total.sums,
                                  total.squares, total.squared_norms, total.unit_sums,
                                  total.unit_squares, copy, inverse)  # fmt: skip
            total.shortest[0] = min(total.shortest[0], shortest)
        else:
            starts = np.flatnonzero(np.diff(own, prepend=-1))
            new = starts[total.counts[own[starts]] == 0]
            copy[:] = h[rows]
            total.anchors[own[new]] = copy[new]
            inverse = _first_rows(np, total, copy, own)
        if layer is not None:
            np.matmul(copy, layer.weights.T, out=products[0])
            _predictions(np, total, products, inverse, own, layer)


def add_to_scatter(total: FirstPass, h: Any, index: Any) -> None:
    """Add arrays or tensors h (b, d) of classes (b,) that have anchors to the scatter matrices."""
    if not len(total.scatter):
        return
    step = _step(h.shape[1])
    for start in range(0, len(h), step):
        own = index[start : start + step]
        e = h[start : start + step] - total.anchors[own]
        for k in range(len(total.scatter)):
            # The root, so that the product is of a matrix and itself: symmetric, at half the cost.
            scaled = e * total.factors[k][own][:, None] ** 0.5
            total.scatter[k] += scaled.T @ scaled


def add_to_second(
    total: SecondPass, h: Any, index: Indices, order: Indices, frame: Frame, layer: Layer | None
) -> None:
    """Add the samples h[order] of the classes index[order] of `frame`; all NumPy arrays."""
    d, q = frame.basis.shape
    step = _step(d + q)
    deviations, products = np.empty((step, d)), np.empty((step, q))
    room = np.empty((step, frame.turned.shape[1]))
    away: list[Indices] = []
    to: list[Indices] = []
    for start in range(0, len(order), step):
        rows = order[start : start + step]
        own = index[rows]
        deviation, x = deviations[: len(rows)], products[: len(rows)]
        if len(order) * d >= _COMPILED_FROM:
            from ncbounds.measure.kernels import second_rows

            shortest = second_rows(*_given(h, rows, own), total.counts, frame.anchors,
                                   frame.shifts, frame.centred, total.squares,
                                   total.unit_centred, deviation)  # fmt: skip
            total.shortest_centred[0] = min(total.shortest_centred[0], shortest)
        else:
            deviation[:] = h[rows]
            _second_rows(np, total, deviation, own, frame)
        np.matmul(deviation, frame.basis, out=x)
        inside = _whitened(np, total, x, own, frame, room[: len(rows)])
        far = np.flatnonzero(inside >= frame.reach[own])
        nearest = _nearest_of_many(x[far], own[far], frame)
        gone = np.flatnonzero(nearest != own[far])
        away.append(rows[far[gone]])
        to.append(nearest[gone])
    if away:
        _misplaced(total, h, np.concatenate(away), np.concatenate(to), index, frame, layer)


def _misplaced(
    total: SecondPass,
    h: Any,
    rows: Indices,
    nearest: Indices,
    index: Indices,
    frame: Frame,
    layer: Layer | None,
) -> None:
    """Count samples that are nearest to another class mean, and what is predicted for them."""
    add_by_class(total.misplaced, np.ones(len(rows)), index[rows])
    if layer is None:
        return
    step = _step(h.shape[1] + len(layer.weights))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        logits = h[part].astype(np.float64) @ layer.weights.T + layer.bias
        predicted, place = logits.argmax(axis=1), index[part]
        moved = _disagreement(np, predicted, nearest[start : start + step], place, frame)
        add_by_class(total.disagreement, moved, place)


def _nearest_of_many(x: Floats, index: Indices, frame: Frame) -> Indices:
    """As `_nearest`, in float32 wherever that decides."""
    step, nearest = _step(len(frame.coordinates)), np.empty(len(x), np.int64)
    for start in range(0, len(x), step):
        part = slice(start, start + step)
        nearest[part] = _nearest_of_block(x[part], index[part], frame)
    return nearest


def _nearest_of_block(x: Floats, index: Indices, frame: Frame) -> Any:
    if len(x) * len(frame.coordinates) < _COMPILED_FROM:
        return _nearest(np, x, index, frame)
    from ncbounds.measure.kernels import rough_points

    rough, rows = frame.rough, np.arange(len(x))
    points = np.empty((len(x), len(rough.coordinates)), np.float32)
    open_to = np.empty(len(x), np.float32)
    rough_points(x, index, frame.coordinates, rough.scale, rough.longest, points, open_to)
    with np.errstate(all="ignore"):
        nearness = points @ rough.coordinates
        nearest = nearness.argmax(axis=1)
        lead = nearness[rows, nearest]
        nearness[rows, nearest] = -np.inf
        lead -= nearness.max(axis=1)
    doubtful = np.flatnonzero(~(lead > 2 * open_to))
    if len(doubtful):
        nearest[doubtful] = _nearest(np, x[doubtful], index[doubtful], frame)
    return nearest


def _step(width: int) -> int:
    return max(64, _BLOCK_ENTRIES // width)


def _given(h: Any, rows: Indices, own: Indices) -> tuple[Any, Indices, Indices]:
    """Rows for a compiled loop, which takes contiguous floats: all with places, or a copy."""
    if h.flags.c_contiguous and h.dtype in (np.float32, np.float64):
        return h, rows, own
    return h[rows].astype(np.float64, order="C"), np.arange(len(rows)), own


def add_tensors_to_first(total: FirstPass, h: Any, index: Any, layer: Layer | None) -> None:
    """Add tensors h (b, d) and index (b,) on the device of the sums, without waiting for it."""
    from array_api_compat import array_namespace

    xp, K = array_namespace(h), len(total.counts)
    h, index = _admitted(xp, total, h, index, K)
    place = xp.arange(len(index), device=h.device)
    first = xp.full((K,), len(index), dtype=xp.int64, device=h.device)
    first = first.scatter_reduce(0, index, place, "amin")
    new = (first[index] == place) & (total.counts[index] == 0)
    add_by_class(total.anchors, xp.where(new[:, None], h, 0.0), index)
    inverse = _first_rows(xp, total, h, index)
    add_to_scatter(total, h, index)
    if layer is not None:
        products = xp.empty((2, len(h), K), dtype=xp.float64, device=h.device)
        products[0] = h @ layer.weights.T
        _predictions(xp, total, products, inverse, index, layer)


def add_tensors_to_second(
    total: SecondPass, h: Any, index: Any, frame: Frame, layer: Layer | None
) -> None:
    """Add tensors h (b, d) and labels (b,) to the sums of a second pass, likewise."""
    from array_api_compat import array_namespace

    xp = array_namespace(h)
    h, label = _admitted(xp, total, h, index, len(frame.places))
    place = xp.take(frame.places, label, axis=0)
    total.outside += xp.sum(place < 0)
    index = xp.clip(place, 0, len(total.counts) - 1)
    deviation = xp.asarray(h, copy=True)
    _second_rows(xp, total, deviation, index, frame)
    x = deviation @ frame.basis
    _whitened(xp, total, x, index, frame)
    nearest = _nearest(xp, x, index, frame)
    add_by_class(total.misplaced, xp.astype(nearest != index, xp.float64), index)
    if layer is not None:
        predicted = xp.argmax(h @ layer.weights.T + layer.bias, axis=1)
        add_by_class(total.disagreement, _disagreement(xp, predicted, nearest, index, frame), index)


def _admitted(
    xp: Any, total: FirstPass | SecondPass, h: Any, index: Any, classes: int
) -> tuple[Any, Any]:
    """Features in float64 and labels in range; what is wrong with them is noted in the sums."""
    h, index = xp.astype(h, xp.float64), xp.astype(index, xp.int64)
    total.outside += xp.sum((index < 0) | (index >= classes))
    total.largest[:] = xp.maximum(total.largest, xp.max(xp.abs(h)))
    return h, xp.clip(index, 0, classes - 1)


def _first_rows(xp: Any, total: FirstPass, h: Any, index: Any) -> Any:
    """Add what the first pass asks of rows; returns 1/|h|."""
    anchors = xp.take(total.anchors, index, axis=0)
    from_anchor = h - anchors
    squared_norms = xp.vecdot(h, h)
    inverse = inverse_root(xp, squared_norms)
    turned = turn(xp, h, from_anchor, anchors, inverse)
    add_by_class(total.counts, xp.ones_like(index), index)
    for into, values in (
        (total.sums, from_anchor),
        (total.squares, xp.vecdot(from_anchor, from_anchor)),
        (total.squared_norms, squared_norms),
        (total.unit_sums, turned),
        (total.unit_squares, xp.vecdot(turned, turned)),
    ):
        add_by_class(into, values, index)
    total.shortest[:] = xp.minimum(total.shortest, xp.sqrt(xp.min(squared_norms)))
    return inverse


def _predictions(
    xp: Any, total: FirstPass, products: Any, inverse: Any, index: Any, layer: Layer
) -> None:
    """Add losses, margins, right predictions; products[0] is <h, w_j>, and both are overwritten."""
    right, gaps = _rivals_above_own(xp, products, inverse, index, layer)
    xp.exp(products, out=products)
    if xp is np and products.size >= _COMPILED_FROM:
        from ncbounds.measure.kernels import predicted_rows

        predicted_rows(products, index, inverse, float(layer.temperature), right, gaps,
                       total.correct, total.loss, total.logodds, total.spherical_loss,
                       total.margin, total.relative_margin, total.spherical_margin,
                       total.least_margin, total.least_relative_margin,
                       total.least_spherical_margin)  # fmt: skip
        return
    tails = xp.log(xp.sum(products, axis=2))
    a, cold = gaps[0] + tails[0], gaps[1] / layer.temperature + tails[1]
    zero = xp.zeros_like(a)
    for into, values in (
        (total.correct, right),
        (total.loss, xp.logaddexp(zero, a)),
        (total.logodds, float(np.log(len(layer.bias) - 1)) - a),
        (total.spherical_loss, xp.logaddexp(zero, cold)),
    ):
        add_by_class(into, values, index)
    for into, least, margins in (
        (total.margin, total.least_margin, -gaps[0]),
        (total.relative_margin, total.least_relative_margin, -gaps[0] * inverse),
        (total.spherical_margin, total.least_spherical_margin, -gaps[1]),
    ):
        add_by_class(into, margins, index)
        least[:] = xp.minimum(least, xp.min(margins))


def _rivals_above_own(
    xp: Any, products: Any, inverse: Any, index: Any, layer: Layer
) -> tuple[Any, Any]:
    """Whether the own logit is the first of the largest; how far rivals exceed the own entry.

    Leaves in products[0] the logits of the rivals less the largest, in products[1] the cosines
    likewise, over the temperature, and -inf for the class itself: without the own entry in the sum
    a loss log(1 + e^a) keeps its digits however small it is. The second result is by how much the
    largest rival exceeds the own entry, (2, b).
    """
    if xp is np and products.size >= _COMPILED_FROM:
        from ncbounds.measure.kernels import shift_rivals

        right, gaps = np.empty(len(index)), np.empty((2, len(index)))
        shift_rivals(products, index, inverse, layer.bias, layer.inverse,
                     float(layer.temperature), right, gaps)  # fmt: skip
        return right, gaps
    xp.multiply(products[0], inverse[:, None], out=products[1])
    products[1] *= layer.inverse
    products[0] += layer.bias
    right = xp.astype(xp.argmax(products[0], axis=1) == index, xp.float64)
    rows = xp.arange(len(index), device=products.device)
    own = products[:, rows, index]
    products[:, rows, index] = -np.inf
    largest = xp.max(products, axis=2)
    products -= largest[:, :, None]
    products[1] /= layer.temperature
    return right, largest - own


def _second_rows(xp: Any, total: SecondPass, h: Any, index: Any, frame: Frame) -> None:
    """Add what the second pass asks of rows; h becomes the deviation from the class mean."""
    h -= xp.take(frame.anchors, index, axis=0)
    h -= xp.take(frame.shifts, index, axis=0)
    centred = h + xp.take(frame.centred, index, axis=0)
    squares = xp.vecdot(centred, centred)
    centred *= inverse_root(xp, squares)[:, None]
    add_by_class(total.counts, xp.ones_like(index), index)
    add_by_class(total.squares, xp.vecdot(h, h), index)
    add_by_class(total.unit_centred, centred, index)
    shortest = xp.sqrt(xp.min(squares))
    total.shortest_centred[:] = xp.minimum(total.shortest_centred, shortest)


def _whitened(
    xp: Any, total: SecondPass, x: Any, index: Any, frame: Frame, room: Floats | None = None
) -> Any:
    """Add whitened squares of the coordinates x; the square within the span of the class means.

    `room` is for the coordinates turned, lest a block of an array ask for it again and again.
    """
    r = len(frame.scales)
    turned = xp.matmul(x[:, :r], frame.turned, out=room)
    if xp is np and x.size >= _COMPILED_FROM:
        from ncbounds.measure.kernels import whitened_rows

        inside = np.empty(len(x))
        whitened_rows(x, turned, index, frame.scales, frame.along, frame.lean, frame.left,
                      total.whitened, total.whitened_uncentred, total.whitened_by_samples,
                      inside)  # fmt: skip
        return inside
    within = x[:, :r]
    y, t = within * xp.sqrt(frame.scales), x @ frame.along
    left = y - t[:, None] * frame.lean
    whitened = xp.vecdot(y, y)
    for into, values in (
        (total.whitened, whitened),
        (total.whitened_uncentred, xp.vecdot(left, left) + xp.square(frame.left * t)),
        (total.whitened_by_samples, xp.vecdot(turned, turned) if turned.shape[1] else whitened),
    ):
        add_by_class(into, values, index)
    return xp.vecdot(within, within)


def _nearest(xp: Any, x: Any, index: Any, frame: Frame) -> Any:
    """The nearest class mean by coordinates in the span, the first of those as near."""
    points = xp.take(frame.coordinates, index, axis=0)
    points += x[:, : len(frame.scales)]
    nearness = points @ frame.coordinates.T
    nearness -= frame.half_squares
    return xp.argmax(nearness, axis=1)


def _disagreement(xp: Any, predicted: Any, nearest: Any, index: Any, frame: Frame) -> Any:
    """Whether the prediction differs from the nearest class mean less whether from the class."""
    differs = predicted != xp.take(frame.rows, nearest, axis=0)
    wrong = predicted != xp.take(frame.rows, index, axis=0)
    return xp.astype(differs, xp.float64) - xp.astype(wrong, xp.float64)
