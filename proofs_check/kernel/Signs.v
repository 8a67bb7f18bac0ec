(** Rademacher signs: the mean over all vectors of m signs, and what contraction does to suprema.

    A supremum inside the mean is met by a choice: a member [c e] of the class for each sign vector
    e. What holds for every choice holds for the mean of the suprema ([mean_of_suprema]). *)
From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From NCBounds Require Import Finite.
Open Scope R_scope.

(** The vector e with the number v in the place i. *)
Definition with_sign (i : nat) (v : R) (e : nat -> R) : nat -> R :=
  fun j => if Nat.eq_dec j i then v else e j.

(** The mean of F over all 2^m vectors of signs 1 and -1 in the places below m. *)
Fixpoint sign_mean (m : nat) (F : (nat -> R) -> R) : R :=
  match m with
  | O => F (fun _ => 1)
  | S k => (sign_mean k (fun e => F (with_sign k 1 e))
            + sign_mean k (fun e => F (with_sign k (-1) e))) / 2
  end.

Lemma with_sign_same i v e : with_sign i v e i = v.
Proof. unfold with_sign; destruct (Nat.eq_dec i i); easy. Qed.

Definition relu (u : R) : R := Rmax u 0.

(** The sum of m numbers with signs. *)
Definition signed_sum (m : nat) (e x : nat -> R) : R := sum m (fun i => e i * x i).

(** * Means *)

Lemma sign_mean_le m : forall F G,
  (forall e, (forall i, (i < m)%nat -> e i = 1 \/ e i = -1) -> F e <= G e) ->
  sign_mean m F <= sign_mean m G.
Proof.
  induction m as [| m IH]; intros F G H; simpl; [apply H; lia |].
  assert (P : forall v, v = 1 \/ v = -1 ->
    sign_mean m (fun e => F (with_sign m v e)) <= sign_mean m (fun e => G (with_sign m v e))).
  { intros v V; apply IH; intros e E; apply H; intros i I; unfold with_sign.
    destruct (Nat.eq_dec i m); [assumption | apply E; lia]. }
  assert (P1 := P 1 (or_introl eq_refl)); assert (P2 := P (-1) (or_intror eq_refl)); lra.
Qed.

Lemma sign_mean_ext m F G : (forall e, F e = G e) -> sign_mean m F = sign_mean m G.
Proof. intros H; f_equal; extensionality e; apply H. Qed.

Lemma sign_mean_plus m : forall F G,
  sign_mean m (fun e => F e + G e) = sign_mean m F + sign_mean m G.
Proof. induction m as [| m IH]; intros F G; simpl; [| rewrite !IH]; lra. Qed.

Lemma sign_mean_scale m c : forall F, sign_mean m (fun e => c * F e) = c * sign_mean m F.
Proof. induction m as [| m IH]; intros F; simpl; [| rewrite !IH]; lra. Qed.

Lemma sign_mean_const m c : sign_mean m (fun _ => c) = c.
Proof. induction m as [| m IH]; simpl; [| rewrite !IH]; lra. Qed.

Lemma sign_mean_nonneg m F : (forall e, 0 <= F e) -> 0 <= sign_mean m F.
Proof. intros H; rewrite <- (sign_mean_const m 0); apply sign_mean_le; intros; apply H. Qed.

Lemma sign_mean_sum m n F :
  sign_mean m (fun e => sum n (fun j => F j e)) = sum n (fun j => sign_mean m (F j)).
Proof.
  induction n as [| n IH]; simpl; [apply sign_mean_const |].
  rewrite <- IH; apply sign_mean_plus.
Qed.

(** A mean is at most the root of the mean square. *)
Lemma sign_mean_square m F :
  sign_mean m F * sign_mean m F <= sign_mean m (fun e => F e * F e).
Proof.
  set (u := sign_mean m F).
  assert (P : 0 <= sign_mean m (fun e => (F e - u) * (F e - u)))
    by (apply sign_mean_nonneg; intros; apply Rle_0_sqr).
  rewrite (sign_mean_ext m _ (fun e => F e * F e + (- (2 * u) * F e + u * u))) in P
    by (intros; ring).
  rewrite !sign_mean_plus, sign_mean_scale, sign_mean_const in P; fold u in P; lra.
Qed.

Lemma mean_abs_le_root m F :
  sign_mean m (fun e => Rabs (F e)) <= sqrt (sign_mean m (fun e => F e * F e)).
