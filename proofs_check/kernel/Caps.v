(** Caps of the sphere: their measure, and what it says of codes.

    The share of a cap of angle x in the sphere of R^d, d >= 3, is S(x)/S(pi), S(x) the integral of
    sin^(d-2) from 0 to x. That this is a measure is taken as a premise, in the two forms in which
    it is needed: caps that cover the sphere, and caps that are disjoint. *)
From Coq Require Import Reals Lra Lia Classical.
From Coquelicot Require Import Coquelicot.
From NCBounds Require Import Finite Hull Midpoint SoftmaxCode Optima.
Open Scope R_scope.

(** The measure of a cap of angle x, but for a factor that depends on d alone. *)
Definition cap (d : nat) (x : R) : R := RInt (fun u => sin u ^ (d - 2)) 0 x.

(** Caps of angle x that cover the sphere have at least its measure. *)
Definition covering_caps (d : nat) : Prop :=
  forall (n : nat) (y : nat -> nat -> R) (x : R),
  0 <= x <= PI ->
  (forall k, (k < n)%nat -> dot d (y k) (y k) = 1) ->
  (forall z, dot d z z = 1 -> exists k, (k < n)%nat /\ cos x < dot d (y k) z) ->
  cap d PI <= INR n * cap d x.

(** Caps of angle x whose centres are at least 2 x apart have at most its measure. *)
Definition disjoint_caps (d : nat) : Prop :=
  forall (n : nat) (y : nat -> nat -> R) (x : R),
  0 <= x <= PI / 2 ->
  (forall k, (k < n)%nat -> dot d (y k) (y k) = 1) ->
  (forall k j, (k < n)%nat -> (j < n)%nat -> j <> k -> dot d (y k) (y j) <= cos (2 * x)) ->
  INR n * cap d x <= cap d PI.

(** * The measure of a cap, without integrals *)

Lemma integral_of_derivative F f x :
  0 <= x -> (forall u, is_derive F u (f u)) -> (forall u, continuous f u) ->
  RInt f 0 x = F x - F 0 :> R.
Proof. intros X D C; apply is_RInt_unique, (is_RInt_derive F f 0 x); intros; auto. Qed.

Lemma integral_le f g x :
  0 <= x -> (forall u, continuous f u) -> (forall u, continuous g u) ->
  (forall u, 0 < u < x -> f u <= g u) -> RInt f 0 x <= RInt g 0 x.
Proof.
  intros X F G L; apply RInt_le; auto.
  - apply (ex_RInt_continuous (V := R_CompleteNormedModule)); intros; apply F.
  - apply (ex_RInt_continuous (V := R_CompleteNormedModule)); intros; apply G.
Qed.

Lemma continuous_power m u : continuous (fun u => sin u ^ m) u.
Proof. apply (ex_derive_continuous (V := R_NormedModule)); auto_derive; exact I. Qed.

Lemma cap_bounds m x :
  (1 <= m)%nat -> 0 <= x <= PI ->
  sin x ^ S m / INR (S m) <= RInt (fun u => sin u ^ m) 0 x
  <= (2 * sin (x / 2)) ^ S m / INR (S m).
Proof.
  intros M X; assert (N : INR (S m) <> 0) by (apply not_0_INR; lia).
  split.
  - replace (sin x ^ S m / INR (S m)) with (RInt (fun u => sin u ^ m * cos u) 0 x : R).
    + apply integral_le; [lra | | apply continuous_power |].
      * intros u; apply (ex_derive_continuous (V := R_NormedModule)); auto_derive; exact I.
      * intros u U; assert (0 <= sin u ^ m) by (apply pow_le, sin_ge_0; lra).
        assert (C := COS_bound u). nra.
    + rewrite (integral_of_derivative (fun u => sin u ^ S m / INR (S m))); [| lra | |].
      * rewrite sin_0, pow_i by lia; unfold Rdiv; ring.
      * intros u; auto_derive; [exact I |]. change (Init.Nat.pred (S m)) with m. field; exact N.
      * intros u; apply (ex_derive_continuous (V := R_NormedModule)); auto_derive; exact I.
  - replace ((2 * sin (x / 2)) ^ S m / INR (S m))
      with (RInt (fun u => (2 * sin (u / 2)) ^ m * cos (u / 2)) 0 x : R).
    + apply integral_le; [lra | apply continuous_power | |].
      * intros u; apply (ex_derive_continuous (V := R_NormedModule)); auto_derive; exact I.
      * intros u U; replace (sin u) with (2 * sin (u / 2) * cos (u / 2)).
        2: { rewrite <- sin_2a; f_equal; field. }
        rewrite Rpow_mult_distr.
        assert (0 <= (2 * sin (u / 2)) ^ m).
        { apply pow_le; assert (0 <= sin (u / 2)) by (apply sin_ge_0; lra); lra. }
        apply Rmult_le_compat_l; [assumption |].
        assert (0 <= cos (u / 2)) by (apply cos_ge_0; lra).
        assert (C := COS_bound (u / 2)).
        destruct m as [| m]; [lia |]; simpl.
        assert (cos (u / 2) ^ m <= 1) by (rewrite <- (pow1 m); apply pow_incr; lra). nra.
    + rewrite (integral_of_derivative (fun u => (2 * sin (u / 2)) ^ S m / INR (S m))); [| lra | |].
      * replace (0 / 2) with 0 by field; rewrite sin_0, Rmult_0_r, pow_i by lia; unfold Rdiv; ring.
      * intros u; auto_derive; [exact I |]. change (Init.Nat.pred (S m)) with m.
        unfold Rdiv; field; exact N.
      * intros u; apply (ex_derive_continuous (V := R_NormedModule)); auto_derive; exact I.
