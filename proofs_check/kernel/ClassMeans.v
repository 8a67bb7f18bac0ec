(** Which distances of class means a simplex ETF makes largest. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Transfer.
Open Scope R_scope.

(** Squared distance of two points of a simplex ETF, by their mean squared norm. *)
Definition simplex_distance (K mean_square : R) : R := 2 * K * mean_square / (K - 1).

Lemma sum_all_of_pairs K f :
  (forall i, (i < K)%nat -> f i i = 0) -> sum_pairs K f = sum K (fun i => sum K (f i)).
Proof.
  intros Z; apply sum_ext; intros i _; apply sum_ext; intros j J.
  destruct (Nat.eq_dec j i) as [-> |]; [symmetry; apply Z; assumption | reflexivity].
Qed.

Lemma sum_pairs_distances K d mu :
  (0 < K)%nat ->
  sum_pairs K (fun i j => distance2 d (mu i) (mu j))
  = 2 * INR K * sum K (fun i => dot d (mu i) (mu i))
    - 2 * (INR K * INR K) * dot d (centre K mu) (centre K mu).
Proof.
  intros P.
  assert (N : INR K <> 0) by (apply not_0_INR; lia).
  assert (C : forall y, sum K (fun i => dot d y (mu i)) = INR K * dot d y (centre K mu)).
  { intros y; rewrite <- mean_dot; symmetry; apply mean_sum, P. }
  rewrite sum_all_of_pairs.
  2:{ intros i _; rewrite distance2_expand; ring. }
  rewrite (sum_ext K _ (fun i => INR K * dot d (mu i) (mu i)
                                 - 2 * INR K * dot d (centre K mu) (mu i)
                                 + sum K (fun j => dot d (mu j) (mu j)))).
  - rewrite sum_plus, sum_minus, !sum_scale, C, sum_const; ring.
  - intros i _.
    rewrite (sum_ext K _ (fun j => dot d (mu i) (mu i) - 2 * dot d (mu i) (mu j)
                                   + dot d (mu j) (mu j)))
      by (intros; apply distance2_expand).
    rewrite sum_plus, sum_minus, sum_scale, C, sum_const, (dot_comm d (mu i) (centre K mu)); ring.
Qed.

(** review:remark-etf-distance, corrected "the least distance, and the mean over the pairs": the
    mean squared distance is that of a simplex ETF of the same mean square less what a common mean
    takes, and so no configuration has a larger least distance r than the simplex ETF. *)
Theorem least_distance (K d : nat) (mu : nat -> nat -> R) (r : R) :
  (2 <= K)%nat ->
  (forall i j, (i < K)%nat -> (j < K)%nat -> j <> i -> r <= distance2 d (mu i) (mu j)) ->
  sum_pairs K (fun i j => distance2 d (mu i) (mu j)) / (INR K * (INR K - 1))
  = simplex_distance (INR K) (mean K (fun i => dot d (mu i) (mu i)))
    - 2 * INR K * dot d (centre K mu) (centre K mu) / (INR K - 1)
  /\ r <= simplex_distance (INR K) (mean K (fun i => dot d (mu i) (mu i))).
Proof.
  intros Two Least.
  assert (N : 2 <= INR K) by (apply (le_INR 2), Two).
  assert (E : sum_pairs K (fun i j => distance2 d (mu i) (mu j)) / (INR K * (INR K - 1))
              = simplex_distance (INR K) (mean K (fun i => dot d (mu i) (mu i)))
                - 2 * INR K * dot d (centre K mu) (centre K mu) / (INR K - 1)).
  { rewrite sum_pairs_distances by lia; unfold simplex_distance, mean; field; lra. }
  split; [exact E |].
  assert (L := sum_pairs_le K (fun _ _ => r) _ Least).
  rewrite sum_pairs_const in L.
  assert (0 <= 2 * INR K * dot d (centre K mu) (centre K mu) / (INR K - 1)).
  { apply Rmult_le_pos; [| left; apply Rinv_0_lt_compat; lra].
    apply Rmult_le_pos; [lra | apply dot_nonneg]. }
  assert (r <= sum_pairs K (fun i j => distance2 d (mu i) (mu j)) / (INR K * (INR K - 1))); [| lra].
  apply Rmult_le_reg_l with (INR K * (INR K - 1)); [nra |].
  unfold Rdiv; rewrite (Rmult_comm _ (/ _)), <- (Rmult_assoc _ (/ _)), Rinv_r, Rmult_1_l by nra.
  exact L.
Qed.

(** review:remark-etf-distance, sharp "only near a simplex ETF": a least squared distance that is
    nearly the largest possible leaves the class means nearly without a common mean. *)
Theorem near_simplex_centre (K d : nat) (mu : nat -> nat -> R) (r : R) :
  (2 <= K)%nat ->
  (forall i j, (i < K)%nat -> (j < K)%nat -> j <> i -> r <= distance2 d (mu i) (mu j)) ->
  2 * INR K * dot d (centre K mu) (centre K mu) / (INR K - 1)
  <= simplex_distance (INR K) (mean K (fun i => dot d (mu i) (mu i))) - r.
Proof.
  intros Two Least.
  assert (N : 2 <= INR K) by (apply (le_INR 2), Two).
  destruct (least_distance K d mu r Two Least) as [E _].
  assert (L := sum_pairs_le K (fun _ _ => r) _ Least).
  rewrite sum_pairs_const in L.
  assert (r <= sum_pairs K (fun i j => distance2 d (mu i) (mu j)) / (INR K * (INR K - 1))); [| lra].
  apply Rmult_le_reg_l with (INR K * (INR K - 1)); [nra |].
  unfold Rdiv; rewrite (Rmult_comm _ (/ _)), <- (Rmult_assoc _ (/ _)), Rinv_r, Rmult_1_l by nra.
  exact L.
Qed.

(** review:remark-etf-distance, printed "the distance of a single pair": refuted by three numbers,
    whose first two are farther apart than those of a simplex of the same mean square. *)
Theorem single_pair_printed_fails :
  exists (K d : nat) (mu : nat -> nat -> R),
    (2 <= K)%nat
    /\ ~ distance2 d (mu 0%nat) (mu 1%nat)
         <= simplex_distance (INR K) (mean K (fun i => dot d (mu i) (mu i))).
Proof.
  exists 3%nat, 1%nat, (fun i _ => match i with O => 1 | S O => -1 | _ => 0 end).
  split; [lia |].
  unfold distance2, simplex_distance, mean, dot; simpl; lra.
Qed.
