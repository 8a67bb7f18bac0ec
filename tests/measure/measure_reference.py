"""Every metric again, literally and slowly, with 50 digits: loops over samples and over pairs."""

import numpy as np
from mpmath import mp, mpf


def reference(features, labels, weights, bias, temperature=1):
    """All metrics but gnc2, as mpf; the inputs are taken as the exact numbers they are."""
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
    logits = lambda x: [dot(w, x) + shift for w, shift in zip(W, b, strict=True)]  # noqa: E731

    def loss(c, x):
        z = logits(x)
        return mp.log(sum(mp.exp(a - z[c]) for a in z))

    def odds(c, x):
        z = logits(x)
        return mp.log(K - 1) - mp.log(sum(mp.exp(z[j] - z[c]) for j in range(K) if j != c))

    u = [[unit(x) for x in group] for group in members]
    u_W, u_mean = [unit(w) for w in W], [centre(group) for group in u]
    gaps = [[[dot(minus(u_W[j], u_W[c]), x) for j in range(K) if j != c] for x in u[c]]
            for c in range(K)]  # fmt: skip
    cold = lambda sample: mp.log(1 + sum(mp.exp(g / temperature) for g in sample))  # noqa: E731

    predicted = lambda x: max(range(K), key=lambda c: logits(x)[c])  # noqa: E731
    nearest = lambda x: min(range(K), key=lambda c: norm(minus(x, mu[c])))  # noqa: E731
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
    fuzzy = K * mean(stack(whitened_by_inverse(deviation, by_samples)))
    cos_means = [cos(mu_dot[c], mu_dot[e]) for c, e in pairs]
    cos_weights = [cos(W[c], W[e]) for c, e in pairs]
    misplaced = lambda c, x: mpf(nearest(x) != c)  # noqa: E731
    between = mean([dot(m, m) for m in mu_dot])
    cdnv = [(var[c] + var[e]) / (2 * norm(minus(mu[c], mu[e])) ** 2) for c, e in pairs]
    return {
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
        "nc1.pinv": mean([mean(group) for group in whitened(deviation, mu_dot, True)]),
        "nc1.pinv.samples": mean(stack(whitened(deviation, mu_dot, True))),
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
        "gnc1": mean([mean(group) for group in whitened(deviation, mu, False)]),
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
    }


def whitened(deviation, means, centred):
    """(1/K) v^T Sigma_B^+ v of each deviation v, without singular values.

    Sigma_B = B^T C B with independent rows B has the pseudo-inverse B^T G^-1 C^-1 G^-1 B, where
    G = B B^T; K - 1 of K centred means determine the last, whence C = (I + 11^T)/K for them.
    """
    K, d = len(means), len(means[0])
    if d < K - centred:
        Sigma = mp.matrix(d, d)
        for m in means:
            Sigma += mp.matrix(m) * mp.matrix(m).T / K
        middle, B = mp.inverse(Sigma), mp.eye(d)
    else:
        B = mp.matrix(means[: K - centred])
        ones = mp.matrix([[1] * B.rows] * B.rows)
        C = (mp.eye(B.rows) + (ones if centred else 0 * ones)) / K
        G = mp.inverse(B * B.T)
        middle = G * mp.inverse(C) * G
    form = lambda v: (v.T * middle * v)[0] / K  # noqa: E731
    return [[form(B * mp.matrix(v)) for v in group] for group in deviation]


def whitened_by_inverse(deviation, rows):
    """(1/K) v^T S^+ v with S = (1/K) rows^T rows of rank min(K - 1, d), by independent directions.

    S = B^T C B with orthonormal rows B, by Gram and Schmidt, and C = B S B^T, which has an inverse.
    """
    K, d, B = len(rows), len(rows[0]), []
    for row in rows:
        if len(B) < min(K - 1, d):
            left = row
            for _ in range(2):
                for b in B:
                    left = [x - dot(left, b) * y for x, y in zip(left, b, strict=True)]
            B.append(unit(left))
    inner = mp.matrix([[dot(b, row) for row in rows] for b in B])
    middle = mp.inverse(inner * inner.T / K)
    coordinates = lambda v: mp.matrix([dot(b, v) for b in B])  # noqa: E731
    return [[(coordinates(v).T * middle * coordinates(v))[0] / K for v in group]
            for group in deviation]  # fmt: skip


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
    return sum(a * b for a, b in zip(x, y, strict=True))


def norm(x):
    return mp.sqrt(dot(x, x))


def unit(x):
    return [a / norm(x) for a in x]


def cos(x, y):
    return dot(x, y) / (norm(x) * norm(y))


def minus(x, y):
    return [a - b for a, b in zip(x, y, strict=True)]
