"""Generalization: every bound on the error of small networks beside their error on test samples.

Handwritten digits as binary tasks, square loss with weight decay as in `square`, section 3: a
linear function, a dense network, the binary tree of `square:theorem-4`, and convolutional networks
whose patches do not overlap, or do, with padding and channels. What `ncbounds.compare_network` says
of each trained network is the table; each network with its samples is written to a file that
`ncbounds compare FILE` reads.
"""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.training.data import DATA_SETS, missing
from ncbounds.errors import InputError
from ncbounds.measure.network import Network, network_of, write_network
from ncbounds.measure.network.layers import Floats
from ncbounds.report.compare import ModelBound
from ncbounds.report.generalization import QUANTITY, NetworkReport, compare_network

if TYPE_CHECKING:
    from torch.nn import Module

Progress = Callable[[int, int], None]

EPOCHS = 300
LEARNING_RATE = 1e-2
WEIGHT_DECAYS = (1e-3, 3e-2)
#: Trees are trained from several seeds, since most of them die.
TREE_SEEDS = 3
#: Tasks: the data set, samples a class, and the digits of either class.
TASKS = {
    "digits 6/7": ("digits", 150, ((6,), (7,))),
    "mnist 0/1": ("mnist", 450, ((0,), (1,))),
}
NETWORKS = ("linear", "dense", "tree", "conv", "conv overlap")


@dataclass(frozen=True, eq=False)
class Task:
    """Samples with labels -1 and 1; inputs (n, 1, height, width)."""

    name: str
    train: tuple[Floats, Any]
    test: tuple[Floats, Any]


@dataclass(frozen=True, eq=False)
class Trained:
    """One trained network with what theory says of it."""

    task: str
    name: str
    weight_decay: float
    network: Network
    report: NetworkReport
    train_error: float
    least_margin: float
    seconds: float


def load(name: str, seed: int) -> Task:
    """Read a task and split it."""
    data, per_class, (negative, positive) = TASKS[name]
    split = DATA_SETS[data](seed, per_class)
    chosen = (*negative, *positive)

    def part(x: Any, y: Any) -> tuple[Floats, Any]:
        rows = np.isin(y, chosen)
        shape = (-1, 1, *split.image)
        return x[rows].reshape(shape).astype(np.float64), np.where(
            np.isin(y[rows], positive), 1, -1
        )

    return Task(name, part(split.train_x, split.train_y), part(split.test_x, split.test_y))


