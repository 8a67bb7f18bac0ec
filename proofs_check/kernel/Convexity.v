(** Jensen-gap lemmas: a small gap in Jensen's inequality keeps the mean of every subset close.

    A subset of the points is its indicator s, with s i = s i * s i for every i. *)
From Coq Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From NCBounds Require Import Finite.
Open Scope R_scope.

Definition convex (f : R -> R) : Prop :=
  forall x y t, 0 <= t -> t <= 1 -> f (t * x + (1 - t) * y) <= t * f x + (1 - t) * f y.

Definition strongly_convex (m : R) (f : R -> R) : Prop := convex (fun z => f z - m / 2 * z ^ 2).

Definition weighted_mean (n : nat) (p z : nat -> R) : R := sum n (fun i => p i * z i) / sum n p.

Definition variance (n : nat) (x : nat -> R) : R := mean n (fun i => (x i - mean n x) ^ 2).

Definition subset_radius (epsilon delta m : R) : R :=
  sqrt (2 * epsilon * (1 - delta) / (m * delta)).

Definition least_jensen_gap (c V : R) : R := c * V.

Definition largest_variance (epsilon m : R) : R := 2 * epsilon / m.

(** m/2 z^2 and kinks: on finitely many points every m-strongly convex function is one of these
    up to an affine one. *)
Definition with_kinks (m : R) (J : nat) (knots weights : nat -> R) (z : R) : R :=
  m / 2 * z ^ 2 + sum J (fun j => weights j * Rabs (z - knots j)).

Lemma le_div a b c : 0 < c -> a * c <= b -> a <= b / c.
Proof. intros C H; apply (Rle_div_r a b c C), H. Qed.

Lemma div_le a b c : 0 < c -> a <= b * c -> a / c <= b.
Proof. intros C H; apply (Rle_div_l a b c C), H. Qed.

Lemma le_of_div a b c : 0 < c -> a / c <= b -> a <= b * c.
Proof. intros C H; apply (Rle_div_l a b c C), H. Qed.

