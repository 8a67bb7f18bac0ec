(** Mean cosines of features with the centred weights of their classes, from the square loss. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Phi Network Budget Gap SquareGap SquareNetwork Tangent
  WeightCosines.
Open Scope R_scope.

(** Lower bound on the mean cosine, e the root mean square error over the length of a target; a loss
    of 0 has no room for wrongly directed features. *)
Definition square_loss_cosine (e T : R) : R :=
  if Rlt_dec 0 e then Rmin ((1 - e) / T) ((1 - e) * (1 - e) / (2 * e * T) - 1) else (1 - e) / T.

(** Lengths y of mean at most T, cosines x, and margins y x whose mean square distance from 1 is at
    most e^2. *)
Lemma square_mean_of_cosines C N e T y x : (1 <= C)%nat -> (1 <= N)%nat -> 0 < e < 1 ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> 0 <= y c i /\ -1 <= x c i <= 1) ->
  class_mean C N (fun c i => (1 - y c i * x c i) * (1 - y c i * x c i)) <= e * e ->
  class_mean C N y <= T ->
  1 - e <= T /\
  Rmin ((1 - e) / T) ((1 - e) * (1 - e) / (2 * e * T) - 1) <= class_mean C N x.
Proof.
  intros P Q E F HL HT; set (X := class_mean C N x) in *.
  assert (TE : 1 - e <= T).
  { assert (A : class_mean C N (fun _ _ => 2 * e - e * e)
      <= class_mean C N (fun c i => (1 - y c i * x c i) * (1 - y c i * x c i) + 2 * e * y c i)).
    { apply class_mean_le; [lia | lia |]; intros c i Lc Li; destruct (F c i Lc Li) as [Y [_ U]].
      assert (G := Rmult_le_compat_l _ _ _ Y U).
      assert (G1 := Rmult_le_compat_l (2 * e) _ _ ltac:(lra) G).
      assert (S := Rle_0_sqr (1 - y c i * x c i - e)); unfold Rsqr in S; lra. }
    rewrite class_mean_const, class_mean_plus, class_mean_scale in A by lia.
    apply (Rmult_le_reg_l (2 * e)); [lra |].
    assert (B := Rmult_le_compat_l (2 * e) _ _ ltac:(lra) HT); lra. }
  split; [exact TE |].
  set (t := 1 - e) in *; assert (T0 : 0 < T) by (unfold t in TE; lra).
  assert (ET : 0 < 2 * e * T) by (apply Rmult_lt_0_compat; lra).
  destruct (Rle_lt_dec e (2 / 3)) as [S | S].
  - assert (K0 : 0 < t / T) by (apply Rdiv_lt_0_compat; unfold t; lra).
    assert (A : class_mean C N (fun _ _ => Rmin (e * e + 4 * e * t) (1 - 2 * e * T))
      <= class_mean C N (fun c i => (1 - y c i * x c i) * (1 - y c i * x c i)
                                    + 2 * e * (t / T) * y c i + 2 * e * T * x c i)).
    { apply class_mean_le; [lia | lia |]; intros c i Lc Li; destruct (F c i Lc Li) as [Y U].
      assert (A := square_length_and_cosine t (t / T) (y c i) (x c i)
                     ltac:(unfold t; lra) K0 Y U).
      replace (1 - t) with e in A by (unfold t; ring).
      replace (2 * e * t / (t / T)) with (2 * e * T) in A by (field; unfold t; lra). exact A. }
    rewrite !class_mean_plus, !class_mean_scale, class_mean_const in A by lia; fold X in A.
    assert (PR : 2 * e * (t / T) * class_mean C N y <= 2 * e * t).
    { replace (2 * e * t) with (2 * e * (t / T) * T) by (field; lra).
      apply Rmult_le_compat_l; [| exact HT]; apply Rmult_le_pos; lra. }
    unfold Rmin in A; destruct (Rle_dec (e * e + 4 * e * t) (1 - 2 * e * T)).
    + eapply Rle_trans; [apply Rmin_l |]; apply (Rmult_le_reg_l (2 * e * T)); [exact ET |].
      replace (2 * e * T * (t / T)) with (2 * e * t) by (field; lra). lra.
    + eapply Rle_trans; [apply Rmin_r |]; apply (Rmult_le_reg_l (2 * e * T)); [exact ET |].
      replace (2 * e * T * (t * t / (2 * e * T) - 1)) with (t * t - 2 * e * T) by (field; lra).
      assert (t * t = 1 - e * e - 2 * e * t) by (unfold t; ring). lra.
  - (* a cosine below 0 costs a loss of at least 1 *)
    assert (A : class_mean C N (fun c i => -1 * ((1 - y c i * x c i) * (1 - y c i * x c i))) <= X).
    { apply class_mean_le; [lia | lia |]; intros c i Lc Li; destruct (F c i Lc Li) as [Y U].
      assert (Z := Rle_0_sqr (1 - y c i * x c i)); unfold Rsqr in Z.
      destruct (Rle_lt_dec 0 (x c i)); [lra |].
      assert (G : 0 <= y c i * - x c i) by (apply Rmult_le_pos; lra).
      assert (G1 := square_le 1 (1 - y c i * x c i) ltac:(lra) ltac:(lra)); lra. }
    rewrite class_mean_scale in A.
    eapply Rle_trans; [apply Rmin_r |]; apply Rle_trans with (- (e * e)); [| lra].
    assert (B : t * t / (2 * e * T) <= 1 - e * e); [| lra].
    apply quotient_le; [exact ET |].
    replace (1 - e * e) with (t * (1 + e)) by (unfold t; ring).
    assert (B1 : 1 * T <= (1 + e) * (2 * e) * T).
    { apply Rmult_le_compat_r; [lra |].
      assert (2 / 3 * (2 / 3) <= e * e) by (apply Rmult_le_compat; lra). lra. }
    replace (t * (1 + e) * (2 * e * T)) with (t * ((1 + e) * (2 * e) * T)) by ring.
    apply Rmult_le_compat_l; [unfold t; lra | lra].
