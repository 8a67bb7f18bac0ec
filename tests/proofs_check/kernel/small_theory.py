"""A claim and theorems small enough to plant errors in: means under a bound on the points."""

from dataclasses import replace

from ncbounds.theory.terms import Claim, Comparison, Field, Judgement
from proofs_check.kernel.register import Theorem
from proofs_check.kernel.statements import pinned

TEXT = """
Theorem mean_below in Small.v
  forall (n : nat) (x : nat -> R) (top : R),
  (0 < n)%nat ->
  (forall i : nat, (i < n)%nat -> x i <= top) ->
  mean n x <= top /\\ (forall i : nat, (i < n)%nat -> x i <= limit top)
  assuming Classical_Prop.classic

Definition sum : nat -> (nat -> R) -> R
  fix sum (n : nat) (f : nat -> R) {struct n} : R :=
    match n with
    | 0%nat => 0
    | S m => sum m f + f m
    end

Definition mean : nat -> (nat -> R) -> R
  fun (n : nat) (f : nat -> R) => sum n f / INR n

Definition limit : R -> R
  fun top : R => top ^ 2 / 4 + 1
"""


def judge(xp, *, x, top):
    """Points of at most `top` have a mean of at most `top`; and 2 t <= t^2/2 + 2."""
    return Judgement(
        (Comparison("bounded", x, top[:, None]),),
        (
            Comparison("mean", xp.mean(x, axis=-1), top),
            Comparison("points", x, (top * top / 4 + 1)[:, None]),
        ),
    )


CLAIM = Claim(judge, (Field("x", ("N",)), Field("top")), {"N": (1, 6)})
THEOREM = Theorem(
    "mean_below",
    "Small.v",
    "square:eq-25",
    "printed",
    "",
    bind=lambda v: {"n": len(v["x"]), "x": v["x"], "top": v["top"]},
    conclusions={"mean": 0, "points": 1},
)


def printed(*changes, theorem="mean_below"):
    """The small theory as Coq would print it, with some of its text replaced."""
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return pinned(text)


def against(statement, **changes):
    """A theorem of another statement, registered against the claim, and what Coq would print."""
    text = f"Theorem mean_fails in Small.v\n  {statement}\n  assuming nothing\n" + TEXT
    return replace(THEOREM, name="mean_fails", refutes=True, **changes), pinned(text)
