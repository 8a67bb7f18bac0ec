(** Mean cosines of features with the centred weights of their classes, from the log-odds of all
    samples: over all of them, over a part, for class means and within classes.

    A sample with r = |h|/alpha has kappa r >= rho, its log-odds over the largest margin that the
    weight and alpha allow; the squares r^2 have the mean 1. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Phi Network Budget WeightCosines.
Open Scope R_scope.

Definition cube_root (x : R) : R := if Rlt_dec 0 x then exp (ln x / 3) else 0.

Definition positive_part (x : R) : R := Rmax x 0.

(** 1 where x is not positive: the sample is lost. *)
Definition lost (x : R) : R := if Rlt_dec 0 x then 0 else 1.

(** log(C-1) and the log-odds of a sample, less what the bias adds. *)
Definition sample_log_odds (C d : nat) (w : nat -> nat -> R) (a : nat -> R)
    (h : nat -> nat -> nat -> R) (c i : nat) : R :=
  phi_inverse (INR C - 1) (loss C (logits d w a (h c i)) c) - bias_margin C a c.

(** Lower bound on the component of h/alpha along its weight, where positive. *)
Definition component (C d : nat) (w : nat -> nat -> R) (alpha : R) (p : nat -> nat -> R)
    (c i : nat) : R :=
  if Rlt_dec 0 (norm d (centred C w c) * alpha * ratio C)
  then p c i / (norm d (centred C w c) * alpha * ratio C) else 0.

(** Upper bound on the mean of |h/alpha|^2 over a part s: the others need their components. *)
Definition square_norms_left (C N : nat) (rho s : nat -> nat -> R) : R :=
  positive_part
    ((1 - class_mean C N (fun c i =>
            (1 - s c i) * (positive_part (rho c i) * positive_part (rho c i))))
     / class_mean C N s).

(** The length r >= rho at which rho/r + mu r^2 is least. *)
Definition priced_length (mu rho : R) : R :=
  Rmax (positive_part rho) (cube_root (positive_part rho / (2 * mu))).

Definition priced_value (mu rho : R) : R :=
  (if Rlt_dec 0 (priced_length mu rho) then positive_part rho / priced_length mu rho else 0)
  + mu * (priced_length mu rho * priced_length mu rho).

Definition priced_cosine (C N : nat) (rho s : nat -> nat -> R) (left mu : R) : R :=
  over C N s (fun c i => priced_value mu (rho c i) - lost (rho c i)) - mu * left.

(** The 2/3-th power of the positive part. *)
Definition two_thirds (x : R) : R := cube_root (positive_part x) * cube_root (positive_part x).

Definition part_cosine (C N : nat) (rho s : nat -> nat -> R) (left : R) : R :=
  let m := over C N s (fun c i => two_thirds (rho c i)) in
  (if Rlt_dec 0 left then m * sqrt m / sqrt left else 0) - over C N s (fun c i => lost (rho c i)).

Definition any_norms_cosine (C N : nat) (p : nat -> nat -> R) (T : R) : R :=
  let m := fun c => sqrt (mean N (fun i => two_thirds (p c i))) in
  let total := mean C (fun c => m c * sqrt (m c)) in
  (if Rlt_dec 0 T then total * total / T else 0) - class_mean C N (fun c i => lost (p c i)).

Definition everything : nat -> nat -> R := fun _ _ => 1.

(** * Cube roots *)

Lemma cube_root_nonneg x : 0 <= cube_root x.
Proof. unfold cube_root; destruct (Rlt_dec 0 x); [left; apply exp_pos | lra]. Qed.

Lemma cube_root_cube x : 0 <= x -> cube_root x * cube_root x * cube_root x = x.
Proof.
  intros P; unfold cube_root; destruct (Rlt_dec 0 x) as [H |]; [| lra].
  rewrite <- !exp_plus; replace (ln x / 3 + ln x / 3 + ln x / 3) with (ln x) by field.
  apply exp_ln, H.
Qed.

Lemma two_thirds_nonneg x : 0 <= two_thirds x.
Proof. apply Rmult_le_pos; apply cube_root_nonneg. Qed.

Lemma two_thirds_lost x : x <= 0 -> two_thirds x = 0.
Proof.
  intros H; unfold two_thirds, positive_part; rewrite Rmax_right by exact H.
  unfold cube_root; destruct (Rlt_dec 0 0); lra.
Qed.

Lemma positive_part_of x : 0 < x -> positive_part x = x.
Proof. intros H; apply Rmax_left; lra. Qed.

(** * One sample *)

(** A sample with kappa r >= rho, at any price mu of r^2. *)
Lemma priced_sample mu rho r x : 0 < mu -> 0 <= r -> -1 <= x <= 1 ->
  (0 < rho -> rho <= r * x) ->
  priced_value mu rho - lost rho <= x + mu * (r * r).
Proof.
  intros M R0 X B; unfold priced_value, lost.
  assert (R2 : 0 <= mu * (r * r)) by (apply Rmult_le_pos; [lra | apply Rle_0_sqr]).
  destruct (Rlt_dec 0 rho) as [P | N].
  - specialize (B P); unfold priced_length; rewrite positive_part_of by exact P.
    set (w := cube_root (rho / (2 * mu))); set (l := Rmax rho w).
    assert (W0 : 0 <= w) by apply cube_root_nonneg.
    assert (W3 : 2 * mu * (w * w * w) = rho).
    { unfold w; rewrite cube_root_cube; [field; lra | left; apply Rdiv_lt_0_compat; lra]. }
    assert (L1 : rho <= l) by apply Rmax_l. assert (L2 : w <= l) by apply Rmax_r.
    assert (RX := Rmult_le_compat_l r _ _ R0 (proj2 X)).
    assert (RP : 0 < r) by lra.
    destruct (Rlt_dec 0 l) as [L0 |]; [| lra].
    assert (XR : rho / r <= x) by (apply quotient_le; lra).
    assert (G : rho / l + mu * (l * l) <= rho / r + mu * (r * r)); [| lra].
    assert (D : 0 <= (r - l) * (mu * (r * l * (r + l)) - rho)).
    { unfold l, Rmax; destruct (Rle_dec rho w) as [C | C].
      - (* at w the derivative vanishes *)
        rewrite <- W3; replace ((r - w) * (mu * (r * w * (r + w)) - 2 * mu * (w * w * w)))
          with (mu * w * ((r - w) * (r - w)) * (r + 2 * w)) by ring.
        apply Rmult_le_pos; [apply Rmult_le_pos; [apply Rmult_le_pos; lra | apply Rle_0_sqr] | lra].
      - (* at rho > w it is positive already, and r >= rho *)
        apply Rmult_le_pos; [lra |]; rewrite <- W3 at 3.
        assert (H2 : w * w <= rho * rho) by (apply square_le; lra).
        assert (H3 : w * w * w <= rho * rho * rho)
          by (apply Rmult_le_compat; [apply Rle_0_sqr | | |]; lra).
        assert (H4 : rho * rho <= r * rho) by (apply Rmult_le_compat_r; lra).
        assert (H5 : rho * rho * (2 * rho) <= r * rho * (r + rho)).
        { apply Rmult_le_compat; [apply Rle_0_sqr | | |]; lra. }
        assert (H6 := Rmult_le_compat_l mu (2 * (w * w * w)) (r * rho * (r + rho)) ltac:(lra)
          ltac:(lra)).
        lra. }
    assert (RL : 0 < r * l) by (apply Rmult_lt_0_compat; assumption).
    apply (Rmult_le_reg_r (r * l)); [exact RL |].
    replace ((rho / l + mu * (l * l)) * (r * l)) with (rho * r + mu * (l * l) * (r * l)) by (field;
      lra).
    replace ((rho / r + mu * (r * r)) * (r * l)) with (rho * l + mu * (r * r) * (r * l)) by (field;
      lra).
    lra.
  - unfold priced_length; replace (positive_part rho) with 0 by (symmetry; apply Rmax_right; lra).
    replace (cube_root (0 / (2 * mu))) with 0.
    + rewrite Rmax_left by lra; destruct (Rlt_dec 0 0); lra.
    + unfold cube_root, Rdiv; rewrite Rmult_0_l; destruct (Rlt_dec 0 0); lra.
Qed.

(** The same for every price z^3/2, at the best length: 3/2 z rho^(2/3). The unit u of lengths is
    free. *)
Lemma sample_at_price z rho r x u : 0 <= z -> 0 <= u -> 0 <= r -> -1 <= x <= 1 ->
  (0 < rho -> rho <= u * r * x) ->
  3 / 2 * z * two_thirds rho <= u * (x + lost rho) + z * z * z / 2 * (r * r).
Proof.
  intros Z U R0 X B.
  assert (Z3 : 0 <= z * z * z / 2 * (r * r)).
  { apply Rmult_le_pos; [| apply Rle_0_sqr]; assert (0 <= z * z * z); [| lra].
    apply Rmult_le_pos; [apply Rle_0_sqr | exact Z]. }
  unfold lost; destruct (Rlt_dec 0 rho) as [P | N].
  - specialize (B P); unfold two_thirds; rewrite positive_part_of by exact P.
    set (c := cube_root rho); assert (C3 : c * c * c = rho) by (apply cube_root_cube; lra).
    assert (C0 : 0 <= c) by apply cube_root_nonneg.
    assert (RP : 0 < r).
    { destruct R0 as [R0 | <-]; [exact R0 |]; rewrite Rmult_0_r, Rmult_0_l in B; lra. }
    (* multiplied by 2 r it is a square times a length *)
    apply (Rmult_le_reg_r (2 * r)); [lra |].
    assert (S : 0 <= (z * r - c) * (z * r - c) * (z * r + 2 * c)).
    { apply Rmult_le_pos; [apply Rle_0_sqr |].
      assert (0 <= z * r) by (apply Rmult_le_pos; lra). lra. }
    replace ((z * r - c) * (z * r - c) * (z * r + 2 * c))
      with (z * z * z * (r * r) * r + 2 * (c * c * c) - 3 * z * (c * c) * r) in S by ring.
    rewrite C3 in S; lra.
  - rewrite two_thirds_lost by lra.
    assert (0 <= u * (x + 1)) by (apply Rmult_le_pos; lra). lra.
Qed.

(** A linear bound in z - z^3: its best value. *)
Lemma best_price m K R : 0 <= m -> 0 <= R -> 0 <= K ->
  (forall z, 0 <= z -> 3 / 2 * z * m <= K + z * z * z / 2 * R) ->
  (if Rlt_dec 0 R then m * sqrt m / sqrt R else 0) <= K.
Proof.
  intros M R0 K0 H; destruct (Rlt_dec 0 R) as [P | N]; [| exact K0].
  assert (S := sqrt_sqrt R ltac:(lra)); assert (S0 := sqrt_lt_R0 R P).
  assert (Q := sqrt_sqrt m M); assert (Q0 := sqrt_pos m).
  set (r := sqrt R) in *; set (q := sqrt m) in *.
  assert (B := H (q / r) ltac:(apply Rmult_le_pos; [exact Q0 | left; apply Rinv_0_lt_compat, S0])).
  rewrite <- Q, <- S in *.
  replace (3 / 2 * (q / r) * (q * q)) with (3 / 2 * (q * q * q / r)) in B by (field; lra).
  replace (q / r * (q / r) * (q / r) / 2 * (r * r)) with (1 / 2 * (q * q * q / r)) in B by (field;
    lra).
  lra.
Qed.

(** * All samples *)

Lemma class_mean_pos_part C N s f : (1 <= C)%nat -> (1 <= N)%nat ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> 0 <= s c i) -> 0 < class_mean C N s ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> 0 <= f c i) -> 0 <= over C N s f.
Proof.
  intros P Q S D F; apply Rmult_le_pos; [| left; apply Rinv_0_lt_compat, D].
  apply class_mean_nonneg; [lia | lia |]; intros; apply Rmult_le_pos; auto.
