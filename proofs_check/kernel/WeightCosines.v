(** Mean cosines of features with the centred weights of their classes, from the mean loss alone. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Phi Network Budget Tangent.
Open Scope R_scope.

(** The cosine of two vectors; -1 where one vanishes. *)
Definition cosine_or_least (d : nat) (x y : nat -> R) : R :=
  if Rlt_dec 0 (norm d x * norm d y) then dot d x y / (norm d x * norm d y) else -1.

Definition weight_cosine (C d : nat) (w : nat -> nat -> R) (x : nat -> R) (c : nat) : R :=
  cosine_or_least d x (centred C w c).

(** Mean cosine of the features, and of the class means. *)
Definition mean_cosine (C N d : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R) : R :=
  class_mean C N (fun c i => weight_cosine C d w (h c i) c).

Definition mean_cosine_of_means (C N d : nat) (w : nat -> nat -> R)
    (h : nat -> nat -> nat -> R) : R :=
  mean C (fun c => weight_cosine C d w (class_centre N h c) c).

Definition direction_of (d : nat) (x : nat -> R) : nat -> R :=
  fun j => if Rlt_dec 0 (norm d x) then x j / norm d x else 0.

(** Mean over the classes of the squared norm of the mean direction. *)
Definition mean_intra_class (C N d : nat) (h : nat -> nat -> nat -> R) : R :=
  mean C (fun c => dot d (fun j => mean N (fun i => direction_of d (h c i) j))
                         (fun j => mean N (fun i => direction_of d (h c i) j))).

(** The largest margin that the norms of a feature and of the weight of class c allow. *)
Definition length_product (C d : nat) (w : nat -> nat -> R) (x : nat -> R) (c : nat) : R :=
  ratio C * norm d x * norm d (centred C w c).

(** * One sample *)

Lemma norm_product d x y : norm d x * norm d y <= 0 -> norm d x * norm d y = 0 /\ dot d x y = 0.
Proof.
  intros H; assert (A := norm_nonneg d x); assert (B := norm_nonneg d y).
  assert (P := Rmult_le_pos _ _ A B); assert (Z : norm d x * norm d y = 0) by lra.
  split; [exact Z |]; assert (S := cauchy_schwarz_abs d x y); rewrite Z in S.
  destruct (Req_dec (dot d x y) 0) as [E | E]; [exact E |].
  apply Rabs_pos_lt in E; lra.
Qed.

Lemma cosine_range d x y : -1 <= cosine_or_least d x y <= 1.
Proof.
  unfold cosine_or_least; destruct (Rlt_dec 0 (norm d x * norm d y)) as [P |]; [| lra].
  assert (S := cauchy_schwarz_abs d x y).
  assert (A := Rle_abs (dot d x y)); assert (B := Rle_abs (- dot d x y)); rewrite Rabs_Ropp in B.
  split; [apply le_quotient | apply quotient_le]; lra.
Qed.

Lemma inner_is_cosine d x y : dot d x y = norm d x * norm d y * cosine_or_least d x y.
Proof.
  unfold cosine_or_least; destruct (Rlt_dec 0 (norm d x * norm d y)) as [P | N].
  - field; split; intros Z; rewrite Z in P; lra.
  - destruct (norm_product d x y ltac:(lra)) as [-> ->]; ring.
Qed.

Lemma margin_is_cosine C d w x c :
  margin C d w x c = length_product C d w x c * weight_cosine C d w x c.
Proof.
  unfold margin, length_product, weight_cosine; rewrite (dot_comm d (centred C w c)).
  rewrite inner_is_cosine; ring.
Qed.

Lemma length_product_nonneg C d w x c : (2 <= C)%nat -> 0 <= length_product C d w x c.
Proof.
  intros P; unfold length_product; assert (K := ratio_pos C P).
  apply Rmult_le_pos; [apply Rmult_le_pos; [lra |] |]; apply norm_nonneg.
Qed.

(** Cauchy-Schwarz over all samples. *)
Lemma mean_length_product C N d w h : (2 <= C)%nat -> (1 <= N)%nat ->
  class_mean C N (fun c i => length_product C d w (h c i) c) <= largest_margin C N d w h.
Proof.
  intros P Q; assert (K := ratio_pos C P).
  assert (H := mean_inner C N 1 (fun c _ => norm d (centred C w c)) (fun c i _ => norm d (h c i))
                 ltac:(lia) ltac:(lia)).
  unfold largest_margin; rewrite Rmult_assoc.
  rewrite (class_mean_ext C N _ (fun c i => ratio C *
    dot 1 (fun _ => norm d (centred C w c)) (fun _ => norm d (h c i))))
    by (intros; unfold length_product, dot; simpl; ring).
  rewrite class_mean_scale; apply Rmult_le_compat_l; [lra |].
  replace (feature_norm C N d h) with (feature_norm C N 1 (fun c i _ => norm d (h c i))).
  - replace (weight_norm C d (centred C w)) with (weight_norm C 1 (fun c _ => norm d (centred C w
    c)));
      [exact H |].
    unfold weight_norm; f_equal; apply mean_ext; intros c _; unfold dot at 1; simpl.
    rewrite norm_sqr; ring.
  - unfold feature_norm; f_equal; apply class_mean_ext; intros c i _ _; unfold dot at 1; simpl.
    rewrite norm_sqr; ring.
Qed.

(** The same for class means, which are no longer than the features. *)
Lemma mean_length_of_means C N d w h : (2 <= C)%nat -> (1 <= N)%nat ->
  class_mean C 1 (fun c _ => length_product C d w (class_centre N h c) c) <= largest_margin C N d w
    h.
Proof.
  intros P Q; assert (K := ratio_pos C P).
  assert (H := mean_length_product C 1 d w (fun c _ => class_centre N h c) P ltac:(lia)).
  eapply Rle_trans; [exact H |]; unfold largest_margin.
  apply Rmult_le_compat_r; [apply sqrt_pos | apply Rmult_le_compat_l; [lra |]].
  unfold feature_norm; apply sqrt_le_1_alt; rewrite class_mean_of_classes by lia.
  assert (E := within_square C N d h ltac:(lia) Q); rewrite feature_norm_square in E by lia.
  assert (V : 0 <= class_mean C N (fun c i => dot d (centred N (h c) i) (centred N (h c) i)))
    by (apply class_mean_nonneg; [lia | lia |]; intros; apply dot_nonneg).
  unfold centre_square in E; lra.
Qed.

(** * Intra-class cosines *)

Lemma direction_inner_cosine d x y :
  cosine_or_least d x y <= dot d (direction_of d y) (direction_of d x).
Proof.
  assert (A := norm_nonneg d x); assert (B := norm_nonneg d y).
  unfold cosine_or_least, direction_of; destruct (Rlt_dec 0 (norm d x * norm d y)) as [P | N].
  - destruct (Rlt_dec 0 (norm d x)) as [X | X], (Rlt_dec 0 (norm d y)) as [Y | Y];
      try (assert (norm d x = 0 \/ norm d y = 0) as [Z | Z] by lra; rewrite Z in P; lra).
    right; symmetry; set (p := norm d x) in *; set (q := norm d y) in *; unfold dot.
    rewrite (sum_ext d _ (fun j => / (p * q) * (x j * y j))) by (intros; field; lra).
    rewrite sum_scale; unfold Rdiv; ring.
  - assert (E : dot d (fun j => if Rlt_dec 0 (norm d y) then y j / norm d y else 0)
                      (fun j => if Rlt_dec 0 (norm d x) then x j / norm d x else 0) = 0).
    { destruct (norm_product d x y ltac:(lra)) as [Z _].
      destruct (Rlt_dec 0 (norm d x)) as [X | X], (Rlt_dec 0 (norm d y)) as [Y | Y];
        try (apply sum_zero; intros; ring).
      assert (H := Rmult_lt_0_compat _ _ X Y); lra. }
    rewrite E; lra.
Qed.

Lemma direction_norm d x : norm d (direction_of d x) <= 1.
Proof.
  rewrite <- sqrt_1; apply sqrt_le_1_alt; unfold direction_of.
  destruct (Rlt_dec 0 (norm d x)) as [X | X].
  - set (p := norm d x) in *; unfold dot.
    rewrite (sum_ext d _ (fun j => / (p * p) * (x j * x j))) by (intros; field; lra).
    rewrite sum_scale; fold (dot d x x); rewrite <- norm_sqr; fold p; right; field; lra.
  - unfold dot; rewrite sum_zero by (intros; ring); lra.
Qed.

Lemma mean_square_above n x : (0 < n)%nat -> mean n x * mean n x <= mean n (fun c => x c * x c).
Proof.
  intros P; set (m := mean n x).
  assert (H : 0 <= mean n (fun c => (x c - m) * (x c - m)))
    by (apply mean_nonneg; [exact P |]; intros; apply Rle_0_sqr).
  rewrite (mean_ext n _ (fun c => x c * x c - 2 * m * x c + m * m)) in H by (intros; ring).
  rewrite mean_plus, mean_minus, mean_scale, mean_const in H by exact P; fold m in H; lra.
Qed.

(** What bounds the mean cosine bounds the root of the intra-class cosine. *)
Lemma intra_class_from_mean C N d w h least : (1 <= C)%nat -> (1 <= N)%nat ->
  least <= mean_cosine C N d w h ->
  Rmax least 0 * Rmax least 0 <= mean_intra_class C N d h.
Proof.
  intros P Q B; set (m := fun c j => mean N (fun i => direction_of d (h c i) j)).
  assert (E : mean_cosine C N d w h <= mean C (fun c => norm d (m c))).
  { apply mean_le; [lia |]; intros c _.
    apply Rle_trans with (dot d (direction_of d (centred C w c)) (m c)).
    - unfold m; rewrite (dot_mean_r d N (fun i => direction_of d (h c i))).
      apply mean_le; [lia |]; intros i _; apply direction_inner_cosine.
    - assert (S := cauchy_schwarz d (direction_of d (centred C w c)) (m c)).
      assert (U := direction_norm d (centred C w c)); assert (V := norm_nonneg d (m c)).
      assert (H := Rmult_le_compat_r _ _ _ V U); lra. }
  assert (Z : 0 <= mean C (fun c => norm d (m c)))
    by (apply mean_nonneg; [lia |]; intros; apply norm_nonneg).
  eapply Rle_trans; [apply square_le; [apply Rmax_r | apply Rmax_lub; [| exact Z]] |].
  - lra.
  - eapply Rle_trans; [apply mean_square_above; lia |]; right; apply mean_ext; intros;
    apply norm_sqr.
Qed.

(** * From the mean loss to the mean of phi (C-1) of the margins *)

(** (1 + x)^a <= 1 + a x for a = e^(-o). *)
Lemma raised_phi M o t : 0 < M -> 0 <= o -> phi M t <= exp o * phi M (t + o).
Proof.
  intros P O; set (a := exp (- o)); assert (E := exp_pos (- t)).
  assert (A : 0 <= a <= 1).
  { split; [left; apply exp_pos | unfold a; rewrite <- exp_0; apply exp_le; lra]. }
  assert (I : exp o * a = 1) by (unfold a; rewrite <- exp_plus, Rplus_opp_r; apply exp_0).
  assert (X := phi_argument_pos M t P).
  assert (B := bregman_nonneg a (- phi M t) A); unfold bregman in B.
  rewrite Ropp_involutive, exp_phi in B by exact P.
  replace (1 - a + a * (1 + M * exp (- t))) with (1 + M * exp (- (t + o))) in B.
  - fold (phi M (t + o)) in B.
    assert (H := Rmult_le_compat_l (exp o) _ _ (Rlt_le _ _ (exp_pos o)) B).
    replace (exp o * (phi M (t + o) + a * - phi M t))
      with (exp o * phi M (t + o) - exp o * a * phi M t) in H by ring.
    rewrite I in H; lra.
  - rewrite Ropp_plus_distr, exp_plus; fold a; ring.
Qed.

(** Any number o that no bias adds more than. *)
Definition bounds_bias (C : nat) (a : nat -> R) (o : R) : Prop :=
  forall c, (c < C)%nat -> bias_margin C a c <= o.

Lemma mean_phi_below C N d w a h o : (2 <= C)%nat -> (1 <= N)%nat -> bounds_bias C a o ->
  class_mean C N (fun c i => phi (INR C - 1) (margin C d w (h c i) c))
  <= exp o * mean_loss C N d w a h.
Proof.
  intros P Q B; assert (M := rival_count_pos C P); unfold mean_loss.
  assert (O : 0 <= o).
  { rewrite <- (bias_margin_mean C a P), <- (mean_const C o) by lia; apply mean_le;
    [lia | exact B]. }
  rewrite <- class_mean_scale; apply class_mean_le; [lia | lia |]; intros c i L _.
  rewrite loss_at_margin, logit_margin_split by assumption.
  assert (G := off_class_nonneg C (logits d w a (h c i)) c P L); assert (Bc := B c L).
  eapply Rle_trans; [apply (raised_phi _ o _ M O) |].
  apply Rmult_le_compat_l; [left; apply exp_pos | apply phi_antitone; [exact M | lra]].
Qed.

(** * The mean over a set of samples *)

(** The part of the samples that s takes, and the mean of f over them. *)
Definition over (C N : nat) (s f : nat -> nat -> R) : R :=
  class_mean C N (fun c i => s c i * f c i) / class_mean C N s.

(** Lengths y of mean at most T, cosines x, and a mean of phi of y x that is at most L: the mean of
    x over the part s. The others cost at least what fano says. *)
Lemma share_of_cosines C N M q k T L y x s : (1 <= C)%nat -> (1 <= N)%nat -> 0 < M ->
  0 < q < 1 -> 0 < k <= 1 ->
  let t := ln (M * (1 - q) / q) in
  1 <= 2 * (1 - q) * t ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> 0 <= y c i /\ -1 <= x c i <= 1 /\ 0 <= s c i <= 1) ->
  class_mean C N (fun c i => phi M (y c i * x c i)) <= L -> class_mean C N y <= T ->
  class_mean C N s * Rmin (phi M t + 2 * q * t) (phi M 0 - q * t / k)
  + (1 - class_mean C N s) * fano M (q * k) - q * k * T - L
  <= q * t / k * class_mean C N (fun c i => s c i * x c i).
