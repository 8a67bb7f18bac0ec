(** Softmax codes have the margins of Tammes codes: rho* = 1 - t, for every dimension and number. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Hull Midpoint.
Open Scope R_scope.

(** K unit vectors of R^d, each at a distance of at least rho from the hull of the others. *)
Definition has_softmax_code (d K : nat) (rho : R) : Prop :=
  exists w : nat -> nat -> R,
    (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) /\
    (forall k a, (k < K)%nat -> weights_of_others K k a ->
       rho <= norm d (difference (w k) (combination K a w))).

(** K unit vectors of R^d with inner products of at most t. *)
Definition has_spherical_code (d K : nat) (t : R) : Prop :=
  exists w : nat -> nat -> R,
    (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) /\
    (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k -> dot d (w k) (w j) <= t).

(** * Directions against their weights *)

(** The direction h without what it has against w. *)
Definition folded (d : nat) (w h : nat -> R) : nat -> R :=
  direction d (difference h (scaled (Rmin (dot d w h) 0) w)).

(** gnc:sharp-1, sharp "any code, any directions", folding: a direction against its weight may be
    replaced by its part orthogonal to the weight, which loses no positive gap. *)
Theorem folding_keeps_gaps :
  forall (d K : nat) (w h : nat -> nat -> R) (rho : R),
  (2 <= K)%nat -> 0 < rho ->
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k, (k < K)%nat -> dot d (h k) (h k) = 1) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
     rho <= dot d (difference (w k) (w j)) (h k)) ->
  forall k, (k < K)%nat ->
  dot d (folded d (w k) (h k)) (folded d (w k) (h k)) = 1 /\
  0 <= dot d (w k) (folded d (w k) (h k)) /\
  (forall j, (j < K)%nat -> j <> k ->
     rho <= dot d (difference (w k) (w j)) (folded d (w k) (h k))).
Proof.
  intros d K w h rho H2 R0 W H M k Hk.
  set (c := dot d (w k) (h k)); set (u := difference (h k) (scaled (Rmin c 0) (w k))).
  assert (L : Rmin c 0 <= 0) by apply Rmin_r.
  assert (Lc : Rmin c 0 <= c) by apply Rmin_l.
  assert (Wu : dot d (w k) u = c - Rmin c 0).
  { unfold u; rewrite dot_difference_r, dot_scaled_r, (W k Hk); fold c; ring. }
  assert (U2 : dot d u u = 1 - 2 * Rmin c 0 * c + Rmin c 0 * Rmin c 0).
  { unfold u; rewrite dot_difference_l, !dot_difference_r, !dot_scaled_l, !dot_scaled_r,
      (W k Hk), (H k Hk), (dot_comm d (h k) (w k)); fold c; ring. }
  assert (Gu : forall j, (j < K)%nat -> j <> k -> rho <= dot d (difference (w k) (w j)) u).
  { intros j J N; unfold u; rewrite dot_difference_r, dot_scaled_r.
    assert (G := M k j Hk J N).
    assert (G' : 0 <= dot d (difference (w k) (w j)) (w k)).
    { rewrite dot_difference_l, (W k Hk). assert (B := unit_dot_le d (w j) (w k) (W j J) (W k Hk)).
      lra. }
    nra. }
  assert (Le1 : dot d u u <= 1).
  { rewrite U2; unfold Rmin; destruct (Rle_dec c 0); nra. }
  assert (Pos : 0 < norm d u).
  { destruct (some_other K k H2) as (j & J & N).
    assert (G := Gu j J N); assert (CS := cauchy_schwarz d (difference (w k) (w j)) u).
    destruct (Req_dec (norm d u) 0) as [Z | Z]; [rewrite Z in CS; lra |].
    assert (0 <= norm d u) by apply norm_nonneg; lra. }
  assert (N1 : norm d u <= 1).
  { rewrite <- sqrt_1; apply sqrt_le_1; [apply dot_nonneg | lra | exact Le1]. }
  assert (Div : forall y, 0 <= y -> y <= y / norm d u).
  { intros y Y; apply Rmult_le_reg_r with (norm d u); [exact Pos |].
    unfold Rdiv; rewrite Rmult_assoc, Rinv_l by lra. nra. }
  fold c u; unfold folded; fold c; fold u.
  split; [apply direction_unit, Pos | split].
  - rewrite dot_direction_scale_r, Wu; apply Rle_trans with (c - Rmin c 0); [lra |].
    apply Div; lra.
  - intros j J N; rewrite dot_direction_scale_r.
    apply Rle_trans with (dot d (difference (w k) (w j)) u); [apply Gu; assumption |].
    apply Div; assert (G := Gu j J N); lra.
Qed.

Lemma dot_direction_nonneg d x y : 0 <= dot d y x -> 0 <= dot d y (direction d x).
Proof.
  intros P; rewrite dot_direction_scale_r; unfold Rdiv.
  destruct (Req_dec (norm d x) 0) as [Z | N].
  - assert (E : dot d x y = 0) by (apply dot_zero; rewrite <- norm_sqr, Z; ring).
    rewrite dot_comm, E; lra.
  - apply Rmult_le_pos; [exact P |].
    apply Rlt_le, Rinv_0_lt_compat; assert (H := norm_nonneg d x); lra.
Qed.

(** gnc:sharp-1, sharp "any code, any directions", folding: it loses no positive margin. *)
Theorem folding_keeps_margin :
  forall (d K : nat) (w h : nat -> nat -> R) (rho : R),
  (2 <= K)%nat ->
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k, (k < K)%nat -> dot d (h k) (h k) = 1) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
     rho <= dot d (difference (w k) (w j)) (h k)) ->
  forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
  rho <= Rmax (dot d (difference (w k) (w j)) (folded d (w k) (h k))) 0.
