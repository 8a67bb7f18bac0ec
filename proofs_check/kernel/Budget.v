(** What the mean loss says of neural collapse: the exact split of T - phi^(-1)(L) into
    misalignment, off-class logits and dispersion, and the guarantees that follow from it.

    [stacked_cosine] is the cosine of all centred weights, stacked, and all class means. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Phi Network.
Open Scope R_scope.

(** bnwd:theorem-2.1, sharp "identity (log)": the log-odds of a sample are its margin less what
    its rivals' logits differ by, and T - phi^(-1)(L) is the sum of three non-negative defects.
    (With biases their own margins enter, of mean zero.) *)
Theorem log_split C N d w a h : (2 <= C)%nat -> (1 <= N)%nat ->
  (forall c i, (c < C)%nat -> (i < N)%nat ->
     phi_inverse (INR C - 1) (loss C (logits d w a (h c i)) c)
     = margin C d w (h c i) c + bias_margin C a c - off_class C (logits d w a (h c i)) c) /\
  largest_margin C N d w h - phi_inverse (INR C - 1) (mean_loss C N d w a h)
  = (largest_margin C N d w h - mean_margin C N d w h)
    + mean_off_class C N d w a h
    + (mean_log_odds C N d w a h - phi_inverse (INR C - 1) (mean_loss C N d w a h)) /\
  mean_margin C N d w h <= largest_margin C N d w h /\
  (forall c i, (c < C)%nat -> (i < N)%nat -> 0 <= off_class C (logits d w a (h c i)) c) /\
  phi_inverse (INR C - 1) (mean_loss C N d w a h) <= mean_log_odds C N d w a h.
Proof.
  intros P Q; split; [| split; [| split; [| split]]].
  - intros c i L _; rewrite log_odds_of_sample, logit_margin_split by assumption; ring.
  - rewrite mean_log_odds_split by assumption; ring.
  - apply mean_margin_largest; assumption.
  - intros; apply off_class_nonneg; assumption.
  - apply loss_below_log_odds; assumption.
Qed.

(** bnwd:theorem-2.1, sharp "identity (log)", the budget: misalignment and off-class logits share
    what the mean loss leaves of T. *)
Corollary budget C N d w a h : (2 <= C)%nat -> (1 <= N)%nat ->
  (largest_margin C N d w h - mean_margin C N d w h) + mean_off_class C N d w a h
  <= largest_margin C N d w h - phi_inverse (INR C - 1) (mean_loss C N d w a h).
Proof.
  intros P Q; assert (H := loss_below_log_odds C N d w a h P Q).
  rewrite mean_log_odds_split in H by assumption; lra.
Qed.

(** What the mean loss, the mean log-odds and the mean margin itself say of the mean margin. *)
Definition margin_level (C N d : nat) (w : nat -> nat -> R) (a : nat -> R)
  (h : nat -> nat -> nat -> R) (k : nat) : R :=
  if Nat.eq_dec k 0 then phi_inverse (INR C - 1) (mean_loss C N d w a h)
  else if Nat.eq_dec k 1 then mean_log_odds C N d w a h
  else mean_margin C N d w h.

(** bnwd:sharp-1, sharp "three levels of information", the levels: the mean loss says at most what
    the mean log-odds say, and these at most the mean margin. *)
Theorem three_levels C N d w a h : (2 <= C)%nat -> (1 <= N)%nat ->
  (forall c i, (c < C)%nat -> (i < N)%nat ->
     loss C (logits d w a (h c i)) c
     = phi (INR C - 1)
         (margin C d w (h c i) c - off_class C (logits d w a (h c i)) c + bias_margin C a c)) /\
  (forall k, (k < 2)%nat -> margin_level C N d w a h k <= margin_level C N d w a h (S k)).
Proof.
  intros P Q; split.
  - intros c i L _; rewrite loss_at_margin, logit_margin_split by assumption; f_equal; ring.
  - intros [| [| k]] L; [| | lia]; unfold margin_level; simpl.
    + apply loss_below_log_odds; assumption.
    + rewrite mean_log_odds_split by assumption.
      assert (G := mean_off_class_nonneg C N d w a h P Q); lra.
Qed.

Lemma loss_below_margin C N d w a h : (2 <= C)%nat -> (1 <= N)%nat ->
  phi_inverse (INR C - 1) (mean_loss C N d w a h) <= mean_margin C N d w h.
Proof.
  intros P Q; destruct (three_levels C N d w a h P Q) as [_ H].
  eapply Rle_trans; [exact (H 0%nat ltac:(lia)) | exact (H 1%nat ltac:(lia))].
Qed.

(** * Collapse *)

Definition class_centre (N : nat) (h : nat -> nat -> nat -> R) (c : nat) : nat -> R :=
  fun j => mean N (fun i => h c i j).

(** Variance within the classes, relative to the mean square norm. *)
Definition variability (C N d : nat) (h : nat -> nat -> nat -> R) : R :=
  class_mean C N (fun c i => dot d (centred N (h c) i) (centred N (h c) i))
  / (feature_norm C N d h * feature_norm C N d h).

Definition stacked_cosine (C N d : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R) : R :=
  sum C (fun c => dot d (centred C w c) (class_centre N h c))
  / sqrt (sum C (fun c => dot d (class_centre N h c) (class_centre N h c))
          * sum C (fun c => dot d (centred C w c) (centred C w c))).

(** The share of the mean square weight that its mean takes. *)
Definition off_centre (C d : nat) (w : nat -> nat -> R) : R :=
  dot d (fun j => mean C (fun r => w r j)) (fun j => mean C (fun r => w r j))
  / (weight_norm C d w * weight_norm C d w).

(** Mean of |h/alpha - wdot/b|^2. *)
Definition self_duality (C N d : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R) : R :=
  class_mean C N (fun c i =>
    dot d (fun j => h c i j / feature_norm C N d h
      - centred C w c j / weight_norm C d (centred C w))
          (fun j => h c i j / feature_norm C N d h
            - centred C w c j / weight_norm C d (centred C w))).

(** Means over the classes of the inner product of weight and class mean, and of the class means'
    square. *)
Definition mean_product (C N d : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R) : R :=
  mean C (fun c => dot d (centred C w c) (class_centre N h c)).

Definition centre_square (C N d : nat) (h : nat -> nat -> nat -> R) : R :=
  mean C (fun c => dot d (class_centre N h c) (class_centre N h c)).

Lemma mean_margin_product C N d w h : mean_margin C N d w h = ratio C * mean_product C N d w h.
Proof.
  rewrite mean_margin_inner; f_equal; apply mean_ext; intros c _.
  unfold class_centre; rewrite dot_mean_r; reflexivity.
Qed.

Lemma within_square C N d h : (0 < C)%nat -> (0 < N)%nat ->
  class_mean C N (fun c i => dot d (centred N (h c) i) (centred N (h c) i))
  = feature_norm C N d h * feature_norm C N d h - centre_square C N d h.
Proof.
  intros P Q; rewrite feature_norm_square by assumption; unfold class_mean, centre_square.
  rewrite <- mean_minus; apply mean_ext; intros c _; apply centred_norm_square, Q.
Qed.

Lemma product_square C N d w h : (0 < C)%nat ->
  mean_product C N d w h * mean_product C N d w h
  <= weight_norm C d (centred C w) * weight_norm C d (centred C w) * centre_square C N d h.
Proof.
  intros P; assert (H := mean_inner_square C 1 d (centred C w) (fun c _ => class_centre N h c) P
                           ltac:(lia)).
  cbv beta in H; rewrite !class_mean_of_classes in H by lia. rewrite weight_norm_square; assumption.
Qed.

Lemma centre_square_nonneg C N d h : (0 < C)%nat -> 0 <= centre_square C N d h.
Proof. intros P; apply mean_nonneg; [exact P |]; intros; apply dot_nonneg. Qed.

Lemma stacked_cosine_means C N d w h : (0 < C)%nat ->
  stacked_cosine C N d w h
  = mean_product C N d w h
    / (sqrt (centre_square C N d h) * weight_norm C d (centred C w)).
Proof.
  intros P; unfold stacked_cosine; rewrite <- !(mean_sum C) by exact P.
  fold (mean_product C N d w h); fold (centre_square C N d h).
  assert (R : 0 < INR C) by (apply lt_0_INR, P).
  assert (H := centre_square_nonneg C N d h P).
  assert (B := sqrt_pos (mean C (fun c => dot d (centred C w c) (centred C w c)))).
  fold (weight_norm C d (centred C w)) in B.
  rewrite <- weight_norm_square by exact P.
  set (b := weight_norm C d (centred C w)) in *; set (H0 := centre_square C N d h) in *.
  replace (INR C * H0 * (INR C * (b * b))) with (H0 * ((INR C * b) * (INR C * b))) by ring.
  assert (0 <= INR C * b) by (apply Rmult_le_pos; lra).
  rewrite sqrt_mult, sqrt_square by (try apply Rle_0_sqr; assumption).
  replace (sqrt H0 * (INR C * b)) with (INR C * (sqrt H0 * b)) by ring.
  unfold Rdiv; rewrite Rinv_mult, <- Rmult_assoc; f_equal; field; lra.
Qed.

Lemma le_quotient x y z : 0 < y -> x * y <= z -> x <= z / y.
Proof.
  intros P H; apply (Rmult_le_reg_r y); [exact P |].
  replace (z / y * y) with z by (field; lra). exact H.
Qed.

Lemma quotient_le x y z : 0 < y -> x <= z * y -> x / y <= z.
Proof.
  intros P H; apply (Rmult_le_reg_r y); [exact P |].
  replace (x / y * y) with x by (field; lra). exact H.
Qed.

Lemma square_le x y : 0 <= x -> x <= y -> x * x <= y * y.
Proof. intros; apply Rmult_le_compat; assumption. Qed.

(** With a mean margin above zero nothing vanishes. *)
Lemma positive_norms C N d w h : (2 <= C)%nat -> (1 <= N)%nat -> 0 < mean_margin C N d w h ->
  0 < mean_product C N d w h /\ 0 < centre_square C N d h /\
  0 < feature_norm C N d h /\ 0 < weight_norm C d (centred C w).
Proof.
  intros P Q M; assert (K := ratio_pos C P); rewrite mean_margin_product in M.
  assert (X : 0 < mean_product C N d w h).
  { apply (Rmult_lt_reg_l (ratio C)); [exact K | rewrite Rmult_0_r; exact M]. }
  assert (S := product_square C N d w h ltac:(lia)).
  assert (A := within_square C N d h ltac:(lia) Q).
  assert (V : 0 <= class_mean C N (fun c i => dot d (centred N (h c) i) (centred N (h c) i)))
    by (apply class_mean_nonneg; [lia | lia |]; intros; apply dot_nonneg).
  assert (H := centre_square_nonneg C N d h ltac:(lia)).
  assert (FN : 0 <= feature_norm C N d h) by apply sqrt_pos.
  assert (WN : 0 <= weight_norm C d (centred C w)) by apply sqrt_pos.
  assert (X2 : 0 < mean_product C N d w h * mean_product C N d w h)
    by (apply Rmult_lt_0_compat; exact X).
  set (f := feature_norm C N d h) in *; set (b := weight_norm C d (centred C w)) in *.
  set (H0 := centre_square C N d h) in *.
  assert (0 < b) by (destruct WN as [| <-]; [assumption | lra]).
  assert (0 < H0) by (destruct H as [| <-]; [assumption | lra]).
  assert (0 < f) by (destruct FN as [| <-]; [assumption | lra]).
  auto.
Qed.

Lemma largest_margin_pos C N d w h : (2 <= C)%nat ->
  0 < feature_norm C N d h -> 0 < weight_norm C d (centred C w) -> 0 < largest_margin C N d w h.
Proof.
  intros P F B; assert (K := ratio_pos C P).
  apply Rmult_lt_0_compat; [apply Rmult_lt_0_compat |]; assumption.
Qed.

(** The mean margin is T times the stacked cosine times the root of what is left of the features
    after averaging within classes. *)
Lemma mean_margin_factors C N d w h : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < centre_square C N d h -> 0 < weight_norm C d (centred C w) ->
  mean_margin C N d w h
  = largest_margin C N d w h * (stacked_cosine C N d w h * sqrt (1 - variability C N d h)).
Proof.
  intros P Q H B; rewrite stacked_cosine_means by lia; unfold variability, largest_margin.
  rewrite within_square, mean_margin_product by lia.
  assert (A := within_square C N d h ltac:(lia) Q).
  assert (V : 0 <= class_mean C N (fun c i => dot d (centred N (h c) i) (centred N (h c) i)))
    by (apply class_mean_nonneg; [lia | lia |]; intros; apply dot_nonneg).
  assert (FN : 0 <= feature_norm C N d h) by apply sqrt_pos.
  set (f := feature_norm C N d h) in *; set (b := weight_norm C d (centred C w)) in *.
  set (H0 := centre_square C N d h) in *.
  assert (F : 0 < f) by (destruct FN as [| <-]; [assumption | lra]).
  replace (1 - (f * f - H0) / (f * f)) with (H0 / (f * f)) by (field; lra).
  rewrite sqrt_div, sqrt_square by (try apply Rmult_lt_0_compat; lra).
  assert (0 < sqrt H0) by (apply sqrt_lt_R0, H).
  field; lra.
Qed.

(** The distance to self-duality is known from the mean margin. *)
Lemma self_duality_margin C N d w h : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < feature_norm C N d h -> 0 < weight_norm C d (centred C w) ->
  self_duality C N d w h = 2 - 2 * (mean_margin C N d w h / largest_margin C N d w h).
Proof.
  intros P Q F B; assert (K := ratio_pos C P); rewrite mean_margin_inner.
  unfold self_duality, largest_margin.
  rewrite (class_mean_ext C N _ (fun c i =>
    dot d (fun j => / feature_norm C N d h * h c i j
      - / weight_norm C d (centred C w) * centred C w c j)
          (fun j => / feature_norm C N d h * h c i j
            - / weight_norm C d (centred C w) * centred C w c j)))
    by (intros; apply sum_ext; intros; unfold Rdiv; ring).
  rewrite square_distance, <- feature_norm_square, <- weight_norm_square by lia.
  field; lra.
Qed.

Lemma variability_range C N d h : (2 <= C)%nat -> (1 <= N)%nat -> 0 < feature_norm C N d h ->
  0 <= variability C N d h <= 1.
Proof.
  intros P Q F; unfold variability.
  assert (V0 : 0 <= class_mean C N (fun c i => dot d (centred N (h c) i) (centred N (h c) i)))
    by (apply class_mean_nonneg; [lia | lia |]; intros; apply dot_nonneg).
  assert (FF : 0 < feature_norm C N d h * feature_norm C N d h)
    by (apply Rmult_lt_0_compat; assumption).
  split; [apply Rmult_le_pos; [exact V0 | left; apply Rinv_0_lt_compat, FF] |].
  assert (A := within_square C N d h ltac:(lia) Q).
  assert (H := centre_square_nonneg C N d h ltac:(lia)).
  apply (Rmult_le_reg_r (feature_norm C N d h * feature_norm C N d h)); [exact FF |].
  unfold Rdiv; rewrite Rmult_assoc, Rinv_l by lra; lra.
Qed.

(** Any lower bound p on the mean margin bounds the variability and the distance to self-duality. *)
Lemma margin_guarantees C N d w h p : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < feature_norm C N d h -> 0 < weight_norm C d (centred C w) ->
  p <= mean_margin C N d w h ->
  variability C N d h
  <= 1 - Rmax (p / largest_margin C N d w h) 0 * Rmax (p / largest_margin C N d w h) 0 /\
  self_duality C N d w h <= 2 - 2 * (p / largest_margin C N d w h).
Proof.
  intros P Q F B L.
  assert (K := ratio_pos C P).
  assert (TP := largest_margin_pos C N d w h P F B).
  set (T := largest_margin C N d w h) in *.
  set (t := mean_margin C N d w h) in *.
  assert (LT : p / T <= t / T) by (apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat |]; lra).
  assert (VR := variability_range C N d h P Q F).
  assert (FF : 0 < feature_norm C N d h * feature_norm C N d h)
    by (apply Rmult_lt_0_compat; assumption).
  split; [| rewrite self_duality_margin by assumption; fold T t; lra].
  (* nothing is said unless p > 0; then 1 - var is at least (t/T)^2 *)
  unfold Rmax; destruct (Rle_dec (p / T) 0) as [| N0]; [lra |].
  assert (N1 : 0 < p / T) by lra.
  assert (E : t / T = mean_product C N d w h
    / (feature_norm C N d h * weight_norm C d (centred C w))).
  { unfold t, T, largest_margin; rewrite mean_margin_product; field; lra. }
  assert (S := product_square C N d w h ltac:(lia)).
  assert (A := within_square C N d h ltac:(lia) Q).
  unfold variability; rewrite A.
  assert (Y := square_le _ _ (Rlt_le _ _ N1) LT); rewrite E in Y.
  set (f := feature_norm C N d h) in *; set (b := weight_norm C d (centred C w)) in *.
  set (x := mean_product C N d w h) in *; set (H0 := centre_square C N d h) in *.
  assert (x / (f * b) * (x / (f * b)) <= H0 / (f * f)); [| replace ((f * f - H0) / (f * f))
    with (1 - H0 / (f * f)) by (field; lra); lra].
  replace (x / (f * b) * (x / (f * b))) with (x * x * / (b * b * (f * f))) by (field; lra).
  replace (H0 / (f * f)) with (b * b * H0 * / (b * b * (f * f))) by (field; lra).
  apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat | exact S].
  apply Rmult_lt_0_compat; [apply Rmult_lt_0_compat; assumption | exact FF].
