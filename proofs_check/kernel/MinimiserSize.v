(** The size of the minimiser of the regularised objective, for a decay below 1. *)
From Coq Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From NCBounds Require Import Finite Convexity Exponential Phi Objective.
Open Scope R_scope.

Definition minimiser_order (C decay : R) : R := (C - 1) * ln (1 / decay).
Definition printed_size (C decay : R) : R := ln (C / decay).
Definition size (C decay : R) : R := (C - 1) / C * ln (C / decay).

(** The odds at the minimiser lie between 1 and C over the decay. *)
Lemma odds_range C decay : 1 < C -> 0 < decay -> decay < 1 ->
  1 <= (C - (C - 1) * decay) / decay <= C / decay.
Proof.
  intros P D U; split.
  - apply le_div; [assumption | nra].
  - apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat, D | nra].
Qed.

Lemma minimiser_nonneg C decay : 1 < C -> 0 < decay -> decay < 1 -> 0 <= minimiser C decay.
Proof.
  intros P D U; destruct (odds_range C decay P D U) as [L _].
  apply Rmult_le_pos; [apply Rlt_le, Rdiv_lt_0_compat; lra |].
  rewrite <- ln_1; apply ln_le; lra.
Qed.

(** bnwd:remark-gamma-star, sharp "with its factor": the minimiser is at most
    (C-1)/C log(C/decay). *)
Theorem minimiser_size (C decay : R) :
  1 < C -> 0 < decay -> decay < 1 ->
  minimiser C decay <= size C decay /\ 0 <= minimiser C decay.
Proof.
  intros P D U; split; [| apply minimiser_nonneg; assumption].
  destruct (odds_range C decay P D U) as [L H].
  apply Rmult_le_compat_l; [apply Rlt_le, Rdiv_lt_0_compat; lra | apply ln_le; lra].
Qed.

(** bnwd:remark-gamma-star, printed "below log(C/lambda)": and so at most log(C/decay). *)
Theorem minimiser_size_printed (C decay : R) :
  1 < C -> 0 < decay -> decay < 1 ->
  minimiser C decay <= printed_size C decay /\ 0 <= minimiser C decay.
Proof.
  intros P D U; destruct (minimiser_size C decay P D U) as [S N]; split; [| assumption].
  eapply Rle_trans; [exact S |]; unfold size, printed_size.
  assert (0 <= ln (C / decay)).
  { destruct (odds_range C decay P D U); rewrite <- ln_1; apply ln_le; lra. }
  assert ((C - 1) / C <= 1) by (apply div_le; lra).
  rewrite <- (Rmult_1_l (ln (C / decay))) at 2; apply Rmult_le_compat_r; assumption.
Qed.

(** Bernoulli's inequality for exponentials: C e^t - (C - 1) <= e^(C t). *)
Lemma bernoulli_exp C t : 1 < C -> 0 <= t -> C * exp t - (C - 1) <= exp (C * t).
Proof.
  intros P T; apply Rminus_le_0.
  apply (nonneg_by_derivative (fun z => exp (C * z) - (C * exp z - (C - 1)))
           (fun z => C * (exp (C * z) - exp z))); [| | | assumption].
  - intros z; auto_derive; [exact I | ring].
  - intros z Z; apply Rmult_le_pos; [lra |].
    assert (H := exp_ge_tangent z (C * z)); assert (X := exp_pos z).
    assert (0 <= exp z * ((C - 1) * z)) by (repeat apply Rmult_le_pos; lra). lra.
  - rewrite Rmult_0_r, exp_0; lra.
Qed.

(** bnwd:proposition-a.1, printed "order of the minimiser": it is at most (C - 1) log(1/decay). *)
Theorem minimiser_order_bound (C decay : R) :
  1 < C -> 0 < decay -> decay < 1 ->
  minimiser C decay <= minimiser_order C decay /\ 0 <= minimiser C decay.
Proof.
  intros P D U; split; [| apply minimiser_nonneg; assumption].
  destruct (odds_range C decay P D U) as [L _].
  set (t := ln (1 / decay)).
  assert (Q : 0 < 1 / decay) by (apply Rdiv_lt_0_compat; lra).
  assert (T : 0 <= t).
  { unfold t; rewrite <- ln_1; apply ln_le; [lra |]; apply le_div; lra. }
  assert (B := bernoulli_exp C t P T); unfold t in B at 1; rewrite exp_ln in B by assumption.
  assert (H : ln ((C - (C - 1) * decay) / decay) <= C * t).
  { rewrite <- (ln_exp (C * t)); apply ln_le; [lra |].
    replace ((C - (C - 1) * decay) / decay) with (C * (1 / decay) - (C - 1)) by (field; lra).
    exact B. }
  unfold minimiser, minimiser_order; fold t.
  replace ((C - 1) * t) with ((C - 1) / C * (C * t)) by (field; lra).
  apply Rmult_le_compat_l; [apply Rlt_le, Rdiv_lt_0_compat; lra | exact H].
Qed.
