(** The mean of normalised vectors lies in a ball around the direction of the mean. *)
From Coq Require Import Reals Lra Lia Psatz.
From NCBounds Require Import Finite Cosine.
Open Scope R_scope.

(** Variance of the vectors over the mean of their squared norms, and what it bounds. *)
Definition direction_variability (N d : nat) (v : nat -> nat -> R) : R :=
  mean N (fun i => dot d (fun k => v i k - mean_vector N v k) (fun k => v i k - mean_vector N v k))
  / mean N (fun i => dot d (v i) (v i)).

Definition norm_from_variability (V : R) : R := 1 - 2 * V.
Definition squared_distance (V : R) : R := V * V.

(** (1 - V) times the direction of the mean, without a division by its norm. *)
Definition shrunk_mean (N d : nat) (v : nat -> nat -> R) : nat -> R :=
  fun k => mean_vector N v k
           * (norm d (mean_vector N v) / mean N (fun i => dot d (v i) (v i))).

(** One sample a: half of |(a - e) - (1 - y) (w - e)|^2 and y (1 - <w, e>) (1 - <a, e>) are not
    negative. *)
Lemma sample_bound d a e w y :
  dot d a a = 1 -> dot d e e = 1 -> dot d w w = 1 -> 0 <= y ->
  (1 - y) * dot d w a <= 1 + (1 - dot d w e) * (y * y) - (2 - dot d w e) * (y * dot d e a).
Proof.
  intros A E W Y.
  assert (H := dot_nonneg d (fun k => (a k - e k) - (1 - y) * (w k - e k))).
  rewrite !dot_minus_l, !dot_minus_r, !dot_scale_l, !dot_scale_r, !dot_minus_l, !dot_minus_r in H.
  rewrite (dot_comm d a e), (dot_comm d a w), (dot_comm d e w), A, E, W in H.
  assert (P := cauchy_schwarz d w e); assert (Q := cauchy_schwarz d e a).
  unfold norm in P, Q; rewrite A, E, ?W, sqrt_1 in *.
  set (p := dot d w e) in *; set (q := dot d e a) in *; set (s := dot d w a) in *.
  assert (0 <= y * ((1 - p) * (1 - q)))
    by (apply Rmult_le_pos; [assumption |]; apply Rmult_le_pos; lra).
  nra.
Qed.

Lemma variability_less_mean N d v :
  (0 < N)%nat -> 0 < mean N (fun i => dot d (v i) (v i)) ->
  direction_variability N d v
  = 1 - norm d (mean_vector N v) * norm d (mean_vector N v)
        / mean N (fun i => dot d (v i) (v i)).
Proof.
  intros N0 S; unfold direction_variability.
  set (m := mean_vector N v); set (Q := mean N (fun i => dot d (v i) (v i))) in *.
  assert (P : 0 < INR N) by (apply lt_0_INR, N0).
  assert (I : mean N (fun i => dot d m (v i)) = norm d m * norm d m)
    by (rewrite norm_sqr; unfold m at 3, mean_vector; symmetry; apply dot_mean_r).
  assert (H : mean N (fun i => dot d (fun k => v i k - m k) (fun k => v i k - m k))
              = Q - norm d m * norm d m).
  { unfold mean; rewrite (sum_ext N _ (fun i => dot d (v i) (v i) - 2 * dot d m (v i)
                                                + norm d m * norm d m)).
    - rewrite sum_plus, sum_minus, sum_scale, sum_const, <- (mean_sum N (fun i => dot d m (v i))), I
        by assumption.
      unfold Q, mean; field; lra.
    - intros i _; rewrite dot_minus_l, !dot_minus_r, (dot_comm d (v i) m), norm_sqr; ring. }
  rewrite H; field; lra.
Qed.

Lemma mean_scale n c f : mean n (fun i => c * f i) = c * mean n f.
Proof. unfold mean; rewrite sum_scale; unfold Rdiv; ring. Qed.

(** The excess over the shrunk mean in the direction of a unit vector w. *)
Lemma excess_in_direction N d v w :
  (0 < N)%nat -> (forall i, (i < N)%nat -> 0 < norm d (v i)) ->
  0 < norm d (mean_vector N v) -> dot d w w = 1 ->
  dot d w (mean_direction N d v) - dot d w (shrunk_mean N d v) <= direction_variability N d v.
