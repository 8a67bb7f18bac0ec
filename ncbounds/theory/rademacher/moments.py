"""Bounds on the Rademacher complexity of deep ReLU networks by moments of any order.

Half of a ReLU is linear, relu(v) = v/2 + |v|/2, and only the other half pays for the contraction.
So a level of ReLU multiplies the p-th moment bound by (1 + 2^(1/p))/2 instead of 2^(1/p), and
moments of order p are added up over the children of a node as squares are, for p >= 2. Nodes may
share kernels or not, patches may overlap, a layer may have many channels or be dense: what enters
is the product of the layers' norms (Frobenius norm of a layer's weights, each counted once), the
number of ReLU levels, and

    data = sqrt(sum over inputs j of paths_j * sum_i x_ij^2),

where paths_j is the number of paths of the network's graph from input j to the output: 1 in a tree
and in a dense network, whose layer is one patch. All bounds here are on the complexity without the
factor 2; `square:definition-1` has it.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, positive

LEVELS = integer("levels", "number of ReLU levels below the linear output", "n", at_least=0)
L = integer("L", "number of levels", "L", at_least=1)
RHO = positive("rho", "bound on the product of the layers' norms", r"\rho")
M = integer("m", "number of samples", "m", at_least=1)
NORM = nonnegative("norm", "root of the sum of squared sample norms", r"\|X\|")
DATA = nonnegative("data", "root of the sum of path-weighted squared inputs", r"\|X\|_G")
HALF_ORDER = integer("k", "half of the order of the moment", "k", at_least=1)
PATCH = nonnegative("patch", "root of the largest sum of squared patch norms", r"\|X_P\|")


def khintchine_constant(xp: Any, k: Any) -> Any:
    """The 2k-th root of (2k-1)!! = 1 * 3 * ... * (2k-1)."""
    ratio = xp.gamma_ratio((2 * k + 1) / 2, (0 * k + 1) / 2)
    return xp.sqrt(0 * k + 2) * ratio ** (1 / (2 * k))


def relu_factor(xp: Any, k: Any) -> Any:
    """What a level of ReLU costs in moments of order 2k: (1 + 2^(1/(2k)))/2."""
    return (1 + 2 ** (1 / (2 * k))) / 2


@formula(LEVELS, RHO, M, DATA, HALF_ORDER)
def moment_network_bound(xp: Any, levels: Any, rho: Any, m: Any, data: Any, k: Any) -> Any:
    """Bound on the complexity without the factor 2 by moments of order 2k."""
    return relu_factor(xp, k) ** levels * khintchine_constant(xp, k) * rho * data / m


@formula(LEVELS, RHO, M, DATA)
def size_independent_network_bound(xp: Any, levels: Any, rho: Any, m: Any, data: Any) -> Any:
    """Bound on the complexity without the factor 2 that grows as the root of the depth."""
    return xp.sqrt((levels + (0 * levels + 5) / 2) * xp.log(0 * levels + 2)) * rho * data / m


# -- the same for the binary tree, in the complexity of Definition 1 ------------------------------


@formula(L, RHO, M, NORM, HALF_ORDER)
def moment_tree_bound(xp: Any, L: Any, rho: Any, m: Any, norm: Any, k: Any) -> Any:
    """Bound on the complexity of Definition 1 by moments of order 2k."""
    return 2 * moment_network_bound(xp, levels=L - 1, rho=rho, m=m, data=norm, k=k)


@formula(L, RHO, M, NORM)
def size_independent_tree_bound(xp: Any, L: Any, rho: Any, m: Any, norm: Any) -> Any:
    """Bound on the complexity of Definition 1 that grows as the root of the depth."""
    return 2 * size_independent_network_bound(xp, levels=L - 1, rho=rho, m=m, data=norm)


@formula(L, RHO, M, NORM)
def golowich_tree_bound(xp: Any, L: Any, rho: Any, m: Any, norm: Any) -> Any:
    """Bound on the complexity of Definition 1 with the factor that the text after (22) names."""
    return 2 * golowich_factor(xp, L) * rho * norm / m


@formula(L, RHO, M, PATCH)
def sparse_tree_bound(xp: Any, L: Any, rho: Any, m: Any, patch: Any) -> Any:
    """Bound on the complexity of Definition 1 for compositionally sparse networks, at degree 2."""
    log_two = xp.log(0 * L + 2)
    factor = 1 + xp.sqrt(2 * (L * log_two + (L - 1) * log_two))
    return 2 * factor * rho * 2 ** ((L - 1) / 2) * patch / m


def golowich_factor(xp: Any, L: Any) -> Any:
    """The factor sqrt(2 log(2) L) + 1 of Golowich, Rakhlin and Shamir."""
    return xp.sqrt(2 * xp.log(0 * L + 2) * L) + 1
