"""What every experiment shares: parts kept as they finish, findings with a test over seeds, files.

An experiment is data: settings for each scale, the parts that its work falls into, a function that
does one part, what the paper claims and whether it is seen, and figures. `run` does what is
missing, so that a killed run goes on where it stopped, and writes `NAME.json` (settings, seeds,
records, findings) beside the table as `NAME.txt` and a PNG and an SVG of every figure.
"""

from __future__ import annotations

import inspect
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ncbounds.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Part = dict[str, Any]
Record = dict[str, Any]
Progress = Callable[[int, int], None]

#: More seeds than this are sampled, not enumerated, in the test over seeds.
_MOST_ENUMERATED = 16
LEVEL = 0.05
DPI = 160


@dataclass(frozen=True)
class Place:
    """Where an experiment runs: the device, and the folder with the user's own data sets."""

    device: str = "cpu"
    data: Path | None = None


@dataclass(frozen=True)
class Finding:
    """A claim of a paper beside what was seen: one number a seed, positive where it agrees.

    `effect` says what the numbers are; `tightness` how near the bound of theory comes there, in
    words, empty where no bound speaks.
    """

    source: str
    claim: str
    effects: tuple[float, ...]
    effect: str
    tightness: str = ""

    @property
    def p(self) -> float:
        """Chance of a mean effect so large if every seed's sign were a coin's: an exact test."""
        return sign_flip_test(self.effects)

    @property
    def verdict(self) -> str:
        """Reproduced, contradicted, or undecided, at the level of one in twenty."""
        if self.p <= LEVEL:
            return "reproduced"
        opposite = sign_flip_test(tuple(-value for value in self.effects))
        return "contradicted" if opposite <= LEVEL else "undecided"

    def to_dict(self) -> dict[str, Any]:
        """Plain data, verdict included."""
        return {**asdict(self), "p": self.p, "verdict": self.verdict}

    def __str__(self) -> str:
        agree = sum(value > 0 for value in self.effects)
        mean = float(np.mean(self.effects)) if self.effects else float("nan")
        words = f"{self.source}: {self.claim}: {self.verdict} ({agree} of {len(self.effects)} seeds"
        words += f", {self.effect} {mean:.3g}, p = {self.p:.2g})"
        return words + (f"; {self.tightness}" if self.tightness else "")


def sign_flip_test(effects: Sequence[float]) -> float:
    """One-sided p value of a positive mean under flips of signs; exact up to 16 numbers.

    >>> sign_flip_test([1.0, 2.0, 0.5, 3.0, 1.5])  # one of 32
    0.03125
    >>> sign_flip_test([])
    1.0
    """
    values = np.asarray(effects, dtype=np.float64)
    if not np.isfinite(values).all():
        return 1.0
    if len(values) <= _MOST_ENUMERATED:
        signs = np.array(list(product((1.0, -1.0), repeat=len(values))))
    else:
        drawn = np.random.default_rng(0).choice(
            (1.0, -1.0), size=(2**_MOST_ENUMERATED - 1, len(values))
        )
        signs = np.vstack([np.ones(len(values)), drawn])
    if not len(values):
        return 1.0
    slack = 1e-12 * np.abs(values).sum()
    return float((signs @ values >= values.sum() - slack).mean())


@dataclass(frozen=True)
class Experiment:
    """One figure or table of a paper, as data.

    `parts(settings, seeds)` lists the work as plain dicts; `compute(part, settings, place)` does
    one and returns its records, plain data; `figures` draw from all records, and their docstrings
    begin with what is seen, for whoever does not see it; `findings` hold the records against the
    paper; `table` says them in text.
    """

    name: str
    source: str
    title: str
    scales: Mapping[str, Any]
    parts: Callable[[Any, Sequence[int]], list[Part]]
    compute: Callable[[Part, Any, Place], list[Record]]
    findings: Callable[[Sequence[Record], Any], list[Finding]]
    figures: Mapping[str, Callable[[Sequence[Record], Any], Figure]]
    table: Callable[[Sequence[Record], Any], str]
    seeds: int = 5


@dataclass(frozen=True)
class Results:
    """All records of an experiment at one scale, and what they show."""

    name: str
    source: str
    scale: str
    seeds: list[int]
    settings: dict[str, Any]
    records: list[Record] = field(repr=False)
    findings: list[dict[str, Any]] = field(repr=False)