Proof.
  intros P Q M0 Q0 K t H F HL HT.
  set (least := Rmin (phi M t + 2 * q * t) (phi M 0 - q * t / k)).
  set (rest := fano M (q * k)).
  assert (QK : 0 < q * k < 1).
  { split; [apply Rmult_lt_0_compat; lra |].
    assert (B := Rmult_le_compat_l q _ _ ltac:(lra) (proj2 K)); lra. }
  assert (E : class_mean C N (fun c i => s c i * least + (1 - s c i) * rest)
              <= class_mean C N (fun c i => phi M (y c i * x c i) + q * k * y c i
                                            + q * t / k * (s c i * x c i))).
  { apply class_mean_le; [lia | lia |]; intros c i Lc Li; destruct (F c i Lc Li) as [Y [X S]].
    assert (A := phi_length_and_cosine M q k (y c i) (x c i) M0 Q0 (proj1 K) H Y X).
    fold t least in A.
    assert (B := fano_below M (q * k) (y c i) M0 QK); fold rest in B.
    assert (D : phi M (y c i) <= phi M (y c i * x c i)).
    { apply phi_antitone; [exact M0 |].
      assert (G := Rmult_le_compat_l _ _ _ Y (proj2 X)); lra. }
    assert (A1 := Rmult_le_compat_l _ _ _ (proj1 S) A).
    assert (B1 := Rmult_le_compat_l (1 - s c i) rest (phi M (y c i * x c i) + q * k * y c i)
                    ltac:(lra) ltac:(lra)).
    lra. }
  rewrite !class_mean_plus, !class_mean_scale in E.
  rewrite (class_mean_ext C N (fun c i => s c i * least) (fun c i => least * s c i)) in E
    by (intros; ring).
  rewrite (class_mean_ext C N (fun c i => (1 - s c i) * rest) (fun c i => rest - rest * s c i)) in E
    by (intros; ring).
  rewrite class_mean_minus, !class_mean_scale, class_mean_const in E by lia.
  assert (PT := Rmult_le_compat_l (q * k) _ _ ltac:(lra) HT). lra.
