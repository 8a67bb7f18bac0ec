(** Codes of K >= d + 2 points: no margin exceeds 1, and for K <= 2d cross-polytopes attain it.

    d + 1 vectors of R^d are linearly dependent, and where off-diagonal inner products are negative,
    a dependence c may be replaced by |c|: |sum |c_i| v_i|^2 <= |sum c_i v_i|^2 = 0. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Hull Midpoint SoftmaxCode Optima.
Open Scope R_scope.

(** * Linear dependence *)

(** Exchange of two indices. *)
Definition exchange (p q i : nat) : nat :=
  if Nat.eq_dec i p then q else if Nat.eq_dec i q then p else i.

Lemma exchange_twice p q i : exchange p q (exchange p q i) = i.
Proof.
  unfold exchange; destruct (Nat.eq_dec i p), (Nat.eq_dec i q); subst;
    repeat destruct (Nat.eq_dec _ _); try lia.
Qed.

Lemma sum_exchange n p q f :
  (p < n)%nat -> (q < n)%nat -> sum n (fun i => f (exchange p q i)) = sum n f.
Proof.
  intros P Q.
  rewrite (sum_ext n (fun i => f (exchange p q i))
    (fun i => f i + (if Nat.eq_dec i p then f q - f p else 0)
                  + (if Nat.eq_dec i q then f p - f q else 0))).
  - rewrite !sum_plus, !sum_single by assumption; ring.
  - intros i _; unfold exchange; destruct (Nat.eq_dec i p), (Nat.eq_dec i q); subst;
      try subst; ring.
Qed.

(** d + 1 vectors of R^d are linearly dependent. *)
Lemma dependence d :
  forall v : nat -> nat -> R, exists c,
    (exists i, (i < S d)%nat /\ c i <> 0) /\
    forall m, (m < d)%nat -> sum (S d) (fun i => c i * v i m) = 0.
Proof.
  induction d as [| d IH]; intros v.
  { exists (fun _ => 1); split; [exists 0%nat; split; [lia | lra] | intros; lia]. }
  assert (Dec : (exists p, (p < S (S d))%nat /\ v p d <> 0) \/
                (forall i, (i < S (S d))%nat -> v i d = 0)).
  { generalize (S (S d)); intros n; induction n as [| n IHn]; [right; intros; lia |].
    destruct IHn as [(p & P & V) | Z]; [left; exists p; split; [lia | exact V] |].
    destruct (Req_dec (v n d) 0) as [E | N]; [right | left; exists n; split; [lia | exact N]].
    intros i I; destruct (Nat.eq_dec i n) as [-> |]; [exact E | apply Z; lia]. }
  destruct Dec as [(p & P & Vp) | Z].
  - (* eliminate the last coordinate with v_p, moved to the end *)
    set (u := fun i => v (exchange p (S d) i)).
    assert (Up : u (S d) d = v p d).
    { unfold u, exchange; destruct (Nat.eq_dec (S d) p) as [-> | N]; [reflexivity |].
      destruct (Nat.eq_dec (S d) (S d)); [reflexivity | lia]. }
    destruct (IH (fun i m => u i m - u i d / v p d * u (S d) m)) as (c & (i0 & I0 & C0) & C).
    set (last := - sum (S d) (fun i => c i * (u i d / v p d))).
    set (b := fun i => if Nat.eq_dec i (S d) then last else c i).
    assert (B : forall f, sum (S d) (fun i => b i * f i) = sum (S d) (fun i => c i * f i)).
    { intros f; apply sum_ext; intros i I; unfold b; destruct (Nat.eq_dec i (S d));
        [lia | reflexivity]. }
    assert (Bl : b (S d) = last)
      by (unfold b; destruct (Nat.eq_dec (S d) (S d)); [reflexivity | lia]).
    exists (fun i => b (exchange p (S d) i)); split.
    + exists (exchange p (S d) i0); split.
      * unfold exchange; destruct (Nat.eq_dec i0 p), (Nat.eq_dec i0 (S d)); lia.
      * rewrite exchange_twice; unfold b; destruct (Nat.eq_dec i0 (S d)); [lia | exact C0].
    + intros m M.
      transitivity (sum (S (S d)) (fun k => b k * u k m)).
      { rewrite <- (sum_exchange (S (S d)) p (S d) (fun k => b k * u k m)) by lia.
        apply sum_ext; intros i _; unfold u; rewrite exchange_twice; reflexivity. }
      change (sum (S (S d)) (fun k => b k * u k m))
        with (sum (S d) (fun k => b k * u k m) + b (S d) * u (S d) m).
      rewrite (B (fun k => u k m)), Bl; unfold last.
      destruct (Nat.eq_dec m d) as [-> | Nd].
      * rewrite Up, Ropp_mult_distr_l_reverse, <- sum_scale_r.
        rewrite (sum_ext (S d) (fun i => c i * (u i d / v p d) * v p d) (fun i => c i * u i d))
          by (intros; field; exact Vp). ring.
      * assert (H := C m ltac:(lia)); cbv beta in H.
        rewrite (sum_ext (S d) _ (fun i => c i * u i m - c i * (u i d / v p d) * u (S d) m)) in H
          by (intros; ring).
        rewrite sum_minus, sum_scale_r in H; lra.
  - destruct (IH v) as (c & (i0 & I0 & C0) & C).
    exists (fun i => if Nat.eq_dec i (S d) then 0 else c i); split.
    + exists i0; split; [lia |]. destruct (Nat.eq_dec i0 (S d)); [lia | exact C0].
    + intros m M; destruct (Nat.eq_dec m d) as [-> | Nd].
      * apply sum_zero; intros i I; rewrite Z by assumption; ring.
      * cbn [sum]; destruct (Nat.eq_dec (S d) (S d)); [| lia].
        assert (H := C m ltac:(lia)); cbn [sum] in H.
        destruct (Nat.eq_dec d (S d)); [lia |].
        rewrite (sum_ext d _ (fun i => c i * v i m)); [lra |].
        intros i I; destruct (Nat.eq_dec i (S d)); [lia | reflexivity].
Qed.

(** * Obtuse vectors *)

(** With pairwise products of at most zero a dependence stays one with |c| in place of c. *)
Lemma absolute_dependence d n c v :
  (forall i j, (i < n)%nat -> (j < n)%nat -> j <> i -> dot d (v i) (v j) <= 0) ->
  (forall m, (m < d)%nat -> combination n c v m = 0) ->
  forall x, dot d (combination n (fun i => Rabs (c i)) v) x = 0.
Proof.
  intros O Z x; apply dot_zero.
  set (u := combination n (fun i => Rabs (c i)) v).
  assert (E : dot d u u - dot d (combination n c v) (combination n c v)
    = double_sum n (fun i j => (Rabs (c i) * Rabs (c j) - c i * c j) * dot d (v i) (v j))).
  { unfold u; rewrite !dot_combination_l, <- sum_minus; apply sum_ext; intros i _.
    rewrite !dot_combination_r, <- !sum_scale, <- sum_minus; apply sum_ext; intros; ring. }
  assert (Zero : dot d (combination n c v) (combination n c v) = 0)
    by (apply sum_zero; intros m M; rewrite Z by exact M; ring).
  assert (Neg : double_sum n (fun i j => (Rabs (c i) * Rabs (c j) - c i * c j) * dot d (v i) (v j))
                <= 0).
  { apply sum_nonpos; intros i I; apply sum_nonpos; intros j J.
    destruct (Nat.eq_dec j i) as [-> | N].
    - rewrite <- Rabs_mult, (Rabs_pos_eq (c i * c i)) by (apply Rle_0_sqr). lra.
    - assert (H := O i j I J N); assert (L := Rle_abs (c i * c j)); rewrite Rabs_mult in L. nra. }
  assert (P := dot_nonneg d u). lra.
Qed.

Lemma positive_term n f i :
  (forall j, (j < n)%nat -> 0 <= f j) -> (i < n)%nat -> 0 < f i -> 0 < sum n f.
Proof. intros H I P; assert (L := term_le_sum n f i H I); lra. Qed.

(** Of d + 2 vectors of R^d two have an inner product that is not negative. *)
Lemma some_product_nonnegative d v :
  ~ (forall i j, (i < S (S d))%nat -> (j < S (S d))%nat -> j <> i -> dot d (v i) (v j) < 0).
Proof.
  intros O; destruct (dependence d v) as (c & (i0 & I0 & C0) & C).
  assert (H := absolute_dependence d (S d) c v
    (fun i j I J N => Rlt_le _ _ (O i j ltac:(lia) ltac:(lia) N)) C (v (S d))).
  rewrite dot_combination_l in H.
  assert (P : 0 < sum (S d) (fun i => - (Rabs (c i) * dot d (v i) (v (S d))))).
  { apply (positive_term _ _ i0).
    - intros i I; assert (N := O i (S d) ltac:(lia) ltac:(lia) ltac:(lia)).
      assert (A := Rabs_pos (c i)). nra.
    - exact I0.
    - assert (N := O i0 (S d) ltac:(lia) ltac:(lia) ltac:(lia)).
      assert (A := Rabs_pos_lt (c i0) C0). nra. }
  rewrite (sum_ext (S d) _ (fun i => -1 * (Rabs (c i) * dot d (v i) (v (S d))))) in P
    by (intros; ring).
  rewrite sum_scale, H in P. lra.
Qed.

(** Of d + 1 vectors orthogonal to a unit vector of R^d two have a product that is not negative. *)
Lemma some_orthogonal_product_nonnegative d v e :
  dot d e e = 1 ->
  (forall i, (i < S d)%nat -> dot d (v i) e = 0) ->
  ~ (forall i j, (i < S d)%nat -> (j < S d)%nat -> j <> i -> dot d (v i) (v j) < 0).
Proof.
  intros E Orth O.
  (* e and v_0, ..., v_(d-1) are dependent, and e takes no part *)
  set (u := fun i => if Nat.eq_dec i d then e else v i).
  destruct (dependence d u) as (c & (i0 & I0 & C0) & C).
  assert (U : forall i, (i < d)%nat -> u i = v i)
    by (intros i I; unfold u; destruct (Nat.eq_dec i d); [lia | reflexivity]).
  assert (Ud : u d = e) by (unfold u; destruct (Nat.eq_dec d d); [reflexivity | lia]).
  assert (Cd : c d = 0).
  { assert (H : dot d (combination (S d) c u) e = 0)
      by (apply sum_zero; intros m M; unfold combination; rewrite (C m M); ring).
    rewrite dot_combination_l in H; cbn [sum] in H; rewrite Ud, E in H.
    rewrite sum_zero in H; [lra |].
    intros i I; rewrite U, Orth by lia; ring. }
  assert (Cv : forall m, (m < d)%nat -> combination d c v m = 0).
  { intros m M; assert (H := C m M); cbn [sum] in H; rewrite Cd in H.
    unfold combination; rewrite (sum_ext d _ (fun i => c i * u i m)); [lra |].
    intros i I; rewrite U by exact I; reflexivity. }
  assert (H := absolute_dependence d d c v
    (fun i j I J N => Rlt_le _ _ (O i j ltac:(lia) ltac:(lia) N)) Cv (v d)).
  rewrite dot_combination_l in H.
  assert (I1 : (i0 < d)%nat).
  { destruct (Nat.eq_dec i0 d) as [-> |]; [contradiction | lia]. }
  assert (P : 0 < sum d (fun i => - (Rabs (c i) * dot d (v i) (v d)))).
  { apply (positive_term _ _ i0).
    - intros i I; assert (N := O i d ltac:(lia) ltac:(lia) ltac:(lia)).
      assert (A := Rabs_pos (c i)). nra.
    - exact I1.
    - assert (N := O i0 d ltac:(lia) ltac:(lia) ltac:(lia)).
      assert (A := Rabs_pos_lt (c i0) C0). nra. }
  rewrite (sum_ext d _ (fun i => -1 * (Rabs (c i) * dot d (v i) (v d)))) in P by (intros; ring).
  rewrite sum_scale, H in P. lra.
Qed.

(** * K >= d + 2 *)

(** Deciding a property of all pairs below n. *)
Lemma some_pair_or_none n (f : nat -> nat -> R) :
  (exists i j, (i < n)%nat /\ (j < n)%nat /\ j <> i /\ 0 <= f i j) \/
  (forall i j, (i < n)%nat -> (j < n)%nat -> j <> i -> f i j < 0).
Proof.
  assert (Row : forall i m, (exists j, (j < m)%nat /\ j <> i /\ 0 <= f i j) \/
                            (forall j, (j < m)%nat -> j <> i -> f i j < 0)).
  { intros i m; induction m as [| m [(j & J & N & F) | A]]; [right; intros; lia | |].
    - left; exists j; repeat split; auto.
    - destruct (Nat.eq_dec m i) as [-> | N].
      + right; intros j J Nj; apply A; [lia | exact Nj].
      + destruct (Rle_or_lt 0 (f i m)); [left; exists m; repeat split; auto |].
        right; intros j J Nj; destruct (Nat.eq_dec j m) as [-> |];
          [assumption | apply A; [lia | auto]]. }
  assert (Q : forall m, (exists i j, (i < m)%nat /\ (j < n)%nat /\ j <> i /\ 0 <= f i j) \/
                        (forall i j, (i < m)%nat -> (j < n)%nat -> j <> i -> f i j < 0)).
  { intros m; induction m as [| m [(i & j & I & J & N & F) | A]]; [right; intros; lia | |].
    - left; exists i, j; repeat split; auto.
    - destruct (Row m n) as [(j & J & N & F) | B].
      + left; exists m, j; repeat split; auto.
      + right; intros i j I J N; destruct (Nat.eq_dec i m) as [-> |];
          [auto | apply A; [lia | auto | auto]]. }
  apply Q.
Qed.

(** gnc:remark-orthoplex, printed "K >= d + 2", Rankin: K >= d + 2 unit vectors have largest inner
    product at least 0. *)
Theorem orthoplex_bound :
  forall (d K : nat) (w : nat -> nat -> R) (t : R),
  (d + 2 <= K)%nat ->
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k -> dot d (w k) (w j) <= t) ->
  0 <= t.
