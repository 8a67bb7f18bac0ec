(** Intra-class and inter-class cosines as measures of neural collapse: from one mean direction a
    class, at collapse, and near it. *)
From Coq Require Import Reals Lra Lia Psatz FunctionalExtensionality.
From NCBounds Require Import Finite Cosine DirectionBall SimplexFrame.
Open Scope R_scope.

Definition global_mean (C N : nat) (h : nat -> nat -> nat -> R) (k : nat) : R :=
  mean C (fun c => mean N (fun i => h c i k)).

(** Features less the mean of all of them: what the x below are. *)
Definition centred_features (C N : nat) (h : nat -> nat -> nat -> R) (c i k : nat) : R :=
  h c i k - global_mean C N h k.

(** The mean of the directions of a class. *)
Definition class_direction (N d : nat) (x : nat -> nat -> nat -> R) (c : nat) : nat -> R :=
  mean_direction N d (x c).

(** Mean cosines of the samples of two classes, and of different samples of one class. *)
Definition class_cosine (N d : nat) (x : nat -> nat -> nat -> R) (c r : nat) : R :=
  mean N (fun i => mean N (fun j => cosine d (x c i) (x r j))).

Definition distinct_cosine (N d : nat) (x : nat -> nat -> nat -> R) (c : nat) : R :=
  sum N (fun i => sum N (fun j => if Nat.eq_dec i j then 0 else cosine d (x c i) (x c j)))
  / (INR N * (INR N - 1)).

Definition class_variability (N d : nat) (x : nat -> nat -> nat -> R) (c : nat) : R :=
  direction_variability N d (x c).

(** Features on the ray from the mean of some points to one of them. *)
Definition ray (C : nat) (points : nat -> nat -> R) (c k : nat) : R :=
  points c k - mean C (fun r => points r k).

Definition on_rays (C : nat) (points : nat -> nat -> R) (scales : nat -> R) (c i k : nat) : R :=
  scales i * ray C points c k.

Definition intra_from_variability (V : R) : R := Rmax (1 - 2 * V) 0 * Rmax (1 - 2 * V) 0.
Definition inter_from_variability (V U : R) : R := V + U - V * U.
Definition inter_from_simplex (C V U xi : R) : R :=
  C / (C - 1) * inter_from_variability V U + (1 - V) * (1 - U) * xi.

Lemma class_cosine_value N d x c r :
  class_cosine N d x c r = dot d (class_direction N d x c) (class_direction N d x r).
Proof. apply (cosine_identity N N). Qed.

Lemma cosine_self d x : 0 < norm d x -> cosine d x x = 1.
Proof. intros P; unfold cosine; rewrite <- norm_sqr; field; lra. Qed.

(** ** From one mean direction a class *)

(** bnwd:definition-cosine, sharp "from one mean direction a class": all cosine similarities, and
    how low the mean inter-class one can be. *)
Theorem cosines_from_directions (C N d : nat) (x : nat -> nat -> nat -> R) :
  (2 <= C)%nat -> (2 <= N)%nat ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> 0 < norm d (x c i)) ->
  (forall c, (c < C)%nat ->
     class_cosine N d x c c
     = dot d (class_direction N d x c) (class_direction N d x c)) /\
  (forall c, (c < C)%nat ->
     distinct_cosine N d x c
     = (INR N * dot d (class_direction N d x c) (class_direction N d x c) - 1)
       / (INR N - 1)) /\
  (forall c r, (c < C)%nat -> (r < c)%nat ->
     class_cosine N d x c r
     = dot d (class_direction N d x c) (class_direction N d x r)) /\
  mean_over_pairs C (class_cosine N d x)
  = (dot d (fun k => sum C (fun c => class_direction N d x c k))
           (fun k => sum C (fun c => class_direction N d x c k))
     - sum C (fun c => dot d (class_direction N d x c) (class_direction N d x c)))
    / (INR C * (INR C - 1)) /\
  - mean_over_pairs C (class_cosine N d x)
  <= mean C (fun c => class_cosine N d x c c) / (INR C - 1).