def build(name: str, image: tuple[int, int], seed: int) -> Module:
    """A network without biases for images of that size, its inputs (n, 1, height, width)."""
    torch = _torch()
    nn = torch.nn
    torch.manual_seed(seed)
    pixels = image[0] * image[1]

    def conv(channels: tuple[int, int], size: int, padding: int) -> list[Any]:
        layer = nn.Conv2d(*channels, size, stride=2, padding=padding, bias=False)
        return [layer, nn.ReLU()]

    def flat(inputs: int, *layers: Any) -> Any:
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs, 1, bias=False))

    halves = [-(-side // 2) for side in image]
    quarters = [-(-side // 2) for side in halves]
    if name == "linear":
        net: Module = flat(pixels)
    elif name == "dense":
        net = nn.Sequential(nn.Flatten(), nn.Linear(pixels, 64, bias=False), nn.ReLU(), flat(64))
    elif name == "tree":
        if pixels & (pixels - 1):
            raise InputError("image", image, "a power of two of pixels, for the tree")
        levels = pixels.bit_length() - 1
        net = nn.Sequential(*_tree_layers(levels))
    elif name == "conv":
        net = flat(8 * halves[0] * halves[1], *conv((1, 8), 2, 0))
    else:
        inputs = 8 * quarters[0] * quarters[1]
        net = flat(inputs, *conv((1, 8), 3, 1), *conv((8, 8), 3, 1))
    return net


def train(net: Module, inputs: Floats, labels: Any, weight_decay: float, epochs: int) -> float:
    """Minimise the square loss plus weight decay on all samples at once; returns the loss."""
    torch = _torch()
    x, y = (torch.tensor(array, dtype=torch.float32) for array in (inputs, labels))
    optimiser = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    loss = torch.zeros(())
    for _ in range(epochs):
        optimiser.zero_grad()
        loss = (net(x).reshape(-1) - y).square().mean()
        penalty = weight_decay * sum(p.square().sum() for p in net.parameters())
        (loss + penalty).backward()
        optimiser.step()
        schedule.step()
    return float(loss.detach())


def run(task: Task, name: str, seed: int, weight_decay: float, epochs: int = EPOCHS) -> Trained:
    """Train one network on one task and set every bound beside its test error."""
    image = task.train[0].shape[2:]
    shape = _input_shape(name, image)
    started = time.perf_counter()
    (x, y), (tested, labels) = (
        (inputs.reshape(-1, *shape), targets) for inputs, targets in (task.train, task.test)
    )
    nets = []
    for k in range(TREE_SEEDS if name == "tree" else 1):
        net = build(name, image, seed + k)
        nets.append((train(net, x, y, weight_decay, epochs), k, net))
    network = network_of(min(nets)[2], shape)
    report = compare_network(network, (x, y), (tested, labels))
    margins = y * network.evaluate(x)[:, 0]
    return Trained(
        task.name,
        name,
        weight_decay,
        network,
        report,
        float(np.mean(margins <= 0)),
        float(margins.min()),
        time.perf_counter() - started,
    )


def main(out: Path, seed: int = 0, device: str = "cpu", progress: Progress | None = None) -> Path:
    """Train all networks, print the table, write it as CSV and each network to its own file."""
    _torch().set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    found = []
    cases = [
        (task, name, decay)
        for task, (data, _, _) in TASKS.items()
        for name in NETWORKS
        for decay in WEIGHT_DECAYS
        if name != "tree" or data == "digits"
    ]
    for done, (task_name, name, decay) in enumerate(cases):
        task = load(task_name, seed)
        found.append(run(task, name, seed, decay, EPOCHS))
        shape = found[-1].network.input_shape
        file = f"{task_name} {name} {decay:g}".replace(" ", "_").replace("/", "-")
        parts = [(x.reshape(-1, *shape), y) for x, y in (task.train, task.test)]
        write_network(
            out / f"generalization_{file}.safetensors",
            found[-1].network,
            train=parts[0],
            test=parts[1],
        )
        if progress is not None:
            progress(done + 1, len(cases))
    print("\n".join(table(found)))
    path = out / "generalization_table.csv"
    _write(path, found)
    return path


def error_bounds(report: NetworkReport) -> dict[str, ModelBound]:
    """The bounds on the test error by name, the best order of moments left out of it."""
    return {
        f"{b.id.partition(':')[2]} {b.variant}, {re.sub(' of order [0-9]+', '', b.reading)}": b
        for b in report.bounds
        if b.quantity == QUANTITY
    }


def table(found: Sequence[Trained]) -> list[str]:
    """Lines: facts of each network, and every bound on its test error; * where below 1."""
    names = list(dict.fromkeys(name for one in found for name in error_bounds(one.report)))
    lines = ["bounds on the test error, each with probability 0.95 (* not vacuous):"]
    lines += [f"  [{k + 1}] {name}" for k, name in enumerate(names)]
    facts = f"{'L':>3}{'rho':>9}{'dense':>9}{'margin':>8}{'train':>7}{'test':>7}"
    head = "".join(f"{f'[{k + 1}]':>9}" for k in range(len(names)))
    lines.append(f"{'task':17}{'network':13}{'decay':>7}{'N':>5}{facts}{head}")
    for one in found:
        bounds = error_bounds(one.report)
        n, net = one.report.measurement.n, one.network
        test = next(iter(bounds.values())).measured
        shown = "".join(_shown(bounds.get(name)) for name in names)
        lines.append(
            f"{one.task:17}{one.name:13}{one.weight_decay:7g}{n:5d}{net.depth:3d}{net.rho:9.3g}{net.dense_rho:9.3g}"
            f"{one.least_margin:8.3f}{one.train_error:7.3f}{test:7.3f}{shown}"
        )
    return lines


def _shown(bound: ModelBound | None) -> str:
    if bound is None:
        return f"{'':>9}"
    return f"{float(bound.bound):8.3g}{' ' if bound.vacuous else '*'}"


def _write(path: Path, found: Sequence[Trained]) -> None:
    names = list(dict.fromkeys(name for one in found for name in error_bounds(one.report)))
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        facts = [
            "task",
            "network",
            "weight decay",
            "N",
            "L",
            "rho",
            "dense rho",
            "least margin",
            "train error",
        ]
        writer.writerow([*facts, "test error", "seconds", *names])
        for one in found:
            bounds = error_bounds(one.report)
            net = one.network
            row: list[Any] = [
                one.task,
                one.name,
                one.weight_decay,
                one.report.measurement.n,
                net.depth,
                net.rho,
                net.dense_rho,
            ]
            row += [one.least_margin, one.train_error]
            row += [next(iter(bounds.values())).measured, one.seconds]
            writer.writerow([*row, *(float(bounds[n].bound) if n in bounds else "" for n in names)])


def _tree_layers(levels: int) -> list[Any]:
    """Kernels of 2 at stride 2, one channel, ReLUs between; kernels start near (0.6, 0.6)."""
    nn = _torch().nn
    layers: list[Any] = []
    for level in range(levels):
        layer = nn.Conv1d(1, 1, 2, stride=2, bias=False)
        nn.init.normal_(layer.weight, 0.6, 0.3)
        layers += [layer] if level == levels - 1 else [layer, nn.ReLU()]
    return layers


def _input_shape(name: str, image: tuple[int, ...]) -> tuple[int, ...]:
    return (1, image[0] * image[1]) if name == "tree" else (1, *image)


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise missing("torch") from error
    return torch
