(** Cosines within a class and between classes, from mean inner products.

    Cosines of zero vectors are undefined; here they are 0, as 1/0 is, and the theorems hold with
    them, so they ask for no norm to be positive. *)
From Coq Require Import Reals Lra Lia Psatz.
From NCBounds Require Import Finite.
Open Scope R_scope.

Definition cosine (d : nat) (x y : nat -> R) : R := dot d x y / (norm d x * norm d y).

Definition root_mean_square (N d : nat) (v : nat -> nat -> R) : R :=
  sqrt (mean N (fun i => dot d (v i) (v i))).

(** The mean of the vectors, and of the normalised vectors. *)
Definition mean_vector (N : nat) (v : nat -> nat -> R) : nat -> R :=
  fun k => mean N (fun i => v i k).

Definition mean_direction (N d : nat) (v : nat -> nat -> R) : nat -> R :=
  fun k => mean N (fun i => v i k / norm d (v i)).

Definition printed_ratio_sum (A B : R) (N : nat) : R := A * sqrt (INR N) / sqrt B.
Definition least_ratio_sum (A B : R) : R := A / sqrt B.
Definition bounded_ratio_sum (A B beta : R) : R := A * A / (beta * B).

Definition mean_direction_norm (x : R) : R := 2 * x * x - 1.

Definition intra_class_cosine (x : R) : R := Rmax (2 * x * x - 1) 0 * Rmax (2 * x * x - 1) 0.

(** * Means and inner products *)

Lemma mean_ext n f g : (forall i, (i < n)%nat -> f i = g i) -> mean n f = mean n g.
Proof. intros H; unfold mean; rewrite (sum_ext n f g H); reflexivity. Qed.

Lemma mean_le n f g : (forall i, (i < n)%nat -> f i <= g i) -> mean n f <= mean n g.
Proof.
  intros H; destruct n as [| n]; [unfold mean; simpl; lra |].
  apply Rmult_le_compat_r; [| apply sum_le, H].
  left; apply Rinv_0_lt_compat, lt_0_INR; lia.
Qed.

Lemma dot_ext d x y z : (forall k, (k < d)%nat -> y k = z k) -> dot d x y = dot d x z.
Proof. intros H; apply sum_ext; intros k K; rewrite H; auto. Qed.

Lemma dot_over d x y a : dot d x (fun k => y k / a) = dot d x y / a.
Proof. unfold dot; rewrite <- sum_divide; apply sum_ext; intros; unfold Rdiv; ring. Qed.

Lemma dot_mean_r d N x (v : nat -> nat -> R) :
  dot d x (fun k => mean N (fun i => v i k)) = mean N (fun i => dot d x (v i)).
Proof. unfold mean; rewrite dot_over, dot_sum_r; reflexivity. Qed.

Lemma dot_mean_l d N x (v : nat -> nat -> R) :
  dot d (fun k => mean N (fun i => v i k)) x = mean N (fun i => dot d (v i) x).
Proof. rewrite dot_comm, dot_mean_r; apply mean_ext; intros; apply dot_comm. Qed.

Lemma cosine_directions d x y :
  dot d (fun k => x k / norm d x) (fun k => y k / norm d y) = cosine d x y.
Proof.
  rewrite dot_over, dot_comm, dot_over, dot_comm.
  unfold cosine, Rdiv; rewrite Rinv_mult; ring.
Qed.

(** ** Lemma A.3 *)

(** bnwd:lemma-a.3, printed "no feature is zero": mean cosines within a class h, and between it and
    a class g, are the inner products of the mean directions. *)
Theorem cosine_identity (N M d : nat) (h g : nat -> nat -> R) :
  mean N (fun i => mean N (fun j => cosine d (h i) (h j)))
  = dot d (mean_direction N d h) (mean_direction N d h) /\
  mean N (fun i => mean M (fun j => cosine d (h i) (g j)))
  = dot d (mean_direction N d h) (mean_direction M d g).