(** * Jensen's inequality *)

Lemma jensen f n p x :
  convex f -> (forall i, (i < n)%nat -> 0 <= p i) -> 0 < sum n p ->
  f (weighted_mean n p x) <= weighted_mean n p (fun i => f (x i)).
Proof.
  intros F; unfold weighted_mean.
  induction n as [| n IH]; simpl; intros P S; [lra |].
  assert (Q : 0 <= p n) by auto with arith.
  assert (P0 : forall i, (i < n)%nat -> 0 <= p i) by auto with arith.
  destruct (sum_nonneg n p P0) as [S0 | Z].
  - (* the mean of n + 1 points lies between the mean of n of them and the last *)
    specialize (IH P0 S0).
    set (T := sum n p) in *.
    assert (H := F (sum n (fun i => p i * x i) / T) (x n) (T / (T + p n))).
    replace (T / (T + p n) * (sum n (fun i => p i * x i) / T) + (1 - T / (T + p n)) * x n)
      with ((sum n (fun i => p i * x i) + p n * x n) / (T + p n)) in H by (field; lra).
    eapply Rle_trans; [apply H |].
    + apply Rdiv_le_0_compat; lra.
    + apply div_le; lra.
    + replace ((sum n (fun i => p i * f (x i)) + p n * f (x n)) / (T + p n))
        with (T / (T + p n) * (sum n (fun i => p i * f (x i)) / T) + (1 - T / (T + p n)) * f (x n))
        by (field; lra).
      apply Rplus_le_compat_r, Rmult_le_compat_l; [| exact IH].
      apply Rdiv_le_0_compat; lra.
  - (* all the weight is on the last point *)
    assert (N : forall i, (i < n)%nat -> p i = 0).
    { intros i I; assert (L := term_le_sum n p i P0 I); assert (G := P0 i I); lra. }
    rewrite (sum_zero n (fun i => p i * x i)), (sum_zero n (fun i => p i * f (x i))), <- Z
      by (intros; rewrite N by assumption; ring).
    replace ((0 + p n * x n) / (0 + p n)) with (x n) by (field; lra).
    right; field; lra.
Qed.

Lemma weighted_mean_ones n z : weighted_mean n (fun _ => 1) z = mean n z.
Proof.
  unfold weighted_mean, mean; rewrite sum_const, Rmult_1_r; f_equal.
  apply sum_ext; intros; ring.
Qed.

(** The weighted second moment is the variance and the square of the mean. *)
Lemma weighted_variance n p x :
  0 < sum n p ->
  weighted_mean n p (fun i => (x i - weighted_mean n p x) ^ 2)
  = weighted_mean n p (fun i => x i ^ 2) - weighted_mean n p x ^ 2.
Proof.
  intros S; set (a := weighted_mean n p x); unfold weighted_mean.
  rewrite (sum_ext n _ (fun i => p i * x i ^ 2 - 2 * a * (p i * x i) + a ^ 2 * p i))
    by (intros; ring).
  rewrite sum_plus, sum_minus, !sum_scale.
  replace (sum n (fun i => p i * x i)) with (a * sum n p)
    by (unfold a, weighted_mean; field; lra).
  field; lra.
Qed.

(** ** Lemma A.1 *)

(** bnwd:lemma-a.1, printed "f - c x^2 is convex": Jensen's inequality with the variance to
    spare. *)
Theorem jensen_with_variance (n : nat) (x shares : nat -> R) (c : R) (f : R -> R) :
  strongly_convex (2 * c) f ->
  (forall i, (i < n)%nat -> 0 <= shares i) ->
  0 < sum n shares ->
  f (weighted_mean n shares x)
  + least_jensen_gap c
      (weighted_mean n shares (fun i => (x i - weighted_mean n shares x) ^ 2))
  <= weighted_mean n shares (fun i => f (x i)).
Proof.
  intros F P S; unfold least_jensen_gap.
  assert (H := jensen _ n shares x F P S); cbv beta in H.
  rewrite weighted_variance by assumption.
  replace (weighted_mean n shares (fun i => f (x i) - 2 * c / 2 * x i ^ 2))
    with (weighted_mean n shares (fun i => f (x i))
          - c * weighted_mean n shares (fun i => x i ^ 2)) in H; [lra |].
  unfold weighted_mean.
  rewrite (sum_ext n (fun i => shares i * (f (x i) - 2 * c / 2 * x i ^ 2))
             (fun i => shares i * f (x i) - c * (shares i * x i ^ 2))) by (intros; field).
  rewrite sum_minus, sum_scale; field; lra.
Qed.

(** bnwd:lemma-a.1, printed "f - c x^2 is convex": a quadratic attains it, so c is the best
    constant. *)
Theorem jensen_with_variance_attained (n : nat) (x shares : nat -> R) (c a b : R) :
  0 < sum n shares ->
  c * weighted_mean n shares x ^ 2 + a * weighted_mean n shares x + b
  + least_jensen_gap c
      (weighted_mean n shares (fun i => (x i - weighted_mean n shares x) ^ 2))
  = weighted_mean n shares (fun i => c * x i ^ 2 + a * x i + b).
Proof.
  intros S; unfold least_jensen_gap; rewrite weighted_variance by assumption.
  unfold weighted_mean.
  rewrite (sum_ext n (fun i => shares i * (c * x i ^ 2 + a * x i + b))
             (fun i => c * (shares i * x i ^ 2) + a * (shares i * x i) + b * shares i))
    by (intros; ring).
  rewrite !sum_plus, !sum_scale; field; lra.
Qed.

(** ** Corollary A.1 *)

Lemma jensen_variance n x m f :
  strongly_convex m f -> (0 < n)%nat ->
  f (mean n x) + m / 2 * variance n x <= mean n (fun i => f (x i)).
Proof.
  intros F N.
  assert (H := jensen_with_variance n x (fun _ => 1) (m / 2) f).
  rewrite (weighted_mean_ones n x), !weighted_mean_ones in H; apply H.
  - replace (2 * (m / 2)) with m by field; assumption.
  - intros; lra.
  - rewrite sum_const; assert (0 < INR n) by (apply lt_0_INR; assumption); lra.
Qed.

(** bnwd:corollary-a.1, printed "a gap of at most epsilon": a Jensen gap bounds the variance. *)
Theorem variance_corollary (n : nat) (x : nat -> R) (m epsilon : R) (f : R -> R) :
  strongly_convex m f -> (0 < n)%nat -> 0 < m ->
  mean n (fun i => f (x i)) <= f (mean n x) + epsilon ->
  variance n x <= largest_variance epsilon m.
Proof.
  intros F N M E; assert (H := jensen_variance n x m f F N).
  unfold largest_variance; apply le_div; lra.
Qed.

(** bnwd:corollary-a.1, printed "a gap of exactly epsilon": the same with the Jensen gap itself. *)
Theorem variance_corollary_exact (n : nat) (x : nat -> R) (m : R) (f : R -> R) :
  strongly_convex m f -> (0 < n)%nat -> 0 < m ->
  variance n x <= largest_variance (mean n (fun i => f (x i)) - f (mean n x)) m.
Proof. intros F N M; apply (variance_corollary n x m _ f); auto; lra. Qed.

(** * Subset means *)

Lemma indicator_range a : a = a * a -> 0 <= a <= 1.
Proof. intros; split; nra. Qed.

Lemma share_le_1 n s :
  (0 < n)%nat -> (forall i, (i < n)%nat -> s i = s i * s i) -> mean n s <= 1.
Proof.
  intros N I; apply div_le; [apply lt_0_INR, N |].
  replace (1 * INR n) with (sum n (fun _ => 1)) by (rewrite sum_const; ring).
  apply sum_le; intros i L; apply indicator_range, (I i L).
Qed.

(** The sum of x - a over a subset. *)
Lemma subset_sum n s x a :
  0 < sum n s ->
  sum n (fun i => s i * (x i - a)) = sum n s * (weighted_mean n s x - a).
Proof.
  intros S; unfold weighted_mean.
  rewrite (sum_ext n _ (fun i => s i * x i - a * s i)) by (intros; ring).
  rewrite sum_minus, sum_scale; field; lra.
Qed.

Lemma sum_centred n x : (0 < n)%nat -> sum n (fun i => x i - mean n x) = 0.
Proof. intros N; rewrite sum_minus, sum_const, mean_sum by assumption; ring. Qed.

Lemma positive_size n s : 0 < sum n s -> (0 < n)%nat.
Proof. destruct n; simpl; [lra | lia]. Qed.

(** Cauchy-Schwarz for x - mean and s - delta, of which both sum to zero. *)
Lemma subset_excess n x s :
  (forall i, (i < n)%nat -> s i = s i * s i) -> 0 < sum n s ->
  (weighted_mean n s x - mean n x) ^ 2 <= variance n x * (1 - mean n s) / mean n s.
Proof.
  intros I S; assert (N := positive_size n s S).
  assert (P : 0 < INR n) by (apply lt_0_INR; assumption).
  assert (H := cauchy_schwarz_sqr n (fun i => s i - mean n s) (fun i => x i - mean n x)).
  unfold dot in H; cbv beta in H.
  rewrite (sum_ext n (fun i => (s i - mean n s) * (x i - mean n x))
             (fun i => s i * (x i - mean n x) - mean n s * (x i - mean n x))) in H
    by (intros; ring).
  rewrite sum_minus, sum_scale, sum_centred, subset_sum in H by assumption.
  rewrite (sum_ext n (fun i => (s i - mean n s) * (s i - mean n s))
             (fun i => (1 - 2 * mean n s) * s i + mean n s * mean n s)) in H
    by (intros i L; assert (E := I i L); lra).
  rewrite sum_plus, sum_const, sum_scale in H.
  assert (V : sum n (fun i => (x i - mean n x) * (x i - mean n x)) = INR n * variance n x).
  { unfold variance; rewrite mean_sum by assumption; apply sum_ext; intros; ring. }
  rewrite V in H.
  set (u := weighted_mean n s x - mean n x) in *; set (W := variance n x) in *.
  assert (D : sum n s = INR n * mean n s) by (rewrite mean_sum; auto).
  rewrite D in H, S; set (q := mean n s) in *; set (k := INR n) in *.
  assert (Q : 0 < q) by nra.
  apply le_div; [assumption |].
  apply Rmult_le_reg_l with (k * k * q); [nra |]; nra.
Qed.

Lemma radius_of_square u r : u ^ 2 <= r -> u <= sqrt r /\ - u <= sqrt r.
Proof.
  intros H; assert (Rabs u <= sqrt r).
  { rewrite <- (sqrt_Rsqr_abs u); apply sqrt_le_1_alt; unfold Rsqr; nra. }
  split; [| rewrite <- Rabs_Ropp in H0]; (eapply Rle_trans; [apply Rle_abs | eassumption]).
Qed.

(** A bound on the variance, made one on subset means. *)
Lemma subset_mean_of_variance n x s m epsilon :
  (forall i, (i < n)%nat -> s i = s i * s i) -> 0 < sum n s -> 0 < m ->
  variance n x <= largest_variance epsilon m ->
  weighted_mean n s x - mean n x <= subset_radius epsilon (mean n s) m /\
  mean n x - weighted_mean n s x <= subset_radius epsilon (mean n s) m.
Proof.
  intros I S M V; assert (N := positive_size n s S).
  assert (P : 0 < INR n) by (apply lt_0_INR; assumption).
  assert (D : 0 < mean n s) by (apply Rdiv_lt_0_compat; assumption).
  assert (D1 := share_le_1 n s N I).
  assert (H := subset_excess n x s I S).
  destruct (radius_of_square (weighted_mean n s x - mean n x)
              (2 * epsilon * (1 - mean n s) / (m * mean n s))) as [A B].
  - eapply Rle_trans; [exact H |].
    replace (2 * epsilon * (1 - mean n s) / (m * mean n s))
      with (largest_variance epsilon m * (1 - mean n s) / mean n s)
      by (unfold largest_variance; field; lra).
    apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat; assumption |].
    apply Rmult_le_compat_r; lra.
  - unfold subset_radius; split; lra.
