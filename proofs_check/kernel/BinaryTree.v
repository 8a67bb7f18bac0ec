(** The Rademacher complexity of convolutional networks on a binary tree, whose nodes share the
    kernel of their level: 2^L inputs, L levels, a ReLU after each but the last.

    The supremum over the networks stands in the mean over the signs, so that each sign vector e
    may have a network [w e] of its own. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Signs Contraction PatchNetwork.
Open Scope R_scope.

(** The value of node v of level l for the kernels [w k] of two numbers. *)
Definition tree_network (w : nat -> nat -> R) (x : nat -> R) (l v : nat) : R :=
  shared_network (fun _ => 2%nat) (fun _ v j => (2 * v + j)%nat) w x l v.

(** The product of the norms of the kernels of L levels. *)
Definition tree_norm (w : nat -> nat -> R) (L : nat) : R := kernel_product (fun _ => 2%nat) w L.

(** The root of the sum of the squared norms of m samples of dimension d. *)
Definition samples_norm (m d : nat) (x : nat -> nat -> R) : R :=
  sqrt (sum m (fun i => dot d (x i) (x i))).

(** The mean over the signs of |sum_i e_i h(x_i)| / m with a network of its own for each sign
    vector: what the complexity without the factor 2 is the supremum of. *)
Definition attained_complexity (m L : nat) (x : nat -> nat -> R)
    (w : (nat -> R) -> nat -> nat -> R) : R :=
  sign_mean m (fun e =>
    Rabs (signed_sum m e (fun i => tree_network (w e) (x i) L 0))) / INR m.

Definition printed_tree_bound (L rho m norm : R) : R := Rpower 2 L * rho * norm / m.

Definition proof_tree_bound (L rho m norm : R) : R := Rpower 2 (L - 1) * rho * norm / m.

Definition sharp_tree_bound (L rho m norm : R) : R := Rpower 2 ((L + 1) / 2) * rho * norm / m.

Definition half_linear_tree_bound (L : nat) (rho m norm : R) : R :=
  2 * rho * norm / m * relu_cost ^ (L - 1).

(** * One path to each input *)

Lemma sum_split n p f : sum (n + p) f = sum n f + sum p (fun j => f (n + j)%nat).
Proof.
  induction p as [| p IH]; simpl; [rewrite Nat.add_0_r; ring |].
  rewrite Nat.add_succ_r; simpl; rewrite IH; ring.
Qed.

Lemma tree_paths m x L : forall v,
  path_square (fun _ => 2%nat) (fun _ v j => (2 * v + j)%nat) m x L v
  = sum (2 ^ L) (fun j => sum m (fun i => x i (2 ^ L * v + j)%nat * x i (2 ^ L * v + j)%nat)).
Proof.
  induction L as [| L IH]; intros v.
  - simpl; rewrite Rplus_0_l, Nat.add_0_r, Nat.add_0_r; reflexivity.
  - change (2 ^ S L)%nat with (2 ^ L + (2 ^ L + 0))%nat; rewrite Nat.add_0_r, sum_split.
    change (path_square (fun _ => 2%nat) (fun _ v j => (2 * v + j)%nat) m x (S L) v)
      with (sum 2 (fun j => path_square (fun _ => 2%nat) (fun _ v j => (2 * v + j)%nat) m x L
                              (2 * v + j))).
    simpl sum at 1; rewrite Rplus_0_l, !IH; f_equal; apply sum_ext; intros j _; apply sum_ext;
      intros i _; f_equal; f_equal; ring.
Qed.

Lemma tree_paths_norm m x L :
  sqrt (path_square (fun _ => 2%nat) (fun _ v j => (2 * v + j)%nat) m x L 0)
  = samples_norm m (2 ^ L) x.
Proof.
  unfold samples_norm, dot; rewrite tree_paths, sum_swap; f_equal.
  apply sum_ext; intros i _; apply sum_ext; intros j _; rewrite Nat.mul_0_r; reflexivity.
Qed.

(** * The powers of 2 *)

Lemma relu_cost_pos : 1 <= relu_cost.
Proof. unfold relu_cost; destruct sqrt_two; lra. Qed.

Lemma relu_cost_power n : relu_cost ^ n <= sqrt 2 ^ n.
Proof.
  apply pow_incr; assert (H := relu_cost_pos); split; [lra |].
  unfold relu_cost; destruct sqrt_two; lra.
Qed.

Lemma root_power n : Rpower 2 ((INR (S n) + 1) / 2) = 2 * sqrt 2 ^ n.
Proof.
  rewrite S_INR; replace ((INR n + 1 + 1) / 2) with (1 + / 2 * INR n) by field.
  rewrite Rpower_plus, Rpower_1, <- Rpower_mult, Rpower_sqrt by lra.
  rewrite Rpower_pow; [reflexivity |]; destruct sqrt_two; lra.
Qed.

Lemma root_power_le n : sqrt 2 ^ n <= 2 ^ n.
Proof. apply pow_incr; destruct sqrt_two; lra. Qed.

Lemma whole_power n : Rpower 2 (INR (S n)) = 2 * 2 ^ n.
Proof. rewrite Rpower_pow by lra; reflexivity. Qed.

Lemma power_before n : Rpower 2 (INR (S n) - 1) = 2 ^ n.
Proof. rewrite S_INR; replace (INR n + 1 - 1) with (INR n) by ring. apply Rpower_pow; lra. Qed.

(** * Theorem 4 *)

(** square:theorem-4, sharp "half of a ReLU is linear", for k = 1: a level costs (1 + sqrt 2)/2. *)
Theorem tree_complexity_half_linear m L rho x w : (1 <= m)%nat -> (1 <= L)%nat -> 0 < rho ->
  (forall e, tree_norm (w e) L <= rho) ->
  2 * attained_complexity m L x w
  <= half_linear_tree_bound L rho (INR m) (samples_norm m (2 ^ L) x).
Proof.
  intros M P Q W; destruct L as [| n]; [lia |].
  assert (H := mean_of_patches (fun _ => 2%nat) (fun _ v j => (2 * v + j)%nat) m x n rho w 0
                 ltac:(lra) W).
  rewrite tree_paths_norm in H; unfold attained_complexity, half_linear_tree_bound, tree_network.
  assert (0 < INR m) by (apply lt_0_INR; lia).
  rewrite Nat.sub_succ, Nat.sub_0_r.
  apply (Rmult_le_reg_r (INR m)); [assumption |].
  set (s := sign_mean m _) in *; set (N := samples_norm m (2 ^ S n) x) in *.
  replace (2 * (s / INR m) * INR m) with (2 * s) by (field; lra).
  replace (2 * rho * N / INR m * relu_cost ^ n * INR m) with (2 * (rho * (relu_cost ^ n * N)))
    by (field; lra).
  lra.
Qed.

Lemma half_linear_le m L rho x : (1 <= m)%nat -> (1 <= L)%nat -> 0 < rho ->
  half_linear_tree_bound L rho (INR m) (samples_norm m (2 ^ L) x)
  <= sharp_tree_bound (INR L) rho (INR m) (samples_norm m (2 ^ L) x).
Proof.
  intros M P Q; destruct L as [| n]; [lia |].
  unfold half_linear_tree_bound, sharp_tree_bound; rewrite root_power, Nat.sub_succ, Nat.sub_0_r.
  set (N := samples_norm m (2 ^ S n) x).
  assert (0 < INR m) by (apply lt_0_INR; lia).
  assert (0 <= rho * N / INR m).
  { apply Rmult_le_pos; [apply Rmult_le_pos; [lra | apply sqrt_pos] |].
    left; apply Rinv_0_lt_compat; assumption. }
  replace (2 * rho * N / INR m * relu_cost ^ n) with (rho * N / INR m * (2 * relu_cost ^ n))
    by (field; lra).
  replace (2 * sqrt 2 ^ n * rho * N / INR m) with (rho * N / INR m * (2 * sqrt 2 ^ n))
    by (field; lra).
  apply Rmult_le_compat_l; [assumption |]; assert (C := relu_cost_power n); lra.
Qed.

(** square:theorem-4, sharp "second moments": a level costs sqrt 2. *)
Theorem tree_complexity_sharp m L rho x w : (1 <= m)%nat -> (1 <= L)%nat -> 0 < rho ->
  (forall e, tree_norm (w e) L <= rho) ->
  2 * attained_complexity m L x w
  <= sharp_tree_bound (INR L) rho (INR m) (samples_norm m (2 ^ L) x).
Proof.
  intros M P Q W; eapply Rle_trans; [apply (tree_complexity_half_linear m L rho); assumption |].
  apply half_linear_le; assumption.
Qed.

(** The sharp bound is at most the printed one, which is twice that of the proof. *)
Lemma sharp_le_printed m L rho x : (1 <= m)%nat -> (1 <= L)%nat -> 0 < rho ->
  sharp_tree_bound (INR L) rho (INR m) (samples_norm m (2 ^ L) x)
  <= printed_tree_bound (INR L) rho (INR m) (samples_norm m (2 ^ L) x) /\
  printed_tree_bound (INR L) rho (INR m) (samples_norm m (2 ^ L) x)
  = 2 * proof_tree_bound (INR L) rho (INR m) (samples_norm m (2 ^ L) x).
Proof.
  intros M P Q; destruct L as [| n]; [lia |].
  unfold sharp_tree_bound, printed_tree_bound, proof_tree_bound.
  rewrite root_power, whole_power, power_before.
  assert (0 < INR m) by (apply lt_0_INR; lia).
  split; [| field; lra].
  unfold Rdiv; apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat; assumption |].
  apply Rmult_le_compat_r; [apply sqrt_pos |]; apply Rmult_le_compat_r; [lra |].
  assert (RP := root_power_le n); lra.