Proof.
  intros C2 N2 P.
  assert (IC : 2 <= INR C) by (apply (le_INR 2) in C2; simpl in C2; lra).
  assert (IN : 2 <= INR N) by (apply (le_INR 2) in N2; simpl in N2; lra).
  set (A := class_direction N d x) in *; set (S := fun k => sum C (fun c => A c k)).
  assert (V : forall c r, class_cosine N d x c r = dot d (A c) (A r))
    by (intros; apply class_cosine_value).
  assert (All : dot d S S = sum C (fun c => sum C (fun r => class_cosine N d x c r))).
  { unfold S; rewrite (dot_sum_l d C _ A); apply sum_ext; intros c _.
    rewrite (dot_sum_r d C _ A); apply sum_ext; intros r _; symmetry; apply V. }
  assert (M : mean_over_pairs C (class_cosine N d x)
              = (dot d S S - sum C (fun c => dot d (A c) (A c))) / (INR C * (INR C - 1))).
  { rewrite All, sum_over_pairs by (intros; rewrite !V; apply dot_comm).
    rewrite (sum_ext C (fun c => class_cosine N d x c c) (fun c => dot d (A c) (A c)))
      by (intros; apply V).
    unfold mean_over_pairs; field; lra. }
  repeat split; [intros; apply V | | intros; apply V | exact M |].
  - (* leave out the pairs of equal samples, whose cosine is 1 *)
    intros c L; rewrite <- V; unfold distinct_cosine.
    set (f := fun i j => cosine d (x c i) (x c j)).
    rewrite (sum_ext N _ (fun i => sum N (fun j => f i j) - 1)).
    + rewrite sum_minus, sum_const; unfold class_cosine, mean; fold f.
      change (fun i => sum N (fun j => cosine d (x c i)
                                          (x c j)) / INR N)
        with (fun i => sum N (fun j => f i j) / INR N).
      rewrite sum_divide; field; lra.
    + intros i I; replace 1 with (f i i) by (apply cosine_self, P; assumption).
      rewrite <- (sum_delta N i (f i) I), <- sum_minus.
      apply sum_ext; intros j _; unfold delta; fold (f i j).
      destruct (Nat.eq_dec i j); ring.
  - rewrite M; unfold mean.
    rewrite (sum_ext C (fun c => class_cosine N d x c c) (fun c => dot d (A c) (A c)))
      by (intros; apply V).
    set (q := sum C (fun c => dot d (A c) (A c))).
    replace (q / INR C / (INR C - 1)) with (q / (INR C * (INR C - 1))) by (field; lra).
    replace (- ((dot d S S - q) / (INR C * (INR C - 1))))
      with (q / (INR C * (INR C - 1)) - dot d S S / (INR C * (INR C - 1))) by (field; lra).
    assert (0 <= dot d S S / (INR C * (INR C - 1)))
      by (apply Rmult_le_pos; [apply dot_nonneg | left; apply Rinv_0_lt_compat; nra]).
    lra.
Qed.

(** ** At collapse *)

Lemma mean_ray C points k : (0 < C)%nat -> mean C (fun c => ray C points c k) = 0.
Proof.
  intros C0; unfold ray at 1; unfold mean at 1.
  rewrite sum_minus, sum_const, mean_sum by assumption; unfold Rdiv; ring.
Qed.

(** Features offset + scale (point - mean point) are centred by taking off the offset. *)
Lemma centred_on_rays C N points scales offset c i :
  (0 < C)%nat -> (0 < N)%nat ->
  centred_features C N (fun c i k => offset k + on_rays C points scales c i k) c i
  = on_rays C points scales c i.