Proof.
  assert (H : forall K g', mean N (fun i => mean K (fun j => cosine d (h i) (g' j)))
                           = dot d (mean_direction N d h) (mean_direction K d g')).
  { intros K g'; unfold mean_direction.
    rewrite (dot_mean_l d N _ (fun i k => h i k / norm d (h i))).
    apply mean_ext; intros i _.
    rewrite (dot_mean_r d K _ (fun j k => g' j k / norm d (g' j))).
    apply mean_ext; intros j _; symmetry; apply cosine_directions. }
  split; apply H.
Qed.

(** * Sums of ratios *)

(** bnwd:proposition-ratio-sum, corrected "sums over all N": the sum of ratios is at least
    A/sqrt B. *)
Theorem ratio_sum (N : nat) (a b : nat -> R) (B : R) :
  (forall i, (i < N)%nat -> 0 <= a i) ->
  (forall i, (i < N)%nat -> 0 < b i) ->
  sum N (fun i => b i * b i) <= B ->
  least_ratio_sum (sum N a) B <= sum N (fun i => a i / b i).
Proof.
  intros A P S; unfold least_ratio_sum; rewrite <- sum_divide.
  apply sum_le; intros i L; specialize (A i L); assert (Q := P i L).
  (* every b is at most sqrt B *)
  apply Rmult_le_compat_l; [assumption |]; apply Rinv_le_contravar; [assumption |].
  rewrite <- (sqrt_square (b i)) by lra; apply sqrt_le_1_alt.
  eapply Rle_trans; [| exact S].
  apply (term_le_sum N (fun i => b i * b i)); [| assumption].
  intros; apply Rle_0_sqr.
Qed.

(** bnwd:proposition-ratio-sum, corrected "bounded ratios, as Lemma A.4 has them": with ratios of
    at most beta the sum is at least A^2/(beta B). *)
Theorem ratio_sum_bounded (N : nat) (a b : nat -> R) (B beta : R) :
  (0 < N)%nat -> 0 < beta ->
  (forall i, (i < N)%nat -> 0 <= a i) ->
  (forall i, (i < N)%nat -> 0 < b i) ->
  sum N (fun i => b i * b i) <= B ->
  (forall i, (i < N)%nat -> a i / b i <= beta) ->
  bounded_ratio_sum (sum N a) B beta <= sum N (fun i => a i / b i).
Proof.
  intros N0 Beta A P S Q; unfold bounded_ratio_sum.
  set (r := fun i => a i / b i).
  assert (R0 : forall i, (i < N)%nat -> 0 <= r i).
  { intros i L; apply Rmult_le_pos; [auto | left; apply Rinv_0_lt_compat; auto]. }
  assert (C := cauchy_schwarz_sqr N r b); unfold dot in C.
  rewrite (sum_ext N (fun i => r i * b i) a) in C
    by (intros i L; unfold r; field; apply Rgt_not_eq, P, L).
  assert (R2 : sum N (fun i => r i * r i) <= beta * sum N r).
  { rewrite <- sum_scale; apply sum_le; intros i L; apply Rmult_le_compat_r; [auto | apply Q, L]. }
  assert (B0 : 0 < B).
  { eapply Rlt_le_trans; [| exact S].
    eapply Rlt_le_trans; [| apply (term_le_sum N (fun i => b i * b i) 0)]; [| | assumption].
    - apply Rmult_lt_0_compat; auto.
    - intros; apply Rle_0_sqr. }
  assert (S0 := sum_nonneg N r R0).
  apply Rmult_le_reg_r with (beta * B); [apply Rmult_lt_0_compat; assumption |].
  replace (sum N a * sum N a / (beta * B) * (beta * B)) with (sum N a * sum N a)
    by (field; lra).
  eapply Rle_trans; [exact C |].
  eapply Rle_trans;
    [apply Rmult_le_compat_l; [apply sum_nonneg; intros; apply Rle_0_sqr | exact S] |].
  replace (sum N r * (beta * B)) with (beta * sum N r * B) by ring.
  apply Rmult_le_compat_r; lra.
