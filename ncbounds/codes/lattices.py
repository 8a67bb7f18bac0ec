"""Exact integer coordinates of the shortest vectors of E8 and of the Leech lattice.

Most sharp codes are sections of these two: the vectors that have prescribed inner products with a
few fixed ones, seen from the orthogonal complement of those.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

#: x^11 + x^9 + x^7 + x^6 + x^5 + x + 1 divides x^23 - 1 over two elements.
_GOLAY_GENERATOR = (0, 1, 5, 6, 7, 9, 11)


def signs(length: int, *, even: bool = False) -> Integers:
    """All rows of +-1, or those with an even number of -1.

    >>> len(signs(3)), len(signs(3, even=True))
    (8, 4)
    """
    rows = np.array(list(itertools.product((1, -1), repeat=length)), dtype=np.int64)
    return rows[rows.prod(axis=1) == 1] if even else rows


def with_two_entries(length: int, size: int) -> Integers:
    """All vectors with two entries +-size and zeros: the roots of D_length, scaled."""
    rows = []
    for pair in itertools.combinations(range(length), 2):
        block = np.zeros((4, length), dtype=np.int64)
        block[:, pair] = size * signs(2)
        rows.append(block)
    return np.concatenate(rows)


@cache
def e8_roots() -> Integers:
    """The 240 roots of E8, doubled: squared length 8.

    >>> e8_roots().shape
    (240, 8)
    """
    return np.concatenate([with_two_entries(8, 2), signs(8, even=True)])


@cache
def golay_code() -> Integers:
    """The 4096 words of the extended binary Golay code.

    >>> np.unique(golay_code().sum(axis=1), return_counts=True)[1].tolist()
    [1, 759, 2576, 759, 1]
    """
    generator = np.zeros((12, 24), dtype=np.int64)
    for shift in range(12):
        generator[shift, [shift + power for power in _GOLAY_GENERATOR]] = 1
    generator[:, 23] = generator.sum(axis=1) % 2
    messages = np.array(list(itertools.product((0, 1), repeat=12)), dtype=np.int64)
    return messages @ generator % 2


@cache
def leech_vectors() -> Integers:
    """The 196560 shortest vectors of the Leech lattice, times sqrt(8): squared length 32.

    In order 1104 of shape (4^2, 0^22), 97152 of shape (2^8, 0^16), 98304 of shape (3, 1^23); up to
    signs. Each shape is one orbit of the monomial symmetries 2^12:M24.
    """
    words = golay_code()
    pairs = with_two_entries(24, 4)
    octads = words[words.sum(axis=1) == 8]
    twos = np.zeros((len(octads), 128, 24), dtype=np.int8)
    even = 2 * signs(8, even=True)
    for block, octad in zip(twos, octads, strict=True):
        block[:, np.flatnonzero(octad)] = even
    odd = np.repeat((1 - 2 * words)[:, None, :], 24, axis=1)
    odd[:, np.arange(24), np.arange(24)] *= -3
    return np.concatenate([pairs, twos.reshape(-1, 24), odd.reshape(-1, 24)]).astype(np.int64)


def section(rows: Integers, fixed: Sequence[Sequence[int]], products: Sequence[int]) -> Integers:
    """The rows that have the given inner products with the fixed vectors.

    >>> len(section(e8_roots(), [(2, 2, 0, 0, 0, 0, 0, 0)], [4]))
    56
    """
    fits = (rows @ np.array(fixed, dtype=np.int64).T == np.array(products)).all(axis=1)
    return np.asarray(rows[fits])
