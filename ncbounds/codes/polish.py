"""From an arrangement close to a local optimum to its last digit.

The least angle is the minimum of many smooth functions, so near an optimum a linear programme
knows which way to go: move each point within a small box of its tangent plane so that the largest
linearised inner product is least. Steps that keep their promise widen the box, others
narrow it. At the end the pairs in contact satisfy equations, <x_i, x_j> = t, and Gauss and Newton
take these to rounding. Every step is kept only if the largest inner product falls.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ncbounds.codes.annealing import Floats, largest_inner_products, unit
from ncbounds.codes.contacts import (
    LONGEST,
    MOST_SLACK,
    SMALL,
    Indices,
    derivatives,
    likely_counts,
    meet,
    near_pairs,
)

#: Unknowns up to which a linear programme is solved, and a dense least squares problem.
MOST_UNKNOWNS = 700
_DENSE = 900
_STEPS = 60
_SPARSE_STEPS = 8


def polish(points: Floats, radius: float) -> Floats:
    """The local optimum near (K, d) unit rows that are within about `radius` of it."""
    points = contact_equations(points)
    K, d = points.shape
    if K * (d - 1) > MOST_UNKNOWNS or balanced(points):
        return points
    points = linear_programmes(points, radius)
    return contact_equations(points)


def contacts(points: Floats, tolerance: float) -> tuple[Indices, Indices]:
    """Pairs i < j whose inner product is within `tolerance` of the largest."""
    first, second, products = near_pairs(points, tolerance)
    near = products >= products[0] - tolerance
    return first[near], second[near]


def linear_programmes(points: Floats, radius: float) -> Floats:
    """Sequential linear programming within a box that adapts (a trust region).

    Ends as soon as the contact equations lead to a balance.
    """
    largest = float(largest_inner_products(points))
    for step in range(_STEPS):
        moved, promised, length = _programme(points, radius)
        if not promised > 1e-15:
            break
        found = float(largest_inner_products(moved))
        gained = largest - found
        if gained > 0:
            points, largest = moved, found
        if gained < 0.25 * promised:
            radius *= 0.25
        elif length < 0.5 * radius:
            radius = 2 * length
        elif gained > 0.5 * promised:
            radius *= 2
        if radius < 1e-12:
            break
        if step % 3 == 2:
            solved = contact_equations(points)
            if balanced(solved):
                return solved
    return points


def contact_equations(points: Floats) -> Floats:
    """Solve <x_i, x_j> = t on the pairs in contact; the points as given where that fails.

    Which pairs are in contact is read off the largest jump in the sorted distances from the
    largest inner product, at several scales.
    """
    K, d = points.shape
    first, second, products = near_pairs(points, MOST_SLACK)
    best, largest = points, products[0]
    for count in likely_counts(products, d, 4 * K * d, K * (K - 1) // 2):
        moved = points.copy()
        solve = meet if K * (d - 1) <= _DENSE else _meet_sparse
        solve(moved, first[:count], second[:count])
        found = float(largest_inner_products(moved))
        if found < largest and np.abs(moved - points).max() < LONGEST:
            best, largest = moved, found
            if balanced(best):
                break
    return best


def loosen(points: Floats) -> Floats:
    """Move points that no contact force holds to where they have most room, one after the other.

    A rattler left against a neighbour by chance would pass for a point in contact.
    """
    K, d = points.shape
    if K * (d - 1) > MOST_UNKNOWNS:
        return points
    points = points.copy()
    for k in np.flatnonzero(~_held(points)):
        others = np.delete(points, k, axis=0)
        moved = _roomiest(others, points[k])
        if (others @ moved).max() < (others @ points[k]).max():
            points[k] = moved
    return points


def _roomiest(others: Floats, start: Floats) -> Floats:
    """A point whose largest inner product with the others is least, near a point."""
    from scipy.optimize import minimize

    away: Any = np.column_stack([-others, np.ones(len(others))])
    last: Any = np.r_[np.zeros(len(start)), 1.0]
    begin: Any = np.r_[start, (others @ start).max()]
    constraints: list[Any] = [
        {"type": "ineq", "fun": lambda z: away @ z, "jac": lambda z: away},
        {
            "type": "eq",
            "fun": lambda z: z[:-1] @ z[:-1] - 1,
            "jac": lambda z: np.r_[2 * z[:-1], 0.0],
        },
    ]
    found = minimize(  # type: ignore[call-overload]
        lambda z: float(z[-1]),
        begin,
        jac=lambda z: last,
        constraints=constraints,
        method="SLSQP",
        options={"maxiter": 50, "ftol": 1e-14},
    )
    return unit(np.asarray(found.x[:-1]))


def _held(points: Floats) -> NDArray[np.bool_]:
    """Which points take part in a balance of contact forces; all, where there is none."""
    first, second = contacts(points, 1e-12)
    held = np.zeros(len(points), dtype=bool)
    forces = _forces(points, first, second)
    if forces is None:
        held[np.concatenate([first, second])] = True
        return held
    pushing = forces > 1e-9 * forces.max()
    held[np.concatenate([first[pushing], second[pushing]])] = True
    return held


def balanced(points: Floats, tolerance: float = 1e-6) -> bool:
    """Whether contact forces hold some points in balance, so that no small move can help.

    Non-negative forces lambda_ij on the pairs in contact, not all zero, whose tangent parts cancel
    at each point: the first-order condition for the largest inner product to be least.
    """
    first, second = contacts(points, 1e-12)
    return _forces(points, first, second, tolerance) is not None


def _forces(
    points: Floats, first: Indices, second: Indices, tolerance: float = 1e-9
) -> Floats | None:
    """Non-negative forces of sum 1 on pairs that balance at every point, if there are any."""
    from scipy.optimize import nnls

    if len(first) > MOST_UNKNOWNS:
        return None
    system = np.ones((points.size + 1, len(first)))
    system[:-1] = derivatives(points, first, second).T
    target = np.zeros(len(system))
    target[-1] = 1.0
    try:
        forces, residual = nnls(system, target, maxiter=20 * len(first))
    except RuntimeError:
        return None
    return np.asarray(forces) if residual < tolerance else None


def _pairs(points: Floats) -> tuple[Indices, Indices, Floats]:
    first, second = np.triu_indices(len(points), 1)
    return first, second, (points @ points.T)[first, second]


def _tangents(points: Floats) -> Floats:
    """(K, d, d - 1): an orthonormal basis of each point's tangent plane, by a reflection."""
    d = points.shape[1]
    sign = np.where(points[:, 0] >= 0, 1.0, -1.0)
    mirror = points.copy()
    mirror[:, 0] += sign
    scale = 2 / np.einsum("kd,kd->k", mirror, mirror)
    reflections = np.eye(d) - scale[:, None, None] * mirror[:, :, None] * mirror[:, None, :]
    return np.asarray(reflections[:, :, 1:])


