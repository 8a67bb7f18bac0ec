"""Classifiers on the unit sphere: features and weights of length 1, cross-entropy at a temperature.

The setting of `gnc`, section 2.1. The networks of an ensemble differ in temperature, in their start
and in their head: weights that are learned, that stay fixed, or that follow the mean features of
the classes (section 5: a moving average over batches, rescaled to length 1). What comes before the
last layer, the trunk, is an ensemble of perceptrons, or one network of another kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.training.data import Split
from experiments.training.networks import (
    Architecture,
    check,
    forward,
    initialise,
    inputs_of,
    torch_module,
)
from experiments.training.runs import Floats
from ncbounds.errors import InputError
from ncbounds.measure.door import check_temperature

if TYPE_CHECKING:
    from torch import Tensor

LEARNED, CLASS_MEANS = "learned", "class means"


@dataclass(frozen=True)
class Sphere:
    """One network; `seed` fixes its start and order of samples, `head` names its last layer."""

    seed: int
    temperature: float
    head: str = LEARNED
    """`LEARNED`, `CLASS_MEANS`, or a key of the fixed heads."""
    data: int = 0


@dataclass(frozen=True)
class SphereTraining:
    """Adam with a learning rate that falls to zero as a cosine."""

    epochs: int = 80
    batch: int = 250
    rate: float = 3e-3
    memory: float = 0.9
    """Of the class means of the past, for one batch."""


@dataclass(frozen=True)
class Trunk:
    """What maps samples to vectors of d numbers, for R networks at once.

    `parameters` are trained; `batch` maps indices (R, B) of training samples to (R, d, B) with
    gradients; `outputs` maps all training, or all test samples of each network, (R, d, n).
    """

    parameters: list[Tensor]
    batch: Callable[[Tensor], Tensor]
    outputs: Callable[[bool], Tensor]


@dataclass(frozen=True, eq=False)
class Seen:
    """One network after some epoch: unit features (n, d), unit weights (K, d), and how it does."""

    features: Floats
    weights: Floats
    train_accuracy: float
    test_accuracy: float
    test_features: Floats


def train_spheres(
    trunk: Trunk,
    data: Sequence[Split],
    members: Sequence[Sphere],
    training: SphereTraining,
    d: int,
    *,
    fixed: Mapping[str, Floats] | None = None,
    at: Sequence[int] = (),
    device: str = "cpu",
) -> dict[int, list[Seen]]:
    """Train all members at once; what is seen of each after the epochs `at` and after the last.

    Args:
        trunk: maps samples to d numbers, for all members.
        data: data sets of equal shape; `Sphere.data` is the index of the one a member sees.
        fixed: (K, d) unit rows by the name of a head.
        at: epochs, counted from 1; 0 is before the first.

    Raises:
        InputError: for no members, an unknown head, or a temperature or seed out of range.
    """
    torch = torch_module()
    _check(members, fixed or {}, training, device)
    K, n = data[0].K, len(data[0].train_y)
    labels = torch.stack([torch.tensor(data[m.data].train_y) for m in members]).to(device)
    tau = torch.tensor([m.temperature for m in members], device=device)[:, None, None]
    learned = _weights_at_start(members, K, d).to(device).requires_grad_()
    learns, follows = (
        torch.tensor([m.head == head for m in members], device=device)[:, None, None]
        for head in (LEARNED, CLASS_MEANS)
    )
    kept = torch.zeros_like(learned).detach()
    for place, member in enumerate(members):
        if fixed and member.head in fixed:
            kept[place] = torch.tensor(fixed[member.head])
    moving = any(m.head == CLASS_MEANS for m in members)
    if moving:
        with torch.no_grad():
            start = unit(trunk.outputs(False).float())
        kept = torch.where(follows, unit(_class_means(start, labels, K)[0], 2), kept)

    def weights() -> Tensor:
        found: Tensor = torch.where(learns, unit(learned, 2), kept)
        return found

    optimiser = torch.optim.Adam([*trunk.parameters, learned], lr=training.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, training.epochs)
    orders = {m.seed: torch.Generator().manual_seed(m.seed) for m in members}
    batch = min(training.batch, n)
    seen: dict[int, list[Seen]] = {}
    if 0 in at:
        seen[0] = list(_look(trunk, data, members, weights()))
    for epoch in range(1, training.epochs + 1):
        drawn = {seed: torch.randperm(n, generator=g) for seed, g in orders.items()}
        order = torch.stack([drawn[m.seed] for m in members]).to(device)
        for part in range(n // batch):
            chosen = order[:, part * batch : (part + 1) * batch]
            targets = labels.gather(1, chosen)
            h = unit(trunk.batch(chosen))
            if moving:
                means, present = _class_means(h.detach(), targets, K)
                moved = unit(training.memory * kept + (1 - training.memory) * means, 2)
                kept = torch.where(follows & present, moved, kept)
            logits = torch.bmm(weights(), h) / tau
            loss = torch.nn.functional.cross_entropy(logits, targets, reduction="none").mean(1)
            optimiser.zero_grad(set_to_none=True)
            # The networks share no parameter; times the temperature their gradients are alike.
            (loss * tau[:, 0, 0]).sum().backward()
            optimiser.step()
        schedule.step()
        if epoch in at or epoch == training.epochs:
            seen[epoch] = list(_look(trunk, data, members, weights()))
    return seen


def unit(v: Tensor, dim: int = 1) -> Tensor:
    """Vectors along an axis scaled to length 1."""
    found: Tensor = torch_module().nn.functional.normalize(v, dim=dim)
    return found


def _class_means(h: Tensor, targets: Tensor, K: int) -> tuple[Tensor, Tensor]:
    """Means (R, K, d) of columns (R, d, B) by class, and which classes occur, (R, K, 1)."""
    mine = torch_module().nn.functional.one_hot(targets, K).to(h.dtype)
    sizes = mine.sum(1)[:, :, None]
    return (h @ mine).transpose(1, 2) / sizes.clamp(min=1), sizes > 0


def _look(
    trunk: Trunk, data: Sequence[Split], members: Sequence[Sphere], weights: Tensor
) -> Iterator[Seen]:
    """What each member is now, in float64 on the host."""
    torch = torch_module()
    with torch.no_grad():
        train, test = (unit(trunk.outputs(which)).cpu().double() for which in (False, True))
        rows = unit(weights.double(), 2).cpu()
        guesses = [torch.bmm(rows, h).argmax(1).numpy() for h in (train, test)]
    for place, member in enumerate(members):
        own = data[member.data]
        yield Seen(
            np.ascontiguousarray(train[place].T.numpy()),
            rows[place].numpy(),
            float(np.mean(guesses[0][place] == own.train_y)),
            float(np.mean(guesses[1][place] == own.test_y)),
            np.ascontiguousarray(test[place].T.numpy()),
        )


def _weights_at_start(members: Sequence[Sphere], K: int, d: int) -> Tensor:
    """Random directions of length 1: from longer rows a step of Adam would hardly turn them."""
    torch = torch_module()
    own = {}
    for seed in {m.seed for m in members}:
        generator = torch.Generator().manual_seed(seed + 2**20)
        own[seed] = unit(torch.randn(K, d, generator=generator))
    found: Tensor = torch.stack([own[m.seed] for m in members])
    return found


def _check(
    members: Sequence[Sphere],
    fixed: Mapping[str, Floats],
    training: SphereTraining,
    device: str,
) -> None:
    if not members:
        raise InputError("members", "none", "at least one network")
    for member in members:
        check(member.seed, [0.0], training.epochs, device)
        check_temperature(member.temperature)
        if member.head not in (LEARNED, CLASS_MEANS, *fixed):
            raise InputError("head", member.head, f"one of {', '.join(sorted(fixed))}")


# -- trunks ----------------------------------------------------------------------------------------


def perceptrons(
    architecture: Architecture,
    data: Sequence[Split],
    members: Sequence[Sphere],
    device: str = "cpu",
    start: Mapping[str, Tensor] | None = None,
) -> tuple[Trunk, dict[str, Tensor]]:
    """An ensemble of `experiments.training.networks`, and its parameters, which training changes.

    Args:
        architecture: with `outputs` the dimension of the features.
        start: parameters of as many networks to begin with, in place of random ones.
    """
    torch = torch_module()
    if start is None:
        own = {
            seed: initialise(architecture, data[0], seed, 1, device)
            for seed in {m.seed for m in members}
        }
        names = own[members[0].seed]
        start = {key: torch.cat([own[m.seed][key].detach() for m in members]) for key in names}
    parameters = {key: v.detach().clone().to(device).requires_grad_() for key, v in start.items()}
    sets = torch.tensor([m.data for m in members], device=device)[:, None]
    train, test = (
        torch.stack([inputs_of(x, architecture, split)[0] for x, split in pairs])
        .to(device, torch.float32)
        .contiguous()
        for pairs in (
            [(split.train_x, split) for split in data],
            [(split.test_x, split) for split in data],
        )
    )
    rows = train.flatten(1, -2).transpose(1, 2).contiguous()

    def batch(chosen: Tensor) -> Tensor:
        x = rows[sets, chosen].transpose(1, 2).reshape(-1, *train.shape[1:-1], chosen.shape[1])
        found: Tensor = forward(architecture, parameters, x, fused=True)[1]
        return found

    def outputs(held_out: bool) -> Tensor:
        found = []
        for place, member in enumerate(members):
            one = {key: value[place : place + 1] for key, value in parameters.items()}
            reference = train[member.data][None]
            x = test[member.data][None] if held_out else reference
            found.append(forward(architecture, one, x, reference)[1])
        whole: Tensor = torch.cat(found)
        return whole

    return Trunk(list(parameters.values()), batch, outputs), parameters
