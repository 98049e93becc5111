#!/usr/bin/env python3
"""Run folders of earlier versions are read as before: decoded and scored alike, and training goes on.

usage: run_folders_test.py PROGRAM
"""

import pathlib
import shutil
import tempfile
import unittest

from program import TRAINS, TestCase, seq2seq

FOLDERS = pathlib.Path(__file__).resolve().parent / "run_folders"


class RunFoldersTest(TestCase):
    def run_in(self, folder, *arguments, stdin=""):
        result = seq2seq(*arguments, stdin=stdin, cwd=folder)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result

    def test_translates_as_before(self):
        for run in ("translate", "translate-int8", "transformer", "ssru-int8"):
            result = self.run_in(FOLDERS, "decode", "-m", run, "-i", "text.a")
            self.assertEqual(result.stdout, (FOLDERS / "text.b").read_bytes())

    def test_scores_as_before(self):
        result = self.run_in(FOLDERS, "score", "-m", "language", "--target", "text.b")
        before = (FOLDERS / "scores").read_text().splitlines()
        now = result.stdout.decode().splitlines()
        self.assertEqual(len(now), len(before))
        for one, other in zip(now, before):
            self.assertAlmostEqual(float(one.split()[1]), float(other.split()[1]), places=3)

    def test_describes_images_as_before(self):
        images = "".join(f"images/{path.name}\n" for path in sorted((FOLDERS / "images").iterdir()))
        result = seq2seq("decode", "-m", "caption", stdin=images, cwd=FOLDERS)
        for missing in ("this build has no image support", *([] if TRAINS else ["needs LibTorch"])):
            if missing in result.stderr.decode():
                self.skipTest(missing)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertEqual(result.stdout, (FOLDERS / "captions").read_bytes())

    @unittest.skipUnless(TRAINS, "built without training")
    def test_goes_on_training(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch) / "folders"
            shutil.copytree(FOLDERS, folder, symlinks=True)
            overrides = ("-c", "translate/config.yaml", "train.max_updates=220", "train.validate_every=10")
            result = self.run_in(folder, "train", *overrides)
            self.assertIn("resuming after update 200", result.stderr.decode())
            self.assertIn("accuracy 100.00", result.stderr.decode())


if __name__ == "__main__":
    unittest.main()
