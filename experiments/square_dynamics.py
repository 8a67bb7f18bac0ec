"""Dynamics of the square loss: rho, margins and ranks along the flow and under batches.

The experiments of `square`, figures 3, 8 and 10, on two real digits: a ReLU network `rho f_V` with
every weight matrix of norm 1, trained with the square loss and weight decay `lambda rho^2` from
small, middle and large rho. First by the gradient flow in (rho, V_k), integrated adaptively without
ever normalising, so that the conservation of |V_k| = 1 is measured; then by gradient descent on
batches with weight normalisation, where singular values and the noise that is left are recorded.
At the end stands what the paper says of such runs, and in how many of them it is seen.

A run takes minutes. What is finished is kept in `square_dynamics.json`: the same command, started
again, does only what is missing. `ncbounds plot square-flow FILE` draws it again.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.training.data import digits, two_classes, unit_inputs
from experiments.training.networks import check
from experiments.training.normalised import initial, samples, singular_values
from experiments.training.paths import Paths, descend, integrate, update_norms
from experiments.training.square_findings import findings
from ncbounds.report.dynamics_plots import FIGURES, FORMAT

SEEDS = 3
WORKERS = 2
DPI = 160


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


SETTINGS = Settings()


@dataclass(frozen=True)
class Part:
    """What is computed and kept as one: a flow, or all descents of one batch size and seed."""

    method: str
    seed: int
    rho: float | None = None
    decay: float | None = None
    batch: int | None = None


def parts(settings: Settings, seeds: Sequence[int]) -> list[Part]:
    """All parts, the long ones first."""
    descents = [Part("sgd", seed, batch=batch) for seed in seeds for batch in settings.batches]
    flows = [
        Part("flow", seed, rho, decay)
        for seed in seeds
        for rho in settings.rhos
        for decay in settings.decays
    ]
    return [Part("conservation", seeds[0]), *descents, *flows]


def compute(part: Part, settings: Settings) -> list[dict[str, Any]]:
    """The runs of a part, as they are kept."""
    whole = digits(part.seed)
    data = two_classes(whole, settings.pair, part.seed, settings.per_class)
    train, test = samples(unit_inputs(data))
    d = train.x.shape[0]
    if part.method == "sgd":
        places = [(rho, decay) for rho in settings.rhos for decay in settings.decays]
        decays = np.array([decay for _, decay in places])
        start = initial(d, settings.widths, [rho for rho, _ in places], part.seed)
        assert part.batch is not None
        found = descend(
            start,
            train,
            test,
            decays,
            batch=part.batch,
            steps=round(settings.until / settings.rate),
            rate=settings.rate,
            seed=part.seed,
        )
        updates = update_norms(found.end, train, decays, part.batch)
        return [
            kept(part, found, run, rho, decay) | {"updates": rounded(updates[run])}
            for run, (rho, decay) in enumerate(places)
        ]
    if part.method == "conservation":
        rho, decay = max(settings.rhos), max(settings.decays)
        rows = []
        for tolerance in settings.conservation:
            start = initial(d, settings.widths, [rho], part.seed)
            found = integrate(
                start, train, test, decay, until=settings.conservation_until, tolerance=tolerance
            )
            rows.append({"tolerance": tolerance, "norm_drift": found.norm_drift})
        return [{**asdict(part), "rows": rows}]
    assert part.rho is not None and part.decay is not None
    start = initial(d, settings.widths, [part.rho], part.seed)
    found = integrate(
        start, train, test, part.decay, until=settings.until, tolerance=settings.tolerance
    )
    return [kept(part, found, 0, part.rho, part.decay)]


def kept(part: Part, found: Paths, run: int, rho: float, decay: float) -> dict[str, Any]:
    """One run as it is written."""
    return {
        **asdict(part),
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


def train(
    path: Path | None = None,
    seed: int = 0,
    settings: Settings = SETTINGS,
    seeds: int = SEEDS,
    workers: int | None = None,
    progress: Any = None,
) -> dict[str, Any]:
    """Do all parts, keep each in the file as soon as it is done, and return what is kept.

    Parts that the file already holds, with the same settings, are not done again. Raises
    InputError for a seed or settings outside their domain, MissingDependencyError without
    scikit-learn.
    """
    check(seed, settings.decays, 1, "cpu")
    workers = WORKERS if workers is None else workers
    wanted = parts(settings, range(seed, seed + seeds))
    # As the file gives it back: lists for tuples.
    head = {"format": FORMAT, "settings": json.loads(json.dumps(asdict(settings)))}
    done = _read(path, head)
    left = [part for part in wanted if _key(part) not in done]
    for number, (part, runs) in enumerate(_compute_all(left, settings, workers), 1):
        done[_key(part)] = runs
        if path is not None:
            _write(path, {**head, "parts": done})
        if progress is not None:
            progress(len(wanted) - len(left) + number, len(wanted))
    runs = [run for part in wanted for run in done[_key(part)]]
    return {**head, "runs": runs}


def _compute_all(
    left: Sequence[Part], settings: Settings, workers: int
) -> Iterator[tuple[Part, list[dict[str, Any]]]]:
    """The parts as they are finished."""
    from joblib import Parallel, delayed

    if workers == 1 or len(left) < 2:
        yield from (_named(part, settings) for part in left)
        return
    pool = Parallel(n_jobs=workers, return_as="generator_unordered")
    yield from pool(delayed(_named)(part, settings) for part in left)


def _named(part: Part, settings: Settings) -> tuple[Part, list[dict[str, Any]]]:
    return part, compute(part, settings)


def _key(part: Part) -> str:
    return " ".join(f"{key}={value}" for key, value in asdict(part).items() if value is not None)


def _read(path: Path | None, head: dict[str, Any]) -> dict[str, Any]:
    """The parts in a file that was written with the same settings; none of any other file."""
    if path is None or not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    same = isinstance(found, dict) and all(found.get(key) == head[key] for key in head)
    return dict(found["parts"]) if same else {}


def _write(path: Path, found: dict[str, Any]) -> None:
    """Whole or not at all: a run may be killed at any moment."""
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(found), encoding="utf-8")
    draft.replace(path)


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


def line(run: dict[str, Any]) -> dict[str, Any]:
    """A run at its end, flat."""
    last = {name: values[-1] for name, values in run["record"].items()}
    ranks = {
        f"{name} {k + 1}": v
        for name in ("stable_rank", "rank")
        for k, v in enumerate(last.pop(name))
    }
    facts = {name: run[name] for name in ("method", "batch", "seed", "rho", "decay")}
    facts["initial rho"] = facts.pop("rho")
    ends = {"t": run["t"][-1], "steps": run["steps"], "norm_drift": run["norm_drift"]}
    updates = {f"update norm {k + 1}": v for k, v in enumerate(run.get("updates", []))}
    return {**facts, **ends, **last, **ranks, **updates}


def text(runs: Sequence[dict[str, Any]]) -> str:
    """The ends of all runs, means over seeds, and what was conserved."""
    lines = []
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


def main(out: Path, seed: int = 0, device: str = "cpu", progress: Any = None) -> Path:
    """Do what is missing, print tables and findings, write data, table and figures into `out`."""
    del device  # small matrices: no GPU is faster
    out.mkdir(parents=True, exist_ok=True)
    path = out / "square_dynamics.json"
    found = train(path, seed, SETTINGS, SEEDS, progress=progress)
    runs = found["runs"]
    print("means over seeds at the end: by method, initial rho and weight decay")
    print(text(runs))
    print()
    for one in findings(runs):
        print(one)
    rows = [line(run) for run in runs if run["method"] != "conservation"]
    names = dict.fromkeys(name for row in rows for name in row)
    with (out / "square_dynamics.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    for name, draw in FIGURES.items():
        draw(runs).savefig(out / f"{name.replace('-', '_')}.png", dpi=DPI)
    return path
