"""Resident memory does not grow with the lines decoded: memory_test.py PROGRAM [LINES].

ctest runs few lines; `python3 tests/tools/memory_test.py build/release/bin/seq2seq 100000` runs many.
"""

import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import unittest

from program import PROGRAM
import tiny_run

LINES = int(sys.argv.pop(1)) if len(sys.argv) > 1 else 3000
ALLOWED = 8 * 2**20  # Bytes: what allocators and pools of threads may still take after the first tenth.


def resident(process):
    """Bytes of resident memory."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)[1]) * 1024


class Memory(unittest.TestCase):
    def test_is_level_from_a_tenth_of_the_lines_to_all(self):
        generator = random.Random(1)
        words = ("a", "the", "my", "dog", "cat", "bird", "runs", "sleeps", "eats", "unknown")

        def feed(process, lines):
            for _ in range(lines):
                process.stdin.write(" ".join(generator.choices(words, k=generator.randrange(1, 8))).encode() + b"\n")
            process.stdin.flush()

        with tempfile.TemporaryDirectory() as folder:
            run = tiny_run.train(PROGRAM, folder)
            with subprocess.Popen([PROGRAM, "decode", "-m", str(run)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE) as process:
                taken = []
                for lines in (LINES // 10, LINES - LINES // 10):
                    feeder = threading.Thread(target=feed, args=(process, lines))
                    feeder.start()
                    for _ in range(lines):
                        self.assertTrue(process.stdout.readline().endswith(b"\n"))
                    feeder.join()
                    taken.append(resident(process))
                process.stdin.close()
                self.assertEqual(process.wait(), 0)
        print(f"{LINES // 10} lines: {taken[0] / 2**20:.1f} MiB, {LINES} lines: {taken[1] / 2**20:.1f} MiB")
        self.assertLess(taken[1] - taken[0], ALLOWED)


if __name__ == "__main__":
    unittest.main()
