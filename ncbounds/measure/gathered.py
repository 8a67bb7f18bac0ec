"""Small batches, kept until there are enough samples for a block of work.

Sorting by class, the start of threads and of BLAS cost as much for a few samples as for thousands.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ncbounds.measure.door import Indices

#: So many numbers make a block: 4 MB in float32, 8 in float64.
_ENTRIES = 2**20


class Gathered:
    """Copies of checked batches of one dimension and type, since the caller may reuse its own."""

    def __init__(self) -> None:
        self.number = 0
        """Samples that are kept."""
        self._largest = 0.0
        self._rows: NDArray[Any] = np.empty((0, 0))
        self._index: Indices = np.empty(0, np.int64)

    def __getstate__(self) -> dict[str, Any]:
        """Copies have no room beyond what is kept."""
        kept = {"_rows": self._rows[: self.number], "_index": self._index[: self.number]}
        return vars(self) | kept

    def fits(self, h: NDArray[Any]) -> bool:
        """Whether features (b, d) can join those that are kept."""
        return not self.number or (
            h.dtype == self._rows.dtype and self.number + len(h) <= len(self._rows)
        )

    def take(self, h: NDArray[Any], index: Indices, largest: float) -> bool:
        """Keep features (b, d) that fit, of classes (b,); or say that they are a block already."""
        if 2 * h.size > _ENTRIES:
            return False
        room = _ENTRIES // max(1, h.shape[1])
        if not self.number and (self._rows.dtype != h.dtype or len(self._rows) != room):
            self._rows = np.empty((room, h.shape[1]), h.dtype)
            self._index = np.empty(room, np.int64)
        end = self.number + len(h)
        self._rows[self.number : end], self._index[self.number : end] = h, index
        self.number, self._largest = end, max(self._largest, largest)
        return True

    def hand_over(self) -> tuple[NDArray[Any], Indices, float]:
        """All that is kept, valid until the next batch is; then nothing is."""
        number, largest = self.number, self._largest
        self.number, self._largest = 0, 0.0
        return self._rows[:number], self._index[:number], largest
