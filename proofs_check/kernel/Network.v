(** The last layer of a network: C classes of N samples, features h c i and weights w c in R^d,
    biases a c. Means run over the samples of a class, then over the classes.

    A sample of class c with the logits z has t, C/(C-1) times its logit above the mean of all, and
    G >= 0, the log-mean-exp of its rivals' logits less their mean. Its loss is
    phi (C-1) (t - G). *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Phi.
Open Scope R_scope.

Definition class_mean (C N : nat) (f : nat -> nat -> R) : R :=
  mean C (fun c => mean N (fun i => f c i)).

(** Mean of f over the rivals of class c. *)
Definition rivals (C c : nat) (f : nat -> R) : R :=
  sum C (fun r => if Nat.eq_dec r c then 0 else f r) / (INR C - 1).

(** Cross-entropy of the logits z for class c. *)
Definition loss (C : nat) (z : nat -> R) (c : nat) : R :=
  ln (1 + (INR C - 1) * rivals C c (fun r => exp (z r - z c))).

Definition off_class (C : nat) (z : nat -> R) (c : nat) : R :=
  ln (rivals C c (fun r => exp (z r - z c))) - rivals C c (fun r => z r - z c).

Definition ratio (C : nat) : R := INR C / (INR C - 1).

(** The weights less their mean, and the margin of a feature x with the weight of class c. *)
Definition centred (C : nat) (w : nat -> nat -> R) (c : nat) : nat -> R :=
  fun j => w c j - mean C (fun r => w r j).

Definition margin (C d : nat) (w : nat -> nat -> R) (x : nat -> R) (c : nat) : R :=
  ratio C * dot d (centred C w c) x.

Definition logits (d : nat) (w : nat -> nat -> R) (a x : nat -> R) : nat -> R :=
  fun r => dot d (w r) x + a r.

Definition unbiased : nat -> R := fun r => 0.

(** * What is measured of a network *)

Definition mean_loss (C N d : nat) (w : nat -> nat -> R) (a : nat -> R) (h : nat -> nat -> nat -> R)
  : R := class_mean C N (fun c i => loss C (logits d w a (h c i)) c).

Definition mean_log_odds (C N d : nat) (w : nat -> nat -> R) (a : nat -> R)
  (h : nat -> nat -> nat -> R) : R :=
  class_mean C N (fun c i => phi_inverse (INR C - 1) (loss C (logits d w a (h c i)) c)).

Definition mean_off_class (C N d : nat) (w : nat -> nat -> R) (a : nat -> R)
  (h : nat -> nat -> nat -> R) : R :=
  class_mean C N (fun c i => off_class C (logits d w a (h c i)) c).

Definition mean_margin (C N d : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R) : R :=
  class_mean C N (fun c i => margin C d w (h c i) c).

Definition feature_norm (C N d : nat) (h : nat -> nat -> nat -> R) : R :=
  sqrt (class_mean C N (fun c i => dot d (h c i) (h c i))).

Definition weight_norm (C d : nat) (w : nat -> nat -> R) : R :=
  sqrt (mean C (fun c => dot d (w c) (w c))).

(** T, the largest mean margin that the norms allow. *)
Definition largest_margin (C N d : nat) (w : nat -> nat -> R) (h : nat -> nat -> nat -> R) : R :=
  ratio C * feature_norm C N d h * weight_norm C d (centred C w).

(** * Means *)

Lemma mean_ext n f g : (forall i, (i < n)%nat -> f i = g i) -> mean n f = mean n g.
Proof. intros H; unfold mean; rewrite (sum_ext n f g H); reflexivity. Qed.

Lemma mean_plus n f g : mean n (fun i => f i + g i) = mean n f + mean n g.
Proof. unfold mean; rewrite sum_plus; unfold Rdiv; ring. Qed.

Lemma mean_minus n f g : mean n (fun i => f i - g i) = mean n f - mean n g.
Proof. unfold mean; rewrite sum_minus; unfold Rdiv; ring. Qed.

Lemma mean_scale n c f : mean n (fun i => c * f i) = c * mean n f.
Proof. unfold mean; rewrite sum_scale; unfold Rdiv; ring. Qed.

Lemma mean_const n c : (0 < n)%nat -> mean n (fun _ => c) = c.
Proof. intros P; unfold mean; rewrite sum_const; field; apply not_0_INR; lia. Qed.

Lemma mean_le n f g : (0 < n)%nat -> (forall i, (i < n)%nat -> f i <= g i) -> mean n f <= mean n g.
Proof.
  intros P H; apply Rmult_le_compat_r; [left; apply weights_of_mean_pos, P | apply sum_le, H].
Qed.

Lemma mean_nonneg n f : (0 < n)%nat -> (forall i, (i < n)%nat -> 0 <= f i) -> 0 <= mean n f.
Proof. intros P H; rewrite <- (mean_const n 0 P); apply mean_le; assumption. Qed.

Lemma dot_mean_l d n f x : dot d (fun j => mean n (fun r => f r j)) x = mean n
  (fun r => dot d (f r) x).
Proof.
  unfold mean at 2; rewrite <- dot_sum_l; unfold Rdiv; rewrite Rmult_comm, <- dot_scale_l.
  apply sum_ext; intros; unfold mean, Rdiv; ring.
Qed.

Lemma dot_mean_r d n f x : dot d x (fun j => mean n (fun r => f r j)) = mean n
  (fun r => dot d x (f r)).
Proof. rewrite dot_comm, dot_mean_l; apply mean_ext; intros; apply dot_comm. Qed.

Lemma class_mean_ext C N f g :
  (forall c i, (c < C)%nat -> (i < N)%nat -> f c i = g c i) -> class_mean C N f = class_mean C N g.
Proof. intros H; apply mean_ext; intros; apply mean_ext; auto. Qed.

Lemma class_mean_plus C N f g :
  class_mean C N (fun c i => f c i + g c i) = class_mean C N f + class_mean C N g.
Proof. unfold class_mean; rewrite <- mean_plus; apply mean_ext; intros; apply mean_plus. Qed.

Lemma class_mean_minus C N f g :
  class_mean C N (fun c i => f c i - g c i) = class_mean C N f - class_mean C N g.
Proof. unfold class_mean; rewrite <- mean_minus; apply mean_ext; intros; apply mean_minus. Qed.

Lemma class_mean_scale C N c f : class_mean C N (fun r i => c * f r i) = c * class_mean C N f.
Proof. unfold class_mean; rewrite <- mean_scale; apply mean_ext; intros; apply mean_scale. Qed.

Lemma class_mean_of_classes C N f : (0 < N)%nat -> class_mean C N (fun c _ => f c) = mean C f.
Proof. intros P; apply mean_ext; intros; apply mean_const, P. Qed.

Lemma class_mean_const C N c : (0 < C)%nat -> (0 < N)%nat -> class_mean C N (fun _ _ => c) = c.
Proof. intros P Q; rewrite class_mean_of_classes, mean_const; auto. Qed.

Lemma class_mean_le C N f g : (0 < C)%nat -> (0 < N)%nat ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> f c i <= g c i) ->
    class_mean C N f <= class_mean C N g.
