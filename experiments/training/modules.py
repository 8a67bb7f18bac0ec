"""Networks of any kind as torch modules, one after the other: perceptrons and residual networks.

A network is `Sequential(body, head)`: the body takes flat inputs (n, d) to features, the head is a
linear layer without bias. It is trained by gradient descent, Adam or L-BFGS, in mixed precision on
a GPU. Before anything is measured the statistics of batch norm are those of all training samples.
For many small networks of one shape `experiments.training.ensemble` is faster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.training.data import Split
from experiments.training.networks import torch_module
from experiments.training.resnet import residual_layers
from experiments.training.runs import Floats, Integers
from ncbounds.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

_CHUNK = 2000


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; the learning rate falls by ten every `drop` epochs.

    An epoch is a pass over the data. L-BFGS (memory 10, strong Wolfe line search) takes the whole
    data set as its batch and a pass for each evaluation; its line searches start at the rate.
    """

    optimiser: str = "sgd"
    rate: float = 0.05
    decay: float = 5e-4
    epochs: int = 120
    batch: int = 100
    drop: int = 40
    momentum: float = 0.9


def perceptron(data: Split, width: int, depth: int, seed: int) -> nn.Sequential:
    """`depth` linear layers, each but the last with batch norm and ReLU."""
    torch = torch_module()
    torch.manual_seed(seed)
    body: list[Any] = []
    last = data.train_x.shape[1]
    for _ in range(depth - 1):
        body += [torch.nn.Linear(last, width), torch.nn.BatchNorm1d(width), torch.nn.ReLU()]
        last = width
    return _with_head(body, last, data.K)


def residual_network(data: Split, widths: Sequence[int], blocks: int, seed: int) -> nn.Sequential:
    """The residual layers of `resnet`, a mean over positions, and the head."""
    torch = torch_module()
    torch.manual_seed(seed)
    height, width = data.image
    channels = data.train_x.shape[1] // (height * width)
    body: list[Any] = [torch.nn.Unflatten(1, (channels, height, width))]
    body += residual_layers(channels, widths, blocks)
    body += [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()]
    return _with_head(body, widths[-1], data.K)


def _with_head(body: Sequence[Any], width: int, classes: int) -> nn.Sequential:
    torch = torch_module()
    found: nn.Sequential = torch.nn.Sequential(
        torch.nn.Sequential(*body), torch.nn.Linear(width, classes, bias=False)
    )
    return found


def train_module(
    net: nn.Sequential,
    x: Floats,
    y: Integers,
    recipe: Recipe,
    *,
    seed: int,
    device: str = "cpu",
    record: Callable[[int, nn.Sequential], None] | None = None,
    at: Sequence[int] = (),
) -> nn.Sequential:
    """Train a network on inputs (n, d) with labels (n,); returned ready to be measured.

    `record(epoch, network)` is called after the epochs `at`; 0 is before the first. On a CPU one
    thread is used, and the same seed gives the same network on the same machine.

    Raises InputError for an unknown optimiser, no epochs, or a device that is not there.
    """
    torch = torch_module()
    if recipe.optimiser not in _OPTIMISERS:
        raise InputError("optimiser", recipe.optimiser, f"one of {', '.join(_OPTIMISERS)}")
    if recipe.epochs < 1 or recipe.drop < 1 or recipe.batch < 2:
        raise InputError("recipe", str(recipe), "epochs, drop >= 1 and batches of 2 at least")
    if device != "cpu" and not torch.cuda.is_available():
        raise InputError("device", device, "cpu on this machine: torch finds no GPU")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        net.to(device)
        inputs = torch.tensor(x, dtype=torch.float32, device=device)
        labels = torch.tensor(y, device=device)

        def keep(epoch: int) -> None:
            if record is not None and epoch in at:
                record(epoch, _calibrated(net, inputs))

        keep(0)
        generator = torch.Generator(device=device).manual_seed(seed)
        _OPTIMISERS[recipe.optimiser](net, inputs, labels, recipe, generator, keep)
        return _calibrated(net, inputs)
    finally:
        torch.set_num_threads(threads)


