(** What a regularised loss near its least value says of neural collapse, without constants: the
    sharp wordings of the theorem on weight decay. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Phi Network Budget Objective Gap.
Open Scope R_scope.

(** (penalty - epsilon)/(Lambda alpha beta), Lambda = sqrt C lambda. *)
Definition alignment (C lambda alpha beta epsilon : R) : R :=
  (lambda / 2 * (alpha * alpha + C * (beta * beta)) - epsilon) / (sqrt C * lambda * alpha * beta).

(** A loss, however small, and its margin together cost at least the least regularised loss. *)
Lemma loss_and_margin C decay L : 1 < C -> 0 < decay -> decay < C / (C - 1) -> 0 < L ->
  minimum C decay <= L + decay * ((C - 1) / C * phi_inverse (C - 1) L).
Proof.
  intros P D U H.
  destruct (objective_minimum C decay ((C - 1) / C * phi_inverse (C - 1) L) P D U) as [_ M].
  rewrite objective_phi in M.
  replace (C / (C - 1) * ((C - 1) / C * phi_inverse (C - 1) L)) with (phi_inverse (C - 1) L) in M
    by (field; lra).
  rewrite phi_of_inverse in M; lra.
Qed.

Lemma minimum_at_zero C decay : 1 < C -> 0 < decay -> decay < C / (C - 1) ->
  minimum C decay <= ln C.
Proof.
  intros P D U; destruct (objective_minimum C decay 0 P D U) as [_ M].
  rewrite objective_phi, Rmult_0_r, phi_at_0 in M; lra.
Qed.

(** What follows when phi^(-1)(L) is at least rho times k alpha beta > 0. *)
Lemma aligned C N d w h rho : (2 <= C)%nat -> (1 <= N)%nat ->
  mean_loss C N d w unbiased h < ln (INR C) -> 0 < rho ->
  ratio C * (feature_norm C N d h * weight_norm C d w) * rho
  <= phi_inverse (INR C - 1) (mean_loss C N d w unbiased h) ->
  rho * rho
  <= stacked_cosine C N d w h * stacked_cosine C N d w h * (1 - variability C N d h)
     * (1 - off_centre C d w) /\
  variability C N d h <= 1 - rho * rho /\
  1 - stacked_cosine C N d w h <= 1 - rho /\
  self_duality C N d w h <= 2 * (1 - rho).
Proof.
  intros P Q LC R0 M; assert (K := ratio_pos C P).
  assert (L0 := network_loss_pos C N d w unbiased h P Q).
  assert (R := classes_real C P).
  assert (P0 := inverse_pos (INR C) _ ltac:(lra) L0 LC).
  destruct (guarantee_from_loss C N d w unbiased h P Q (Rlt_le _ _ LC) ltac:(intros; lra))
    as [G1 [G2 [G3 [G4 G5]]]].
  assert (J := loss_below_margin C N d w unbiased h P Q).
  destruct (positive_norms C N d w h P Q ltac:(lra)) as [X [H [F B]]].
  assert (BB := centred_norm_le C d w ltac:(lia)).
  unfold proximity_gap in *; fold (ratio C) in *.
  set (q := weight_norm C d (centred C w)) in *; set (b := weight_norm C d w) in *.
  set (f := feature_norm C N d h) in *.
  set (p := phi_inverse (INR C - 1) (mean_loss C N d w unbiased h)) in *.
  assert (T1 : 0 < ratio C * f * b) by (apply Rmult_lt_0_compat; [apply Rmult_lt_0_compat |]; lra).
  assert (T2 : 0 < ratio C * f * q) by (apply Rmult_lt_0_compat; [apply Rmult_lt_0_compat |]; lra).
  assert (S1 : rho <= p / (ratio C * f * b)).
  { apply le_quotient; [exact T1 | lra]. }
  assert (S2 : p / (ratio C * f * b) <= p / (ratio C * f * q)).
  { apply Rmult_le_compat_l; [lra |]; apply Rinv_le_contravar; [exact T2 |].
    apply Rmult_le_compat_l; [apply Rmult_le_pos |]; lra. }
  set (x := p / (ratio C * f * b)) in *; set (y := p / (ratio C * f * q)) in *.
  assert (XX := square_le rho x ltac:(lra) S1).
  assert (YY := square_le rho y ltac:(lra) ltac:(lra)).
  replace (1 - (1 - x)) with x in G1 by ring. repeat split; lra.
Qed.

(** A penalty is at least Lambda alpha beta. *)
Lemma penalty_above C N d w h decay : (2 <= C)%nat -> 0 < decay ->
  decay * (feature_norm C N d h * weight_norm C d w)
  <= penalty C N d w h (decay / sqrt (INR C)).
Proof.
  intros P D; assert (R := classes_real C P); unfold penalty.
  assert (Q0 : 0 < sqrt (INR C)) by (apply sqrt_lt_R0; lra).
  assert (Q2 := sqrt_sqrt (INR C) ltac:(lra)).
  rewrite <- Q2 at 2; set (q := sqrt (INR C)) in *.
  set (f := feature_norm C N d h); set (b := weight_norm C d w).
  assert (S : 0 <= decay / q / 2 * ((f - q * b) * (f - q * b))).
  { apply Rmult_le_pos; [| apply Rle_0_sqr].
    assert (0 < decay / q) by (apply Rdiv_lt_0_compat; lra). lra. }
  replace (decay / q / 2 * ((f - q * b) * (f - q * b)))
    with (decay / q / 2 * (f * f + q * q * (b * b)) - decay * (f * b)) in S by (field; lra).
  lra.
Qed.

(** The margin of a loss that is near-optimal under weight decay. *)
Lemma margin_under_decay C N d w h decay epsilon : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < decay -> decay < INR C / (INR C - 1) ->
  regularised_loss C N d w h (decay / sqrt (INR C))
  <= least_regularised (INR C) (decay / sqrt (INR C)) + epsilon ->
  epsilon < penalty C N d w h (decay / sqrt (INR C)) ->
  mean_loss C N d w unbiased h < ln (INR C) /\
  ratio C * (penalty C N d w h (decay / sqrt (INR C)) - epsilon) / decay
  <= phi_inverse (INR C - 1) (mean_loss C N d w unbiased h).
Proof.
  intros P Q D U H E; assert (R := classes_real C P); assert (K := ratio_pos C P).
  rewrite least_regularised_minimum in H by lra; unfold regularised_loss in H.
  assert (L0 := network_loss_pos C N d w unbiased h P Q).
  assert (Z := minimum_at_zero (INR C) decay ltac:(lra) D U).
  assert (M := loss_and_margin (INR C) decay _ ltac:(lra) D U L0).
  split; [lra |].
  set (p := phi_inverse (INR C - 1) (mean_loss C N d w unbiased h)) in *.
  set (pen := penalty C N d w h (decay / sqrt (INR C))) in *.
  assert (I : pen - epsilon <= decay * ((INR C - 1) / INR C * p)) by lra.
  apply (Rmult_le_compat_l (ratio C / decay)) in I; [| left; apply Rdiv_lt_0_compat; lra].
  replace (ratio C / decay * (decay * ((INR C - 1) / INR C * p))) with p in I
    by (unfold ratio; field; lra).
  lra.
Qed.

(** bnwd:theorem-2.2, sharp "guarantee from the regularised loss": within epsilon of the least
    regularised loss, s is at most epsilon/(Lambda alpha beta), with all that follows. *)
Theorem guarantee_from_regularised_loss C N d w h decay epsilon : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < decay -> decay < INR C / (INR C - 1) ->
  let lambda := decay / sqrt (INR C) in
  let alpha := feature_norm C N d h in
  let beta := weight_norm C d w in
  let rho := alignment (INR C) lambda alpha beta epsilon in
  regularised_loss C N d w h lambda <= least_regularised (INR C) lambda + epsilon ->
  epsilon < penalty C N d w h lambda ->
  ratio C * (alpha * beta) * rho <= phi_inverse (INR C - 1) (mean_loss C N d w unbiased h) /\
  rho * rho
  <= stacked_cosine C N d w h * stacked_cosine C N d w h * (1 - variability C N d h)
     * (1 - off_centre C d w) /\
  variability C N d h <= 1 - rho * rho /\
  1 - stacked_cosine C N d w h <= 1 - rho /\
  self_duality C N d w h <= 2 * (1 - rho) /\
  1 - rho <= epsilon / (sqrt (INR C) * lambda * alpha * beta).
Proof.
  intros P Q D U lambda alpha beta rho H E.
  destruct (margin_under_decay C N d w h decay epsilon P Q D U H E) as [LC M].
  assert (R := classes_real C P); assert (K := ratio_pos C P).
  assert (L0 := network_loss_pos C N d w unbiased h P Q).
  assert (P0 := inverse_pos (INR C) _ ltac:(lra) L0 LC).
  assert (J := loss_below_margin C N d w unbiased h P Q).
  destruct (positive_norms C N d w h P Q ltac:(lra)) as [_ [_ [F B]]].
  assert (BB := centred_norm_le C d w ltac:(lia)).
  assert (PA := penalty_above C N d w h decay P D).
  fold lambda alpha beta in PA, M, F, BB.
  assert (B1 : 0 < beta) by lra.
  assert (AB : 0 < alpha * beta) by (apply Rmult_lt_0_compat; assumption).
  assert (Q0 : 0 < sqrt (INR C)) by (apply sqrt_lt_R0; lra).
  assert (RHO : rho = (penalty C N d w h lambda - epsilon) / (decay * (alpha * beta))).
  { unfold rho, alignment, penalty; fold alpha beta.
    replace (sqrt (INR C) * lambda * alpha * beta) with (decay * (alpha * beta))
      by (unfold lambda; field; lra).
    reflexivity. }
  assert (DAB : 0 < decay * (alpha * beta)) by (apply Rmult_lt_0_compat; assumption).
  assert (RP : 0 < rho) by (rewrite RHO; apply Rdiv_lt_0_compat; lra).
  assert (MM : ratio C * (alpha * beta) * rho
               <= phi_inverse (INR C - 1) (mean_loss C N d w unbiased h)).
  { eapply Rle_trans; [right | exact M]. rewrite RHO; field; lra. }
  destruct (aligned C N d w h rho P Q LC RP MM) as [A1 [A2 [A3 A4]]].
  repeat split; try assumption.
  replace (sqrt (INR C) * lambda * alpha * beta) with (decay * (alpha * beta))
    by (unfold lambda; field; lra).
  rewrite RHO; apply (Rmult_le_reg_r (decay * (alpha * beta))); [exact DAB |].
  replace ((1 - (penalty C N d w h lambda - epsilon) / (decay * (alpha * beta)))
           * (decay * (alpha * beta)))
    with (decay * (alpha * beta) - penalty C N d w h lambda + epsilon) by (field; lra).
  replace (epsilon / (decay * (alpha * beta)) * (decay * (alpha * beta))) with epsilon
    by (field; lra).
  lra.
Qed.

(** bnwd:theorem-2.2, sharp "a priori": a regularised loss that would be optimal for a larger weight
    decay; the smaller one is the larger one times rho = 1 - excess/penalty. *)
Theorem guarantee_from_larger_decay C N d w h larger excess : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < larger -> larger < INR C / (INR C - 1) ->
  let lambda := larger / sqrt (INR C) in
  let rho := 1 - excess / penalty C N d w h lambda in
  0 < penalty C N d w h lambda ->
  regularised_loss C N d w h lambda <= least_regularised (INR C) lambda + excess ->
  excess < penalty C N d w h lambda ->
  ratio C * (feature_norm C N d h * weight_norm C d w) * rho
  <= phi_inverse (INR C - 1) (mean_loss C N d w unbiased h) /\
  rho * rho
  <= stacked_cosine C N d w h * stacked_cosine C N d w h * (1 - variability C N d h)
     * (1 - off_centre C d w) /\
  variability C N d h <= 1 - rho * rho /\
  1 - stacked_cosine C N d w h <= 1 - rho /\
  self_duality C N d w h <= 2 * (1 - rho).
Proof.
  intros P Q D U lambda rho PP H E.
  destruct (margin_under_decay C N d w h larger excess P Q D U H E) as [LC M].
  assert (K := ratio_pos C P); assert (PA := penalty_above C N d w h larger P D).
  fold lambda in PA, M; set (pen := penalty C N d w h lambda) in *.
  set (ab := feature_norm C N d h * weight_norm C d w) in *.
  assert (RP : 0 < rho).
  { unfold rho; replace (1 - excess / pen) with ((pen - excess) / pen) by (field; lra).
    apply Rdiv_lt_0_compat; lra. }
  assert (MM : ratio C * ab * rho <= phi_inverse (INR C - 1) (mean_loss C N d w unbiased h)).
  { eapply Rle_trans; [| exact M].
    replace (ratio C * (pen - excess) / larger) with (ratio C * (pen / larger) * rho)
      by (unfold rho; field; lra).
    apply Rmult_le_compat_r; [lra |]; apply Rmult_le_compat_l; [lra |].
    apply (Rmult_le_reg_l larger); [exact D |].
    replace (larger * (pen / larger)) with pen by (field; lra). exact PA. }
  split; [exact MM |]; apply aligned; assumption.
Qed.
