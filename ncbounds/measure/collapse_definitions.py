"""The metrics of collapse itself: NC1 to NC4, CDNV, cosines and GNC1 to GNC3.

The notation is that of `ncbounds.measure.definitions`.
"""

from __future__ import annotations

from ncbounds.measure.metric import Metric

SHARP = "ncbounds, sharp proximity"

_NC1 = "(1/K) tr(Sigma_W Sigma_B^+), Sigma_B = mean_c (mu_c - mu)(mu_c - mu)^T, "
_ETF = "(I - 11^T/K)/sqrt(K-1)"
_COSINES = "A_c = mean_i u_{c,i}, u = (h - mu)/|h - mu|"
_FIRST = "Papyan, Han, Donoho 2020"
_LAYER = "Zhu et al. 2021"
_FRAME = "Tirer, Bruna 2022, for review eq. 39"

OF_COLLAPSE: dict[str, Metric] = {
    "nc1.pinv": Metric(
        "variability within classes relative to that between them (NC1)",
        _NC1 + "Sigma_W = mean (h - mu_c)(h - mu_c)^T",
        "review eq. 4",
        "lower",
    ),
    "nc1.pinv.samples": Metric(
        "the same with every sample, not every class, of equal weight in Sigma_W",
        _NC1 + "Sigma_W = (1/n) sum (h - mu_c)(h - mu_c)^T",
        "review eq. 4 for classes of unequal size",
        "lower",
    ),
    "nc1.fuzziness": Metric(
        "variability relative to the means, every sample of equal weight in both (NC1, times K)",
        "tr(Sigma_W Sigma_B^+), Sigma_W = (1/n) sum (h - mu_c)(h - mu_c)^T, Sigma_B of means alike",
        "He, Su 2023",
        "lower",
    ),
    "nc1.trace": Metric(
        "variability within classes over that of the class means (NC1 without inverse)",
        "tr Sigma_W / tr Sigma_B = mean |h - mu_c|^2 / mean_c |mu_c - mu|^2",
        "in common use",
        "lower",
    ),
    "nc1.relative": Metric(
        "share of the mean squared norm that is variability within classes",
        "var = mean |h - mu_c|^2 / alpha^2",
        SHARP,
        "lower",
    ),
    "nc1.relative.centred": Metric(
        "the same with the features centred by the global mean",
        "mean |h - mu_c|^2 / alpha.centred^2",
        SHARP,
        "lower",
    ),
    "nc1.spherical": Metric(
        "variability within classes of the features scaled to length 1",
        "mean |u - ubar_c|^2 = 1 - mean_c |ubar_c|^2, u = h/|h|, ubar_c = mean_i u_{c,i}",
        "gnc Sec. 2.2, on the sphere",
        "lower",
    ),
    "nc2.etf": Metric(
        "distance of the centred class means' cosines from those of a simplex ETF (NC2)",
        f"| M M^T/|M M^T|_F - {_ETF} |_F, rows of M: (mu_c - mu)/|mu_c - mu|",
        "review eq. 7",
        "lower",
    ),
    "nc2.etf.unscaled": Metric(
        "the same with the lengths of the centred class means kept",
        f"| M M^T/|M M^T|_F - {_ETF} |_F, rows of M: mu_c - mu",
        _LAYER,
        "lower",
    ),
    "nc2.etf.weights": Metric(
        "distance of the weights from a simplex ETF (NC2)",
        f"| W W^T/|W W^T|_F - {_ETF} |_F",
        _LAYER,
        "lower",
        True,
        needs_features=False,
    ),
    "nc2.orthogonal": Metric(
        "distance of the class means, not centred, from an orthogonal frame",
        "| M M^T/|M M^T|_F - I/sqrt(K) |_F, rows of M: mu_c",
        _FRAME,
        "neither",
    ),
    "nc2.cosine": Metric(
        "mean distance of the cosines of centred class means from -1/(K-1) (NC2)",
        "mean_{c != c'} |cos(mu_c - mu, mu_c' - mu) + 1/(K-1)|",
        _FIRST + ", Fig. 4",
        "lower",
    ),
    "nc2.cosine.weights": Metric(
        "the same of the weights, not centred",
        "mean_{c != c'} |cos(w_c, w_c') + 1/(K-1)|",
        _FIRST + ", Fig. 4",
        "lower",
        True,
        needs_features=False,
    ),
    "nc2.equiangular": Metric(
        "standard deviation of the cosines of centred class means (NC2)",
        "std_{c != c'} cos(mu_c - mu, mu_c' - mu)",
        _FIRST + ", Fig. 3",
        "lower",
    ),
    "nc2.equiangular.weights": Metric(
        "the same of the weights, not centred",
        "std_{c != c'} cos(w_c, w_c')",
        _FIRST + ", Fig. 3",
        "lower",
        True,
        needs_features=False,
    ),
    "nc2.gram": Metric(
        "mean distance of the scaled inner products of class means from -1/(K-1) (NC2)",
        "mean_{c != c'} |<mu_c, mu_c'>/alpha^2 + 1/(K-1)|",
        SHARP,
        "lower",
    ),
    "nc2.equinorm": Metric(
        "coefficient of variation of the norms of the centred class means (NC2)",
        "std_c |mu_c - mu| / mean_c |mu_c - mu|",
        _FIRST + ", Fig. 2",
        "lower",
    ),
    "nc2.equinorm.weights": Metric(
        "the same of the weights, not centred",
        "std_c |w_c| / mean_c |w_c|",
        _FIRST + ", Fig. 2",
        "lower",
        True,
        needs_features=False,
    ),
    "nc3.etf": Metric(
        "distance of weights times centred class means from a simplex ETF (NC3)",
        f"| W M^T/|W M^T|_F - {_ETF} |_F, rows of M: (mu_c - mu)/|mu_c - mu|",
        "review eq. 8",
        "lower",
        True,
    ),
    "nc3.etf.unscaled": Metric(
        "the same with the lengths of the centred class means kept",
        f"| W M^T/|W M^T|_F - {_ETF} |_F, rows of M: mu_c - mu",
        _LAYER,
        "lower",
        True,
    ),
    "nc3.orthogonal": Metric(
        "distance of weights times class means, not centred, from the identity",
        "| W M^T/|W M^T|_F - I/sqrt(K) |_F, rows of M: mu_c",
        _FRAME,
        "neither",
        True,
    ),
    "nc3.distance": Metric(
        "distance of weights and centred class means, each scaled to norm 1 (self-duality)",
        "| W/|W|_F - M/|M|_F |_F, rows of M: mu_c - mu",
        f"square Sec. 5; squared, {_FIRST}, Fig. 5",
        "lower",
        True,
    ),
    "nc3.distance.directions": Metric(
        "the same with every centred class mean scaled to length 1 before",
        "| W/|W|_F - M/|M|_F |_F, rows of M: (mu_c - mu)/|mu_c - mu|",
        "review Sec. 2.3, before eq. 8",
        "lower",
        True,
    ),
    "nc3.cosine": Metric(
        "cosine between all centred weights and all class means, each stacked to one vector",
        "sum_c <wdot_c, mu_c> / (|wdot|_F |(mu_c)_c|_F)",
        SHARP,
        "higher",
        True,
    ),
    "nc3.angle": Metric(
        "the angle of that cosine, in degrees",
        "arccos nc3.cosine",
        SHARP,
        "lower",
        True,
    ),
    "nc3.cosine.centred": Metric(
        "the same with the class means centred by the global mean",
        "sum_c <wdot_c, mu_c - mu> / (|wdot|_F |(mu_c - mu)_c|_F)",
        SHARP,
        "higher",
        True,
    ),
    "nc3.angle.centred": Metric(
        "the angle of that cosine, in degrees",
        "arccos nc3.cosine.centred",
        SHARP,
        "lower",
        True,
    ),
    "nc4.disagreement": Metric(
        "fraction of samples whose nearest class mean is not the class that is predicted (NC4)",
        "(1/n) #{argmax_c <w_c, h> + b_c != argmin_c |h - mu_c|}, ties to the first class",
        "review eq. 9",
        "lower",
        True,
    ),
    "nc4.disagreement.balanced": Metric(
        "the mean over the classes of that fraction within the class",
        "mean 1{argmax_c <w_c, h> + b_c != argmin_c |h - mu_c|}",
        "review eq. 9 for classes of unequal size",
        "lower",
        True,
    ),
    "ncc.error": Metric(
        "fraction of samples whose nearest class mean is not that of their class",
        "(1/n) #{argmin_c |h - mu_c| != label}, ties to the first class",
        "review Sec. 4.2",
        "lower",
    ),
    "ncc.error.balanced": Metric(
        "the mean over the classes of that fraction within the class",
        "mean 1{argmin_c |h - mu_c| != label}",
        "review Sec. 4.2 for classes of unequal size",
        "lower",
    ),
    "cdnv.mean": Metric(
        "class-distance normalised variance, mean over pairs of classes",
        "mean_{c != c'} (Var_c + Var_c')/(2 |mu_c - mu_c'|^2), Var_c = mean_i |h_{c,i} - mu_c|^2",
        "review eq. 51",
        "lower",
    ),
    "cdnv.max": Metric(
        "class-distance normalised variance, largest over pairs of classes",
        "max_{c != c'} (Var_c + Var_c')/(2 |mu_c - mu_c'|^2), Var_c = mean_i |h_{c,i} - mu_c|^2",
        "review eq. 51",
        "lower",
    ),
    "cosine.intra.min": Metric(
        "average cosine of two features of the same class, least over the classes",
        f"min_c |A_c|^2, {_COSINES}",
        "bnwd Sec. 2.2",
        "higher",
    ),
    "cosine.intra.mean": Metric(
        "average cosine of two features of the same class, mean over the classes",
        f"mean_c |A_c|^2, {_COSINES}",
        "bnwd Sec. 2.2",
        "higher",
    ),
    "cosine.intra.max": Metric(
        "average cosine of two features of the same class, largest over the classes",
        f"max_c |A_c|^2, {_COSINES}",
        "bnwd Sec. 2.2",
        "higher",
    ),
    "cosine.inter.max": Metric(
        "average cosine of features of two classes, largest over the pairs; -1/(K-1) at collapse",
        f"max_{{c != c'}} <A_c, A_c'>, {_COSINES}",
        "bnwd Sec. 2.2",
        "lower",
    ),
    "cosine.inter.mean": Metric(
        "average cosine of features of two classes, mean over the pairs; -1/(K-1) at collapse",
        f"mean_{{c != c'}} <A_c, A_c'>, {_COSINES}",
        "bnwd Sec. 2.2",
        "lower",
    ),
    "cosine.inter.min": Metric(
        "average cosine of features of two classes, least over the pairs; -1/(K-1) at collapse",
        f"min_{{c != c'}} <A_c, A_c'>, {_COSINES}",
        "bnwd Sec. 2.2",
        "neither",
    ),
    "cosine.inter.deviation": Metric(
        "mean distance of the inter-class cosines from -1/(K-1)",
        f"mean_{{c != c'}} |<A_c, A_c'> + 1/(K-1)|, {_COSINES}",
        SHARP,
        "lower",
    ),
    "cosine.means.max": Metric(
        "cosine of two centred class means, largest over the pairs; -1/(K-1) at collapse",
        "max_{c != c'} cos(mu_c - mu, mu_c' - mu)",
        _FIRST + ", Fig. 3",
        "lower",
    ),
    "cosine.means.mean": Metric(
        "cosine of two centred class means, mean over the pairs; at least -1/(K-1)",
        "mean_{c != c'} cos(mu_c - mu, mu_c' - mu)",
        _FIRST + ", Fig. 3",
        "lower",
    ),
    "cosine.means.min": Metric(
        "cosine of two centred class means, least over the pairs; -1/(K-1) at collapse",
        "min_{c != c'} cos(mu_c - mu, mu_c' - mu)",
        _FIRST + ", Fig. 3",
        "neither",
    ),
    "cosine.rows.max": Metric(
        "cosine of two rows of the weights, largest over the pairs; -1/(K-1) at collapse",
        "max_{c != c'} cos(w_c, w_c') = 1 - rho^2/2, rho the one-vs-one distance",
        "gnc (11)",
        "lower",
        True,
        needs_features=False,
    ),
    "cosine.rows.mean": Metric(
        "cosine of two rows of the weights, mean over the pairs; at least -1/(K-1)",
        "mean_{c != c'} cos(w_c, w_c')",
        _FIRST + ", Fig. 3",
        "lower",
        True,
        needs_features=False,
    ),
    "cosine.rows.min": Metric(
        "cosine of two rows of the weights, least over the pairs; -1/(K-1) at collapse",
        "min_{c != c'} cos(w_c, w_c')",
        _FIRST + ", Fig. 3",
        "neither",
        True,
        needs_features=False,
    ),
    "cosine.weights.mean": Metric(
        "mean cosine of a feature and the centred weights of its class",
        "mean cos(h_{c,i}, wdot_c)",
        SHARP,
        "higher",
        True,
    ),
    "cosine.weights.mean.centred": Metric(
        "the same with the features centred by the global mean",
        "mean cos(h_{c,i} - mu, wdot_c)",
        SHARP,
        "higher",
        True,
    ),
    "gnc1": Metric(
        "NC1 with a between-class covariance that is not centred",
        "(1/K) tr(Sigma_W Sigma_B^+), Sigma_B = mean_c mu_c mu_c^T",
        "gnc Sec. 2.2",
        "lower",
    ),
    "gnc2": Metric(
        "least one-vs-rest distance of the unit weights, the certified lower end",
        "min_k dist(w_k/|w_k|, conv{w_j/|w_j|, j != k})",
        "gnc Definition 2.1 (3)",
        "higher",
        True,
        needs_features=False,
    ),
    "gnc3": Metric(
        "self-duality: one minus the mean cosine of a feature and the weights of its class",
        "(1/K) sum_k (1 - <w_k, hbar_k>), w_k and each feature scaled to length 1",
        "gnc Sec. 2.2",
        "lower",
        True,
    ),
    "gnc3.unscaled": Metric(
        "the same formula on weights and features as given; of use on the unit sphere only",
        "(1/K) sum_k (1 - <w_k, mu_k>)",
        "gnc Sec. 2.2, read literally",
        "neither",
        True,
    ),
}
