"""``python -m factload``, the same as the command ``factload``.

Next to nothing is imported here, so that whoever presses Ctrl-C right after Enter gets a line and no traceback.
"""

import gc
import io
import signal
import sys


def main() -> int:
    """Run the command line; returns the exit status."""
    try:
        from factload.cli import main as command

        status = command()
        sys.stderr = io.StringIO()  # all is said: what libraries print as they tidy up helps nobody
        return status
    except KeyboardInterrupt:
        sys.stderr.write("factload: interrupted. Run the command again.\n")
        return 4
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is over: nothing is left to interrupt
        gc.freeze()  # nor to be looked through for garbage, a tenth of a second for all that was imported


if __name__ == "__main__":
    sys.exit(main())
