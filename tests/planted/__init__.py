"""Errors to plant, one at a time: where, what stands there, what is put, who notices.

``mutations.py`` does the planting. An error here is one a person could make.
"""

from planted import counting, limits, methods, similarity, torch_layer, transforms

ROWS = similarity.ROWS + counting.ROWS + transforms.ROWS + limits.ROWS
ROWS += torch_layer.ROWS + methods.ROWS