Qed.

(** Lower bound on the mean cosine over a share delta of the samples. *)
Definition share_cosine (C L alpha beta delta q kappa : R) : R :=
  let t := ln ((C - 1) * (1 - q) / q) in
  let least := Rmin (2 * q * t - ln (1 - q)) (ln C - q * t / kappa) in
  (least + ((1 - delta) * fano (C - 1) (q * kappa)
            - q * kappa * (C / (C - 1)) * alpha * beta - L) / delta) / (q * t / kappa).

(** bnwd:sharp-2, sharp "every share of the samples": the mean cosine over any share of the samples,
    from the mean loss, for every error probability q and cosine kappa at which a tangent is taken;
    o is at least what any bias adds to a margin. *)
Theorem every_share C N d w a h s q kappa o : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < q < 1 -> 0 < kappa <= 1 ->
  1 <= 2 * (1 - q) * ln ((INR C - 1) * (1 - q) / q) ->
  (forall c, (c < C)%nat -> bias_margin C a c <= o) ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> 0 <= s c i <= 1) ->
  0 < class_mean C N s ->
  1 - over C N s (fun c i => weight_cosine C d w (h c i) c)
  <= 1 - share_cosine (INR C) (exp o * mean_loss C N d w a h) (feature_norm C N d h)
           (weight_norm C d (centred C w)) (class_mean C N s) q kappa.
