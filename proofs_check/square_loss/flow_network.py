"""What proofs about the flow of the square loss share: networks by hand, and steps they all take.

`ByHand` computes outputs and gradients of a ReLU network by backpropagation in plain loops on exact
numbers, the normalised ones by homogeneity from those of the plain weights: another way than the
claims', which differentiate forward at the normalised weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import Matrix, diff, sqrt

from ncbounds.arithmetic import balls
from proofs_check.steps import Fact, Step, identity, number

CALCULUS = Fact(
    "Rules of differentiation",
    "The derivative of a finite sum is the sum of the derivatives; products and compositions are "
    "differentiated by the product rule and the chain rule.",
    "Rudin, Principles of Mathematical Analysis, Theorems 5.3, 5.5 and 9.15",
)


class ByHand:
    """A network on its inputs: margins and gradients by the plain weights, all exact.

    `f[n]` is the output times the label, `by_w[n]` and `by_v[n]` its derivatives in one row each.
    """

    def __init__(self, W: Any, v: Any, x: Any, y: Any = None, kink: Any = 0) -> None:
        self.K, self.m, self.N = len(W), len(v), len(x)
        self.W, self.v = W, v
        signs = [1] * self.N if y is None else [2 * number(label) - 1 for label in y]
        slope = number(kink)
        self.signs = signs
        self.f, self.by_w, self.by_v = [], [], []
        for point, sign in zip(x, signs, strict=True):
            f, by_w, by_v = self._backward(list(point), slope)
            self.f.append(sign * f)
            self.by_w.append([sign * entry for entry in by_w])
            self.by_v.append([sign * entry for entry in by_v])

    def _backward(self, a: list[Any], slope: Fraction) -> tuple[Any, list[Any], list[Any]]:
        layers = []
        for matrix in self.W:
            z = [sum(w * b for w, b in zip(row, a, strict=True)) for row in matrix]
            slopes = [Fraction(1) if t > 0 else Fraction(0) if t < 0 else slope for t in z]
            layers.append((a, slopes))
            a = [t if t > 0 else Fraction(0) for t in z]
        f = sum(w * b for w, b in zip(self.v, a, strict=True))
        back: list[Any] = list(self.v)
        by_w: list[Any] = []
        for matrix, (below, slopes) in reversed(list(zip(self.W, layers, strict=True))):
            back = [b * s for b, s in zip(back, slopes, strict=True)]
            by_w = [b * e for b in back for e in below] + by_w
            back = [sum(matrix[i][j] * back[i] for i in range(self.m)) for j in range(self.m)]
        return f, by_w, a

    @property
    def weights(self) -> tuple[list[Any], list[Any]]:
        """The weights in one row each: the hidden ones, the last."""
        return [w for matrix in self.W for row in matrix for w in row], list(self.v)

    def layer(self, entries: list[Any], k: int) -> list[Any]:
        """The part of a row of hidden entries that belongs to one layer."""
        return entries[k * self.m**2 : (k + 1) * self.m**2]


class Unit:
    """The same with every layer normalised, in balls."""

    def __init__(self, net: ByHand) -> None:
        self.K, self.m, self.N = net.K, net.m, net.N
        self.signs, self.layer = net.signs, net.layer
        hidden, last = net.weights
        squares = [sum(w * w for w in net.layer(hidden, k)) for k in range(net.K)]
        self.norms = [balls.ball(Fraction(square)).sqrt() for square in squares]
        self.last_norm = balls.ball(Fraction(sum(w * w for w in last))).sqrt()
        self.product = self.last_norm
        for one in self.norms:
            self.product = self.product * one
        size = [self.norms[p // net.m**2] for p in range(len(hidden))]
        self.V = [balls.ball(w) / s for w, s in zip(hidden, size, strict=True)]
        self.top = [balls.ball(w) / self.last_norm for w in last]
        self.f = [balls.ball(f) / self.product for f in net.f]
        self.by_w = [
            [balls.ball(g) * s / self.product for g, s in zip(row, size, strict=True)]
            for row in net.by_w
        ]
        self.by_v = [
            [balls.ball(g) * self.last_norm / self.product for g in row] for row in net.by_v
        ]
        self.mu = sum(self.f) / self.N
        self.M = sum(f * f for f in self.f) / self.N

    def flow(self, rho: Any, decay: Any) -> tuple[Any, list[Any], list[Any]]:
        """The rates of rho, of the hidden layers and of the last one, sample by sample."""
        rho = balls.ball(rho)
        rate = 2 * (self.mu - rho * self.M - balls.ball(decay) * rho)
        parts = (self.V, self.by_w), (self.top, self.by_v)
        moved = []
        for weights, by in parts:
            moved.append(
                [
                    2
                    * rho
                    / self.N
                    * sum(
                        (1 - rho * self.f[n]) * (by[n][p] - weights[p] * self.f[n])
                        for n in range(self.N)
                    )
                    for p in range(len(weights))
                ]
            )
        return rate, moved[0], moved[1]


def square(entries: list[Any]) -> Any:
    """Sum of squares."""
    return sum(entry * entry for entry in entries)


def against(entries: list[Any], terms: list[Any]) -> tuple[Any, Any]:
    """Two equal sides, seen against the size of terms that add up to them."""
    size = sum(balls.ball(term) * balls.ball(term) for term in terms).sqrt()
    return same([balls.ball(entry) + size for entry in entries])


def same(value: Any) -> tuple[Any, Any]:
    """Two sides that are equal."""
    return value, value


# -- steps ----------------------------------------------------------------------------------------

_z = sympy.Symbol("z", positive=True)
_kink = sympy.Symbol("kink", real=True)


def _small_network() -> tuple[Any, Any, Any, Any, Any]:
    """Two hidden layers of two units with slopes of either kind, and a tangent of the first."""
    first = Matrix(2, 2, sympy.symbols("a:4", real=True))
    second = Matrix(2, 2, sympy.symbols("b:4", real=True))
    top = Matrix(1, 2, sympy.symbols("c:2", real=True))
    inputs = Matrix(2, 1, sympy.symbols("x:2", real=True))
    slopes = [sympy.diag(*sympy.symbols(f"{name}:2", real=True)) for name in "pq"]
    return first, second, top, inputs, slopes


def homogeneity() -> Iterator[Step]:
    """A unit's slope times its input is its output; so a layer moved along itself moves f by f.

    Moved in the direction of W_k, the inputs of its units change at a rate that is the inputs
    themselves. If the inputs of a layer change so, its outputs do, and so do the inputs of the
    next layer, which are linear in them; at the end, the output.
    """
    yield identity("a unit above zero: 1 z = z", diff(sympy.Max(0, _z), _z) * _z, _z)
    yield identity("below zero: 0 (-z) = 0", sympy.Integer(0) * -_z, sympy.Max(0, -_z))
    yield identity("at zero, any slope: kink 0 = 0", _kink * 0, sympy.Max(0, sympy.Integer(0)))
    first, second, top, inputs, (p, q) = _small_network()
    a = p * first * inputs
    f = (top * q * second * a)[0]
    for name, layer in (("first", first), ("second", second), ("last", top)):
        yield identity(
            f"sum of weight times derivative, {name} layer", sum(w * diff(f, w) for w in layer), f
        )
    t = sympy.Symbol("t", positive=True)
    z = Matrix(2, 1, sympy.symbols("z:2", real=True))
    moved = second * p * (z + t * z)
    yield identity(
        "inputs that change like themselves pass it on",
        sum(entry**2 for entry in diff(moved, t) - second * p * z),
        0,
    )


def positive_homogeneity() -> Iterator[Step]:
    """A positive factor passes through a unit, so f is that of the normalised layers times all."""
    t = sympy.Symbol("t", positive=True)
    yield identity("a unit above zero", sympy.Max(0, t * _z), t * sympy.Max(0, _z))
    yield identity("and below", sympy.Max(0, -t * _z), t * sympy.Max(0, -_z))
    first, second, top, inputs, (p, q) = _small_network()
    r, s, u = sympy.symbols("r s u", positive=True)
    whole = (top * q * second * p * first * inputs)[0]
    unit = ((top / u) * q * (second / s) * p * (first / r) * inputs)[0]
    yield identity("f_W = rho f_V, the slopes being the same", whole, r * s * u * unit)


def chain_rule() -> Iterator[Step]:
    """The derivatives of one sample's loss, of a constraint and of the penalty."""
    rho, t, nu, decay, rest = sympy.symbols("rho t nu lambda rest", real=True)
    f, slope, bend = sympy.symbols("f slope bend", real=True)
    margin = f + slope * t + bend * t**2  # what a derivative sees of any function
    by_t = diff(margin, t)
    residual = 1 - rho * margin
    yield identity("by rho", -diff(residual**2, rho), 2 * residual * margin)
    yield identity("by a weight", -diff(residual**2, t), 2 * residual * rho * by_t)
    for label in (1, -1):
        yield identity(
            f"the first form of (1), label {label}",
            (rho * (label * margin) - label) ** 2,
            residual**2,
        )
    yield identity("a constraint", -diff(nu * (t**2 + rest - 1), t), -2 * nu * t)
    yield identity("the penalty", -diff(decay * rho**2, rho), -2 * decay * rho)


