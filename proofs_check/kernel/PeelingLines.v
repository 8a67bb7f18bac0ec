(** Lines of the paper's proof of Theorem 4, its bound for dense networks, and what the definitions
    of the Rademacher complexity have to do with each other. *)
From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From NCBounds Require Import Finite Signs Contraction PatchNetwork BinaryTree.
Open Scope R_scope.

(** The norm of sum_i e_i x_i, for m samples of dimension d. *)
Definition norm_of_sum (m d : nat) (x : nat -> nat -> R) (e : nat -> R) : R :=
  norm d (fun j => signed_sum m e (fun i => x i j)).

(** E |sum_i e_i x_i| is at most the root of sum_i |x_i|^2. *)
Lemma mean_norm_of_sum m d x : sign_mean m (norm_of_sum m d x) <= samples_norm m d x.
Proof.
  assert (H := mean_abs_le_root m (norm_of_sum m d x)).
  rewrite (sign_mean_ext m (fun e => Rabs (norm_of_sum m d x e)) (norm_of_sum m d x)) in H
    by (intros; apply Rabs_right, Rle_ge, norm_nonneg).
  eapply Rle_trans; [exact H |]; apply Req_le; unfold samples_norm; f_equal.
  rewrite (sign_mean_ext m (fun e => norm_of_sum m d x e * norm_of_sum m d x e)
    (fun e => sum d (fun j => signed_sum m e (fun i => x i j) * signed_sum m e (fun i => x i j))))
    by (intros; apply norm_sqr).
  rewrite sign_mean_sum; unfold dot; rewrite sum_swap; apply sum_ext; intros j _.
  apply second_moment.
Qed.

(** square:eq-21, printed "(22), after the peeling". *)
Theorem after_the_peeling m d L x w : (1 <= m)%nat ->
  let rho := tree_norm w L in
  sign_mean m (fun e => sqrt (rho * rho * (norm_of_sum m d x e * norm_of_sum m d x e))) / INR m
  = rho * sign_mean m (norm_of_sum m d x) / INR m /\
  rho * sign_mean m (norm_of_sum m d x) / INR m <= rho * samples_norm m d x / INR m.
Proof.
  intros P rho.
  assert (Q : 0 <= rho) by (apply product_nonneg; intros; apply norm_nonneg).
  assert (I : 0 < / INR m) by (apply Rinv_0_lt_compat, lt_0_INR; lia).
  split.
  - unfold Rdiv; f_equal; rewrite <- sign_mean_scale; apply sign_mean_ext; intros e.
    assert (N : 0 <= norm_of_sum m d x e) by apply norm_nonneg.
    replace (rho * rho * (norm_of_sum m d x e * norm_of_sum m d x e))
      with (rho * norm_of_sum m d x e * (rho * norm_of_sum m d x e)) by ring.
    apply sqrt_square, Rmult_le_pos; assumption.
  - apply Rmult_le_compat_r; [lra |]; apply Rmult_le_compat_l; [exact Q |].
    apply mean_norm_of_sum.
Qed.

(** square:eq-21, printed "equation of (21), as typeset": one sample 1, rho = 1. *)
Theorem typeset_peeling_fails : ~ (forall m d x rho, (1 <= m)%nat -> 0 < rho ->
  2 * sign_mean m (fun e => sqrt (rho * rho * (norm_of_sum m d x e * norm_of_sum m d x e))) / INR m
  = sign_mean m (fun e => sqrt (rho * rho * (norm_of_sum m d x e * norm_of_sum m d x e))) / INR m).
Proof.
  intros H; assert (A := H 1%nat 1%nat (fun _ _ => 1) 1 ltac:(lia) ltac:(lra)).
  assert (E : forall e, e 0%nat * e 0%nat = 1 ->
    sqrt (1 * 1 * (norm_of_sum 1 1 (fun _ _ => 1) e * norm_of_sum 1 1 (fun _ _ => 1) e)) = 1).
  { intros e S; unfold norm_of_sum; rewrite norm_sqr; unfold dot, signed_sum; simpl.
    replace (1 * 1 * (0 + (0 + e 0%nat * 1) * (0 + e 0%nat * 1))) with 1 by lra; apply sqrt_1. }
  simpl in A; rewrite !E in A by (rewrite with_sign_same; ring); lra.
Qed.

(** square:conjecture-1, printed "Definition 1, with the factor 2": one sample (1, 0) and one linear
    unit attain twice the bound. *)
Theorem conjecture_with_factor_fails : ~ (forall m L rho x w, (1 <= m)%nat -> (1 <= L)%nat ->
  0 < rho -> (forall e, tree_norm (w e) L <= rho) ->
  2 * attained_complexity m L x w
  <= proof_tree_bound (INR L) rho (INR m) (samples_norm m (2 ^ L) x)).