Qed.

(** gnc:theorem-3.9, sharp "factor-4 sandwich", caps: (sin x)^(d-1)/(d-1) <= S(x) and
    S(x) <= (2 sin(x/2))^(d-1)/(d-1), by comparing derivatives. *)
Theorem cap_enclosed :
  forall (d : nat) (x : R),
  (3 <= d)%nat -> 0 <= x -> x <= PI ->
  sin x ^ (d - 1) / (INR d - 1) <= cap d x /\
  cap d x <= (2 * sin (x / 2)) ^ (d - 1) / (INR d - 1).
Proof.
  intros d x D X0 X1; unfold cap.
  assert (E : INR d - 1 = INR (d - 1)) by (rewrite minus_INR by lia; reflexivity).
  rewrite E; replace (d - 1)%nat with (S (d - 2)) by lia.
  apply cap_bounds; [lia | lra].
Qed.

(** * Greedy codes and packed caps *)

(** Points are added as long as their caps do not cover the sphere. *)
Lemma greedy_code d x n :
  (1 <= d)%nat -> covering_caps d -> 0 <= x <= PI -> 0 <= cap d x ->
  INR n * cap d x < cap d PI -> has_spherical_code d (S n) (cos x).
Proof.
  intros D Cover X P; induction n as [| n IH]; intros L.
  { exists (fun _ => first_axis); split; [intros; apply first_axis_unit, D | intros; lia]. }
  destruct IH as (w & W & T); [rewrite S_INR in L; lra |].
  destruct (classic (exists z, dot d z z = 1 /\
    forall k, (k < S n)%nat -> dot d (w k) z <= cos x)) as [(z & Z & F) | None].
  - exists (fun k => if Nat.eq_dec k (S n) then z else w k); split.
    + intros k Hk; destruct (Nat.eq_dec k (S n)); [exact Z | apply W; lia].
    + intros k j Hk Hj N; destruct (Nat.eq_dec k (S n)), (Nat.eq_dec j (S n)); try lia.
      * rewrite dot_comm; apply F; lia.
      * apply F; lia.
      * apply T; lia.
  - exfalso; apply (Rlt_not_le _ _ L), (Cover (S n) w x X W).
    intros z Z; apply NNPP; intros No; apply None; exists z; split; [exact Z |].
    intros k Hk; apply Rnot_lt_le; intros G; apply No; exists k; split; assumption.
Qed.

Lemma power_lt m a b : 0 <= a < b -> a ^ S m < b ^ S m.
Proof.
  intros H; induction m as [| m IH]; [simpl; lra |].
  change (a * a ^ S m < b * b ^ S m); apply Rmult_le_0_lt_compat; try lra; apply pow_le; lra.
Qed.

Lemma cap_nonneg d x : (3 <= d)%nat -> 0 <= x <= PI -> 0 <= cap d x.
Proof.
  intros D X; destruct (cap_enclosed d x D ltac:(lra) ltac:(lra)) as (L & _).
  assert (3 <= INR d) by (apply le_INR in D; simpl in D; lra).
  eapply Rle_trans; [| exact L]; apply Rdiv_le_0_compat; [apply pow_le, sin_ge_0; lra | lra].