Qed.

(** Any lower bound p > 0 on the mean margin bounds the stacked cosine, the better if the
    variability is measured. *)
Lemma margin_cosine C N d w h p : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < p -> p <= mean_margin C N d w h ->
  1 - stacked_cosine C N d w h <= 1 - p / largest_margin C N d w h /\
  1 - stacked_cosine C N d w h
  <= 1 - p / largest_margin C N d w h / sqrt (1 - variability C N d h).
Proof.
  intros P Q PP L.
  destruct (positive_norms C N d w h P Q ltac:(lra)) as [X [H [F B]]].
  assert (TP := largest_margin_pos C N d w h P F B).
  set (T := largest_margin C N d w h) in *.
  set (t := mean_margin C N d w h) in *.
  assert (LT : p / T <= t / T) by (apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat |]; lra).
  assert (VR := variability_range C N d h P Q F).
  assert (E := mean_margin_factors C N d w h P Q H B); fold T t in E.
  assert (R1 : sqrt (1 - variability C N d h) <= 1)
    by (rewrite <- sqrt_1 at 2; apply sqrt_le_1_alt; lra).
  assert (R0 := sqrt_pos (1 - variability C N d h)).
  set (r := sqrt (1 - variability C N d h)) in *.
  set (k := stacked_cosine C N d w h) in *.
  assert (E2 : t / T = k * r) by (rewrite E; field; lra).
  assert (PT : 0 < t / T) by (apply Rdiv_lt_0_compat; lra).
  assert (r <> 0) by (intros Z; rewrite Z in E2; lra).
  assert (RP : 0 < r) by lra.
  assert (KP : p / T / r <= k).
  { apply (Rmult_le_reg_r r); [exact RP |].
    unfold Rdiv at 1; rewrite Rmult_assoc, Rinv_l by assumption; lra. }
  split; [| lra].
  assert (0 < p / T) by (apply Rdiv_lt_0_compat; lra).
  assert (p / T <= p / T / r); [| lra].
  rewrite <- (Rmult_1_r (p / T)) at 1; apply Rmult_le_compat_l; [lra |].
  apply (Rmult_le_reg_r r); [exact RP | rewrite Rinv_l; lra].
