(** The least mean loss that the norms allow, with and without weight decay, and the networks that
    have it: those whose features are multiples of weights at a simplex equiangular tight frame. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Phi Network Budget Objective Gap SimplexFrame.
Open Scope R_scope.

(** The loss at the margin k alpha beta, k = C/(C-1). *)
Definition minimum_loss (C alpha beta : R) : R :=
  ln (1 + (C - 1) * exp (- (C / (C - 1) * alpha * beta))).

(** Every feature is a multiple of the weight of its class, and the weights are those of a simplex:
    all of one norm, every two at the cosine -1/(C-1). *)
Definition at_simplex (C N d : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R)
  (multiple size : R) : Prop :=
  (forall c i j, (c < C)%nat -> (i < N)%nat -> (j < d)%nat -> h c i j = multiple * w c j) /\
  (forall c, (c < C)%nat -> dot d (w c) (w c) = size * size) /\
  (forall c r, (c < C)%nat -> (r < C)%nat -> r <> c ->
     dot d (w r) (w c) = simplex_cosine (INR C) * (size * size)).

(** C = n + 1 points of one norm at a simplex, from n orthonormal rows. *)
Definition simplex_of_norm (n : nat) (frame : nat -> nat -> R) (size : R) : nat -> nat -> R :=
  small_simplex n frame (size * sqrt (ratio (S n))).

(** * The bound *)

Lemma minimum_at_margin C alpha beta :
  minimum_loss (INR C) alpha beta = phi (INR C - 1) (ratio C * (alpha * beta)).
Proof. unfold minimum_loss, phi, ratio; rewrite Rmult_assoc; reflexivity. Qed.

Lemma margin_of_centre C N d w h c :
  margin C d w (class_centre N h c) c = mean N (fun i => margin C d w (h c i) c).
Proof.
  unfold margin, class_centre; rewrite mean_scale, <- dot_mean_r; reflexivity.
Qed.

Lemma mean_margin_norms C N d w h : (2 <= C)%nat -> (1 <= N)%nat ->
  mean_margin C N d w h <= ratio C * (feature_norm C N d h * weight_norm C d w).
Proof.
  intros P Q; rewrite mean_margin_inner.
  apply Rmult_le_compat_l; [left; apply ratio_pos, P |].
  eapply Rle_trans; [apply mean_inner; lia |].
  apply Rmult_le_compat_l; [apply sqrt_pos |]; apply sqrt_le_1_alt.
  rewrite centred_norm_square by lia.
  assert (D := dot_nonneg d (fun j => mean C (fun r => w r j))); lra.
Qed.

(** bnwd:remark-min-loss, printed "at least C - 1 dimensions": from the mean loss down to m, in
    every dimension. *)
Theorem least_loss C N d w h alpha beta : (2 <= C)%nat -> (1 <= N)%nat ->
  feature_norm C N d h <= alpha -> weight_norm C d w <= beta ->
  let t := fun c => margin C d w (class_centre N h c) c in
  mean C (fun c => phi (INR C - 1) (t c)) <= mean_loss C N d w unbiased h /\
  phi (INR C - 1) (mean C t) <= mean C (fun c => phi (INR C - 1) (t c)) /\
  minimum_loss (INR C) alpha beta <= phi (INR C - 1) (mean C t) /\
  minimum_loss (INR C) alpha beta <= mean_loss C N d w unbiased h.
Proof.
  intros P Q A B t; assert (M := rival_count_pos C P).
  assert (L1 : mean C (fun c => phi (INR C - 1) (t c)) <= mean_loss C N d w unbiased h).
  { apply mean_le; [lia |]; intros c L; unfold t; rewrite margin_of_centre.
    eapply Rle_trans; [apply phi_jensen_mean; [exact M | lia] |].
    apply mean_le; [lia |]; intros; apply loss_above_phi; assumption. }
  assert (L2 := phi_jensen_mean C t (INR C - 1) M ltac:(lia)).
  assert (L3 : minimum_loss (INR C) alpha beta <= phi (INR C - 1) (mean C t)).
  { rewrite minimum_at_margin; apply phi_antitone; [exact M |].
    rewrite (mean_ext C t _ (fun c _ => margin_of_centre C N d w h c)).
    eapply Rle_trans; [apply mean_margin_norms; assumption |].
    apply Rmult_le_compat_l; [left; apply ratio_pos, P |].
    apply Rmult_le_compat; try apply sqrt_pos; assumption. }
  repeat split; try assumption; lra.
Qed.

(** * It is attained *)

Lemma rivals_const C c f v : (2 <= C)%nat -> (c < C)%nat ->
  (forall r, (r < C)%nat -> r <> c -> f r = v) -> rivals C c f = v.
Proof.
  intros P L F; assert (M := rival_count_pos C P); unfold rivals.
  rewrite (sum_ext C _ (fun r => if Nat.eq_dec r c then 0 else v))
    by (intros r R; destruct (Nat.eq_dec r c); [reflexivity | auto]).
  rewrite (sum_others C c (fun _ => v)), sum_const by assumption; field; lra.
Qed.

(** The loss where all logits of true classes are p and all others -p/(C-1). *)
Lemma loss_at_products C N d w h p : (2 <= C)%nat -> (1 <= N)%nat ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> dot d (w c) (h c i) = p) ->
  (forall c i r, (c < C)%nat -> (i < N)%nat -> (r < C)%nat -> r <> c ->
     dot d (w r) (h c i) = simplex_cosine (INR C) * p) ->
  mean_loss C N d w unbiased h = phi (INR C - 1) (ratio C * p).
