"""Shared by the Python scripts of the recipes: messages on stderr, and errors as one clear line."""

import pathlib
import signal
import sys
from typing import Callable


class Failure(Exception):
    """An error whose text is the one line that is shown to the user."""


def say(text: str) -> None:
    print(f"{pathlib.Path(sys.argv[0]).name}: {text}", file=sys.stderr)


def run(work: Callable[[], None]) -> int:
    """Does the work and returns the script's exit status."""
    # SIGTERM unwinds and cleans up, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        work()
    except (Failure, OSError) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
