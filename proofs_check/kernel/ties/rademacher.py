"""Ties of the Rademacher theorems: one network for each sign vector, as the claims choose them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from proofs_check.kernel.register import Binding, Instance, Theorem

_TREE, _FOUR = "BinaryTree.v", "square:theorem-4"


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
)
