"""Which vessels are thin: where overlap is lost, and what Dice hardly notices."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tinyssl.data.resize import field_width

THIN = 3 / 540  # of the field's width: 3 px in DRIVE, whose field is 540 px wide


def thin_width(region: NDArray[np.bool_]) -> int:
    """Return the width in pixels below which a vessel of this field is thin.

    Examples
    --------
    >>> thin_width(np.ones((900, 918), bool))
    5
    """
    return max(2, round(THIN * field_width(region)))


def thin_vessels(mask: NDArray[np.bool_], *, width: float) -> NDArray[np.bool_]:
    """Return the vessels narrower than a width.

    Parameters
    ----------
    mask : (H, W) bool array
        Vessels.
    width : float
        In pixels. A straight vessel this wide or wider is not thin.

    Returns
    -------
    (H, W) bool array
        Part of the mask.

    Raises
    ------
    ValueError
        If width is below 1.

    Notes
    -----
    A vessel is wide where a disc of that diameter fits into it: what the disc sweeps
    (the morphological opening), and the jagged rim within two pixels of that, is wide;
    the rest of the mask is thin. Needs no skeleton, whose spurs are thin on wide
    vessels too. Yan et al. call vessels below 3 px of DRIVE thin; `thin_width` takes
    that width to fields of any size.

    References
    ----------
    Yan, Yang, Cheng (2018), Joint segment-level and pixel-wise losses for deep
    learning based retinal vessel segmentation, IEEE TBME 65(9):1912-1923.

    Examples
    --------
    >>> mask = np.zeros((30, 30), bool)
    >>> mask[3:6] = mask[12:18] = True  # 3 and 6 px wide
    >>> np.flatnonzero(thin_vessels(mask, width=5).any(1))
    array([3, 4, 5])
    """
    if not width >= 1:
        raise ValueError(f"width must be at least 1 pixel, found {width}")
    # opened beyond the frame as well: vessels do not end where the photograph does
    side = round(width)
    padded = np.pad(mask, side, mode="edge")
    offset = np.arange(side) - (side - 1) / 2
    disc = offset[:, None] ** 2 + offset**2 <= side**2 / 4
    wide = ndimage.binary_opening(padded, disc)
    rim = ndimage.generate_binary_structure(2, 2)
    wide = ndimage.binary_dilation(wide, rim, iterations=2)
    return mask & ~wide[side:-side, side:-side]