Qed.

Lemma stacked_cosine_above C N d w h : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < centre_square C N d h -> 0 < weight_norm C d (centred C w) -> -1 <= stacked_cosine C N d w h.
Proof.
  intros P Q H B; rewrite stacked_cosine_means by lia.
  assert (S := product_square C N d w h ltac:(lia)).
  assert (H1 : 0 < sqrt (centre_square C N d h)) by (apply sqrt_lt_R0, H).
  assert (H2 := sqrt_sqrt (centre_square C N d h) (Rlt_le _ _ H)).
  apply le_quotient; [apply Rmult_lt_0_compat; assumption |].
  set (x := mean_product C N d w h) in *; set (q := sqrt (centre_square C N d h)) in *.
  set (b := weight_norm C d (centred C w)) in *.
  assert (0 < q * b) by (apply Rmult_lt_0_compat; assumption).
  assert (- x <= q * b); [| lra].
  apply Rnot_lt_le; intros N0.
  assert (T := Rmult_le_0_lt_compat (q * b) (- x) (q * b) (- x) ltac:(lra) ltac:(lra) N0 N0).
  rewrite <- H2 in S; lra.
Qed.

(** bnwd:sharp-1, sharp "three levels of information", what each of the three guarantees, and what
    the mean margin says exactly. *)
