"""Generalised neural collapse of ten digits on a sphere of three dimensions, by temperature.

The experiment of `gnc`, figure 2, on data that ships with scikit-learn: a multilayer perceptron
whose last features and weights are scaled to length 1, with more classes than d + 1, trained with
cross-entropy at several temperatures. Out come GNC1, GNC2 and GNC3 over training, drawn with the
largest one-vs-rest distance that is proved to be possible and with what HardMax, the worst margin,
certifies of GNC2; and one file a temperature, which `ncbounds compare` sets beside the theory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.training.data import Split, digits, missing
from experiments.training.networks import check
from experiments.training.runs import Floats, Integers
from ncbounds.codes.bounds import best_upper_bound
from ncbounds.errors import InputError
from ncbounds.measure import measure, write_features
from ncbounds.measure.door import check_temperature
from ncbounds.report.plots import pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Progress = Callable[[int, int], None]

TEMPERATURES = (0.05, 0.1, 0.3, 1.0)
EPOCHS = 600
DIMENSION = 3
WIDTHS = (96, 96)
LEARNING_RATE = 1e-2
_ADAM_BETAS = (0.9, 0.99)
_STEPS_KEPT = 24
_RECORDED = ("gnc1", "gnc2", "gnc3", "loss.hardmax", "loss.cross_entropy.spherical", "accuracy")


@dataclass(frozen=True, eq=False)
class Sphere:
    """One run: unit features and weights at the end, and metrics after some epochs."""

    temperature: float
    features: Floats
    labels: Integers
    weights: Floats
    epochs: Integers
    history: dict[str, Floats]


def train(
    seed: int = 0,
    temperatures: Sequence[float] = TEMPERATURES,
    epochs: int = EPOCHS,
    dimension: int = DIMENSION,
    progress: Progress | None = None,
    device: str = "cpu",
) -> list[Sphere]:
    """Train one network at every temperature, all from the same start.

    The gradient of each is scaled by its temperature, which Adam hardly notices. Raises InputError
    for a seed, temperature, number of epochs, dimension or device outside its domain, and
    MissingDependencyError without torch or scikit-learn. Source: `gnc`, section 2.2.
    """
    check(seed, (0.0,), epochs, device)
    for temperature in temperatures:
        check_temperature(temperature)
    if not temperatures or len(set(temperatures)) < len(temperatures):
        raise InputError("temperatures", repr(tuple(temperatures)), "one or more, distinct")
    if dimension < 1:
        raise InputError("dimension", dimension, "an integer >= 1")
    try:
        import torch
    except ImportError as error:
        raise missing("torch") from error
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _train(digits(seed), seed, temperatures, epochs, dimension, progress, device)
    finally:
        torch.set_num_threads(threads)


def _train(
    data: Split,
    seed: int,
    temperatures: Sequence[float],
    epochs: int,
    dimension: int,
    progress: Progress | None,
    device: str,
) -> list[Sphere]:
    import torch

    parameters = _initialise(data, seed, len(temperatures), dimension, device)
    x = torch.tensor(data.train_x.T, dtype=torch.float32, device=device)
    y = torch.tensor(data.train_y, device=device).expand(len(temperatures), -1)
    tau = torch.tensor(temperatures, dtype=torch.float32, device=device)
    optimiser = torch.optim.Adam(parameters, lr=LEARNING_RATE, betas=_ADAM_BETAS)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    kept = np.unique(np.geomspace(1, epochs, _STEPS_KEPT).round().astype(np.int64))
    rows: list[list[dict[str, float]]] = [[] for _ in temperatures]
    found: list[tuple[Floats, Floats]] = []
    for epoch in range(1, epochs + 1):
        features, weights = _on_sphere(parameters, x)
        logits = torch.bmm(weights, features) / tau[:, None, None]
        loss = torch.nn.functional.cross_entropy(logits, y, reduction="none").mean(1)
        optimiser.zero_grad()
        # The runs share no parameter, so the gradient of the sum is each run's own.
        total: Any = (loss * tau).sum()
        total.backward()
        optimiser.step()
        schedule.step()
        if epoch in kept:
            found = _evaluate(data, parameters)
            for place, temperature in enumerate(temperatures):
                h, w = found[place]
                metrics = measure(h, data.train_y, w, temperature=temperature).metrics
                rows[place].append({name: metrics[name] for name in _RECORDED})
        if progress is not None:
            progress(epoch, epochs)
    return [
        Sphere(
            temperature,
            *(found[place][0], data.train_y, found[place][1]),
            epochs=kept,
            history={name: np.array([row[name] for row in rows[place]]) for name in _RECORDED},
        )
        for place, temperature in enumerate(temperatures)
    ]


def _initialise(data: Split, seed: int, runs: int, dimension: int, device: str) -> list[Any]:
    """Weights and biases of the layers by turns, then the last weights; the same for all runs."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    widths = (data.train_x.shape[1], *WIDTHS, dimension)
    found = []
    for columns, rows in pairwise(widths):
        one = torch.randn(rows, columns, generator=generator) * math.sqrt(2 / columns)
        found += [one.repeat(runs, 1, 1), torch.zeros(runs, rows, 1)]
    found.append(torch.randn(data.K, dimension, generator=generator).repeat(runs, 1, 1))
    return [parameter.to(device).requires_grad_() for parameter in found]


