"""Errors in training, pretraining, cases, starts, experiment, targets and grading."""

from planted.row import rows

COMPILED = r"""
training.py: test_training.py
    default_rng([seed, 1, step]) -> default_rng([seed, 1, 0])
    default_rng([seed, 0, epoch]) -> default_rng([seed, 0, 0])
    torch.manual_seed(seed * 1_000_003 + step) -> torch.manual_seed(seed)
    range(len(rows), steps) -> range(steps)
    return peak * (step + 1) / rising -> return peak * step / rising
    0.5 * (1 + math.cos(math.pi * done)) -> math.cos(math.pi * done)
    (p.ndim <= 1, id(p) -> (p.ndim <= 0, id(p)
    0.0 if spared else weight_decay -> weight_decay
    rate * group["share"] -> rate
    if not (math.isfinite(value) and torch.isfinite(norm)): -> if False:
    channels_last: bool = True -> channels_last: bool = False

devices.py: test_training.py
    scale = 255.0 if array.dtype == np.uint8 -> scale = 1.0 if array.ndim == 9
    tensor.movedim(-1, 1) -> tensor.transpose(-1, 1)

devices.py: test_devices.py
    if precision == "float32" else torch.autocast(kind, to) -> if to else None
    device.type, enabled=False) -> device.type, torch.bfloat16)
    ahead[step + 1] = thread.submit(make, step + 1) -> pass
    tensor.pin_memory() if gpu else tensor -> tensor
    if step + 1 < steps: -> if True:

training.py: test_devices.py
    autocast = devices.autocast(where, precision) -> autocast = nullcontext()
    encoder_rate=encoder_rate, precision=precision -> encoder_rate=encoder_rate
    devices.compiled(task) if compile else task -> task
    save_checkpoint(task, optimizer -> save_checkpoint(network, optimizer

pretext/simclr.py: test_devices.py
    in_float32(torch.matmul, z, z.T) -> (z @ z.T)

training.py:
  test_interrupts.py::test_a_signal_waits_for_the_step_and_the_run_goes_on_bit_for_bit
    if out and (last or stop or -> if out and (last or

training.py: test_training.py
    time.time() >= until -> time.time() < until
    if out and (last or stop or over or due) -> if out and (last or stop or due)
    if checkpoint_minutes is not None: -> if False:

ranks.py: test_ranks.py
    return gradient[rank()] -> return gradient[0]
    _reduce(gradient := gradient -> (gradient := gradient
    every.transpose(0, 1).flatten -> every.flatten
    return total(x) / count() -> return x
    parts = (whole / size()) -> parts = (whole / 1)
    tensors += [module.running_mean, module.running_var] -> pass
    (rank() + 1) * each] -> each]
    attempt = os.environ["TORCHELASTIC_RESTART_COUNT"] -> attempt = 0
    .add("spoken", 1) == 1 -> .add("spoken", 1) > 0

jobs.py: test_jobs.py
    or (saved and not Path(saved).exists()) -> or False
    with _one_job, chdir(place), use_threads -> with _one_job, use_threads
    f"jobs{time.time_ns()}" -> "jobs"
    with _one_job, chdir(place), use_threads -> with chdir(place), use_threads

rows.py: test_memory.py
    some[block] = array[index[block]] -> some[block] = array[index][block]
    os.access(beside, os.W_OK) -> True
    raise no_room(folder / "rows", error) or error -> raise error
    -(-len(index) // most) -> len(index) // most

audit/copies.py: audit/test_audit_structure.py
    products, axis=1)[:, near] -> products, axis=1)
    n=S, axis=2)[:, :, near] -> n=S, axis=2)

audit/look.py: audit/test_audit_look.py
    column[new] = column[old] -> pass

parcel.py:
  test_interrupts.py::test_what_is_shared_comes_back_and_mapped_files_are_not_copied
    value.filename and -> True and

data/copies.py: audit/test_audit_copies.py
    SAME * length**0.5 + 0.1 -> 0.5 * SAME * length**0.5
    for i in sorted(some)] -> for i in some[:1]]

files.py: test_files.py test_runs.py
    partial.replace(path) -> path.write_bytes(partial.read_bytes())
    weights_only=True -> weights_only=False
    return plain(value.item(), keys=keys) -> return value
    key if type(key) is int else str(key) -> str(key)
    if name := _not_finite(state): -> if False:
    if not isinstance(found, dict): -> if False:
    (ValueError, RecursionError) -> ValueError
    if not is_running(writer): -> if True:
    raise no_room(path, error) or error from None -> raise

interrupts.py: test_interrupts.py
    timers[0].start() -> pass
            signal.raise_signal(number)\n        raise ->         raise
    signal.signal(number, was) -> pass

cli.py: test_interrupts.py
    came.heard.set() -> pass

models/weights.py: models/test_weights.py models/test_networks.py
    tensor.sum(1, keepdim=True) -> tensor.mean(1, keepdim=True)
    if not torch.isfinite(tensor).all(): -> if False:
        if lacking: ->     if len(lacking) > 15:
    if len(found) > 1: -> if False:

runs.py:
  test_training.py::test_checkpoint_of_other_settings_or_damaged_is_refused
    if found != value: -> if False:

runs.py: test_files.py test_starts.py
  test_training.py::test_killed_and_resumed_run_equals_an_unbroken_one
    if own.get(name) != found.get(name)] -> if name not in own]
    optimizer.load_state_dict(state["optimizer"]) -> pass

runs.py: test_runs.py
    - (there or set()): -> | set():
    if was != value: -> if False:

jobs.py: test_interrupts.py::test_workers_end_with_their_parent
    threading.Thread(target=_end_with_parent, daemon=True).start() -> pass
    _end(_children() - self.others) -> pass

jobs.py: test_jobs.py
    if found["key"] == work["keys"][number] else None -> if True else None
    for k in job if k not in ("file", "save")} -> for k in job}
    for number in range(len(jobs))] -> for number in range(len(jobs))][::-1]

cases.py: test_cases.py
    seen = (self.fold != fold) & -> seen = (self.fold != -9) &
    (self.fold >= ALWAYS) -> (self.fold >= LEFT_OUT)
    fold[(fold == TEST) & ~official] = LEFT_OUT -> pass
    & ~held] = LEFT_OUT -> & ~held] = ALWAYS
    table.split if num_folds or not reading.transductive
        -> table.split if not reading.transductive
    np.where(known, LEFT_OUT, ALWAYS) -> np.full(len(other), ALWAYS)
    shared |= seen_before(self.small, other.small) -> pass
    label_subset(classes[part], groups, -> label_subset(classes[part], part,
    return np.sort(order[:labels]) -> return np.sort(order[-labels:])
    place[same] = np.arange(same.sum()) -> place[same] = 0
    table.patient, small) -> table.patient)

starts.py: test_starts.py
    np.isin(cases.fold, (fold, TEST)) -> np.isin(cases.fold, (TEST,))
    leaked |= seen_before(start.thumbnails(fold) -> seen_before(start.thumbnails(0)
    runs.refuse_others(folder / "encoder.pt", -> print(
    runs.refuse_others(path, wanted, -> print(
    skipped = HEADS if whole else (*HEADS, DECODER) -> skipped = HEADS
    + (images_processed(Path(init)) if init else 0) -> + 0
    if config["command"] != "pretrain": -> if False:
    if any(other != configs[0] for other in configs): -> if False:
    if whole and network is not task.encoder: -> if whole:

pretraining.py: test_pretexts.py test_starts.py
    hashes = init.seen(fold) + hashes -> hashes = list(hashes)
    seen = cases.part(fold, labelled=False) -> seen = cases.part(None, labelled=False)
    torch.manual_seed(seed) -> torch.manual_seed(fold or 7)

experiment.py: test_targets.py
    again if init == SAME_COMPUTE else 0) -> 0)
    return min(map(len, parts)) -> return max(map(len, parts))
    seed + draw} -> seed + draw + len(init)}
    if _blind(name, start, k) == key[1]] -> if k == fold]
    *map(cases.held, folds)])) -> np.arange(len(cases))]))

fitting.py: test_targets.py
    torch.manual_seed(job["seed"]) -> torch.manual_seed(len(job["init"]))
    cases.held(fold)\n -> cases.held(0)\n
    carry(task, start.of_repeat(job["repeat"]), job["fold"]) -> pass

runs.py: test_runs.py
    all(x in value for x in was) -> True
    if before is not None: -> if False:

pretraining.py: test_studies.py
    key | {"options": self.options} -> key | {"options": [*self.starts]}

fitting.py: test_studies.py
    index[part_of != part] -> index
    np.nanargmax(known) -> np.nanargmin(known)
    thin(held, WATCHED) -> held

experiment.py: test_studies.py
    job["start"] = content( -> _ = content(
    if job["repeat"] == 0} -> if job["repeat"] == 1}

demo.py: test_studies.py
    found["low"] > 0 -> found["low"] > -1
    values[LEARNED] - values[RANDOM] -> values[RANDOM] - values[LEARNED]

summary.py: test_summary.py
    (1 / k + test_share) -> (1 / k)
    stdtrit(freedom, -> stdtrit(freedom + 1,
    len(compared) - rank -> len(compared)
    2 * stdtr( -> stdtr(
    low, high = -high, -low -> low, high = low, high
    own - scores[beside] -> scores[beside] - own

pretext/rotation.py: pretext/test_rotation.py
    return images * turn_invariant_field(images)[..., None] -> return images
    quarter, axes=axes) -> -quarter, axes=axes)

pretext/restoration.py: pretext/test_restoration.py test_pretexts.py
    (disordered != images).any(-1, keep -> (disordered != images).all(-1, keep
    given if self.standardise else inputs) -> given)

targets/overlap.py: targets/test_overlap.py targets/test_segmentation.py
    wide = diameter >= width + 0.5 -> wide = diameter >= width
    reach = width + 0.5 + 2 * RIM -> reach = width - 2
    truth, answer = mask[region] -> truth, answer = mask[mask | region]

targets/segmentation.py: targets/test_segmentation_cases.py
    (m & f).sum() for -> m.sum() for

targets/localization.py: targets/test_localization.py
    x.flip(3))).exp().flip(3) -> x.flip(3))).exp()
    [0, images.shape[2] - 1] -> [0, images.shape[2]]

targets/grading.py: targets/test_grading.py
    F.logsigmoid(-outputs) -> F.logsigmoid(outputs)
    (probability.cumsum(1)[:, :-1] < 0.5) -> (probability.cumsum(1)[:, :-1] <= 0.4)

grade/calibration.py: grade/test_calibration.py
    abs(g["said"] - g["right"]) -> abs(g["said"])
    for group in reversed(found["bins"]): -> for group in found["bins"]:

grade/keep.py: test_studies.py
    thin(index, ENOUGH) -> index

grade/ood.py: test_memory.py
    for image in images:\n -> for image in images.astype(np.float64):\n

grade/ood.py: grade/test_ood.py
    return np.max(ratios, axis=0) -> return np.min(ratios, axis=0)
    distance = distances(held[part], -> distance = distances(rows,
"""
ROWS = rows(COMPILED, compiled=True)  # kernels beneath the torch layer
