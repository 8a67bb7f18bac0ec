(** Points of a circle by the half gaps between neighbours: the more even, the better the code. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From NCBounds Require Import Finite Plane.
Open Scope R_scope.

(** * ln sin x + x^2/2 is concave *)

Definition bent_slope (x : R) : R := cos x / sin x + x.

Lemma bent_slope_decreases x y : 0 < x -> x <= y -> y <= PI / 2 -> bent_slope y <= bent_slope x.
Proof.
  intros X L Y; assert (P := PI_RGT_0).
  destruct (MVT_gen bent_slope x y (fun t => - (cos t / sin t) ^ 2)) as (c & C & E).
  - intros t T; rewrite Rmin_left, Rmax_right in T by lra; unfold bent_slope.
    assert (0 < sin t) by (apply sin_gt_0; lra). assert (S := sin2_cos2 t); unfold Rsqr in S.
    auto_derive; [lra |].
    replace (- (cos t / sin t) ^ 2)
      with ((- (sin t * sin t + cos t * cos t) + sin t * sin t) / (sin t * sin t)) by (field; lra).
    field; lra.
  - intros t T; rewrite Rmin_left, Rmax_right in T by lra.
    assert (0 < sin t) by (apply sin_gt_0; lra).
    apply continuity_pt_filterlim; change (continuous bent_slope t).
    apply (ex_derive_continuous (V := R_NormedModule)); unfold bent_slope; auto_derive; lra.
  - assert (Q := pow2_ge_0 (cos c / sin c)). nra.
Qed.

Lemma log_sine x u :
  0 < x <= PI / 2 -> 0 < u <= PI / 2 ->
  ln (sin x) <= ln (sin u) + (x - u) * (cos u / sin u) - (x - u) ^ 2 / 2.
Proof.
  intros X U; assert (P := PI_RGT_0).
  assert (L : 0 < Rmin u x) by (apply Rmin_glb_lt; lra).
  assert (M : Rmax u x <= PI / 2) by (apply Rmax_lub; lra).
  destruct (MVT_gen (fun t => ln (sin t) + t ^ 2 / 2) u x bent_slope) as (c & C & E).
  - intros t T; unfold bent_slope; assert (0 < sin t) by (apply sin_gt_0; lra).
    auto_derive; [lra | field; lra].
  - intros t T; assert (0 < sin t) by (apply sin_gt_0; lra).
    apply continuity_pt_filterlim; change (continuous (fun t => ln (sin t) + t ^ 2 / 2) t).
    apply (ex_derive_continuous (V := R_NormedModule)); auto_derive; lra.
  - assert (D : bent_slope c * (x - u) <= bent_slope u * (x - u)).
    { destruct (Rle_or_lt u x) as [O | O].
      - rewrite Rmin_left, Rmax_right in C by lra.
        apply Rmult_le_compat_r; [lra | apply bent_slope_decreases; lra].
      - rewrite Rmin_right, Rmax_left in C by lra.
        assert (Q := bent_slope_decreases c u ltac:(lra) ltac:(lra) ltac:(lra)). nra. }
    rewrite <- E in D; unfold bent_slope in D; nra.
Qed.

(** * Sums around the circle *)

Lemma sum_shift n f : sum (S n) f = f 0%nat + sum n (fun k => f (k + 1)%nat).
Proof.
  induction n as [| n IH]; [simpl; ring |].
  change (sum (S (S n)) f) with (sum (S n) f + f (S n)); rewrite IH; simpl.
  replace (n + 1)%nat with (S n) by lia; ring.
Qed.

Lemma log_sines K x :
  (2 <= K)%nat ->
  (forall k, (k < K)%nat -> 0 < x k <= PI / 2) ->
  sum K x <= PI ->
  0 < sin (PI / INR K) /\
  sum K (fun k => ln (sin (x k)))
  <= INR K * ln (sin (PI / INR K)) - INR K * mean K (fun k => (x k - PI / INR K) ^ 2) / 2.
Proof.
  intros K2 X Total; destruct (arc_length K K2) as (KR & C & _).
  set (u := PI / INR K).
  assert (U : 0 < u <= PI / 2).
  { unfold u; replace (2 * PI / INR K) with (2 * (PI / INR K)) in C by (field; lra); lra. }
  assert (Ku : INR K * u = PI) by (unfold u; field; lra).
  assert (Su : 0 < sin u) by (apply sin_gt_0; lra).
  assert (Cu : 0 <= cos u / sin u) by (apply Rdiv_le_0_compat; [apply cos_ge_0; lra | exact Su]).
  split; [exact Su |].
  apply Rle_trans with
    (INR K * ln (sin u) + (sum K x - INR K * u) * (cos u / sin u)
     - INR K * mean K (fun k => (x k - u) ^ 2) / 2); [| nra].
  eapply Rle_trans; [apply sum_le; intros k Hk; apply (log_sine (x k) u);
    [apply X, Hk | exact U] |].
  rewrite sum_minus, sum_plus, sum_const, sum_scale_r, sum_minus, sum_const, sum_divide.
  rewrite mean_sum by lia; lra.
Qed.

(** gnc:theorem-3.3, printed "d = 2", optimum, and gnc:theorem-3.8, printed "d = 2", one-vs-rest:
    for half gaps x_k of at most pi/2, whose sum is at most pi, the least of 2 sin x_k sin x_(k+1)
    is at most 2 sin(pi/K)^2 e^(-s), s the mean of (x_k - pi/K)^2. *)
Theorem half_gaps :
  forall (K : nat) (x : nat -> R) (rho : R),
  (2 <= K)%nat ->
  (forall k, (k < K)%nat -> 0 < x k) ->
  (forall k, (k < K)%nat -> x k <= PI / 2) ->
  sum K x <= PI ->
  (forall k, (k + 1 < K)%nat -> rho <= 2 * sin (x k) * sin (x (k + 1)%nat)) ->
  rho <= 2 * sin (x (K - 1)%nat) * sin (x 0%nat) ->
  rho <= polygon_distance K * exp (- mean K (fun k => (x k - PI / INR K) ^ 2)).
Proof.
  intros K x rho K2 X0 X1 Total Next Last.
  assert (KR : 2 <= INR K) by apply (arc_length K K2).
  destruct (log_sines K x K2 (fun k Hk => conj (X0 k Hk) (X1 k Hk)) Total) as (Su & Sum).
  assert (P := PI_RGT_0).
  assert (Sines : forall k, (k < K)%nat -> 0 < sin (x k)).
  { intros k Hk; apply sin_gt_0; [apply X0, Hk | assert (H := X1 k Hk); lra]. }
  unfold polygon_distance; set (u := PI / INR K) in *.
  set (s := mean K (fun k => (x k - u) ^ 2)) in *.
  assert (Pos : 0 < 2 * sin u * sin u) by nra.
  destruct (Rle_or_lt rho 0) as [R0 | R0].
  { assert (E := exp_pos (- s)). nra. }
  assert (Logs : forall p q, 0 < p -> 0 < q -> rho <= 2 * p * q -> ln rho - ln 2 <= ln p + ln q).
  { intros p q Hp Hq L.
    assert (H : ln rho <= ln (2 * p * q)) by (apply ln_le; assumption).
    rewrite !ln_mult in H by nra; lra. }
  assert (Around : INR K * (ln rho - ln 2) <= 2 * sum K (fun k => ln (sin (x k)))).
  { rewrite <- sum_const; destruct K as [| n]; [lia |].
    replace (S n - 1)%nat with n in Last by lia.
    replace (2 * sum (S n) (fun k => ln (sin (x k))))
      with (sum n (fun k => ln (sin (x k)) + ln (sin (x (k + 1)%nat)))
            + (ln (sin (x n)) + ln (sin (x 0%nat)))).
    2: { rewrite sum_plus.
         assert (H := sum_shift n (fun k => ln (sin (x k)))); simpl in H |- *; lra. }
    simpl; apply Rplus_le_compat.
    - apply sum_le; intros k Hk; apply Logs; [apply Sines | apply Sines | apply Next]; lia.
    - apply Logs; [apply Sines; lia | apply Sines; lia | exact Last]. }
  assert (Rate : ln rho <= ln (2 * sin u * sin u) - s).
  { rewrite !ln_mult by nra. apply Rmult_le_reg_l with (INR K); [lra | nra]. }
  rewrite <- (exp_ln rho), <- (exp_ln (2 * sin u * sin u)), <- exp_plus by assumption.
  destruct (Rle_lt_or_eq_dec _ _ Rate); [left; apply exp_increasing | right; f_equal]; lra.
Qed.

(** f 0 ... f (n - 1). *)
Fixpoint product (n : nat) (f : nat -> R) : R :=
  match n with
  | O => 1
  | S m => product m f * f m
  end.

Lemma product_exp n f :
  (forall k, (k < n)%nat -> 0 < f k) -> product n f = exp (sum n (fun k => ln (f k))).
Proof.
  intros F; induction n as [| n IH]; simpl; [symmetry; apply exp_0 |].
  rewrite IH, exp_plus, exp_ln; [reflexivity | apply F; lia | intros; apply F; lia].
Qed.

(** The place after k, around the circle. *)
Definition after (K k : nat) : nat := if Nat.eq_dec (k + 1) K then 0%nat else (k + 1)%nat.

(** gnc:theorem-3.6, printed "d = 2": the product of all distances 2 sin x_k sin x_(k+1), each over
    the optimum, is at most e^(-K s). *)
Theorem planar_geometric_mean :
  forall (K : nat) (x : nat -> R),
  (2 <= K)%nat ->
  (forall k, (k < K)%nat -> 0 < x k) ->
  (forall k, (k < K)%nat -> x k <= PI / 2) ->
  sum K x <= PI ->
  product K (fun k => 2 * sin (x k) * sin (x (after K k)) / polygon_distance K)
  <= exp (- INR K * mean K (fun k => (x k - PI / INR K) ^ 2)).
Proof.
  intros K x K2 X0 X1 Total; assert (P := PI_RGT_0).
  destruct (log_sines K x K2 (fun k Hk => conj (X0 k Hk) (X1 k Hk)) Total) as (Su & Sum).
  assert (Sines : forall k, (k < K)%nat -> 0 < sin (x k)).
  { intros k Hk; apply sin_gt_0; [apply X0, Hk | assert (H := X1 k Hk); lra]. }
  assert (A : forall k, (k < K)%nat -> (after K k < K)%nat).
  { intros k Hk; unfold after; destruct (Nat.eq_dec (k + 1) K); lia. }
  unfold polygon_distance; set (u := PI / INR K) in *.
  set (s := mean K (fun k => (x k - u) ^ 2)) in *.
  assert (Pos : 0 < 2 * sin u * sin u) by nra.
  rewrite product_exp.
  2: { intros k Hk; assert (H := Sines k Hk); assert (H' := Sines _ (A k Hk)).
       apply Rdiv_lt_0_compat; [apply Rmult_lt_0_compat; lra | exact Pos]. }
  rewrite (sum_ext K _ (fun k => ln (sin (x k)) + ln (sin (x (after K k))) - 2 * ln (sin u))).
  2: { intros k Hk; assert (H := Sines k Hk); assert (H' := Sines _ (A k Hk)).
       rewrite ln_div by (try exact Pos; apply Rmult_lt_0_compat; lra).
       rewrite !ln_mult by lra; ring. }
  assert (Around : sum K (fun k => ln (sin (x (after K k)))) = sum K (fun k => ln (sin (x k)))).
  { destruct K as [| n]; [lia |]; rewrite (sum_shift n (fun k => ln (sin (x k)))); simpl.
    unfold after at 2; destruct (Nat.eq_dec (n + 1) (S n)); [| lia].
    rewrite Rplus_comm; f_equal; apply sum_ext; intros k Hk; unfold after.
    destruct (Nat.eq_dec (k + 1) (S n)); [lia | reflexivity]. }
  rewrite sum_minus, sum_plus, sum_const, Around.
  apply Rnot_lt_le; intros G; apply exp_lt_inv in G; lra.
Qed.
