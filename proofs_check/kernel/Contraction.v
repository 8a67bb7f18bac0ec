(** Contraction: what a ReLU, or an absolute value, costs in the mean over signs.

    A class is a family of vectors [t a] of any index type; for each choice of a member for each
    sign vector there is another choice, with values of the first one only, that does as well. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Signs.
Open Scope R_scope.

(** The square of the positive part, which grows. *)
Definition plus_square (u : R) : R := relu u * relu u.

Lemma relu_cases u : (0 <= u /\ relu u = u) \/ (u <= 0 /\ relu u = 0).
Proof. unfold relu, Rmax; destruct (Rle_dec u 0); [right | left]; lra. Qed.

Lemma plus_square_grows u v : u <= v -> plus_square u <= plus_square v.
Proof.
  intros H; unfold plus_square.
  destruct (relu_cases u) as [[? ->] | [? ->]], (relu_cases v) as [[? ->] | [? ->]]; nra.
Qed.

Lemma square_of_parts u : u * u = plus_square u + plus_square (- u).
Proof.
  unfold plus_square.
  destruct (relu_cases u) as [[? ->] | [? ->]], (relu_cases (- u)) as [[? ->] | [? ->]]; nra.
Qed.

Lemma plus_square_le u : plus_square u <= u * u.
Proof. unfold plus_square; destruct (relu_cases u) as [[? ->] | [? ->]]; nra. Qed.

(** One sign: two members at both values of a sign do no worse without the absolute value, each at
    its own place or in the place of the other. *)
Lemma two_members t s a b :
  plus_square (t + Rabs a) + plus_square (s - Rabs b)
    <= plus_square (t + a) + plus_square (s - b) \/
  plus_square (t + Rabs a) + plus_square (s - Rabs b)
    <= plus_square (s + b) + plus_square (t - a).
Proof.
  destruct (Rle_or_lt 0 a) as [A | A].
  - left; rewrite (Rabs_right a) by lra.
    assert (plus_square (s - Rabs b) <= plus_square (s - b)); [| lra].
    apply plus_square_grows; assert (H := Rle_abs b); lra.
  - right; rewrite (Rabs_left a) by lra.
    assert (plus_square (s - Rabs b) <= plus_square (s + b)).
    { apply plus_square_grows; assert (H := Rle_abs (- b)); rewrite Rabs_Ropp in H; lra. }
    replace (t + - a) with (t - a) by ring; lra.
Qed.

(** The absolute value is dropped from one coordinate of a vector. *)
Lemma drop_one m k A (r : (nat -> R) -> A -> R) (x : A -> R) (c : (nat -> R) -> A) :
  (k < m)%nat -> (forall e a, r (negate k e) a = r e a) ->
  exists c', (forall e, exists e', c' e = c e') /\
  sign_mean m (fun e => plus_square (r e (c e) + e k * Rabs (x (c e))))
  <= sign_mean m (fun e => plus_square (r e (c' e) + e k * x (c' e))).