Qed.

(** bnwd:proposition-ratio-sum, printed "sums over all N": fails for a = (1, 0), b = (1, 1/2). *)
Theorem ratio_sum_printed_fails :
  exists (N : nat) (a b : nat -> R) (B : R),
    (forall i, (i < N)%nat -> 0 <= a i) /\
    (forall i, (i < N)%nat -> 0 < b i) /\
    sum N (fun i => b i * b i) <= B /\
    ~ printed_ratio_sum (sum N a) B N <= sum N (fun i => a i / b i).
Proof.
  exists 2%nat, (fun i => match i with O => 1 | _ => 0 end),
    (fun i => match i with O => 1 | _ => 1 / 2 end), (5 / 4).
  repeat split; [intros [| i] _; lra | intros [| i] _; lra | simpl; lra |].
  unfold printed_ratio_sum; simpl; intros H.
  replace ((0 + 1 + 0) * sqrt (1 + 1) / sqrt (5 / 4)) with (sqrt 2 / sqrt (5 / 4)) in H
    by (f_equal; rewrite ?Rplus_0_l, ?Rplus_0_r, Rmult_1_l; reflexivity).
  assert (P : 0 < sqrt (5 / 4)) by (apply sqrt_lt_R0; lra).
  assert (L : sqrt (5 / 4) < sqrt 2) by (apply sqrt_lt_1; lra).
  assert (1 < sqrt 2 / sqrt (5 / 4)).
  { apply Rmult_lt_reg_r with (sqrt (5 / 4)); [assumption |].
    unfold Rdiv; rewrite Rmult_assoc, Rinv_l, !Rmult_1_l, Rmult_1_r by lra; assumption. }
  lra.
Qed.

(** * Mean directions *)

Lemma cosine_norms d x y : cosine d x y * (norm d x * norm d y) = dot d x y.
Proof.
  unfold cosine; destruct (Req_dec (norm d x * norm d y) 0) as [Z | Z]; [| field].
  - assert (H := cauchy_schwarz_abs d x y); rewrite Z in *.
    assert (A := Rabs_pos (dot d x y)).
    rewrite Rmult_0_r; destruct (Req_dec (dot d x y) 0) as [| N]; [lra |].
    apply Rabs_pos_lt in N; lra.
  - split; intros E; apply Z; rewrite E; ring.
Qed.

Lemma cosine_range d x y : -1 <= cosine d x y <= 1.
Proof.
  assert (H := cauchy_schwarz_abs d x y); rewrite <- cosine_norms in H.
  assert (P : 0 <= norm d x * norm d y) by (apply Rmult_le_pos; apply norm_nonneg).
  destruct (Req_dec (norm d x * norm d y) 0) as [Z | Z].
  - unfold cosine; rewrite Z; unfold Rdiv; rewrite Rinv_0, Rmult_0_r; lra.
  - rewrite Rabs_mult, (Rabs_pos_eq _ P) in H.
    assert (L : Rabs (cosine d x y) <= 1)
      by (apply Rmult_le_reg_r with (norm d x * norm d y); lra).
    unfold Rabs in L; destruct (Rcase_abs (cosine d x y)); lra.
Qed.

(** The mean cosine with u is the inner product of its direction with the mean direction. *)
Lemma dot_mean_direction N d u v :
  dot d u (mean_direction N d v) = norm d u * mean N (fun i => cosine d u (v i)).
Proof.
  unfold mean_direction; rewrite (dot_mean_r d N u (fun i k => v i k / norm d (v i))).
  unfold mean; rewrite (sum_ext N _ (fun i => norm d u * cosine d u (v i)));
    [rewrite sum_scale; unfold Rdiv; ring |].
  intros i _; rewrite dot_over.
  destruct (Req_dec (norm d (v i)) 0) as [Z | Z].
  - unfold cosine; rewrite Z, Rmult_0_r; unfold Rdiv; rewrite Rinv_0; ring.
  - rewrite <- cosine_norms; field; assumption.
