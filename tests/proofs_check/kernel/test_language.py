"""Terms as Coq prints them, read with its precedences and evaluated as it means them."""

import flint
import pytest
from small_theory import TEXT

from ncbounds.errors import InputError
from proofs_check.kernel.language import Apply, Binder, Name, Operation, names, parse
from proofs_check.kernel.meaning import NAT, REAL, Meaning, Typed, arrow
from proofs_check.kernel.statements import pinned
from proofs_check.kernel.statements import written as as_text

FUNCTION = arrow(NAT, REAL)
SCOPE = {
    "n": Typed(3, NAT),
    "m": Typed(5, NAT),
    "a": Typed(flint.arb(2), REAL),
    "x": Typed(lambda i: flint.arb(i + 1) if i < 3 else flint.arb(0), FUNCTION),
}
MEANING = Meaning(pinned(TEXT).definitions)


def value(text, type=REAL):
    return float(MEANING.value(parse(text), SCOPE, type).mid())


def truth(text):
    return MEANING.truth(parse(text), SCOPE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("10 - 3 - 2", 5),
        ("12 / 3 / 2", 2),
        ("- 2 ^ 2", -4),
        ("/ 4 * 2", 0.5),
        ("2 ^ 3 ^ 0", 2),
        ("a²", 4),
        ("exp 0 + ln 1 + sqrt 9", 4),
        ("Rmax (Rabs (- 3)) (Rmin 1 2)", 3),
        ("INR (n - 1)", 2),
        ("INR (n - m)", 0),
        ("INR n - INR m", -2),
        ("INR (2 * n + 1)", 7),
        ("x 0%nat + x (n - 1)%nat + x n", 4),
        ("sum n x", 6),
        ("mean n (fun i : nat => x i ^ 2)", 14 / 3),
        ("sum n (fun i : nat => if Nat.eq_dec i 1 then 10 else x i)", 14),
        ("sum n (fun i : nat => if (i <? 1)%nat then 1 else 0)", 1),
        ("let b := a + 1 in b * b", 9),
        ("sum n (fun i : nat => sum n (fun j : nat => x i * x j))", 36),
        ("limit 4", 5),
        ("0.5 + 1", 1.5),
    ],
)
def test_a_term_has_the_value_that_coq_gives_it(text, expected):
    assert value(text) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 < a <= 2", True),
        ("a < 2", False),
        ("a <= 1 \\/ a = 2", True),
        ("a <> 2", False),
        ("~ a <= 1 /\\ a >= 2", True),
        ("a > 3 -> a < 0", True),
        ("(n < m)%nat", True),
        ("(n <= m /\\ m <= n)%nat", False),
        ("forall i : nat, (i < n)%nat -> x i <= 3", True),
        ("forall i : nat, (i < n)%nat -> x i <= 2", False),
        ("forall i j : nat, (i < n)%nat -> (j < n)%nat -> i <> j -> x i <> x j", True),
        ("forall i : nat, (i <= n)%nat -> 0 < x i", False),
        ("forall y : R, 0 <= y ^ 2", True),
        ("forall y : R, y < 1", False),
        ("forall f : nat -> R, 0 <= sum n (fun i : nat => f i * f i)", True),
        ("exists y : R, y < 0", None),
        ("ln (- 1) <= 0", None),
        ("(a <= 1 <-> n = m)", True),
    ],
)
def test_a_proposition_holds_or_not_or_is_not_decided(text, expected):
    assert truth(text) is expected


def test_quantifiers_reach_to_the_end_and_arrows_bind_to_the_right():
    term = parse("forall (n : nat) (x y : nat -> R), P n -> Q x -> x = y /\\ P n \\/ Q y")
    assert isinstance(term, Binder) and (term.name, term.body.name) == ("n", "x")
    assert term.body.type == Operation("->", (Name("nat"), Name("R")))
    arrows = term.body.body.body
    assert arrows.operands[0] == Apply(Name("P"), (Name("n"),))
    assert arrows.operands[1].operands[1].symbol == "\\/"


def test_names_are_found_at_any_depth():
    assert names(parse("forall i : nat, (i < n)%nat -> f (g i) = 1")) >= {"n", "f", "g", "nat"}


@pytest.mark.parametrize(
    "text", ["", "1 +", "forall x, x = x", "a ? b", "(1", "1)", "match n with"]
)
def test_what_is_not_of_the_language_is_refused(text):
    with pytest.raises(InputError, match="statement"):
        parse(text)


def test_an_unknown_name_is_refused():
    with pytest.raises(InputError, match="mystery"):
        value("mystery 1")


def test_recorded_statements_are_read_as_they_are_written():
    text = as_text(pinned(TEXT))
    assert text.split() == TEXT.split()
    assert pinned(text) == pinned(TEXT)
