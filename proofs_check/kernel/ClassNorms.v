(** How much the norms of the class means of a network vary, from the losses of the classes and the
    last layer: each lies between what the losses guarantee and the norm of the features. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Phi Network SquareGap OneClass.
Open Scope R_scope.

Definition standard_deviation (n : nat) (x : nat -> R) : R := sqrt (variance n x).

Definition norm_deviation (C : nat) (least alpha : nat -> R) : R :=
  standard_deviation C (fun c => (least c + alpha c) / 2)
  + sqrt (mean C (fun c => (alpha c - least c) / 2 * ((alpha c - least c) / 2))).

Lemma root_mean_square n u : (1 <= n)%nat ->
  sqrt (mean n (fun i => u i * u i)) = norm n u / sqrt (INR n).
Proof.
  intros P; assert (I : 0 < INR n) by (apply lt_0_INR; lia).
  unfold mean, norm, dot; apply sqrt_div_alt; exact I.
Qed.

Lemma norm_plus_le n u v : norm n (fun i => u i + v i) <= norm n u + norm n v.
Proof.
  assert (U := norm_nonneg n u); assert (V := norm_nonneg n v).
  apply Rsqr_incr_0_var; [| lra]; unfold Rsqr.
  rewrite norm_sqr, dot_plus_l, !dot_plus_r, (dot_comm n v u), <- !norm_sqr.
  assert (S := cauchy_schwarz n u v). lra.
Qed.

(** Minkowski's inequality for standard deviations: x varies no more than m does, and by how far it
    is from m. *)
Lemma deviation_near n x m reach : (1 <= n)%nat ->
  (forall i, (i < n)%nat -> Rabs (x i - m i) <= reach i) ->
  standard_deviation n x
  <= standard_deviation n m + sqrt (mean n (fun i => reach i * reach i)).
Proof.
  intros P H; set (c := mean n m).
  apply Rle_trans with (sqrt (mean n (fun i => (x i - c) * (x i - c)))).
  { apply sqrt_le_1_alt; rewrite (mean_square_about n x c) by exact P.
    assert (S := Rle_0_sqr (mean n x - c)); unfold Rsqr in S; lra. }
  unfold standard_deviation, variance; fold c.
  rewrite (root_mean_square n (fun i => x i - c)), (root_mean_square n (fun i => m i - c)),
    (root_mean_square n reach) by exact P.
  assert (I : 0 < sqrt (INR n)) by (apply sqrt_lt_R0, lt_0_INR; lia).
  unfold Rdiv; rewrite <- Rmult_plus_distr_r; apply Rmult_le_compat_r;
    [left; apply Rinv_0_lt_compat, I |].
  apply Rle_trans with (norm n (fun i => m i - c) + norm n (fun i => x i - m i)).
  { eapply Rle_trans; [right | apply norm_plus_le].
    unfold norm; f_equal; apply sum_ext; intros; ring. }
  apply Rplus_le_compat_l, sqrt_le_1_alt, sum_le; intros i L.
  assert (A := Rsqr_abs (x i - m i)); unfold Rsqr in A; rewrite A.
  apply Rmult_le_compat; try apply Rabs_pos; apply H, L.
Qed.

(** bnwd:sharp-3, sharp "equal norms": any probabilities pi on the rivals of each class. *)
Theorem class_norms (C n N d : nat) (pi offset : nat -> nat -> R) (own : nat -> nat -> R)
  (rivals h : nat -> nat -> nat -> R) : (1 <= C)%nat -> (1 <= N)%nat ->
  (forall c r, (c < C)%nat -> (r < n)%nat -> 0 < pi c r) ->
  (forall c, (c < C)%nat -> sum n (pi c) = 1) ->
  let a := fun c =>
    mean N (fun i => certified_margin n d (pi c) (own c) (rivals c) (offset c) (h c i)) in
  let least := fun c => Rmax (a c) 0 / norm d (direction n (pi c) (own c) (rivals c)) in
  let alpha := fun c => rms N d (h c) in
  let size := fun c => norm d (sample_mean N (h c)) in
  standard_deviation C size <= norm_deviation C least alpha /\
  standard_deviation C size * mean C least <= norm_deviation C least alpha * mean C size.
Proof.
  intros P Q Z S a least alpha size.
  assert (B : forall c, (c < C)%nat -> 0 <= least c <= size c /\ size c <= alpha c).
  { intros c L; split; [| apply mean_norm_le_rms, Q].
    set (omega := direction n (pi c) (own c) (rivals c)).
    assert (M : a c <= dot d omega (sample_mean N (h c))).
    { unfold a, sample_mean; rewrite dot_mean_r; apply mean_le; [lia |]; intros i _.
      apply certified_margin_below; [intros; apply Z; assumption | apply S, L]. }
    assert (X := norm_nonneg d (sample_mean N (h c))).
    unfold least, size; fold omega; destruct (Rle_lt_dec (a c) 0) as [A | A].
    - rewrite Rmax_right by exact A; unfold Rdiv; rewrite Rmult_0_l; lra.
    - rewrite Rmax_left by lra.
      destruct (norm_pos_of_inner d omega (sample_mean N (h c)) ltac:(lra)) as [O _].
      assert (CS := cauchy_schwarz d omega (sample_mean N (h c))).
      split; [left; apply Rdiv_lt_0_compat; assumption |].
      apply (Rmult_le_reg_l (norm d omega)); [exact O |].
      replace (norm d omega * (a c / norm d omega)) with (a c) by (field; lra). lra. }
  assert (D : standard_deviation C size <= norm_deviation C least alpha).
  { apply deviation_near; [exact P |]; intros c L; destruct (B c L) as [[_ B1] B2].
    apply Rabs_le; lra. }
  split; [exact D |].
  apply Rmult_le_compat; [apply sqrt_pos | | exact D |].
  - apply mean_nonneg; [lia |]; intros c L; apply B, L.
  - apply mean_le; [lia |]; intros c L; apply B, L.
Qed.