Proof.
  intros d K w t L W T; destruct (Rle_or_lt 0 t) as [| N]; [assumption | exfalso].
  apply (some_product_nonnegative d w); intros i j I J D.
  assert (H := T i j ltac:(lia) ltac:(lia) D); lra.
Qed.

(** gnc:remark-orthoplex, printed "K >= d + 2", optimum: K >= d + 2 unit vectors of R^d have no
    margin above 1. *)
Theorem margin_at_most_one :
  forall (d K : nat) (w h : nat -> nat -> R) (rho : R),
  (2 <= K)%nat -> (d + 2 <= K)%nat ->
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k, (k < K)%nat -> dot d (h k) (h k) = 1) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
     rho <= dot d (difference (w k) (w j)) (h k)) ->
  rho <= 1.
Proof.
  intros d K w h rho K2 L W H M; destruct (Rle_or_lt rho 0) as [R0 | R0]; [lra |].
  destruct (Nat.eq_dec d 0) as [-> | D].
  { assert (E := W 0%nat ltac:(lia)); unfold dot in E; simpl in E; lra. }
  assert (C : has_softmax_code d K rho).
  { exists w; split; [exact W |]. apply hardmax_is_distance; auto.
    exists h; split; assumption. }
  apply midpoint_theorem in C; [| lia | lia]; destruct C as (y & Y & T).
  assert (Q := orthoplex_bound d K y (1 - rho) L Y T); lra.
