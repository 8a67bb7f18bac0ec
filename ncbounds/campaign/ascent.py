"""Gradient ascent on the violation of a conclusion: many restarts in one batch, by autograd.

Half of the restarts begin at the most violated of many drawn instances, half at generic ones. All
climb together by Adam; the best few are then polished one by one by L-BFGS. Signs and ranges of
fields are kept by parametrisation (logarithm, square, logistic), budgets are set to the least that
their hypotheses allow at every step, and any other hypothesis is kept by a penalty. Masks and
integers stay as drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import numpy as np

from ncbounds.arithmetic.floats import numpy_namespace, torch_namespace
from ncbounds.campaign import samplers
from ncbounds.theory.terms import Claim, Comparison, Field, Pin, Sizes

_LEARNING_RATE = 0.05
_PENALTY = 10.0
_ROOM = 2.0**-40
#: Relative violation of a hypothesis that counts as none.
_TOLERANCE = 1e-9
#: Batches of 8 drawn to begin at the best of them, and restarts that are polished.
_CANDIDATES, _POLISHED = 48, 2
_FREE = Pin()

#: Score of each instance of a batch, and whether it meets the hypotheses.
Objective = Callable[[dict[str, Any]], tuple[Any, Any]]


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
    pin: Pin = _FREE,
) -> samplers.Instance:
    """Push a batch of instances towards violating one conclusion; return the best of each.

    Fields that `pin` holds stay as given there, budgets near their value.

    Raises
    ------
    MissingDependencyError
        When torch is not installed.
    """
    objective = _objective(claim, conclusion, pin)
    with _one_thread():
        start = _promising(claim, objective, sizes, restarts, rng, pin)
        climbed = _adam(objective, _Parameters(claim, start, pin), steps)
        best = _polished(claim, objective, climbed, pin, steps)
        whole = samplers.meet_budgets(claim, torch_namespace(), _tensors(best), _ROOM)
    return {name: values.numpy() for name, values in whole.items()}


@contextmanager
def _one_thread() -> Iterator[None]:
    """Torch on one thread: chunks run in processes side by side, and sums keep their order."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _objective(claim: Claim, conclusion: str, pin: Pin) -> Objective:
    """The relative violation of a conclusion, and the sum of those of the hypotheses and pins."""
    import torch

    xp = torch_namespace()

    def evaluate(instance: dict[str, Any]) -> tuple[Any, Any]:
        whole = samplers.meet_budgets(claim, xp, instance, _ROOM)
        judged = claim.judge(xp, **whole)
        score = _relative(next(c for c in judged.conclusions if c.name == conclusion))
        broken = [torch.relu(_relative(h)) for h in judged.hypotheses]
        for name, value in pin.budgets.items():
            broken.append(torch.relu((whole[name] / value).log2().abs() - 1))
        return score, sum(broken, torch.zeros_like(score))

    return evaluate


def _relative(comparison: Comparison) -> Any:
    """Signed relative violation, one number an instance (the worst over other axes)."""
    gap = -comparison.slack
    if comparison.relation == "=":
        gap = gap.abs()
    scale = comparison.lhs.abs() + comparison.rhs.abs() + 1e-300
    return (gap / scale).reshape(gap.shape[0], -1).amax(dim=1)


# -- where to begin -------------------------------------------------------------------------------


def _promising(
    claim: Claim,
    objective: Objective,
    sizes: Sizes,
    restarts: int,
    rng: np.random.Generator,
    pin: Pin,
) -> samplers.Instance:
    """The most violated of many drawn instances, and as many generic ones."""
    import torch

    number = restarts - restarts // 2
    drawn = [samplers.draw(claim, sizes, number, rng, decades=0.5, generic=True)]
    drawn += [samplers.draw(claim, sizes, 8, rng, decades=0.5) for _ in range(_CANDIDATES)]
    joined = {name: np.concatenate([one[name] for one in drawn]) for name in drawn[0]}
    for name, values in pin.fields.items():
        joined[name][:] = values
    if pin.budgets:
        joined = _at_budgets(claim, joined, pin)
    with torch.no_grad():
        score, broken = objective(_tensors(joined))
    score = torch.where(broken <= _TOLERANCE, score.nan_to_num(-2.0), -2.0).numpy()
    score[:number] = np.inf  # generic ones climb in any case
    order = np.argsort(-score, kind="stable")[:restarts]
    return {name: values[order] for name, values in joined.items()}


def _at_budgets(claim: Claim, drawn: samplers.Instance, pin: Pin) -> samplers.Instance:
    """Scale the real fields that are not held so that budgets come near what they are to be.

    By bisection, one factor an instance, for budgets that grow with the scale.
    """
    xp, batch = numpy_namespace(), len(next(iter(drawn.values())))
    real = [f.name for f in claim.fields if f.kind == "real" and f.name not in pin.fields]

    def scaled(factor: samplers.Array) -> dict[str, Any]:
        return {
            name: values * samplers.per_instance(factor, values.ndim) if name in real else values
            for name, values in drawn.items()
        }

    low, high = np.full(batch, 1e-12), np.full(batch, 1e6)
    with np.errstate(all="ignore"):
        for _ in range(32):
            middle = np.sqrt(low * high)
            whole = samplers.meet_budgets(claim, xp, scaled(middle), 0.0)
            above = np.zeros(batch, dtype=bool)
            for name, value in pin.budgets.items():
                above |= ~(whole[name] <= value)
            low, high = np.where(above, low, middle), np.where(above, middle, high)
    return scaled(low)


def _tensors(instance: samplers.Instance) -> dict[str, Any]:
    import torch

    return {
        name: torch.tensor(np.ascontiguousarray(values), dtype=torch.float64)
        for name, values in instance.items()
    }


# -- climbing -------------------------------------------------------------------------------------


