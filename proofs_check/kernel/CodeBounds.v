(** Bounds on margins by moments, the way between weight and feature, and how far two
    points turn. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Hull Midpoint SoftmaxCode Optima.
Open Scope R_scope.

(** * Second moments *)

Lemma double_sum_plus K f g :
  double_sum K (fun k j => f k j + g k j) = double_sum K f + double_sum K g.
Proof.
  unfold double_sum; rewrite <- sum_plus; apply sum_ext; intros; rewrite sum_plus; reflexivity.
Qed.

Lemma double_sum_scale K c f : double_sum K (fun k j => c * f k j) = c * double_sum K f.
Proof.
  unfold double_sum; rewrite <- sum_scale; apply sum_ext; intros; rewrite sum_scale; reflexivity.
Qed.

Lemma double_sum_diagonal K c :
  double_sum K (fun k j => if Nat.eq_dec j k then c else 0) = INR K * c.
Proof.
  unfold double_sum; rewrite (sum_ext K _ (fun _ => c)); [apply sum_const |].
  intros k Hk; apply sum_single, Hk.
Qed.

(** The entry a, b of the sum of y_k y_k^T. *)
Definition moment (K : nat) (y : nat -> nat -> R) (a b : nat) : R := sum K (fun k => y k a * y k b).

Lemma moments_squared d K y :
  double_sum K (fun k j => dot d (y k) (y j) * dot d (y k) (y j))
  = double_sum d (fun a b => moment K y a b * moment K y a b).
Proof.
  unfold double_sum, moment.
  (* both are the sum over k, j, a, b of y_ka y_ja y_kb y_jb *)
  transitivity (sum K (fun k => sum K (fun j => sum d (fun a => sum d (fun b =>
    y k a * y j a * (y k b * y j b)))))).
  - apply sum_ext; intros k _; apply sum_ext; intros j _.
    unfold dot at 1; rewrite <- sum_scale_r; apply sum_ext; intros a _.
    unfold dot; rewrite <- sum_scale; reflexivity.
  - symmetry.
    rewrite (sum_ext d _ (fun a => sum K (fun k => sum K (fun j => sum d (fun b =>
      y k a * y j a * (y k b * y j b)))))).
    { rewrite sum_swap; apply sum_ext; intros k _; rewrite sum_swap; reflexivity. }
    intros a _.
    rewrite (sum_ext d _ (fun b => sum K
      (fun k => sum K (fun j => y k a * y j a * (y k b * y j b))))).
    { rewrite sum_swap; apply sum_ext; intros k _; apply sum_swap. }
    intros b _; rewrite <- sum_scale_r; apply sum_ext; intros k _.
    rewrite <- sum_scale; apply sum_ext; intros; ring.
Qed.

Lemma frame_bound d K y :
  (forall k, (k < K)%nat -> dot d (y k) (y k) = 1) ->
  INR K * INR K <= INR d * double_sum K (fun k j => dot d (y k) (y j) * dot d (y k) (y j)).
Proof.
  intros Y; rewrite moments_squared.
  assert (T : dot d (fun _ => 1) (fun a => moment K y a a) = INR K).
  { unfold dot, moment; rewrite (sum_ext d _ (fun a => sum K (fun k => y k a * y k a)))
      by (intros; ring).
    rewrite sum_swap, (sum_ext K _ (fun _ => 1)) by (intros k Hk; apply Y, Hk).
    rewrite sum_const; ring. }
  assert (C := cauchy_schwarz_sqr d (fun _ => 1) (fun a => moment K y a a)); rewrite T in C.
  eapply Rle_trans; [exact C |]; unfold dot at 1.
  rewrite (sum_const d (1 * 1)), Rmult_1_r, Rmult_1_r; apply Rmult_le_compat_l; [apply pos_INR |].
  apply sum_le; intros a A.
  apply (term_le_sum d (fun b => moment K y a b * moment K y a b));
    [intros; apply Rle_0_sqr | exact A].
Qed.

(** gnc:sharp-4, sharp "first three moments", second moments: d (K - 2) rho <= (d - 1) K. *)
Theorem second_moments :
  forall (d K : nat) (w h : nat -> nat -> R) (rho : R),
  (1 <= d)%nat -> (2 <= K)%nat ->
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k, (k < K)%nat -> dot d (h k) (h k) = 1) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
     rho <= dot d (difference (w k) (w j)) (h k)) ->
  INR d * (INR K - 2) * rho <= (INR d - 1) * INR K.
