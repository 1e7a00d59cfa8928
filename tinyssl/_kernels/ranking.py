"""Ranking metrics as one merge of two sorted arrays, in compiled loops."""

from tinyssl._kernels._compile import kernel


@kernel
def ranked_pairs(positive, negative):
    """Count, twice, the pairs where the positive wins, ties half; both ascending."""
    below = upto = total = 0
    for score in positive:
        # negatives that score lower, and not higher
        while below < len(negative) and negative[below] < score:
            below += 1
        while upto < len(negative) and negative[upto] <= score:
            upto += 1
        total += below + upto
    return total


@kernel
def average_precision(positive, negative):
    """Average the precision at each positive's score; both ascending."""
    P, N = len(positive), len(negative)
    first = below = 0
    total = 0.0
    for i in range(P):
        # positives and negatives that score at least as high
        if positive[i] != positive[first]:
            first = i
        while below < N and negative[below] < positive[i]:
            below += 1
        total += (P - first) / (P - first + N - below)
    return total / P