Qed.

(** ** Lemma 2.1 *)

(** bnwd:lemma-2.1, printed "f - (m/2) x^2 is convex": a Jensen gap of at most epsilon keeps every
    subset mean within the radius. *)
Theorem subset_mean_lemma (n : nat) (x s : nat -> R) (m epsilon : R) (f : R -> R) :
  strongly_convex m f -> 0 < m ->
  (forall i, (i < n)%nat -> s i = s i * s i) ->
  0 < sum n s ->
  mean n (fun i => f (x i)) <= f (mean n x) + epsilon ->
  weighted_mean n s x - mean n x <= subset_radius epsilon (mean n s) m /\
  mean n x - weighted_mean n s x <= subset_radius epsilon (mean n s) m.
Proof.
  intros F M I S E; apply subset_mean_of_variance; try assumption.
  apply (variance_corollary n x m epsilon f); try assumption.
  apply (positive_size n s S).
Qed.

Lemma convex_sum J (g : nat -> R -> R) :
  (forall j, (j < J)%nat -> convex (g j)) -> convex (fun z => sum J (fun j => g j z)).
Proof.
  intros G x y t T0 T1; rewrite <- !sum_scale, <- sum_plus.
  apply sum_le; intros j L; apply G; assumption.
Qed.

Lemma with_kinks_strongly_convex m J knots weights :
  (forall j, (j < J)%nat -> 0 <= weights j) -> strongly_convex m (with_kinks m J knots weights).
