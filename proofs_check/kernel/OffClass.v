(** What unequal logits of the rivals cost: a log-mean-exp less its mean is at least
    (sqrt(1 + 4 m^2) - 1)/4 for a mean absolute deviation m. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From NCBounds Require Import Finite Phi Network Budget Objective.
Open Scope R_scope.

(** * Two values *)

(** w <= 2 sinh (w/2). *)
Lemma sinh_above w : 0 <= w -> w * w * exp w <= (exp w - 1) * (exp w - 1).
Proof.
  intros P.
  assert (F : exp (0 / 2) - exp (- (0 / 2)) - 0 <= exp (w / 2) - exp (- (w / 2)) - w).
  { apply (rises (fun x => exp (x / 2) - exp (- (x / 2)) - x)
      (fun x => (exp (x / 2) + exp (- (x / 2))) / 2 - 1) 0 w P).
    - intros x _; auto_derive; [exact I | unfold Rdiv; field].
    - intros x _; assert (E := exp_tangent (x / 2)); assert (E' := exp_tangent (- (x / 2))).
      assert (O : exp (x / 2) * exp (- (x / 2)) = 1)
        by (rewrite <- exp_plus, Rplus_opp_r; apply exp_0).
      assert (A := exp_pos (x / 2)).
      assert (S := Rle_0_sqr (exp (x / 2) - exp (- (x / 2)))); unfold Rsqr in S. nra. }
  replace (0 / 2) with 0 in F by field; rewrite Ropp_0 in F.
  assert (O : exp (w / 2) * exp (- (w / 2)) = 1) by (rewrite <- exp_plus, Rplus_opp_r; apply exp_0).
  assert (A := exp_pos (w / 2)).
  replace (exp w) with (exp (w / 2) * exp (w / 2)) by (rewrite <- exp_plus; f_equal; field).
  set (e := exp (w / 2)) in *; set (i := exp (- (w / 2))) in *.
  assert (H : w * e <= e * e - 1).
  { assert (H := Rmult_le_compat_l e 0 (e - i - w) ltac:(lra) ltac:(lra)). lra. }
  assert (K : 0 <= w * e) by (apply Rmult_le_pos; lra).
  assert (S := square_le _ _ K H). lra.
Qed.

(** (r + y)^2 <= 1 + Z/(4 r(1-r))^2 if y^2 + y <= Z: with d = 2 r - 1 and s = 1 + 2 y the difference
    is a sum of non-negative terms. *)
Lemma share_square r y Z : 0 < r < 1 -> 0 <= y -> y * y + y <= Z ->
  16 * (r * (1 - r)) * (r * (1 - r)) * ((r + y) * (r + y))
    <= 16 * (r * (1 - r)) * (r * (1 - r)) + Z.
Proof.
  intros H Y B; set (d := 2 * r - 1); set (s := 1 + 2 * y).
  assert (E : 4 * (16 * (r * (1 - r)) * (r * (1 - r))
                   - 16 * (r * (1 - r)) * (r * (1 - r)) * ((r + y) * (r + y)) + (y * y + y))
    = (1 - d * d) * (1 - d * d) * ((1 - d * s) * (1 - d * s))
      + 2 * ((1 - d * d) * (1 - d * d) * (1 - d * d))
      + 4 * (y * y + y) * (d * d * (1 + d * d * (1 - d * d)))) by (unfold d, s; ring).
  assert (D : 0 <= 1 - d * d).
  { replace (1 - d * d) with (4 * (r * (1 - r))) by (unfold d; ring).
    apply Rmult_le_pos; [lra | apply Rmult_le_pos; lra]. }
  assert (D0 : 0 <= d * d) by apply Rle_0_sqr.
  assert (Y2 : 0 <= y * y) by apply Rle_0_sqr.
  assert (T1 : 0 <= (1 - d * d) * (1 - d * d) * ((1 - d * s) * (1 - d * s)))
    by (apply Rmult_le_pos; apply Rle_0_sqr).
  assert (T2 : 0 <= (1 - d * d) * (1 - d * d) * (1 - d * d))
    by (apply Rmult_le_pos; [apply Rle_0_sqr | exact D]).
  assert (T3 : 0 <= 4 * (y * y + y) * (d * d * (1 + d * d * (1 - d * d)))).
  { apply Rmult_le_pos; [lra |]; apply Rmult_le_pos; [exact D0 |].
    assert (0 <= d * d * (1 - d * d)) by (apply Rmult_le_pos; assumption). lra. }
  lra.
Qed.

Definition log_moment (m : R) : R := (sqrt (1 + 4 * m * m) - 1) / 4.

(** Two values with shares r and 1 - r, w apart: m = 2 r (1 - r) w. *)
Lemma two_values r w : 0 < r < 1 -> 0 <= w ->
  log_moment (2 * (r * (1 - r)) * w) <= ln (1 - r + r * exp w) - r * w.
Proof.
  intros H W; set (v := r * (1 - r)).
  assert (V : 0 < v) by (unfold v; apply Rmult_lt_0_compat; lra).
  set (f := fun x => ln (1 - r + r * exp x) - r * x
    - (sqrt (1 + 4 * (2 * v * x) * (2 * v * x)) - 1) / 4).
  assert (F : f 0 <= f w).
  { apply (rises f (fun x => v * (exp x - 1) / (1 - r + r * exp x)
                             - 4 * v * v * x / sqrt (1 + 4 * (2 * v * x) * (2 * v * x))) 0 w W);
      intros x X; assert (EX := exp_tangent x);
      assert (A : 0 < 1 - r + r * exp x)
        by (assert (0 < r * exp x) by (apply Rmult_lt_0_compat; [lra | apply exp_pos]); lra);
      assert (S0 : 0 <= 4 * (2 * v * x) * (2 * v * x))
        by (assert (S := Rle_0_sqr (2 * v * x)); unfold Rsqr in S; lra);
      assert (S1 : 0 < sqrt (1 + 4 * (2 * v * x) * (2 * v * x))) by (apply sqrt_lt_R0; lra).
    - unfold f; auto_derive; [split; [exact A | split; [lra | exact I]] |].
      unfold v; field; split; [unfold v in S1 |]; lra.
    - (* the squares of the quotients decide *)
      set (q := sqrt (1 + 4 * (2 * v * x) * (2 * v * x))) in *.
      assert (Q2 : q * q = 1 + 16 * v * v * (x * x)) by (unfold q; rewrite sqrt_sqrt; [ring | lra]).
      assert (G : 4 * v * x * (1 - r + r * exp x) <= (exp x - 1) * q).
      { destruct (Req_dec x 0) as [-> | N0]; [rewrite exp_0; lra |].
        assert (X0 : 0 < exp x - 1) by lra.
        set (y := / (exp x - 1)).
        assert (Y0 : 0 < y) by (apply Rinv_0_lt_compat, X0).
        assert (SH := sinh_above x ltac:(lra)).
        assert (X2 : 0 < x * x) by (apply Rmult_lt_0_compat; lra).
        assert (YZ : y * y + y <= / (x * x)).
        { apply (Rmult_le_reg_l (x * x * ((exp x - 1) * (exp x - 1)))).
          - apply Rmult_lt_0_compat; [exact X2 | apply Rmult_lt_0_compat; exact X0].
          - replace (x * x * ((exp x - 1) * (exp x - 1)) * (y * y + y)) with (x * x * exp x)
              by (unfold y; field; lra).
            replace (x * x * ((exp x - 1) * (exp x - 1)) * / (x * x))
              with ((exp x - 1) * (exp x - 1)) by (field; lra). exact SH. }
        assert (SS := share_square r y (/ (x * x)) H ltac:(lra) YZ); fold v in SS.
        assert (RY : r + y = (1 - r + r * exp x) * y) by (unfold y; field; lra).
        rewrite RY in SS.
        apply Rsqr_incr_0; unfold Rsqr; [| | apply Rmult_le_pos; lra].
        - set (a := 1 - r + r * exp x) in *; set (e := exp x - 1) in *.
          assert (M := Rmult_le_compat_l (x * x * (e * e)) _ _ (Rlt_le _ _
            (Rmult_lt_0_compat _ _ X2 (Rmult_lt_0_compat _ _ X0 X0))) SS).
          replace (x * x * (e * e) * (16 * v * v * (a * y * (a * y))))
            with (4 * v * x * a * (4 * v * x * a)) in M by (unfold y; field; lra).
          replace (x * x * (e * e) * (16 * v * v + / (x * x)))
            with (e * e * (1 + 16 * v * v * (x * x))) in M by (field; lra).
          rewrite <- Q2 in M; lra.
        - apply Rmult_le_pos; [apply Rmult_le_pos; lra | lra]. }
      assert (K : 4 * v * v * x / q <= v * (exp x - 1) / (1 - r + r * exp x)); [| lra].
      apply quotient_le; [exact S1 |].
      replace (v * (exp x - 1) / (1 - r + r * exp x) * q)
        with (v * ((exp x - 1) * q) / (1 - r + r * exp x)) by (field; lra).
      apply le_quotient; [exact A |].
      assert (M := Rmult_le_compat_l v _ _ (Rlt_le _ _ V) G). lra. }
  unfold f in F; rewrite exp_0 in F.
  replace (1 - r + r * 1) with 1 in F by ring.
  replace (1 + 4 * (2 * v * 0) * (2 * v * 0)) with 1 in F by ring.
  rewrite ln_1, sqrt_1 in F; unfold log_moment; lra.
Qed.

(** * Any number of values *)

Lemma log_moment_lemma n p u : (forall i, (i < n)%nat -> 0 <= p i) -> sum n p = 1 ->
  sum n (fun i => p i * u i) = 0 ->
  log_moment (sum n (fun i => p i * Rabs (u i))) <= ln (sum n (fun i => p i * exp (u i))).
Proof.
  intros P S Z; set (m := sum n (fun i => p i * Rabs (u i))).
  assert (J := mean_below_log_mean_exp n p u P S); rewrite Z in J.
  assert (M0 : 0 <= m)
    by (apply sum_nonneg; intros; apply Rmult_le_pos; [auto | apply Rabs_pos]).
  destruct M0 as [M0 | M0].
  2: { rewrite <- M0; unfold log_moment; replace (1 + 4 * 0 * 0) with 1 by ring;
    rewrite sqrt_1; lra. }
  set (x := fun i => if Rlt_dec 0 (u i) then 1 else 0).
  assert (X : forall i, 0 <= x i <= 1) by (intros i; unfold x; destruct (Rlt_dec 0 (u i)); lra).
  set (r := sum n (fun i => p i * x i)).
  assert (AB : forall i, Rabs (u i) = 2 * (x i * u i) - u i).
  { intros i; unfold x; destruct (Rlt_dec 0 (u i)).
    - rewrite Rabs_right; lra.
    - rewrite Rabs_left1; lra. }
  assert (SP : sum n (fun i => p i * (x i * u i)) = m / 2).
  { assert (E : m = 2 * sum n (fun i => p i * (x i * u i)) - sum n (fun i => p i * u i)).
    { unfold m; rewrite <- sum_scale, <- sum_minus; apply sum_ext; intros; rewrite AB; ring. }
    lra. }
  assert (SN : sum n (fun i => p i * ((1 - x i) * u i)) = - (m / 2)).
  { assert (E : sum n (fun i => p i * ((1 - x i) * u i))
                = sum n (fun i => p i * u i) - sum n (fun i => p i * (x i * u i)))
      by (rewrite <- sum_minus; apply sum_ext; intros; ring).
    lra. }
  assert (SR : sum n (fun i => p i * (1 - x i)) = 1 - r).
  { assert (E : sum n (fun i => p i * (1 - x i)) = sum n p - r)
      by (unfold r; rewrite <- sum_minus; apply sum_ext; intros; ring).
    lra. }
  (* neither sign is missing: a sum of non-negative weights that vanishes has none *)
  assert (NZ : forall y, (forall i, 0 <= y i) -> sum n (fun i => p i * y i) = 0 ->
                 sum n (fun i => p i * (y i * u i)) = 0).
  { intros y Y E; apply sum_zero; intros i I.
    assert (T := term_le_sum n (fun i => p i * y i) i).
    assert (0 <= p i * y i) by (apply Rmult_le_pos; [apply P, I | apply Y]).
    assert (p i * y i <= 0).
    { rewrite <- E; apply T;
        [intros; apply Rmult_le_pos; [apply P; assumption | apply Y] | exact I]. }
    replace (p i * (y i * u i)) with (p i * y i * u i) by ring.
    replace (p i * y i) with 0 by lra; ring. }
  assert (R0 : 0 <= r)
    by (apply sum_nonneg; intros; apply Rmult_le_pos; [apply P; assumption | apply X]).
  assert (R1 : 0 <= 1 - r).
  { rewrite <- SR; apply sum_nonneg; intros i I; apply Rmult_le_pos; [apply P, I |].
    assert (K := X i); lra. }
  assert (R0' : 0 < r).
  { destruct R0 as [| E]; [assumption |].
    rewrite (NZ x) in SP; [lra | intros; apply X | symmetry; exact E]. }
  assert (R1' : 0 < 1 - r).
  { destruct R1 as [| E]; [assumption |].
    rewrite (NZ (fun i => 1 - x i)) in SN; [lra | intros i; assert (K := X i); lra | lra]. }
  (* Jensen on each sign leaves two values, a and -b *)
  set (a := m / (2 * r)); set (b := m / (2 * (1 - r))).
  set (y := m / (2 * (r * (1 - r)))).
  assert (LOW : r * exp a + (1 - r) * exp (- b) <= sum n (fun i => p i * exp (u i))).
  { apply Rle_trans with (sum n (fun i =>
      exp a * (1 - a) * (p i * x i) + exp a * (p i * (x i * u i))
      + (exp (- b) * (1 + b) * (p i * (1 - x i)) + exp (- b) * (p i * ((1 - x i) * u i))))).
    - right; rewrite !sum_plus, !sum_scale, SP, SN, SR; fold r; unfold a, b; field; lra.
    - apply sum_le; intros i I.
      replace (exp a * (1 - a) * (p i * x i) + exp a * (p i * (x i * u i))
        + (exp (- b) * (1 + b) * (p i * (1 - x i)) + exp (- b) * (p i * ((1 - x i) * u i))))
        with (p i * (x i * (exp a * (1 + (u i - a))) + (1 - x i) * (exp (- b) * (1 + (u i - - b)))))
        by ring.
      apply Rmult_le_compat_l; [apply P, I |].
      assert (TA := exp_tangent_at (u i) a); assert (TB := exp_tangent_at (u i) (- b)).
      unfold x; destruct (Rlt_dec 0 (u i)); lra. }
  assert (Y0 : 0 <= y).
  { apply Rmult_le_pos; [lra |]; left; apply Rinv_0_lt_compat.
    apply Rmult_lt_0_compat; [lra | apply Rmult_lt_0_compat; assumption]. }
  assert (TV := two_values r y ltac:(lra) Y0).
  replace (2 * (r * (1 - r)) * y) with m in TV by (unfold y; field; lra).
  assert (B : r * y = b) by (unfold y, b; field; lra).
  assert (AY : a = y - b) by (unfold a, b, y; field; lra).
  assert (POS : 0 < 1 - r + r * exp y)
    by (assert (0 < r * exp y) by (apply Rmult_lt_0_compat; [lra | apply exp_pos]); lra).
  eapply Rle_trans; [exact TV |]; rewrite B.
  replace (ln (1 - r + r * exp y) - b) with (ln ((1 - r + r * exp y) * exp (- b)))
    by (rewrite ln_mult, ln_exp by (try apply exp_pos; assumption); ring).
  apply ln_le_compat; [apply Rmult_lt_0_compat; [exact POS | apply exp_pos] |].
  eapply Rle_trans; [right | exact LOW].
  replace a with (y + - b) by (rewrite AY; ring). rewrite exp_plus; ring.
Qed.

Definition off_class_size (G : R) : R := sqrt (2 * G + 4 * G * G).

Lemma off_class_size_above m G : 0 <= m -> log_moment m <= G -> m <= off_class_size G.
Proof.
  intros M H; unfold log_moment in H; unfold off_class_size.
  assert (S := Rle_0_sqr m); unfold Rsqr in S.
  assert (Q0 := sqrt_pos (1 + 4 * m * m)).
  assert (Q := square_le _ (4 * G + 1) Q0 ltac:(lra)); rewrite sqrt_sqrt in Q by lra.
  rewrite <- (sqrt_square m) by exact M; apply sqrt_le_1_alt; lra.
Qed.

Lemma off_class_size_mono G H : 0 <= G -> G <= H -> off_class_size G <= off_class_size H.
Proof.
  intros P L; apply sqrt_le_1_alt; assert (S := square_le G H P L); lra.
Qed.

Lemma log_moment_tangent m t :
  log_moment m + m / sqrt (1 + 4 * m * m) * (t - m) <= log_moment t.
Proof.
  unfold log_moment.
  assert (S := Rle_0_sqr m); assert (U := Rle_0_sqr t); unfold Rsqr in *.
  assert (Q0 : 0 < sqrt (1 + 4 * m * m)) by (apply sqrt_lt_R0; lra).
  assert (Q2 := sqrt_sqrt (1 + 4 * m * m) ltac:(lra)).
  assert (CS : 1 + 4 * m * t <= sqrt (1 + 4 * t * t) * sqrt (1 + 4 * m * m)).
  { rewrite <- sqrt_mult by lra.
    eapply Rle_trans; [apply Rle_abs |]; rewrite <- sqrt_Rsqr_abs; apply sqrt_le_1_alt; unfold Rsqr.
    assert (V := Rle_0_sqr (t - m)); unfold Rsqr in V. lra. }
  set (q := sqrt (1 + 4 * m * m)) in *; set (v := sqrt (1 + 4 * t * t)) in *.
  apply (Rmult_le_reg_r (4 * q)); [lra |].
  replace (((q - 1) / 4 + m / q * (t - m)) * (4 * q)) with (q * q - q + 4 * m * t - 4 * m * m)
    by (field; lra).
  lra.
Qed.

(** * The rivals of a network *)

(** Mean absolute deviation of the rivals' logits from their mean. *)
Definition off_class_deviation (C : nat) (z : nat -> R) (c : nat) : R :=
  rivals C c (fun r => Rabs (z r - rivals C c z)).

Lemma deviation_lemma C z c : (2 <= C)%nat -> (c < C)%nat ->
  log_moment (off_class_deviation C z c) <= off_class C z c.
Proof.
  intros P L; assert (W := rival_weight_sum C c P L).
  set (m := rivals C c z); set (u := fun r => z r - m).
  assert (U : sum C (fun r => rival_weight C c r * u r) = 0).
  { unfold u.
    rewrite (sum_ext C _ (fun r => rival_weight C c r * z r - m * rival_weight C c r))
      by (intros; ring).
    rewrite sum_minus, sum_scale, W, <- rivals_weighted; fold m; ring. }
  assert (D := log_moment_lemma C (rival_weight C c) u (rival_weight_nonneg C c P) W U).
  unfold off_class_deviation; fold m.
  rewrite (rivals_weighted C c (fun r => Rabs (z r - m))).
  eapply Rle_trans; [exact D | right].
  unfold off_class; rewrite !rivals_weighted.
  assert (E0 := weighted_exp_pos C (rival_weight C c) u (rival_weight_nonneg C c P) W).
  assert (E1 : sum C (fun r => rival_weight C c r * exp (z r - z c))
               = exp (m - z c) * sum C (fun r => rival_weight C c r * exp (u r))).
  { rewrite <- sum_scale; apply sum_ext; intros r _.
    replace (z r - z c) with (m - z c + u r) by (unfold u; ring). rewrite exp_plus; ring. }
  assert (E2 : sum C (fun r => rival_weight C c r * (z r - z c)) = m - z c).
  { rewrite (sum_ext C _ (fun r => rival_weight C c r * z r - z c * rival_weight C c r))
      by (intros; ring).
    rewrite sum_minus, sum_scale, W, <- rivals_weighted; fold m; ring. }
  rewrite E1, E2, ln_mult, ln_exp by (try apply exp_pos; assumption); ring.
Qed.

(** bnwd:sharp-4, sharp "off-class logits": for every sample, and on average, the rivals' logits lie
    near their mean, by what is left of the losses. *)
Theorem off_class_guarantee C N d w a h : (2 <= C)%nat -> (1 <= N)%nat ->
  let deviation := class_mean C N (fun c i => off_class_deviation C (logits d w a (h c i)) c) in
  (forall c i, (c < C)%nat -> (i < N)%nat ->
     off_class_deviation C (logits d w a (h c i)) c
     <= off_class_size (off_class C (logits d w a (h c i)) c)) /\
  deviation <= off_class_size (mean_off_class C N d w a h) /\
  deviation <= off_class_size (largest_margin C N d w h - mean_log_odds C N d w a h).
Proof.
  intros P Q deviation.
  assert (N0 : forall c i, (c < C)%nat -> 0 <= off_class_deviation C (logits d w a (h c i)) c).
  { intros c i _; unfold off_class_deviation; rewrite rivals_weighted; apply sum_nonneg; intros r R.
    apply Rmult_le_pos; [apply rival_weight_nonneg; assumption | apply Rabs_pos]. }
  assert (D0 : 0 <= deviation)
    by (apply class_mean_nonneg; [lia | lia |]; intros; apply N0; assumption).
  assert (J : log_moment deviation <= mean_off_class C N d w a h).
  { set (k := deviation / sqrt (1 + 4 * deviation * deviation)).
    apply Rle_trans with (class_mean C N (fun c i =>
      (log_moment deviation - k * deviation) + k * off_class_deviation C (logits d w a (h c i)) c)).
    - right; rewrite class_mean_plus, class_mean_scale, class_mean_const by lia;
        fold deviation; ring.
    - apply class_mean_le; [lia | lia |]; intros c i L _.
      eapply Rle_trans; [| apply deviation_lemma; assumption].
      assert (T := log_moment_tangent deviation (off_class_deviation C (logits d w a (h c i)) c)).
      fold k in T; lra. }
  assert (S := off_class_size_above _ _ D0 J).
  split; [| split; [exact S |]].
  - intros c i L _; apply off_class_size_above; [apply N0, L | apply deviation_lemma; assumption].
  - eapply Rle_trans; [exact S |]; apply off_class_size_mono.
    + apply mean_off_class_nonneg; assumption.
    + assert (M := mean_margin_largest C N d w h P Q).
      rewrite mean_log_odds_split by assumption; lra.
Qed.