Qed.

(** square:theorem-4, printed "Definition 1, with the factor 2". *)
Theorem tree_complexity_printed m L rho x w : (1 <= m)%nat -> (1 <= L)%nat -> 0 < rho ->
  (forall e, tree_norm (w e) L <= rho) ->
  2 * attained_complexity m L x w
  <= printed_tree_bound (INR L) rho (INR m) (samples_norm m (2 ^ L) x).
Proof.
  intros M P Q W; eapply Rle_trans; [apply (tree_complexity_sharp m L rho); assumption |].
  apply sharp_le_printed; assumption.
Qed.

(** square:theorem-4, printed "without the factor 2, as in the proof". *)
Theorem tree_complexity_of_proof m L rho x w : (1 <= m)%nat -> (1 <= L)%nat -> 0 < rho ->
  (forall e, tree_norm (w e) L <= rho) ->
  attained_complexity m L x w
  <= proof_tree_bound (INR L) rho (INR m) (samples_norm m (2 ^ L) x).
Proof.
  intros M P Q W; assert (H := tree_complexity_printed m L rho x w M P Q W).
  destruct (sharp_le_printed m L rho x M P Q) as [_ E]; lra.
Qed.

(** square:theorem-4, printed "a ReLU after the last layer too", for two levels or more: the ReLU
    at the output costs as much as any, and (1 + sqrt 2)/2 to the power L is at most 2^(L-1). *)
