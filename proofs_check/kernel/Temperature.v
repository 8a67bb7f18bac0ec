(** Cross-entropy at a temperature against the largest gap: log-sum-exp is nearly a maximum.

    In a layer the weights are w_k and the features h_(k,i), with logits <w_j, h_(k,i)>; the HardMax
    of the layer is the largest of all gaps <w_j - w_k, h_(k,i)>, j other than k. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Hull.
Open Scope R_scope.

(** log(1 + e^x). *)
Definition softplus (x : R) : R := ln (1 + exp x).

Lemma softplus_pos x : 0 < softplus x.
Proof. rewrite <- ln_1; apply ln_increasing; [lra |]. assert (H := exp_pos x); lra. Qed.

Lemma exp_le x y : x <= y -> exp x <= exp y.
Proof.
  intros [L | ->]; [left; apply exp_increasing, L | right; reflexivity].
Qed.

Lemma ln_le x y : 0 < x -> x <= y -> ln x <= ln y.
Proof.
  intros P [L | ->]; [left; apply ln_increasing; assumption | right; reflexivity].
Qed.

Lemma softplus_le x y : x <= y -> softplus x <= softplus y.
Proof.
  intros L; apply ln_le; [assert (H := exp_pos x); lra |]. assert (H := exp_le x y L); lra.
Qed.

(** Convexity as a tangent: (1 - s) + s e^y >= e^(s y), at s = e^x0 / (1 + e^x0). *)
Lemma softplus_tangent x x0 :
  softplus x0 + exp x0 / (1 + exp x0) * (x - x0) <= softplus x.
Proof.
  assert (P0 := exp_pos x0); assert (P := exp_pos x).
  set (s := exp x0 / (1 + exp x0)); set (y := x - x0).
  assert (S0 : 0 < s) by (apply Rdiv_lt_0_compat; lra).
  assert (S1 : 1 - s = 1 / (1 + exp x0)) by (unfold s; field; lra).
  assert (S2 : 0 < 1 - s) by (rewrite S1; apply Rdiv_lt_0_compat; lra).
  assert (E1 := exp_ineq1_le (- (s * y))); assert (E2 := exp_ineq1_le ((1 - s) * y)).
  assert (G : exp (s * y) <= (1 - s) + s * exp y).
  { replace (exp y) with (exp (s * y) * exp ((1 - s) * y)) by (rewrite <- exp_plus; f_equal; ring).
    assert (I : exp (s * y) * exp (- (s * y)) = 1)
      by (rewrite <- exp_plus, Rplus_opp_r; apply exp_0).
    assert (Q := exp_pos (s * y)).
    assert (1 <= (1 - s) * exp (- (s * y)) + s * exp ((1 - s) * y)) by nra.
    replace (1 - s + s * (exp (s * y) * exp ((1 - s) * y)))
      with (exp (s * y) * ((1 - s) * exp (- (s * y)) + s * exp ((1 - s) * y)))
      by (transitivity ((1 - s) * (exp (s * y) * exp (- (s * y)))
                        + s * (exp (s * y) * exp ((1 - s) * y))); [ring | rewrite I; ring]).
    nra. }
  unfold softplus.
  replace (s * y) with (ln (exp (s * y))) by apply ln_exp.
  rewrite <- ln_mult; [| lra | apply exp_pos].
  apply ln_le; [apply Rmult_lt_0_compat; [lra | apply exp_pos] |].
  apply Rle_trans with ((1 + exp x0) * ((1 - s) + s * exp y)).
  - apply Rmult_le_compat_l; lra.
  - right; rewrite S1; unfold s, y.
    replace (exp x) with (exp x0 * exp (x - x0)) by (rewrite <- exp_plus; f_equal; ring).
    field; lra.
Qed.

(** Jensen: softplus of a mean. *)
Lemma softplus_mean n f :
  (1 <= n)%nat -> softplus (mean n f) <= mean n (fun i => softplus (f i)).
Proof.
  intros N; assert (P : 0 < INR n) by (apply lt_0_INR; lia).
  set (m := mean n f); set (s := exp m / (1 + exp m)).
  assert (M : INR n * m = sum n f) by (apply mean_sum; lia).
  unfold mean; apply Rmult_le_reg_r with (INR n); [exact P |].
  unfold Rdiv; rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
  apply Rle_trans with (sum n (fun i => softplus m + s * (f i - m))).
  - rewrite sum_plus, sum_const, sum_scale, sum_minus, sum_const; rewrite <- M; right; ring.
  - apply sum_le; intros i _; apply softplus_tangent.
Qed.

Lemma sum_first n f : sum (S n) f = f 0%nat + sum n (fun j => f (S j)).
Proof.
  induction n as [| n IH]; [simpl; ring |].
  change (sum (S (S n)) f) with (sum (S n) f + f (S n)); rewrite IH; simpl; ring.
Qed.

Lemma sum_pos n f : (1 <= n)%nat -> (forall i, (i < n)%nat -> 0 < f i) -> 0 < sum n f.
Proof.
  intros N P; assert (L := term_le_sum n f 0 (fun i I => Rlt_le _ _ (P i I)) ltac:(lia)).
  assert (H := P 0%nat ltac:(lia)); lra.
Qed.

(** * One sample *)

(** -log of the share of the first of K logits at the temperature tau. *)
Definition tempered_loss (K : nat) (tau : R) (z : nat -> R) : R :=
  ln (sum K (fun j => exp (z j / tau))) - z 0%nat / tau.

(** The same from the gaps to the other logits. *)
Definition loss_of_gaps (K : nat) (tau : R) (z : nat -> R) : R :=
  ln (1 + sum (K - 1) (fun j => exp ((z (S j) - z 0%nat) / tau))).

Lemma rivals_sum_nonneg K tau z : 0 <= sum (K - 1) (fun j => exp ((z (S j) - z 0%nat) / tau)).
Proof. apply sum_nonneg; intros; apply Rlt_le, exp_pos. Qed.

Lemma loss_from_gaps K tau z :
  (1 <= K)%nat -> 0 < tau -> tempered_loss K tau z = loss_of_gaps K tau z.
Proof.
  intros H T; unfold tempered_loss, loss_of_gaps.
  replace (z 0%nat / tau) with (ln (exp (z 0%nat / tau))) at 1 by apply ln_exp.
  replace (sum K (fun j => exp (z j / tau)))
    with (exp (z 0%nat / tau)
          * (1 + sum (K - 1) (fun j => exp ((z (S j) - z 0%nat) / tau)))).
  - rewrite ln_mult; [ring | apply exp_pos |].
    assert (P := rivals_sum_nonneg K tau z); lra.
  - replace K with (S (K - 1)) at 2 by lia; rewrite sum_first, Rmult_plus_distr_l, <- sum_scale.
    rewrite Rmult_1_r; f_equal; apply sum_ext; intros j _.
    rewrite <- exp_plus; f_equal; field; lra.
Qed.

(** gnc:eq-1, printed "the loss of a sample": it is not negative, depends on the gaps alone, and
    does not change when a number is added to all logits. *)
Theorem loss_of_a_sample :
  forall (K : nat) (tau shift : R) (z : nat -> R),
  (2 <= K)%nat -> 0 < tau ->
  0 <= tempered_loss K tau z /\
  tempered_loss K tau z = loss_of_gaps K tau z /\
  tempered_loss K tau (fun j => z j + shift) = tempered_loss K tau z.
Proof.
  intros K tau shift z H T; split; [| split].
  - rewrite loss_from_gaps by (lia || assumption); unfold loss_of_gaps; rewrite <- ln_1.
    apply ln_le; [lra |]. assert (P := rivals_sum_nonneg K tau z); lra.
  - apply loss_from_gaps; [lia | exact T].
  - rewrite !loss_from_gaps by (lia || assumption); unfold loss_of_gaps; do 2 f_equal.
    apply sum_ext; intros j _; do 2 f_equal; ring.
Qed.

(** gnc:eq-1, sharp "by the largest gap": the loss and tau times the loss between two functions of
    the largest gap, that of class m to the first. *)
Theorem loss_by_largest_gap :
  forall (K m : nat) (tau : R) (z : nat -> R),
  (2 <= K)%nat -> (1 <= m)%nat -> (m < K)%nat -> 0 < tau ->
  (forall j, (j < K)%nat -> (1 <= j)%nat -> z j <= z m) ->
  softplus ((z m - z 0%nat) / tau) <= loss_of_gaps K tau z /\
  loss_of_gaps K tau z <= softplus ((z m - z 0%nat) / tau + ln (INR (K - 1))) /\
  Rmax (z m - z 0%nat) 0 <= tau * loss_of_gaps K tau z /\
  tau * loss_of_gaps K tau z <= Rmax (z m - z 0%nat) 0 + tau * ln (INR K).
Proof.
  intros K m tau z K2 M1 MK T Z; set (g := z m - z 0%nat).
  assert (N : 0 < INR (K - 1)) by (apply lt_0_INR; lia).
  assert (KR : INR K = INR (K - 1) + 1) by (rewrite <- S_INR; f_equal; lia).
  assert (Eg := exp_pos (g / tau)).
  set (S_ := sum (K - 1) (fun j => exp ((z (S j) - z 0%nat) / tau))).
  assert (Low : exp (g / tau) <= S_).
  { unfold S_; replace (g / tau) with ((z (S (m - 1)) - z 0%nat) / tau)
      by (unfold g; do 3 f_equal; lia).
    apply (term_le_sum (K - 1) (fun j => exp ((z (S j) - z 0%nat) / tau))); [| lia].
    intros; apply Rlt_le, exp_pos. }
  assert (High : S_ <= INR (K - 1) * exp (g / tau)).
  { unfold S_; rewrite <- sum_const; apply sum_le; intros j J; apply exp_le.
    apply Rmult_le_compat_r; [apply Rlt_le, Rinv_0_lt_compat, T |].
    assert (H := Z (S j) ltac:(lia) ltac:(lia)); unfold g; lra. }
  assert (L1 : softplus (g / tau) <= loss_of_gaps K tau z)
    by (apply ln_le; [lra | fold S_; lra]).
  assert (L2 : loss_of_gaps K tau z <= softplus (g / tau + ln (INR (K - 1)))).
  { apply ln_le; fold S_; [lra |]. rewrite exp_plus, exp_ln by exact N; lra. }
  split; [exact L1 | split; [exact L2 | split]].
  - apply Rle_trans with (tau * softplus (g / tau)); [| apply Rmult_le_compat_l; lra].
    apply Rmax_lub.
    + apply Rle_trans with (tau * ln (exp (g / tau))); [rewrite ln_exp; right; field; lra |].
      apply Rmult_le_compat_l; [lra |]. apply ln_le; lra.
    + apply Rmult_le_pos; [lra | apply Rlt_le, softplus_pos].
  - apply Rle_trans with (tau * (Rmax g 0 / tau + ln (INR K))); [| right; field; lra].
    apply Rmult_le_compat_l; [lra |]. eapply Rle_trans; [exact L2 |].
    rewrite <- (ln_exp (Rmax g 0 / tau)), <- ln_mult by (apply exp_pos || lra).
    apply ln_le; [assert (H := exp_pos (g / tau + ln (INR (K - 1)))); lra |].
    rewrite exp_plus, exp_ln by exact N; rewrite KR.
    assert (A : exp (g / tau) <= exp (Rmax g 0 / tau)).
    { apply exp_le, Rmult_le_compat_r; [apply Rlt_le, Rinv_0_lt_compat, T | apply Rmax_l]. }
    assert (B : 1 <= exp (Rmax g 0 / tau)).
    { rewrite <- exp_0; apply exp_le; apply Rmult_le_pos; [apply Rmax_r |].
      apply Rlt_le, Rinv_0_lt_compat, T. }
    nra.
Qed.

(** * A layer *)

(** The loss of a feature h of class k. *)
Definition sample_loss (d K : nat) (tau : R) (w : nat -> nat -> R) (k : nat) (h : nat -> R) : R :=
  ln (sum K (fun j => exp (dot d (difference (w j) (w k)) h / tau))).

(** Mean over classes and their n features each. *)
Definition mean_loss (d K n : nat) (tau : R) (w : nat -> nat -> R)
  (h : nat -> nat -> nat -> R) : R :=
  mean K (fun k => mean n (fun i => sample_loss d K tau w k (h k i))).

Lemma own_gap d (w : nat -> nat -> R) (k : nat) (h : nat -> R) tau :
  exp (dot d (difference (w k) (w k)) h / tau) = 1.
Proof. rewrite dot_difference_l; unfold Rminus, Rdiv; rewrite Rplus_opp_r, Rmult_0_l;
  apply exp_0. Qed.

Lemma two_terms_le_sum n f i j :
  (forall k, (k < n)%nat -> 0 <= f k) -> (i < n)%nat -> (j < n)%nat -> j <> i ->
    f i + f j <= sum n f.
Proof.
  intros P I J N.
  replace (f i + f j) with
    (sum n (fun k => (if Nat.eq_dec k i then f i else 0) + (if Nat.eq_dec k j then f j else 0)))
    by (rewrite sum_plus, !sum_single by assumption; reflexivity).
  apply sum_le; intros k Hk; assert (H := P k Hk).
  destruct (Nat.eq_dec k i), (Nat.eq_dec k j); subst; try lia; lra.
Qed.

(** A sample's loss is at least that of any one rival. *)
Lemma sample_loss_at_least d K tau w k j h :
  (k < K)%nat -> (j < K)%nat -> j <> k ->
  softplus (dot d (difference (w j) (w k)) h / tau) <= sample_loss d K tau w k h.
Proof.
  intros Hk Hj N; apply ln_le;
    [assert (H := exp_pos (dot d (difference (w j) (w k)) h / tau)); lra |].
  assert (L := two_terms_le_sum K (fun j => exp (dot d (difference (w j) (w k)) h / tau)) k j
                 (fun i _ => Rlt_le _ _ (exp_pos _)) Hk Hj N).
  cbv beta in L; rewrite own_gap in L; exact L.
Qed.

Lemma sample_loss_nonneg d K tau w k h : (k < K)%nat -> 0 <= sample_loss d K tau w k h.
Proof.
  intros Hk; unfold sample_loss; rewrite <- ln_1; apply ln_le; [lra |].
  rewrite <- (own_gap d w k h tau).
  apply (term_le_sum K (fun j => exp (dot d (difference (w j) (w k)) h / tau)));
    [intros; apply Rlt_le, exp_pos | exact Hk].
Qed.

Lemma mean_nonneg n f : (1 <= n)%nat -> (forall i, (i < n)%nat -> 0 <= f i) -> 0 <= mean n f.
Proof.
  intros N P; apply Rmult_le_pos; [apply sum_nonneg, P |].
  apply Rlt_le, Rinv_0_lt_compat, lt_0_INR; lia.
Qed.

Lemma mean_le n f g :
  (1 <= n)%nat -> (forall i, (i < n)%nat -> f i <= g i) -> mean n f <= mean n g.
Proof.
  intros N L; apply Rmult_le_compat_r; [apply Rlt_le, Rinv_0_lt_compat, lt_0_INR; lia |].
  apply sum_le, L.
Qed.

Lemma mean_const n c : (1 <= n)%nat -> mean n (fun _ => c) = c.
Proof. intros N; unfold mean; rewrite sum_const; field; apply not_0_INR; lia. Qed.

(** A term is at most n times the mean. *)
Lemma term_le_mean n f i :
  (forall j, (j < n)%nat -> 0 <= f j) -> (i < n)%nat -> f i <= INR n * mean n f.
Proof. intros P I; rewrite mean_sum by lia; apply term_le_sum; assumption. Qed.

(** gnc:lemma-3.1, sharp "guarantee from the loss", worst sample: no gap of a layer is larger than
    n K times its mean loss allows. *)
Theorem worst_sample :
  forall (d K n k i j : nat) (tau : R) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R),
  (k < K)%nat -> (j < K)%nat -> j <> k -> (i < n)%nat ->
  softplus (dot d (difference (w j) (w k)) (h k i) / tau)
  <= INR n * INR K * mean_loss d K n tau w h.
Proof.
  intros d K n k i j tau w h Hk Hj N Hi.
  eapply Rle_trans; [apply (sample_loss_at_least d K tau w k j (h k i)); assumption |].
  eapply Rle_trans; [apply (term_le_mean n (fun i => sample_loss d K tau w k (h k i)) i);
    [intros; apply sample_loss_nonneg, Hk | exact Hi] |].
  rewrite Rmult_assoc; apply Rmult_le_compat_l; [apply pos_INR |].
  apply (term_le_mean K (fun k => mean n (fun i => sample_loss d K tau w k (h k i)))); [| exact Hk].
  intros a A; apply mean_nonneg; [lia |]. intros; apply sample_loss_nonneg, A.
Qed.

(** gnc:lemma-3.1, sharp "guarantee from the loss", mean loss: it is at most what the largest gap M
    allows. *)
Theorem mean_loss_at_most :
  forall (d K n : nat) (tau M : R) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R),
  (2 <= K)%nat -> (1 <= n)%nat -> 0 < tau ->
  (forall k i j, (k < K)%nat -> (i < n)%nat -> (j < K)%nat -> j <> k ->
     dot d (difference (w j) (w k)) (h k i) <= M) ->
  mean_loss d K n tau w h <= softplus (M / tau + ln (INR (K - 1))).
