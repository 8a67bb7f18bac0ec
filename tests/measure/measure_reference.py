"""Every metric again, literally and slowly, with 50 digits: loops over samples and over pairs.

Inputs are taken as the exact numbers they are. Lengths below 1e-40 of the largest are zero.
"""

import numpy as np
from mpmath import mp, mpf


def reference(features, labels, weights, bias, temperature=1):
    """All metrics that exist, but gnc2, as mpf."""
    mp.dps = 50
    h = [[mpf(float(x)) for x in row] for row in np.asarray(features)]
    W = [[mpf(float(x)) for x in row] for row in np.asarray(weights)]
    b = [mpf(float(x)) for x in np.asarray(bias)]
    K, n = len(W), len(h)
    members = [[h[i] for i in range(n) if labels[i] == c] for c in range(K)]
    flat = [(c, x) for c in range(K) for x in members[c]]
    mu = [centre(group) for group in members]
    mu_G, w_bar = centre(mu), centre(W)
    deviation = [[minus(x, mu[c]) for x in members[c]] for c in range(K)]
    mu_dot, w_dot = [minus(m, mu_G) for m in mu], [minus(w, w_bar) for w in W]
    unit_means = [unit(m) for m in mu_dot]
    balanced = lambda f: mean([mean([f(c, x) for x in members[c]]) for c in range(K)])  # noqa: E731
    within = mean([mean([dot(v, v) for v in group]) for group in deviation])
    logits = once(lambda x: [dot(w, x) + shift for w, shift in zip(W, b, strict=True)])

    def loss(c, x):
        z = logits(x)
        return mp.log(sum(mp.exp(a - z[c]) for a in z))

    def odds(c, x):
        z = logits(x)
        return mp.log(K - 1) - mp.log(sum(mp.exp(z[j] - z[c]) for j in range(K) if j != c))

    def margin(c, x):
        z = logits(x)
        return z[c] - max(z[j] for j in range(K) if j != c)

    u = [[unit(x) for x in group] for group in members]
    u_W, u_mean = [unit(w) for w in W], [centre(group) for group in u]
    gaps = [[[dot(minus(u_W[j], u_W[c]), x) for j in range(K) if j != c] for x in u[c]]
            for c in range(K)]  # fmt: skip
    cold = lambda sample: mp.log(1 + sum(mp.exp(g / temperature) for g in sample))  # noqa: E731

    predicted = lambda x: max(range(K), key=lambda c: logits(x)[c])  # noqa: E731
    nearest = once(lambda x: min(range(K), key=lambda c: norm(minus(x, mu[c]))))
    cosines = [[mean([[cos(minus(x, mu_G), minus(y, mu_G)) for x in p for y in q]][0])
                for q in members] for p in members]  # fmt: skip
    pairs = [(c, e) for c in range(K) for e in range(K) if c != e]
    var = [mean([dot(v, v) for v in group]) for group in deviation]
    alpha2 = balanced(lambda c, x: dot(x, x))
    spread2 = balanced(lambda c, x: dot(minus(x, mu_G), minus(x, mu_G)))
    beta2 = mean([dot(w, w) for w in W])
    stack = lambda rows: [x for row in rows for x in row]  # noqa: E731
    aligned, aligned_centred = cos(stack(w_dot), stack(mu)), cos(stack(w_dot), stack(mu_dot))
    length = mean([norm(m) for m in mu_dot])
    counts = [len(group) for group in members]
    total = [
        sum(n_c * m[j] for n_c, m in zip(counts, mu, strict=True)) / n for j in range(len(mu_G))
    ]
    by_samples = [[mp.sqrt(mpf(K * n_c) / n) * x for x in minus(m, total)]
                  for n_c, m in zip(counts, mu, strict=True)]  # fmt: skip
    fuzzy = K * mean(stack(whitened(deviation, by_samples)))
    cos_means = [cos(mu_dot[c], mu_dot[e]) for c, e in pairs]
    cos_weights = [cos(W[c], W[e]) for c, e in pairs]
    misplaced = lambda c, x: mpf(nearest(x) != c)  # noqa: E731
    between = mean([dot(m, m) for m in mu_dot])
    cdnv = normalised_variances(mu, var)
    beta = mp.sqrt(beta2)
    known = {
        "nc1.fuzziness": fuzzy,
        "nc1.trace": within / between,
        "nc2.etf.unscaled": etf(mu_dot, mu_dot),
        "nc2.etf.weights": etf(W, W),
        "nc2.orthogonal": frame(mu, mu),
        "nc2.cosine.weights": mean([abs(x + mpf(1) / (K - 1)) for x in cos_weights]),
        "nc2.equiangular": deviation_of(cos_means),
        "nc2.equiangular.weights": deviation_of(cos_weights),
        "nc2.equinorm.weights": deviation_of([norm(w) for w in W]) / mean([norm(w) for w in W]),
        "nc3.etf.unscaled": etf(W, mu_dot),
        "nc3.orthogonal": frame(W, mu),
        "nc3.distance": norm(minus(unit(stack(W)), unit(stack(mu_dot)))),
        "nc3.distance.directions": norm(minus(unit(stack(W)), unit(stack(unit_means)))),
        "ncc.error": mean([misplaced(c, x) for c, x in flat]),
        "ncc.error.balanced": balanced(misplaced),
        "cdnv.max": max(cdnv),
        "nc1.pinv": mean([mean(group) for group in whitened(deviation, mu_dot)]),
        "nc1.pinv.samples": mean(stack(whitened(deviation, mu_dot))),
        "nc1.relative": within / alpha2,
        "nc1.relative.centred": within / spread2,
        "nc1.spherical": mean(
            [
                mean([dot(minus(x, m), minus(x, m)) for x in g])
                for g, m in zip(u, u_mean, strict=True)
            ]
        ),
        "loss.hardmax": max(gap for group in gaps for sample in group for gap in sample),
        "loss.cross_entropy.spherical": mean([mean([cold(s) for s in group]) for group in gaps]),
        "nc2.etf": etf(unit_means, unit_means),
        "nc2.cosine": mean([abs(cos(mu_dot[c], mu_dot[e]) + mpf(1) / (K - 1)) for c, e in pairs]),
        "nc2.gram": mean([abs(dot(mu[c], mu[e]) / alpha2 + mpf(1) / (K - 1)) for c, e in pairs]),
        "nc2.equinorm": mp.sqrt(mean([(norm(m) - length) ** 2 for m in mu_dot])) / length,
        "nc3.etf": etf(W, unit_means),
        "nc3.cosine": aligned,
        "nc3.angle": mp.degrees(mp.acos(aligned)),
        "nc3.cosine.centred": aligned_centred,
        "nc3.angle.centred": mp.degrees(mp.acos(aligned_centred)),
        "nc4.disagreement": mean([mpf(predicted(x) != nearest(x)) for _, x in flat]),
        "nc4.disagreement.balanced": balanced(lambda c, x: mpf(predicted(x) != nearest(x))),
        "cdnv.mean": mean(cdnv),
        "cosine.intra.min": min(cosines[c][c] for c in range(K)),
        "cosine.intra.mean": mean([cosines[c][c] for c in range(K)]),
        "cosine.intra.max": max(cosines[c][c] for c in range(K)),
        "cosine.inter.max": max(cosines[c][e] for c, e in pairs),
        "cosine.inter.mean": mean([cosines[c][e] for c, e in pairs]),
        "cosine.inter.min": min(cosines[c][e] for c, e in pairs),
        "cosine.inter.deviation": mean([abs(cosines[c][e] + mpf(1) / (K - 1)) for c, e in pairs]),
        "cosine.weights.mean": balanced(lambda c, x: cos(x, w_dot[c])),
        "cosine.weights.mean.centred": balanced(lambda c, x: cos(minus(x, mu_G), w_dot[c])),
        "gnc1": mean([mean(group) for group in whitened(deviation, mu)]),
        "gnc3": 1 - balanced(lambda c, x: cos(x, W[c])),
        "gnc3.unscaled": 1 - mean([dot(W[c], mu[c]) for c in range(K)]),
        "alpha": mp.sqrt(alpha2),
        "alpha.centred": mp.sqrt(spread2),
        "beta": mp.sqrt(beta2),
        "centre.weights": dot(w_bar, w_bar) / beta2,
        "loss.cross_entropy": balanced(loss),
        "loss.cross_entropy.samples": mean([loss(c, x) for c, x in flat]),
        "logodds.mean": balanced(odds),
        "accuracy": mean([mpf(predicted(x) == c) for c, x in flat]),
        "accuracy.balanced": balanced(lambda c, x: mpf(predicted(x) == c)),
        "cosine.means.max": max(cos_means),
        "cosine.means.mean": mean(cos_means),
        "cosine.means.min": min(cos_means),
        "cosine.rows.max": max(cos_weights),
        "cosine.rows.mean": mean(cos_weights),
        "cosine.rows.min": min(cos_weights),
        **ranks("rank.means", mu_dot),
        **ranks("rank.weights", W),
        "margin.mean": balanced(margin),
        "margin.min": min(margin(c, x) for c, x in flat),
        "margin.relative.mean": balanced(lambda c, x: margin(c, x) / (norm(x) * beta)),
        "margin.relative.min": min(margin(c, x) / (norm(x) * beta) for c, x in flat),
        "margin.spherical.mean": mean([mean([-max(sample) for sample in g]) for g in gaps]),
    }
    if len(cdnv) < len(pairs):
        del known["cdnv.mean"], known["cdnv.max"]
    return known