Theorem level_guarantees C N d w a h : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < centre_square C N d h -> 0 < weight_norm C d (centred C w) ->
  let T := largest_margin C N d w h in
  let share := fun k => margin_level C N d w a h k / T in
  (forall k, (k < 3)%nat ->
     variability C N d h <= 1 - Rmax (share k) 0 * Rmax (share k) 0) /\
  (forall k, (k < 3)%nat ->
     1 - stacked_cosine C N d w h <= if Rlt_dec 0 (share k) then 1 - share k else 2) /\
  (forall k, (k < 3)%nat -> self_duality C N d w h <= 2 - 2 * share k) /\
  (forall k, (k < 3)%nat ->
     1 - stacked_cosine C N d w h <= 1 - share k / sqrt (1 - variability C N d h)) /\
  T + mean_margin C N d w h
  = T * (1 + stacked_cosine C N d w h * sqrt (1 - variability C N d h)) /\
  4 - self_duality C N d w h = 4 - (2 - 2 * (mean_margin C N d w h / T)).
Proof.
  intros P Q H B T share.
  assert (F : 0 < feature_norm C N d h).
  { assert (E := within_square C N d h ltac:(lia) Q).
    assert (V : 0 <= class_mean C N (fun c i => dot d (centred N (h c) i) (centred N (h c) i)))
      by (apply class_mean_nonneg; [lia | lia |]; intros; apply dot_nonneg).
    destruct (sqrt_pos (class_mean C N (fun c i => dot d (h c i) (h c i)))) as [G | G];
      fold (feature_norm C N d h) in G; [exact G |]. rewrite <- G in E; lra. }
  assert (TP := largest_margin_pos C N d w h P F B).
  assert (L : forall k, (k < 3)%nat -> margin_level C N d w a h k <= mean_margin C N d w h).
  { destruct (three_levels C N d w a h P Q) as [_ S].
    assert (S0 := S 0%nat ltac:(lia)); assert (S1 := S 1%nat ltac:(lia)).
    unfold margin_level in *; simpl in *.
    intros [| [| [| k]]] I; simpl; [lra | lra | lra | lia]. }
  assert (E := mean_margin_factors C N d w h P Q H B); fold T in E.
  split; [| split; [| split; [| split; [| split]]]].
  5: { rewrite E; ring. }
  5: { rewrite self_duality_margin by assumption; reflexivity. }
  all: intros k I.
  - exact (proj1 (margin_guarantees C N d w h _ P Q F B (L k I))).
  - destruct (Rlt_dec 0 (share k)) as [S | _].
    + assert (0 < margin_level C N d w a h k).
      { replace (margin_level C N d w a h k) with (share k * T)
          by (unfold share; field; unfold T; lra).
        apply Rmult_lt_0_compat; assumption. }
      exact (proj1 (margin_cosine C N d w h _ P Q H0 (L k I))).
    + assert (K := stacked_cosine_above C N d w h P Q H B); lra.
  - exact (proj2 (margin_guarantees C N d w h _ P Q F B (L k I))).
  - assert (R0 : 0 < sqrt (1 - variability C N d h)).
    { apply sqrt_lt_R0; unfold variability; rewrite within_square by lia.
      set (f := feature_norm C N d h) in *; set (c := centre_square C N d h) in *.
      replace (1 - (f * f - c) / (f * f)) with (c / (f * f)) by (field; lra).
      apply Rdiv_lt_0_compat; [exact H | apply Rmult_lt_0_compat; exact F]. }
    assert (K : share k / sqrt (1 - variability C N d h) <= stacked_cosine C N d w h); [| lra].
    apply quotient_le; [exact R0 |]; unfold share; apply quotient_le; [exact TP |].
    assert (Lk := L k I); fold T; lra.
