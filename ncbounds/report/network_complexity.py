r"""How complex the class of a trained network is: its norms, its paths, and every bound from them.

The class: all networks of one geometry (`ncbounds.measure.network`) whose product of filter norms
is at most one. Write S for the n samples, z_p(x) for the patch of x that node p of the first layer
reads, r for the number of layers with a ReLU, d_l for the most positions that a node of layer l
reads. All bounds below are for `(1/n) E sup |sum_i sigma_i h(x_i)|`, without the factor 2.

- *Moments.* Half of a ReLU is linear, and only the other half pays for contraction: it costs a
  factor `(1 + 2^(1/p))/2` in `(E sup |sum_i sigma_i v(x_i)|^p)^(1/p)`. The norm of the filter comes
  out, and squares of the positions that a node reads add up for p >= 2. So for p = 2k

      R_hat <= ((1 + 2^(1/(2k)))/2)^r ((2k-1)!!)^(1/(2k)) sqrt(sum_j N_j sum_i |x_ij|^2) / n,

  N_j the number of paths from the output to the input position j: 1 where patches do not overlap.
  The best k is taken.
- *Dense.* The same for the whole matrices, which are one node: the product of their Frobenius
  norms in place of the filters', N_j = 1; and with the factor sqrt(2 log(2) L) + 1 of Golowich,
  Rakhlin and Shamir (2018).
- *Overlap* (Conjecture 1): as printed where at most one layer overlaps, and with a factor for each
  layer, by the most patches that hold one position.

For K outputs the margin `f_y - max_{k != y} f_k` is sqrt(2)-Lipschitz in the outputs. By the vector
contraction of Maurer (2016) its complexity is at most twice that of all outputs with signs of their
own, whose squares add up like those of positions: `2 sqrt(K)` times the bound by moments, with the
Frobenius norm of the last layer, taken less its mean row, which no margin sees.

A fixed average over k positions is a layer of norm 1/sqrt(k) without a ReLU. Zeros of the padding
are positions that nobody reads. Sharing a filter among nodes changes nothing: each of the bounds
takes the supremum node by node.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from ncbounds.arithmetic.certified import certify
from ncbounds.arithmetic.formula import Formula
from ncbounds.arithmetic.grids import grid
from ncbounds.errors import InputError
from ncbounds.measure.network import Layer, Network
from ncbounds.measure.network.layers import Floats
from ncbounds.report.rademacher_bounds import theory_bounds
from ncbounds.theory.rademacher.moments import golowich_tree_bound, moment_network_bound
from ncbounds.theory.rademacher.patches import membership_bound, printed_overlap_bound

#: Relative error of norms and sums that are computed in float64, generously.
ROUNDING = 1e-10


@dataclass(frozen=True)
class ClassBound:
    """One bound on the complexity of the class of a network.

    `norm` is the product of norms by which the network is measured, and `unit` bounds R_hat, in
    the convention `absolute`, of all networks of the geometry with that product at most one.
    """

    id: str
    variant: str
    reading: str
    norm: float
    unit: float

    @property
    def total(self) -> float:
        """The bound for all networks whose product of norms is at most this network's."""
        return self.norm * self.unit


def class_bounds(network: Network, inputs: Floats) -> tuple[list[ClassBound], dict[str, str]]:
    """Return every bound on the complexity of a network's class on its samples, and what not.

    `inputs` (n, *input_shape). The second value says by statement why it does not apply. Numbers
    are rounded up by a relative 1e-10, far above what float64 leaves.
    """
    n, relus = len(inputs), network.relus
    energies = network.energies(inputs)
    filters, whole = network.rho, network.dense_rho
    plain = math.sqrt(float(energies.sum()))
    crowded = network.pooled * math.sqrt(float(energies @ network.paths))
    k = best_order(relus)
    at_norm_1 = {"rho": 1, "m": n}
    of_moments = {**at_norm_1, "levels": relus, "k": k}
    dense = _value(moment_network_bound, **of_moments, data=plain)
    paths = _value(moment_network_bound, **of_moments, data=crowded)
    golowich = _value(golowich_tree_bound, **at_norm_1, L=network.depth, norm=plain) / 2
    moments = f"moments of order {2 * k}"
    found = [
        _bound("square:eq-16", "corrected", "dense", whole, golowich),
        _bound("square:eq-16", "sharp", f"dense, {moments}", whole, dense),
        _bound("square:conjecture-1", "sharp", f"paths, {moments}", filters, paths),
    ]
    skipped = {}
    reason = not_a_binary_tree(network)
    if reason:
        skipped["square:theorem-4"] = reason
    else:
        found += _tree_bounds(network, n, plain)
    if all(layer.learned and layer.relu for layer in network.layers[:-1]):
        overlaps = [most_overlap(layer) for layer in network.layers]
        given = {**at_norm_1, "L": network.depth, "norm": plain}
        if sum(overlap > 1 for overlap in overlaps) <= 1:
            unit = _value(printed_overlap_bound, **given, K=max(overlaps), s=1)
            found.append(_bound("square:conjecture-1", "printed", "overlap", filters, unit))
        unit = _value(membership_bound, **given, c=max(overlaps))
        found.append(_bound("square:conjecture-1", "corrected", "overlap", filters, unit))
    else:
        skipped["square:conjecture-1 (overlap)"] = "a layer below the last has no ReLU"
    return found, skipped