Qed.

Lemma over_le C N s f g : (1 <= C)%nat -> (1 <= N)%nat ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> 0 <= s c i) -> 0 < class_mean C N s ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> f c i <= g c i) -> over C N s f <= over C N s g.
Proof.
  intros P Q S D F; apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat, D |].
  apply class_mean_le; [lia | lia |]; intros; apply Rmult_le_compat_l; auto.
Qed.

Lemma over_plus C N s f g : over C N s (fun c i => f c i + g c i) = over C N s f + over C N s g.
Proof.
  unfold over; rewrite (class_mean_ext C N _ (fun c i => s c i * f c i + s c i * g c i))
    by (intros; ring).
  rewrite class_mean_plus; unfold Rdiv; ring.
Qed.

Lemma over_scale C N s k f : over C N s (fun c i => k * f c i) = k * over C N s f.
Proof.
  unfold over; rewrite (class_mean_ext C N _ (fun c i => k * (s c i * f c i))) by (intros; ring).
  rewrite class_mean_scale; unfold Rdiv; ring.
Qed.

Lemma over_everything C N f : (1 <= C)%nat -> (1 <= N)%nat ->
  over C N everything f = class_mean C N f.
Proof.
  intros P Q; unfold over, everything; rewrite class_mean_const by lia.
  rewrite (class_mean_ext C N _ f) by (intros; ring); field.
