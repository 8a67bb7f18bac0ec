(** One class where the last layer is known: any probabilities pi on the rivals certify a direction
    omega = w_c - sum pi w_r, and no class pays for another.

    [own] is the weight of the class, [rivals r] those of the rivals, [offset r] the bias of a rival
    less that of the class; [h i] are the features of the class. *)
From Coq Require Import Reals Lra Lia.
From NCBounds Require Import Finite Phi Network Budget.
Open Scope R_scope.

Definition entropy (n : nat) (pi : nat -> R) : R := - sum n (fun r => pi r * ln (pi r)).

Definition direction (n : nat) (pi : nat -> R) (own : nat -> R) (rivals : nat -> nat -> R) :
  nat -> R :=
  fun j => own j - sum n (fun r => pi r * rivals r j).

(** The rivals' logits less that of the class, and their log-sum-exp: minus the log-odds. *)
Definition rival_logit (d : nat) (own : nat -> R) (rivals : nat -> nat -> R) (offset x : nat -> R)
  (r : nat) : R := dot d (rivals r) x - dot d own x + offset r.

Definition rival_log_sum (n d : nat) (own : nat -> R) (rivals : nat -> nat -> R)
  (offset x : nat -> R)
  : R := ln (sum n (fun r => exp (rival_logit d own rivals offset x r))).

(** What the log-odds of a feature x say of <omega, x>. *)
Definition certified_margin (n d : nat) (pi own : nat -> R) (rivals : nat -> nat -> R)
  (offset x : nat -> R) : R :=
  entropy n pi + sum n (fun r => pi r * offset r) - rival_log_sum n d own rivals offset x.

Lemma direction_inner n d pi own rivals x :
  dot d (direction n pi own rivals) x = dot d own x - sum n (fun r => pi r * dot d (rivals r) x).
Proof.
  unfold direction; rewrite dot_minus_l, (dot_sum_l d n x (fun r j => pi r * rivals r j)).
  f_equal; apply sum_ext; intros; apply dot_scale_l.
Qed.

Lemma certified_margin_below n d pi own rivals offset x :
  (forall r, (r < n)%nat -> 0 < pi r) -> sum n pi = 1 ->
  certified_margin n d pi own rivals offset x <= dot d (direction n pi own rivals) x.
Proof.
  intros P S; unfold certified_margin, entropy, rival_log_sum.
  assert (G := gibbs_inequality n pi (rival_logit d own rivals offset x) P S).
  assert (E : sum n (fun r => pi r * rival_logit d own rivals offset x r)
              = sum n (fun r => pi r * dot d (rivals r) x) - dot d own x
                + sum n (fun r => pi r * offset r)).
  { replace (dot d own x) with (dot d own x * sum n pi) by (rewrite S; ring).
    rewrite <- sum_scale, <- sum_minus, <- sum_plus; apply sum_ext; intros;
      unfold rival_logit; ring. }
  rewrite direction_inner; lra.
Qed.

(** * The class mean *)

Definition sample_mean (N : nat) (h : nat -> nat -> R) : nat -> R := fun j => mean N
  (fun i => h i j).

Definition rms (N d : nat) (h : nat -> nat -> R) : R := sqrt (mean N (fun i => dot d (h i) (h i))).

Lemma rms_square N d h : (1 <= N)%nat ->
  rms N d h * rms N d h = mean N (fun i => dot d (h i) (h i)).
Proof. intros P; apply sqrt_sqrt, mean_nonneg; [lia |]; intros; apply dot_nonneg. Qed.

Lemma norm_pos_of_inner d x y : 0 < dot d x y -> 0 < norm d x /\ 0 < norm d y.
Proof.
  intros H; assert (S := cauchy_schwarz d x y).
  assert (X := norm_nonneg d x); assert (Y := norm_nonneg d y).
  split; [destruct X as [| X] | destruct Y as [| Y]]; try assumption; nra.
Qed.

Lemma mean_norm_le_rms N d h : (1 <= N)%nat -> norm d (sample_mean N h) <= rms N d h.
Proof.
  intros P; apply sqrt_le_1_alt.
  assert (E := centred_norm_square N d h ltac:(lia)).
  assert (V : 0 <= mean N (fun c => dot d (centred N h c) (centred N h c)))
    by (apply mean_nonneg; [lia |]; intros; apply dot_nonneg).
  unfold sample_mean; lra.
Qed.

(** bnwd:sharp-3, sharp "class mean": mean log-odds a > 0 bound the margin, the variability, the
    cosine and the norm of the class mean; the mean loss gives a smaller a. *)
Theorem class_mean_guarantees n N d pi own rivals offset h : (1 <= N)%nat ->
  (forall r, (r < n)%nat -> 0 < pi r) -> sum n pi = 1 ->
  let omega := direction n pi own rivals in
  let a := mean N (fun i => certified_margin n d pi own rivals offset (h i)) in
  0 < a ->
  a <= dot d omega (sample_mean N h) /\
  entropy n pi + sum n (fun r => pi r * offset r)
  + phi_inverse 1 (mean N (fun i => phi 1 (- rival_log_sum n d own rivals offset (h i)))) <= a /\
  mean N (fun i => dot d (centred N h i) (centred N h i)) / (rms N d h * rms N d h)
  <= 1 - a * a / (norm d omega * norm d omega * rms N d h * rms N d h) /\
  a / (norm d omega * rms N d h)
  <= dot d omega (sample_mean N h) / (norm d omega * norm d (sample_mean N h)) /\
  a / norm d omega <= norm d (sample_mean N h).
Proof.
  intros Q P S omega a A.
  assert (M : a <= dot d omega (sample_mean N h)).
  { unfold a, sample_mean; rewrite dot_mean_r; apply mean_le; [lia |]; intros i _.
    apply certified_margin_below; assumption. }
  destruct (norm_pos_of_inner d omega (sample_mean N h) ltac:(lra)) as [O H].
  assert (CS := cauchy_schwarz d omega (sample_mean N h)).
  assert (NR := mean_norm_le_rms N d h Q).
  assert (V := centred_norm_square N d h ltac:(lia)).
  fold (sample_mean N h) in V; rewrite <- norm_sqr, <- (rms_square N d h) in V by exact Q.
  split; [exact M |]. split; [| split; [| split]].
  - unfold a, certified_margin; rewrite mean_minus, mean_const by lia.
    assert (J := inverse_jensen_mean N
      (fun i => phi 1 (- rival_log_sum n d own rivals offset (h i))) 1 ltac:(lra) ltac:(lia)
      ltac:(intros; apply phi_pos; lra)).
    rewrite (mean_ext N (fun i => phi_inverse 1 _)
      (fun i => (-1) * rival_log_sum n d own rivals offset (h i))) in J
      by (intros; rewrite inverse_of_phi by lra; ring).
    rewrite mean_scale in J; lra.
  - set (x := norm d omega) in *; set (y := norm d (sample_mean N h)) in *;
      set (z := rms N d h) in *.
    rewrite V; replace ((z * z - y * y) / (z * z)) with (1 - y * y / (z * z)) by (field; lra).
    assert (a * a / (x * x * z * z) <= y * y / (z * z)); [| lra].
    replace (y * y / (z * z)) with (x * y * (x * y) / (x * x * z * z)) by (field; lra).
    apply Rmult_le_compat_r; [| apply square_le; lra].
    left; apply Rinv_0_lt_compat; repeat apply Rmult_lt_0_compat; lra.
  - assert (D := Rmult_lt_0_compat _ _ O H).
    eapply Rle_trans; [apply Rmult_le_compat_l; [lra |] | apply Rmult_le_compat_r; [| exact M]].
    + apply Rinv_le_contravar; [exact D |]; apply Rmult_le_compat_l; lra.
    + left; apply Rinv_0_lt_compat, D.
  - apply (Rmult_le_reg_r (norm d omega)); [exact O |].
    unfold Rdiv; rewrite Rmult_assoc, Rinv_l by lra; lra.
Qed.

(** * Mean cosines *)

Lemma mean_abs_norm N d h : (1 <= N)%nat -> mean N (fun i => norm d (h i)) <= rms N d h.
Proof.
  intros P.
  assert (C := cauchy_schwarz_sqr N (fun i => norm d (h i)) (fun _ => 1)); unfold dot in C.
  rewrite (sum_ext N (fun i => norm d (h i) * 1) (fun i => norm d (h i))) in C by (intros; ring).
  rewrite (sum_const N (1 * 1)) in C.
  rewrite (sum_ext N (fun i => norm d (h i) * norm d (h i)) (fun i => dot d (h i) (h i))) in C
    by (intros; apply norm_sqr).
  assert (R : 0 < INR N) by (apply lt_0_INR; lia).
  assert (M0 : 0 <= mean N (fun i => norm d (h i)))
    by (apply mean_nonneg; [lia |]; intros; apply norm_nonneg).
  rewrite <- (sqrt_square _ M0); apply sqrt_le_1_alt; unfold mean.
  apply (Rmult_le_reg_r (INR N * INR N)); [apply Rmult_lt_0_compat; exact R |].
  replace (sum N (fun i => norm d (h i)) / INR N * (sum N (fun i => norm d (h i)) / INR N)
           * (INR N * INR N))
    with (sum N (fun i => norm d (h i)) * sum N (fun i => norm d (h i))) by (field; lra).
  replace (sum N (fun i => dot d (h i) (h i)) / INR N * (INR N * INR N))
    with (sum N (fun i => dot d (h i) (h i)) * (INR N * (1 * 1))) by (field; lra).
  exact C.
Qed.

(** Cauchy-Schwarz for means: (mean sqrt k)^2 <= mean (k/y) mean y, where k vanishes with y. *)
Lemma mean_root_square N (k y : nat -> R) : (1 <= N)%nat ->
  (forall i, (i < N)%nat -> 0 <= k i /\ 0 <= y i /\ (y i = 0 -> k i = 0)) ->
  mean N (fun i => sqrt (k i)) * mean N (fun i => sqrt (k i))
  <= mean N (fun i => k i / y i) * mean N y.
Proof.
  intros P H; assert (R : 0 < INR N) by (apply lt_0_INR; lia).
  assert (C := cauchy_schwarz_sqr N (fun i => sqrt (k i / y i)) (fun i => sqrt (y i)));
    unfold dot in C.
  assert (K : forall i, (i < N)%nat -> 0 <= k i / y i).
  { intros i I; destruct (H i I) as [A [[B | B] Z]].
    - apply Rmult_le_pos; [exact A | left; apply Rinv_0_lt_compat, B].
    - rewrite Z by (symmetry; exact B); unfold Rdiv; lra. }
  rewrite (sum_ext N (fun i => sqrt (k i / y i) * sqrt (y i)) (fun i => sqrt (k i))) in C.
  2: { intros i I; destruct (H i I) as [A [[B | B] Z]].
       - rewrite <- sqrt_mult by (try apply K; lra || assumption). f_equal; field; lra.
       - rewrite Z, <- B, sqrt_0 by (symmetry; exact B); ring. }
  rewrite (sum_ext N (fun i => sqrt (k i / y i) * sqrt (k i / y i)) (fun i => k i / y i)) in C
    by (intros i I; apply sqrt_sqrt, K, I).
  rewrite (sum_ext N (fun i => sqrt (y i) * sqrt (y i)) y) in C
    by (intros i I; apply sqrt_sqrt; destruct (H i I) as [_ [B _]]; exact B).
  unfold mean; apply (Rmult_le_reg_r (INR N * INR N)); [apply Rmult_lt_0_compat; exact R |].
  replace (sum N (fun i => sqrt (k i)) / INR N * (sum N (fun i => sqrt (k i)) / INR N)
           * (INR N * INR N))
    with (sum N (fun i => sqrt (k i)) * sum N (fun i => sqrt (k i))) by (field; lra).
  replace (sum N (fun i => k i / y i) / INR N * (sum N y / INR N) * (INR N * INR N))
    with (sum N (fun i => k i / y i) * sum N y) by (field; lra).
  exact C.
Qed.

(** Mean of the normalised features of a class, zero vectors left as they are. *)
Definition mean_direction (N d : nat) (h : nat -> nat -> R) : nat -> R :=
  fun j => mean N (fun i => h i j / norm d (h i)).

Lemma mean_direction_inner N d h x :
  dot d x (mean_direction N d h) = mean N (fun i => dot d x (h i) / norm d (h i)).
Proof.
  unfold mean_direction; rewrite (dot_mean_r d N (fun i j => h i j / norm d (h i)) x).
  apply mean_ext; intros i _; unfold Rdiv; rewrite (Rmult_comm (dot d x (h i))), <- dot_scale_r.
  apply sum_ext; intros; ring.
Qed.

Lemma norm_zero_dot d x y : norm d y = 0 -> dot d x y = 0.
Proof.
  intros Z; assert (C := cauchy_schwarz_abs d x y); rewrite Z, Rmult_0_r in C.
  assert (A := Rabs_pos (dot d x y)).
  destruct (Req_dec (dot d x y) 0) as [| N]; [assumption |].
  apply Rabs_pos_lt in N; lra.
Qed.

Lemma inner_over_norm_above d x y : - norm d x <= dot d x y / norm d y.
Proof.
  destruct (norm_nonneg d y) as [P | Z].
  - assert (C := cauchy_schwarz_abs d x y).
    assert (A := Rle_abs (- dot d x y)); rewrite Rabs_Ropp in A.
    apply le_quotient; [exact P | lra].
  - rewrite norm_zero_dot by (symmetry; exact Z).
    unfold Rdiv; rewrite Rmult_0_l; assert (N := norm_nonneg d x); lra.
Qed.

(** The bound on the mean cosine from margins m, of which the chosen ones are not negative. *)
Definition mean_cosine_bound (N : nat) (m chosen : nat -> R) (omega alpha : R) : R :=
  mean N (fun i => sqrt (Rmax (m i) 0 * chosen i)) * mean N
    (fun i => sqrt (Rmax (m i) 0 * chosen i))
  / (omega * alpha) - (1 - mean N chosen).

(** For any direction x and any lower bounds m on the inner products with it. *)
Lemma mean_cosine_lemma N d x h (m chosen : nat -> R) : (1 <= N)%nat ->
  (forall i, (i < N)%nat -> chosen i = 0 \/ chosen i = 1) ->
  (forall i, (i < N)%nat -> 0 <= chosen i * m i) ->
  (forall i, (i < N)%nat -> m i <= dot d x (h i)) ->
  0 < norm d x -> 0 < rms N d h ->
  mean_cosine_bound N m chosen (norm d x) (rms N d h)
  <= dot d x (mean_direction N d h) / norm d x.
Proof.
  intros Q K NN B X R; rewrite mean_direction_inner; unfold mean_cosine_bound.
  set (k := fun i => Rmax (m i) 0 * chosen i).
  assert (K0 : forall i, (i < N)%nat -> 0 <= k i).
  { intros i I; apply Rmult_le_pos; [apply Rmax_r |]. destruct (K i I) as [-> | ->]; lra. }
  assert (Z : forall i, (i < N)%nat -> norm d (h i) = 0 -> k i = 0).
  { intros i I E; unfold k; assert (D := B i I); rewrite norm_zero_dot in D by exact E.
    rewrite Rmax_right by exact D; ring. }
  assert (CS := mean_root_square N k (fun i => norm d (h i)) Q).
  assert (CS1 := CS ltac:(intros i I; split;
    [apply K0, I | split; [apply norm_nonneg | apply Z, I]])).
  clear CS.
  (* each sample: the chosen ones have a cosine, the others at least -1 *)
  assert (E : mean N (fun i => k i / norm d (h i) - norm d x * (1 - chosen i))
              <= mean N (fun i => dot d x (h i) / norm d (h i))).
  { apply mean_le; [lia |]; intros i I.
    destruct (K i I) as [C | C].
    - unfold k; rewrite C; assert (U := inner_over_norm_above d x (h i)).
      replace (Rmax (m i) 0 * 0 / norm d (h i)) with 0 by (unfold Rdiv; ring). lra.
    - assert (M0 : 0 <= m i) by (assert (U := NN i I); rewrite C in U; lra).
      unfold k; rewrite C, Rmax_left by exact M0.
      destruct (norm_nonneg d (h i)) as [P | E0].
      + assert (m i * 1 / norm d (h i) <= dot d x (h i) / norm d (h i)); [| lra].
        apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat, P |]. assert (U := B i I); lra.
      + assert (D := B i I); rewrite norm_zero_dot in D |- * by (symmetry; exact E0).
        replace (m i) with 0 by lra. unfold Rdiv; lra. }
  rewrite mean_minus, mean_scale, mean_minus, mean_const in E by lia.
  assert (MA := mean_abs_norm N d h Q).
  assert (G0 : 0 <= mean N (fun i => k i / norm d (h i))).
  { apply mean_nonneg; [lia |]; intros i I; destruct (norm_nonneg d (h i)) as [P | E0].
    - apply Rmult_le_pos; [apply K0, I | left; apply Rinv_0_lt_compat, P].
    - rewrite (Z i I) by (symmetry; exact E0); unfold Rdiv; lra. }
  assert (G1 := Rmult_le_compat_l _ _ _ G0 MA).
  set (q := mean N (fun i => sqrt (k i))) in *; fold k.
  change (mean N (fun i => sqrt (Rmax (m i) 0 * chosen i))) with q.
  set (g := mean N (fun i => k i / norm d (h i))) in *.
  set (o := norm d x) in *; set (z := rms N d h) in *.
  apply le_quotient; [exact X |].
  assert (GQ : q * q / z <= g).
  { apply (Rmult_le_reg_r z); [exact R |].
    replace (q * q / z * z) with (q * q) by (field; lra). lra. }
  replace ((q * q / (o * z) - (1 - mean N chosen)) * o)
    with (q * q / z - o * (1 - mean N chosen)) by (field; lra).
  lra.
