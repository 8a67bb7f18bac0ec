(** The metrics GNC2 and GNC3: how they move with the weights, and what self-duality implies. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Hull Midpoint.
Open Scope R_scope.

(** * GNC2 *)

Lemma norm_difference_triangle d x y : Rabs (norm d x - norm d y) <= norm d (difference x y).
Proof.
  assert (X := norm_sqr d x); assert (Y := norm_sqr d y);
    assert (D := norm_sqr d (difference x y)).
  rewrite dot_difference_l, !dot_difference_r, (dot_comm d y x) in D.
  assert (C := cauchy_schwarz d x y).
  assert (N := norm_nonneg d (difference x y)).
  assert (P := norm_nonneg d x); assert (Q := norm_nonneg d y).
  set (a := norm d x) in *; set (b := norm d y) in *; set (n := norm d (difference x y)) in *.
  assert (S : (a - b) * (a - b) <= n * n) by nra.
  apply Rabs_le; split; [destruct (Rle_or_lt (- n) (a - b)) | destruct (Rle_or_lt (a - b) n)];
    try assumption; nra.
Qed.

Lemma norm_sum_le d x y : norm d (difference x y) <= norm d x + norm d y.
Proof.
  assert (X := norm_sqr d x); assert (Y := norm_sqr d y);
    assert (D := norm_sqr d (difference x y)).
  rewrite dot_difference_l, !dot_difference_r, (dot_comm d y x) in D.
  assert (C := cauchy_schwarz_abs d x y); assert (A := Rle_abs (- dot d x y)).
  rewrite Rabs_Ropp in A.
  assert (N := norm_nonneg d (difference x y)).
  assert (P := norm_nonneg d x); assert (Q := norm_nonneg d y).
  set (a := norm d x) in *; set (b := norm d y) in *; set (n := norm d (difference x y)) in *.
  destruct (Rle_or_lt n (a + b)); [assumption | nra].
Qed.

(** A convex combination of short vectors is short. *)
Lemma norm_combination_le d K k a u c :
  weights_of_others K k a ->
  (forall j, (j < K)%nat -> j <> k -> norm d (u j) <= c) -> norm d (combination K a u) <= c.
Proof.
  intros A U; set (p := combination K a u).
  assert (N := norm_nonneg d p).
  destruct (Req_dec (norm d p) 0) as [Z | Z].
  - rewrite Z; assert (H := weighted_least K k a (fun j => c) 0 A).
    destruct A as (A0 & Ak & A1); cbv beta in H; rewrite sum_scale_r, A1, Rmult_1_l in H; apply H.
    intros j J D; eapply Rle_trans; [apply norm_nonneg | apply (U j J D)].
  - assert (L : norm d p * norm d p <= c * norm d p).
    { rewrite norm_sqr; unfold p at 1; rewrite dot_combination_l.
      destruct A as (A0 & Ak & A1).
      apply Rle_trans with (sum K (fun j => a j * (c * norm d p))).
      - apply sum_le; intros j J; destruct (Nat.eq_dec j k) as [-> | D]; [rewrite Ak; lra |].
        apply Rmult_le_compat_l; [apply A0, J |].
        eapply Rle_trans; [apply cauchy_schwarz |].
        apply Rmult_le_compat_r; [exact N | apply U; assumption].
      - rewrite sum_scale_r, A1; lra. }
    apply Rmult_le_reg_r with (norm d p); lra.
Qed.

(** gnc:definition-gnc2, sharp "it moves no faster than the weights": the distance of w_k from a
    point of the hull of the others, at two sets of weights. *)
Theorem distance_moves_with_weights :
  forall (d K k : nat) (w v : nat -> nat -> R) (a : nat -> R) (M : R),
  (k < K)%nat ->
  weights_of_others K k a ->
  (forall j, (j < K)%nat -> j <> k -> norm d (difference (w j) (v j)) <= M) ->
  Rabs (norm d (difference (w k) (combination K a w))
    - norm d (difference (v k) (combination K a v)))
  <= norm d (difference (w k) (v k)) + M.
Proof.
  intros d K k w v a M Hk A U.
  eapply Rle_trans; [apply norm_difference_triangle |].
  replace (norm d (difference (difference (w k) (combination K a w))
                              (difference (v k) (combination K a v))))
    with (norm d (difference (difference (w k) (v k))
                             (combination K a (fun j => difference (w j) (v j))))).
  - eapply Rle_trans; [apply norm_sum_le |]; apply Rplus_le_compat_l.
    apply (norm_combination_le d K k a); assumption.
  - unfold norm; f_equal; apply dot_ext; intros i _; unfold difference, combination;
      rewrite (sum_ext K (fun j => a j * (w j i - v j i)) (fun j => a j * w j i - a j * v j i))
        by (intros; ring); rewrite sum_minus; ring.
Qed.

(** * GNC3 *)

(** The mean of the n features of a class. *)
Definition class_mean (n : nat) (h : nat -> nat -> R) : nat -> R := fun l => mean n
  (fun i => h i l).

(** Mean over classes of 1 - <w_k, m_k>. *)
Definition gnc3 (d K n : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R) : R :=
  mean K (fun k => 1 - dot d (w k) (class_mean n (h k))).

(** Mean squared distance of features from their class mean. *)
Definition variability (d K n : nat) (h : nat -> nat -> nat -> R) : R :=
  mean K (fun k => mean n (fun i => norm d (difference (h k i) (class_mean n (h k))) ^ 2)).

Lemma square_norm d x : norm d x ^ 2 = dot d x x.
Proof. rewrite <- norm_sqr; ring. Qed.

Lemma dot_class_mean d n x h : dot d x (class_mean n h) = mean n (fun i => dot d x (h i)).
Proof.
  unfold class_mean, mean, Rdiv.
  rewrite (dot_ext d x x _ (fun l => / INR n * sum n (fun i => h i l))) by (intros; auto; ring).
  rewrite dot_scale_r, dot_sum_r; ring.
Qed.

Lemma mean_ext n f g : (forall i, (i < n)%nat -> f i = g i) -> mean n f = mean n g.
Proof. intros E; unfold mean; rewrite (sum_ext n f g E); reflexivity. Qed.

Lemma mean_affine n a b f : (1 <= n)%nat -> mean n (fun i => a + b * f i) = a + b * mean n f.
Proof.
  intros N; unfold mean; rewrite sum_plus, sum_const, sum_scale; field; apply not_0_INR; lia.
Qed.

Lemma mean_square_at_least n f : (1 <= n)%nat -> mean n f ^ 2 <= mean n (fun i => f i ^ 2).
Proof.
  intros N; assert (P : 0 < INR n) by (apply lt_0_INR; lia).
  assert (C := cauchy_schwarz_sqr n (fun _ => 1) f); unfold dot in C.
  rewrite (sum_const n (1 * 1)), Rmult_1_r, Rmult_1_r in C.
  rewrite (sum_ext n (fun i => 1 * f i) f) in C by (intros; ring).
  unfold mean; rewrite (sum_ext n (fun i => f i ^ 2) (fun i => f i * f i)) by (intros; ring).
  apply Rmult_le_reg_l with (INR n * INR n); [nra |].
  replace (INR n * INR n * (sum n f / INR n) ^ 2) with (sum n f * sum n f) by (field; lra).
  replace (INR n * INR n * (sum n (fun i => f i * f i) / INR n))
    with (INR n * sum n (fun i => f i * f i)) by (field; lra). exact C.
Qed.

(** gnc:definition-gnc3, sharp "a mean squared distance": for unit weights and features 2 GNC3 is
    the mean squared distance of features from their weights, splits into that of the class means
    and the variability, and bounds the latter. *)
Theorem gnc3_is_mean_squared_distance :
  forall (d K n : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R),
  (1 <= K)%nat -> (1 <= n)%nat ->
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k i, (k < K)%nat -> (i < n)%nat -> dot d (h k i) (h k i) = 1) ->
  mean K (fun k => mean n (fun i => norm d (difference (w k) (h k i)) ^ 2)) = 2 * gnc3 d K n w h /\
  mean K (fun k => norm d (difference (w k) (class_mean n (h k))) ^ 2) + variability d K n h
  = 2 * gnc3 d K n w h /\
  variability d K n h <= 1 - Rmax (1 - gnc3 d K n w h) 0 ^ 2.
