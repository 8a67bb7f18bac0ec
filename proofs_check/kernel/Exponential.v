(** The Jensen-gap lemmas for the exponential, which has no modulus of convexity on the line. *)
From Coq Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From NCBounds Require Import Finite Convexity.
Open Scope R_scope.

Definition exponential_radius (epsilon delta mean : R) : R :=
  sqrt (2 * epsilon / (delta * exp mean)).

Definition exponential_radius_sharp (epsilon delta mean : R) : R :=
  sqrt (2 * epsilon * (1 - delta) / (delta * exp mean)).

(** * Series *)

(** A function is non-negative on t >= 0 if it is at 0 and its derivative is. *)
Lemma nonneg_by_derivative (f df : R -> R) t :
  (forall z, is_derive f z (df z)) -> (forall z, 0 <= z -> 0 <= df z) -> 0 <= f 0 -> 0 <= t ->
  0 <= f t.
Proof.
  intros D P Z T; destruct (MVT_gen f 0 t df) as [c [C E]].
  - intros; apply D.
  - intros z _; apply continuity_pt_filterlim, (ex_derive_continuous f z).
    exists (df z); apply D.
  - rewrite Rmin_left, Rmax_right in C by assumption.
    assert (0 <= df c) by (apply P; lra). nra.
Qed.

Lemma exp_ge_1 t : 0 <= t -> 1 <= exp t.
Proof. intros; assert (H0 := exp_ineq1_le t); lra. Qed.

Lemma exp_ge_tangent a b : exp a * (1 + (b - a)) <= exp b.
Proof.
  replace b with (a + (b - a)) at 2 by ring; rewrite exp_plus.
  apply Rmult_le_compat_l; [left; apply exp_pos | apply exp_ineq1_le].
Qed.

Lemma exp_ge_quadratic t : 0 <= t -> 1 + t + t ^ 2 / 2 <= exp t.
Proof.
  intros T; apply Rminus_le_0.
  apply (nonneg_by_derivative (fun z => exp z - (1 + z + z ^ 2 / 2)) (fun z => exp z - (1 + z)));
    [| | rewrite exp_0; lra | assumption].
  - intros z; auto_derive; [exact I | field].
  - intros z _; assert (H := exp_ineq1_le z); lra.
Qed.

Lemma exp_ge_cubic t : 0 <= t -> 1 + t + t ^ 2 / 2 + t ^ 3 / 6 <= exp t.
Proof.
  intros T; apply Rminus_le_0.
  apply (nonneg_by_derivative (fun z => exp z - (1 + z + z ^ 2 / 2 + z ^ 3 / 6))
           (fun z => exp z - (1 + z + z ^ 2 / 2))); [| | rewrite exp_0; lra | assumption].
  - intros z; auto_derive; [exact I | field].
  - intros z Z; assert (H := exp_ge_quadratic z Z); lra.
Qed.

(** The series of exp (-t) up to the cubic term is below it: three derivatives. *)
Lemma exp_opp_ge_cubic t : 0 <= t -> 1 - t + t ^ 2 / 2 - t ^ 3 / 6 <= exp (- t).
Proof.
  assert (Q : forall t, 0 <= t -> exp (- t) <= 1 - t + t ^ 2 / 2).
  { intros u U; apply Rminus_le_0.
    apply (nonneg_by_derivative (fun z => 1 - z + z ^ 2 / 2 - exp (- z))
             (fun z => exp (- z) - (1 - z)));
      [| | replace (- 0) with 0 by ring; rewrite exp_0; lra | assumption].
    - intros z; auto_derive; [exact I | field].
    - intros z _; assert (H := exp_ineq1_le (- z)); lra. }
  intros T; apply Rminus_le_0.
  apply (nonneg_by_derivative (fun z => exp (- z) - (1 - z + z ^ 2 / 2 - z ^ 3 / 6))
           (fun z => 1 - z + z ^ 2 / 2 - exp (- z)));
    [| | replace (- 0) with 0 by ring; rewrite exp_0; lra | assumption].
  - intros z; auto_derive; [exact I | field].
  - intros z Z; specialize (Q z Z); lra.
