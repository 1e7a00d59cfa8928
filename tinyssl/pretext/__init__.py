"""Pretext tasks: labels that come from the pixels. One short file a method.

``from tinyssl.pretext import Rotation`` and the like; `PRETEXTS` names them for the
command line, the experiment and the tests, and imports one when it is used. The demo
shows the first.
"""

from typing import Any

from tinyssl import tables

PRETEXTS = {
    "rotation": "rotation:Rotation",
    "restoration": "restoration:ContextRestoration",
    "shuffling": "shuffling:PixelShuffling",
    "position": "position:RelativePosition",
    "jigsaw": "jigsaw:Jigsaw",
    "inpainting": "inpainting:Inpainting",
    "colourisation": "colourisation:Colourisation",
    "cpc": "cpc:CPC",
    "exemplar": "exemplar:Exemplar",
    "mae": "mae:MaskedAutoencoder",
    "simclr": "simclr:SimCLR",
    "dino": "dino:DINO",
    "text": "text:ImageText",
    "paste": "paste:AnatomyPaste",
    "dictionary": "dictionary:Dictionary",
    "bow": "bow:BagOfWords",
}


def find(name: str) -> Any:
    """Return the class of a pretext task; see `tinyssl.tables.find`."""
    return tables.find(__name__, PRETEXTS, name)


def options_of(name: str) -> dict[str, tuple[Any, Any, str]]:
    """Return the options of a pretext task; see `tinyssl.tables.options_of`."""
    return tables.options_of(find(name))


def __getattr__(name: str) -> Any:
    return tables.find_class(__name__, PRETEXTS, name)
