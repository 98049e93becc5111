#!/usr/bin/env python3
"""The reverse recipe from end to end: text, tokenizer, training, search.

usage: reverse_test.py PROGRAM
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

PROGRAM = ""
RECIPE = pathlib.Path(__file__).resolve().parents[2] / "recipes" / "reverse" / "run"


class ReverseTest(unittest.TestCase):
    def test_spells_99_of_100_unseen_words_backwards(self):
        with tempfile.TemporaryDirectory() as work:
            result = subprocess.run([str(RECIPE), "--program", PROGRAM, "--work", work], capture_output=True, text=True,
                                    check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        right = re.search(r"^([0-9.]+)% of 1000 words right$", result.stdout, re.MULTILINE)
        self.assertGreater(float(right.group(1)), 99, result.stdout)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