Qed.

(** Strong convexity of exp on the range where it is at least m. *)
Lemma exp_strongly_above m a b :
  0 < m -> m <= exp a -> m <= exp b ->
  exp a * (1 + (b - a)) + m / 2 * (b - a) ^ 2 <= exp b.
Proof.
  intros M A B; destruct (Rle_or_lt a b) as [L | L].
  - set (t := b - a); assert (H := exp_ge_quadratic t ltac:(unfold t; lra)).
    replace b with (a + t) by (unfold t; ring); rewrite exp_plus.
    assert (Q := pow2_ge_0 t); set (q := t ^ 2) in *.
    assert (0 <= exp a * (exp t - (1 + t + q / 2))) by (apply Rmult_le_pos; lra).
    assert (0 <= (exp a - m) * q) by (apply Rmult_le_pos; lra). lra.
  - set (t := a - b); assert (T : 0 <= t) by (unfold t; lra).
    assert (H : 0 <= 1 - t ^ 2 / 2 - exp t * (1 - t)).
    { apply (nonneg_by_derivative (fun z => 1 - z ^ 2 / 2 - exp z * (1 - z))
               (fun z => z * (exp z - 1))); [| | rewrite exp_0; lra | assumption].
      - intros z; auto_derive; [exact I | field].
      - intros z Z; assert (1 <= exp z) by (apply exp_ge_1, Z); nra. }
    replace a with (b + t) at 1 by (unfold t; ring); rewrite exp_plus.
    replace (b - a) with (- t) by (unfold t; ring).
    assert (0 <= exp b * (1 - t ^ 2 / 2 - exp t * (1 - t))) by (apply Rmult_le_pos; lra).
    assert (0 <= (exp b - m) * t ^ 2) by (apply Rmult_le_pos; [lra | apply pow2_ge_0]). lra.
Qed.

(** * Subset means *)

(** bnwd:lemma-2.1, printed "f = exp on the range of the points": there the modulus of exp is its
    least value. *)
Theorem subset_mean_lemma_exp (n : nat) (x s : nat -> R) (m epsilon : R) :
  0 < m -> (forall i, (i < n)%nat -> m <= exp (x i)) ->
  (forall i, (i < n)%nat -> s i = s i * s i) ->
  0 < sum n s ->
  mean n (fun i => exp (x i)) <= exp (mean n x) + epsilon ->
  weighted_mean n s x - mean n x <= subset_radius epsilon (mean n s) m /\
  mean n x - weighted_mean n s x <= subset_radius epsilon (mean n s) m.
Proof.
  intros M L I S E; assert (N := positive_size n s S).
  assert (P : 0 < INR n) by (apply lt_0_INR; assumption).
  apply subset_mean_of_variance; try assumption.
  assert (A : m <= exp (mean n x)).
  { assert (B : ln m <= mean n x).
    { apply le_div; [assumption |].
      replace (ln m * INR n) with (sum n (fun _ => ln m)) by (rewrite sum_const; ring).
      apply sum_le; intros i K; rewrite <- (ln_exp (x i)); apply ln_le; auto. }
    rewrite <- (exp_ln m M); destruct B as [B | B]; [left; apply exp_increasing, B |].
    rewrite B; lra. }
  (* sum the bounds by the tangents at the mean *)
  assert (H : INR n * exp (mean n x) + m / 2 * (INR n * variance n x)
              <= INR n * mean n (fun i => exp (x i))).
  { unfold variance; rewrite !mean_sum by assumption.
    eapply Rle_trans; [| apply (sum_le n (fun i => exp (mean n x) * (1 + (x i - mean n x))
                                       + m / 2 * (x i - mean n x) ^ 2))].
    - rewrite sum_plus, !sum_scale, sum_plus, sum_const, sum_centred by assumption; lra.
    - intros i K; apply exp_strongly_above; auto. }
  unfold largest_variance; apply le_div; [assumption |].
  apply Rmult_le_reg_l with (INR n / 2); [lra |]; nra.
