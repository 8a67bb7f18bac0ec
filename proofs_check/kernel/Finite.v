(** Finite sums of real numbers, and vectors as functions of an index.

    [sum n f] is f 0 + ... + f (n - 1). A vector of dimension d is a function [nat -> R] of which
    only the entries below d count; a family of n vectors is a function [nat -> nat -> R]. *)
From Coq Require Import Reals Lra Lia.
Open Scope R_scope.

Fixpoint sum (n : nat) (f : nat -> R) : R :=
  match n with
  | O => 0
  | S m => sum m f + f m
  end.

Definition mean (n : nat) (f : nat -> R) : R := sum n f / INR n.

Definition dot (d : nat) (x y : nat -> R) : R := sum d (fun i => x i * y i).

Definition norm (d : nat) (x : nat -> R) : R := sqrt (dot d x x).

(** * Sums *)

Lemma sum_ext n f g : (forall i, (i < n)%nat -> f i = g i) -> sum n f = sum n g.
Proof.
  intros H; induction n as [| n IH]; simpl; [reflexivity |].
  rewrite IH, (H n); auto with arith.
Qed.

Lemma sum_plus n f g : sum n (fun i => f i + g i) = sum n f + sum n g.
Proof. induction n as [| n IH]; simpl; [| rewrite IH]; ring. Qed.

Lemma sum_minus n f g : sum n (fun i => f i - g i) = sum n f - sum n g.
Proof. induction n as [| n IH]; simpl; [| rewrite IH]; ring. Qed.

Lemma sum_scale n c f : sum n (fun i => c * f i) = c * sum n f.
Proof. induction n as [| n IH]; simpl; [| rewrite IH]; ring. Qed.

Lemma sum_scale_r n c f : sum n (fun i => f i * c) = sum n f * c.
Proof. induction n as [| n IH]; simpl; [| rewrite IH]; ring. Qed.

Lemma sum_divide n c f : sum n (fun i => f i / c) = sum n f / c.
Proof. unfold Rdiv; apply sum_scale_r. Qed.

Lemma sum_const n c : sum n (fun _ => c) = INR n * c.
Proof. induction n as [| n IH]; [simpl; ring |]. rewrite S_INR; simpl; rewrite IH; ring. Qed.

Lemma sum_zero n f : (forall i, (i < n)%nat -> f i = 0) -> sum n f = 0.
Proof. intros H; rewrite (sum_ext n f (fun _ => 0) H), sum_const; ring. Qed.

Lemma sum_le n f g : (forall i, (i < n)%nat -> f i <= g i) -> sum n f <= sum n g.
Proof.
  intros H; induction n as [| n IH]; simpl; [lra |].
  assert (sum n f <= sum n g) by (apply IH; auto with arith).
  assert (f n <= g n) by auto with arith. lra.
Qed.

Lemma sum_nonneg n f : (forall i, (i < n)%nat -> 0 <= f i) -> 0 <= sum n f.
Proof.
  intros H; assert (L := sum_le n (fun _ => 0) f H).
  rewrite sum_const in L; lra.
Qed.

(** A term of a sum of non-negative terms is at most the sum. *)
Lemma term_le_sum n f i :
  (forall j, (j < n)%nat -> 0 <= f j) -> (i < n)%nat -> f i <= sum n f.
Proof.
  intros H; induction n as [| n IH]; [lia |]; intros L; simpl.
  assert (0 <= f n) by auto with arith.
  assert (0 <= sum n f) by (apply sum_nonneg; auto with arith).
  destruct (Nat.eq_dec i n) as [-> | D]; [lra |].
  assert (f i <= sum n f) by (apply IH; auto with arith; lia). lra.
Qed.

Lemma sum_swap m n f :
  sum m (fun i => sum n (fun j => f i j)) = sum n (fun j => sum m (fun i => f i j)).
Proof.
  induction m as [| m IH]; simpl.
  - symmetry; apply sum_zero; reflexivity.
  - rewrite IH, <- sum_plus; reflexivity.
Qed.

Lemma sum_abs n f : Rabs (sum n f) <= sum n (fun i => Rabs (f i)).
Proof.
  induction n as [| n IH]; simpl; [rewrite Rabs_R0; lra |].
  eapply Rle_trans; [apply Rabs_triang | lra].
Qed.

(** The part of a sum that index i makes. *)
Lemma sum_single n i c :
  (i < n)%nat -> sum n (fun j => if Nat.eq_dec j i then c else 0) = c.
Proof.
  induction n as [| n IH]; [lia |]; intros L; simpl.
  destruct (Nat.eq_dec n i) as [-> | D].
  - rewrite sum_zero; [ring |].
    intros j J; destruct (Nat.eq_dec j i); [lia | reflexivity].
  - rewrite IH by lia; ring.
Qed.

Lemma mean_sum n f : (0 < n)%nat -> INR n * mean n f = sum n f.
Proof. intros H; unfold mean; field; apply not_0_INR; lia. Qed.

(** * Vectors *)

Lemma dot_comm d x y : dot d x y = dot d y x.
Proof. apply sum_ext; intros; ring. Qed.

