"""Figures for reports and lessons: functions of arrays or rows that return a Figure.

Images are (N, H, W, C) uint8 arrays, or floats in [0, 1], of one or three channels.
Titles state what was found, computed from the data, unless ``title`` is given. Figures
are made without pyplot, so they can be drawn in threads and without a display; their
label names the file. Needs matplotlib (the extra ``plot``).
"""

from tinyssl.plots.answers import calibration, confusion, distances, grade_bars, matrix
from tinyssl.plots.images import (
    answered,
    localizations,
    pairs,
    restorations,
    strip,
    vessels,
)
from tinyssl.plots.scores import (
    convergence,
    differences,
    draws,
    label_efficiency,
    pretext_curves,
)

__all__ = ["answered", "calibration", "confusion", "convergence", "differences"]
__all__ += ["distances", "draws", "grade_bars", "label_efficiency", "localizations"]
__all__ += ["matrix", "pairs", "pretext_curves", "restorations", "strip", "vessels"]