Qed.

(** Samples of lengths r and cosines x, components that are at least rho where rho > 0, and the part
    s that is taken of them. *)
Definition samples (C N : nat) (rho r x s : nat -> nat -> R) : Prop :=
  forall c i, (c < C)%nat -> (i < N)%nat ->
  0 <= r c i /\ -1 <= x c i <= 1 /\ (0 < rho c i -> rho c i <= r c i * x c i) /\ 0 <= s c i <= 1.

Lemma priced_part C N rho r x s mu left : (1 <= C)%nat -> (1 <= N)%nat -> samples C N rho r x s ->
  0 < class_mean C N s -> 0 < mu ->
  over C N s (fun c i => r c i * r c i) <= left ->
  priced_cosine C N rho s left mu <= over C N s x.
Proof.
  intros P Q F D M L; unfold priced_cosine.
  assert (E : over C N s (fun c i => priced_value mu (rho c i) - lost (rho c i))
              <= over C N s (fun c i => x c i + mu * (r c i * r c i))).
  { apply over_le; auto; intros c i Lc Li; destruct (F c i Lc Li) as [A [B [G S]]]; [lra |].
    apply priced_sample; assumption. }
  rewrite over_plus, over_scale in E.
  assert (H := Rmult_le_compat_l mu _ _ (Rlt_le _ _ M) L); lra.
Qed.

Lemma free_part C N rho r x s left : (1 <= C)%nat -> (1 <= N)%nat -> samples C N rho r x s ->
  0 < class_mean C N s ->
  over C N s (fun c i => r c i * r c i) <= left ->
  part_cosine C N rho s left <= over C N s x.