Proof.
  intros H; set (u := fun j => if Nat.eq_dec j 0 then 1 else 0).
  assert (A := H 1%nat 1%nat 1 (fun _ => u) (fun _ _ => u) ltac:(lia) ltac:(lia) ltac:(lra)).
  assert (N : tree_norm (fun _ => u) 1 = 1).
  { unfold tree_norm, kernel_product, norm, dot, u; simpl.
    replace (0 + 1 * 1 + 0 * 0) with 1 by ring; rewrite sqrt_1; ring. }
  specialize (A ltac:(intros; cbv beta; rewrite N; lra)).
  unfold attained_complexity, proof_tree_bound, samples_norm in A.
  assert (T : forall e, e 0%nat = 1 \/ e 0%nat = -1 -> Rabs (signed_sum 1 e (fun _ =>
    tree_network (fun _ => u) u 1 0)) = 1).
  { intros e S; unfold signed_sum, tree_network, shared_network, u; simpl.
    replace (0 + e 0%nat * (0 + 1 * 1 + 0 * 0)) with (e 0%nat) by ring.
    unfold Rabs; destruct S as [-> | ->]; destruct (Rcase_abs _); lra. }
  replace (INR 1) with 1 in A by reflexivity; replace (1 - 1) with 0 in A by ring.
  rewrite Rpower_O in A by lra; simpl sign_mean in A.
  rewrite !T in A by (rewrite with_sign_same; auto).
  unfold dot, u in A; simpl in A.
  replace (0 + (0 + 1 * 1 + 0 * 0)) with 1 in A by ring; rewrite sqrt_1 in A; lra.
Qed.

(** From three levels on the ReLUs leave room for the factor. *)
Lemma factor_from_three_levels m L rho x w : (1 <= m)%nat -> (3 <= L)%nat -> 0 < rho ->
  (forall e, tree_norm (w e) L <= rho) ->
  2 * attained_complexity m L x w
  <= proof_tree_bound (INR L) rho (INR m) (samples_norm m (2 ^ L) x).
Proof.
  intros M P Q W.
  assert (H := tree_complexity_half_linear m L rho x w M ltac:(lia) Q W).
  eapply Rle_trans; [exact H | clear H W].
  destruct L as [| [| [| n]]]; try lia; unfold half_linear_tree_bound, proof_tree_bound.
  rewrite power_before, Nat.sub_succ, Nat.sub_0_r.
  set (N := samples_norm m (2 ^ S (S (S n))) x).
  assert (I : 0 < / INR m) by (apply Rinv_0_lt_compat, lt_0_INR; lia).
  assert (R : 0 <= rho * N / INR m)
    by (apply Rmult_le_pos; [apply Rmult_le_pos; [lra | apply sqrt_pos] | lra]).
  assert (B := relu_cost_pos); assert (A := relu_cost_square).
  assert (K : relu_cost ^ n <= 2 ^ n) by (apply pow_incr; split; [lra | nra]).
  assert (Z : 0 <= relu_cost ^ n) by (apply pow_le; lra).
  replace (2 * rho * N / INR m * relu_cost ^ S (S n))
    with (rho * N / INR m * (2 * (relu_cost ^ 2 * relu_cost ^ n))) by (simpl; unfold Rdiv; ring).
  replace (2 ^ S (S n) * rho * N / INR m) with (rho * N / INR m * (4 * 2 ^ n))
    by (simpl; unfold Rdiv; ring).
  apply Rmult_le_compat_l; [exact R | nra].
Qed.

(** * The dense bound (25) *)

Definition printed_dense_bound (L rho m norm : R) : R :=
  Rpower 2 (L * L / 4 + 5 * L / 4) * rho * norm / m.

Definition dense_bound (L rho m norm : R) : R :=
  Rpower 2 (L * L / 4 + 3 * L / 4) * rho * norm / m.

(** The product of the norms of the layers' matrices: level k + 1 repeats its kernel in
    2^(L-k-1) rows. *)
Definition layer_norms (w : nat -> nat -> R) (L : nat) : R :=
  product L (fun k => sqrt (2 ^ (L - k - 1)) * norm 2 (w k)).

Lemma root_of_power n : sqrt (2 ^ n) = Rpower 2 (INR n / 2).
Proof.
  rewrite <- Rpower_pow by lra; rewrite <- Rpower_sqrt by apply exp_pos.
  rewrite Rpower_mult; f_equal; field.
Qed.

Lemma product_mult n f g : product n (fun k => f k * g k) = product n f * product n g.
Proof. induction n; simpl; [ring | rewrite IHn; ring]. Qed.

Lemma product_powers L : product L (fun k => sqrt (2 ^ S k)) = Rpower 2 (INR L * (INR L + 1) / 4).
Proof.
  induction L as [| L IH].
  - simpl; replace (0 * (0 + 1) / 4) with 0 by field; rewrite Rpower_O; lra.
  - change (product (S L) (fun k => sqrt (2 ^ S k)))
      with (product L (fun k => sqrt (2 ^ S k)) * sqrt (2 ^ S L)).
    rewrite IH, root_of_power, <- Rpower_plus; f_equal; rewrite !S_INR; field.