Proof.
  intros d K n w h K1 N W H.
  set (m := fun k => class_mean n (h k)).
  assert (Twice : 2 * gnc3 d K n w h = mean K (fun k => 2 - 2 * dot d (w k) (m k))).
  { unfold gnc3; rewrite <- (Rplus_0_l (2 * _)), <- mean_affine by exact K1.
    apply mean_ext; intros; unfold m; ring. }
  assert (Var : forall k, (k < K)%nat ->
    mean n (fun i => norm d (difference (h k i) (m k)) ^ 2) = 1 - dot d (m k) (m k)).
  { intros k Hk.
    transitivity (mean n (fun i => (1 + dot d (m k) (m k)) + -2 * dot d (m k) (h k i))).
    - apply mean_ext; intros i Hi; rewrite square_norm, dot_difference_l, !dot_difference_r,
        (H k i Hk Hi), (dot_comm d (h k i)); ring.
    - rewrite mean_affine, <- dot_class_mean by exact N; fold (m k); ring. }
  assert (V : variability d K n h = mean K (fun k => 1 - dot d (m k) (m k)))
    by (apply mean_ext, Var).
  split; [| split].
  - rewrite Twice; apply mean_ext; intros k Hk.
    transitivity (mean n (fun i => 2 + -2 * dot d (w k) (h k i))).
    + apply mean_ext; intros i Hi; rewrite square_norm, unit_distance; auto; ring.
    + rewrite mean_affine, <- dot_class_mean by exact N; fold (m k); ring.
  - rewrite V, Twice; unfold mean, Rdiv; rewrite <- Rmult_plus_distr_r, <- sum_plus; f_equal.
    apply sum_ext; intros k Hk; rewrite square_norm; fold (m k).
    rewrite dot_difference_l, !dot_difference_r, (W k Hk), (dot_comm d (m k) (w k)); ring.
  - rewrite V.
    replace (mean K (fun k => 1 - dot d (m k) (m k)))
      with (1 - mean K (fun k => norm d (m k) ^ 2)).
    2: { transitivity (1 + -1 * mean K (fun k => norm d (m k) ^ 2)); [ring |].
         rewrite <- mean_affine by exact K1; apply mean_ext; intros; rewrite square_norm; ring. }
    apply Rplus_le_compat_l, Ropp_le_contravar.
    apply Rle_trans with (mean K (fun k => norm d (m k)) ^ 2);
      [| apply mean_square_at_least, K1].
    apply pow_incr; split; [apply Rmax_r | apply Rmax_lub].
    + replace (1 - gnc3 d K n w h) with (mean K (fun k => dot d (w k) (m k))).
      * unfold mean; apply Rmult_le_compat_r; [apply Rlt_le, Rinv_0_lt_compat, lt_0_INR; lia |].
        apply sum_le; intros k Hk; eapply Rle_trans; [apply cauchy_schwarz |].
        rewrite (norm_unit d (w k) (W k Hk)); lra.
      * unfold gnc3; transitivity (1 - (1 + -1 * mean K (fun k => dot d (w k) (m k)))); [ring |].
        rewrite <- mean_affine by exact K1; f_equal; apply mean_ext; intros; unfold m; ring.
    + apply Rmult_le_pos; [apply sum_nonneg; intros; apply norm_nonneg |].
      apply Rlt_le, Rinv_0_lt_compat, lt_0_INR; lia.
Qed.
