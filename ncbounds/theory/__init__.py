"""What the papers say: modules and packages by topic, and the register of all statements."""

from __future__ import annotations

import difflib
from functools import cache
from importlib import import_module

from ncbounds.errors import InputError
from ncbounds.theory.terms import PAPERS, Statement

#: Modules that hold statements; `proofs_check` has one of the same name for each.
TOPICS = (
    "metrics",
    "convexity",
    "cosine",
    "proximity.opposition",
    "proximity.near_optimal_loss",
    "proximity.first_steps",
    "proximity.gaps",
    "proximity.most_classes",
    "proximity.most_pairs",
    "proximity.printed_theorem",
    "proximity.corrected_theorem",
    "proximity.alignment",
    "proximity.weight_cosines",
    "proximity.one_class",
    "proximity.class_pairs",
    "proximity.ellipsoid",
    "weight_decay.objective",
    "batch_norm",
    "weight_decay.regularised",
    "weight_decay.sharp_theorem",
    "weight_decay.theorem",
    "softmax_code.gamma_bounds",
    "softmax_code.midpoint",
    "softmax_code.hardmax",
    "softmax_code.known_codes",
    "softmax_code.temperature",
    "softmax_code.temperature_limit",
    "softmax_code.code_bounds",
    "softmax_code.dimension",
    "softmax_code.generalised_collapse",
    "softmax_code.assignment",
    "rademacher.binary_tree",
    "square_loss.flow",
    "square_loss.equilibrium",
    "square_loss.interpolation",
    "square_loss.growth",
    "square_loss.binary_margins",
    "square_loss.binary_collapse",
    "square_loss.sgd_steps",
    "square_loss.rank_one",
    "square_loss.rank_at_rest",
    "square_loss.multiclass_networks",
    "square_loss.multiclass_landscape",
    "square_loss.multiclass_lemma",
    "square_loss.multiclass_gradients",
    "square_loss.multiclass_collapse",
    "square_loss.multiclass_theorem",
    "square_loss.multiclass_covariances",
    "rademacher.definition",
    "rademacher.error_bound",
    "rademacher.margins",
    "rademacher.depth_bound",
    "rademacher.depth_factor",
    "rademacher.patches",
    "rademacher.peeling_lines",
    "rademacher.rank",
    "square_loss.margin_spread",
    "square_loss.collapse",
    "square_loss.weight_decay",
    "square_loss.given_weights",
    "collapse_metrics.network",
    "collapse_metrics.variability",
    "collapse_metrics.simplex",
    "collapse_metrics.duality",
    "collapse_metrics.nearest_mean",
    "collapse_metrics.classifiers",
    "unconstrained.collapsed_outputs",
    "unconstrained.output_balls",
    "unconstrained.separation",
    "unconstrained.entropy_flow",
    "unconstrained.stationary_points",
    "unconstrained.regularised_risk",
    "unconstrained.nuclear_norm",
    "unconstrained.global_certificate",
    "unconstrained.saddles",
    "unconstrained.regularised_minimum",
    "unconstrained.square_regularised",
    "unconstrained.square_collapse",
    "unconstrained.extended",
    "unconstrained.extended_minimiser",
    "unconstrained.renormalised",
    "unconstrained.square_flow",
    "unconstrained.strong_collapse",
    "unconstrained.linear_flow",
    "unconstrained.normalised_features",
    "unconstrained.contrastive",
    "imbalance.pull_and_push",
    "imbalance.relaxation",
    "imbalance.threshold",
    "imbalance.below_threshold",
    "imbalance.both_sides",
    "imbalance.merging",
    "imbalance.minority_collapse",
    "elasticity.drift",
    "elasticity.transformation",
    "elasticity.class_means",
    "elasticity.separation",
    "elasticity.linearised_drift",
    "transfer.cdnv",
    "transfer.deviations",
    "transfer.class_means",
    "transfer.depth",
    "transfer.target_tasks",
)


@cache
def statements() -> dict[str, Statement]:
    """Return every statement by id, in the order of papers and topics."""
    found: dict[str, Statement] = {}
    for topic in TOPICS:
        for statement in import_module(f"ncbounds.theory.{topic}").STATEMENTS:
            if statement.id in found:
                raise ValueError(f"two statements have the id {statement.id}")
            found[statement.id] = statement
    order = list(PAPERS)
    return dict(sorted(found.items(), key=lambda item: order.index(item[1].source.paper)))


def statement(id: str) -> Statement:
    """Return the statement of an id such as ``"bnwd:lemma-2.1"``.

    Raises
    ------
    InputError
        When there is no such statement; the message names the nearest ids.
    """
    known = statements()
    if id not in known:
        near = difflib.get_close_matches(id, known, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else "see `ncbounds list`"
        raise InputError("ID", id, "the id of a statement", hint)
    return known[id]
