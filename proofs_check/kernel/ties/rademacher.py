"""Ties of the Rademacher theorems: one network for each sign vector, as the claims choose them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from proofs_check.kernel.register import Binding, Instance, Theorem

_TREE, _FOUR = "BinaryTree.v", "square:theorem-4"
_LINES, _DENSE, _LINES_OF_PROOF = "PeelingLines.v", "square:eq-25", "square:eq-21"


def _by_signs(chosen: Any) -> Callable[..., Any]:
    """What is chosen for one sign vector of each pair, as a function of signs and indices.

    The first sign is 1, the others run through (1, -1) as in a product; e and -e share a choice.
    """
    bits = len(chosen).bit_length() - 1

    def value(signs: Any, *place: int) -> Any:
        first = signs(0) < 0
        turned = [int((signs(i + 1) < 0) != first) for i in range(bits)]
        row = chosen[int("".join(map(str, turned)) or "0", 2)]
        inside = all(i < n for i, n in zip(place, row.shape, strict=True))
        return row[place] if inside else 0

    return value


def _units(kernels: Any) -> Any:
    """Kernels over their norms, along the last axis."""
    squares = (kernels * kernels).sum(axis=-1)
    return kernels / np.frompyfunc(lambda x: x.sqrt(), 1, 1)(squares)[..., None]


def _tree(v: Instance) -> Binding:
    kernels = _units(v["kernels"])
    kernels[:, -1] = kernels[:, -1] * v["rho"]
    levels = {"m": len(v["samples"]), "L": kernels.shape[1]}
    return {**levels, "rho": v["rho"], "x": v["samples"], "w": _by_signs(kernels)}


def _chain(v: Instance) -> Binding:
    """Convolutional layers of one kernel each, and a readout over all outputs of the last."""
    kernels = _units(np.concatenate([v["own"], v["shared"]], axis=2))
    readout = _units(v["readout"]) * v["rho"]
    (S, levels, size), stride, P = kernels.shape, v["own"].shape[2], readout.shape[1]
    weights = np.zeros((S, levels + 1, max(size, P)), dtype=object)
    weights[:, :levels, :size], weights[:, levels, :P] = kernels, readout
    return {
        "K": lambda level: size if level < levels else P,
        "child": lambda level, node, place: place + (stride * node if level < levels else 0),
        "m": len(v["samples"]),
        "x": v["samples"],
        "L": levels,
        "rho": v["rho"],
        "w": _by_signs(weights),
        "v": 0,
    }


def _peeled(v: Instance) -> Binding:
    m, d = v["samples"].shape
    return {"m": m, "d": d, "L": len(v["kernels"]), "x": v["samples"], "w": v["kernels"]}


def _typeset(v: Instance) -> Binding:
    m, d = v["samples"].shape
    return {"m": m, "d": d, "x": v["samples"], "rho": v["rho"]}


def _dense(v: Instance) -> Binding:
    return {"L": len(v["kernels"]), "w": v["kernels"], "norm": v["norm"], "m": v["m"]}


def _layers(v: Instance) -> Binding:
    return {"L": len(v["kernels"]), "w": v["kernels"]}


def _class(v: Instance) -> Binding:
    H, m = v["values"].shape
    return {"H": H - 1, "m": m, "v": v["values"]}


def _kernel_rows(v: Instance) -> Binding:
    kernel = np.concatenate([v["own"], v["shared"]])
    return {"K": len(kernel), "s": len(v["own"]), "P": len(v["probe"]), "w": kernel}


def _relative(v: Instance) -> Binding:
    given = {name: v[name] for name in ("more", "A", "epsilon", "N", "delta")}
    return {**given, "rho": v["smaller"], "r": v["R"]}


def _second_order(batch: dict[str, Any]) -> dict[str, Any]:
    """Moments of order 2."""
    return {**batch, "k": np.ones_like(batch["k"])}


def _of_trees(name: str, variant: str, reading: str, **more: Any) -> Theorem:
    given = {"bind": _tree, "conclusions": {"complexity": 0}, **more}
    return Theorem(name, _TREE, _FOUR, variant, reading, **given)


THEOREMS = (
    _of_trees("tree_complexity_printed", "printed", "Definition 1, with the factor 2"),
    _of_trees("tree_complexity_of_proof", "printed", "without the factor 2, as in the proof"),
    _of_trees("tree_complexity_with_output", "printed", "a ReLU after the last layer too"),
    _of_trees("tree_complexity_sharp", "sharp", "second moments"),
    _of_trees(
        "tree_complexity_half_linear",
        "sharp",
        "half of a ReLU is linear",
        conclusions={"moments of order 2k": 0},
        restrict=_second_order,
    ),
    _of_trees(
        "tree_complexity_of_suprema",
        "sharp",
        "second moments",
        bind=None,
        conclusions={},
        untied="it speaks of least upper bounds, which are not computed; that each network chosen "
        "stays below is tree_complexity_sharp",
    ),
    Theorem(
        "complexity_of_patches",
        "PatchNetwork.v",
        "square:conjecture-1",
        "sharp",
        "every input with its paths",
        bind=_chain,
        restrict=_second_order,
        conclusions={"moments of order 2k": 0},
    ),
    Theorem(
        "conjecture_with_factor_fails",
        _LINES,
        "square:conjecture-1",
        "printed",
        "Definition 1, with the factor 2",
        refutes=True,
        bind=_tree,
        at=({"samples": [["1", "0"]], "kernels": [[["1", "0"]]], "rho": "1"},),
        conclusions={"complexity": 0},
    ),
    Theorem(
        "after_the_peeling",
        _LINES,
        _LINES_OF_PROOF,
        "printed",
        "(22), after the peeling",
        bind=_peeled,
        conclusions={"third line": 0, "fourth line": 1},
    ),
    Theorem(
        "typeset_peeling_fails",
        _LINES,
        _LINES_OF_PROOF,
        "printed",
        "equation of (21), as typeset",
        refutes=True,
        bind=_typeset,
        at=({"samples": [["1"]], "rho": "1"},),
        conclusions={"(21)": 0},
    ),
    Theorem(
        "dense_exponent",
        _LINES,
        _DENSE,
        "printed",
        "the root over the product only",
        bind=_dense,
        conclusions={"equation (25)": 0},
    ),
    Theorem(
        "dense_typeset_fails",
        _LINES,
        _DENSE,
        "printed",
        "the root over everything, as typeset",
        refutes=True,
        bind=_dense,
        at=({"kernels": [["1/2", "0"]], "norm": "1", "m": "1"},),
        conclusions={"equation (25)": 0},
    ),
    Theorem(
        "dense_norms_printed_fails",
        _LINES,
        _DENSE,
        "printed",
        "the root is the product of the layers' norms",
        refutes=True,
        bind=_layers,
        at=({"kernels": [["0", "1"]], "norm": "1", "m": "1"},),
        conclusions={"layer norms": 0},
    ),
    Theorem(
        "dense_bound_of_layers",
        _LINES,
        _DENSE,
        "corrected",
        "the layers' own norms",
        bind=_dense,
        conclusions={"dense bound": 0},
    ),
    Theorem(
        "complexities_compared",
        "Complexities.v",
        "square:definition-1",
        "sharp",
        "the definitions compared",
        bind=_class,
        conclusions={"signed": 0, "absolute": 1, "with negatives": 2, "Definition 1": 3},
    ),
    Theorem(
        "peeling_of_patches",
        "PatchNetwork.v",
        "square:conjecture-1",
        "sharp",
        "every input with its paths",
        untied="the recursion behind complexity_of_patches, in mean squares and for nodes with "
        "kernels of their own",
    ),
    Theorem(
        "contraction_of_relu",
        "Contraction.v",
        _FOUR,
        "sharp",
        "half of a ReLU is linear",
        untied="it speaks of classes of any index type: the step from level to level for k = 1",
    ),
    Theorem(
        "contraction_of_absolute_values",
        "Contraction.v",
        _FOUR,
        "sharp",
        "half of a ReLU is linear",
        untied="it speaks of classes of any index type: the half of a ReLU that is not linear",
    ),
    Theorem(
        "smaller_norm_smaller_bounds",
        "ErrorBounds.v",
        "square:eq-17",
        "printed",
        "bounds only",
        bind=_relative,
        conclusions={"(17) below (18)": 0, "(12) for both": 1},
    ),
    Theorem(
        "depth_bound_by_substitution_fails",
        "ErrorBounds.v",
        "square:eq-16",
        "printed",
        "from (12) by substitution",
        refutes=True,
        bind=lambda v: {name: v[name] for name in ("rho", "L", "N", "delta")},
        at=({"rho": "1", "L": "1", "N": "1", "delta": "1/2"},),
        conclusions={"(16)": 0},
    ),
    Theorem(
        "shares_from_zero_fail",
        "ErrorBounds.v",
        "square:theorem-3",
        "printed",
        "the union bound from t = 0 on",
        refutes=True,
        bind=lambda v: {name: v[name] for name in ("first", "t", "delta")},
        at=({"first": "1", "t": "1", "delta": "1/2"},),
        conclusions={"shares delta/(t(t+1))": 0},
    ),
    Theorem(
        "toeplitz_frobenius_norm",
        "ErrorBounds.v",
        "square:remark-toeplitz",
        "corrected",
        "times the root of the number of patches",
        bind=_kernel_rows,
        conclusions={"Frobenius norm": 0},
    ),
    Theorem(
        "toeplitz_printed_fails",
        "ErrorBounds.v",
        "square:remark-toeplitz",
        "printed",
        "norm of the kernel times number of patches",
        refutes=True,
        bind=_kernel_rows,
        at=({"own": ["0"], "shared": ["1"], "signal": ["0", "0", "0"], "probe": ["0", "0"]},),
        conclusions={"Frobenius norm": 0},
    ),
    Theorem(
        "sketch_of_conjecture_fails",
        "ErrorBounds.v",
        "square:conjecture-1",
        "printed",
        "sketch of the proof, any input",
        refutes=True,
        bind=lambda v: {"m": len(v["samples"]), "x": v["samples"]},
        at=({"samples": [["0", "0", "1", "0", "0"]]},),
        conclusions={"patches": 0},
    ),
)
