"""Plain multilayer perceptrons as torch modules, trained in batches: for experiments by layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.training.data import missing
from experiments.training.runs import Floats, Integers
from ncbounds.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

_BATCH = 100


def tensor(x: Floats, device: str = "cpu") -> Tensor:
    """Inputs as the networks take them."""
    torch = _torch()
    found: Tensor = torch.tensor(x, dtype=torch.float32, device=device)
    return found


def train_perceptron(
    x: Floats,
    y: Integers,
    widths: Sequence[int],
    *,
    seed: int,
    epochs: int,
    rate: float = 3e-3,
    decay: float = 5e-4,
    device: str = "cpu",
    report: Callable[[], None] = lambda: None,
) -> nn.Sequential:
    """Train layers Linear, batch norm, ReLU of the given widths and a linear one, by AdamW.

    The rate falls to zero along a cosine. The same seed gives the same network on the same
    machine, with one thread. Returned in evaluation mode. Raises InputError for no epochs.
    """
    torch = _torch()
    if epochs < 1 or seed < 0:
        raise InputError("epochs", epochs, "at least 1, with a seed of at least 0")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        torch.manual_seed(seed)
        layers: list[Any] = []
        last = x.shape[1]
        for width in widths:
            layers += [torch.nn.Linear(last, width), torch.nn.BatchNorm1d(width), torch.nn.ReLU()]
            last = width
        net: nn.Sequential = torch.nn.Sequential(
            *layers, torch.nn.Linear(last, int(y.max()) + 1)
        ).to(device)
        inputs, labels = tensor(x, device), torch.tensor(y, device=device)
        optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=decay)
        steps = epochs * -(-len(x) // _BATCH)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        order = np.random.default_rng(seed)
        for _ in range(epochs):
            for rows in np.array_split(order.permutation(len(x)), -(-len(x) // _BATCH)):
                loss = torch.nn.functional.cross_entropy(net(inputs[rows]), labels[rows])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
            report()
        net.eval()
        return net
    finally:
        torch.set_num_threads(threads)


def error_of(net: nn.Sequential, x: Floats, y: Integers, device: str = "cpu") -> float:
    """Share of samples that a network misclassifies."""
    torch = _torch()
    with torch.no_grad():
        guess = net(tensor(x, device)).argmax(dim=1).cpu().numpy()
    return float(np.mean(guess != y))


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise missing("torch") from error
    return torch
