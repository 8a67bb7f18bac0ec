(** The loss of a sample as a function of its margin, phi_M(t) = log(1 + M e^(-t)) with M > 0
    rivals.

    phi lies above each of its tangents, by the Bregman gap K(u) = log(1 - sigma + sigma e^(-u)) +
    sigma u; Jensen's inequality, for phi and for its inverse, and every later file rest on that. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite.
Open Scope R_scope.

Definition phi (M t : R) : R := ln (1 + M * exp (- t)).

(** The margin at which a sample has the loss L > 0. *)
Definition phi_inverse (M L : R) : R := ln (M / (exp L - 1)).

(** Minus the slope of phi: the probability of error of a sample with margin t and equal rivals. *)
Definition slope (M t : R) : R := M * exp (- t) / (1 + M * exp (- t)).

Definition bregman (sigma u : R) : R := ln (1 - sigma + sigma * exp (- u)) + sigma * u.

(** * Exponential and logarithm *)

Lemma exp_tangent x : 1 + x <= exp x.
Proof. apply exp_ineq1_le. Qed.

Lemma exp_tangent_at x a : exp a * (1 + (x - a)) <= exp x.
Proof.
  replace (exp x) with (exp a * exp (x - a)) by (rewrite <- exp_plus; f_equal; ring).
  apply Rmult_le_compat_l; [left; apply exp_pos | apply exp_tangent].
Qed.

Lemma exp_le x y : x <= y -> exp x <= exp y.
Proof. intros [L | ->]; [left; apply exp_increasing, L | right; reflexivity]. Qed.

Lemma ln_le_compat x y : 0 < x -> x <= y -> ln x <= ln y.
Proof. intros P [L | ->]; [left; apply ln_increasing; assumption | right; reflexivity]. Qed.

Lemma ln_below x : 0 < x -> ln x <= x - 1.
Proof. intros P; assert (H := exp_tangent (ln x)); rewrite exp_ln in H; lra. Qed.

Lemma ln_div x y : 0 < x -> 0 < y -> ln (x / y) = ln x - ln y.
Proof.
  intros X Y; unfold Rdiv; rewrite ln_mult, ln_Rinv; try lra. apply Rinv_0_lt_compat, Y.
Qed.

Lemma exp_above_1 L : 0 < L -> 0 < exp L - 1.
Proof. intros H; assert (E := exp_tangent L); lra. Qed.

(** * The Bregman gap *)

Lemma bregman_argument_pos sigma u : 0 <= sigma <= 1 -> 0 < 1 - sigma + sigma * exp (- u).
Proof.
  intros [L U]; assert (E := exp_pos (- u)).
  destruct (Rle_lt_or_eq_dec sigma 1 U) as [S | ->]; [| lra].
  assert (0 <= sigma * exp (- u)) by (apply Rmult_le_pos; lra). lra.
Qed.

(** The weighted mean of e^0 and e^(-u) is at least e^(-sigma u). *)
Lemma bregman_nonneg sigma u : 0 <= sigma <= 1 -> 0 <= bregman sigma u.
Proof.
  intros S; unfold bregman.
  assert (P := bregman_argument_pos sigma u S).
  assert (- (sigma * u) <= ln (1 - sigma + sigma * exp (- u))); [| lra].
  rewrite <- (ln_exp (- (sigma * u))); apply ln_le_compat; [apply exp_pos |].
  assert (H0 := exp_tangent_at 0 (- (sigma * u))); rewrite exp_0 in H0.
  assert (H1 := exp_tangent_at (- u) (- (sigma * u))).
  set (e := exp (- (sigma * u))) in *.
  assert (K0 := Rmult_le_compat_l (1 - sigma) _ _ ltac:(lra) H0).
  assert (K1 := Rmult_le_compat_l sigma _ _ ltac:(lra) H1). lra.
Qed.

Lemma phi_argument_pos M t : 0 < M -> 0 < 1 + M * exp (- t).
Proof.
  intros P; assert (0 < M * exp (- t)) by (apply Rmult_lt_0_compat; [lra | apply exp_pos]). lra.
Qed.

Lemma slope_range M t : 0 < M -> 0 < slope M t < 1.
Proof.
  intros P; unfold slope.
  assert (0 < M * exp (- t)) by (apply Rmult_lt_0_compat; [lra | apply exp_pos]).
  assert (0 < / (1 + M * exp (- t))) by (apply Rinv_0_lt_compat; lra).
  split; [apply Rmult_lt_0_compat; lra |].
  apply (Rmult_lt_reg_r (1 + M * exp (- t))); [lra |]. field_simplify; lra.
Qed.

Lemma exp_phi M t : 0 < M -> exp (phi M t) = 1 + M * exp (- t).
Proof. intros P; apply exp_ln, phi_argument_pos, P. Qed.

Lemma slope_phi M t : 0 < M -> slope M t = 1 - exp (- phi M t).
Proof.
  intros P; rewrite exp_Ropp, exp_phi by assumption; unfold slope.
  assert (H := phi_argument_pos M t P); field; lra.
Qed.

(** phi is its tangent at a plus the Bregman gap. *)
Lemma phi_expansion M a t : 0 < M ->
  phi M t = phi M a - slope M a * (t - a) + bregman (slope M a) (t - a).
Proof.
  intros P; unfold bregman, phi at 1 2.
  assert (A := phi_argument_pos M a P); assert (T := phi_argument_pos M t P).
  assert (E : 1 - slope M a + slope M a * exp (- (t - a))
              = (1 + M * exp (- t)) / (1 + M * exp (- a))).
  { replace (exp (- (t - a))) with (exp (- t) * / exp (- a)).
    - unfold slope; assert (exp (- a) <> 0) by (apply Rgt_not_eq, exp_pos). field; lra.
    - rewrite <- exp_Ropp, <- exp_plus; f_equal; ring. }
  rewrite E, ln_div by assumption; ring.
Qed.

Lemma phi_tangent M a t : 0 < M -> phi M a - slope M a * (t - a) <= phi M t.
Proof.
  intros P; rewrite (phi_expansion M a t P).
  assert (S := slope_range M a P).
  assert (B := bregman_nonneg (slope M a) (t - a) ltac:(lra)). lra.
Qed.

Lemma phi_pos M t : 0 < M -> 0 < phi M t.
Proof.
  intros P; unfold phi; rewrite <- ln_1; apply ln_increasing; [lra |].
  assert (0 < M * exp (- t)) by (apply Rmult_lt_0_compat; [lra | apply exp_pos]). lra.
Qed.

Lemma phi_decreasing M s t : 0 < M -> s < t -> phi M t < phi M s.
Proof.
  intros P L; unfold phi; apply ln_increasing; [apply phi_argument_pos, P |].
  assert (exp (- t) < exp (- s)) by (apply exp_increasing; lra).
  assert (M * exp (- t) < M * exp (- s)) by (apply Rmult_lt_compat_l; lra). lra.
Qed.

Lemma phi_antitone M s t : 0 < M -> s <= t -> phi M t <= phi M s.
Proof.
  intros P [L | ->]; [left; apply phi_decreasing; assumption | right; reflexivity].
Qed.

Lemma phi_at_0 C : 1 < C -> phi (C - 1) 0 = ln C.
Proof. intros P; unfold phi; rewrite Ropp_0, exp_0; f_equal; ring. Qed.

(** * The inverse *)

Lemma phi_of_inverse M L : 0 < M -> 0 < L -> phi M (phi_inverse M L) = L.
Proof.
  intros P H; assert (E := exp_above_1 L H).
  assert (0 < M / (exp L - 1)) by (apply Rdiv_lt_0_compat; lra).
  unfold phi, phi_inverse; rewrite exp_Ropp, exp_ln by assumption.
  replace (1 + M * / (M / (exp L - 1))) with (exp L) by (field; lra). apply ln_exp.
Qed.

Lemma inverse_of_phi M t : 0 < M -> phi_inverse M (phi M t) = t.
Proof.
  intros P; unfold phi_inverse; rewrite exp_phi by assumption.
  assert (E := exp_pos (- t)).
  replace (M / (1 + M * exp (- t) - 1)) with (/ exp (- t)).
  2: { replace (1 + M * exp (- t) - 1) with (M * exp (- t)) by ring; field; split; lra. }
  rewrite <- exp_Ropp, Ropp_involutive; apply ln_exp.
Qed.

(** A loss of at most that of the margin t has at least this margin, and conversely. *)
Lemma inverse_above M L t : 0 < M -> 0 < L -> L <= phi M t -> t <= phi_inverse M L.
Proof.
  intros P H U; apply Rnot_lt_le; intros A.
  assert (D := phi_decreasing M _ _ P A). rewrite phi_of_inverse in D by assumption. lra.
Qed.

Lemma inverse_below M L t : 0 < M -> 0 < L -> phi M t <= L -> phi_inverse M L <= t.
Proof.
  intros P H U; apply Rnot_lt_le; intros A.
  assert (D := phi_decreasing M _ _ P A). rewrite phi_of_inverse in D by assumption. lra.
Qed.

Lemma inverse_antitone M K L : 0 < M -> 0 < K -> K <= L -> phi_inverse M L <= phi_inverse M K.
Proof. intros P H U; apply inverse_above; [lra | lra |]. rewrite phi_of_inverse; lra. Qed.

Lemma inverse_pos C L : 1 < C -> 0 < L -> L < ln C -> 0 < phi_inverse (C - 1) L.
Proof.
  intros P H U; apply Rnot_le_lt; intros A.
  assert (D := phi_antitone (C - 1) _ _ ltac:(lra) A).
  rewrite phi_of_inverse, phi_at_0 in D by lra. lra.
Qed.

Lemma inverse_nonneg C L : 1 < C -> 0 < L -> L <= ln C -> 0 <= phi_inverse (C - 1) L.
Proof. intros P H U; apply inverse_above; [lra | lra |]. rewrite phi_at_0; lra. Qed.

(** * Jensen's inequality, weighted, for a function with a supporting line *)

Lemma jensen_from_tangent n (p x : nat -> R) (f : R -> R) (c : R) :
  (forall i, (i < n)%nat -> 0 <= p i) -> sum n p = 1 ->
  (forall t, f (sum n (fun i => p i * x i)) + c * (t - sum n (fun i => p i * x i)) <= f t) ->
  f (sum n (fun i => p i * x i)) <= sum n (fun i => p i * f (x i)).
Proof.
  intros P S T; set (m := sum n (fun i => p i * x i)) in *.
  assert (L : sum n (fun i => p i * (f m + c * (x i - m))) <= sum n (fun i => p i * f (x i))).
  { apply sum_le; intros i I; apply Rmult_le_compat_l; [apply P, I | apply T]. }
  assert (E : sum n (fun i => p i * (f m + c * (x i - m)))
              = (f m - c * m) * sum n p + c * m).
  { transitivity (sum n (fun i => (f m - c * m) * p i + c * (p i * x i))).
    - apply sum_ext; intros; ring.
    - rewrite sum_plus, !sum_scale; reflexivity. }
  rewrite E, S in L; lra.
Qed.

Lemma weights_of_mean n (x : nat -> R) : mean n x = sum n (fun i => / INR n * x i).
Proof. unfold mean, Rdiv; rewrite <- sum_scale_r; apply sum_ext; intros; ring. Qed.

Lemma weights_of_mean_sum n : (0 < n)%nat -> sum n (fun _ => / INR n) = 1.
Proof. intros P; rewrite sum_const; field; apply not_0_INR; lia. Qed.

Lemma weights_of_mean_pos n : (0 < n)%nat -> 0 < / INR n.
Proof. intros P; apply Rinv_0_lt_compat, lt_0_INR, P. Qed.

Lemma phi_jensen n (p x : nat -> R) M : 0 < M ->
  (forall i, (i < n)%nat -> 0 <= p i) -> sum n p = 1 ->
  phi M (sum n (fun i => p i * x i)) <= sum n (fun i => p i * phi M (x i)).
Proof.
  intros P Q S; apply jensen_from_tangent with (c := - slope M (sum n (fun i => p i * x i)));
    try assumption.
  intros t; assert (T := phi_tangent M (sum n (fun i => p i * x i)) t P). lra.
Qed.

Lemma phi_jensen_mean n (x : nat -> R) M : 0 < M -> (0 < n)%nat ->
  phi M (mean n x) <= mean n (fun i => phi M (x i)).
Proof.
  intros P N; rewrite !weights_of_mean; apply phi_jensen; try assumption.
  - intros; left; apply weights_of_mean_pos, N.
  - apply weights_of_mean_sum, N.
Qed.

(** The inverse of a decreasing convex function is convex. *)
Lemma inverse_jensen n (p l : nat -> R) M : 0 < M ->
  (forall i, (i < n)%nat -> 0 <= p i) -> sum n p = 1 -> (forall i, (i < n)%nat -> 0 < l i) ->
  phi_inverse M (sum n (fun i => p i * l i)) <= sum n (fun i => p i * phi_inverse M (l i)).
Proof.
  intros P Q S L.
  assert (J := phi_jensen n p (fun i => phi_inverse M (l i)) M P Q S).
  rewrite (sum_ext n (fun i => p i * phi M _) (fun i => p i * l i)) in J.
  - assert (0 < sum n (fun i => p i * l i)).
    { eapply Rlt_le_trans; [| exact J]; apply phi_pos, P. }
    apply inverse_below; assumption.
  - intros i I; rewrite phi_of_inverse; auto.
Qed.

Lemma inverse_jensen_mean n (l : nat -> R) M : 0 < M -> (0 < n)%nat ->
  (forall i, (i < n)%nat -> 0 < l i) ->
  phi_inverse M (mean n l) <= mean n (fun i => phi_inverse M (l i)).
Proof.
  intros P N L; rewrite !weights_of_mean; apply inverse_jensen; try assumption.
  - intros; left; apply weights_of_mean_pos, N.
  - apply weights_of_mean_sum, N.
Qed.

(** * Log-sum-exp *)

Lemma weighted_exp_pos n (p x : nat -> R) :
  (forall i, (i < n)%nat -> 0 <= p i) -> sum n p = 1 -> 0 < sum n (fun i => p i * exp (x i)).
Proof.
  intros P S.
  assert (L := sum_nonneg n (fun i => p i * exp (x i))).
  destruct L as [L | Z]; [intros; apply Rmult_le_pos; [auto | left; apply exp_pos] | exact L |].
  assert (sum n p = 0); [| lra].
  apply sum_zero; intros i I.
  assert (T := term_le_sum n (fun i => p i * exp (x i)) i).
  rewrite <- Z in T; assert (0 <= p i) by auto.
  assert (p i * exp (x i) <= 0).
  { apply T; [| assumption]; intros; apply Rmult_le_pos; [auto | left; apply exp_pos]. }
  assert (E := exp_pos (x i)). nra.
Qed.

(** The weighted mean of x is at most the log-mean-exp of x. *)
Lemma mean_below_log_mean_exp n (p x : nat -> R) :
  (forall i, (i < n)%nat -> 0 <= p i) -> sum n p = 1 ->
  sum n (fun i => p i * x i) <= ln (sum n (fun i => p i * exp (x i))).
Proof.
  intros P S; rewrite <- (ln_exp (sum n (fun i => p i * x i))).
  apply ln_le_compat; [apply exp_pos |].
  apply jensen_from_tangent with (c := exp (sum n (fun i => p i * x i))); try assumption.
  intros t; assert (T := exp_tangent_at t (sum n (fun i => p i * x i))). lra.
Qed.

(** Gibbs: any positive probabilities bound a log-sum-exp from below by a mean and their entropy. *)
Lemma gibbs_inequality n (p x : nat -> R) :
  (forall i, (i < n)%nat -> 0 < p i) -> sum n p = 1 ->
  sum n (fun i => p i * x i) - sum n (fun i => p i * ln (p i)) <= ln (sum n (fun i => exp (x i))).
Proof.
  intros P S.
  assert (J := mean_below_log_mean_exp n p (fun i => x i - ln (p i))
                 ltac:(intros i I; left; auto) S).
  rewrite (sum_ext n (fun i => p i * exp _) (fun i => exp (x i))) in J.
  - rewrite (sum_ext n (fun i => p i * (x i - _)) (fun i => p i * x i - p i * ln (p i))) in J
      by (intros; ring).
    rewrite sum_minus in J; exact J.
  - intros i I; unfold Rminus; rewrite exp_plus, exp_Ropp, exp_ln by auto.
    assert (0 < p i) by auto; field; lra.
Qed.
