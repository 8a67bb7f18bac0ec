"""Minority collapse: thresholds in closed form beside what descent finds.

The layer-peeled model (34) of the review with cross-entropy: `K_A` majority classes have `R` times
the samples of each of `K_B` minority classes, and the mean squared norms of weights and class means
are bounded by omega. Left: the cosine between minority classifiers against R, as lines at the
certified global minimum, as dots where gradient descent from random weights and features ends;
ticks mark the certified threshold t_0, beyond which the cosine is 1, and circles where the minority
vanishes altogether. Middle: the threshold against
omega for several numbers of classes. Right: the regularised model, where classes of n samples merge
exactly if n <= N^2 lambda_A lambda_F: what is left of the minority's differences after descent.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ncbounds.laboratory.imbalance import (
    collapse_threshold,
    descend,
    descend_regularised,
    dual_bound,
    largest_merged_size,
    minimum,
    vanishing_threshold,
)

DPI = 160
COLOURS = ("#1f6f8b", "#d1495b", "#edae49", "#66a182", "#6b4e9b")


@dataclass(frozen=True)
class Settings:
    """What is computed."""

    classes: tuple[int, int] = (5, 5)
    omegas: tuple[float, ...] = (0.5, 1.0, 1.5, 2.0)
    ratios: int = 30
    largest: float = 30.0
    dots: int = 9
    pairs: tuple[tuple[int, int], ...] = ((2, 2), (2, 8), (5, 5), (8, 2))
    grid: int = 40
    sizes: tuple[tuple[int, int], ...] = ((2, 2), (3, 2), (2, 4))
    majority: int = 100
    minority: int = 10
    steps: int = 13


SETTINGS = Settings()


def main(out: Path, seed: int, device: str, progress: Callable[[int, int], None]) -> Path:
    """Compute and draw; returns the figure. The device makes no difference."""
    out.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {"settings": asdict(SETTINGS), "seed": seed}
    parts = (("cosines", cosines), ("thresholds", thresholds), ("merging", merging))
    for done, (name, part) in enumerate(parts):
        progress(done, len(parts))
        found[name] = list(part(SETTINGS, seed))
    progress(len(parts), len(parts))
    (out / "minority_collapse.json").write_text(json.dumps(found, indent=1) + "\n")
    path = out / "minority_collapse.png"
    draw(found, path)
    return path


def cosines(settings: Settings, seed: int) -> Iterator[dict[str, Any]]:
    """For each omega: threshold, cosines at the minimum, and where descent ends."""
    K_A, K_B = settings.classes
    for omega in settings.omegas:
        threshold = collapse_threshold(K_A, K_B, omega)
        end = min(vanishing(K_A, K_B, omega), settings.largest)
        below = 1 + (threshold.lower - 1) * np.linspace(1e-3, 1, settings.ratios) ** 0.7
        ratios = [*map(float, below), end * (1 - 1e-9)]
        lines = [(R, minimum(K_A, K_B, R, omega).cosine) for R in ratios]
        dots = []
        for R in np.geomspace(1.05, settings.largest, settings.dots):
            sizes = [float(R)] * K_A + [1.0] * K_B
            risk, A, F = descend(sizes, omega, K_A + K_B, seed)
            least = minimum(K_A, K_B, float(R), omega).risk
            dots.append(
                {
                    "ratio": float(R),
                    "cosine": mean_cosine(A[K_A:]),
                    "length": float(np.linalg.norm(A[K_A:]) / np.linalg.norm(A)),
                    "above_least": risk - least.lower,
                    "certified_gap": risk - dual_bound(sizes, F @ A.T, omega),
                }
            )
        yield {
            "omega": omega,
            "threshold": [threshold.lower, threshold.upper],
            "vanishes": end < settings.largest,
            "lines": lines,
            "dots": dots,
        }


def vanishing(K_A: int, K_B: int, omega: float) -> float:
    """The ratio from which on the minority vanishes; infinite where it never does."""
    if omega * (K_A + K_B) >= K_A * (K_A - 1) * math.log1p(math.sqrt((K_A + K_B) / K_B)):
        return math.inf
    return vanishing_threshold(K_A, K_B, omega).upper


def mean_cosine(rows: Any) -> float:
    """Mean cosine between different rows; not a number where they vanish."""
    lengths = np.linalg.norm(rows, axis=1)
    if lengths.min() < 1e-3:
        return math.nan
    units = rows / lengths[:, None]
    gram = units @ units.T
    return float(gram[~np.eye(len(rows), dtype=bool)].mean())


def thresholds(settings: Settings, seed: int) -> Iterator[dict[str, Any]]:
    """Threshold curves."""
    del seed
    for K_A, K_B in settings.pairs:
        omegas = np.geomspace(0.05, 3.0, settings.grid)
        values = [collapse_threshold(K_A, K_B, float(omega)).upper for omega in omegas]
        yield {"K_A": K_A, "K_B": K_B, "omegas": omegas.tolist(), "thresholds": values}


def merging(settings: Settings, seed: int) -> Iterator[dict[str, Any]]:
    """The regularised model on both sides of its threshold."""
    for K_A, K_B in settings.sizes:
        sizes = [settings.majority] * K_A + [settings.minority] * K_B
        N = sum(sizes)
        found = []
        for quotient in np.geomspace(0.25, 4.0, settings.steps):
            # n over N^2 lambda_A lambda_F, with lambda_A = n lambda_F
            product = settings.minority / quotient / N**2
            lambda_F = math.sqrt(product / settings.minority)
            lambda_A = product / lambda_F
            _, A, _ = descend_regularised(sizes, lambda_A, lambda_F, K_A + K_B, seed)
            apart = A[K_A:] - A[K_A:].mean(axis=0)
            merged = largest_merged_size(N, lambda_A, lambda_F) >= settings.minority
            found.append(
                {
                    "quotient": float(quotient),
                    "apart": float(np.linalg.norm(apart)),
                    "merges": bool(merged),
                }
            )
        yield {"K_A": K_A, "K_B": K_B, "points": found}


def draw(found: dict[str, Any], path: Path) -> None:
    """Draw the three panels."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 3, figsize=(13.5, 4.3), layout="constrained")
    left, middle, right = panels
    K_A, K_B = found["settings"]["classes"]
    for colour, part in zip(COLOURS, found["cosines"], strict=False):
        left.plot(
            *zip(*part["lines"], strict=True), color=colour, label=rf"$\Omega = {part['omega']:g}$"
        )
        dots = [(d["ratio"], d["cosine"]) for d in part["dots"] if math.isfinite(d["cosine"])]
        left.plot(*zip(*dots, strict=True), "o", color=colour, markersize=4.5)
        left.plot([part["threshold"][1]] * 2, [1.03, 1.1], color=colour, linewidth=2)
        if part["vanishes"]:
            left.plot(*part["lines"][-1], "o", color=colour, markersize=7, markerfacecolor="white")
    left.set(
        xscale="log",
        xlabel="ratio $R$ of class sizes",
        ylabel="cosine of two minority classifiers",
        title=f"{K_A} majority and {K_B} minority classes",
        ylim=(-0.3, 1.12),
    )
    left.set_xticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    left.minorticks_off()
    left.legend(loc="lower right", frameon=False)
    for colour, part in zip(COLOURS, found["thresholds"], strict=False):
        label = f"$K_A = {part['K_A']}$, $K_B = {part['K_B']}$"
        above = [t - 1 for t in part["thresholds"]]
        middle.plot(part["omegas"], above, color=colour, label=label)
    middle.set(
        xscale="log",
        yscale="log",
        xlabel=r"$\Omega = \sqrt{\Omega_A\Omega_F}$",
        ylabel=r"$t_0 - 1$",
        title="threshold of minority collapse",
    )
    middle.legend(loc="upper left", frameon=False)
    for colour, part in zip(COLOURS, found["merging"], strict=False):
        points = [(p["quotient"], p["apart"]) for p in part["points"]]
        label = f"$K_A = {part['K_A']}$, $K_B = {part['K_B']}$"
        right.plot(*zip(*points, strict=True), "o-", color=colour, markersize=4, label=label)
    right.axvline(1, color="#888888", linewidth=1, linestyle=":")
    right.set(
        xscale="log",
        xlabel=r"$n / (N^2\lambda_A\lambda_F)$",
        ylabel="spread of the minority classifiers",
        title="regularised model",
    )
    right.set_xticks([0.25, 0.5, 1, 2, 4], ["1/4", "1/2", "1", "2", "4"])
    right.minorticks_off()
    right.legend(loc="upper left", frameon=False)
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=DPI)
    plt.close(figure)