Qed.

(** Vertices of the cross-polytope: e_0, -e_0, e_1, -e_1, ... *)
Definition vertex (k i : nat) : R := if Nat.eq_dec i (Nat.div2 k) then (-1) ^ k else 0.

Lemma vertex_product d k j :
  (k < 2 * d)%nat -> (j < 2 * d)%nat ->
  dot d (vertex k) (vertex j)
  = if Nat.eq_dec (Nat.div2 k) (Nat.div2 j) then (-1) ^ k * (-1) ^ j else 0.
Proof.
  intros Hk Hj.
  assert (Div : (Nat.div2 k < d)%nat).
  { assert (H := Nat.div2_odd k); destruct (Nat.odd k); simpl in H; lia. }
  destruct (Nat.eq_dec (Nat.div2 k) (Nat.div2 j)) as [E | N].
  - rewrite <- (sum_single d (Nat.div2 k) ((-1) ^ k * (-1) ^ j) Div); apply sum_ext; intros i _.
    unfold vertex; rewrite <- E; destruct (Nat.eq_dec i (Nat.div2 k)); ring.
  - apply sum_zero; intros i _; unfold vertex.
    destruct (Nat.eq_dec i (Nat.div2 k)), (Nat.eq_dec i (Nat.div2 j)); try ring; lia.
