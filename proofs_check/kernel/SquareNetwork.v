(** The square loss of C classes for the targets Y_c = e_c - 1/C: exact splits, with and without
    weight decay, and what they say of neural collapse.

    An output is the logits less their mean; along its target it is q Y_c, and q is the margin. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Phi Network Budget Gap SquareGap.
Open Scope R_scope.

Definition target (C c : nat) (r : nat) : R := (if Nat.eq_dec r c then 1 else 0) - 1 / INR C.

Definition output (C d : nat) (w : nat -> nat -> R) (a x : nat -> R) (r : nat) : R :=
  dot d (centred C w r) x + (a r - mean C a).

Definition output_margin (C d : nat) (w : nat -> nat -> R) (a x : nat -> R) (c : nat) : R :=
  ratio C * output C d w a x c.

(** What an output has orthogonal to its target. *)
Definition rest (C d : nat) (w : nat -> nat -> R) (a x : nat -> R) (c : nat) : nat -> R :=
  fun r => output C d w a x r - output_margin C d w a x c * target C c r.

Definition square_loss (C N d : nat) (w : nat -> nat -> R) (a : nat -> R)
  (h : nat -> nat -> nat -> R)
  : R := class_mean C N (fun c i =>
    dot C (fun r => output C d w a (h c i) r - target C c r)
          (fun r => output C d w a (h c i) r - target C c r)).

Definition mean_rest (C N d : nat) (w : nat -> nat -> R) (a : nat -> R) (h : nat -> nat -> nat -> R)
  : R := class_mean C N (fun c i => dot C (rest C d w a (h c i) c) (rest C d w a (h c i) c)).

Definition mean_output_margin (C N d : nat) (w : nat -> nat -> R) (a : nat -> R)
  (h : nat -> nat -> nat -> R) : R := class_mean C N (fun c i => output_margin C d w a (h c i) c).

(** Mean of (q - p)^2. *)
Definition margin_square (C N d : nat) (w : nat -> nat -> R) (a : nat -> R)
  (h : nat -> nat -> nat -> R) (p : R) : R :=
  class_mean C N (fun c i => (output_margin C d w a (h c i) c - p)
                             * (output_margin C d w a (h c i) c - p)).

(** * One sample *)

Lemma output_sum C d w a x : (2 <= C)%nat -> sum C (output C d w a x) = 0.
Proof.
  intros P; rewrite <- mean_sum by lia.
  assert (E : mean C (output C d w a x) = 0); [| rewrite E; ring].
  unfold output, centred.
  rewrite mean_plus, mean_minus, mean_const by lia.
  rewrite (mean_ext C (fun r => dot d (fun j => w r j - mean C (fun k => w k j)) x)
    (fun r => dot d (w r) x - dot d (fun j => mean C (fun k => w k j)) x))
    by (intros; apply dot_minus_l).
  rewrite mean_minus, mean_const, dot_mean_l by lia; ring.
Qed.

Lemma target_inner C c z : (2 <= C)%nat -> (c < C)%nat ->
  dot C z (target C c) = z c - sum C z / INR C.
Proof.
  intros P L; assert (R := classes_real C P); unfold dot, target.
  rewrite (sum_ext C _ (fun r => (if Nat.eq_dec r c then z c else 0) - z r * / INR C)).
  - rewrite sum_minus, sum_single, sum_scale_r by exact L; reflexivity.
  - intros r _; destruct (Nat.eq_dec r c) as [-> |]; field; lra.
Qed.

Lemma target_square C c : (2 <= C)%nat -> (c < C)%nat ->
  dot C (target C c) (target C c) = / ratio C.
Proof.
  intros P L; assert (R := classes_real C P); rewrite target_inner by assumption.
  unfold target; rewrite sum_minus, sum_const, sum_single by exact L.
  destruct (Nat.eq_dec c c) as [_ | N]; [| congruence].
  unfold ratio; field; lra.
Qed.

Lemma rest_orthogonal C d w a x c : (2 <= C)%nat -> (c < C)%nat ->
  dot C (rest C d w a x c) (target C c) = 0.
Proof.
  intros P L; assert (K := ratio_pos C P); assert (R := classes_real C P); unfold rest.
  rewrite dot_minus_l, dot_scale_l, target_square, target_inner, output_sum by assumption.
  unfold output_margin; field; split; lra.
Qed.

(** An output misses its target along the target and across it. *)
Lemma sample_split C d w a x c : (2 <= C)%nat -> (c < C)%nat ->
  ratio C * dot C (fun r => output C d w a x r - target C c r)
    (fun r => output C d w a x r - target C c r)
  = (output_margin C d w a x c - 1) * (output_margin C d w a x c - 1)
    + ratio C * dot C (rest C d w a x c) (rest C d w a x c).
Proof.
  intros P L; assert (K := ratio_pos C P); set (q := output_margin C d w a x c).
  assert (E : forall r, output C d w a x r - target C c r
                        = rest C d w a x c r + (q - 1) * target C c r)
    by (intros; unfold rest; fold q; ring).
  assert (D : dot C (fun r => output C d w a x r - target C c r)
                    (fun r => output C d w a x r - target C c r)
    = dot C (fun r => rest C d w a x c r + (q - 1) * target C c r)
            (fun r => rest C d w a x c r + (q - 1) * target C c r))
    by (apply sum_ext; intros; rewrite E; reflexivity).
  rewrite D, dot_plus_l, !dot_plus_r, !dot_scale_l, !dot_scale_r.
  rewrite (dot_comm C (target C c)), rest_orthogonal, target_square by assumption.
  field; lra.
Qed.

(** * Means *)

Lemma output_margin_split C d w a x c :
  output_margin C d w a x c = margin C d w x c + bias_margin C a c.
Proof. unfold output_margin, output, margin, bias_margin; ring. Qed.

Lemma mean_output_margin_is C N d w a h : (2 <= C)%nat -> (1 <= N)%nat ->
  mean_output_margin C N d w a h = mean_margin C N d w h.
Proof.
  intros P Q; unfold mean_output_margin, mean_margin.
  rewrite <- (Rplus_0_r (class_mean C N (fun c i => margin C d w (h c i) c))).
  rewrite <- (bias_margin_mean C a P), <- (class_mean_of_classes C N) by lia.
  rewrite <- class_mean_plus; apply class_mean_ext; intros; apply output_margin_split.
Qed.

Lemma margin_square_split C N d w a h p : (2 <= C)%nat -> (1 <= N)%nat ->
  margin_square C N d w a h p
  = margin_square C N d w a h (mean_output_margin C N d w a h)
    + (mean_output_margin C N d w a h - p) * (mean_output_margin C N d w a h - p).
Proof.
  intros P Q; unfold margin_square; set (m := mean_output_margin C N d w a h).
  set (q := fun c i => output_margin C d w a (h c i) c).
  transitivity (class_mean C N (fun c i => (q c i - m) * (q c i - m)
    + (2 * (m - p) * q c i + (p * p - m * m)))).
  - apply class_mean_ext; intros; unfold q; ring.
  - rewrite !class_mean_plus, class_mean_scale, class_mean_const by lia.
    unfold q; cbv beta; fold (mean_output_margin C N d w a h); fold m; ring.
Qed.

Lemma square_loss_at C N d w a h : (2 <= C)%nat -> (1 <= N)%nat ->
  ratio C * square_loss C N d w a h
  = margin_square C N d w a h 1 + ratio C * mean_rest C N d w a h.
Proof.
  intros P Q; unfold square_loss, margin_square, mean_rest.
  rewrite <- !class_mean_scale, <- class_mean_plus; apply class_mean_ext; intros.
  apply sample_split; assumption.
Qed.

Lemma mean_rest_nonneg C N d w a h : (2 <= C)%nat -> (1 <= N)%nat -> 0 <= mean_rest C N d w a h.
Proof. intros; apply class_mean_nonneg; [lia | lia |]; intros; apply dot_nonneg. Qed.

Lemma margin_square_nonneg C N d w a h p : (2 <= C)%nat -> (1 <= N)%nat ->
  0 <= margin_square C N d w a h p.
Proof. intros; apply class_mean_nonneg; [lia | lia |]; intros; apply Rle_0_sqr. Qed.

(** square:sharp-2, sharp "the loss, split": by the mean margin, and by the largest one, T. *)
Theorem multiclass_loss_split C N d w a h : (2 <= C)%nat -> (1 <= N)%nat ->
  let q := mean_output_margin C N d w a h in
  let T := largest_margin C N d w h in
  let alpha := feature_norm C N d h in
  let b := weight_norm C d (centred C w) in
  let kL := ratio C * square_loss C N d w a h in
  kL = (1 - q) * (1 - q) + (margin_square C N d w a h q + ratio C * mean_rest C N d w a h) /\
  kL = (1 - T) * (1 - T) + 2 * (1 - T) * (T - q) + margin_square C N d w a h T
       + ratio C * mean_rest C N d w a h /\
  2 * alpha * b * (T - q) = ratio C * scaled_distance C N d w h b alpha /\
  Rmax (1 - T) 0 * Rmax (1 - T) 0 <= kL.
Proof.
  intros P Q q T alpha b kL; assert (K := ratio_pos C P).
  assert (E := square_loss_at C N d w a h P Q); fold kL in E.
  assert (R0 := mean_rest_nonneg C N d w a h P Q).
  assert (R1 := Rmult_le_pos _ _ (Rlt_le _ _ K) R0).
  assert (S1 := margin_square_split C N d w a h 1 P Q); fold q in S1.
  assert (ST := margin_square_split C N d w a h T P Q); fold q in ST.
  assert (V := margin_square_nonneg C N d w a h q P Q).
  split; [lra | split; [lra | split]].
  - unfold scaled_distance; rewrite square_distance, <- !feature_norm_square,
      <- weight_norm_square by lia.
    fold alpha b; unfold q; rewrite mean_output_margin_is, mean_margin_inner by assumption.
    unfold T, largest_margin; fold alpha b; ring.
  - assert (TQ : q <= T).
    { unfold q, T; rewrite mean_output_margin_is by assumption; apply mean_margin_largest;
        assumption. }
    apply Rle_trans with ((1 - q) * (1 - q)); [| lra].
    unfold Rmax; destruct (Rle_dec (1 - T) 0); [rewrite Rmult_0_l; apply Rle_0_sqr |].
    apply square_le; lra.
Qed.

(** square:sharp-2, sharp "guarantees from the loss": with e = sqrt(k L) < 1 the mean margin is
    within e of 1, which bounds the spread of the outputs, NC1, NC3 and the distance to
    self-duality. *)
Theorem multiclass_guarantees C N d w a h decay : (2 <= C)%nat -> (1 <= N)%nat -> 0 <= decay ->
  ratio C * (square_loss C N d w a h + decay) < 1 ->
  let q := mean_output_margin C N d w a h in
  let kL := ratio C * square_loss C N d w a h in
  let kR := ratio C * (square_loss C N d w a h + decay) in
  let e := sqrt kL in
  let spread := (margin_square C N d w a h q + ratio C * mean_rest C N d w a h) / (q * q) in
  let share := (1 - e) / largest_margin C N d w h in
  Rabs (1 - q) <= e /\
  spread <= kL / (1 - kL) /\
  spread <= kR / (1 - kR) - ratio C * decay / (q * q) /\
  ratio C * decay * (1 - kR) <= kR * (q * q) /\
  variability C N d h <= 1 - share * share /\
  1 - stacked_cosine C N d w h <= 1 - share /\
  self_duality C N d w h <= 2 - 2 * share.
Proof.
  intros P Q D H q kL kR e spread share; assert (K := ratio_pos C P).
  destruct (multiclass_loss_split C N d w a h P Q) as [E _]; fold q kL in E.
  assert (R0 := mean_rest_nonneg C N d w a h P Q).
  assert (R1 := Rmult_le_pos _ _ (Rlt_le _ _ K) R0).
  assert (V := margin_square_nonneg C N d w a h q P Q).
  assert (KD := Rmult_le_pos _ _ (Rlt_le _ _ K) D).
  fold kR in H; assert (KR : kR = kL + ratio C * decay) by (unfold kR, kL; ring).
  set (x := margin_square C N d w a h q + ratio C * mean_rest C N d w a h) in *.
  assert (X : 0 <= x) by (unfold x; lra).
  assert (Z := Rle_0_sqr (1 - q)); unfold Rsqr in Z.
  assert (L0 : 0 <= kL) by lra.
  assert (E1 : e < 1) by (unfold e; rewrite <- sqrt_1; apply sqrt_lt_1_alt; lra).
  assert (Q1 : Rabs (1 - q) <= e)
    by (unfold e; rewrite <- sqrt_Rsqr_abs; apply sqrt_le_1_alt; unfold Rsqr; lra).
  assert (Q2 := Rle_abs (1 - q)).
  assert (QP : 0 < q) by lra.
  assert (QQ : 0 < q * q) by (apply Rmult_lt_0_compat; exact QP).
  (* x (1 - k L) <= k L q^2, as k L (x + q^2) - x is a square, and with a decay too *)
  assert (GEN : forall y, 0 <= y -> kL + y < 1 ->
            x + y <= (kL + y) * (q * q + x + y)).
  { intros y Y C1; assert (S := Rle_0_sqr (1 - q - x - y)); unfold Rsqr in S.
    assert (C2 : kL + y = (1 - q) * (1 - q) + x + y) by lra. rewrite C2.
    assert (S2 := Rle_0_sqr (q * q + x + y - q)); unfold Rsqr in S2.
    replace (((1 - q) * (1 - q) + x + y) * (q * q + x + y))
      with (x + y + (q * q + x + y - q) * (q * q + x + y - q)) by ring. lra. }
  assert (G0 := GEN 0 ltac:(lra) ltac:(lra)); assert (G1 := GEN (ratio C * decay) KD ltac:(lra)).
  rewrite <- KR in G1.
  assert (QM : 1 - e <= mean_margin C N d w h)
    by (rewrite <- (mean_output_margin_is C N d w a h P Q); fold q; lra).
  destruct (positive_norms C N d w h P Q ltac:(lra)) as [_ [_ [F B]]].
  destruct (margin_guarantees C N d w h (1 - e) P Q F B QM) as [M1 M2].
  destruct (margin_cosine C N d w h (1 - e) P Q ltac:(lra) QM) as [M3 _].
  fold share in M1, M2, M3.
  assert (SP : 0 <= share).
  { apply Rmult_le_pos; [lra | left; apply Rinv_0_lt_compat, largest_margin_pos; assumption]. }
  rewrite Rmax_left in M1 by exact SP.
  assert (DD := Rmult_le_pos _ _ KD (Rlt_le _ _ QQ)).
  split; [exact Q1 | split; [| split; [| split; [| repeat split; assumption]]]].
  - unfold spread; apply quotient_le; [exact QQ |].
    replace (kL / (1 - kL) * (q * q)) with (q * q * kL / (1 - kL)) by (field; lra).
    apply le_quotient; lra.
  - unfold spread; apply quotient_le; [exact QQ |].
    replace ((kR / (1 - kR) - ratio C * decay / (q * q)) * (q * q))
      with (q * q * kR / (1 - kR) - ratio C * decay) by (field; lra).
    assert (x + ratio C * decay <= q * q * kR / (1 - kR)); [| lra].
    apply le_quotient; lra.
  - assert (kR * x <= 1 * x) by (apply Rmult_le_compat_r; lra). lra.
Qed.

(** * With a weight decay of features and weights *)

(** square:sharp-3, sharp "the gap, split": L + lambda/2 (alpha^2 + C beta^2) above its least value,
    with Lambda = sqrt C lambda < 2, and the distance to self-duality that the gap allows. *)
Theorem decayed_gap_split C N d w a h Lambda : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < Lambda -> Lambda < 2 ->
  let lambda := Lambda / sqrt (INR C) in
  let best := (INR C - 1) * (1 - Lambda / 2) / INR C in
  let least := (INR C - 1) * Lambda * (1 - Lambda / 4) / INR C in
  let gap := margin_square C N d w a h (ratio C * best) / ratio C
             + lambda / 2 * scaled_distance C N d w h 1 (sqrt (INR C))
             + lambda * INR C / 2 * mean_weight_square C d w
             + mean_rest C N d w a h in
  square_loss C N d w a h + penalty C N d w h lambda = least + gap /\
  least <= square_loss C N d w a h + penalty C N d w h lambda /\
  scaled_distance C N d w h 1 (sqrt (INR C)) <= 2 * gap / lambda.
Proof.
  intros P Q D U lambda best least gap; assert (K := ratio_pos C P); assert (R := classes_real C P).
  assert (Q0 : 0 < sqrt (INR C)) by (apply sqrt_lt_R0; lra).
  assert (Q2 := sqrt_sqrt (INR C) ltac:(lra)).
  assert (L0 : 0 < lambda) by (apply Rdiv_lt_0_compat; assumption).
  assert (N1 := margin_square_nonneg C N d w a h (ratio C * best) P Q).
  assert (N2 : 0 <= scaled_distance C N d w h 1 (sqrt (INR C)))
    by (apply class_mean_nonneg; [lia | lia |]; intros; apply dot_nonneg).
  assert (N3 : 0 <= mean_weight_square C d w) by apply dot_nonneg.
  assert (N4 := mean_rest_nonneg C N d w a h P Q).
  assert (T1 : 0 <= margin_square C N d w a h (ratio C * best) / ratio C)
    by (apply Rmult_le_pos; [exact N1 | left; apply Rinv_0_lt_compat, K]).
  assert (T2 : 0 <= lambda / 2 * scaled_distance C N d w h 1 (sqrt (INR C)))
    by (apply Rmult_le_pos; lra).
  assert (T3 : 0 <= lambda * INR C / 2 * mean_weight_square C d w).
  { apply Rmult_le_pos; [| exact N3].
    assert (0 < lambda * INR C) by (apply Rmult_lt_0_compat; lra). lra. }
  assert (E : square_loss C N d w a h + penalty C N d w h lambda = least + gap).
  { assert (S := square_loss_at C N d w a h P Q).
    assert (S1 := margin_square_split C N d w a h 1 P Q).
    assert (S2 := margin_square_split C N d w a h (ratio C * best) P Q).
    rewrite mean_output_margin_is in S1, S2 by assumption.
    unfold gap, penalty; rewrite scaled_distance_expansion by assumption.
    set (m := mean_margin C N d w h) in *.
    set (v := margin_square C N d w a h m) in *.
    assert (SL : square_loss C N d w a h
                 = (v + (m - 1) * (m - 1)) / ratio C + mean_rest C N d w a h).
    { apply (Rmult_eq_reg_l (ratio C)); [| lra]. rewrite S, S1; field; lra. }
    rewrite SL, S2; unfold lambda, least.
    replace (ratio C * best) with (1 - Lambda / 2) by (unfold best, ratio; field; lra).
    replace ((INR C - 1) * Lambda * (1 - Lambda / 4) / INR C)
      with (Lambda * (1 - Lambda / 4) / ratio C) by (unfold ratio; field; lra).
    set (f := sqrt (INR C)) in *; rewrite <- Q2; field; lra. }
  split; [exact E | split; [unfold gap in E; lra |]].
  apply le_quotient; [exact L0 | unfold gap; lra].
Qed.

(** * One class, given the weights *)

Definition layer (d : nat) (w : nat -> nat -> R) (x : nat -> R) : nat -> R :=
  fun r => dot d (w r) x.

Definition transpose_image (C : nat) (w : nat -> nat -> R) (v : nat -> R) : nat -> R :=
  fun j => sum C (fun r => v r * w r j).

Lemma transpose_inner C d w v x : dot d (transpose_image C w v) x = dot C v (layer d w x).
Proof.
  unfold transpose_image; rewrite (dot_sum_l d C x (fun r j => v r * w r j)).
  apply sum_ext; intros; apply dot_scale_l.
Qed.

Lemma layer_minus d w x y r : layer d w (fun j => x j - y j) r = layer d w x r - layer d w y r.
Proof. apply dot_minus_r. Qed.

(** square:sharp-4, sharp "a ridge certificate", the identity: mean square error and mean square
    norm of a class about any vector g, and what v = y - W g certifies of the class mean. *)
Theorem ridge_certificate C N d w h y g mu : (1 <= N)%nat ->
  let v := fun r => y r - layer d w g r in
  let omega := transpose_image C w v in
  let centre := fun j => mean N (fun i => h i j) in
  let L := mean N (fun i => dot C (fun r => layer d w (h i) r - y r)
                                  (fun r => layer d w (h i) r - y r)) in
  L + mu * mean N (fun i => dot d (h i) (h i))
  = dot C v v + mu * dot d g g
    + mean N (fun i => dot C (layer d w (fun j => h i j - g j)) (layer d w (fun j => h i j - g j)))
    + mu * mean N (fun i => dot d (fun j => h i j - g j) (fun j => h i j - g j))
    + 2 * dot d (fun j => mu * g j - omega j) (fun j => centre j - g j) /\
  dot C v y - (dot C v v + L) / 2 <= dot d omega centre.
Proof.
  intros Q v omega centre L.
  assert (OC : dot d omega centre = mean N (fun i => dot C v (layer d w (h i)))).
  { unfold centre; rewrite dot_mean_r; apply mean_ext; intros; apply transpose_inner. }
  assert (GC : dot d g centre = mean N (fun i => dot d g (h i)))
    by (unfold centre; apply dot_mean_r).
  assert (OG : dot d omega g = dot C v (layer d w g)) by apply transpose_inner.
  (* the error of a sample: W (h - g) - v *)
  assert (EL : L = mean N (fun i => dot C (layer d w (fun j => h i j - g j))
                                          (layer d w (fun j => h i j - g j)))
               - 2 * (mean N (fun i => dot C v (layer d w (h i))) - dot C v (layer d w g))
               + dot C v v).
  { unfold L.
    rewrite (mean_ext N _ (fun i => dot C (layer d w (fun j => h i j - g j))
                                          (layer d w (fun j => h i j - g j))
               - 2 * (dot C v (layer d w (h i)) - dot C v (layer d w g)) + dot C v v)).
    - rewrite mean_plus, mean_minus, mean_scale, mean_minus, !mean_const by lia; reflexivity.
    - intros i _.
      transitivity (dot C (fun r => layer d w (fun j => h i j - g j) r - v r)
                          (fun r => layer d w (fun j => h i j - g j) r - v r)).
      + apply sum_ext; intros r _; rewrite layer_minus; unfold v; ring.
      + rewrite dot_minus_l, !dot_minus_r, (dot_comm C _ v).
        assert (X : dot C v (layer d w (fun j => h i j - g j))
                    = dot C v (layer d w (h i)) - dot C v (layer d w g)).
        { rewrite <- dot_minus_r; apply sum_ext; intros r _; rewrite layer_minus; reflexivity. }
        rewrite X; ring. }
  split.
  - rewrite EL, dot_minus_l, !dot_minus_r, !dot_scale_l, OC, OG, GC.
    rewrite (mean_ext N (fun i => dot d (fun j => h i j - g j) (fun j => h i j - g j))
      (fun i => dot d (h i) (h i) - 2 * dot d g (h i) + dot d g g))
      by (intros; rewrite dot_minus_l, !dot_minus_r, (dot_comm d _ g); ring).
    rewrite mean_plus, mean_minus, mean_scale, mean_const by lia; ring.
  - rewrite OC.
    assert (J : mean N (fun i => dot C v y - dot C v v / 2
                  - dot C (fun r => layer d w (h i) r - y r) (fun r => layer d w (h i) r - y r) / 2)
                <= mean N (fun i => dot C v (layer d w (h i)))).
    { apply mean_le; [lia |]; intros i _.
      assert (S := dot_nonneg C (fun r => v r + (layer d w (h i) r - y r))).
      rewrite dot_plus_l, !dot_plus_r in S.
      rewrite (dot_comm C (fun r => layer d w (h i) r - y r) v), dot_minus_r in S. lra. }
    rewrite !mean_minus, mean_const in J by lia.
    rewrite (mean_ext N (fun i => dot C (fun r => layer d w (h i) r - y r) _ / 2)
      (fun i => / 2 * dot C (fun r => layer d w (h i) r - y r)
        (fun r => layer d w (h i) r - y r))) in J
      by (intros; field).
    rewrite mean_scale, !mean_const in J by lia; fold L in J; lra.
Qed.