Qed.

(** The same where e may vanish: what every e above says. *)
Lemma square_mean_of_cosines_at C N e T y x : (1 <= C)%nat -> (1 <= N)%nat -> 0 <= e < 1 ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> 0 <= y c i /\ -1 <= x c i <= 1) ->
  class_mean C N (fun c i => (1 - y c i * x c i) * (1 - y c i * x c i)) <= e * e ->
  class_mean C N y <= T ->
  square_loss_cosine e T <= class_mean C N x.
Proof.
  intros P Q E F HL HT; unfold square_loss_cosine; destruct (Rlt_dec 0 e) as [E0 | E0].
  - apply (square_mean_of_cosines C N e T y x); auto; lra.
  - replace e with 0 in * by lra.
    assert (A : forall e', 0 < e' < 1 -> 1 - e' <= T /\
      Rmin ((1 - e') / T) ((1 - e') * (1 - e') / (2 * e' * T) - 1) <= class_mean C N x).
    { intros e' L; apply (square_mean_of_cosines C N e' T y x); auto.
      assert (0 < e' * e') by (apply Rmult_lt_0_compat; lra). lra. }
    set (X := class_mean C N x) in *.
    destruct (A (1 / 2) ltac:(lra)) as [T2 _]; assert (T0 : 0 < T) by lra.
    apply quotient_le; [exact T0 |]; apply Rnot_lt_le; intros N0.
    set (e' := Rmin (1 / (4 + 4 * T)) ((1 - X * T) / 2)).
    assert (U1 := Rmin_l (1 / (4 + 4 * T)) ((1 - X * T) / 2)).
    assert (U2 := Rmin_r (1 / (4 + 4 * T)) ((1 - X * T) / 2)).
    assert (I : 0 < 1 / (4 + 4 * T)) by (apply Rdiv_lt_0_compat; lra).
    assert (U0 : 0 < e') by (apply Rmin_glb_lt; lra).
    fold e' in U1, U2.
    assert (W : e' * (4 + 4 * T) <= 1).
    { apply Rle_trans with (1 / (4 + 4 * T) * (4 + 4 * T)); [apply Rmult_le_compat_r; lra |].
      right; field; lra. }
    assert (ET : 0 < e' * T) by (apply Rmult_lt_0_compat; lra).
    destruct (A e' ltac:(lra)) as [_ B].
    assert (M : (1 - e') / T <= (1 - e') * (1 - e') / (2 * e' * T) - 1).
    { replace ((1 - e') * (1 - e') / (2 * e' * T) - 1)
        with (((1 - e') * (1 - e') - 2 * e' * T) / (2 * e' * T)) by (field; lra).
      apply le_quotient; [lra |].
      replace ((1 - e') / T * (2 * e' * T)) with (2 * e' * (1 - e')) by (field; lra).
      assert (S := Rle_0_sqr e'); unfold Rsqr in S; lra. }
    rewrite Rmin_left in B by exact M.
    assert (B1 := Rmult_le_compat_r T _ _ (Rlt_le _ _ T0) B).
    replace ((1 - e') / T * T) with (1 - e') in B1 by (field; lra). lra.
Qed.

(** square:sharp-2, sharp "cosines from the loss": mean cosines of features and of class means with
    their weights, and within classes, where e^2 = k L < 1 and there is no bias. *)
Theorem cosines_from_square_loss C N d w h : (2 <= C)%nat -> (1 <= N)%nat ->
  let kL := ratio C * square_loss C N d w unbiased h in
  kL < 1 ->
  let least := square_loss_cosine (sqrt kL) (largest_margin C N d w h) in
  1 - mean_cosine C N d w h <= 1 - least /\
  1 - mean_cosine_of_means C N d w h <= 1 - least /\
  1 - mean_intra_class C N d h <= 1 - Rmax least 0 * Rmax least 0.
Proof.
  intros P Q kL H least; assert (K := ratio_pos C P).
  assert (E := square_loss_at C N d w unbiased h P Q); fold kL in E.
  assert (R0 := mean_rest_nonneg C N d w unbiased h P Q).
  assert (R1 := Rmult_le_pos _ _ (Rlt_le _ _ K) R0).
  assert (V := margin_square_nonneg C N d w unbiased h 1 P Q).
  assert (E2 : sqrt kL * sqrt kL = kL) by (apply sqrt_sqrt; lra).
  assert (E1 : 0 <= sqrt kL < 1)
    by (split; [apply sqrt_pos | rewrite <- sqrt_1; apply sqrt_lt_1_alt; lra]).
  assert (ML : class_mean C N (fun c i => (1 - margin C d w (h c i) c) * (1 - margin C d w (h c i)
    c))
               <= sqrt kL * sqrt kL).
  { apply Rle_trans with (margin_square C N d w unbiased h 1); [| lra].
    right; apply class_mean_ext; intros c i _ _.
    rewrite output_margin_split, bias_margin_unbiased by exact P; ring. }
  assert (A : least <= mean_cosine C N d w h).
  { apply square_mean_of_cosines_at with (y := fun c i => length_product C d w (h c i) c);
      try assumption; try lia.
    - intros; split; [apply length_product_nonneg, P | apply cosine_range].
    - eapply Rle_trans; [right; apply class_mean_ext | exact ML].
      intros; cbv beta; fold (weight_cosine C d w (h c i) c); rewrite <- margin_is_cosine;
        reflexivity.
    - apply mean_length_product; assumption. }
  assert (A1 : least <= mean_cosine_of_means C N d w h).
  { unfold mean_cosine_of_means; rewrite <- (class_mean_of_classes C 1) by lia.
    apply square_mean_of_cosines_at
      with (y := fun c _ => length_product C d w (class_centre N h c) c); try assumption; try lia.
    - intros; split; [apply length_product_nonneg, P | apply cosine_range].
    - rewrite class_mean_of_classes by lia; eapply Rle_trans; [| exact ML].
      apply mean_le; [lia |]; intros c _; rewrite <- margin_is_cosine.
      replace (margin C d w (class_centre N h c) c) with (mean N (fun i => margin C d w (h c i) c))
        by (unfold margin, class_centre; rewrite mean_scale, dot_mean_r; reflexivity).
      assert (S := mean_square_above N (fun i => 1 - margin C d w (h c i) c) ltac:(lia)).
      rewrite mean_minus, mean_const in S by lia; exact S.
    - apply mean_length_of_means; assumption. }
  assert (A2 := intra_class_from_mean C N d w h least ltac:(lia) Q A).
  split; [lra | split; lra].
Qed.
