"""Effective depth of networks on clean and on random labels, and the bound by depth.

The experiment of `review`, figure 9 and (53), on real digits: multilayer perceptrons with batch
norm are trained on samples of which a share has random labels. After every layer stand the error of
the nearest class mean on training and test samples, the CDNV, and the bound on the error that
variances alone give. Then (53): depth on clean samples X_1 against the least depth that was found
for X_1 and as many more of which a share p is relabelled. What training finds is an upper estimate
of the minimal depth, so the share of deep networks is a lower estimate of the probability in (53).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.training.data import DATA_SETS, Split
from experiments.training.networks import check
from experiments.training.perceptron import error_of, tensor, train_perceptron
from experiments.training.runs import Floats, Integers
from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.measure.depth import LayerProfile, depth_profile
from ncbounds.report.plots import LINE, pyplot
from ncbounds.theory.transfer.depth import printed_depth_bound, sharp_depth_bound

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Settings:
    """What is trained."""

    data: str = "mnist"
    per_class: int = 100
    widths: tuple[int, ...] = (100,) * 6
    shares: tuple[float, ...] = (0.0, 0.1, 0.4)
    seeds: int = 2
    epochs: int = 40
    epsilon: float = 0.005
    alpha: float = 0.05


SETTINGS = Settings()


@dataclass(frozen=True)
class Trained:
    """One network: the share of random labels, its errors, and its layers."""

    seed: int
    share: float
    train_error: float
    test_error: float
    profile: LayerProfile

    def to_dict(self, epsilon: float) -> dict[str, Any]:
        """Plain data."""
        return {
            "seed": self.seed,
            "share": self.share,
            "train_error": self.train_error,
            "test_error": self.test_error,
            "effective_depth": self.profile.effective_depth(epsilon),
            "certified_depth": self.profile.certified_depth(epsilon),
            "reaches": self.profile.reaches(epsilon),
            **self.profile.to_dict(),
        }


def relabelled(y: Integers, share: float, seed: int) -> Integers:
    """Labels of which a share is replaced by another class, at random."""
    rng = np.random.default_rng([seed, 7])
    chosen = rng.permutation(len(y))[: round(share * len(y))]
    found, K = y.copy(), int(y.max()) + 1
    found[chosen] = (found[chosen] + rng.integers(1, K, size=len(chosen))) % K
    return found


def _network(
    data: Split, x: Floats, y: Integers, seed: int, share: float, settings: Settings, device: str
) -> Trained:
    net = train_perceptron(x, y, settings.widths, seed=seed, epochs=settings.epochs, device=device)
    profile = depth_profile(net, tensor(x, device), y, tensor(data.test_x, device), data.test_y)
    test = error_of(net, data.test_x, data.test_y, device)
    return Trained(seed, share, error_of(net, x, y, device), test, profile)


def train(
    seed: int = 0,
    settings: Settings = SETTINGS,
    device: str = "cpu",
    progress: Progress | None = None,
) -> tuple[list[Trained], list[Trained]]:
    """Networks on X_1 alone, by share of random labels, and on X_1 with relabelled X_2.

    The second list has one network for each seed and positive share.
    """
    check(seed, settings.shares, settings.epochs, device)
    alone: list[Trained] = []
    both: list[Trained] = []
    total = settings.seeds * (2 * len(settings.shares) - (0.0 in settings.shares))
    for number in range(seed, seed + settings.seeds):
        data = DATA_SETS[settings.data](number, 2 * settings.per_class)
        half = np.arange(len(data.train_y)) % (2 * settings.per_class) < settings.per_class
        x, y = data.train_x, data.train_y
        for share in settings.shares:
            noisy = relabelled(y[half], share, number)
            alone.append(_network(data, x[half], noisy, number, share, settings, device))
            if share > 0:
                second = relabelled(y[~half], share, number)
                whole = np.concatenate([x[half], x[~half]])
                labels = np.concatenate([y[half], second])
                both.append(_network(data, whole, labels, number, share, settings, device))
            if progress is not None:
                progress(len(alone) + len(both), total)
    return alone, both


def bounds(
    alone: Sequence[Trained], both: Sequence[Trained], settings: Settings = SETTINGS
) -> list[dict[str, float]]:
    """(53) with what was found, for every positive share p below 1/2; failures taken as zero."""
    xp, rows = numpy_namespace(), []
    clean = {run.seed: run for run in alone if run.share == 0}
    for p in sorted({run.share for run in both if run.share < 0.5}):
        # A network that never reaches epsilon is deeper than all of its layers.
        least = {
            run.seed: run.profile.effective_depth(settings.epsilon)
            + (0 if run.profile.reaches(settings.epsilon) else 1)
            for run in both
            if run.share == p
        }
        depths = {s: clean[s].profile.effective_depth(settings.epsilon) for s in least}
        deep = float(np.mean([depths[s] >= least[s] for s in least]))
        given = {"p": p, "alpha": settings.alpha, "deep": deep, "failed": 0.0}
        rows.append(
            {
                "p": p,
                "depth": float(np.mean(list(depths.values()))),
                "minimal": float(np.mean(list(least.values()))),
                "deep": deep,
                "printed": float(printed_depth_bound(xp, **given)),
                "sharp": float(sharp_depth_bound(xp, **given)),
                "test_error": float(np.mean([clean[s].test_error for s in least])),
            }
        )
    return rows


def plot(alone: Sequence[Trained]) -> Figure:
    """Error of the nearest class mean and CDNV by layer, one column for each share."""
    plt = pyplot()
    shares = sorted({run.share for run in alone})
    figure: Figure
    figure, axes = plt.subplots(
        2, len(shares), figsize=(3.3 * len(shares), 5.4), sharex=True, sharey="row", squeeze=False
    )
    blue = LINE["sharp"]["color"]
    for column, share in enumerate(shares):
        runs = [run for run in alone if run.share == share]
        layer = np.arange(1, len(runs[0].profile.layers) + 1)

        def curve(name: str, runs: Sequence[Trained] = runs) -> Any:
            return np.mean(
                [[getattr(found, name) for found in run.profile.layers] for run in runs], axis=0
            )

        top, bottom = axes[:, column]
        top.plot(layer, curve("error"), "o-", color="black", markersize=4)
        top.plot(layer, curve("held_out"), "o--", color="black", markersize=4, mfc="white")
        top.plot(layer, curve("bound_lines"), color=blue)
        top.set_title(f"{share:.0%} random labels")
        top.set_ylim(-0.03, 1.03)
        bottom.semilogy(layer, curve("cdnv"), "o-", base=2, color="black", markersize=4)
        bottom.set_xlabel("layer")
        bottom.set_xticks(layer)
    axes[0, 0].set_ylabel("error of nearest class means")
    axes[1, 0].set_ylabel("CDNV on training samples")
    handles = axes[0, 0].get_lines()
    words = ("training samples", "test samples", "bound by variances along the lines")
    figure.legend(handles, words, loc="outside lower center", ncols=3)
    return figure


def text(alone: Sequence[Trained], both: Sequence[Trained], settings: Settings) -> str:
    """Two tables: depths and errors by share, and (53)."""
    lines = [
        f"effective depth at epsilon = {settings.epsilon:g} of {len(settings.widths) + 1} layers, "
        f"means over {settings.seeds} seeds",
        "",
        "random labels   train error   test error   depth   by variances   CDNV, last hidden",
    ]
    for share in settings.shares:
        runs = [run for run in alone if run.share == share]
        mean = [
            np.mean(values)
            for values in zip(
                *(
                    (
                        run.train_error,
                        run.test_error,
                        run.profile.effective_depth(settings.epsilon),
                        run.profile.certified_depth(settings.epsilon),
                        run.profile.layers[-2].cdnv,
                    )
                    for run in runs
                ),
                strict=True,
            )
        ]
        lines.append(
            f"{share:13.0%}{mean[0]:14.4f}{mean[1]:13.4f}{mean[2]:8.2f}{mean[3]:15.2f}{mean[4]:20.4f}"
        )
    lines += [
        "",
        "   p   depth on X_1   least found for X_1, X_2   deep   (53)   sharper   test error",
    ]
    for row in bounds(alone, both, settings):
        lines.append(
            f"{row['p']:4.0%}{row['depth']:15.2f}{row['minimal']:27.2f}{row['deep']:7.2f}"
            f"{row['printed']:7.3f}{row['sharp']:10.3f}{row['test_error']:13.4f}"
        )
    return "\n".join(lines)


def main(
    out: Path,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
    settings: Settings = SETTINGS,
) -> Path:
    """Write `effective_depth.json`, the table as text and the plot; return the plot's path."""
    alone, both = train(seed, settings, device, progress)
    out.mkdir(parents=True, exist_ok=True)
    kept = {
        "alone": [run.to_dict(settings.epsilon) for run in alone],
        "both": [run.to_dict(settings.epsilon) for run in both],
        "bounds": bounds(alone, both, settings),
    }
    (out / "effective_depth.json").write_text(json.dumps(kept, indent=1))
    table = text(alone, both, settings)
    (out / "effective_depth.txt").write_text(table + "\n")
    print(table)
    path = out / "effective_depth.png"
    plot(alone).savefig(path, dpi=160)
    return path
