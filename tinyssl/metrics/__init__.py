"""Metrics the field reports: NumPy in, numbers out.

One policy for all. Truth comes before prediction. Bad input is refused: nothing is
dropped, clipped or guessed. What the mathematics leaves open (0/0) is ``undefined``.
Inputs are never changed; integers never wrap; sums are exact or float64.
"""

from tinyssl.metrics.accumulators import (
    ConfusionAccumulator,
    GaussianAccumulator,
    SSIMAccumulator,
)
from tinyssl.metrics.agreement import (
    cohen_kappa,
    confusion_matrix,
    quadratic_weighted_kappa,
)
from tinyssl.metrics.classification import (
    accuracy,
    balanced_accuracy,
    f1_score,
    precision,
    recall,
)
from tinyssl.metrics.frechet import (
    frechet_distance,
    frechet_distance_from_stats,
    frechet_noise_floor,
)
from tinyssl.metrics.localization import localization_error
from tinyssl.metrics.overlap import dice, iou, sensitivity, specificity
from tinyssl.metrics.ranking import (
    average_precision,
    precision_recall_curve,
    roc_auc,
    roc_curve,
)
from tinyssl.metrics.similarity import mse, psnr, ssim

__all__ = ["ConfusionAccumulator", "GaussianAccumulator", "SSIMAccumulator", "accuracy"]
__all__ += ["average_precision", "balanced_accuracy", "cohen_kappa", "confusion_matrix"]
__all__ += ["dice", "f1_score", "frechet_distance", "frechet_distance_from_stats"]
__all__ += ["frechet_noise_floor", "iou", "localization_error", "mse", "precision"]
__all__ += ["precision_recall_curve", "psnr", "quadratic_weighted_kappa", "recall"]
__all__ += ["roc_auc", "roc_curve", "sensitivity", "specificity", "ssim"]
