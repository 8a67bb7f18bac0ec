"""What `square` says of training with the square loss, held against runs: sentences by machine.

Every count is one claim of the paper, in our words, with the number of runs in which it is seen.
A claim about dynamics is not refuted by a run in which something else happens, nor proved by many
in which it does: the numbers are what is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

Run = dict[str, Any]


@dataclass(frozen=True)
class Count:
    """A claim, where it stands, in how many of how many cases it is seen, and a remark."""

    place: str
    claim: str
    seen: int
    of: int
    remark: str = ""
    setting: str = ""


def counts(runs: Sequence[Run]) -> list[Count]:
    """Every claim that the runs can tell of."""
    flows = [run for run in runs if run["method"] == "flow"]
    descents = [run for run in runs if run["method"] == "sgd"]
    return [
        replace(rule(chosen), setting=setting)
        for setting, chosen, rules in (
            ("flow", flows, _FLOW_RULES),
            ("batches", descents, _DESCENT_RULES),
        )
        for rule in rules
        if chosen
    ]


def end(run: Run, name: str) -> Any:
    """The last record of a quantity."""
    return run["record"][name][-1]


def _count(place: str, claim: str, holds: Sequence[bool], remark: str = "") -> Count:
    return Count(place, claim, sum(map(bool, holds)), len(holds), remark)


def _range(values: Sequence[float], form: str = ".3g") -> str:
    return f"{min(values):{form}} to {max(values):{form}}"


def _groups(runs: Sequence[Run], *keys: str) -> list[list[Run]]:
    found: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        found.setdefault(tuple(run.get(key) for key in keys), []).append(run)
    return list(found.values())


def _decayed(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if run["decay"] > 0]


def _free(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if run["decay"] == 0]


# -- along the flow --------------------------------------------------------------------------------


def _loss_falls(runs: Sequence[Run]) -> Count:
    holds = []
    for run in runs:
        rho, loss = (np.array(run["record"][name]) for name in ("rho", "loss"))
        total = loss + run["decay"] * rho**2
        holds.append(bool((np.diff(total) <= 1e-4).all()))
    return _count("square:eq-2", "the loss never increases, to 1e-4", holds)


def _equilibrium(runs: Sequence[Run]) -> Count:
    chosen = _decayed(runs)
    off = [abs(end(run, "rho") / end(run, "rho_eq") - 1) for run in chosen]
    return _count(
        "square:eq-7",
        "with weight decay rho ends within 1 % of mu/(M + lambda)",
        [value < 0.01 for value in off],
        f"off by {_range(off, '.1e')}",
    )


def _gap(runs: Sequence[Run]) -> Count:
    chosen = _decayed(runs)
    ratio = [end(run, "gap") / end(run, "quasi_gap") for run in chosen]
    return _count(
        "square:lemma-6",
        "the gap 1 - rho mu ends within 10 % of lambda/(mu^2 + lambda), as for equal margins",
        [abs(value - 1) < 0.1 for value in ratio],
        f"{_range(ratio)} times that",
    )


def _exact_gap(runs: Sequence[Run]) -> Count:
    chosen = _decayed(runs)
    off = []
    for run in chosen:
        mu, sigma = end(run, "mu"), end(run, "sigma")
        rest = sigma**2 + run["decay"]
        off.append(abs(end(run, "gap") - rest / (mu**2 + rest)))
    return _count(
        "square:eq-8",
        "the gap ends within 0.01 of (sigma^2 + lambda)/(mu^2 + sigma^2 + lambda)",
        [value < 0.01 for value in off],
        f"off by {_range(off, '.1e')}",
    )


def _growth(runs: Sequence[Run]) -> Count:
    chosen = [run for run in runs if run["rho"] == min(r["rho"] for r in runs)]
    return _count(
        "square:remark-rho-growth",
        "from the smallest rho, rho grows",
        [end(run, "rho") > run["rho"] for run in chosen],
    )


def _fall(runs: Sequence[Run]) -> Count:
    chosen = [run for run in runs if run["rho"] == max(r["rho"] for r in runs)]
    kept = [end(run, "rho") / run["rho"] for run in _free(chosen)]
    return _count(
        "square:remark-rho-growth",
        "from the largest rho, rho falls by more than 5 %",
        [end(run, "rho") < 0.95 * run["rho"] for run in chosen],
        f"without weight decay it ends at {_range(kept, '.4f')} times its start" if kept else "",
    )


def _valley(runs: Sequence[Run]) -> Count:
    """Our addition: where the data are interpolated, rho' = -2 lambda rho."""
    rates = []
    for run in _decayed(runs):
        t, rho, loss = (
            np.array(v) for v in (run["t"], run["record"]["rho"], run["record"]["loss"])
        )
        along = np.flatnonzero((loss < 1e-2) & (rho > 1.2 * np.array(run["record"]["rho_eq"])))
        if len(along) > 2:
            first, last = along[0], along[-1]
            rate = np.log(rho[first] / rho[last]) / (t[last] - t[first])
            rates.append(float(rate / (2 * run["decay"])))
    return _count(
        "ours",
        "while the data are interpolated, rho falls as exp(-2 lambda t), to 10 %",
        [abs(rate - 1) < 0.1 for rate in rates],
        f"rate over 2 lambda: {_range(rates)}" if rates else "no run does so",
    )


