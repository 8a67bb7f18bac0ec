(** Steps between cosines: from a weight to the features of its class, and from a weight to a third
    vector by way of a class mean. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Cosine.
Open Scope R_scope.

Definition intra_step (eta : R) : R := 8 * eta.

(** bnwd:remark-intra-step, corrected "constant 8": features that are nearly aligned with one vector
    in the mean are nearly aligned with each other. *)
Theorem intra_class_step (N d : nat) (w : nat -> R) (h : nat -> nat -> R) :
  (0 < N)%nat -> 0 < norm d w -> 0 < root_mean_square N d h ->
  let eta := 1 - dot d w (mean_vector N h) / (norm d w * root_mean_square N d h) in
  1 - dot d (mean_direction N d h) (mean_direction N d h) <= intra_step eta.
Proof.
  intros N0 W H eta; set (beta := norm d w) in *; set (alpha := root_mean_square N d h) in *.
  set (c := dot d w (mean_vector N h)) in *.
  assert (AB : 0 < alpha * beta) by (apply Rmult_lt_0_compat; assumption).
  assert (X : c / (alpha * beta) = 1 - eta) by (unfold eta; field; lra).
  assert (I0 := dot_nonneg d (mean_direction N d h)); unfold intra_step.
  assert (R2 : 0 < sqrt 2) by (apply sqrt_lt_R0; lra); assert (S2 := sqrt_sqrt 2 ltac:(lra)).
  destruct (Rle_or_lt (alpha * beta / sqrt 2) c) as [L | L].
  - assert (B := intra_class_cosine_bound N d w h alpha beta c N0 H W (Rle_refl _) (Rle_refl _)).
    rewrite X in B; unfold intra_class_cosine in B.
    assert (B' := B ltac:(unfold c, mean_vector; rewrite dot_mean_r; apply Rle_refl) L); clear B.
    assert (0 <= 4 * (eta * eta) * (5 - 4 * eta + eta * eta))
      by (apply Rmult_le_pos; [apply Rmult_le_pos; [lra | apply Rle_0_sqr] |];
          assert (0 <= (eta - 2) * (eta - 2)) by apply Rle_0_sqr; lra).
    (* at this cosine the positive part is the number itself *)
    assert (P : 0 <= 2 * (1 - eta) * (1 - eta) - 1).
    { rewrite <- X; assert (Q : / sqrt 2 <= c / (alpha * beta)).
      { apply (Rmult_le_reg_r (alpha * beta)); [exact AB |].
        replace (c / (alpha * beta) * (alpha * beta)) with c by (field; lra). lra. }
      assert (0 < / sqrt 2) by (apply Rinv_0_lt_compat, R2).
      assert (T : / sqrt 2 * / sqrt 2 = / 2) by (rewrite <- Rinv_mult, S2; reflexivity).
      assert (/ sqrt 2 * / sqrt 2 <= c / (alpha * beta) * (c / (alpha * beta)))
        by (apply Rmult_le_compat; lra). lra. }
    rewrite Rmax_left in B' by exact P. lra.
  - assert (1 - eta < 3 / 4); [| lra].
    rewrite <- X; apply (Rmult_lt_reg_r (alpha * beta)); [exact AB |].
    replace (c / (alpha * beta) * (alpha * beta)) with c by (field; lra).
    eapply Rlt_trans; [exact L |].
    replace (alpha * beta / sqrt 2) with (alpha * beta * (sqrt 2 / 2))
      by (rewrite <- S2 at 2; field; lra).
    assert (sqrt 2 < 3 / 2) by nra. nra.
Qed.

(** bnwd:remark-inter-step, printed "vectors, as applied": the cosine with a third vector moves by
    no more than the distance of two directions. *)
Theorem third_vector (d : nat) (w x y : nat -> R) :
  0 < norm d w -> 0 < norm d x -> 0 < norm d y ->
  Rmax (cosine d x y - cosine d w y) 0 * Rmax (cosine d x y - cosine d w y) 0
  <= 2 - 2 * cosine d w x.
Proof.
  intros W X Y.
  set (u := fun k => w k / norm d w); set (v := fun k => x k / norm d x).
  set (z := fun k => y k / norm d y).
  assert (Unit : forall a, 0 < norm d a ->
    dot d (fun k => a k / norm d a) (fun k => a k / norm d a) = 1).
  { intros a A; rewrite cosine_directions; unfold cosine; rewrite <- norm_sqr; field; lra. }
  rewrite <- !cosine_directions; fold u v z.
  set (e := fun k => v k - u k).
  assert (E : dot d v z - dot d u z = dot d e z) by (unfold e; rewrite dot_minus_l; reflexivity).
  assert (EE : dot d e e = 2 - 2 * dot d u v).
  { unfold e; rewrite dot_minus_l, !dot_minus_r, (dot_comm d v u).
    unfold u, v; rewrite !Unit by assumption; ring. }
  rewrite E, <- EE; assert (CS := cauchy_schwarz_sqr d e z); unfold z in CS at 3 4.
  rewrite Unit, Rmult_1_r in CS by assumption.
  unfold Rmax; destruct (Rle_dec (dot d e z) 0); [rewrite Rmult_0_l; apply dot_nonneg | exact CS].
Qed.

Lemma difference_of_cosines a b : cos (a - b) - cos a = 2 * sin (a - b / 2) * sin (b / 2).
Proof.
  replace (a - b) with (a - b / 2 - b / 2) by field.
  replace a with (a - b / 2 + b / 2) at 2 by field. rewrite cos_minus, cos_plus; ring.
Qed.

(** bnwd:remark-inter-step, corrected "second and third line: sin b". *)
Theorem difference_of_angles (a b : R) : PI / 2 <= a -> a <= PI -> 0 <= b -> b <= PI / 2 ->
  cos (a - b) <= cos a + 2 * sin (b / 2).
Proof.
  intros _ _ B B2; assert (D := difference_of_cosines a b).
  assert (S := SIN_bound (a - b / 2)); assert (P := PI_RGT_0).
  assert (0 <= sin (b / 2)) by (apply sin_ge_0; lra). nra.
Qed.

(** bnwd:remark-inter-step, printed "last line". *)
Theorem difference_of_angles_root (a b : R) : PI / 2 <= a -> a <= PI -> 0 <= b -> b <= PI / 2 ->
  cos (a - b) <= cos a + sqrt (2 * (1 - cos b)).
Proof.
  intros A A2 B B2; assert (P := PI_RGT_0).
  assert (0 <= sin (b / 2)) by (apply sin_ge_0; lra).
  replace (sqrt (2 * (1 - cos b))) with (2 * sin (b / 2)).
  - apply difference_of_angles; assumption.
  - rewrite <- (sqrt_square (2 * sin (b / 2))) by lra; f_equal.
    replace b with (2 * (b / 2)) at 3 by field; rewrite cos_2a_sin; ring.
Qed.

(** bnwd:remark-inter-step, printed "second and third line: sin b": at a = 120 degrees, b = 60. *)
Theorem difference_of_angles_printed_fails :
  ~ (forall a b : R, PI / 2 < a -> a < PI -> 0 < b -> b < PI / 2 ->
       cos (a - b) <= cos a + sin b).
Proof.
  intros H; assert (P := PI_RGT_0).
  assert (F := H (2 * (PI / 3)) (PI / 3) ltac:(lra) ltac:(lra) ltac:(lra) ltac:(lra)).
  replace (2 * (PI / 3) - PI / 3) with (PI / 3) in F by ring.
  rewrite cos_2PI3, cos_PI3, sin_PI3 in F.
  assert (S := sqrt_sqrt 3 ltac:(lra)); assert (S0 := sqrt_pos 3). nra.
Qed.
