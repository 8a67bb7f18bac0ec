(** The simplex equiangular tight frame: that it exists from dimension C - 1 on, what its inner
    products imply, and that no arrangement of C vectors is wider. *)
From Coq Require Import Reals Lra Lia Psatz.
From NCBounds Require Import Finite Cosine.
Open Scope R_scope.

Definition simplex_cosine (C : R) : R := - 1 / (C - 1).

Definition delta (c r : nat) : R := if Nat.eq_dec c r then 1 else 0.

Definition orthonormal (n d : nat) (frame : nat -> nat -> R) : Prop :=
  forall c r, (c < n)%nat -> (r < n)%nat -> dot d (frame c) (frame r) = delta c r.

(** The rows of alpha (I - 11^T/C) U^T, for C orthonormal rows of U^T. *)
Definition simplex (C : nat) (frame : nat -> nat -> R) (alpha : R) (c k : nat) : R :=
  alpha * (frame c k - mean C (fun r => frame r k)).

(** The r-th row of the Helmert matrix: r + 1 equal entries, one against them, then zeros. *)
Definition helmert_entry (c r : nat) : R :=
  (if lt_dec r c then (if Nat.eq_dec c (S r) then - INR (S r) else 0) else 1)
  / sqrt (INR (S r) * INR (S (S r))).

(** S n points in as many dimensions as there are rows, which are n. *)
Definition small_simplex (n : nat) (frame : nat -> nat -> R) (alpha : R) (c k : nat) : R :=
  alpha * sum n (fun r => helmert_entry c r * frame r k).

Definition squared_distance_of (d : nat) (x y : nat -> R) : R :=
  dot d (fun k => x k - y k) (fun k => x k - y k).

Lemma vanishes d x k : dot d x x = 0 -> (k < d)%nat -> x k = 0.
Proof.
  intros Z K; assert (H := term_le_sum d (fun j => x j * x j) k (fun j _ => Rle_0_sqr (x j)) K).
  unfold dot in Z; cbv beta in H; nra.
Qed.

Lemma sum_delta n c f : (c < n)%nat -> sum n (fun r => f r * delta c r) = f c.
Proof.
  intros L; rewrite <- (sum_single n c (f c) L); apply sum_ext; intros r _.
  unfold delta; destruct (Nat.eq_dec c r), (Nat.eq_dec r c); subst; try lia; ring.
Qed.

Lemma delta_sym c r : delta c r = delta r c.
Proof. unfold delta; destruct (Nat.eq_dec c r), (Nat.eq_dec r c); lia || reflexivity. Qed.

(** What the inner products alpha^2 (I - 11^T/C) imply. *)
Lemma gram_facts C d m alpha :
  (2 <= C)%nat -> 0 < alpha ->
  (forall c r, (c < C)%nat -> (r < C)%nat ->
     dot d (m c) (m r) = alpha * alpha * (delta c r - 1 / INR C)) ->
  (forall c, (c < C)%nat ->
     dot d (m c) (m c)
     = alpha * alpha * (INR C - 1) / INR C) /\
  (forall k, (k < d)%nat -> mean C (fun c => m c k) = 0) /\
  (forall c r, (c < C)%nat -> (r < c)%nat ->
     squared_distance_of d (m c) (m r)
     = 2 * (alpha * alpha)) /\
  (forall c r, (c < C)%nat -> (r < c)%nat ->
     cosine d (m c) (m r) = simplex_cosine (INR C)).
Proof.
  intros C2 A G.
  assert (I : 2 <= INR C) by (apply (le_INR 2) in C2; simpl in C2; lra).
  assert (Same : forall j, delta j j = 1)
    by (intros; unfold delta; destruct (Nat.eq_dec j j); [reflexivity | congruence]).
  assert (Other : forall c r, (r < c)%nat -> delta c r = 0)
    by (intros; unfold delta; destruct (Nat.eq_dec c r); [lia | reflexivity]).
  assert (P : 0 < alpha * alpha) by (apply Rmult_lt_0_compat; assumption).
  assert (Size : forall j, (j < C)%nat -> dot d (m j) (m j) = alpha * alpha * (INR C - 1) / INR C)
    by (intros j J; rewrite G, Same by assumption; field; lra).
  repeat split; [exact Size | intros k K | intros c r Lc Lr | intros c r Lc Lr].
  - apply (vanishes d (mean_vector C m)); [| assumption].
    unfold mean_vector; rewrite dot_mean_l.
    unfold mean; rewrite sum_zero; [unfold Rdiv; ring |].
    intros j J; change (dot d (m j) (fun k => mean C (fun i => m i k)) = 0).
    rewrite dot_mean_r; unfold mean.
    rewrite (sum_ext C _ (fun i => alpha * alpha * (1 * delta j i) - alpha * alpha / INR C))
      by (intros; rewrite G by assumption; field; lra).
    rewrite sum_minus, sum_scale, sum_delta, sum_const by assumption; field; lra.
  - unfold squared_distance_of; rewrite dot_minus_l, !dot_minus_r, (dot_comm d (m r) (m c)).
    rewrite !Size, G, Other by lia; field; lra.
  - unfold cosine, norm; rewrite !Size, G, Other by lia.
    rewrite sqrt_sqrt by (apply Rmult_le_pos; [nra | left; apply Rinv_0_lt_compat; lra]).
    unfold simplex_cosine; field; repeat split; try lra; nra.