Qed.

Lemma square_of_root_mean N d v alpha :
  (0 < N)%nat -> root_mean_square N d v <= alpha ->
  sum N (fun i => dot d (v i) (v i)) <= INR N * (alpha * alpha).
Proof.
  intros N0 A; assert (P : 0 < INR N) by (apply lt_0_INR, N0).
  assert (M : 0 <= mean N (fun i => dot d (v i) (v i))).
  { apply Rmult_le_pos; [apply sum_nonneg; intros; apply dot_nonneg |].
    left; apply Rinv_0_lt_compat, P. }
  rewrite <- mean_sum by assumption; apply Rmult_le_compat_l; [lra |].
  rewrite <- (sqrt_sqrt _ M); unfold root_mean_square in A.
  assert (0 <= sqrt (mean N (fun i => dot d (v i) (v i)))) by apply sqrt_pos. nra.
Qed.

(** ** Lemma A.4 *)

(** bnwd:lemma-a.4, sharp "mean cosine, every c >= 0": a mean inner product of u and the v bounds
    their mean cosine from below. *)
Theorem least_mean_cosine
    (N d : nat) (u : nat -> R) (v : nat -> nat -> R) (alpha beta c : R) :
  (0 < N)%nat -> 0 < alpha -> 0 < beta ->
  root_mean_square N d v <= alpha ->
  norm d u <= beta ->
  c <= mean N (fun i => dot d u (v i)) ->
  0 <= c ->
  mean_direction_norm (c / (alpha * beta)) <= mean N (fun i => cosine d u (v i)).
Proof.
  intros N0 A B Av Bu C C0; assert (P : 0 < INR N) by (apply lt_0_INR, N0).
  set (r := fun i => cosine d u (v i)); set (p := fun i => Rmax (r i) 0).
  (* Cauchy-Schwarz for the positive parts p of the cosines and the norms of the v *)
  assert (S : INR N * c <= norm d u * dot N p (fun i => norm d (v i))).
  { apply Rle_trans with (INR N * mean N (fun i => dot d u (v i)));
      [apply Rmult_le_compat_l; lra |].
    rewrite mean_sum by assumption; unfold dot at 2; rewrite <- sum_scale.
    apply sum_le; intros i _; rewrite <- cosine_norms.
    fold (r i); assert (r i <= p i) by apply Rmax_l.
    assert (0 <= norm d u * norm d (v i)) by (apply Rmult_le_pos; apply norm_nonneg). nra. }
  assert (CS := cauchy_schwarz_sqr N p (fun i => norm d (v i))).
  assert (V := square_of_root_mean N d v alpha N0 Av).
  unfold dot at 4 in CS.
  rewrite (sum_ext N (fun i => norm d (v i) * norm d (v i)) (fun i => dot d (v i) (v i))) in CS
    by (intros; apply norm_sqr).
  assert (PP : 0 <= dot N p p) by apply dot_nonneg.
  assert (U := norm_nonneg d u).
  assert (T : (INR N * c) * (INR N * c)
              <= (beta * beta) * (dot N p p * (INR N * (alpha * alpha)))).
  { set (D := dot N p (fun i => norm d (v i))) in *.
    apply Rle_trans with ((norm d u * D) * (norm d u * D)).
    - assert (0 <= INR N * c) by (apply Rmult_le_pos; lra). apply Rmult_le_compat; assumption.
    - replace (norm d u * D * (norm d u * D)) with ((norm d u * norm d u) * (D * D)) by ring.
      apply Rmult_le_compat; [nra | apply Rle_0_sqr | nra |].
      eapply Rle_trans; [exact CS |]; apply Rmult_le_compat_l; assumption. }
  assert (X : INR N * (c / (alpha * beta) * (c / (alpha * beta))) <= dot N p p).
  { apply Rmult_le_reg_r with (INR N * ((alpha * beta) * (alpha * beta))).
    - repeat apply Rmult_lt_0_compat; assumption.
    - replace (INR N * (c / (alpha * beta) * (c / (alpha * beta)))
               * (INR N * (alpha * beta * (alpha * beta)))) with (INR N * c * (INR N * c))
        by (field; lra).
      eapply Rle_trans; [exact T |]; right; ring. }
  (* every cosine r is at least 2 p^2 - 1 *)
  assert (Q : 2 * dot N p p - INR N <= sum N r).
  { unfold dot; rewrite <- sum_scale.
    replace (INR N) with (sum N (fun _ => 1)) by (rewrite sum_const; ring).
    rewrite <- sum_minus; apply sum_le; intros i _.
    destruct (cosine_range d u (v i)) as [L1 L2]; fold (r i) in L1, L2.
    unfold p, Rmax; destruct (Rle_dec (r i) 0); nra. }
  unfold mean_direction_norm; apply Rmult_le_reg_l with (INR N); [assumption |].
  rewrite mean_sum by assumption; fold r; nra.