Qed.

(** The whole sphere has at least the measure of a half, which is positive. *)
Lemma cap_half d : (3 <= d)%nat -> 0 < cap d (PI / 2) <= cap d PI.
Proof.
  intros D; assert (P := PI_RGT_0).
  assert (3 <= INR d) by (apply le_INR in D; simpl in D; lra).
  split.
  - destruct (cap_enclosed d (PI / 2) D ltac:(lra) ltac:(lra)) as (L & _).
    rewrite sin_PI2, pow1 in L; eapply Rlt_le_trans; [| exact L]; apply Rdiv_lt_0_compat; lra.
  - assert (E : forall a b, ex_RInt (fun u => sin u ^ (d - 2)) a b).
    { intros; apply (ex_RInt_continuous (V := R_CompleteNormedModule)); intros;
        apply continuous_power. }
    unfold cap; rewrite <- (RInt_Chasles _ 0 (PI / 2) PI) by apply E.
    assert (0 <= RInt (fun u => sin u ^ (d - 2)) (PI / 2) PI).
    { apply RInt_ge_0; [lra | apply E |]; intros; apply pow_le, sin_ge_0; lra. }
    unfold plus; simpl; lra.
Qed.

(** * The sandwich *)

(** (d - 1)/K times the integral of sin^(d-2) from 0 to pi. *)
Definition cap_share (d K : nat) : R := (INR d - 1) / INR K * cap d PI.

(** B^(1/(d-1)) and its powers. *)
Lemma share_root d K :
  (3 <= d)%nat -> (1 <= K)%nat ->
  exists b, 0 < b /\ b ^ (d - 1) = cap_share d K
    /\ b * b = Rpower (cap_share d K) (2 / (INR d - 1)).
Proof.
  intros D K1; assert (3 <= INR d) by (apply le_INR in D; simpl in D; lra).
  assert (1 <= INR K) by (apply le_INR in K1; exact K1).
  assert (C := cap_half d D).
  assert (P : 0 < cap_share d K).
  { apply Rmult_lt_0_compat; [apply Rdiv_lt_0_compat |]; lra. }
  exists (Rpower (cap_share d K) (1 / (INR d - 1))); split; [apply exp_pos | split].
  - rewrite <- Rpower_pow by apply exp_pos; rewrite Rpower_mult, minus_INR by lia.
    replace (1 / (INR d - 1) * (INR d - INR 1)) with 1 by (simpl; field; lra).
    apply Rpower_1, P.
  - rewrite <- Rpower_plus; f_equal; field; lra.
Qed.

(** gnc:theorem-3.9, sharp "factor-4 sandwich", for d >= 3 and under two premises on the measure of
    caps, which are not proved here: K unit vectors of margin B^(2/(d-1))/2 exist, and no margin
    exceeds 2 B^(2/(d-1)). *)
Theorem sandwich_from_caps :
  forall (d K : nat),
  (3 <= d)%nat -> (2 <= K)%nat ->
  covering_caps d ->
  disjoint_caps d ->
  has_softmax_code d K (1 / 2 * Rpower (cap_share d K) (2 / (INR d - 1))) /\
  (forall rho, has_softmax_code d K rho ->
     rho <= 2 * Rpower (cap_share d K) (2 / (INR d - 1))).
