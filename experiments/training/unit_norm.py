"""Networks `rho f_V`, dense or convolutional, many at once by descent on batches.

The model of `square`, section 3: ReLU layers without biases whose weights V_k have norm 1 (of a
convolution, its filters), one factor rho at the top, and the loss

    mean (rho f_V(x) - y)^2 + lambda rho^2

with labels +-1 for one output, and e_c scaled and centred, 1 and -1/(C-1), for C. Weights are
normalised in the formula (weight normalisation: gradients are tangent to the spheres) and brought
back to norm 1 after each step. `f_V` of one network is written once; torch maps it over the
members of an ensemble. Nothing is read back from the device while they train: what is asked for is
kept as snapshots of the weights, and evaluated afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.training.networks import check, torch_module
from experiments.training.pairs import Task
from ncbounds.errors import InputError
from ncbounds.measure.network import Network, network_of

if TYPE_CHECKING:
    from torch import Tensor

_AT_ONCE = 2048


@dataclass(frozen=True)
class Shape:
    """`channels` and `strides` of square convolutions, then dense `widths`, then the outputs."""

    channels: tuple[int, ...] = ()
    widths: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()
    kernel: int = 3
    padding: int = 0
    outputs: int = 1


@dataclass(frozen=True)
class Member:
    """One network of an ensemble; `seed` fixes its first weights and its order of samples."""

    seed: int
    decay: float
    rho: float = 1.0
    """At the start."""
    task: int = 0
    """Which of the tasks it learns."""


@dataclass(frozen=True)
class Descent:
    """Gradient descent with momentum on batches; the rate follows a cosine to zero, or steps."""

    steps: int = 2000
    batch: int = 32
    rate: float = 0.03
    momentum: float = 0.9
    schedule: str = "cosine"


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All networks after so many steps: `rho` (R,) and weights of norm 1 with axis 0 the run."""

    step: int
    rho: Tensor
    V: list[Tensor]


def descend(
    shape: Shape,
    tasks: Sequence[Task],
    members: Sequence[Member],
    descent: Descent,
    *,
    device: str = "cpu",
    at: Sequence[int] = (),
) -> list[Snapshot]:
    """Train all members at once; snapshots after the steps `at`, and at the end.

    The same members in another order, or alone, are trained alike up to rounding.

    Raises InputError for no members, tasks of unlike shapes, or options outside their domain.
    """
    torch = torch_module()
    _check(tasks, members, descent, device)
    where = torch.tensor([m.task for m in members], device=device)
    x = torch.stack([torch.tensor(task.train_x) for task in tasks]).to(device)
    y = torch.stack([targets(task.train_y, shape.outputs) for task in tasks]).to(device)
    decay, rho = (
        torch.tensor([getattr(m, name) for m in members], dtype=torch.float32, device=device)
        for name in ("decay", "rho")
    )
    V = _starts(shape, tasks[0], members, device)
    parameters = [rho, *V]
    for value in parameters:
        value.requires_grad_()
    velocities = [torch.zeros_like(value) for value in parameters]
    orders = [np.random.default_rng([m.seed, 1]) for m in members]
    n, batch = x.shape[1], min(descent.batch, x.shape[1])
    per_epoch, found = n // batch, []
    run = torch.func.vmap(partial(forward, shape))
    order = torch.empty(0)
    for step in range(descent.steps):
        part = step % per_epoch
        if part == 0:
            drawn = np.stack([rng.permutation(n) for rng in orders])
            order = torch.tensor(drawn, device=device)
        rows = order[:, part * batch : (part + 1) * batch]
        outputs = run(V, x[where[:, None], rows])[1]
        left = rho[:, None, None] * outputs - y[where[:, None], rows]
        loss = left.square().mean((1, 2)) + decay * rho.square()
        gradients = torch.autograd.grad(loss.sum(), parameters)
        rate = descent.rate * _SCHEDULES[descent.schedule](step / descent.steps)
        with torch.no_grad():
            for value, gradient, velocity in zip(parameters, gradients, velocities, strict=True):
                velocity.mul_(descent.momentum).add_(gradient)
                value.sub_(rate * velocity)
            for v in V:
                v.div_(norms(v))
        if step + 1 in at or step + 1 == descent.steps:
            copies = [value.detach().clone() for value in parameters]
            found.append(Snapshot(step + 1, copies[0], copies[1:]))
    return found