def run(
    experiment: Experiment,
    out: Path,
    *,
    scale: str = "small",
    seed: int = 0,
    seeds: int | None = None,
    device: str = "cpu",
    data: Path | None = None,
    workers: int | None = None,
    progress: Progress = lambda done, total: None,
    settings: Any = None,
) -> Results:
    """Do the parts that are missing, and write records, findings, the table and figures into `out`.

    Args:
        experiment: what to run.
        out: folder; a `NAME.json` of the same settings in it is gone on with.
        scale: a key of `experiment.scales`; `settings` instead of those of the scale, if given.
        seed, seeds: the first seed, and how many from there on.
        device, data: where to run, and the folder with data sets of the user's.
        workers: processes that share the parts; as many as cores on a CPU, one on a GPU, if None.
        progress: `progress(done, total)` after every part.

    Raises:
        InputError: an unknown scale, a negative seed, no seeds, or what the experiment refuses.
    """
    if scale not in experiment.scales:
        raise InputError("scale", scale, f"one of {', '.join(experiment.scales)}")
    count = experiment.seeds if seeds is None else seeds
    if seed < 0 or count < 1:
        raise InputError("seeds", f"{count} from {seed} on", "at least one, from 0 on")
    chosen = experiment.scales[scale] if settings is None else settings
    wanted = experiment.parts(chosen, range(seed, seed + count))
    path = out / f"{experiment.name.replace('-', '_')}.json"
    # As the file gives it back: lists for tuples.
    about = {"format": 1, "name": experiment.name, "scale": scale, "settings": asdict(chosen)}
    head = json.loads(json.dumps(about))
    done, seconds = _read(path, head)
    out.mkdir(parents=True, exist_ok=True)
    keys = [_key(part) for part in wanted]
    left = [part for key, part in zip(keys, wanted, strict=True) if key not in done]
    processes = workers or ((os.cpu_count() or 1) if device == "cpu" else 1)
    work = _compute_all(experiment, left, chosen, Place(device, data), processes)
    for number, (part, found, spent) in enumerate(work, len(wanted) - len(left) + 1):
        done[_key(part)], seconds[_key(part)] = found, spent
        _write(path, {**head, "seconds": seconds, "parts": done})
        progress(number, len(wanted))
    records = [record for key in keys for record in done[key]]
    findings = [one.to_dict() for one in experiment.findings(records, chosen)]
    numbers = list(range(seed, seed + count))
    figures = {name: caption(draw) for name, draw in experiment.figures.items()}
    shown = {"source": experiment.source, "seeds": numbers, "findings": findings}
    _write(path, {**head, **shown, "figures": figures, "seconds": seconds, "parts": done})
    path.with_suffix(".txt").write_text(f"{experiment.table(records, chosen)}\n", encoding="utf-8")
    for name, draw in experiment.figures.items():
        save_figure(draw(records, chosen), out / name)
    return Results(
        experiment.name, experiment.source, scale, numbers, head["settings"], records, findings
    )


def _compute_all(
    experiment: Experiment, left: Sequence[Part], settings: Any, place: Place, processes: int
) -> Iterator[tuple[Part, list[Record], float]]:
    """The parts as they are finished, each with the processor seconds that it took."""
    if processes == 1 or len(left) < 2:
        yield from (_timed(experiment.compute, part, settings, place) for part in left)
        return
    from joblib import Parallel, delayed

    pool = Parallel(n_jobs=min(processes, len(left)), return_as="generator_unordered")
    yield from pool(delayed(_timed)(experiment.compute, part, settings, place) for part in left)


def _timed(
    compute: Callable[[Part, Any, Place], list[Record]], part: Part, settings: Any, place: Place
) -> tuple[Part, list[Record], float]:
    start = time.process_time()
    found = compute(part, settings, place)
    return part, found, round(time.process_time() - start, 3)


def save_figure(figure: Figure, stem: Path) -> None:
    """Write a figure as `stem.png` and `stem.svg`, and close it."""
    from ncbounds.report.plots import pyplot

    figure.savefig(stem.with_suffix(".png"), dpi=DPI)
    figure.savefig(stem.with_suffix(".svg"), metadata={"Date": None})
    pyplot().close(figure)


def caption(draw: Callable[..., Any]) -> str:
    """What a figure shows: the first paragraph of what its function says of itself."""
    words = (inspect.getdoc(draw) or "").partition("\n\n")[0]
    return " ".join(words.split())


def read_captions(folder: Path) -> dict[str, dict[str, str]]:
    """For each experiment in a folder its figures, as files are named, and what they show."""
    return {kept["name"]: dict(kept["figures"]) for kept in _results(folder, "figures")}


def read_findings(folder: Path) -> list[dict[str, Any]]:
    """Findings of all results in a folder, each with the `name` and `scale` of its experiment."""
    found = []
    for kept in _results(folder, "findings"):
        about = {key: kept[key] for key in ("name", "scale")}
        found += [{**about, **one} for one in kept["findings"]]
    return found


def read_times(folder: Path) -> list[dict[str, Any]]:
    """Processor seconds of all results in a folder: `name`, `scale`, number of `parts`, `seconds`.

    Parts of files older than the clock count as `untimed`.
    """
    found = []
    for kept in _results(folder, "parts"):
        spent = kept.get("seconds", {})
        found.append(
            {
                "name": kept["name"],
                "scale": kept["scale"],
                "parts": len(kept["parts"]),
                "untimed": len(set(kept["parts"]) - set(spent)),
                "seconds": sum(spent.values()),
            }
        )
    return found


def _results(folder: Path, what: str) -> Iterator[dict[str, Any]]:
    """The files of experiments in a folder that hold `what`."""
    for path in sorted(folder.glob("*.json")):
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        if isinstance(kept, dict) and what in kept and "name" in kept:
            yield kept


def _key(part: Part) -> str:
    return " ".join(f"{key}={value}" for key, value in part.items())


def _read(path: Path, head: Mapping[str, Any]) -> tuple[dict[str, list[Record]], dict[str, float]]:
    """Parts and seconds in a file that was written with the same settings; none of any other."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}, {}
    same = isinstance(found, dict) and all(found.get(key) == head[key] for key in head)
    return (dict(found["parts"]), dict(found.get("seconds", {}))) if same else ({}, {})


def _write(path: Path, found: Mapping[str, Any]) -> None:
    """Whole or not at all: a run may be killed at any moment."""
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(found), encoding="utf-8")
    os.replace(draft, path)
