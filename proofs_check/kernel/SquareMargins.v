(** Two classes under the square loss: the loss, the flow of rho and its equilibrium in terms of
    the margins, of the network rho f with outputs f and labels y of 1 and -1. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From NCBounds Require Import Finite Phi Network Budget SquareGap.
Open Scope R_scope.

Definition margins (y f : nat -> R) (i : nat) : R := f i * y i.

(** The mean square of rho f - y, and lambda rho^2. *)
Definition labelled_loss (n : nat) (y f : nat -> R) (rho lambda : R) : R :=
  mean n (fun i => (rho * f i - y i) * (rho * f i - y i)) + lambda * rho * rho.

Definition rate_of_rho (n : nat) (y f : nat -> R) (rho lambda : R) : R :=
  2 * mean n (fun i => (1 - rho * margins y f i) * margins y f i) - 2 * lambda * rho.

Lemma labelled_loss_margins n y f rho lambda : (forall i, (i < n)%nat -> y i * y i = 1) ->
  labelled_loss n y f rho lambda = decayed_loss n (margins y f) rho lambda.
Proof.
  intros Y; unfold labelled_loss, decayed_loss, data_loss; f_equal; apply mean_ext; intros i I.
  unfold margins; assert (E := Y i I).
  replace ((1 - rho * (f i * y i)) * (1 - rho * (f i * y i)))
    with (1 - 2 * (rho * f i * y i) + rho * rho * (f i * f i) * (y i * y i)) by ring.
  replace ((rho * f i - y i) * (rho * f i - y i))
    with (rho * rho * (f i * f i) - 2 * (rho * f i * y i) + y i * y i) by ring.
  rewrite E; ring.
Qed.

Lemma decayed_loss_moments n z rho lambda : (1 <= n)%nat ->
  decayed_loss n z rho lambda
  = 1 - 2 * rho * mean n z + rho * rho * mean_square n z + lambda * rho * rho.
Proof.
  intros P; unfold decayed_loss; rewrite data_loss_split, mean_square_split by exact P; ring.
Qed.

Lemma rate_moments n y f rho lambda : (1 <= n)%nat ->
  rate_of_rho n y f rho lambda
  = 2 * (mean n (margins y f) - rho * (mean_square n (margins y f) + lambda)).
Proof.
  intros P; unfold rate_of_rho, mean_square; set (z := margins y f).
  rewrite (mean_ext n (fun i => (1 - rho * z i) * z i) (fun i => z i + - rho * (z i * z i)))
    by (intros; ring).
  rewrite mean_plus, mean_scale; ring.
Qed.

(** square:eq-11, corrected "with the sum". *)
Theorem loss_in_margins n y f rho lambda : (1 <= n)%nat ->
  (forall i, (i < n)%nat -> y i * y i = 1) ->
  let L := labelled_loss n y f rho lambda in
  let mu := mean n (margins y f) in
  let M := mean_square n (margins y f) in
  L = sum n (fun i => (rho * rho * f i * f i - 2 * y i * rho * f i + y i * y i) / INR n)
      + lambda * rho * rho /\
  L = 1 - 2 * rho * mu + rho * rho * M + lambda * rho * rho /\
  L = data_loss n (margins y f) rho + lambda * rho * rho /\
  L = 1 - 2 * rho * mu + rho * rho * (mu * mu) + rho * rho * variance n (margins y f)
      + lambda * rho * rho.
Proof.
  intros P Y L mu M.
  assert (E : L = decayed_loss n (margins y f) rho lambda) by (apply labelled_loss_margins, Y).
  assert (D := decayed_loss_moments n (margins y f) rho lambda P).
  assert (S := mean_square_split n (margins y f) P); fold mu M in S, D.
  repeat split.
  - unfold L, labelled_loss, mean; f_equal; rewrite sum_divide; f_equal; apply sum_ext; intros;
    ring.
  - lra.
  - rewrite E; reflexivity.
  - rewrite E, D, S; ring.
Qed.

(** square:eq-11, printed "as typeset, no sum in the second line". *)
Theorem loss_without_sum_fails : exists (n : nat) (y f : nat -> R) (rho lambda : R),
  (1 <= n)%nat /\ (forall i, (i < n)%nat -> y i * y i = 1) /\
  ~ (forall i, (i < n)%nat ->
       labelled_loss n y f rho lambda
       = (rho * rho * f i * f i - 2 * y i * rho * f i + y i * y i) / INR n + lambda * rho * rho).
Proof.
  exists 2%nat, (fun i => if Nat.eq_dec i 0 then 1 else -1), (fun _ => 0), 1, 0.
  split; [lia |]; split; [intros i _; destruct (Nat.eq_dec i 0); ring |].
  intros H; assert (A := H 0%nat ltac:(lia)).
  unfold labelled_loss, mean in A; simpl in A; lra.
Qed.

(** square:eq-6, printed "any outputs"; the rate is minus the derivative of the loss. *)
Theorem flow_of_rho n y f rho lambda : (1 <= n)%nat ->
  (forall i, (i < n)%nat -> y i * y i = 1) ->
  let mu := mean n (margins y f) in
  let M := mean_square n (margins y f) in
  rate_of_rho n y f rho lambda = 2 * (mu - rho * (M + lambda)) /\
  M = variance n (margins y f) + mu * mu /\
  is_derive (fun r : R => labelled_loss n y f r lambda) rho (- rate_of_rho n y f rho lambda).
Proof.
  intros P Y mu M; split; [| split].
  - apply rate_moments, P.
  - unfold M, mu; rewrite mean_square_split by exact P; ring.
  - rewrite rate_moments by exact P; fold mu M.
    apply (is_derive_ext (fun r => 1 - 2 * r * mu + r * r * M + lambda * r * r)).
    + intros r; symmetry; rewrite labelled_loss_margins by exact Y.
      apply decayed_loss_moments, P.
    + auto_derive; [trivial | ring].
Qed.

(** square:eq-7, printed "with weight decay": the rate vanishes at mu / (M + lambda) only, where the
    loss is least. *)
Theorem equilibrium_of_rho n y f rho lambda : (1 <= n)%nat -> 0 < lambda ->
  (forall i, (i < n)%nat -> y i * y i = 1) ->
  let mu := mean n (margins y f) in
  let M := mean_square n (margins y f) in
  let rest := mu / (M + lambda) in
  rate_of_rho n y f rest lambda + 2 * mu = 2 * mu /\
  rate_of_rho n y f rho lambda = 2 * (M + lambda) * (rest - rho) /\
  labelled_loss n y f rest lambda <= labelled_loss n y f rho lambda /\
  labelled_loss n y f rho lambda - labelled_loss n y f rest lambda
  = (M + lambda) * (rho - rest) ^ 2.
Proof.
  intros P D Y mu M rest.
  assert (S : 0 < M + lambda).
  { unfold M; rewrite mean_square_split by exact P; assert (V := variance_nonneg n (margins y f) P).
    assert (0 <= mean n (margins y f) * mean n (margins y f)) by apply Rle_0_sqr; lra. }
  assert (R : rest * (M + lambda) = mu) by (unfold rest; field; lra).
  rewrite !rate_moments, !labelled_loss_margins, !decayed_loss_moments by assumption.
  fold mu M.
  assert (E : 1 - 2 * rho * mu + rho * rho * M + lambda * rho * rho
              - (1 - 2 * rest * mu + rest * rest * M + lambda * rest * rest)
              = (M + lambda) * (rho - rest) ^ 2) by (rewrite <- R; ring).
  repeat split; [rewrite <- R; ring | rewrite <- R; ring | | exact E].
  assert (0 <= (M + lambda) * (rho - rest) ^ 2); [| lra].
  apply Rmult_le_pos; [lra |]; rewrite <- Rsqr_pow2; apply Rle_0_sqr.
Qed.

(** square:eq-8, corrected "weight decay and spread apart". *)
Theorem gap_to_interpolation n y f lambda : (1 <= n)%nat -> 0 < lambda ->
  (forall i, (i < n)%nat -> y i * y i = 1) -> 0 < mean_square n (margins y f) ->
  let mu := mean n (margins y f) in
  let V := variance n (margins y f) in
  let M := mean_square n (margins y f) in
  let rest := mu / (M + lambda) in
  let gap := (V + lambda) / (mu * mu + V + lambda) in
  1 - rest * mu = gap /\
  (mu / M - rest) * mu = mu * mu * lambda / (M * (M + lambda)) /\
  mu / M * mu = 1 - V / M /\
  mu * mu * lambda / (M * (M + lambda)) + V / M = gap /\
  labelled_loss n y f rest lambda = gap.
Proof.
  intros P D Y N mu V M rest gap.
  assert (S : M = mu * mu + V) by (apply mean_square_split, P).
  assert (Q : M <> 0) by (unfold M; lra). assert (Q' : M + lambda <> 0) by (unfold M; lra).
  assert (V = M - mu * mu) by lra.
  rewrite labelled_loss_margins, decayed_loss_moments by assumption; fold mu M.
  unfold gap, rest; replace (mu * mu + V + lambda) with (M + lambda) by lra.
  repeat split; replace V with (M - mu * mu) by lra; field; try split; assumption.
Qed.

(** square:eq-8, printed "rho at lambda = 0 from (7)": margins 1 and 0, lambda = 1. *)
Theorem gap_of_decay_printed_fails : ~ (forall n y f lambda, (1 <= n)%nat -> 0 < lambda ->
  (forall i, (i < n)%nat -> y i * y i = 1) ->
  (mean n (margins y f) / mean_square n (margins y f)
   - mean n (margins y f) / (mean_square n (margins y f) + lambda)) * mean n (margins y f)
  = 1 - mean n (margins y f) * mean n (margins y f) / (mean_square n (margins y f) + lambda)).
Proof.
  intros H; assert (A := H 2%nat (fun i => if Nat.eq_dec i 0 then 1 else -1)
    (fun i => if Nat.eq_dec i 0 then 1 else 0) 1 ltac:(lia) ltac:(lra)
    ltac:(intros i _; cbv beta; destruct (Nat.eq_dec i 0); ring)).
  unfold mean_square, mean, margins in A; simpl in A; field_simplify in A; lra.
Qed.

(** square:remark-rho-mu, printed "zero loss, and how nearly". *)
Theorem loss_and_mean_margin n y f rho : (1 <= n)%nat -> 0 < rho ->
  (forall i, (i < n)%nat -> y i * y i = 1) ->
  let mu := mean n (margins y f) in
  let V := variance n (margins y f) in
  let L := labelled_loss n y f rho 0 in
  mean_square n (margins y f) = V + mu * mu /\
  0 <= V /\
  1 + labelled_loss n y (fun i => y i / rho) rho 0 = 1 /\
  rho * sum n (margins y (fun i => y i / rho)) = INR n /\
  L = (1 - rho * mu) ^ 2 + rho * rho * V /\
  Rabs (1 - rho * mu) <= sqrt L /\
  rho * sqrt V <= sqrt L.
Proof.
  intros P Q Y mu V L.
  assert (VN : 0 <= V) by (apply variance_nonneg, P).
  assert (E : L = (1 - rho * mu) ^ 2 + rho * rho * V).
  { unfold L; rewrite labelled_loss_margins by exact Y; unfold decayed_loss.
    rewrite data_loss_split by exact P; unfold V, mu; ring. }
  assert (A := pow2_ge_0 (1 - rho * mu)); assert (B : 0 <= rho * rho * V) by (apply Rmult_le_pos;
    nra).
  repeat split; try assumption.
  - rewrite mean_square_split by exact P; unfold V, mu; ring.
  - unfold labelled_loss; rewrite (mean_ext n _ (fun _ => 0)) by (intros; field; lra).
    rewrite mean_const by lia; ring.
  - unfold margins; rewrite (sum_ext n _ (fun _ => / rho)).
    + rewrite sum_const; field; lra.
    + intros i I; replace (y i / rho * y i) with (y i * y i / rho) by (field; lra).
      rewrite (Y i I); field; lra.
  - rewrite <- sqrt_Rsqr_abs; apply sqrt_le_1_alt; rewrite E; unfold Rsqr; lra.
  - rewrite <- (sqrt_square rho) at 1 by lra; rewrite <- sqrt_mult by nra.
    apply sqrt_le_1_alt; rewrite E; lra.
Qed.

(** square:property-1, printed "by mean and variance of the margins". *)
Theorem quasi_interpolation (n k : nat) (z : nat -> R) (rho gap : R) : (1 <= n)%nat ->
  (k < n)%nat ->
  let mu := mean n z in
  let total := (rho * mu - (1 - gap)) * (rho * mu - (1 - gap)) + rho * rho * variance n z in
  mean n (fun i => (rho * z i - (1 - gap)) * (rho * z i - (1 - gap))) = total /\
  (rho * z k - (1 - gap)) * (rho * z k - (1 - gap)) <= INR n * total.
Proof.
  intros P L mu total.
  assert (E : mean n (fun i => (rho * z i - (1 - gap)) * (rho * z i - (1 - gap))) = total).
  { unfold total; assert (S := mean_square_split n z P); fold mu in S.
    rewrite (mean_ext n _ (fun i => rho * rho * (z i * z i) - 2 * rho * (1 - gap) * z i
                                    + (1 - gap) * (1 - gap))) by (intros; ring).
    rewrite mean_plus, mean_minus, !mean_scale, mean_const by lia; fold mu.
    fold (mean_square n z); rewrite S; ring. }
  split; [exact E |]; rewrite <- E, mean_sum by lia.
  apply (term_le_sum n (fun i => (rho * z i - (1 - gap)) * (rho * z i - (1 - gap)))); [| exact L].
  intros; apply Rle_0_sqr.
Qed.

(** square:lemma-1, printed "critical points with equal margins exist whenever the data can be
    interpolated": a linear network on orthogonal inputs of sizes 1 and 1/2, for lambda = 1. Its one
    critical point, in the coordinates u along the inputs, has the margins 1/3 and 1/9. *)
Theorem equal_margins_printed_fails : exists (n : nat) (s : nat -> R) (lambda : R),
  0 < lambda /\ (forall i, (i < n)%nat -> 0 < s i) /\
  (forall u : nat -> R,
     (forall i, (i < n)%nat -> -2 * (1 - s i * u i) * s i / INR n + 2 * lambda * u i = 0) <->
     (forall i, (i < n)%nat -> u i = s i / (s i * s i + INR n * lambda))) /\
  ~ (forall i, (i < n)%nat ->
       s i * (s i / (s i * s i + INR n * lambda))
       = s 0%nat * (s 0%nat / (s 0%nat * s 0%nat + INR n * lambda))).
Proof.
  exists 2%nat, (fun i => if Nat.eq_dec i 0 then 1 else / 2), 1.
  split; [lra |]; split; [intros i _; destruct (Nat.eq_dec i 0); lra |]; split.
  - intros u; split; intros U i I; specialize (U i I); revert U; simpl;
      destruct (Nat.eq_dec i 0); intros U; [lra | lra | rewrite U; field | rewrite U; field].
  - intros H; assert (A := H 1%nat ltac:(lia)); simpl in A; lra.
Qed.
