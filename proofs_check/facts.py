"""Textbook facts that proofs take as axioms: each is named, sourced and shown with the verdict.

From sums and inner products over calculus to convex sets, spheres and probability.
"""

from __future__ import annotations

from proofs_check.steps import Fact

# -- sums and counting ----------------------------------------------------------------------------

CAUCHY_SCHWARZ = Fact(
    "Cauchy-Schwarz inequality",
    "The square of a sum of n numbers is at most n times the sum of their squares.",
    "Hardy, Littlewood, Polya, Inequalities, Theorem 7",
)
MINKOWSKI = Fact(
    "Minkowski's inequality",
    "The root mean square of a sum is at most the sum of the root mean squares.",
    "Hardy, Littlewood, Polya, Inequalities, Theorem 24",
)
MINKOWSKI_POWERS = Fact(
    "Minkowski's inequality for powers",
    "For p >= 1 the p-th root of the mean of |X + Y|^p is at most the sum of those of X and Y; so "
    "for p >= 2 that of (X^2 + Y^2)^(1/2) squared is at most the sum of the squares of theirs.",
    "Hardy, Littlewood, Polya, Inequalities, Theorem 198",
)
BERNOULLI = Fact(
    "Bernoulli's inequality",
    "r^C >= 1 + C (r - 1) for r >= 0 and C >= 1.",
    "Hardy, Littlewood, Polya, Inequalities, Theorem 42",
)
COUNTING = Fact(
    "Least, mean and induction",
    "The least of finitely many numbers is at most their mean; a statement that holds for the "
    "first case and passes from each case to the next holds for all.",
    "Peano's axioms",
)
PIGEONHOLE = Fact(
    "Counting",
    "A set is not covered by sets that have fewer elements in all; least <= mean <= largest.",
    "Elementary",
)
MEANS = Fact(
    "Least and mean",
    "The least of finitely many non-negative numbers is at most their geometric mean.",
    "Hardy, Littlewood, Polya, Inequalities, Section 2.1",
)
ORBITS = Fact(
    "Orbits",
    "The images of an element under a group of which only the identity fixes it are as many as the "
    "group has elements; orbits do not overlap.",
    "Lang, Algebra, Section I.5",
)
INDEPENDENT_SIGNS = Fact(
    "Independent signs",
    "The mean over all sign vectors is the mean over one sign of the mean over the others, and "
    "does not change when the signs of all are turned.",
    "Fubini's theorem on the finite set {-1, 1}^m",
)
HOEFFDING = Fact(
    "Hoeffding's lemma for signs",
    "cosh(v) <= exp(v^2/2), hence E exp(sum eps_i x_i) <= exp(sum x_i^2/2) for independent signs.",
    "W. Hoeffding, J. Amer. Statist. Assoc. 58 (1963), (4.16)",
)

# -- vectors and matrices -------------------------------------------------------------------------

INNER_PRODUCT = Fact(
    "Cauchy-Schwarz inequality for vectors",
    "|<x, y>| <= |x| |y|; the norm of x is the largest <w, x> over unit vectors w.",
    "Hardy, Littlewood, Polya, Inequalities, Theorem 7",
)
TRIANGLE = Fact(
    "Triangle inequality",
    "The norm of a mean of vectors is at most the mean of their norms.",
    "Axiom of a norm",
)
SPECTRUM = Fact(
    "Spectrum of a Gram matrix",
    "The sum of <e, v_c>^2 over the rows is at most |e|^2 times the largest eigenvalue of the Gram "
    "matrix; those of its powers are their powers, and at most the largest absolute row sum.",
    "Horn and Johnson, Matrix Analysis, Theorems 4.2.2, 1.1.6 and 5.6.9",
)
PSEUDO_INVERSE = Fact(
    "Pseudo-inverse",
    "S S^+ S = S; for a symmetric S without negative eigenvalues and x in its range, <x, S^+ x> is "
    "the largest 2 <v, x> - <v, S v>, attained at v = S^+ x.",
    "Penrose, Proc. Camb. Phil. Soc. 51 (1955); complete the square",
)

# -- functions of a number ------------------------------------------------------------------------