Lemma dot_plus_l d x y z : dot d (fun i => x i + y i) z = dot d x z + dot d y z.
Proof. unfold dot; rewrite <- sum_plus; apply sum_ext; intros; ring. Qed.

Lemma dot_minus_l d x y z : dot d (fun i => x i - y i) z = dot d x z - dot d y z.
Proof. unfold dot; rewrite <- sum_minus; apply sum_ext; intros; ring. Qed.

Lemma dot_scale_l d c x y : dot d (fun i => c * x i) y = c * dot d x y.
Proof. unfold dot; rewrite <- sum_scale; apply sum_ext; intros; ring. Qed.

Lemma dot_plus_r d x y z : dot d z (fun i => x i + y i) = dot d z x + dot d z y.
Proof. rewrite dot_comm, dot_plus_l, (dot_comm d x), (dot_comm d y); reflexivity. Qed.

Lemma dot_minus_r d x y z : dot d z (fun i => x i - y i) = dot d z x - dot d z y.
Proof. rewrite dot_comm, dot_minus_l, (dot_comm d x), (dot_comm d y); reflexivity. Qed.

Lemma dot_scale_r d c x y : dot d y (fun i => c * x i) = c * dot d y x.
Proof. rewrite dot_comm, dot_scale_l, dot_comm; reflexivity. Qed.

(** The inner product with a sum of vectors. *)
Lemma dot_sum_r d n x f :
  dot d x (fun i => sum n (fun k => f k i)) = sum n (fun k => dot d x (f k)).
Proof.
  unfold dot; rewrite sum_swap; apply sum_ext; intros i _; rewrite <- sum_scale; reflexivity.
Qed.

Lemma dot_sum_l d n x f :
  dot d (fun i => sum n (fun k => f k i)) x = sum n (fun k => dot d (f k) x).
Proof. rewrite dot_comm, dot_sum_r; apply sum_ext; intros; apply dot_comm. Qed.

Lemma dot_nonneg d x : 0 <= dot d x x.
Proof. apply sum_nonneg; intros i _; apply Rle_0_sqr. Qed.

(** Cauchy-Schwarz, squared: from |(y.y) x - (x.y) y|^2 >= 0. *)
Lemma cauchy_schwarz_sqr d x y : dot d x y * dot d x y <= dot d x x * dot d y y.
Proof.
  set (a := dot d x x); set (b := dot d y y); set (c := dot d x y).
  assert (A : 0 <= a) by apply dot_nonneg.
  assert (B : 0 <= b) by apply dot_nonneg.
  assert (E : forall t, 0 <= a - 2 * t * c + t * t * b).
  { intros t.
    assert (H := dot_nonneg d (fun i => x i - t * y i)).
    rewrite dot_minus_l, !dot_minus_r, !dot_scale_l, !dot_scale_r, (dot_comm d y x) in H.
    fold a b c in H; lra. }
  destruct (Req_dec b 0) as [Z | N].
  - assert (c = 0); [| nra].
    destruct (Req_dec c 0) as [| C]; [assumption |].
    assert (H := E ((a + 1) / (2 * c))); rewrite Z in H.
    replace (a - 2 * ((a + 1) / (2 * c)) * c
             + (a + 1) / (2 * c) * ((a + 1) / (2 * c)) * 0) with (-1) in H by (field; lra).
    lra.
  - assert (H := E (c / b)).
    replace (a - 2 * (c / b) * c + c / b * (c / b) * b) with ((a * b - c * c) / b) in H
      by (field; lra).
    assert (P : 0 <= (a * b - c * c) / b * b) by (apply Rmult_le_pos; lra).
    replace ((a * b - c * c) / b * b) with (a * b - c * c) in P by (field; lra). lra.
Qed.

Lemma norm_nonneg d x : 0 <= norm d x.
Proof. apply sqrt_pos. Qed.

Lemma norm_sqr d x : norm d x * norm d x = dot d x x.
Proof. apply sqrt_sqrt, dot_nonneg. Qed.

Lemma cauchy_schwarz d x y : dot d x y <= norm d x * norm d y.
Proof.
  assert (H := cauchy_schwarz_sqr d x y).
  rewrite <- (norm_sqr d x), <- (norm_sqr d y) in H.
  assert (X := norm_nonneg d x); assert (Y := norm_nonneg d y).
  set (p := norm d x) in *; set (q := norm d y) in *; set (c := dot d x y) in *.
  assert (P : 0 <= p * q) by (apply Rmult_le_pos; assumption).
  destruct (Rle_or_lt c (p * q)) as [| L]; [assumption |].
  assert (p * q * (p * q) < c * c) by nra. nra.
Qed.

Lemma cauchy_schwarz_abs d x y : Rabs (dot d x y) <= norm d x * norm d y.
Proof.
  apply Rabs_le; split; [| apply cauchy_schwarz].
  assert (H := cauchy_schwarz d (fun i => -1 * x i) y).
  rewrite dot_scale_l in H.
  replace (norm d (fun i => -1 * x i)) with (norm d x) in H; [lra |].
  unfold norm; f_equal; rewrite dot_scale_l, dot_scale_r; ring.
Qed.