Proof.
  intros d K n tau M w h K2 N T G.
  assert (P : 0 < INR (K - 1)) by (apply lt_0_INR; lia).
  assert (KR : INR K = INR (K - 1) + 1) by (rewrite <- S_INR; f_equal; lia).
  unfold mean_loss; rewrite <- (mean_const K (softplus (M / tau + ln (INR (K - 1))))) by lia.
  apply mean_le; [lia |]; intros k Hk.
  rewrite <- (mean_const n (softplus (M / tau + ln (INR (K - 1))))) by lia.
  apply mean_le; [exact N |]; intros i Hi.
  apply ln_le; [apply sum_pos; [lia | intros; apply exp_pos] |].
  rewrite exp_plus, exp_ln by exact P.
  apply Rle_trans with (sum K (fun j => exp (M / tau)
                                + (if Nat.eq_dec j k then 1 - exp (M / tau) else 0))).
  - apply sum_le; intros j Hj; destruct (Nat.eq_dec j k) as [-> | D]; [rewrite own_gap; lra |].
    rewrite Rplus_0_r; apply exp_le, Rmult_le_compat_r; [apply Rlt_le, Rinv_0_lt_compat, T |].
    apply G; assumption.
  - rewrite sum_plus, sum_const, sum_single, KR by exact Hk; right; ring.