Proof.
  intros P Q Own Other; assert (M := rival_count_pos C P); unfold mean_loss.
  rewrite (class_mean_ext C N _ (fun _ _ => phi (INR C - 1) (ratio C * p)));
    [apply class_mean_const; lia |].
  intros c i L I; unfold loss, phi; do 3 f_equal; apply rivals_const; try assumption.
  intros r R D; unfold logits, unbiased; rewrite Own, Other by assumption.
  f_equal; unfold simplex_cosine, ratio; field; lra.
Qed.

Lemma simplex_of_norm_gram n d frame a b c r :
  (1 <= n)%nat -> orthonormal n d frame -> (c < S n)%nat -> (r < S n)%nat ->
  dot d (simplex_of_norm n frame a c) (simplex_of_norm n frame b r)
  = a * b * (ratio (S n) * (delta c r - 1 / INR (S n))).
Proof.
  intros N O Lc Lr; assert (K := ratio_pos (S n) ltac:(lia)).
  assert (S1 := small_simplex_gram n d frame 1 O c r Lc Lr); unfold small_simplex in S1.
  unfold simplex_of_norm, small_simplex.
  rewrite dot_scale_l, dot_scale_r in S1 |- *.
  rewrite <- (sqrt_sqrt (ratio (S n))) at 3 by lra.
  set (q := sqrt (ratio (S n))) in *.
  transitivity (a * b * (q * q)
    * (1 * (1 * dot d (fun k => sum n (fun r0 => helmert_entry c r0 * frame r0 k))
    (fun k => sum n (fun r0 => helmert_entry r r0 * frame r0 k))))); [ring |].
  rewrite S1; ring.
Qed.

(** bnwd:remark-min-loss, printed "at least C - 1 dimensions": a simplex of C = n + 1 weights and
    features attains m, in every dimension that has C - 1 orthonormal rows. *)
Theorem least_loss_attained (n N d : nat) (frame : nat -> nat -> R) (alpha beta : R) :
  (1 <= n)%nat -> (1 <= N)%nat -> 0 <= alpha -> 0 <= beta -> orthonormal n d frame ->
  let w := simplex_of_norm n frame beta in
  let h := fun c (_ : nat) => simplex_of_norm n frame alpha c in
  feature_norm (S n) N d h = alpha /\
  weight_norm (S n) d w = beta /\
  mean_loss (S n) N d w unbiased h = minimum_loss (INR (S n)) alpha beta.
Proof.
  intros P Q A B O w h; assert (K := ratio_pos (S n) ltac:(lia)).
  assert (R := classes_real (S n) ltac:(lia)).
  assert (Own : forall a b c, (c < S n)%nat ->
            dot d (simplex_of_norm n frame a c) (simplex_of_norm n frame b c) = a * b).
  { intros a b c L; rewrite simplex_of_norm_gram by assumption.
    unfold delta, ratio; destruct (Nat.eq_dec c c); [field; lra | congruence]. }
  repeat split.
  - unfold feature_norm; rewrite (class_mean_ext _ _ _ (fun _ _ => alpha * alpha)).
    + rewrite class_mean_const by lia; apply sqrt_square, A.
    + intros; apply Own; assumption.
  - unfold weight_norm; rewrite (mean_ext _ _ (fun _ => beta * beta)).
    + rewrite mean_const by lia; apply sqrt_square, B.
    + intros; apply Own; assumption.
  - rewrite minimum_at_margin; apply loss_at_products; try lia.
    + intros c i L _; unfold w, h; rewrite Own by assumption; ring.
    + intros c i r L _ Lr D; unfold w, h; rewrite simplex_of_norm_gram by assumption.
      unfold delta, ratio, simplex_cosine; destruct (Nat.eq_dec r c); [congruence | field; lra].
Qed.