def _negative(runs: Sequence[Run]) -> Count:
    holds, share = [], []
    for run in runs:
        slope, mu, t = (
            np.array(v) for v in (run["record"]["rho_dot"], run["record"]["mu"], run["t"])
        )
        falling = (slope[:-1] < 0) & (slope[1:] < 0) & (t[:-1] > 1)
        holds += (np.diff(mu) > 0)[falling].tolist()
        share.append(float(np.diff(t)[falling].sum() / t[-1]))
    return _count(
        "square:lemma-4",
        "while rho falls the mean margin grows, by recorded intervals",
        holds,
        f"rho falls for {_range(share, '.0%')} of the time",
    )


def _long(runs: Sequence[Run]) -> Count:
    share = []
    for run in _decayed(runs):
        slope, t = np.array(run["record"]["rho_dot"]), np.array(run["t"])
        share.append(float(np.diff(t)[slope[1:] < 0].sum() / t[-1]))
    return _count(
        "square:lemma-4",
        "with weight decay rho' is negative for less than half of the time",
        [value < 0.5 for value in share],
    )


def _robust(runs: Sequence[Run]) -> Count:
    holds: list[bool] = []
    ratios: dict[bool, list[float]] = {True: [], False: []}
    for group in _groups(runs, "seed"):
        spans = {}
        for same in _groups(group, "decay"):
            ends = [end(run, "rho") for run in same]
            spans[same[0]["decay"]] = max(ends) / min(ends)
            ratios[same[0]["decay"] > 0].append(spans[same[0]["decay"]])
        holds += [span < spans[0] for decay, span in spans.items() if decay > 0 and 0 in spans]
    remark = "; ".join(
        f"largest over smallest final rho {_range(ratios[key], '.2f')} {words}"
        for key, words in ((True, "with"), (False, "without"))
        if ratios[key]
    )
    return _count(
        "square:remark-rho-growth",
        "weight decay makes the final rho depend less on the initial one",
        holds,
        remark,
    )


def _small_start(runs: Sequence[Run]) -> Count:
    holds, errors = [], []
    for group in _groups(_free(runs), "seed"):
        ordered = sorted(group, key=lambda run: float(run["rho"]))
        holds.append(end(ordered[0], "rho") < end(ordered[-1], "rho"))
        errors.append(end(ordered[0], "spread") / end(ordered[-1], "spread"))
    remark = f"but its sigma/mu is {_range(errors)} times that from the largest" if errors else ""
    return _count(
        "square:remark-rho-growth",
        "without weight decay, the smallest start ends with a smaller rho than the largest",
        holds,
        remark,
    )


def _equal_margins(runs: Sequence[Run]) -> Count:
    chosen = _decayed(runs)
    spreads = [end(run, "spread") for run in chosen]
    return _count(
        "square:property-1",
        "with weight decay all margins become equal: sigma/mu ends below 0.05",
        [value < 0.05 for value in spreads],
        f"sigma/mu {_range(spreads)}",
    )


def _decay_equalises(runs: Sequence[Run]) -> Count:
    holds = []
    for group in _groups(runs, "seed", "rho", "batch"):
        free = _free(group)
        holds += [end(run, "spread") < end(free[0], "spread") for run in _decayed(group) if free]
    return _count(
        "square:lemma-6", "weight decay makes the margins more equal at the end than none", holds
    )


def _error(runs: Sequence[Run]) -> Count:
    holds = []
    for group in _groups(_free(runs), "seed"):
        ordered = sorted(group, key=lambda run: float(end(run, "rho")))
        holds.append(end(ordered[0], "test_error") <= end(ordered[-1], "test_error"))
    errors = [end(run, "test_error") for run in runs]
    return _count(
        "square:eq-17",
        "without weight decay the smallest rho has no larger test error than the largest",
        holds,
        f"test errors {_range(errors, '.1%')}",
    )


