(** Softmax codes that are known: simplices for K <= d + 1, cross-polytopes for d + 2 <= K <= 2d. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Hull Midpoint SoftmaxCode.
Open Scope R_scope.

(** rho is the largest margin of K unit vectors of R^d. *)
Definition is_optimum (d K : nat) (rho : R) : Prop :=
  has_softmax_code d K rho /\ (forall r, has_softmax_code d K r -> r <= rho).

(** * Sums over pairs *)

Definition double_sum (K : nat) (f : nat -> nat -> R) : R := sum K
  (fun k => sum K (fun j => f k j)).

(** Off the diagonal terms of at least c, on it of at least zero. *)
Lemma double_sum_off_diagonal K f c :
  (forall k, (k < K)%nat -> 0 <= f k k) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k -> c <= f k j) ->
  INR K * (INR K - 1) * c <= double_sum K f.
Proof.
  intros D O.
  replace (INR K * (INR K - 1) * c) with (sum K (fun _ => (INR K - 1) * c))
    by (rewrite sum_const; ring).
  apply sum_le; intros k Hk.
  apply Rle_trans with (sum K (fun j => c - (if Nat.eq_dec j k then c else 0))).
  - rewrite sum_minus, sum_const, sum_single by exact Hk; lra.
  - apply sum_le; intros j Hj; destruct (Nat.eq_dec j k) as [-> | N];
      [| assert (H := O k j Hk Hj N)].
    + assert (H := D k Hk); lra.
    + lra.
Qed.

Lemma dot_total d K v :
  dot d (fun i => sum K (fun k => v k i)) (fun i => sum K (fun k => v k i))
  = double_sum K (fun k j => dot d (v k) (v j)).
Proof.
  rewrite dot_sum_l; apply sum_ext; intros k _; apply dot_sum_r.
Qed.

Lemma double_sum_minus K f g :
  double_sum K (fun k j => f k j - g k j) = double_sum K f - double_sum K g.
Proof.
  unfold double_sum; rewrite <- sum_minus; apply sum_ext; intros; rewrite sum_minus; reflexivity.
Qed.

Lemma double_sum_const K c : double_sum K (fun _ _ => c) = INR K * INR K * c.
Proof.
  unfold double_sum; rewrite (sum_ext K _ (fun _ => INR K * c)) by (intros; apply sum_const).
  rewrite sum_const; ring.
Qed.

(** * K <= d + 1: simplices *)

Definition total (K : nat) (v : nat -> nat -> R) : nat -> R := fun i => sum K (fun k => v k i).

(** gnc:theorem-3.8, printed "K <= d + 1", one-vs-one: the least 1 - <w_k, w_j> is at most K/(K-1),
    less the squared norm of the sum of all points over K (K-1). *)
Theorem simplex_spread :
  forall (d K : nat) (w : nat -> nat -> R) (mu : R),
  (2 <= K)%nat ->
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k -> mu <= 1 - dot d (w k) (w j)) ->
  mu <= (INR K * INR K - norm d (total K w) ^ 2) / (INR K * (INR K - 1)).
Proof.
  intros d K w mu K2 W M.
  assert (KR : 2 <= INR K) by (apply le_INR in K2; simpl in K2; lra).
  assert (P : 0 < INR K * (INR K - 1)) by nra.
  assert (L := double_sum_off_diagonal K (fun k j => 1 - dot d (w k) (w j)) mu).
  rewrite double_sum_minus, double_sum_const, <- dot_total in L.
  fold (total K w) in L; rewrite <- norm_sqr in L.
  apply Rmult_le_reg_r with (INR K * (INR K - 1)); [exact P |].
  unfold Rdiv; rewrite Rmult_assoc, Rinv_l by lra.
  assert (Q := L (fun k Hk => ltac:(rewrite (W k Hk); lra)) M). simpl; lra.
Qed.