Qed.

(** bnwd:sharp-3, sharp "mean cosine": mean cosine of the samples with omega, and intra-class
    cosine, from the log-odds of any samples that have a margin. *)
Theorem class_cosine_guarantees n N d pi own rivals offset h chosen : (1 <= N)%nat ->
  (forall r, (r < n)%nat -> 0 < pi r) -> sum n pi = 1 ->
  (forall i, (i < N)%nat -> chosen i = 0 \/ chosen i = 1) ->
  let omega := direction n pi own rivals in
  let m := fun i => certified_margin n d pi own rivals offset (h i) in
  let least := mean_cosine_bound N m chosen (norm d omega) (rms N d h) in
  (forall i, (i < N)%nat -> 0 <= chosen i * m i) ->
  0 < norm d omega -> 0 < rms N d h ->
  least <= dot d omega (mean_direction N d h) / norm d omega /\
  Rmax least 0 * Rmax least 0 <= dot d (mean_direction N d h) (mean_direction N d h).
Proof.
  intros Q P S K omega m least NN O A.
  assert (B : least <= dot d omega (mean_direction N d h) / norm d omega).
  { apply mean_cosine_lemma; try assumption; intros; apply certified_margin_below; assumption. }
  split; [exact B |]; rewrite <- norm_sqr.
  assert (C := cauchy_schwarz d omega (mean_direction N d h)).
  assert (D : dot d omega (mean_direction N d h) / norm d omega <= norm d (mean_direction N d h)).
  { apply (Rmult_le_reg_r (norm d omega)); [exact O |].
    unfold Rdiv; rewrite Rmult_assoc, Rinv_l by lra; lra. }
  assert (E := norm_nonneg d (mean_direction N d h)).
  apply square_le; [apply Rmax_r | apply Rmax_lub; lra].
