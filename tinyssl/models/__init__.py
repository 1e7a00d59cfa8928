"""Networks in torch: encoders have ``.features(x)`` and ``.num_features``.

Every network keeps the plain arguments it was built from in ``.config``, so that
``from_config(model.config)`` is the same architecture with new weights.
"""

from torch import nn

from tinyssl.models.densenet import DenseNet, densenet121, densenet_small
from tinyssl.models.filters import FilterBank
from tinyssl.models.sononet import SonoNet, sononet_small
from tinyssl.models.unet import DenseUNet, Restorer, UNet, mapping
from tinyssl.models.vit import ViT
from tinyssl.models.weights import LoadReport, load_torchvision, load_weights

__all__ = ["DenseNet", "DenseUNet", "FilterBank", "LoadReport", "Restorer", "SonoNet"]
__all__ += ["UNet", "ViT", "densenet121", "densenet_small", "from_config"]
__all__ += ["load_torchvision", "load_weights", "mapping", "sononet_small"]


def from_config(config: dict) -> nn.Module:
    """Build the network that a ``.config`` describes."""
    networks = (DenseNet, DenseUNet, FilterBank, SonoNet, UNet, ViT)
    architectures = {network.__name__: network for network in networks}
    arguments = dict(config)
    name = arguments.pop("name", None)
    if name not in architectures:
        rule = f"must be one of {sorted(architectures)}"
        raise ValueError(f"config['name'] {rule}, found {name!r}")
    if "encoder" in arguments:
        arguments["encoder"] = from_config(arguments["encoder"])
    return architectures[name](**arguments)