(** A term of a double sum and its mirror image, the others being at least c. *)
Lemma two_terms K f c k j :
  (k < K)%nat -> (j < K)%nat -> j <> k -> f k j = f j k ->
  (forall k, (k < K)%nat -> 0 <= f k k) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k -> c <= f k j) ->
  INR K * (INR K - 1) * c + 2 * (f k j - c) <= double_sum K f.
Proof.
  intros Hk Hj N S D O.
  set (e := f k j - c).
  set (at_ := fun a b => if Nat.eq_dec a k then (if Nat.eq_dec b j then e else 0) else 0).
  set (g := fun a b => f a b - (at_ a b + at_ b a)).
  assert (L : INR K * (INR K - 1) * c <= double_sum K g).
  { apply double_sum_off_diagonal; unfold g, at_.
    - intros a Ha; assert (H := D a Ha).
      destruct (Nat.eq_dec a k), (Nat.eq_dec a j); subst; try lia; lra.
    - intros a b Ha Hb Nab; assert (H := O a b Ha Hb Nab).
      destruct (Nat.eq_dec a k), (Nat.eq_dec b j), (Nat.eq_dec b k), (Nat.eq_dec a j); subst;
        try lia; unfold e; lra. }
  assert (T : double_sum K at_ = e).
  { unfold double_sum, at_.
    rewrite (sum_ext K _ (fun a => if Nat.eq_dec a k then e else 0)); [apply sum_single, Hk |].
    intros a Ha; destruct (Nat.eq_dec a k); [apply sum_single, Hj | apply sum_zero; reflexivity]. }
  assert (T' : double_sum K (fun a b => at_ b a) = e).
  { unfold double_sum; rewrite sum_swap; exact T. }
  assert (E : double_sum K g = double_sum K f - 2 * e).
  { unfold g; rewrite double_sum_minus; f_equal.
    replace (2 * e) with (double_sum K at_ + double_sum K (fun a b => at_ b a)) by lra.
    unfold double_sum; rewrite <- sum_plus; apply sum_ext; intros; rewrite sum_plus; reflexivity. }
  fold e; lra.
Qed.

(** gnc:theorem-3.8, printed "K <= d + 1", pairs: a code of nearly the spread K/(K-1) is nearly a
    simplex. *)
Theorem simplex_pairs :
  forall (d K : nat) (w : nat -> nat -> R) (mu : R),
  (2 <= K)%nat ->
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k -> mu <= 1 - dot d (w k) (w j)) ->
  forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
  1 - dot d (w k) (w j)
  <= mu + INR K * (INR K - 1) * (INR K / (INR K - 1) - mu) / 2.
Proof.
  intros d K w mu K2 W M k j Hk Hj N.
  assert (KR : 2 <= INR K) by (apply le_INR in K2; simpl in K2; lra).
  assert (L := two_terms K (fun k j => 1 - dot d (w k) (w j)) mu k j Hk Hj N).
  cbv beta in L; rewrite double_sum_minus, double_sum_const, <- dot_total, (dot_comm d (w j)) in L.
  assert (Q := L eq_refl (fun k Hk => ltac:(rewrite (W k Hk); lra)) M).
  assert (Z := dot_nonneg d (fun i => sum K (fun k => w k i))).
  replace (INR K * (INR K - 1) * (INR K / (INR K - 1) - mu) / 2)
    with ((INR K * INR K - INR K * (INR K - 1) * mu) / 2) by (field; lra). lra.
Qed.

(** gnc:theorem-3.3, corrected "K <= d + 1, by inner products", optimum and pairs: the midpoints of
    a code of margin rho are a simplex as nearly as rho is K/(K-1). *)
