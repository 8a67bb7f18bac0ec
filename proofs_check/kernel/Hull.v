(** The point of a finite hull nearest to a given point, and the direction away from it.

    No choice and no compactness: the nearest point is built by adding one point of the hull after
    the other. If the nearest point p so far is not the nearest to x with v_n added, v_n gets a
    positive weight, so it does no harm to let that weight be any real number: this problem is one
    of a cone with one generator less. That its solution p' has a non-negative weight there follows
    from <x - p, p' - p> + <x - p', p - p'> = |p - p'|^2 >= 0. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite.
Open Scope R_scope.

(** * Vectors by name *)

Definition difference (x y : nat -> R) : nat -> R := fun i => x i - y i.

Definition scaled (c : R) (x : nat -> R) : nat -> R := fun i => c * x i.

(** a_0 v_0 + ... + a_(n-1) v_(n-1). *)
Definition combination (n : nat) (a : nat -> R) (v : nat -> nat -> R) : nat -> R :=
  fun i => sum n (fun j => a j * v j i).

Lemma dot_ext d x x' y y' :
  (forall i, (i < d)%nat -> x i = x' i) -> (forall i, (i < d)%nat -> y i = y' i) ->
  dot d x y = dot d x' y'.
Proof. intros X Y; apply sum_ext; intros i I; rewrite X, Y; auto. Qed.

Lemma dot_difference_l d x y z : dot d (difference x y) z = dot d x z - dot d y z.
Proof. apply dot_minus_l. Qed.

Lemma dot_difference_r d x y z : dot d z (difference x y) = dot d z x - dot d z y.
Proof. apply dot_minus_r. Qed.

Lemma dot_scaled_l d c x y : dot d (scaled c x) y = c * dot d x y.
Proof. apply dot_scale_l. Qed.

Lemma dot_scaled_r d c x y : dot d y (scaled c x) = c * dot d y x.
Proof. apply dot_scale_r. Qed.

Lemma dot_combination_r d n a v x :
  dot d x (combination n a v) = sum n (fun j => a j * dot d x (v j)).
Proof.
  unfold combination; rewrite dot_sum_r; apply sum_ext; intros j _; apply dot_scale_r.
Qed.

Lemma dot_combination_l d n a v x :
  dot d (combination n a v) x = sum n (fun j => a j * dot d (v j) x).
Proof.
  rewrite dot_comm, dot_combination_r; apply sum_ext; intros j _; rewrite dot_comm; reflexivity.
Qed.

Lemma sum_nonpos n f : (forall i, (i < n)%nat -> f i <= 0) -> sum n f <= 0.
Proof. intros H; assert (L := sum_le n f (fun _ => 0) H); rewrite sum_const in L; lra. Qed.

Lemma dot_zero d x y : dot d x x = 0 -> dot d x y = 0.
Proof.
  intros Z; assert (H := cauchy_schwarz_sqr d x y); rewrite Z in H.
  assert (P := Rle_0_sqr (dot d x y)); unfold Rsqr in P. nra.
Qed.

(** * The nearest point of a cone *)

(** Weights of the nearest point of a cone, of those generators that [s] admits. *)
Lemma cone_projection d n (s : nat -> bool) :
  forall (v : nat -> nat -> R) (x : nat -> R), exists a,
    (forall i, (i < n)%nat -> 0 <= a i) /\
    (forall i, s i = false -> a i = 0) /\
    (forall i, (i < n)%nat -> s i = true ->
       dot d (difference x (combination n a v)) (v i) <= 0) /\
    dot d (difference x (combination n a v)) (combination n a v) = 0.
Proof.
  induction n as [| n IH]; intros v x.
  { exists (fun _ => 0); repeat split; try (intros; lia); try reflexivity.
    rewrite dot_combination_r; reflexivity. }
  destruct (IH v x) as (a & A0 & AS & AV & AP).
  set (a0 := fun i => if Nat.eq_dec i n then 0 else a i).
  assert (E : forall i, combination (S n) a0 v i = combination n a v i).
  { intros i; unfold combination, a0; simpl. destruct (Nat.eq_dec n n) as [_ | N]; [| lia].
    rewrite Rmult_0_l, Rplus_0_r; apply sum_ext; intros j J.
    destruct (Nat.eq_dec j n); [lia | reflexivity]. }
  assert (Ed : forall y, dot d (difference x (combination (S n) a0 v)) y
                         = dot d (difference x (combination n a v)) y).
  { intros y; apply dot_ext; auto; intros i _; unfold difference; rewrite E; reflexivity. }
  assert (Old : (s n = false \/ dot d (difference x (combination n a v)) (v n) <= 0) ->
    exists b,
      (forall i, (i < S n)%nat -> 0 <= b i) /\
      (forall i, s i = false -> b i = 0) /\
      (forall i, (i < S n)%nat -> s i = true ->
         dot d (difference x (combination (S n) b v)) (v i) <= 0) /\
      dot d (difference x (combination (S n) b v)) (combination (S n) b v) = 0).
  { intros H; exists a0; split; [| split; [| split]].
    - intros i I; unfold a0; destruct (Nat.eq_dec i n); [lra | apply A0; lia].
    - intros i I; unfold a0; destruct (Nat.eq_dec i n); [reflexivity | apply AS, I].
    - intros i I T; rewrite Ed; destruct (Nat.eq_dec i n) as [-> | N].
      + destruct H as [H | H]; [congruence | exact H].
      + apply AV; [lia | exact T].
    - rewrite Ed, <- AP; apply dot_ext; auto. }
  destruct (s n) eqn:Sn; [| apply Old; auto].
  set (r := difference x (combination n a v)) in *.
  destruct (Rle_or_lt (dot d r (v n)) 0) as [L | D]; [apply Old; auto |].
  clear Old Ed E a0.
  (* v_n must take part: the nearest point of the cone of the others and the line of v_n. *)
  set (N := dot d (v n) (v n)).
  assert (Npos : 0 < N).
  { assert (0 <= N) by apply dot_nonneg. destruct (Req_dec N 0) as [Z |]; [| lra].
    assert (dot d (v n) r = 0) by (apply dot_zero, Z). rewrite dot_comm in D; lra. }
  set (flat := fun y : nat -> R => difference y (scaled (dot d y (v n) / N) (v n))).
  assert (Flat : forall y, dot d (flat y) (v n) = 0).
  { intros y; unfold flat; rewrite dot_difference_l, dot_scaled_l; fold N; field; lra. }
  destruct (IH (fun i => flat (v i)) (flat x)) as (c & C0 & CS & CV & CP).
  set (q0 := combination n c (fun i => flat (v i))) in *.
  set (r' := difference (flat x) q0) in *.
  assert (R'n : dot d r' (v n) = 0).
  { unfold r', q0; rewrite dot_difference_l, Flat, dot_combination_l.
    rewrite sum_zero; [ring |]. intros i _; rewrite Flat; ring. }
  assert (R'flat : forall y, dot d r' (flat y) = dot d r' y).
  { intros y; unfold flat; rewrite dot_difference_r, dot_scaled_r, R'n; ring. }
  set (t := dot d x (v n) / N - sum n (fun i => c i * (dot d (v i) (v n) / N))).
  set (b := fun i => if Nat.eq_dec i n then t else c i).
  assert (Comb : forall i, combination (S n) b v i = combination n c v i + t * v n i).
  { intros i; unfold combination, b; simpl. destruct (Nat.eq_dec n n) as [_ | X]; [| lia].
    f_equal; apply sum_ext; intros j J; destruct (Nat.eq_dec j n); [lia | reflexivity]. }
  assert (Rest : forall i, difference x (combination (S n) b v) i = r' i).
  { intros i; unfold r', q0, difference; rewrite Comb; unfold flat, difference, scaled,
      combination, t.
    rewrite (sum_ext n (fun j => c j * (v j i - dot d (v j) (v n) / N * v n i))
              (fun j => c j * v j i - c j * (dot d (v j) (v n) / N) * v n i)) by (intros; ring).
    rewrite sum_minus, sum_scale_r; ring. }
  assert (Rd : forall y, dot d (difference x (combination (S n) b v)) y = dot d r' y)
    by (intros y; apply dot_ext; auto).
  assert (Cd : forall y, dot d y (combination (S n) b v)
                         = sum n (fun i => c i * dot d y (v i)) + t * dot d y (v n)).
  { intros y; rewrite dot_combination_r; unfold b; simpl.
    destruct (Nat.eq_dec n n) as [_ | X]; [| lia].
    f_equal; apply sum_ext; intros j J; destruct (Nat.eq_dec j n); [lia | reflexivity]. }
  assert (R'p' : dot d r' (combination (S n) b v) = 0).
  { rewrite Cd, R'n. unfold q0 in CP.
    rewrite dot_combination_r in CP. rewrite Rmult_0_r, Rplus_0_r; etransitivity; [| exact CP].
    apply sum_ext; intros i _; rewrite R'flat; reflexivity. }
  assert (Tpos : 0 <= t).
  { destruct (Rle_or_lt 0 t) as [| Tneg]; [assumption | exfalso].
    set (p := combination n a v) in *; set (p' := combination (S n) b v) in *.
    assert (H1 : dot d r p' < 0).
    { unfold p'; rewrite Cd.
      assert (sum n (fun i => c i * dot d r (v i)) <= 0).
      { apply sum_nonpos; intros i I; destruct (s i) eqn:Si.
        - assert (H := AV i I Si); assert (H' := C0 i I); fold r in H. nra.
        - rewrite (CS i Si); lra. }
      nra. }
    assert (H2 : dot d r' p <= 0).
    { unfold p; rewrite dot_combination_r; apply sum_nonpos.
      intros i I; destruct (s i) eqn:Si.
      - assert (H := CV i I Si); assert (H' := A0 i I); cbv beta in H; rewrite R'flat in H. nra.
      - rewrite (AS i Si); lra. }
    assert (Q := dot_nonneg d (difference p p')).
    assert (HR : dot d r p - dot d r p' - (dot d r' p - dot d r' p')
                 = - dot d (difference p p') (difference p p')).
    { unfold r; rewrite <- !(Rd p), <- !(Rd p').
      rewrite !dot_difference_l, !dot_difference_r; fold p'; rewrite (dot_comm d p p'); ring. }
    fold r in AP. rewrite AP, R'p' in HR. lra. }
  exists b; split; [| split; [| split]].
  - intros i I; unfold b; destruct (Nat.eq_dec i n); [exact Tpos | apply C0; lia].
  - intros i I; unfold b; destruct (Nat.eq_dec i n) as [-> |]; [congruence | apply CS, I].
  - intros i I T; rewrite Rd; destruct (Nat.eq_dec i n) as [-> | X]; [rewrite R'n; lra |].
    rewrite <- R'flat; apply (CV i); [lia | exact T].
  - rewrite Rd; exact R'p'.
Qed.

(** * The nearest point of a hull *)

Lemma dot_combination_minus d n a v x z :
  sum n a = 1 ->
  dot d z (difference (combination n a v) x) = sum n (fun j => a j * dot d z (difference (v j) x)).
Proof.
  intros A; rewrite dot_difference_r, dot_combination_r.
  rewrite (sum_ext n (fun j => a j * dot d z (difference (v j) x))
             (fun j => a j * dot d z (v j) - a j * dot d z x))
    by (intros; rewrite dot_difference_r; ring).
  rewrite sum_minus, sum_scale_r, A; ring.
Qed.

(** The nearest point of the hull of those points that [s] admits, at least one. *)
Lemma hull_projection d n (s : nat -> bool) (v : nat -> nat -> R) (x : nat -> R) :
  (exists i, (i < n)%nat /\ s i = true) -> exists a,
    (forall i, (i < n)%nat -> 0 <= a i) /\
    (forall i, s i = false -> a i = 0) /\
    sum n a = 1 /\
    (forall i, (i < n)%nat -> s i = true ->
       dot d (difference x (combination n a v)) (difference (v i) (combination n a v)) <= 0).
Proof.
  induction n as [| n IH]; intros (i0 & I0 & S0); [lia |].
  assert (Last : s n = true -> exists b,
    (forall i, (i < n)%nat -> 0 <= b i) /\
    (forall i, s i = false -> b i = 0) /\
    sum (S n) b = 1 /\
    let p' := combination (S n) b v in
    (forall i, (i < n)%nat -> s i = true -> dot d (difference x p') (difference (v i) (v n)) <= 0)
    /\ dot d (difference x p') (difference p' (v n)) = 0).
  { intros Sn; destruct (cone_projection d n s
      (fun i => difference (v i) (v n)) (difference x (v n)))
      as (c & C0 & CS & CV & CP).
    set (t := 1 - sum n c); set (b := fun i => if Nat.eq_dec i n then t else c i).
    assert (B : forall f, sum n (fun j => b j * f j) = sum n (fun j => c j * f j)).
    { intros f; apply sum_ext; intros j J; unfold b; destruct (Nat.eq_dec j n);
        [lia | reflexivity]. }
    assert (Bn : b n = t) by (unfold b; destruct (Nat.eq_dec n n); [reflexivity | lia]).
    assert (Comb : forall i, combination (S n) b v i
        = combination n c (fun j => difference (v j) (v n)) i + v n i).
    { intros i; unfold combination; simpl; rewrite Bn, (B (fun j => v j i)); unfold difference, t.
      rewrite (sum_ext n (fun j => c j * (v j i - v n i)) (fun j => c j * v j i - c j * v n i))
        by (intros; ring).
      rewrite sum_minus, sum_scale_r; ring. }
    exists b; split; [| split; [| split; [| split]]].
    - intros i I; unfold b; destruct (Nat.eq_dec i n); [lia | auto].
    - intros i I; unfold b; destruct (Nat.eq_dec i n) as [-> |]; [congruence | auto].
    - simpl; rewrite Bn; assert (H := B (fun _ => 1)).
      cbv beta in H; rewrite !sum_scale_r in H; unfold t; lra.
    - intros i I T; eapply Rle_trans; [right | exact (CV i I T)].
      apply dot_ext; auto; intros m _; unfold difference at 1 2; rewrite Comb;
        unfold difference; ring.
    - rewrite <- CP; apply dot_ext; intros m _; unfold difference; rewrite Comb; unfold difference;
        ring. }
  destruct (s n) eqn:Sn.
  2: { destruct IH as (a & A0 & AS & A1 & AV).
       { exists i0; split; [| exact S0]. destruct (Nat.eq_dec i0 n) as [-> |]; [congruence | lia]. }
       assert (An := AS n Sn).
       assert (E : forall i, combination (S n) a v i = combination n a v i)
         by (intros i; unfold combination; simpl; rewrite An; ring).
       exists a; split; [| split; [| split]]; auto.
       - intros i I; destruct (Nat.eq_dec i n) as [-> |]; [lra | apply A0; lia].
       - simpl; rewrite An; lra.
       - intros i I T; destruct (Nat.eq_dec i n) as [-> |]; [congruence |].
         eapply Rle_trans; [right | apply (AV i); [lia | exact T]].
         apply dot_ext; intros m _; unfold difference; rewrite E; reflexivity. }
  destruct (Last eq_refl) as (b & B0 & BS & B1 & BV & BP); clear Last.
  set (p' := combination (S n) b v) in *.
  (* Once the weight of v_n is known to be non-negative, p' is the nearest point. *)
  assert (New : 0 <= b n -> exists a,
    (forall i, (i < S n)%nat -> 0 <= a i) /\
    (forall i, s i = false -> a i = 0) /\
    sum (S n) a = 1 /\
    (forall i, (i < S n)%nat -> s i = true ->
       dot d (difference x (combination (S n) a v))
         (difference (v i) (combination (S n) a v)) <= 0)).
  { intros Bn; exists b; split; [| split; [| split]]; auto.
    - intros i I; destruct (Nat.eq_dec i n) as [-> |]; [exact Bn | apply B0; lia].
    - fold p'; intros i I T.
      rewrite dot_difference_r in BP |- *.
      destruct (Nat.eq_dec i n) as [-> |]; [lra |].
      assert (H := BV i ltac:(lia) T); rewrite dot_difference_r in H; lra. }
  destruct (Rle_or_lt 0 (b n)) as [Bn | Bn]; [apply New, Bn |].
  (* A negative weight of v_n: then some other point is admitted, and v_n was not needed. *)
  destruct IH as (a & A0 & AS & A1 & AV).
  { destruct (Nat.eq_dec i0 n) as [-> |]; [| exists i0; split; [lia | exact S0]].
    (* otherwise all weights but that of v_n vanish, and it is 1 *)
    destruct (Nat.eq_dec n 0) as [-> | Nn]; [simpl in B1; lra |].
    assert (H : ~ (forall i, (i < n)%nat -> s i = false)).
    { intros H; simpl in B1; rewrite (sum_zero n b) in B1; [lra | auto]. }
    clear - H; induction n as [| n IH]; [exfalso; apply H; intros; lia |].
    destruct (s n) eqn:Sn; [exists n; split; [lia | exact Sn] |].
    destruct IH as (i & I & T); [| exists i; split; [lia | exact T]].
    intros H'; apply H; intros i I; destruct (Nat.eq_dec i n) as [-> |];
      [exact Sn | apply H'; lia]. }
  set (p := combination n a v) in *.
  destruct (Rle_or_lt (dot d (difference x p) (difference (v n) p)) 0) as [L | D].
  - set (a0 := fun i => if Nat.eq_dec i n then 0 else a i).
    assert (F : forall f, sum n (fun j => a0 j * f j) = sum n (fun j => a j * f j)).
    { intros f; apply sum_ext; intros j J; unfold a0; destruct (Nat.eq_dec j n);
        [lia | reflexivity]. }
    assert (Fn : a0 n = 0) by (unfold a0; destruct (Nat.eq_dec n n); [reflexivity | lia]).
    assert (E : forall i, combination (S n) a0 v i = p i).
    { intros i; unfold p, combination; simpl; rewrite Fn, (F (fun j => v j i)); ring. }
    exists a0; split; [| split; [| split]].
    + intros i I; unfold a0; destruct (Nat.eq_dec i n); [lra | apply A0; lia].
    + intros i I; unfold a0; destruct (Nat.eq_dec i n); [reflexivity | auto].
    + simpl; rewrite Fn; assert (H := F (fun _ => 1)); cbv beta in H;
        rewrite !sum_scale_r in H; lra.
    + intros i I T.
      replace (dot d (difference x (combination (S n) a0 v))
                 (difference (v i) (combination (S n) a0 v)))
        with (dot d (difference x p) (difference (v i) p))
        by (apply dot_ext; intros m _; unfold difference; rewrite E; reflexivity).
      destruct (Nat.eq_dec i n) as [-> |]; [exact L | apply AV; [lia | exact T]].
  - exfalso.
    assert (H1 : dot d (difference x p) (difference p' p) < 0).
    { unfold p'; rewrite (dot_combination_minus d (S n) b v p _ B1); simpl.
      assert (sum n (fun j => b j * dot d (difference x p) (difference (v j) p)) <= 0).
      { apply sum_nonpos; intros i I.
        destruct (s i) eqn:Si.
        - assert (H := AV i I Si); assert (H' := B0 i I). nra.
        - rewrite (BS i Si); lra. }
      nra. }
    assert (H2 : dot d (difference x p') (difference p (v n)) <= 0).
    { unfold p; rewrite (dot_combination_minus d n a v (v n) _ A1).
      apply sum_nonpos; intros i I.
      destruct (s i) eqn:Si.
      - assert (H := BV i I Si); assert (H' := A0 i I). nra.
      - rewrite (AS i Si); lra. }
    assert (Q := dot_nonneg d (difference p p')).
    rewrite !dot_difference_l, !dot_difference_r in *. rewrite (dot_comm d p' p) in *. lra.
Qed.

(** * Distances of a point from the hull of the others *)

(** Weights of a point of the hull of all points but the one of index k. *)
Definition weights_of_others (K k : nat) (a : nat -> R) : Prop :=
  (forall j, (j < K)%nat -> 0 <= a j) /\ a k = 0 /\ sum K a = 1.

(** x / |x|. *)
Definition direction (d : nat) (x : nat -> R) : nat -> R := scaled (1 / norm d x) x.

Lemma norm_unit d x : dot d x x = 1 -> norm d x = 1.
Proof. intros H; unfold norm; rewrite H; apply sqrt_1. Qed.

Lemma norm_positive d x : 0 < dot d x x -> 0 < norm d x.
Proof. apply sqrt_lt_R0. Qed.

Lemma direction_unit d x : 0 < norm d x -> dot d (direction d x) (direction d x) = 1.
Proof.
  intros P; unfold direction; rewrite dot_scaled_l, dot_scaled_r, <- norm_sqr; field; lra.
Qed.

Lemma dot_direction d x : 0 < norm d x -> dot d x (direction d x) = norm d x.
Proof.
  intros P; unfold direction; rewrite dot_scaled_r, <- norm_sqr; field; lra.
Qed.

(** Finitely many choices need no axiom. *)
Lemma finite_choice (A : Type) (x0 : A) (n : nat) (P : nat -> A -> Prop) :
  (forall k, (k < n)%nat -> exists x, P k x) -> exists f, forall k, (k < n)%nat -> P k (f k).
Proof.
  induction n as [| n IH]; intros H; [exists (fun _ => x0); intros; lia |].
  destruct IH as (f & F); [intros; apply H; lia |].
  destruct (H n ltac:(lia)) as (x & X).
  exists (fun k => if Nat.eq_dec k n then x else f k).
  intros k L; destruct (Nat.eq_dec k n) as [-> |]; [exact X | apply F; lia].
Qed.

(** A weighted mean of gaps is the gap of the weighted mean. *)
Lemma gap_of_combination d K k w a h :
  weights_of_others K k a ->
  dot d (difference (w k) (combination K a w)) h
  = sum K (fun j => a j * dot d (difference (w k) (w j)) h).
Proof.
  intros (_ & _ & A1); rewrite dot_difference_l, dot_combination_l.
  rewrite (sum_ext K (fun j => a j * dot d (difference (w k) (w j)) h)
             (fun j => a j * dot d (w k) h - a j * dot d (w j) h))
    by (intros; rewrite dot_difference_l; ring).
  rewrite sum_minus, sum_scale_r, A1; ring.
Qed.

Lemma weighted_least K k a f m :
  weights_of_others K k a ->
  (forall j, (j < K)%nat -> j <> k -> m <= f j) -> m <= sum K (fun j => a j * f j).
Proof.
  intros (A0 & Ak & A1) M.
  assert (H : sum K (fun j => a j * m) <= sum K (fun j => a j * f j)).
  { apply sum_le; intros j J; destruct (Nat.eq_dec j k) as [-> | N]; [rewrite Ak; lra |].
    apply Rmult_le_compat_l; auto. }
  rewrite sum_scale_r, A1 in H; lra.
Qed.

(** gnc:theorem-3.2, printed "an element of the maximisers", any features: no gaps of a unit
    direction are all larger than the distance of w_k from a point of the hull of the others. *)
Theorem gaps_at_most_distance :
  forall (d K k : nat) (w : nat -> nat -> R) (a h : nat -> R) (m : R),
  weights_of_others K k a ->
  dot d h h = 1 ->
  (forall j, (j < K)%nat -> j <> k -> m <= dot d (difference (w k) (w j)) h) ->
  m <= norm d (difference (w k) (combination K a w)).
Proof.
  intros d K k w a h m A H M.
  apply Rle_trans with (dot d (difference (w k) (combination K a w)) h).
  - rewrite (gap_of_combination d K k w a h A).
    apply (weighted_least K k a (fun j => dot d (difference (w k) (w j)) h) m A M).
  - eapply Rle_trans; [apply cauchy_schwarz | rewrite (norm_unit d h H); lra].
Qed.

(** gnc:definition-2.1, sharp "enclosed from both sides": the least gap of any unit direction h is
    at most the distance from any point p of the hull of the others, and the gaps of the direction
    of w_k - p are that distance less what w_j exceeds p by. *)
Theorem distance_enclosed :
  forall (d K k : nat) (w : nat -> nat -> R) (a h : nat -> R) (m : R),
  (k < K)%nat ->
  weights_of_others K k a ->
  dot d h h = 1 ->
  (forall j, (j < K)%nat -> j <> k -> m <= dot d (difference (w k) (w j)) h) ->
  0 < norm d (difference (w k) (combination K a w)) ->
  m <= norm d (difference (w k) (combination K a w)) /\
  (forall j, (j < K)%nat ->
     dot d (difference (w k) (w j)) (direction d (difference (w k) (combination K a w)))
     = norm d (difference (w k) (combination K a w))
       - dot d (difference (w j) (combination K a w))
           (direction d (difference (w k) (combination K a w)))).
Proof.
  intros d K k w a h m Hk A H M P; split.
  - apply (gaps_at_most_distance d K k w a h); assumption.
  - intros j J; assert (E := dot_direction d _ P).
    rewrite !dot_difference_l in *; lra.
Qed.

Lemma some_other K k : (2 <= K)%nat -> exists j, (j < K)%nat /\ j <> k.
Proof.
  intros; destruct (Nat.eq_dec k 0) as [-> |]; [exists 1%nat; lia | exists 0%nat; lia].
Qed.

(** gnc:definition-2.1, printed "the definition": the distance of w_k from the hull of the others is
    attained, at a point p that no w_j exceeds in the direction of w_k - p. *)
Theorem nearest_point_of_others :
  forall (d K k : nat) (w : nat -> nat -> R),
  (2 <= K)%nat -> (k < K)%nat ->
  exists a, weights_of_others K k a /\
    (forall b, weights_of_others K k b ->
       norm d (difference (w k) (combination K a w))
       <= norm d (difference (w k) (combination K b w))) /\
    (forall j, (j < K)%nat -> j <> k ->
       dot d (difference (w k) (combination K a w)) (difference (w j) (combination K a w)) <= 0).
Proof.
  intros d K k w H2 Hk.
  destruct (hull_projection d K (fun j => negb (Nat.eqb j k)) w (w k)) as (a & A0 & AS & A1 & AV).
  { destruct (some_other K k H2) as (j & J & N); exists j; split; [exact J |].
    rewrite (proj2 (Nat.eqb_neq j k) N); reflexivity. }
  assert (A : weights_of_others K k a).
  { split; [exact A0 | split; [| exact A1]]. apply AS; rewrite Nat.eqb_refl; reflexivity. }
  assert (V : forall j, (j < K)%nat -> j <> k ->
    dot d (difference (w k) (combination K a w)) (difference (w j) (combination K a w)) <= 0).
  { intros j J N; apply AV; [exact J |]. rewrite (proj2 (Nat.eqb_neq j k) N); reflexivity. }
  exists a; split; [exact A | split; [| exact V]].
  intros b B; set (p := combination K a w) in *; set (x := difference (w k) p) in *.
  assert (X := norm_nonneg d x).
  destruct (Req_dec (norm d x) 0) as [-> | X0]; [apply norm_nonneg |].
  (* |x|^2 <= <w_k - q, x> <= |w_k - q| |x| *)
  assert (L : norm d x * norm d x <= dot d (difference (w k) (combination K b w)) x).
  { rewrite (gap_of_combination d K k w b x B).
    apply (weighted_least K k b (fun j => dot d (difference (w k) (w j)) x) _ B).
    intros j J N; assert (H := V j J N); rewrite norm_sqr.
    unfold x in H |- *; rewrite !dot_difference_l, !dot_difference_r in *.
    rewrite (dot_comm d p (w k)), (dot_comm d (w j) p), (dot_comm d (w j) (w k)) in *. lra. }
  assert (C := cauchy_schwarz d (difference (w k) (combination K b w)) x).
  apply Rmult_le_reg_r with (norm d x); lra.
Qed.

(** gnc:theorem-3.2, printed "an element of the maximisers": for rho > 0 some unit directions have
    all gaps <w_k - w_j, h_k> at least rho (HardMax is at most -rho) if and only if every w_k is at
    a distance of at least rho from the hull of the others. *)
Theorem hardmax_is_distance :
  forall (d K : nat) (w : nat -> nat -> R) (rho : R),
  (2 <= K)%nat -> 0 < rho ->
  ((exists h : nat -> nat -> R,
      (forall k, (k < K)%nat -> dot d (h k) (h k) = 1) /\
      (forall k j, (k < K)%nat -> (j < K)%nat -> j <> k ->
         rho <= dot d (difference (w k) (w j)) (h k)))
   <-> (forall k a, (k < K)%nat -> weights_of_others K k a ->
          rho <= norm d (difference (w k) (combination K a w)))).
Proof.
  intros d K w rho H2 R0; split.
  - intros (h & U & M) k a Hk A; apply (gaps_at_most_distance d K k w a (h k)); auto.
  - intros D.
    destruct (finite_choice (nat -> R) (fun _ => 0) K (fun k h =>
      dot d h h = 1 /\
      forall j, (j < K)%nat -> j <> k -> rho <= dot d (difference (w k) (w j)) h)) as (h & H).
    { intros k Hk; destruct (nearest_point_of_others d K k w H2 Hk) as (a & A & _ & V).
      assert (P := D k a Hk A); set (x := difference (w k) (combination K a w)) in *.
      exists (direction d x); split; [apply direction_unit; lra |].
      intros j J N; assert (G := V j J N).
      assert (E : dot d (difference (w k) (w j)) x
                  = dot d x x - dot d x (difference (w j) (combination K a w))).
      { unfold x; rewrite !dot_difference_l, !dot_difference_r.
        rewrite (dot_comm d (combination K a w) (w k)), (dot_comm d (w j) (combination K a w)),
          (dot_comm d (w j) (w k)); ring. }
      apply Rle_trans with (norm d x); [exact P |].
      unfold direction; rewrite dot_scaled_r, E, <- norm_sqr.
      apply Rmult_le_reg_r with (norm d x); [lra |].
      replace (1 / norm d x * (norm d x * norm d x
        - dot d x (difference (w j) (combination K a w))) * norm d x)
        with (norm d x * norm d x - dot d x (difference (w j) (combination K a w)))
        by (field; lra). lra. }
    exists h; split; [intros k Hk; apply H, Hk | intros k j Hk; apply (proj2 (H k Hk))].
Qed.
