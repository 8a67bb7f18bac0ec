(** How far two points that touch only each other may turn away, and the simplex bound
    on margins. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Hull Midpoint SoftmaxCode Optima.
Open Scope R_scope.

(** gnc:sharp-2, sharp "how far the two may turn": the gap of two points theta apart and turned by
    phi, and that of an angle psi of at least theta + 2 phi. *)
Theorem turning_room :
  forall theta phi psi : R,
  0 <= theta -> 0 <= phi -> theta + 2 * phi <= psi -> psi <= PI ->
  cos phi - cos (theta + phi) - (1 - cos theta)
  = 4 * sin (phi / 2) * sin (theta / 2) * cos ((theta + phi) / 2) /\
  1 - cos theta <= cos phi - cos (theta + phi) /\
  cos phi - cos (theta + phi) <= 2 * sin (psi / 2) * sin (psi / 2 - phi).
Proof.
  intros theta phi psi T P R S.
  assert (E : cos phi - cos (theta + phi) - (1 - cos theta)
    = 4 * sin (phi / 2) * sin (theta / 2) * cos ((theta + phi) / 2)).
  { assert (A : cos phi - cos (theta + phi) = 2 * sin (theta / 2) * sin (theta / 2 + phi)).
    { rewrite form2; replace ((phi - (theta + phi)) / 2) with (- (theta / 2)) by field.
      replace ((phi + (theta + phi)) / 2) with (theta / 2 + phi) by field.
      rewrite sin_neg; ring. }
    assert (B : 1 - cos theta = 2 * sin (theta / 2) * sin (theta / 2)).
    { replace theta with (2 * (theta / 2)) at 1 by field; rewrite cos_2a_sin; ring. }
    assert (C : sin (theta / 2 + phi) - sin (theta / 2)
                = 2 * cos ((theta + phi) / 2) * sin (phi / 2)).
    { rewrite form4; do 2 f_equal; [f_equal; f_equal |]; field. }
    rewrite A, B; rewrite <- Rmult_minus_distr_l, C; ring. }
  split; [exact E | split].
  - assert (0 <= sin (phi / 2)) by (apply sin_ge_0; lra).
    assert (0 <= sin (theta / 2)) by (apply sin_ge_0; lra).
    assert (0 <= cos ((theta + phi) / 2)) by (apply cos_ge_0; lra).
    assert (0 <= 4 * sin (phi / 2) * sin (theta / 2) * cos ((theta + phi) / 2)); [| lra].
    apply Rmult_le_pos; [apply Rmult_le_pos; lra | assumption].
  - assert (A : 2 * sin (psi / 2) * sin (psi / 2 - phi) = cos phi - cos (psi - phi)).
    { rewrite form2; replace ((phi - (psi - phi)) / 2) with (- (psi / 2 - phi)) by field.
      replace ((phi + (psi - phi)) / 2) with (psi / 2) by field. rewrite sin_neg; ring. }
    rewrite A; assert (cos (psi - phi) <= cos (theta + phi)); [| lra].
    apply cos_decr_1; lra.
Qed.

(** gnc:eq-5, sharp "weak duality", simplex: no margin of K unit vectors exceeds K/(K-1). *)
Theorem margin_at_most_simplex :
  forall (d K : nat) (w h : nat -> nat -> R) (rho : R),
  (1 <= d)%nat -> (2 <= K)%nat ->
  (forall k, (k < K)%nat -> dot d (w k) (w k) = 1) ->
  (forall k, (k < K)%nat -> dot d (h k) (h k) = 1) ->
  (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
     rho <= dot d (difference (w k) (w j)) (h k)) ->
  rho <= INR K / (INR K - 1).
Proof.
  intros d K w h rho D K2 W H M.
  assert (KR : 2 <= INR K) by (apply le_INR in K2; simpl in K2; lra).
  destruct (Rle_or_lt rho 0) as [R0 | R0].
  { eapply Rle_trans; [exact R0 |]; apply Rlt_le, Rdiv_lt_0_compat; lra. }
  assert (C : has_softmax_code d K rho).
  { exists w; split; [exact W |]. apply hardmax_is_distance; auto. exists h; split; assumption. }
  apply midpoint_theorem in C; auto; destruct C as (y & Y & T).
  assert (L := simplex_spread d K y rho K2 Y
                 (fun k j Hk Hj N => ltac:(assert (Q := T k j Hk Hj N); lra))).
  assert (Z := pow2_ge_0 (norm d (total K y))).
  apply Rmult_le_reg_r with (INR K * (INR K - 1)); [nra |].
  apply Rmult_le_compat_r with (r := INR K * (INR K - 1)) in L; [| nra].
  replace ((INR K * INR K - norm d (total K y) ^ 2) / (INR K * (INR K - 1)) * (INR K * (INR K - 1)))
    with (INR K * INR K - norm d (total K y) ^ 2) in L by (field; lra).
  replace (INR K / (INR K - 1) * (INR K * (INR K - 1))) with (INR K * INR K) by (field; lra). lra.
Qed.
