(** The error bound (12) and its form with the depth (16), the shares of its union bound, and norms
    and patches of convolutional layers. *)
From Coq Require Import Reals ZArith Lra Lia.
From NCBounds Require Import Finite Signs BinaryTree.
Open Scope R_scope.

Definition printed_error_bound (rho complexity N delta : R) : R :=
  2 * (rho + 1) * complexity + 3 * sqrt (ln (2 * (rho + 1) ^ 2 / delta) / (2 * N)).

Definition golowich_factor (L : R) : R := sqrt (2 * ln 2 * L) + 1.

Definition printed_depth_bound (rho L N delta : R) : R :=
  2 * (rho + 1) * golowich_factor L / sqrt N
  + 3 * sqrt (ln (2 * (ln rho + 1) ^ 2 / delta) / (2 * N)).

Definition corrected_depth_bound (rho L N delta : R) : R :=
  2 * (rho + 1) * golowich_factor L / sqrt N
  + 3 * sqrt (ln (2 * (rho + 1) ^ 2 / delta) / (2 * N)).

(** square:eq-17, printed "bounds only": the network of smaller norm has the smaller bounds. *)
Theorem smaller_norm_smaller_bounds rho more A epsilon r N delta :
  0 < rho -> 0 < more -> 0 <= A -> 0 <= r -> 0 < N -> 0 < delta ->
  A * rho + epsilon <= A * (rho + more) + epsilon /\
  printed_error_bound rho r N delta <= printed_error_bound (rho + more) r N delta.
Proof.
  intros P Q A0 R0 N0 D; split; [nra |]; unfold printed_error_bound.
  assert (I : 0 < / delta) by (apply Rinv_0_lt_compat, D).
  assert (J : 0 < / (2 * N)) by (apply Rinv_0_lt_compat; lra).
  assert (B : 2 * (rho + 1) * r <= 2 * (rho + more + 1) * r) by nra.
  assert (C : sqrt (ln (2 * (rho + 1) ^ 2 / delta) / (2 * N))
              <= sqrt (ln (2 * (rho + more + 1) ^ 2 / delta) / (2 * N))); [| lra].
  apply sqrt_le_1_alt; unfold Rdiv; apply Rmult_le_compat_r; [lra |].
  apply Rlt_le, ln_increasing; [apply Rmult_lt_0_compat; nra |].
  apply Rmult_lt_compat_r; [exact I | nra].
Qed.

(** square:eq-16, printed "from (12) by substitution": rho = L = N = 1, delta = 1/2, where the
    logarithms are ln 16 and ln 4. *)
Theorem depth_bound_by_substitution_fails : ~ (forall rho L N delta,
  0 < rho -> (1 <= L)%nat -> (1 <= N)%nat -> 0 < delta < 1 ->
  corrected_depth_bound rho (INR L) (INR N) delta <= printed_depth_bound rho (INR L) (INR N) delta).
Proof.
  intros H; assert (A := H 1 1%nat 1%nat (/ 2) ltac:(lra) ltac:(lia) ltac:(lia) ltac:(lra)).
  unfold corrected_depth_bound, printed_depth_bound in A; rewrite ln_1 in A.
  change (INR 1) with 1 in A.
  replace (2 * (1 + 1) ^ 2 / / 2) with 16 in A by field.
  replace (2 * (0 + 1) ^ 2 / / 2) with 4 in A by field.
  assert (P : ln 1 < ln 4) by (apply ln_increasing; lra); rewrite ln_1 in P.
  assert (Q : ln 4 < ln 16) by (apply ln_increasing; lra).
  assert (S : sqrt (ln 4 / (2 * 1)) < sqrt (ln 16 / (2 * 1))); [| lra].
  apply sqrt_lt_1_alt; lra.
Qed.

(** The shares from t = 1 on use up delta: whatever t = 0 gets is too much. *)
Lemma no_share_for_zero first delta : 0 < first -> 0 < delta ->
  exists t, (1 <= t)%nat /\ delta < first + delta * INR t / (INR t + 1).
Proof.
  intros F D; assert (G : 0 < delta / first) by (apply Rdiv_lt_0_compat; assumption).
  destruct (archimed (delta / first)) as [U _]; set (n := Z.to_nat (up (delta / first))).
  assert (E : INR n = IZR (up (delta / first)))
    by (unfold n; rewrite INR_IZR_INZ, Z2Nat.id by (apply le_IZR; lra); reflexivity).
  rewrite <- E in U; assert (P := pos_INR n); exists (S n); split; [lia |]; rewrite S_INR.
  assert (V : delta < first * (INR n + 2)).
  { apply (Rmult_lt_compat_l first) in U; [| exact F].
    replace (first * (delta / first)) with delta in U by (field; lra); lra. }
  apply (Rmult_lt_reg_r (INR n + 1 + 1)); [lra |].
  replace ((first + delta * (INR n + 1) / (INR n + 1 + 1)) * (INR n + 1 + 1))
    with (first * (INR n + 2) + delta * (INR n + 1)) by (field; lra).
  lra.