Theorem simplex_margin :
  forall (d K : nat) (w h : nat -> nat -> R) (rho : R),
  (2 <= K)%nat ->
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k, (k < K)%nat -> dot d (h k) (h k) = 1) ->
  (forall k, (k < K)%nat -> 0 <= dot d (w k) (h k)) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
     rho <= dot d (difference (w k) (w j)) (h k)) ->
  forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
  rho <= (INR K * INR K - norm d (total K (fun k => midpoint d (w k) (h k))) ^ 2)
         / (INR K * (INR K - 1)) /\
  1 - dot d (midpoint d (w k) (h k)) (midpoint d (w j) (h j))
  <= rho + INR K * (INR K - 1) * (INR K / (INR K - 1) - rho) / 2.
Proof.
  intros d K w h rho K2 W H C M k j Hk Hj N.
  set (Y := fun k => midpoint d (w k) (h k)).
  assert (U : forall k, (k < K)%nat -> dot d (Y k) (Y k) = 1)
    by (intros; apply midpoint_unit; auto).
  assert (A : forall k j, (k < K)%nat -> (j < K)%nat -> j <> k -> rho <= 1 - dot d (Y k) (Y j))
    by (intros a b Ha Hb Nab; apply (midpoints_apart d K w h rho W H C M a b Ha Hb Nab)).
  split; [apply (simplex_spread d K Y rho K2 U A) | apply (simplex_pairs d K Y rho K2 U A); auto].
Qed.

(** gnc:theorem-3.3, corrected "K <= d + 1, by inner products", weights: a code of nearly the margin
    K/(K-1) has weights near its midpoints. *)
Theorem simplex_weights :
  forall (d K : nat) (w h : nat -> nat -> R) (rho : R),
  (2 <= K)%nat ->
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k, (k < K)%nat -> dot d (h k) (h k) = 1) ->
  (forall k, (k < K)%nat -> 0 <= dot d (w k) (h k)) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
     rho <= dot d (difference (w k) (w j)) (h k)) ->
  rho <= INR K / (INR K - 1)
         * (1 - mean K (fun k => norm d (difference (w k) (midpoint d (w k) (h k))) ^ 2) / 2) ^ 2.
Proof.
  intros d K w h rho K2 W H C M.
  assert (KR : 2 <= INR K) by (apply le_INR in K2; simpl in K2; lra).
  set (r := fun k => norm d (halfway (w k) (h k))).
  set (Y := fun k => midpoint d (w k) (h k)).
  assert (E : 1 - mean K (fun k => norm d (difference (w k) (midpoint d (w k) (h k))) ^ 2) / 2
              = sum K r / INR K).
  { unfold mean.
    rewrite (sum_ext K (fun k => norm d (difference (w k) (midpoint d (w k) (h k))) ^ 2)
               (fun k => 2 - 2 * r k)).
    - rewrite sum_minus, sum_const, sum_scale; field; lra.
    - intros k Hk; unfold r; rewrite <- Rsqr_pow2; unfold Rsqr; rewrite norm_sqr.
      rewrite unit_distance, dot_midpoint; auto using midpoint_unit. }
  rewrite E; clear E.
  assert (L := double_sum_off_diagonal K (fun k j => r k * r j * (1 - dot d (Y k) (Y j))) rho).
  assert (Split : double_sum K (fun k j => r k * r j * (1 - dot d (Y k) (Y j)))
    = sum K r * sum K r - dot d (fun i => sum K (fun k => r k * Y k i))
                            (fun i => sum K (fun k => r k * Y k i))).
  { rewrite (dot_total d K (fun k i => r k * Y k i)).
    replace (sum K r * sum K r) with (double_sum K (fun k j => r k * r j)).
    2: { unfold double_sum; rewrite <- sum_scale_r; apply sum_ext; intros;
      rewrite sum_scale; ring. }
    rewrite <- double_sum_minus; unfold double_sum; apply sum_ext; intros k _; apply sum_ext;
      intros j _.
    rewrite dot_scale_l, dot_scale_r; ring. }
  rewrite Split in L.
  assert (Q : INR K * (INR K - 1) * rho
    <= sum K r * sum K r - dot d (fun i => sum K (fun k => r k * Y k i))
                            (fun i => sum K (fun k => r k * Y k i))).
  { apply L.
    - intros k Hk; unfold Y; rewrite midpoint_unit by auto; right; ring.
    - intros k j Hk Hj N.
      eapply Rle_trans; [| apply mean_gap_at_most; auto].
      assert (M1 := M k j Hk Hj N); assert (M2 := M j k Hj Hk (not_eq_sym N)); lra. }
  assert (Z := dot_nonneg d (fun i => sum K (fun k => r k * Y k i))).
  apply Rmult_le_reg_l with (INR K * (INR K - 1)); [nra |].
  replace (INR K * (INR K - 1) * (INR K / (INR K - 1) * (sum K r / INR K) ^ 2))
    with (sum K r * sum K r) by (field; lra). lra.