def _sparse_jacobian(points: Floats, first: Indices, second: Indices) -> Any:
    from scipy.sparse import csr_array

    K, d = points.shape
    basis, rows = _tangents(points), np.arange(len(first))
    data = np.concatenate(
        [
            np.einsum("pd,pde->pe", points[second], basis[first]),
            np.einsum("pd,pde->pe", points[first], basis[second]),
        ],
        axis=1,
    )
    offsets = np.arange(d - 1)
    columns = np.concatenate(
        [first[:, None] * (d - 1) + offsets, second[:, None] * (d - 1) + offsets], axis=1
    )
    indices = (data.ravel(), (np.repeat(rows, 2 * (d - 1)), columns.ravel()))
    return csr_array(indices, shape=(len(first), K * (d - 1)))


def _meet_sparse(points: Floats, first: Indices, second: Indices) -> None:
    """The same as `meet` for many points: what a step solves is sparse."""
    from scipy.sparse.linalg import LinearOperator, lsmr

    K, d = points.shape
    n, last = len(first), np.inf
    for _ in range(_SPARSE_STEPS):
        products = np.einsum("pd,pd->p", points[first], points[second])
        centred = products - products.mean()
        residual = float(np.abs(centred).max())
        if last / 2 < residual < SMALL:
            break
        last = residual
        sparse = _sparse_jacobian(points, first, second)
        operator = LinearOperator(
            (n, K * (d - 1)),
            matvec=partial(_centred_product, sparse),
            rmatvec=partial(_product_of_centred, sparse.T),
        )
        moves = lsmr(operator, -centred, atol=1e-15, btol=1e-15, maxiter=400)[0]
        step = np.einsum("kde,ke->kd", _tangents(points), moves.reshape(K, d - 1))
        points[:] = unit(points + step)
        if np.abs(step).max() > LONGEST:
            break


def _centred_product(matrix: Any, x: Floats) -> Floats:
    product = matrix @ x.ravel()
    return np.asarray(product - product.mean())


def _product_of_centred(matrix: Any, x: Floats) -> Floats:
    return np.asarray(matrix @ (x.ravel() - x.mean()))


def _programme(points: Floats, radius: float) -> tuple[Floats, float, float]:
    """One linear programme: (points moved, promised gain, longest coordinate of the move).

    In units of the radius, so that the solver's tolerances shrink with it.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, hstack

    K, d = points.shape
    largest = float(largest_inner_products(points))
    first, second, products = _pairs(points)
    near = products > largest - 3 * radius * np.sqrt(d - 1)
    first, second, products = first[near], second[near], products[near]
    sparse = _sparse_jacobian(points, first, second)
    column: Any = csr_array(-np.ones((len(first), 1)))
    cost = np.zeros(K * (d - 1) + 1)
    cost[-1] = 1.0
    bounds = [(-1.0, 1.0)] * (K * (d - 1)) + [(None, None)]
    found = linprog(
        cost,
        A_ub=hstack([sparse, column], format="csr"),
        b_ub=(largest - products) / radius,
        bounds=bounds,
        method="highs-ds",
    )
    if found.x is None:
        return points, 0.0, 0.0
    moves = found.x[:-1].reshape(K, d - 1) * radius
    step = np.einsum("kde,ke->kd", _tangents(points), moves)
    return unit(points + step), float(-found.x[-1] * radius), float(np.abs(moves).max())
