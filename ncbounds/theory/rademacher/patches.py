"""Convolutional layers in one dimension: norms of their matrices, and patches that overlap.

A layer applies one kernel of K numbers to P patches of its input, each K - O further on than the
one before, so that neighbours share O numbers; its matrix repeats the kernel in P rows. A chain is
`levels` such layers, each followed by a ReLU, and a linear readout over the P outputs of the last;
L counts the readout too. The complexity here is without the factor 2.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import Condition, formula, integer
from ncbounds.theory.rademacher.binary_tree import (
    TREE_AXES,
    TREE_FIELDS,
    TREE_SIZES,
    proof_tree_bound,
    sign_vectors,
    tree_claim,
)
from ncbounds.theory.rademacher.moments import (
    NORM,
    RHO,
    L,
    M,
    moment_network_bound,
    relu_factor,
    size_independent_network_bound,
)
from ncbounds.theory.terms import (
    Bound,
    Claim,
    Comparison,
    Field,
    Judgement,
    Sizes,
    Source,
    Statement,
    Variant,
)

K = integer("K", "size of the kernels", "K", at_least=1)
STRIDE = integer("s", "step from a patch to the next, K less the overlap O", "s", at_least=1)
MEMBERSHIPS = integer("c", "patches that may hold one number", "c", at_least=1)
_COVERS = (Condition("s <= K", lambda xp, K, s, **_: K - s, strict=False),)

# -- geometry, from sizes alone -------------------------------------------------------------------


def inputs_of(outputs: int, size: int, stride: int, levels: int) -> int:
    """Number of inputs of a chain of layers with so many outputs."""
    for _ in range(levels):
        outputs = (outputs - 1) * stride + size
    return outputs


def path_counts(outputs: int, size: int, stride: int, levels: int) -> list[int]:
    """For each input of a chain the number of its paths to the readout."""
    counts = [1] * outputs
    for _ in range(levels):
        below = [0] * ((len(counts) - 1) * stride + size)
        for patch, paths in enumerate(counts):
            for place in range(patch * stride, patch * stride + size):
                below[place] += paths
        counts = below
    return counts


def memberships(size: int, stride: int) -> int:
    """The most patches that can hold one number: K/(K-O), rounded up."""
    return -(-size // stride)


def patches(xp: Any, values: Any, size: int, stride: int) -> Any:
    """The patches of the last axis: (..., D) to (..., P, K)."""
    count = (values.shape[-1] - size) // stride + 1
    starts = [stride * p for p in range(count)]
    return xp.stack([values[..., s : s + size] for s in starts], axis=-2)


# -- norms of the layers' matrices ----------------------------------------------------------------


def toeplitz_matrix(xp: Any, kernel: Any, rows: int, stride: int) -> Any:
    """The matrix of a layer, a shifted copy of the kernel in every row: (B, K) to (B, P, D)."""
    size = kernel.shape[1]
    width = (rows - 1) * stride + size
    nothing = 0 * kernel[:, 0]
    return xp.stack(
        [
            xp.stack(
                [
                    kernel[:, j - r * stride] if 0 <= j - r * stride < size else nothing
                    for j in range(width)
                ],
                axis=-1,
            )
            for r in range(rows)
        ],
        axis=-2,
    )


def joined(xp: Any, own: Any, shared: Any) -> Any:
    """The kernel whose last entries meet what the next patch holds too: (..., s) and (..., O)."""
    parts = (own, shared)
    return xp.stack([part[..., j] for part in parts for j in range(part.shape[-1])], axis=-1)


def _length(xp: Any, x: Any) -> Any:
    return xp.sqrt(xp.sum(x * x, axis=-1))


def _frobenius(xp: Any, matrix: Any) -> Any:
    return xp.sqrt(xp.sum(xp.sum(matrix * matrix, axis=-1), axis=-1))


def printed_toeplitz_claim(xp: Any, *, own: Any, shared: Any, signal: Any, probe: Any) -> Judgement:
    """The Frobenius norm of the matrix is that of the kernel times the number of patches."""
    kernel = joined(xp, own, shared)
    matrix = toeplitz_matrix(xp, kernel, probe.shape[1], own.shape[1])
    norm = probe.shape[1] * _length(xp, kernel)
    return Judgement((), (Comparison("Frobenius norm", _frobenius(xp, matrix), norm, "="),))


def toeplitz_claim(xp: Any, *, own: Any, shared: Any, signal: Any, probe: Any) -> Judgement:
    """Frobenius norm sqrt(P) |w|; spectral norm at most |w| times the root of the memberships."""
    kernel = joined(xp, own, shared)
    rows, size, stride = probe.shape[1], kernel.shape[1], own.shape[1]
    matrix = toeplitz_matrix(xp, kernel, rows, stride)
    norm = _length(xp, kernel)
    image = xp.sum(xp.sum(matrix * signal[:, None, :], axis=-1) * probe, axis=-1)
    largest = xp.sqrt(0 * norm + memberships(size, stride)) * norm
    return Judgement(
        (),
        (
            Comparison(
                "Frobenius norm", _frobenius(xp, matrix), xp.sqrt(0 * norm + rows) * norm, "="
            ),
            Comparison(
                "spectral norm", xp.abs(image), largest * _length(xp, signal) * _length(xp, probe)
            ),
        ),
    )


_LAYER_FIELDS = (
    Field("own", ("s",)),
    Field("shared", ("O",)),
    Field("signal", ("D",)),
    Field("probe", ("P",)),
)
_LAYER_SIZES = {"s": (1, 3), "O": (1, 3), "P": (1, 4)}


def _kernel_size(sizes: Sizes) -> int:
    return sizes["s"] + sizes["O"]


def _layer_inputs(sizes: Sizes) -> int:
    return inputs_of(sizes["P"], _kernel_size(sizes), sizes["s"], 1)


_LAYER_AXES = {"D": _layer_inputs}

REMARK_TOEPLITZ = Statement(
    id="square:remark-toeplitz",
    kind="remark",
    title="Norms of kernels and of Toeplitz matrices",
    source=Source("square", "Sec. 4.3"),
    topic="rademacher",
    variants=(
        Variant(
            "printed",
            "norm of the kernel times number of patches",
            r"The Frobenius norm of a convolutional layer's matrix is that of its kernel times the "
            r"number of patches: $\|W\|_F = P |w|$.",
            Claim(printed_toeplitz_claim, _LAYER_FIELDS, _LAYER_SIZES, _LAYER_AXES),
            defect="The squares add up: the matrix has P copies of the kernel, so its norm is that "
            "of the kernel times the root of the number of patches.",
        ),
        Variant(
            "corrected",
            "times the root of the number of patches",
            r"$\|W\|_F = \sqrt P\,|w|$, and the spectral norm of W is at most "
            r"$\sqrt{\lceil K/(K-O) \rceil}\,|w|$: without overlap it is $|w|$.",
            Claim(toeplitz_claim, _LAYER_FIELDS, _LAYER_SIZES, _LAYER_AXES),
            remark="With channels the same holds for the Frobenius norm of the filter bank.",
        ),
    ),
)


# -- Conjecture 1 ---------------------------------------------------------------------------------


@formula(L, RHO, M, NORM, K, STRIDE, conditions=_COVERS)
def printed_overlap_bound(xp: Any, L: Any, rho: Any, m: Any, norm: Any, K: Any, s: Any) -> Any:
    """Printed bound on the complexity without the factor 2, with a single factor for overlap."""
    return 2 ** (L - 1) * rho * xp.sqrt(K / s) * norm / m


@formula(L, RHO, M, NORM, K, STRIDE, conditions=_COVERS)
def layerwise_overlap_bound(xp: Any, L: Any, rho: Any, m: Any, norm: Any, K: Any, s: Any) -> Any:
    """The printed bound with a factor for overlap for each layer below the readout."""
    return 2 ** (L - 1) * rho * xp.sqrt((K / s) ** (L - 1)) * norm / m


@formula(L, RHO, M, NORM, MEMBERSHIPS)
def membership_bound(xp: Any, L: Any, rho: Any, m: Any, norm: Any, c: Any) -> Any:
    """Bound where each of the L - 1 layers holds a number in at most c patches."""
    return relu_factor(xp, 0 * L + 1) ** (L - 1) * rho * xp.sqrt(c ** (L - 1)) * norm / m


def chain_outputs(xp: Any, samples: Any, own: Any, shared: Any, readout: Any, rho: Any) -> Any:
    """Outputs of chains with kernel norms 1 and readout of norm rho, one network a sign vector.

    `samples` (B, m, D), kernels in two parts (B, S, levels, s) and (B, S, levels, O), `readout`
    (B, S, P); lengths of kernels and readout do not count. Returns (B, S, m).
    """
    kernels, stride = joined(xp, own, shared), own.shape[3]
    levels, size = kernels.shape[2], kernels.shape[3]
    values = xp.reshape(samples, (samples.shape[0], 1, *samples.shape[1:]))
    for level in range(levels):
        kernel = kernels[:, :, level, :]
        unit = kernel / _length(xp, kernel)[..., None]
        values = xp.sum(patches(xp, values, size, stride) * unit[:, :, None, None, :], axis=-1)
        values = xp.maximum(values, 0 * values)
    top = readout / _length(xp, readout)[..., None]
    return xp.sum(values * top[:, :, None, :], axis=-1) * rho[:, None, None]


def chain_complexity(xp: Any, samples: Any, own: Any, shared: Any, readout: Any, rho: Any) -> Any:
    """Mean over signs of ``|sum_i sigma_i h(x_i)| / m``; shapes as in `chain_outputs`, to (B,)."""
    m = samples.shape[1]
    outputs = chain_outputs(xp, samples, own, shared, readout, rho)
    sums = xp.sum(outputs * xp.asarray(sign_vectors(m)), axis=-1)
    return xp.mean(xp.abs(sums), axis=-1) / m


def printed_overlap_claim(
    xp: Any, *, samples: Any, own: Any, shared: Any, readout: Any, rho: Any
) -> Judgement:
    """The complexity of a chain is at most the printed bound, whose overlap counts once."""
    attained, given, sizes = _chain(xp, samples, own, shared, readout, rho)
    return Judgement(
        (),
        (Comparison("complexity", attained, printed_overlap_bound(xp, **given, **sizes)),),
    )


def constant_kernels_claim(xp: Any, *, samples: Any, rho: Any) -> Judgement:
    """The same for the one chain of six layers whose kernels of 9 and readout of 9 are constant."""
    one = 1 + 0 * samples[:, 0, 0]
    own = xp.stack([xp.stack([one[:, None]] * _DEPTH, axis=1)], axis=1)
    nine = xp.stack([one] * _SIZE, axis=-1)
    shared = xp.stack([xp.stack([nine[:, 1:]] * _DEPTH, axis=1)], axis=1)
    return printed_overlap_claim(
        xp, samples=samples, own=own, shared=shared, readout=nine[:, None, :], rho=rho
    )


_DEPTH, _SIZE = 6, 9


def layerwise_claim(
    xp: Any, *, samples: Any, own: Any, shared: Any, readout: Any, rho: Any
) -> Judgement:
    """A factor for each overlapping layer is enough; so are our own factors."""
    attained, given, sizes = _chain(xp, samples, own, shared, readout, rho)
    size, stride = own.shape[3] + shared.shape[3], own.shape[3]
    count = 0 * rho + memberships(size, stride)
    held = patches(xp, samples, size, stride)
    in_patches = xp.sum(xp.sum(xp.sum(held * held, axis=-1), axis=-1), axis=-1)
    return Judgement(
        (),
        (
            Comparison("patches", in_patches, count * given["norm"] * given["norm"]),
            Comparison(
                "one factor for each layer", attained, layerwise_overlap_bound(xp, **given, **sizes)
            ),
            Comparison("rounded up", attained, membership_bound(xp, **given, c=count)),
        ),
    )


def path_claim(
    xp: Any, *, samples: Any, own: Any, shared: Any, readout: Any, rho: Any, k: Any
) -> Judgement:
    """Each input counts with the number of its paths."""
    attained, given, _ = _chain(xp, samples, own, shared, readout, rho)
    levels, stride = own.shape[2], own.shape[3]
    counts = path_counts(readout.shape[2], stride + shared.shape[3], stride, levels)
    squares = xp.sum(samples * samples, axis=1)
    data = xp.sqrt(sum(count * squares[:, j] for j, count in enumerate(counts)))
    known = {"levels": 0 * rho + levels, "rho": rho, "m": given["m"], "data": data}
    return Judgement(
        (),
        (
            Comparison("moments of order 2k", attained, moment_network_bound(xp, k=k, **known)),
            Comparison("size-independent", attained, size_independent_network_bound(xp, **known)),
        ),
    )


def sketch_claim(xp: Any, *, samples: Any) -> Judgement:
    """Patches of size 3 at stride 2 hold at most 3/2 times the sum of squares of their input."""
    held = patches(xp, samples, 3, 2)
    in_patches = xp.sum(xp.sum(xp.sum(held * held, axis=-1), axis=-1), axis=-1)
    squares = xp.sum(xp.sum(samples * samples, axis=-1), axis=-1)
    return Judgement((), (Comparison("patches", in_patches, 3 * squares / 2),))


def even_sketch_claim(xp: Any, *, samples: Any) -> Judgement:
    """The same for components of one mean square, and patches of any size at any stride.

    Squares of the samples are scaled so that every component has the mean 1/m; an axis of both
    sides has a size and a stride, of those whose patches cover the input, in each entry.
    """
    D = samples.shape[2]
    squares = samples * samples
    squares = squares / xp.sum(squares, axis=1)[:, None, :]
    whole = xp.sum(xp.sum(squares, axis=2), axis=1)
    shapes = [(K, s) for K in range(1, D + 1) for s in range(1, K + 1) if (D - K) % s == 0]
    held = [patches(xp, squares, K, s) for K, s in shapes]
    found = xp.stack([xp.sum(xp.sum(xp.sum(h, axis=3), axis=2), axis=1) for h in held], axis=1)
    shares = xp.stack([whole * (((D - K) // s + 1) * K) / D for K, s in shapes], axis=1)
    at_most = xp.stack([whole * K / s for K, s in shapes], axis=1)
    return Judgement(
        (),
        (
            Comparison("P K/D of the squares", found, shares, "="),
            Comparison("patches", found, at_most),
        ),
    )


def _chain(
    xp: Any, samples: Any, own: Any, shared: Any, readout: Any, rho: Any
) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """The complexity attained, the parameters that all bounds have, and K and s."""
    squares = xp.sum(xp.sum(samples * samples, axis=-1), axis=-1)
    given = {
        "L": 0 * rho + own.shape[2] + 1,
        "rho": rho,
        "m": 0 * rho + samples.shape[1],
        "norm": xp.sqrt(squares),
    }
    stride = own.shape[3]
    sizes = {"K": 0 * rho + stride + shared.shape[3], "s": 0 * rho + stride}
    return chain_complexity(xp, samples, own, shared, readout, rho), given, sizes


_CHAIN_FIELDS = (
    Field("samples", ("m", "D")),
    Field("own", ("S", "L", "s")),
    Field("shared", ("S", "L", "O")),
    Field("readout", ("S", "P")),
    Field("rho", (), "positive"),
)


def _chain_inputs(sizes: Sizes) -> int:
    return inputs_of(sizes["P"], _kernel_size(sizes), sizes["s"], sizes["L"])


_CHAIN_AXES = {
    "D": _chain_inputs,
    "S": lambda sizes: 2 ** (sizes["m"] - 1),
}
_ONE_LAYER = {"L": (1, 1), "s": (1, 3), "O": (1, 3), "P": (1, 3), "m": (1, 3)}
_LAYERS = {"L": (1, 3), "s": (1, 2), "O": (1, 2), "P": (1, 3), "m": (1, 3)}
_COMPLEXITY = "empirical Rademacher complexity (without the factor 2)"

CONJECTURE_1 = Statement(
    id="square:conjecture-1",
    kind="conjecture",
    title="Overlapping patches",
    source=Source("square", "Conjecture 1, (23), (24)"),
    topic="rademacher",
    variants=(
        Variant(
            "printed",
            "one layer overlaps, without the factor 2",
            r"With overlap O of the kernels of size K in one layer, $\frac1m E_\sigma \sup_h "
            r"|\sum_i \sigma_i h(x_i)| \le \frac{2^{L-1}\rho\|X\|}{m}\sqrt{\frac{K}{K-O}}$ with "
            r"$\|X\|^2 = \sum_i |x_i|^2$; here for a layer with ReLU and a linear readout, L = 2.",
            Claim(printed_overlap_claim, _CHAIN_FIELDS, _ONE_LAYER, _CHAIN_AXES),
            (Bound(_COMPLEXITY, printed_overlap_bound, "upper"),),
            remark="(23) and (24) drop the sum over samples and the division by m of (22). Without "
            "overlap it is (23), as in Theorem 4. Further layers without overlap cost less than "
            "2 each.",
        ),
        Variant(
            "printed",
            "Definition 1, with the factor 2",
            r"$\frac2m E_\sigma \sup_h |\sum_i \sigma_i h(x_i)| \le \frac{2^{L-1}\rho\|X\|}{m}$, "
            r"(23) for the complexity that the paper defines.",
            Claim(tree_claim(proof_tree_bound, 2), TREE_FIELDS, TREE_SIZES, TREE_AXES),
            defect="(23) is the last line of (22), which is without the factor 2. With it the "
            "bound is half of what a single linear unit attains; from three levels on it "
            "holds, by the sharp bounds of Theorem 4.",
        ),
        Variant(
            "printed",
            "every layer overlaps, one factor for all",
            r"The same with overlap O in each of the convolutional layers: "
            r"$\frac1m E_\sigma \sup_h |\sum_i \sigma_i h(x_i)| \le "
            r"\frac{2^{L-1}\rho\|X\|}{m}\sqrt{\frac{K}{K-O}}$, for L = 7, K = 9, O = 8; here the "
            "chain whose kernels are constant.",
            Claim(
                constant_kernels_claim,
                (Field("samples", ("m", "D")), Field("rho", (), "positive")),
                {"m": (1, 1), "D": (57, 57)},
            ),
            defect="Each layer that overlaps multiplies the number of paths from an input to the "
            "output. One sample of ones and constant kernels exceed the bound: its factor 2 a "
            "layer is less than the root of K.",
        ),
        Variant(
            "printed",
            "sketch of the proof, any input",
            r"The patches of a layer hold at most $\frac{K}{K-O}$ times the sum of squares of its "
            r"input; here two patches of K = 3 with overlap O = 1.",
            Claim(sketch_claim, (Field("samples", ("m", "D")),), {"m": (1, 2), "D": (5, 5)}),
            defect="True when all components have the same mean square, as the sketch assumes in "
            "its next lines, but not of every input: if K - O does not divide K, some components "
            "lie in more than K/(K-O) patches.",
        ),
        Variant(
            "printed",
            "sketch of the proof, components of one mean square",
            r"With $P = \frac{D-O}{K-O}$ patches and inputs whose components have the same mean "
            r"square over the samples, the patches of a layer hold $\frac{PK}D \le "
            r"\frac{K}{K-O}$ times the sum of squares of its input.",
            Claim(even_sketch_claim, (Field("samples", ("m", "D")),), {"m": (1, 4), "D": (1, 8)}),
            remark="The sketch says that it assumes this. It is one layer: the components of the "
            "next one need not have the same mean square again.",
        ),
        Variant(
            "corrected",
            "every layer overlaps, a factor for each",
            r"With $\lceil K/(K-O)\rceil$ the patches of a layer hold at most so many times the "
            r"sum of squares of its input, and $\frac1m E_\sigma \sup_h "
            r"|\sum_i \sigma_i h(x_i)| \le \frac{\rho\|X\|}{m} "
            r"\left(\frac{1+\sqrt2}2 \sqrt{\lceil K/(K-O)\rceil}\right)^{L-1} "
            r"\le \frac{\rho\|X\|}{m} \left(2\sqrt{K/(K-O)}\right)^{L-1}$.",
            Claim(layerwise_claim, _CHAIN_FIELDS, _LAYERS, _CHAIN_AXES),
            (
                Bound(_COMPLEXITY, layerwise_overlap_bound, "upper"),
                Bound(_COMPLEXITY, membership_bound, "upper"),
            ),
        ),
        Variant(
            "sharp",
            "every input with its paths",
            r"With $p_j$ paths from input j to the output and $\|X\|_G^2 = \sum_j p_j \sum_i "
            r"x_{ij}^2$, for $k \ge 1$: $\frac1m E_\sigma \sup_h |\sum_i \sigma_i h(x_i)| \le "
            r"\frac{\rho\|X\|_G}{m} \left(\frac{1 + 2^{1/(2k)}}2\right)^{L-1} "
            r"((2k-1)!!)^{1/(2k)}$, and at most "
            r"$\frac{\rho\|X\|_G}{m} \sqrt{(L + \frac32)\log 2}$.",
            Claim(
                path_claim,
                (*_CHAIN_FIELDS, Field("k", (), "integer", least=1)),
                _LAYERS,
                _CHAIN_AXES,
            ),
            (
                Bound(_COMPLEXITY, moment_network_bound, "upper"),
                Bound(_COMPLEXITY, size_independent_network_bound, "upper"),
            ),
            remark="Holds for any graph of patches, any stride and size, padding with zeros, many "
            "channels (with the Frobenius norm of the filter bank), kernels shared or not. It is "
            "never above the bound for compositionally sparse networks: on a walk down from the "
            "output to children drawn evenly the mean of degrees times squared patch norm is the "
            "path sum, at most the largest value.",
        ),
    ),
)

STATEMENTS = (REMARK_TOEPLITZ, CONJECTURE_1)
