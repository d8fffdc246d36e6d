"""``python -m factload.cli``."""

import sys

from factload.cli import main

if __name__ == "__main__":
    sys.exit(main())
