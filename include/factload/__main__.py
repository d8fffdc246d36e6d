"""``python -m factload``, the same as the command ``factload``.

Next to nothing is imported here, so that whoever presses Ctrl-C right after Enter gets a line and no traceback.
"""

from __future__ import annotations

import gc
import io
import os
import signal
import sys

_INTERRUPTED = "factload: interrupted. Run the command again.\n"
_RETRY_MAY_HELP = 4


def main() -> int:
    """Run the command line; returns the exit status."""
    try:
        sys.unraisablehook = _interrupted_while_importing
        from factload.cli import main as command

        sys.unraisablehook = sys.__unraisablehook__
        status = command()
        sys.stderr = io.StringIO()  # all is said: what libraries print as they tidy up helps nobody
        return status
    except KeyboardInterrupt:
        sys.stderr.write(_INTERRUPTED)
        return _RETRY_MAY_HELP
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is over: nothing is left to interrupt
        gc.freeze()  # nor to be looked through for garbage, a tenth of a second for all that was imported


def _interrupted_while_importing(swallowed: sys.UnraisableHookArgs) -> None:
    """In a callback Python can't raise: it prints what it swallows. Nothing is done yet that had to be ended well."""
    if swallowed.exc_type is KeyboardInterrupt:
        os.write(2, _INTERRUPTED.encode())
        os._exit(_RETRY_MAY_HELP)
    sys.__unraisablehook__(swallowed)


if __name__ == "__main__":
    sys.exit(main())