Proof.
  intros P Q Q0 K H B S D; assert (R := classes_real C P).
  set (L := exp o * mean_loss C N d w a h).
  set (t := ln ((INR C - 1) * (1 - q) / q)) in *.
  assert (T0 : 0 < t).
  { apply Rnot_le_lt; intros N0; assert (0 <= (1 - q) * (- t)) by (apply Rmult_le_pos; lra). lra. }
  assert (ML := mean_phi_below C N d w a h o P Q B); fold L in ML.
  assert (E := share_of_cosines C N (INR C - 1) q kappa (largest_margin C N d w h) L
    (fun c i => length_product C d w (h c i) c) (fun c i => weight_cosine C d w (h c i) c) s
    ltac:(lia) Q ltac:(lra) Q0 K); cbv zeta in E; fold t in E.
  rewrite phi_at_0 in E by lra; unfold t in E at 2; rewrite phi_at_error in E by lra; fold t in E.
  assert (F := E H); clear E.
  assert (E : class_mean C N s * Rmin (- ln (1 - q) + 2 * q * t) (ln (INR C) - q * t / kappa)
    + (1 - class_mean C N s) * fano (INR C - 1) (q * kappa)
    - q * kappa * largest_margin C N d w h - L
    <= q * t / kappa * class_mean C N (fun c i => s c i * weight_cosine C d w (h c i) c)).
  { apply F.
    - intros c i Lc Li; split; [apply length_product_nonneg, P | split;
      [apply cosine_range | auto]].
    - rewrite (class_mean_ext C N _ (fun c i => phi (INR C - 1) (margin C d w (h c i) c)))
        by (intros; rewrite margin_is_cosine; reflexivity).
      exact ML.
    - apply mean_length_product; assumption. }
  clear F; apply Rplus_le_compat_l, Ropp_le_contravar.
  assert (SL : 0 < q * t / kappa) by (apply Rdiv_lt_0_compat; [apply Rmult_lt_0_compat |]; lra).
  unfold share_cosine, over; fold t; apply quotient_le; [exact SL |].
  replace (2 * q * t - ln (1 - q)) with (- ln (1 - q) + 2 * q * t) by ring.
  set (least := Rmin (- ln (1 - q) + 2 * q * t) (ln (INR C) - q * t / kappa)) in *.
  unfold largest_margin, ratio in E.
  set (delta := class_mean C N s) in *; set (rest := fano (INR C - 1) (q * kappa)) in *.
  apply (Rmult_le_reg_r delta); [exact D |].
  set (x := class_mean C N (fun c i => s c i * weight_cosine C d w (h c i) c)) in *.
  replace (x / delta * (q * t / kappa) * delta) with (q * t / kappa * x) by (field; lra).
  eapply Rle_trans; [| exact E]; right; field; lra.
