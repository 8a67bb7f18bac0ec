(** Class means of nearly equal norms: their directions nearly add up to zero. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Network Cosine SimplexFrame.
Open Scope R_scope.

Lemma centred_sum C mu j : (0 < C)%nat -> sum C (fun c => centred C mu c j) = 0.
Proof.
  intros P; unfold centred; rewrite sum_minus, sum_const, mean_sum by assumption; ring.
Qed.

Lemma norm_of_sum n d e :
  norm d (fun j => sum n (fun c => e c j)) <= sum n (fun c => norm d (e c)).
Proof.
  set (s := fun j => sum n (fun c => e c j)).
  assert (S : norm d s * norm d s <= norm d s * sum n (fun c => norm d (e c))).
  { rewrite norm_sqr; unfold s at 2; rewrite dot_sum_r, <- sum_scale.
    apply sum_le; intros; apply cauchy_schwarz. }
  assert (B := sum_nonneg n (fun c => norm d (e c)) (fun c _ => norm_nonneg d (e c))).
  destruct (norm_nonneg d s) as [A | A]; [apply (Rmult_le_reg_l (norm d s)); assumption | lra].
Qed.

Lemma norm_multiple d a x : norm d (fun j => a * x j) = Rabs a * norm d x.
Proof.
  unfold norm; rewrite dot_scale_l, dot_scale_r, <- Rmult_assoc, sqrt_mult.
  - f_equal; apply sqrt_Rsqr_abs.
  - apply Rle_0_sqr.
  - apply dot_nonneg.
Qed.

(** square:definition-nc2, printed "equal norms imply that the directions add up to zero": the mean
    cosine is that of the simplex and what the directions add up to, which the spread of the norms
    bounds. *)
Theorem directions_of_equal_norms (C d : nat) (mu : nat -> nat -> R) :
  (2 <= C)%nat -> (forall c, (c < C)%nat -> 0 < norm d (centred C mu c)) ->
  let m := fun c => norm d (centred C mu c) in
  let spread := sum C (fun c => Rabs (m c - mean C m)) / mean C m in
  let cosines := mean_over_pairs C (fun c r => cosine d (centred C mu c) (centred C mu r)) in
  cosines
  = simplex_cosine (INR C)
    + dot d (sum_of_directions C d (centred C mu)) (sum_of_directions C d (centred C mu))
      / (INR C * (INR C - 1)) /\
  cosines <= simplex_cosine (INR C) + spread * spread / (INR C * (INR C - 1)).
Proof.
  intros P N m spread cosines; assert (R := classes_real C P).
  set (u := centred C mu) in *; set (s := sum_of_directions C d u).
  destruct (no_wider C d u 1 P N) as [E _]; [intros; apply cosine_range |].
  fold s cosines in E; split; [exact E | rewrite E].
  assert (M : 0 < mean C m).
  { apply Rdiv_lt_0_compat; [| lra].
    apply Rlt_le_trans with (m 0%nat); [apply N; lia |].
    apply (term_le_sum C m); [intros; apply norm_nonneg | lia]. }
  assert (S : norm d s <= spread).
  { unfold spread; rewrite <- sum_divide.
    apply Rle_trans with (sum C (fun c => norm d (fun j => (/ m c - / mean C m) * u c j))).
    - eapply Rle_trans; [| apply norm_of_sum]; right; unfold norm; f_equal.
      assert (J : forall j, s j = sum C (fun c => (/ m c - / mean C m) * u c j)).
      { intros j; unfold s, sum_of_directions.
        rewrite (sum_ext C (fun c => (/ m c - / mean C m) * u c j)
                   (fun c => u c j / norm d (u c) - / mean C m * u c j))
          by (intros; unfold m, Rdiv; ring).
        rewrite sum_minus, sum_scale.
        assert (Z : sum C (fun c => u c j) = 0) by (apply centred_sum; lia); rewrite Z; ring. }
      apply sum_ext; intros j _; rewrite <- J; reflexivity.
    - apply sum_le; intros c L; rewrite norm_multiple; fold (m c).
      assert (X := N c L); fold (m c) in X.
      assert (Y : 0 < / mean C m) by (apply Rinv_0_lt_compat, M).
      rewrite <- (Rabs_pos_eq (m c)) at 2 by lra; rewrite <- Rabs_mult.
      replace ((/ m c - / mean C m) * m c) with ((m c - mean C m) * - / mean C m)
        by (field; lra).
      rewrite Rabs_mult, Rabs_Ropp, (Rabs_pos_eq (/ mean C m)) by lra; right; reflexivity. }
  assert (S2 : dot d s s <= spread * spread).
  { rewrite <- norm_sqr; apply Rmult_le_compat; try apply norm_nonneg; assumption. }
  apply Rplus_le_compat_l, Rmult_le_compat_r; [| exact S2].
  left; apply Rinv_0_lt_compat; nra.
Qed.
