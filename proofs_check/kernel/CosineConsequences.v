(** What else follows from the mean loss: the mean cosine 1 - s, fractions of classes by any convex
    function below the loss, and one class where the last layer is known. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From NCBounds Require Import Finite Phi Network Budget Objective OneClass Tangent WeightCosines.
Open Scope R_scope.

(** * A small loss *)

Lemma slope_antitone M x y : 0 < M -> x <= y -> slope M y <= slope M x.
Proof.
  intros P H; rewrite !slope_phi by exact P; assert (A := phi_antitone M _ _ P H).
  assert (E := exp_le (- phi M x) (- phi M y) ltac:(lra)); lra.
Qed.

(** If log(M+1) - L >= 3 (1 - e^(-L)) t at the margin t > 0 of the loss L, then 2 t >= e^L. *)
Lemma small_loss M L : 0 < M -> 0 < L -> 0 < phi_inverse M L ->
  3 * (1 - exp (- L)) * phi_inverse M L <= ln (1 + M) - L -> exp L <= 2 * phi_inverse M L.
Proof.
  intros P H T0 A; set (t := phi_inverse M L) in *; set (q := slope M t).
  assert (PT : phi M t = L) by (apply phi_of_inverse; lra).
  assert (QE : q = 1 - exp (- L)) by (unfold q; rewrite slope_phi, PT by exact P; reflexivity).
  assert (Q0 : 0 < q < 1) by (apply slope_range, P).
  apply Rnot_lt_le; intros N.
  assert (HALF : t * (1 - q) < 1 / 2).
  { replace (1 - q) with (exp (- L)) by (rewrite QE; ring).
    apply (Rmult_lt_reg_r (exp L)); [apply exp_pos |].
    rewrite Rmult_assoc, <- exp_plus, Rplus_opp_l, exp_0; lra. }
  (* log(M+1) - phi - 3 x s(x) falls from 0 *)
  assert (F : ln (1 + M) - phi M t - 3 * (t * slope M t) + t * (q / 2)
              <= ln (1 + M) - phi M 0 - 3 * (0 * slope M 0) + 0 * (q / 2)).
  { apply (falls (fun x => ln (1 + M) - phi M x - 3 * (x * slope M x) + x * (q / 2))
      (fun x => - (2 * slope M x) + 3 * (x * (slope M x * (1 - slope M x))) + q / 2)); [lra | |].
    - intros x _; unfold phi, slope; assert (B := phi_argument_pos M x P).
      auto_derive; [lra |]. field; lra.
    - intros x X; assert (S := slope_range M x P).
      assert (S1 := slope_antitone M x t P (proj2 X)); fold q in S1.
      assert (B : x * (1 - slope M x) <= t * (1 - q)) by (apply Rmult_le_compat; lra).
      assert (B1 := Rmult_le_compat_l (slope M x) _ _ ltac:(lra) B).
      assert (B2 := Rmult_lt_compat_l (slope M x) _ _ (proj1 S) HALF). lra. }
  fold q in F; rewrite PT in F.
  replace (phi M 0) with (ln (1 + M)) in F
    by (unfold phi; rewrite Ropp_0, exp_0, Rmult_1_r; reflexivity).
  rewrite <- QE in A; assert (0 < t * q) by (apply Rmult_lt_0_compat; lra). lra.
Qed.

(** bnwd:sharp-2, sharp "the mean loss alone", where the loss is so small that no feature can be
    tiny and wrongly directed: the mean cosines are at least 1 - s. *)
Theorem cosines_from_small_loss C N d w a h o : (2 <= C)%nat -> (1 <= N)%nat ->
  (forall c, (c < C)%nat -> bias_margin C a c <= o) ->
  let L := exp o * mean_loss C N d w a h in
  let t := phi_inverse (INR C - 1) L in
  let s := proximity_gap (INR C) L (feature_norm C N d h) (weight_norm C d (centred C w)) in
  L < ln (INR C) ->
  (1 - exp (- L)) * (largest_margin C N d w h + 2 * t) <= ln (INR C) - L ->
  exp L <= 2 * t /\
  1 - mean_cosine C N d w h <= s /\
  1 - mean_cosine_of_means C N d w h <= s /\
  (1 - s) * (1 - s) <= mean_intra_class C N d h.
Proof.
  intros P Q B L t s LC H; assert (R := classes_real C P); assert (M := rival_count_pos C P).
  assert (L0 : 0 < L).
  { apply Rmult_lt_0_compat; [apply exp_pos | apply network_loss_pos; assumption]. }
  assert (T0 : 0 < t) by (apply inverse_pos; lra).
  assert (TT := inverse_below_largest C N d w h L P Q L0 (mean_phi_below C N d w a h o P Q B)).
  fold t in TT; set (T := largest_margin C N d w h) in *.
  assert (Q0 : 0 < 1 - exp (- L)).
  { assert (exp (- L) < 1) by (rewrite <- exp_0; apply exp_increasing; lra). lra. }
  assert (SMALL : exp L <= 2 * t).
  { apply small_loss; [exact M | exact L0 | exact T0 |].
    replace (1 + (INR C - 1)) with (INR C) by ring; fold t.
    assert (E := Rmult_le_compat_l _ _ _ (Rlt_le _ _ Q0) TT); lra. }
  destruct (cosines_from_loss C N d w a h o P Q B SMALL) as [A1 [A2 A3]]; fold L in A1, A2, A3.
  assert (ES : 1 - s = t / T)
    by (unfold s, proximity_gap, T, largest_margin, ratio, t; lra).
  assert (E : loss_cosine (INR C) L (feature_norm C N d h) (weight_norm C d (centred C w)) = 1 - s).
  { rewrite ES; unfold loss_cosine; fold t; fold (ratio C) (largest_margin C N d w h); fold T.
    apply Rmin_left.
    assert (G : t / T + 1 <= ((ln (INR C) - L) / (1 - exp (- L)) - t) / T); [| lra].
    apply le_quotient; [lra |].
    replace ((t / T + 1) * T) with (t + T) by (field; lra).
    assert (t + T + t <= (ln (INR C) - L) / (1 - exp (- L))); [| lra].
    apply le_quotient; lra. }
  rewrite E in A1, A2, A3; split; [exact SMALL | split; [lra | split; [lra |]]].
  rewrite Rmax_left in A3; [lra |]. rewrite ES; apply Rmult_le_pos; [lra |].
  left; apply Rinv_0_lt_compat; lra.
Qed.

(** * Fractions of classes *)

(** bnwd:sharp-2, sharp "every share of the samples": what a cosine k costs at least, with T the
    largest margin and mu the price of the length y >= 0. *)
Theorem least_cost M T mu k : 0 < M -> 0 < T -> 0 < mu ->
  (k <= mu * (1 + M) / (M * T) ->
     (forall y, 0 <= y -> ln (1 + M) <= phi M (T * y * k) + mu * y) /\
     phi M (T * 0 * k) + mu * 0 = ln (1 + M)) /\
  (mu * (1 + M) / (M * T) < k ->
     let S := mu / (T * k) in
     let best := ln (M * (1 - S) / S) / (T * k) in
     (forall y, 0 <= y -> fano M S <= phi M (T * y * k) + mu * y) /\
     0 < best /\ phi M (T * best * k) + mu * best = fano M S).
Proof.
  intros P T0 MU; assert (MT : 0 < M * T) by (apply Rmult_lt_0_compat; assumption).
  assert (PZ : phi M 0 = ln (1 + M)) by (unfold phi; rewrite Ropp_0, exp_0, Rmult_1_r; reflexivity).
  split; intros H.
  - split; [intros y Y | rewrite Rmult_0_r, Rmult_0_l, PZ; ring].
    assert (G := phi_tangent M 0 (T * y * k) P); rewrite PZ in G.
    assert (SZ : slope M 0 = M / (1 + M)) by (unfold slope; rewrite Ropp_0, exp_0, Rmult_1_r;
      reflexivity).
    rewrite SZ in G.
    assert (E : k * (M * T / (1 + M)) <= mu * (1 + M) / (M * T) * (M * T / (1 + M))).
    { apply Rmult_le_compat_r; [| exact H]. left; apply Rdiv_lt_0_compat; lra. }
    replace (mu * (1 + M) / (M * T) * (M * T / (1 + M))) with mu in E by (field; lra).
    assert (E1 := Rmult_le_compat_r y _ _ Y E).
    replace (k * (M * T / (1 + M)) * y) with (M / (1 + M) * (T * y * k - 0)) in E1 by (field; lra).
    lra.
  - intros S best.
    assert (K0 : 0 < k).
    { assert (0 < mu * (1 + M)) by (apply Rmult_lt_0_compat; lra).
      assert (0 < mu * (1 + M) / (M * T)) by (apply Rdiv_lt_0_compat; assumption). lra. }
    assert (TK : 0 < T * k) by (apply Rmult_lt_0_compat; assumption).
    assert (S0 : 0 < S) by (apply Rdiv_lt_0_compat; assumption).
    assert (SM : S * (1 + M) < M).
    { apply (Rmult_lt_reg_r (T * k)); [exact TK |].
      replace (S * (1 + M) * (T * k)) with (mu * (1 + M)) by (unfold S; field; lra).
      apply (Rmult_lt_compat_r (M * T)) in H; [| exact MT].
      replace (mu * (1 + M) / (M * T) * (M * T)) with (mu * (1 + M)) in H by (field; lra). lra. }
    assert (S1 : S < 1).
    { apply Rnot_le_lt; intros N; assert (0 <= (S - 1) * (1 + M)) by (apply Rmult_le_pos;
      lra). lra. }
    split; [| split].
    + intros y _; assert (F := fano_below M S (T * y * k) P ltac:(lra)).
      replace (S * (T * y * k)) with (mu * y) in F by (unfold S; field; lra). exact F.
    + apply Rdiv_lt_0_compat; [| exact TK]; rewrite <- ln_1; apply ln_increasing; [lra |].
      apply (Rmult_lt_reg_r S); [exact S0 |].
      replace (M * (1 - S) / S * S) with (M * (1 - S)) by (field; lra). lra.
    + replace (T * best * k) with (ln (M * (1 - S) / S)) by (unfold best; field; lra).
      rewrite phi_at_error by lra.
      replace (mu * best) with (S * ln (M * (1 - S) / S)) 
        by (unfold best; set (l := ln (M * (1 - S) / S)); unfold S; field; lra).
      unfold fano; ring.
Qed.

(** Convex between -1 and 1. *)
Definition convex_on_cosines (g : R -> R) : Prop :=
  forall x y l, -1 <= x <= 1 -> -1 <= y <= 1 -> 0 <= l <= 1 ->
    g (l * x + (1 - l) * y) <= l * g x + (1 - l) * g y.

Lemma mean_of_range n x : (0 < n)%nat -> (forall i, (i < n)%nat -> -1 <= x i <= 1) ->
  -1 <= mean n x <= 1.
Proof.
  intros P H; assert (A := mean_le n (fun _ => -1) x P ltac:(intros; apply H; assumption)).
  assert (B := mean_le n x (fun _ => 1) P ltac:(intros; apply H; assumption)).
  rewrite mean_const in A, B by exact P; lra.
Qed.

Lemma convex_jensen g n x : convex_on_cosines g -> (1 <= n)%nat ->
  (forall i, (i < n)%nat -> -1 <= x i <= 1) -> g (mean n x) <= mean n (fun i => g (x i)).
Proof.
  intros G; induction n as [| n IH]; [lia |]; intros _ H.
  destruct (Nat.eq_dec n 0) as [-> | N].
  - unfold mean; simpl; replace ((0 + x 0%nat) / 1) with (x 0%nat) by field; right; field.
  - assert (R : 0 < INR n) by (apply lt_0_INR; lia).
    assert (J := IH ltac:(lia) ltac:(intros; apply H; lia)).
    assert (B : -1 <= mean n x <= 1).
    { apply mean_of_range; [lia | intros; apply H; lia]. }
    assert (S : forall f, mean (S n) f = INR n / INR (S n) * mean n f + (1 - INR n / INR (S n)) * f
      n).
    { intros f; unfold mean; rewrite S_INR; simpl sum; field; lra. }
    assert (L : 0 <= INR n / INR (Datatypes.S n) <= 1).
    { rewrite S_INR; split; [left; apply Rdiv_lt_0_compat; lra | apply quotient_le; lra]. }
    rewrite !S; eapply Rle_trans; [apply G; [exact B | apply H; lia | exact L] |].
    assert (E := Rmult_le_compat_l _ _ _ (proj1 L) J); lra.
Qed.

(** bnwd:sharp-2, sharp "every share of the samples", for any convex g below the least cost at a
    price mu: mean of g over the classes' mean cosines; if g falls, a bound on the share of the
    classes whose mean cosine is at most k. *)
Theorem classes_below_convex C N d w a h o mu g s k : (2 <= C)%nat -> (1 <= N)%nat ->
  (forall c, (c < C)%nat -> bias_margin C a c <= o) -> 0 < mu ->
  0 < largest_margin C N d w h ->
  convex_on_cosines g ->
  (forall y x, 0 <= y -> -1 <= x <= 1 ->
     g x <= phi (INR C - 1) (largest_margin C N d w h * y * x) + mu * y) ->
  let kappa := fun c => mean N (fun i => weight_cosine C d w (h c i) c) in
  let L := exp o * mean_loss C N d w a h in
  mean C (fun c => g (kappa c)) <= L + mu /\
  ((forall x y, -1 <= x <= y -> y <= 1 -> g y <= g x) -> -1 <= k <= 1 ->
   (forall c, (c < C)%nat -> s c = 0 \/ s c = 1 /\ kappa c <= k) ->
   mean C s * g k + (1 - mean C s) * g 1 <= L + mu).
Proof.
  intros P Q B MU T0 G BELOW kappa L; set (T := largest_margin C N d w h) in *.
  assert (ML := mean_phi_below C N d w a h o P Q B); fold L in ML.
  assert (HT := mean_length_product C N d w h P Q); fold T in HT.
  assert (RANGE : forall c, -1 <= kappa c <= 1).
  { intros c; apply mean_of_range; [lia | intros; apply cosine_range]. }
  assert (A : mean C (fun c => g (kappa c)) <= L + mu).
  { apply Rle_trans with (class_mean C N (fun c i => g (weight_cosine C d w (h c i) c))).
    - apply mean_le; [lia |]; intros c _; apply convex_jensen; [exact G | exact Q |].
      intros; apply cosine_range.
    - apply Rle_trans with (class_mean C N (fun c i => phi (INR C - 1) (margin C d w (h c i) c)
                                              + mu / T * length_product C d w (h c i) c)).
      + apply class_mean_le; [lia | lia |]; intros c i _ _.
        set (y := length_product C d w (h c i) c).
        assert (Y : 0 <= y) by apply (length_product_nonneg C d w (h c i) c P).
        assert (Y1 : 0 <= y / T)
          by (apply Rmult_le_pos; [exact Y | left; apply Rinv_0_lt_compat, T0]).
        assert (F := BELOW (y / T) _ Y1 (cosine_range d (h c i) (centred C w c))).
        fold (weight_cosine C d w (h c i) c) in F; rewrite margin_is_cosine; fold y.
        replace (T * (y / T)) with y in F by (field; lra).
        replace (mu / T * y) with (mu * (y / T)) by (field; lra). exact F.
      + rewrite class_mean_plus, class_mean_scale.
        assert (E := Rmult_le_compat_l (mu / T) _ _ ltac:(left; apply Rdiv_lt_0_compat; lra) HT).
        replace (mu / T * T) with mu in E by (field; lra). lra. }
  split; [exact A |]; intros DOWN K S.
  eapply Rle_trans; [| exact A].
  rewrite (Rmult_comm (mean C s)), <- mean_scale.
  replace ((1 - mean C s) * g 1) with (mean C (fun c => g 1 - g 1 * s c))
    by (rewrite mean_minus, mean_scale, mean_const by lia; ring).
  rewrite <- mean_plus; apply mean_le; [lia |]; intros c Lc; specialize (RANGE c).
  destruct (S c Lc) as [-> | [-> D]].
  - assert (E := DOWN (kappa c) 1 ltac:(lra) ltac:(lra)); lra.
  - assert (E := DOWN (kappa c) k ltac:(lra) ltac:(lra)); lra.
Qed.

(** * One class where the last layer is known *)

(** bnwd:sharp-3, sharp "mean cosine", from the mean loss of the class instead of the log-odds of
    its samples: any probabilities pi on the rivals give a direction omega and M rivals' worth of
    loss. *)
Theorem class_cosine_from_loss n N d pi own rivals offset h : (1 <= N)%nat ->
  (forall r, (r < n)%nat -> 0 < pi r) -> sum n pi = 1 ->
  let omega := direction n pi own rivals in
  let M := exp (entropy n pi + sum n (fun r => pi r * offset r)) in
  let L := mean N (fun i => ln (1 + exp (rival_log_sum n d own rivals offset (h i)))) in
  let least := cosine_at_loss M L (norm d omega * rms N d h) in
  exp L <= 2 * phi_inverse M L -> 0 < norm d omega -> 0 < rms N d h ->
  least <= mean N (fun i => cosine_or_least d (h i) omega).
Proof.
  intros Q P S omega M L least H O A.
  assert (M0 : 0 < M) by apply exp_pos.
  assert (LP : forall x, phi M (dot d omega x)
                         <= ln (1 + exp (rival_log_sum n d own rivals offset x))).
  { intros x; assert (B := certified_margin_below n d pi own rivals offset x P S).
    unfold certified_margin in B; unfold phi; apply ln_le_compat; [apply phi_argument_pos, M0 |].
    apply Rplus_le_compat_l; unfold M; rewrite <- exp_plus; apply exp_le; fold omega in B; lra. }
  assert (L0 : 0 < L).
  { apply Rlt_le_trans with (mean N (fun i => phi M (dot d omega (h i)))).
    - apply Rlt_le_trans with (phi M (mean N (fun i => dot d omega (h i)))); [apply phi_pos, M0 |].
      apply phi_jensen_mean; [exact M0 | lia].
    - apply mean_le; [lia |]; intros; apply LP. }
  rewrite <- (mean_const 1 (mean N _)) by lia.
  apply (mean_of_cosines 1 N M L (norm d omega * rms N d h)
    (fun _ i => norm d (h i) * norm d omega) (fun _ i => cosine_or_least d (h i) omega));
    try lia; try assumption.
  - apply Rmult_lt_0_compat; assumption.
  - intros _ i _ _; split; [apply Rmult_le_pos; apply norm_nonneg | apply cosine_range].
  - unfold class_mean; rewrite mean_const by lia; apply mean_le; [lia |]; intros i _.
    rewrite <- inner_is_cosine, dot_comm; apply LP.
  - unfold class_mean; rewrite mean_const by lia.
    rewrite (mean_ext N _ (fun i => norm d omega * norm d (h i))) by (intros; ring).
    rewrite mean_scale; apply Rmult_le_compat_l; [lra |]; apply mean_abs_norm, Q.
Qed.