Qed.

(** * The shortest feature *)

(** bnwd:sharp-3, sharp "identity (gap-W)": the mean square norm above that of h*, split into the
    distance to h* and the excess of the off-class logits, where omega = mu h*. *)
Theorem shortest_feature_split n N d pi own rivals offset mu star h other : (1 <= N)%nat ->
  0 < mu ->
  (forall r, (r < n)%nat ->
     pi r = exp (rival_logit d own rivals offset star r)
            / sum n (fun k => exp (rival_logit d own rivals offset star k))) ->
  (forall j, (j < d)%nat -> direction n pi own rivals j = mu * star j) ->
  0 < sum n (fun k => exp (rival_logit d own rivals offset star k)) ->
  (forall r, (r < n)%nat -> 0 < other r) -> sum n other = 1 ->
  let f := rival_log_sum n d own rivals offset in
  let excess := fun x => f x - f star
                         + mu * dot d star (fun j => x j - star j) in
  mean N (fun i => dot d (fun j => h i j - star j) (fun j => h i j - star j))
  + 2 / mu * mean N (fun i => excess (h i))
  = mean N (fun i => dot d (h i) (h i)) - dot d star star
    + 2 / mu * (mean N (fun i => f (h i)) - f star) /\
  (forall i, (i < N)%nat -> 0 <= excess (h i)) /\
  certified_margin n d other own rivals offset star
  <= norm d (direction n other own rivals) * norm d star.