Proof.
  intros N0 V M W; assert (P : 0 < INR N) by (apply lt_0_INR, N0).
  set (m := mean_vector N v) in *; set (mu := norm d m) in *.
  set (Q := mean N (fun i => dot d (v i) (v i))).
  assert (Q0 : 0 < Q).
  { apply Rdiv_lt_0_compat; [| assumption].
    apply Rlt_le_trans with (dot d (v O) (v O)).
    - rewrite <- norm_sqr; apply Rmult_lt_0_compat; apply V; assumption.
    - apply (term_le_sum N (fun i => dot d (v i) (v i))); [intros; apply dot_nonneg | assumption]. }
  rewrite variability_less_mean by assumption; fold m mu Q.
  set (e := fun k => m k / mu).
  assert (E : dot d e e = 1)
    by (unfold e; rewrite dot_over, dot_comm, dot_over, <- norm_sqr; fold mu; field; lra).
  assert (We : dot d w m = mu * dot d w e) by (unfold e; rewrite dot_over; field; lra).
  assert (Ie : mean N (fun i => dot d e (v i)) = mu).
  { rewrite <- (dot_mean_r d N e v); change (dot d e m = mu).
    unfold e; rewrite dot_comm, dot_over, <- norm_sqr; fold mu; field; lra. }
  assert (Iw : mean N (fun i => dot d w (v i)) = mu * dot d w e)
    by (rewrite <- (dot_mean_r d N w v); exact We).
  (* the means of the bounds of all samples, at y = mu |v|/Q *)
  assert (H : mean N (fun i => dot d w (fun k => v i k / norm d (v i)))
              - mu / Q * mean N (fun i => dot d w (v i))
              <= 1 + (1 - dot d w e) * (mu / Q * (mu / Q)) * Q
                 - (2 - dot d w e) * (mu / Q) * mean N (fun i => dot d e (v i))).
  { apply Rmult_le_reg_l with (INR N); [assumption |].
    apply Rle_trans with
      (sum N (fun i => dot d w (fun k => v i k / norm d (v i)) - mu / Q * dot d w (v i))).
    - rewrite sum_minus, sum_scale, <- !mean_sum by assumption; right; ring.
    - eapply Rle_trans; [apply (sum_le N _ (fun i =>
        1 + (1 - dot d w e) * (mu / Q * (mu / Q)) * dot d (v i) (v i)
        - (2 - dot d w e) * (mu / Q) * dot d e (v i))) |].
      + intros i L; specialize (V i L); set (b := norm d (v i)) in *.
        assert (A : dot d (fun k => v i k / b) (fun k => v i k / b) = 1)
          by (rewrite dot_over, dot_comm, dot_over, <- norm_sqr; fold b; field; lra).
        assert (S := sample_bound d (fun k => v i k / b) e w (mu / Q * b) A E W).
        rewrite !dot_over in *; rewrite <- (norm_sqr d (v i)); fold b.
        assert (Y : 0 <= mu / Q * b)
          by (apply Rmult_le_pos; [left; apply Rdiv_lt_0_compat; assumption | lra]).
        specialize (S Y).
        replace ((1 - mu / Q * b) * (dot d w (v i) / b))
          with (dot d w (v i) / b - mu / Q * dot d w (v i)) in S by (field; lra).
        replace (mu / Q * b * (dot d e (v i) / b)) with (mu / Q * dot d e (v i)) in S
          by (field; lra).
        eapply Rle_trans; [exact S |]; right; ring.
      + rewrite sum_minus, sum_plus, !sum_scale, sum_const.
        rewrite <- (mean_sum N (fun i => dot d (v i) (v i))),
          <- (mean_sum N (fun i => dot d e (v i))) by assumption.
        fold Q; right; ring. }
  rewrite Ie, Iw, <- (dot_mean_r d N w (fun i k => v i k / norm d (v i))) in H.
  change (dot d w (mean_direction N d v) - mu / Q * (mu * dot d w e)
          <= 1 + (1 - dot d w e) * (mu / Q * (mu / Q)) * Q - (2 - dot d w e) * (mu / Q) * mu) in H.
  assert (Ws : dot d w (shrunk_mean N d v) = mu / Q * (mu * dot d w e)).
  { unfold shrunk_mean; fold m mu Q; rewrite <- We, <- dot_scale_r.
    apply dot_ext; intros; ring. }
  rewrite Ws; eapply Rle_trans; [exact H |]; right; field; lra.
Qed.

(** bnwd:corollary-a.2, sharp "ball around the direction of the mean": the mean direction is within
    V of 1 - V times the direction of the mean. *)
