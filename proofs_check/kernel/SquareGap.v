(** The square loss of two classes: exact splits of the loss, and what they say of the margins.

    [z i] are the margins y f of n samples, rho f is the network, and the loss is the data loss
    R = mean (1 - rho z)^2 plus lambda rho^2. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Phi Network Budget.
Open Scope R_scope.

Definition variance (n : nat) (z : nat -> R) : R :=
  mean n (fun i => (z i - mean n z) * (z i - mean n z)).

Definition mean_square (n : nat) (z : nat -> R) : R := mean n (fun i => z i * z i).

Definition data_loss (n : nat) (z : nat -> R) (rho : R) : R :=
  mean n (fun i => (1 - rho * z i) * (1 - rho * z i)).

Definition decayed_loss (n : nat) (z : nat -> R) (rho lambda : R) : R :=
  data_loss n z rho + lambda * rho * rho.

Lemma mean_square_about n z c : (1 <= n)%nat ->
  mean n (fun i => (z i - c) * (z i - c)) = variance n z + (mean n z - c) * (mean n z - c).
Proof.
  intros P; unfold variance.
  rewrite (mean_ext n _ (fun i => (z i - mean n z) * (z i - mean n z)
    + (2 * (mean n z - c) * z i + (c * c - mean n z * mean n z)))) by (intros; ring).
  rewrite !mean_plus, mean_scale, mean_const by lia; ring.
Qed.

Lemma variance_nonneg n z : (1 <= n)%nat -> 0 <= variance n z.
Proof. intros P; apply mean_nonneg; [lia |]; intros; apply Rle_0_sqr. Qed.

Lemma mean_square_split n z : (1 <= n)%nat ->
  mean_square n z = mean n z * mean n z + variance n z.
Proof.
  intros P; assert (E := mean_square_about n z 0 P); unfold mean_square.
  rewrite (mean_ext n _ (fun i => (z i - 0) * (z i - 0))) by (intros; ring). rewrite E; ring.
Qed.

Lemma data_loss_split n z rho : (1 <= n)%nat ->
  data_loss n z rho = (1 - rho * mean n z) * (1 - rho * mean n z) + rho * rho * variance n z.
Proof.
  intros P; unfold data_loss.
  rewrite (mean_ext n _ (fun i => rho * rho * ((z i - mean n z) * (z i - mean n z))
    + (- (2 * rho * (1 - rho * mean n z)) * z i + (1 - rho * rho * (mean n z * mean n z)))))
    by (intros; ring).
  rewrite !mean_plus, (mean_scale n (rho * rho)), (mean_scale n (- _)), mean_const by lia.
  unfold variance; ring.
Qed.

(** square:sharp-1, sharp "the loss, split": the regularised loss above its
    least value lambda/(m^2 + lambda), in two ways, without a negative term. *)
Theorem square_loss_split n z rho lambda m : (1 <= n)%nat -> 0 <= rho -> 0 < lambda ->
  Rabs (mean n z) <= m ->
  let mu := mean n z in
  let M := mean_square n z in
  let L := decayed_loss n z rho lambda in
  L = lambda / (m * m + lambda)
      + ((M + lambda) * (rho - mu / (M + lambda)) * (rho - mu / (M + lambda))
         + mu * mu * variance n z / ((mu * mu + lambda) * (M + lambda))
         + lambda * (m * m - mu * mu) / ((mu * mu + lambda) * (m * m + lambda))) /\
  L = lambda / (m * m + lambda)
      + (mean n (fun i => (rho * z i - m * m / (m * m + lambda))
                          * (rho * z i - m * m / (m * m + lambda)))
         + lambda * (rho - m / (m * m + lambda)) * (rho - m / (m * m + lambda))
         + 2 * lambda * rho * (m - mu) / (m * m + lambda)) /\
  0 <= (M + lambda) * (rho - mu / (M + lambda)) * (rho - mu / (M + lambda)) /\
  0 <= mu * mu * variance n z / ((mu * mu + lambda) * (M + lambda)) /\
  0 <= lambda * (m * m - mu * mu) / ((mu * mu + lambda) * (m * m + lambda)) /\
  0 <= lambda * (rho - m / (m * m + lambda)) * (rho - m / (m * m + lambda)) /\
  0 <= 2 * lambda * rho * (m - mu) / (m * m + lambda).
Proof.
  intros P H D A mu M L.
  assert (V := variance_nonneg n z P).
  assert (MS := mean_square_split n z P); fold mu M in MS.
  assert (M0 : 0 <= Rabs mu) by apply Rabs_pos.
  assert (ML := Rle_abs mu); fold mu in A.
  assert (SQ : mu * mu <= m * m).
  { replace (mu * mu) with (Rabs mu * Rabs mu); [apply square_le; assumption |].
    rewrite <- Rabs_mult; apply Rabs_right, Rle_ge, Rle_0_sqr. }
  assert (U0 : 0 <= mu * mu) by apply Rle_0_sqr.
  assert (I1 : 0 < / (m * m + lambda)) by (apply Rinv_0_lt_compat; lra).
  assert (I2 : 0 < / (mu * mu + lambda)) by (apply Rinv_0_lt_compat; lra).
  assert (I3 : 0 < / (M + lambda)) by (apply Rinv_0_lt_compat; lra).
  assert (LE : L = (1 - rho * mu) * (1 - rho * mu) + rho * rho * variance n z + lambda * rho * rho)
    by (unfold L, decayed_loss; rewrite data_loss_split by exact P; reflexivity).
  split; [| split; [| split; [| split; [| split; [| split]]]]].
  - rewrite LE; replace (variance n z) with (M - mu * mu) by lra; field; lra.
  - rewrite (mean_square_about n (fun i => rho * z i)) by exact P.
    rewrite mean_scale; fold mu.
    replace (variance n (fun i => rho * z i)) with (rho * rho * variance n z).
    + rewrite LE; field; lra.
    + unfold variance; rewrite mean_scale, <- mean_scale; apply mean_ext; intros; ring.
  - rewrite Rmult_assoc; apply Rmult_le_pos; [lra | apply Rle_0_sqr].
  - unfold Rdiv; rewrite Rinv_mult.
    apply Rmult_le_pos; [apply Rmult_le_pos; assumption | apply Rmult_le_pos; lra].
  - unfold Rdiv; rewrite Rinv_mult.
    apply Rmult_le_pos; [apply Rmult_le_pos; lra | apply Rmult_le_pos; lra].
  - rewrite Rmult_assoc; apply Rmult_le_pos; [lra | apply Rle_0_sqr].
  - unfold Rdiv; apply Rmult_le_pos; [| lra].
    apply Rmult_le_pos; [apply Rmult_le_pos; lra | lra].
Qed.

(** square:sharp-1, sharp "guarantees from the loss": a loss below 1 bounds the relative spread of
    the margins, the mean margin from below, and rho from both sides. *)
Theorem square_loss_guarantees n z rho lambda m : (1 <= n)%nat -> 0 <= rho -> 0 < lambda ->
  mean n z <= m -> decayed_loss n z rho lambda < 1 ->
  let mu := mean n z in
  let spread := variance n z / (mu * mu) in
  let R := data_loss n z rho in
  let L := decayed_loss n z rho lambda in
  let least := lambda / (m * m + lambda) in
  let best := m * m / (m * m + lambda) in
  spread <= R / (1 - R) /\
  spread <= L / (1 - L) - lambda / (mu * mu) /\
  spread <= L / (1 - L) - lambda / (m * m) /\
  L / (1 - L) - lambda / (m * m) = (L - least) / ((1 - L) * (1 - least)) /\
  sqrt (lambda * (1 - L) / L) <= mu /\
  Rabs (1 - rho * mu) <= sqrt R /\
  rho * rho * variance n z <= L - least /\
  best - sqrt (best * (L - least)) <= rho * m /\
  Rmin (rho * m) 1 <= best + sqrt (best * (L - least)).
Proof.
  intros P H D A B mu spread R L least best.
  assert (V := variance_nonneg n z P); set (v := variance n z) in *.
  assert (RE : R = (1 - rho * mu) * (1 - rho * mu) + rho * rho * v)
    by (apply data_loss_split, P).
  assert (LE : L = R + lambda * rho * rho) by reflexivity.
  fold L in B; fold mu in A.
  assert (RR : 0 <= rho * rho) by apply Rle_0_sqr.
  assert (RV : 0 <= rho * rho * v) by (apply Rmult_le_pos; assumption).
  assert (LR : 0 <= lambda * (rho * rho)) by (apply Rmult_le_pos; lra).
  assert (RM : 0 < rho * mu).
  { destruct (Rlt_or_le 0 (rho * mu)) as [| C]; [assumption |].
    assert (1 <= (1 - rho * mu) * (1 - rho * mu)); [| lra].
    replace 1 with (1 * 1) at 1 by ring; apply square_le; lra. }
  assert (R0 : 0 < rho) by (destruct H as [| <-]; [assumption | lra]).
  assert (U : 0 < mu) by (apply (Rmult_lt_reg_l rho); lra).
  assert (UU : 0 < mu * mu) by (apply Rmult_lt_0_compat; exact U).
  assert (M0 : 0 < m) by lra.
  assert (MM : mu * mu <= m * m) by (apply square_le; lra).
  assert (RP : 0 <= R) by (rewrite RE; assert (S := Rle_0_sqr (1 - rho * mu));
    unfold Rsqr in S; lra).
  assert (LP : 0 < L).
  { rewrite LE; assert (0 < lambda * (rho * rho)); [| lra].
    apply Rmult_lt_0_compat; [lra | apply Rmult_lt_0_compat; lra]. }
  (* the squares that are left over *)
  assert (K1 : v <= R * (mu * mu + v)).
  { assert (S := Rle_0_sqr (rho * (mu * mu + v) - mu)); unfold Rsqr in S.
    replace ((rho * (mu * mu + v) - mu) * (rho * (mu * mu + v) - mu))
      with (R * (mu * mu + v) - v) in S by (rewrite RE; ring). lra. }
  assert (K2 : v + lambda <= L * (mu * mu + v + lambda)).
  { assert (S := Rle_0_sqr (rho * (mu * mu + v + lambda) - mu)); unfold Rsqr in S.
    replace ((rho * (mu * mu + v + lambda) - mu) * (rho * (mu * mu + v + lambda) - mu))
      with (L * (mu * mu + v + lambda) - (v + lambda)) in S by (rewrite LE, RE; ring). lra. }
  assert (S2 : spread <= L / (1 - L) - lambda / (mu * mu)).
  { unfold spread; apply quotient_le; [exact UU |].
    replace ((L / (1 - L) - lambda / (mu * mu)) * (mu * mu)) with (mu * mu * L / (1 - L) - lambda)
      by (field; lra).
    assert (v + lambda <= mu * mu * L / (1 - L)); [| lra].
    apply le_quotient; lra. }
  assert (IM : lambda / (m * m) <= lambda / (mu * mu)).
  { apply Rmult_le_compat_l; [lra |]; apply Rinv_le_contravar; assumption. }
  assert (ML : 0 < m * m + lambda) by lra.
  assert (EX : L / (1 - L) - lambda / (m * m) = (L - least) / ((1 - L) * (1 - least))).
  { unfold least; field; repeat split; lra. }
  (* the gap bounds the square of rho m - best, as far as rho m <= 1 *)
  assert (GAP : rho * rho * v <= L - least).
  { assert (E : (L - least) * (m * m + lambda)
      = rho * rho * v * (m * m + lambda)
        + ((m * m + lambda) * (1 - rho * mu) * (1 - rho * mu)
           + lambda * rho * rho * (m * m + lambda) - lambda))
      by (rewrite LE, RE; unfold least; field; lra).
    apply (Rmult_le_reg_r (m * m + lambda)); [exact ML |]; rewrite E.
    assert (0 <= (m * m + lambda) * (1 - rho * mu) * (1 - rho * mu)
           + lambda * rho * rho * (m * m + lambda) - lambda); [| lra].
    assert (S2' := Rle_0_sqr (mu - (mu * mu + lambda) * rho)); unfold Rsqr in *.
    assert (E2 : (mu * mu + lambda) * ((1 - rho * mu) * (1 - rho * mu) + lambda * rho * rho)
      - lambda
                 = (mu - (mu * mu + lambda) * rho) * (mu - (mu * mu + lambda) * rho)) by ring.
    assert (N1 : 0 <= (1 - rho * mu) * (1 - rho * mu) + lambda * rho * rho)
      by (assert (S3 := Rle_0_sqr (1 - rho * mu)); unfold Rsqr in S3; lra).
    assert (N2 := Rmult_le_compat_r _ (mu * mu + lambda) (m * m + lambda) N1 ltac:(lra)). lra. }
  assert (BEST : forall x, x <= 1 -> (1 - x) * (1 - x) + lambda / (m * m) * (x * x) <= L ->
            (x - best) * (x - best) <= best * (L - least)).
  { intros x X C.
    assert (E : (x - best) * (x - best)
                = best * ((1 - x) * (1 - x) + lambda / (m * m) * (x * x) - least))
      by (unfold best, least; field; lra).
    rewrite E; apply Rmult_le_compat_l; [left; apply Rdiv_lt_0_compat | ]; lra. }
  assert (B1 : best <= 1) by (unfold best; apply quotient_le; lra).
  assert (LL : lambda / (m * m) * (rho * m * (rho * m)) = lambda * rho * rho) by (field; lra).
  assert (X1 : rho * m <= 1 -> (rho * m - best) * (rho * m - best) <= best * (L - least)).
  { intros C; apply BEST; [exact C |]; rewrite LL, LE, RE.
    assert (RMM : rho * mu <= rho * m) by (apply Rmult_le_compat_l; lra).
    assert (S := square_le (1 - rho * m) (1 - rho * mu) ltac:(lra) ltac:(lra)). lra. }
  assert (X2 : 1 < rho * m -> (1 - best) * (1 - best) <= best * (L - least)).
  { intros C; apply BEST; [lra |].
    assert (S := square_le 1 (rho * m) ltac:(lra) ltac:(lra)).
    assert (LM : 0 <= lambda / (m * m)) by (left; apply Rdiv_lt_0_compat; lra).
    assert (S3 := Rmult_le_compat_l _ _ _ LM S). lra. }
  assert (SQ : forall x y, x * x <= y -> x <= sqrt y /\ - x <= sqrt y).
  { intros x y C; assert (0 <= y) by (assert (S := Rle_0_sqr x); unfold Rsqr in S; lra).
    assert (F : Rabs x <= sqrt y) by (rewrite <- sqrt_Rsqr_abs; apply sqrt_le_1_alt, C).
    assert (F1 := Rle_abs x); assert (F2 := Rle_abs (- x)); rewrite Rabs_Ropp in F2. lra. }
  repeat split.
  - unfold spread; apply quotient_le; [exact UU |].
    replace (R / (1 - R) * (mu * mu)) with (mu * mu * R / (1 - R)) by (field; lra).
    apply le_quotient; lra.
  - exact S2.
  - lra.
  - exact EX.
  - rewrite <- (sqrt_square mu) by lra; apply sqrt_le_1_alt.
    apply quotient_le; [exact LP |].
    assert (L * v <= 1 * v) by (apply Rmult_le_compat_r; lra). lra.
  - rewrite <- sqrt_Rsqr_abs; apply sqrt_le_1_alt; unfold Rsqr; lra.
  - exact GAP.
  - destruct (Rle_or_lt (rho * m) 1) as [C | C].
    + destruct (SQ _ _ (X1 C)); lra.
    + assert (S := sqrt_pos (best * (L - least))); lra.
  - unfold Rmin; destruct (Rle_dec (rho * m) 1) as [C | C].
    + destruct (SQ _ _ (X1 C)); lra.
    + destruct (SQ _ _ (X2 ltac:(lra))); lra.
Qed.
