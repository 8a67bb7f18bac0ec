(** The regularised objective f(gamma) = phi (C-1) (k gamma) + Lambda gamma, k = C/(C-1): its
    minimum, where it is attained, and how far near-minimisers are from there. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From NCBounds Require Import Finite Phi.
Open Scope R_scope.

Definition objective (C decay gamma : R) : R :=
  ln (1 + (C - 1) * exp (- (C / (C - 1) * gamma))) + decay * gamma.

Definition minimiser (C decay : R) : R := (C - 1) / C * ln ((C - (C - 1) * decay) / decay).

Definition minimum (C decay : R) : R :=
  (C - 1) / C * decay * ln ((C - (C - 1) * decay) / decay) - ln (1 - (C - 1) / C * decay).

(** The error probability at the minimiser. *)
Definition error_at_minimiser (C decay : R) : R := (C - 1) / C * decay.

Lemma decay_room C decay : 1 < C -> 0 < decay -> decay < C / (C - 1) ->
  0 < C - (C - 1) * decay.
Proof.
  intros P D U; assert (H := Rmult_lt_compat_l (C - 1) _ _ ltac:(lra) U).
  replace ((C - 1) * (C / (C - 1))) with C in H by (field; lra). lra.
Qed.

Lemma error_range C decay : 1 < C -> 0 < decay -> decay < C / (C - 1) ->
  0 < error_at_minimiser C decay < 1.
Proof.
  intros P D U; assert (R := decay_room C decay P D U); unfold error_at_minimiser; split.
  - apply Rmult_lt_0_compat; [apply Rdiv_lt_0_compat |]; lra.
  - apply (Rmult_lt_reg_l C); [lra |].
    replace (C * ((C - 1) / C * decay)) with ((C - 1) * decay) by (field; lra). lra.
Qed.

Lemma exp_at_minimiser C decay : 1 < C -> 0 < decay -> decay < C / (C - 1) ->
  exp (- (C / (C - 1) * minimiser C decay)) = decay / (C - (C - 1) * decay).
Proof.
  intros P D U; assert (R := decay_room C decay P D U); unfold minimiser.
  replace (C / (C - 1) * ((C - 1) / C * ln ((C - (C - 1) * decay) / decay)))
    with (ln ((C - (C - 1) * decay) / decay)) by (field; lra).
  rewrite exp_Ropp, exp_ln by (apply Rdiv_lt_0_compat; lra). field; lra.
Qed.

Lemma slope_at_minimiser C decay : 1 < C -> 0 < decay -> decay < C / (C - 1) ->
  slope (C - 1) (C / (C - 1) * minimiser C decay) = error_at_minimiser C decay.
Proof.
  intros P D U; assert (R := decay_room C decay P D U); unfold slope, error_at_minimiser.
  rewrite exp_at_minimiser by assumption; field; repeat split; lra.
Qed.

Lemma objective_phi C decay gamma :
  objective C decay gamma = phi (C - 1) (C / (C - 1) * gamma) + decay * gamma.
Proof. reflexivity. Qed.

(** The objective is its minimum plus a Bregman gap. *)
Lemma objective_expansion C decay gamma : 1 < C -> 0 < decay -> decay < C / (C - 1) ->
  objective C decay gamma
  = objective C decay (minimiser C decay)
    + bregman (error_at_minimiser C decay) (C / (C - 1) * (gamma - minimiser C decay)).
Proof.
  intros P D U; rewrite !objective_phi.
  rewrite (phi_expansion (C - 1) (C / (C - 1) * minimiser C decay)) by lra.
  rewrite slope_at_minimiser by assumption.
  replace (C / (C - 1) * gamma - C / (C - 1) * minimiser C decay)
    with (C / (C - 1) * (gamma - minimiser C decay)) by ring.
  unfold error_at_minimiser at 1; field; lra.
Qed.

(** bnwd:proposition-a.1, corrected "minimum value": for 0 < Lambda < C/(C-1) the minimum is
    attained at gamma*, and nothing is below it. *)
Theorem objective_minimum C decay gamma : 1 < C -> 0 < decay -> decay < C / (C - 1) ->
  objective C decay (minimiser C decay) = minimum C decay /\
  minimum C decay <= objective C decay gamma.
Proof.
  intros P D U; assert (R := decay_room C decay P D U).
  assert (E : objective C decay (minimiser C decay) = minimum C decay).
  { unfold objective; rewrite exp_at_minimiser by assumption; unfold minimum, minimiser.
    assert (Q := error_range C decay P D U); unfold error_at_minimiser in Q.
    replace (1 + (C - 1) * (decay / (C - (C - 1) * decay)))
      with (/ (1 - (C - 1) / C * decay)) by (field; repeat split; lra).
    rewrite ln_Rinv by lra; ring. }
  split; [exact E |]; rewrite <- E, (objective_expansion C decay gamma) by assumption.
  assert (Q := error_range C decay P D U).
  assert (B := bregman_nonneg (error_at_minimiser C decay)
                 (C / (C - 1) * (gamma - minimiser C decay)) ltac:(lra)). lra.
Qed.

(** The minimum as printed: the sign of one logarithm is wrong. *)
Definition printed_minimum (C decay : R) : R :=
  ln (1 - (C - 1) / C * decay) + (C - 1) / C * decay * ln ((C - (C - 1) * decay) / decay).

(** bnwd:proposition-a.1, printed "minimum value": the printed value is not attained. *)
Theorem printed_minimum_fails :
  ~ (forall C decay gamma : R, 1 < C -> 0 < decay -> decay < 1 ->
       objective C decay (minimiser C decay) = printed_minimum C decay /\
       printed_minimum C decay <= objective C decay gamma).
Proof.
  intros H; destruct (H 2 (1 / 2) 0) as [A _]; try lra.
  destruct (objective_minimum 2 (1 / 2) 0) as [E _]; try lra; rewrite E in A.
  assert (ln (1 - (2 - 1) / 2 * (1 / 2)) < 0) by (rewrite <- ln_1; apply ln_increasing; lra).
  unfold printed_minimum, minimum in A; lra.
Qed.

(** * How fast the Bregman gap grows *)

(** A function with a non-negative derivative ends no lower than it begins. *)
Lemma rises (f f' : R -> R) a b : a <= b ->
  (forall x, a <= x <= b -> is_derive f x (f' x)) -> (forall x, a <= x <= b -> 0 <= f' x) ->
  f a <= f b.
Proof.
  intros [L | ->] D N; [| right; reflexivity].
  destruct (MVT_cor2 f f' a b L) as [c [E I]].
  - intros x X; apply is_derive_Reals, D, X.
  - assert (0 <= f' c * (b - a)) by (apply Rmult_le_pos; [apply N |]; lra). lra.
Qed.

Lemma exp_above_hyperbola w : 0 <= w -> w * w / (2 + w) <= w - 1 + exp (- w).
Proof.
  intros P.
  assert (F : exp (- 0) * (2 + 0) - (2 - 0) <= exp (- w) * (2 + w) - (2 - w)).
  { apply (rises (fun x => exp (- x) * (2 + x) - (2 - x)) (fun x => 1 - exp (- x) * (1 + x)) 0 w P).
    - intros x _; auto_derive; [exact I | ring].
    - intros x X; assert (E := exp_tangent x).
      assert (exp (- x) * exp x = 1) by (rewrite <- exp_plus, Rplus_opp_l; apply exp_0).
      assert (H1 := Rmult_le_compat_l (exp (- x)) _ _ (Rlt_le _ _ (exp_pos (- x))) E). lra. }
  rewrite Ropp_0, exp_0 in F.
  apply (Rmult_le_reg_r (2 + w)); [lra |].
  unfold Rdiv; rewrite Rmult_assoc, Rinv_l by lra; lra.
Qed.

Lemma bregman_above sigma u : 0 <= sigma <= 1 -> 0 <= u ->
  sigma * (1 - sigma) * (u - 1 + exp (- u)) <= bregman sigma u.
Proof.
  intros S U.
  assert (F : bregman sigma 0 - sigma * (1 - sigma) * (0 - 1 + exp (- 0))
              <= bregman sigma u - sigma * (1 - sigma) * (u - 1 + exp (- u))).
  { apply (rises (fun x => bregman sigma x - sigma * (1 - sigma) * (x - 1 + exp (- x)))
      (fun x => sigma * (1 - sigma) * (1 - exp (- x))
                * (/ (1 - sigma + sigma * exp (- x)) - 1)) 0 u U); intros x X;
    assert (A := bregman_argument_pos sigma x S).
    - unfold bregman; auto_derive; [exact A | field; lra].
    - assert (E : exp (- x) <= 1) by (rewrite <- exp_0; apply exp_le; lra).
      assert (SE : 0 <= sigma * (1 - exp (- x))) by (apply Rmult_le_pos; lra).
      apply Rmult_le_pos.
      + apply Rmult_le_pos; [apply Rmult_le_pos |]; lra.
      + assert (1 <= / (1 - sigma + sigma * exp (- x))); [| lra].
        apply (Rmult_le_reg_r (1 - sigma + sigma * exp (- x))); [exact A |].
        rewrite Rinv_l; lra. }
  assert (Z : bregman sigma 0 = 0).
  { unfold bregman; rewrite Ropp_0, exp_0.
    replace (1 - sigma + sigma * 1) with 1 by ring; rewrite ln_1; ring. }
  rewrite Z, Ropp_0, exp_0 in F; lra.
Qed.

(** K_sigma (- u) = K_(1 - sigma) u. *)
Lemma bregman_opposite sigma u : 0 <= sigma <= 1 -> bregman sigma (- u) = bregman (1 - sigma) u.
Proof.
  intros S; unfold bregman; rewrite Ropp_involutive.
  assert (A := bregman_argument_pos (1 - sigma) u ltac:(lra)).
  replace (1 - sigma + sigma * exp u)
    with (exp u * (1 - (1 - sigma) + (1 - sigma) * exp (- u))).
  - rewrite ln_mult, ln_exp by (try apply exp_pos; assumption); ring.
  - assert (exp u * exp (- u) = 1) by (rewrite <- exp_plus, Rplus_opp_r; apply exp_0).
    replace (exp u * (1 - (1 - sigma) + (1 - sigma) * exp (- u)))
      with (sigma * exp u + (1 - sigma) * (exp u * exp (- u))) by ring. rewrite H; ring.
Qed.

Lemma bregman_growth sigma u : 0 <= sigma <= 1 ->
  sigma * (1 - sigma) * (u * u / (2 + Rabs u)) <= bregman sigma u.
Proof.
  intros S; assert (G : forall t v, 0 <= t <= 1 -> 0 <= v ->
    t * (1 - t) * (v * v / (2 + v)) <= bregman t v).
  { intros t v T V; eapply Rle_trans; [| apply bregman_above; assumption].
    apply Rmult_le_compat_l; [apply Rmult_le_pos; lra | apply exp_above_hyperbola, V]. }
  destruct (Rle_or_lt 0 u) as [U | U].
  - rewrite Rabs_right by lra; apply G; lra.
  - rewrite Rabs_left by lra; assert (E := bregman_opposite sigma (- u) S).
    rewrite Ropp_involutive in E; rewrite E.
    assert (H := G (1 - sigma) (- u) ltac:(lra) ltac:(lra)).
    replace (1 - (1 - sigma)) with sigma in H by ring.
    replace (- u * - u) with (u * u) in H by ring. lra.
Qed.

(** The root of r^2 / (2 + r) = q. *)
Lemma growth_inverse q v : 0 <= q -> 0 <= v -> v * v / (2 + v) <= q ->
  v <= (q + sqrt (q * q + 8 * q)) / 2.
Proof.
  intros Q V H.
  assert (K : v * v <= q * (2 + v)).
  { apply (Rmult_le_compat_r (2 + v)) in H; [| lra].
    unfold Rdiv in H; rewrite Rmult_assoc, Rinv_l in H by lra; lra. }
  destruct (Rle_or_lt (2 * v - q) 0) as [N | N].
  - assert (S := sqrt_pos (q * q + 8 * q)); lra.
  - assert (2 * v - q <= sqrt (q * q + 8 * q)); [| lra].
    rewrite <- (sqrt_square (2 * v - q)) by lra; apply sqrt_le_1_alt; lra.
Qed.

Definition near_minimiser_radius (C decay epsilon : R) : R :=
  let q := epsilon / (error_at_minimiser C decay * (1 - error_at_minimiser C decay)) in
  (C - 1) / C * (q + sqrt (q * q + 8 * q)) / 2.

(** bnwd:proposition-a.1, corrected "near-minimisers": whatever is within epsilon of the minimum is
    within an explicit distance of the minimiser, for every epsilon. *)
Theorem near_minimisers C decay offset epsilon : 1 < C -> 0 < decay -> decay < C / (C - 1) ->
  objective C decay (minimiser C decay + offset)
  <= objective C decay (minimiser C decay) + epsilon ->
  Rabs offset <= near_minimiser_radius C decay epsilon.
Proof.
  intros P D U; rewrite (objective_expansion C decay (_ + offset)) by assumption; intros H.
  replace (minimiser C decay + offset - minimiser C decay) with offset in H by ring.
  assert (S := error_range C decay P D U); unfold near_minimiser_radius.
  set (s := error_at_minimiser C decay) in *.
  assert (B := bregman_growth s (C / (C - 1) * offset) ltac:(lra)).
  assert (W : 0 < s * (1 - s)) by (apply Rmult_lt_0_compat; lra).
  assert (K : 0 < C / (C - 1)) by (apply Rdiv_lt_0_compat; lra).
  set (v := Rabs (C / (C - 1) * offset)) in *.
  assert (VV : C / (C - 1) * offset * (C / (C - 1) * offset) = v * v)
    by (unfold v; rewrite <- Rabs_mult, Rabs_right; [reflexivity | apply Rle_ge, Rle_0_sqr]).
  rewrite VV in B.
  assert (V : 0 <= v) by apply Rabs_pos.
  assert (VQ : 0 <= v * v / (2 + v)).
  { apply Rmult_le_pos; [apply Rmult_le_pos; exact V | left; apply Rinv_0_lt_compat; lra]. }
  assert (E : v * v / (2 + v) <= epsilon / (s * (1 - s))).
  { apply (Rmult_le_reg_l (s * (1 - s))); [exact W |].
    replace (s * (1 - s) * (epsilon / (s * (1 - s)))) with epsilon by (field; lra). lra. }
  assert (G := growth_inverse (epsilon / (s * (1 - s))) v ltac:(lra) V E).
  assert (VO : Rabs offset = (C - 1) / C * v).
  { unfold v; rewrite Rabs_mult, (Rabs_right (C / (C - 1))) by lra; field; lra. }
  assert (KP : 0 <= (C - 1) / C) by (left; apply Rdiv_lt_0_compat; lra).
  assert (GK := Rmult_le_compat_l _ _ _ KP G); rewrite VO; cbv zeta; lra.
Qed.
