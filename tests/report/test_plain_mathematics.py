"""Formulas in the prose of steps are found and set; words stay words."""

import re

import pytest

from ncbounds.report.page.plain_mathematics import typeset
from ncbounds.report.page.words import prose


def read(html):
    """What is set, with scripts in brackets and formulas between dollars."""
    for tag, mark in (("msup", "^"), ("msub", "_")):
        html = re.sub(rf"<{tag}>(<m[ion]>[^<]*</m[ion]>)", rf"\1{mark}", html)
    html = html.replace("<mrow>", "{").replace("</mrow>", "}")
    html = html.replace("<math>", "$").replace("</math>", "$").replace("<msqrt>", "√{")
    html = html.replace("</msqrt>", "}").replace("\u2009", " ")
    return re.sub(r"<[^>]*>", "", html).replace("&lt;", "<").replace("&gt;", ">")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("u^2/2 is the sharp bound", "$u^2/2$ is the sharp bound"),
        ("r^2 - s^2 = <w, h>, so r >= s", "$r^2−s^2=⟨w,h⟩$, so $r≥s$"),
        ("at most K - 1 = n + 1 caps of share r each", "at most $K−1=n+1$ caps of share $r$ each"),
        ("1 - var <= e^(2 x)", "$1− var≤e^{2x}$"),
        ("the sum <= m", "the sum $≤m$"),
        ("the rest is >= 0, <G, A F> too", "the rest is $≥0$, $⟨G,AF⟩$ too"),
        ("|h + a w|^2 = 1 - a^2 is at most 1", "$|h+aw|^2=1−a^2$ is at most 1"),
        ("a positive gap over a length 1/(1+b)", "a positive gap over a length $1/(1+b)$"),
        ("sqrt(2 - gamma*) > 0", "$√{2−γ^*}>0$"),
        ("f'(x) = e^-x", "$f^′(x)=e^{−x}$"),
        ("2 sin a sin b in f''", "$2 sin a sin b$ in $f^{′′}$"),
        ("log x <= x", "$log x≤x$"),
        ("sigma/mu 0.142 to 0.399, rho 1.05", "$σ/μ$ 0.142 to 0.399, $ρ$ 1.05"),
        ("x <= 2 log 2.5, off by 5.0e-06", "$x≤2 log 2.5$, off by $5.0e-06$"),
        ("(1, ..., 1) + t", "$(1,…,1)+t$"),
        ("NC1 and NC2 of 17 cases (see 3.5)", "NC1 and NC2 of 17 cases (see 3.5)"),
        ("log-odds, factor-4, self-duality, L-BFGS", "log-odds, factor-4, self-duality, L-BFGS"),
        ("identity (log)", "identity (log)"),
        ("(a) a mean (b) A sum", "(a) a mean (b) A sum"),
        ("unbalanced (x^2 of it", "unbalanced (x^2 of it"),
        ("", ""),
    ],
)
def test_a_formula_is_told_from_words(text, meant):
    assert read(typeset(text)) == meant


def test_what_is_not_mathematics_is_escaped():
    assert typeset("tags & <b-like>") == "tags &amp; &lt;b-like&gt;"
    assert "<script" not in typeset("a <script> alert(1) </script> b")
    assert "<script" not in prose("x < y & <script>alert(1)</script> `<b>` $a<b$")


def test_an_id_becomes_a_link_unless_it_stands_in_one():
    assert prose("see gnc:eq-4.") == 'see <a href="#gnc:eq-4">gnc:eq-4</a>.'
    assert prose("see gnc:eq-4.", linked=False) == "see gnc:eq-4."


def test_no_line_begins_with_the_comma_after_a_formula():
    assert prose("$x$, y").startswith('<span class="n"><math><mi>x</mi></math>,</span>')