Proof.
  intros d K w h rho D K2 W H M.
  assert (DR : 1 <= INR d) by (apply le_INR in D; exact D).
  assert (KR : 2 <= INR K) by (apply le_INR in K2; simpl in K2; lra).
  destruct (Rle_or_lt rho 0) as [R0 | R0].
  { assert (0 <= INR d * (INR K - 2)) by (apply Rmult_le_pos; lra).
    assert (0 <= (INR d - 1) * INR K) by (apply Rmult_le_pos; lra). nra. }
  assert (C : has_softmax_code d K rho).
  { exists w; split; [exact W |]. apply hardmax_is_distance; auto. exists h; split; assumption. }
  apply midpoint_theorem in C; auto; destruct C as (y & Y & T).
  (* (t + 1)(t - (1 - rho)) <= 0 for all inner products but those of a point with itself *)
  set (f := fun k j => - ((dot d (y k) (y j) + 1) * (dot d (y k) (y j) - (1 - rho)))).
  assert (L : INR K * (INR K - 1) * 0
              <= double_sum K (fun k j => f k j + (if Nat.eq_dec j k then 2 * rho else 0))).
  { apply double_sum_off_diagonal; unfold f.
    - intros k Hk; destruct (Nat.eq_dec k k); [| lia]; rewrite (Y k Hk); lra.
    - intros k j Hk Hj N; destruct (Nat.eq_dec j k); [lia |].
      assert (A := T k j Hk Hj N); assert (B := unit_dot_ge d (y k) (y j) (Y k Hk) (Y j Hj)). nra. }
  assert (E : double_sum K (fun k j => f k j + (if Nat.eq_dec j k then 2 * rho else 0))
    = - double_sum K (fun k j => dot d (y k) (y j) * dot d (y k) (y j))
      - rho * double_sum K (fun k j => dot d (y k) (y j)) + INR K * INR K * (1 - rho)
      + INR K * (2 * rho)).
  { rewrite double_sum_plus, double_sum_diagonal; f_equal; unfold f.
    rewrite <- (double_sum_const K (1 - rho)), <- double_sum_scale.
    replace (- double_sum K (fun k j => dot d (y k) (y j) * dot d (y k) (y j)))
      with (double_sum K (fun k j => -1 * (dot d (y k) (y j) * dot d (y k) (y j))))
      by (rewrite double_sum_scale; ring).
    rewrite <- double_sum_minus, <- double_sum_plus.
    unfold double_sum; apply sum_ext; intros; apply sum_ext; intros; ring. }
  rewrite E in L.
  assert (F := frame_bound d K y Y).
  assert (S := dot_nonneg d (fun i => sum K (fun k => y k i))); rewrite dot_total in S.
  set (s1 := double_sum K (fun k j => dot d (y k) (y j))) in *.
  set (s2 := double_sum K (fun k j => dot d (y k) (y j) * dot d (y k) (y j))) in *.
  assert (G : s2 <= INR K * INR K * (1 - rho) + INR K * (2 * rho)).
  { assert (0 <= rho * s1) by (apply Rmult_le_pos; lra). lra. }
  assert (Q : INR d * s2 <= INR d * (INR K * INR K * (1 - rho) + INR K * (2 * rho)))
    by (apply Rmult_le_compat_l; lra).
  apply Rmult_le_reg_l with (INR K); [lra |]. lra.
Qed.

(** gnc:remark-dimension, printed "for all K and rho, at most twice": false for 42 classes of margin
    1 in dimension 20, since 2 log(K^2/rho) <= d there. *)
Theorem sufficient_dimension_printed_fails :
  ~ (forall (d K : nat) (rho : R), 2 * ln (INR K ^ 2 / rho) <= INR d -> 0 < rho <= 1 ->
       has_softmax_code d K rho).
