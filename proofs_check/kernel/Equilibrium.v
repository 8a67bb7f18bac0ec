(** The flow of the scale rho under the square loss of two classes, where it rests, and what weight
    decay and the spread of the margins leave of the gap to interpolation. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From NCBounds Require Import Finite Network SquareGap.
Open Scope R_scope.

(** Minus the slope of the decayed loss in rho. *)
Definition rate_of_rho (n : nat) (z : nat -> R) (rho lambda : R) : R :=
  mean n (fun i => 2 * z i * (1 - rho * z i)) - 2 * lambda * rho.

Definition equilibrium (mu variance lambda : R) : R := mu / (mu * mu + variance + lambda).

Definition interpolation_gap (mu variance lambda : R) : R :=
  (variance + lambda) / (mu * mu + variance + lambda).

Definition gap_of_decay (mu variance lambda : R) : R :=
  mu * mu * lambda / ((mu * mu + variance) * (mu * mu + variance + lambda)).

Lemma variance_moments n z : (1 <= n)%nat ->
  mean_square n z = variance n z + mean n z * mean n z.
Proof. intros P; rewrite mean_square_split by assumption; ring. Qed.

(** The loss is a parabola in rho. *)
Lemma loss_parabola n z rho lambda : (1 <= n)%nat ->
  decayed_loss n z rho lambda
  = 1 - 2 * rho * mean n z + rho * rho * (mean_square n z + lambda).
Proof.
  intros P; unfold decayed_loss, data_loss, mean_square.
  rewrite (mean_ext n _ (fun i => 1 - 2 * rho * z i + rho * rho * (z i * z i)))
    by (intros; ring).
  rewrite mean_plus, mean_minus, !mean_scale, mean_const by lia; ring.
Qed.

Lemma rate_value n z rho lambda : (1 <= n)%nat ->
  rate_of_rho n z rho lambda = 2 * (mean n z - rho * (mean_square n z + lambda)).
Proof.
  intros P; unfold rate_of_rho, mean_square.
  rewrite (mean_ext n _ (fun i => 2 * z i - 2 * rho * (z i * z i))) by (intros; ring).
  rewrite mean_minus, !mean_scale; ring.
Qed.

(** square:eq-6, printed "any outputs": the flow of rho by the moments of the margins. *)
Theorem rho_flow (n : nat) (z : nat -> R) (rho lambda : R) : (1 <= n)%nat ->
  rate_of_rho n z rho lambda = 2 * (mean n z - rho * (mean_square n z + lambda)) /\
  mean_square n z = variance n z + mean n z * mean n z /\
  is_derive (fun r => decayed_loss n z r lambda) rho (- rate_of_rho n z rho lambda).
Proof.
  intros P; split; [apply rate_value, P | split; [apply variance_moments, P |]].
  apply (is_derive_ext (fun r => 1 - 2 * r * mean n z + r * r * (mean_square n z + lambda))).
  - intros r; symmetry; apply loss_parabola, P.
  - rewrite rate_value by assumption; auto_derive; [exact I | ring].
Qed.

(** square:eq-7, printed "with weight decay": rho rests at one place, where the loss is least. *)
Theorem rho_at_rest (n : nat) (z : nat -> R) (rho lambda : R) : (1 <= n)%nat -> 0 < lambda ->
  let mu := mean n z in
  let place := equilibrium mu (variance n z) lambda in
  rate_of_rho n z place lambda + 2 * mu = 2 * mu /\
  rate_of_rho n z rho lambda = 2 * (mean_square n z + lambda) * (place - rho) /\
  decayed_loss n z place lambda <= decayed_loss n z rho lambda /\
  decayed_loss n z rho lambda - decayed_loss n z place lambda
  = (mean_square n z + lambda) * (rho - place) ^ 2.
Proof.
  intros P D mu place; assert (V := variance_nonneg n z P).
  assert (S := variance_moments n z P); fold mu in S.
  assert (M : 0 < mean_square n z + lambda) by (assert (0 <= mu * mu) by apply Rle_0_sqr; lra).
  assert (E : place = mu / (mean_square n z + lambda))
    by (unfold place, equilibrium; f_equal; lra).
  rewrite !rate_value, !loss_parabola by assumption; fold mu; rewrite E.
  set (Q := mean_square n z + lambda) in *.
  assert (B : 1 - 2 * rho * mu + rho * rho * Q
              - (1 - 2 * (mu / Q) * mu + mu / Q * (mu / Q) * Q) = Q * (rho - mu / Q) ^ 2)
    by (field; lra).
  repeat split; [field; lra | field; lra | | exact B].
  assert (0 <= Q * (rho - mu / Q) ^ 2) by (apply Rmult_le_pos; [lra | apply pow2_ge_0]). lra.
Qed.

(** square:eq-8, corrected "weight decay and spread apart": the gap at rest, and its two parts. *)
Theorem gap_apart (n : nat) (z : nat -> R) (lambda : R) :
  (1 <= n)%nat -> 0 < lambda -> 0 < mean_square n z ->
  let mu := mean n z in
  let M := mean_square n z in
  let V := variance n z in
  let place := equilibrium mu V lambda in
  1 - place * mu = interpolation_gap mu V lambda /\
  (mu / M - place) * mu = gap_of_decay mu V lambda /\
  mu / M * mu = 1 - V / M /\
  gap_of_decay mu V lambda + V / M = interpolation_gap mu V lambda /\
  decayed_loss n z place lambda = interpolation_gap mu V lambda.
Proof.
  intros P D M0 mu M V place; assert (S := variance_moments n z P); fold mu M V in S, M0.
  rewrite loss_parabola by assumption; fold mu M.
  unfold place, equilibrium, interpolation_gap, gap_of_decay.
  replace (mu * mu + V) with M by lra; assert (E : V = M - mu * mu) by lra.
  rewrite E; repeat split; field; lra.
Qed.

(** square:eq-8, printed "rho at lambda = 0 from (7)": weight decay does not make all of the gap. *)
Theorem gap_of_decay_printed_fails :
  ~ (forall (n : nat) (z : nat -> R) (lambda : R),
       (1 <= n)%nat -> 0 < lambda ->
       let mu := mean n z in
       let M := mean_square n z in
       let place := equilibrium mu (variance n z) lambda in
       (mu / M - place) * mu = 1 - mu * mu / (M + lambda) /\
       1 - mu * mu / (M + lambda) = interpolation_gap mu (variance n z) lambda).
Proof.
  intros H; destruct (H 2%nat (fun i => if Nat.eq_dec i 0 then 1 else 3) 1) as [A _]; [lia | lra |].
  revert A; unfold equilibrium, variance, mean_square, mean; simpl; lra.
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
  { unfold total; assert (S := variance_moments n z P); fold mu in S.
    rewrite (mean_ext n _ (fun i => rho * rho * (z i * z i) - 2 * rho * (1 - gap) * z i
                                    + (1 - gap) * (1 - gap))) by (intros; ring).
    rewrite mean_plus, mean_minus, !mean_scale, mean_const by lia; fold mu.
    fold (mean_square n z); rewrite S; ring. }
  split; [exact E |]; rewrite <- E, mean_sum by lia.
  apply (term_le_sum n (fun i => (rho * z i - (1 - gap)) * (rho * z i - (1 - gap)))); [| exact L].
  intros; apply Rle_0_sqr.
Qed.