def features_of(net: nn.Sequential, x: Floats) -> tuple[Floats, Floats]:
    """Features (n, d) and logits (n, K) of inputs, in float64."""
    torch = torch_module()
    body, weight = net[0], _head(net)
    found = []
    with torch.no_grad():
        for rows in np.array_split(x, -(-len(x) // _CHUNK)):
            inputs = torch.tensor(rows, dtype=torch.float32, device=weight.device)
            found.append(body(inputs).double())
        features = torch.cat(found)
        logits = features @ weight.double().T
    return features.cpu().numpy(), logits.cpu().numpy()


def weights_of(net: nn.Sequential) -> Floats:
    """The weights of the last layer, (K, d), in float64."""
    found: Floats = _head(net).detach().cpu().double().numpy()
    return found


def _head(net: nn.Sequential) -> Tensor:
    found: Tensor = net[1].weight  # type: ignore[assignment]
    return found


def _calibrated(net: nn.Sequential, inputs: Tensor) -> nn.Sequential:
    """The network in evaluation mode, with the statistics of these inputs in its batch norms.

    A running mean lags behind, and knows of steps that a line search took back.
    """
    torch = torch_module()
    norms: list[Any] = [m for m in net.modules() if hasattr(m, "running_mean")]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over what comes
    net.train()
    with torch.no_grad():
        for chunk in torch.tensor_split(inputs, -(-len(inputs) // _CHUNK)):
            net(chunk)
    return net.eval()


Keep = Callable[[int], None]


def _descend(
    net: nn.Sequential, x: Tensor, y: Tensor, recipe: Recipe, generator: Any, keep: Keep
) -> None:
    """Epochs of random batches; the few samples that fill no batch wait for the next epoch."""
    torch = torch_module()
    given: dict[str, Any] = {"lr": recipe.rate, "weight_decay": recipe.decay}
    optimiser = (
        torch.optim.SGD(net.parameters(), momentum=recipe.momentum, **given)
        if recipe.optimiser == "sgd"
        else torch.optim.Adam(net.parameters(), **given)
    )
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, recipe.drop)
    batch, mixed = min(recipe.batch, len(x)), x.device.type == "cuda"
    for epoch in range(recipe.epochs):
        net.train()
        order = torch.randperm(len(x), generator=generator, device=x.device)
        for rows in torch.split(order[: len(x) // batch * batch], batch):
            with torch.autocast(x.device.type, torch.bfloat16, enabled=mixed):
                loss = torch.nn.functional.cross_entropy(net(x[rows]), y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()
        keep(epoch + 1)


def _minimise(
    net: nn.Sequential, x: Tensor, y: Tensor, recipe: Recipe, generator: Any, keep: Keep
) -> None:
    """L-BFGS on the loss of all samples with its weight decay, until the passes are used up."""
    torch = torch_module()
    parameters: list[Any] = list(net.parameters())
    optimiser = torch.optim.LBFGS(
        parameters, lr=recipe.rate, max_iter=1, history_size=10, line_search_fn="strong_wolfe"
    )
    passes = kept = 0
    net.train()

    def closure() -> Any:
        nonlocal passes
        passes += 1
        optimiser.zero_grad()
        total: Any = 0
        for inputs, labels in zip(*(torch.split(v, _CHUNK) for v in (x, y)), strict=True):
            loss = torch.nn.functional.cross_entropy(net(inputs), labels, reduction="sum") / len(x)
            loss.backward()
            total = total + loss.detach()
        for p in parameters:
            p.grad.add_(p.detach(), alpha=recipe.decay)
            total = total + recipe.decay / 2 * p.detach().square().sum()
        return total

    while passes < recipe.epochs:
        optimiser.step(closure)
        done = min(passes, recipe.epochs)
        for epoch in range(kept + 1, done + 1):
            keep(epoch)
        kept = done
        net.train()


_OPTIMISERS: dict[str, Callable[..., None]] = {
    "sgd": _descend,
    "adam": _descend,
    "l-bfgs": _minimise,
}
