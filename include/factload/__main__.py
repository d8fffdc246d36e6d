"""``python -m factload``, the same as the command ``factload``."""

import sys

from factload.cli import main

if __name__ == "__main__":
    sys.exit(main())