Qed.

(** bnwd:lemma-a.4, printed "mean of the squared norms": and the norm of their mean direction. *)
Theorem mean_direction_bound
    (N d : nat) (u : nat -> R) (v : nat -> nat -> R) (alpha beta c : R) :
  (0 < N)%nat -> 0 < alpha -> 0 < beta ->
  root_mean_square N d v <= alpha ->
  norm d u <= beta ->
  c <= mean N (fun i => dot d u (v i)) ->
  alpha * beta / sqrt 2 <= c ->
  mean_direction_norm (c / (alpha * beta)) <= norm d (mean_direction N d v).
Proof.
  intros N0 A B Av Bu C C0.
  assert (R2 : 0 < sqrt 2) by (apply sqrt_lt_R0; lra).
  assert (AB : 0 < alpha * beta) by (apply Rmult_lt_0_compat; assumption).
  assert (0 < alpha * beta / sqrt 2) by (apply Rdiv_lt_0_compat; assumption).
  eapply Rle_trans; [apply (least_mean_cosine N d u v alpha beta c); auto; lra |].
  (* u is not zero *)
  assert (U : 0 < norm d u).
  { destruct (norm_nonneg d u) as [L | Z]; [assumption | exfalso].
    assert (mean N (fun i => dot d u (v i)) = 0).
    { unfold mean; rewrite sum_zero; [unfold Rdiv; ring |].
      intros i _; rewrite <- cosine_norms, <- Z; ring. }
    lra. }
  apply Rmult_le_reg_l with (norm d u); [assumption |].
  rewrite <- dot_mean_direction; apply cauchy_schwarz.
Qed.

(** bnwd:lemma-a.4, corrected "squared norm, last line of the proof": the intra-class cosine is
    at least the square of that. *)
Theorem intra_class_cosine_bound
    (N d : nat) (u : nat -> R) (v : nat -> nat -> R) (alpha beta c : R) :
  (0 < N)%nat -> 0 < alpha -> 0 < beta ->
  root_mean_square N d v <= alpha ->
  norm d u <= beta ->
  c <= mean N (fun i => dot d u (v i)) ->
  alpha * beta / sqrt 2 <= c ->
  intra_class_cosine (c / (alpha * beta))
  <= dot d (mean_direction N d v) (mean_direction N d v).
Proof.
  intros N0 A B Av Bu C C0.
  assert (H := mean_direction_bound N d u v alpha beta c N0 A B Av Bu C C0).
  unfold mean_direction_norm in H; rewrite <- norm_sqr; unfold intra_class_cosine.
  assert (P := norm_nonneg d (mean_direction N d v)).
  assert (M : Rmax (2 * (c / (alpha * beta)) * (c / (alpha * beta)) - 1) 0
              <= norm d (mean_direction N d v)) by (apply Rmax_lub; assumption).
  apply Rmult_le_compat; auto using Rmax_r.
Qed.

