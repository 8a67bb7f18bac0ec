"""Ties of Spectrum.v: the transformation by residuals and its spectrum.

The claims compare equations entry by entry after adding the size of what they sum to both sides.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

from proofs_check.kernel.register import Binding, Instance, Theorem

_SPECTRUM = ("Spectrum.v", "review:remark-spectrum")
_SQUARE = ("corrected", "multiplicities 1, K - 1 and K(K - 1)")
_WIDE = ("sharp", "features of any dimension from K on")
_BLOCKS = ("Spectrum.v", "review:eq-46", "printed", "residuals and blocks")


def _features(v: Instance) -> list[list[Any]]:
    further = v.get("further", [[]] * len(v["f"]))
    return [[*row, *more] for row, more in zip(v["f"], further, strict=True)]


def _entries(
    size: Callable[[Instance, Any], Any], *names: str
) -> Callable[[Instance], list[Binding]]:
    """One binding for each entry of the features, with the size that the claim adds."""

    def bind(v: Instance) -> list[Binding]:
        f = _features(v)
        K, m = len(f), len(f[0])
        impacts = (abs(v["alpha"]) + abs(v["beta"])) * m
        given = {
            "K": K,
            "m": m,
            "alpha": v["alpha"],
            "beta": v["beta"],
            "size": size({**v, "f": f}, impacts),
        }
        centred = [x - sum(v["c"]) / K for x in v["c"]]
        given |= {name: {"c": centred, "f": f}[name] for name in names}
        return [{**given, "i": i, "l": k} for i, k in product(range(K), range(m))]

    return bind


def _small(v: dict[str, Any]) -> dict[str, Any]:
    """Three classes at most, and one further entry: sums within sums are slow to evaluate."""
    cut = {"f": v["f"][:, :3, :3], "c": v["c"][:, :3]}
    further = {"further": v["further"][:, :3, :1]} if "further" in v else {}
    return {**v, **cut, **further}


def _total(values: Any) -> Any:
    return sum(abs(x) for x in values)


def _pair(v: Instance) -> list[Binding]:
    K = len(v["f"])
    return [{"K": K, "i": i, "j": j} for i, j in product(range(K), repeat=2)]


def _each_block(v: Instance) -> list[Binding]:
    K = len(v["f"])
    return [{"K": K, "f": v["f"], "i": i} for i in range(K)]


def _own(v: Instance) -> list[Binding]:
    K = len(v["f"])
    return [{"K": K, "i": i} for i in range(K)]


def _others(v: Instance) -> list[Binding]:
    K = len(v["f"])
    return [{"K": K, "i": i, "l": k} for i, k in product(range(K), repeat=2) if i != k]


def _spectrum(variant: str, reading: str) -> tuple[Theorem, ...]:
    return (
        Theorem(
            "single_eigenvector",
            *_SPECTRUM,
            variant,
            reading,
            bind=_entries(lambda v, s: s * s),
            conclusions={"one eigenvector": 0},
            restrict=_small,
        ),
        Theorem(
            "repeated_eigenvector",
            *_SPECTRUM,
            variant,
            reading,
            bind=_entries(lambda v, s: s * s * _total(v["c"]), "c"),
            conclusions={"K - 1 eigenvectors": 0},
            restrict=_small,
        ),
        Theorem(
            "kernel_of_transformation",
            *_SPECTRUM,
            variant,
            reading,
            bind=_entries(lambda v, s: s * _total(x for row in v["f"] for x in row), "f"),
            conclusions={"kernel": 0},
            restrict=_small,
        ),
        Theorem(
            "single_eigenvector_differences",
            *_SPECTRUM,
            variant,
            reading,
            bind=_entries(lambda v, s: s),
            conclusions={"differences of the one": 0},
            restrict=_small,
        ),
    )


THEOREMS = (
    *_spectrum(*_SQUARE),
    *_spectrum(*_WIDE),
    Theorem(
        "multiplicities_printed_fail",
        *_SPECTRUM,
        "printed",
        "multiplicities in the order of the eigenvalues, as typeset",
        bind=lambda v: {"alpha": v["alpha"], "beta": v["beta"], "K": v["K"]},
        refutes=True,
        at=({"alpha": 1, "beta": 0, "K": 2},),
    ),
    Theorem("residual_simplex", *_BLOCKS, bind=_pair, conclusions={"simplex": 0}),
    Theorem(
        "blocks_semidefinite",
        *_BLOCKS,
        bind=_each_block,
        conclusions={"each block is semi-definite": 0},
    ),
    Theorem("own_diagonal", *_BLOCKS, bind=_own, conclusions={"diagonal, own class": 0}),
    Theorem("other_diagonal", *_BLOCKS, bind=_others, conclusions={"diagonal, others": 0}),
    Theorem(
        "semidefinite_printed_fails",
        "Spectrum.v",
        "review:eq-46",
        "printed",
        "T is positive semi-definite",
        bind=lambda v: {"K": len(v["f"]), "f": v["f"]},
        refutes=True,
        at=({"f": [[0, 1, 0], [1, 0, 0], [0, 0, 0]]},),
    ),
)