Qed.

(** * The mean loss alone *)

(** Lower bound on the mean cosine: 1 - s, or what tiny, wrongly directed features allow. *)
Definition loss_cosine (C L alpha beta : R) : R :=
  let t := phi_inverse (C - 1) L in
  let T := C / (C - 1) * alpha * beta in
  Rmin (t / T) (((ln C - L) / (1 - exp (- L)) - t) / T - 1).

Lemma error_of_loss M L : 0 < M -> 0 < L ->
  M * (1 - (1 - exp (- L))) / (1 - exp (- L)) = M / (exp L - 1).
Proof.
  intros P H; assert (E := exp_above_1 L H); rewrite exp_Ropp; field; lra.
Qed.

(** The same with M rivals and the largest margin T. *)
Definition cosine_at_loss (M L T : R) : R :=
  Rmin (phi_inverse M L / T) (((ln (1 + M) - L) / (1 - exp (- L)) - phi_inverse M L) / T - 1).

Lemma loss_cosine_at C L alpha beta :
  loss_cosine C L alpha beta = cosine_at_loss (C - 1) L (C / (C - 1) * alpha * beta).
Proof. unfold loss_cosine, cosine_at_loss; replace (1 + (C - 1)) with C by ring; reflexivity. Qed.

(** Lengths y of mean at most T, cosines x, and a mean of phi of y x that is at most L. *)
Lemma mean_of_cosines C N M L T y x : (1 <= C)%nat -> (1 <= N)%nat -> 0 < M -> 0 < L ->
  exp L <= 2 * phi_inverse M L -> 0 < T ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> 0 <= y c i /\ -1 <= x c i <= 1) ->
  class_mean C N (fun c i => phi M (y c i * x c i)) <= L -> class_mean C N y <= T ->
  cosine_at_loss M L T <= class_mean C N x.
