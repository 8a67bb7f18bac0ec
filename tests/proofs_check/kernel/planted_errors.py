"""Errors planted in statements and definitions: constants, signs, exponents, weaker hypotheses.

In each file of the development, text that occurs once, and what replaces it. What then stands there
is false, or says another thing than what is proved of it.
"""

PLANTED: list[tuple[str, str, str]] = [
    (
        "BatchNorm.v",
        "square_sum N d x gamma 0 = INR N * dot d gamma gamma /\\",
        "square_sum N d x gamma 0 = dot d gamma gamma /\\",
    ),
    (
        "BatchNorm.v",
        "square_sum N d x gamma eta / INR N <= dot d gamma gamma.",
        "square_sum N d x gamma eta <= dot d gamma gamma.",
    ),
    ("Phi.v", "(M t : R) : R := ln (1 + M * exp (- t)).", "(M t : R) : R := ln (1 + M * exp t)."),
    ("Network.v", "(C : nat) : R := INR C / (INR C - 1).", "(C : nat) : R := INR C / (INR C + 1)."),
    ("Network.v", "- rivals C c (fun r => z r - z c).", "+ rivals C c (fun r => z r - z c)."),
    (
        "Budget.v",
        "variability C N d h <= s * (2 - s) /\\",
        "variability C N d h <= s * (1 - s) /\\",
    ),
    ("Budget.v", "self_duality C N d w h <= 2 * s.", "self_duality C N d w h <= s."),
    (
        "Budget.v",
        "mean_loss C N d w a h < ln (INR C) ->",
        "mean_loss C N d w a h < 2 * ln (INR C) ->",
    ),
    (
        "Transfer.v",
        "/ (2 * distance2 d (centre m x) (centre n y)).",
        "/ distance2 d (centre m x) (centre n y).",
    ),
    (
        "Transfer.v",
        "(K V : R) : R := (K - 1) * 4 * V / (1 + 4 * V).",
        "(K V : R) : R := (K - 1) * 2 * V / (1 + 2 * V).",
    ),
    (
        "Transfer.v",
        "class_error d K n x i <= 4 * (spread d n (x i) / r).",
        "class_error d K n x i <= spread d n (x i) / r.",
    ),
    ("ClassMeans.v", "2 * K * mean_square / (K - 1).", "K * mean_square / (K - 1)."),
    ("Hull.v", "a k = 0 /\\ sum K a = 1.", "a k = 0 /\\ sum K a <= 1."),
    ("Midpoint.v", "(m k + m j) / 2 <=", "m k + m j <="),
    ("Midpoint.v", "- Rmax rho 0 ^ 2).", "- 2 * Rmax rho 0 ^ 2)."),
    (
        "SoftmaxCode.v",
        "(has_softmax_code d K rho <-> has_spherical_code d K (1 - rho)).",
        "(has_softmax_code d K rho <-> has_spherical_code d K (1 - 2 * rho)).",
    ),
    (
        "SoftmaxCode.v",
        "- norm d (difference (w k) (w j)) ^ 2 / 2 /\\",
        "- norm d (difference (w k) (w j)) ^ 2 /\\",
    ),
    (
        "Optima.v",
        "(2 <= K)%nat -> (K <= d + 1)%nat -> is_optimum",
        "(2 <= K)%nat -> (K <= d + 2)%nat -> is_optimum",
    ),
    (
        "Optima.v",
        "* (1 - mean K (fun k => norm d (difference (w k) (midpoint d (w k) (h k))) ^ 2) / 2) ^ 2.",
        "* (1 - mean K (fun k => norm d (difference (w k) (midpoint d (w k) (h k))) ^ 2)) ^ 2.",
    ),
    (
        "CodeBounds.v",
        "INR d * (INR K - 2) * rho <= (INR d - 1) * INR K.",
        "INR d * (INR K - 1) * rho <= (INR d - 1) * INR K.",
    ),
    ("CodeBounds.v", "b * h i)) v) ^ 2 / 2.", "b * h i)) v) ^ 2 / 4."),
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
    ("Cosine.v", "(A B : R) : R := A / sqrt B.", "(A B : R) : R := 2 * A / sqrt B."),
    ("Cosine.v", "(x : R) : R := 2 * x * x - 1.", "(x : R) : R := 2 * x * x - 1 / 2."),
    ("DirectionBall.v", "(V : R) : R := 1 - 2 * V.", "(V : R) : R := 1 - V."),
    ("DirectionBall.v", "(V : R) : R := V * V.", "(V : R) : R := V * V / 2."),
    ("SimplexFrame.v", "(C : R) : R := - 1 / (C - 1).", "(C : R) : R := - 1 / C."),
    ("SimplexFrame.v", "- t <= - simplex_cosine (INR C).", "t <= simplex_cosine (INR C)."),
    (
        "CosineMeasures.v",
        "Rmax (1 - 2 * V) 0 * Rmax (1 - 2 * V) 0.",
        "Rmax (1 - V) 0 * Rmax (1 - V) 0.",
    ),
    ("CosineMeasures.v", "(V U : R) : R := V + U - V * U.", "(V U : R) : R := V * U."),
    (
        "CrossPolytope.v",
        "(w : nat -> nat -> R) (t : R),\n  (d + 2 <= K)%nat ->",
        "(w : nat -> nat -> R) (t : R),\n  (d + 1 <= K)%nat ->",
    ),
    (
        "CrossPolytope.v",
        "(K <= 2 * d)%nat -> is_optimum d K 1.",
        "(K <= 2 * d + 1)%nat -> is_optimum d K 1.",
    ),
    ("Elasticity.v", "INR K / (2 * eigenvalue).", "INR K / (3 * eigenvalue)."),
    (
        "Exponential.v",
        "sqrt (2 * epsilon / (delta * exp mean)).",
        "sqrt (epsilon / (delta * exp mean)).",
    ),
    ("Objective.v", "- ln (1 - (C - 1) / C * decay).", "+ ln (1 - (C - 1) / C * decay)."),
    (
        "Objective.v",
        "/ C * (q + sqrt (q * q + 8 * q)) / 2.",
        "/ C * (q + sqrt (q * q + 4 * q)) / 2.",
    ),
    ("Gap.v", "+ ratio C * sigma * (alpha * beta) / 2\n", "+ ratio C * sigma * (alpha * beta)\n"),
    ("Gap.v", "- ln (1 - (C - 1) / sqrt C * lambda).", "+ ln (1 - (C - 1) / sqrt C * lambda)."),
    (
        "LeastLoss.v",
        "ln (1 + (C - 1) * exp (- (C / (C - 1) * alpha * beta))).",
        "ln (1 + (C - 1) * exp (- ((C - 1) / C * alpha * beta))).",
    ),
    (
        "LeastLoss.v",
        "(forall c, (c < C)%nat -> dot d (w c) (w c) = size * size) /\\",
        "(forall c, (c < C)%nat -> dot d (w c) (w c) <= size * size) /\\",
    ),
    (
        "LeastLoss.v",
        "0 < decay -> decay < 1 ->\n  let lambda",
        "0 < decay -> decay < 2 ->\n  let lambda",
    ),
    ("GeneralisedCollapse.v", "<= norm d (difference (w k) (v k)) + M.", "<= M."),
    (
        "GeneralisedCollapse.v",
        "(difference (w k) (h k i)) ^ 2)) = 2 * gnc3 d K n w h /\\",
        "(difference (w k) (h k i)) ^ 2)) = gnc3 d K n w h /\\",
    ),
    (
        "Logits.v",
        "2 * sum C (fun r => y c r * centred_logit C N d w h c r)",
        "3 * sum C (fun r => y c r * centred_logit C N d w h c r)",
    ),
    ("Logits.v", "<= Rabs (cosine d p1 p2) * (1 -", "<= cosine d p1 p2 * (1 -"),
    ("MinimiserSize.v", "(C - 1) / C * ln (C / decay).", "ln (C / decay) / C."),
    ("MinimiserSize.v", "(C - 1) * ln (1 / decay).", "ln (1 / decay)."),
    ("OffClass.v", "sqrt (2 * G + 4 * G * G).", "sqrt (2 * G)."),
    (
        "OneClass.v",
        "R := - sum n (fun r => pi r * ln (pi r)).",
        "R := sum n (fun r => pi r * ln (pi r)).",
    ),
    ("OneClass.v", "<= 1 - a * a / (norm d omega", "<= 1 - 2 * a * a / (norm d omega"),
    (
        "OneClass.v",
        "/ (omega * alpha) - (1 - mean N chosen).",
        "/ (omega * alpha) + (1 - mean N chosen).",
    ),
    ("Pairs.v", "2 * o * sqrt (2 * s / (C - 1)) + 2 * s.", "2 * sqrt (2 * s / (C - 1)) + 2 * s."),
    ("Spectrum.v", "(m - 2 * K) / (K * K - 2 * K + m).", "(m + 2 * K) / (K * K - 2 * K + m)."),
    ("Spectrum.v", "alpha - residual_cosine K m * beta.", "alpha + residual_cosine K m * beta."),
    ("SquareGap.v", "sqrt (lambda * (1 - L) / L) <= mu /\\", "sqrt (lambda / L) <= mu /\\"),
    (
        "SquareGap.v",
        "rho * rho * variance n z <= L - least /\\",
        "2 * rho * rho * variance n z <= L - least /\\",
    ),
    (
        "SquareNetwork.v",
        "(INR C - 1) * (1 - Lambda / 2) / INR C in",
        "(INR C - 1) * (1 - Lambda) / INR C in",
    ),
    ("SquareNetwork.v", "Rmax (1 - T) 0 * Rmax (1 - T) 0 <= kL.", "(1 - T) * (1 - T) <= kL."),
    ("Temperature.v", "+ tau * ln (INR K).", "+ ln (INR K)."),
    (
        "Temperature.v",
        "softplus (dot d (difference (w j) (w k)) (h k i) / tau)\n  <= INR n * INR K * mean_loss",
        "softplus (dot d (difference (w j) (w k)) (h k i) / tau)\n  <= INR n * mean_loss",
    ),
    ("Turning.v", "theta + 2 * phi <= psi ->", "theta + phi <= psi ->"),
    ("Plane.v", "2 * sin (PI / INR K) * sin (PI / INR K).", "sin (PI / INR K) * sin (PI / INR K)."),
    ("Plane.v", "1 / 2 * (PI / INR K) ^ 2 <=", "3 * (PI / INR K) ^ 2 <="),
    ("HalfGaps.v", "polygon_distance K * exp (- mean K", "polygon_distance K * exp (- 2 * mean K"),
    (
        "Caps.v",
        "sin x ^ (d - 1) / (INR d - 1) <= cap d x",
        "2 * sin x ^ (d - 1) / (INR d - 1) <= cap d x",
    ),
    (
        "Caps.v",
        "rho <= 2 * Rpower (cap_share d K) (2 / (INR d - 1)))",
        "rho <= Rpower (cap_share d K) (2 / (INR d - 1)))",
    ),
    (
        "WeightDecay.v",
        "1 - rho <= epsilon / (sqrt (INR C)",
        "1 - rho <= epsilon / (2 * sqrt (INR C)",
    ),
    (
        "WeightDecay.v",
        "variability C N d h <= 1 - rho * rho /\\\n"
        "  1 - stacked_cosine C N d w h <= 1 - rho /\\\n"
        "  self_duality C N d w h <= 2 * (1 - rho) /\\",
        "variability C N d h <= 1 - rho /\\\n"
        "  1 - stacked_cosine C N d w h <= 1 - rho /\\\n"
        "  self_duality C N d w h <= 2 * (1 - rho) /\\",
    ),
    (
        "FirstSteps.v",
        "- INR C * dot d (w c) (x c)) / (INR C - 1) = - t c) /\\",
        "- INR C * dot d (w c) (x c)) / (INR C - 1) = t c) /\\",
    ),
    (
        "FirstSteps.v",
        "sum C (fun c => lengths c * lengths c) <= squares /\\",
        "2 * sum C (fun c => lengths c * lengths c) <= squares /\\",
    ),
    (
        "Equilibrium.v",
        "(mu variance lambda : R) : R := mu / (mu * mu + variance + lambda).",
        "(mu variance lambda : R) : R := mu / (mu * mu + variance + 2 * lambda).",
    ),
    ("Equilibrium.v", "<= INR n * total.", "<= total."),
    ("Opposition.v", "(eta : R) : R := 8 * eta.", "(eta : R) : R := 4 * eta."),
    ("Opposition.v", "<= cos a + 2 * sin (b / 2).", "<= cos a + sin (b / 2)."),
    (
        "EqualNorms.v",
        "+ spread * spread / (INR C * (INR C - 1)).",
        "- spread * spread / (INR C * (INR C - 1)).",
    ),
]

