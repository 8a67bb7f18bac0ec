"""`ncbounds optimality FILE`: how far features and weights are from a global minimum."""

from __future__ import annotations

import click

from ncbounds.cli.output import print_json, print_table
from ncbounds.laboratory.enclosed_risk import Loss
from ncbounds.laboratory.optimality import Optimality
from ncbounds.measure.optimality import optimality_of_file


@click.command("optimality")
@click.argument("file", type=click.Path(path_type=str))
@click.option(
    "--loss",
    type=click.Choice(["cross-entropy", "square"]),
    default="cross-entropy",
    show_default=True,
    help="The loss; the square one is half the squared distance to the one-hot label.",
)
@click.option("--lambda-A", "lambda_A", type=float, help="Decay of the weights.")
@click.option("--lambda-F", "lambda_F", type=float, help="Decay of the features.")
@click.option("--lambda-b", "lambda_b", type=float, help="Decay of the bias.  [default: 0]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    file: str,
    loss: Loss,
    lambda_A: float | None,
    lambda_F: float | None,
    lambda_b: float | None,
    as_json: bool,
) -> None:
    """How far a point of the regularised model is from its global minimum, for certain.

    FILE has features (n, d), labels, weights (K, d) and, if the model has one, a bias (K,); decays
    that are not given are its scalars `lambda_A`, `lambda_F`, `lambda_b`. The risk is the mean loss
    with lambda_A/2 |A|^2 + lambda_F/2 |F|^2 + lambda_b/2 |b|^2.

    \b
    ncbounds optimality point.npz --lambda-A 5e-3 --lambda-F 1e-3
    """
    found = optimality_of_file(
        file, lambda_A=lambda_A, lambda_F=lambda_F, lambda_b=lambda_b, loss=loss
    )
    if as_json:
        print_json(found.to_dict())
    else:
        _print(found)


def _print(found: Optimality) -> None:
    words = {"holds": "holds", "fails": "fails", "undecided": "not decided"}
    state = words[found.certificate]
    if found.certificate == "fails":
        excess = found.spectral_norm[0] - found.threshold[1]
        rounding = excess < 1e-12 * found.threshold[1]
        state += ", by what floats round off the point" if rounding else f", by {excess:.3g}"
    least = "least risk at least" + ("" if found.wide_enough else " (in any dimension)")
    rows = [
        ["risk", f"{found.risk[1]:.12g}"],
        [least, f"{found.least_risk:.12g}"],
        ["above the least risk by at most", f"{found.gap:.3g}"],
        ["spectral norm of the gradient by the outputs", f"{found.spectral_norm[1]:.12g}"],
        ["sqrt(lambda_A lambda_F)", f"{found.threshold[1]:.12g}"],
        ["certificate (25): no larger", state],
        ["gradient by weights, features, bias", "  ".join(f"{g:.3g}" for g in found.gradients)],
    ]
    if found.descent is not None:
        low, high = found.descent.curvature
        rows += [
            ["curvature along (27)", f"{low:.6g} .. {high:.6g}"],
            ["a step along (27) gains at least", f"{found.descent.gain:.6g}"],
        ]
    print_table(f"{found.loss} with weight decay", ["", "value"], rows)
