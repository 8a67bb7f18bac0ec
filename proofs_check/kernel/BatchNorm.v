(** Batch normalisation without bias: what it makes of norms and means.

    A batch of N vectors x is normalised coordinate by coordinate, with its own mean and variance;
    [eta] is what implementations add to the variance, and 0 without it. *)
From Coq Require Import Reals Lra Lia Psatz.
From NCBounds Require Import Finite.
Open Scope R_scope.

Definition batch_mean (N : nat) (x : nat -> nat -> R) (k : nat) : R := mean N (fun i => x i k).

Definition batch_variance (N : nat) (x : nat -> nat -> R) (k : nat) : R :=
  mean N (fun i => (x i k - batch_mean N x k) ^ 2).

Definition normalised (N : nat) (x : nat -> nat -> R) (gamma : nat -> R) (eta : R)
    (i k : nat) : R :=
  gamma k * ((x i k - batch_mean N x k) / sqrt (batch_variance N x k + eta)).

(** The sum of the squared norms of a normalised batch. *)
Definition square_sum (N d : nat) (x : nat -> nat -> R) (gamma : nat -> R) (eta : R) : R :=
  sum N (fun i => dot d (normalised N x gamma eta i) (normalised N x gamma eta i)).

Lemma batch_variance_nonneg N x k : 0 <= batch_variance N x k.
Proof.
  destruct N as [| N]; [unfold batch_variance, mean; simpl; lra |].
  apply Rmult_le_pos; [apply sum_nonneg; intros; apply pow2_ge_0 |].
  left; apply Rinv_0_lt_compat, lt_0_INR; lia.
Qed.

(** One coordinate of a batch: its sum of squares. *)
Lemma coordinate_square N x gamma eta k :
  (0 < N)%nat -> 0 < batch_variance N x k + eta ->
  sum N (fun i => normalised N x gamma eta i k * normalised N x gamma eta i k)
  = INR N * (gamma k * gamma k * (batch_variance N x k / (batch_variance N x k + eta))).
Proof.
  intros N0 V; set (s := batch_variance N x k) in *.
  assert (R : 0 < sqrt (s + eta)) by (apply sqrt_lt_R0, V).
  rewrite (sum_ext N _ (fun i => gamma k * gamma k / (s + eta)
                                 * (x i k - batch_mean N x k) ^ 2)).
  - rewrite sum_scale, <- mean_sum by assumption.
    change (mean N (fun i => (x i k - batch_mean N x k) ^ 2)) with s; field; lra.
  - intros i _; unfold normalised; fold s.
    rewrite <- (sqrt_sqrt (s + eta)) at 3 by lra; field; lra.
Qed.

Lemma square_sum_value N d x gamma eta :
  (0 < N)%nat -> (forall k, (k < d)%nat -> 0 < batch_variance N x k + eta) ->
  square_sum N d x gamma eta
  = INR N * sum d (fun k => gamma k * gamma k
                            * (batch_variance N x k / (batch_variance N x k + eta))).
Proof.
  intros N0 V; unfold square_sum, dot; rewrite sum_swap, <- sum_scale.
  apply sum_ext; intros k K; apply coordinate_square; auto.
Qed.

(** bnwd:proposition-2.1, printed "no constant coordinate, batches of any sizes": the mean square
    norm over a batch, and over two batches together, is that of gamma. *)
Theorem quadratic_mean (N M d : nat) (x y : nat -> nat -> R) (gamma : nat -> R) :
  (0 < N)%nat -> (0 < M)%nat ->
  (forall k, (k < d)%nat -> 0 < batch_variance N x k) ->
  (forall k, (k < d)%nat -> 0 < batch_variance M y k) ->
  square_sum N d x gamma 0 = INR N * dot d gamma gamma /\
  (square_sum N d x gamma 0 + square_sum M d y gamma 0) / (INR N + INR M) = dot d gamma gamma.
Proof.
  intros N0 M0 X Y.
  assert (One : forall K z, (0 < K)%nat -> (forall k, (k < d)%nat -> 0 < batch_variance K z k) ->
                            square_sum K d z gamma 0 = INR K * dot d gamma gamma).
  { intros K z K0 Z; rewrite square_sum_value; [| assumption |].
    - f_equal; apply sum_ext; intros k L; specialize (Z k L).
      rewrite Rplus_0_r; field; lra.
    - intros k L; specialize (Z k L); lra. }
  rewrite (One N x N0 X), (One M y M0 Y); split; [reflexivity |].
  assert (0 < INR N) by (apply lt_0_INR, N0); assert (0 < INR M) by (apply lt_0_INR, M0).
  field; lra.
Qed.

