(** The empirical Rademacher complexity of a finite class in each definition in use. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Signs.
Open Scope R_scope.

(** The largest of F 0, ..., F n. *)
Fixpoint largest (n : nat) (F : nat -> R) : R :=
  match n with
  | O => F 0%nat
  | S k => Rmax (largest k F) (F (S k))
  end.

(** For the values [v h i] of H + 1 functions at m points: without absolute value, with it, and
    twice the latter as in Definition 1. *)
Definition signed_complexity (H m : nat) (v : nat -> nat -> R) : R :=
  sign_mean m (fun e => largest H (fun h => signed_sum m e (v h))) / INR m.

Definition absolute_complexity (H m : nat) (v : nat -> nat -> R) : R :=
  sign_mean m (fun e => largest H (fun h => Rabs (signed_sum m e (v h)))) / INR m.

Definition complexity_of_definition_1 (H m : nat) (v : nat -> nat -> R) : R :=
  2 / INR m * sign_mean m (fun e => largest H (fun h => Rabs (signed_sum m e (v h)))).

(** The class with the function that is zero, and with the negatives of its functions. *)
Definition with_zero (H : nat) (v : nat -> nat -> R) (h i : nat) : R :=
  if le_dec h H then v h i else 0.

Definition with_negatives (H : nat) (v : nat -> nat -> R) (h i : nat) : R :=
  if le_dec h H then v h i else - v (h - S H)%nat i.

Lemma largest_ge n F h : (h <= n)%nat -> F h <= largest n F.
Proof.
  induction n as [| n IH]; intros L; simpl.
  - replace h with 0%nat by lia; lra.
  - destruct (Nat.eq_dec h (S n)) as [-> |]; [apply Rmax_r |].
    eapply Rle_trans; [apply IH; lia | apply Rmax_l].
Qed.

Lemma largest_le n F b : (forall h, (h <= n)%nat -> F h <= b) -> largest n F <= b.
Proof.
  induction n as [| n IH]; intros H; simpl; [apply H; lia |].
  apply Rmax_lub; [apply IH; intros; apply H | apply H]; lia.
Qed.

Lemma signed_sum_opp m e x : signed_sum m e (fun i => - x i) = - signed_sum m e x.
Proof.
  unfold signed_sum; rewrite <- (Rmult_1_l (sum m (fun i => e i * x i))), Ropp_mult_distr_l.
  rewrite <- sum_scale; apply sum_ext; intros; ring.
Qed.

Lemma signed_sum_turned m e x : signed_sum m (turned m e) x = - signed_sum m e x.
Proof.
  rewrite <- signed_sum_opp; apply sum_ext; intros i I; unfold turned.
  destruct (lt_dec i m); [ring | lia].
Qed.

(** square:definition-1, sharp "the definitions compared". *)
Theorem complexities_compared H m v : (1 <= m)%nat ->
  signed_complexity H m v <= absolute_complexity H m v /\
  absolute_complexity H m v <= 2 * signed_complexity (S H) m (with_zero H v) /\
  signed_complexity (H + S H) m (with_negatives H v) = absolute_complexity H m v /\
  complexity_of_definition_1 H m v = 2 * absolute_complexity H m v.
Proof.
  intros P; assert (I : 0 < / INR m) by (apply Rinv_0_lt_compat, lt_0_INR; lia).
  assert (S0 : forall e h, (h <= H)%nat -> signed_sum m e (with_zero H v h) = signed_sum m e (v h)).
  { intros e h L; apply sum_ext; intros i _; unfold with_zero; destruct (le_dec h H); [| lia].
    reflexivity. }
  assert (Z : forall e, signed_sum m e (with_zero H v (S H)) = 0).
  { intros e; apply sum_zero; intros i _; unfold with_zero; destruct (le_dec (S H) H);
    [lia | ring]. }
  split; [| split; [| split]].
  - unfold signed_complexity, absolute_complexity, Rdiv; apply Rmult_le_compat_r; [lra |].
    apply sign_mean_le; intros e _; apply largest_le; intros h L.
    eapply Rle_trans; [apply Rle_abs |].
    apply (largest_ge H (fun h => Rabs (signed_sum m e (v h))) h L).
  - unfold signed_complexity, absolute_complexity, Rdiv.
    rewrite <- Rmult_assoc; apply Rmult_le_compat_r; [lra |].
    set (F := fun e => largest (S H) (fun h => signed_sum m e (with_zero H v h))).
    replace (2 * sign_mean m F) with (sign_mean m F + sign_mean m F) by ring.
    rewrite <- (sign_mean_turned m m (le_n m) F) at 2; rewrite <- sign_mean_plus.
    apply sign_mean_le; intros e _; apply largest_le; intros h L.
    assert (A := largest_ge (S H) (fun h => signed_sum m e (with_zero H v h)) h ltac:(lia)).
    assert (B := largest_ge (S H) (fun h => signed_sum m (turned m e) (with_zero H v h)) h
                   ltac:(lia)).
    assert (C := largest_ge (S H) (fun h => signed_sum m e (with_zero H v h)) (S H) ltac:(lia)).
    assert (D := largest_ge (S H) (fun h => signed_sum m (turned m e) (with_zero H v h)) (S H)
                   ltac:(lia)).
    cbv beta in A, B, C, D; rewrite Z in C, D; rewrite S0 in A, B by exact L.
    rewrite signed_sum_turned in B; unfold F.
    unfold Rabs; destruct (Rcase_abs _); lra.
  - unfold signed_complexity, absolute_complexity, Rdiv; f_equal; apply sign_mean_ext; intros e.
    assert (N : forall h, (h <= H)%nat ->
      signed_sum m e (with_negatives H v h) = signed_sum m e (v h) /\
      signed_sum m e (with_negatives H v (S H + h)) = - signed_sum m e (v h)).
    { intros h L; split; [| rewrite <- signed_sum_opp]; apply sum_ext; intros i _;
        unfold with_negatives.
      - destruct (le_dec h H); [reflexivity | lia].
      - destruct (le_dec (S H + h) H); [lia |].
        replace (S H + h - S H)%nat with h by lia; reflexivity. }
    apply Rle_antisym; apply largest_le; intros h L.
    + destruct (le_dec h H) as [Q | Q].
      * rewrite (proj1 (N h Q)); eapply Rle_trans; [apply Rle_abs |].
        apply (largest_ge H (fun h => Rabs (signed_sum m e (v h))) h Q).
      * assert (E := proj2 (N (h - S H)%nat ltac:(lia))).
        replace (S H + (h - S H))%nat with h in E by lia; rewrite E.
        eapply Rle_trans; [apply Rle_abs |]; rewrite Rabs_Ropp.
        apply (largest_ge H (fun h => Rabs (signed_sum m e (v h)))); lia.
    + unfold Rabs; destruct (Rcase_abs _).
      * rewrite <- (proj2 (N h L)).
        apply (largest_ge (H + S H) (fun h => signed_sum m e (with_negatives H v h))); lia.
      * rewrite <- (proj1 (N h L)).
        apply (largest_ge (H + S H) (fun h => signed_sum m e (with_negatives H v h))); lia.
  - unfold complexity_of_definition_1, absolute_complexity; field.
    apply not_0_INR; lia.
Qed.
