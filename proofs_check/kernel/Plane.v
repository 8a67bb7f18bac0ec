(** The plane: regular polygons are the best codes for every number of classes. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Hull Midpoint SoftmaxCode Optima.
Open Scope R_scope.

(** The optimum for d = 2, which regular polygons attain. *)
Definition polygon_distance (K : nat) : R := 2 * sin (PI / INR K) * sin (PI / INR K).

(** * Angles *)

Definition circle_point (a : R) : nat -> R := fun i => if Nat.eq_dec i 0 then cos a else sin a.

Lemma dot_circle_points a b : dot 2 (circle_point a) (circle_point b) = cos (a - b).
Proof. unfold dot, circle_point; simpl; rewrite cos_minus; ring. Qed.

(** Angles that are at least c away from 0, on either side. *)
Lemma cos_far c x : 0 <= c <= PI -> c <= x <= 2 * PI - c -> cos x <= cos c.
Proof.
  intros C X; destruct (Rle_or_lt x PI) as [L | L].
  - apply cos_decr_1; lra.
  - replace (cos x) with (cos (2 * PI - x)); [apply cos_decr_1; lra |].
    rewrite cos_minus, cos_2PI, sin_2PI; ring.
Qed.

Lemma cos_near c x : 0 <= c <= PI -> - c <= x <= c -> cos c <= cos x.
Proof.
  intros C X; destruct (Rle_or_lt 0 x) as [L | L].
  - apply cos_decr_1; lra.
  - rewrite <- (cos_neg x); apply cos_decr_1; lra.
Qed.

Lemma polar c s : c * c + s * s = 1 -> exists a, 0 <= a < 2 * PI /\ c = cos a /\ s = sin a.
Proof.
  intros E; assert (C : -1 <= c <= 1) by nra.
  assert (B := acos_bound c); assert (P := PI_RGT_0).
  assert (S : sin (acos c) = Rabs s).
  { rewrite sin_acos by exact C; replace (1 - c²) with (s²) by (unfold Rsqr; lra).
    apply sqrt_Rsqr_abs. }
  destruct (Rle_or_lt 0 s) as [L | L].
  - exists (acos c); rewrite cos_acos, S, Rabs_pos_eq by assumption; lra.
  - exists (2 * PI - acos c).
    rewrite cos_minus, sin_minus, cos_2PI, sin_2PI, cos_acos, S, Rabs_left by assumption.
    destruct (Req_dec (acos c) 0) as [Z | N]; [| lra].
    rewrite Z, sin_0, Rabs_left in S by assumption; lra.
Qed.

(** The angle from one unit vector of the plane to another. *)
Lemma angle_between u y :
  dot 2 u u = 1 -> dot 2 y y = 1 ->
  exists a, 0 <= a < 2 * PI /\ dot 2 u y = cos a
    /\ u 0%nat * y 1%nat - u 1%nat * y 0%nat = sin a.
Proof.
  intros U Y; apply polar.
  replace 1 with (dot 2 u u * dot 2 y y) by (rewrite U, Y; ring).
  unfold dot; simpl; ring.
Qed.

Lemma dot_by_angles u y z a b :
  dot 2 u u = 1 ->
  dot 2 u y = cos a -> u 0%nat * y 1%nat - u 1%nat * y 0%nat = sin a ->
  dot 2 u z = cos b -> u 0%nat * z 1%nat - u 1%nat * z 0%nat = sin b ->
  dot 2 y z = cos (a - b).
Proof.
  intros U Ca Sa Cb Sb; rewrite cos_minus, <- Ca, <- Sa, <- Cb, <- Sb.
  replace (dot 2 y z) with (dot 2 u u * dot 2 y z) by (rewrite U; ring).
  unfold dot; simpl; ring.
Qed.

(** * Pigeonholes *)

(** The arc of length c that an angle lies in. *)
Lemma arc_of n c a :
  0 <= a < INR n * c -> exists b, (b < n)%nat /\ INR b * c <= a < INR b * c + c.
Proof.
  induction n as [| n IH]; intros A; [simpl in A; lra |].
  rewrite S_INR in A; destruct (Rlt_or_le a (INR n * c)) as [L | L].
  - destruct IH as (b & B & C); [lra |]; exists b; split; [lia | exact C].
  - exists n; split; [lia | lra].
Qed.

Lemma pigeonhole n : forall f : nat -> nat,
  (forall k, (k < S n)%nat -> (f k < n)%nat) ->
  exists i j, (i < S n)%nat /\ (j < S n)%nat /\ j <> i /\ f i = f j.
Proof.
  induction n as [| n IH]; intros f F; [assert (H := F 0%nat ltac:(lia)); lia |].
  (* whoever shares the hole of the last, or else holes without that one *)
  set (g := fun k => if Nat.eq_dec (f k) n then f (S n) else f k).
  assert (D : (exists k, (k < S n)%nat /\ f k = f (S n))
              \/ (forall k, (k < S n)%nat -> f k <> f (S n))).
  { clear; generalize (S n) at 1 3; intros m; induction m as [| m IH]; [right; intros; lia |].
    destruct IH as [(k & K & E) | H]; [left; exists k; split; [lia | exact E] |].
    destruct (Nat.eq_dec (f m) (f (S n))) as [E | N]; [left; exists m; split; [lia | exact E] |].
    right; intros k K; destruct (Nat.eq_dec k m) as [-> | X]; [exact N | apply H; lia]. }
  destruct D as [(k & K & E) | D].
  { exists k, (S n); repeat split; lia. }
  destruct (IH g) as (i & j & I & J & N & E).
  { intros k K; unfold g; assert (A := F k ltac:(lia)); assert (B := F (S n) ltac:(lia)).
    assert (C := D k K); destruct (Nat.eq_dec (f k) n); lia. }
  exists i, j; split; [lia |]; split; [lia |]; split; [exact N |].
  assert (A := D i I); assert (B := D j J); unfold g in E.
  destruct (Nat.eq_dec (f i) n), (Nat.eq_dec (f j) n); congruence.
Qed.

(** * The optimum *)

Lemma polygon_distance_cos K : (1 <= K)%nat -> polygon_distance K = 1 - cos (2 * PI / INR K).
Proof.
  intros H; assert (1 <= INR K) by (apply le_INR in H; exact H).
  unfold polygon_distance; replace (2 * PI / INR K) with (2 * (PI / INR K)) by (field; lra).
  rewrite cos_2a_sin; ring.
Qed.

Lemma arc_length K : (2 <= K)%nat ->
  2 <= INR K /\ 0 < 2 * PI / INR K <= PI /\ INR K * (2 * PI / INR K) = 2 * PI.
Proof.
  intros H; assert (KR : 2 <= INR K) by (apply le_INR in H; simpl in H; lra).
  assert (P := PI_RGT_0); split; [exact KR | split; [split | field; lra]].
  - apply Rdiv_lt_0_compat; lra.
  - apply Rmult_le_reg_r with (INR K); [lra |]. unfold Rdiv; rewrite Rmult_assoc, Rinv_l; nra.
Qed.

(** gnc:theorem-3.8, printed "d = 2", the Tammes problem: of K unit vectors of the plane two have an
    inner product of at least cos(2 pi/K). One of them is put at the angle 0 and the circle cut into
    K arcs from there; the first of them and the last are its own, so that two points share
    an arc. *)
Theorem planar_products :
  forall (K : nat) (y : nat -> nat -> R) (t : R),
  (2 <= K)%nat ->
  (forall k, (k < K)%nat -> dot 2 (y k) (y k) = 1) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k -> dot 2 (y k) (y j) <= t) ->
  1 - t <= 1 - cos (2 * PI / INR K).