Proof.
  intros P Q F D L; unfold part_cosine.
  assert (S : forall c i, (c < C)%nat -> (i < N)%nat -> 0 <= s c i)
    by (intros c i Lc Li; destruct (F c i Lc Li) as [_ [_ [_ A]]]; lra).
  set (m := over C N s (fun c i => two_thirds (rho c i))).
  set (K := over C N s (fun c i => x c i + lost (rho c i))).
  assert (EK : K = over C N s x + over C N s (fun c i => lost (rho c i))) by apply over_plus.
  assert (R2 : 0 <= over C N s (fun c i => r c i * r c i))
    by (apply class_mean_pos_part; auto; intros; apply Rle_0_sqr).
  assert (B := best_price m K left); rewrite EK in B.
  assert (G : (if Rlt_dec 0 left then m * sqrt m / sqrt left else 0)
              <= over C N s x + over C N s (fun c i => lost (rho c i))); [| lra].
  apply B; rewrite <- ?EK.
  - apply class_mean_pos_part; auto; intros; apply two_thirds_nonneg.
  - lra.
  - apply class_mean_pos_part; auto; intros c i Lc Li; destruct (F c i Lc Li) as [A [X [G _]]].
    unfold lost; destruct (Rlt_dec 0 (rho c i)) as [I | I]; [specialize (G I) | lra].
    assert (RX := Rmult_le_compat_l (r c i) _ _ A (proj2 X)).
    assert (RP : 0 < r c i) by lra.
    assert (0 <= rho c i / r c i) by (apply Rmult_le_pos; [lra | left; apply Rinv_0_lt_compat, RP]).
    assert (rho c i / r c i <= x c i) by (apply quotient_le; lra). lra.
  - intros z Z.
    assert (E : over C N s (fun c i => 3 / 2 * z * two_thirds (rho c i))
                <= over C N s (fun c i => (x c i + lost (rho c i))
                                          + z * z * z / 2 * (r c i * r c i))).
    { apply over_le; auto; intros c i Lc Li; destruct (F c i Lc Li) as [A [X [G _]]].
      assert (T := sample_at_price z (rho c i) (r c i) (x c i) 1 Z ltac:(lra) A X
                     ltac:(intros I; specialize (G I); lra)); lra. }
    rewrite over_scale, (over_plus C N s (fun c i => x c i + lost (rho c i))), over_scale in E.
    fold m K in E.
    assert (Z3 : 0 <= z * z * z / 2).
    { assert (0 <= z * z * z) by (apply Rmult_le_pos; [apply Rle_0_sqr | exact Z]). lra. }
    assert (H := Rmult_le_compat_l _ _ _ Z3 L); lra.
Qed.

(** The others need their components. *)
Lemma others_need C N rho r x s : (1 <= C)%nat -> (1 <= N)%nat -> samples C N rho r x s ->
  0 < class_mean C N s ->
  class_mean C N (fun c i => r c i * r c i) <= 1 ->
  over C N s (fun c i => r c i * r c i) <= square_norms_left C N rho s.
Proof.
  intros P Q F D H; unfold square_norms_left; eapply Rle_trans; [| apply Rmax_l].
  apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat, D |].
  assert (E : class_mean C N (fun c i => s c i * (r c i * r c i)
      + (1 - s c i) * (positive_part (rho c i) * positive_part (rho c i)))
      <= class_mean C N (fun c i => r c i * r c i)).
  { apply class_mean_le; [lia | lia |]; intros c i Lc Li; destruct (F c i Lc Li) as [A [X [G S]]].
    assert (RX := Rmult_le_compat_l (r c i) _ _ A (proj2 X)).
    assert (B : positive_part (rho c i) * positive_part (rho c i) <= r c i * r c i)
      by (apply square_le; [apply Rmax_r | apply Rmax_lub; [| exact A]];
          destruct (Rlt_dec 0 (rho c i)) as [I | I]; [specialize (G I) |]; lra).
    assert (B1 := Rmult_le_compat_l (1 - s c i) _ _ ltac:(lra) B); lra. }
  rewrite class_mean_plus in E; lra.
Qed.

(** * The network *)

Lemma log_odds_below C N d w a h c i : (2 <= C)%nat -> (c < C)%nat -> (i < N)%nat ->
  sample_log_odds C d w a h c i <= margin C d w (h c i) c.
Proof.
  intros P L _; unfold sample_log_odds; rewrite log_odds_of_sample, logit_margin_split by
    assumption.
  assert (G := off_class_nonneg C (logits d w a (h c i)) c P L); lra.
Qed.

(** Where p is at most the margin of x, its component is at most r kappa, r = |x|/alpha. *)
Lemma component_below C d w alpha p x c i : 0 <= alpha -> p c i <= margin C d w x c ->
  0 < component C d w alpha p c i ->
  component C d w alpha p c i <= norm d x / alpha * weight_cosine C d w x c.
Proof.
  rewrite margin_is_cosine; unfold length_product, component; intros A B.
  set (u := norm d (centred C w c)) in *; set (k := weight_cosine C d w x c) in *.
  destruct (Rlt_dec 0 (u * alpha * ratio C)) as [H | H]; [intros _ | lra].
  assert (alpha <> 0) by (intros Z; rewrite Z, Rmult_0_r, Rmult_0_l in H; lra).
  apply quotient_le; [exact H |].
  replace (norm d x / alpha * k * (u * alpha * ratio C)) with (ratio C * norm d x * u * k)
    by (field; assumption). exact B.
Qed.

Lemma scaled_squares C N d x alpha : (1 <= C)%nat -> (1 <= N)%nat -> 0 <= alpha ->
  class_mean C N (fun c i => dot d (x c i) (x c i)) <= alpha * alpha ->
  class_mean C N (fun c i => norm d (x c i) / alpha * (norm d (x c i) / alpha)) <= 1.