Proof.
  intros d K w h rho K2 W H M k j Hk Hj N.
  destruct (Rle_or_lt rho 0) as [R0 | R0]; [eapply Rle_trans; [exact R0 | apply Rmax_r] |].
  eapply Rle_trans; [| apply Rmax_l].
  apply (folding_keeps_gaps d K w h rho K2 R0 W H M k Hk); assumption.
Qed.

(** * The theorem *)

(** Unit vectors: the first axis. *)
Definition first_axis : nat -> R := fun i => if Nat.eq_dec i 0 then 1 else 0.

Lemma first_axis_unit d : (1 <= d)%nat -> dot d first_axis first_axis = 1.
Proof.
  intros H; unfold dot; rewrite <- (sum_single d 0 1) by lia; apply sum_ext; intros i _.
  unfold first_axis; destruct (Nat.eq_dec i 0); ring.
Qed.

(** gnc:conjecture-equivalence, printed "equal optimal values": K unit vectors of R^d with one-vs-
    rest distances of at least rho exist if and only if K unit vectors with inner products of at
    most 1 - rho exist. So the largest rho is one less the least t. *)
Theorem midpoint_theorem :
  forall (d K : nat) (rho : R),
  (1 <= d)%nat -> (2 <= K)%nat ->
  (has_softmax_code d K rho <-> has_spherical_code d K (1 - rho)).
Proof.
  intros d K rho D K2; split.
  - intros (w & W & Dist).
    destruct (Rle_or_lt rho 0) as [R0 | R0].
    { exists (fun _ => first_axis); split; intros; rewrite first_axis_unit by assumption; lra. }
    destruct (proj2 (hardmax_is_distance d K w rho K2 R0) Dist) as (h0 & H0 & M0).
    assert (F := folding_keeps_gaps d K w h0 rho K2 R0 W H0 M0).
    set (h := fun k => folded d (w k) (h0 k)).
    assert (H : forall k, (k < K)%nat -> dot d (h k) (h k) = 1) by (intros; apply F; assumption).
    assert (C : forall k, (k < K)%nat -> 0 <= dot d (w k) (h k)) by (intros; apply F; assumption).
    assert (M : forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
      rho <= dot d (difference (w k) (w j)) (h k)) by (intros k j Hk; apply (F k Hk)).
    exists (fun k => midpoint d (w k) (h k)); split.
    + intros k Hk; apply midpoint_unit; auto.
    + intros k j Hk Hj N.
      destruct (midpoints_apart d K w h rho W H C M k j Hk Hj N) as (G & _); lra.
  - intros (w & W & T); exists w; split; [exact W |].
    intros k a Hk A.
    apply (gaps_at_most_distance d K k w a (w k)); [exact A | apply W, Hk |].
    intros j J N; rewrite dot_difference_l, (W k Hk), (dot_comm d (w j)).
    assert (H := T k j Hk J N); lra.
Qed.

(** gnc:conjecture-equivalence, printed "equal optimal values", as values: r is the largest margin
    if and only if 1 - r is the least largest inner product. *)
Corollary optimal_values_agree :
  forall (d K : nat) (r : R),
  (1 <= d)%nat -> (2 <= K)%nat ->
  ((has_softmax_code d K r /\ (forall rho, has_softmax_code d K rho -> rho <= r)) <->
   (has_spherical_code d K (1 - r) /\ (forall t, has_spherical_code d K t -> 1 - r <= t))).