Proof.
  intros K y t K2 Y T; destruct (arc_length K K2) as (KR & C & E).
  set (c := 2 * PI / INR K) in *.
  destruct (Rle_or_lt (cos c) t) as [| Small]; [lra | exfalso].
  destruct (finite_choice R 0 K
    (fun k a => 0 <= a < 2 * PI /\ dot 2 (y 0%nat) (y k) = cos a
       /\ y 0%nat 0%nat * y k 1%nat - y 0%nat 1%nat * y k 0%nat = sin a)) as (a & A).
  { intros k Hk; apply angle_between; apply Y; lia. }
  assert (Products : forall i j, (i < K)%nat -> (j < K)%nat ->
    dot 2 (y i) (y j) = cos (a i - a j)).
  { intros i j I J; destruct (A i I) as (_ & Ci & Si), (A j J) as (_ & Cj & Sj).
    apply (dot_by_angles (y 0%nat)); auto; apply Y; lia. }
  assert (Apart : forall i j,
    (i < K)%nat -> (j < K)%nat -> j <> i -> - c <= a i - a j <= c -> False).
  { intros i j I J N D; assert (H := T i j I J N); rewrite Products in H by assumption.
    assert (Q := cos_near c (a i - a j) ltac:(lra) D); lra. }
  destruct (finite_choice nat 0%nat K
    (fun k b => (b < K)%nat /\ INR b * c <= a k < INR b * c + c)) as (b & B).
  { intros k Hk; apply arc_of; rewrite E; apply (A k Hk). }
  destruct K as [| n]; [lia |].
  destruct (pigeonhole n b) as (i & j & I & J & N & S).
  - intros k Hk; destruct (B k Hk) as (Bk & L & _).
    destruct (Nat.eq_dec (b k) n) as [Last | ]; [exfalso | lia].
    rewrite Last in L; rewrite S_INR in E.
    assert (Hk0 : dot 2 (y 0%nat) (y k) = cos (a k)) by apply (A k Hk).
    assert (Ak := proj1 (A k Hk)).
    assert (Q : cos c <= cos (a k)).
    { replace (cos (a k)) with (cos (a k - 2 * PI)).
      2: { rewrite cos_minus, cos_2PI, sin_2PI; ring. }
      apply cos_near; lra. }
    destruct (Nat.eq_dec k 0) as [-> | K0].
    2: { assert (H := T 0%nat k ltac:(lia) Hk K0); lra. }
    (* the anchor is at 0 *)
    rewrite (Y 0%nat Hk) in Hk0.
    assert (O : cos (2 * PI - a 0%nat) < cos 0) by (apply cos_decreasing_1; lra).
    rewrite cos_0, cos_minus, cos_2PI, sin_2PI in O; lra.
  - apply (Apart i j I J N); destruct (B i I) as (_ & Bi), (B j J) as (_ & Bj).
    rewrite S in Bi; lra.
