"""`ncbounds margin FILE`: certified one-vs-rest distances of the rows of a weight matrix."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ncbounds.cli.output import print_json, print_table, progress_bar
from ncbounds.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncbounds.codes.certificate import Margin

_FORMATS = (".npz", ".safetensors")
_QUANTILES = (0.01, 0.1, 0.5, 0.9, 0.99)
_TIGHTEST, _NEAREST, _DIGITS = 10, 3, 10


@click.command("margin")
@click.argument("file", type=click.Path(path_type=str))
@click.option(
    "--normalise/--raw",
    default=False,
    help="Measure the rows scaled to length 1, or as they are (the default).",
)
@click.option("--weights", "name", metavar="NAME", help="Which matrix of FILE, if it has several.")
@click.option("--row", "rows", type=int, multiple=True, help="Only this row; repeatable.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes.  [default: all cores]")
@click.option(
    "-o", "out", type=click.Path(path_type=Path), help="Write the certificate of all distances."
)
@click.option(
    "--check", "certificate", type=click.Path(path_type=str), help="Check this certificate anew."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    file: str,
    normalise: bool,
    name: str | None,
    rows: tuple[int, ...],
    workers: int | None,
    out: Path | None,
    certificate: str | None,
    as_json: bool,
) -> None:
    """Distance of each row of a matrix to the convex hull of the other rows, enclosed for certain.

    FILE is .npz or .safetensors, with an array `weights` (K, d) or with a single matrix, or a whole
    model: .onnx, of which the last linear layer counts, or .safetensors with --weights. A distance
    of 0 means that no direction of the features favours that class over all others.

    \b
    ncbounds margin model.onnx
    ncbounds margin model.safetensors --weights fc.weight
    ncbounds margin head.safetensors --normalise -o proof.safetensors
    ncbounds margin head.safetensors --check proof.safetensors
    """
    from ncbounds.measure.heads import read_head

    weights = read_head(file, name).weights
    if certificate is not None:
        if rows or out or normalise:
            option = "--row" if rows else "-o" if out else "--normalise"
            raise InputError(option, "given", "left out with --check", "the certificate tells")
        _check(weights, certificate, as_json)
        return
    if out is not None and (out.suffix not in _FORMATS or not out.resolve().parent.is_dir()):
        raise InputError("-o", str(out), f"in an existing folder, named *{' or *'.join(_FORMATS)}")
    margins = _search(weights, normalise, rows, workers or os.cpu_count() or 1)
    if out is not None:
        from ncbounds.codes.certificate import certificate_arrays
        from ncbounds.measure.files import write_arrays

        write_arrays(out, certificate_arrays(margins))
    if as_json:
        from ncbounds.codes.margin import margin_table

        K, d = weights.shape
        print_json({"K": K, "d": d, "normalised": normalise, **margin_table(margins)})
    else:
        _print(weights, margins)


def _search(
    weights: NDArray[Any], normalise: bool, rows: Sequence[int], workers: int
) -> list[Margin]:
    from ncbounds.codes.margin import one_vs_rest_distances

    with progress_bar("distances") as progress:
        return one_vs_rest_distances(
            weights, normalise=normalise, rows=rows or None, workers=workers, progress=progress
        )


def _check(weights: NDArray[Any], certificate: str, as_json: bool) -> None:
    """Check a certificate; exit with 1 if it does not hold."""
    from ncbounds.codes.certificate import check_margins, margins_of_arrays
    from ncbounds.measure.files import read_arrays

    margins = margins_of_arrays(read_arrays(certificate))
    failed = []
    with progress_bar("checking") as progress:
        for done, holds in enumerate(check_margins(weights, margins)):
            if not holds:
                failed.append(margins[done].row)
            progress(done + 1, len(margins), "rows")
    different = len({m.row for m in margins} & set(range(len(weights))))
    least = min(margins, key=lambda m: m.lower)
    if as_json:
        found = {"checked": len(margins), "failed": failed, "all_rows": different == len(weights)}
        print_json({"K": len(weights), "normalised": least.normalised, **found})
    else:
        click.echo(
            f"{different} of {len(weights)} rows{', scaled to length 1' * least.normalised}: "
            f"{len(margins) - len(failed)} certificates hold, {len(failed)} fail"
        )
        if failed:
            click.echo(f"failed: rows {', '.join(map(str, failed[:20]))}")
        elif different == len(weights):
            click.echo(f"every row is at least {_rounded(least.lower)} from the hull of the rest")
    if failed:
        sys.exit(1)


def _print(weights: NDArray[Any], margins: list[Margin]) -> None:
    import numpy as np

    K, d = weights.shape
    upper = np.array([m.upper for m in margins])
    outside = [m for m in margins if m.lower > 0]
    equal = sum(m.upper == 0 for m in margins)
    scaled = ", scaled to length 1" if margins[0].normalised else ""
    click.echo(f"K = {K} rows, d = {d} dimensions{scaled}")
    inside = len(margins) - len(outside)
    click.echo(
        f"{len(margins)} distances, {inside} of them 0 or too small to tell"
        f" ({equal} rows equal to another)"
    )
    if outside:
        width = max((m.upper - m.lower) / m.upper for m in outside)
        click.echo(f"of the others, upper and lower end differ by at most {width:.1e} relatively")
    low, high = min(m.lower for m in margins), float(upper.min())
    click.echo(f"least distance: {_interval(low, high)}")
    shown = ", ".join(
        f"{100 * q:g} %: {value:.5g}"
        for q, value in zip(_QUANTILES, np.quantile(upper, _QUANTILES), strict=True)
    )
    click.echo(f"quantiles: {shown}, most: {upper.max():.5g}")
    print_table(
        "\ntightest rows",
        ["row", "distance", "points in support", "nearest to (share)"],
        [
            [str(m.row), _interval(m.lower, m.upper), str(len(m.support)), _shares(m)]
            for m in sorted(margins, key=lambda m: (m.upper, m.row))[:_TIGHTEST]
        ],
    )


def _shares(margin: Margin) -> str:
    """The rows of which most goes into the nearest point of the hull."""
    shares = margin.weights / margin.weights.sum()
    order = sorted(range(len(shares)), key=lambda i: -shares[i])[:_NEAREST]
    shown = ", ".join(f"{margin.support[i]} ({100 * shares[i]:.0f} %)" for i in order)
    return shown + (", ..." if len(shares) > _NEAREST else "")


def _interval(lower: float, upper: float) -> str:
    """An interval of a few digits that contains the given one."""
    if lower == upper:
        return f"{lower:g}"
    return f"{_rounded(lower)} to {_rounded(upper, ROUND_CEILING)}"


def _rounded(value: float, direction: str = ROUND_FLOOR) -> str:
    if not math.isfinite(value):
        return str(value)
    return f"{Context(prec=_DIGITS, rounding=direction).create_decimal_from_float(value):g}"