Qed.

(** gnc:theorem-3.3, printed "d + 1 < K <= 2d": the optimum is 1, and vertices of a cross-polytope
    attain it. *)
Theorem cross_polytope_optimum :
  forall (d K : nat), (1 <= d)%nat -> (d + 2 <= K)%nat -> (K <= 2 * d)%nat -> is_optimum d K 1.
Proof.
  intros d K D L U; split.
  - apply midpoint_theorem; [lia | lia |].
    assert (Square : forall k, (-1) ^ k * (-1) ^ k = 1)
      by (intros k; rewrite <- Rpow_mult_distr; replace (-1 * -1) with 1 by ring; apply pow1).
    exists vertex; split.
    + intros k Hk; rewrite vertex_product by lia.
      destruct (Nat.eq_dec (Nat.div2 k) (Nat.div2 k)); [apply Square | lia].
    + intros k j Hk Hj N; rewrite vertex_product by lia.
      destruct (Nat.eq_dec (Nat.div2 k) (Nat.div2 j)) as [E |]; [| lra].
      (* same axis: one of the two is even, the other odd *)
      assert (A := Nat.div2_odd k); assert (B := Nat.div2_odd j); rewrite <- E in B.
      destruct (Nat.odd k) eqn:Ok, (Nat.odd j) eqn:Oj; simpl in A, B; try lia.
      * assert (X : k = (j + 1)%nat) by lia; rewrite X, pow_add, pow_1.
        assert (S := Square j); replace (1 - 1) with 0 by ring. lra.
      * assert (X : j = (k + 1)%nat) by lia; rewrite X, pow_add, pow_1.
        assert (S := Square k); replace (1 - 1) with 0 by ring. lra.
  - intros rho H; apply midpoint_theorem in H; [| lia | lia]; destruct H as (y & Y & T).
    assert (Q := orthoplex_bound d K y (1 - rho) L Y T); lra.