Qed.

Lemma polygon_products K k j :
  (2 <= K)%nat -> (k < K)%nat -> (j < K)%nat -> j <> k ->
  dot 2 (circle_point (2 * PI / INR K * INR k)) (circle_point (2 * PI / INR K * INR j))
  <= cos (2 * PI / INR K).
Proof.
  intros K2 Hk Hj N; destruct (arc_length K K2) as (KR & C & E).
  set (c := 2 * PI / INR K) in *.
  assert (W : forall a b, (a < b)%nat -> (b < K)%nat -> cos (c * INR b - c * INR a) <= cos c).
  { intros a b A B; apply cos_far; [lra |].
    assert (L : INR a + 1 <= INR b) by (rewrite <- S_INR; apply le_INR; lia).
    assert (U : INR b + 1 <= INR K) by (rewrite <- S_INR; apply le_INR; lia).
    assert (Z := pos_INR a). rewrite <- E; split; nra. }
  rewrite dot_circle_points; destruct (Nat.lt_ge_cases j k) as [L | L]; [apply W; assumption |].
  rewrite <- cos_neg, Ropp_minus_distr; apply W; lia.
Qed.

(** gnc:theorem-3.3, printed "d = 2", the optimum: the largest margin of K unit vectors of the plane
    is 1 - cos(2 pi/K). *)
