"""Neural collapse over training with the square loss, unit norms and weight decay.

Figure 9 of `square`: networks `rho f_V` with as many outputs as classes, targets `e_c` scaled and
centred, rates falling by 10 at a half and at three quarters, lambda the paper's 5e-4. Two classes
as in the figure, and all ten, of which theorem 6 speaks. Beside NC1 and NC3 stands what the square
loss guarantees of them (`square:sharp-2`). With two classes the centred means are equinorm and
opposite whatever the network does, so NC2 is told of the means themselves: their cosine, which
theorem 5 says becomes -1, and which no features after a ReLU can bring below 0.

At small scale the ten classes are not interpolated (training error near 0.4 at the end): what is
told of them is not of the terminal phase of training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.running import Experiment, Finding, Part, Place, Record
from experiments.training.pairs import SUBSET, load_task
from experiments.training.unit_norm import Descent, Member, Shape, descend, evaluate
from ncbounds.report.compare import compare
from ncbounds.report.plots import LINE, VACUOUS, pyplot

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Settings:
    """What is trained: tasks by their classes, from an initial rho of `start`."""

    data: str = SUBSET
    tasks: tuple[tuple[int, ...], ...] = ((3, 8), tuple(range(10)))
    per_class: int = 50
    channels: tuple[int, ...] = (4, 8)
    widths: tuple[int, ...] = (32,)
    strides: tuple[int, ...] = (2, 2)
    padding: int = 1
    decay: float = 5e-4
    start: float = 10.0
    descent: Descent = field(default_factory=lambda: Descent(4000, 20, 0.02, schedule="steps"))
    records: int = 12


SCALES = {
    "small": Settings(),
    "paper": Settings(
        data="cifar10", tasks=((0, 1), tuple(range(10))), per_class=5000,
        channels=(32, 64, 128, 128), widths=(1024,), strides=(1, 2, 1, 2), padding=0, start=1.0,
        descent=Descent(58_500, 128, 0.067, schedule="steps"),
    ),
}  # fmt: skip

#: Metrics below this are zero up to rounding.
_ROUNDING = 1e-9
#: What is measured, and which guarantee of the square loss bounds it, if any.
METRICS = {
    "nc1.pinv": "",
    "nc1.relative.centred": "nc1.relative.centred",
    "nc2.equinorm": "",
    "nc2.equinorm.weights": "",
    "nc2.equiangular": "",
    "nc3.distance": "",
    "1 - nc3.cosine.centred": "1 - nc3.cosine.centred",
    "nc4.disagreement": "",
}


def parts(settings: Settings, seeds: Sequence[int]) -> list[Part]:
    """One ensemble a task: its members are the seeds."""
    return [
        {"classes": list(classes), "seeds": list(seeds)}
        for classes in sorted(settings.tasks, key=len, reverse=True)
    ]


def compute(part: Part, settings: Settings, place: Place) -> list[Record]:
    """Train and measure on the way."""
    classes, C = part["classes"], len(part["classes"])
    tasks = [
        load_task(settings.data, classes, settings.per_class * C, seed, folder=place.data)
        for seed in part["seeds"]
    ]
    shape = Shape(
        settings.channels, settings.widths, settings.strides, padding=settings.padding, outputs=C
    )
    members = [
        Member(seed, settings.decay, settings.start, task=k) for k, seed in enumerate(part["seeds"])
    ]
    steps = settings.descent.steps
    at = np.geomspace(max(1, steps // 100), steps, settings.records).round().astype(int)
    snapshots = descend(
        shape, tasks, members, settings.descent, device=place.device, at=at.tolist()
    )
    records = []
    for snapshot in snapshots:
        found = zip(
            evaluate(shape, snapshot, members, tasks, test=False),
            evaluate(shape, snapshot, members, tasks, test=True),
            strict=True,
        )
        for k, ((features, outputs), (_, tested)) in enumerate(found):
            rho, V = float(snapshot.rho[k]), snapshot.V[-1][k].double().cpu().numpy()
            records.append(
                {
                    "classes": C,
                    "seed": members[k].seed,
                    "step": snapshot.step,
                    "rho": rho,
                    "train_error": float(np.mean(outputs.argmax(1) != tasks[k].train_y)),
                    "test_error": float(np.mean(tested.argmax(1) != tasks[k].test_y)),
                    # Outputs for targets e_c - 1/C.
                    **measured(features, tasks[k].train_y, (C - 1) / C * rho * V),
                }
            )
    return records


def measured(features: Any, labels: Any, weights: Any) -> Record:
    """Metrics, the largest cosine of class means, and what the square loss guarantees."""
    report = compare(features, labels, weights, targets="centred")
    metrics = report.measurement.metrics
    means = np.stack([features[labels == c].mean(0) for c in range(len(weights))])
    unit = means / np.linalg.norm(means, axis=1, keepdims=True)
    cosines = (unit @ unit.T)[np.triu_indices(len(unit), 1)]
    bounds: dict[str, float] = {}
    for b in report.bounds:
        if b.level == "square loss":
            bounds[b.quantity] = min(float(b.bound), bounds.get(b.quantity, np.inf))
    values = {name: _value(metrics, name) for name in METRICS}
    guaranteed = {name: bounds.get(key) for name, key in METRICS.items() if key}
    return {**values, "means.cosine": float(cosines.max()), "guaranteed": guaranteed}


def _value(metrics: Any, name: str) -> float | None:
    key = name.removeprefix("1 - ")
    value = metrics.get(key)
    return None if value is None else float(value) if key == name else 1 - float(value)


# -- what is seen ----------------------------------------------------------------------------------


def findings(records: Sequence[Record], settings: Settings) -> list[Finding]:
    """The claims of section 5: what falls between a tenth of training and its end."""
    seeds = sorted({r["seed"] for r in records})

    def fall(C: int, name: str) -> tuple[float, ...]:
        effects = []
        for seed in seeds:
            own = path(records, C, seed)
            early = next(r for r in own if r["step"] >= own[-1]["step"] / 10)
            first, last = (max(float(r[name]), _ROUNDING) for r in (early, own[-1]))
            effects.append(float(np.log(first / last)))
        return tuple(effects)

    def per_class(C: int) -> list[Finding]:
        words = f"{C} classes: "
        claims = [
            ("5", "NC1, variability collapse", "nc1.pinv", "nc1.relative.centred"),
            ("5", "NC3, self-duality", "nc3.distance", "1 - nc3.cosine.centred"),
        ]
        if C > 2:
            claims.insert(1, ("5", "NC2, equinorm means", "nc2.equinorm", ""))
            claims.insert(2, ("5", "NC2, equiangular means", "nc2.equiangular", ""))
        else:
            claims.append(("5", "NC2, equinorm classifiers", "nc2.equinorm.weights", ""))
        ends = tuple(-path(records, C, seed)[-1]["means.cosine"] for seed in seeds)
        found = [
            Finding(
                f"square Sec. {place}, Fig. 9",
                f"{words}{claim}: {name} falls over training",
                fall(C, name),
                "log of its value at a tenth of training over that at the end",
                tightness(records, C, bounded) if bounded else "",
            )
            for place, claim, name, bounded in claims
        ]
        if C == 2:
            found.append(
                Finding(
                    "square theorem 5",
                    f"{words}class means become opposite, mu_+ = -mu_-",
                    ends,
                    "cosine of the means, times -1,",
                )
            )
        return found

    return [one for C in sorted({r["classes"] for r in records}) for one in per_class(C)]


def path(records: Sequence[Record], classes: int, seed: int) -> list[Record]:
    """The records of one network, by step."""
    own = [r for r in records if (r["classes"], r["seed"]) == (classes, seed)]
    return sorted(own, key=lambda r: int(r["step"]))


def tightness(records: Sequence[Record], classes: int, name: str) -> str:
    """What the square loss guarantees at the end, beside what is measured."""
    seeds = sorted({r["seed"] for r in records})
    ends = [path(records, classes, seed)[-1] for seed in seeds]
    told = [(r["guaranteed"][name], r[name]) for r in ends if r["guaranteed"].get(name) is not None]
    if not told:
        return ""
    low, high = (f([bound for bound, _ in told]) for f in (min, max))
    values = [value for _, value in told]
    return (
        f"the loss guarantees {name} <= {low:.2f} to {high:.2f} where it is {min(values):.2f} to"
        f" {max(values):.2f}, {len(told)} networks"
    )


def table(records: Sequence[Record], settings: Settings) -> str:
    """Means over seeds by step; what is guaranteed in brackets."""
    names = ("rho", "train_error", "test_error", *METRICS, "means.cosine")
    lines = ["means over seeds; in brackets what the square loss guarantees"]
    for C in sorted({r["classes"] for r in records}):
        lines += ["", f"{C} classes"]
        steps = sorted({r["step"] for r in records})[:: max(1, settings.records // 6)]
        steps = sorted({*steps, max(r["step"] for r in records)})
        lines.append(f"{'step':24}" + "".join(f"{step:>16}" for step in steps))
        for name in names:
            shown = ""
            for step in steps:
                chosen = [r for r in records if (r["classes"], r["step"]) == (C, step)]
                values = [r[name] for r in chosen]
                cell = "-" if None in values else f"{np.mean(values):.3g}"
                bounds = [r["guaranteed"].get(name) for r in chosen]
                shown += f"{cell if None in bounds else f'{cell} ({np.mean(bounds):.2g})':>16}"
            lines.append(f"{name:24}{shown}")
    return "\n".join(lines)


# -- the figure ------------------------------------------------------------------------------------

PANELS = (
    ("NC1", ("nc1.pinv", "nc1.relative.centred")),
    ("NC2", ("nc2.equinorm", "nc2.equinorm.weights", "nc2.equiangular")),
    ("NC3", ("nc3.distance", "1 - nc3.cosine.centred")),
)
COLOURS = ("#222222", "#8f6bb0", "#b5b5b5")
_MARKS = ("o", "s", "^")


def draw(records: Sequence[Record], settings: Settings) -> Figure:
    """Like figure 9: metrics by step, a row for each task; guarantees of the loss in blue."""
    plt = pyplot()
    found: Figure
    rows = sorted({r["classes"] for r in records})
    found, panels = plt.subplots(
        len(rows), 3, figsize=(11.5, 3.3 * len(rows) + 0.6), sharex=True, squeeze=False
    )
    for C, line in zip(rows, panels, strict=True):
        own = [r for r in records if r["classes"] == C]
        steps = sorted({r["step"] for r in own})
        groups = [[r for r in own if r["step"] == step] for step in steps]
        for axes, (title, names) in zip(line, PANELS, strict=True):
            for name, colour, mark in zip(names, COLOURS, _MARKS, strict=False):
                values = [[r[name] for r in group] for group in groups]
                # With two classes the means are equinorm and equiangular up to rounding.
                if any(None in row for row in values) or np.max(values) < 1e-9:
                    continue
                middle = np.median(values, 1)
                style = {"color": colour, "marker": mark, "markersize": 4, "linewidth": 1.0}
                axes.plot(steps, middle, label=name, **style)
                axes.fill_between(
                    steps,
                    np.min(values, 1),
                    np.max(values, 1),
                    color=colour,
                    alpha=0.15,
                    linewidth=0,
                )
                bounds = [[r["guaranteed"].get(name) for r in group] for group in groups]
                if not any(None in row for row in bounds):
                    drawn = np.median(bounds, 1)
                    limit = 2.0 if name.startswith("1 - ") else 1.0
                    axes.plot(steps, drawn, **VACUOUS)
                    speaks = np.where(drawn < limit, drawn, np.nan)
                    axes.plot(steps, speaks, linewidth=1.8, **LINE["sharp"])
            axes.set_title(f"{title}, {C} classes", fontsize=10)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.legend(fontsize=8)
    for axes in panels[-1]:
        axes.set_xlabel("step")
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linewidth=1.8, **LINE["sharp"], label="guaranteed by the square loss"),
        Line2D([], [], label="vacuous", **VACUOUS),
    ]
    found.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=9)
    return found


EXPERIMENT = Experiment(
    "square-collapse",
    "square Fig. 9",
    __doc__.partition("\n")[0],
    SCALES,
    parts,
    compute,
    findings,
    {"square_collapse": draw},
    table,
)