Qed.

(** * Every point touches another *)

(** Indices from 0 on without k. *)
Definition skip (k i : nat) : nat := if lt_dec i k then i else S i.

(** gnc:theorem-3.6, sharp "K <= 2d": for K >= d + 2 and each k there are two others that are not
    both turned away from w_k. *)
Theorem everyone_touches :
  forall (d K k : nat) (w : nat -> nat -> R),
  (d + 2 <= K)%nat -> (k < K)%nat ->
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  exists i j, (i < K)%nat /\ (j < K)%nat /\ i <> k /\ j <> k /\ j <> i /\
    0 <= dot d (w i) (w j) - dot d (w i) (w k) * dot d (w j) (w k).
Proof.
  intros d K k w L Hk W.
  assert (Skip : forall i, (i < S d)%nat -> (skip k i < K)%nat /\ skip k i <> k)
    by (intros i I; unfold skip; destruct (lt_dec i k); lia).
  set (u := fun i => difference (w (skip k i)) (scaled (dot d (w (skip k i)) (w k)) (w k))).
  assert (P : forall i j, dot d (u i) (u j) = dot d (w (skip k i)) (w (skip k j))
                - dot d (w (skip k i)) (w k) * dot d (w (skip k j)) (w k)).
  { intros i j; unfold u; rewrite dot_difference_l, !dot_difference_r, !dot_scaled_l, !dot_scaled_r,
      (W k Hk), (dot_comm d (w k)); ring. }
  destruct (some_pair_or_none (S d) (fun i j => dot d (u i) (u j)))
    as [(i & j & I & J & N & F) | O].
  - exists (skip k i), (skip k j).
    destruct (Skip i I), (Skip j J); repeat split; auto.
    + unfold skip; destruct (lt_dec i k), (lt_dec j k); lia.
    + rewrite <- P; exact F.
  - exfalso; apply (some_orthogonal_product_nonnegative d u (w k) (W k Hk)); [| exact O].
    intros i I; unfold u; rewrite dot_difference_l, dot_scaled_l, (W k Hk); ring.
