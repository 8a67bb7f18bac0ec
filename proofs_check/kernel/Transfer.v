(** Class-distance normalised variance, and what it says of the nearest class mean.

    A class is a family of n points of dimension d, [x i j] being entry j of point i. A point is
    an error of the nearest class mean where another class mean is at least as near as its own. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite.
Open Scope R_scope.

Definition distance2 (d : nat) (x y : nat -> R) : R :=
  dot d (fun j => x j - y j) (fun j => x j - y j).

Definition centre (n : nat) (x : nat -> nat -> R) (j : nat) : R := mean n (fun i => x i j).

(** Variance of a class: the mean squared distance of its points from their mean. *)
Definition spread (d n : nat) (x : nat -> nat -> R) : R :=
  mean n (fun i => distance2 d (x i) (centre n x)).

Definition cdnv (d m n : nat) (x y : nat -> nat -> R) : R :=
  (spread d m x + spread d n y) / (2 * distance2 d (centre m x) (centre n y)).

(** Mean squared distance of a point of one class from a point of the other. *)
Definition distance2_of_pairs (d m n : nat) (x y : nat -> nat -> R) : R :=
  mean m (fun i => mean n (fun k => distance2 d (x i) (y k))).

(** A point mirrored at the hyperplane across v, scaled and shifted. *)
Definition moved (d : nat) (v : nat -> R) (scale : R) (shift x : nat -> R) (j : nat) : R :=
  scale * (x j - 2 * dot d x v * v j / dot d v v) + shift j.

(** * Means *)

Lemma mean_ext n f g : (forall i, (i < n)%nat -> f i = g i) -> mean n f = mean n g.
Proof. intros H; unfold mean; rewrite (sum_ext n f g H); reflexivity. Qed.

Lemma mean_plus n f g : mean n (fun i => f i + g i) = mean n f + mean n g.
Proof. unfold mean; rewrite sum_plus; unfold Rdiv; ring. Qed.

Lemma mean_minus n f g : mean n (fun i => f i - g i) = mean n f - mean n g.
Proof. unfold mean; rewrite sum_minus; unfold Rdiv; ring. Qed.

Lemma mean_scale n c f : mean n (fun i => c * f i) = c * mean n f.
Proof. unfold mean; rewrite sum_scale; unfold Rdiv; ring. Qed.

Lemma mean_const n c : (0 < n)%nat -> mean n (fun _ => c) = c.
Proof. intros H; unfold mean; rewrite sum_const; field; apply not_0_INR; lia. Qed.

Lemma mean_le n f g :
  (0 < n)%nat -> (forall i, (i < n)%nat -> f i <= g i) -> mean n f <= mean n g.
Proof.
  intros P H; unfold mean, Rdiv; apply Rmult_le_compat_r.
  - left; apply Rinv_0_lt_compat, lt_0_INR; lia.
  - apply sum_le, H.
Qed.

Lemma mean_nonneg n f : (0 < n)%nat -> (forall i, (i < n)%nat -> 0 <= f i) -> 0 <= mean n f.
Proof. intros P H; rewrite <- (mean_const n 0 P); apply mean_le; assumption. Qed.

Lemma mean_of_sum n m f :
  mean n (fun i => sum m (fun j => f i j)) = sum m (fun j => mean n (fun i => f i j)).
Proof. unfold mean; rewrite sum_swap, sum_divide; reflexivity. Qed.

Lemma mean_dot d n y x : mean n (fun i => dot d y (x i)) = dot d y (centre n x).
Proof.
  unfold dot; rewrite mean_of_sum; apply sum_ext; intros j _.
  rewrite mean_scale; reflexivity.
Qed.

(** * Distances *)

Lemma distance2_nonneg d x y : 0 <= distance2 d x y.
Proof. apply dot_nonneg. Qed.

Lemma distance2_expand d x y : distance2 d x y = dot d x x - 2 * dot d x y + dot d y y.
Proof.
  unfold distance2; rewrite dot_minus_l, !dot_minus_r, (dot_comm d y x); ring.
Qed.

Lemma distance2_comm d x y : distance2 d x y = distance2 d y x.
Proof. rewrite !distance2_expand, (dot_comm d y x); ring. Qed.

(** The mean squared distance from any point: variance and the square of the bias. *)
Lemma distance2_split d n x y :
  (0 < n)%nat ->
  mean n (fun i => distance2 d (x i) y) = spread d n x + distance2 d (centre n x) y.
Proof.
  intros P; unfold spread.
  assert (E : forall z, mean n (fun i => distance2 d (x i) z)
                        = mean n (fun i => dot d (x i) (x i)) - 2 * dot d z (centre n x)
                          + dot d z z).
  { intros z.
    rewrite (mean_ext n _ (fun i => dot d (x i) (x i) - 2 * dot d z (x i) + dot d z z)).
    - rewrite mean_plus, mean_minus, mean_scale, mean_const, mean_dot by assumption; reflexivity.
    - intros i _; rewrite distance2_expand, (dot_comm d (x i) z); ring. }
  rewrite !E, distance2_expand, (dot_comm d y); ring.
Qed.

Lemma distance2_of_pairs_split d m n x y :
  (0 < m)%nat -> (0 < n)%nat ->
  distance2_of_pairs d m n x y
  = spread d m x + spread d n y + distance2 d (centre m x) (centre n y).
Proof.
  intros M N; unfold distance2_of_pairs.
  rewrite (mean_ext m _ (fun i => spread d n y + distance2 d (x i) (centre n y))).
  - rewrite mean_plus, mean_const, distance2_split by assumption; ring.
  - intros i _.
    rewrite (mean_ext n _ (fun k => distance2 d (y k) (x i)))
      by (intros; apply distance2_comm).
    rewrite distance2_split, (distance2_comm d (x i)) by assumption; reflexivity.
Qed.

Lemma distance2_ext d x y u v :
  (forall j, (j < d)%nat -> x j = u j) -> (forall j, (j < d)%nat -> y j = v j) ->
  distance2 d x y = distance2 d u v.
Proof. intros X Y; apply sum_ext; intros j J; rewrite X, Y by assumption; reflexivity. Qed.

Lemma distance2_moved d v scale shift x y :
  dot d v v <> 0 ->
  distance2 d (moved d v scale shift x) (moved d v scale shift y)
  = scale * scale * distance2 d x y.
Proof.
  intros V.
  set (z := fun j => x j - y j).
  assert (E : forall j, moved d v scale shift x j - moved d v scale shift y j
                        = scale * (z j - 2 * dot d z v / dot d v v * v j)).
  { intros j; unfold moved, z; rewrite dot_minus_l; field; assumption. }
  unfold distance2.
  transitivity (dot d (fun j => scale * (z j - 2 * dot d z v / dot d v v * v j))
                      (fun j => scale * (z j - 2 * dot d z v / dot d v v * v j))).
  - apply sum_ext; intros j _; rewrite E; reflexivity.
  - transitivity (scale * scale * dot d z z); [| reflexivity].
    clearbody z; rewrite dot_scale_l, dot_scale_r, dot_minus_l, !dot_minus_r, !dot_scale_l,
      !dot_scale_r, (dot_comm d v z).
    field; assumption.
Qed.

Lemma centre_moved d v scale shift n x j :
  (0 < n)%nat -> dot d v v <> 0 ->
  centre n (fun i => moved d v scale shift (x i)) j = moved d v scale shift (centre n x) j.
Proof.
  intros P V; unfold centre at 1, moved.
  rewrite mean_plus, mean_const, mean_scale, mean_minus by assumption.
  rewrite (mean_ext n (fun i => 2 * dot d (x i) v * v j / dot d v v)
                      (fun i => 2 * v j / dot d v v * dot d v (x i)))
    by (intros i _; rewrite (dot_comm d v (x i)); field; assumption).
  rewrite mean_scale, mean_dot, (dot_comm d (centre n x)); unfold centre; field; assumption.
Qed.

Lemma spread_moved d v scale shift n x :
  (0 < n)%nat -> dot d v v <> 0 ->
  spread d n (fun i => moved d v scale shift (x i)) = scale * scale * spread d n x.
Proof.
  intros P V; unfold spread; rewrite <- mean_scale; apply mean_ext; intros i _.
  rewrite <- (distance2_moved d v scale shift) by assumption.
  apply distance2_ext; intros j _; [reflexivity | apply centre_moved; assumption].
Qed.

(** review:eq-51, printed "laws and a second formula": the CDNV is symmetric, does not change when
    all points are mirrored, scaled and shifted, and is read off distances of pairs of points. *)
Theorem cdnv_laws (d m n : nat) (x y : nat -> nat -> R) (v shift : nat -> R) (scale : R) :
  (0 < m)%nat -> (0 < n)%nat ->
  0 < scale -> 0 < dot d v v -> 0 < distance2 d (centre m x) (centre n y) ->
  cdnv d n m y x = cdnv d m n x y
  /\ cdnv d m n (fun i => moved d v scale shift (x i)) (fun i => moved d v scale shift (y i))
     = cdnv d m n x y
  /\ spread d m x = distance2_of_pairs d m m x x / 2
  /\ cdnv d m n x y
     = (distance2_of_pairs d m n x y / distance2 d (centre m x) (centre n y) - 1) / 2.
Proof.
  intros M N S V A; unfold cdnv; repeat split.
  - rewrite (distance2_comm d (centre n y)), (Rplus_comm (spread d n y)); reflexivity.
  - rewrite !spread_moved by (assumption || lra).
    rewrite (distance2_ext d _ _ (moved d v scale shift (centre m x))
                                 (moved d v scale shift (centre n y)))
      by (intros; apply centre_moved; assumption || lra).
    rewrite distance2_moved by lra; field; lra.
  - rewrite distance2_of_pairs_split by assumption.
    replace (distance2 d (centre m x) (centre m x)) with 0; [field |].
    symmetry; apply sum_zero; intros; ring.
  - rewrite distance2_of_pairs_split by assumption; field; lra.
Qed.

(** * Errors of the nearest class mean *)

Fixpoint some (n : nat) (p : nat -> bool) : bool :=
  match n with
  | O => false
  | S m => (some m p || p m)%bool
  end.

(** Whether one of the K class means mu but the i-th is at least as near to a point. *)
Definition mistaken (d K : nat) (mu : nat -> nat -> R) (i : nat) (point : nat -> R) : bool :=
  some K (fun j => if Nat.eq_dec j i then false
                   else if Rle_dec (distance2 d point (mu j)) (distance2 d point (mu i))
                        then true else false).

(** Share of errors in class i of K classes x with n points each. *)
Definition class_error (d K n : nat) (x : nat -> nat -> nat -> R) (i : nat) : R :=
  mean n (fun k => if mistaken d K (fun j => centre n (x j)) i (x i k) then 1 else 0).

(** Variance of class i over the squared distance of class mean j; whole, and along the line. *)
Definition whole (d n : nat) (x : nat -> nat -> nat -> R) (i j : nat) : R :=
  spread d n (x i) / distance2 d (centre n (x j)) (centre n (x i)).

Definition step (d n : nat) (x : nat -> nat -> nat -> R) (i j k : nat) : R :=
  dot d (fun l => x i k l - centre n (x i) l) (fun l => centre n (x j) l - centre n (x i) l).

Definition along (d n : nat) (x : nat -> nat -> nat -> R) (i j : nat) : R :=
  mean n (fun k => step d n x i j k * step d n x i j k)
  / (distance2 d (centre n (x j)) (centre n (x i)) * distance2 d (centre n (x j)) (centre n (x i))).

Definition saturated (z : R) : R := z / (1 + z).

(** A sum over the K (K - 1) ordered pairs of different classes. *)
Definition sum_pairs (K : nat) (f : nat -> nat -> R) : R :=
  sum K (fun i => sum K (fun j => if Nat.eq_dec j i then 0 else f i j)).

Definition nearest_mean_bound (K V : R) : R := (K - 1) * 4 * V / (1 + 4 * V).

(** Cantelli: of numbers with mean 0 at most the share v/(v + a^2) is a or more. *)
Lemma cantelli n t v a :
  (0 < n)%nat -> 0 < a -> mean n t = 0 -> mean n (fun k => t k * t k) = v ->
  mean n (fun k => if Rle_dec a (t k) then 1 else 0) <= v / (v + a * a).
Proof.
  intros P A Z E.
  assert (V : 0 <= v) by (rewrite <- E; apply mean_nonneg; [assumption | intros; apply Rle_0_sqr]).
  assert (Q : 0 < v + a * a) by nra.
  (* the indicator is at most ((t a + v)/(a^2 + v))^2, whose mean is v/(v + a^2) *)
  apply Rle_trans with (mean n (fun k => / ((v + a * a) * (v + a * a))
                                         * (a * a * (t k * t k) + 2 * a * v * t k + v * v))).
  - apply mean_le; [assumption | intros k _].
    assert (S : a * a * (t k * t k) + 2 * a * v * t k + v * v = (t k * a + v) * (t k * a + v))
      by ring.
    rewrite S.
    assert (D : 0 < (v + a * a) * (v + a * a)) by nra.
    destruct (Rle_dec a (t k)) as [L | L].
    + apply Rmult_le_reg_l with ((v + a * a) * (v + a * a)); [assumption |].
      rewrite <- Rmult_assoc, Rinv_r, Rmult_1_l, Rmult_1_r by lra.
      assert (v + a * a <= t k * a + v) by nra. apply Rmult_le_compat; lra.
    + apply Rmult_le_pos; [left; apply Rinv_0_lt_compat; assumption | apply Rle_0_sqr].
  - rewrite mean_scale, !mean_plus, !mean_scale, mean_const, Z, E by assumption.
    right; field; lra.
Qed.

Lemma saturated_increasing u v : 0 <= u -> u <= v -> saturated u <= saturated v.
Proof.
  intros U L; unfold saturated.
  apply Rmult_le_reg_r with ((1 + u) * (1 + v)); [nra |].
  replace (u / (1 + u) * ((1 + u) * (1 + v))) with (u * (1 + v)) by (field; lra).
  replace (v / (1 + v) * ((1 + u) * (1 + v))) with (v * (1 + u)) by (field; lra). nra.
Qed.

(** z/(1 + z) is concave: below its tangent at any c >= 0. *)
Lemma saturated_tangent z c :
  0 <= z -> 0 <= c -> saturated z <= saturated c + (z - c) / ((1 + c) * (1 + c)).
Proof.
  intros Z C; unfold saturated.
  assert (E : c / (1 + c) + (z - c) / ((1 + c) * (1 + c)) - z / (1 + z)
              = (z - c) * (z - c) / ((1 + c) * (1 + c) * (1 + z))) by (field; lra).
  assert (0 <= (z - c) * (z - c) / ((1 + c) * (1 + c) * (1 + z))); [| lra].
  apply Rmult_le_pos; [apply Rle_0_sqr |].
  left; apply Rinv_0_lt_compat; apply Rmult_lt_0_compat; nra.
Qed.

Section Nearest.
Variables (d K n : nat) (x : nat -> nat -> nat -> R).

Let mu (j : nat) := centre n (x j).
Let D (i j : nat) := distance2 d (centre n (x j)) (centre n (x i)).

Lemma along_nonneg i j : (0 < n)%nat -> 0 < D i j -> 0 <= along d n x i j.
Proof.
  intros points P; unfold along; apply Rmult_le_pos.
  - apply mean_nonneg; [assumption | intros; apply Rle_0_sqr].
  - left; apply Rinv_0_lt_compat; fold (D i j); nra.
Qed.

(** Cauchy-Schwarz: along the line of the means there is at most the whole variance. *)
Lemma along_le_whole i j : (0 < n)%nat -> 0 < D i j -> along d n x i j <= whole d n x i j.
Proof.
  intros points P; unfold along, whole; fold (D i j).
  assert (L : mean n (fun k => step d n x i j k * step d n x i j k) <= spread d n (x i) * D i j).
  { unfold spread; rewrite (Rmult_comm _ (D i j)), <- mean_scale.
    apply mean_le; [assumption | intros k _].
    rewrite (Rmult_comm (D i j)); apply cauchy_schwarz_sqr. }
  apply Rmult_le_reg_r with (D i j * D i j); [nra |].
  replace (spread d n (x i) / D i j * (D i j * D i j)) with (spread d n (x i) * D i j)
    by (field; lra).
  unfold Rdiv; rewrite Rmult_assoc, Rinv_l, Rmult_1_r by nra; assumption.
Qed.

(** Another mean is as near as the own one from the middle of the line on. *)
Lemma nearer_iff i j k :
  distance2 d (x i k) (mu j) <= distance2 d (x i k) (mu i) <-> D i j / 2 <= step d n x i j k.
Proof.
  assert (E : distance2 d (x i k) (mu j)
              = distance2 d (x i k) (mu i) - 2 * step d n x i j k + D i j).
  { unfold step, D, mu, distance2; unfold dot.
    rewrite <- sum_scale, <- sum_minus, <- sum_plus; apply sum_ext; intros; ring. }
  rewrite E; split; intros; lra.
Qed.

Definition nearer (i j k : nat) : R :=
  if Rle_dec (distance2 d (x i k) (mu j)) (distance2 d (x i k) (mu i)) then 1 else 0.

Lemma nearer_share i j :
  (0 < n)%nat -> 0 < D i j ->
  mean n (fun k => nearer i j k) <= saturated (4 * along d n x i j).
Proof.
  intros points P.
  rewrite (mean_ext n _ (fun k => if Rle_dec (D i j / 2) (step d n x i j k) then 1 else 0)).
  2:{ intros k _; unfold nearer; destruct (nearer_iff i j k) as [F B].
      destruct (Rle_dec (distance2 d (x i k) (mu j)) _) as [A | A];
        destruct (Rle_dec (D i j / 2) _) as [C | C]; try reflexivity.
      - elim C; apply F, A.
      - elim A; apply B, C. }
  eapply Rle_trans; [apply cantelli; [assumption | lra | | reflexivity] |].
  - unfold step.
    rewrite (mean_ext n _ (fun k => dot d (fun l => mu j l - mu i l) (x i k)
                                    - dot d (fun l => mu j l - mu i l) (mu i))).
    + rewrite mean_minus, mean_dot, mean_const by assumption; unfold mu; ring.
    + intros k _; rewrite dot_minus_l, !(dot_comm d _ (fun l => mu j l - mu i l)); reflexivity.
  - right; unfold saturated, along; fold (D i j).
    set (v := mean n (fun k => step d n x i j k * step d n x i j k)).
    assert (0 <= v) by (apply mean_nonneg; [assumption | intros; apply Rle_0_sqr]).
    field; repeat split; nra.
Qed.

Lemma mistaken_le i k :
  (if mistaken d K mu i (x i k) then 1 else 0)
  <= sum K (fun j => if Nat.eq_dec j i then 0 else nearer i j k).
Proof.
  unfold mistaken; induction K as [| m IH]; simpl; [lra |].
  assert (0 <= sum m (fun j => if Nat.eq_dec j i then 0 else nearer i j k)).
  { apply sum_nonneg; intros j _; unfold nearer.
    destruct (Nat.eq_dec j i); [lra | destruct (Rle_dec _ _); lra]. }
  set (earlier := sum m _) in *; unfold nearer.
  destruct (some m _); destruct (Nat.eq_dec m i); simpl in *; try lra;
    destruct (Rle_dec _ _); simpl; lra.
Qed.

Lemma class_error_lines i :
  (0 < n)%nat -> (forall j, (j < K)%nat -> j <> i -> 0 < D i j) ->
  class_error d K n x i
  <= sum K (fun j => if Nat.eq_dec j i then 0 else saturated (4 * along d n x i j)).
Proof.
  intros points P; unfold class_error.
  eapply Rle_trans; [apply mean_le; [assumption | intros k _; apply mistaken_le] |].
  rewrite mean_of_sum; apply sum_le; intros j J.
  destruct (Nat.eq_dec j i) as [E | E].
  - rewrite mean_const by assumption; lra.
  - apply nearer_share; [assumption | apply P; assumption].
Qed.

End Nearest.

Lemma sum_others K i c :
  (i < K)%nat -> sum K (fun j => if Nat.eq_dec j i then 0 else c) = (INR K - 1) * c.
Proof.
  intros H; assert (S := sum_single K i c H).
  assert (T : sum K (fun j => (if Nat.eq_dec j i then c else 0)
                              + (if Nat.eq_dec j i then 0 else c)) = INR K * c).
  { rewrite <- sum_const; apply sum_ext; intros j _; destruct (Nat.eq_dec j i); ring. }
  rewrite sum_plus, S in T; lra.
Qed.

Lemma sum_pairs_const K c : sum_pairs K (fun _ _ => c) = INR K * (INR K - 1) * c.
Proof.
  unfold sum_pairs; rewrite (sum_ext K _ (fun _ => (INR K - 1) * c)).
  - rewrite sum_const; ring.
  - intros i H; apply sum_others, H.
Qed.

Lemma sum_pairs_le K f g :
  (forall i j, (i < K)%nat -> (j < K)%nat -> j <> i -> f i j <= g i j) ->
  sum_pairs K f <= sum_pairs K g.
Proof.
  intros H; apply sum_le; intros i I; apply sum_le; intros j J.
  destruct (Nat.eq_dec j i); [lra | apply H; assumption].
Qed.

Lemma sum_pairs_affine K a b f :
  sum_pairs K (fun i j => a + b * f i j) = INR K * (INR K - 1) * a + b * sum_pairs K f.
Proof.
  rewrite <- (sum_pairs_const K a); unfold sum_pairs.
  rewrite <- sum_scale, <- sum_plus; apply sum_ext; intros i _.
  rewrite <- sum_scale, <- sum_plus; apply sum_ext; intros j _.
  destruct (Nat.eq_dec j i); ring.
Qed.

(** review:eq-51, sharp "errors of the nearest class mean": K classes, by the variances along the
    lines between class means, and by the mean over all pairs. *)
Theorem nearest_mean_errors (d K n : nat) (x : nat -> nat -> nat -> R) :
  (2 <= K)%nat -> (0 < n)%nat ->
  (forall i j, (i < K)%nat -> (j < K)%nat -> j <> i ->
     0 < distance2 d (centre n (x j)) (centre n (x i))) ->
  mean K (fun i => class_error d K n x i)
  <= sum_pairs K (fun i j => saturated (4 * along d n x i j)) / INR K
  /\ sum_pairs K (fun i j => saturated (4 * along d n x i j)) / INR K
     <= nearest_mean_bound (INR K) (sum_pairs K (whole d n x) / (INR K * (INR K - 1))).
Proof.
  intros Two P Apart.
  assert (N : 2 <= INR K) by (apply (le_INR 2), Two).
  assert (I : 0 < / INR K) by (apply Rinv_0_lt_compat; lra).
  split.
  - unfold mean, Rdiv; apply Rmult_le_compat_r; [lra |].
    apply sum_le; intros i L; apply class_error_lines; [assumption |].
    intros j J E; apply Apart; assumption.
  - set (V := sum_pairs K (whole d n x) / (INR K * (INR K - 1))).
    assert (V0 : 0 <= V).
    { unfold V, Rdiv; apply Rmult_le_pos; [| left; apply Rinv_0_lt_compat; nra].
      rewrite <- (Rmult_0_r (INR K * (INR K - 1))), <- sum_pairs_const.
      apply sum_pairs_le; intros i j Li Lj E.
      eapply Rle_trans; [apply along_nonneg | apply along_le_whole]; auto. }
    (* Jensen: every term is below the tangent at the mean *)
    apply Rle_trans with
      (sum_pairs K (fun i j => (saturated (4 * V) - 4 * V / ((1 + 4 * V) * (1 + 4 * V)))
                               + 4 / ((1 + 4 * V) * (1 + 4 * V)) * whole d n x i j) / INR K).
    + unfold Rdiv at 1; apply Rmult_le_compat_r; [lra |].
      apply sum_pairs_le; intros i j Li Lj E.
      assert (A := along_nonneg d n x i j P (Apart i j Li Lj E)).
      assert (B := along_le_whole d n x i j P (Apart i j Li Lj E)).
      eapply Rle_trans; [apply (saturated_increasing _ (4 * whole d n x i j)); lra |].
      eapply Rle_trans; [apply (saturated_tangent _ (4 * V)); lra |].
      right; field; lra.
    + rewrite sum_pairs_affine.
      replace (sum_pairs K (whole d n x)) with (INR K * (INR K - 1) * V)
        by (unfold V; field; lra).
      right; unfold nearest_mean_bound, saturated; field; lra.
Qed.

(** review:eq-51, sharp "errors of the nearest class mean": two classes, by their CDNV. *)
Theorem two_class_errors (d n : nat) (x : nat -> nat -> nat -> R) :
  (0 < n)%nat -> 0 < distance2 d (centre n (x 0%nat)) (centre n (x 1%nat)) ->
  mean 2 (fun i => class_error d 2 n x i)
  <= nearest_mean_bound 2 (cdnv d n n (x 0%nat) (x 1%nat)).
Proof.
  intros P A.
  assert (A' := A); rewrite distance2_comm in A'.
  destruct (nearest_mean_errors d 2 n x) as [L M]; [lia | assumption | |].
  - intros i j I J E; assert (C : i = 0%nat /\ j = 1%nat \/ i = 1%nat /\ j = 0%nat) by lia.
    destruct C as [[-> ->] | [-> ->]]; assumption.
  - eapply Rle_trans; [exact L | eapply Rle_trans; [exact M |]].
    right; unfold nearest_mean_bound, cdnv, sum_pairs, whole; simpl.
    rewrite (distance2_comm d (centre n (x 1%nat))).
    assert (0 <= spread d n (x 0%nat)) by (apply mean_nonneg; intros; [lia | apply dot_nonneg]).
    assert (0 <= spread d n (x 1%nat)) by (apply mean_nonneg; intros; [lia | apply dot_nonneg]).
    field; repeat split; nra.
Qed.

(** review:eq-51, sharp "errors of the nearest class mean": one class, by its variance over the
    squared distance r of the nearest other class mean, whatever the number of classes. *)
Theorem nearest_other_errors
    (d K n : nat) (x : nat -> nat -> nat -> R) (i : nat) (r : R) :
  (0 < n)%nat -> 0 < r ->
  (forall j, (j < K)%nat -> j <> i -> r <= distance2 d (centre n (x j)) (centre n (x i))) ->
  class_error d K n x i <= 4 * (spread d n (x i) / r).
Proof.
  intros P R0 Near; unfold class_error.
  apply Rle_trans with (mean n (fun k => 4 / r * distance2 d (x i k) (centre n (x i)))).
  - apply mean_le; [assumption | intros k _].
    assert (Q : 0 <= 4 / r).
    { unfold Rdiv; apply Rmult_le_pos; [lra | left; apply Rinv_0_lt_compat; lra]. }
    assert (Z := distance2_nonneg d (x i k) (centre n (x i))).
    unfold mistaken.
    assert (H : forall m, (m <= K)%nat ->
      (if some m (fun j => if Nat.eq_dec j i then false
         else if Rle_dec (distance2 d (x i k) (centre n (x j)))
                         (distance2 d (x i k) (centre n (x i))) then true else false)
       then 1 else 0) <= 4 / r * distance2 d (x i k) (centre n (x i))).
    { induction m as [| m IH]; simpl; intros M; [nra |].
      destruct (some m _); simpl; [apply IH; lia |].
      destruct (Nat.eq_dec m i) as [| E]; [nra |].
      destruct (Rle_dec _ _) as [L |]; [| nra].
      (* |mu_m - mu_i|^2 <= 2 |x - mu_m|^2 + 2 |x - mu_i|^2 <= 4 |x - mu_i|^2 *)
      assert (F : r <= 4 * distance2 d (x i k) (centre n (x i))).
      { eapply Rle_trans; [apply (Near m); [lia | assumption] |].
        apply Rle_trans with (2 * distance2 d (x i k) (centre n (x m))
                              + 2 * distance2 d (x i k) (centre n (x i))); [| lra].
        unfold distance2, dot; rewrite <- !sum_scale, <- sum_plus.
        apply sum_le; intros l _.
        assert (S := Rle_0_sqr ((x i k l - centre n (x m) l) + (x i k l - centre n (x i) l))).
        unfold Rsqr in S; nra. }
      apply Rmult_le_reg_l with r; [assumption |].
      replace (r * (4 / r * distance2 d (x i k) (centre n (x i))))
        with (4 * distance2 d (x i k) (centre n (x i))) by (field; lra). lra. }
    apply H; lia.
  - rewrite mean_scale; unfold spread; right; field; lra.
Qed.