Proof.
  intros P Q A H.
  assert (E : forall c i, norm d (x c i) / alpha * (norm d (x c i) / alpha)
                          = / (alpha * alpha) * dot d (x c i) (x c i)).
  { intros c i; unfold Rdiv; rewrite Rinv_mult, <- norm_sqr; ring. }
  rewrite (class_mean_ext C N _ (fun c i => / (alpha * alpha) * dot d (x c i) (x c i)))
    by (intros; apply E).
  rewrite class_mean_scale; destruct A as [A | <-].
  - assert (AA : 0 < alpha * alpha) by (apply Rmult_lt_0_compat; exact A).
    rewrite Rmult_comm; apply quotient_le; lra.
  - assert (Z : 0 <= class_mean C N (fun c i => dot d (x c i) (x c i)))
      by (apply class_mean_nonneg; [lia | lia |]; intros; apply dot_nonneg).
    replace (class_mean C N (fun c i => dot d (x c i) (x c i))) with 0 by lra; lra.
Qed.

(** * For any norms of the weights *)

Lemma mean_root_product n g E Y : (0 < n)%nat ->
  (forall c, (c < n)%nat -> 0 <= g c /\ 0 <= E c /\ 0 <= Y c /\ g c * g c <= E c * Y c) ->
  mean n g * mean n g <= mean n E * mean n Y.
Proof.
  intros P H; assert (R : 0 < INR n) by (apply lt_0_INR, P).
  assert (S := cauchy_schwarz_sqr n (fun c => sqrt (E c)) (fun c => sqrt (Y c))); unfold dot in S.
  rewrite (sum_ext n (fun c => sqrt (E c) * sqrt (E c)) E) in S
    by (intros c L; apply sqrt_sqrt; apply (H c L)).
  rewrite (sum_ext n (fun c => sqrt (Y c) * sqrt (Y c)) Y) in S
    by (intros c L; apply sqrt_sqrt; apply (H c L)).
  assert (G : sum n g <= sum n (fun c => sqrt (E c) * sqrt (Y c))).
  { apply sum_le; intros c L; destruct (H c L) as [A [B [D F]]].
    rewrite <- sqrt_mult, <- (sqrt_square (g c)) by assumption; apply sqrt_le_1_alt, F. }
  assert (G0 : 0 <= sum n g) by (apply sum_nonneg; intros c L; apply (H c L)).
  assert (GG := square_le _ _ G0 G).
  unfold mean; apply (Rmult_le_reg_r (INR n * INR n)); [apply Rmult_lt_0_compat; exact R |].
  replace (sum n g / INR n * (sum n g / INR n) * (INR n * INR n)) with (sum n g * sum n g)
    by (field; lra).
  replace (sum n E / INR n * (sum n Y / INR n) * (INR n * INR n)) with (sum n E * sum n Y)
    by (field; lra).
  lra.
Qed.

Lemma best_price_product m K R : 0 <= m -> 0 <= R -> 0 <= K ->
  (forall z, 0 <= z -> 3 / 2 * z * m <= K + z * z * z / 2 * R) -> m * sqrt m <= K * sqrt R.
Proof.
  intros M R0 K0 H; assert (B := best_price m K R M R0 K0 H).
  destruct (Rlt_dec 0 R) as [P | N].
  - assert (S0 := sqrt_lt_R0 R P); assert (D := Rmult_le_compat_r _ _ _ (Rlt_le _ _ S0) B).
    replace (m * sqrt m / sqrt R * sqrt R) with (m * sqrt m) in D by (field; lra). exact D.
  - replace R with 0 in * by lra; rewrite sqrt_0, Rmult_0_r.
    destruct M as [M | <-]; [| lra].
    (* a large price *)
    assert (D := H (2 / 3 * ((K + 1) / m)) ltac:(apply Rmult_le_pos; [lra |];
                   apply Rmult_le_pos; [lra | left; apply Rinv_0_lt_compat, M])).
    replace (3 / 2 * (2 / 3 * ((K + 1) / m)) * m) with (K + 1) in D by (field; lra). lra.
Qed.

(** Root mean square length of the features of a class, times that of its weight. *)
Definition class_length (C N d : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R)
    (c : nat) : R :=
  ratio C * norm d (centred C w c) * sqrt (mean N (fun i => dot d (h c i) (h c i))).

Lemma mean_class_length C N d w h : (2 <= C)%nat -> (1 <= N)%nat ->
  mean C (class_length C N d w h) <= largest_margin C N d w h.
Proof.
  intros P Q; assert (K := ratio_pos C P).
  set (r := fun c => sqrt (mean N (fun i => dot d (h c i) (h c i)))).
  assert (A : forall c, 0 <= mean N (fun i => dot d (h c i) (h c i)))
    by (intros; apply mean_nonneg; [lia |]; intros; apply dot_nonneg).
  assert (H := mean_inner C 1 1 (fun c _ => norm d (centred C w c)) (fun c _ _ => r c)
                 ltac:(lia) ltac:(lia)).
  unfold largest_margin; rewrite Rmult_assoc.
  rewrite (mean_ext C _ (fun c => ratio C * (norm d (centred C w c) * r c)))
    by (intros; unfold class_length, r; ring).
  rewrite mean_scale; apply Rmult_le_compat_l; [lra |].
  cbv beta in H; rewrite class_mean_of_classes in H by lia.
  rewrite (mean_ext C _ (fun c => norm d (centred C w c) * r c)) in H
    by (intros; unfold dot; simpl; ring).
  replace (feature_norm C N d h) with (feature_norm C 1 1 (fun c _ _ => r c)).
  - replace (weight_norm C d (centred C w)) with (weight_norm C 1 (fun c _ => norm d (centred C w
    c)));
      [exact H |].
    unfold weight_norm; f_equal; apply mean_ext; intros c _; unfold dot at 1; simpl.
    rewrite norm_sqr; ring.
  - unfold feature_norm; f_equal; rewrite class_mean_of_classes by lia; apply mean_ext; intros c _.
    unfold dot at 1, r; simpl; rewrite sqrt_sqrt by apply A; ring.
