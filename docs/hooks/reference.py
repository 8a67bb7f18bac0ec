"""The pages of the reference, written from what they describe each time the site is built."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import ncbounds
from ncbounds.arithmetic.symbolic import latex
from ncbounds.cli import COMMANDS, group
from ncbounds.measure import HELD_OUT_METRICS, METRICS, Metric
from ncbounds.theory import statements
from ncbounds.theory.terms import PAPERS, Statement, Variant

if TYPE_CHECKING:
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # the experiments are found beside the package, not in it
    sys.path.insert(0, str(ROOT))

#: Tables that are public as data, and what they hold.
TABLES = {
    "ncbounds.measure.METRICS": "each metric by its name, as [Metrics](metrics.md) tells them",
    "ncbounds.measure.HELD_OUT_METRICS": "those of held-out samples beside training means",
    "ncbounds.measure.CHANGES": "what leaves many metrics alone, as `Metric.ignores` names it",
}
#: Public names that are not reached from `ncbounds` itself: module, and the names to show.
BEYOND = {
    "ncbounds.measure": (
        "Measurement",
        "Metric",
        "Accumulator",
        "FeatureTap",
        "measure_batches",
        "measure_file",
        "measure_weights",
        "Head",
        "read_head",
        "read_features",
        "write_features",
        "FeatureFile",
    ),
    "ncbounds.measure.network": (
        "Layer",
        "Network",
        "NetworkFile",
        "is_network",
        "network_of",
        "read_network",
        "write_network",
    ),
    "ncbounds.measure.depth": ("depth_profile", "profile_layers"),
    "ncbounds.integrations.torchmetrics": ("NeuralCollapse",),
    "ncbounds.integrations.lightning": ("MeasureCollapse", "MeasuredEpoch"),
    "ncbounds.report.measurement_plot": ("plot_measurements",),
    "ncbounds.report.recheck": ("recheck",),
    "ncbounds.codes.margin": ("one_vs_rest_distances",),
    "ncbounds.codes.solver": ("best_code",),
    "ncbounds.campaign": (
        "Campaign",
        "Counterexample",
        "Effort",
        "check",
        "refute",
        "run_campaign",
    ),
    "ncbounds.campaign.strategies": ("instances_of",),
    "ncbounds.theory.terms": ("Statement", "Variant", "Claim", "Field", "Comparison", "Bound"),
}


def on_files(files: Files, config: Any, **_: Any) -> Files:
    """Add the generated pages to those that were written."""
    from mkdocs.structure.files import File

    for path, write in pages().items():
        files.append(File.generated(config, path, content=write()))
    return files


def pages() -> dict[str, Callable[[], str]]:
    """What writes each generated page, by the path of the page."""
    return {
        "reference/commands.md": lambda: "\n\n".join(_commands()),
        "reference/python.md": lambda: "\n\n".join(_python()),
        "reference/metrics.md": lambda: "\n\n".join(_metrics()),
        "reference/statements/index.md": lambda: "\n\n".join(_index()),
        **{
            f"reference/statements/{paper}.md": partial(_statements, paper, title)
            for paper, title in PAPERS.items()
        },
        "reference/changes.md": _changes,
    }


def _statements(paper: str, title: str) -> str:
    return "\n\n".join(_paper(paper, title))


def _changes() -> str:
    text = (ROOT / "CHANGELOG.md").read_text()
    return text.replace("](docs/", "](../").replace("# Changelog", "# Changes", 1)


# -- the command line -----------------------------------------------------------------------------


def _commands() -> Iterator[str]:
    yield "# Command line"
    yield (
        "Exit status: 0 the command did its work (a refuted printed claim is a result), 1 "
        "something of ours does not hold, 2 bad input, told in one line. Every command has `-h`."
    )
    yield "\n".join(
        ["| command | |", "|---|---|"] + [f"| `ncbounds {n}` | {w} |" for n, w in COMMANDS.items()]
    )
    context = click.Context(group, info_name="ncbounds")
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        yield f"## `ncbounds {name}` {{#ncbounds-{name}}}"
        yield from command_help(command, click.Context(command, context, name))
    yield "## `python -m experiments` {#experiments}"
    yield from _experiments()


def command_help(command: click.Command, context: click.Context) -> Iterator[str]:
    """What `-h` prints of a command, as Markdown: usage, words, options."""
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{context.command_path} {usage}\n```"
    for paragraph in (command.help or "").split("\n\n"):
        if paragraph.startswith("\b"):
            yield "```text\n" + paragraph.lstrip("\b\n") + "\n```"
        else:
            yield prose(" ".join(paragraph.split()))
    rows = [
        (record[0], record[1])
        for parameter in command.get_params(context)
        if (record := parameter.get_help_record(context))
    ]
    told = [
        f"| `{option.replace('|', chr(92) + '|')}` | {prose(words)} |" for option, words in rows
    ]
    yield "\n".join(["| option | |", "|---|---|", *told])


def _experiments() -> Iterator[str]:
    from experiments.__main__ import available, load, title
    from experiments.__main__ import main as command

    yield from command_help(command, click.Context(command, info_name="python -m experiments"))
    told = [f"| `{name}` | {prose(title(load(name)))} |" for name in available()]
    yield "\n".join(["| NAME | |", "|---|---|", *told])


# -- Python ---------------------------------------------------------------------------------------


def _python() -> Iterator[str]:
    yield "# Python"
    yield (
        "Arrays are numpy arrays or torch tensors: `features` (n, d), `labels` (n,), `weights` "
        "(K, d), `bias` (K,). Errors are `ncbounds.InputError`, which names the parameter, its "
        "value, its domain and the remedy. What follows is imported when it is first used."
    )
    for name in ncbounds.__all__:
        if not name.startswith("_"):
            home = ncbounds._HOME[name]
            home = "ncbounds.measure.accumulator" if name == "measure" else home
            yield _directive(f"{home}.{name}", f"ncbounds.{name}")
    for module, names in BEYOND.items():
        for name in names:
            yield _directive(f"{module}.{name}", f"{module}.{name}")
    yield "## Tables"
    yield "\n".join(f"- `{name}`: {words}" for name, words in TABLES.items())


def _directive(path: str, heading: str) -> str:
    options = f"heading: {heading}\n      toc_label: {heading.removeprefix('ncbounds.')}"
    return f"::: {path}\n    options:\n      {options}"


# -- metrics --------------------------------------------------------------------------------------

_MOVES = {
    "lower": "Collapse sends it down.",
    "higher": "Collapse sends it up.",
    "neither": "Collapse does not fix its direction.",
}


def _metrics() -> Iterator[str]:
    from ncbounds.measure import definitions

    known = METRICS | HELD_OUT_METRICS
    yield "# Metrics"
    yield (
        f"The {len(known)} metrics of `ncbounds measure` and `ncbounds.measure`, by name. What "
        "they see and what it means that they vanish is proved in [Metrics](../metrics.md)."
    )
    for paragraph in (definitions.__doc__ or "").split("\n\n")[1:]:
        yield prose(" ".join(paragraph.split()))
    family = ""
    for name, metric in known.items():
        if name.partition(".")[0] != family:
            family = name.partition(".")[0]
            yield f"## {family.upper() if family in _INITIALS else family}"
        yield from _metric(name, metric)


_INITIALS = {"nc1", "nc2", "nc3", "nc4", "ncc", "cdnv", "gnc1", "gnc2", "gnc3"}


def _metric(name: str, metric: Metric) -> Iterator[str]:
    yield f"### `{name}` {{#{name}}}"
    yield prose(metric.what[0].upper() + metric.what[1:]) + "."
    yield f"```text\n{metric.formula}\n```"
    words = [_MOVES[metric.direction]]
    if metric.zero:
        words.append(f"Zero exactly where {metric.zero}.".replace("where only if", "only if"))
    if metric.needs_weights:
        words.append("Needs weights.")
    if metric.needs_held_out:
        words.append("Needs held-out features.")
    yield f"{prose(' '.join(words))} *Source: {prose(metric.source)}.*"


# -- statements -----------------------------------------------------------------------------------


def _index() -> Iterator[str]:
    known = statements().values()
    yield "# Statements"
    yield (
        f"The {len(known)} statements of four papers, in {sum(len(s.variants) for s in known)} "
        "wordings: `printed` as the paper says it, `corrected` the nearest true claim, `sharp` "
        "better than the paper. Verdicts are no part of this page, since nobody types one: "
        "`ncbounds list` and `ncbounds show` compute them from proofs and counterexamples."
    )
    for paper, title in PAPERS.items():
        rows = [
            f"| [`{s.id}`]({paper}.md#{s.id}) | {prose(s.title)} | {_wordings(s)} |"
            for s in known
            if s.source.paper == paper
        ]
        yield f"## {title}"
        yield "\n".join(["| id | statement | wordings |", "|---|---|---|", *rows])


def _wordings(s: Statement) -> str:
    names = [v.name for v in s.variants]
    return ", ".join(
        f"{names.count(name)} {name}" if names.count(name) > 1 else name
        for name in dict.fromkeys(names)
    )


def _paper(paper: str, title: str) -> Iterator[str]:
    yield f"# {paper}: {title}"
    for s in statements().values():
        if s.source.paper == paper:
            yield f"## `{s.id}` {{#{s.id}}}"
            yield f"**{prose(s.title)}.** *{prose(s.source.locator)}.*"
            for v in s.variants:
                yield from _variant(v)


def _variant(v: Variant) -> Iterator[str]:
    yield f"**{v.name}** · {prose(v.reading)}\n{{: .wording .{v.name} }}"
    yield prose(v.text)
    for label, words in (
        ("What is wrong", v.defect),
        ("Remark", v.remark),
        ("Why open", v.undecided),
    ):
        if words:
            yield f"*{label}.* {prose(words)}"
    sides = {"upper": "is at most", "lower": "is at least", "value": "equals"}
    for b in v.bounds:
        quantity = prose(b.quantity[0].upper() + b.quantity[1:])
        yield f"{quantity} {sides[b.direction]}\n\n$$\n{latex(b.formula)}\n$$"


def prose(text: str) -> str:
    """Plain text with LaTeX between dollars, as Markdown that shows just that."""
    parts = re.split(r"\$(.+?)\$", text)
    return "".join(
        rf"\({part}\)"
        if i % 2
        else re.sub(r"([\\*_<>\[\]|#])(?=[^`]*(?:`[^`]*`[^`]*)*$)", r"\\\1", part)
        for i, part in enumerate(parts)
    )