_FLOW_RULES: tuple[Callable[[Sequence[Run]], Count], ...] = (
    _loss_falls, _equilibrium, _exact_gap, _gap, _growth, _fall, _valley, _negative, _long,
    _robust, _small_start, _equal_margins, _decay_equalises, _error,
)  # fmt: skip


# -- under batches ---------------------------------------------------------------------------------


def _noise(runs: Sequence[Run]) -> Count:
    """By how much the steps of small batches are larger than those of the whole."""
    least = min(run["batch"] for run in runs)
    chosen = [run for run in _decayed(runs) if run["batch"] == least]
    sizes = [float(np.linalg.norm(run["updates"])) for run in chosen]
    full = {
        (run["seed"], run["rho"], run["decay"]): float(np.linalg.norm(run["updates"]))
        for run in runs
        if run["batch"] == max(r["batch"] for r in runs)
    }
    ratios = [
        size / full[run["seed"], run["rho"], run["decay"]]
        for size, run in zip(sizes, chosen, strict=True)
    ]
    return _count(
        "square:lemma-8",
        "with weight decay, steps of small batches stay 10 times those of all samples at once",
        [ratio > 10 for ratio in ratios],
        f"{_range(ratios)} times",
    )


def _noise_by_decay(runs: Sequence[Run]) -> Count:
    least = min(run["batch"] for run in runs)
    holds = []
    for group in _groups([run for run in runs if run["batch"] == least], "seed", "rho"):
        free = [float(np.linalg.norm(run["updates"])) for run in _free(group)]
        holds += [float(np.linalg.norm(run["updates"])) > free[0] for run in _decayed(group)]
    return _count(
        "square Sec. 6.2",
        "noise of small batches is larger with weight decay than without",
        holds,
    )


def _noise_gone(runs: Sequence[Run]) -> Count:
    least = min(run["batch"] for run in runs)
    chosen = [run for run in _free(runs) if run["batch"] == least]
    spreads = [end(run, "spread") for run in chosen]
    return _count(
        "square Fig. 10",
        "without weight decay the margins of a run are equal: sigma/mu ends below 0.05",
        [value < 0.05 for value in spreads],
        f"sigma/mu {_range(spreads)}",
    )


def _rank_by_batch(runs: Sequence[Run]) -> Count:
    holds = []
    for group in _groups(runs, "seed", "rho", "decay"):
        ordered = sorted(group, key=lambda run: int(run["batch"]))
        small, full = (np.mean(end(run, "stable_rank")) for run in (ordered[0], ordered[-1]))
        holds.append(bool(small < full))
    return _count(
        "square Sec. 6.1", "the smallest batch ends with a lower stable rank than all", holds
    )


def _rank_by_decay(runs: Sequence[Run]) -> Count:
    holds = []
    for group in _groups(runs, "seed", "rho", "batch"):
        ordered = sorted(group, key=lambda run: float(run["decay"]))
        ranks = [sum(end(run, "rank")) for run in ordered]
        holds += [more <= less for less, more in pairwise(ranks)]
    return _count("square Sec. 6.1", "more weight decay, no more singular values above 1 %", holds)


def _rank_two(runs: Sequence[Run]) -> Count:
    most = max(run["decay"] for run in runs)
    chosen = [run for run in runs if run["decay"] == most]
    full = max(run["batch"] for run in runs)
    whole = [run for run in chosen if run["batch"] == full]
    also = sum(max(end(run, "rank")) <= 2 for run in whole)
    return _count(
        "square:lemma-8",
        "at the largest weight decay no matrix has more than 2 singular values above 1 %",
        [max(end(run, "rank")) <= 2 for run in chosen],
        f"and in {also} of {len(whole)} without any batches",
    )


def _rank_and_updates(runs: Sequence[Run]) -> Count:
    from scipy.stats import spearmanr

    least = min(run["batch"] for run in runs)
    chosen = [run for run in runs if run["batch"] == least]
    found = []
    for layer in range(len(chosen[0]["record"]["stable_rank"][-1])):
        ranks = [end(run, "stable_rank")[layer] for run in chosen]
        sizes = [run["updates"][layer] for run in chosen]
        found.append(float(spearmanr(ranks, sizes).statistic))
    return _count(
        "square:eq-53",
        "the size of updates of a layer grows with its rank, from run to run",
        [value > 0.5 for value in found],
        f"rank correlation by layer: {', '.join(f'{value:.2f}' for value in found)}",
    )


_DESCENT_RULES: tuple[Callable[[Sequence[Run]], Count], ...] = (
    _equilibrium, _robust, _equal_margins, _decay_equalises, _noise, _noise_by_decay, _noise_gone,
    _rank_by_batch, _rank_by_decay, _rank_two, _rank_and_updates,
)  # fmt: skip
