"""Figures for reports and lessons: functions of arrays or rows that return a Figure.

Titles state what was found, computed from the data. Figures are made without pyplot:
nothing global is touched, so they can be drawn in threads and without a display.
Save one with ``figure.savefig("name.png")``. Needs matplotlib (the extra ``plot``).
"""

from tinyssl.plots.compare import distances, pairs
from tinyssl.plots.curves import convergence, pretext_curves
from tinyssl.plots.efficiency import differences, label_efficiency
from tinyssl.plots.grading import calibration, grade_bars
from tinyssl.plots.images import image_grid, restorations, turns
from tinyssl.plots.points import localizations
from tinyssl.plots.predictions import confusion, vessels

__all__ = [
    "calibration",
    "confusion",
    "convergence",
    "differences",
    "distances",
    "grade_bars",
    "image_grid",
    "label_efficiency",
    "localizations",
    "pairs",
    "pretext_curves",
    "restorations",
    "turns",
    "vessels",
]