Proof.
  intros K R.
  set (G := fun e a b => plus_square (r e a + e k * x a) + plus_square (r e b - e k * x b)).
  exists (fun e => if Rle_dec (G e (c (negate k e)) (c e)) (G e (c e) (c (negate k e)))
                   then c e else c (negate k e)); split.
  { intros e; destruct (Rle_dec _ _); eauto. }
  set (c' := fun e => if Rle_dec (G e (c (negate k e)) (c e)) (G e (c e) (c (negate k e)))
                      then c e else c (negate k e)).
  assert (T : forall F, sign_mean m F = / 2 * sign_mean m (fun e => F e + F (negate k e))).
  { intros F; rewrite sign_mean_plus, (sign_mean_negate m k K); lra. }
  rewrite (T (fun e => plus_square (r e (c e) + _))),
    (T (fun e => plus_square (r e (c' e) + _))).
  apply Rmult_le_compat_l; [lra |]; apply sign_mean_le; intros e S; rewrite !R.
  assert (N : negate k e k = - e k) by apply with_sign_same; rewrite N.
  assert (B : G (negate k e) (c e) (c (negate k e)) = G e (c (negate k e)) (c e)
              /\ G (negate k e) (c (negate k e)) (c e) = G e (c e) (c (negate k e))).
  { unfold G; rewrite !R, N; split; rewrite Rplus_comm; f_equal; f_equal; ring. }
  assert (C : plus_square (r e (c e) + e k * Rabs (x (c e)))
              + plus_square (r e (c (negate k e)) + - e k * Rabs (x (c (negate k e))))
              <= G e (c e) (c (negate k e)) \/
              plus_square (r e (c e) + e k * Rabs (x (c e)))
              + plus_square (r e (c (negate k e)) + - e k * Rabs (x (c (negate k e))))
              <= G e (c (negate k e)) (c e)).
  { unfold G; set (a := x (c e)); set (b := x (c (negate k e))).
    destruct (S k K) as [-> | ->].
    - replace (1 * Rabs a) with (Rabs a) by ring. replace (- (1) * Rabs b) with (- Rabs b) by ring.
      rewrite !Rmult_1_l; apply two_members.
    - destruct (two_members (r e (c (negate k e))) (r e (c e)) b a) as [H | H]; [left | right];
        (eapply Rle_trans; [| eapply Rle_trans; [exact H |]]);
        apply Req_le; rewrite Rplus_comm; f_equal; f_equal; ring. }
  unfold c'; rewrite negate_negate; destruct B as [B1 B2]; rewrite B1, B2.
  assert (E1 : plus_square (r e (c e) + e k * x (c e))
               + plus_square (r e (c (negate k e)) + - e k * x (c (negate k e)))
               = G e (c e) (c (negate k e))) by (unfold G; f_equal; f_equal; ring).
  assert (E2 : plus_square (r e (c (negate k e)) + e k * x (c (negate k e)))
               + plus_square (r e (c e) + - e k * x (c e))
               = G e (c (negate k e)) (c e)) by (unfold G; f_equal; f_equal; ring).
  destruct (Rle_dec (G e (c (negate k e)) (c e)) (G e (c e) (c (negate k e)))),
    (Rle_dec (G e (c e) (c (negate k e))) (G e (c (negate k e)) (c e))); destruct C; lra.
Qed.

(** The absolute values are dropped from the first k coordinates, one after the other. *)
Lemma drop_all m k A (t : A -> nat -> R) (c : (nat -> R) -> A) : (k <= m)%nat ->
  exists c', (forall e, exists e', c' e = c e') /\
  sign_mean m (fun e => plus_square (signed_sum m e (fun i => Rabs (t (c e) i))))
  <= sign_mean m (fun e => plus_square (signed_sum m e
       (fun i => if lt_dec i k then t (c' e) i else Rabs (t (c' e) i)))).
Proof.
  induction k as [| k IH]; intros L.
  { exists c; split; [eauto |]; apply Req_le, sign_mean_ext; reflexivity. }
  destruct IH as (c1 & R1 & C1); [lia |].
  set (v := fun a i => if lt_dec i (S k) then t a i else Rabs (t a i)).
  destruct (drop_one m k A (fun e a => signed_sum m e (v a) - e k * t a k) (fun a => t a k) c1)
    as (c2 & R2 & C2); [lia | |].
  - intros e a.
    assert (H := sum_change m k (fun i => negate k e i * v a i) (fun i => e i * v a i)).
    unfold signed_sum; cbv beta in H.
    assert (N : negate k e k = - e k) by apply with_sign_same; rewrite N in H |- *.
    assert (V : v a k = t a k) by (unfold v; destruct (lt_dec k (S k)); [reflexivity | lia]).
    rewrite V in H.
    enough (sum m (fun i => negate k e i * v a i) - sum m (fun i => e i * v a i)
            = - e k * t a k - e k * t a k) by lra.
    apply H; [lia |]; intros i D; unfold negate, with_sign.
    destruct (Nat.eq_dec i k); [easy | reflexivity].
  - exists c2; split.
    { intros e; destruct (R2 e) as (e' & ->); apply R1. }
    eapply Rle_trans; [exact C1 |].
    eapply Rle_trans; [apply Req_le, sign_mean_ext |
                       eapply Rle_trans; [exact C2 | apply Req_le, sign_mean_ext]];
      intros e; cbv beta; f_equal; [| unfold v; ring].
    assert (H := sum_change m k
      (fun i => e i * (if lt_dec i k then t (c1 e) i else Rabs (t (c1 e) i)))
      (fun i => e i * v (c1 e) i)); unfold signed_sum; cbv beta in H |- *.
    enough (sum m (fun i => e i * (if lt_dec i k then t (c1 e) i else Rabs (t (c1 e) i)))
            - sum m (fun i => e i * v (c1 e) i)
            = e k * Rabs (t (c1 e) k) - e k * t (c1 e) k) by lra.
    rewrite H; [| lia |].
    + unfold v; destruct (lt_dec k k), (lt_dec k (S k)); (lia || reflexivity).
    + intros i D; unfold v; destruct (lt_dec i k), (lt_dec i (S k)); (lia || reflexivity).
Qed.

(** The absolute value costs a factor 2 in the mean of the largest square. *)
Theorem contraction_of_absolute_values m A (t : A -> nat -> R) (c : (nat -> R) -> A) :
  exists c', (forall e, exists e', c' e = c e') /\
  sign_mean m (fun e => signed_sum m e (fun i => Rabs (t (c e) i)) ^ 2)
  <= 2 * sign_mean m (fun e => signed_sum m e (t (c' e)) ^ 2).
Proof.
  set (B := fun c e => plus_square (signed_sum m e (fun i => Rabs (t (c e : A) i)))).
  assert (D : forall c, exists c', (forall e, exists e', c' e = c e') /\
    sign_mean m (B c) <= sign_mean m (fun e => signed_sum m e (t (c' e)) ^ 2)).
  { intros c0; destruct (drop_all m m A t c0 (le_n m)) as (c' & R & H); exists c'; split;
    [exact R |].
    eapply Rle_trans; [exact H |]; apply sign_mean_le; intros e _.
    eapply Rle_trans; [apply plus_square_le |]; apply Req_le; rewrite <- Rsqr_pow2; unfold Rsqr.
    assert (E : signed_sum m e (fun i => if lt_dec i m then t (c' e) i else Rabs (t (c' e) i))
                = signed_sum m e (t (c' e))); [| rewrite E; reflexivity].
    apply sum_ext; intros i I; destruct (lt_dec i m); [reflexivity | lia]. }
  assert (E : sign_mean m (fun e => signed_sum m e (fun i => Rabs (t (c e) i)) ^ 2)
              = sign_mean m (B c) + sign_mean m (B (fun e => c (turned m e)))).
  { rewrite <- (sign_mean_turned m m (le_n m) (B (fun e => c (turned m e)))), <- sign_mean_plus.
    apply sign_mean_ext; intros e; unfold B.
    rewrite <- Rsqr_pow2; unfold Rsqr; rewrite square_of_parts; f_equal; f_equal.
    assert (T : turned m (turned m e) = e).
    { apply FunctionalExtensionality.functional_extensionality; intros i; unfold turned.
      destruct (lt_dec i m); ring. }
    rewrite T; unfold signed_sum; rewrite <- (Rmult_1_l (sum m _)), Ropp_mult_distr_l, <- sum_scale.
    apply sum_ext; intros i I; unfold turned; destruct (lt_dec i m); [ring | lia]. }
  destruct (D c) as (c1 & R1 & D1), (D (fun e => c (turned m e))) as (c2 & R2 & D2).
  destruct (Rle_or_lt (sign_mean m (fun e => signed_sum m e (t (c1 e)) ^ 2))
                      (sign_mean m (fun e => signed_sum m e (t (c2 e)) ^ 2))).
  - exists c2; split; [| lra]. intros e; destruct (R2 e) as (e' & ->); eauto.
  - exists c1; split; [exact R1 | lra].
Qed.

(** What a ReLU costs: half of it is linear, half an absolute value. *)
Definition relu_cost : R := (1 + sqrt 2) / 2.

Lemma sqrt_two : sqrt 2 * sqrt 2 = 2 /\ 1 < sqrt 2 < 3 / 2.
Proof.
  assert (S : sqrt 2 * sqrt 2 = 2) by (apply sqrt_sqrt; lra).
  assert (0 <= sqrt 2) by apply sqrt_pos; split; [exact S | split; nra].
Qed.

(** It is less than the factor 2 in the mean square of the usual contraction. *)
Lemma relu_cost_square : relu_cost ^ 2 <= 2.
Proof. unfold relu_cost; destruct sqrt_two as (S & L & U); nra. Qed.

Theorem contraction_of_relu m A (t : A -> nat -> R) (c : (nat -> R) -> A) :
  exists c', (forall e, exists e', c' e = c e') /\
  sign_mean m (fun e => signed_sum m e (fun i => relu (t (c e) i)) ^ 2)
  <= relu_cost ^ 2 * sign_mean m (fun e => signed_sum m e (t (c' e)) ^ 2).
Proof.
  destruct (contraction_of_absolute_values m A t c) as (c1 & R1 & C1).
  destruct sqrt_two as (S & L & U); set (q := sqrt 2) in *.
  set (P := sign_mean m (fun e => signed_sum m e (t (c e)) ^ 2)) in *.
  set (Q := sign_mean m (fun e => signed_sum m e (fun i => Rabs (t (c e) i)) ^ 2)) in *.
  assert (H : sign_mean m (fun e => signed_sum m e (fun i => relu (t (c e) i)) ^ 2)
              <= / 4 * ((1 + q) * P + (1 + q / 2) * Q)).
  { unfold P, Q; rewrite <- !sign_mean_scale, <- sign_mean_plus, <- sign_mean_scale.
    apply sign_mean_le; intros e _.
    set (u := signed_sum m e (t (c e))).
    set (v := signed_sum m e (fun i => Rabs (t (c e) i))).
    assert (E : signed_sum m e (fun i => relu (t (c e) i)) = / 2 * (u + v)).
    { unfold u, v, signed_sum; rewrite <- sum_plus, <- sum_scale; apply sum_ext; intros i _.
      unfold relu, Rmax, Rabs; destruct (Rle_dec _ 0), (Rcase_abs _); try lra.
      replace (t (c e) i) with 0 by lra; ring. }
    rewrite E; assert (0 <= (q * u - v) * (q * u - v) * (q / 2)).
    { apply Rmult_le_pos; [apply Rle_0_sqr | lra]. }
    replace ((q * u - v) * (q * u - v) * (q / 2))
      with (q * u * u * (q * q) / 2 - q * q * u * v + q / 2 * (v * v)) in H by field.
    rewrite S in H; lra. }
  destruct (Rle_or_lt P (sign_mean m (fun e => signed_sum m e (t (c1 e)) ^ 2))).
  - exists c1; split; [exact R1 |]; unfold relu_cost; fold q.
    set (X := sign_mean m (fun e => signed_sum m e (t (c1 e)) ^ 2)) in *.
    eapply Rle_trans; [exact H |].
    replace (((1 + q) / 2) ^ 2 * X) with (/ 4 * ((1 + 2 * q + q * q) * X)) by field; rewrite S; nra.
  - exists c; split; [eauto |]; unfold relu_cost; fold q; fold P.
    eapply Rle_trans; [exact H |].
    replace (((1 + q) / 2) ^ 2 * P) with (/ 4 * ((1 + 2 * q + q * q) * P)) by field; rewrite S; nra.
Qed.
