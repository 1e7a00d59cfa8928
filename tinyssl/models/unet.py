"""Networks that answer with a map: U-Nets, and a decoder for any other encoder."""

import torch
from torch import nn
from torch.nn import functional as F

from tinyssl import _checks
from tinyssl.models import layers
from tinyssl.models.densenet import DenseNet


def _double(c_in, c_out):
    first, second = layers.convolution(c_in, c_out), layers.convolution(c_out, c_out)
    return nn.Sequential(*first, *second)


class _Decoder(nn.Module):
    """Bring the coarsest map up to each finer one in turn: grow, join, convolve."""

    def __init__(self, coarse, skips, widths):
        super().__init__()
        self.levels = nn.ModuleList()
        for skip, width in zip(skips, widths, strict=True):  # coarse to fine
            self.levels.append(_double(coarse + skip, width))
            coarse = width

    def forward(self, x, skips):
        """Return the map at the size of the last skip."""
        for level, skip in zip(self.levels, skips, strict=True):
            # grown by repetition: transposed convolutions leave a checkerboard
            x = F.interpolate(x, size=skip.shape[-2:])
            x = level(torch.cat([x, skip], dim=1))
        return x


class UNet(layers.Encoder):
    """Plain U-Net with concatenated skips; images of any height and width.

    Parameters
    ----------
    in_channels, out_channels : int, of the image, and of the output, not squashed
    widths : sequence of int, channels at each size, fine to coarse, halved each time
    fold : int
        Each square of so many pixels a side goes in as one with more channels, and
        comes out so: fine detail at the cost of a small image (Shi et al. 2016).

    Notes
    -----
    Against the paper: convolutions are padded, so that sizes stay, and normalised;
    maps grow by repetition (Odena et al. 2016, on checkerboards).

    References
    ----------
    Ronneberger, Fischer, Brox (2015), U-Net: convolutional networks for biomedical
    image segmentation, MICCAI.

    Examples
    --------
    >>> UNet(widths=(4, 8))(torch.zeros(1, 3, 33, 47)).shape
    torch.Size([1, 1, 33, 47])
    """

    def __init__(
        self,
        *,
        in_channels: int = 3,
        out_channels: int = 1,
        widths: tuple[int, ...] = (16, 32, 64),
        fold: int = 1,
    ):
        super().__init__()
        self.fold = _checks.integer("fold", fold, least=1)
        self.config = {"name": "UNet", "widths": list(widths), "fold": self.fold}
        self.config |= {"in_channels": in_channels, "out_channels": out_channels}
        self.stage_channels, self.num_features = list(widths), widths[-1]
        pairs = zip((in_channels * fold**2, *widths), widths, strict=False)
        self.down = nn.ModuleList(_double(*pair) for pair in pairs)
        self.decoder = _Decoder(widths[-1], widths[-2::-1], widths[-2::-1])
        self.head = nn.Conv2d(widths[0], out_channels * fold**2, 1)
        self.apply(layers.initialise)

    def stages(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the encoder's maps, fine to coarse."""
        rims = (0, -x.shape[-1] % self.fold, 0, -x.shape[-2] % self.fold)
        folded = F.pixel_unshuffle(F.pad(x, rims, mode="replicate"), self.fold)
        return layers.halving_stages(self.down, folded)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (N, C, H, W) to maps (N, out_channels, H, W)."""
        *skips, coarse = self.stages(x)
        found = self.head(self.decoder(coarse, skips[::-1]))
        return F.pixel_shuffle(found, self.fold)[..., : x.shape[-2], : x.shape[-1]]


class DenseUNet(nn.Module):
    """U-Net whose way down is a DenseNet, pretrained or not.

    Parameters
    ----------
    encoder : DenseNet
        Its stages are the skips; its linear layer stays unused. Trained with the rest.
    out_channels : int, channels of the output, which is not squashed
    """

    def __init__(self, encoder: DenseNet, *, out_channels: int = 1):
        super().__init__()
        self.config = {"name": "DenseUNet", "encoder": encoder.config}
        self.config |= {"out_channels": out_channels}
        # the image itself is joined too: the finest stage has lost half its detail
        skips = [encoder.config["in_channels"], *encoder.stage_channels[:-1]][::-1]
        widths = [max(16, skip // 2) for skip in skips]
        self.decoder = _Decoder(encoder.num_features, skips, widths)
        self.head = nn.Conv2d(widths[-1], out_channels, 1)
        self.apply(layers.initialise)
        self.encoder = encoder  # after the draw: given weights are kept
        self.num_features = encoder.num_features

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (N, C, H, W) to the encoder's features (N, C', h, w)."""
        return self.encoder.features(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (N, C, H, W) to maps (N, out_channels, H, W)."""
        *skips, coarse = [x, *self.encoder.stages(x)]
        return self.head(self.decoder(coarse, skips[::-1]))


class Restorer(nn.Module):
    """An encoder and a few deconvolutions up to the size of the image.

    The answer has `channels`: colours, or a map a point. The first deconvolution has
    `widest`, each next one half as many. Volumes, (N, 1, D, H, W), are for an encoder
    whose ``dims`` is 3.
    """

    def __init__(
        self, encoder: nn.Module, *, channels: int = 3, widest=64, in_channels=3
    ):
        super().__init__()
        self.encoder, was_training = encoder, encoder.training
        dims = getattr(encoder, "dims", 2)
        shape = (1, in_channels if dims == 2 else 1, *[64] * dims)
        with torch.no_grad():  # how often the encoder halves the image
            probe = encoder.eval().features(torch.zeros(shape))
        encoder.train(was_training)
        reduction = 64 // probe.shape[-1]
        deconvolution = layers.of("ConvTranspose", dims)
        self.decoder = nn.Sequential()
        c_in, c_out = encoder.num_features, widest
        for _ in range(reduction.bit_length() - 1):
            grow = deconvolution(c_in, c_out, 4, stride=2, padding=1, bias=False)
            norm = layers.of("BatchNorm", dims)(c_out)
            self.decoder.extend([grow, norm, nn.ReLU(inplace=True)])
            c_in, c_out = c_out, max(16, c_out // 2)
        self.decoder.append(layers.of("Conv", dims)(c_in, channels, 3, padding=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return an image of the input's size."""
        restored = self.decoder(self.encoder.features(x))
        if restored.shape[2:] != x.shape[2:]:  # sides the encoder rounded down
            mode = {4: "bilinear", 5: "trilinear"}[x.ndim]
            restored = F.interpolate(restored, x.shape[2:], mode=mode)
        return restored


def mapping(encoder: nn.Module, *, channels: int) -> nn.Module:
    """Map to (N, channels, H, W): a U-Net by itself, another encoder with a decoder."""
    whole = isinstance(encoder, (UNet, DenseUNet))
    return encoder if whole else Restorer(encoder, channels=channels)