Proof.
  intros C0 N0; apply functional_extensionality; intros k.
  assert (P : 0 < INR C) by (apply lt_0_INR, C0); assert (Q : 0 < INR N) by (apply lt_0_INR, N0).
  assert (G : global_mean C N (fun c i k => offset k + on_rays C points scales c i k) k
              = offset k).
  { unfold global_mean, on_rays.
    rewrite (mean_ext C _ (fun r => offset k + mean N scales * ray C points r k)).
    - unfold mean at 1; rewrite sum_plus, sum_const, sum_scale, <- (mean_sum C) by assumption.
      rewrite mean_ray by assumption; field; lra.
    - intros r _; unfold mean; rewrite sum_plus, sum_const, sum_scale_r; field; lra. }
  unfold centred_features; rewrite G; ring.
Qed.

Lemma class_direction_on_rays C N d points scales c :
  (0 < N)%nat -> (forall i, (i < N)%nat -> 0 < scales i) -> 0 < norm d (ray C points c) ->
  class_direction N d (on_rays C points scales) c
  = fun k => ray C points c k / norm d (ray C points c).
Proof.
  intros N0 S P; apply functional_extensionality; intros k.
  unfold class_direction, mean_direction.
  rewrite (mean_ext N _ (fun _ => ray C points c k / norm d (ray C points c))).
  - unfold mean; rewrite sum_const; field; split; [lra | apply not_0_INR; lia].
  - intros i I; specialize (S i I).
    assert (E : norm d (on_rays C points scales c i) = scales i * norm d (ray C points c)).
    { unfold norm at 1, on_rays; rewrite dot_scale_l, dot_scale_r, <- norm_sqr.
      rewrite <- (sqrt_square (scales i * norm d (ray C points c)))
        by (apply Rmult_le_pos; lra).
      f_equal; ring. }
    rewrite E; unfold on_rays; field; lra.
Qed.

(** bnwd:remark-nc-implies-cosine, printed "NC1": collapse, even of the directions alone, makes
    every intra-class cosine 1. *)
Theorem collapsed (C N d : nat) (points : nat -> nat -> R) (scales : nat -> R) :
  (0 < N)%nat -> (forall i, (i < N)%nat -> 0 < scales i) ->
  (forall c, (c < C)%nat -> 0 < norm d (ray C points c)) ->
  (forall c, (c < C)%nat ->
     dot d (class_direction N d (on_rays C points scales) c)
           (class_direction N d (on_rays C points scales) c) = 1).
Proof.
  intros N0 S P c L; rewrite class_direction_on_rays by auto.
  rewrite cosine_directions; apply cosine_self; auto.
Qed.

(** bnwd:remark-nc-implies-cosine, printed "NC1 and NC2": with class means at a simplex all cosines
    are those of the simplex. *)
Theorem collapsed_to_simplex
    (C N d : nat) (frame : nat -> nat -> R) (alpha : R) (scales : nat -> R) :
  (2 <= C)%nat -> (0 < N)%nat -> 0 < alpha -> orthonormal C d frame ->
  (forall i, (i < N)%nat -> 0 < scales i) ->
  let A := class_direction N d (fun c i k => scales i * simplex C frame alpha c k) in
  (forall c, (c < C)%nat -> dot d (A c) (A c) = 1) /\
  (forall c r, (c < C)%nat -> (r < c)%nat -> dot d (A c) (A r) = simplex_cosine (INR C)).
Proof.
  intros C2 N0 Al O S A.
  destruct (simplex_facts C d frame alpha C2 Al O) as [Size [_ [_ Cos]]].
  assert (E : forall c, ray C (simplex C frame alpha) c = simplex C frame alpha c).
  { intros c; apply functional_extensionality; intros k; unfold ray.
    change (mean C (fun r => simplex C frame alpha r k))
      with (mean C (fun r => alpha * ray C frame r k)).
    rewrite mean_scale, mean_ray by lia; ring. }
  assert (EA : A = class_direction N d (on_rays C (simplex C frame alpha) scales)).
  { unfold A; f_equal; do 3 (apply functional_extensionality; intro).
    unfold on_rays; rewrite E; reflexivity. }
  assert (P : forall c, (c < C)%nat -> 0 < norm d (ray C (simplex C frame alpha) c)).
  { intros c L; rewrite E; unfold norm; rewrite Size by assumption.
    assert (IC : 2 <= INR C) by (apply (le_INR 2) in C2; simpl in C2; lra).
    apply sqrt_lt_R0, Rdiv_lt_0_compat; [| lra].
    apply Rmult_lt_0_compat; [apply Rmult_lt_0_compat; assumption | lra]. }
  rewrite EA; split.
  - apply collapsed; auto.
  - intros c r Lc Lr; rewrite !class_direction_on_rays by (auto; try lia; apply P; lia).
    rewrite cosine_directions, !E; apply Cos; assumption.