Qed.

(** gnc:theorem-3.8, sharp "K <= 2d": near the optimum 1 every weight is near its midpoint. *)
Theorem weights_at_midpoints :
  forall (d K : nat) (w h : nat -> nat -> R) (rho : R),
  (d + 2 <= K)%nat ->
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k, (k < K)%nat -> dot d (h k) (h k) = 1) ->
  (forall k, (k < K)%nat -> 0 <= dot d (w k) (h k)) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
     rho <= dot d (difference (w k) (w j)) (h k)) ->
  forall k, (k < K)%nat ->
  (norm d (difference (w k) (midpoint d (w k) (h k))) ^ 2) ^ 2 <= 4 * (1 - rho).
Proof.
  intros d K w h rho L W H C M k Hk.
  set (Y := fun k => midpoint d (w k) (h k)); set (r := fun k => norm d (halfway (w k) (h k))).
  assert (U : forall k, (k < K)%nat -> dot d (Y k) (Y k) = 1)
    by (intros; apply midpoint_unit; auto).
  assert (Rp : forall k, (k < K)%nat -> 0 < r k <= 1)
    by (intros j J; split; [apply halfway_positive | apply halfway_at_most_one]; auto).
  assert (G : forall i j, (i < K)%nat -> (j < K)%nat -> j <> i ->
    rho <= r i * r j * (1 - dot d (Y i) (Y j))).
  { intros i j I J N; eapply Rle_trans; [| apply mean_gap_at_most; auto].
    assert (M1 := M i j I J N); assert (M2 := M j i J I (not_eq_sym N)); lra. }
  replace (norm d (difference (w k) (midpoint d (w k) (h k))) ^ 2) with (2 - 2 * r k).
  2: { rewrite <- Rsqr_pow2; unfold Rsqr.
       rewrite norm_sqr, unit_distance, dot_midpoint; auto. apply U, Hk. }
  assert (Goal : (1 - r k) ^ 2 <= 1 - rho).
  2: { replace ((2 - 2 * r k) ^ 2) with (4 * (1 - r k) ^ 2) by ring. lra. }
  destruct (Rp k Hk) as (Rk0 & Rk1).
  destruct (Rle_or_lt rho 0) as [R0 | R0]; [nra |].
  (* a neighbour at an angle with cosine at least -a leaves r_k (1 + a) >= rho *)
  assert (Near : forall i a, (i < K)%nat -> i <> k -> 0 <= a -> - a <= dot d (Y i) (Y k) ->
                   a * a <= 1 - rho -> (1 - r k) ^ 2 <= 1 - rho).
  { intros i a I N A D S; destruct (Rp i I) as (Ri0 & Ri1).
    assert (Q := G k i Hk I N); rewrite (dot_comm d (Y k)) in Q.
    set (t := dot d (Y i) (Y k)) in *.
    assert (V : rho <= r k * (1 + a)).
    { apply Rle_trans with (r k * r i * (1 - t)); [exact Q |].
      assert (T : t <= 1) by (apply unit_dot_le; apply U; auto).
      apply Rle_trans with (r k * 1 * (1 - t)).
      - apply Rmult_le_compat_r; [lra |]. apply Rmult_le_compat_l; lra.
      - rewrite Rmult_1_r; apply Rmult_le_compat_l; lra. }
    (* (1 - r)(1 + a) <= 1 - rho + a, and with s = sqrt(1 - rho) this is at most s (1 + s) *)
    assert (S0 := sqrt_pos (1 - rho)).
    assert (Ss : 0 <= 1 - rho) by nra. assert (S2 := sqrt_sqrt (1 - rho) Ss).
    set (s := sqrt (1 - rho)) in *.
    assert (As : a <= s) by nra.
    assert (B : 1 - r k <= s).
    { destruct (Rle_or_lt (1 - r k) s) as [| X]; [assumption | exfalso].
      assert (r k * (1 + a) <= r k * (1 + s)) by (apply Rmult_le_compat_l; lra).
      assert (r k * (1 + s) < (1 - s) * (1 + s)) by (apply Rmult_lt_compat_r; lra). lra. }
    rewrite <- S2; replace (s * s) with (s ^ 2) by ring. apply pow_incr; lra. }
  destruct (everyone_touches d K k Y L Hk U) as (i & j & I & J & Ni & Nj & N & F).
  destruct (Rle_or_lt 0 (dot d (Y i) (Y k))) as [P | P].
  { apply (Near i 0 I Ni); try lra.
    assert (Q := G k i Hk I Ni); rewrite (dot_comm d (Y k)) in Q.
    assert (T : dot d (Y i) (Y k) <= 1) by (apply unit_dot_le; apply U; auto).
    destruct (Rp i I).
    assert (r k * r i * (1 - dot d (Y i) (Y k)) <= 1 * 1 * 1); [| lra].
    apply Rmult_le_compat; try nra. }
  destruct (Rle_or_lt 0 (dot d (Y j) (Y k))) as [P' | P'].
  { apply (Near j 0 J Nj); try lra.
    assert (Q := G k j Hk J Nj); rewrite (dot_comm d (Y k)) in Q.
    assert (T : dot d (Y j) (Y k) <= 1) by (apply unit_dot_le; apply U; auto).
    destruct (Rp j J).
    assert (r k * r j * (1 - dot d (Y j) (Y k)) <= 1 * 1 * 1); [| lra].
    apply Rmult_le_compat; try nra. }
  assert (V : dot d (Y i) (Y k) * dot d (Y j) (Y k) <= 1 - rho).
  { assert (Q := G i j I J N); destruct (Rp i I), (Rp j J).
    assert (T : dot d (Y i) (Y j) <= 1) by (apply unit_dot_le; apply U; auto).
    assert (r i * r j * (1 - dot d (Y i) (Y j)) <= 1 * (1 - dot d (Y i) (Y j))); [| lra].
    apply Rmult_le_compat_r; [lra | nra]. }
  destruct (Rle_or_lt (dot d (Y i) (Y k)) (dot d (Y j) (Y k))) as [O | O].
  - apply (Near j (- dot d (Y j) (Y k)) J Nj); nra.
  - apply (Near i (- dot d (Y i) (Y k)) I Ni); nra.
Qed.
