(** The midpoint theorem: K unit vectors of R^d with one-vs-rest distances of at least rho exist if
    and only if K unit vectors with inner products of at most 1 - rho do.

    A code is a family w of unit vectors, its directions are unit vectors h, and the gaps of the
    two are <w_k - w_j, h_k>. The midpoints of w_k and h_k on the sphere are no closer to each other
    than the gaps say. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Hull.
Open Scope R_scope.

(** * Midpoints *)

Definition halfway (x y : nat -> R) : nat -> R := fun i => (x i + y i) / 2.

Definition half_difference (x y : nat -> R) : nat -> R := fun i => (y i - x i) / 2.

(** The midpoint of w and h on the sphere. *)
Definition midpoint (d : nat) (w h : nat -> R) : nat -> R := direction d (halfway w h).

Lemma dot_halfway_l d x y z : dot d (halfway x y) z = (dot d x z + dot d y z) / 2.
Proof.
  unfold halfway, Rdiv; rewrite <- dot_plus_l.
  rewrite Rmult_comm, <- dot_scale_l; apply sum_ext; intros; ring.
Qed.

Lemma dot_halfway_r d x y z : dot d z (halfway x y) = (dot d z x + dot d z y) / 2.
Proof. rewrite dot_comm, dot_halfway_l, (dot_comm d x), (dot_comm d y); reflexivity. Qed.

Lemma dot_half_difference_l d x y z : dot d (half_difference x y) z = (dot d y z - dot d x z) / 2.
Proof.
  unfold half_difference, Rdiv; rewrite <- dot_minus_l.
  rewrite Rmult_comm, <- dot_scale_l; apply sum_ext; intros; ring.
Qed.

Lemma dot_half_difference_r d x y z : dot d z (half_difference x y) = (dot d z y - dot d z x) / 2.
Proof. rewrite dot_comm, dot_half_difference_l, (dot_comm d x), (dot_comm d y); reflexivity. Qed.

Lemma dot_direction_scale d x y : dot d (direction d x) y = dot d x y / norm d x.
Proof. unfold direction; rewrite dot_scaled_l; unfold Rdiv; ring. Qed.

Lemma dot_direction_scale_r d x y : dot d y (direction d x) = dot d y x / norm d x.
Proof. unfold direction; rewrite dot_scaled_r; unfold Rdiv; ring. Qed.

Lemma unit_dot_le d x y : dot d x x = 1 -> dot d y y = 1 -> dot d x y <= 1.
Proof.
  intros X Y; assert (H := cauchy_schwarz d x y).
  rewrite (norm_unit d x X), (norm_unit d y Y) in H; lra.
Qed.

Lemma unit_dot_ge d x y : dot d x x = 1 -> dot d y y = 1 -> -1 <= dot d x y.
Proof.
  intros X Y; assert (H := cauchy_schwarz_abs d x y).
  rewrite (norm_unit d x X), (norm_unit d y Y) in H.
  assert (L := Rle_abs (- dot d x y)); rewrite Rabs_Ropp in L; lra.
Qed.

(** |x - y|^2 = 2 - 2 <x, y> on the sphere. *)
Lemma unit_distance d x y :
  dot d x x = 1 -> dot d y y = 1 ->
  dot d (difference x y) (difference x y) = 2 - 2 * dot d x y.
Proof.
  intros X Y; rewrite dot_difference_l, !dot_difference_r, X, Y, (dot_comm d y x); ring.
Qed.

Lemma halfway_square d w h :
  dot d w w = 1 -> dot d h h = 1 -> dot d (halfway w h) (halfway w h) = (1 + dot d w h) / 2.
Proof. intros W H; rewrite dot_halfway_l, !dot_halfway_r, W, H, (dot_comm d h w); field. Qed.

Lemma half_difference_square d w h :
  dot d w w = 1 -> dot d h h = 1 ->
  dot d (half_difference w h) (half_difference w h) = (1 - dot d w h) / 2.
Proof.
  intros W H; rewrite dot_half_difference_l, !dot_half_difference_r, W, H, (dot_comm d h w); field.
Qed.

Lemma halfway_positive d w h :
  dot d w w = 1 -> dot d h h = 1 -> 0 <= dot d w h -> 0 < norm d (halfway w h).
Proof. intros W H C; apply norm_positive; rewrite halfway_square; lra. Qed.

Lemma halfway_at_most_one d w h :
  dot d w w = 1 -> dot d h h = 1 -> 0 <= dot d w h -> norm d (halfway w h) <= 1.
Proof.
  intros W H C; assert (P := halfway_positive d w h W H C).
  assert (S := norm_sqr d (halfway w h)); rewrite halfway_square in S by assumption.
  assert (L := unit_dot_le d w h W H). nra.
Qed.

Lemma midpoint_unit d w h :
  dot d w w = 1 -> dot d h h = 1 -> 0 <= dot d w h ->
  dot d (midpoint d w h) (midpoint d w h) = 1.
Proof. intros W H C; apply direction_unit, halfway_positive; assumption. Qed.

(** The cosine of w and the midpoint is the length of the half-way point. *)
Lemma dot_midpoint d w h :
  dot d w w = 1 -> dot d h h = 1 -> 0 <= dot d w h ->
  dot d w (midpoint d w h) = norm d (halfway w h).
Proof.
  intros W H C; assert (P := halfway_positive d w h W H C); unfold midpoint.
  assert (S := halfway_square d w h W H).
  rewrite dot_direction_scale_r, dot_halfway_r, W, <- S, <- norm_sqr; field; lra.
Qed.

(** r r' (1 - <Y, Y'>) in terms of the code and its directions. *)
Lemma pair_identity d w h w' h' :
  dot d w w = 1 -> dot d h h = 1 -> dot d w' w' = 1 -> dot d h' h' = 1 ->
  0 <= dot d w h -> 0 <= dot d w' h' ->
  (dot d (difference w w') h + dot d (difference w' w) h') / 2
  + (norm d (difference (half_difference w h) (half_difference w' h')) ^ 2
     - (norm d (halfway w h) - norm d (halfway w' h')) ^ 2) / 2
  = norm d (halfway w h) * norm d (halfway w' h')
    * (1 - dot d (midpoint d w h) (midpoint d w' h')).
Proof.
  intros W H W' H' C C'.
  assert (P := halfway_positive d w h W H C); assert (P' := halfway_positive d w' h' W' H' C').
  assert (E : norm d (halfway w h) * norm d (halfway w' h')
              * dot d (midpoint d w h) (midpoint d w' h') = dot d (halfway w h) (halfway w' h')).
  { unfold midpoint; rewrite dot_direction_scale, dot_direction_scale_r; field; lra. }
  assert (S := norm_sqr d (halfway w h)); assert (S' := norm_sqr d (halfway w' h')).
  rewrite halfway_square in S, S' by assumption.
  assert (D := norm_sqr d (difference (half_difference w h) (half_difference w' h'))).
  rewrite dot_difference_l, !dot_difference_r, !half_difference_square in D by assumption.
  set (r := norm d (halfway w h)) in *; set (r' := norm d (halfway w' h')) in *.
  set (n := norm d (difference (half_difference w h) (half_difference w' h'))) in *.
  rewrite (Rmult_minus_distr_l (r * r')), E; clear E.
  rewrite !dot_half_difference_l, !dot_half_difference_r in D.
  rewrite dot_halfway_l, !dot_halfway_r, !dot_difference_l.
  rewrite (dot_comm d w' w), (dot_comm d h' h), (dot_comm d h' w), (dot_comm d w' h) in *.
  replace (n ^ 2) with (n * n) by ring; rewrite D.
  replace ((r - r') ^ 2) with (r * r + r' * r' - 2 * (r * r')) by ring; rewrite S, S'.
  field.
Qed.

(** Directions that are not against their weights turn no less than lengths change. *)
Lemma turn_no_less d w h w' h' :
  dot d w w = 1 -> dot d h h = 1 -> dot d w' w' = 1 -> dot d h' h' = 1 ->
  0 <= dot d w h -> 0 <= dot d w' h' ->
  (norm d (halfway w h) - norm d (halfway w' h')) ^ 2
  <= norm d (difference (half_difference w h) (half_difference w' h')) ^ 2.
Proof.
  intros W H W' H' C C'.
  assert (P := halfway_positive d w h W H C); assert (P' := halfway_positive d w' h' W' H' C').
  assert (S := norm_sqr d (halfway w h)); assert (S' := norm_sqr d (halfway w' h')).
  rewrite halfway_square in S, S' by assumption.
  assert (T := norm_sqr d (half_difference w h)); assert (T' := norm_sqr d (half_difference w' h')).
  rewrite half_difference_square in T, T' by assumption.
  assert (Q := norm_nonneg d (half_difference w h));
    assert (Q' := norm_nonneg d (half_difference w' h')).
  assert (D := norm_sqr d (difference (half_difference w h) (half_difference w' h'))).
  rewrite dot_difference_l, !dot_difference_r, !half_difference_square in D by assumption.
  rewrite (dot_comm d (half_difference w' h')) in D.
  assert (CS := cauchy_schwarz d (half_difference w h) (half_difference w' h')).
  set (r := norm d (halfway w h)) in *; set (r' := norm d (halfway w' h')) in *.
  set (s := norm d (half_difference w h)) in *; set (s' := norm d (half_difference w' h')) in *.
  set (n := norm d (difference (half_difference w h) (half_difference w' h'))) in *.
  apply Rle_trans with ((s - s') ^ 2).
  2: { replace (n ^ 2) with (n * n) by ring; rewrite D.
       replace ((s - s') ^ 2) with (s * s + s' * s' - 2 * (s * s')) by ring. lra. }
  (* (r - r')(r + r') = -(s - s')(s + s') with s + s' <= r + r' *)
  assert (s <= r) by (destruct (Rle_or_lt s r); [assumption | nra]).
  assert (s' <= r') by (destruct (Rle_or_lt s' r'); [assumption | nra]).
  assert (E : (r - r') * (r + r') = - ((s - s') * (s + s'))) by nra.
  assert (E2 : ((r - r') * (r + r')) ^ 2 = ((s - s') * (s + s')) ^ 2) by (rewrite E; ring).
  rewrite !Rpow_mult_distr in E2.
  assert (B : (s + s') ^ 2 <= (r + r') ^ 2) by (apply pow_incr; lra).
  assert (0 < (r + r') ^ 2) by (apply pow_lt; lra).
  apply Rmult_le_reg_r with ((r + r') ^ 2); [assumption |].
  rewrite E2; apply Rmult_le_compat_l; [apply pow2_ge_0 | exact B].
Qed.

(** Half the sum of both gaps, against the distance of the midpoints. *)
Lemma mean_gap_at_most d w h w' h' :
  dot d w w = 1 -> dot d h h = 1 -> dot d w' w' = 1 -> dot d h' h' = 1 ->
  0 <= dot d w h -> 0 <= dot d w' h' ->
  (dot d (difference w w') h + dot d (difference w' w) h') / 2
  <= norm d (halfway w h) * norm d (halfway w' h')
     * (1 - dot d (midpoint d w h) (midpoint d w' h')).
Proof.
  intros W H W' H' C C'; rewrite <- pair_identity by assumption.
  assert (T := turn_no_less d w h w' h' W H W' H' C C'). lra.
Qed.

(** * The statements *)

(** gnc:sharp-1, sharp "any code, any directions", the pairs: mean gaps and turns of the directions
    against the distances of the midpoints. *)
Theorem midpoint_identity :
  forall (d K : nat) (w h : nat -> nat -> R),
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k, (k < K)%nat -> dot d (h k) (h k) = 1) ->
  (forall k, (k < K)%nat -> 0 <= dot d (w k) (h k)) ->
  forall k j, (k < K)%nat -> (j < K)%nat ->
  (dot d (difference (w k) (w j)) (h k) + dot d (difference (w j) (w k)) (h j)) / 2
  + (norm d (difference (half_difference (w k) (h k)) (half_difference (w j) (h j))) ^ 2
     - (norm d (halfway (w k) (h k)) - norm d (halfway (w j) (h j))) ^ 2) / 2
  = norm d (halfway (w k) (h k)) * norm d (halfway (w j) (h j))
    * (1 - dot d (midpoint d (w k) (h k)) (midpoint d (w j) (h j)))
  /\ (norm d (halfway (w k) (h k)) - norm d (halfway (w j) (h j))) ^ 2
     <= norm d (difference (half_difference (w k) (h k)) (half_difference (w j) (h j))) ^ 2.
Proof.
  intros d K w h W H C k j Hk Hj; split; [apply pair_identity | apply turn_no_less]; auto.
Qed.

(** gnc:sharp-1, sharp "any code, any directions", weights: the midpoints of a code of margin rho
    have inner products of at most 1 - rho, and are near the weights. *)
Theorem midpoints_apart :
  forall (d K : nat) (w h : nat -> nat -> R) (rho : R),
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k, (k < K)%nat -> dot d (h k) (h k) = 1) ->
  (forall k, (k < K)%nat -> 0 <= dot d (w k) (h k)) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
     rho <= dot d (difference (w k) (w j)) (h k)) ->
  forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
  rho <= 1 - dot d (midpoint d (w k) (h k)) (midpoint d (w j) (h j)) /\
  (1 - dot d (midpoint d (w k) (h k)) (midpoint d (w j) (h j)))
  * norm d (difference (w k) (midpoint d (w k) (h k))) ^ 2
  <= 2 * (1 - dot d (midpoint d (w k) (h k)) (midpoint d (w j) (h j)) - rho).
Proof.
  intros d K w h rho W H C M k j Hk Hj N.
  assert (L := mean_gap_at_most d (w k) (h k) (w j) (h j) (W k Hk) (H k Hk) (W j Hj) (H j Hj)
                 (C k Hk) (C j Hj)).
  assert (M1 := M k j Hk Hj N); assert (M2 := M j k Hj Hk (not_eq_sym N)).
  assert (P := halfway_positive d (w k) (h k) (W k Hk) (H k Hk) (C k Hk)).
  assert (P' := halfway_positive d (w j) (h j) (W j Hj) (H j Hj) (C j Hj)).
  assert (O := halfway_at_most_one d (w k) (h k) (W k Hk) (H k Hk) (C k Hk)).
  assert (O' := halfway_at_most_one d (w j) (h j) (W j Hj) (H j Hj) (C j Hj)).
  assert (U := midpoint_unit d (w k) (h k) (W k Hk) (H k Hk) (C k Hk)).
  assert (U' := midpoint_unit d (w j) (h j) (W j Hj) (H j Hj) (C j Hj)).
  assert (G := unit_dot_le d _ _ U U').
  replace (norm d (difference (w k) (midpoint d (w k) (h k))) ^ 2)
    with (2 - 2 * norm d (halfway (w k) (h k))).
  2: { replace (norm d (difference (w k) (midpoint d (w k) (h k))) ^ 2)
         with (norm d (difference (w k) (midpoint d (w k) (h k)))
               * norm d (difference (w k) (midpoint d (w k) (h k)))) by ring.
       rewrite norm_sqr, unit_distance, dot_midpoint; auto. }
  set (g := 1 - dot d (midpoint d (w k) (h k)) (midpoint d (w j) (h j))) in *.
  set (r := norm d (halfway (w k) (h k))) in *; set (r' := norm d (halfway (w j) (h j))) in *.
  assert (0 <= g) by (unfold g; lra).
  assert (R1 : rho <= r * g).
  { apply Rle_trans with (r * r' * g); [lra |].
    replace (r * r' * g) with (r' * (r * g)) by ring.
    assert (0 <= r * g) by (apply Rmult_le_pos; lra). nra. }
  split; nra.
Qed.

(** gnc:sharp-1, sharp "any code, any directions", midpoints: those of a code of margin rho have
    inner products of at most 1 - rho. *)
Theorem midpoints_no_closer :
  forall (d K : nat) (w h : nat -> nat -> R) (rho : R),
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k, (k < K)%nat -> dot d (h k) (h k) = 1) ->
  (forall k, (k < K)%nat -> 0 <= dot d (w k) (h k)) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
     rho <= dot d (difference (w k) (w j)) (h k)) ->
  forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
  rho <= 1 - dot d (midpoint d (w k) (h k)) (midpoint d (w j) (h j)).
Proof. intros; eapply midpoints_apart; eauto. Qed.

(** gnc:theorem-3.7, printed "no rattlers": how far a feature is from its weight, by the distance of
    its midpoint from the nearest other. *)
Theorem features_near_weights :
  forall (d K : nat) (w h : nat -> nat -> R) (rho : R),
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k, (k < K)%nat -> dot d (h k) (h k) = 1) ->
  (forall k, (k < K)%nat -> 0 <= dot d (w k) (h k)) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
     rho <= dot d (difference (w k) (w j)) (h k)) ->
  forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
  (1 - dot d (midpoint d (w k) (h k)) (midpoint d (w j) (h j))) ^ 2
  * norm d (difference (w k) (h k)) ^ 2
  <= 4 * ((1 - dot d (midpoint d (w k) (h k)) (midpoint d (w j) (h j))) ^ 2
          - Rmax rho 0 ^ 2).
Proof.
  intros d K w h rho W H C M k j Hk Hj N.
  assert (L := mean_gap_at_most d (w k) (h k) (w j) (h j) (W k Hk) (H k Hk) (W j Hj) (H j Hj)
                 (C k Hk) (C j Hj)).
  assert (M1 := M k j Hk Hj N); assert (M2 := M j k Hj Hk (not_eq_sym N)).
  assert (P := halfway_positive d (w k) (h k) (W k Hk) (H k Hk) (C k Hk)).
  assert (P' := halfway_positive d (w j) (h j) (W j Hj) (H j Hj) (C j Hj)).
  assert (O' := halfway_at_most_one d (w j) (h j) (W j Hj) (H j Hj) (C j Hj)).
  assert (U := midpoint_unit d (w k) (h k) (W k Hk) (H k Hk) (C k Hk)).
  assert (U' := midpoint_unit d (w j) (h j) (W j Hj) (H j Hj) (C j Hj)).
  assert (G := unit_dot_le d _ _ U U').
  assert (S := norm_sqr d (halfway (w k) (h k))).
  rewrite halfway_square in S by auto.
  replace (norm d (difference (w k) (h k)) ^ 2)
    with (4 - 4 * norm d (halfway (w k) (h k)) ^ 2).
  2: { replace (norm d (difference (w k) (h k)) ^ 2)
         with (norm d (difference (w k) (h k)) * norm d (difference (w k) (h k))) by ring.
       rewrite norm_sqr, unit_distance by auto.
       replace (norm d (halfway (w k) (h k)) ^ 2)
         with (norm d (halfway (w k) (h k)) * norm d (halfway (w k) (h k))) by ring.
       rewrite S; field. }
  set (g := 1 - dot d (midpoint d (w k) (h k)) (midpoint d (w j) (h j))) in *.
  set (r := norm d (halfway (w k) (h k))) in *; set (r' := norm d (halfway (w j) (h j))) in *.
  assert (0 <= g) by (unfold g; lra).
  assert (0 <= r * g) by (apply Rmult_le_pos; lra).
  assert (R1 : Rmax rho 0 <= r * g).
  { apply Rmax_lub; [| assumption]. apply Rle_trans with (r * r' * g); [lra |].
    replace (r * r' * g) with (r' * (r * g)) by ring. nra. }
  assert (R2 : Rmax rho 0 ^ 2 <= (r * g) ^ 2) by (apply pow_incr; split; [apply Rmax_r | exact R1]).
  rewrite Rpow_mult_distr in R2. lra.
Qed.

(** gnc:definition-3.4, sharp "rattlers of both problems": the midpoints of two classes are apart by
    the mean of the least gaps m of the two. *)
Theorem rattlers_of_midpoints :
  forall (d K : nat) (w h : nat -> nat -> R) (m : nat -> R),
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k, (k < K)%nat -> dot d (h k) (h k) = 1) ->
  (forall k, (k < K)%nat -> 0 <= dot d (w k) (h k)) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
     m k <= dot d (difference (w k) (w j)) (h k)) ->
  forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
  (m k + m j) / 2 <= 1 - dot d (midpoint d (w k) (h k)) (midpoint d (w j) (h j)).
Proof.
  intros d K w h m W H C M k j Hk Hj N.
  assert (L := mean_gap_at_most d (w k) (h k) (w j) (h j) (W k Hk) (H k Hk) (W j Hj) (H j Hj)
                 (C k Hk) (C j Hj)).
  assert (M1 := M k j Hk Hj N); assert (M2 := M j k Hj Hk (not_eq_sym N)).
  assert (P := halfway_positive d (w k) (h k) (W k Hk) (H k Hk) (C k Hk)).
  assert (P' := halfway_positive d (w j) (h j) (W j Hj) (H j Hj) (C j Hj)).
  assert (O := halfway_at_most_one d (w k) (h k) (W k Hk) (H k Hk) (C k Hk)).
  assert (O' := halfway_at_most_one d (w j) (h j) (W j Hj) (H j Hj) (C j Hj)).
  assert (U := midpoint_unit d (w k) (h k) (W k Hk) (H k Hk) (C k Hk)).
  assert (U' := midpoint_unit d (w j) (h j) (W j Hj) (H j Hj) (C j Hj)).
  assert (G := unit_dot_le d _ _ U U').
  set (g := 1 - dot d (midpoint d (w k) (h k)) (midpoint d (w j) (h j))) in *.
  set (r := norm d (halfway (w k) (h k))) in *; set (r' := norm d (halfway (w j) (h j))) in *.
  assert (0 <= g) by (unfold g; lra).
  assert (r * r' <= 1) by nra. assert (0 <= r * r') by nra.
  apply Rle_trans with (r * r' * g); [lra | nra].
Qed.
