"""`ncbounds code D K`: the best code found, certified, beside the best proved bound."""

from __future__ import annotations

from pathlib import Path

import click

from ncbounds.cli.output import print_json, print_table, progress_bar
from ncbounds.codes.catalogue import known
from ncbounds.codes.solver import KINDS, Code, best_code
from ncbounds.errors import InputError

_SHOWN = 12


@click.command("code")
@click.argument("d", metavar="D", type=int)
@click.argument("K", metavar="K", type=int)
@click.option("--kind", default="softmax", show_default=True, help=f"One of {', '.join(KINDS)}.")
@click.option("--seed", default=0, show_default=True, help="Of the search.")
@click.option("--effort", default=1.0, show_default=True, help="Multiplies the restarts.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write `weights` (.safetensors, .npz)."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    d: int, k: int, kind: str, seed: int, effort: float, out: Path | None, as_json: bool
) -> None:
    """Find K classes in dimension D with the largest one-vs-rest distance that can be found.

    Softmax codes and Tammes codes have the same optimum, and --kind only names the code.

    \b
    ncbounds code 3 24
    ncbounds code 4 20 --out weights.safetensors
    """
    if out is not None:
        if out.suffix not in (".safetensors", ".npz"):
            raise InputError("--out", str(out), "a file named *.safetensors or *.npz")
        if not out.resolve().parent.is_dir():
            raise InputError("--out", str(out), "a file in a folder that exists")
    with progress_bar(f"code {d} {k}") as advance:
        code = best_code(d, k, kind, seed=seed, effort=effort, progress=advance)
    if out is not None:
        _write(code, out)
    if as_json:
        print_json(code.to_dict())
    else:
        _print(code)
        if out is not None:
            click.echo(str(out))


def _write(code: Code, out: Path) -> None:
    """Write the points as `weights`, and the certified distance beside them."""
    import numpy as np

    arrays = {
        "weights": np.ascontiguousarray(code.points),
        "one_vs_rest": np.array([code.lower, code.upper]),
    }
    if out.suffix == ".npz":
        np.savez(out, **arrays)  # type: ignore[arg-type]
        return
    from safetensors.numpy import save_file

    save_file(arrays, out)


def _print(code: Code) -> None:
    bound = code.best_proved_upper_bound
    gap = max(0.0, bound.value - code.lower)
    low, high = code.largest_inner_product
    entry = known(code.d, code.K)
    rows = [
        ["one-vs-rest distance", f"{code.lower:.15f} .. {code.upper:.15f}", "certified"],
        ["largest inner product", f"{low:.15f} .. {high:.15f}", "certified"],
        ["least angle", f"{code.angle_in_degrees:.10f} degrees", ""],
        ["best proved upper bound", f"{bound.value:.15f}", f"{bound.name}: {bound.source}"],
        [
            "left to the bound",
            f"{gap:.3g}",
            "the optimum, to 1e-12" if code.proved_optimal else "not known to be optimal",
        ],
        ["pairs in contact", str(code.contacts), ""],
        ["rattlers", _rattlers(code), "points without a neighbour in contact"],
        ["found by", code.construction, f"seed {code.seed}"],
    ]
    if entry is not None:
        rows.append(["in the catalogue", entry.name, f"optimal: {entry.optimal_by}"])
    print_table(f"{code.kind} code, d = {code.d}, K = {code.K}", ["", "value", "note"], rows)


def _rattlers(code: Code) -> str:
    if not code.rattlers:
        return "none"
    shown = ", ".join(str(k) for k in code.rattlers[:_SHOWN])
    more = len(code.rattlers) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