Qed.

(** ** Lemma A.2 *)

(** Tangents at two places: of the points of the subset at their mean, of the others at b. *)
Lemma exp_two_tangents n x s b :
  (forall i, (i < n)%nat -> s i = s i * s i) -> 0 < sum n s ->
  sum n s * exp (weighted_mean n s x)
  + exp b * ((INR n - sum n s) * (1 + (mean n x - b))
             - sum n s * (weighted_mean n s x - mean n x))
  <= INR n * mean n (fun i => exp (x i)).
Proof.
  intros I S; assert (N := positive_size n s S).
  rewrite mean_sum by assumption.
  set (a := weighted_mean n s x).
  eapply Rle_trans;
    [| apply (sum_le n (fun i => exp a * (s i + s i * (x i - a))
                         + exp b * ((1 + (x i - b)) - (s i + s i * (x i - b)))))].
  - rewrite sum_plus, !sum_scale, sum_minus, !sum_plus, !subset_sum, sum_minus, !sum_const
      by assumption.
    fold a; rewrite <- (mean_sum n x) by assumption.
    apply Req_le; ring.
  - intros i L; destruct (indicator_range (s i) (I i L)) as [S0 S1].
    assert (A := exp_ge_tangent a (x i)); assert (B := exp_ge_tangent b (x i)).
    replace (exp a * (s i + s i * (x i - a)) + exp b * (1 + (x i - b) - (s i + s i * (x i - b))))
      with (s i * (exp a * (1 + (x i - a))) + (1 - s i) * (exp b * (1 + (x i - b)))) by ring.
    replace (exp (x i)) with (s i * exp (x i) + (1 - s i) * exp (x i)) by ring.
    apply Rplus_le_compat; apply Rmult_le_compat_l; lra.
Qed.

(** bnwd:lemma-a.2, printed "S non-empty": the one-sided subset lemma for the exponential, without
    a range for the points. *)
Theorem exponential_lemma (n : nat) (x s : nat -> R) (epsilon : R) :
  (forall i, (i < n)%nat -> s i = s i * s i) ->
  0 < sum n s ->
  mean n (fun i => exp (x i)) <= exp (mean n x) + epsilon ->
  weighted_mean n s x - mean n x <= exponential_radius epsilon (mean n s) (mean n x).
Proof.
  intros I S E; assert (N := positive_size n s S).
  assert (P : 0 < INR n) by (apply lt_0_INR; assumption).
  assert (D : 0 < mean n s) by (apply Rdiv_lt_0_compat; assumption).
  destruct (Rle_or_lt (weighted_mean n s x) (mean n x)) as [L | L].
  - eapply Rle_trans; [| apply sqrt_pos]; lra.
  - assert (H := exp_two_tangents n x s (mean n x) I S).
    set (u := weighted_mean n s x - mean n x) in *.
    replace (weighted_mean n s x) with (mean n x + u) in H by (unfold u; ring).
    rewrite exp_plus in H.
    assert (Q := exp_ge_quadratic u ltac:(unfold u; lra)).
    rewrite <- (mean_sum n s) in H by assumption.
    assert (X := exp_pos (mean n x)).
    set (e := exp (mean n x)) in *; set (k := INR n) in *; set (d := mean n s) in *.
    assert (DE : 0 < d * e) by (apply Rmult_lt_0_compat; assumption).
    apply radius_of_square; apply le_div; [exact DE |].
    assert (k * (d * e * (u ^ 2 / 2)) <= k * (d * e * (exp u - 1 - u))).
    { apply Rmult_le_compat_l; [lra |]; apply Rmult_le_compat_l; lra. }
    assert (k * mean n (fun i => exp (x i)) <= k * (e + epsilon))
      by (apply Rmult_le_compat_l; lra).
    apply Rmult_le_reg_l with (k / 2); [lra |]; fold e; lra.
Qed.

