"""Run an experiment: `python -m experiments list`, `python -m experiments NAME --out DIR`.

An experiment is a module of this package with a function `main(out, seed, device, progress)` that
writes its results into the folder `out` and returns the path of what it wrote.
"""

import importlib
import inspect
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

import click

import experiments
from ncbounds.errors import InputError, NcboundsError


def available() -> list[str]:
    """The names of all experiments, as the command line takes them."""
    found = pkgutil.iter_modules(experiments.__path__)
    names = (module.name for module in found if not module.ispkg)
    return sorted(name.replace("_", "-") for name in names if not name.startswith("_"))


def load(name: str) -> ModuleType:
    """Import the experiment of that name. Raises InputError for a name that is not listed."""
    name = name.replace("_", "-")
    if name not in available():
        raise InputError("NAME", name, f"one of {', '.join(available())}")
    return importlib.import_module(f"experiments.{name.replace('-', '_')}")


def title(module: ModuleType) -> str:
    """The first line of the module's docstring."""
    return (inspect.getdoc(module) or "").partition("\n")[0]


@click.command(context_settings={"show_default": True})
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("results"))
@click.option("--seed", type=click.IntRange(min=0), default=0)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu")
def main(name: str, out: Path, seed: int, device: str) -> None:
    """Run the experiment NAME and write its results into a folder; NAME `list` lists all."""
    if name == "list":
        for known in available():
            click.echo(f"{known:24} {title(load(known))}")
        return
    try:
        path = load(name).main(out=out, seed=seed, device=device, progress=_show)
    except NcboundsError as error:
        click.echo(f"error: {error}", err=True)
        raise SystemExit(2) from None
    click.echo(f"wrote {path}")


def _show(done: int, total: int) -> None:
    """A progress line on the terminal, where there is one."""
    if sys.stderr.isatty() and (done % 10 == 0 or done == total):
        click.echo(f"\r{done}/{total}", nl=done == total, err=True)


if __name__ == "__main__":
    main(prog_name="python -m experiments")
