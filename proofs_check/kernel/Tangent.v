(** Why a mean loss bounds mean cosines: a loss f of the margin x y, where y >= 0 is a length and
    -1 <= x <= 1 a cosine, lies above a function that is linear in y and in x.

    The loss need not be convex in the square root of the margin: it is enough that minus its slope
    there rises first and falls from some point on. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From NCBounds Require Import Finite Phi Network Budget Objective.
Open Scope R_scope.

(** * A function whose slope falls, then rises *)

Lemma falls (f f' : R -> R) a b : a <= b ->
  (forall x, a <= x <= b -> is_derive f x (f' x)) -> (forall x, a <= x <= b -> f' x <= 0) ->
  f b <= f a.
Proof.
  intros L D N; assert (H : - f a <= - f b); [| lra].
  apply (rises (fun x => - f x) (fun x => - f' x) a b L).
  - intros x X; apply (is_derive_opp f x (f' x)), D, X.
  - intros x X; specialize (N x X); lra.
Qed.

(** f has the slope -2 g, and g the slope g', which stays below zero once it is there. The line of
    slope -2 g(r) at a point r where g falls bounds f there or at 0. *)
Lemma line_below (f g g' : R -> R) r u : 0 <= r -> 0 <= u ->
  (forall x, 0 <= x -> is_derive f x (- (2 * g x))) ->
  (forall x, 0 <= x -> is_derive g x (g' x)) ->
  (forall x y, 0 <= x <= y -> g' x <= 0 -> g' y <= 0) ->
  g' r <= 0 ->
  Rmin (f 0) (f r + 2 * g r * r) <= f u + 2 * g r * u.
Proof.
  intros R0 U DF DG TURN GR.
  set (D := fun x => f x + 2 * g r * x).
  assert (DD : forall x, 0 <= x -> is_derive D x (2 * (g r - g x))).
  { intros x X; unfold D.
    replace (2 * (g r - g x)) with (- (2 * g x) + 2 * g r) by ring.
    apply (is_derive_plus f (fun y => 2 * g r * y)); [apply DF, X |].
    auto_derive; [exact I | ring]. }
  change (Rmin (f 0) (D r) <= D u).
  replace (f 0) with (D 0) by (unfold D; ring).
  assert (M0 := Rmin_l (D 0) (D r)); assert (M1 := Rmin_r (D 0) (D r)).
  (* g falls from x on where g' x <= 0, and rises up to x where g' x > 0 *)
  assert (FALL : forall x y, 0 <= x <= y -> g' x <= 0 -> g y <= g x).
  { intros x y X N; apply (falls g g'); [lra | intros; apply DG; lra |].
    intros z Z; apply (TURN x); [lra | exact N]. }
  assert (RISE : forall x y, 0 <= x <= y -> 0 < g' y -> g x <= g y).
  { intros x y X N; apply (rises g g'); [lra | intros; apply DG; lra |].
    intros z Z; apply Rnot_lt_le; intros B; assert (g' y <= 0) by (apply (TURN z); lra). lra. }
  destruct (Rle_lt_dec r u) as [RU | UR].
  - assert (D r <= D u); [| lra].
    apply (rises D (fun x => 2 * (g r - g x))); [exact RU | intros; apply DD; lra |].
    intros x X; assert (H := FALL r x ltac:(lra) GR); lra.
  - destruct (Rle_lt_dec (g r) (g u)) as [A | A].
    + assert (D r <= D u); [| lra].
      apply (falls D (fun x => 2 * (g r - g x))); [lra | intros; apply DD; lra |].
      intros x X; assert (g r <= g x); [| lra].
      destruct (Rle_lt_dec (g' x) 0) as [B | B].
      * apply FALL; lra.
      * assert (H := RISE u x ltac:(lra) B); lra.
    + assert (GU : 0 < g' u).
      { apply Rnot_le_lt; intros B; assert (H := FALL u r ltac:(lra) B); lra. }
      assert (D 0 <= D u); [| lra].
      apply (rises D (fun x => 2 * (g r - g x))); [exact U | intros; apply DD; lra |].
      intros x X; assert (H := RISE x u ltac:(lra) GU); lra.
Qed.

(** * Length and cosine *)

(** The geometric mean of price y and slope x is at most their mean. *)
Lemma twice_root a b c : 0 <= a -> 0 <= b -> 0 <= c -> c * c <= a * b -> 2 * c <= a + b.
Proof.
  intros A B C H; assert (S := Rle_0_sqr (a - b)); unfold Rsqr in S.
  apply Rsqr_incr_0; unfold Rsqr; lra.
Qed.

(** A loss that lies above lines in the square root of its margin, and whose negative margins cost
    at least the margin 0: with the error probability q at the margin t. *)
Lemma length_and_cosine (f : R -> R) q t k y x : 0 <= q -> 0 <= t -> 0 < k ->
  (forall z, z <= 0 -> f 0 <= f z) ->
  (forall u, 0 <= u -> Rmin (f 0) (f t + 2 * q * t) <= f (u * u) + 2 * q * sqrt t * u) ->
  0 <= y -> -1 <= x <= 1 ->
  Rmin (f t + 2 * q * t) (f 0 - q * t / k) <= f (y * x) + q * k * y + q * t / k * x.
Proof.
  intros Q T K NEG LINE Y X.
  assert (S : 0 <= q * t / k)
    by (apply Rmult_le_pos; [apply Rmult_le_pos; assumption | left; apply Rinv_0_lt_compat, K]).
  assert (PY : 0 <= q * k * y) by (apply Rmult_le_pos; [apply Rmult_le_pos; lra | exact Y]).
  assert (M0 := Rmin_l (f t + 2 * q * t) (f 0 - q * t / k)).
  assert (M1 := Rmin_r (f t + 2 * q * t) (f 0 - q * t / k)).
  destruct (Rle_lt_dec x 0) as [N | P].
  - assert (YX : y * x <= 0).
    { assert (H := Rmult_le_compat_l y _ _ Y N); lra. }
    assert (F := NEG _ YX).
    assert (SX := Rmult_le_compat_l _ _ _ S (proj1 X)); lra.
  - assert (YX : 0 <= y * x) by (apply Rmult_le_pos; lra).
    assert (L := LINE (sqrt (y * x)) (sqrt_pos _)); rewrite sqrt_sqrt in L by exact YX.
    assert (G : 2 * (q * sqrt t * sqrt (y * x)) <= q * k * y + q * t / k * x).
    { apply twice_root; [exact PY | apply Rmult_le_pos; lra | |].
      - apply Rmult_le_pos; [apply Rmult_le_pos; [exact Q | apply sqrt_pos] | apply sqrt_pos].
      - assert (E1 := sqrt_sqrt t T); assert (E2 := sqrt_sqrt _ YX).
        replace (q * sqrt t * sqrt (y * x) * (q * sqrt t * sqrt (y * x)))
          with (q * q * (sqrt t * sqrt t) * (sqrt (y * x) * sqrt (y * x))) by ring.
        rewrite E1, E2; right; field; lra. }
    assert (Rmin (f t + 2 * q * t) (f 0 - q * t / k) <= Rmin (f 0) (f t + 2 * q * t))
      by (apply Rmin_glb; lra).
    lra.
Qed.

(** * Cross-entropy *)

Lemma slope_of_margin M q : 0 < M -> 0 < q < 1 -> slope M (ln (M * (1 - q) / q)) = q.
Proof.
  intros P Q; unfold slope.
  assert (0 < M * (1 - q)) by (apply Rmult_lt_0_compat; lra).
  assert (0 < M * (1 - q) / q) by (apply Rdiv_lt_0_compat; lra).
  rewrite exp_Ropp, exp_ln by assumption; field; repeat split; lra.
Qed.

(** Minus the slope of the loss in u, the square root of the margin, halved: it rises as long as
    2 u^2 (1 - s) <= 1, s the error probability. *)
Lemma root_slope_derive M u : 0 < M ->
  is_derive (fun u => u * slope M (u * u)) u
    (slope M (u * u) * (1 - 2 * (u * u) * (1 - slope M (u * u)))).
Proof.
  intros P; unfold slope; assert (H := phi_argument_pos M (u * u) P).
  auto_derive; [lra |]. field; lra.
Qed.

Lemma root_slope_turns M x y : 0 < M -> 0 <= x <= y ->
  slope M (x * x) * (1 - 2 * (x * x) * (1 - slope M (x * x))) <= 0 ->
  slope M (y * y) * (1 - 2 * (y * y) * (1 - slope M (y * y))) <= 0.
Proof.
  intros P [X Y] H.
  assert (SX := slope_range M (x * x) P); assert (SY := slope_range M (y * y) P).
  assert (XY : x * x <= y * y) by (apply square_le; lra).
  assert (S : slope M (y * y) <= slope M (x * x)).
  { rewrite !slope_phi by exact P.
    assert (A := phi_antitone M _ _ P XY).
    assert (E := exp_le (- phi M (x * x)) (- phi M (y * y)) ltac:(lra)); lra. }
  assert (X2 : 0 <= x * x) by apply Rle_0_sqr.
  assert (C : x * x * (1 - slope M (x * x)) <= y * y * (1 - slope M (y * y)))
    by (apply Rmult_le_compat; lra).
  assert (1 - 2 * (x * x) * (1 - slope M (x * x)) <= 0).
  { apply Rnot_lt_le; intros N; assert (B := Rmult_lt_0_compat _ _ (proj1 SX) N); lra. }
  assert (D : 0 <= slope M (y * y) * (2 * (y * y) * (1 - slope M (y * y)) - 1))
    by (apply Rmult_le_pos; lra).
  lra.
Qed.

Lemma phi_line M q u : 0 < M -> 0 < q < 1 ->
  let t := ln (M * (1 - q) / q) in
  1 <= 2 * (1 - q) * t -> 0 <= u ->
  Rmin (phi M 0) (phi M t + 2 * q * t) <= phi M (u * u) + 2 * q * sqrt t * u.
Proof.
  intros P Q t H U; assert (SL := slope_of_margin M q P Q); fold t in SL.
  assert (T : 0 <= t).
  { apply Rnot_lt_le; intros N.
    assert (0 <= (1 - q) * (- t)) by (apply Rmult_le_pos; lra). lra. }
  assert (L := line_below (fun u => phi M (u * u)) (fun u => u * slope M (u * u))
    (fun u => slope M (u * u) * (1 - 2 * (u * u) * (1 - slope M (u * u)))) (sqrt t) u
    (sqrt_pos t) U).
  cbv beta in L; rewrite sqrt_sqrt, SL, Rmult_0_l in L by exact T.
  replace (2 * (sqrt t * q) * sqrt t) with (2 * q * (sqrt t * sqrt t)) in L by ring.
  rewrite sqrt_sqrt in L by exact T.
  replace (2 * (sqrt t * q) * u) with (2 * q * sqrt t * u) in L by ring.
  apply L.
  - intros x _; unfold phi, slope; assert (A := phi_argument_pos M (x * x) P).
    auto_derive; [lra |]. field; lra.
  - intros; apply root_slope_derive, P.
  - intros x y X; apply root_slope_turns; assumption.
  - assert (0 <= q * (2 * t * (1 - q) - 1)) by (apply Rmult_le_pos; lra). lra.
Qed.

(** phi of a margin y x, with a price for the length y and one for the cosine x. *)
Lemma phi_length_and_cosine M q k y x : 0 < M -> 0 < q < 1 -> 0 < k ->
  let t := ln (M * (1 - q) / q) in
  1 <= 2 * (1 - q) * t -> 0 <= y -> -1 <= x <= 1 ->
  Rmin (phi M t + 2 * q * t) (phi M 0 - q * t / k) <= phi M (y * x) + q * k * y + q * t / k * x.
Proof.
  intros P Q K t H Y X; apply length_and_cosine; try assumption; try lra.
  - apply Rnot_lt_le; intros N.
    assert (0 <= (1 - q) * (- t)) by (apply Rmult_le_pos; lra). lra.
  - intros z Z; apply phi_antitone; assumption.
  - intros u U; apply phi_line; assumption.
Qed.

(** H2(e) + e log M, the least of phi M y + e y over all margins y. *)
Definition fano (M e : R) : R := e * ln (M * (1 - e) / e) - ln (1 - e).

Lemma phi_at_error M e : 0 < M -> 0 < e < 1 -> phi M (ln (M * (1 - e) / e)) = - ln (1 - e).
Proof.
  intros P Q; assert (0 < M * (1 - e)) by (apply Rmult_lt_0_compat; lra).
  assert (0 < M * (1 - e) / e) by (apply Rdiv_lt_0_compat; lra).
  unfold phi; rewrite exp_Ropp, exp_ln, <- ln_Rinv by lra; f_equal; field; repeat split; lra.
Qed.

Lemma fano_below M e y : 0 < M -> 0 < e < 1 -> fano M e <= phi M y + e * y.
Proof.
  intros P Q; assert (T := phi_tangent M (ln (M * (1 - e) / e)) y P).
  rewrite slope_of_margin, phi_at_error in T by assumption; unfold fano; lra.
Qed.

(** * Square loss *)

Lemma square_line t u : 1 / 3 <= t -> 0 <= u ->
  Rmin 1 ((1 - t) * (1 - t) + 4 * (1 - t) * t)
  <= (1 - u * u) * (1 - u * u) + 4 * (1 - t) * sqrt t * u.
Proof.
  intros T U; assert (E := sqrt_sqrt t ltac:(lra)).
  assert (L := line_below (fun u => (1 - u * u) * (1 - u * u)) (fun u => 2 * u * (1 - u * u))
    (fun u => 2 * (1 - 3 * (u * u))) (sqrt t) u (sqrt_pos t) U).
  cbv beta in L; rewrite E in L.
  replace ((1 - 0 * 0) * (1 - 0 * 0)) with 1 in L by ring.
  replace (2 * (2 * sqrt t * (1 - t)) * sqrt t) with (4 * (1 - t) * (sqrt t * sqrt t)) in L by ring.
  rewrite E in L.
  replace (2 * (2 * sqrt t * (1 - t)) * u) with (4 * (1 - t) * sqrt t * u) in L by ring.
  apply L.
  - intros x _; auto_derive; [exact I | ring].
  - intros x _; auto_derive; [exact I | ring].
  - intros x y X H; assert (x * x <= y * y) by (apply square_le; lra). lra.
  - lra.
Qed.

Lemma square_length_and_cosine t k y x : 1 / 3 <= t <= 1 -> 0 < k -> 0 <= y -> -1 <= x <= 1 ->
  Rmin ((1 - t) * (1 - t) + 4 * (1 - t) * t) (1 - 2 * (1 - t) * t / k)
  <= (1 - y * x) * (1 - y * x) + 2 * (1 - t) * k * y + 2 * (1 - t) * t / k * x.
Proof.
  intros T K Y X.
  assert (L := length_and_cosine (fun z => (1 - z) * (1 - z)) (2 * (1 - t)) t k y x
    ltac:(lra) ltac:(lra) K).
  cbv beta in L; replace ((1 - 0) * (1 - 0)) with 1 in L by ring.
  replace (2 * (2 * (1 - t)) * t) with (4 * (1 - t) * t) in L by ring.
  apply L; try assumption.
  - intros z Z; assert (H := square_le 1 (1 - z) ltac:(lra) ltac:(lra)); lra.
  - intros u U; assert (S := square_line t u ltac:(lra) U).
    replace (2 * (2 * (1 - t)) * sqrt t * u) with (4 * (1 - t) * sqrt t * u) by ring; exact S.
Qed.
