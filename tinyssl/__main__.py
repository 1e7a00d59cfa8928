"""``python -m tinyssl`` is the ``tinyssl`` command."""

import sys

from tinyssl.cli import main

if __name__ == "__main__":
    sys.exit(main())