Proof.
  intros Q MU SOFT OM Z0 O1 O2 f excess; split; [| split].
  - rewrite (mean_ext N (fun i => excess (h i))
      (fun i => f (h i) - f star + mu * (dot d star (h i) - dot d star star)))
      by (intros; unfold excess; rewrite dot_minus_r; reflexivity).
    rewrite (mean_ext N (fun i => dot d (fun j => h i j - star j) _)
      (fun i => dot d (h i) (h i) - 2 * dot d star (h i) + dot d star star))
      by (intros i _; rewrite dot_minus_l, !dot_minus_r, (dot_comm d (h i) star); ring).
    rewrite !mean_plus, !mean_minus, !mean_scale, !mean_minus, !mean_const by lia.
    field; lra.
  - intros i _; unfold excess, f, rival_log_sum.
    set (Z := sum n (fun k => exp (rival_logit d own rivals offset star k))) in *.
    set (x := fun j => h i j - star j).
    set (u := fun r => rival_logit d own rivals offset (h i) r
                       - rival_logit d own rivals offset star r).
    assert (P1 : sum n pi = 1).
    { rewrite (sum_ext n pi (fun r => exp (rival_logit d own rivals offset star r) / Z))
        by exact SOFT.
      rewrite sum_divide; fold Z; field; lra. }
    assert (J := mean_below_log_mean_exp n pi u).
    assert (P0 : forall r, (r < n)%nat -> 0 <= pi r).
    { intros r L; rewrite SOFT by exact L; left; apply Rdiv_lt_0_compat;
        [apply exp_pos | exact Z0]. }
    specialize (J P0 P1).
    assert (E1 : sum n (fun r => pi r * exp (u r))
                 = sum n (fun r => exp (rival_logit d own rivals offset (h i) r)) / Z).
    { rewrite <- sum_divide; apply sum_ext; intros r L; rewrite SOFT by exact L; unfold u.
      replace (exp (rival_logit d own rivals offset (h i) r))
        with (exp (rival_logit d own rivals offset star r)
              * exp (rival_logit d own rivals offset (h i) r
                     - rival_logit d own rivals offset star r))
        by (rewrite <- exp_plus; f_equal; ring).
      unfold Rdiv; ring. }
    assert (W := weighted_exp_pos n pi u P0 P1); rewrite E1 in W, J.
    set (Y := sum n (fun r => exp (rival_logit d own rivals offset (h i) r))) in *.
    assert (Y0 : 0 < Y).
    { replace Y with (Y / Z * Z) by (field; lra). apply Rmult_lt_0_compat; assumption. }
    rewrite ln_div in J by assumption.
    assert (E2 : sum n (fun r => pi r * u r) = - dot d (direction n pi own rivals) x).
    { rewrite direction_inner.
      replace (dot d own x) with (dot d own x * sum n pi) by (rewrite P1; ring).
      rewrite <- sum_scale, <- sum_minus; unfold Rminus at 1.
      replace (- sum n (fun r => dot d own x * pi r + - (pi r * dot d (rivals r) x)))
        with ((-1) * sum n (fun r => dot d own x * pi r + - (pi r * dot d (rivals r) x))) by ring.
      rewrite <- sum_scale; apply sum_ext; intros r _; unfold u, x, rival_logit.
      rewrite !dot_minus_r; ring. }
    assert (E3 : dot d (direction n pi own rivals) x = mu * dot d star x).
    { rewrite <- dot_scale_l; apply sum_ext; intros j L; rewrite OM by exact L; reflexivity. }
    rewrite E2, E3 in J; fold x; lra.
  - eapply Rle_trans; [apply certified_margin_below; assumption | apply cauchy_schwarz].
Qed.
