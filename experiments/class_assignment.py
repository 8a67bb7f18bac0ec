"""Four classes in the plane: which ones a learned classifier sets opposite, and what that costs.

Figure 4 of `gnc` (ResNet18 on Automobile, Cat, Dog and Truck of CIFAR10, d = 2). At small scale
perceptrons read 3, 5, 4 and 9 of MNIST: two pairs of digits that are often taken for each other.
The optimal code is a square, so that three assignments remain, which theory cannot tell apart: all
have the largest one-vs-rest distance, 1. The learned classifier is held against its pairs and
against the assignment that `gnc:remark-assignment` (sharp) picks for the similarities of the mean
images; three further networks have their weights fixed.

At small scale a learned classifier does not always end in a square, and not always with the similar
digits side by side; what fixing them far apart costs shows at every seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.running import Experiment, Finding, Part, Place, Record
from experiments.training.data import Split
from experiments.training.gnc import Task, by_seed, guaranteed, measured, splits, train_task
from experiments.training.runs import Floats
from experiments.training.spheres import LEARNED, Seen, Sphere, SphereTraining
from ncbounds.report.plots import LINE, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: The assignments by the class that stands opposite class 0.
OPPOSITES = (1, 2, 3)
_SHOWN = 40


@dataclass(frozen=True)
class Settings:
    """What is trained: classes 0 and 1, 2 and 3 of the task are the similar pairs."""

    task: Task = field(
        default_factory=lambda: Task("mnist", "MLP3", per_class=250, classes=(3, 5, 4, 9))
    )
    names: tuple[str, ...] = ("3", "5", "4", "9")
    training: SphereTraining = field(default_factory=lambda: SphereTraining(epochs=60, batch=100))
    temperature: float = 0.1


SCALES = {
    "small": Settings(),
    "paper": Settings(
        Task("cifar10", "ResNet18", classes=(3, 5, 1, 9)),
        ("cat", "dog", "automobile", "truck"),
        SphereTraining(epochs=200, batch=128, rate=1e-3),
    ),
}


def parts(settings: Settings, seeds: Sequence[int]) -> list[Part]:
    """One seed each: the learned classifier and the three fixed ones."""
    return [{"seed": seed} for seed in seeds]


def square(opposite: int) -> Floats:
    """(4, 2): classes on the corners of a square, that class opposite class 0.

    >>> square(1) @ square(1)[0]
    array([ 1., -1.,  0.,  0.])
    """
    found = np.zeros((4, 2))
    rest = [k for k in OPPOSITES if k != opposite]
    found[[0, opposite], 0] = 1, -1
    found[rest, 1] = 1, -1
    return found


def compute(part: Part, settings: Settings, place: Place) -> list[Record]:
    """Train the four networks of one seed and say what each does."""
    seed, tau = part["seed"], settings.temperature
    heads = {f"opposite {k}": square(k) for k in OPPOSITES}
    members = [Sphere(seed, tau, head) for head in (LEARNED, *heads)]
    outcomes = train_task(settings.task, members, 2, settings.training, place, fixed=heads)
    predicted = None
    if settings.task.data == "mnist":
        predicted = best_assignment(similarities(splits(settings.task, [seed])[0]))
    return [
        {
            "seed": seed,
            "head": one.member.head,
            "opposite": opposite_of_first(one.end.weights),
            "predicted": predicted,
            **measured(one.end, one.labels, tau),
            "guaranteed": guaranteed(one.end, one.labels, tau),
            **_shown(one.end, one.labels),
        }
        for one in outcomes
    ]


def opposite_of_first(weights: Floats) -> int:
    """The class whose weights point most away from those of class 0."""
    return int((weights @ weights[0]).argmin())


def similarities(data: Split) -> Floats:
    """Cosines of the mean images of the classes, the mean of all taken away."""
    means = np.stack([data.train_x[data.train_y == k].mean(axis=0) for k in range(data.K)])
    centred = means - means.mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    found: Floats = unit @ unit.T
    return found


def best_assignment(s: Floats) -> int:
    """The opposite of class 0 for which sum s_jk <w_j, w_k> is largest."""
    return max(OPPOSITES, key=lambda k: float((s * (square(k) @ square(k).T)).sum()))


def _shown(seen: Seen, labels: Any) -> Record:
    """Weights, and some features of each class to draw."""
    chosen = [np.flatnonzero(labels == k)[:_SHOWN] for k in range(len(seen.weights))]
    return {
        "weights": seen.weights.tolist(),
        "features": [seen.features[own].round(4).tolist() for own in chosen],
    }


# -- what is seen ----------------------------------------------------------------------------------


def findings(records: Sequence[Record], settings: Settings) -> list[Finding]:
    """The claims of section 4; picked blindly, similar classes are opposite one time in three."""
    found = {
        seed: {r["head"]: r for r in records if r["seed"] == seed} for seed in by_seed(records)
    }
    margins = [r["gnc2"] for r in records if r["head"] == LEARNED]
    told = [r["guaranteed"]["distance, HardMax"] for r in records if r["head"] == LEARNED]
    spoken = [bound for bound in told if bound is not None]
    reach = (
        f"learned distances {min(margins):.3f} to {max(margins):.3f}, the largest is 1;"
        f" HardMax certifies some of it in {len(spoken)} of {len(told)}"
    )

    def chance(hit: bool, share: float) -> float:
        return float(hit) - share

    def cost(own: dict[str, Record]) -> float:
        accuracy = {k: own[f"opposite {k}"]["test_accuracy"] for k in OPPOSITES}
        return float((accuracy[2] + accuracy[3]) / 2 - accuracy[1])

    def benign(own: dict[str, Record]) -> float:
        fixed = [own[f"opposite {k}"]["test_accuracy"] for k in OPPOSITES]
        return float(own[LEARNED]["test_accuracy"] - np.mean(fixed))

    claims = [
        Finding(
            "gnc Sec. 4",
            "a learned classifier keeps similar classes closer together",
            tuple(chance(own[LEARNED]["opposite"] != 1, 2 / 3) for own in found.values()),
            "whether they are neighbours, less the chance of it",
            reach,
        ),
        Finding(
            "gnc Sec. 4",
            "fixing similar classes far apart costs test accuracy",
            tuple(cost(own) for own in found.values()),
            "mean test accuracy of the other two assignments, less that of this one",
        ),
        Finding(
            "gnc Sec. 4",
            "the assignment that is learned is benign",
            tuple(benign(own) for own in found.values()),
            "test accuracy of the learned classifier, less the mean of the fixed ones",
        ),
    ]
    if all(r["predicted"] is not None for r in records):
        claims.append(
            Finding(
                "gnc remark-assignment",
                "the learned assignment is the best one for the similarities of the mean images",
                tuple(
                    chance(own[LEARNED]["opposite"] == own[LEARNED]["predicted"], 1 / 3)
                    for own in found.values()
                ),
                "whether it is, less the chance of it",
            )
        )
    return claims


def table(records: Sequence[Record], settings: Settings) -> str:
    """A line for each head: accuracies, and how often which class is opposite the first."""
    first = settings.names[0]
    lines = [f"{'classifier':16} {'train':>7} {'test':>7} {'gnc2':>7}  opposite {first}, by seed"]
    for head in dict.fromkeys(r["head"] for r in records):
        own = [r for r in records if r["head"] == head]
        means = [np.mean([r[k] for r in own]) for k in ("train_accuracy", "test_accuracy", "gnc2")]
        opposite = " ".join(settings.names[r["opposite"]] for r in own)
        numbers = " ".join(f"{value:7.4f}" for value in means)
        lines.append(f"{_title(head, settings):16} {numbers}  {opposite}")
    return "\n".join(lines)


def _title(head: str, settings: Settings) -> str:
    if head == LEARNED:
        return head
    return f"{settings.names[0]} opposite {settings.names[int(head.split()[1])]}"


# -- the figure ------------------------------------------------------------------------------------

_MARKS = (("#0072B2", "o"), ("#56a9dc", "s"), ("#D55E00", "^"), ("#e0a04a", "D"))


def figure(records: Sequence[Record], settings: Settings) -> Figure:
    """Weights of four classes as arrows and features as marks on the circle, of the first seed."""
    plt = pyplot()
    found: Figure
    found, panels = plt.subplots(1, 4, figsize=(13.0, 3.7))
    first = by_seed(records)[0]
    for axes, head in zip(panels, (LEARNED, *(f"opposite {k}" for k in OPPOSITES)), strict=True):
        own = [r for r in records if r["head"] == head]
        (drawn,) = (r for r in own if r["seed"] == first)
        _draw(axes, drawn, settings)
        accuracies = [r["test_accuracy"] for r in own]
        spread = f"{np.mean(accuracies):.2%} ± {np.std(accuracies):.2%}"
        distance = f"drawn: distance {drawn['gnc2']:.3f} of 1"
        title = f"{_title(head, settings)}\ntest accuracy {spread}\n{distance}"
        axes.set_title(title, fontsize=9.5, loc="left")
    return found


def _draw(axes: Axes, record: Record, settings: Settings) -> None:
    turn = np.linspace(0, 2 * np.pi, 200)
    axes.plot(np.cos(turn), np.sin(turn), linewidth=1.2, **LINE["sharp"])
    for k, (color, marker) in enumerate(_MARKS):
        # Every other class a little inside, so that features of different classes show.
        points = np.array(record["features"][k]) * (1.0 - 0.05 * k)
        axes.plot(*points.T, marker, color=color, markersize=4, alpha=0.6, linestyle="none")
        w = np.array(record["weights"][k])
        axes.annotate(
            "",
            (w[0], w[1]),
            (0, 0),
            arrowprops={"arrowstyle": "-|>", "color": color, "linewidth": 2},
        )
        axes.text(
            1.2 * w[0], 1.2 * w[1], settings.names[k], ha="center", va="center", color=color,
            weight="bold",
        )  # fmt: skip
    axes.set(xlim=(-1.5, 1.5), ylim=(-1.35, 1.35), aspect="equal", xticks=[], yticks=[])
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(False)


EXPERIMENT = Experiment(
    "class-assignment",
    "gnc Fig. 4",
    __doc__.partition("\n")[0],
    SCALES,
    parts,
    compute,
    findings,
    {"class_assignment": figure},
    table,
)
