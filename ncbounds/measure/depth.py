"""Effective depth of a torch network: the first layer whose features have nearest class means.

A layer is a module with a weight matrix (Linear, Conv) and all that follows up to the next one:
its features are what the next such module is given, flattened, and those of the last are the
output of the network. That needs no chain: activations, normalisations and pooling may be modules
or functions. Modules are told by the order in which they run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ncbounds.errors import InputError
from ncbounds.measure.door import Floats
from ncbounds.measure.nearest_mean import NearestMeans, nearest_means

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class LayerProfile:
    """Nearest class means after each layer, `layers[0]` after the first."""

    layers: tuple[NearestMeans, ...]

    def effective_depth(self, epsilon: float = 0.0) -> int:
        """First layer with a training error of at most epsilon; the last where there is none.

        The convention is the review's; `reaches` tells whether there is such a layer.
        """
        return _first([layer.error <= epsilon for layer in self.layers])

    def certified_depth(self, epsilon: float) -> int:
        """First layer whose error is at most epsilon by its variances alone; the last without."""
        return _first([layer.bound <= epsilon for layer in self.layers])

    def reaches(self, epsilon: float = 0.0) -> bool:
        """Whether some layer has a training error of at most epsilon."""
        return any(layer.error <= epsilon for layer in self.layers)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"layers": [layer.to_dict() for layer in self.layers]}


def _first(good: list[bool]) -> int:
    return good.index(True) + 1 if any(good) else len(good)


def layer_features(module: nn.Module, inputs: Tensor, batch: int = 1024) -> list[Floats]:
    """Features after every layer, (n, d_l) in float64, of a torch module in evaluation mode.

    The module is left in the mode it was in. Raises InputError when it has no layer with a weight
    matrix, or runs one of them twice.
    """
    import torch

    if not isinstance(module, torch.nn.Module):
        raise InputError("module", type(module).__name__, "a torch.nn.Module")
    if len(inputs) < 1:
        raise InputError("inputs", f"shape {tuple(inputs.shape)}", "at least one input")
    seen: list[Any] = []
    hooks = [
        part.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        for part in module.modules()
        if isinstance(weight := getattr(part, "weight", None), torch.Tensor) and weight.ndim >= 2
    ]
    training, found = module.training, []
    module.eval()
    try:
        with torch.no_grad():
            for start in range(0, len(inputs), batch):
                seen.clear()
                output = module(inputs[start : start + batch])
                if len(seen) != len(hooks) or not hooks:
                    ran = f"{len(seen)} runs of {len(hooks)} layers with weights"
                    raise InputError("module", ran, "layers with weights that run once each")
                found.append([_flat(x) for x in (*seen[1:], output)])
    finally:
        module.train(training)
        for hook in hooks:
            hook.remove()
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


def _flat(x: Any) -> Floats:
    array: Floats = x.detach().cpu().double().numpy()
    return array.reshape(len(array), -1)


def depth_profile(
    module: nn.Module,
    inputs: Tensor,
    labels: object,
    held_out: Tensor | None = None,
    held_out_labels: object = None,
) -> LayerProfile:
    """Errors, CDNV and bounds after every layer of a network, on its training samples.

    >>> import torch
    >>> net = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.ReLU(), torch.nn.Linear(1, 2))
    >>> _ = torch.nn.init.ones_(net[0].weight), torch.nn.init.zeros_(net[0].bias)
    >>> inputs = torch.tensor([[-1.0], [-2.0], [3.0], [4.0]])
    >>> depth_profile(net, inputs, [0, 0, 1, 1]).effective_depth()
    1
    """
    own = layer_features(module, inputs)
    if held_out is None:
        return LayerProfile(tuple(nearest_means(x, labels) for x in own))
    other = layer_features(module, held_out)
    found = (nearest_means(x, labels, z, held_out_labels) for x, z in zip(own, other, strict=True))
    return LayerProfile(tuple(found))
