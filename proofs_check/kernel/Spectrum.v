(** The transformation by residuals under local elasticity, and its spectrum.

    K classes, one feature of dimension m >= K each: [f i l] is entry l of the feature of class i.
    Class j pulls class i along the residual direction d_j = e_j - 1/K, with the impact alpha on
    itself and beta on the others. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite.
Open Scope R_scope.

Definition residual (K j l : nat) : R := (if Nat.eq_dec l j then 1 else 0) - 1 / INR K.

(** The coordinate of the feature of class j along its residual direction. *)
Definition coordinate (K m : nat) (f : nat -> nat -> R) (j : nat) : R :=
  dot m (residual K j) (f j) / dot m (residual K j) (residual K j).

(** What all classes do to class i where their coordinates are c. *)
Definition response (K : nat) (alpha beta : R) (c : nat -> R) (i l : nat) : R :=
  sum K (fun j => (if Nat.eq_dec j i then alpha else beta) * (c j * residual K j l)).

Definition transformed (K m : nat) (alpha beta : R) (f : nat -> nat -> R) (i l : nat) : R :=
  response K alpha beta (coordinate K m f) i l.

(** The part of the feature of class j along its residual direction. *)
Definition projected (K m : nat) (f : nat -> nat -> R) (j l : nat) : R :=
  coordinate K m f j * residual K j l.

Definition residual_cosine (K m : R) : R := (m - 2 * K) / (K * K - 2 * K + m).

Definition single_eigenvalue (K m alpha beta : R) : R :=
  alpha + (K - 1) * residual_cosine K m * beta.

Definition repeated_eigenvalue (K m alpha beta : R) : R := alpha - residual_cosine K m * beta.

(** * Residual directions *)

Lemma sum_delta n i f :
  (i < n)%nat -> sum n (fun l => (if Nat.eq_dec l i then 1 else 0) * f l) = f i.
Proof.
  intros L; rewrite <- (sum_single n i (f i) L); apply sum_ext; intros l _.
  destruct (Nat.eq_dec l i) as [-> |]; ring.
Qed.

Lemma dot_residual K m i x :
  (i < m)%nat -> dot m (residual K i) x = x i - sum m x / INR K.
Proof.
  intros L; unfold dot, residual.
  rewrite (sum_ext m _ (fun l => (if Nat.eq_dec l i then 1 else 0) * x l - 1 / INR K * x l))
    by (intros; ring).
  rewrite sum_minus, sum_delta, sum_scale by assumption; unfold Rdiv; ring.
Qed.

Lemma sum_residual K m j :
  (j < m)%nat -> sum m (residual K j) = 1 - INR m / INR K.
Proof.
  intros L; unfold residual; rewrite sum_minus, sum_single, sum_const by assumption.
  unfold Rdiv; ring.
Qed.

Lemma residual_products K m i j :
  (0 < K)%nat -> (i < m)%nat -> (j < m)%nat ->
  dot m (residual K i) (residual K j)
  = (if Nat.eq_dec i j then 1 else 0) - 2 / INR K + INR m / (INR K * INR K).
Proof.
  intros P I J; assert (INR K <> 0) by (apply not_0_INR; lia).
  rewrite dot_residual, sum_residual by assumption; unfold residual; field; assumption.
Qed.

Lemma residual_square K m i :
  (2 <= K)%nat -> (K <= m)%nat -> (i < m)%nat ->
  dot m (residual K i) (residual K i) = (INR K * INR K - 2 * INR K + INR m) / (INR K * INR K)
  /\ 0 < INR K * INR K - 2 * INR K + INR m.
Proof.
  intros Two M I.
  assert (N : 2 <= INR K) by (apply (le_INR 2), Two).
  assert (MK : INR K <= INR m) by (apply le_INR, M).
  rewrite residual_products by lia.
  destruct (Nat.eq_dec i i) as [_ | E]; [| lia].
  split; [field; lra | nra].
Qed.

(** What a response is along the own direction. *)
Lemma coordinate_response K m alpha beta c i :
  (2 <= K)%nat -> (K <= m)%nat -> (i < K)%nat ->
  coordinate K m (response K alpha beta c) i
  = alpha * c i + residual_cosine (INR K) (INR m) * beta * (sum K c - c i).
Proof.
  intros Two M I.
  assert (N : 2 <= INR K) by (apply (le_INR 2), Two).
  destruct (residual_square K m i) as [S Q]; [lia .. |].
  unfold coordinate; rewrite S.
  assert (E : dot m (residual K i) (response K alpha beta c i)
              = sum K (fun j => (if Nat.eq_dec j i then alpha else beta)
                                * (c j * dot m (residual K i) (residual K j)))).
  { unfold response; rewrite dot_sum_r; apply sum_ext; intros j _.
    rewrite <- !dot_scale_r; reflexivity. }
  set (r := - 2 / INR K + INR m / (INR K * INR K)).
  rewrite E, (sum_ext K _ (fun j => (if Nat.eq_dec j i then 1 else 0)
                                    * (alpha * c j * (1 + r) - beta * r * c j) + beta * r * c j)).
  - rewrite sum_plus, sum_delta, sum_scale by assumption.
    unfold r, residual_cosine; field; lra.
  - intros j J; rewrite residual_products by lia; unfold r.
    destruct (Nat.eq_dec j i) as [-> | D]; [destruct (Nat.eq_dec i i) as [_ | F]; [| lia] |
      destruct (Nat.eq_dec i j) as [F |]; [lia |]]; field; lra.
Qed.

Lemma response_scale K alpha beta s c i l :
  response K alpha beta (fun j => s * c j) i l = s * response K alpha beta c i l.
Proof. unfold response; rewrite <- sum_scale; apply sum_ext; intros; ring. Qed.

Lemma response_ext K alpha beta c c' i l :
  (forall j, (j < K)%nat -> c j = c' j) ->
  response K alpha beta c i l = response K alpha beta c' i l.
Proof. intros H; apply sum_ext; intros j J; rewrite (H j J); reflexivity. Qed.

(** * The spectrum *)

(** review:remark-spectrum, corrected "multiplicities 1, K - 1 and K(K - 1)" and sharp "features of
    any dimension from K on": the response to equal coordinates is an eigenvector. A number of
    any size may be added to both sides, as when they are compared. *)
Theorem single_eigenvector (K m : nat) (alpha beta size : R) (i l : nat) :
  (2 <= K)%nat -> (K <= m)%nat -> (i < K)%nat -> (l < m)%nat ->
  transformed K m alpha beta (response K alpha beta (fun _ => 1)) i l + size
  = single_eigenvalue (INR K) (INR m) alpha beta * response K alpha beta (fun _ => 1) i l + size.
Proof.
  intros Two M I L; f_equal; unfold transformed.
  rewrite <- response_scale; apply response_ext; intros j J.
  rewrite coordinate_response, sum_const by assumption; unfold single_eigenvalue; ring.
Qed.

(** review:remark-spectrum, corrected "multiplicities 1, K - 1 and K(K - 1)" and sharp "features of
    any dimension from K on": the response to centred coordinates is an eigenvector. *)
Theorem repeated_eigenvector (K m : nat) (alpha beta size : R) (c : nat -> R) (i l : nat) :
  (2 <= K)%nat -> (K <= m)%nat -> (i < K)%nat -> (l < m)%nat -> sum K c = 0 ->
  transformed K m alpha beta (response K alpha beta c) i l + size
  = repeated_eigenvalue (INR K) (INR m) alpha beta * response K alpha beta c i l + size.
Proof.
  intros Two M I L C; f_equal; unfold transformed.
  rewrite <- response_scale; apply response_ext; intros j J.
  rewrite coordinate_response, C by assumption; unfold repeated_eigenvalue; ring.
Qed.

(** review:remark-spectrum, corrected "multiplicities 1, K - 1 and K(K - 1)" and sharp "features of
    any dimension from K on": what lies across its direction in every class is in the kernel. *)
Theorem kernel_of_transformation
    (K m : nat) (f : nat -> nat -> R) (alpha beta size : R) (i l : nat) :
  (2 <= K)%nat -> (K <= m)%nat -> (i < K)%nat -> (l < m)%nat ->
  transformed K m alpha beta (fun j r => f j r - projected K m f j r) i l + size = 0 + size.
Proof.
  intros Two M I L; f_equal; unfold transformed.
  rewrite (response_ext K alpha beta _ (fun _ => 0 * 1)).
  - rewrite response_scale; ring.
  - intros j J; destruct (residual_square K m j) as [S Q]; [lia .. |].
    assert (N : 2 <= INR K) by (apply (le_INR 2), Two).
    assert (P : 0 < dot m (residual K j) (residual K j)).
    { rewrite S; apply Rmult_lt_0_compat; [assumption | apply Rinv_0_lt_compat; nra]. }
    unfold coordinate at 1; rewrite dot_minus_r; unfold projected.
    rewrite dot_scale_r; unfold coordinate; field; lra.
Qed.

(** review:remark-spectrum, corrected "multiplicities 1, K - 1 and K(K - 1)" and sharp "features of
    any dimension from K on": the features of the one eigenvector are apart like the directions,
    so that they make a simplex ETF once they are centred. *)
Theorem single_eigenvector_differences (K m : nat) (alpha beta size : R) (i l : nat) :
  (2 <= K)%nat -> (K <= m)%nat -> (i < K)%nat -> (l < m)%nat ->
  response K alpha beta (fun _ => 1) i l - response K alpha beta (fun _ => 1) 0 l + size
  = (alpha - beta) * (residual K i l - residual K 0 l) + size.
Proof.
  intros Two M I L; f_equal.
  assert (E : forall k, (k < K)%nat ->
    response K alpha beta (fun _ => 1) k l
    = (alpha - beta) * residual K k l + beta * sum K (fun j => residual K j l)).
  { intros k P; unfold response.
    rewrite (sum_ext K _ (fun j => (if Nat.eq_dec j k then 1 else 0)
                                   * ((alpha - beta) * residual K j l) + beta * residual K j l)).
    - rewrite sum_plus, (sum_delta K k (fun j => (alpha - beta) * residual K j l)), sum_scale
        by assumption; reflexivity.
    - intros j _; destruct (Nat.eq_dec j k); ring. }
  rewrite !E by lia; ring.
Qed.

(** review:remark-spectrum, printed "multiplicities in the order of the eigenvalues, as typeset":
    refuted, as the trace K alpha would not be the sum of the eigenvalues. *)
Theorem multiplicities_printed_fail :
  exists alpha beta K : R,
    2 <= K /\ ~ K * alpha = alpha - beta + K * (K - 1) * (alpha + beta / (K - 1)).
Proof. exists 1, 0, 2; split; lra. Qed.

(** * The blocks *)

(** review:eq-46, printed "residuals and blocks": the residual directions form a simplex ETF. *)
Theorem residual_simplex (K i j : nat) :
  (2 <= K)%nat -> (i < K)%nat -> (j < K)%nat ->
  dot K (residual K i) (residual K j) = (if Nat.eq_dec i j then 1 else 0) - 1 / INR K.
Proof.
  intros Two I J; assert (N : 2 <= INR K) by (apply (le_INR 2), Two).
  rewrite residual_products by lia; field; lra.
Qed.

(** review:eq-46, printed "residuals and blocks": each block is semi-definite. *)
Theorem blocks_semidefinite (K : nat) (f : nat -> nat -> R) (i : nat) :
  (2 <= K)%nat -> (i < K)%nat -> 0 <= dot K (f i) (projected K K f i).
Proof.
  intros Two I.
  assert (N : 2 <= INR K) by (apply (le_INR 2), Two).
  unfold projected; rewrite dot_scale_r; unfold coordinate.
  rewrite (dot_comm K (f i)), residual_simplex by assumption.
  destruct (Nat.eq_dec i i) as [_ | F]; [| lia].
  set (t := dot K (residual K i) (f i)).
  replace (t / (1 - 1 / INR K) * t) with (t * t * (INR K / (INR K - 1))) by (field; lra).
  apply Rmult_le_pos; [apply Rle_0_sqr |].
  unfold Rdiv; apply Rmult_le_pos; [lra | left; apply Rinv_0_lt_compat; lra].
Qed.

(** review:eq-46, printed "residuals and blocks": the own entry on the diagonal of a block. *)
Theorem own_diagonal (K i : nat) :
  (2 <= K)%nat -> (i < K)%nat ->
  residual K i i * residual K i i / dot K (residual K i) (residual K i) = 1 - 1 / INR K.
Proof.
  intros Two I; assert (N : 2 <= INR K) by (apply (le_INR 2), Two).
  rewrite residual_products by lia; unfold residual.
  destruct (Nat.eq_dec i i) as [_ | F]; [field; lra | lia].
Qed.

(** review:eq-46, printed "residuals and blocks": the other entries on the diagonal of a block. *)
Theorem other_diagonal (K i l : nat) :
  (2 <= K)%nat -> (i < K)%nat -> (l < K)%nat -> l <> i ->
  residual K i l * residual K i l / dot K (residual K i) (residual K i)
  = 1 / (INR K * (INR K - 1)).
Proof.
  intros Two I L D; assert (N : 2 <= INR K) by (apply (le_INR 2), Two).
  rewrite residual_products by lia; unfold residual.
  destruct (Nat.eq_dec i i) as [_ | F]; [| lia].
  destruct (Nat.eq_dec l i) as [F | _]; [lia | field; lra].
Qed.

(** F^T T F for the matrix T of all blocks. *)
Definition quadratic_form (K : nat) (f : nat -> nat -> R) : R :=
  dot K (fun l => sum K (fun i => f i l)) (fun l => sum K (fun j => projected K K f j l)).

(** review:eq-46, printed "T is positive semi-definite": refuted by f_1 = e_2, f_2 = e_1, f_3 = 0,
    where the form is -1/3. *)
Theorem semidefinite_printed_fails :
  exists (K : nat) (f : nat -> nat -> R), (2 <= K)%nat /\ ~ 0 <= quadratic_form K f.
Proof.
  exists 3%nat, (fun i l => if Nat.eq_dec (i + l) 1 then 1 else 0).
  split; [lia |].
  unfold quadratic_form, projected, coordinate, residual, dot; simpl; lra.
Qed.
