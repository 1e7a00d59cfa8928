"""Errors in pretext tasks, targets without fine-tuning, and what they are given."""

from planted.row import rows

COMPILED = r"""
pretext/rotation.py: pretext/test_volumes.py
    ((1, 2), (1, 3)) for -> ((1, 2), (2, 3)) for

pretext/position.py: pretext/test_volumes.py pretext/test_position.py
    centres + self.pitch * self.steps[places] -> centres + self.steps[places]
    region=self.region, rng=rng) + reach -> region=self.region, rng=rng)

pretext/restoration.py: pretext/test_volumes.py
    (disordered != images).any(-1, keepdims -> (disordered == images).any(-1, keepdims
    "region": self.region} -> "region": None}

task.py: pretext/test_volumes.py
    channels=1 if grey else cls.channels -> channels=cls.channels

targets/grading.py: targets/test_grading.py
    flat.square().mean(2).sqrt() -> flat.square().mean(2)
    (decode(p, cls.probe_head), p) -> (p.argmax(1), p)

models/unet.py: models/test_networks.py
    self.fold)[..., : x.shape[-2], : x.shape[-1]]
      -> self.fold)[..., -x.shape[-2] :, -x.shape[-1] :]

pretext/cpc.py: pretext/test_cpc.py
    z[:, :, self.below :] -> z[:, :, -1:].expand_as(z)[:, :, self.below :]
    F.pad(seen, (1, 1, 2, 0)) -> F.pad(seen, (1, 1, 1, 1))

pretext/dino.py: pretext/test_dino.py
    every.sum() - every.diagonal().sum() -> every.sum()
    own.lerp_(theirs, 1 - self.momentum) -> own.lerp_(theirs, self.momentum)
    if self.training and self.centring: -> if self.centring:
    (raw - self.centre) * self.sharpness).softmax(1)\n            taught =
      -> (raw + self.centre) * self.sharpness).softmax(1)\n            taught =
    size=half, -> size=2 * half,

pretext/text.py: pretext/test_text.py
    rng=rng, turn=False) -> rng=rng)
    reports[others] != reports[:, None] -> reports[others] == reports[others]
    np.diagonal(cosine)[:, None] > -> np.diagonal(cosine)[:, None] <

models/text.py: pretext/test_text.py
    str(text).lower() -> str(text)
    (x * read).sum(1) -> x.sum(1)
    [..., :-1]).mT -> [..., 1:]).mT

targets/zero_shot.py: targets/test_zero_shot.py
    if not name.lower().startswith(NONE): -> if True:
    np.exp(no - yes) -> np.exp(yes - no)
    FEWEST <= there.sum() <= -> 0 <= there.sum() <=
    (0.025, 0.975) -> (0.25, 0.75)

experiment.py: targets/test_zero_shot.py
    if (*key, fold) not in known: -> if key not in known:

factors.py: test_factors.py
    return 2 * metrics.roc_auc(truth, predicted) - 1
      -> return metrics.roc_auc(truth, predicted)
    held = person % FOLDS == fold -> held = person >= 0
    rows[::2] @ rows[1::2].T -> rows[::2] @ rows[::2].T
    > MORE > grown[t] -> > MORE < grown[t]

federated.py: test_federated.py
    count * state[name].double() -> state[name].double()
    if average_statistics or not kept: -> if average_statistics or kept:
    seed + number -> seed

data/toy/macula.py: data/test_volumes.py
    if mirrored: -> if False:
    borders[::-1], lifted[None] -> borders, lifted[None]
    surfaces[:, first:] += motion -> surfaces[:, first:] -= motion

data/medical.py: data/test_volumes.py
    if values.dtype != np.uint8: -> if True:
    or not np.isfinite(values).all(): -> or np.isnan(values).all():

summary.py: test_summary.py
    line["interval"] = paired_interval(own, test_share=test_share)[1:]
      -> line["interval"] = paired_interval(own)[1:]
"""
ROWS = rows(COMPILED, compiled=True)