Proof. intros P Q H; apply mean_le; [| intros; apply mean_le]; auto. Qed.

Lemma class_mean_nonneg C N f : (0 < C)%nat -> (0 < N)%nat ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> 0 <= f c i) -> 0 <= class_mean C N f.
Proof. intros P Q H; apply mean_nonneg; [| intros; apply mean_nonneg]; auto. Qed.

(** * One sample *)

Lemma classes_real C : (2 <= C)%nat -> 2 <= INR C.
Proof. intros P; replace 2 with (INR 2) by reflexivity; apply le_INR, P. Qed.

Lemma ratio_pos C : (2 <= C)%nat -> 0 < ratio C.
Proof. intros P; assert (Q := classes_real C P); apply Rdiv_lt_0_compat; lra. Qed.

Lemma sum_others n c f : (c < n)%nat ->
  sum n (fun r => if Nat.eq_dec r c then 0 else f r) = sum n f - f c.
Proof.
  intros P; rewrite <- (sum_single n c (f c) P), <- sum_minus.
  apply sum_ext; intros r _; destruct (Nat.eq_dec r c) as [-> |]; ring.
Qed.

Lemma rivals_others C c f : (c < C)%nat -> rivals C c f = (sum C f - f c) / (INR C - 1).
Proof. intros P; unfold rivals; rewrite sum_others; auto. Qed.

(** The mean over the rivals as a mean with weights. *)
Definition rival_weight (C c : nat) : nat -> R :=
  fun r => if Nat.eq_dec r c then 0 else / (INR C - 1).

