"""Networks of two classes, trained, and bounds on their test error: few of the many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.training.pairs import Task
from experiments.training.unit_norm import (
    Descent,
    Member,
    Shape,
    descend,
    evaluate,
    margins,
    to_network,
)
from ncbounds.measure.network import Network
from ncbounds.report.generalization import DELTA, Outcome, generalization_bounds
from ncbounds.report.plots import LINE, VACUOUS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: What is shown: the printed bound as the paper plots it, and the least of ours.
CHOSEN = {"printed": "eq-16, filter norms", "ours": "best margin"}


def error_bounds(network: Network, task: Task, test_error: float) -> dict[str, float | None]:
    """By name; None where a bound does not apply: (16) asks for a margin on every sample.

    "best margin" is the least over the classes of networks whose complexity is bounded. That is
    many bounds at once, each of which may fail with probability DELTA: so DELTA is shared by them.
    """
    inputs = task.train_x.astype("float64")
    tried = generalization_bounds(Outcome(network, inputs, task.train_y, test_error, DELTA))[0]
    count = sum(b.variant == "sharp" for b in tried)
    shared = Outcome(network, inputs, task.train_y, test_error, DELTA / max(count, 1))
    ours = generalization_bounds(shared)[0]
    found: dict[str, float | None] = {
        f"eq-16, {b.reading}": float(b.bound) for b in tried if b.id == "square:eq-16"
    }
    names = ("eq-16, filter norms", "eq-16, norms of the whole matrices")
    best = min((float(b.bound) for b in ours if b.variant == "sharp"), default=None)
    return {**dict.fromkeys(names), **found, "best margin": best}


def train_and_bound(
    shape: Shape,
    tasks: Sequence[Task],
    members: Sequence[Member],
    descent: Descent,
    device: str,
) -> list[dict[str, Any]]:
    """Train an ensemble, each member on the task that it names: how it ends, and its bounds."""
    (end,) = descend(shape, tasks, members, descent, device=device)
    both = zip(*(evaluate(shape, end, members, tasks, test) for test in (False, True)), strict=True)
    found = []
    for k, ((_, outputs), (_, tested)) in enumerate(both):
        task = tasks[members[k].task]
        m = margins(outputs, task.train_y)
        test_error = float((margins(tested, task.test_y) <= 0).mean())
        found.append(
            {
                "rho": float(end.rho[k]),
                "mu": float(m.mean() / end.rho[k]),
                "least_margin": float(m.min()),
                "loss": float(((1 - m) ** 2).mean()),
                "train_error": float((m <= 0).mean()),
                "test_error": test_error,
                "bounds": error_bounds(to_network(shape, end, k, task), task, test_error),
            }
        )
    return found


_MARK = {"printed": "v", "corrected": "s", "sharp": "^"}


def draw_bound(
    axes: Axes,
    x: Any,
    groups: Sequence[Sequence[Mapping[str, Any]]],
    name: str,
    label: str,
    variant: str,
) -> None:
    """Draw the mean of a bound over the records of each group, where it applies to all of them.

    Grey where it is vacuous, and then told apart by marks.
    """
    bounds = [[r["bounds"][name] for r in group] for group in groups]
    drawn = np.array([np.nan if None in group else np.mean(group) for group in bounds], dtype=float)
    line = LINE[variant]
    grey = {"marker": _MARK[variant], "markersize": 5, "mec": line["color"], "mfc": "white"}
    axes.plot(x, drawn, **VACUOUS, **grey)
    axes.plot(x, np.where(drawn < 1, drawn, np.nan), linewidth=1.8, **line)
    axes.plot(
        [], [], linewidth=1.2, marker=_MARK[variant], markersize=5, mfc="white", label=label, **line
    )