Proof.
  intros P Q M0 L0 H T0 F HL HT.
  set (t := phi_inverse M L) in *; set (q := 1 - exp (- L)).
  assert (EL := exp_above_1 L L0); assert (EN := exp_pos (- L)).
  assert (E1 : exp L * exp (- L) = 1) by (rewrite <- exp_plus, Rplus_opp_r; apply exp_0).
  assert (Q0 : 0 < q < 1).
  { assert (exp (- L) < 1) by (rewrite <- exp_0; apply exp_increasing; lra). unfold q; lra. }
  assert (ET : ln (M * (1 - q) / q) = t)
    by (unfold q, t, phi_inverse; rewrite error_of_loss by lra; reflexivity).
  assert (PT : phi M t = L) by (apply phi_of_inverse; lra).
  assert (TP : 0 < t) by lra.
  assert (COND : 1 <= 2 * (1 - q) * t).
  { assert (A := Rmult_le_compat_r (exp (- L)) _ _ (Rlt_le _ _ EN) H); rewrite E1 in A.
    replace (1 - q) with (exp (- L)) by (unfold q; ring); lra. }
  (* the tangent at t and the cosine t/T *)
  assert (SL : q * t / (t / T) = q * T) by (field; lra).
  assert (E : class_mean C N (fun _ _ => Rmin (L + 2 * q * t) (ln (1 + M) - q * T))
              <= class_mean C N (fun c i => phi M (y c i * x c i) + q * (t / T) * y c i
                                            + q * T * x c i)).
  { apply class_mean_le; [lia | lia |]; intros c i Lc Li; destruct (F c i Lc Li) as [Y X].
    assert (A := phi_length_and_cosine M q (t / T) (y c i) (x c i) M0 Q0
                   ltac:(apply Rdiv_lt_0_compat; lra)).
    cbv zeta in A; rewrite ET, PT, SL in A; replace (phi M 0) with (ln (1 + M)) in A
      by (unfold phi; rewrite Ropp_0, exp_0, Rmult_1_r; reflexivity).
    apply A; assumption. }
  rewrite !class_mean_plus, !class_mean_scale, class_mean_const in E by lia.
  assert (PR : q * (t / T) * class_mean C N y <= q * t).
  { replace (q * t) with (q * (t / T) * T) by (field; lra).
    apply Rmult_le_compat_l; [| exact HT]; left; apply Rmult_lt_0_compat; [lra |].
    apply Rdiv_lt_0_compat; lra. }
  assert (QT : 0 < q * T) by (apply Rmult_lt_0_compat; lra).
  unfold cosine_at_loss; fold t q.
  assert (G : Rmin (L + 2 * q * t) (ln (1 + M) - q * T) - q * t - L <= q * T * class_mean C N x) by
    lra.
  set (X := class_mean C N x) in *.
  unfold Rmin in G; destruct (Rle_dec (L + 2 * q * t) (ln (1 + M) - q * T)).
  - eapply Rle_trans; [apply Rmin_l |]; apply (Rmult_le_reg_l (q * T)); [exact QT |].
    replace (q * T * (t / T)) with (q * t) by (field; lra); lra.
  - eapply Rle_trans; [apply Rmin_r |]; apply (Rmult_le_reg_l (q * T)); [exact QT |].
    replace (q * T * (((ln (1 + M) - L) / q - t) / T - 1)) with (ln (1 + M) - L - q * t - q * T)
      by (field; lra). lra.
