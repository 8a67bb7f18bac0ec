"""Locally elastic dynamics: alignment, separation, spread within classes, and a real residue.

Section 3.2 of `review` in four panels. (a) The angle of the class means with a simplex ETF along
the LE-ODE, by the sign of the impact between classes: closed form beside integration. (b) The share
of runs in which some direction separates two classes, by gamma = t (alpha_t - beta_t), at three
times: where the transition is. (c) NC1 along the LE-SDE, whose features are driven by the class
means or by themselves. (d) For a small network that learns real digits, the residue that the
linearised drift (50) leaves out, over the drift of the class means, beside what equal margins give.
Both scales are the same but for the data: CIFAR-10 of the user's, as in the review.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.running import Experiment, Finding, Part, Place, Record
from experiments.training.data import missing
from experiments.training.folders import data_set
from experiments.training.networks import check
from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.laboratory import elastic
from ncbounds.report.plots import pyplot
from ncbounds.theory.elasticity.linearised_drift import residuals, sloped, softmax

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Curves = dict[str, list[float]]

COLOURS = ("#0072B2", "#9a9a9a", "#D55E00", "#009E73")
_LEARNING_RATE, _WIDTH = 3e-3, 64


@dataclass(frozen=True)
class Settings:
    """What is computed."""

    K: int = 4
    alpha: float = 1.0
    betas: tuple[float, ...] = (-0.5, 0.0, 0.5)
    until: float = 40.0
    points: int = 17
    times: tuple[float, ...] = (1e2, 1e4, 1e8)
    gammas: tuple[float, ...] = tuple(np.linspace(1.0, 3.5, 21).tolist())
    signal: float = 2.0
    samples: int = 12
    trials: int = 60
    spread_samples: int = 60
    data: str = "digits"
    per_class: int | None = 174
    epochs: int = 300


SCALES = {"small": Settings(), "paper": Settings(data="cifar10", per_class=None)}
KINDS = ("residue", "alignment", "separation", "spread")


def parts(settings: Settings, seeds: Sequence[int]) -> list[Part]:
    """The four panels for every seed; the one that asks for data first."""
    check(0, (0.0,), settings.epochs, "cpu")
    return [{"kind": kind, "seed": seed} for kind in KINDS for seed in seeds]


def compute(part: Part, settings: Settings, place: Place) -> list[Record]:
    """The curves of one panel. Raises MissingDependencyError without torch or scikit-learn."""
    if part["kind"] == "residue":
        return [{**part, "curves": residue(settings, part["seed"], place)}]
    work = {"alignment": alignment, "separation": separation, "spread": spread}
    return [{**part, "curves": work[part["kind"]](settings, part["seed"])}]


def alignment(settings: Settings, seed: int) -> dict[str, Curves]:
    """Angles with the simplex along the LE-ODE, by beta: closed form, and integrated."""
    start = _start(settings.K, seed)
    fine = np.linspace(0, settings.until, 201)
    coarse = np.linspace(0, settings.until, settings.points)
    found = {}
    for beta in settings.betas:
        closed = elastic.residual_means(start, settings.alpha, beta, fine.tolist())
        numerical = elastic.integrate(start, settings.alpha, beta, coarse.tolist())
        exact = elastic.residual_means(start, settings.alpha, beta, coarse.tolist())
        size = np.abs(exact).max(axis=(1, 2), keepdims=True)
        found[f"{beta:g}"] = {
            "t": fine.tolist(),
            "angle": [_angle(means) for means in closed],
            "t_integrated": coarse.tolist(),
            "angle_integrated": [_angle(means) for means in numerical],
            "largest_difference": [float((np.abs(numerical - exact) / size).max())],
        }
    return found


def _start(K: int, seed: int) -> Any:
    """Class means at random, with a mean coordinate that is positive."""
    start = np.random.default_rng(seed).standard_normal((K, K))
    return start * np.sign(elastic.alignment(start).tau)


def _angle(means: Any) -> float:
    """Degrees between class means and the simplex."""
    cosine = elastic.alignment(means).cosine
    return float(np.degrees(np.arccos(min(1.0, cosine))))


def separation(settings: Settings, seed: int) -> dict[str, Curves]:
    """Shares of separated runs by gamma, for every time, beside the probability along the means."""
    found: dict[str, Curves] = {}
    for t in settings.times:
        shares = [
            elastic.separation_rate(
                gamma,
                settings.K,
                t,
                settings.signal,
                n=settings.samples,
                m=2,
                trials=settings.trials,
                seed=seed + place,
            )
            for place, gamma in enumerate(settings.gammas)
        ]
        fine = np.linspace(min(settings.gammas), max(settings.gammas), 141).tolist()
        along = [
            elastic.separation_probability(
                min(elastic.signal_at(gamma, settings.K, t, settings.signal), 16.0),
                settings.samples,
            )
            for gamma in fine
        ]
        gammas = list(settings.gammas)
        found[f"{t:g}"] = {"gamma": gammas, "share": shares, "fine": fine, "along": along}
    return found


def spread(settings: Settings, seed: int) -> dict[str, Curves]:
    """NC1 along the LE-SDE, driven by the class means and by the features themselves."""
    K, beta = settings.K, -0.5
    start = 2 * (np.eye(K) - 1 / K)
    times = np.linspace(0, settings.until / 2, settings.points)
    found: dict[str, Curves] = {}
    for drive in ("means", "own"):
        features = elastic.simulate(
            start,
            settings.alpha,
            beta,
            times.tolist(),
            samples=settings.spread_samples,
            noise=0.3,
            seed=seed,
            drive="means" if drive == "means" else "own",
            steps=40,
        )
        found[drive] = {
            "t": times[1:].tolist(),
            "nc1": [elastic.variability(f) for f in features[1:]],
        }
    means = elastic.residual_means(start, settings.alpha, beta, times[1:].tolist())
    between = ((means - means.mean(axis=1, keepdims=True)) ** 2).sum(axis=-1).mean(axis=-1)
    found["expected"] = {
        "t": times[1:].tolist(),
        "nc1": (0.09 * K * times[1:] / between).tolist(),
    }
    return found


def residue(settings: Settings, seed: int, place: Place) -> Curves:
    """Train a small network on images; mean margin, and residue over drift, by epoch."""
    try:
        import torch
    except ImportError as error:
        raise missing("torch") from error
    data = data_set(settings.data, seed, settings.per_class, place.data)
    torch.manual_seed(seed)
    x = torch.tensor(data.train_x, dtype=torch.float32, device=place.device)
    y = torch.tensor(data.train_y, device=place.device)
    K = int(y.max()) + 1
    network = torch.nn.Sequential(
        torch.nn.Linear(x.shape[1], _WIDTH), torch.nn.ReLU(), torch.nn.Linear(_WIDTH, K)
    ).to(place.device)
    optimiser = torch.optim.Adam(network.parameters(), lr=_LEARNING_RATE)
    found: Curves = {}
    for epoch in range(1, settings.epochs + 1):
        logits = network(x)
        optimiser.zero_grad()
        loss: Any = torch.nn.functional.cross_entropy(logits, y)
        loss.backward()
        optimiser.step()
        means = np.stack([logits[y == k].detach().double().mean(0).cpu().numpy() for k in range(K)])
        for name, value in {"epoch": float(epoch), **_shares(means)}.items():
            found.setdefault(name, []).append(value)
    return found


def _shares(means: Any) -> dict[str, float]:
    """Residue over drift for class means of logits, beside what equal margins of their mean give.

    `opposed` is the cosine of the linear part that is kept with the drift.
    """
    xp, K = numpy_namespace(), len(means)
    r, slope = residuals(xp, means[None])[0], sloped(xp, means[None], means[None])[0]
    margins = (np.diag(means)[:, None] - means)[~np.eye(K, dtype=bool)]
    kept, drift = np.linalg.norm(slope), np.linalg.norm(r)
    return {
        "margin": float(margins.mean()),
        "least": float(margins.min()),
        "ratio": float(np.linalg.norm(r + slope) / drift),
        "at_mean": _at_equal_margins(K, float(margins.mean())),
        "at_least": _at_equal_margins(K, float(margins.min())),
        "opposed": float(-(slope * r).sum() / (kept * drift)) if kept else 0.0,
    }


def _at_equal_margins(K: int, margin: float) -> float:
    """Residue over drift of K classes whose margins are all equal."""
    own = softmax(numpy_namespace(), np.array([margin, *[0.0] * (K - 1)]))[0]
    return float(1 + own * margin)


# -- what is judged, drawn and told ---------------------------------------------------------------


def _mean(records: Sequence[Record], kind: str) -> Any:
    """The curves of one panel, means over seeds."""
    return _averaged([r["curves"] for r in records if r["kind"] == kind])


def _averaged(found: Sequence[Any]) -> Any:
    if isinstance(found[0], dict):
        return {key: _averaged([one[key] for one in found]) for key in found[0]}
    return np.mean(found, axis=0).tolist()


def findings(records: Sequence[Record], settings: Settings) -> list[Finding]:
    """What section 3.2 of the review says of the model and of what it stands for."""
    seeds = sorted({r["seed"] for r in records})
    by = {(r["kind"], r["seed"]): r["curves"] for r in records}
    repelled, last = f"{min(settings.betas):g}", f"{max(settings.times):g}"
    errors = [c["largest_difference"][0] for s in seeds for c in by["alignment", s].values()]
    limit = elastic.separation_threshold(settings.K)
    crossing = _half(*(by["separation", seeds[0]][last][name] for name in ("fine", "along")))
    mean = _mean(records, "residue")

    def angle(seed: int) -> float:
        return 5 - float(by["alignment", seed][repelled]["angle"][-1])

    def share(seed: int, place: int) -> float:
        return float(by["separation", seed][last]["share"][place])

    def collapse(seed: int, drive: str) -> float:
        nc1 = by["spread", seed][drive]["nc1"]
        return float(np.log10(nc1[0] / nc1[-1]))

    nc1 = _mean(records, "spread")
    return [
        Finding(
            "review eq. 47",
            "class means that repel each other align with a simplex ETF",
            tuple(angle(seed) for seed in seeds),
            "5 degrees less the angle at the end",
            f"closed form and integration differ by at most {max(errors):.0e} relatively",
        ),
        Finding(
            "review Sec. 3.2.2",
            "features separate where the elasticity nu_t is large against 1/t",
            tuple(share(seed, -1) - 0.5 for seed in seeds),
            f"share of runs separated at t nu = {max(settings.gammas):g}, t = {last}, less a half",
            f"threshold K/2 = {limit:g}: half of the runs at {crossing:.3f}",
        ),
        Finding(
            "review Sec. 3.2.2",
            "and do not where it is small",
            tuple(0.5 - share(seed, 0) for seed in seeds),
            f"a half less the share at t nu = {min(settings.gammas):g}",
        ),
        Finding(
            "review Sec. 3.2.3",
            "features that the class means drive collapse (42): NC1 falls tenfold at least",
            tuple(collapse(seed, "means") - 1 for seed in seeds),
            "decades of NC1 beyond one",
            f"expected at the end {nc1['expected']['nc1'][-1]:.2g}, measured"
            f" {nc1['means']['nc1'][-1]:.2g}",
        ),
        Finding(
            "review Sec. 3.2.3",
            "so do features that drive themselves",
            tuple(collapse(seed, "own") - 1 for seed in seeds),
            "decades of NC1 beyond one",
        ),
        Finding(
            "review eq. 50",
            "the residue of the linearised drift is negligible near convergence",
            tuple(0.1 - by["residue", seed]["ratio"][-1] for seed in seeds),
            "a tenth less the residue over the drift at the end of training",
            f"equal margins of the mean margin {mean['margin'][-1]:.1f} give"
            f" {mean['at_mean'][-1]:.2f}, measured {mean['ratio'][-1]:.2f}",
        ),
    ]


def draw(records: Sequence[Record], settings: Settings) -> Figure:
    """Class means that align, classes that separate, features that collapse, and the residue."""
    plt = pyplot()
    figure: Figure
    figure, panels = plt.subplots(2, 2, figsize=(10.4, 7.6))
    _draw_alignment(panels[0, 0], _mean(records, "alignment"))
    _draw_separation(panels[0, 1], _mean(records, "separation"), settings)
    _draw_spread(panels[1, 0], _mean(records, "spread"))
    _draw_residue(panels[1, 1], _mean(records, "residue"))
    for letter, panel in zip("abcd", panels.ravel(), strict=True):
        panel.set_title(f"({letter}) {panel.get_title()}", loc="left", fontsize=10)
        panel.set_title("")
    return figure


def _draw_alignment(axes: Axes, found: dict[str, Curves]) -> None:
    for colour, (beta, record) in zip(COLOURS, found.items(), strict=False):
        axes.plot(record["t"], record["angle"], color=colour, label=rf"$\beta = {beta}$")
        axes.plot(record["t_integrated"], record["angle_integrated"], "o", color=colour, ms=4)
    axes.set(xlabel="time", ylabel="angle with the simplex ETF (degrees)", ylim=(-3, None))
    axes.set_title("class means along the LE-ODE: closed form, integrated (dots)")
    axes.legend(title="impact between classes", loc="center right", bbox_to_anchor=(1.0, 0.38))


def _draw_separation(axes: Axes, found: dict[str, Curves], settings: Settings) -> None:
    for colour, (t, record) in zip((COLOURS[3], COLOURS[0], "black"), found.items(), strict=False):
        power = round(np.log10(float(t)))
        axes.plot(record["fine"], record["along"], color=colour, label=rf"$t = 10^{{{power}}}$")
        axes.plot(record["gamma"], record["share"], "o", color=colour, ms=4)
    limit = elastic.separation_threshold(settings.K)
    axes.axvline(limit, color="#D55E00", linestyle=(0, (5, 2)), label=f"threshold K/2 = {limit:g}")
    axes.set(xlabel=r"$\gamma = t(\alpha_t - \beta_t)$", ylabel="share of runs separated")
    axes.set_title("two classes: along the means, any direction (dots)")
    axes.legend(loc="upper left")


def _draw_spread(axes: Axes, found: dict[str, Curves]) -> None:
    expected = found["expected"]
    axes.plot(expected["t"], expected["nc1"], color=COLOURS[0], label="driven by means, expected")
    names = {"means": "driven by the class means (42)", "own": "driven by their own features"}
    for drive, colour in (("means", COLOURS[0]), ("own", COLOURS[2])):
        axes.plot(
            found[drive]["t"], found[drive]["nc1"], "o", color=colour, label=names[drive], ms=4
        )
    axes.set(xlabel="time", ylabel="NC1: spread within over between", yscale="log")
    axes.set_title("LE-SDE: features collapse if the means drive them")
    axes.legend()


def _draw_residue(axes: Axes, found: Curves) -> None:
    axes.fill_between(found["epoch"], found["at_least"], found["at_mean"], color="#cfe3f1")
    curves = {"at_mean": ("equal margins, their mean", "-"), "at_least": ("their least", ":")}
    for name, (label, style) in curves.items():
        axes.plot(found["epoch"], found[name], style, color=COLOURS[0], label=label)
    axes.plot(found["epoch"], found["ratio"], ".", color="black", label="measured", ms=4)
    axes.axhline(1, color=COLOURS[2], linestyle=(0, (5, 2)), label="as large as the drift")
    axes.set(xlabel="epoch", ylabel="residue of (50) over drift", ylim=(0, None))
    axes.set_title("a network on digits: what (50) leaves out")
    axes.legend(loc="upper left")


def text(records: Sequence[Record], settings: Settings) -> str:
    """What the panels show in lines, means over seeds."""
    lines = []
    for beta, record in _mean(records, "alignment").items():
        lines.append(
            f"beta = {beta:>4}: angle with the simplex {record['angle'][0]:.1f} degrees at first, "
            f"{record['angle'][-1]:.2g} at t = {settings.until:g}; closed form and integration "
            f"differ by {record['largest_difference'][0]:.0e} relatively"
        )
    for t, record in _mean(records, "separation").items():
        crossing = _half(record["fine"], record["along"])
        lines.append(f"t = {float(t):.0e}: half of the runs separate at gamma = {crossing:.3f}")
    lines.append(f"threshold K/2 = {elastic.separation_threshold(settings.K):g}")
    for drive in ("means", "own"):
        values = _mean(records, "spread")[drive]["nc1"]
        lines.append(f"NC1, driven by {drive}: {values[0]:.2g} at first, {values[-1]:.2g} at last")
    record = _mean(records, "residue")
    lines.append(
        f"{settings.data}: residue over drift {record['ratio'][0]:.2f} at first, "
        f"{record['ratio'][-1]:.2f} at mean margin {record['margin'][-1]:.1f} "
        f"(equal margins of that: {record['at_mean'][-1]:.2f}); cosine of the linear part with "
        f"the drift {record['opposed'][-1]:.2f}"
    )
    return "\n".join(lines)


def _half(grid: Sequence[float], values: Sequence[float]) -> float:
    """Where increasing values pass a half."""
    return float(np.interp(0.5, values, grid))


EXPERIMENT = Experiment(
    "elastic-dynamics",
    "review Sec. 3.2",
    __doc__.partition("\n")[0],
    SCALES,
    parts,
    compute,
    findings,
    {"elastic_dynamics": draw},
    text,
)
