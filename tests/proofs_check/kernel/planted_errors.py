"""Errors planted in statements: in each file, text that occurs once, and what replaces it."""

PLANTED: list[tuple[str, str, str]] = [
    ("Convexity.v", "(c V : R) : R := c * V.", "(c V : R) : R := 2 * c * V."),
    (
        "Convexity.v",
        "(epsilon m : R) : R := 2 * epsilon / m.",
        "(epsilon m : R) : R := epsilon / m.",
    ),
    (
        "Convexity.v",
        "sqrt (2 * epsilon * (1 - delta) / (m * delta)).",
        "sqrt (epsilon / (m * delta)).",
    ),
    (
        "Exponential.v",
        "sqrt (2 * epsilon / (delta * exp mean)).",
        "sqrt (epsilon / (delta * exp mean)).",
    ),
    ("Cosine.v", "(A B : R) : R := A / sqrt B.", "(A B : R) : R := 2 * A / sqrt B."),
    ("Cosine.v", "(x : R) : R := 2 * x * x - 1.", "(x : R) : R := 2 * x * x - 1 / 2."),
    (
        "Objective.v",
        "/ C * (q + sqrt (q * q + 8 * q)) / 2.",
        "/ C * (q + sqrt (q * q + 4 * q)) / 2.",
    ),
    ("Phi.v", "(M t : R) : R := ln (1 + M * exp (- t)).", "(M t : R) : R := ln (1 + M * exp t)."),
    ("Spectrum.v", "(m - 2 * K) / (K * K - 2 * K + m).", "(m + 2 * K) / (K * K - 2 * K + m)."),
    ("Elasticity.v", "INR K / (2 * eigenvalue).", "INR K / (3 * eigenvalue)."),
]