def once(function):
    """The same function of rows, computed once for each; the rows live longer than it."""
    known = {}

    def remembered(row):
        if id(row) not in known:
            known[id(row)] = function(row)
        return known[id(row)]

    return remembered


def whitened(deviation, rows):
    """(1/K) v^T S^+ v of each deviation v, with S = (1/K) rows^T rows, without singular values.

    S = B^T C B with orthonormal rows B that span those of S, and C = B S B^T has an inverse.
    """
    K, B = len(rows), span(rows)
    inner = mp.matrix([[dot(b, row) for row in rows] for b in B])
    middle = mp.inverse(inner * inner.T / K)
    coordinates = lambda v: mp.matrix([dot(b, v) for b in B])  # noqa: E731
    return [[(coordinates(v).T * middle * coordinates(v))[0] / K for v in group]
            for group in deviation]  # fmt: skip


def span(rows):
    """Orthonormal rows of the same span, by Gram and Schmidt, longest remainder first."""
    left, basis, scale = list(rows), [], max(norm(row) for row in rows)
    while left:
        row = max(left, key=norm)
        if norm(row) <= mpf(10) ** -40 * scale:
            break
        basis.append(unit(row))
        for _ in range(2):
            left = [[x - dot(r, basis[-1]) * y for x, y in zip(r, basis[-1], strict=True)]
                    for r in left]  # fmt: skip
    return basis