Proof.
  intros A.
  assert (C : has_softmax_code 20 42 1).
  { apply A; [| lra].
    replace (INR 42 ^ 2 / 1) with (1764 : R) by (simpl; lra).
    (* 1764 < 2^11 < e^(10), as 2^11 = 2048 and e >= 2.2 *)
    assert (E : 1764 <= exp 10).
    { assert (H : 1 + 1 / 2 <= exp (1 / 2)) by apply exp_ineq1_le.
      replace (exp 10) with (exp (1 / 2) ^ 20).
      - apply Rle_trans with ((1 + 1 / 2) ^ 20); [lra | apply pow_incr; lra].
      - rewrite <- Rpower_pow by apply exp_pos; unfold Rpower; rewrite ln_exp; f_equal;
          simpl; lra. }
    assert (L : ln 1764 <= 10).
    { rewrite <- (ln_exp 10); destruct E as [E | E];
        [left; apply ln_increasing; lra | right; f_equal; exact E]. }
    simpl; lra. }
  destruct C as (w & W & Dist).
  destruct (proj2 (hardmax_is_distance 20 42 w 1 ltac:(lia) ltac:(lra)) Dist) as (h & H & M).
  assert (Q := second_moments 20 42 w h 1 ltac:(lia) ltac:(lia) W H M).
  simpl in Q; lra.
Qed.

(** * The way between weight and feature *)

(** gnc:sharp-2, sharp "the way between weight and feature": no point on the arc from w to h comes
    closer to v than the gaps say. *)
Theorem way_between :
  forall (d : nat) (w h v : nat -> R) (a b : R),
  dot d w w = 1 -> dot d h h = 1 -> dot d v v = 1 -> 0 <= a -> 0 <= b ->
  0 < norm d (fun i => a * w i + b * h i) ->
  Rmin (1 - dot d w v) (dot d (difference w v) h)
  <= norm d (difference (direction d (fun i => a * w i + b * h i)) v) ^ 2 / 2.
Proof.
  intros d w h v a b W H V A B P; set (x := fun i => a * w i + b * h i) in *.
  assert (U := direction_unit d x P).
  replace (norm d (difference (direction d x) v) ^ 2)
    with (norm d (difference (direction d x) v) * norm d (difference (direction d x) v)) by ring.
  rewrite norm_sqr, unit_distance, dot_direction_scale by assumption.
  set (m := Rmin (1 - dot d w v) (dot d (difference w v) h)).
  assert (M1 : m <= 1 - dot d w v) by apply Rmin_l.
  assert (M2 : m <= dot d (difference w v) h) by apply Rmin_r.
  rewrite dot_difference_l, (dot_comm d v h) in M2.
  assert (X : forall y, dot d x y = a * dot d w y + b * dot d h y)
    by (intros y; unfold x; rewrite dot_plus_l, !dot_scale_l; reflexivity).
  replace ((2 - 2 * (dot d x v / norm d x)) / 2) with (1 - dot d x v / norm d x) by (field; lra).
  assert (Q : dot d x v / norm d x <= 1).
  { rewrite <- dot_direction_scale; apply unit_dot_le; assumption. }
  destruct (Rle_or_lt m 0) as [M0 | M0]; [lra |].
  assert (Wx : dot d w x <= norm d x).
  { assert (C := cauchy_schwarz d w x); rewrite (norm_unit d w W) in C; lra. }
  rewrite (dot_comm d w x), X, W, (dot_comm d h w) in Wx.
  assert (N : norm d x <= a + b).
  { assert (S := norm_sqr d x); rewrite !X, (dot_comm d w x), (dot_comm d h x), !X, W, H,
      (dot_comm d h w) in S.
    assert (C := unit_dot_le d w h W H).
    destruct (Rle_or_lt (norm d x) (a + b)) as [| L]; [assumption | exfalso].
    assert (0 <= a * b) by (apply Rmult_le_pos; assumption). nra. }
  assert (G : dot d x v <= norm d x * (1 - m)).
  { rewrite X; apply Rle_trans with (a * (1 - m) + b * (dot d w h - m)).
    - apply Rplus_le_compat; apply Rmult_le_compat_l; lra.
    - nra. }
  assert (R : dot d x v / norm d x <= 1 - m).
  { apply Rmult_le_reg_r with (norm d x); [exact P |].
    unfold Rdiv; rewrite Rmult_assoc, Rinv_l by lra. lra. }
  lra.
Qed.