Qed.

Lemma simplex_gram C d frame alpha :
  (0 < C)%nat -> orthonormal C d frame ->
  forall c r, (c < C)%nat -> (r < C)%nat ->
  dot d (simplex C frame alpha c) (simplex C frame alpha r)
  = alpha * alpha * (delta c r - 1 / INR C).
Proof.
  intros C0 O c r Lc Lr; assert (P : 0 < INR C) by (apply lt_0_INR, C0).
  assert (Row : forall j, (j < C)%nat ->
            dot d (frame j) (fun k => mean C (fun i => frame i k)) = 1 / INR C).
  { intros j J; rewrite dot_mean_r; unfold mean.
    rewrite (sum_ext C _ (fun i => 1 * delta j i)) by (intros; rewrite O by assumption; ring).
    rewrite sum_delta by assumption; reflexivity. }
  unfold simplex; rewrite dot_scale_l, dot_scale_r, dot_minus_l, !dot_minus_r.
  rewrite (dot_comm d (fun k => mean C (fun i => frame i k)) (frame r)), !Row, O by assumption.
  rewrite dot_mean_l, (mean_ext C _ (fun _ => 1 / INR C)) by (intros; apply Row; assumption).
  unfold mean; rewrite sum_const; field; lra.
Qed.

(** bnwd:definition-1.1, printed "pairwise cosines": norms, mean, distances and cosines of the
    simplex of an orthonormal frame. *)
Theorem simplex_facts (C d : nat) (frame : nat -> nat -> R) (alpha : R) :
  (2 <= C)%nat -> 0 < alpha -> orthonormal C d frame ->
  (forall c, (c < C)%nat ->
     dot d (simplex C frame alpha c) (simplex C frame alpha c)
     = alpha * alpha * (INR C - 1) / INR C) /\
  (forall k, (k < d)%nat -> mean C (fun c => simplex C frame alpha c k) = 0) /\
  (forall c r, (c < C)%nat -> (r < c)%nat ->
     squared_distance_of d (simplex C frame alpha c) (simplex C frame alpha r)
     = 2 * (alpha * alpha)) /\
  (forall c r, (c < C)%nat -> (r < c)%nat ->
     cosine d (simplex C frame alpha c) (simplex C frame alpha r) = simplex_cosine (INR C)).
Proof.
  intros C2 A O; apply gram_facts; try assumption.
  apply simplex_gram; [lia | assumption].
Qed.

(** ** From dimension C - 1 on *)

(** The columns of the Helmert matrix: by induction, one row and one column at a time. *)
Lemma helmert_gram n c r :
  (c <= n)%nat -> (r <= n)%nat ->
  sum n (fun k => helmert_entry c k * helmert_entry r k) = delta c r - 1 / INR (S n).