#: Mean cosines of features with their weights.
PLANTED += [
    ("Tangent.v", "1 / 3 <= t -> 0 <= u ->", "1 / 4 <= t -> 0 <= u ->"),
    (
        "WeightCosines.v",
        "(least + ((1 - delta) * fano (C - 1) (q * kappa)",
        "(least + (fano (C - 1) (q * kappa)",
    ),
    (
        "WeightCosines.v",
        "exp L <= 2 * phi_inverse (INR C - 1) L ->",
        "exp L <= 3 * phi_inverse (INR C - 1) L ->",
    ),
    ("MeasuredCosines.v", "sqrt m / sqrt left else 0) - over", "sqrt m / left else 0) - over"),
    ("MeasuredCosines.v", "if Rlt_dec 0 x then 0 else 1.", "if Rlt_dec 0 x then 0 else 1 / 2."),
    ("MeasuredCosines.v", "let least := root * root / T", "let least := 2 * root * root / T"),
    (
        "SquareCosines.v",
        "(1 - e) * (1 - e) / (2 * e * T) - 1) else",
        "(1 - e) * (1 - e) / (e * T) - 1) else",
    ),
    (
        "CosineConsequences.v",
        "(largest_margin C N d w h + 2 * t) <=",
        "(largest_margin C N d w h + t) <=",
    ),
    (
        "CosineConsequences.v",
        "(k <= mu * (1 + M) / (M * T) ->",
        "(k <= 2 * mu * (1 + M) / (M * T) ->",
    ),
    (
        "CosineConsequences.v",
        "mean C (fun c => g (kappa c)) <= L + mu /\\",
        "mean C (fun c => g (kappa c)) <= L /\\",
    ),
    (
        "CosineConsequences.v",
        "let M := exp (entropy n pi",
        "let M := exp (2 * entropy n pi",
    ),
]