Proof.
  intros W; unfold strongly_convex, with_kinks.
  assert (H : convex (fun z => sum J (fun j => weights j * Rabs (z - knots j)))).
  { apply convex_sum with (g := fun j z => weights j * Rabs (z - knots j)).
    intros j L x y t T0 T1; specialize (W j L).
    replace (t * x + (1 - t) * y - knots j)
      with (t * (x - knots j) + (1 - t) * (y - knots j)) by ring.
    assert (A := Rabs_triang (t * (x - knots j)) ((1 - t) * (y - knots j))).
    rewrite !Rabs_mult, (Rabs_pos_eq t), (Rabs_pos_eq (1 - t)) in A by lra.
    nra. }
  intros x y t T0 T1; specialize (H x y t T0 T1); lra.
Qed.

(** bnwd:lemma-2.1, printed "f - m x^2 is convex": the same radius in the other convention. *)
Theorem subset_mean_lemma_modulus (n : nat) (x s : nat -> R) (m epsilon : R) (f : R -> R) :
  convex (fun z => f z - m * z ^ 2) -> 0 < m ->
  (forall i, (i < n)%nat -> s i = s i * s i) ->
  0 < sum n s ->
  mean n (fun i => f (x i)) <= f (mean n x) + epsilon ->
  weighted_mean n s x - mean n x <= subset_radius epsilon (mean n s) m /\
  mean n x - weighted_mean n s x <= subset_radius epsilon (mean n s) m.
Proof.
  intros F M; apply subset_mean_lemma; [| assumption].
  (* f - m z^2 is convex, hence f - (m/2) z^2 too *)
  intros a b t T0 T1; specialize (F a b t T0 T1); cbv beta in F |- *.
  assert (0 <= m * (t * (1 - t) * (a - b) ^ 2))
    by (apply Rmult_le_pos; [lra |]; apply Rmult_le_pos; [nra | apply pow2_ge_0]).
  nra.
Qed.

(** bnwd:lemma-2.1, printed "f - (m/2) x^2 is convex": a quadratic with two values attains the
    radius, so the constant is the best possible. *)
Theorem subset_mean_lemma_attained (n : nat) (s : nat -> R) (m : R) :
  0 < m -> (forall i, (i < n)%nat -> s i = s i * s i) -> 0 < sum n s ->
  weighted_mean n s s - mean n s
  = subset_radius (mean n (fun i => m / 2 * s i ^ 2) - m / 2 * mean n s ^ 2) (mean n s) m.
Proof.
  intros M I S; assert (N := positive_size n s S).
  assert (P : 0 < INR n) by (apply lt_0_INR; assumption).
  assert (D : 0 < mean n s) by (apply Rdiv_lt_0_compat; assumption).
  assert (D1 := share_le_1 n s N I).
  replace (mean n (fun i => m / 2 * s i ^ 2)) with (m / 2 * mean n s).
  2: { unfold mean; rewrite sum_scale, (sum_ext n (fun i => s i ^ 2) s); [field; lra |].
       intros i L; assert (E := I i L); lra. }
  unfold weighted_mean; rewrite <- (sum_ext n s _ I).
  replace (sum n s / sum n s) with 1 by (field; lra).
  unfold subset_radius; symmetry.
  replace (2 * (m / 2 * mean n s - m / 2 * mean n s ^ 2) * (1 - mean n s) / (m * mean n s))
    with ((1 - mean n s) * (1 - mean n s)) by (field; lra).
  apply sqrt_square; lra.
Qed.
