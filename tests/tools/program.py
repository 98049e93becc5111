"""The program under test, whose path is the first argument of a test."""

import os
import subprocess
import sys
import unittest

PROGRAM = os.path.abspath(sys.argv.pop(1))
TRAINS = os.path.exists(PROGRAM + "-torch")  # To which the program hands over what needs LibTorch.


def seq2seq(*arguments, stdin="", **options):
    """Runs the program; text goes in as it is, so that it may be anything but UTF-8."""
    raw = stdin if isinstance(stdin, bytes) else stdin.encode()
    return subprocess.run([PROGRAM, *map(str, arguments)], input=raw, capture_output=True, check=False, **options)


class TestCase(unittest.TestCase):
    def assert_fails(self, result, *parts):
        """One line on stderr that names all `parts`, and exit code 1."""
        message = result.stderr.decode()
        self.assertEqual(result.returncode, 1, message)
        self.assertEqual(message.count("\n"), 1, message)
        for part in parts:
            self.assertIn(str(part), message)
