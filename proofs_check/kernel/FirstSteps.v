(** The first steps from a mean loss to norms, class by class: samples to their mean, rivals to
    their mean, and the norms of weights and class means. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Phi Network Budget.
Open Scope R_scope.

(** * The loss of a class *)

Lemma loss_log_sum_exp C z c : (2 <= C)%nat -> (c < C)%nat ->
  loss C z c = ln (sum C (fun r => exp (z r - z c))).
Proof.
  intros P L; unfold loss; f_equal; rewrite rivals_others by assumption.
  replace (z c - z c) with 0 by ring; rewrite exp_0; assert (M := rival_count_pos C P).
  field; lra.
Qed.

(** Jensen for the loss: the tangent at the mean logits is Gibbs' inequality. *)
Lemma loss_convex C N c (z : nat -> nat -> R) : (2 <= C)%nat -> (c < C)%nat -> (1 <= N)%nat ->
  loss C (fun r => mean N (fun i => z i r)) c <= mean N (fun i => loss C (z i) c).
Proof.
  intros P L Q; set (m := fun r => mean N (fun i => z i r)).
  set (S := sum C (fun r => exp (m r - m c))).
  assert (S0 : 0 < S).
  { unfold S; destruct C as [| n]; [lia |]; simpl.
    assert (0 <= sum n (fun r => exp (m r - m c)))
      by (apply sum_nonneg; intros; left; apply exp_pos).
    assert (0 < exp (m n - m c)) by apply exp_pos. lra. }
  set (p := fun r => exp (m r - m c) / S).
  assert (P0 : forall r, (r < C)%nat -> 0 < p r)
    by (intros; apply Rdiv_lt_0_compat; [apply exp_pos | exact S0]).
  assert (P1 : sum C p = 1) by (unfold p; rewrite sum_divide; fold S; field; lra).
  set (e := sum C (fun r => p r * ln (p r))).
  assert (G : mean N (fun i => sum C (fun r => p r * (z i r - z i c)) - e)
              <= mean N (fun i => loss C (z i) c)).
  { apply mean_le; [lia |]; intros i _; rewrite loss_log_sum_exp by assumption.
    apply (gibbs_inequality C p (fun r => z i r - z i c) P0 P1). }
  rewrite mean_minus, mean_const in G by lia.
  replace (loss C m c) with (mean N (fun i => sum C (fun r => p r * (z i r - z i c))) - e);
    [exact G |].
  rewrite loss_log_sum_exp by assumption; fold S.
  transitivity (sum C (fun r => p r * (m r - m c)) - e).
  - f_equal; unfold mean.
    unfold Rdiv; rewrite sum_swap, <- sum_scale_r; apply sum_ext; intros r _.
    rewrite sum_scale, sum_minus; unfold m, mean, Rdiv; ring.
  - unfold e; rewrite <- sum_minus; rewrite (sum_ext C _ (fun r => p r * ln S)).
    + rewrite sum_scale_r, P1; ring.
    + intros r _; replace (ln (p r)) with (m r - m c - ln S); [ring |].
      unfold p; rewrite ln_div, ln_exp by (exact S0 || apply exp_pos); reflexivity.
Qed.

Lemma loss_ext C y z c : (c < C)%nat -> (forall r, (r < C)%nat -> y r = z r) ->
  loss C y c = loss C z c.
Proof.
  intros L E; unfold loss; do 3 f_equal; unfold rivals; f_equal; apply sum_ext; intros r R.
  destruct (Nat.eq_dec r c); [reflexivity | rewrite !E by assumption; reflexivity].
Qed.

Lemma margin_at_centre C N d w h c :
  margin C d w (class_centre N h c) c = mean N (fun i => margin C d w (h c i) c).
Proof. unfold margin, class_centre; rewrite mean_scale, <- dot_mean_r; reflexivity. Qed.

(** bnwd:eq-1, printed "softmax stands for the cross-entropy": lines (1) to (8). *)
Theorem class_loss_steps C N d w h : (2 <= C)%nat -> (1 <= N)%nat ->
  let x := class_centre N h in
  let at_mean := fun c => loss C (logits d w unbiased (x c)) c in
  let losses := fun c => mean N (fun i => loss C (logits d w unbiased (h c i)) c) in
  let t := fun c => margin C d w (x c) c in
  (forall c, (c < C)%nat -> at_mean c <= losses c) /\
  (forall c, (c < C)%nat -> phi (INR C - 1) (t c) <= at_mean c) /\
  (forall c, (c < C)%nat ->
     (sum C (fun r => dot d (w r) (x c)) - INR C * dot d (w c) (x c)) / (INR C - 1) = - t c) /\
  (forall c, (c < C)%nat -> phi (INR C - 1) (t c) <= losses c).
Proof.
  intros P Q x at_mean losses t; assert (M := rival_count_pos C P).
  assert (A : forall c, (c < C)%nat -> at_mean c <= losses c).
  { intros c L; unfold at_mean, losses.
    rewrite (loss_ext C _ (fun r => mean N (fun i => logits d w unbiased (h c i) r)) c L).
    - apply loss_convex; assumption.
    - intros r _; unfold logits, unbiased, x, class_centre; rewrite mean_plus, <- dot_mean_r.
      rewrite mean_const by lia; reflexivity. }
  assert (B : forall c, (c < C)%nat -> phi (INR C - 1) (t c) <= at_mean c).
  { intros c L; unfold at_mean; rewrite loss_at_margin by assumption.
    rewrite logit_margin_split, bias_margin_unbiased by assumption; fold (t c).
    assert (G := off_class_nonneg C (logits d w unbiased (x c)) c P L).
    apply phi_antitone; [exact M | lra]. }
  split; [exact A | split; [exact B | split]].
  - intros c L; unfold t, margin, ratio, centred.
    rewrite dot_minus_l, dot_mean_l; unfold mean; field; lra.
  - intros c L; eapply Rle_trans; [apply B | apply A]; exact L.
Qed.

(** bnwd:eq-1, sharp "log-odds": the mean log-odds of a class lie between the inverse of its mean
    loss and its margin. *)
Theorem class_log_odds C N d w h : (2 <= C)%nat -> (1 <= N)%nat ->
  let losses := fun c => mean N (fun i => loss C (logits d w unbiased (h c i)) c) in
  let log_odds := fun c =>
    mean N (fun i => phi_inverse (INR C - 1) (loss C (logits d w unbiased (h c i)) c)) in
  (forall c, (c < C)%nat -> log_odds c <= margin C d w (class_centre N h c) c) /\
  (forall c, (c < C)%nat -> phi_inverse (INR C - 1) (losses c) <= log_odds c).
Proof.
  intros P Q losses log_odds; assert (M := rival_count_pos C P); split; intros c L.
  - rewrite margin_at_centre; apply mean_le; [lia |]; intros i _.
    rewrite log_odds_of_sample, logit_margin_split, bias_margin_unbiased by assumption.
    assert (G := off_class_nonneg C (logits d w unbiased (h c i)) c P L); lra.
  - apply inverse_jensen_mean; [exact M | lia |]; intros; apply loss_pos; assumption.
Qed.

(** * Norms *)

Lemma square_of_mean n f : (1 <= n)%nat -> mean n f * mean n f <= mean n (fun i => f i * f i).
Proof.
  intros P; assert (V := mean_nonneg n (fun i => (f i - mean n f) * (f i - mean n f)) ltac:(lia)
                          (fun i _ => Rle_0_sqr (f i - mean n f))).
  set (m := mean n f) in *.
  rewrite (mean_ext n _ (fun i => f i * f i - 2 * m * f i + m * m)) in V by (intros; ring).
  rewrite mean_plus, mean_minus, mean_scale, mean_const in V by lia; fold m in V; lra.
Qed.

Lemma norm_of_mean N d v : (1 <= N)%nat ->
  norm d (fun j => mean N (fun i => v i j)) <= mean N (fun i => norm d (v i)).
Proof.
  intros Q; set (m := fun j => mean N (fun i => v i j)).
  assert (S : norm d m * norm d m <= norm d m * mean N (fun i => norm d (v i))).
  { rewrite norm_sqr; unfold m at 2; rewrite dot_mean_r, <- mean_scale.
    apply mean_le; [lia |]; intros; apply cauchy_schwarz. }
  assert (B := mean_nonneg N (fun i => norm d (v i)) ltac:(lia) (fun i _ => norm_nonneg d (v i))).
  destruct (norm_nonneg d m) as [A | A]; [apply (Rmult_le_reg_l (norm d m)); assumption | lra].
Qed.

(** bnwd:remark-norm-bounds, printed "line by line". *)
Theorem stacked_norms C N d w h alpha beta : (1 <= C)%nat -> (1 <= N)%nat ->
  feature_norm C N d h <= alpha -> weight_norm C d w <= beta ->
  let weights := sum C (fun c => dot d (centred C w c) (centred C w c)) in
  let features := sum C (fun c => dot d (class_centre N h c) (class_centre N h c)) in
  let centre := fun j => mean C (fun r => w r j) in
  let lengths := fun c => mean N (fun i => norm d (h c i)) in
  let squares := sum C (fun c => mean N (fun i => dot d (h c i) (h c i))) in
  weights = sum C (fun c => dot d (w c) (w c)) - INR C * dot d centre centre /\
  weights <= sum C (fun c => dot d (w c) (w c)) /\
  weights <= INR C * beta * beta /\
  features <= sum C (fun c => lengths c * lengths c) /\
  sum C (fun c => lengths c * lengths c) <= squares /\
  features <= INR C * alpha * alpha.
Proof.
  intros P Q A B weights features centre lengths squares.
  assert (I : 0 < INR C) by (apply lt_0_INR; lia).
  assert (W : weights = sum C (fun c => dot d (w c) (w c)) - INR C * dot d centre centre).
  { unfold weights; rewrite <- (mean_sum C (fun c => dot d (centred C w c) (centred C w c))) by lia.
    rewrite centred_norm_square, Rmult_minus_distr_l, mean_sum by lia; reflexivity. }
  assert (D := dot_nonneg d centre).
  assert (W2 : sum C (fun c => dot d (w c) (w c)) <= INR C * beta * beta).
  { rewrite <- mean_sum, <- weight_norm_square, Rmult_assoc by lia.
    apply Rmult_le_compat_l; [lra |]; apply Rmult_le_compat; try apply sqrt_pos; assumption. }
  assert (F1 : features <= sum C (fun c => lengths c * lengths c)).
  { apply sum_le; intros c _; rewrite <- norm_sqr.
    apply Rmult_le_compat; try apply norm_nonneg; apply norm_of_mean, Q. }
  assert (F2 : sum C (fun c => lengths c * lengths c) <= squares).
  { apply sum_le; intros c _; eapply Rle_trans; [apply square_of_mean, Q |].
    right; apply mean_ext; intros; apply norm_sqr. }
  assert (F3 : squares <= INR C * alpha * alpha).
  { unfold squares; rewrite <- (mean_sum C) by lia.
    change (mean C _) with (class_mean C N (fun c i => dot d (h c i) (h c i))).
    rewrite <- feature_norm_square, Rmult_assoc by lia.
    apply Rmult_le_compat_l; [lra |]; apply Rmult_le_compat; try apply sqrt_pos; assumption. }
  assert (C0 := Rmult_le_pos _ _ (Rlt_le _ _ I) D).
  repeat split; try assumption; lra.
Qed.

(** bnwd:remark-norm-bounds, sharp "what is lost": the mean weight, and the variability. *)
Theorem stacked_norms_exactly C N d w h : (1 <= C)%nat -> (1 <= N)%nat ->
  let centre := fun j => mean C (fun r => w r j) in
  mean C (fun c => dot d (centred C w c) (centred C w c))
  = weight_norm C d w * weight_norm C d w - dot d centre centre /\
  mean C (fun c => dot d (class_centre N h c) (class_centre N h c))
  = feature_norm C N d h * feature_norm C N d h
    - class_mean C N (fun c i => dot d (centred N (h c) i) (centred N (h c) i)).
Proof.
  intros P Q centre; split.
  - rewrite weight_norm_square by lia; apply centred_norm_square; lia.
  - rewrite feature_norm_square by lia; unfold class_mean; rewrite <- mean_minus.
    apply mean_ext; intros c _; rewrite centred_norm_square by lia.
    unfold class_centre; ring.
Qed.