LOGARITHM = Fact(
    "Monotone logarithm",
    "The logarithm and the exponential increase, and log 1 = 0.",
    "Rudin, Principles of Mathematical Analysis, Theorem 8.6",
)
TANGENT = Fact("Tangent of the exponential", "e^w >= 1 + w for every real w.", "Convexity")
EXPONENTIAL_SERIES = Fact(
    "Exponential series",
    "For u >= 0: e^u >= 1 + u + u^2/2 + u^3/6 and e^{-u} >= 1 - u + u^2/2 - u^3/6; "
    "e^u >= 1 + u for every real u.",
    "Taylor's theorem with Lagrange's remainder",
)
MONOTONE_POWERS = Fact(
    "Powers are monotone",
    "For p >= 0 the power x^p does not decrease in x >= 0, and x^p >= 1 for x >= 1.",
    "Hardy, Littlewood, Polya, Inequalities, Section 2.2",
)
MONOTONE = Fact(
    "Sign of the derivative",
    "A function on an interval that vanishes at a point and whose derivative is non-negative is "
    "non-negative to the right of it; a convex function is least where its derivative vanishes.",
    "Mean value theorem",
)
DERIVATIVE_SIGN = Fact(
    "Sign of the derivative",
    "A function that is continuous on an interval and has a non-negative derivative inside does "
    "not decrease on it.",
    "Rudin, Principles of Mathematical Analysis, Theorem 5.11",
)
CONCAVE = Fact(
    "Taylor's theorem to second order",
    "If f'' <= -1 on an interval, f(x) <= f(u) + f'(u) (x - u) - (x - u)^2/2 for x and u in it.",
    "Rudin, Principles of Mathematical Analysis, Theorem 5.15",
)
CONTINUITY = Fact(
    "Compactness of codes",
    "A continuous function on a compact set attains its least value: so do the largest inner "
    "product on K-tuples of unit vectors, and limits of attainable values are attained.",
    "Rudin, Principles of Mathematical Analysis, Theorem 4.16",
)

# -- convexity ------------------------------------------------------------------------------------

JENSEN = Fact(
    "Jensen's inequality",
    "A convex function of a mean is at most the mean of the function.",
    "J. L. W. V. Jensen, Acta Math. 30 (1906)",
)
ENDS = Fact(
    "Concave functions are least at an end",
    "On an interval a concave function is at least the smaller of its values at the two ends.",
    "Hardy, Littlewood, Polya, Inequalities, 3.5",
)
PROJECTION = Fact(
    "Projection onto a convex set",
    "A closed convex set in R^d has exactly one point p nearest to a given w, and "
    "<w - p, v - p> <= 0 for each of its points v.",
    "Rockafellar, Convex Analysis, Section 31; Hiriart-Urruty and Lemarechal, Theorem A.3.1.1",
)

# -- spheres --------------------------------------------------------------------------------------

ANGLE_METRIC = Fact(
    "Angles are a metric",
    "The angle between unit vectors satisfies the triangle inequality.",
    "Ratcliffe, Foundations of Hyperbolic Manifolds, Theorem 2.1.2",
)
CAP_MEASURE = Fact(
    "Measure of a spherical cap",
    "On the unit sphere of R^d, d >= 2, a cap of angular radius x in [0, pi] has the share "
    "S(x)/S(pi) of the rotation-invariant measure, S(x) the integral of sin^(d-2) over [0, x].",
    "Spherical coordinates; S. Li, Asian J. Math. Stat. 4 (2011), 66-70",
)
SCHOENBERG = Fact(
    "Positive definite functions on spheres",
    "For unit vectors y_1..y_K of R^d, d >= 2, the sum of G_k(<y_i, y_j>) over all i, j is not "
    "negative for the Gegenbauer polynomial G_k of every degree k, orthogonal for the weight "
    "(1 - t^2)^((d-3)/2), G_k(1) = 1.",
    "I. J. Schoenberg, Duke Math. J. 9 (1942), 96-108; Delsarte, Goethals, Seidel, Geom. Dedicata "
    "6 (1977), 363-388",
)
FEJES_TOTH = Fact(
    "Fejes Toth's theorem",
    "Among K >= 3 points of the unit sphere in R^3 some two have a distance of at most "
    "(4 - 1/sin^2(pi K/(6 (K - 2))))^(1/2).",
    "L. Fejes Toth, Jahresber. Deutsch. Math.-Verein. 53 (1943), 66-68",
)