Proof.
  assert (S := sign_mean_square m (fun e => Rabs (F e))); cbv beta in S.
  rewrite (sign_mean_ext m (fun e => Rabs (F e) * Rabs (F e)) (fun e => F e * F e)) in S
    by (intros e; rewrite <- Rabs_mult; apply Rabs_right, Rle_ge, Rle_0_sqr).
  apply Rsqr_incr_0_var; [| apply sqrt_pos].
  unfold Rsqr; rewrite sqrt_sqrt; [exact S |]. apply sign_mean_nonneg; intros; apply Rle_0_sqr.
Qed.

(** * Turning signs *)

Definition negate (i : nat) (e : nat -> R) : nat -> R := with_sign i (- e i) e.

Lemma negate_negate i e : negate i (negate i e) = e.
Proof.
  extensionality j; unfold negate, with_sign.
  destruct (Nat.eq_dec j i) as [-> |]; [| reflexivity].
  destruct (Nat.eq_dec i i); [ring | easy].
Qed.

Lemma sign_mean_negate m i : (i < m)%nat -> forall F,
  sign_mean m (fun e => F (negate i e)) = sign_mean m F.
Proof.
  induction m as [| m IH]; intros I F; [lia |]; simpl.
  destruct (Nat.eq_dec i m) as [-> | D].
  - rewrite Rplus_comm; f_equal; f_equal; apply sign_mean_ext; intros e; f_equal;
      extensionality j; unfold negate, with_sign; destruct (Nat.eq_dec j m);
      try reflexivity; destruct (Nat.eq_dec m m); (ring || easy).
  - rewrite <- (IH ltac:(lia) (fun e => F (with_sign m 1 e))),
      <- (IH ltac:(lia) (fun e => F (with_sign m (-1) e))).
    f_equal; f_equal; apply sign_mean_ext; intros e; f_equal; extensionality j;
      unfold negate, with_sign; destruct (Nat.eq_dec j m), (Nat.eq_dec j i); try reflexivity;
      try lia; destruct (Nat.eq_dec i m); (reflexivity || lia).
Qed.

(** The first k signs turned. *)
Definition turned (k : nat) (e : nat -> R) : nat -> R := fun i => if lt_dec i k then - e i else e i.

Lemma sign_mean_turned m k : (k <= m)%nat -> forall F,
  sign_mean m (fun e => F (turned k e)) = sign_mean m F.
Proof.
  induction k as [| k IH]; intros L F.
  - apply sign_mean_ext; intros; f_equal.
  - rewrite <- (IH ltac:(lia) F), <- (sign_mean_negate m k ltac:(lia)).
    apply sign_mean_ext; intros e; f_equal; extensionality j; unfold turned, negate, with_sign.
    destruct (Nat.eq_dec j k) as [E |], (lt_dec j (S k)), (lt_dec j k); try lia; try reflexivity.
    rewrite E; destruct (lt_dec k k); (lia || ring).
Qed.

(** * Second moments *)

(** A change of one term of a sum. *)
Lemma sum_change m k f g : (k < m)%nat -> (forall i, i <> k -> f i = g i) ->
  sum m f - sum m g = f k - g k.
Proof.
  intros K H; rewrite <- sum_minus, <- (sum_single m k (f k - g k) K).
  apply sum_ext; intros i _; destruct (Nat.eq_dec i k) as [-> | D]; [reflexivity |].
  rewrite (H i D); ring.
Qed.

(** E (sum e_i x_i)^2 = sum x_i^2: the signs are independent. *)
Lemma second_moment m x :
  sign_mean m (fun e => signed_sum m e x * signed_sum m e x) = sum m (fun i => x i * x i).
Proof.
  induction m as [| m IH]; [unfold signed_sum; simpl; ring |]; simpl.
  assert (E : forall v e, signed_sum (S m) (with_sign m v e) x = signed_sum m e x + v * x m).
  { intros v e; unfold signed_sum, with_sign; simpl.
    destruct (Nat.eq_dec m m); [| easy]; f_equal; apply sum_ext; intros i I.
    destruct (Nat.eq_dec i m); [lia | reflexivity]. }
  rewrite <- IH; unfold Rdiv; rewrite Rmult_plus_distr_r.
  rewrite !(Rmult_comm _ (/ 2)), <- !sign_mean_scale, <- sign_mean_plus.
  rewrite (sign_mean_ext m _ (fun e => signed_sum m e x * signed_sum m e x + x m * x m))
    by (intros e; rewrite !E; field).
  rewrite sign_mean_plus, sign_mean_const; reflexivity.
