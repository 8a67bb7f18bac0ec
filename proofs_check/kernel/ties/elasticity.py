"""Ties of Elasticity.v: residual directions and the growth of separation."""

from __future__ import annotations

from proofs_check.kernel.register import Binding, Instance, Theorem

_FILE = "Elasticity.v"


def _growth(v: Instance) -> Binding:
    return {name: v[name] for name in ("K", "gamma", "eigenvalue", "elapsed")}


THEOREMS = (
    Theorem(
        "residual_products",
        _FILE,
        "review:eq-46",
        "printed",
        "residuals and blocks",
        bind=lambda v: {"K": len(v["f"])},
        conclusions={"simplex": 0},
    ),
    Theorem(
        "transformation_semidefinite_printed_fails",
        _FILE,
        "review:eq-46",
        "printed",
        "T is positive semi-definite",
        bind=lambda v: {"K": len(v["f"]), "f": v["f"]},
        conclusions={"semi-definite": 0},
        refutes=True,
    ),
    Theorem(
        "separation_growth",
        _FILE,
        "review:remark-separation",
        "sharp",
        "where separation begins",
        bind=_growth,
        conclusions={"power of time": 0, "at least this power's tangent": 1},
    ),
)
