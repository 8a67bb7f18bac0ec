(** The logarithm of a mean of exponentials from the variance: for E u = 0 and u >= -a it is at
    least (a - 1 + e^(-a))/a^2 E u^2, which two values attain as the share of -a vanishes. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From NCBounds Require Import Finite Phi Objective.
Open Scope R_scope.

Definition depth (a : R) : R := (a - 1 + exp (- a)) / (a * a).

(** A constant that is finite at a = 0 too, and at most [depth a]. *)
Definition moment_constant (a : R) : R := Rmax (18 / ((a + 6) * (a + 6))) (depth (Rmax a 1)).

(** * The constant *)

Lemma depth_falls a b : 0 < a -> a <= b -> depth b <= depth a.
Proof.
  intros A B; apply Ropp_le_cancel.
  apply (rises (fun x => - depth x)
           (fun x => (x - 2 + (2 + x) * exp (- x)) / (x * x * x)) a b B).
  - intros x X; unfold depth; auto_derive; [apply Rgt_not_eq, Rmult_lt_0_compat; lra | field; lra].
  - intros x X; assert (0 <= x - 2 + (2 + x) * exp (- x)).
    { replace 0 with (0 - 2 + (2 + 0) * exp (- 0)) by (rewrite Ropp_0, exp_0; ring).
      apply (rises (fun x => x - 2 + (2 + x) * exp (- x)) (fun x => 1 - (1 + x) * exp (- x)) 0 x);
        [lra | |].
      - intros y _; auto_derive; [exact I | ring].
      - intros y Y; assert (T := exp_tangent y); assert (P := exp_pos (- y)).
        assert (E : exp y * exp (- y) = 1) by (rewrite <- exp_plus, Rplus_opp_r; apply exp_0).
        assert (M := Rmult_le_compat_r (exp (- y)) _ _ ltac:(lra) T). lra. }
    unfold Rdiv; apply Rmult_le_pos; [assumption |].
    left; apply Rinv_0_lt_compat; repeat apply Rmult_lt_0_compat; lra.
Qed.

Lemma rational_below_depth a : 0 < a -> 18 / ((a + 6) * (a + 6)) <= depth a.
Proof.
  intros A.
  assert (F : - (exp 0 * (1 - 0 + 18 * (0 * 0) / ((0 + 6) * (0 + 6))))
              <= - (exp a * (1 - a + 18 * (a * a) / ((a + 6) * (a + 6))))).
  { apply (rises (fun x => - (exp x * (1 - x + 18 * (x * x) / ((x + 6) * (x + 6)))))
      (fun x => exp x * (x * x * x * x) / ((x + 6) * (x + 6) * (x + 6))) 0 a); [lra | |].
    - intros x X; auto_derive; [apply Rgt_not_eq, Rmult_lt_0_compat; lra | field; lra].
    - intros x X; unfold Rdiv; apply Rmult_le_pos;
        [| left; apply Rinv_0_lt_compat; repeat apply Rmult_lt_0_compat; lra].
      apply Rmult_le_pos; [left; apply exp_pos | repeat apply Rmult_le_pos; lra]. }
  rewrite exp_0 in F; set (q := 18 / ((a + 6) * (a + 6))) in *.
  replace (18 * (a * a) / ((a + 6) * (a + 6))) with (q * (a * a)) in F
    by (unfold q; field; lra).
  unfold depth; apply (Rmult_le_reg_r (a * a)); [nra |].
  replace ((a - 1 + exp (- a)) / (a * a) * (a * a)) with (a - 1 + exp (- a)) by (field; lra).
  assert (P := exp_pos (- a)).
  assert (E : exp a * exp (- a) = 1) by (rewrite <- exp_plus, Rplus_opp_r; apply exp_0).
  assert (M : exp (- a) * (exp a * (1 - a + q * (a * a))) <= exp (- a) * 1)
    by (apply Rmult_le_compat_l; lra).
  replace (exp (- a) * (exp a * (1 - a + q * (a * a))))
    with (exp a * exp (- a) * (1 - a + q * (a * a))) in M by ring.
  rewrite E in M; lra.
Qed.

Lemma constant_below_depth a : 0 < a -> moment_constant a <= depth a.
Proof.
  intros A; apply Rmax_lub; [apply rational_below_depth, A |].
  apply depth_falls; [exact A | apply Rmax_l].
Qed.

(** * A parabola below the exponential, which touches it at -w *)

Lemma second_order v : 0 <= v -> 1 + v + v * v / 2 <= exp v.
Proof.
  intros V; assert (F : exp 0 - 1 - 0 - 0 * 0 / 2 <= exp v - 1 - v - v * v / 2).
  { apply (rises (fun x => exp x - 1 - x - x * x / 2) (fun x => exp x - 1 - x) 0 v V).
    - intros x _; auto_derive; [exact I | field].
    - intros x _; assert (T := exp_tangent x); lra. }
  rewrite exp_0 in F; lra.
Qed.

Lemma depth_below_half w : 0 < w -> depth w <= 1 / 2.
Proof.
  intros W; unfold depth; apply (Rmult_le_reg_r (w * w)); [nra |].
  replace ((w - 1 + exp (- w)) / (w * w) * (w * w)) with (w - 1 + exp (- w)) by (field; lra).
  assert (F : 0 * 0 / 2 - 0 + 1 - exp (- 0) <= w * w / 2 - w + 1 - exp (- w)).
  { apply (rises (fun x => x * x / 2 - x + 1 - exp (- x)) (fun x => x - 1 + exp (- x)) 0 w);
      [lra | |].
    - intros x _; auto_derive; [exact I | field].
    - intros x _; assert (T := exp_tangent (- x)); lra. }
  rewrite Ropp_0, exp_0 in F; lra.
Qed.

Lemma parabola w v : 0 < w -> - w <= v -> 1 + v + depth w * (v * v) <= exp v.
Proof.
  intros W V; assert (S := Rle_0_sqr v); unfold Rsqr in S.
  destruct (Rle_lt_dec 0 v) as [P | P].
  - assert (T := second_order v P).
    assert (M := Rmult_le_compat_r (v * v) _ _ S (depth_below_half w W)). lra.
  - assert (D := depth_falls (- v) w ltac:(lra) ltac:(lra)).
    assert (M := Rmult_le_compat_r (v * v) _ _ S D).
    replace (depth (- v) * (v * v)) with (- v - 1 + exp v) in M; [lra |].
    unfold depth; rewrite Ropp_involutive; field; lra.
Qed.

(** * Two values *)

Lemma share_of_two a : 0 <= a -> 2 * a * exp (- a) + exp (- a) * exp (- a) <= 1.
Proof.
  intros A.
  assert (F : 1 - 2 * 0 * exp (- 0) - exp (- 0) * exp (- 0)
              <= 1 - 2 * a * exp (- a) - exp (- a) * exp (- a)).
  { apply (rises (fun x => 1 - 2 * x * exp (- x) - exp (- x) * exp (- x))
      (fun x => 2 * exp (- x) * (x - 1 + exp (- x))) 0 a A).
    - intros x _; auto_derive; [exact I | ring].
    - intros x _; assert (T := exp_tangent (- x)); assert (P := exp_pos (- x)).
      apply Rmult_le_pos; lra. }
  rewrite Ropp_0, exp_0 in F; lra.
Qed.

Lemma two_values_mean a b : 0 < a -> 0 <= b ->
  (a + b) * exp (a * depth a * b) <= a * exp b + b * exp (- a).
Proof.
  intros A B; set (K := a * depth a); set (E := exp (- a)).
  assert (EP : 0 < E) by apply exp_pos.
  assert (AK : a * K = a - 1 + E) by (unfold K, depth; fold E; field; lra).
  assert (K0 : 0 <= K).
  { apply (Rmult_le_reg_l a); [exact A |]; rewrite AK, Rmult_0_r.
    assert (T := exp_tangent (- a)); fold E in T; lra. }
  assert (T2 := share_of_two a ltac:(lra)); fold E in T2; clearbody K E.
  set (S' := fun x => a * (1 - K) * exp ((1 - K) * x) + E * exp (- K * x) * (1 - K * x) - 1).
  set (S'' := fun x => exp (- K * x)
    * (a * ((1 - K) * (1 - K)) * exp x + K * K * x * E - 2 * K * E)).
  assert (S2 : forall x, 0 <= x -> 0 <= S'' x).
  { intros x X; unfold S''; apply Rmult_le_pos; [left; apply exp_pos |].
    assert (T := exp_tangent x).
    assert (Q := Rle_0_sqr (1 - K)); unfold Rsqr in Q.
    assert (M : a * ((1 - K) * (1 - K)) * 1 <= a * ((1 - K) * (1 - K)) * exp x)
      by (apply Rmult_le_compat_l; [apply Rmult_le_pos |]; lra).
    assert (N : 0 <= K * K * x * E) by (repeat apply Rmult_le_pos; lra).
    assert (B0 : 0 <= a * ((1 - K) * (1 - K)) - 2 * K * E).
    { apply (Rmult_le_reg_l a); [exact A |]; rewrite Rmult_0_r.
      replace (a * (a * ((1 - K) * (1 - K)) - 2 * K * E))
        with ((a - a * K) * (a - a * K) - 2 * (a * K) * E) by ring.
      rewrite AK.
      replace ((a - (a - 1 + E)) * (a - (a - 1 + E)) - 2 * (a - 1 + E) * E)
        with (1 - (2 * a * E + E * E)) by ring. lra. }
    lra. }
  assert (S1 : forall x, 0 <= x -> 0 <= S' x).
  { intros x X; replace 0 with (S' 0).
    - apply (rises S' S'' 0 x X); [| intros y Y; apply S2; lra].
      intros y _; unfold S', S''; auto_derive; [exact I |].
      replace ((1 - K) * y) with (- K * y + y) by ring; rewrite exp_plus; ring.
    - unfold S'; rewrite !Rmult_0_r, exp_0.
      replace (a * (1 - K)) with (a - a * K) by ring; rewrite AK; ring. }
  assert (S0 : a * exp ((1 - K) * 0) + 0 * E * exp (- K * 0) - a - 0
               <= a * exp ((1 - K) * b) + b * E * exp (- K * b) - a - b).
  { apply (rises (fun x => a * exp ((1 - K) * x) + x * E * exp (- K * x) - a - x) S' 0 b B);
      [| intros y Y; apply S1; lra].
    intros y _; unfold S'; auto_derive; [exact I | ring]. }
  rewrite !Rmult_0_r, exp_0 in S0.
  replace ((1 - K) * b) with (b + - K * b) in S0 by ring; rewrite exp_plus in S0.
  assert (P : exp (K * b) * exp (- K * b) = 1)
    by (rewrite <- exp_plus; replace (K * b + - K * b) with 0 by ring; apply exp_0).
  assert (M : exp (K * b) * (a + b)
              <= exp (K * b) * (exp (- K * b) * (a * exp b + b * E)))
    by (apply Rmult_le_compat_l; [left; apply exp_pos | lra]).
  rewrite <- Rmult_assoc, P, Rmult_1_l in M. lra.
Qed.

(** * The lemma *)

Lemma log_moment_depth n p u a : 0 < a ->
  (forall i, (i < n)%nat -> 0 <= p i) -> sum n p = 1 ->
  sum n (fun i => p i * u i) = 0 -> (forall i, (i < n)%nat -> - a <= u i) ->
  depth a * sum n (fun i => p i * (u i * u i)) <= ln (sum n (fun i => p i * exp (u i))).
Proof.
  intros A P S Z U; set (V := sum n (fun i => p i * (u i * u i))); set (b := V / a).
  assert (V0 : 0 <= V).
  { apply sum_nonneg; intros i L; apply Rmult_le_pos; [apply P, L | apply Rle_0_sqr]. }
  assert (B0 : 0 <= b) by (apply Rdiv_le_0_compat; assumption).
  assert (VB : V = a * b) by (unfold b; field; lra).
  set (w := a + b); set (c := depth w).
  assert (W : 0 < w) by (unfold w; lra).
  assert (M : exp b * (1 - b + c * (b * w)) <= sum n (fun i => p i * exp (u i))).
  { replace (exp b * (1 - b + c * (b * w)))
      with (sum n (fun i => p i * (exp b * (1 + (u i - b) + c * ((u i - b) * (u i - b)))))).
    - apply sum_le; intros i L; apply Rmult_le_compat_l; [apply P, L |].
      replace (exp (u i)) with (exp b * exp (u i - b)) by (rewrite <- exp_plus; f_equal; ring).
      apply Rmult_le_compat_l; [left; apply exp_pos |]; apply parabola; [exact W |].
      assert (H := U i L); unfold w; lra.
    - rewrite (sum_ext n _ (fun i => exp b * (1 - b + c * (b * b)) * p i
        + (exp b * (1 - 2 * c * b) * (p i * u i) + exp b * c * (p i * (u i * u i)))))
        by (intros; ring).
      rewrite !sum_plus, !sum_scale, S, Z; fold V; rewrite VB; unfold w; ring. }
  assert (T := two_values_mean a b A B0).
  assert (E : exp b * exp (- w) = exp (- a))
    by (rewrite <- exp_plus; f_equal; unfold w; ring).
  assert (F : exp b * (1 - b + c * (b * w)) * w = a * exp b + b * exp (- a)).
  { rewrite <- E; unfold c, depth, w; field; unfold w in W; lra. }
  rewrite <- (ln_exp (depth a * V)).
  assert (G : exp (depth a * V) <= sum n (fun i => p i * exp (u i))).
  { eapply Rle_trans; [| exact M]; apply (Rmult_le_reg_r w); [exact W |]; rewrite F.
    replace (depth a * V) with (a * depth a * b) by (rewrite VB; ring).
    rewrite Rmult_comm; exact T. }
  destruct G as [G | G]; [left; apply ln_increasing; [apply exp_pos | exact G] |].
  right; f_equal; exact G.
Qed.

(** bnwd:sharp-5, sharp "logarithm of a mean of exponentials": u of mean 0 under the probabilities
    p, and at least -a. *)
Theorem log_moment n p u a : 0 <= a ->
  (forall i, (i < n)%nat -> 0 <= p i) -> sum n p = 1 ->
  sum n (fun i => p i * u i) = 0 -> (forall i, (i < n)%nat -> - a <= u i) ->
  moment_constant a * sum n (fun i => p i * (u i * u i))
  <= ln (sum n (fun i => p i * exp (u i))).
Proof.
  intros [A | <-] P S Z U.
  - eapply Rle_trans; [| apply (log_moment_depth n p u a); assumption].
    apply Rmult_le_compat_r; [| apply constant_below_depth, A].
    apply sum_nonneg; intros i L; apply Rmult_le_pos; [apply P, L | apply Rle_0_sqr].
  - assert (N : forall i, (i < n)%nat -> 0 <= p i * u i).
    { intros i L; apply Rmult_le_pos; [apply P, L |]; assert (H := U i L); lra. }
    assert (V : sum n (fun i => p i * (u i * u i)) = 0).
    { apply sum_zero; intros i L.
      assert (T := term_le_sum n (fun i => p i * u i) i N L); cbv beta in T; rewrite Z in T.
      assert (H := N i L); assert (O : p i * u i = 0) by lra.
      replace (p i * (u i * u i)) with (p i * u i * u i) by ring; rewrite O; ring. }
    assert (U1 : forall i, (i < n)%nat -> - 1 <= u i) by (intros i L; assert (H := U i L); lra).
    assert (L := log_moment_depth n p u 1 ltac:(lra) P S Z U1).
    rewrite V, Rmult_0_r in *; exact L.
Qed.
