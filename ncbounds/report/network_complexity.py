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
- *Exponential moments* (Golowich, Rakhlin, Shamir 2018; Galanti, Xu, Galanti, Poggio 2023). The
  same peeling in `E exp(lambda sup |...|)`, with a maximum over the positions that a node reads
  instead of their sum: each ReLU costs a factor 2 and each maximum a factor d_l, both within a
  logarithm,

      R_hat <= (1 + sqrt(2 log(2^r d_2 ... d_L))) sqrt(d_2 ... d_L max_p sum_i |z_p(x_i)|^2) / n.

- *Dense.* Both for the whole matrices, which are one node: the product of their Frobenius norms in
  place of the filters', d_l = 1, and the whole input for the patch.
- *Overlap* (Conjecture 1): `2^(L-1) sqrt(product of the most patches that hold one position)` times
  `sqrt(sum_i |x_i|^2) / n`, printed where one layer overlaps, else with a factor for each. It is
  above the bound by second moments, and known to hold because of it.

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

from ncbounds.errors import InputError
from ncbounds.measure.network import Layer, Network
from ncbounds.measure.network.layers import Floats
from ncbounds.report.rademacher_bounds import theory_bounds

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
    n = len(inputs)
    energies = network.energies(inputs)
    filters, whole = network.rho, network.dense_rho
    plain = math.sqrt(float(energies.sum())) / n
    crowded = math.sqrt(float(energies @ network.paths)) / n
    patch = math.sqrt(network.branches * network.patch_energy(inputs)) / n
    r = network.relus
    k, factor = best_moment(r)
    moments = f"moments of order {2 * k}"
    sparse = network.pooled * exponential_factor(r, network.branches) * patch
    found = [
        _bound("square:eq-16", "corrected", "dense", whole, exponential_factor(r, 1) * plain),
        _bound("square:eq-16", "sharp", f"dense, {moments}", whole, factor * plain),
        _bound("square:conjecture-1", "corrected", "sparse networks", filters, sparse),
        _bound(
            "square:conjecture-1",
            "sharp",
            f"paths, {moments}",
            filters,
            network.pooled * factor * crowded,
        ),
    ]
    skipped = {}
    reason = not_a_binary_tree(network)
    if reason:
        skipped["square:theorem-4"] = reason
    else:
        found += _tree_bounds(network, n, n * plain)
    if all(layer.learned and layer.relu for layer in network.layers[:-1]):
        overlaps = [most_overlap(layer) for layer in network.layers]
        unit = 2 ** (network.depth - 1) * math.sqrt(math.prod(overlaps)) * plain
        printed = sum(overlap > 1 for overlap in overlaps) <= 1
        variant = "printed" if printed else "corrected"
        found.append(_bound("square:conjecture-1", variant, "overlap K/(K-O)", filters, unit))
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


def best_moment(relus: int) -> tuple[int, float]:
    """The k for which moments of order 2k give the least factor, and that factor."""
    choices = []
    for k in range(1, 4 + relus):
        double_factorial = math.prod(range(1, 2 * k, 2))
        power = 1 / (2 * k)
        choices.append((((1 + 2**power) / 2) ** relus * double_factorial**power, k))
    factor, k = min(choices)
    return k, factor


def exponential_factor(relus: int, branches: int) -> float:
    """`1 + sqrt(2 log(2^r d_2 ... d_L))`."""
    return 1 + math.sqrt(2 * (relus * math.log(2) + math.log(branches)))


def most_overlap(layer: Layer) -> float:
    """The most patches that one position lies in: K / (K - O) inside, up to rounding."""
    return max(1.0, float(layer.overlap.max()))


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


def _tree_bounds(network: Network, n: int, norm: float) -> list[ClassBound]:
    """Every bound of theorem 4."""
    point = {"L": Fraction(network.depth), "rho": Fraction(1), "m": Fraction(n)}
    return [
        _bound(one.id, one.variant, one.name.partition(": ")[2], network.rho, one.value / 2)
        for one in theory_bounds(point | {"norm": Fraction(norm)})
        if one.id == "square:theorem-4"
    ]
