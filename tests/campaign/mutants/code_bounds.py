"""Errors planted in the sharper bounds on the one-vs-rest distance, and on the dimension."""

from __future__ import annotations

from dataclasses import replace

from mutants.planting import changed, lhs, rhs
from ncbounds.theory.softmax_code.code_bounds import cap_upper, triangle_upper

CAPS = ("gnc:sharp-3", "sharp", "exact caps")
MOMENTS = ("gnc:sharp-4", "sharp", "first three moments")
TRIANGLES = ("gnc:sharp-4", "sharp", "Fejes Toth's bound, d = 3")
DELSARTE = ("gnc:sharp-4", "sharp", "Delsarte's inequality, any polynomial")
FIXED = ("gnc:remark-dimension", "printed", "for each fixed rho < 1, order of log K")
EXPLICIT = ("gnc:remark-dimension", "corrected", "log(K^2) over log(1/rho)")
INTEGERS = ("gnc:remark-dimension", "sharp", "certified integers")


def one_more(bound):
    """Take an upper bound at K + 1 instead of K."""

    def change(xp, q, i):
        K = 0 * q.lhs + i["w"].shape[1] + 1
        d = {"d": 0 * q.lhs + i["w"].shape[2]} if len(bound.parameters) == 2 else {}
        return replace(q, rhs=bound(xp, K=K, **d))

    return change


def any_sign(claim):
    """Let the coefficients of the polynomial be of any sign."""
    fields = tuple(replace(f, kind="real") if f.name == "f" else f for f in claim.fields)
    return replace(claim, fields=fields)


MUTANTS = {
    "caps: upper side 1 % smaller": (CAPS, lambda c: changed(c, "upper side", rhs(99, 100))),
    "caps: lower side 1 % larger": (CAPS, lambda c: changed(c, "lower side", lhs(101, 100))),
    "caps: one more of them packed": (
        CAPS,
        lambda c: changed(c, "upper side", one_more(cap_upper)),
    ),
    "caps: upper side with another exponent": (
        CAPS,
        lambda c: changed(c, "upper side", lambda xp, q, i: replace(q, rhs=q.rhs * q.rhs / 2)),
    ),
    "moments: upper side 1 % smaller": (
        MOMENTS,
        lambda c: changed(c, "upper side", rhs(99, 100)),
    ),
    "moments: second moments 1 % smaller": (
        MOMENTS,
        lambda c: changed(c, "second moments", rhs(99, 100)),
    ),
    "Fejes Toth: 1 % smaller": (TRIANGLES, lambda c: changed(c, "upper side", rhs(99, 100))),
    "Fejes Toth: at K + 1": (
        TRIANGLES,
        lambda c: changed(c, "upper side", one_more(triangle_upper)),
    ),
    "Delsarte: 1 % of the sum less": (
        DELSARTE,
        lambda c: changed(c, "sum over all pairs", rhs(99, 100)),
    ),
    "Delsarte: 1 % less in linear programming": (
        DELSARTE,
        lambda c: changed(c, "linear programming", rhs(99, 100)),
    ),
    "Delsarte: coefficients of any sign": (DELSARTE, any_sign),
    "dimension, fixed rho: a fifth is necessary": (
        FIXED,
        lambda c: changed(c, "necessary", rhs(1, 5)),
    ),
    "dimension, fixed rho: four times the margin": (
        FIXED,
        lambda c: changed(c, "sufficient", lhs(4)),
    ),
    "dimension: a third is necessary": (
        EXPLICIT,
        lambda c: changed(c, "necessary", rhs(1, 3)),
    ),
    "dimension: twice the margin": (EXPLICIT, lambda c: changed(c, "sufficient", lhs(2))),
    "dimension, integers: upper side 1 % smaller": (
        INTEGERS,
        lambda c: changed(c, "upper side", rhs(99, 100)),
    ),
    "dimension, integers: lower side 1 % larger": (
        INTEGERS,
        lambda c: changed(c, "lower side", lhs(101, 100)),
    ),
}
