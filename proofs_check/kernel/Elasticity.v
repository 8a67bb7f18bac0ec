(** Local elasticity: the impact matrix, residual directions, and the growth of separation. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite.
Open Scope R_scope.

(** The matrix of impacts: alpha within a class, beta between classes. *)
Definition impact (alpha beta : R) (k j : nat) : R := if Nat.eq_dec j k then alpha else beta.

Lemma impact_applied K alpha beta x k :
  (k < K)%nat ->
  sum K (fun j => impact alpha beta k j * x j) = (alpha - beta) * x k + beta * sum K x.
Proof.
  intros Hk; rewrite (sum_ext K _ (fun j => beta * x j
    + (if Nat.eq_dec j k then (alpha - beta) * x k else 0))).
  - rewrite sum_plus, sum_scale, sum_single by exact Hk; ring.
  - intros j _; unfold impact; destruct (Nat.eq_dec j k) as [-> |]; ring.
Qed.

(** review:remark-separation, the impact matrix: the constant vector has the eigenvalue
    alpha + (K - 1) beta, and every centred vector the eigenvalue alpha - beta. *)
Corollary impact_eigenvectors :
  forall (K k : nat) (alpha beta : R) (x : nat -> R),
  (k < K)%nat -> sum K x = 0 ->
  sum K (fun j => impact alpha beta k j * 1) = (alpha + (INR K - 1) * beta) * 1 /\
  sum K (fun j => impact alpha beta k j * x j) = (alpha - beta) * x k.
Proof.
  intros K k alpha beta x Hk X; split.
  - rewrite (impact_applied K alpha beta (fun _ => 1) k Hk), sum_const; ring.
  - rewrite impact_applied, X by exact Hk; ring.
Qed.

(** d_j = e_j - (1/K) 1. *)
Definition residual (K j i : nat) : R := (if Nat.eq_dec i j then 1 else 0) - 1 / INR K.

(** review:eq-46, printed "residuals and blocks", simplex: <d_i, d_j> = [i = j] - 1/K. *)
Theorem residual_products :
  forall (K : nat), (1 <= K)%nat ->
  forall i j, (i < K)%nat -> (j < K)%nat ->
  dot K (residual K i) (residual K j) = (if Nat.eq_dec i j then 1 else 0) - 1 / INR K.
Proof.
  intros K K1 i j Hi Hj.
  assert (N : INR K <> 0) by (apply not_0_INR; lia).
  unfold dot; rewrite (sum_ext K _ (fun m =>
    (if Nat.eq_dec m i then (if Nat.eq_dec i j then 1 else 0) - 1 / INR K else 0)
    + (if Nat.eq_dec m j then - (1 / INR K) else 0) + 1 / INR K * (1 / INR K))).
  - rewrite !sum_plus, !sum_single, sum_const by assumption; field; exact N.
  - intros m _; unfold residual.
    destruct (Nat.eq_dec m i), (Nat.eq_dec m j), (Nat.eq_dec i j); subst; try lia; ring.
Qed.

(** P_j f, P_j the projection onto d_j. *)
Definition projected (K j : nat) (f : nat -> R) (i : nat) : R :=
  dot K (residual K j) f / dot K (residual K j) (residual K j) * residual K j i.

(** F^T T F: the sum over all i, j of <f_i, P_j f_j>. *)
Definition transformation_form (K : nat) (f : nat -> nat -> R) : R :=
  dot K (fun l => sum K (fun i => f i l)) (fun l => sum K (fun j => projected K j (f j) l)).

(** review:eq-46, printed "T is positive semi-definite": false for three classes, where
    f_1 = e_2, f_2 = e_1, f_3 = 0 give -1/3. *)
Theorem transformation_semidefinite_printed_fails :
  ~ (forall (K : nat) (f : nat -> nat -> R), (2 <= K)%nat -> 0 <= transformation_form K f).
Proof.
  intros A.
  assert (H := A 3%nat (fun j i => if Nat.eq_dec (i + j) 1 then 1 else 0) ltac:(lia)).
  unfold transformation_form, projected, dot, residual in H; simpl in H; lra.
Qed.

(** K / (2 lambda). *)
Definition separation_threshold (eigenvalue : R) (K : nat) : R := INR K / (2 * eigenvalue).

(** review:remark-separation, sharp "where separation begins": with impacts that differ by gamma/t
    the signal over the noise is a power of time, at least its tangent. *)
Theorem separation_growth :
  forall (K : nat) (gamma eigenvalue elapsed : R),
  (1 <= K)%nat -> 0 < eigenvalue -> 0 < elapsed ->
  exp (2 * eigenvalue * gamma / INR K * ln (1 + elapsed)) / (1 + elapsed)
  = exp ((2 * eigenvalue * gamma / INR K - 1) * ln (1 + elapsed)) /\
  1 + (gamma / separation_threshold eigenvalue K - 1) * ln (1 + elapsed)
  <= exp (2 * eigenvalue * gamma / INR K * ln (1 + elapsed)) / (1 + elapsed).
Proof.
  intros K gamma eigenvalue elapsed K1 L E.
  assert (N : 0 < INR K) by (apply lt_0_INR; lia).
  assert (P : exp (2 * eigenvalue * gamma / INR K * ln (1 + elapsed)) / (1 + elapsed)
              = exp ((2 * eigenvalue * gamma / INR K - 1) * ln (1 + elapsed))).
  { rewrite Rmult_minus_distr_r, Rmult_1_l; unfold Rminus at 1.
    rewrite exp_plus, exp_Ropp, exp_ln by lra; reflexivity. }
  split; [exact P |]; rewrite P.
  eapply Rle_trans; [| apply exp_ineq1_le]; right; unfold separation_threshold; field; lra.
Qed.