Qed.

(** gnc:theorem-3.6, printed "K <= d + 1": the mean square of all one-vs-rest margins. *)
Theorem simplex_mean_square :
  forall (d K : nat) (w h : nat -> nat -> R) (m : nat -> R),
  (2 <= K)%nat ->
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k, (k < K)%nat -> dot d (h k) (h k) = 1) ->
  (forall k, (k < K)%nat -> 0 <= m k) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
     m k <= Rmax (dot d (difference (w k) (w j)) (h k)) 0) ->
  mean K (fun k => m k ^ 2)
  <= (INR K * INR K - norm d (total K w) ^ 2) / ((INR K - 1) * (INR K - 1)).
Proof.
  intros d K w h m K2 W H M0 M.
  assert (KR : 2 <= INR K) by (apply le_INR in K2; simpl in K2; lra).
  (* (K - 1) m_k <= <K w_k - sum w, h_k> <= |K w_k - sum w| *)
  assert (S : forall k, (k < K)%nat ->
    ((INR K - 1) * m k) ^ 2 <= INR K * INR K - 2 * INR K * dot d (w k) (total K w)
                               + dot d (total K w) (total K w)).
  { intros k Hk; set (u := difference (scaled (INR K) (w k)) (total K w)).
    assert (G : (INR K - 1) * m k <= norm d u).
    { destruct (Req_dec (m k) 0) as [-> | Mk]; [rewrite Rmult_0_r; apply norm_nonneg |].
      assert (CS := cauchy_schwarz d u (h k)); rewrite (norm_unit d (h k) (H k Hk)) in CS.
      apply Rle_trans with (dot d u (h k)); [| lra].
      unfold u; rewrite dot_difference_l, dot_scaled_l.
      unfold total; rewrite dot_sum_l.
      apply Rle_trans with (sum K (fun j => m k - (if Nat.eq_dec j k then m k else 0))).
      - rewrite sum_minus, sum_const, sum_single by exact Hk; lra.
      - replace (INR K * dot d (w k) (h k)) with (sum K (fun _ => dot d (w k) (h k)))
          by apply sum_const.
        rewrite <- sum_minus; apply sum_le; intros j Hj.
        destruct (Nat.eq_dec j k) as [-> | N]; [lra |].
        assert (Q := M k j Hk Hj N); rewrite dot_difference_l in Q.
        assert (P := M0 k Hk); unfold Rmax in Q; destruct (Rle_dec _ 0); lra. }
    assert (B : 0 <= (INR K - 1) * m k) by (apply Rmult_le_pos; [lra | apply M0, Hk]).
    apply Rle_trans with (norm d u ^ 2); [apply pow_incr; lra |].
    replace (norm d u ^ 2) with (norm d u * norm d u) by ring; rewrite norm_sqr.
    unfold u; rewrite dot_difference_l, !dot_difference_r, !dot_scaled_l, !dot_scaled_r, (W k Hk).
    rewrite (dot_comm d (total K w) (w k)); right; ring. }
  unfold mean; apply Rmult_le_reg_r with (INR K * (INR K - 1) ^ 2);
    [apply Rmult_lt_0_compat; nra |].
  replace (sum K (fun k => m k ^ 2) / INR K * (INR K * (INR K - 1) ^ 2))
    with (sum K (fun k => ((INR K - 1) * m k) ^ 2)).
  2: { rewrite (sum_ext K _ (fun k => (INR K - 1) ^ 2 * m k ^ 2)) by (intros; ring).
       rewrite sum_scale; field; lra. }
  apply Rle_trans with (sum K (fun k => INR K * INR K - 2 * INR K * dot d (w k) (total K w)
                               + dot d (total K w) (total K w))); [apply sum_le, S |].
  rewrite sum_plus, sum_minus, !sum_const.
  rewrite sum_scale, <- (dot_sum_l d K (total K w) w); fold (total K w).
  replace (norm d (total K w) ^ 2) with (norm d (total K w) * norm d (total K w)) by ring.
  rewrite norm_sqr; right; field; lra.