Qed.

(** A cosine that is not lost is at least what p asks for; a lost one at least -1. *)
Lemma gain_nonneg p y x : 0 <= y -> -1 <= x <= 1 -> p <= y * x -> 0 <= x + lost p.
Proof.
  intros Y X H; unfold lost; destruct (Rlt_dec 0 p) as [P | N]; [| lra].
  assert (~ x < 0); [| lra].
  intros D; assert (0 <= y * - x) by (apply Rmult_le_pos; lra). lra.
Qed.

Section AnyNorms.
(* p is at most the margins of the features *)
Variables (C N d : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R) (p : nat -> nat -> R).

Lemma gain_of_network : (2 <= C)%nat ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> p c i <= margin C d w (h c i) c) ->
  forall c i, (c < C)%nat -> (i < N)%nat -> 0 <= weight_cosine C d w (h c i) c + lost (p c i).
Proof.
  intros P B c i Lc Li; apply (gain_nonneg _ (length_product C d w (h c i) c)).
  - apply length_product_nonneg, P.
  - apply cosine_range.
  - rewrite <- margin_is_cosine; auto.
Qed.

Lemma any_norms_bound : (2 <= C)%nat -> (1 <= N)%nat ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> p c i <= margin C d w (h c i) c) ->
  any_norms_cosine C N p (largest_margin C N d w h) <= mean_cosine C N d w h.
Proof.
  intros P Q B; assert (K := ratio_pos C P); assert (G := gain_of_network P B).
  set (E := fun c => mean N (fun i => weight_cosine C d w (h c i) c + lost (p c i))).
  assert (E0 : forall c, (c < C)%nat -> 0 <= E c) by (intros; apply mean_nonneg; auto; lia).
  assert (EM : mean C E = mean_cosine C N d w h + class_mean C N (fun c i => lost (p c i)))
    by (apply class_mean_plus).
  set (total := mean C (fun c => sqrt (mean N (fun i => two_thirds (p c i)))
                                 * sqrt (sqrt (mean N (fun i => two_thirds (p c i)))))).
  assert (H : total * total <= mean C E * mean C (class_length C N d w h)).
  { apply mean_root_product; [lia |]; intros c L.
    assert (U : 0 <= ratio C * norm d (centred C w c))
      by (apply Rmult_le_pos; [lra | apply norm_nonneg]).
    set (m := mean N (fun i => two_thirds (p c i))).
    assert (M : 0 <= m) by (apply mean_nonneg; [lia |]; intros; apply two_thirds_nonneg).
    set (A := mean N (fun i => dot d (h c i) (h c i))).
    assert (A0 : 0 <= A) by (apply mean_nonneg; [lia |]; intros; apply dot_nonneg).
    assert (S0 := sqrt_pos m); assert (S1 := sqrt_pos (sqrt m)); assert (Q0 := E0 c L).
    split; [apply Rmult_le_pos; assumption | split; [exact Q0 | split]].
    - apply Rmult_le_pos; [exact U | apply sqrt_pos].
    - replace (sqrt m * sqrt (sqrt m) * (sqrt m * sqrt (sqrt m)))
        with (sqrt m * sqrt m * (sqrt (sqrt m) * sqrt (sqrt m))) by ring.
      rewrite (sqrt_sqrt m M), (sqrt_sqrt _ S0); unfold class_length; fold A.
      replace (E c * (ratio C * norm d (centred C w c) * sqrt A))
        with (ratio C * norm d (centred C w c) * E c * sqrt A) by ring.
      apply best_price_product; [exact M | exact A0 | apply Rmult_le_pos; assumption |].
      intros z Z; unfold m, E, A; rewrite <- !mean_scale, <- mean_plus; apply mean_le; [lia |].
      intros i Li; rewrite <- norm_sqr; apply sample_at_price;
        [exact Z | exact U | apply norm_nonneg | apply cosine_range |].
      intros _; assert (F := B c i L Li); rewrite margin_is_cosine in F;
        unfold length_product in F; lra. }
  unfold any_norms_cosine; cbv zeta; fold total; rewrite EM in H.
  assert (X : 0 <= mean C E) by (apply mean_nonneg; [lia | exact E0]); rewrite EM in X.
  assert (Y := mean_class_length C N d w h P Q).
  assert (H1 := Rmult_le_compat_l _ _ _ X Y).
  destruct (Rlt_dec 0 (largest_margin C N d w h)) as [T | T]; [| lra].
  assert (total * total / largest_margin C N d w h
          <= mean_cosine C N d w h + class_mean C N (fun c i => lost (p c i))); [| lra].
  apply quotient_le; [exact T |]; lra.
Qed.

(** By Cauchy-Schwarz alone. *)
Lemma root_bound T : (2 <= C)%nat -> (1 <= N)%nat ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> p c i <= margin C d w (h c i) c) ->
  0 < T -> class_mean C N (fun c i => length_product C d w (h c i) c) <= T ->
  class_mean C N (fun c i => sqrt (positive_part (p c i)))
  * class_mean C N (fun c i => sqrt (positive_part (p c i))) / T
  - class_mean C N (fun c i => lost (p c i)) <= mean_cosine C N d w h.
