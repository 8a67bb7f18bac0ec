(** Networks of patches, of which binary trees and convolutional chains are examples, and their
    Rademacher complexity by peeling one layer after the other.

    A node of level l + 1 weighs the K l nodes of its patch, [child l v j], which may overlap; the
    inputs are level 0 and pass no ReLU, nor does the output. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Signs Contraction.
Open Scope R_scope.

Definition activation (l : nat) (u : R) : R :=
  match l with
  | O => u
  | S _ => relu u
  end.

(** The value of node v of level l at the inputs x, for kernels [w l v] of each node. *)
Fixpoint patch_network (K : nat -> nat) (child : nat -> nat -> nat -> nat)
    (w : nat -> nat -> nat -> R) (x : nat -> R) (l v : nat) : R :=
  match l with
  | O => x v
  | S k => sum (K k) (fun j =>
             w k v j * activation k (patch_network K child w x k (child k v j)))
  end.

(** The squares of the inputs of m samples, each as often as paths lead from it to the node. *)
Fixpoint path_square (K : nat -> nat) (child : nat -> nat -> nat -> nat) (m : nat)
    (x : nat -> nat -> R) (l v : nat) : R :=
  match l with
  | O => sum m (fun i => x i v * x i v)
  | S k => sum (K k) (fun j => path_square K child m x k (child k v j))
  end.

Fixpoint product (n : nat) (f : nat -> R) : R :=
  match n with
  | O => 1
  | S m => product m f * f m
  end.

(** * Peeling a layer *)

(** A linear node of unit norm costs nothing: its sum of signs is one number, at most the norm of
    those of its patch. *)
Lemma linear_node m K (a : nat -> nat -> R) (w : nat -> R) e : dot K w w <= 1 ->
  signed_sum m e (fun i => sum K (fun j => w j * a j i)) ^ 2
  <= sum K (fun j => signed_sum m e (a j) ^ 2).
Proof.
  intros W; set (s := fun j => signed_sum m e (a j)).
  assert (E : signed_sum m e (fun i => sum K (fun j => w j * a j i)) = dot K w s).
  { unfold signed_sum, dot, s.
    rewrite (sum_ext m _ (fun i => sum K (fun j => e i * (w j * a j i))))
      by (intros; rewrite sum_scale; reflexivity).
    rewrite sum_swap; apply sum_ext; intros j _; unfold signed_sum; rewrite <- sum_scale.
    apply sum_ext; intros; ring. }
  rewrite E; assert (C := cauchy_schwarz_sqr K w s); assert (P := dot_nonneg K s).
  assert (D : sum K (fun j => s j ^ 2) = dot K s s) by (apply sum_ext; intros; ring).
  change (dot K w s ^ 2 <= sum K (fun j => s j ^ 2)); rewrite D; nra.
Qed.

(** The recursion: a further layer of kernels of norm at most 1, each node with its own, costs the
    factor of a ReLU, whatever network is chosen for each sign vector. *)
Theorem peeling_of_patches K child m x L : forall (w : (nat -> R) -> nat -> nat -> nat -> R) v,
  (forall e k u, dot (K k) (w e k u) (w e k u) <= 1) ->
  sign_mean m (fun e => signed_sum m e (fun i => patch_network K child (w e) (x i) (S L) v) ^ 2)
  <= relu_cost ^ (2 * L) * path_square K child m x (S L) v.
Proof.
  assert (Step : forall k (w : (nat -> R) -> nat -> nat -> nat -> R) v,
    (forall e k u, dot (K k) (w e k u) (w e k u) <= 1) ->
    sign_mean m (fun e => signed_sum m e (fun i => patch_network K child (w e) (x i) (S k) v) ^ 2)
    <= sum (K k) (fun j => sign_mean m (fun e => signed_sum m e (fun i =>
         activation k (patch_network K child (w e) (x i) k (child k v j))) ^ 2))).
  { intros k w v W; rewrite <- sign_mean_sum; apply sign_mean_le; intros e _; simpl.
    apply (linear_node m (K k) (fun j i => activation k
             (patch_network K child (w e) (x i) k (child k v j)))), W. }
  induction L as [| L IH]; intros w v W; (eapply Rle_trans; [apply Step, W |]).
  - simpl; rewrite Rmult_1_l; apply sum_le; intros j _; apply Req_le.
    rewrite <- second_moment; apply sign_mean_ext; intros e; ring.
  - replace (relu_cost ^ (2 * S L)) with (relu_cost ^ 2 * relu_cost ^ (2 * L))
      by (rewrite <- pow_add; f_equal; lia).
    change (path_square K child m x (S (S L)) v) with
      (sum (K (S L)) (fun j => path_square K child m x (S L) (child (S L) v j))).
    rewrite <- sum_scale; apply sum_le; intros j _.
    destruct (contraction_of_relu m _
      (fun a i => patch_network K child a (x i) (S L) (child (S L) v j)) w) as (w' & R & C).
    eapply Rle_trans; [exact C |]; rewrite Rmult_assoc; apply Rmult_le_compat_l.
    { rewrite <- Rsqr_pow2; apply Rle_0_sqr. }
    apply IH; intros e k u; destruct (R e) as (e' & ->); apply W.
Qed.

(** * Norms other than 1 *)

Lemma product_nonneg n f : (forall k, 0 <= f k) -> 0 <= product n f.
Proof. intros H; induction n; simpl; [lra | apply Rmult_le_pos; auto]. Qed.

Lemma activation_scale l p u : 0 <= p -> activation l (p * u) = p * activation l u.
Proof.
  intros P; destruct l; simpl; [reflexivity |].
  destruct (relu_cases (p * u)) as [[H ->] | [H ->]], (relu_cases u) as [[G ->] | [G ->]]; nra.
Qed.

(** Lengths of kernels factor out, one a layer. *)
Lemma lengths_factor_out K child w x c : (forall k, 0 <= c k) -> forall L v,
  patch_network K child (fun k u j => c k * w k u j) x L v
  = product L c * patch_network K child w x L v.
Proof.
  intros C; induction L as [| L IH]; intros v; simpl; [ring |].
  rewrite <- sum_scale; apply sum_ext; intros j _; rewrite IH.
  rewrite activation_scale by (apply product_nonneg, C); ring.
Qed.

Lemma patch_network_ext K child w w' x : (forall k u j, (j < K k)%nat -> w k u j = w' k u j) ->
  forall L v, patch_network K child w x L v = patch_network K child w' x L v.
Proof.
  intros H; induction L as [| L IH]; intros v; simpl; [reflexivity |].
  apply sum_ext; intros j J; rewrite (H _ _ _ J), IH; reflexivity.
Qed.

(** A kernel is its norm times one of norm at most 1. *)
Definition unit_kernel (K : nat) (w : nat -> R) (j : nat) : R := w j / norm K w.

Lemma unit_kernel_norm K w : dot K (unit_kernel K w) (unit_kernel K w) <= 1.
Proof.
  assert (E : dot K (unit_kernel K w) (unit_kernel K w) = dot K w w * / norm K w * / norm K w).
  { unfold dot, unit_kernel; rewrite <- !sum_scale_r; apply sum_ext; intros.
    unfold Rdiv; ring. }
  rewrite E, <- norm_sqr; destruct (Req_dec (norm K w) 0) as [-> | N]; [lra |].
  apply Req_le; field; exact N.
Qed.

Lemma kernel_by_norm K w j : (j < K)%nat -> w j = norm K w * unit_kernel K w j.
Proof.
  intros J; unfold unit_kernel; destruct (Req_dec (norm K w) 0) as [Z | N]; [| field; exact N].
  assert (D : dot K w w = 0) by (rewrite <- norm_sqr, Z; ring).
  assert (T := term_le_sum K (fun i => w i * w i) j (fun i _ => Rle_0_sqr (w i)) J).
  fold (dot K w w) in T; rewrite D in T; simpl in T; rewrite Z; nra.
Qed.

(** The norms of the kernels that the nodes of a layer share, multiplied. *)
Definition kernel_product (K : nat -> nat) (w : nat -> nat -> R) (L : nat) : R :=
  product L (fun k => norm (K k) (w k)).

(** The network whose layers have one kernel each. *)
Definition shared_network (K : nat -> nat) (child : nat -> nat -> nat -> nat)
    (w : nat -> nat -> R) (x : nat -> R) (L v : nat) : R :=
  patch_network K child (fun k _ j => w k j) x L v.

(** Kernels of any norm whose product is at most rho: the mean of the largest square. *)
Lemma peeling_of_shared_kernels K child m x L rho (w : (nat -> R) -> nat -> nat -> R) v :
  (forall e, kernel_product K (w e) (S L) <= rho) ->
  sign_mean m (fun e => signed_sum m e (fun i => shared_network K child (w e) (x i) (S L) v) ^ 2)
  <= rho ^ 2 * (relu_cost ^ (2 * L) * path_square K child m x (S L) v).
Proof.
  intros W.
  set (u := fun e k (_ : nat) j => unit_kernel (K k) (w e k) j).
  assert (N : forall e, 0 <= kernel_product K (w e) (S L))
    by (intros; apply product_nonneg; intros; apply norm_nonneg).
  eapply Rle_trans; [| apply Rmult_le_compat_l; [rewrite <- Rsqr_pow2; apply Rle_0_sqr |
    apply (peeling_of_patches K child m x L u v)]].
  2: intros e k n; apply unit_kernel_norm.
  rewrite <- sign_mean_scale; apply sign_mean_le; intros e _.
  set (q := signed_sum m e (fun i => patch_network K child (u e) (x i) (S L) v)).
  assert (E : signed_sum m e (fun i => shared_network K child (w e) (x i) (S L) v)
              = kernel_product K (w e) (S L) * q).
  { unfold q, signed_sum; rewrite <- sum_scale; apply sum_ext; intros i _.
    unfold shared_network; rewrite (patch_network_ext _ _ _
      (fun k n j => norm (K k) (w e k) * u e k n j))
      by (intros k n j J; unfold u; apply kernel_by_norm, J).
    rewrite (lengths_factor_out K child (u e) (x i) (fun k => norm (K k) (w e k)))
      by (intros; apply norm_nonneg).
    unfold kernel_product; ring. }
  rewrite E; assert (P := N e); assert (Q := W e); set (p := kernel_product K (w e) (S L)) in *.
  replace ((p * q) ^ 2) with (p * p * (q * q)) by ring.
  replace (rho ^ 2 * q ^ 2) with (rho * rho * (q * q)) by ring.
  apply Rmult_le_compat_r; [apply Rle_0_sqr | apply Rmult_le_compat; lra].
Qed.

Lemma path_square_nonneg K child m x L : forall v, 0 <= path_square K child m x L v.
Proof.
  induction L; intros v; simpl; apply sum_nonneg; intros; [apply Rle_0_sqr | auto].
Qed.

(** The mean of the largest absolute value. *)
Lemma mean_of_patches K child m x L rho (w : (nat -> R) -> nat -> nat -> R) v :
  0 <= rho -> (forall e, kernel_product K (w e) (S L) <= rho) ->
  sign_mean m (fun e =>
    Rabs (signed_sum m e (fun i => shared_network K child (w e) (x i) (S L) v)))
  <= rho * (relu_cost ^ L * sqrt (path_square K child m x (S L) v)).
Proof.
  intros P W; assert (Q := path_square_nonneg K child m x (S L) v).
  assert (C : 0 <= relu_cost ^ L) by (apply pow_le; unfold relu_cost; destruct sqrt_two; lra).
  eapply Rle_trans; [apply mean_abs_le_root |].
  apply Rsqr_incr_0_var; [| repeat apply Rmult_le_pos; auto using sqrt_pos].
  rewrite Rsqr_sqrt by (apply sign_mean_nonneg; intros; apply Rle_0_sqr).
  rewrite !Rsqr_mult, Rsqr_sqrt by exact Q.
  rewrite (Rsqr_pow2 rho), (Rsqr_pow2 (relu_cost ^ L)), <- pow_mult, Nat.mul_comm.
  eapply Rle_trans; [| apply (peeling_of_shared_kernels K child m x L rho w v W)].
  apply Req_le, sign_mean_ext; intros; ring.
Qed.

(** square:conjecture-1, sharp "every input with its paths", for k = 1 and any graph of patches:
    the complexity without the factor 2. *)
Theorem complexity_of_patches K child m x L rho (w : (nat -> R) -> nat -> nat -> R) v :
  (1 <= m)%nat -> 0 < rho -> (forall e, kernel_product K (w e) (S L) <= rho) ->
  sign_mean m (fun e =>
    Rabs (signed_sum m e (fun i => shared_network K child (w e) (x i) (S L) v))) / INR m
  <= relu_cost ^ L * rho * sqrt (path_square K child m x (S L) v) / INR m.
Proof.
  intros M P W; unfold Rdiv; apply Rmult_le_compat_r.
  { left; apply Rinv_0_lt_compat, lt_0_INR; lia. }
  assert (H := mean_of_patches K child m x L rho w v ltac:(lra) W); lra.
Qed.