(** * Nothing else attains it *)

Lemma terms_of_zero_sum n f : (forall i, (i < n)%nat -> 0 <= f i) -> sum n f <= 0 ->
  forall i, (i < n)%nat -> f i = 0.
Proof. intros F Z i I; assert (T := term_le_sum n f i F I); specialize (F i I); lra. Qed.

Lemma terms_of_zero_mean n f : (0 < n)%nat -> (forall i, (i < n)%nat -> 0 <= f i) ->
  mean n f <= 0 -> forall i, (i < n)%nat -> f i = 0.
Proof.
  intros P F Z; apply terms_of_zero_sum; [exact F |].
  rewrite <- mean_sum by assumption; assert (0 < INR n) by (apply lt_0_INR, P); nra.
Qed.

Lemma terms_of_zero_class_mean C N f : (0 < C)%nat -> (0 < N)%nat ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> 0 <= f c i) -> class_mean C N f <= 0 ->
  forall c i, (c < C)%nat -> (i < N)%nat -> f c i = 0.
Proof.
  intros P Q F Z c i L I; apply (terms_of_zero_mean N (f c)); auto.
  right; apply (terms_of_zero_mean C (fun c => mean N (f c))); auto.
  intros; apply mean_nonneg; auto.
Qed.

(** No off-class excess: all rivals have the same logit, by the equality in Jensen. *)
Lemma equal_rivals C z c : (2 <= C)%nat -> (c < C)%nat -> off_class C z c = 0 ->
  forall r, (r < C)%nat -> r <> c -> z r - z c = - logit_margin C z c.
Proof.
  intros P L; unfold off_class; rewrite rivals_gap by assumption.
  set (m := - logit_margin C z c); intros Z.
  assert (G := rivals_gap C z c P L); fold m in G; rewrite rivals_weighted in G.
  assert (Pos := rivals_exp_pos C c (fun r => z r - z c) P L).
  assert (E : rivals C c (fun r => exp (z r - z c)) = exp m)
    by (rewrite <- (exp_ln (rivals C c _)) by exact Pos; f_equal; lra).
  rewrite rivals_weighted in E.
  assert (T := terms_of_zero_sum C
    (fun r => rival_weight C c r * (exp (z r - z c) - exp m * (1 + (z r - z c - m))))).
  assert (M := rival_count_pos C P).
  intros r Lr D; destruct (Req_dec (z r - z c) m) as [| N]; [assumption | exfalso].
  assert (W : 0 < rival_weight C c r)
    by (unfold rival_weight; destruct (Nat.eq_dec r c); [congruence | apply Rinv_0_lt_compat, M]).
  assert (X : exp m * (1 + (z r - z c - m)) < exp (z r - z c)).
  { replace (exp (z r - z c)) with (exp m * exp (z r - z c - m))
      by (rewrite <- exp_plus; f_equal; ring).
    apply Rmult_lt_compat_l; [apply exp_pos | apply exp_ineq1; lra]. }
  assert (rival_weight C c r * (exp (z r - z c) - exp m * (1 + (z r - z c - m))) = 0); [| nra].
  apply T; try assumption.
  - intros q Lq; apply Rmult_le_pos; [apply rival_weight_nonneg; assumption |].
    assert (H := exp_tangent_at (z q - z c) m); lra.
  - right; transitivity (sum C (fun r => rival_weight C c r * exp (z r - z c))
      - (exp m * (1 - m) * sum C (rival_weight C c)
         + exp m * sum C (fun r => rival_weight C c r * (z r - z c)))).
    + rewrite <- !sum_scale, <- sum_plus, <- sum_minus; apply sum_ext; intros; ring.
    + rewrite E, G, rival_weight_sum by assumption; ring.
Qed.

Lemma bregman_zero sigma u : 0 < sigma < 1 -> bregman sigma u = 0 -> u = 0.
Proof.
  intros S Z; assert (G := bregman_growth sigma u ltac:(lra)); rewrite Z in G.
  assert (A := Rabs_pos u); assert (W : 0 < sigma * (1 - sigma)) by nra.
  assert (V : 0 < / (2 + Rabs u)) by (apply Rinv_0_lt_compat; lra).
  destruct (Req_dec u 0) as [| N]; [assumption | exfalso].
  assert (U : 0 < u * u) by nra.
  assert (0 < u * u / (2 + Rabs u)) by (apply Rmult_lt_0_compat; assumption). nra.
Qed.

Lemma square_zero d x : dot d x x = 0 -> forall j, (j < d)%nat -> x j = 0.
Proof. intros Z j; apply vanishes, Z. Qed.

Lemma excess_nonneg C d w x c : (2 <= C)%nat -> (c < C)%nat ->
  0 <= loss C (logits d w unbiased x) c - phi (INR C - 1) (margin C d w x c).
