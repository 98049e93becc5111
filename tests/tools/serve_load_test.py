#!/usr/bin/env python3
"""Test of bench/serve_load: a server bears good, slow, broken, hostile and vanishing clients at the same time."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

from program import PROGRAM
import tiny_run

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench" / "serve_load"


class ServeLoadTest(unittest.TestCase):

    def test_a_server_bears_a_mixed_load(self):
        with tempfile.TemporaryDirectory() as folder:
            model = tiny_run.train(PROGRAM, folder)
            result = subprocess.run(
                [sys.executable, BENCH, "--program", PROGRAM, "--measure", "2", "--alone", "2", "--duration", "12",
                 "--share", "0.2", "--largest-every", "3", model, pathlib.Path(folder) / "text.a", "--", "--timeout", "4",
                 "--client-timeout", "3", "--grace", "20"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=300)
        output = result.stdout.decode()
        self.assertEqual(result.returncode, 0, output)
        for what in ("good 200: ", "slow 408: ", "deep JSON 413: ", "largest ", "from SIGTERM to the end"):
            self.assertIn(what, output)


if __name__ == "__main__":
    unittest.main()