Proof.
  intros d K r D K2; rewrite (midpoint_theorem d K r D K2); split; intros (A & B); split; auto.
  - intros t T; assert (H : has_softmax_code d K (1 - t)).
    { apply midpoint_theorem; auto; replace (1 - (1 - t)) with t by ring; exact T. }
    assert (L := B _ H); lra.
  - intros rho H; apply midpoint_theorem in H; auto; assert (L := B _ H); lra.
Qed.

(** gnc:conjecture-equivalence, printed "equal sets of optimal codes", the half that holds: the
    points of an optimal spherical code are themselves a Softmax code of the same margin. *)
Theorem spherical_code_is_softmax_code :
  forall (d K k : nat) (w : nat -> nat -> R) (a : nat -> R) (t : R),
  (k < K)%nat ->
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k -> dot d (w k) (w j) <= t) ->
  weights_of_others K k a ->
  1 - t <= norm d (difference (w k) (combination K a w)).
Proof.
  intros d K k w a t Hk W T A.
  apply (gaps_at_most_distance d K k w a (w k)); [exact A | apply W, Hk |].
  intros j J N; rewrite dot_difference_l, (W k Hk), (dot_comm d (w j)).
  assert (H := T k j Hk J N); lra.
Qed.

(** * Under self-duality *)

(** gnc:theorem-3.7, printed "no rattlers", spread: where features are weights, a gap is one less
    the inner product. *)
Theorem self_dual_gap :
  forall (d K : nat) (w : nat -> nat -> R),
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  forall k j, (k < K)%nat -> (j < K)%nat ->
  dot d (difference (w k) (w j)) (w k) = 1 - dot d (w k) (w j).
Proof.
  intros d K w W k j Hk Hj; rewrite dot_difference_l, (W k Hk), (dot_comm d (w j)); ring.
Qed.

Lemma direction_at_most_unit d x y :
  0 <= dot d (difference (direction d x) (direction d y)) (direction d x).
Proof.
  assert (U : forall z, dot d (direction d z) (direction d z) = 1
                        \/ forall v, dot d (direction d z) v = 0).
  { intros z; destruct (Req_dec (norm d z) 0) as [Z | N].
    - right; intros v; rewrite dot_direction_scale.
      rewrite (dot_zero d z v) by (rewrite <- norm_sqr, Z; ring). unfold Rdiv; ring.
    - left; apply direction_unit; assert (H := norm_nonneg d z); lra. }
  rewrite dot_difference_l; destruct (U x) as [X | X], (U y) as [Y | Y].
  - rewrite X; assert (H := unit_dot_le d _ _ Y X); lra.
  - rewrite X, Y; lra.
  - rewrite X, (dot_comm d (direction d y)), X; lra.
  - rewrite X, Y; lra.
Qed.

(** gnc:eq-10, printed "objective and optimal value", no loss: the code of the midpoints with itself
    for directions has at least the margin rho. *)
Theorem no_loss_under_self_duality :
  forall (d K : nat) (w h : nat -> nat -> R) (rho : R),
  (2 <= K)%nat ->
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k, (k < K)%nat -> dot d (h k) (h k) = 1) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
     rho <= dot d (difference (w k) (w j)) (h k)) ->
  forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
  Rmax rho 0 <= dot d (difference (midpoint d (w k) (folded d (w k) (h k)))
                         (midpoint d (w j) (folded d (w j) (h j))))
                  (midpoint d (w k) (folded d (w k) (h k))).
Proof.
  intros d K w h rho K2 W H M k j Hk Hj N; apply Rmax_lub.
  2: { apply direction_at_most_unit. }
  destruct (Rle_or_lt rho 0) as [R0 | R0].
  { eapply Rle_trans; [exact R0 | apply direction_at_most_unit]. }
  assert (F := folding_keeps_gaps d K w h rho K2 R0 W H M).
  destruct (midpoints_apart d K w (fun k => folded d (w k) (h k)) rho W
              (fun k Hk => proj1 (F k Hk)) (fun k Hk => proj1 (proj2 (F k Hk)))
              (fun k j Hk => proj2 (proj2 (F k Hk)) j) k j Hk Hj N) as (G & _).
  rewrite dot_difference_l, midpoint_unit by (try apply W; try apply F; assumption).
  rewrite (dot_comm d (midpoint d (w j) _)); exact G.
Qed.

(** gnc:eq-11, printed "objective": under self-duality a gap is half the squared distance of two
    weights, and no margin exceeds the distance of two weights. *)
Theorem tammes_objective :
  forall (d K : nat) (w h : nat -> nat -> R) (rho : R),
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k, (k < K)%nat -> dot d (h k) (h k) = 1) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
     rho <= dot d (difference (w k) (w j)) (h k)) ->
  forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
  - dot d (difference (w k) (w j)) (w k) = - norm d (difference (w k) (w j)) ^ 2 / 2 /\
  rho <= norm d (difference (w k) (w j)).
