"""Errors planted in statements: in each file, text that occurs once, and what replaces it."""

PLANTED: list[tuple[str, str, str]] = [
    (
        "Convexity.v",
        "sqrt (2 * epsilon / (delta * exp mean)).",
        "sqrt (epsilon / (delta * exp mean)).",
    ),
    (
        "Convexity.v",
        "least_jensen_gap (c V : R) : R := c * V.",
        "least_jensen_gap (c V : R) : R := 2 * c * V.",
    ),
    (
        "Convexity.v",
        "largest_variance (epsilon m : R) : R := 2 * epsilon / m.",
        "largest_variance (epsilon m : R) : R := epsilon / m.",
    ),
]