Proof.
  intros P Q B T0 HT; assert (G := gain_of_network P B).
  set (E := fun c => mean N (fun i => weight_cosine C d w (h c i) c + lost (p c i))).
  set (Y := fun c => mean N (fun i => length_product C d w (h c i) c)).
  set (g := fun c => mean N (fun i => sqrt (positive_part (p c i)))).
  assert (E0 : forall c, (c < C)%nat -> 0 <= E c) by (intros; apply mean_nonneg; auto; lia).
  assert (EM : mean C E = mean_cosine C N d w h + class_mean C N (fun c i => lost (p c i)))
    by (apply class_mean_plus).
  assert (H : mean C g * mean C g <= mean C E * mean C Y).
  { apply mean_root_product; [lia |]; intros c L; split; [| split; [auto | split]].
    - apply mean_nonneg; [lia |]; intros; apply sqrt_pos.
    - apply mean_nonneg; [lia |]; intros; apply length_product_nonneg, P.
    - apply mean_root_product; [lia |]; intros i Li; assert (GI := G c i L Li).
      assert (YI := length_product_nonneg C d w (h c i) c P).
      split; [apply sqrt_pos | split; [exact GI | split; [exact YI |]]].
      rewrite sqrt_sqrt by apply Rmax_r.
      apply Rmax_lub; [| apply Rmult_le_pos; assumption].
      assert (F := B c i L Li); rewrite margin_is_cosine in F.
      assert (L0 : 0 <= lost (p c i)) by (unfold lost; destruct (Rlt_dec 0 (p c i)); lra).
      assert (F1 := Rmult_le_compat_l _ _ _ YI L0); lra. }
  rewrite EM in H; assert (X : 0 <= mean C E) by (apply mean_nonneg; [lia | exact E0]).
  rewrite EM in X; change (mean C Y <= T) in HT; assert (H1 := Rmult_le_compat_l _ _ _ X HT).
  change (mean C g * mean C g / T - class_mean C N (fun c i => lost (p c i))
          <= mean_cosine C N d w h).
  assert (mean C g * mean C g / T
          <= mean_cosine C N d w h + class_mean C N (fun c i => lost (p c i))); [| lra].
  apply quotient_le; [exact T0 |]; lra.
Qed.
End AnyNorms.

(** bnwd:sharp-2, sharp "measured losses", in its simplest form: mean cosines of features and of
    class means, and within classes, by Cauchy-Schwarz; lost samples count as opposite. *)
Theorem cosines_from_log_odds C N d w a h : (2 <= C)%nat -> (1 <= N)%nat ->
  0 < largest_margin C N d w h ->
  let p := sample_log_odds C d w a h in
  let T := largest_margin C N d w h in
  let root := class_mean C N (fun c i => sqrt (positive_part (p c i))) in
  let root_of_means := mean C (fun c => sqrt (positive_part (mean N (p c)))) in
  let least := root * root / T - class_mean C N (fun c i => lost (p c i)) in
  least <= mean_cosine C N d w h /\
  root_of_means * root_of_means / T - mean C (fun c => lost (mean N (p c)))
  <= mean_cosine_of_means C N d w h /\
  Rmax least 0 * Rmax least 0 <= mean_intra_class C N d h.
Proof.
  intros P Q T0 p T root root_of_means least.
  assert (B : forall c i, (c < C)%nat -> (i < N)%nat -> p c i <= margin C d w (h c i) c)
    by (intros; unfold p; apply log_odds_below with (N := N); assumption).
  assert (A : least <= mean_cosine C N d w h)
    by (apply root_bound; try assumption; apply mean_length_product; assumption).
  split; [exact A | split; [| apply (intra_class_from_mean C N d w h); [lia | exact Q | exact A]]].
  assert (H := root_bound C 1 d w (fun c _ => class_centre N h c) (fun c _ => mean N (p c)) T P
                 ltac:(lia)).
  unfold mean_cosine in H; cbv beta in H; rewrite !class_mean_of_classes in H by lia.
  apply H; [| exact T0 |].
  - intros c i L _; replace (margin C d w (class_centre N h c) c)
      with (mean N (fun k => margin C d w (h c k) c))
      by (unfold margin, class_centre; rewrite mean_scale, dot_mean_r; reflexivity).
    apply mean_le; [lia |]; intros; apply B; assumption.
  - rewrite <- (class_mean_of_classes C 1) by lia; apply mean_length_of_means; assumption.
Qed.

(** bnwd:sharp-2, sharp "measured losses": mean cosines over a part s of the samples, at a price mu,
    without one, and with the norms of the part measured; over all samples for any norms of the
    weights; of class means; and within classes. *)
