(** Pairs of classes: inter-class cosines against the cosines of known directions, most pairs, and
    the cosine of every pair of class means of which a projection is known. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Phi Network Budget.
Open Scope R_scope.

(** Sum over ordered pairs of two classes. *)
Definition pair_sum (C : nat) (f : nat -> nat -> R) : R :=
  sum C (fun c => sum C (fun r => if Nat.eq_dec r c then 0 else f c r)).

Definition pair_mean (C : nat) (f : nat -> nat -> R) : R := pair_sum C f / (INR C * (INR C - 1)).

Lemma pair_sum_le C f g :
  (forall c r, (c < C)%nat -> (r < C)%nat -> r <> c -> f c r <= g c r) ->
    pair_sum C f <= pair_sum C g.
Proof.
  intros H; apply sum_le; intros c L; apply sum_le; intros r M.
  destruct (Nat.eq_dec r c); [lra | auto].
Qed.

Lemma pair_sum_ext C f g :
  (forall c r, (c < C)%nat -> (r < C)%nat -> r <> c -> f c r = g c r) ->
    pair_sum C f = pair_sum C g.
Proof. intros H; apply Rle_antisym; apply pair_sum_le; intros; rewrite H by assumption; lra. Qed.

Lemma pair_sum_plus C f g : pair_sum C (fun c r => f c r + g c r) = pair_sum C f + pair_sum C g.
Proof.
  unfold pair_sum; rewrite <- sum_plus; apply sum_ext; intros c _; rewrite <- sum_plus.
  apply sum_ext; intros r _; destruct (Nat.eq_dec r c); ring.
Qed.

Lemma pair_sum_scale C k f : pair_sum C (fun c r => k * f c r) = k * pair_sum C f.
Proof.
  unfold pair_sum; rewrite <- sum_scale; apply sum_ext; intros c _; rewrite <- sum_scale.
  apply sum_ext; intros r _; destruct (Nat.eq_dec r c); ring.
Qed.

Lemma pair_sum_nonneg C f :
  (forall c r, (c < C)%nat -> (r < C)%nat -> r <> c -> 0 <= f c r) -> 0 <= pair_sum C f.
Proof.
  intros H; apply sum_nonneg; intros c L; apply sum_nonneg; intros r M.
  destruct (Nat.eq_dec r c); [lra | auto].
Qed.

Lemma pair_sum_swap C f : pair_sum C (fun c r => f r c) = pair_sum C f.
Proof.
  unfold pair_sum; rewrite sum_swap; apply sum_ext; intros c _; apply sum_ext; intros r _.
  destruct (Nat.eq_dec c r), (Nat.eq_dec r c); try congruence; reflexivity.
Qed.

(** A sum over all ordered pairs is that over distinct ones and the diagonal. *)
Lemma pair_sum_all C f :
  sum C (fun c => sum C (fun r => f c r)) = pair_sum C f + sum C (fun c => f c c).
Proof.
  unfold pair_sum; rewrite <- sum_plus; apply sum_ext; intros c L.
  rewrite (sum_others C c (fun r => f c r)) by exact L; cbv beta; ring.
Qed.

Lemma pair_count C : (2 <= C)%nat -> 0 < INR C * (INR C - 1).
Proof. intros P; assert (R := classes_real C P); apply Rmult_lt_0_compat; lra. Qed.

(** * Root mean squares over pairs *)

Definition pair_square (C : nat) (f : nat -> nat -> R) : R := pair_sum C (fun c r => f c r * f c r).

Lemma pair_square_nonneg C f : 0 <= pair_square C f.
Proof. apply pair_sum_nonneg; intros; apply Rle_0_sqr. Qed.

Lemma pair_cauchy_schwarz C f g :
  pair_sum C (fun c r => f c r * g c r) * pair_sum C (fun c r => f c r * g c r)
  <= pair_square C f * pair_square C g.
Proof.
  apply discriminant; intros s t.
  assert (N := pair_square_nonneg C (fun c r => s * f c r - t * g c r)).
  unfold pair_square in *.
  rewrite (pair_sum_ext C _ (fun c r =>
    s * s * (f c r * f c r) + (- (2 * s * t) * (f c r * g c r) + t * t * (g c r * g c r)))) in N
    by (intros; ring).
  rewrite !pair_sum_plus, !pair_sum_scale in N; lra.
Qed.

Lemma sqrt_of_square_le x y : 0 <= y -> x * x <= y -> x <= sqrt y.
Proof.
  intros P H; eapply Rle_trans; [apply Rle_abs |].
  rewrite <- sqrt_Rsqr_abs; apply sqrt_le_1_alt; exact H.
Qed.

Lemma pair_minkowski C f g :
  sqrt (pair_square C (fun c r => f c r + g c r)) <= sqrt (pair_square C f)
    + sqrt (pair_square C g).
Proof.
  assert (F := sqrt_pos (pair_square C f)); assert (G := sqrt_pos (pair_square C g)).
  assert (F2 := sqrt_sqrt _ (pair_square_nonneg C f)).
  assert (G2 := sqrt_sqrt _ (pair_square_nonneg C g)).
  assert (X : pair_sum C (fun c r => f c r * g c r)
    <= sqrt (pair_square C f) * sqrt (pair_square C g)).
  { rewrite <- sqrt_mult by apply pair_square_nonneg; apply sqrt_of_square_le.
    - apply Rmult_le_pos; apply pair_square_nonneg.
    - apply pair_cauchy_schwarz. }
  rewrite <- (sqrt_square (sqrt (pair_square C f) + sqrt (pair_square C g))) by lra.
  apply sqrt_le_1_alt; unfold pair_square at 1.
  rewrite (pair_sum_ext C _ (fun c r => f c r * f c r + (2 * (f c r * g c r) + g c r * g c r)))
    by (intros; ring).
  rewrite !pair_sum_plus, pair_sum_scale; fold (pair_square C f) (pair_square C g). lra.
Qed.

Definition pair_rms (C : nat) (f : nat -> nat -> R) : R :=
  sqrt (pair_mean C (fun c r => f c r * f c r)).

Lemma pair_rms_scaled C f : (2 <= C)%nat ->
  pair_rms C f = sqrt (pair_square C f) / sqrt (INR C * (INR C - 1)).
Proof. intros P; unfold pair_rms, pair_mean; apply sqrt_div_alt, pair_count, P. Qed.

Lemma pair_rms_triangle C f g : (2 <= C)%nat ->
  pair_rms C (fun c r => f c r + g c r) <= pair_rms C f + pair_rms C g.
Proof.
  intros P; rewrite !pair_rms_scaled by exact P; unfold Rdiv; rewrite <- Rmult_plus_distr_r.
  apply Rmult_le_compat_r; [| apply pair_minkowski].
  left; apply Rinv_0_lt_compat, sqrt_lt_R0, pair_count, P.
Qed.

Lemma pair_rms_below C f b : (2 <= C)%nat -> 0 <= b ->
  pair_square C f <= INR C * (INR C - 1) * (b * b) -> pair_rms C f <= b.
Proof.
  intros P B H; assert (Q := pair_count C P); unfold pair_rms, pair_mean.
  rewrite <- (sqrt_square b) by exact B; apply sqrt_le_1_alt.
  apply (Rmult_le_reg_r (INR C * (INR C - 1))); [exact Q |].
  unfold Rdiv; rewrite Rmult_assoc, Rinv_l by lra; unfold pair_square in H; lra.
Qed.

Lemma pair_rms_square C f : (2 <= C)%nat ->
  pair_rms C f * pair_rms C f = pair_mean C (fun c r => f c r * f c r).
Proof.
  intros P; apply sqrt_sqrt; apply Rmult_le_pos; [apply pair_square_nonneg |].
  left; apply Rinv_0_lt_compat, pair_count, P.
Qed.

(** The mean over pairs is at most the root mean square. *)
Lemma pair_mean_le_rms C f : (2 <= C)%nat -> pair_mean C f <= pair_rms C f.
Proof.
  intros P; assert (Q := pair_count C P); assert (R := classes_real C P).
  assert (S := pair_cauchy_schwarz C f (fun _ _ => 1)); unfold pair_square in S.
  rewrite (pair_sum_ext C (fun c r => f c r * 1) f) in S by (intros; ring).
  assert (N : pair_sum C (fun _ _ => 1 * 1) = INR C * (INR C - 1)).
  { unfold pair_sum.
    rewrite (sum_ext C _ (fun _ => INR C - 1)).
    - rewrite sum_const; reflexivity.
    - intros c L; rewrite sum_others, sum_const by exact L; ring. }
  rewrite N in S.
  apply sqrt_of_square_le; unfold pair_mean.
  - apply Rmult_le_pos; [apply pair_square_nonneg | left; apply Rinv_0_lt_compat, Q].
  - apply (Rmult_le_reg_r (INR C * (INR C - 1) * (INR C * (INR C - 1)))).
    + apply Rmult_lt_0_compat; exact Q.
    + set (k := INR C * (INR C - 1)) in *.
      replace (pair_sum C f / k * (pair_sum C f / k) * (k * k))
        with (pair_sum C f * pair_sum C f) by (field; lra).
      replace (pair_sum C (fun c r => f c r * f c r) / k * (k * k))
        with (pair_sum C (fun c r => f c r * f c r) * k) by (field; lra).
      exact S.
Qed.

(** * Mean directions *)

(** B = 2 o sqrt(2 s/(C-1)) + 2 s. *)
Definition pair_gap (C o s : R) : R := 2 * o * sqrt (2 * s / (C - 1)) + 2 * s.

(** bnwd:sharp-4, sharp "mean directions": vectors A c of norm at most 1 near unit vectors u c on
    average have nearly the same inner products; o^2 bounds the largest eigenvalue of the Gram
    matrix of the u c, by its quadratic form. [chosen] are pairs whose difference is at least t:
    few, or t is small. *)
Theorem mean_directions_guarantee C d u A o chosen t : (2 <= C)%nat -> 0 <= o ->
  (forall x, sum C (fun c => dot d x (u c) * dot d x (u c)) <= o * o * dot d x x) ->
  (forall c, (c < C)%nat -> dot d (u c) (u c) = 1) ->
  (forall c, (c < C)%nat -> dot d (A c) (A c) <= 1) ->
  let s := 1 - mean C (fun c => dot d (u c) (A c)) in
  let away := fun c r => Rabs (dot d (A c) (A r) - dot d (u c) (u r)) in
  (forall c r, (c < C)%nat -> (r < C)%nat -> chosen c r = 0 \/ chosen c r = 1 /\ t <= away c r) ->
  0 <= t ->
  pair_rms C away <= pair_gap (INR C) o s /\
  pair_mean C away <= pair_gap (INR C) o s /\
  sqrt (pair_mean C chosen) * t <= pair_gap (INR C) o s.
Proof.
  intros P O G U1 A1 s away CH T.
  assert (R := classes_real C P); assert (Q := pair_count C P).
  set (e := fun c j => A c j - u c j).
  (* the mean of |e|^2 is at most 2 s *)
  assert (E1 : forall c, (c < C)%nat -> dot d (e c) (e c) <= 2 - 2 * dot d (u c) (A c)).
  { intros c L; unfold e; rewrite dot_minus_l, !dot_minus_r, (dot_comm d (A c) (u c)).
    rewrite U1 by exact L; assert (K := A1 c L); lra. }
  assert (E2 : mean C (fun c => dot d (e c) (e c)) <= 2 * s).
  { eapply Rle_trans; [apply mean_le; [lia | exact E1] |].
    rewrite mean_minus, mean_scale, mean_const by lia; unfold s; lra. }
  assert (E0 : 0 <= mean C (fun c => dot d (e c) (e c)))
    by (apply mean_nonneg; [lia |]; intros; apply dot_nonneg).
  set (q := mean C (fun c => dot d (e c) (e c))) in *.
  assert (SQ : sum C (fun c => dot d (e c) (e c)) = INR C * q)
    by (symmetry; apply mean_sum; lia).
  assert (S0 : 0 <= s) by lra.
  (* first-order terms: by the largest eigenvalue *)
  set (b := o * sqrt (2 * s / (INR C - 1))).
  assert (D0 : 0 <= 2 * s / (INR C - 1))
    by (apply Rmult_le_pos; [lra | left; apply Rinv_0_lt_compat; lra]).
  assert (B0 : 0 <= b) by (apply Rmult_le_pos; [exact O | apply sqrt_pos]).
  assert (BB : INR C * (INR C - 1) * (b * b) = o * o * (INR C * (2 * s))).
  { unfold b.
    replace (o * sqrt (2 * s / (INR C - 1)) * (o * sqrt (2 * s / (INR C - 1))))
      with (o * o * (sqrt (2 * s / (INR C - 1)) * sqrt (2 * s / (INR C - 1)))) by ring.
    rewrite sqrt_sqrt by exact D0; field; lra. }
  assert (F1 : pair_square C (fun c r => dot d (e c) (u r)) <= INR C * (INR C - 1) * (b * b)).
  { rewrite BB; apply Rle_trans with (sum C (fun c => o * o * dot d (e c) (e c))).
    - apply Rle_trans with
        (sum C (fun c => sum C (fun r => dot d (e c) (u r) * dot d (e c) (u r)))).
      + rewrite pair_sum_all; unfold pair_square.
        assert (0 <= sum C (fun c => dot d (e c) (u c) * dot d (e c) (u c)))
          by (apply sum_nonneg; intros; apply Rle_0_sqr). lra.
      + apply sum_le; intros c _; apply G.
    - rewrite sum_scale, SQ; apply Rmult_le_compat_l; [apply Rle_0_sqr |].
      apply Rmult_le_compat_l; lra. }
  assert (F2 : pair_square C (fun c r => dot d (u c) (e r)) <= INR C * (INR C - 1) * (b * b)).
  { unfold pair_square in *; rewrite <- pair_sum_swap; eapply Rle_trans; [right | exact F1].
    apply pair_sum_ext; intros; rewrite (dot_comm d (u r)); reflexivity. }
  (* second-order terms: |e|^2 |e'|^2 over pairs is at most (sum)^2 less the diagonal *)
  assert (F3 : pair_square C (fun c r => dot d (e c) (e r))
               <= INR C * (INR C - 1) * (2 * s * (2 * s))).
  { apply Rle_trans with (pair_sum C (fun c r => dot d (e c) (e c) * dot d (e r) (e r))).
    - apply pair_sum_le; intros; apply cauchy_schwarz_sqr.
    - assert (AL := pair_sum_all C (fun c r => dot d (e c) (e c) * dot d (e r) (e r))).
      rewrite (sum_ext C _ (fun c => dot d (e c) (e c) * (INR C * q))) in AL
        by (intros; rewrite sum_scale, SQ; reflexivity).
      rewrite sum_scale_r, SQ in AL.
      assert (DG := cauchy_schwarz_sqr C (fun c => dot d (e c) (e c)) (fun _ => 1)).
      change (sum C (fun i => dot d (e i) (e i) * 1) * sum C (fun i => dot d (e i) (e i) * 1)
              <= sum C (fun i => dot d (e i) (e i) * dot d (e i) (e i)) * sum C
                (fun i => 1 * 1)) in DG.
      rewrite (sum_ext C (fun i => dot d (e i) (e i) * 1) (fun c => dot d (e c) (e c))) in DG
        by (intros; ring).
      rewrite (sum_const C (1 * 1)), SQ in DG.
      set (dg := sum C (fun c => dot d (e c) (e c) * dot d (e c) (e c))) in *.
      assert (DG2 : INR C * (q * q) <= dg).
      { apply (Rmult_le_reg_r (INR C)); lra. }
      assert (QQ := square_le q (2 * s) E0 E2).
      assert (M := Rmult_le_compat_l (INR C * (INR C - 1)) _ _ ltac:(lra) QQ). lra. }
  (* the difference is the sum of the three *)
  assert (BIG : pair_rms C (fun c r => dot d (A c) (A r) - dot d (u c) (u r))
    <= pair_gap (INR C) o s).
  { apply Rle_trans with (pair_rms C (fun c r =>
      dot d (e c) (u r) + dot d (u c) (e r) + dot d (e c) (e r))).
    - right; unfold pair_rms, pair_mean; do 2 f_equal; apply pair_sum_ext; intros.
      unfold e; rewrite !dot_minus_l, !dot_minus_r; ring.
    - eapply Rle_trans; [apply (pair_rms_triangle C
        (fun c r => dot d (e c) (u r) + dot d (u c) (e r))), P |].
      assert (T1 := pair_rms_triangle C (fun c r => dot d (e c) (u r))
        (fun c r => dot d (u c) (e r)) P).
      assert (R1 := pair_rms_below C _ b P B0 F1).
      assert (R2 := pair_rms_below C _ b P B0 F2).
      assert (R3 := pair_rms_below C _ (2 * s) P ltac:(lra) F3).
      unfold pair_gap; fold b; unfold b in *; lra. }
  assert (AW : pair_rms C away <= pair_gap (INR C) o s).
  { eapply Rle_trans; [right | exact BIG].
    unfold pair_rms, pair_mean, away; do 2 f_equal; apply pair_sum_ext; intros.
    rewrite <- Rabs_mult; apply Rabs_right, Rle_ge, Rle_0_sqr. }
  split; [exact AW | split].
  - eapply Rle_trans; [apply pair_mean_le_rms, P | exact AW].
  - eapply Rle_trans; [| exact AW].
    rewrite <- (sqrt_square t) by exact T; rewrite <- sqrt_mult_alt.
    + apply sqrt_le_1_alt; unfold pair_mean, Rdiv.
      replace (pair_sum C chosen * / (INR C * (INR C - 1)) * (t * t))
        with (t * t * pair_sum C chosen * / (INR C * (INR C - 1))) by ring.
      apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat, Q |].
      rewrite <- pair_sum_scale; apply pair_sum_le; intros c r L M _.
      destruct (CH c r L M) as [-> | [-> H]]; [rewrite Rmult_0_r; apply Rle_0_sqr |].
      rewrite Rmult_1_r; apply square_le; assumption.
    + apply Rmult_le_pos; [| left; apply Rinv_0_lt_compat, Q].
      apply pair_sum_nonneg; intros c r L M _; destruct (CH c r L M) as [-> | [-> _]]; lra.
Qed.
