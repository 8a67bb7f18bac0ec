"""When two runs are the same."""

import dataclasses

import numpy as np


def same_run(first, second):
    """Whether two runs agree in every number but the time they took."""
    for entry in dataclasses.fields(first):
        one, other = getattr(first, entry.name), getattr(second, entry.name)
        if entry.name in ("history", "defects"):
            if one.keys() != other.keys():
                return False
            pairs = [(one[key], other[key]) for key in one]
        else:
            pairs = [] if entry.name == "seconds" else [(one, other)]
        if not all(np.array_equal(left, right) for left, right in pairs):
            return False
    return True