Qed.

Lemma product_ext n f g : (forall k, (k < n)%nat -> f k = g k) -> product n f = product n g.
Proof.
  intros H; induction n as [| n IH]; simpl; [reflexivity |].
  rewrite IH, (H n); auto with arith.
Qed.

Lemma product_rows L : product L (fun k => sqrt (2 ^ (L - k - 1)))
  = Rpower 2 (INR L * (INR L - 1) / 4).
Proof.
  assert (G : forall n, (n <= L)%nat -> product n (fun k => sqrt (2 ^ (L - k - 1)))
    = Rpower 2 (INR n * (2 * INR L - INR n - 1) / 4)).
  { induction n as [| n IH]; intros P.
    - simpl; replace (0 * (2 * INR L - 0 - 1) / 4) with 0 by field; rewrite Rpower_O; lra.
    - change (product (S n) (fun k => sqrt (2 ^ (L - k - 1))))
        with (product n (fun k => sqrt (2 ^ (L - k - 1))) * sqrt (2 ^ (L - n - 1))).
      rewrite IH by lia; rewrite root_of_power, <- Rpower_plus; f_equal.
      rewrite !minus_INR, (S_INR n) by lia; change (INR 1) with 1; field. }
  rewrite G by lia; f_equal; field.
Qed.

(** square:eq-25, printed "the root over the product only". *)
Theorem dense_exponent L w norm m : 0 < m ->
  Rpower 2 (INR L) * product L (fun k => sqrt (2 ^ S k)) * tree_norm w L * norm / m
  = printed_dense_bound (INR L) (tree_norm w L) m norm.
Proof.
  intros P; unfold printed_dense_bound; rewrite product_powers.
  rewrite <- Rpower_plus; do 4 f_equal; field.
Qed.

(** square:eq-25, corrected "the layers' own norms". *)
Theorem dense_bound_of_layers L w norm m : 0 < m ->
  Rpower 2 (INR L) * layer_norms w L * norm / m = dense_bound (INR L) (tree_norm w L) m norm.
Proof.
  intros P; unfold dense_bound, layer_norms; rewrite product_mult, product_rows.
  change (product L (fun k => Finite.norm 2 (w k))) with (tree_norm w L).
  replace (Rpower 2 (INR L * INR L / 4 + 3 * INR L / 4))
    with (Rpower 2 (INR L) * Rpower 2 (INR L * (INR L - 1) / 4))
    by (rewrite <- Rpower_plus; f_equal; field).
  unfold Rdiv; ring.
Qed.

(** square:eq-25, printed "the root is the product of the layers' norms": one level with the kernel
    (0, 1) has a matrix of norm 1, not sqrt 2. *)
Theorem dense_norms_printed_fails : ~ (forall L w, (1 <= L)%nat ->
  layer_norms w L = product L (fun k => sqrt (2 ^ S k)) * tree_norm w L).
Proof.
  intros H; assert (A := H 1%nat (fun _ j => if Nat.eq_dec j 1 then 1 else 0) ltac:(lia)).
  unfold layer_norms, tree_norm, kernel_product, norm, dot in A; simpl in A.
  replace (0 + 0 * 0 + 1 * 1) with 1 in A by ring; replace (2 * 1) with 2 in A by ring.
  rewrite sqrt_1 in A; destruct sqrt_two; lra.
Qed.

(** square:eq-25, printed "the root over everything, as typeset": kernel (1/2, 0), norm = m = 1. *)
Theorem dense_typeset_fails : ~ (forall L w norm m, (1 <= L)%nat -> 0 < norm -> 0 < m ->
  Rpower 2 (INR L) * sqrt (product L (fun k => 2 ^ S k) * tree_norm w L * norm) / m
  = printed_dense_bound (INR L) (tree_norm w L) m norm).
Proof.
  intros H; assert (A := H 1%nat (fun _ j => if Nat.eq_dec j 0 then / 2 else 0) 1 1
    ltac:(lia) ltac:(lra) ltac:(lra)).
  assert (N : tree_norm (fun _ j => if Nat.eq_dec j 0 then / 2 else 0) 1 = / 2).
  { unfold tree_norm, kernel_product, norm, dot; simpl.
    replace (0 + / 2 * / 2 + 0 * 0) with (/ 2 * / 2) by ring; rewrite sqrt_square; lra. }
  unfold printed_dense_bound in A; rewrite N in A; simpl in A.
  replace (1 * (2 * 1) * / 2 * 1) with 1 in A by field; rewrite sqrt_1, Rpower_1 in A by lra.
  replace (1 * 1 / 4 + 5 * 1 / 4) with (1 + / 2) in A by field.
  rewrite Rpower_plus, Rpower_1, Rpower_sqrt in A by lra; destruct sqrt_two; lra.
Qed.
