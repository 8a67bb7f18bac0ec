(** What mean logits show: class means up to what the last layer does not see. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Phi Network Budget.
Open Scope R_scope.

(** Mean logits of class c, less the bias, and less their mean over the classes. *)
Definition mean_logit (N d : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R)
  (c r : nat) : R :=
  mean N (fun i => dot d (w r) (h c i)).

Definition centred_logit (C N d : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R)
  (c r : nat)
  : R := mean_logit N d w h c r - mean C (fun k => mean_logit N d w h c k).

(** 2 <y, m> - |sum y wdot|^2 for multipliers y. *)
Definition projected_square (C N d : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R)
  (y : nat -> nat -> R) (c : nat) : R :=
  2 * sum C (fun r => y c r * centred_logit C N d w h c r)
  - dot d (fun j => sum C (fun r => y c r * centred C w r j))
          (fun j => sum C (fun r => y c r * centred C w r j)).

Lemma centred_logit_inner C N d w h c r :
  centred_logit C N d w h c r = dot d (centred C w r) (class_centre N h c).
Proof.
  unfold centred_logit, mean_logit, class_centre, centred.
  rewrite dot_minus_l, dot_mean_l, dot_mean_r; f_equal; apply mean_ext; intros k _.
  symmetry; apply dot_mean_r.
Qed.

Lemma projected_square_below C N d w h y c :
  projected_square C N d w h y c <= dot d (class_centre N h c) (class_centre N h c).
Proof.
  unfold projected_square; set (u := fun j => sum C (fun r => y c r * centred C w r j)).
  rewrite (sum_ext C _ (fun r => dot d (fun j => y c r * centred C w r j) (class_centre N h c)))
    by (intros; rewrite dot_scale_l, centred_logit_inner; reflexivity).
  rewrite <- (dot_sum_l d C (class_centre N h c) (fun r j => y c r * centred C w r j)); fold u.
  assert (S := dot_nonneg d (fun j => class_centre N h c j - u j)).
  rewrite dot_minus_l, !dot_minus_r, (dot_comm d (class_centre N h c) u) in S; lra.
Qed.

(** bnwd:sharp-1, sharp "from mean logits": any multipliers bound the variability of each class and
    of all classes, and the mean logits give the mean margin. *)
Theorem variability_from_mean_logits C N d w h y : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < feature_norm C N d h ->
  mean_margin C N d w h = sum C (fun c => centred_logit C N d w h c c) / (INR C - 1) /\
  (forall c, (c < C)%nat ->
     mean N (fun i => dot d (centred N (h c) i) (centred N (h c) i))
     <= mean N (fun i => dot d (h c i) (h c i)) - projected_square C N d w h y c) /\
  variability C N d h
  <= 1 - mean C (fun c => projected_square C N d w h y c)
         / (feature_norm C N d h * feature_norm C N d h).
Proof.
  intros P Q F; assert (R := classes_real C P).
  assert (E : forall c, (c < C)%nat ->
     mean N (fun i => dot d (centred N (h c) i) (centred N (h c) i))
     <= mean N (fun i => dot d (h c i) (h c i)) - projected_square C N d w h y c).
  { intros c _; rewrite centred_norm_square by lia.
    assert (B := projected_square_below C N d w h y c); unfold class_centre in B; lra. }
  split; [| split; [exact E |]].
  - rewrite mean_margin_product; unfold mean_product, mean, ratio.
    rewrite (sum_ext C (fun c => centred_logit C N d w h c c)
      (fun c => dot d (centred C w c) (class_centre N h c)))
      by (intros; apply centred_logit_inner).
    field; lra.
  - assert (FF : 0 < feature_norm C N d h * feature_norm C N d h)
      by (apply Rmult_lt_0_compat; exact F).
    unfold variability; apply (Rmult_le_reg_r (feature_norm C N d h * feature_norm C N d h));
      [exact FF |].
    assert (M := mean_le C _ _ ltac:(lia) E); rewrite mean_minus in M.
    fold (class_mean C N (fun c i => dot d (centred N (h c) i) (centred N (h c) i))) in M.
    fold (class_mean C N (fun c i => dot d (h c i) (h c i))) in M.
    rewrite <- (feature_norm_square C N d h) in M by lia.
    set (f := feature_norm C N d h) in *.
    set (V := class_mean C N (fun c i => dot d (centred N (h c) i) (centred N (h c) i))) in *.
    set (p := mean C (fun c => projected_square C N d w h y c)) in *.
    replace (V / (f * f) * (f * f)) with V by (field; lra).
    replace ((1 - p / (f * f)) * (f * f)) with (f * f - p) by (field; lra). exact M.
Qed.

(** * One pair of class means *)

Definition cosine (d : nat) (x y : nat -> R) : R := dot d x y / (norm d x * norm d y).

(** A vector p + q with q orthogonal to p, |p| > 0 and norm at most a: what p says of it. *)
Lemma seen_share d p q a : 0 < a -> 0 < norm d p -> dot d p q = 0 ->
  dot d (fun j => p j + q j) (fun j => p j + q j) <= a * a ->
  let l := norm d (fun j => p j + q j) in
  0 < l /\ 0 <= norm d p / a <= norm d p / l /\ norm d p / l <= 1 /\
  norm d q / l <= sqrt (1 - norm d p / a * (norm d p / a)).
Proof.
  intros A P O H l.
  assert (L2 : l * l = norm d p * norm d p + norm d q * norm d q).
  { unfold l; rewrite !norm_sqr, dot_plus_l, !dot_plus_r, (dot_comm d q p), O; ring. }
  assert (L0 : 0 <= l) by apply norm_nonneg.
  assert (Q0 := norm_nonneg d q).
  rewrite <- norm_sqr in H; fold l in H.
  set (x := norm d p) in *; set (y := norm d q) in *.
  assert (X2 : 0 < x * x) by (apply Rmult_lt_0_compat; exact P).
  assert (Y2 : 0 <= y * y) by apply Rle_0_sqr.
  assert (L1 : 0 < l) by (destruct L0 as [| <-]; [assumption | lra]).
  assert (LA : l <= a) by (apply Rsqr_incr_0; unfold Rsqr; lra).
  assert (XL : x <= l) by (apply Rsqr_incr_0; unfold Rsqr; lra).
  split; [exact L1 | split; [split |split]].
  - left; apply Rdiv_lt_0_compat; assumption.
  - apply Rmult_le_compat_l; [lra |]; apply Rinv_le_contravar; assumption.
  - apply (Rmult_le_reg_r l); [exact L1 |]. unfold Rdiv; rewrite Rmult_assoc, Rinv_l; lra.
  - assert (E : y / l * (y / l) = 1 - x / l * (x / l)).
    { apply (Rmult_eq_reg_r (l * l)); [| apply Rgt_not_eq, Rmult_lt_0_compat; exact L1].
      replace (y / l * (y / l) * (l * l)) with (y * y) by (field; lra).
      replace ((1 - x / l * (x / l)) * (l * l)) with (l * l - x * x) by (field; lra). lra. }
    assert (YL : 0 <= y / l) by (apply Rmult_le_pos; [exact Q0 | left; apply Rinv_0_lt_compat, L1]).
    rewrite <- (sqrt_square (y / l)) by exact YL; apply sqrt_le_1_alt; rewrite E.
    assert (M : x / a * (x / a) <= x / l * (x / l)); [| lra].
    apply square_le.
    + left; apply Rdiv_lt_0_compat; assumption.
    + apply Rmult_le_compat_l; [lra |]; apply Rinv_le_contravar; assumption.
Qed.

(** bnwd:sharp-4, sharp "mean logits": the cosine of two class means p1 + q1 and p2 + q2 of which
    the last layer sees p1 and p2; a1 and a2 are the classes' root mean square norms. *)
Theorem pair_cosine_from_projections d p1 q1 p2 q2 a1 a2 : 0 < a1 -> 0 < a2 ->
  0 < norm d p1 -> 0 < norm d p2 ->
  dot d p1 q1 = 0 -> dot d p1 q2 = 0 -> dot d p2 q1 = 0 -> dot d p2 q2 = 0 ->
  dot d (fun j => p1 j + q1 j) (fun j => p1 j + q1 j) <= a1 * a1 ->
  dot d (fun j => p2 j + q2 j) (fun j => p2 j + q2 j) <= a2 * a2 ->
  Rabs (cosine d (fun j => p1 j + q1 j) (fun j => p2 j + q2 j) - cosine d p1 p2)
  <= Rabs (cosine d p1 p2) * (1 - norm d p1 / a1 * (norm d p2 / a2))
     + sqrt (1 - norm d p1 / a1 * (norm d p1 / a1)) * sqrt (1 - norm d p2 / a2 * (norm d p2 / a2)).
Proof.
  intros A1 A2 P1 P2 O11 O12 O21 O22 H1 H2.
  destruct (seen_share d p1 q1 a1 A1 P1 O11 H1) as [L1 [[X1 Y1] [Z1 W1]]].
  destruct (seen_share d p2 q2 a2 A2 P2 O22 H2) as [L2 [[X2 Y2] [Z2 W2]]].
  unfold cosine.
  replace (dot d (fun j => p1 j + q1 j) (fun j => p2 j + q2 j)) with (dot d p1 p2 + dot d q1 q2)
    by (rewrite dot_plus_l, !dot_plus_r, O12, (dot_comm d q1 p2), O21; ring).
  assert (CS := cauchy_schwarz_abs d q1 q2).
  set (l1 := norm d (fun j => p1 j + q1 j)) in *; set (l2 := norm d (fun j => p2 j + q2 j)) in *.
  set (x1 := norm d p1) in *; set (x2 := norm d p2) in *.
  set (X := dot d p1 p2 / (x1 * x2)).
  replace ((dot d p1 p2 + dot d q1 q2) / (l1 * l2) - X)
    with (- (X * (1 - x1 / l1 * (x2 / l2))) + dot d q1 q2 / (l1 * l2))
    by (unfold X; field; repeat split; lra).
  eapply Rle_trans; [apply Rabs_triang |]; apply Rplus_le_compat.
  - assert (B1 : x1 / a1 * (x2 / a2) <= x1 / l1 * (x2 / l2)) by (apply Rmult_le_compat; assumption).
    assert (B2 : x1 / l1 * (x2 / l2) <= 1 * 1) by (apply Rmult_le_compat; lra).
    rewrite Rabs_Ropp, Rabs_mult, (Rabs_right (1 - x1 / l1 * (x2 / l2))) by lra.
    apply Rmult_le_compat_l; [apply Rabs_pos | lra].
  - assert (LL : 0 < l1 * l2) by (apply Rmult_lt_0_compat; assumption).
    unfold Rdiv at 1; rewrite Rabs_mult, (Rabs_right (/ (l1 * l2)))
      by (apply Rle_ge; left; apply Rinv_0_lt_compat, LL).
    apply Rle_trans with (norm d q1 / l1 * (norm d q2 / l2)).
    + replace (norm d q1 / l1 * (norm d q2 / l2)) with (norm d q1 * norm d q2 * / (l1 * l2))
        by (field; lra).
      apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat, LL | exact CS].
    + apply Rmult_le_compat; try assumption;
        (apply Rmult_le_pos; [apply norm_nonneg | left; apply Rinv_0_lt_compat; assumption]).
Qed.