Qed.

(** * From the mean loss *)

(** s = 1 - phi^(-1)(L)/T with T = C/(C-1) alpha beta. *)
Definition proximity_gap (C L alpha beta : R) : R :=
  1 - phi_inverse (C - 1) L / (C / (C - 1) * alpha * beta).

Lemma off_centre_share C d w : (0 < C)%nat -> 0 < weight_norm C d w ->
  1 - off_centre C d w
  = weight_norm C d (centred C w) * weight_norm C d (centred C w)
    / (weight_norm C d w * weight_norm C d w).
Proof.
  intros P B; assert (E := centred_norm_square C d w P).
  rewrite <- !weight_norm_square in E by exact P; rewrite E; unfold off_centre; field; lra.
Qed.

Lemma centred_norm_le C d w : (0 < C)%nat -> weight_norm C d (centred C w) <= weight_norm C d w.
Proof.
  intros P; apply sqrt_le_1_alt; rewrite centred_norm_square by exact P.
  assert (D := dot_nonneg d (fun j => mean C (fun r => w r j))); lra.
Qed.

(** What a loss L with phi^(-1)(L) = p0 >= 0 guarantees, of a network whose class means and centred
    weights do not all vanish. *)
Lemma guarantee_at_level C N d w a h : (2 <= C)%nat -> (1 <= N)%nat ->
  let L := mean_loss C N d w a h in
  let s := proximity_gap (INR C) L (feature_norm C N d h) (weight_norm C d (centred C w)) in
  let s_beta := proximity_gap (INR C) L (feature_norm C N d h) (weight_norm C d w) in
  0 <= phi_inverse (INR C - 1) L ->
  0 < centre_square C N d h -> 0 < weight_norm C d (centred C w) ->
  (1 - s_beta) * (1 - s_beta)
  <= stacked_cosine C N d w h * stacked_cosine C N d w h * (1 - variability C N d h)
     * (1 - off_centre C d w) /\
  (1 - s) * (1 - s)
  <= stacked_cosine C N d w h * stacked_cosine C N d w h * (1 - variability C N d h) /\
  variability C N d h <= s * (2 - s) /\
  1 - stacked_cosine C N d w h <= s /\
  self_duality C N d w h <= 2 * s.
