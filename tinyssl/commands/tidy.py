"""A refused command leaves no run folder behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REFUSALS = (ValueError, TypeError, FileNotFoundError, NotADirectoryError)


@contextmanager
def taken_back_if_refused(out: Path | None) -> Iterator[None]:
    """Take ``config.json`` out of a new run folder again if the job is refused.

    Else the corrected command would be refused too: the folder "holds a run" with the
    settings that were wrong. A folder that holds anything more stays as it is.
    """
    before = out is not None and out.exists()
    claimed = before and (out / "config.json").exists()
    try:
        yield
    except REFUSALS:
        config = None if out is None or claimed else out / "config.json"
        if config is not None and config.is_file() and list(out.iterdir()) == [config]:
            config.unlink()
            if not before:
                out.rmdir()
        raise