Qed.

(** ** Near collapse *)

Lemma variability_nonneg N d v : 0 <= direction_variability N d v.
Proof.
  assert (M : forall f, (forall i, 0 <= f i) -> 0 <= mean N f).
  { intros f F; replace 0 with (mean N (fun _ => 0)); [apply mean_le; auto |].
    unfold mean; rewrite sum_const; unfold Rdiv; ring. }
  unfold direction_variability; set (q := mean N (fun i => dot d (v i) (v i))).
  assert (0 <= q) by (apply M; intros; apply dot_nonneg).
  apply Rmult_le_pos; [apply M; intros; apply dot_nonneg |].
  destruct (Req_dec q 0) as [-> |]; [rewrite Rinv_0; lra |].
  left; apply Rinv_0_lt_compat; lra.
Qed.

Lemma norm_mean_direction N d v : (0 < N)%nat -> norm d (mean_direction N d v) <= 1.
Proof.
  intros N0; assert (P : 0 < INR N) by (apply lt_0_INR, N0).
  assert (Ones : forall f, (forall i, f i <= 1) -> mean N f <= 1).
  { intros f F; replace 1 with (mean N (fun _ => 1))
      by (unfold mean; rewrite sum_const; field; lra).
    apply mean_le; auto. }
  unfold norm; rewrite <- sqrt_1; apply sqrt_le_1_alt.
  destruct (cosine_identity N N d v v) as [<- _].
  apply Ones; intros i; apply Ones; intros j; apply cosine_range.
Qed.

(** bnwd:remark-nc-implies-cosine, sharp "nearly NC1 and NC2": how far variability and the cosines
    of the class means let the cosines be from collapse. *)
Theorem nearly_collapsed (C N d : nat) (x : nat -> nat -> nat -> R) :
  (2 <= C)%nat -> (0 < N)%nat ->
  (forall c i, (c < C)%nat -> (i < N)%nat -> 0 < norm d (x c i)) ->
  let A := class_direction N d x in
  let V := class_variability N d x in
  let shrunk := fun c => shrunk_mean N d (x c) in
  let m := fun c => mean_vector N (x c) in
  (forall c, (c < C)%nat -> intra_from_variability (V c) <= dot d (A c) (A c)) /\
  (forall c r, (c < C)%nat -> (r < c)%nat ->
     Rabs (dot d (A c) (A r) - dot d (shrunk c) (shrunk r))
     <= inter_from_variability (V c) (V r)) /\
  (forall c r, (c < C)%nat -> (r < c)%nat ->
     Rabs (dot d (A c) (A r) - simplex_cosine (INR C))
     <= inter_from_simplex (INR C) (V c) (V r)
          (Rabs (cosine d (m c) (m r) - simplex_cosine (INR C)))).