def _adam(objective: Objective, parameters: _Parameters, steps: int) -> samplers.Instance:
    """Climb all together; return the best that each has seen.

    Where the start is flat, no variable counts and one look is enough.
    """
    import torch
    from torch.optim.adam import adam  # the class would load a compiler, which takes two seconds

    free = parameters.free
    means, squares = ([torch.zeros_like(variable) for variable in free] for _ in range(2))
    counts = [torch.tensor(0.0) for _ in free]
    best = parameters.instance()
    best_score = torch.full((parameters.batch,), -torch.inf, dtype=torch.float64)
    for step in range(steps if free else 1):
        instance = parameters.instance()
        score, broken = objective(instance)
        better = (broken <= _TOLERANCE) & (score.detach() > best_score)
        best_score = torch.where(better, score.detach(), best_score)
        for name, values in instance.items():
            chosen = samplers.per_instance(better, values.ndim)
            best[name] = torch.where(chosen, values.detach(), best[name])
        if not free:
            break
        gradients = _gradients(_PENALTY * broken - score, free)
        if not any(gradient.any() for gradient in gradients):
            break
        with torch.no_grad():
            adam(
                list(free),
                list(gradients),
                means,
                squares,
                [],
                counts,
                amsgrad=False,
                beta1=0.9,
                beta2=0.999,
                lr=_LEARNING_RATE * (1 - step / steps),
                weight_decay=0.0,
                eps=1e-8,
                maximize=False,
            )
    return {name: values.detach().numpy() for name, values in best.items()}


def _polished(
    claim: Claim,
    objective: Objective,
    batch: samplers.Instance,
    pin: Pin,
    steps: int,
) -> samplers.Instance:
    """The batch with its best few instances moved on by L-BFGS, where that helps."""
    import torch

    with torch.no_grad():
        score, broken = objective(_tensors(batch))
    score = torch.where(broken <= _TOLERANCE, score.nan_to_num(-2.0), -2.0)
    for index in torch.argsort(-score, stable=True)[:_POLISHED].tolist():
        row = {name: values[index : index + 1] for name, values in batch.items()}
        parameters = _Parameters(claim, row, pin)
        if not parameters.free:
            continue
        moved = _lbfgs(objective, parameters, steps)
        with torch.no_grad():
            new, still = objective(_tensors(moved))
        if still.item() <= _TOLERANCE and new.item() > score[index].item():
            for name in batch:
                batch[name][index] = moved[name][0]
    return batch


def _lbfgs(objective: Objective, parameters: _Parameters, steps: int) -> samplers.Instance:
    import torch
    from scipy.optimize import minimize

    def loss(flat: Any) -> tuple[float, Any]:
        parameters.set(torch.tensor(flat))
        score, broken = objective(parameters.instance())
        value = _PENALTY * broken - score
        gradients = _gradients(value, parameters.free)
        joined = np.concatenate([gradient.numpy().ravel() for gradient in gradients])
        return float(value.detach().nan_to_num(1.0).sum()), joined

    options: Any = {"maxiter": steps, "maxfun": 2 * steps, "maxcor": 20, "ftol": 0.0, "gtol": 1e-12}
    found = minimize(loss, parameters.flat(), jac=True, method="L-BFGS-B", options=options)
    parameters.set(torch.tensor(found.x))
    return {name: values.detach().numpy() for name, values in parameters.instance().items()}


def _gradients(loss: Any, variables: list[Any]) -> list[Any]:
    """Gradient of a summed loss in each variable; what is undefined or unused counts as zero."""
    import torch

    total = loss.nan_to_num(0.0).sum()
    if not total.requires_grad:
        return [torch.zeros_like(v) for v in variables]
    found = torch.autograd.grad(total, variables, allow_unused=True)
    return [
        torch.zeros_like(v) if g is None else torch.nan_to_num(g, 0.0, 0.0, 0.0)
        for v, g in zip(variables, found, strict=True)
    ]


# -- free parameters ------------------------------------------------------------------------------


class _Parameters:
    """Free variables for the movable fields of a batch, and the batch that they stand for."""

    def __init__(self, claim: Claim, start: samplers.Instance, pin: Pin) -> None:
        self._kinds = {f.name: f.kind for f in claim.fields}
        self._tensors = _tensors(start)
        self.batch = len(next(iter(start.values())))
        movable = [f for f in claim.fields if f.kind in _INWARD and f.name not in pin.fields]
        self._scale = {f.name: _scale(f, self._tensors[f.name]) for f in movable}
        self._free = {
            f.name: _INWARD[f.kind](self._tensors[f.name] / self._scale[f.name]).requires_grad_()
            for f in movable
        }

    @property
    def free(self) -> list[Any]:
        """The variables that an optimiser may change."""
        return list(self._free.values())

    def instance(self) -> dict[str, Any]:
        """The instances that the variables stand for, differentiable in them."""
        return {
            name: _OUTWARD[self._kinds[name]](self._free[name]) * self._scale[name]
            if name in self._free
            else values
            for name, values in self._tensors.items()
        }

    def flat(self) -> Any:
        """All variables as one numpy vector."""
        return np.concatenate([v.detach().numpy().ravel() for v in self.free])

    def set(self, flat: Any) -> None:
        """Set all variables from one vector."""
        start = 0
        for variable in self.free:
            variable.data = flat[start : start + variable.numel()].reshape(variable.shape)
            start += variable.numel()


def _scale(field: Field, values: Any) -> Any:
    """Root mean square of each instance of a field, so that a step means the same at any scale."""
    if field.kind != "real":
        return 1.0
    mean = (values * values).reshape(len(values), -1).mean(dim=1).sqrt()
    return samplers.per_instance(mean.clamp(min=1e-12), values.ndim)


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