Lemma rivals_weighted C c f : rivals C c f = sum C (fun r => rival_weight C c r * f r).
Proof.
  unfold rivals, Rdiv; rewrite <- sum_scale_r; apply sum_ext; intros r _.
  unfold rival_weight; destruct (Nat.eq_dec r c); ring.
Qed.

Lemma rival_weight_nonneg C c : (2 <= C)%nat ->
  forall r, (r < C)%nat -> 0 <= rival_weight C c r.
Proof.
  intros P r _; assert (Q := classes_real C P); unfold rival_weight.
  destruct (Nat.eq_dec r c); [lra |]. left; apply Rinv_0_lt_compat; lra.
Qed.

Lemma rival_weight_sum C c : (2 <= C)%nat -> (c < C)%nat -> sum C (rival_weight C c) = 1.
Proof.
  intros P L; assert (Q := classes_real C P); unfold rival_weight.
  rewrite sum_others, sum_const by assumption; field; lra.
Qed.

Lemma rivals_exp_pos C c x : (2 <= C)%nat -> (c < C)%nat -> 0 < rivals C c (fun r => exp (x r)).
Proof.
  intros P L; rewrite rivals_weighted; apply weighted_exp_pos.
  - apply rival_weight_nonneg, P.
  - apply rival_weight_sum; assumption.
Qed.

Lemma off_class_nonneg C z c : (2 <= C)%nat -> (c < C)%nat -> 0 <= off_class C z c.
Proof.
  intros P L; unfold off_class; rewrite !rivals_weighted.
  assert (J := mean_below_log_mean_exp C (rival_weight C c) (fun r => z r - z c)
                 (rival_weight_nonneg C c P) (rival_weight_sum C c P L)). lra.
Qed.

Definition logit_margin (C : nat) (z : nat -> R) (c : nat) : R := ratio C * (z c - mean C z).

Lemma rivals_gap C z c : (2 <= C)%nat -> (c < C)%nat ->
  rivals C c (fun r => z r - z c) = - logit_margin C z c.
Proof.
  intros P L; assert (Q := classes_real C P).
  rewrite rivals_others by assumption; rewrite sum_minus, sum_const.
  unfold logit_margin, ratio, mean; field; lra.
Qed.

Lemma loss_at_margin C z c : (2 <= C)%nat -> (c < C)%nat ->
  loss C z c = phi (INR C - 1) (logit_margin C z c - off_class C z c).
Proof.
  intros P L; assert (E := rivals_exp_pos C c (fun r => z r - z c) P L).
  unfold off_class; rewrite rivals_gap by assumption; unfold loss, phi.
  replace (- (logit_margin C z c - _)) with (ln (rivals C c (fun r => exp (z r - z c)))) by ring.
  rewrite exp_ln by assumption; reflexivity.
Qed.

Lemma rival_count_pos C : (2 <= C)%nat -> 0 < INR C - 1.
Proof. intros P; assert (Q := classes_real C P); lra. Qed.

Lemma loss_pos C z c : (2 <= C)%nat -> (c < C)%nat -> 0 < loss C z c.
Proof. intros P L; rewrite loss_at_margin by assumption; apply phi_pos, rival_count_pos, P. Qed.

Lemma log_odds_of_sample C z c : (2 <= C)%nat -> (c < C)%nat ->
  phi_inverse (INR C - 1) (loss C z c) = logit_margin C z c - off_class C z c.
Proof.
  intros P L; rewrite loss_at_margin by assumption; apply inverse_of_phi, rival_count_pos, P.
Qed.

(** What a bias adds to the margin has mean zero over the classes. *)
Definition bias_margin (C : nat) (a : nat -> R) (c : nat) : R := ratio C * (a c - mean C a).

Lemma logit_margin_split C d w a x c :
  logit_margin C (logits d w a x) c = margin C d w x c + bias_margin C a c.
Proof.
  unfold logit_margin, margin, bias_margin, logits, centred.
  rewrite mean_plus, dot_minus_l, dot_mean_l; ring.
Qed.

Lemma bias_margin_mean C a : (2 <= C)%nat -> mean C (bias_margin C a) = 0.
Proof.
  intros P; unfold bias_margin; rewrite mean_scale, mean_minus, mean_const by lia; ring.
Qed.