(** bnwd:proposition-2.1, sharp "as implemented": with eta under the root, the mean square norm
    exactly, and at most that of gamma. *)
Theorem quadratic_mean_implemented
    (N d : nat) (x : nat -> nat -> R) (gamma : nat -> R) (eta : R) :
  (0 < N)%nat -> 0 < eta ->
  square_sum N d x gamma eta / INR N
  = sum d (fun k => gamma k * gamma k
                    * (batch_variance N x k / (batch_variance N x k + eta))) /\
  square_sum N d x gamma eta / INR N <= dot d gamma gamma.
Proof.
  intros N0 E; assert (0 < INR N) by (apply lt_0_INR, N0).
  assert (V : forall k, 0 < batch_variance N x k + eta)
    by (intros k; assert (S := batch_variance_nonneg N x k); lra).
  rewrite square_sum_value by auto.
  assert (Q : forall s, INR N * s / INR N = s) by (intros; field; lra); rewrite Q.
  split; [reflexivity |]; apply sum_le; intros k _.
  rewrite <- (Rmult_1_r (gamma k * gamma k)) at 2.
  apply Rmult_le_compat_l; [apply Rle_0_sqr |].
  assert (S := batch_variance_nonneg N x k); specialize (V k).
  apply Rmult_le_reg_r with (batch_variance N x k + eta); [assumption |].
  unfold Rdiv; rewrite Rmult_assoc, Rinv_l; lra.
Qed.

(** bnwd:proposition-2.1, printed "gamma not squared, as typeset in the proof": fails for the batch
    (0, 2) and gamma = 2. *)
Theorem gamma_not_squared_fails :
  exists (N d : nat) (x : nat -> nat -> R) (gamma : nat -> R),
    (forall k, (k < d)%nat -> 0 < batch_variance N x k) /\
    ~ (forall k, (k < d)%nat ->
       sum N (fun i => normalised N x gamma 0 i k * normalised N x gamma 0 i k)
       = sum N (fun i => gamma k * ((x i k - batch_mean N x k) / sqrt (batch_variance N x k)) ^ 2)).
Proof.
  set (x := fun i k : nat => if Nat.eq_dec i 0 then 0 else 2).
  assert (V : forall k, batch_variance 2 x k = 1)
    by (intros; unfold batch_variance, batch_mean, mean, x; simpl; field).
  exists 2%nat, 1%nat, x, (fun _ => 2); split; [intros k _; rewrite V; lra |].
  intros H; specialize (H O Nat.lt_0_1); unfold normalised in H.
  rewrite V, Rplus_0_r, sqrt_1 in H.
  unfold batch_mean, mean, x in H; simpl in H; lra.
Qed.

(** * The mean of all features *)

Lemma normalised_sum N x gamma eta k :
  (0 < N)%nat -> sum N (fun i => normalised N x gamma eta i k) = 0.
Proof.
  intros N0; set (r := sqrt (batch_variance N x k + eta)).
  rewrite (sum_ext N _ (fun i => gamma k / r * (x i k - batch_mean N x k)))
    by (intros; unfold normalised, Rdiv; fold r; ring).
  rewrite sum_scale, sum_minus, sum_const; unfold batch_mean; rewrite mean_sum by assumption; ring.
Qed.

(** bnwd:remark-bn-zero-mean, printed "statistics of the batches": the mean of all features is
    zero. *)
Theorem zero_mean (N M d : nat) (x y : nat -> nat -> R) (gamma : nat -> R) (eta : R) :
  (0 < N)%nat -> (0 < M)%nat -> 0 < eta ->
  (forall k, (k < d)%nat ->
     (sum N (fun i => normalised N x gamma eta i k)
      + sum M (fun i => normalised M y gamma eta i k)) / (INR N + INR M) = 0).
Proof. intros N0 M0 _ k _; rewrite !normalised_sum by assumption; unfold Rdiv; ring. Qed.

(** bnwd:remark-bn-zero-mean, printed "running statistics": fails where the running mean is not
    that of the data. *)
Theorem running_mean_fails :
  exists (N d : nat) (x : nat -> nat -> R) (gamma running var : nat -> R),
    (0 < N)%nat /\ (forall k, (k < d)%nat -> 0 < var k) /\
    ~ (forall k, (k < d)%nat ->
       mean N (fun i => gamma k * ((x i k - running k) / sqrt (var k))) = 0).
Proof.
  exists 1%nat, 1%nat, (fun _ _ => 1), (fun _ => 1), (fun _ => 0), (fun _ => 1).
  repeat split; [lia | intros; lra |].
  intros H; specialize (H O Nat.lt_0_1); unfold mean in H; rewrite sqrt_1 in H; simpl in H; lra.
Qed.
