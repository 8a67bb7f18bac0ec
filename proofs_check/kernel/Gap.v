(** The exact splits of the loss above its least value, with and without weight decay: spread of the
    margins, distance to self-duality, mean weight, unequal logits of the rivals. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Phi Network Objective.
Open Scope R_scope.

(** What unequal logits of the rivals add to the loss. *)
Definition off_class_excess (C N d : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R) : R :=
  class_mean C N (fun c i =>
    loss C (logits d w unbiased (h c i)) c - phi (INR C - 1) (margin C d w (h c i) c)).

(** Mean of |s h - t wdot|^2. *)
Definition scaled_distance (C N d : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R)
  (s t : R)
  : R :=
  class_mean C N (fun c i => dot d (fun j => s * h c i j - t * centred C w c j)
                                   (fun j => s * h c i j - t * centred C w c j)).

Definition mean_weight_square (C d : nat) (w : nat -> nat -> R) : R :=
  dot d (fun j => mean C (fun r => w r j)) (fun j => mean C (fun r => w r j)).

(** Mean Bregman gap of the margins about p, at the error probability sigma. *)
Definition margin_spread (C N d : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R)
  (sigma p : R)
  : R := class_mean C N (fun c i => bregman sigma (margin C d w (h c i) c - p)).

Lemma loss_above_phi C d w x c : (2 <= C)%nat -> (c < C)%nat ->
  phi (INR C - 1) (margin C d w x c) <= loss C (logits d w unbiased x) c.
Proof.
  intros P L; rewrite loss_at_margin, logit_margin_split, bias_margin_unbiased by assumption.
  assert (G := off_class_nonneg C (logits d w unbiased x) c P L).
  apply phi_antitone; [apply rival_count_pos, P | lra].
Qed.

(** The mean loss, expanded at the margin p. *)
Lemma mean_loss_expansion C N d w h p : (2 <= C)%nat -> (1 <= N)%nat ->
  mean_loss C N d w unbiased h
  = phi (INR C - 1) p - slope (INR C - 1) p * (mean_margin C N d w h - p)
    + margin_spread C N d w h (slope (INR C - 1) p) p + off_class_excess C N d w h.
Proof.
  intros P Q; unfold mean_loss, margin_spread, off_class_excess.
  set (s := slope (INR C - 1) p).
  transitivity (class_mean C N (fun c i => phi (INR C - 1) p + s * p)
    - s * mean_margin C N d w h
    + class_mean C N (fun c i => bregman s (margin C d w (h c i) c - p))
    + class_mean C N (fun c i =>
        loss C (logits d w unbiased (h c i)) c - phi (INR C - 1) (margin C d w (h c i) c))).
  - unfold mean_margin; rewrite <- class_mean_scale, <- class_mean_minus, <- !class_mean_plus.
    apply class_mean_ext; intros c i _ _.
    rewrite (phi_expansion (INR C - 1) p (margin C d w (h c i) c)) by (apply rival_count_pos, P).
    fold s; ring.
  - rewrite class_mean_const by lia; ring.
Qed.

Lemma scaled_distance_expansion C N d w h s t : (2 <= C)%nat -> (1 <= N)%nat ->
  scaled_distance C N d w h s t
  = s * s * (feature_norm C N d h * feature_norm C N d h)
    - 2 * s * t * (mean_margin C N d w h / ratio C)
    + t * t * (weight_norm C d w * weight_norm C d w - mean_weight_square C d w).
Proof.
  intros P Q; assert (K := ratio_pos C P); unfold scaled_distance, mean_weight_square.
  rewrite square_distance, mean_margin_inner, feature_norm_square, weight_norm_square by lia.
  rewrite centred_norm_square by lia; field; lra.
Qed.

(** bnwd:theorem-2.1, sharp "identity (gap)": the loss above m = phi(k alpha beta), at the norms
    that weights and features have, is a sum of four defects. *)
Theorem gap_split C N d w h : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < feature_norm C N d h -> 0 < weight_norm C d w ->
  let alpha := feature_norm C N d h in
  let beta := weight_norm C d w in
  let p := ratio C * (alpha * beta) in
  let m := phi (INR C - 1) p in
  let sigma := 1 - exp (- m) in
  mean_loss C N d w unbiased h - m
  = margin_spread C N d w h sigma p
    + ratio C * sigma * (alpha * beta) / 2
      * (scaled_distance C N d w h (/ alpha) (/ beta) + mean_weight_square C d w / (beta * beta))
    + off_class_excess C N d w h /\
  (forall c i, (c < C)%nat -> (i < N)%nat -> 0 <= bregman sigma (margin C d w (h c i) c - p)) /\
  (forall c i, (c < C)%nat -> (i < N)%nat ->
     phi (INR C - 1) (margin C d w (h c i) c) <= loss C (logits d w unbiased (h c i)) c).
Proof.
  intros P Q A B alpha beta p m sigma; assert (K := ratio_pos C P).
  assert (M := rival_count_pos C P).
  assert (S : sigma = slope (INR C - 1) p) by (symmetry; apply slope_phi, M).
  split; [| split].
  - rewrite (mean_loss_expansion C N d w h p P Q), <- S; fold m.
    rewrite scaled_distance_expansion by assumption; fold alpha beta.
    unfold p; field; unfold alpha, beta; lra.
  - intros c i _ _; apply bregman_nonneg; rewrite S.
    assert (R := slope_range (INR C - 1) p M); lra.
  - intros; apply loss_above_phi; assumption.
Qed.

(** * With weight decay *)

(** L + lambda/2 (alpha^2 + C beta^2), with lambda = Lambda / sqrt C. *)
Definition penalty (C N d : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R)
  (lambda : R) : R :=
  lambda / 2 * (feature_norm C N d h * feature_norm C N d h
                + INR C * (weight_norm C d w * weight_norm C d w)).

Definition regularised_loss (C N d : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R)
  (lambda : R) : R := mean_loss C N d w unbiased h + penalty C N d w h lambda.

(** The least regularised loss, for 0 < sqrt C lambda < C/(C-1). *)
Definition least_regularised (C lambda : R) : R :=
  (C - 1) / sqrt C * lambda * ln (sqrt C / lambda - (C - 1)) - ln (1 - (C - 1) / sqrt C * lambda).

Lemma least_regularised_minimum C decay : 1 < C -> 0 < decay ->
  least_regularised C (decay / sqrt C) = minimum C decay.
Proof.
  intros P D; unfold least_regularised, minimum.
  assert (R : 0 < sqrt C) by (apply sqrt_lt_R0; lra).
  assert (S := sqrt_sqrt C ltac:(lra)).
  set (q := sqrt C) in *; clearbody q; subst C.
  replace ((q * q - 1) / q * (decay / q)) with ((q * q - 1) / (q * q) * decay) by (field; lra).
  replace (q / (decay / q) - (q * q - 1)) with ((q * q - (q * q - 1) * decay) / decay)
    by (field; lra).
  reflexivity.
Qed.

(** bnwd:theorem-2.2, sharp "identity (gap-reg)": the regularised loss above its least value is a
    sum of four defects; Lambda may even be anything below C/(C-1). *)
Theorem regularised_gap_split C N d w h decay : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < decay -> decay < INR C / (INR C - 1) ->
  let lambda := decay / sqrt (INR C) in
  let p := ratio C * minimiser (INR C) decay in
  let sigma := error_at_minimiser (INR C) decay in
  regularised_loss C N d w h lambda - least_regularised (INR C) lambda
  = margin_spread C N d w h sigma p
    + lambda / 2 * scaled_distance C N d w h 1 (sqrt (INR C))
    + lambda * INR C / 2 * mean_weight_square C d w
    + off_class_excess C N d w h /\
  (forall c i, (c < C)%nat -> (i < N)%nat -> 0 <= bregman sigma (margin C d w (h c i) c - p)) /\
  (forall c i, (c < C)%nat -> (i < N)%nat ->
     phi (INR C - 1) (margin C d w (h c i) c) <= loss C (logits d w unbiased (h c i)) c).
Proof.
  intros P Q D U lambda p sigma; assert (K := ratio_pos C P).
  assert (M := rival_count_pos C P); assert (R := classes_real C P).
  assert (S : slope (INR C - 1) p = sigma) by (apply slope_at_minimiser; lra).
  assert (E := error_range (INR C) decay ltac:(lra) D U); fold sigma in E.
  split; [| split].
  - unfold regularised_loss, penalty, lambda.
    rewrite (mean_loss_expansion C N d w h p P Q), S, least_regularised_minimum by lra.
    destruct (objective_minimum (INR C) decay 0 ltac:(lra) D U) as [V _].
    rewrite <- V, objective_phi; fold (ratio C); fold p.
    rewrite scaled_distance_expansion by assumption.
    assert (Q0 : 0 < sqrt (INR C)) by (apply sqrt_lt_R0; lra).
    assert (Q2 := sqrt_sqrt (INR C) ltac:(lra)).
    set (q := sqrt (INR C)) in *.
    assert (SK : sigma * ratio C = decay)
      by (unfold sigma, error_at_minimiser, ratio; field; lra).
    replace (minimiser (INR C) decay) with (p / ratio C) by (unfold p; field; lra).
    replace sigma with (decay / ratio C) at 1 by (rewrite <- SK; field; lra).
    rewrite <- Q2; field; lra.
  - intros c i _ _; apply bregman_nonneg; lra.
  - intros; apply loss_above_phi; assumption.
Qed.

(** What a near-minimal loss says of each defect: none is more than the gap. *)
Corollary regularised_defects C N d w h decay epsilon : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < decay -> decay < INR C / (INR C - 1) ->
  let lambda := decay / sqrt (INR C) in
  regularised_loss C N d w h lambda <= least_regularised (INR C) lambda + epsilon ->
  lambda / 2 * scaled_distance C N d w h 1 (sqrt (INR C)) <= epsilon /\
  lambda * INR C / 2 * mean_weight_square C d w <= epsilon /\
  off_class_excess C N d w h <= epsilon /\
  margin_spread C N d w h (error_at_minimiser (INR C) decay) (ratio C * minimiser (INR C) decay)
  <= epsilon.
Proof.
  intros P Q D U lambda H.
  destruct (regularised_gap_split C N d w h decay P Q D U) as [E [B O]]; fold lambda in E.
  assert (R := classes_real C P).
  assert (L0 : 0 < lambda) by (apply Rdiv_lt_0_compat; [lra | apply sqrt_lt_R0; lra]).
  assert (N1 : 0 <= scaled_distance C N d w h 1 (sqrt (INR C)))
    by (apply class_mean_nonneg; [lia | lia |]; intros; apply dot_nonneg).
  assert (N2 : 0 <= mean_weight_square C d w) by apply dot_nonneg.
  assert (N3 : 0 <= off_class_excess C N d w h)
    by (apply class_mean_nonneg; [lia | lia |]; intros c i X Y; assert (Z := O c i X Y); lra).
  assert (N4 : 0 <= margin_spread C N d w h (error_at_minimiser (INR C) decay)
                      (ratio C * minimiser (INR C) decay))
    by (apply class_mean_nonneg; [lia | lia |]; exact B).
  assert (M1 := Rmult_le_pos (lambda / 2) _ ltac:(lra) N1).
  assert (M2 := Rmult_le_pos (lambda * INR C / 2) (mean_weight_square C d w)).
  assert (0 < lambda * INR C) by (apply Rmult_lt_0_compat; lra).
  assert (M3 := M2 ltac:(lra) N2). lra.
Qed.