Theorem planar_code_optimum :
  forall K : nat, (2 <= K)%nat -> is_optimum 2 K (1 - cos (2 * PI / INR K)).
Proof.
  intros K K2; split.
  - apply midpoint_theorem; [lia | assumption |].
    exists (fun k => circle_point (2 * PI / INR K * INR k)); split.
    + intros k _; rewrite dot_circle_points, Rminus_diag_eq by reflexivity; apply cos_0.
    + intros k j Hk Hj N. assert (H := polygon_products K k j K2 Hk Hj N). lra.
  - intros rho H; apply midpoint_theorem in H; [| lia | assumption].
    destruct H as (y & Y & T); assert (L := planar_products K y (1 - rho) K2 Y T). lra.
Qed.

(** From x - x^3/6 and pi <= 4 (1 - 1/3 + 1/5 - 1/7 + 1/9). *)
Lemma half_below_sin x : 0 <= x <= PI / 2 -> x / 2 <= sin x.
Proof.
  intros X.
  assert (B : PI / 2 <= 17 / 10).
  { destruct (PI_ineq 2) as (_ & U); unfold tg_alt, PI_tg in U; simpl in U. lra. }
  destruct (pre_sin_bound x 0 ltac:(lra) ltac:(lra)) as (L & _).
  unfold sin_approx, sin_term in L; simpl in L.
  assert (x * x <= 3) by nra. assert (0 <= x * (3 - x * x)) by (apply Rmult_le_pos; lra). lra.
Qed.

(** gnc:theorem-3.9, sharp "factor-4 sandwich", d = 2, where B = pi/K: no margin of K unit vectors
    of the plane exceeds 2 B^2, and the optimum 1 - cos(2 pi/K) is at least B^2/2. *)
Theorem planar_sandwich :
  forall (K : nat) (w h : nat -> nat -> R) (rho : R),
  (2 <= K)%nat ->
  (forall k, (k < K)%nat -> dot 2 (w k) (w k) = 1) ->
  (forall k, (k < K)%nat -> dot 2 (h k) (h k) = 1) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
     rho <= dot 2 (difference (w k) (w j)) (h k)) ->
  rho <= 2 * (PI / INR K) ^ 2 /\
  1 / 2 * (PI / INR K) ^ 2 <= 1 - cos (2 * PI / INR K).
Proof.
  intros K w h rho K2 W H M; destruct (arc_length K K2) as (KR & C & _).
  assert (E := polygon_distance_cos K ltac:(lia)); unfold polygon_distance in E.
  assert (P : 0 < PI / INR K <= PI / 2).
  { replace (2 * PI / INR K) with (2 * (PI / INR K)) in C by (field; lra); lra. }
  split.
  - assert (R : rho <= 1 - cos (2 * PI / INR K)).
    { destruct (Rle_or_lt rho 0) as [R0 | R0].
      { assert (B := COS_bound (2 * PI / INR K)); lra. }
      apply (planar_code_optimum K K2); exists w; split; [exact W |].
      apply hardmax_is_distance; auto; exists h; split; assumption. }
    set (x := PI / INR K) in *; assert (S := sin_lt_x x ltac:(lra)).
    assert (0 <= sin x) by (apply sin_ge_0; lra).
    assert (sin x * sin x <= x * x) by (apply Rmult_le_compat; lra).
    replace (2 * x ^ 2) with (2 * (x * x)) by ring. lra.
  - rewrite <- E; set (x := PI / INR K) in *.
    assert (S : x / 2 <= sin x) by (apply half_below_sin; lra).
    assert (x / 2 * (x / 2) <= sin x * sin x) by (apply Rmult_le_compat; lra).
    replace (1 / 2 * x ^ 2) with (2 * (x / 2 * (x / 2))) by field. lra.
Qed.
