"""Many small networks of one architecture trained at once: axis 0 of every parameter is the run.

The members of an ensemble differ in seed, weight decay, learning rate and, by the seed, in data.
They share no parameter, so that the gradient of the sum of their losses is each one's own, and one
matrix product a layer serves all of them. Architecture, loss and penalty are those of
`experiments.training.networks`. Nothing is read back from the device while an ensemble trains:
what `record` returns is kept as it is, and fetched once at the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.training.data import Split
from experiments.training.networks import (
    LOSSES,
    Architecture,
    Evaluation,
    check,
    error_rate,
    evaluate,
    forward,
    initialise,
    inputs_of,
    is_penalised,
    torch_module,
)
from ncbounds.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

Parameters = dict[str, "Tensor"]
Record = Callable[[int, Parameters], Mapping[str, "Tensor"]]


@dataclass(frozen=True)
class Member:
    """One network of an ensemble; `seed` fixes its initial weights and its order of samples."""

    seed: int
    weight_decay: float
    learning_rate: float = 1e-3
    data: int = 0
    """Which of the data sets it sees."""


@dataclass(frozen=True)
class Training:
    """How an ensemble is trained; a batch of None is the whole training set."""

    epochs: int = 100
    batch: int | None = None
    optimiser: str = "adam"
    loss: str = "cross-entropy"
    schedule: str = "cosine"
    momentum: float = 0.9
    precision: str = "float32"


@dataclass(frozen=True, eq=False)
class Trained:
    """The ensemble at its end, and one number an epoch and member on the way.

    `loss` and `train_error`, (R, epochs), are means over the batches of an epoch, each before its
    step; `recorded` holds what `record` gave, stacked over its calls on axis 0.
    """

    parameters: Parameters
    loss: Tensor
    train_error: Tensor
    recorded: dict[str, Tensor]


def train_ensemble(
    architecture: Architecture,
    data: Sequence[Split],
    members: Sequence[Member],
    training: Training,
    *,
    device: str = "cpu",
    record: Record | None = None,
    at: Sequence[int] = (),
    report: Callable[[int], None] = lambda done: None,
) -> Trained:
    """Train all members at once.

    Args:
        architecture: of every member.
        data: data sets of equal shape; `Member.data` is the index of the one a member sees.
        members: at least one.
        training: epochs, batches, optimiser ("adam", "sgd"), loss, schedule of the learning rate
            ("cosine" to zero, "constant", "steps" by 10 at 1/2 and 3/4).
        device: "cpu" or "cuda".
        record: given the epoch and the parameters at the epochs `at`; returns tensors with the
            members on axis 0.
        at: epochs, counted from 1, after which to record; 0 is before the first.
        report: called with the number of epochs done.

    Returns:
        `Trained`. The same members in another order, or alone, are trained alike up to rounding.

    Raises:
        InputError: for no members, data sets of unlike shapes, or options outside their domain.
    """
    torch = torch_module()
    _check(data, members, training, device)
    groups = sorted({(m.seed, m.data) for m in members})
    group = torch.tensor([groups.index((m.seed, m.data)) for m in members], device=device)
    of_group = torch.tensor([place for _, place in groups], device=device)
    dtype = getattr(torch, training.precision)
    parameters = _starts(architecture, data[0], members, device, dtype)
    inputs = torch.cat([inputs_of(split.train_x, architecture, split) for split in data])
    shape, n = inputs.shape[1:-1], inputs.shape[-1]
    rows = inputs.reshape(len(data), -1, n).transpose(1, 2).contiguous().to(device, dtype)
    labels = torch.stack([torch.tensor(split.train_y) for split in data]).to(device)
    decay, rate = (
        torch.tensor([getattr(m, name) for m in members], device=device, dtype=dtype)[:, None, None]
        for name in ("weight_decay", "learning_rate")
    )
    orders = [torch.Generator().manual_seed(seed) for seed, _ in groups]
    batch = n if training.batch is None else min(training.batch, n)
    step = _STEPS[training.optimiser](list(parameters.values()), rate, training)
    losses: list[Tensor] = []
    errors: list[Tensor] = []
    recorded: list[dict[str, Tensor]] = []

    def keep(epoch: int) -> None:
        if record is not None and epoch in at:
            fixed = {key: value.detach() for key, value in parameters.items()}
            recorded.append({key: v.detach().clone() for key, v in record(epoch, fixed).items()})

    keep(0)
    for epoch in range(training.epochs):
        order = torch.stack([torch.randperm(n, generator=g) for g in orders]).to(device)
        parts = []
        for part in range(n // batch):
            chosen = order[:, part * batch : (part + 1) * batch]
            x = rows[of_group[:, None], chosen].transpose(1, 2).reshape(-1, *shape, batch)
            targets = labels[of_group[:, None], chosen]
            logits = forward(architecture, parameters, x[group], fused=True)[1]
            loss = LOSSES[training.loss](logits, targets[group])
            gradients = torch.autograd.grad(loss.sum(), list(parameters.values()))
            _add_decay(gradients, parameters, decay)
            progress = (epoch + part / (n // batch)) / training.epochs
            step(gradients, _SCHEDULES[training.schedule](progress))
            parts.append((loss.detach(), error_rate(logits.detach(), targets[group])))
        for kept, values in zip((losses, errors), zip(*parts, strict=True), strict=True):
            kept.append(torch.stack(values).mean(0))
        keep(epoch + 1)
        report(epoch + 1)
    names = recorded[0] if recorded else {}
    return Trained(
        {key: value.detach() for key, value in parameters.items()},
        torch.stack(losses, 1),
        torch.stack(errors, 1),
        {name: torch.stack([one[name] for one in recorded]) for name in names},
    )


def evaluate_members(
    architecture: Architecture,
    data: Sequence[Split],
    members: Sequence[Member],
    parameters: Parameters,
    test: bool = False,
) -> Iterator[Evaluation]:
    """What each member does on its own data set, in float64, one after the other."""
    for place, member in enumerate(members):
        own = {key: value[place : place + 1] for key, value in parameters.items()}
        yield evaluate(architecture, data[member.data], own, test)


def _check(
    data: Sequence[Split], members: Sequence[Member], training: Training, device: str
) -> None:
    if not members:
        raise InputError("members", "none", "at least one network")
    if not data or len({split.train_x.shape for split in data}) > 1:
        shapes = ", ".join(str(split.train_x.shape) for split in data) or "none"
        raise InputError("data", shapes, "one or more data sets of one shape")
    for member in members:
        check(member.seed, [member.weight_decay], training.epochs, device)
        if not 0 <= member.data < len(data):
            raise InputError("member", member.data, f"data from 0 to {len(data) - 1}")
        if not 0 < member.learning_rate < math.inf:
            raise InputError("learning_rate", member.learning_rate, "a positive number")
    for name, known in (
        ("optimiser", _STEPS),
        ("loss", LOSSES),
        ("schedule", _SCHEDULES),
        ("precision", _PRECISIONS),
    ):
        if getattr(training, name) not in known:
            raise InputError(name, getattr(training, name), f"one of {', '.join(known)}")
    if training.batch is not None and training.batch < 2:
        raise InputError("batch", training.batch, "at least 2 samples, or None for all")


def _starts(
    architecture: Architecture, split: Split, members: Sequence[Member], device: str, dtype: Any
) -> Parameters:
    """Initial parameters, those of one seed alike."""
    torch = torch_module()
    own = {
        seed: initialise(architecture, split, seed, 1, device) for seed in {m.seed for m in members}
    }
    first = own[members[0].seed]
    return {
        key: torch.cat([own[m.seed][key].detach() for m in members]).to(dtype).requires_grad_()
        for key in first
    }


def _add_decay(gradients: Sequence[Tensor], parameters: Parameters, decay: Tensor) -> None:
    """Add the gradient of `decay / 2 * squared_norm(parameters)`, (R, 1, 1), in one pass."""
    torch = torch_module()
    with torch.no_grad():
        for gradient, (key, value) in zip(gradients, parameters.items(), strict=True):
            if is_penalised(key):
                gradient.addcmul_(decay, value)


Step = Callable[[Sequence["Tensor"], float], None]


def _adam(parameters: Sequence[Tensor], rate: Tensor, training: Training) -> Step:
    """Adam with a learning rate for each run, (R, 1, 1)."""
    torch = torch_module()
    beta, beta_2 = (0.9, 0.99) if training.batch is None else (0.9, 0.999)
    means, squares = ([torch.zeros_like(p) for p in parameters] for _ in range(2))
    count = 0

    def step(gradients: Sequence[Tensor], factor: float) -> None:
        nonlocal count
        count += 1
        scale, root = factor / (1 - beta**count), math.sqrt(1 - beta_2**count)
        with torch.no_grad():
            for p, g, m, v in zip(parameters, gradients, means, squares, strict=True):
                m.lerp_(g, 1 - beta)
                v.mul_(beta_2).addcmul_(g, g, value=1 - beta_2)
                # The textbook's m / (sqrt(v) / root + floor), with one division.
                p.addcdiv_(m * (rate * (scale * root)), v.sqrt().add_(1e-8 * root), value=-1)

    return step


def _sgd(parameters: Sequence[Tensor], rate: Tensor, training: Training) -> Step:
    """Gradient descent with heavy-ball momentum and a learning rate for each run, (R, 1, 1)."""
    torch = torch_module()
    velocities = [torch.zeros_like(p) for p in parameters]

    def step(gradients: Sequence[Tensor], factor: float) -> None:
        with torch.no_grad():
            for p, g, v in zip(parameters, gradients, velocities, strict=True):
                v.mul_(training.momentum).add_(g)
                p.sub_(rate * factor * v)

    return step


_STEPS = {"adam": _adam, "sgd": _sgd}
_PRECISIONS = ("float32", "float64")
_SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda progress: 1.0,
    "cosine": lambda progress: (1 + math.cos(math.pi * progress)) / 2,
    "steps": lambda progress: 0.1 ** ((progress >= 1 / 2) + (progress >= 3 / 4)),
}
