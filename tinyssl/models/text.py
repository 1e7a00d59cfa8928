"""A small encoder of reports: a fixed vocabulary, pairs of neighbours, a mean."""

import re
import zlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

# Words of reports and of prompts; any other falls into one of OTHERS places
VOCABULARY = """
no none without normal abnormal one several many few small large right left eye both
disc fovea macula vessel vessels retina lung lungs microaneurysm microaneurysms
haemorrhage haemorrhages hard exudate exudates cotton wool spot spots tuft tufts of new
preretinal findings finding mild moderate severe proliferative non diabetic retinopathy
drusen cyst cysts atrophy oedema glaucoma cataract pneumonia effusion opacity
consolidation cardiomegaly pneumothorax fracture
""".split()  # noqa: SIM905
NUMBER = {word: k for k, word in enumerate(VOCABULARY, start=1)}  # 0 is no word
OTHERS, LENGTH = 64, 48  # places for other words; words of a text that are read


def tokenize(texts) -> np.ndarray:
    """Turn texts into numbers of their words: (N, 48) int64, 0 behind the last."""
    tokens = np.zeros((len(texts), LENGTH), np.int64)
    for row, text in zip(tokens, texts, strict=True):
        words = re.findall(r"\w+", str(text).lower())[:LENGTH]
        others = [
            1 + len(VOCABULARY) + zlib.crc32(word.encode()) % OTHERS for word in words
        ]
        row[: len(words)] = list(map(NUMBER.get, words, others))
    return tokens


class TextEncoder(nn.Module):
    """Map tokens (N, L) to (N, num_features): words, pairs of them, the mean of all.

    A pair lets "no" change the word behind it.
    """

    def __init__(self, *, width: int = 64):
        super().__init__()
        self.config = {"name": "TextEncoder", "width": width}
        self.num_features = width
        self.words = nn.Embedding(1 + len(VOCABULARY) + OTHERS, width, padding_idx=0)
        self.pairs = nn.Conv1d(width, width, 2, padding=1)
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return one vector a text: (N, width)."""
        x = self.words(tokens)  # (N, L, width)
        x = x + F.gelu(self.pairs(x.mT)[..., :-1]).mT  # each word after the one before
        read = (tokens > 0)[..., None].float()  # (N, L, 1)
        return self.norm((x * read).sum(1) / read.sum(1).clamp_min(1))
