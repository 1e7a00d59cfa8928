"""One record a picture, turned into one array a factor."""

import numpy as np


def collate(eyes):
    """Turn a list of dicts into a dict of arrays (of dicts, into dicts of arrays)."""
    collated = {name: [eye[name] for eye in eyes] for name in eyes[0]}
    for name, values in collated.items():
        if isinstance(values[0], dict):
            collated[name] = collate(values)
        elif name != "report":
            collated[name] = np.array(values)
    return collated