Proof.
  assert (Root : forall k a b, a / sqrt (INR (S k) * INR (S (S k)))
                               * (b / sqrt (INR (S k) * INR (S (S k))))
                               = a * b / (INR (S k) * INR (S (S k)))).
  { intros k a b.
    assert (0 < INR (S k)) by (apply lt_0_INR; lia).
    assert (0 < INR (S (S k))) by (apply lt_0_INR; lia).
    assert (0 < INR (S k) * INR (S (S k))) by (apply Rmult_lt_0_compat; assumption).
    assert (0 < sqrt (INR (S k) * INR (S (S k)))) by (apply sqrt_lt_R0; assumption).
    rewrite <- (sqrt_sqrt (INR (S k) * INR (S (S k)))) at 3 by lra; field; lra. }
  assert (Beyond : forall m q f, (m < q)%nat -> sum m (fun k => helmert_entry q k * f k) = 0).
  { intros m q f L; apply sum_zero; intros k K; unfold helmert_entry.
    destruct (lt_dec k q); [| lia]; destruct (Nat.eq_dec q (S k)); [lia |].
    unfold Rdiv; ring. }
  induction n as [| n IH]; intros Lc Lr.
  - replace c with O by lia; replace r with O by lia; unfold delta; simpl; field.
  - assert (P : 0 < INR (S n)) by (apply lt_0_INR; lia).
    assert (E : INR (S (S n)) = INR (S n) + 1) by apply S_INR.
    simpl sum.
    destruct (Nat.eq_dec c (S n)) as [-> | Nc]; [| destruct (Nat.eq_dec r (S n)) as [-> | Nr]].
    + rewrite Beyond by lia; unfold helmert_entry; rewrite Root.
      destruct (lt_dec n (S n)); [| lia]; destruct (Nat.eq_dec (S n) (S n)); [| lia].
      unfold delta; destruct (Nat.eq_dec (S n) r) as [<- | D].
      * destruct (lt_dec n (S n)); [| lia]; destruct (Nat.eq_dec (S n) (S n)); [| lia].
        rewrite E; field; lra.
      * destruct (lt_dec n r); [lia |]; rewrite E; field; lra.
    + rewrite (sum_ext n _ (fun k => helmert_entry (S n) k * helmert_entry c k)) by (intros; ring).
      rewrite Beyond by lia; unfold helmert_entry; rewrite Root.
      destruct (lt_dec n (S n)); [| lia]; destruct (Nat.eq_dec (S n) (S n)); [| lia].
      destruct (lt_dec n c); [lia |].
      unfold delta; destruct (Nat.eq_dec c (S n)); [lia |]; rewrite E; field; lra.
    + rewrite IH by lia; unfold helmert_entry; rewrite Root.
      destruct (lt_dec n c); [lia |]; destruct (lt_dec n r); [lia |].
      rewrite E; field; lra.
Qed.

Lemma small_simplex_gram n d frame alpha :
  orthonormal n d frame ->
  forall c r, (c < S n)%nat -> (r < S n)%nat ->
  dot d (small_simplex n frame alpha c) (small_simplex n frame alpha r)
  = alpha * alpha * (delta c r - 1 / INR (S n)).
Proof.
  intros O c r Lc Lr; rewrite <- helmert_gram by lia.
  unfold small_simplex; rewrite dot_scale_l, dot_scale_r, <- Rmult_assoc; f_equal.
  rewrite (dot_sum_l d n _ (fun k j => helmert_entry c k * frame k j)).
  apply sum_ext; intros k K.
  rewrite dot_scale_l, (dot_sum_r d n _ (fun l j => helmert_entry r l * frame l j)).
  f_equal; rewrite <- (sum_delta n k (helmert_entry r)) by assumption.
  apply sum_ext; intros l L; rewrite dot_scale_r, O by assumption; reflexivity.
Qed.

(** bnwd:definition-1.1, corrected "pairwise cosines from d = C - 1 on": the same for C = n + 1
    points built from n orthonormal rows. *)
Theorem small_simplex_facts (n d : nat) (frame : nat -> nat -> R) (alpha : R) :
  (1 <= n)%nat -> 0 < alpha -> orthonormal n d frame ->
  (forall c, (c < S n)%nat ->
     dot d (small_simplex n frame alpha c) (small_simplex n frame alpha c)
     = alpha * alpha * (INR (S n) - 1) / INR (S n)) /\
  (forall k, (k < d)%nat -> mean (S n) (fun c => small_simplex n frame alpha c k) = 0) /\
  (forall c r, (c < S n)%nat -> (r < c)%nat ->
     squared_distance_of d (small_simplex n frame alpha c) (small_simplex n frame alpha r)
     = 2 * (alpha * alpha)) /\
  (forall c r, (c < S n)%nat -> (r < c)%nat ->
     cosine d (small_simplex n frame alpha c) (small_simplex n frame alpha r)
     = simplex_cosine (INR (S n))).
Proof.
  intros N A O; apply gram_facts; [lia | assumption |].
  apply small_simplex_gram; assumption.
Qed.

(** The unit vectors are an orthonormal frame, so that simplices exist. *)
Lemma unit_vectors_orthonormal n d : (n <= d)%nat -> orthonormal n d delta.
Proof.
  intros L c r Lc Lr; unfold dot.
  rewrite (sum_ext d _ (fun k => delta r k * delta c k)) by (intros; ring).
  rewrite sum_delta by lia; apply delta_sym.