(** ** Corollary A.2 *)

(** bnwd:corollary-a.2, printed "mean of the squared norms": the norm of the mean bounds that of
    the mean direction. *)
Theorem mean_direction_from_mean (N d : nat) (v : nat -> nat -> R) (alpha c : R) :
  (0 < N)%nat -> 0 < alpha ->
  root_mean_square N d v <= alpha ->
  c <= norm d (mean_vector N v) ->
  0 <= c ->
  mean_direction_norm (c / alpha) <= norm d (mean_direction N d v).
Proof.
  intros N0 A Av C C0; set (m := mean_vector N v) in *.
  destruct (norm_nonneg d m) as [M | Z].
  - assert (I : mean N (fun i => dot d m (v i)) = norm d m * norm d m)
      by (rewrite norm_sqr; unfold m at 3, mean_vector; symmetry; apply dot_mean_r).
    assert (H := least_mean_cosine N d m v alpha (norm d m) (norm d m * norm d m)).
    assert (K : norm d m * mean N (fun i => cosine d m (v i))
                <= norm d m * norm d (mean_direction N d v))
      by (rewrite <- dot_mean_direction; apply cauchy_schwarz).
    apply Rmult_le_reg_l in K; [| assumption].
    eapply Rle_trans; [| eapply Rle_trans; [apply H | exact K]]; auto; try lra; [| nra].
    unfold mean_direction_norm.
    replace (norm d m * norm d m / (alpha * norm d m)) with (norm d m / alpha) by (field; lra).
    assert (0 <= c / alpha) by (apply Rmult_le_pos; [| left; apply Rinv_0_lt_compat]; lra).
    assert (c / alpha <= norm d m / alpha)
      by (apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat |]; lra).
    nra.
  - replace c with 0 by lra; unfold mean_direction_norm, Rdiv; rewrite Rmult_0_l.
    assert (P := norm_nonneg d (mean_direction N d v)); lra.
Qed.

(** * What fails *)

Lemma norm_line x : norm 1 x = Rabs (x O).
Proof. unfold norm, dot; simpl; rewrite Rplus_0_l; apply sqrt_Rsqr_abs. Qed.

Lemma over_root_2 a c : a <= c * (7 / 5) -> 0 <= c -> a / sqrt 2 <= c.
Proof.
  intros H C.
  assert (R : 7 / 5 <= sqrt 2)
    by (rewrite <- (sqrt_square (7 / 5)) by lra; apply sqrt_le_1_alt; lra).
  apply Rmult_le_reg_r with (sqrt 2); [lra |].
  replace (a / sqrt 2 * sqrt 2) with a by (field; lra). nra.
Qed.

(** Three vectors 1 and one -1 on the line. *)
Definition one_against_three (i k : nat) : R := if Nat.eq_dec i 3 then -1 else 1.

Lemma one_against_three_norm i : norm 1 (one_against_three i) = 1.
Proof.
  rewrite norm_line; unfold one_against_three.
  destruct (Nat.eq_dec i 3); [rewrite Rabs_left by lra; ring | apply Rabs_R1].
Qed.

Lemma sqrt_4 : sqrt (INR 4) = 2.
Proof. replace (INR 4) with (2 * 2) by (simpl; ring); apply sqrt_square; lra. Qed.

Lemma one_against_three_direction : norm 1 (mean_direction 4 1 one_against_three) = 1 / 2.
Proof.
  rewrite norm_line; unfold mean_direction.
  rewrite (mean_ext 4 _ (fun i => one_against_three i 0))
    by (intros; rewrite one_against_three_norm; field).
  unfold mean, one_against_three; simpl; rewrite Rabs_pos_eq; lra.
Qed.