Proof.
  intros C2 N0 P A V shrunk m.
  assert (IC : 2 <= INR C) by (apply (le_INR 2) in C2; simpl in C2; lra).
  assert (IN : 0 < INR N) by (apply lt_0_INR, N0).
  set (Q := fun c => mean N (fun i => dot d (x c i)
                                            (x c i))).
  assert (Q0 : forall c, (c < C)%nat -> 0 < Q c).
  { intros c L; apply Rdiv_lt_0_compat; [| assumption].
    apply Rlt_le_trans with (dot d (x c O) (x c O)).
    - rewrite <- norm_sqr; apply Rmult_lt_0_compat; apply P; assumption.
    - apply (term_le_sum N (fun i => dot d (x c i)
               (x c i))); [intros; apply dot_nonneg | assumption]. }
  assert (V0 : forall c, 0 <= V c) by (intros; apply variability_nonneg).
  assert (V1 : forall c, (c < C)%nat -> 1 - V c = norm d (m c) * norm d (m c) / Q c).
  { intros c L; unfold V, class_variability.
    rewrite variability_less_mean by (try apply Q0; assumption); fold (m c) (Q c); ring. }
  assert (Vle : forall c, (c < C)%nat -> V c <= 1).
  { intros c L; assert (0 <= norm d (m c) * norm d (m c) / Q c)
      by (apply Rmult_le_pos; [apply Rle_0_sqr | left; apply Rinv_0_lt_compat, Q0, L]).
    specialize (V1 c L); lra. }
  assert (Ball : forall c, (c < C)%nat ->
            norm d (fun k => A c k - shrunk c k) <= V c /\ 1 - 2 * V c <= norm d (A c)).
  { intros c L; destruct (direction_ball N d (x c) N0) as [B1 B2];
      [intros; apply P; assumption |].
    split; [| exact B2].
    unfold norm; rewrite <- (sqrt_square (V c)) by apply V0; apply sqrt_le_1_alt, B1. }
  assert (Sn : forall c, (c < C)%nat -> norm d (shrunk c) = 1 - V c).
  { intros c L; rewrite V1 by assumption; unfold norm at 1.
    rewrite <- (sqrt_square (norm d (m c) * norm d (m c) / Q c))
      by (apply Rmult_le_pos; [apply Rle_0_sqr | left; apply Rinv_0_lt_compat, Q0, L]).
    f_equal; unfold shrunk, shrunk_mean; fold (m c) (Q c).
    change (dot d (fun k => m c k * (norm d (m c) / Q c)) (fun k => m c k * (norm d (m c) / Q c))
            = norm d (m c) * norm d (m c) / Q c * (norm d (m c) * norm d (m c) / Q c)).
    rewrite (dot_ext d _ _ (fun k => norm d (m c) / Q c * m c k)) by (intros; ring).
    rewrite dot_scale_r, dot_comm, (dot_ext d _ _ (fun k => norm d (m c) / Q c * m c k))
      by (intros; ring).
    rewrite dot_scale_r, <- norm_sqr; field; apply Rgt_not_eq, Q0, L. }
  assert (Sd : forall c r, (c < C)%nat -> (r < C)%nat ->
            dot d (shrunk c) (shrunk r) = (1 - V c) * (1 - V r) * cosine d (m c) (m r)).
  { intros c r Lc Lr; rewrite !V1 by assumption.
    assert (Qc := Q0 c Lc); assert (Qr := Q0 r Lr).
    replace (norm d (m c) * norm d (m c) / Q c * (norm d (m r) * norm d (m r) / Q r)
             * cosine d (m c) (m r))
      with (norm d (m c) / Q c * (norm d (m r) / Q r)
            * (cosine d (m c) (m r) * (norm d (m c) * norm d (m r)))) by (field; lra).
    rewrite cosine_norms; unfold shrunk, shrunk_mean; fold (m c) (m r) (Q c) (Q r).
    change (dot d (fun k => m c k * (norm d (m c) / Q c)) (fun k => m r k * (norm d (m r) / Q r))
            = norm d (m c) / Q c * (norm d (m r) / Q r) * dot d (m c) (m r)).
    rewrite (dot_ext d _ _ (fun k => norm d (m r) / Q r * m r k)) by (intros; ring).
    rewrite dot_scale_r, dot_comm, (dot_ext d _ _ (fun k => norm d (m c) / Q c * m c k))
      by (intros; ring).
    rewrite dot_scale_r, dot_comm; ring. }
  assert (Inter : forall c r, (c < C)%nat -> (r < C)%nat ->
            Rabs (dot d (A c) (A r) - dot d (shrunk c) (shrunk r))
            <= inter_from_variability (V c) (V r)).
  { intros c r Lc Lr; unfold inter_from_variability.
    replace (dot d (A c) (A r) - dot d (shrunk c) (shrunk r))
      with (dot d (fun k => A c k - shrunk c k) (A r)
            + dot d (shrunk c) (fun k => A r k - shrunk r k))
      by (rewrite dot_minus_l, dot_minus_r; ring).
    eapply Rle_trans; [apply Rabs_triang |].
    assert (H1 := cauchy_schwarz_abs d (fun k => A c k - shrunk c k) (A r)).
    assert (H2 := cauchy_schwarz_abs d (shrunk c) (fun k => A r k - shrunk r k)).
    destruct (Ball c Lc) as [Bc _]; destruct (Ball r Lr) as [Br _].
    assert (Ar : norm d (A r) <= 1) by (apply norm_mean_direction, N0).
    rewrite (Sn c Lc) in H2.
    assert (norm d (fun k => A c k - shrunk c k) * norm d (A r) <= V c * 1)
      by (apply Rmult_le_compat; auto using norm_nonneg).
    assert ((1 - V c) * norm d (fun k => A r k - shrunk r k) <= (1 - V c) * V r)
      by (apply Rmult_le_compat_l; [specialize (Vle c Lc); lra | assumption]).
    lra. }
  repeat split.
  - intros c L; destruct (Ball c L) as [_ B]; rewrite <- norm_sqr; unfold intra_from_variability.
    assert (Rmax (1 - 2 * V c) 0 <= norm d (A c)) by (apply Rmax_lub; auto using norm_nonneg).
    apply Rmult_le_compat; auto using Rmax_r.
  - intros c r Lc Lr; apply Inter; lia.
  - intros c r Lc Lr; assert (Lr' : (r < C)%nat) by lia; specialize (Inter c r Lc Lr').
    rewrite Sd in Inter by assumption; unfold inter_from_simplex.
    set (W := inter_from_variability (V c) (V r)) in *; set (u := simplex_cosine (INR C)).
    set (q := cosine d (m c) (m r)) in *.
    assert (U : u = - (1 / (INR C - 1))) by (unfold u, simplex_cosine; field; lra).
    assert (K : 0 < 1 / (INR C - 1)) by (apply Rdiv_lt_0_compat; lra).
    assert (Wn : (1 - V c) * (1 - V r) = 1 - W) by (unfold W, inter_from_variability; ring).
    assert (W0 : 0 <= W) by (eapply Rle_trans; [apply Rabs_pos | exact Inter]).
    assert (Z : 0 <= (1 - V c) * (1 - V r))
      by (apply Rmult_le_pos; [specialize (Vle c Lc) | specialize (Vle r Lr')]; lra).
    replace (dot d (A c) (A r) - u)
      with (dot d (A c) (A r) - (1 - V c) * (1 - V r) * q
            + ((1 - V c) * (1 - V r) * (q - u) + W * (- u))) by (rewrite Wn; ring).
    replace (INR C / (INR C - 1) * W) with (W + W * (1 / (INR C - 1))) by (field; lra).
    assert (T1 := Rabs_triang (dot d (A c) (A r) - (1 - V c) * (1 - V r) * q)
                    ((1 - V c) * (1 - V r) * (q - u) + W * (- u))).
    assert (T2 := Rabs_triang ((1 - V c) * (1 - V r) * (q - u)) (W * (- u))).
    rewrite (Rabs_mult _ (q - u)), (Rabs_pos_eq _ Z) in T2.
    rewrite (Rabs_pos_eq (W * - u)) in T2 by (apply Rmult_le_pos; lra).
    assert (W * - u = W * (1 / (INR C - 1))) by (rewrite U; ring). lra.
Qed.