Qed.

(** square:theorem-3, printed "the union bound from t = 0 on": a first share of 1, delta = 1/2. *)
Theorem shares_from_zero_fail : ~ (forall first t delta, 0 < first -> (1 <= t)%nat ->
  0 < delta < 1 -> first + delta * INR t / (INR t + 1) <= delta).
Proof.
  intros H; destruct (no_share_for_zero 1 (/ 2)) as (t & T & E); [lra | lra |].
  assert (A := H 1 t (/ 2) ltac:(lra) T ltac:(lra)); lra.
Qed.

(** * Convolutional layers in one dimension *)

(** The matrix of a layer repeats its kernel of K numbers in every row, s further on each time. *)
Definition toeplitz_entry (K s : nat) (w : nat -> R) (r j : nat) : R :=
  if lt_dec j (s * r) then 0 else if lt_dec j (s * r + K) then w (j - s * r)%nat else 0.

Definition toeplitz_norm (K s P : nat) (w : nat -> R) : R :=
  sqrt (sum P (fun r => sum ((P - 1) * s + K) (fun j =>
    toeplitz_entry K s w r j * toeplitz_entry K s w r j))).

(** square:remark-toeplitz, corrected "times the root of the number of patches". *)
Theorem toeplitz_frobenius_norm K s P w : (1 <= P)%nat ->
  toeplitz_norm K s P w = sqrt (INR P) * norm K w.
Proof.
  intros Q; unfold toeplitz_norm, norm; rewrite <- sqrt_mult_alt by apply pos_INR.
  f_equal; rewrite <- sum_const; apply sum_ext; intros r L.
  assert (E : exists b, ((P - 1) * s + K = s * r + (K + b))%nat).
  { exists ((P - 1 - r) * s)%nat.
    replace (P - 1)%nat with (r + (P - 1 - r))%nat at 1 by lia; ring. }
  destruct E as (b & ->); rewrite !sum_split, sum_zero; [rewrite (sum_zero b) |].
  - rewrite Rplus_0_l, Rplus_0_r; unfold dot; apply sum_ext; intros j J; unfold toeplitz_entry.
    destruct (lt_dec (s * r + j) (s * r)), (lt_dec (s * r + j) (s * r + K)); try lia.
    replace (s * r + j - s * r)%nat with j by lia; reflexivity.
  - intros j J; unfold toeplitz_entry.
    destruct (lt_dec (s * r + (K + j)) (s * r)), (lt_dec (s * r + (K + j)) (s * r + K));
      try lia; ring.
  - intros j J; unfold toeplitz_entry; destruct (lt_dec j (s * r)); [ring | lia].
Qed.

(** square:remark-toeplitz, printed "norm of the kernel times number of patches": the kernel (0, 1)
    in two rows. *)
Theorem toeplitz_printed_fails : ~ (forall K s P w, (1 <= s)%nat -> (s <= K)%nat -> (1 <= P)%nat ->
  toeplitz_norm K s P w = INR P * norm K w).
Proof.
  intros H; assert (A := H 2%nat 1%nat 2%nat (fun j => if Nat.eq_dec j 1 then 1 else 0)
    ltac:(lia) ltac:(lia) ltac:(lia)).
  rewrite toeplitz_frobenius_norm in A by lia; unfold norm, dot in A; simpl in A.
  replace (0 + 0 * 0 + 1 * 1) with 1 in A by ring; rewrite sqrt_1 in A.
  assert (S : sqrt (1 + 1) * sqrt (1 + 1) = 1 + 1) by (apply sqrt_sqrt; lra); nra.
Qed.

(** square:conjecture-1, printed "sketch of the proof, any input": two patches of 3 numbers with
    one in common hold it twice. *)
Theorem sketch_of_conjecture_fails : ~ (forall m x, (1 <= m)%nat ->
  sum m (fun i => sum 2 (fun p => sum 3 (fun j => x i (2 * p + j)%nat * x i (2 * p + j)%nat)))
  <= 3 * sum m (fun i => dot 5 (x i) (x i)) / 2).
Proof.
  intros H; assert (A := H 1%nat (fun _ j => if Nat.eq_dec j 2 then 1 else 0) ltac:(lia)).
  unfold dot in A; simpl in A; lra.
Qed.