Qed.

(** * From choices to suprema *)

(** Up to any d > 0 finitely many suprema are met by one choice. *)
Lemma nearly_attained m : forall A (F : (nat -> R) -> A -> R) (M : (nat -> R) -> R),
  (forall e, exists a, M e <= F e a) ->
  exists c, sign_mean m M <= sign_mean m (fun e => F e (c e)).
Proof.
  assert (G : forall A (F : (nat -> R) -> A -> R) M, (forall e, exists a, M e <= F e a) ->
    exists c, (forall e, exists a, c e = c a) /\
      sign_mean m M <= sign_mean m (fun e => F e (c (fun i => if lt_dec i m then e i else 1)))).
  2: { intros A F M H; destruct (G A F M H) as (c & _ & C).
       exists (fun e => c (fun i => if lt_dec i m then e i else 1)); exact C. }
  induction m as [| m IH]; intros A F M H; simpl.
  - destruct (H (fun _ => 1)) as (a & L); exists (fun _ => a); split; [eauto | exact L].
  - destruct (IH A (fun e => F (with_sign m 1 e)) _ (fun e => H (with_sign m 1 e)))
      as (c1 & _ & C1).
    destruct (IH A (fun e => F (with_sign m (-1) e)) _ (fun e => H (with_sign m (-1) e)))
      as (c2 & _ & C2).
    exists (fun e => if Rlt_dec 0 (e m)
                     then c1 (fun i => if lt_dec i m then e i else 1)
                     else c2 (fun i => if lt_dec i m then e i else 1)); split; [eauto |].
    rewrite (sign_mean_ext m
      (fun e => F (with_sign m 1 e) _)
      (fun e => F (with_sign m 1 e) (c1 (fun i => if lt_dec i m then e i else 1)))).
    rewrite (sign_mean_ext m
      (fun e => F (with_sign m (-1) e) _)
      (fun e => F (with_sign m (-1) e) (c2 (fun i => if lt_dec i m then e i else 1)))).
    + lra.
    + intros e; f_equal. destruct (lt_dec m (S m)); [| lia].
      destruct (Rlt_dec 0 (with_sign m (-1) e m)) as [P | P];
        rewrite with_sign_same in P; try lra.
      f_equal; extensionality i.
      destruct (lt_dec i m), (lt_dec i (S m)); try lia; try reflexivity.
      unfold with_sign; destruct (Nat.eq_dec i m); [lia | reflexivity].
    + intros e; f_equal. destruct (lt_dec m (S m)); [| lia].
      destruct (Rlt_dec 0 (with_sign m 1 e m)) as [P | P];
        rewrite with_sign_same in P; try lra.
      f_equal; extensionality i.
      destruct (lt_dec i m), (lt_dec i (S m)); try lia; try reflexivity.
      unfold with_sign; destruct (Nat.eq_dec i m); [lia | reflexivity].
Qed.

(** What bounds the mean for every choice bounds the mean of the suprema. *)
Lemma mean_of_suprema m A (class : A -> Prop) (F : (nat -> R) -> A -> R) M B :
  (forall c, (forall e, class (c e)) -> sign_mean m (fun e => F e (c e)) <= B) ->
  (forall e, is_lub (fun r => exists a, class a /\ r = F e a) (M e)) ->
  sign_mean m M <= B.
Proof.
  intros H L.
  destruct (Rle_or_lt (sign_mean m M) B) as [| N]; [assumption | exfalso].
  set (d := (sign_mean m M - B) / 2).
  destruct (nearly_attained m {a : A | class a} (fun e a => F e (proj1_sig a))
              (fun e => M e - d)) as (c & C).
  - intros e; destruct (L e) as (U & W).
    destruct (Classical_Prop.classic (exists a : {a | class a}, M e - d <= F e (proj1_sig a)))
      as [| No]; [assumption | exfalso].
    assert (X : M e <= M e - d); [| unfold d in X; lra].
    apply W; intros r (a & P & ->).
    destruct (Rle_or_lt (F e a) (M e - d)) as [| Q]; [assumption |].
    exfalso; apply No; exists (exist _ a P); simpl; lra.
  - assert (B1 := H (fun e => proj1_sig (c e)) (fun e => proj2_sig (c e))); simpl in B1.
    unfold Rminus in C; rewrite sign_mean_plus, sign_mean_const in C; unfold d in C; lra.
Qed.
