"""Checks for the exercises of the lessons: ``check.qwk(my_function)`` says what is off.

The contract, for whoever writes a lesson:

- ``tinyssl/check/lessonNN.py`` holds one `Exercise` for each function a learner fills
  in, and ``EXERCISES``, from the name of that function (``my_qwk``) to its exercise.
  This file re-exports the exercises under the names that lessons use.
- An exercise is callable: ``check.qwk(my_qwk)`` prints what it found and returns True
  or False. It works in a script, in a notebook and in pytest, and needs Hypothesis.
- An exercise has laws, simplest first. A law takes the learner's function and a case
  that Hypothesis draws, and returns what is expected and what came. The smallest case
  that breaks a law is printed with both.
- ``mistakes`` are wrong answers often given. Where the learner's function answers as
  one of them does, that mistake's own hint is printed. Otherwise, and from the second
  failure on, the three hints of the exercise follow in turn.
- How often a function failed is kept in the process; ``tinyssl check NN FILE`` keeps
  it in FILE's neighbour ``FILE.hints.json`` until everything passes.
- A crash is reported with its line and the case. A call that takes longer than two
  seconds is stopped and reported. ``tinyssl check`` works in a process of its own, so
  that not even a learner's ``os._exit`` ends it without a word.
- A function as the lesson leaves it to the learner returns None: it is called "nothing
  there yet" and gets no hint.
- A law that compares two answers of the function names them (``labels=``) in place of
  "expected" and "got": neither need be right.
"""

from tinyssl.check.exercise import Exercise, Mistake
from tinyssl.check.lesson00 import eye, folds, grade
from tinyssl.check.lesson01 import confusion_matrix, qwk, weights
from tinyssl.check.lesson02 import frechet_diagonal, gain, ssim_window
from tinyssl.check.lesson03 import fits, undo_swaps, undo_tiles
from tinyssl.check.lesson04 import axis_and_way, cross_entropy, four_turns
from tinyssl.check.lesson05 import differences, interval, labelled
from tinyssl.check.lesson06 import masked_mse, moved, share_left
from tinyssl.check.lesson07 import disc_diameters, mirror_labels, soft_argmax
from tinyssl.check.lesson08 import dice_in_view, overlap_average, threshold
from tinyssl.check.lesson09 import exchange_test, missing, paired_gain
from tinyssl.check.search import law

__all__ = [
    "Exercise",
    "Mistake",
    "axis_and_way",
    "confusion_matrix",
    "cross_entropy",
    "dice_in_view",
    "differences",
    "disc_diameters",
    "exchange_test",
    "eye",
    "fits",
    "folds",
    "four_turns",
    "frechet_diagonal",
    "gain",
    "grade",
    "interval",
    "labelled",
    "law",
    "masked_mse",
    "mirror_labels",
    "missing",
    "moved",
    "overlap_average",
    "paired_gain",
    "qwk",
    "share_left",
    "soft_argmax",
    "ssim_window",
    "threshold",
    "undo_swaps",
    "undo_tiles",
    "weights",
]