Theorem tree_complexity_with_output m L rho x w : (1 <= m)%nat -> (2 <= L)%nat -> 0 < rho ->
  (forall e, tree_norm (w e) L <= rho) ->
  2 * (sign_mean m (fun e =>
         Rabs (signed_sum m e (fun i => relu (tree_network (w e) (x i) L 0)))) / INR m)
  <= printed_tree_bound (INR L) rho (INR m) (samples_norm m (2 ^ L) x).
Proof.
  intros M P Q W; destruct L as [| n]; [lia |].
  unfold printed_tree_bound; rewrite whole_power.
  assert (I : 0 < INR m) by (apply lt_0_INR; lia).
  destruct (contraction_of_relu m _ (fun a i => tree_network a (x i) (S n) 0) w) as (w' & R & C).
  assert (H := peeling_of_shared_kernels (fun _ => 2%nat) (fun _ v j => (2 * v + j)%nat) m x n rho
                 w' 0 ltac:(intros e; destruct (R e) as (e' & ->); apply W)).
  set (T := path_square _ _ m x (S n) 0) in H.
  assert (TN : T = samples_norm m (2 ^ S n) x * samples_norm m (2 ^ S n) x).
  { rewrite <- tree_paths_norm; symmetry; apply sqrt_sqrt, path_square_nonneg. }
  set (N := samples_norm m (2 ^ S n) x) in *.
  assert (NN : 0 <= N) by apply sqrt_pos.
  assert (K : relu_cost ^ S n <= 2 ^ n).
  { destruct n as [| n]; [lia |].
    assert (A := relu_cost_square); assert (B := relu_cost_pos).
    replace (relu_cost ^ S (S n)) with (relu_cost ^ 2 * relu_cost ^ n) by (simpl; ring).
    replace (2 ^ S n) with (2 * 2 ^ n) by reflexivity.
    apply Rmult_le_compat; try (apply pow_le; lra); [exact A |].
    apply pow_incr; split; [lra | nra]. }
  assert (B := relu_cost_pos).
  assert (F : sign_mean m (fun e =>
    Rabs (signed_sum m e (fun i => relu (tree_network (w e) (x i) (S n) 0))))
    <= rho * (relu_cost ^ S n * N)).
  { eapply Rle_trans; [apply mean_abs_le_root |].
    assert (0 <= relu_cost ^ S n) by (apply pow_le; lra).
    apply Rsqr_incr_0_var; [| apply Rmult_le_pos; [lra | apply Rmult_le_pos; assumption]].
    rewrite Rsqr_sqrt by (apply sign_mean_nonneg; intros; apply Rle_0_sqr).
    rewrite (sign_mean_ext m _ (fun e =>
      signed_sum m e (fun i => relu (tree_network (w e) (x i) (S n) 0)) ^ 2)) by (intros; ring).
    eapply Rle_trans; [exact C |]; unfold tree_network.
    eapply Rle_trans; [apply Rmult_le_compat_l; [rewrite <- Rsqr_pow2;
      apply Rle_0_sqr | exact H] |].
    rewrite TN; apply Req_le; unfold Rsqr.
    replace (relu_cost ^ (2 * n)) with (relu_cost ^ n * relu_cost ^ n)
      by (rewrite <- pow_add; f_equal; lia).
    simpl; ring. }
  apply (Rmult_le_reg_r (INR m)); [assumption |].
  revert F; set (s := sign_mean m _); intros F.
  replace (2 * (s / INR m) * INR m) with (2 * s) by (field; lra).
  replace (2 * 2 ^ n * rho * N / INR m * INR m) with (2 * (rho * (2 ^ n * N))) by (field; lra).
  apply Rmult_le_compat_l; [lra |]; eapply Rle_trans; [exact F |].
  apply Rmult_le_compat_l; [lra |]; apply Rmult_le_compat_r; assumption.