Proof.
  intros P Q L s s_beta P0 H B; assert (R := classes_real C P); assert (K := ratio_pos C P).
  assert (M := loss_below_margin C N d w a h P Q); fold L in M.
  assert (F : 0 < feature_norm C N d h).
  { assert (A := within_square C N d h ltac:(lia) Q).
    assert (V : 0 <= class_mean C N (fun c i => dot d (centred N (h c) i) (centred N (h c) i)))
      by (apply class_mean_nonneg; [lia | lia |]; intros; apply dot_nonneg).
    assert (F0 : 0 <= feature_norm C N d h) by apply sqrt_pos.
    destruct F0 as [F0 | Z]; [exact F0 | rewrite <- Z in A; lra]. }
  assert (BB := centred_norm_le C d w ltac:(lia)).
  destruct (margin_guarantees C N d w h _ P Q F B M) as [G1 G3].
  assert (E := mean_margin_factors C N d w h P Q H B).
  assert (TP := largest_margin_pos C N d w h P F B).
  assert (ES : 1 - s = phi_inverse (INR C - 1) L / largest_margin C N d w h)
    by (unfold s, proximity_gap, largest_margin, ratio; lra).
  assert (ESB : 1 - s_beta
    = (1 - s) * (weight_norm C d (centred C w) / weight_norm C d w)).
  { rewrite ES; unfold s_beta, proximity_gap, largest_margin, ratio; field; lra. }
  rewrite <- ES in *.
  assert (S0 : 0 <= 1 - s).
  { rewrite ES; apply Rmult_le_pos; [exact P0 | left; apply Rinv_0_lt_compat, TP]. }
  rewrite (Rmax_left (1 - s) 0) in G1 by lra.
  assert (V1 : 0 <= 1 - variability C N d h).
  { assert (0 <= (1 - s) * (1 - s)) by (apply Rmult_le_pos; lra). lra. }
  assert (RT : sqrt (1 - variability C N d h) <= 1).
  { assert (VR := variability_range C N d h P Q F).
    rewrite <- sqrt_1 at 2; apply sqrt_le_1_alt; lra. }
  assert (R0 := sqrt_pos (1 - variability C N d h)).
  assert (KR : 1 - s <= stacked_cosine C N d w h * sqrt (1 - variability C N d h)).
  { rewrite ES; apply quotient_le; [exact TP | lra]. }
  assert (K0 : 0 <= stacked_cosine C N d w h).
  { rewrite stacked_cosine_means by lia; apply Rmult_le_pos.
    - apply (Rmult_le_reg_l (ratio C)); [exact K |]; rewrite <- mean_margin_product; lra.
    - left; apply Rinv_0_lt_compat, Rmult_lt_0_compat; [apply sqrt_lt_R0, H | exact B]. }
  assert (SH : (1 - s) * (1 - s)
               <= stacked_cosine C N d w h * stacked_cosine C N d w h * (1 - variability C N d h)).
  { rewrite <- (sqrt_sqrt (1 - variability C N d h)) by exact V1.
    assert (Y := square_le _ _ S0 KR); lra. }
  split; [| split; [exact SH | split; [lra | split; [| lra]]]].
  - rewrite off_centre_share by (lia || lra); rewrite ESB.
    set (q := weight_norm C d (centred C w)) in *; set (b := weight_norm C d w) in *.
    replace ((1 - s) * (q / b) * ((1 - s) * (q / b)))
      with ((1 - s) * (1 - s) * (q * q / (b * b))) by (field; lra).
    apply Rmult_le_compat_r; [| exact SH].
    apply Rmult_le_pos; [apply Rmult_le_pos; lra |].
    left; apply Rinv_0_lt_compat, Rmult_lt_0_compat; lra.
  - assert (G := Rmult_le_compat_l _ _ _ K0 RT); lra.