def multipliers() -> Iterator[Step]:
    """<V_k, V'_k> = 0 with |V_k| = 1 and <V_k, df/dV_k> = f determines nu_k; its forms."""
    rho, f, nu, norm2 = sympy.symbols("rho f nu norm2", real=True)
    residual = 1 - rho * f
    along = 2 * residual * rho * f - 2 * nu * norm2
    yield identity(
        "it vanishes at nu = rho f (1 - rho f)", along.subs({norm2: 1, nu: rho * f * residual}), 0
    )
    yield identity("the first form", rho * f - (rho * f) ** 2, rho * f * residual)
    yield identity("in means", rho * f * residual, rho * (f - rho * f**2))
    yield identity(
        "inserted: -2 nu V joins the sum",
        2 * residual * rho * sympy.Symbol("g") - 2 * (rho * f * residual) * sympy.Symbol("V"),
        2 * rho * residual * (-sympy.Symbol("V") * f + sympy.Symbol("g")),
    )


def normalisation() -> Iterator[Step]:
    """The derivative of U/|U|, and that it projects."""
    u, w, rest = sympy.symbols("u w rest", positive=True)
    length = sqrt(u**2 + w**2 + rest**2)
    V, other = u / length, w / length
    yield identity("d V_i/d U_i = (1 - V_i^2)/|U|", diff(V, u), (1 - V**2) / length)
    yield identity("d V_j/d U_i = -V_i V_j/|U|", diff(other, u), -V * other / length)
    g, V, f = sympy.symbols("g V f", real=True)
    across = sympy.Symbol("across", real=True)  # sum over the other j of V_j df/dV_j
    yield identity(
        "df/dU_i = (df/dV_i - V_i <V, df/dV>)/|U|, and <V, df/dV> = f",
        ((1 - V**2) * g - V * across).subs(across, f - V * g),
        g - V * f,
    )