def normalised_variances(mu, var):
    """Of all pairs of classes whose means differ."""
    pairs = [(c, e) for c in range(len(mu)) for e in range(len(mu)) if c != e]
    distances = [norm(minus(mu[c], mu[e])) for c, e in pairs]
    return [
        (var[c] + var[e]) / (2 * distance**2)
        for (c, e), distance in zip(pairs, distances, strict=True)
        if distance > mpf(10) ** -40 * max(distances)
    ]


def ranks(name, rows):
    s = singular_values(rows)
    shares = [x / sum(s) for x in s]
    return {
        name: mpf(len(s)),
        f"{name}.stable": dot(s, s) / max(s) ** 2,
        f"{name}.effective": mp.exp(-sum(p * mp.log(p) for p in shares)),
    }


def singular_values(rows):
    """Those that are not zero, as roots of the eigenvalues of the products of rows."""
    gram = mp.matrix([[dot(p, q) for q in rows] for p in rows])
    values = [mp.sqrt(abs(x)) for x in mp.eigsy(gram, eigvals_only=True)]
    # The products have 50 digits, so that their roots have 25.
    return [s for s in values if s > mpf(10) ** -20 * max(values)]


def deviation_of(values):
    centre = mean(values)
    return mp.sqrt(mean([(x - centre) ** 2 for x in values]))


def frame(left, right):
    K = len(left)
    product = [[dot(x, y) for y in right] for x in left]
    size = mp.sqrt(sum(x * x for row in product for x in row))
    ideal = lambda i, j: (i == j) / mp.sqrt(K)  # noqa: E731
    return mp.sqrt(
        sum((product[i][j] / size - ideal(i, j)) ** 2 for i in range(K) for j in range(K))
    )


def etf(left, right):
    K = len(left)
    product = [[dot(x, y) for y in right] for x in left]
    size = mp.sqrt(sum(x * x for row in product for x in row))
    target = lambda i, j: ((i == j) - mpf(1) / K) / mp.sqrt(K - 1)  # noqa: E731
    return mp.sqrt(
        sum((product[i][j] / size - target(i, j)) ** 2 for i in range(K) for j in range(K))
    )


def mean(values):
    return sum(values) / mpf(len(values))


def centre(rows):
    return [mean(column) for column in zip(*rows, strict=True)]


def dot(x, y):
    assert len(x) == len(y)
    return mp.fdot(x, y)


def norm(x):
    return mp.sqrt(dot(x, x))


def unit(x):
    return [a / norm(x) for a in x]


def cos(x, y):
    return dot(x, y) / (norm(x) * norm(y))


def minus(x, y):
    return [a - b for a, b in zip(x, y, strict=True)]