Qed.

(** bnwd:theorem-2.1, sharp "guarantee from the loss": a mean loss of at most log C bounds
    alignment, variability (NC1), the stacked cosine (NC3) and the distance to self-duality. At log
    C itself all class means or all centred weights may vanish, and then there is no cosine. *)
Theorem guarantee_from_loss C N d w a h : (2 <= C)%nat -> (1 <= N)%nat ->
  mean_loss C N d w a h <= ln (INR C) ->
  (mean_loss C N d w a h = ln (INR C) ->
     0 < centre_square C N d h /\ 0 < weight_norm C d (centred C w)) ->
  let L := mean_loss C N d w a h in
  let s := proximity_gap (INR C) L (feature_norm C N d h) (weight_norm C d (centred C w)) in
  let s_beta := proximity_gap (INR C) L (feature_norm C N d h) (weight_norm C d w) in
  (1 - s_beta) * (1 - s_beta)
  <= stacked_cosine C N d w h * stacked_cosine C N d w h * (1 - variability C N d h)
     * (1 - off_centre C d w) /\
  (1 - s) * (1 - s)
  <= stacked_cosine C N d w h * stacked_cosine C N d w h * (1 - variability C N d h) /\
  variability C N d h <= s * (2 - s) /\
  1 - stacked_cosine C N d w h <= s /\
  self_duality C N d w h <= 2 * s.
Proof.
  intros P Q LC Z L s s_beta; assert (R := classes_real C P).
  assert (L0 : 0 < L) by (apply network_loss_pos; assumption).
  assert (P0 : 0 <= phi_inverse (INR C - 1) L) by (apply inverse_nonneg;
    [lra | exact L0 | exact LC]).
  assert (N0 : 0 < centre_square C N d h /\ 0 < weight_norm C d (centred C w)).
  { destruct LC as [LC | LC]; [| exact (Z LC)].
    assert (PP : 0 < phi_inverse (INR C - 1) L) by (apply inverse_pos; [lra | exact L0 | exact LC]).
    assert (M := loss_below_margin C N d w a h P Q); fold L in M.
    destruct (positive_norms C N d w h P Q ltac:(lra)) as [_ [H [_ B]]]; auto. }
  destruct N0 as [H B]; apply guarantee_at_level; assumption.
Qed.