Lemma bias_margin_unbiased C c : (2 <= C)%nat -> bias_margin C unbiased c = 0.
Proof. intros P; unfold bias_margin, unbiased; rewrite mean_const by lia; ring. Qed.

(** * The network *)

Lemma network_loss_pos C N d w a h : (2 <= C)%nat -> (1 <= N)%nat -> 0 < mean_loss C N d w a h.
Proof.
  intros P Q; unfold mean_loss, class_mean.
  assert (S : forall n f, (0 < n)%nat -> (forall i, (i < n)%nat -> 0 < f i) -> 0 < mean n f).
  { intros n f H F; apply Rdiv_lt_0_compat; [| apply lt_0_INR, H].
    destruct n as [| n]; [lia |]; simpl.
    assert (0 <= sum n f) by (apply sum_nonneg; intros; left; auto). assert (0 < f n)
      by auto. lra. }
  apply S; [lia |]; intros; apply S; [lia |]; intros; apply loss_pos; assumption.
Qed.

(** Mean log-odds are the mean margin less the mean of what the rivals' logits differ by. *)
Lemma mean_log_odds_split C N d w a h : (2 <= C)%nat -> (1 <= N)%nat ->
  mean_log_odds C N d w a h = mean_margin C N d w h - mean_off_class C N d w a h.
Proof.
  intros P Q; unfold mean_log_odds, mean_margin, mean_off_class.
  rewrite <- (Rplus_0_r (class_mean C N (fun c i => margin _ _ _ _ _))).
  rewrite <- (bias_margin_mean C a P), <- (class_mean_of_classes C N) by lia.
  rewrite <- class_mean_plus, <- class_mean_minus; apply class_mean_ext; intros c i L _.
  rewrite log_odds_of_sample, logit_margin_split by assumption; ring.
Qed.

Lemma mean_off_class_nonneg C N d w a h : (2 <= C)%nat -> (1 <= N)%nat ->
  0 <= mean_off_class C N d w a h.
Proof.
  intros P Q; apply class_mean_nonneg; [lia.. |]; intros; apply off_class_nonneg; assumption.
Qed.

(** Jensen over the samples and the classes. *)
Lemma class_inverse_jensen C N (l : nat -> nat -> R) M : 0 < M -> (0 < C)%nat -> (0 < N)%nat ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> 0 < l c i) ->
  phi_inverse M (class_mean C N l) <= class_mean C N (fun c i => phi_inverse M (l c i)).
Proof.
  intros P Q S L; unfold class_mean.
  assert (A : forall c, (c < C)%nat -> 0 < mean N (fun i => l c i)).
  { intros c H; apply Rdiv_lt_0_compat; [| apply lt_0_INR, S].
    destruct N as [| N]; [lia |]; simpl.
    assert (0 <= sum N (fun i => l c i)) by (apply sum_nonneg; intros; left; auto).
    assert (0 < l c N) by auto. lra. }
  eapply Rle_trans; [apply inverse_jensen_mean; assumption |].
  apply mean_le; [assumption |]; intros c H; apply inverse_jensen_mean; auto.
Qed.

Lemma loss_below_log_odds C N d w a h : (2 <= C)%nat -> (1 <= N)%nat ->
  phi_inverse (INR C - 1) (mean_loss C N d w a h) <= mean_log_odds C N d w a h.
Proof.
  intros P Q; apply class_inverse_jensen; [apply rival_count_pos, P | lia.. |].
  intros; apply loss_pos; assumption.
Qed.

(** * Norms *)

Lemma discriminant V H I :
  (forall s t, 0 <= s * s * V - 2 * s * t * I + t * t * H) -> I * I <= V * H.
Proof.
  intros F; assert (HV := F 1 0); assert (HH := F 0 1).
  destruct (Req_dec V 0) as [Z | Z].
  - rewrite Z; destruct (Req_dec I 0) as [-> | J]; [lra |].
    assert (A := F ((H + 1) / (2 * I)) 1); rewrite Z in A.
    replace ((H + 1) / (2 * I) * ((H + 1) / (2 * I)) * 0
             - 2 * ((H + 1) / (2 * I)) * 1 * I + 1 * 1 * H)
      with (-1) in A by (field; lra).
    lra.
  - assert (A := F I V); apply (Rmult_le_reg_l V); lra.
Qed.

