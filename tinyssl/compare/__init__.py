"""Sets of images side by side: real and generated, original and restored."""

from tinyssl.compare.export import export_restored
from tinyssl.compare.side_by_side import compare, restoration

__all__ = ["compare", "export_restored", "restoration"]