Qed.

(** Theorem 4 for Definition 1 itself: with the suprema over all networks of norm at most rho. *)
Theorem tree_complexity_of_suprema m L rho x M : (1 <= m)%nat -> (1 <= L)%nat -> 0 < rho ->
  (forall e, is_lub (fun r => exists w, tree_norm w L <= rho /\
                       r = Rabs (signed_sum m e (fun i => tree_network w (x i) L 0))) (M e)) ->
  2 / INR m * sign_mean m M <= sharp_tree_bound (INR L) rho (INR m) (samples_norm m (2 ^ L) x) /\
  2 / INR m * sign_mean m M <= printed_tree_bound (INR L) rho (INR m) (samples_norm m (2 ^ L) x).
Proof.
  intros P Q Z H; assert (I : 0 < INR m) by (apply lt_0_INR; lia).
  assert (S : 2 / INR m * sign_mean m M
              <= sharp_tree_bound (INR L) rho (INR m) (samples_norm m (2 ^ L) x)).
  { set (b := sharp_tree_bound _ _ _ _).
    assert (U : sign_mean m M <= b * INR m / 2).
    { apply (mean_of_suprema m _ (fun w => tree_norm w L <= rho)
               (fun e w => Rabs (signed_sum m e (fun i => tree_network w (x i) L 0)))); [| exact H].
      intros w W; assert (B := tree_complexity_sharp m L rho x w P Q Z W); fold b in B.
      unfold attained_complexity in B; revert B; cbv beta; set (s := sign_mean m _); intros B.
      apply (Rmult_le_reg_r (2 / INR m)); [apply Rdiv_lt_0_compat; lra |].
      replace (b * INR m / 2 * (2 / INR m)) with b by (field; lra).
      replace (s * (2 / INR m)) with (2 * (s / INR m)) by (field; lra); exact B. }
    apply (Rmult_le_reg_r (INR m / 2)); [lra |].
    replace (2 / INR m * sign_mean m M * (INR m / 2)) with (sign_mean m M) by (field; lra). lra. }
  split; [exact S |].
  eapply Rle_trans; [exact S |]; apply sharp_le_printed; assumption.
Qed.
