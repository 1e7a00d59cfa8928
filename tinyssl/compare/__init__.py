"""Sets of images side by side: real and generated, original and restored."""

from tinyssl.compare.export import export_restored as export_restored
from tinyssl.compare.side_by_side import compare as compare
from tinyssl.compare.side_by_side import restoration as restoration
