#!/usr/bin/env python3
"""Messages of the program: the progress bar of a terminal, --quiet, --log.

usage: messages_test.py PROGRAM
"""

import os
import pathlib
import pty
import subprocess
import tempfile
import time
import unittest

from program import PROGRAM, TestCase, seq2seq


class MessagesTest(TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def slow(self, stderr, *flags):
        """Learns a tokenizer from a pipe whose text takes three seconds to come."""
        pipe = self.folder / "pipe"
        if not pipe.exists():
            os.mkfifo(pipe)
        process = subprocess.Popen([PROGRAM, "tokenizer", "train", "--type", "word", "-i", pipe, "-m", self.folder / "words.model",
                                    *flags], stderr=stderr)
        with open(pipe, "w", encoding="utf-8") as text:
            for _ in range(6):
                text.write("a b c d\n" * 1000)
                text.flush()
                time.sleep(0.5)
        self.assertEqual(process.wait(), 0)

    def on_terminal(self, *flags):
        """What the terminal receives."""
        ours, theirs = pty.openpty()
        self.slow(theirs, *flags)
        os.close(theirs)
        received = b""
        try:
            while part := os.read(ours, 65536):
                received += part
        except OSError:  # The end of a terminal.
            pass
        os.close(ours)
        return received.decode()

    def test_terminal_shows_a_bar_that_is_removed(self):
        received = self.on_terminal()
        self.assertIn("learning subwords of", received)
        self.assertIn("lines read", received)
        self.assertTrue(received.endswith("\r\x1b[K"), repr(received[-40:]))

    def test_quiet_terminal_and_file_show_none(self):
        self.assertEqual(self.on_terminal("--quiet"), "")
        with open(self.folder / "stderr", "w+", encoding="utf-8") as stderr:
            self.slow(stderr)
            stderr.seek(0)
            self.assertEqual(stderr.read(), "")

    def test_log_has_messages_with_their_time(self):
        (self.folder / "bad.txt").write_bytes(b"a b\n\xff\xfe\n" * 3)
        log = self.folder / "log.txt"
        command = ["tokenizer", "train", "--type", "word", "-i", self.folder / "bad.txt", "-m", self.folder / "words.model"]
        first = seq2seq(*command, "--log", log)
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertIn(b"warning: ", first.stderr)
        seq2seq(*command, "--log", log, "--quiet")
        lines = log.read_text().splitlines()
        self.assertEqual(len(lines), 2)  # It is appended to.
        for line in lines:
            self.assertRegex(line, r"^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d warning: .*not UTF-8$")

    def test_log_that_cannot_be_written_is_an_error(self):
        (self.folder / "file").write_text("")
        self.assert_fails(seq2seq("eval", "--log", self.folder / "file/log", "-r", "x"), "--log", "file/log")

    def test_error_is_logged_too(self):
        log = self.folder / "log.txt"
        self.assert_fails(seq2seq("eval", "-i", self.folder / "none", "-r", self.folder / "none", "--log", log), "none")
        self.assertIn("none", log.read_text())


if __name__ == "__main__":
    unittest.main()