(** bnwd:lemma-a.4, printed "every norm, as typeset": fails without the sum over the samples. *)
Theorem mean_direction_typeset_fails :
  exists (N d : nat) (u : nat -> R) (v : nat -> nat -> R) (alpha beta c : R),
    (0 < N)%nat /\ 0 < alpha /\ 0 < beta /\
    (forall i, (i < N)%nat -> norm d (v i) / sqrt (INR N) <= alpha) /\
    norm d u <= beta /\
    c <= mean N (fun i => dot d u (v i)) /\
    alpha * beta / sqrt 2 <= c /\ c <= alpha * beta /\
    ~ mean_direction_norm (c / (alpha * beta)) <= norm d (mean_direction N d v).
Proof.
  exists 4%nat, 1%nat, (fun _ => 1), one_against_three, (1 / 2), 1, (1 / 2).
  repeat split; try lra; try lia.
  - intros i _; rewrite one_against_three_norm, sqrt_4; lra.
  - rewrite norm_line, Rabs_R1; lra.
  - unfold mean, dot, one_against_three; simpl; lra.
  - apply over_root_2; lra.
  - rewrite one_against_three_direction; unfold mean_direction_norm.
    replace (1 / 2 / (1 / 2 * 1)) with 1 by field; lra.
Qed.

(** bnwd:corollary-a.2, printed "every norm, as typeset": fails in the same way. *)
Theorem mean_direction_from_mean_typeset_fails :
  exists (N d : nat) (v : nat -> nat -> R) (alpha c : R),
    (0 < N)%nat /\ 0 < alpha /\
    (forall i, (i < N)%nat -> norm d (v i) / sqrt (INR N) <= alpha) /\
    c <= norm d (mean_vector N v) /\
    0 <= c /\ c <= alpha /\
    ~ mean_direction_norm (c / alpha) <= norm d (mean_direction N d v).
Proof.
  exists 4%nat, 1%nat, one_against_three, (1 / 2), (1 / 2).
  repeat split; try lra; try lia.
  - intros i _; rewrite one_against_three_norm, sqrt_4; lra.
  - rewrite norm_line; unfold mean_vector, mean, one_against_three; simpl.
    rewrite Rabs_pos_eq; lra.
  - rewrite one_against_three_direction; unfold mean_direction_norm.
    replace (1 / 2 / (1 / 2)) with 1 by field; lra.
Qed.

(** bnwd:lemma-a.4, printed "squared norm, last line of the proof": fails for u = 1 and
    v = (1, 1, -1/100). *)
Theorem squared_norm_printed_fails :
  exists (N d : nat) (u : nat -> R) (v : nat -> nat -> R) (alpha beta c : R),
    (0 < N)%nat /\ 0 < alpha /\ 0 < beta /\
    root_mean_square N d v <= alpha /\
    norm d u <= beta /\
    c <= mean N (fun i => dot d u (v i)) /\
    alpha * beta / sqrt 2 <= c /\ c <= alpha * beta /\
    ~ 1 - dot d (mean_direction N d v) (mean_direction N d v)
      <= 1 - mean_direction_norm (c / (alpha * beta)).
Proof.
  set (v := fun i k : nat => if Nat.eq_dec i 2 then -1 / 100 else 1).
  exists 3%nat, 1%nat, (fun _ => 1), v, (53 / 64), 1, (21 / 32).
  repeat split; try lra; try lia.
  - unfold root_mean_square; rewrite <- (sqrt_square (53 / 64)) by lra.
    apply sqrt_le_1_alt; unfold mean, dot, v; simpl; lra.
  - rewrite norm_line, Rabs_R1; lra.
  - unfold mean, dot, v; simpl; lra.
  - apply over_root_2; lra.
  - assert (M : mean_direction 3 1 v 0 = 1 / 3).
    { unfold mean_direction; rewrite (mean_ext 3 _ (fun i => if Nat.eq_dec i 2 then -1 else 1)).
      - unfold mean; simpl; lra.
      - intros i _; rewrite norm_line; unfold v; destruct (Nat.eq_dec i 2).
        + rewrite Rabs_left by lra; field.
        + rewrite Rabs_R1; field. }
    unfold dot, mean_direction_norm; simpl; rewrite M; lra.
Qed.