Qed.

(** * Simplices exist *)

(** Column k of row m of the Helmert matrix: for every K its rows m < K - 1 are orthonormal and
    orthogonal to the constant vector. *)
Definition helmert (m k : nat) : R :=
  (if le_dec k m then 1 else if Nat.eq_dec k (m + 1) then - (INR m + 1) else 0)
  / sqrt ((INR m + 1) * (INR m + 2)).

Lemma helmert_products n :
  forall k j, (k <= n)%nat -> (j <= n)%nat ->
  sum n (fun m => helmert m k * helmert m j)
  = (if Nat.eq_dec k j then 1 else 0) - 1 / (INR n + 1).
Proof.
  assert (Root : forall m x y,
    x / sqrt ((INR m + 1) * (INR m + 2)) * (y / sqrt ((INR m + 1) * (INR m + 2)))
                          = x * y / ((INR m + 1) * (INR m + 2))).
  { intros m x y; assert (0 <= INR m) by apply pos_INR.
    assert (P : 0 < (INR m + 1) * (INR m + 2)) by nra.
    assert (S := sqrt_sqrt _ (Rlt_le _ _ P)); assert (Q := sqrt_lt_R0 _ P).
    rewrite <- S at 3; field; lra. }
  induction n as [| n IH]; intros k j Hk Hj.
  { replace k with 0%nat by lia; replace j with 0%nat by lia; simpl; field. }
  assert (0 <= INR n) by apply pos_INR. rewrite S_INR; cbn [sum].
  unfold helmert at 3 4; rewrite Root.
  destruct (le_dec k n) as [K1 | K1], (le_dec j n) as [J1 | J1].
  - rewrite IH by assumption; field; lra.
  - replace j with (S n) by lia.
    rewrite sum_zero.
    2: { intros m Hm; unfold helmert at 2; destruct (le_dec (S n) m); [lia |].
         destruct (Nat.eq_dec (S n) (m + 1)); [lia |]; unfold Rdiv; ring. }
    destruct (Nat.eq_dec (S n) (n + 1)); [| lia]; destruct (Nat.eq_dec k (S n)); [lia |].
    field; lra.
  - replace k with (S n) by lia.
    rewrite sum_zero.
    2: { intros m Hm; unfold helmert at 1; destruct (le_dec (S n) m); [lia |].
         destruct (Nat.eq_dec (S n) (m + 1)); [lia |]; unfold Rdiv; ring. }
    destruct (Nat.eq_dec (S n) (n + 1)); [| lia]; destruct (Nat.eq_dec (S n) j); [lia |].
    field; lra.
  - replace j with (S n) by lia; replace k with (S n) by lia.
    rewrite sum_zero.
    2: { intros m Hm; unfold helmert at 1; destruct (le_dec (S n) m); [lia |].
         destruct (Nat.eq_dec (S n) (m + 1)); [lia |]; unfold Rdiv; ring. }
    destruct (Nat.eq_dec (S n) (n + 1)); [| lia]; destruct (Nat.eq_dec (S n) (S n)); [| lia].
    field; lra.
