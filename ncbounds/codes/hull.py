"""Nearest points of hulls, for many rows of one matrix at once: a search that promises nothing.

For row k of a cloud of K points the search looks for the convex combination of the other points
that comes nearest to it. Few points matter: a support has tens of points of tens of thousands. So
each target has a small set of active points, starting with its nearest neighbours; their nearest
point is found exactly; and then, for a block of targets in one matrix product, all points are
compared with the hyperplanes that these nearest points define. Points behind a hyperplane join the
active set, until there are none.

Floating point may mislead this search (ties, nearly equal points, points inside the hull). That
costs time or tightness, never truth: `ncbounds.codes.margin` evaluates what is found with an
error bound of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

#: Neighbours to begin with, points that join in a round, rounds after which none leave any more
#: (or rounding might go round in circles), and rounds at most.
_NEIGHBOURS, _JOINING, _PRUNED, _ROUNDS = 48, 32, 30, 60
#: What rounding does to an inner product, relative to both lengths, more or less.
_NOISE = 1e-15
#: Points nearer than this to their hyperplane, relative to the distance, do not count as behind it.
_BEHIND = 1e-12
#: A distance below this share of the points that cancel is taken for 0: the row is in the hull.
INSIDE = 1e-14
#: Added to a Gram matrix that may be singular; the residuals that correct its solution are without.
_RIDGE = 1e-12
#: Dimensions up to which supports are so small that Wolfe's method is faster from the start.
_FEW = 16
#: Steps towards near points of hulls.
_STEPS = 16
#: Exchanges without a new least number of wrong signs, before pivoting gives up.
_PATIENCE = 4
#: How far behind, relative to the distance, an active point sends the matter to Wolfe's method.
_UNSETTLED = 1e-11


@dataclass(frozen=True, eq=False)
class Cloud:
    """Different points, as rows, of magnitude about one; and the same about their mean."""

    points: Floats
    centred: Floats
    lengths: Floats
    """Of the centred points."""

    @classmethod
    def of(cls, points: Floats) -> Cloud:
        """Centre the points: what a common offset would cost in digits is saved."""
        centred = points - points.mean(axis=0)
        return cls(points, centred, np.linalg.norm(centred, axis=1))


@dataclass(frozen=True, eq=False)
class Nearest:
    """A convex combination of points, and target minus combination: the direction to separate."""

    support: Indices
    weights: Floats
    direction: Floats

    @property
    def outside(self) -> bool:
        """Whether there is a direction: the target is not in the hull, as far as one can see."""
        return bool(self.direction.any())


def nearest_points(cloud: Cloud, targets: Indices) -> list[Nearest]:
    """The nearest point of the hull of all other points, for each target.

    Memory is that of two (targets, K) arrays.
    """
    active = _neighbours(cloud, targets)
    weights = [np.zeros(0) for _ in targets]
    directions = np.zeros((len(targets), cloud.points.shape[1]))
    unfinished = list(range(len(targets)))
    for round in range(_ROUNDS + 1):
        for i in unfinished:
            differences = cloud.points[targets[i]] - cloud.points[active[i]]
            weights[i], directions[i] = _nearest_of_few(differences, weights[i])
            if round < _PRUNED:
                kept = _kept(differences, weights[i], directions[i])
                active[i], weights[i] = active[i][kept], weights[i][kept]
        unfinished = [i for i in unfinished if directions[i].any()]
        if not unfinished or round == _ROUNDS:
            break
        chosen = np.array(unfinished)
        joining = _behind(cloud, targets[chosen], directions[chosen], [active[i] for i in chosen])
        unfinished = [i for i, more in zip(unfinished, joining, strict=True) if len(more)]
        for i, more in zip(chosen, joining, strict=True):
            active[i] = np.concatenate([active[i], more])
    return [
        Nearest(own[z > 0], z[z > 0], h)
        for own, z, h in zip(active, weights, directions, strict=True)
    ]


def rough_directions(cloud: Cloud, targets: Indices) -> Floats:
    """From near points of the hulls of all other points to the targets, (targets, d).

    A few accelerated steps of projected gradients (Nesterov 1983) for all targets in one product.
    """
    rows, C = np.arange(len(targets)), cloud.centred
    G = C @ C.T
    weights = np.full((len(targets), len(C)), 1 / (len(C) - 1))
    weights[rows, targets] = 0.0
    ahead, step, pace = weights, 1 / np.linalg.norm(G, 2), 1.0
    for _ in range(_STEPS):
        before, moved = weights, ahead - step * (ahead @ G - G[targets])
        moved[rows, targets] = -np.inf
        weights, following = _on_simplex(moved), (1 + np.sqrt(1 + 4 * pace**2)) / 2
        ahead = weights + (pace - 1) / following * (weights - before)
        pace = following
    directions: Floats = C[targets] - weights @ C
    return directions


def _on_simplex(rows: Floats) -> Floats:
    """The nearest weights: entries less a number, or zero, that add up to one.

    The number grows from below, in at most as many steps as there are entries (Michelot 1986).
    """
    fewer = rows > -np.inf
    while True:
        kept, count = fewer, fewer.sum(axis=1)
        level = (np.where(kept, rows, 0.0).sum(axis=1) - 1) / count
        fewer = kept & (rows > level[:, None])
        if (fewer.sum(axis=1) == count).all():
            break
    weights: Floats = np.maximum(rows - level[:, None], 0.0)
    return weights


def _kept(differences: Floats, weights: Floats, direction: Floats) -> Indices:
    """The support, and as many of the other points as are nearest to its hyperplane."""
    away = differences @ direction
    away[weights > 0] = -np.inf
    return np.sort(np.argsort(away, kind="stable")[: (weights > 0).sum() + _NEIGHBOURS])


def _neighbours(cloud: Cloud, targets: Indices) -> list[Indices]:
    """The nearest other points of each target."""
    K = len(cloud.points)
    nearness = cloud.centred[targets] @ cloud.centred.T
    nearness -= cloud.lengths**2 / 2
    nearness[np.arange(len(targets)), targets] = -np.inf
    number = min(K - 1, _NEIGHBOURS)
    found = np.argpartition(nearness, K - number, axis=1)[:, K - number :]
    return [np.sort(row) for row in found]


def _behind(
    cloud: Cloud, targets: Indices, directions: Floats, active: Sequence[Indices]
) -> list[Indices]:
    """Points farthest behind the hyperplane of each target, but for active ones.

    All are looked at in one product; those that may be behind are looked at again by differences.
    """
    reached = directions @ cloud.centred.T
    found = []
    for k, h, row, own in zip(targets, directions, reached, active, strict=True):
        level = float(h @ h)
        noise = 2 * _NOISE * cloud.lengths.max() * np.sqrt(level)
        at = row[k] - level * (1 - _BEHIND) - noise
        row[own] = row[k] = -np.inf
        suspects = np.flatnonzero(row > at)
        many = len(suspects) > _JOINING
        worst = suspects[np.argpartition(-row[suspects], _JOINING)[:_JOINING]] if many else suspects
        truly = _truly_behind(cloud, k, h, worst)
        if many and not len(truly):
            truly = _truly_behind(cloud, k, h, suspects)[:_JOINING]
        found.append(np.sort(truly))
    return found


def _truly_behind(cloud: Cloud, k: int, h: Floats, suspects: Indices) -> Indices:
    differences = cloud.points[k] - cloud.points[suspects]
    behind = _products(differences, h) < (h @ h) * (1 - _BEHIND)
    return suspects[behind]


def _products(differences: Floats, h: Floats) -> Floats:
    """Inner products, at the upper end of what rounding leaves open."""
    lengths = np.sqrt(np.einsum("ij,ij->i", differences, differences))
    open_to: Floats = differences @ h + _NOISE * lengths * np.linalg.norm(h)
    return open_to


def _nearest_of_few(differences: Floats, guess: Floats) -> tuple[Floats, Floats]:
    """(weights, x): the shortest vector x in the hull of (m, d) rows; 0 where it seems to be 0.

    `guess` are weights for the first rows, of which only the signs are used.
    """
    lengths = np.sqrt(np.einsum("ij,ij->i", differences, differences))
    if len(lengths) == 1 or not lengths.min() > 0:
        nearest = int(lengths.argmin())
        return np.eye(1, len(lengths), nearest)[0], differences[nearest]
    few = differences.shape[1] <= _FEW
    z = np.zeros(0) if few else _by_pivoting(differences, lengths, guess)
    if len(z):
        x = z @ differences
        level = float(x @ x)
        if level > 0 and _products(differences, x).min() >= level * (1 - _UNSETTLED):
            return z, x
    z, x = _by_wolfe(differences, guess)
    if np.linalg.norm(x) <= INSIDE * (z @ lengths):
        x = np.zeros_like(x)
    return z, x


def _by_pivoting(differences: Floats, lengths: Floats, guess: Floats) -> Floats:
    """Weights by principal pivoting in blocks; none where that comes to no end.

    The shortest vector is a multiple of the minimiser of |D^T y|^2 + (1^T y - 1)^2 over y >= 0, so
    y and G y - r are complementary, for G = Q Q^T + r r^T with rows of D scaled to unit length. In
    place of one index at a time all that break their sign change sides, as long as their number
    falls (Judice and Pires 1994; Kim and Park 2011).
    """
    from scipy.linalg.lapack import dposv, dpotrs

    m = len(lengths)
    unit = differences / lengths[:, None]
    r = lengths.min() / lengths
    G = unit @ unit.T + np.outer(r, r)
    G[np.diag_indices(m)] += _RIDGE
    inside = np.zeros(m, dtype=bool)
    inside[: len(guess)] = guess > 0
    inside[0 if not len(guess) else slice(len(guess), m)] = True
    fewest, patience = m + 1, _PATIENCE
    while True:
        F = np.flatnonzero(inside)
        factor, y_F, failed = dposv(G[np.ix_(F, F)], r[F])
        if failed:
            return np.zeros(0)
        slack = G[:, F] @ y_F - r
        wrong = ~inside & (slack < -1e-13)
        wrong[F] = y_F < 0
        broken = np.flatnonzero(wrong)
        if not len(broken):
            break
        patience = patience - 1 if len(broken) >= fewest else _PATIENCE
        fewest = min(fewest, len(broken))
        if not patience:
            return np.zeros(0)
        inside[broken] = ~inside[broken]
        if not inside.any():
            return np.zeros(0)
    rows, weight = unit[F], r[F]
    for _ in range(2):  # G has the square of the condition: correct by residuals without it
        residual = weight - rows @ (y_F @ rows) - weight * (weight @ y_F)
        y_F = y_F + dpotrs(factor, residual)[0]
    y: Floats = np.zeros(m)
    y[F] = np.maximum(y_F, 0.0) * weight
    y /= y.sum()
    return y


def _by_wolfe(differences: Floats, guess: Floats) -> tuple[Floats, Floats]:
    """(weights, x) by non-negative least squares, and Wolfe's method to finish what it leaves.

    The first is fast but, on rows as regular as a root system's, it sometimes stops far from the
    optimum without a word.
    """
    scale = 2.0 ** -np.frexp(np.abs(differences).max())[1]
    scaled = scale * differences
    z = _nonnegative_least_squares(scaled)
    z /= z.sum()
    if len(guess) and np.linalg.norm(z @ scaled) > np.linalg.norm(guess @ scaled[: len(guess)]):
        z = np.pad(guess, (0, len(z) - len(guess)))
    support = np.flatnonzero(z)
    support, z_support, x = _wolfe(scaled, support, z[support])
    weights = np.zeros(len(differences))
    weights[support] = z_support
    return weights, x / scale


def _nonnegative_least_squares(differences: Floats) -> Floats:
    """Weights z >= 0, positive somewhere, of the least |[D^T; 1^T] z - [0; 1]|."""
    from scipy.optimize import nnls

    m, d = differences.shape
    system = np.vstack([differences.T, np.ones(m)])
    target = np.zeros(d + 1)
    target[-1] = 1.0
    nearest = np.zeros(m)
    nearest[np.einsum("ij,ij->i", differences, differences).argmin()] = 1.0
    try:
        z: Floats = nnls(system, target, maxiter=30 * m)[0]
    except RuntimeError:
        return nearest
    return z if z.sum() > 0 else nearest


def _wolfe(differences: Floats, support: Indices, z: Floats) -> tuple[Indices, Floats, Floats]:
    """Wolfe's nearest point method from a given convex combination: (support, z, direction).

    A major step takes in the row farthest behind the current direction; minor steps walk to
    the shortest vector of the affine hull of the support and drop the rows whose weight runs out.
    """
    support, z, x = _minor_steps(differences, support, z)
    level = float(x @ x)
    while level > INSIDE**2:
        products = differences @ x
        entering = int(np.argmin(products))
        if products[entering] >= level * (1 - 1e-12) or entering in support:
            break
        longer = np.append(support, entering), np.append(z, 0.0)
        next_support, next_z, next_x = _minor_steps(differences, *longer)
        if not next_x @ next_x < level:
            break
        support, z, x, level = next_support, next_z, next_x, float(next_x @ next_x)
    return support, z, x


def _minor_steps(
    differences: Floats, support: Indices, z: Floats
) -> tuple[Indices, Floats, Floats]:
    while True:
        y, x = _shortest_of_affine_hull(differences[support])
        if y.min() > -1e-14:
            kept = y > 1e-14
            return support[kept], y[kept] / y[kept].sum(), x
        outward = np.flatnonzero(y < 0)
        steps = z[outward] / (z[outward] - y[outward])
        z = np.maximum(z + steps.min() * (y - z), 0.0)
        spent = outward[steps == steps.min()]
        support, z = np.delete(support, spent), np.delete(z, spent)


def _shortest_of_affine_hull(rows: Floats) -> tuple[Floats, Floats]:
    """Weights of sum 1, of either sign, and the shortest vector that they combine to.

    By orthogonal projection, not through a Gram matrix, whose condition is the square of this; and
    from the shortest row, so that no more cancels than must.
    """
    from scipy.linalg import qr, solve_triangular

    if len(rows) == 1:
        return np.ones(1), rows[0]
    first = int(np.einsum("ij,ij->i", rows, rows).argmin())
    start, rest = rows[first], np.delete(rows, first, axis=0)
    Q, R, order = qr((rest - start).T, mode="economic", pivoting=True)
    pivots = np.abs(np.diag(R))
    rank = int((pivots > 1e-13 * pivots[0]).sum())
    Q, R = Q[:, :rank], R[:rank, :rank]
    y = np.zeros(len(rest))
    y[order[:rank]] = solve_triangular(R, -(Q.T @ start))
    return np.insert(y, first, 1 - y.sum()), start - Q @ (Q.T @ start)