Qed.

(** ** No arrangement is wider *)

(** A sum over all pairs is twice that over c > r, and the diagonal. *)
Lemma sum_over_pairs n (f : nat -> nat -> R) :
  (forall c r, f c r = f r c) ->
  sum n (fun c => sum n (fun r => f c r))
  = 2 * sum n (fun c => sum c (fun r => f c r)) + sum n (fun c => f c c).
Proof.
  intros S; induction n as [| n IH]; [simpl; ring |].
  simpl; rewrite sum_plus, IH.
  rewrite (sum_ext n (fun c => f c n) (fun c => f n c)) by (intros; apply S); ring.
Qed.

Definition mean_over_pairs (C : nat) (f : nat -> nat -> R) : R :=
  sum C (fun c => sum c (fun r => f c r)) / (INR C * (INR C - 1) / 2).

Definition sum_of_directions (C d : nat) (v : nat -> nat -> R) (k : nat) : R :=
  sum C (fun c => v c k / norm d (v c)).

(** bnwd:definition-1.1, sharp "no arrangement is wider": the mean cosine of any C vectors, and
    that the largest is at least that of the simplex. *)
Theorem no_wider (C d : nat) (v : nat -> nat -> R) (t : R) :
  (2 <= C)%nat -> (forall c, (c < C)%nat -> 0 < norm d (v c)) ->
  (forall c r, (c < C)%nat -> (r < c)%nat -> cosine d (v c) (v r) <= t) ->
  mean_over_pairs C (fun c r => cosine d (v c) (v r))
  = simplex_cosine (INR C)
    + dot d (sum_of_directions C d v) (sum_of_directions C d v) / (INR C * (INR C - 1)) /\
  - t <= - simplex_cosine (INR C).
Proof.
  intros C2 V T.
  assert (I : 2 <= INR C) by (apply (le_INR 2) in C2; simpl in C2; lra).
  set (f := fun c r => cosine d (v c) (v r)).
  assert (Sym : forall c r, f c r = f r c)
    by (intros; unfold f, cosine; rewrite dot_comm; f_equal; ring).
  assert (All : dot d (sum_of_directions C d v) (sum_of_directions C d v)
                = sum C (fun c => sum C (fun r => f c r))).
  { unfold sum_of_directions; rewrite (dot_sum_l d C _ (fun c k => v c k / norm d (v c))).
    apply sum_ext; intros c _; rewrite (dot_sum_r d C _ (fun r k => v r k / norm d (v r))).
    apply sum_ext; intros r _; apply cosine_directions. }
  assert (One : sum C (fun c => f c c) = INR C).
  { rewrite (sum_ext C _ (fun _ => 1)); [rewrite sum_const; ring |].
    intros c L; specialize (V c L); unfold f, cosine; rewrite norm_sqr, <- norm_sqr; field; lra. }
  assert (Mean : mean_over_pairs C f = simplex_cosine (INR C)
            + dot d (sum_of_directions C d v) (sum_of_directions C d v) / (INR C * (INR C - 1))).
  { rewrite All, sum_over_pairs, One by assumption.
    unfold mean_over_pairs, simplex_cosine; field; lra. }
  split; [exact Mean |].
  (* the mean is at most t *)
  assert (L : sum C (fun c => sum c (fun r => f c r)) <= sum C (fun c => sum c (fun _ => t)))
    by (apply sum_le; intros c Lc; apply sum_le; intros r Lr; apply T; assumption).
  assert (Count : sum C (fun c => sum c (fun _ => t)) = t * (INR C * (INR C - 1) / 2)).
  { assert (P := sum_over_pairs C (fun _ _ => t) (fun _ _ => eq_refl)); cbv beta in P.
    rewrite (sum_ext C (fun _ => sum C (fun _ => t)) (fun _ => INR C * t)), !sum_const in P
      by (intros; apply sum_const). lra. }
  assert (Q : 0 < INR C * (INR C - 1) / 2) by nra.
  assert (M : mean_over_pairs C f <= t).
  { unfold mean_over_pairs; apply Rmult_le_reg_r with (INR C * (INR C - 1) / 2); [assumption |].
    rewrite <- Count; eapply Rle_trans; [| exact L]; right; field; lra. }
  assert (0 <= dot d (sum_of_directions C d v) (sum_of_directions C d v) / (INR C * (INR C - 1))).
  { apply Rmult_le_pos; [apply dot_nonneg | left; apply Rinv_0_lt_compat; nra]. }
  lra.
Qed.