Lemma square_distance C N d v h s t : (0 < N)%nat ->
  class_mean C N (fun c i => dot d (fun j => t * h c i j - s * v c j)
    (fun j => t * h c i j - s * v c j))
  = s * s * mean C (fun c => dot d (v c) (v c)) - 2 * s * t * class_mean C N
    (fun c i => dot d (v c) (h c i))
    + t * t * class_mean C N (fun c i => dot d (h c i) (h c i)).
Proof.
  intros Q; rewrite <- (class_mean_of_classes C N _ Q), <- !class_mean_scale.
  rewrite <- class_mean_minus, <- class_mean_plus; apply class_mean_ext; intros c i _ _.
  rewrite dot_minus_l, !dot_minus_r, !dot_scale_l, !dot_scale_r, (dot_comm d (h c i) (v c)); ring.
Qed.

Lemma mean_inner_square C N d v h : (0 < C)%nat -> (0 < N)%nat ->
  class_mean C N (fun c i => dot d (v c) (h c i)) * class_mean C N (fun c i => dot d (v c) (h c i))
  <= mean C (fun c => dot d (v c) (v c)) * class_mean C N (fun c i => dot d (h c i) (h c i)).
Proof.
  intros P Q; apply discriminant; intros s t; rewrite <- square_distance by assumption.
  apply class_mean_nonneg; auto; intros; apply dot_nonneg.
Qed.

Lemma mean_inner C N d v h : (0 < C)%nat -> (0 < N)%nat ->
  class_mean C N (fun c i => dot d (v c) (h c i)) <= feature_norm C N d h * weight_norm C d v.
Proof.
  intros P Q; unfold feature_norm, weight_norm; rewrite <- sqrt_mult.
  - eapply Rle_trans; [apply Rle_abs |]; rewrite <- sqrt_Rsqr_abs; apply sqrt_le_1_alt.
    unfold Rsqr; rewrite (Rmult_comm (class_mean C N (fun c i => dot d (h c i) (h c i)))).
    apply mean_inner_square; assumption.
  - apply class_mean_nonneg; auto; intros; apply dot_nonneg.
  - apply mean_nonneg; auto; intros; apply dot_nonneg.
Qed.

Lemma feature_norm_square C N d h : (0 < C)%nat -> (0 < N)%nat ->
  feature_norm C N d h * feature_norm C N d h = class_mean C N (fun c i => dot d (h c i) (h c i)).
Proof. intros P Q; apply sqrt_sqrt, class_mean_nonneg; auto; intros; apply dot_nonneg. Qed.

Lemma weight_norm_square C d w : (0 < C)%nat ->
  weight_norm C d w * weight_norm C d w = mean C (fun c => dot d (w c) (w c)).
Proof. intros P; apply sqrt_sqrt, mean_nonneg; auto; intros; apply dot_nonneg. Qed.

(** Centring takes the square of the mean off the mean square. *)
Lemma centred_norm_square C d w : (0 < C)%nat ->
  mean C (fun c => dot d (centred C w c) (centred C w c))
  = mean C (fun c => dot d (w c) (w c))
    - dot d (fun j => mean C (fun r => w r j)) (fun j => mean C (fun r => w r j)).
Proof.
  intros P; set (m := fun j => mean C (fun r => w r j)).
  rewrite (mean_ext C _ (fun c => dot d (w c) (w c) - 2 * dot d (w c) m + dot d m m)).
  - rewrite mean_plus, mean_minus, mean_scale, mean_const, <- dot_mean_l by assumption.
    fold m; ring.
  - intros c _; unfold centred; fold (m).
    change (fun j => w c j - mean C (fun r => w r j)) with (fun j => w c j - m j).
    rewrite dot_minus_l, !dot_minus_r, (dot_comm d m (w c)); ring.
Qed.

Lemma mean_margin_inner C N d w h :
  mean_margin C N d w h = ratio C * class_mean C N (fun c i => dot d (centred C w c) (h c i)).
Proof. unfold mean_margin, margin; apply class_mean_scale. Qed.

Lemma mean_margin_largest C N d w h : (2 <= C)%nat -> (1 <= N)%nat ->
  mean_margin C N d w h <= largest_margin C N d w h.
Proof.
  intros P Q; rewrite mean_margin_inner; unfold largest_margin; rewrite Rmult_assoc.
  apply Rmult_le_compat_l; [left; apply ratio_pos, P | apply mean_inner; lia].
Qed.