def forward(shape: Shape, V: Sequence[Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    """Features (n, d) and outputs (n, k) of `f_V` of one network; its weights are normalised."""
    torch = torch_module()
    filters, dense = V[: len(shape.channels)], V[len(shape.channels) : -1]
    for v, stride in zip(filters, shape.strides, strict=True):
        x = torch.conv2d(x, v / v.norm(), stride=stride, padding=shape.padding).relu()
    for v in dense:
        x = (x.flatten(1) @ (v / v.norm()).T).relu()
    features = x.flatten(1)
    last = V[-1]
    return features, features @ (last / last.norm()).T


def targets(labels: Any, outputs: int) -> Tensor:
    """What outputs should be, (n, k): +-1 for one, for C of them 1 and -1/(C-1)."""
    torch = torch_module()
    index = torch.tensor(labels)
    if outputs == 1:
        signs: Tensor = (2.0 * index - 1.0)[:, None].float()
        return signs
    one_hot = torch.nn.functional.one_hot(index, outputs).float()
    found: Tensor = (outputs * one_hot - 1) / (outputs - 1)
    return found


def evaluate(
    shape: Shape, snapshot: Snapshot, members: Sequence[Member], tasks: Sequence[Task], test: bool
) -> Iterator[tuple[Any, Any]]:
    """Features (n, d) of every member on its task, and outputs `rho f_V` (n, k), in float64."""
    torch = torch_module()
    device = snapshot.rho.device
    for place, member in enumerate(members):
        task = tasks[member.task]
        V = [v[place].double() for v in snapshot.V]
        inputs = torch.tensor(task.test_x if test else task.train_x)
        with torch.no_grad():
            parts = [
                forward(shape, V, part.to(device, torch.float64)) for part in inputs.split(_AT_ONCE)
            ]
        features, outputs = (torch.cat(values).cpu().numpy() for values in zip(*parts, strict=True))
        yield features, float(snapshot.rho[place]) * outputs


def margins(outputs: Any, labels: Any) -> Any:
    """`y rho f_V` of one output, and of C outputs the own less the best other, halved."""
    index = np.arange(len(labels))
    if outputs.shape[1] == 1:
        return (2 * labels - 1) * outputs[:, 0]
    own = outputs[index, labels]
    others = outputs.copy()
    others[index, labels] = -np.inf
    return (own - others.max(1)) / 2


def to_network(shape: Shape, snapshot: Snapshot, place: int, task: Task) -> Network:
    """One member as the network that bounds are evaluated of, rho in its last layer."""
    torch = torch_module()
    nn = torch.nn
    layers: list[Any] = []
    for k, v in enumerate(value[place].detach().cpu() for value in snapshot.V):
        last = k == len(snapshot.V) - 1
        if v.dim() == 4:
            sides = shape.kernel, shape.strides[k], shape.padding
            layer = nn.Conv2d(v.shape[1], v.shape[0], *sides, bias=False)
        else:
            if k == len(shape.channels):
                layers.append(nn.Flatten())
            layer = nn.Linear(v.shape[1], v.shape[0], bias=False)
        layer.weight.data = v * snapshot.rho[place].cpu() if last else v
        layers += [layer] if last else [layer, nn.ReLU()]
    return network_of(nn.Sequential(*layers), task.train_x.shape[1:])


def norms(v: Tensor) -> Tensor:
    """Frobenius norm of each run's weights, of a shape that divides them."""
    found: Tensor = v.square().sum(tuple(range(1, v.dim())), keepdim=True).sqrt()
    return found


def _starts(shape: Shape, task: Task, members: Sequence[Member], device: str) -> list[Tensor]:
    """Random directions; members of one seed start alike."""
    torch = torch_module()
    sizes = weight_sizes(shape, task.train_x.shape[1:])
    own = {}
    for seed in {m.seed for m in members}:
        generator = torch.Generator().manual_seed(seed)
        drawn = [torch.randn(size, generator=generator) for size in sizes]
        own[seed] = [v / v.norm() for v in drawn]
    return [torch.stack([own[m.seed][k] for m in members]).to(device) for k in range(len(sizes))]


def weight_sizes(shape: Shape, image: Sequence[int]) -> list[tuple[int, ...]]:
    """Of every layer, for inputs (channels, height, width).

    >>> weight_sizes(Shape((4,), (8,), (2,)), (1, 14, 14))
    [(4, 1, 3, 3), (8, 144), (1, 8)]
    """
    planes, *sides = image
    found: list[tuple[int, ...]] = []
    for channels, stride in zip(shape.channels, shape.strides, strict=True):
        found.append((channels, planes, shape.kernel, shape.kernel))
        sides = [(side + 2 * shape.padding - shape.kernel) // stride + 1 for side in sides]
        planes = channels
    last = planes * math.prod(sides)
    if min(sides) < 1:
        raise InputError("shape", shape, f"no more convolutions than {tuple(image)} inputs allow")
    for width in (*shape.widths, shape.outputs):
        found.append((width, last))
        last = width
    return found


def _check(tasks: Sequence[Task], members: Sequence[Member], descent: Descent, device: str) -> None:
    if not members or not tasks:
        raise InputError("members", "none", "at least one network and one task")
    if len({task.train_x.shape for task in tasks}) > 1:
        shapes = ", ".join(str(task.train_x.shape) for task in tasks)
        raise InputError("tasks", shapes, "of one shape")
    for member in members:
        check(member.seed, [member.decay], descent.steps, device)
        if not 0 < member.rho < math.inf:
            raise InputError("rho", member.rho, "a positive number")
        if not 0 <= member.task < len(tasks):
            raise InputError("member", member.task, f"a task from 0 to {len(tasks) - 1}")
    if descent.schedule not in _SCHEDULES:
        raise InputError("schedule", descent.schedule, f"one of {', '.join(_SCHEDULES)}")


_SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda progress: 1.0,
    "cosine": lambda progress: (1 + math.cos(math.pi * progress)) / 2,
    "steps": lambda progress: 0.1 ** ((progress >= 1 / 2) + (progress >= 3 / 4)),
}