Proof. intros P L; assert (H := loss_above_phi C d w x c P L); lra. Qed.

(** What it takes for every defect to vanish: features that are multiples of the weights of mean
    zero, one margin for all samples, and no off-class excess. *)
Lemma no_defects C N d w h s t p : (2 <= C)%nat -> (1 <= N)%nat -> 0 < s -> 0 < t ->
  scaled_distance C N d w h s t <= 0 -> mean_weight_square C d w <= 0 ->
  off_class_excess C N d w h <= 0 ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> margin C d w (h c i) c = p) ->
  at_simplex C N d w h (t / s) (sqrt (p * s / (ratio C * t))) /\
  0 <= p /\ (forall j, (j < d)%nat -> mean C (fun r => w r j) = 0).
Proof.
  intros P Q S T D W O M; assert (K := ratio_pos C P); assert (J := rival_count_pos C P).
  assert (W0 : forall j, (j < d)%nat -> mean C (fun r => w r j) = 0)
    by (apply square_zero; assert (X := dot_nonneg d (fun j => mean C (fun r => w r j)));
        unfold mean_weight_square in W; lra).
  assert (H : forall c i j, (c < C)%nat -> (i < N)%nat -> (j < d)%nat ->
            h c i j = t / s * w c j).
  { intros c i j L I Lj.
    assert (Z := terms_of_zero_class_mean C N _ ltac:(lia) ltac:(lia)
                   (fun c i _ _ => dot_nonneg d _) D c i L I); cbv beta in Z.
    assert (Y := square_zero d _ Z j Lj); cbv beta in Y; unfold centred in Y.
    rewrite W0 in Y by assumption; replace (h c i j) with (s * h c i j / s) by (field; lra).
    replace (s * h c i j) with (t * w c j) by lra; field; lra. }
  assert (Dot : forall r c i, (r < C)%nat -> (c < C)%nat -> (i < N)%nat ->
            dot d (w r) (h c i) = t / s * dot d (w r) (w c)).
  { intros r c i _ L I; rewrite <- dot_scale_r; apply sum_ext; intros j Lj.
    rewrite (H c i j) by assumption; reflexivity. }
  assert (Cen : forall c x, dot d (centred C w c) x = dot d (w c) x).
  { intros c x; apply sum_ext; intros j Lj; unfold centred; rewrite W0 by assumption; ring. }
  assert (Own : forall c, (c < C)%nat -> dot d (w c) (w c) = p * s / (ratio C * t)).
  { intros c L; rewrite <- (M c 0%nat L Q); unfold margin; rewrite Cen, Dot by assumption;
      field; lra. }
  assert (P0 : 0 <= p).
  { assert (X := dot_nonneg d (w 0%nat)); rewrite Own in X by lia.
    replace p with (p * s / (ratio C * t) * (ratio C * t / s)) by (field; lra).
    apply Rmult_le_pos; [exact X | left; apply Rdiv_lt_0_compat; nra]. }
  split; [| split; assumption].
  assert (Size : 0 <= p * s / (ratio C * t))
    by (rewrite <- (Own 0%nat) by lia; apply dot_nonneg).
  unfold at_simplex; rewrite sqrt_sqrt by assumption.
  repeat split; [exact H | exact Own |].
  intros c r L Lr N0.
  assert (Z := terms_of_zero_class_mean C N _ ltac:(lia) ltac:(lia)
    (fun c i L _ => excess_nonneg C d w (h c i) c P L) O c 0%nat L Q).
  cbv beta in Z; set (z := logits d w unbiased (h c 0%nat)) in *.
  assert (LM : logit_margin C z c = p)
    by (unfold z; rewrite logit_margin_split, bias_margin_unbiased, M by assumption; ring).
  assert (OC : off_class C z c = 0).
  { assert (N1 := off_class_nonneg C z c P L); destruct N1 as [N1 | N1]; [exfalso | lra].
    rewrite loss_at_margin, LM, M in Z by assumption.
    assert (X := phi_decreasing (INR C - 1) (p - off_class C z c) p J ltac:(lra)); lra. }
  assert (E := equal_rivals C z c P L OC r Lr N0); rewrite LM in E.
  unfold z, logits, unbiased in E; rewrite !Dot, Own in E by assumption.
  assert (0 < t / s) by (apply Rdiv_lt_0_compat; assumption).
  apply (Rmult_eq_reg_l (t / s)); [| lra].
  replace (t / s * dot d (w r) (w c)) with (t / s * (p * s / (ratio C * t)) - p) by lra.
  unfold simplex_cosine, ratio; field; assert (R := classes_real C P); repeat split; lra.
