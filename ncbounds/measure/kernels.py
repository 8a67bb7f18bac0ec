"""Loops over single rows, compiled: what `ncbounds.measure.passes` does at the n x d level, fused.

The formulas are those of `passes`, a row at a time while it is in the cache: of the rows h[order],
of the classes `index`, which is in that order too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ncbounds.measure.moments import SHORTEST

_LEAST_SQUARE = SHORTEST**2
# Sums may be reordered, so that they vectorise; infinities and NaN keep their meaning. Differences
# may not: h - anchor is exact where the two are near, and h - (anchor + shift) is not.
_compiled: Any = njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
# Said although it is the default: a function takes on what its caller has, if it says nothing.
_in_order: Any = njit(nogil=True, cache=True, fastmath=False)


@_in_order
def _subtract(row, anchor, e):  # type: ignore[no-untyped-def]
    for j in range(len(e)):
        e[j] = np.float64(row[j]) - anchor[j]


@_in_order
def _subtract_both(row, anchor, shift, out):  # type: ignore[no-untyped-def]
    for j in range(len(out)):
        out[j] = (np.float64(row[j]) - anchor[j]) - shift[j]


@_in_order
def _turn(e, anchor, turn, scale, u):  # type: ignore[no-untyped-def]
    for j in range(len(u)):
        u[j] = (e[j] - anchor[j] * turn) * scale


@_in_order
def _subtract_directions(row, anchor, scale, scale_of_anchor, u):  # type: ignore[no-untyped-def]
    for j in range(len(u)):
        u[j] = row[j] * scale - anchor[j] * scale_of_anchor


@_compiled
def first_rows(  # type: ignore[no-untyped-def]
    h, order, index, counts, anchors, sums, squares, norms, unit_sums, unit_squares, copy, inverse
):
    """Add rows to the sums of a first pass; leave float64 copies, and 1/|h|; return the least |h|.

    `copy` (b, d) and `inverse` (b,) are written, in the order of the rows.
    """
    d = h.shape[1]
    least, e, u = np.inf, np.empty(d), np.empty(d)
    for k in range(len(order)):
        row, c = h[order[k]], index[k]
        own, total, turned, out = anchors[c], sums[c], unit_sums[c], copy[k]
        if counts[c] == 0:
            for j in range(d):
                own[j] = row[j]
        counts[c] += 1
        _subtract(row, own, e)
        hh = ee = ea = aa = 0.0
        for j in range(d):
            x = np.float64(row[j])
            a = own[j]
            out[j] = x
            hh += x * x
            ee += e[j] * e[j]
            ea += e[j] * a
            aa += a * a
        scale = 1 / np.sqrt(hh) if hh > _LEAST_SQUARE else 1.0
        length = np.sqrt(aa) * scale
        if length > 2:
            _subtract_directions(out, own, scale, 1 / np.sqrt(aa), u)
        else:
            turn = (2 * ea + ee) * scale * scale / (length + length * length) if aa > 0 else 0.0
            _turn(e, own, turn, scale, u)
        uu = 0.0
        for j in range(d):
            total[j] += e[j]
            turned[j] += u[j]
            uu += u[j] * u[j]
        squares[c] += ee
        norms[c] += hh
        unit_squares[c] += uu
        inverse[k] = scale
        least = min(least, hh)
    return np.sqrt(least)


@_compiled
def second_rows(  # type: ignore[no-untyped-def]
    h, order, index, counts, anchors, shifts, centred, squares, unit_centred, deviation
):
    """Add rows to the sums of a second pass; leave deviations; return the least |h - mu|."""
    d = h.shape[1]
    least = np.inf
    for k in range(len(order)):
        row, c = h[order[k]], index[k]
        anchor, shift, mean, total, out = (
            anchors[c],
            shifts[c],
            centred[c],
            unit_centred[c],
            deviation[k],
        )
        counts[c] += 1
        _subtract_both(row, anchor, shift, out)
        ee = yy = 0.0
        for j in range(d):
            y = out[j] + mean[j]
            ee += out[j] * out[j]
            yy += y * y
        scale = 1 / np.sqrt(yy) if yy > _LEAST_SQUARE else 1.0
        for j in range(d):
            total[j] += (out[j] + mean[j]) * scale
        squares[c] += ee
        least = min(least, yy)
    return np.sqrt(least)


@_compiled
def shift_rivals(  # type: ignore[no-untyped-def]
    products, index, inverse, bias, inverse_lengths, temperature, right, gaps
):
    """Leave the rivals less the largest, of logits and of cosines; whether the own logit is first.

    products[0] holds <h, w_j>. The gaps (2, b) are the largest rival less the own entry.
    """
    K = products.shape[2]
    for k in range(len(index)):
        logits, cosines, c, scale = products[0, k], products[1, k], index[k], inverse[k]
        for j in range(K):
            cosines[j] = logits[j] * scale * inverse_lengths[j]
            logits[j] += bias[j]
        before = after = highest = -np.inf
        for j in range(c):
            before = max(before, logits[j])
        for j in range(c + 1, K):
            after = max(after, logits[j])
        own, own_cosine, largest = logits[c], cosines[c], max(before, after)
        right[k] = 1.0 if before < own and after <= own else 0.0
        logits[c] = cosines[c] = -np.inf
        for j in range(K):
            highest = max(highest, cosines[j])
        gaps[0, k], gaps[1, k] = largest - own, highest - own_cosine
        for j in range(K):
            logits[j] -= largest
            cosines[j] = (cosines[j] - highest) / temperature


@_compiled
def predicted_rows(  # type: ignore[no-untyped-def]
    products, index, inverse, temperature, right, gaps, correct, loss, logodds, cold_loss, margin,
    relative_margin, cosine_margin, least_margin, least_relative_margin, least_cosine_margin
):  # fmt: skip
    """Add losses, margins and right predictions; products are e^ what `shift_rivals` left."""
    K = products.shape[2]
    uniform = np.log(float(K - 1))
    for k in range(len(index)):
        logits, cosines, c = products[0, k], products[1, k], index[k]
        tail = cold = 0.0
        for j in range(K):
            tail += logits[j]
            cold += cosines[j]
        a = gaps[0, k] + np.log(tail)
        b = gaps[1, k] / temperature + np.log(cold)
        correct[c] += right[k]
        loss[c] += max(a, 0.0) + np.log1p(np.exp(-abs(a)))
        cold_loss[c] += max(b, 0.0) + np.log1p(np.exp(-abs(b)))
        logodds[c] += uniform - a
        margin[c] -= gaps[0, k]
        relative_margin[c] -= gaps[0, k] * inverse[k]
        cosine_margin[c] -= gaps[1, k]
        least_margin[0] = min(least_margin[0], -gaps[0, k])
        least_relative_margin[0] = min(least_relative_margin[0], -gaps[0, k] * inverse[k])
        least_cosine_margin[0] = min(least_cosine_margin[0], -gaps[1, k])


@_compiled
def whitened_rows(  # type: ignore[no-untyped-def]
    x, turned, index, scales, along, lean, left, of_centred, of_means, of_samples, inside
):
    """Add whitened squares of coordinates to sums by class; leave their squares in the span."""
    r, roots = len(scales), np.sqrt(scales)
    for k in range(len(x)):
        row, image, c = x[k], turned[k], index[k]
        t = within = whitened = uncentred = samples = 0.0
        for j in range(len(along)):
            t += along[j] * row[j]
        for j in range(r):
            y = roots[j] * row[j]
            z = y - lean[j] * t
            within += row[j] * row[j]
            whitened += y * y
            uncentred += z * z
        for j in range(len(image)):
            samples += image[j] * image[j]
        of_centred[c] += whitened
        of_means[c] += uncentred + (left * t) * (left * t)
        of_samples[c] += samples if len(image) else whitened
        inside[k] = within


@_compiled
def rough_points(  # type: ignore[no-untyped-def]
    x, index, coordinates, scale, longest, points, open_to
):
    """Leave float32 points and 1, from the coordinates x about class means; how far all is off."""
    r = len(coordinates[0])
    for k in range(len(x)):
        row, mean, point = x[k], coordinates[index[k]], points[k]
        square = 0.0
        for j in range(r):
            value = (row[j] + mean[j]) * scale
            square += value * value
            point[j] = value
        point[r] = 1.0
        # Beyond any distance that float32 could tell, so that nothing is decided.
        length = np.sqrt(square) if square < 1e30 else np.inf
        open_to[k] = (r + 16) * 2.0**-24 * (length + longest) * longest