Theorem cosines_from_measured_losses C N d w a h s mu : (2 <= C)%nat -> (1 <= N)%nat ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> 0 <= s c i <= 1) ->
  0 < class_mean C N s -> 0 < mu ->
  let alpha := feature_norm C N d h in
  let p := sample_log_odds C d w a h in
  let rho := component C d w alpha p in
  let rho_of_means := component C d w alpha (fun c _ => mean N (p c)) in
  let chosen := over C N s (fun c i => weight_cosine C d w (h c i) c) in
  let left := square_norms_left C N rho s in
  let measured := over C N s (fun c i => dot d (h c i) (h c i)) / (alpha * alpha) in
  let least := part_cosine C N rho everything 1 in
  1 - chosen <= 1 - priced_cosine C N rho s left mu /\
  1 - chosen <= 1 - part_cosine C N rho s left /\
  1 - chosen <= 1 - part_cosine C N rho s measured /\
  1 - mean_cosine C N d w h <= 1 - any_norms_cosine C N p (largest_margin C N d w h) /\
  1 - mean_cosine_of_means C N d w h <= 1 - part_cosine C 1 rho_of_means everything 1 /\
  1 - mean_intra_class C N d h <= 1 - Rmax least 0 * Rmax least 0.
Proof.
  intros P Q S D M alpha p rho rho_of_means chosen left measured least.
  assert (A0 : 0 <= alpha) by apply sqrt_pos.
  assert (B : forall c i, (c < C)%nat -> (i < N)%nat -> p c i <= margin C d w (h c i) c)
    by (intros; unfold p; apply log_odds_below with (N := N); assumption).
  set (r := fun c i => norm d (h c i) / alpha).
  set (x := fun c i => weight_cosine C d w (h c i) c).
  assert (R0 : forall y, 0 <= norm d y / alpha).
  { intros y; apply Rmult_le_pos; [apply norm_nonneg |].
    destruct A0 as [A | <-]; [left; apply Rinv_0_lt_compat, A | rewrite Rinv_0; lra]. }
  assert (F : forall t, (forall c i, (c < C)%nat -> (i < N)%nat -> 0 <= t c i <= 1) ->
                        samples C N rho r x t).
  { intros t T c i Lc Li; split; [apply R0 | split; [apply cosine_range | split; [| auto]]].
    intros H; apply component_below; [exact A0 | auto | exact H]. }
  assert (SQ : class_mean C N (fun c i => r c i * r c i) <= 1).
  { apply scaled_squares; [lia | exact Q | exact A0 |].
    unfold alpha; rewrite feature_norm_square by lia; lra. }
  assert (L1 := others_need C N rho r x s ltac:(lia) Q (F s S) D SQ); fold left in L1.
  assert (L2 : over C N s (fun c i => r c i * r c i) <= measured).
  { right; transitivity (over C N s (fun c i => / (alpha * alpha) * dot d (h c i) (h c i))).
    - unfold over; f_equal; apply class_mean_ext; intros c i _ _; f_equal.
      unfold r, Rdiv; rewrite Rinv_mult, <- norm_sqr; ring.
    - rewrite over_scale; unfold measured, Rdiv; ring. }
  assert (ONE : forall c i, (c < C)%nat -> (i < N)%nat -> 0 <= everything c i <= 1)
    by (intros; unfold everything; lra).
  assert (E1 : 0 < class_mean C N everything)
    by (unfold everything; rewrite class_mean_const by lia; lra).
  assert (X1 := priced_part C N rho r x s mu left ltac:(lia) Q (F s S) D M L1).
  assert (X2 := free_part C N rho r x s left ltac:(lia) Q (F s S) D L1).
  assert (X3 := free_part C N rho r x s measured ltac:(lia) Q (F s S) D L2).
  assert (X4 := any_norms_bound C N d w h p P Q B).
  assert (X5 := free_part C N rho r x everything 1 ltac:(lia) Q (F everything ONE) E1
                  ltac:(rewrite over_everything; [exact SQ | lia | exact Q])).
  rewrite over_everything in X5 by (lia || exact Q); fold least in X5.
  assert (X6 : part_cosine C 1 rho_of_means everything 1 <= mean_cosine_of_means C N d w h).
  { unfold mean_cosine_of_means; rewrite <- (class_mean_of_classes C 1) by lia.
    rewrite <- over_everything by lia.
    apply free_part with (r := fun c _ => norm d (class_centre N h c) / alpha); try lia.
    - intros c i Lc Li; split; [apply R0 | split; [apply cosine_range | split]];
        [| unfold everything; lra].
      intros H; apply component_below; [exact A0 | | exact H].
      replace (margin C d w (class_centre N h c) c) with (mean N (fun k => margin C d w (h c k) c))
        by (unfold margin, class_centre; rewrite mean_scale, dot_mean_r; reflexivity).
      apply mean_le; [lia |]; intros; apply B; assumption.
    - unfold everything; rewrite class_mean_const by lia; lra.
    - rewrite over_everything by lia; apply (scaled_squares C 1 d (fun c _ => class_centre N h c));
        [lia | lia | exact A0 |].
      assert (E := within_square C N d h ltac:(lia) Q); fold alpha in E.
      assert (V : 0 <= class_mean C N (fun c i => dot d (centred N (h c) i) (centred N (h c) i)))
        by (apply class_mean_nonneg; [lia | lia |]; intros; apply dot_nonneg).
      rewrite class_mean_of_classes by lia; unfold centre_square in E; lra. }
  assert (X7 := intra_class_from_mean C N d w h least ltac:(lia) Q X5).
  fold chosen in X1, X2, X3; split; [unfold chosen, x in *; lra |].
  split; [unfold chosen, x in *; lra | split; [unfold chosen, x in *; lra | split; [lra |]]].
  split; lra.
Qed.