Qed.

(** The largest of some numbers is at least any weighted mean. *)
Lemma some_at_least_mean K k a f :
  weights_of_others K k a ->
  exists j, (j < K)%nat /\ j <> k /\ sum K (fun j => a j * f j) <= f j.
Proof.
  intros (A0 & Ak & A1); set (m := sum K (fun j => a j * f j)).
  assert (Dec : (exists j, (j < K)%nat /\ j <> k /\ m <= f j) \/
                (forall j, (j < K)%nat -> j <> k -> f j < m)).
  { clearbody m; clear; induction K as [| K IH]; [right; intros; lia |].
    destruct IH as [(j & J & N & L) | A]; [left; exists j; split; [lia | auto] |].
    destruct (Nat.eq_dec K k) as [-> | N].
    - right; intros j J Nj; apply A; [lia | exact Nj].
    - destruct (Rle_or_lt m (f K)) as [L | L]; [left; exists K; auto |].
      right; intros j J Nj; destruct (Nat.eq_dec j K) as [-> |];
        [exact L | apply A; [lia | auto]]. }
  destruct Dec as [E | A]; [exact E | exfalso].
  (* some weight is positive, so the mean would be less than itself *)
  assert (L : sum K (fun j => a j * (m - f j)) <= 0).
  { rewrite (sum_ext K _ (fun j => a j * m - a j * f j)) by (intros; ring).
    rewrite sum_minus, sum_scale_r, A1; fold m; lra. }
  assert (Z : forall j, (j < K)%nat -> a j = 0).
  { intros j J; destruct (Nat.eq_dec j k) as [-> | N]; [exact Ak |].
    assert (T := term_le_sum K (fun j => a j * (m - f j)) j).
    assert (Q : a j * (m - f j) <= 0).
    { apply Rle_trans with (sum K (fun j => a j * (m - f j))); [| exact L]; apply T; [| exact J].
      intros i I; destruct (Nat.eq_dec i k) as [-> | Ni]; [rewrite Ak; lra |].
      apply Rmult_le_pos; [apply A0, I | assert (H := A i I Ni); lra]. }
    assert (H := A j J N); assert (H' := A0 j J). nra. }
  rewrite (sum_zero K a Z) in A1; lra.
Qed.

(** The loss of a class is at least that at the mean gap to a point of the hull of the others. *)
Lemma sample_loss_by_hull d K tau w k a h :
  (k < K)%nat -> 0 < tau -> weights_of_others K k a ->
  softplus (- dot d (difference (w k) (combination K a w)) h / tau) <= sample_loss d K tau w k h.
Proof.
  intros Hk T A.
  destruct (some_at_least_mean K k a (fun j => dot d (difference (w j) (w k)) h) A)
    as (j & J & N & L).
  eapply Rle_trans; [| apply (sample_loss_at_least d K tau w k j h); assumption].
  apply softplus_le, Rmult_le_compat_r; [apply Rlt_le, Rinv_0_lt_compat, T |].
  eapply Rle_trans; [| exact L]; rewrite (gap_of_combination d K k w a h A).
  right; rewrite <- (Rmult_1_l (sum K _)), <- Ropp_mult_distr_l_reverse, <- sum_scale.
  apply sum_ext; intros i _; rewrite !dot_difference_l; ring.
Qed.

(** gnc:lemma-3.1, sharp "guarantee from the loss", class by class: the mean loss of a class bounds
    the distance of w_k from the hull of the others, times the length of its mean feature. *)
Theorem distance_from_class_loss :
  forall (d K n k : nat) (tau : R) (w : nat -> nat -> R) (a : nat -> R) (h : nat -> nat -> R),
  (k < K)%nat -> (1 <= n)%nat -> 0 < tau ->
  weights_of_others K k a ->
  softplus (- norm d (difference (w k) (combination K a w)) * norm d
    (fun l => mean n (fun i => h i l))
            / tau)
  <= mean n (fun i => sample_loss d K tau w k (h i)).
Proof.
  intros d K n k tau w a h Hk N T A; set (x := difference (w k) (combination K a w)).
  assert (P : 0 < INR n) by (apply lt_0_INR; lia).
  apply Rle_trans with (softplus (mean n (fun i => - dot d x (h i) / tau))).
  - apply softplus_le.
    replace (mean n (fun i => - dot d x (h i) / tau))
      with (- dot d x (fun l => mean n (fun i => h i l)) / tau).
    + apply Rmult_le_compat_r; [apply Rlt_le, Rinv_0_lt_compat, T |].
      assert (C := cauchy_schwarz d x (fun l => mean n (fun i => h i l))); lra.
    + unfold mean; rewrite (sum_ext n (fun i => - dot d x (h i) / tau)
                              (fun i => (-1 / tau) * dot d x (h i))) by (intros; field; lra).
      rewrite sum_scale, <- dot_sum_r; unfold Rdiv.
      rewrite (dot_comm d x (fun l => sum n (fun i => h i l) * / INR n)).
      rewrite (dot_ext d _ (fun l => / INR n * sum n (fun i => h i l)) x x)
        by (intros; auto; ring).
      rewrite dot_scale_l, (dot_comm d x); field; lra.
  - eapply Rle_trans; [apply (softplus_mean n (fun i => - dot d x (h i) / tau) N) |].
    apply mean_le; [exact N |]; intros i _; apply sample_loss_by_hull; assumption.
Qed.

(** A class's mean loss bounds its distance, for unit features. *)
Lemma class_distance d K n k tau w a h :
  (k < K)%nat -> (1 <= n)%nat -> 0 < tau -> weights_of_others K k a ->
  (forall i, (i < n)%nat -> dot d (h i) (h i) = 1) ->
  softplus (- norm d (difference (w k) (combination K a w)) / tau)
  <= mean n (fun i => sample_loss d K tau w k (h i)).
Proof.
  intros Hk N T A U; set (D := norm d (difference (w k) (combination K a w))).
  rewrite <- (mean_const n (softplus (- D / tau))) by exact N; apply mean_le; [exact N |].
  intros i Hi; eapply Rle_trans; [| apply (sample_loss_by_hull d K tau w k a); assumption].
  apply softplus_le, Rmult_le_compat_r; [apply Rlt_le, Rinv_0_lt_compat, T |].
  assert (C := cauchy_schwarz d (difference (w k) (combination K a w)) (h i)).
  unfold norm at 2 in C; rewrite (U i Hi), sqrt_1 in C; fold D in C; lra.
Qed.

(** gnc:lemma-3.1, sharp "guarantee from the loss", least distance: K times the mean loss bounds
    every distance from the hull of the others, for unit features. *)
Theorem least_distance_from_loss :
  forall (d K n k : nat) (tau : R) (w : nat -> nat -> R) (a : nat -> R)
    (h : nat -> nat -> nat -> R),
  (k < K)%nat -> (1 <= n)%nat -> 0 < tau ->
  weights_of_others K k a ->
  (forall k i, (k < K)%nat -> (i < n)%nat -> dot d (h k i) (h k i) = 1) ->
  softplus (- norm d (difference (w k) (combination K a w)) / tau)
  <= INR K * mean_loss d K n tau w h.
Proof.
  intros d K n k tau w a h Hk N T A U.
  eapply Rle_trans; [apply (class_distance d K n k tau w a (h k)); auto |].
  apply (term_le_mean K (fun k => mean n (fun i => sample_loss d K tau w k (h k i)))); [| exact Hk].
  intros b B; apply mean_nonneg; [lia |]. intros; apply sample_loss_nonneg, B.
Qed.

(** gnc:lemma-3.1, sharp "guarantee from the loss", mean distance. *)
Theorem mean_distance_from_loss :
  forall (d K n : nat) (tau : R) (w a : nat -> nat -> R) (h : nat -> nat -> nat -> R),
  (1 <= K)%nat -> (1 <= n)%nat -> 0 < tau ->
  (forall k, (k < K)%nat -> weights_of_others K k (a k)) ->
  (forall k i, (k < K)%nat -> (i < n)%nat -> dot d (h k i) (h k i) = 1) ->
  softplus (- mean K (fun k => norm d (difference (w k) (combination K (a k) w))) / tau)
  <= mean_loss d K n tau w h.
Proof.
  intros d K n tau w a h K1 N T A U.
  set (D := fun k => norm d (difference (w k) (combination K (a k) w))).
  apply Rle_trans with (mean K (fun k => softplus (- D k / tau))).
  - assert (E : - mean K D / tau = mean K (fun k => - D k / tau)).
    { unfold mean; rewrite (sum_ext K (fun k => - D k / tau) (fun k => (-1 / tau) * D k))
        by (intros; field; lra).
      rewrite sum_scale; assert (INR K <> 0) by (apply not_0_INR; lia); field; split; lra. }
    change (softplus (- mean K D / tau) <= mean K (fun k => softplus (- D k / tau))).
    rewrite E; apply softplus_mean, K1.
  - apply mean_le; [exact K1 |]; intros k Hk;
      apply (class_distance d K n k tau w (a k) (h k)); auto.
Qed.

(** gnc:lemma-3.1, sharp "rate for every temperature", HardMax: a layer whose loss is within epsilon
    of a competitor's has no larger gap than the HardMax M of the competitor allows. *)
Theorem hardmax_rate :
  forall (d K n k i j : nat) (tau M epsilon : R) (w v : nat -> nat -> R)
    (h g : nat -> nat -> nat -> R),
  (2 <= K)%nat -> (1 <= n)%nat -> 0 < tau ->
  (forall k i j, (k < K)%nat -> (i < n)%nat -> (j < K)%nat -> j <> k ->
     dot d (difference (v j) (v k)) (g k i) <= M) ->
  mean_loss d K n tau w h <= mean_loss d K n tau v g + epsilon ->
  (k < K)%nat -> (j < K)%nat -> j <> k -> (i < n)%nat ->
  softplus (dot d (difference (w j) (w k)) (h k i) / tau)
  <= INR n * INR K * (softplus (M / tau + ln (INR (K - 1))) + epsilon).
Proof.
  intros d K n k i j tau M epsilon w v h g K2 N T G Near Hk Hj D Hi.
  eapply Rle_trans; [apply (worst_sample d K n k i j tau w h); assumption |].
  apply Rmult_le_compat_l; [apply Rmult_le_pos; apply pos_INR |].
  assert (L := mean_loss_at_most d K n tau M v g K2 N T G); lra.
Qed.

(** gnc:lemma-3.1, sharp "rate for every temperature", one-vs-rest distance. *)
Theorem distance_rate :
  forall (d K n k : nat) (tau M epsilon : R) (w v : nat -> nat -> R) (a : nat -> R)
    (h g : nat -> nat -> nat -> R),
  (2 <= K)%nat -> (1 <= n)%nat -> 0 < tau ->
  (forall k i j, (k < K)%nat -> (i < n)%nat -> (j < K)%nat -> j <> k ->
     dot d (difference (v j) (v k)) (g k i) <= M) ->
  (forall k i, (k < K)%nat -> (i < n)%nat -> dot d (h k i) (h k i) = 1) ->
  mean_loss d K n tau w h <= mean_loss d K n tau v g + epsilon ->
  (k < K)%nat -> weights_of_others K k a ->
  softplus (- norm d (difference (w k) (combination K a w)) / tau)
  <= INR K * (softplus (M / tau + ln (INR (K - 1))) + epsilon).
Proof.
  intros d K n k tau M epsilon w v a h g K2 N T G U Near Hk A.
  eapply Rle_trans; [apply (least_distance_from_loss d K n k tau w a h); auto |].
  apply Rmult_le_compat_l; [apply pos_INR |].
  assert (L := mean_loss_at_most d K n tau M v g K2 N T G); lra.
Qed.