(** gnc:remark-dimension, printed "for all K and rho, at least a quarter": false for three classes
    in the plane, which have any margin up to 3/2, while log(9/rho) has no limit. *)
Theorem necessary_dimension_printed_fails :
  ~ (forall (d K : nat) (rho : R), 0 < rho -> has_softmax_code d K rho ->
       ln (INR K ^ 2 / rho) / 4 <= INR d).
Proof.
  intros A; assert (P := exp_pos 9).
  assert (E : 1 + 9 <= exp 9) by apply exp_ineq1_le.
  assert (Small : 9 / exp 9 <= 1).
  { apply Rmult_le_reg_r with (exp 9); [exact P |].
    unfold Rdiv; rewrite Rmult_assoc, Rinv_l by lra; lra. }
  assert (C : has_softmax_code 2 3 (9 / exp 9)).
  { destruct (simplex_optimum 2 3 ltac:(lia) ltac:(lia)) as ((w & W & Dist) & _).
    exists w; split; [exact W |]. intros k a Hk Ha; assert (H := Dist k a Hk Ha); simpl in H; lra. }
  assert (H := A 2%nat 3%nat (9 / exp 9) ltac:(apply Rdiv_lt_0_compat; lra) C).
  replace (INR 3 ^ 2 / (9 / exp 9)) with (exp 9) in H by (simpl; field; lra).
  rewrite ln_exp in H; simpl in H; lra.
Qed.

(** * Distances from the mean of the others *)

(** The mean of all points but that of index k. *)
Definition mean_of_others (K : nat) (w : nat -> nat -> R) (k : nat) : nat -> R :=
  scaled (1 / (INR K - 1)) (difference (total K w) (w k)).

(** gnc:eq-4, corrected "the least of the rightmost terms is maximised in a Softmax code": the least
    distance of K unit vectors from the mean of the others is at most K/(K-1). *)
Theorem least_distance_from_mean :
  forall (d K : nat) (w : nat -> nat -> R) (m : R),
  (2 <= K)%nat ->
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k, (k < K)%nat -> m <= norm d (difference (w k) (mean_of_others K w k))) ->
  m <= INR K / (INR K - 1).
Proof.
  intros d K w m K2 W M.
  assert (KR : 2 <= INR K) by (apply le_INR in K2; simpl in K2; lra).
  set (c := 1 / (INR K - 1)); assert (C0 : 0 < c) by (apply Rdiv_lt_0_compat; lra).
  replace (INR K / (INR K - 1)) with (1 + c) by (unfold c; field; lra).
  assert (Kc : INR K * c = 1 + c) by (unfold c; field; lra).
  destruct (Rle_or_lt m (1 + c)) as [| L]; [assumption | exfalso].
  assert (Each : forall k, (k < K)%nat -> m * m <=
    (1 + c) * (1 + c) - 2 * c * (1 + c) * dot d (w k) (total K w)
    + c * c * dot d (total K w) (total K w)).
  { intros k Hk; assert (G := M k Hk).
    apply Rle_trans with (norm d (difference (w k) (mean_of_others K w k))
                          * norm d (difference (w k) (mean_of_others K w k))); [nra |].
    rewrite norm_sqr; unfold mean_of_others; fold c.
    rewrite !dot_difference_l, !dot_difference_r, !dot_scaled_l, !dot_scaled_r,
      !dot_difference_l, !dot_difference_r, (W k Hk), (dot_comm d (total K w) (w k)).
    right; ring. }
  assert (S := sum_le K (fun _ => m * m) _ Each).
  rewrite sum_plus, sum_minus, !sum_const, sum_scale, <- (dot_sum_l d K (total K w) w) in S.
  fold (total K w) in S.
  assert (Z := dot_nonneg d (total K w)); set (q := dot d (total K w) (total K w)) in *.
  assert (I : INR K * (c * c * q) - 2 * c * (1 + c) * q = - (c * (1 + c) * q))
    by (rewrite <- Kc; ring).
  assert (0 <= c * (1 + c) * q) by (apply Rmult_le_pos; [apply Rmult_le_pos; lra | exact Z]).
  assert (INR K * (m * m) <= INR K * ((1 + c) * (1 + c))) by lra.
  assert ((1 + c) * (1 + c) < m * m) by nra. nra.
Qed.