def margin_bounds(network: Network, inputs: Floats) -> list[ClassBound]:
    """Return the bounds on the complexity of the margins of a network of any number of outputs."""
    K = network.outputs
    return [
        replace(one, reading=f"{K} classes; {one.reading}", unit=2 * math.sqrt(K) * one.unit)
        for one in class_bounds(network.centred_outputs(), inputs)[0]
        if "moments" in one.reading
    ]


def best_order(relus: int) -> int:
    """The k for which moments of order 2k give the least bound."""
    point = {"levels": float(relus), "rho": 1.0, "m": 1.0, "data": 1.0}
    orders = np.arange(1.0, 4 + relus)
    return int(orders[np.argmin(grid(moment_network_bound, **point, k=orders))])


def most_overlap(layer: Layer) -> int:
    """The most patches that one position lies in: K / (K - O) inside, up to rounding."""
    return max(1, int(layer.overlap.max()))


def not_a_binary_tree(network: Network) -> str:
    """Why `square:theorem-4` does not speak of a network; empty where it does.

    The theorem is about one channel and kernels of two positions that do not overlap, on 2^L
    numbers in a row. A dense last layer over two positions is such a kernel too.
    """
    for layer in network.layers:
        if layer.weight is None:
            return f"layer {layer.name} is an average pooling"
        if layer.weight.shape[0] != 1 or layer.weight.shape[2] != 1:
            c_out, _, c_in = layer.weight.shape
            return f"layer {layer.name} has {c_in} -> {c_out} channels, not one"
        if layer.taps.shape[1] != 2:
            return f"layer {layer.name} reads patches of {layer.taps.shape[1]} positions, not 2"
        if (layer.taps < 0).any():
            return f"layer {layer.name} reads padding"
        if layer.overlap.max() > 1:
            return f"patches of layer {layer.name} overlap"
        if layer.overlap.min() < 1:
            return f"layer {layer.name} leaves positions out"
        if not layer.relu and layer is not network.layers[-1]:
            return f"layer {layer.name} has no ReLU"
    return ""


def network_facts(network: Network) -> dict[str, Any]:
    """Plain numbers of a network: what its bounds are made of."""
    return {
        "L": network.depth,
        "rho": network.rho,
        "dense_rho": network.dense_rho,
        "relus": network.relus,
        "outputs": network.outputs,
        "branches": network.branches,
        "most_paths": float(network.paths.max()),
        "layers": [
            {
                "name": layer.name,
                "kind": layer.kind,
                "detail": layer.detail,
                "channels": None if layer.weight is None else list(layer.weight.shape[::-2]),
                "filter_norm": layer.filter_norm,
                "toeplitz_norm": layer.toeplitz_norm,
                "patches": layer.nodes,
                "degree": layer.degree,
                "overlap": int(layer.overlap.max()),
                "relu": layer.relu,
            }
            for layer in network.layers
        ],
    }


def _bound(id: str, variant: str, reading: str, norm: float, unit: float) -> ClassBound:
    up = 1 + ROUNDING
    if not (math.isfinite(norm) and math.isfinite(unit)):
        raise InputError("module", "norms beyond all floats", "a network with finite norms")
    return ClassBound(id, variant, reading, norm * up, unit * up)


def _value(form: Formula, **point: float) -> float:
    """The value of a bound of the theory, to more digits than are left after rounding up."""
    found = certify(form, {name: Fraction(value) for name, value in point.items()}, digits=15)
    if found is None:
        raise InputError("module", "bounds beyond all floats", "a network with finite norms")
    return float(found)


def _tree_bounds(network: Network, n: int, norm: float) -> list[ClassBound]:
    """Every bound of theorem 4."""
    point = {"L": Fraction(network.depth), "rho": Fraction(1), "m": Fraction(n)}
    return [
        _bound(one.id, one.variant, one.name.partition(": ")[2], network.rho, one.value / 2)
        for one in theory_bounds(point | {"norm": Fraction(norm)})
        if one.id == "square:theorem-4"
    ]