Qed.

(** The vertices of a simplex in the first K - 1 coordinates. *)
Definition simplex_code (K k i : nat) : R :=
  if lt_dec i (K - 1) then sqrt (INR K / (INR K - 1)) * helmert i k else 0.

Lemma sum_prefix n d f g :
  (n <= d)%nat -> (forall i, (i < n)%nat -> g i = f i) ->
  (forall i, (n <= i < d)%nat -> g i = 0) -> sum d g = sum n f.
Proof.
  intros L F Z; induction d as [| d IH].
  - replace n with 0%nat by lia; reflexivity.
  - destruct (Nat.eq_dec n (S d)) as [-> | N]; [apply sum_ext, F |].
    simpl; rewrite IH, Z by (try lia; intros; apply Z; lia); ring.
Qed.

(** gnc:theorem-3.3, corrected "K <= d + 1, by inner products", existence: K <= d + 1 unit vectors
    with all inner products -1/(K-1). *)
Theorem simplex_products :
  forall (d K k j : nat),
  (2 <= K)%nat -> (K <= d + 1)%nat -> (k < K)%nat -> (j < K)%nat ->
  dot d (simplex_code K k) (simplex_code K j)
  = if Nat.eq_dec k j then 1 else - 1 / (INR K - 1).
Proof.
  intros d K k j K2 Kd Hk Hj.
  assert (KR : 2 <= INR K) by (apply le_INR in K2; simpl in K2; lra).
  unfold dot.
  rewrite (sum_prefix (K - 1) d
             (fun i => INR K / (INR K - 1) * (helmert i k * helmert i j))); [| lia | | ].
  - rewrite sum_scale, helmert_products by lia.
    rewrite minus_INR by lia; simpl INR. destruct (Nat.eq_dec k j); field; lra.
  - intros i I; unfold simplex_code; destruct (lt_dec i (K - 1)); [| lia].
    assert (P : 0 <= INR K / (INR K - 1)) by (apply Rlt_le, Rdiv_lt_0_compat; lra).
    rewrite <- (sqrt_sqrt _ P) at 3; ring.
  - intros i I; unfold simplex_code; destruct (lt_dec i (K - 1)); [lia | ring].
Qed.

(** gnc:theorem-3.3, corrected "K <= d + 1, by inner products", the optimum: K/(K-1). *)
Theorem simplex_optimum :
  forall (d K : nat), (2 <= K)%nat -> (K <= d + 1)%nat -> is_optimum d K (INR K / (INR K - 1)).
Proof.
  intros d K K2 Kd.
  assert (KR : 2 <= INR K) by (apply le_INR in K2; simpl in K2; lra).
  split.
  - apply midpoint_theorem; [lia | lia |].
    exists (simplex_code K); split.
    + intros k Hk; rewrite simplex_products by assumption.
      destruct (Nat.eq_dec k k); [reflexivity | lia].
    + intros k j Hk Hj N; rewrite simplex_products by assumption.
      destruct (Nat.eq_dec k j); [lia |]. right; field; lra.
  - intros rho H; apply midpoint_theorem in H; [| lia | lia].
    destruct H as (y & Y & T).
    assert (L := simplex_spread d K y rho K2 Y
                   (fun k j Hk Hj N => ltac:(assert (Q := T k j Hk Hj N); lra))).
    eapply Rle_trans; [exact L |].
    apply Rmult_le_reg_r with (INR K * (INR K - 1)); [nra |].
    assert (0 <= norm d (total K y) ^ 2) by apply pow2_ge_0.
    replace ((INR K * INR K - norm d (total K y) ^ 2) / (INR K * (INR K - 1))
      * (INR K * (INR K - 1)))
      with (INR K * INR K - norm d (total K y) ^ 2) by (field; lra).
    replace (INR K / (INR K - 1) * (INR K * (INR K - 1))) with (INR K * INR K) by (field; lra). lra.
Qed.