(** bnwd:lemma-a.2, sharp "at most half of the points": the factor 1 - delta regained. *)
Theorem exponential_lemma_sharp (n : nat) (x s : nat -> R) (epsilon : R) :
  (forall i, (i < n)%nat -> s i = s i * s i) ->
  0 < sum n s ->
  mean n (fun i => exp (x i)) <= exp (mean n x) + epsilon ->
  2 * mean n s <= 1 ->
  weighted_mean n s x - mean n x <= exponential_radius_sharp epsilon (mean n s) (mean n x).
Proof.
  intros I S E Half; assert (N := positive_size n s S).
  assert (P : 0 < INR n) by (apply lt_0_INR; assumption).
  assert (D : 0 < mean n s) by (apply Rdiv_lt_0_compat; assumption).
  destruct (Rle_or_lt (weighted_mean n s x) (mean n x)) as [L | L].
  - eapply Rle_trans; [| apply sqrt_pos]; lra.
  - (* the others have the mean excess - v *)
    set (u := weighted_mean n s x - mean n x) in *.
    set (d := mean n s) in *; set (v := d * u / (1 - d)).
    assert (U : 0 < u) by (unfold u; lra).
    assert (V : (1 - d) * v = d * u) by (unfold v; field; lra).
    assert (V0 : 0 <= v) by (unfold v; apply Rdiv_le_0_compat; nra).
    assert (V1 : v <= u) by nra.
    assert (H := exp_two_tangents n x s (mean n x - v) I S).
    fold u in H; replace (weighted_mean n s x) with (mean n x + u) in H by (unfold u; ring).
    unfold Rminus in H at 1; rewrite !exp_plus, <- (mean_sum n s) in H by assumption.
    assert (A := exp_ge_cubic u ltac:(lra)); assert (B := exp_opp_ge_cubic v V0).
    assert (X := exp_pos (mean n x)).
    fold d in H; set (e := exp (mean n x)) in *; set (k := INR n) in *.
    assert (K : e * (d * exp u + (1 - d) * exp (- v)) <= e + epsilon).
    { apply Rmult_le_reg_l with k; [assumption |].
      assert (k * mean n (fun i => exp (x i)) <= k * (e + epsilon))
        by (apply Rmult_le_compat_l; lra).
      assert (k * (e * exp (- v)) * ((1 - d) * v - d * u) = 0) by (rewrite V; ring). lra. }
    (* the quadratic terms give the radius, and the cubic ones help *)
    assert (C : d * (u ^ 2 / 2) + d * u * v / 2
                <= d * exp u + (1 - d) * exp (- v) - 1).
    { assert (d * (1 + u + u ^ 2 / 2 + u ^ 3 / 6) <= d * exp u)
        by (apply Rmult_le_compat_l; lra).
      assert ((1 - d) * (1 - v + v ^ 2 / 2 - v ^ 3 / 6) <= (1 - d) * exp (- v))
        by (apply Rmult_le_compat_l; lra).
      replace ((1 - d) * (1 - v + v ^ 2 / 2 - v ^ 3 / 6))
        with (1 - d - (1 - d) * v + (1 - d) * v * v / 2 - (1 - d) * v * v ^ 2 / 6) in H1 by field.
      rewrite V in H1.
      assert (0 <= d * u * (u ^ 2 - v ^ 2)) by (apply Rmult_le_pos; nra). lra. }
    apply radius_of_square; apply le_div; [apply Rmult_lt_0_compat; assumption |].
    assert (F : e * (d * (u ^ 2 / 2) + d * u * v / 2) <= epsilon).
    { assert (e * (d * (u ^ 2 / 2) + d * u * v / 2)
              <= e * (d * exp u + (1 - d) * exp (- v) - 1)) by (apply Rmult_le_compat_l; lra).
      lra. }
    replace (e * (d * (u ^ 2 / 2) + d * u * v / 2)) with (u ^ 2 * (d * e) / (2 * (1 - d))) in F
      by (unfold v; field; lra).
    apply le_of_div in F; [fold e; lra | lra].
Qed.
