"""Two levels of a tree network, maximised exactly: a finite search over arcs.

At the angle t of the lower kernel, with w = (cos t, sin t), the supremum over the upper kernel is
`|sum_i sigma_i (relu(w . a_i), relu(w . b_i))|`, a_i and b_i the halves of x_i. Between two
neighbouring angles where some `w . a_i` or `w . b_i` vanishes this is `|A w|` for one 2 x 2 matrix
A, largest on that arc at the top singular direction of A or at an end.
"""

import numpy as np

from ncbounds.measure.complexity.conventions import Array

_CHUNK = 1 << 20


def pairs(v: Array) -> Array:
    """Neighbours side by side: (..., 2k) to (..., k, 2)."""
    return v.reshape(*v.shape[:-1], -1, 2)


def directions(angles: Array) -> Array:
    """Unit vectors of the plane, one more axis."""
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def top_levels(features: Array, signs: Array) -> tuple[Array, Array]:
    """Maximise the top two levels exactly; the value (B,) and the angle of the lower one (B, 1).

    `features` (B or 1, m, 4), `signs` (B, m). With two features a sample there is only the linear
    level, and no angle.
    """
    if features.shape[-1] == 2:
        top = np.sum(signs[:, :, None] * features, axis=1)
        return np.hypot(top[:, 0], top[:, 1]), np.empty((len(signs), 0))
    m = signs.shape[1]
    step = max(1, _CHUNK // (8 * m * m))
    values, angles = [], []
    for start in range(0, len(signs), step):
        part = slice(start, start + step)
        units = pairs(features if len(features) == 1 else features[part]).swapaxes(-3, -2)
        ends = arc_ends(units)
        value, angle = maximise_over_arcs(units, signs[part], ends)
        best = np.argmax(value, axis=1)[:, None]
        values.append(np.take_along_axis(value, best, axis=1)[:, 0])
        angles.append(np.take_along_axis(angle, best, axis=1))
    return np.concatenate(values), np.concatenate(angles)


def arc_ends(units: Array) -> Array:
    """The angles where some unit's activity changes, sorted: (B, 4m) for (B, 2, m, 2)."""
    normal = np.arctan2(units[..., 1], units[..., 0]).reshape(len(units), -1)
    return np.sort(np.concatenate([normal + np.pi / 2, normal - np.pi / 2], axis=1) % (2 * np.pi))


def maximise_over_arcs(units: Array, signs: Array, ends: Array) -> tuple[Array, Array]:
    """The largest `|A w|` on every arc and its angle, both (B, number of arcs)."""
    width = np.diff(ends, axis=1, append=ends[:, :1] + 2 * np.pi)
    middle = directions(ends + width / 2)
    active = (middle[:, None] @ units.swapaxes(-1, -2) > 0.0).astype(np.float64)
    if len(units) == 1:
        products = (active[0][..., None] * units[0][:, None]).transpose(2, 0, 1, 3)
        A = (signs @ products.reshape(signs.shape[1], -1)).reshape(-1, 2, ends.shape[1], 2)
    else:
        A = active @ (signs[:, None, :, None] * units)
    a, b, c, e = A[:, 0, :, 0], A[:, 0, :, 1], A[:, 1, :, 0], A[:, 1, :, 1]
    peak = 0.5 * np.arctan2(2 * (a * b + c * e), a * a + c * c - b * b - e * e)
    ahead = (peak - ends) % np.pi
    nearer_end = np.where(ahead - width < np.pi - ahead, width, 0.0)
    angle = ends + np.where(ahead <= width, ahead, nearer_end)
    x, y = np.cos(angle), np.sin(angle)
    value: Array = np.hypot(a * x + b * y, c * x + e * y)
    return value, angle
