"""Gradient ascent on the violation of a conclusion: many restarts in one batch, by autograd.

Signs and ranges of fields are kept by parametrisation (logarithm, square, logistic), budgets are
set to the least that their hypotheses allow at every step, and any other hypothesis is kept by a
penalty. Masks and integers stay as drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from ncbounds.arithmetic.floats import torch_namespace
from ncbounds.campaign import samplers
from ncbounds.theory.terms import Claim, Comparison, Field, Sizes

_LEARNING_RATE = 0.05
_PENALTY = 10.0
_ROOM = 2.0**-40


def torch_is_present() -> bool:
    """Tell whether torch can be imported."""
    return find_spec("torch") is not None


def ascend(
    claim: Claim,
    conclusion: str,
    sizes: Sizes,
    restarts: int,
    steps: int,
    rng: np.random.Generator,
) -> samplers.Instance:
    """Push a batch of instances towards violating one conclusion; return the best of each."""
    import torch

    xp = torch_namespace()
    generic = bool(rng.random() < 0.7)
    start = samplers.draw(claim, sizes, restarts, rng, decades=0.5, generic=generic)
    variables, rebuild = _parametrise(claim, start)
    optimiser = torch.optim.Adam(variables, lr=_LEARNING_RATE) if variables else None
    best_score = torch.full((restarts,), -torch.inf, dtype=torch.float64)
    best = rebuild()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for _ in range(steps if optimiser else 1):
            instance = samplers.meet_budgets(claim, xp, rebuild(), _ROOM)
            judged = claim.judge(xp, **instance)
            chosen = next(c for c in judged.conclusions if c.name == conclusion)
            score = _relative(chosen)
            penalty = sum(
                (torch.relu(_relative(h)) for h in judged.hypotheses), torch.zeros_like(score)
            )
            better = (penalty <= 1e-9) & (score.detach() > best_score)
            best_score = torch.where(better, score.detach(), best_score)
            best = {
                name: torch.where(
                    better.reshape((-1,) + (1,) * (values.ndim - 1)), values.detach(), best[name]
                )
                for name, values in instance.items()
            }
            if optimiser is None:
                break
            optimiser.zero_grad()
            (-(score - _PENALTY * penalty).nan_to_num(0.0).sum()).backward()
            for variable in variables:
                if variable.grad is not None:
                    variable.grad = torch.nan_to_num(variable.grad, 0.0, 0.0, 0.0)
            optimiser.step()
    finally:
        torch.set_num_threads(threads)
    return {name: values.detach().numpy() for name, values in best.items()}


def _relative(comparison: Comparison) -> Any:
    """Signed relative violation, one number an instance (the worst over other axes)."""
    gap = -comparison.slack
    if comparison.relation == "=":
        gap = gap.abs()
    scale = comparison.lhs.abs() + comparison.rhs.abs() + 1e-300
    return (gap / scale).reshape(gap.shape[0], -1).amax(dim=1)


def _parametrise(
    claim: Claim, start: samplers.Instance
) -> tuple[list[Any], Callable[[], dict[str, Any]]]:
    """Free variables for the movable fields, and the function that rebuilds the instance."""
    import torch

    fields = {f.name: f for f in claim.fields}
    tensors = {name: torch.tensor(values, dtype=torch.float64) for name, values in start.items()}
    free: dict[str, Any] = {}
    scale: dict[str, Any] = {}
    for name, values in tensors.items():
        inward = _INWARD.get(fields[name].kind)
        if inward is not None:
            scale[name] = _scale(fields[name], values)
            free[name] = inward(values / scale[name]).requires_grad_(True)

    def rebuild() -> dict[str, Any]:
        return {
            name: _OUTWARD[fields[name].kind](free[name]) * scale[name] if name in free else values
            for name, values in tensors.items()
        }

    return list(free.values()), rebuild


def _scale(field: Field, values: Any) -> Any:
    """Root mean square of each instance of a field, so that a step means the same at any scale."""
    if field.kind != "real":
        return 1.0
    mean = (values * values).reshape(len(values), -1).mean(dim=1).sqrt()
    return mean.clamp(min=1e-12).reshape((-1,) + (1,) * (values.ndim - 1))


_INWARD: dict[str, Callable[[Any], Any]] = {
    "real": lambda x: x.clone(),
    "positive": lambda x: x.log(),
    "nonnegative": lambda x: x.sqrt() + 1e-3,
    "proportion": lambda x: (x / (1 - x)).log(),
}
_OUTWARD: dict[str, Callable[[Any], Any]] = {
    "real": lambda x: x,
    "positive": lambda x: x.exp(),
    "nonnegative": lambda x: x * x,
    "proportion": lambda x: x.sigmoid(),
}
