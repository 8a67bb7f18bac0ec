"""Dynamics of the square loss: rho, margins and ranks along the flow and under batches.

The experiments of `square`, figures 3, 8 and 10, on two real digits: a ReLU network `rho f_V` with
every weight matrix of norm 1, trained with the square loss and weight decay `lambda rho^2` from
small, middle and large rho. First by the gradient flow in (rho, V_k), integrated adaptively without
ever normalising, so that the conservation of |V_k| = 1 is measured; then by gradient descent on
batches with weight normalisation, where singular values and the noise that is left are recorded.
At the end stands what the paper says of such runs, and in how many of them it is seen.

The paper's own size (convolutional networks on CIFAR-10) is beyond an adaptive integration: at its
scale there are more samples and wider layers, of the same digits. `ncbounds plot square-flow FILE`
and its like draw the results again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.running import Experiment, Finding, Part, Place, Record
from experiments.training.data import digits, two_classes, unit_inputs
from experiments.training.networks import check
from experiments.training.normalised import initial, samples, singular_values
from experiments.training.paths import Paths, descend, integrate, update_norms
from experiments.training.square_findings import counts
from ncbounds.report.dynamics_plots import FIGURES

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Settings:
    """What is trained; times are of the flow, a step of descent takes `rate`."""

    pair: tuple[int, int] = (3, 8)
    per_class: int = 30
    widths: tuple[int, ...] = (24, 24)
    rhos: tuple[float, ...] = (1.0, 5.0, 20.0)
    decays: tuple[float, ...] = (0.0, 2e-3, 5e-3)
    until: float = 400.0
    tolerance: float = 1e-4
    batches: tuple[int, ...] = (4, 16, 60)
    rate: float = 0.02
    #: Tolerances at which conservation is told up to an early time.
    conservation: tuple[float, ...] = (1e-3, 1e-4, 1e-5, 1e-6)
    conservation_until: float = 5.0


SCALES = {
    "small": Settings(),
    "paper": Settings(per_class=150, widths=(256, 256, 128), until=2000.0, batches=(16, 64, 300)),
}


def parts(settings: Settings, seeds: Sequence[int]) -> list[Part]:
    """A flow each, or all descents of one batch size and seed."""
    check(0, settings.decays, 1, "cpu")
    found: list[Part] = [{"method": "conservation", "seed": seeds[0]}]
    found += [
        {"method": "sgd", "seed": seed, "batch": batch}
        for seed in seeds
        for batch in settings.batches
    ]
    return found + [
        {"method": "flow", "seed": seed, "rho": rho, "decay": decay}
        for seed in seeds
        for rho in settings.rhos
        for decay in settings.decays
    ]


def compute(part: Part, settings: Settings, place: Place) -> list[Record]:
    """The runs of a part. Small matrices: no GPU is faster, and none is used."""
    seed = part["seed"]
    data = two_classes(digits(seed), settings.pair, seed, settings.per_class)
    train, test = samples(unit_inputs(data))
    d = train.x.shape[0]
    if part["method"] == "sgd":
        places = [(rho, decay) for rho in settings.rhos for decay in settings.decays]
        decays = np.array([decay for _, decay in places])
        found = descend(
            initial(d, settings.widths, [rho for rho, _ in places], seed),
            train,
            test,
            decays,
            batch=part["batch"],
            steps=round(settings.until / settings.rate),
            rate=settings.rate,
            seed=seed,
        )
        updates = update_norms(found.end, train, decays, part["batch"])
        return [
            {**part, **kept(found, run, rho, decay), "updates": rounded(updates[run])}
            for run, (rho, decay) in enumerate(places)
        ]
    if part["method"] == "conservation":
        rho, decay = max(settings.rhos), max(settings.decays)
        rows = []
        for tolerance in settings.conservation:
            start = initial(d, settings.widths, [rho], seed)
            found = integrate(
                start, train, test, decay, until=settings.conservation_until, tolerance=tolerance
            )
            rows.append({"tolerance": tolerance, "norm_drift": found.norm_drift})
        return [{**part, "rows": rows}]
    rho, decay = part["rho"], part["decay"]
    start = initial(d, settings.widths, [rho], seed)
    found = integrate(start, train, test, decay, until=settings.until, tolerance=settings.tolerance)
    return [{**part, **kept(found, 0, rho, decay)}]


def kept(found: Paths, run: int, rho: float, decay: float) -> Record:
    """One run as it is written."""
    return {
        "rho": rho,
        "decay": decay,
        "t": rounded(found.t),
        "record": {name: rounded(values[:, run]) for name, values in found.record.items()},
        "margins_at": rounded(found.margins_at),
        "margins": rounded(found.margins[:, run]),
        "singular_values": [rounded(v[run]) for v in singular_values(found.end.V)],
        "norm_drift": found.norm_drift,
        "steps": found.steps,
        "settled": found.settled,
    }


def rounded(values: Any) -> Any:
    """Nested lists of numbers, to seven digits."""
    if np.ndim(values):
        return [rounded(value) for value in values]
    return float(f"{values:.7g}")


def findings(records: Sequence[Record], settings: Settings) -> list[Finding]:
    """Every claim of `square` on such runs: in how many it is seen, tested over seeds.

    The effect of a seed is the share of its cases where the claim is seen, less that where not.
    """
    seeds = sorted({run["seed"] for run in records})
    by_seed = [
        {(c.setting, c.place, c.claim): c for c in counts([r for r in records if r["seed"] == s])}
        for s in seeds
    ]
    found = []
    for whole in counts(records):
        own = [c[whole.setting, whole.place, whole.claim] for c in by_seed]
        found.append(
            Finding(
                whole.place,
                f"{whole.setting}: {whole.claim}",
                tuple(2 * c.seen / c.of - 1 if c.of else 0.0 for c in own),
                "share of cases where it is seen, less that where not",
                f"seen in {whole.seen} of {whole.of}"
                + (f", {whole.remark}" if whole.remark else ""),
            )
        )
    return found


# -- what is printed -------------------------------------------------------------------------------

COLUMNS = {
    "rho": "rho",
    "rho_eq": "rho_eq",
    "mu": "mu",
    "spread": "sigma/mu",
    "gap": "1-rho mu",
    "quasi_gap": "eps",
    "loss": "loss",
    "test_error": "test",
}


def text(runs: Sequence[Record], settings: Settings) -> str:
    """The ends of all runs, means over seeds, and what was conserved."""
    lines = ["means over seeds at the end: by method, initial rho and weight decay"]
    for run in runs:
        if run["method"] == "conservation":
            shown = ", ".join(f"{r['norm_drift']:.1e} at {r['tolerance']:g}" for r in run["rows"])
            lines += [f"largest | |V_k| - 1 | up to an early time, by tolerance: {shown}", ""]
    head = f"{'':22}" + "".join(f"{name:>10}" for name in COLUMNS.values())
    lines.append(head + f"{'stable ranks':>15}{'ranks':>9}{'drift':>9}")
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for run in runs:
        if run["method"] != "conservation":
            name = "flow" if run["method"] == "flow" else f"batch {run['batch']}"
            groups.setdefault((name, run["rho"], run["decay"]), []).append(run)
    for (name, rho, decay), found in groups.items():
        ends = {
            key: np.mean([np.asarray(run["record"][key][-1]) for run in found], 0)
            for key in (*COLUMNS, "stable_rank", "rank")
        }
        row = f"{name:9}{rho:>5g}{decay:>7g} " + "".join(f"{ends[key]:#10.3g}" for key in COLUMNS)
        stable = " ".join(f"{v:.2f}" for v in np.atleast_1d(ends["stable_rank"]))
        ranks = " ".join(f"{v:.0f}" for v in np.atleast_1d(ends["rank"]))
        worst = max(run["norm_drift"] for run in found)
        lines.append(f"{row}{stable:>15}{ranks:>9}{worst:9.1e}")
    return "\n".join(lines)


def _drawing(plot: Callable[[Sequence[Record]], Figure]) -> Callable[..., Figure]:
    """A plot of records as an experiment draws it, with its own docstring."""

    @wraps(plot)
    def draw(records: Sequence[Record], settings: Settings) -> Figure:
        return plot(records)

    return draw


EXPERIMENT = Experiment(
    "square-dynamics",
    "square Fig. 3, 8, 10",
    __doc__.partition("\n")[0],
    SCALES,
    parts,
    compute,
    findings,
    {name.replace("-", "_"): _drawing(plot) for name, plot in FIGURES.items()},
    text,
)