Qed.

(** What a network at a simplex has: its norms and its loss. *)
Lemma loss_at_simplex C N d w h multiple size : (2 <= C)%nat -> (1 <= N)%nat ->
  0 <= multiple -> 0 <= size -> at_simplex C N d w h multiple size ->
  feature_norm C N d h = multiple * size /\ weight_norm C d w = size /\
  mean_loss C N d w unbiased h = minimum_loss (INR C) (multiple * size) size.
Proof.
  intros P Q S T [H [Own Other]].
  assert (Dot : forall x c i, (c < C)%nat -> (i < N)%nat ->
            dot d x (h c i) = multiple * dot d x (w c)).
  { intros x c i L I; rewrite <- dot_scale_r; apply sum_ext; intros j Lj.
    rewrite H by assumption; reflexivity. }
  repeat split.
  - unfold feature_norm.
    rewrite (class_mean_ext C N _ (fun _ _ => multiple * size * (multiple * size))).
    + rewrite class_mean_const by lia; apply sqrt_square, Rmult_le_pos; assumption.
    + intros c i L I; rewrite Dot, dot_comm, Dot, Own by assumption; ring.
  - unfold weight_norm; rewrite (mean_ext C _ (fun _ => size * size)) by (intros; auto).
    rewrite mean_const by lia; apply sqrt_square, T.
  - rewrite minimum_at_margin; apply loss_at_products; try assumption.
    + intros c i L I; rewrite Dot, Own by assumption; ring.
    + intros c i r L I Lr D; rewrite Dot, Other by assumption; ring.
Qed.

Lemma simplex_sums_to_zero C N d w h multiple size : (2 <= C)%nat ->
  at_simplex C N d w h multiple size -> forall j, (j < d)%nat -> mean C (fun c => w c j) = 0.
Proof.
  intros P [_ [Own Other]]; assert (R := classes_real C P); apply square_zero.
  rewrite dot_mean_r, (mean_ext C _ (fun _ => 0)); [apply mean_const; lia |].
  intros c L; rewrite dot_mean_l; unfold mean.
  rewrite (sum_ext C _ (fun r =>
    (if Nat.eq_dec r c then 0 else simplex_cosine (INR C) * (size * size))
                                 + (if Nat.eq_dec r c then size * size else 0))).
  - rewrite sum_plus, (sum_others C c (fun _ => simplex_cosine (INR C) * (size * size)))
      by assumption.
    rewrite sum_const, sum_single by assumption; unfold simplex_cosine; field; lra.
  - intros r Lr; destruct (Nat.eq_dec r c) as [-> | D];
      [rewrite Own by assumption | rewrite Other by assumption]; ring.
Qed.

(** bnwd:remark-min-loss, printed "at least C - 1 dimensions": of all networks within the norms,
    those at a simplex have the least loss, and no others. *)
Theorem least_loss_equality C N d w h alpha beta : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < alpha -> 0 < beta -> feature_norm C N d h <= alpha -> weight_norm C d w <= beta ->
  (mean_loss C N d w unbiased h = minimum_loss (INR C) alpha beta
   <-> at_simplex C N d w h (alpha / beta) beta) /\
  (mean_loss C N d w unbiased h = minimum_loss (INR C) alpha beta ->
   forall j, (j < d)%nat -> mean C (fun c => w c j) = 0).
