"""Run an experiment: `python -m experiments list`, `python -m experiments NAME --out DIR`.

An experiment is a module of this package with an `EXPERIMENT` (see `experiments.running`), or with
a function `main(out, seed, device, progress)` that writes its results into the folder `out` and
returns the path of what it wrote: a demonstration, which judges no claim of a paper. `python -m
experiments findings` prints what all results in a folder show of the papers' claims, `python -m
experiments times` what they took.
"""

import importlib
import inspect
import json
import pkgutil
import resource
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import click

import experiments
from experiments.running import read_findings, read_times, run
from ncbounds.errors import InputError, NcboundsError

_SHARED = ("running",)


def available() -> list[str]:
    """The names of all experiments, as the command line takes them."""
    found = pkgutil.iter_modules(experiments.__path__)
    names = (module.name for module in found if not module.ispkg and module.name not in _SHARED)
    return sorted(name.replace("_", "-") for name in names if not name.startswith("_"))


def load(name: str) -> ModuleType:
    """Import the experiment of that name. Raises InputError for a name that is not listed."""
    name = name.replace("_", "-")
    if name not in available():
        raise InputError("NAME", name, f"list, findings, times or one of {', '.join(available())}")
    return importlib.import_module(f"experiments.{name.replace('-', '_')}")


def title(module: ModuleType) -> str:
    """The first line of the module's docstring."""
    return (inspect.getdoc(module) or "").partition("\n")[0]


@click.command(context_settings={"show_default": True})
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("results"))
@click.option("--seed", type=click.IntRange(min=0), default=0, help="The first seed.")
@click.option("--seeds", type=click.IntRange(min=1), help="How many seeds, where one has several.")
@click.option("--scale", type=click.Choice(["small", "paper"]), default="small")
@click.option("--workers", type=click.IntRange(min=1), help="Processes; all cores without.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder with data sets in the layout of torchvision, for those that do not ship.",
)
@click.option("--markdown", is_flag=True, help="Of `findings`, `times`: for a page.")
def main(name: str, out: Path, markdown: bool, **options: Any) -> None:
    """Run the experiment NAME and write its results into a folder.

    NAME `list` lists all experiments, `findings` says what the results in the folder show, `times`
    how many processor seconds they took. A run that was stopped goes on where it was.
    """
    if name == "list":
        for known in available():
            module = load(known)
            source = getattr(getattr(module, "EXPERIMENT", None), "source", "demonstration")
            click.echo(f"{known:23} {source:23} {title(module)}")
        return
    try:
        if name == "findings":
            _show_findings(out, markdown)
        elif name == "times":
            _show_times(out, markdown)
        elif (experiment := getattr(module := load(name), "EXPERIMENT", None)) is None:
            _run_plain(module, out, **options)
        else:
            results = run(experiment, out, progress=_show, **options)
            chosen = experiment.scales[options["scale"]]
            click.echo(experiment.table(results.records, chosen))
            click.echo()
            for one in experiment.findings(results.records, chosen):
                click.echo(str(one))
            click.echo(f"wrote {out / experiment.name.replace('-', '_')}.json and figures")
    except NcboundsError as error:
        click.echo(f"error: {error}", err=True)
        raise SystemExit(2) from None


def _run_plain(module: ModuleType, out: Path, seed: int, device: str, **others: Any) -> None:
    """Run an experiment that knows one scale and its own seeds."""
    for option, given in others.items():
        if given not in (None, "small"):
            raise InputError(
                f"--{option}", given, f"left out: {title(module)[:60]} has no such choice"
            )
    before = _processor_seconds()
    path = module.main(out=out, seed=seed, device=device, progress=_show)
    name = module.__name__.rpartition(".")[2]
    spent = {"all": round(_processor_seconds() - before, 3)}
    kept = {"name": name.replace("_", "-"), "scale": "small", "seconds": spent, "parts": ["all"]}
    (out / f"{name}.seconds.json").write_text(json.dumps(kept), encoding="utf-8")
    click.echo(f"wrote {path}")


def _processor_seconds() -> float:
    """Of this process and of those that it waited for."""
    whom = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, whom))


def _show_findings(out: Path, markdown: bool) -> None:
    """A line for each claim: where, how it came out, how tight theory is there."""
    found = read_findings(out)
    if not found:
        raise InputError("--out", str(out), "a folder with results of experiments")
    if markdown:
        click.echo(
            "| experiment | claim | verdict | p | what theory says there |\n|---|---|---|---|---|"
        )
    for one in found:
        if markdown:
            cells = (f"`{one['name']}`", f"{one['claim']} ({one['source']})", one["verdict"])
            click.echo("| " + " | ".join((*cells, f"{one['p']:.2g}", one["tightness"])) + " |")
            continue
        click.echo(
            f"{one['verdict']:12} {one['source']:18} {one['claim']}"
            f" ({one['effect']}, p = {one['p']:.2g}, {one['name']})"
            + (f"; {one['tightness']}" if one["tightness"] else "")
        )


def _show_times(out: Path, markdown: bool) -> None:
    """Processor seconds by experiment, the dearest first, and their sum."""
    found = sorted(read_times(out), key=lambda one: -one["seconds"])
    if not found:
        raise InputError("--out", str(out), "a folder with results of experiments")
    row = "| `{}` | {} | {} | {:.0f} | {} |" if markdown else "{:24} {:6} {:>6} {:>9.1f}  {}"
    if markdown:
        click.echo("| experiment | scale | parts | processor seconds | |\n|---|---|---|---|---|")
    else:
        click.echo(f"{'experiment':24} scale   parts   seconds")
    for one in found:
        remark = f"{one['untimed']} parts without their time" if one["untimed"] else ""
        about = (one["name"], one["scale"], one["parts"], one["seconds"])
        click.echo(row.format(*about, remark).rstrip())
    total = sum(one["seconds"] for one in found)
    remark = f"{total / 60:.1f} processor minutes, {total / 120:.1f} on two cores"
    parts = sum(one["parts"] for one in found)
    click.echo(row.format("all", "", parts, total, remark))


def _show(done: int, total: int) -> None:
    """A progress line on the terminal, where there is one."""
    if sys.stderr.isatty() and (total < 100 or done % 10 == 0 or done == total):
        click.echo(f"\r{done}/{total}", nl=done == total, err=True)


if __name__ == "__main__":
    main(prog_name="python -m experiments")