def _on_sphere(parameters: list[Any], x: Any) -> tuple[Any, Any]:
    """Unit features (R, d, n) and unit weights (R, K, d)."""
    import torch

    v = x.expand(len(parameters[0]), -1, -1)
    for place in range(0, len(parameters) - 1, 2):
        v = torch.relu(v) if place else v
        v = torch.baddbmm(parameters[place + 1], parameters[place], v)
    last = parameters[-1]
    return v / v.norm(dim=1, keepdim=True), last / last.norm(dim=2, keepdim=True)


def _evaluate(data: Split, parameters: list[Any]) -> list[tuple[Floats, Floats]]:
    """Features and weights of all runs in float64."""
    import torch

    with torch.no_grad():
        exact = [parameter.double() for parameter in parameters]
        x = torch.tensor(data.train_x.T, dtype=torch.float64, device=exact[0].device)
        features, weights = _on_sphere(exact, x)
    return [(h.T.cpu().numpy(), w.cpu().numpy()) for h, w in zip(features, weights, strict=True)]


# -- the figure -----------------------------------------------------------------------------------

_COLOURS = ("#0b3556", "#2a7ab8", "#e08a1e", "#a33b20", "#777777")
_PANELS = (
    ("gnc1", "GNC1: variability within classes", "log"),
    ("gnc2", "GNC2: least one-vs-rest distance", "linear"),
    ("gnc3", "GNC3: 1 - cosine of weights and features", "log"),
)


def plot(runs: Sequence[Sphere]) -> Any:
    """Draw GNC1, GNC2 and GNC3 over training, one colour a temperature."""
    plt = pyplot()
    figure, panels = plt.subplots(1, 3, figsize=(12.0, 3.9), layout="constrained")
    K, d = runs[0].weights.shape
    for axes, (name, title, scale) in zip(panels, _PANELS, strict=True):
        for place, run in enumerate(runs):
            colour = _COLOURS[place % len(_COLOURS)]
            label = f"temperature {run.temperature:g}"
            axes.plot(run.epochs, run.history[name], color=colour, linewidth=1.8, label=label)
            if name == "gnc2":
                certified = np.maximum(-run.history["loss.hardmax"], 0)
                axes.plot(run.epochs, certified, color=colour, linewidth=1.1, linestyle=":")
        axes.set_xscale("log")
        axes.set_yscale(scale)
        axes.set_title(title, loc="left", fontsize=9.5)
        axes.set_xlabel("epoch", fontsize=9)
    _mark_optimum(panels[1], d, K)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(runs), frameon=False)
    return figure


def _mark_optimum(axes: Axes, d: int, K: int) -> None:
    """The proved bound as a line, and what the dotted lines are."""
    bound = best_upper_bound(d, K).value
    axes.axhline(bound, color="#222222", linewidth=1.0, linestyle="--")
    axes.set_ylim(0, 1.25 * bound)
    note: dict[str, Any] = {
        "transform": axes.get_yaxis_transform(),
        "fontsize": 8,
        "color": "#222222",
    }
    axes.text(0.02, bound, f"no {K} points do better ({bound:.3f})", va="bottom", **note)
    axes.text(0.02, 1.22 * bound, "dotted: certified by HardMax", va="top", **note)


def main(out: Path, seed: int = 0, device: str = "cpu", progress: Progress | None = None) -> Path:
    """Train, write one file a temperature and the figure into the folder `out`."""
    runs = train(seed, TEMPERATURES, EPOCHS, progress=progress, device=device)
    out.mkdir(parents=True, exist_ok=True)
    for run in runs:
        last = {name: values[-1] for name, values in run.history.items()}
        print(
            f"temperature {run.temperature:g}: train accuracy {last['accuracy']:.4f}, "
            f"GNC1 {last['gnc1']:.2e}, GNC2 {last['gnc2']:.4f}, GNC3 {last['gnc3']:.2e}, "
            f"HardMax {last['loss.hardmax']:.4f}"
        )
        write_features(
            out / f"spherical_bottleneck-{run.temperature:g}.npz",
            *(run.features, run.labels, run.weights),
            extra={"temperature": run.temperature},
        )
    path = out / "spherical_bottleneck.png"
    plot(runs).savefig(path, dpi=160)
    return path
