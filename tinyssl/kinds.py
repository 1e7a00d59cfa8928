"""Kinds of values that commands take, and how wide each may be."""

from collections.abc import Callable
from typing import Annotated, Literal

Log = Callable[[str], None]
Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["float32", "bfloat16"]
Natural = Annotated[int, (0, None)]  # whole numbers: both ends belong
Positive = Annotated[int, (1, None)]
Rate = Annotated[float, (0, 10)]  # other numbers: the lower end does not belong
Minutes = Annotated[float, (0, None)]
Percent = Annotated[float, (0, 100), "%"]  # given in percent, handed over as a share
Count = Positive | Literal["all"]
Network = Literal["small", "densenet121", "sononet", "unet", "unet-fine", "vit"]


def silent(line: str) -> None:
    """Take a line for the person who waits, and drop it."""