Qed.

(** By Jensen. *)
Lemma inverse_below_largest C N d w h L : (2 <= C)%nat -> (1 <= N)%nat -> 0 < L ->
  class_mean C N (fun c i => phi (INR C - 1) (margin C d w (h c i) c)) <= L ->
  phi_inverse (INR C - 1) L <= largest_margin C N d w h.
Proof.
  intros P Q LP ML; assert (M := rival_count_pos C P).
  eapply Rle_trans; [| apply mean_margin_largest; assumption].
  apply inverse_below; [exact M | exact LP |].
  assert (J := phi_jensen_mean C (fun c => mean N (fun i => margin C d w (h c i) c)) (INR C - 1) M
                 ltac:(lia)).
  eapply Rle_trans; [exact J |]; eapply Rle_trans; [| exact ML].
  apply mean_le; [lia |]; intros; apply phi_jensen_mean; [exact M | lia].
Qed.

(** bnwd:sharp-2, sharp "the mean loss alone": mean cosines of features and of class means with
    their weights, and within classes, from the mean loss; o is at least what any bias adds to a
    margin. *)
Theorem cosines_from_loss C N d w a h o : (2 <= C)%nat -> (1 <= N)%nat ->
  (forall c, (c < C)%nat -> bias_margin C a c <= o) ->
  let L := exp o * mean_loss C N d w a h in
  let least := loss_cosine (INR C) L (feature_norm C N d h) (weight_norm C d (centred C w)) in
  exp L <= 2 * phi_inverse (INR C - 1) L ->
  1 - mean_cosine C N d w h <= 1 - least /\
  1 - mean_cosine_of_means C N d w h <= 1 - least /\
  1 - mean_intra_class C N d h <= 1 - Rmax least 0 * Rmax least 0.
Proof.
  intros P Q B L least H; assert (R := classes_real C P); assert (M := rival_count_pos C P).
  assert (ML := mean_phi_below C N d w a h o P Q B); fold L in ML.
  assert (LP : 0 < L).
  { apply Rmult_lt_0_compat; [apply exp_pos | apply network_loss_pos; assumption]. }
  (* the class means have less mean phi, by Jensen *)
  assert (MM : class_mean C 1 (fun c _ => phi (INR C - 1) (margin C d w (class_centre N h c) c)) <=
    L).
  { eapply Rle_trans; [| exact ML]; rewrite class_mean_of_classes by lia; apply mean_le; [lia |].
    intros c _; replace (margin C d w (class_centre N h c) c)
      with (mean N (fun i => margin C d w (h c i) c)); [apply phi_jensen_mean; [exact M | lia] |].
    unfold margin, class_centre; rewrite mean_scale, dot_mean_r; reflexivity. }
  assert (EL := exp_pos L).
  assert (T0 := inverse_below_largest C N d w h L P Q LP ML).
  assert (A : least <= mean_cosine C N d w h).
  { unfold least; rewrite loss_cosine_at.
    apply mean_of_cosines with (y := fun c i => length_product C d w (h c i) c);
      try assumption; try lia; try (change (0 < largest_margin C N d w h); lra).
    - intros; split; [apply length_product_nonneg, P | apply cosine_range].
    - rewrite (class_mean_ext C N _ (fun c i => phi (INR C - 1) (margin C d w (h c i) c)))
        by (intros; rewrite margin_is_cosine; reflexivity).
      exact ML.
    - apply mean_length_product; assumption. }
  assert (A1 : least <= mean_cosine_of_means C N d w h).
  { unfold mean_cosine_of_means; rewrite <- (class_mean_of_classes C 1) by lia.
    unfold least; rewrite loss_cosine_at.
    apply mean_of_cosines with (y := fun c _ => length_product C d w (class_centre N h c) c);
      try assumption; try lia; try (change (0 < largest_margin C N d w h); lra).
    - intros; split; [apply length_product_nonneg, P | apply cosine_range].
    - rewrite (class_mean_ext C 1 _ (fun c _ =>
        phi (INR C - 1) (margin C d w (class_centre N h c) c)))
        by (intros; rewrite margin_is_cosine; reflexivity).
      exact MM.
    - apply mean_length_of_means; assumption. }
  assert (A2 := intra_class_from_mean C N d w h least ltac:(lia) Q A).
  split; [lra | split; lra].
Qed.
