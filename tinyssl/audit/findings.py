"""What an audit reports: one fact, the files it concerns, and what follows."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

GRAVITIES = ("grave", "warning", "note")  # would invalidate a study; may; to know


@dataclass(frozen=True)
class Finding:
    """One fact about a data set.

    Parameters
    ----------
    kind : str
        A name for programs, such as ``"copies-across-splits"``.
    gravity : str
        ``"grave"`` would invalidate a study, ``"warning"`` may, ``"note"`` is to know.
    title : str
        What was found and how often, in one line.
    why, advice : str
        Why it matters, and what to do.
    files : sequence of sequences of str
        The images concerned; those that belong together in one sequence.
    rows : sequence of sequences of int
        The same as rows of `Looks`, where pictures can be shown.
    """

    kind: str
    gravity: str
    title: str
    why: str
    advice: str
    files: Sequence[Sequence[str]] = ()
    rows: Sequence[Sequence[int]] = ()

    @property
    def count(self) -> int:
        """How many groups, or single images, are concerned."""
        return len(self.files)

    def as_dict(self) -> dict:
        """Return what the JSON holds."""
        return asdict(self) | {"count": self.count}


def by_gravity(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings, gravest first; the order within a gravity is kept."""
    return sorted(findings, key=lambda finding: GRAVITIES.index(finding.gravity))


def counted(n: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun.

    Examples
    --------
    >>> counted(1, "pair"), counted(3, "copy", "copies")
    ('1 pair', '3 copies')
    """
    return f"{n} {one if n == 1 else many or one + 's'}"
