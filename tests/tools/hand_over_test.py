#!/usr/bin/env python3
"""The program links no LibTorch, decodes without, and hands over to seq2seq-torch what needs it.

usage: hand_over_test.py PROGRAM
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from program import PROGRAM, TestCase, seq2seq

FOLDERS = pathlib.Path(__file__).resolve().parent / "run_folders"

# In the place of seq2seq-torch: prints its arguments and its input.
ECHO = """#!/bin/sh
printf '%s\\n' "$@"
cat
exit 7
"""

HANDED_OVER = [
    ["train", "--help"],
    ["train", "-c", "config.yaml", "train.run=runs/a b", "--dump-config"],
    ["export", "-m", FOLDERS / "translate", "-o", "exported", "--shortlist"],
    ["decode", "-m", FOLDERS / "translate", "--device", "cuda:1"],
    ["score", "-m", FOLDERS / "language", "--target", "-", "--device", "cuda"],
]


class HandOverTest(TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.program = self.folder / "bin" / "seq2seq"
        self.program.parent.mkdir()
        shutil.copy(PROGRAM, self.program)

    def run_program(self, *arguments, stdin=""):
        return subprocess.run([self.program, *map(str, arguments)], input=stdin.encode(), capture_output=True, check=False)

    def put_echo(self, folder):
        echo = self.folder / folder / "seq2seq-torch"
        echo.parent.mkdir(parents=True, exist_ok=True)
        echo.write_text(ECHO)
        echo.chmod(0o755)

    def test_links_no_libtorch(self):
        linked = subprocess.run(["ldd", PROGRAM], capture_output=True, check=True).stdout.decode()
        self.assertIn("libabsl", linked)
        self.assertNotRegex(linked, "libtorch|libc10")

    def test_decodes_alone(self):
        result = self.run_program("decode", "-m", FOLDERS / "translate", "-i", FOLDERS / "text.a")
        self.assertEqual(result.stderr, b"")
        self.assertEqual(result.stdout, (FOLDERS / "text.b").read_bytes())

    def test_waiting_threads_sleep_unless_the_user_has_chosen(self):
        unset = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
        for chosen, count in (({}, "5000"), ({"GOMP_SPINCOUNT": "77"}, "77")):
            shown = seq2seq("--version", env={**unset, **chosen, "OMP_DISPLAY_ENV": "verbose"}).stderr.decode()
            if "GOMP_SPINCOUNT" not in shown:
                self.skipTest("another OpenMP than GCC's")
            self.assertIn(f"GOMP_SPINCOUNT = '{count}'", shown)

    def test_help_lists_train(self):
        self.assertRegex(self.run_program("--help").stdout.decode(), r"\n  train +Trains a model")

    def test_arguments_input_and_exit_code_are_handed_over(self):
        for folder in ("bin", "libexec/seq2seq"):
            self.put_echo(folder)
            for arguments in HANDED_OVER:
                with self.subTest(folder=folder, arguments=arguments):
                    result = self.run_program(*arguments, stdin="a\nb\n")
                    self.assertEqual(result.stderr, b"")
                    self.assertEqual(result.stdout.decode().splitlines(), [*map(str, arguments), "a", "b"])
                    self.assertEqual(result.returncode, 7)
            shutil.rmtree(self.folder / "libexec", ignore_errors=True)
            (self.folder / "bin" / "seq2seq-torch").unlink(missing_ok=True)

    def test_the_program_of_the_same_folder_comes_first(self):
        self.put_echo("libexec/seq2seq")
        beside = self.folder / "bin" / "seq2seq-torch"
        beside.write_text("#!/bin/sh\necho beside\n")
        beside.chmod(0o755)
        self.assertEqual(self.run_program("train").stdout, b"beside\n")

    def test_found_through_a_link_to_the_program(self):
        self.put_echo("libexec/seq2seq")
        link = self.folder / "link"
        link.symlink_to(self.program)
        self.program = link
        self.assertEqual(self.run_program("train", "a").stdout, b"train\na\n")

    def test_without_it_one_line_names_what_is_missing(self):
        for arguments, need in zip(HANDED_OVER, ("train", "train", "--shortlist", "--device cuda:1", "--device cuda")):
            with self.subTest(arguments=arguments):
                self.assert_fails(self.run_program(*arguments, stdin="a\n"), f"seq2seq: {need} needs LibTorch: ",
                                  "seq2seq-torch", self.folder / "bin", self.folder / "libexec/seq2seq", "seq2seq-training")

    def test_what_cannot_run_is_named(self):
        broken = self.folder / "bin" / "seq2seq-torch"
        broken.write_text("not a program")
        broken.chmod(0o755)
        self.assert_fails(self.run_program("train"), broken, "cannot run")


if __name__ == "__main__":
    unittest.main()