Proof.
  intros d K D K2 Cover Disjoint.
  assert (DR : 3 <= INR d) by (apply le_INR in D; simpl in D; lra).
  assert (KR : 2 <= INR K) by (apply le_INR in K2; simpl in K2; lra).
  assert (P := PI_RGT_0); assert (Half := cap_half d D).
  destruct (share_root d K D ltac:(lia)) as (b & B0 & Bp & B2); rewrite <- B2.
  assert (E : d = S (S (d - 2))) by lia; set (m := (d - 2)%nat) in *.
  assert (Em : (d - 1)%nat = S m) by lia; rewrite Em in Bp.
  assert (Share : INR K * b ^ S m = (INR d - 1) * cap d PI)
    by (rewrite Bp; unfold cap_share; field; lra).
  split.
  - apply midpoint_theorem; [lia | assumption |].
    (* b = 2 sin(x/2) for an angle x *)
    assert (B1 : b <= 2).
    { apply Rnot_lt_le; intros L; assert (Q := power_lt m 2 b ltac:(lra)).
      destruct (cap_enclosed d PI D ltac:(lra) ltac:(lra)) as (_ & U).
      rewrite sin_PI2, Em, Rmult_1_r in U.
      assert (0 < 2 ^ S m) by (apply pow_lt; lra).
      apply Rmult_le_compat_l with (r := INR d - 1) in U; [| lra].
      replace ((INR d - 1) * (2 ^ S m / (INR d - 1))) with (2 ^ S m) in U by (field; lra). nra. }
    set (x := 2 * asin (b / 2)).
    assert (Sx : sin (x / 2) = b / 2).
    { unfold x; replace (2 * asin (b / 2) / 2) with (asin (b / 2)) by field; apply sin_asin; lra. }
    assert (X : 0 < x <= PI).
    { assert (A := asin_bound (b / 2)); unfold x; split; [| lra].
      apply Rnot_le_lt; intros N. destruct (Req_dec (asin (b / 2)) 0) as [Z | Z].
      - assert (Q := sin_asin (b / 2) ltac:(lra)); rewrite Z, sin_0 in Q; lra.
      - assert (Q := sin_asin (b / 2) ltac:(lra)).
        assert (sin (asin (b / 2)) < 0) by (apply sin_lt_0_var; lra). lra. }
    replace (1 - 1 / 2 * (b * b)) with (cos x).
    2: { replace x with (2 * (x / 2)) by field; rewrite cos_2a_sin, Sx; field. }
    replace K with (S (K - 1)) by lia; apply greedy_code; [lia | exact Cover | lra | |].
    { apply cap_nonneg; [assumption | lra]. }
    destruct (cap_enclosed d x D ltac:(lra) ltac:(lra)) as (_ & U).
    rewrite Sx, Em in U; replace (2 * (b / 2)) with b in U by field.
    rewrite minus_INR by lia; simpl INR.
    assert (0 < b ^ S m) by (apply pow_lt, B0).
    assert (V : (INR d - 1) * cap d x <= b ^ S m).
    { apply Rmult_le_compat_l with (r := INR d - 1) in U; [| lra].
      replace ((INR d - 1) * (b ^ S m / (INR d - 1))) with (b ^ S m) in U by (field; lra).
      exact U. }
    apply Rmult_lt_reg_l with (INR d - 1); [lra |].
    rewrite <- Share; replace ((INR d - 1) * ((INR K - 1) * cap d x))
      with ((INR K - 1) * ((INR d - 1) * cap d x)) by ring.
    apply Rle_lt_trans with ((INR K - 1) * b ^ S m); [apply Rmult_le_compat_l; lra | lra].
  - intros rho R; apply midpoint_theorem in R; [| lia | assumption].
    destruct R as (y & Y & T).
    destruct (Rle_or_lt rho 0) as [R0 | R0]; [nra |].
    assert (R2 : rho <= 2).
    { assert (H := T 0%nat 1%nat ltac:(lia) ltac:(lia) ltac:(lia)).
      assert (G := unit_dot_ge d _ _ (Y 0%nat ltac:(lia)) (Y 1%nat ltac:(lia))). lra. }
    set (x := acos (1 - rho) / 2).
    assert (A := acos_bound (1 - rho)).
    assert (C : cos (2 * x) = 1 - rho).
    { unfold x; replace (2 * (acos (1 - rho) / 2)) with (acos (1 - rho)) by field.
      apply cos_acos; lra. }
    assert (X : 0 <= x <= PI / 2) by (unfold x; lra).
    assert (Q := Disjoint K y x X Y
                   (fun k j Hk Hj N => Rle_trans _ _ _ (T k j Hk Hj N) (Req_le _ _ (eq_sym C)))).
    destruct (cap_enclosed d x D ltac:(lra) ltac:(lra)) as (L & _); rewrite Em in L.
    assert (S0 : 0 <= sin x) by (apply sin_ge_0; lra).
    rewrite cos_2a_sin in C.
    assert (Sb : sin x <= b).
    { apply Rnot_lt_le; intros N; assert (G := power_lt m b (sin x) ltac:(lra)).
      apply Rmult_le_compat_l with (r := INR d - 1) in L; [| lra].
      replace ((INR d - 1) * (sin x ^ S m / (INR d - 1))) with (sin x ^ S m) in L by (field; lra).
      assert (INR K * ((INR d - 1) * cap d x) <= (INR d - 1) * cap d PI) by nra.
      nra. }
    assert (sin x * sin x <= b * b) by (apply Rmult_le_compat; lra). lra.
Qed.