Theorem direction_ball (N d : nat) (v : nat -> nat -> R) :
  (0 < N)%nat -> (forall i, (i < N)%nat -> 0 < norm d (v i)) ->
  dot d (fun k => mean_direction N d v k - shrunk_mean N d v k)
        (fun k => mean_direction N d v k - shrunk_mean N d v k)
  <= squared_distance (direction_variability N d v) /\
  norm_from_variability (direction_variability N d v) <= norm d (mean_direction N d v).
Proof.
  intros N0 V; assert (P : 0 < INR N) by (apply lt_0_INR, N0).
  assert (Q0 : 0 < mean N (fun i => dot d (v i) (v i))).
  { apply Rdiv_lt_0_compat; [| assumption].
    apply Rlt_le_trans with (dot d (v O) (v O)).
    - rewrite <- norm_sqr; apply Rmult_lt_0_compat; apply V; assumption.
    - apply (term_le_sum N (fun i => dot d (v i) (v i))); [intros; apply dot_nonneg | assumption]. }
  unfold squared_distance, norm_from_variability.
  destruct (norm_nonneg d (mean_vector N v)) as [M | Z].
  - assert (Excess := fun w => excess_in_direction N d v w N0 V M).
    set (U := direction_variability N d v) in *.
    set (a := mean_direction N d v) in *; set (b := shrunk_mean N d v) in *.
    split.
    + set (z := fun k => a k - b k).
      destruct (norm_nonneg d z) as [Zp | Z0].
      * (* w is the direction of the difference *)
        assert (F : forall x, dot d (fun k => z k / norm d z) x = dot d z x / norm d z)
          by (intros x; rewrite dot_comm, dot_over, dot_comm; reflexivity).
        assert (H := Excess (fun k => z k / norm d z)); rewrite !F, dot_over in H.
        assert (D : dot d z a - dot d z b = norm d z * norm d z)
          by (rewrite norm_sqr, <- dot_minus_r; reflexivity).
        rewrite <- norm_sqr in H; rewrite <- norm_sqr.
        assert (norm d z <= U).
        { replace (norm d z) with (dot d z a / norm d z - dot d z b / norm d z);
            [apply H; field; lra |].
          replace (dot d z a) with (dot d z b + norm d z * norm d z) by lra; field; lra. }
        apply Rmult_le_compat; lra.
      * rewrite <- norm_sqr, <- Z0, Rmult_0_l; apply Rle_0_sqr.
    + (* w is opposite to the direction of the mean *)
      set (m := mean_vector N v) in *; set (mu := norm d m) in *.
      set (e := fun k => m k / mu).
      assert (E : dot d e e = 1)
        by (unfold e; rewrite dot_over, dot_comm, dot_over, <- norm_sqr; fold mu; field; lra).
      assert (H := Excess (fun k => -1 * e k)); rewrite !dot_scale_l, dot_scale_r, E in H.
      assert (B : dot d e b = 1 - U).
      { unfold U; rewrite variability_less_mean by assumption.
        unfold b, shrunk_mean; fold m mu.
        set (Q := mean N (fun i => dot d (v i) (v i))) in *.
        rewrite (dot_ext d e _ (fun k => mu / Q * m k)) by (intros; ring).
        rewrite dot_scale_r, dot_comm; unfold e; rewrite dot_over, <- norm_sqr; fold mu.
        field; lra. }
      rewrite B in H; assert (C := cauchy_schwarz d e a).
      unfold norm in C at 1; rewrite E, sqrt_1 in C; lra.
  - assert (One : direction_variability N d v = 1)
      by (rewrite variability_less_mean, <- Z by assumption; field; lra).
    rewrite One; split; [| assert (L := norm_nonneg d (mean_direction N d v)); lra].
    unfold dot; rewrite (sum_ext d _ (fun k => mean_direction N d v k * mean_direction N d v k))
      by (intros k _; unfold shrunk_mean; rewrite <- Z; unfold Rdiv; ring).
    change (dot d (mean_direction N d v) (mean_direction N d v) <= 1 * 1).
    destruct (cosine_identity N N d v v) as [<- _].
    assert (Ones : forall f, (forall i, f i <= 1) -> mean N f <= 1).
    { intros f F; replace 1 with (mean N (fun _ => 1))
        by (unfold mean; rewrite sum_const; field; lra).
      apply mean_le; auto. }
    rewrite Rmult_1_l; apply Ones; intros i; apply Ones; intros j; apply cosine_range.
Qed.