Proof.
  intros P Q A B FA WB; assert (K := ratio_pos C P); assert (M := rival_count_pos C P).
  assert (I : mean_loss C N d w unbiased h = minimum_loss (INR C) alpha beta
              -> at_simplex C N d w h (alpha / beta) beta).
  { intros E; set (a := feature_norm C N d h) in *; set (b := weight_norm C d w) in *.
    assert (A0 : 0 <= a) by apply sqrt_pos; assert (B0 : 0 <= b) by apply sqrt_pos.
    assert (L := least_loss C N d w h a b P Q (Rle_refl _) (Rle_refl _)); cbv zeta in L.
    destruct L as [_ [_ [_ L]]]; rewrite E, !minimum_at_margin in L.
    assert (AB : alpha * beta <= a * b).
    { apply (Rmult_le_reg_l (ratio C)); [exact K |]; apply Rnot_lt_le; intros X.
      assert (Y := phi_decreasing (INR C - 1) _ _ M X); lra. }
    assert (Ea : a = alpha) by nra; assert (Eb : b = beta) by nra.
    destruct (gap_split C N d w h P Q) as [G [N1 N2]]; fold a b; try lra.
    fold a b in G, N1, N2; rewrite Ea, Eb in G, N1.
    rewrite E, minimum_at_margin, Rminus_eq_0 in G.
    set (p := ratio C * (alpha * beta)) in *; set (s := 1 - exp (- phi (INR C - 1) p)) in *.
    assert (S : 0 < s < 1)
      by (unfold s; rewrite <- slope_phi by exact M; apply slope_range, M).
    assert (D1 : 0 <= margin_spread C N d w h s p) by (apply class_mean_nonneg; auto; lia).
    assert (D2 : 0 <= scaled_distance C N d w h (/ alpha) (/ beta))
      by (apply class_mean_nonneg; [lia.. |]; intros; apply dot_nonneg).
    assert (D3 : 0 <= mean_weight_square C d w) by apply dot_nonneg.
    assert (D4 : 0 <= off_class_excess C N d w h).
    { apply class_mean_nonneg; [lia.. |]; intros; apply excess_nonneg; assumption. }
    assert (F : 0 < ratio C * s * (alpha * beta) / 2).
    { assert (0 < alpha * beta) by nra; assert (0 < ratio C * s) by nra. nra. }
    assert (B2 : 0 < / (beta * beta)) by (apply Rinv_0_lt_compat; nra).
    assert (D3' : 0 <= mean_weight_square C d w / (beta * beta))
      by (apply Rmult_le_pos; lra).
    set (f := ratio C * s * (alpha * beta) / 2) in *.
    assert (FD2 := Rmult_le_pos _ _ (Rlt_le _ _ F) D2).
    assert (FD3 := Rmult_le_pos _ _ (Rlt_le _ _ F) D3').
    rewrite Rmult_plus_distr_l in G.
    assert (Z1 : margin_spread C N d w h s p <= 0) by lra.
    assert (Z2 : scaled_distance C N d w h (/ alpha) (/ beta) <= 0) by nra.
    assert (Z3 : mean_weight_square C d w <= 0).
    { assert (mean_weight_square C d w / (beta * beta) <= 0) by nra. unfold Rdiv in H; nra. }
    assert (Z4 : off_class_excess C N d w h <= 0) by lra.
    assert (Margin : forall c i, (c < C)%nat -> (i < N)%nat -> margin C d w (h c i) c = p).
    { intros c i Lc Li; apply Rminus_diag_uniq, (bregman_zero s); [exact S |].
      apply (terms_of_zero_class_mean C N (fun c i => bregman s (margin C d w (h c i) c - p)));
        auto; lia. }
    destruct (no_defects C N d w h (/ alpha) (/ beta) p P Q) as [T _];
      try (apply Rinv_0_lt_compat); try assumption.
    replace (alpha / beta) with (/ beta / / alpha) by (field; lra).
    replace beta with (sqrt (p * / alpha / (ratio C * / beta))) at 2; [exact T |].
    replace (p * / alpha / (ratio C * / beta)) with (beta * beta)
      by (unfold p; field; repeat split; lra).
    apply sqrt_square; lra. }
  split; [split; [exact I |] |
          intros E; apply (simplex_sums_to_zero C N d w h (alpha / beta) beta); auto].
  intros T; assert (0 < alpha / beta) by (apply Rdiv_lt_0_compat; lra).
  destruct (loss_at_simplex C N d w h (alpha / beta) beta P Q ltac:(lra) ltac:(lra) T) as [_ [_ E]].
  rewrite E; f_equal; field; lra.
Qed.

(** * With weight decay *)

Lemma minimiser_positive C decay : 1 < C -> 0 < decay -> decay < 1 -> 0 < minimiser C decay.
Proof.
  intros P D U; unfold minimiser; apply Rmult_lt_0_compat; [apply Rdiv_lt_0_compat; lra |].
  rewrite <- ln_1; apply ln_increasing; [lra |].
  apply (Rmult_lt_reg_r decay); [exact D |]; unfold Rdiv.
  rewrite Rmult_assoc, Rinv_l by lra. nra.
Qed.

(** The objective at the product of norms g, from the loss and the penalty of alpha^2 = sqrt C g and
    beta^2 = g/sqrt C. *)
Lemma regularised_at_norms C N d w h decay : (2 <= C)%nat -> 0 < decay -> decay < 1 ->
  let g := minimiser (INR C) decay in
  feature_norm C N d h = sqrt (sqrt (INR C) * g) -> weight_norm C d w = sqrt (g / sqrt (INR C)) ->
  mean_loss C N d w unbiased h
  = minimum_loss (INR C) (sqrt (sqrt (INR C) * g)) (sqrt (g / sqrt (INR C))) ->
  regularised_loss C N d w h (decay / sqrt (INR C))
  = least_regularised (INR C) (decay / sqrt (INR C)).
Proof.
  intros P D U g A B E; assert (R := classes_real C P).
  assert (G := minimiser_positive (INR C) decay ltac:(lra) D U); fold g in G.
  assert (Room : 1 < INR C / (INR C - 1)).
  { apply (Rmult_lt_reg_r (INR C - 1)); [lra |].
    unfold Rdiv; rewrite Rmult_assoc, Rinv_l by lra; lra. }
  assert (Q0 : 0 < sqrt (INR C)) by (apply sqrt_lt_R0; lra).
  assert (Q2 := sqrt_sqrt (INR C) ltac:(lra)).
  assert (A2 : 0 <= sqrt (INR C) * g) by nra.
  assert (B2 : 0 <= g / sqrt (INR C)) by (left; apply Rdiv_lt_0_compat; lra).
  unfold regularised_loss, penalty; rewrite E, A, B, !sqrt_sqrt, minimum_at_margin by assumption.
  rewrite <- sqrt_mult by assumption.
  replace (sqrt (INR C) * g * (g / sqrt (INR C))) with (g * g) by (field; lra).
  rewrite sqrt_square, least_regularised_minimum by lra.
  destruct (objective_minimum (INR C) decay 0 ltac:(lra) D ltac:(lra)) as [V _].
  rewrite <- V, objective_phi; fold g (ratio C); rewrite <- Q2 at 4; field; lra.
Qed.

(** bnwd:remark-m-reg, corrected "the other sign": nothing is below m_reg. *)
Theorem least_regularised_bound C N d w h decay : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < decay -> decay < INR C / (INR C - 1) ->
  least_regularised (INR C) (decay / sqrt (INR C))
  <= regularised_loss C N d w h (decay / sqrt (INR C)).
Proof.
  intros P Q D U; destruct (regularised_gap_split C N d w h decay P Q D U) as [E [B _]].
  assert (R := classes_real C P).
  assert (L0 : 0 < decay / sqrt (INR C)) by (apply Rdiv_lt_0_compat; [| apply sqrt_lt_R0]; lra).
  assert (N1 : 0 <= margin_spread C N d w h (error_at_minimiser (INR C) decay)
                      (ratio C * minimiser (INR C) decay))
    by (apply class_mean_nonneg; [lia | lia | exact B]).
  assert (N2 : 0 <= scaled_distance C N d w h 1 (sqrt (INR C)))
    by (apply class_mean_nonneg; [lia.. |]; intros; apply dot_nonneg).
  assert (N3 : 0 <= mean_weight_square C d w) by apply dot_nonneg.
  assert (N4 : 0 <= off_class_excess C N d w h)
    by (apply class_mean_nonneg; [lia.. |]; intros; apply excess_nonneg; assumption).
  set (l := decay / sqrt (INR C)) in *.
  assert (M1 := Rmult_le_pos (l / 2) _ ltac:(lra) N2).
  assert (0 < l * INR C) by (apply Rmult_lt_0_compat; lra).
  assert (M2 := Rmult_le_pos (l * INR C / 2) _ ltac:(lra) N3). lra.
Qed.

(** bnwd:remark-m-reg, corrected "the other sign": a simplex attains m_reg for a decay below 1, with
    alpha beta = gamma* and alpha = sqrt C beta. *)
Theorem least_regularised_attained (n N d : nat) (frame : nat -> nat -> R) (decay : R) :
  (1 <= n)%nat -> (1 <= N)%nat -> 0 < decay -> decay < 1 -> orthonormal n d frame ->
  let C := S n in
  let g := minimiser (INR C) decay in
  let w := simplex_of_norm n frame (sqrt (g / sqrt (INR C))) in
  let h := fun c (_ : nat) => simplex_of_norm n frame (sqrt (sqrt (INR C) * g)) c in
  regularised_loss C N d w h (decay / sqrt (INR C))
  = least_regularised (INR C) (decay / sqrt (INR C)).
Proof.
  intros P Q D U O C g w h.
  destruct (least_loss_attained n N d frame (sqrt (sqrt (INR C) * g)) (sqrt (g / sqrt (INR C)))
              P Q (sqrt_pos _) (sqrt_pos _) O) as [A [B E]].
  apply regularised_at_norms; try assumption; unfold C; lia.
Qed.

(** bnwd:remark-m-reg, corrected "the other sign": for a decay below 1 the networks at a simplex of
    these norms have the least regularised loss, and no others. *)
Theorem least_regularised_equality C N d w h decay : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < decay -> decay < 1 ->
  let lambda := decay / sqrt (INR C) in
  regularised_loss C N d w h lambda = least_regularised (INR C) lambda
  <-> at_simplex C N d w h (sqrt (INR C)) (sqrt (minimiser (INR C) decay / sqrt (INR C))).
Proof.
  intros P Q D U lambda; assert (R := classes_real C P); assert (K := ratio_pos C P).
  assert (G := minimiser_positive (INR C) decay ltac:(lra) D U).
  assert (Q0 : 0 < sqrt (INR C)) by (apply sqrt_lt_R0; lra).
  assert (Q2 := sqrt_sqrt (INR C) ltac:(lra)).
  set (g := minimiser (INR C) decay) in *; split.
  - intros E.
    assert (V : decay < INR C / (INR C - 1)).
    { apply (Rmult_lt_reg_r (INR C - 1)); [lra |]; unfold Rdiv.
      rewrite Rmult_assoc, Rinv_l by lra; nra. }
    destruct (regularised_defects C N d w h decay 0 P Q D V) as [D2 [D3 [D4 D1]]];
      [fold lambda; lra |].
    destruct (regularised_gap_split C N d w h decay P Q D V) as [_ [B _]].
    fold lambda in D2, D3; assert (L0 : 0 < lambda) by (apply Rdiv_lt_0_compat; assumption).
    assert (L1 : 0 < lambda * INR C) by (apply Rmult_lt_0_compat; lra).
    fold g in D1, B; set (p := ratio C * g) in *.
    assert (S := error_range (INR C) decay ltac:(lra) D V).
    destruct (no_defects C N d w h 1 (sqrt (INR C)) p P Q ltac:(lra) Q0) as [T _];
      try assumption; try nra.
    + intros c i Lc Li; apply Rminus_diag_uniq, (bregman_zero (error_at_minimiser (INR C) decay));
        [exact S |].
      apply (terms_of_zero_class_mean C N
               (fun c i => bregman (error_at_minimiser (INR C) decay)
                 (margin C d w (h c i) c - p)));
        auto; lia.
    + replace (sqrt (INR C) / 1) with (sqrt (INR C)) in T by field.
      replace (g / sqrt (INR C)) with (p * 1 / (ratio C * sqrt (INR C)))
        by (unfold p; field; lra).
      exact T.
  - intros T; destruct (loss_at_simplex C N d w h (sqrt (INR C)) (sqrt (g / sqrt (INR C))) P Q
                          (sqrt_pos _) (sqrt_pos _) T) as [A [B E]].
    assert (X : sqrt (INR C) * sqrt (g / sqrt (INR C)) = sqrt (sqrt (INR C) * g)).
    { rewrite <- sqrt_mult; [| lra | left; apply Rdiv_lt_0_compat; lra].
      f_equal; rewrite <- Q2 at 1; field; lra. }
    rewrite X in A, E; apply regularised_at_norms; assumption.
Qed.

(** bnwd:remark-m-reg, printed "the sign as printed": the printed value is not that of
    the simplex. *)
Definition printed_least (C lambda : R) : R :=
  ln (1 - (C - 1) / sqrt C * lambda) + (C - 1) / sqrt C * lambda * ln (sqrt C / lambda - (C - 1)).

Theorem printed_least_fails :
  ~ (forall (n N d : nat) (frame : nat -> nat -> R) (decay : R),
       (1 <= n)%nat -> (1 <= N)%nat -> 0 < decay -> decay < 1 -> orthonormal n d frame ->
       let C := S n in
       let g := minimiser (INR C) decay in
       let w := simplex_of_norm n frame (sqrt (g / sqrt (INR C))) in
       let h := fun c (_ : nat) => simplex_of_norm n frame (sqrt (sqrt (INR C) * g)) c in
       regularised_loss C N d w h (decay / sqrt (INR C))
       = printed_least (INR C) (decay / sqrt (INR C))).
Proof.
  intros H; assert (O := unit_vectors_orthonormal 1 1 (le_n 1)).
  assert (F := H 1%nat 1%nat 1%nat delta (1 / 2) (le_n 1) (le_n 1) ltac:(lra) ltac:(lra) O).
  assert (T := least_regularised_attained 1 1 1 delta (1 / 2) (le_n 1) (le_n 1) ltac:(lra)
    ltac:(lra) O).
  cbv zeta in F, T; rewrite T in F; unfold least_regularised, printed_least in F.
  replace (INR 2) with 2 in F by reflexivity.
  assert (Q := sqrt_sqrt 2 ltac:(lra)); assert (Q0 : 0 < sqrt 2) by (apply sqrt_lt_R0; lra).
  replace ((2 - 1) / sqrt 2 * (1 / 2 / sqrt 2)) with (1 / 4) in F
    by (transitivity (1 / (2 * (sqrt 2 * sqrt 2))); [rewrite Q |]; field; lra).
  assert (X : ln (1 - 1 / 4) < 0) by (rewrite <- ln_1; apply ln_increasing; lra). lra.
Qed.