Proof.
  intros d K w h rho W H M k j Hk Hj N; split.
  - replace (norm d (difference (w k) (w j)) ^ 2)
      with (norm d (difference (w k) (w j)) * norm d (difference (w k) (w j))) by ring.
    rewrite norm_sqr, unit_distance, dot_difference_l, (W k Hk), (dot_comm d (w j)); auto; field.
  - eapply Rle_trans; [apply (M k j Hk Hj N) |].
    eapply Rle_trans; [apply cauchy_schwarz | rewrite (norm_unit d (h k) (H k Hk)); lra].
Qed.

(** gnc:theorem-3.5, corrected "optimum above zero": a unit feature of large gaps is near the
    direction away from a point p of the hull of the others. *)
Theorem features_near_direction :
  forall (d K k : nat) (w : nat -> nat -> R) (a h : nat -> R) (m : R),
  (k < K)%nat ->
  weights_of_others K k a ->
  dot d h h = 1 ->
  0 < norm d (difference (w k) (combination K a w)) ->
  (forall j, (j < K)%nat -> j <> k -> m <= dot d (difference (w k) (w j)) h) ->
  norm d (difference (w k) (combination K a w))
  * norm d (difference h (direction d (difference (w k) (combination K a w)))) ^ 2
  <= 2 * (norm d (difference (w k) (combination K a w)) - m).
Proof.
  intros d K k w a h m Hk A H P M.
  set (x := difference (w k) (combination K a w)) in *.
  assert (G : m <= dot d x h).
  { unfold x; rewrite (gap_of_combination d K k w a h A).
    apply (weighted_least K k a (fun j => dot d (difference (w k) (w j)) h) m A M). }
  replace (norm d (difference h (direction d x)) ^ 2)
    with (norm d (difference h (direction d x)) * norm d (difference h (direction d x))) by ring.
  rewrite norm_sqr, unit_distance, dot_direction_scale_r by (auto using direction_unit).
  rewrite (dot_comm d h x).
  replace (norm d x * (2 - 2 * (dot d x h / norm d x))) with (2 * (norm d x - dot d x h))
    by (field; lra). lra.
Qed.

(** gnc:theorem-3.5, printed "d = 1 included": false for three classes on a line. All weights equal
    1, margins are zero whatever the features, and no better margin exists; features differ. *)
Theorem collapse_on_a_line_printed_fails :
  exists (w : nat -> nat -> R) (h h' : nat -> nat -> R),
  (forall k, (k < 3)%nat -> dot 1 (w k) (w k) = 1 /\ dot 1 (h k) (h k) = 1 /\
    dot 1 (h' k) (h' k) = 1)
  /\ (forall k j, (k < 3)%nat -> (j < 3)%nat ->
        0 <= dot 1 (difference (w k) (w j)) (h k) /\ 0 <= dot 1 (difference (w k) (w j)) (h' k))
  /\ (forall rho, has_softmax_code 1 3 rho -> rho <= 0)
  /\ h 0%nat 0%nat <> h' 0%nat 0%nat.
Proof.
  exists (fun _ _ => 1), (fun _ _ => 1), (fun _ _ => -1).
  split; [| split; [| split]].
  - intros; unfold dot; simpl; repeat split; ring.
  - intros; unfold dot, difference; simpl; split; lra.
  - intros rho H; destruct (Rle_or_lt rho 0) as [| P]; [assumption | exfalso].
    apply midpoint_theorem in H; [| lia | lia]; destruct H as (y & Y & T).
    unfold dot in Y, T; simpl in Y, T.
    assert (Y0 := Y 0%nat ltac:(lia)); assert (Y1 := Y 1%nat ltac:(lia));
      assert (Y2 := Y 2%nat ltac:(lia)).
    assert (T01 := T 0%nat 1%nat ltac:(lia) ltac:(lia) ltac:(lia)).
    assert (T02 := T 0%nat 2%nat ltac:(lia) ltac:(lia) ltac:(lia)).
    assert (T12 := T 1%nat 2%nat ltac:(lia) ltac:(lia) ltac:(lia)).
    (* each of the three is 1 or -1, so two are equal *)
    assert (S : forall z, 0 + z * z = 1 -> z = 1 \/ z = -1).
    { intros z Z; assert (E : (z - 1) * (z + 1) = 0) by lra.
      apply Rmult_integral in E; destruct E; [left | right]; lra. }
    destruct (S _ Y0) as [E0 | E0], (S _ Y1) as [E1 | E1], (S _ Y2) as [E2 | E2];
      rewrite E0, E1, E2 in *; lra.
  - lra.
Qed.
