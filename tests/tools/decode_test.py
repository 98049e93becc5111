#!/usr/bin/env python3
"""The output of `seq2seq decode`: streams are added to, files are kept when it is stopped and gone on with.

usage: decode_test.py PROGRAM
"""

import json
import pathlib
import random
import resource
import signal
import subprocess
import tempfile
import time
import unittest

from program import PROGRAM, TestCase, seq2seq
from tiny_run import train

WORDS = "a the my dog cat bird runs sleeps eats".split()
FORMATS = (["--format", "text"], ["--format", "jsonl", "--n-best", "2"], ["--format", "moses", "--n-best", "3"],
           ["--format", "pharaoh"], ["--format", "html"])
BATCH_SIZE = 8
BLOCK = 16 * BATCH_SIZE  # Lines that are searched together; a run resumes after the last whole block.
RECORD = 24  # Bytes that the journal has of a line.


def limit_files(size):
    """For preexec_fn: files end at `size` bytes, as on a full disk."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return limit


class DecodeTest(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.run_folder = train(PROGRAM, cls.folder)
        draw = random.Random(1)
        lines = [" ".join(draw.choices(WORDS, k=draw.randrange(7))) for _ in range(2500)]
        cls.source = cls.folder / "source"
        cls.source.write_text("".join(line + "\n" for line in lines))
        cls.requests = cls.folder / "requests.jsonl"
        cls.requests.write_text("".join(json.dumps({"text": line}) + "\n" for line in lines))

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.work = pathlib.Path(scratch.name)
        self.output, self.part = self.work / "output", self.work / "output.part"
        self.journal = self.work / "output.part.journal"

    def command(self, *arguments, source=None, output=None):
        """Small batches, so that there are many blocks."""
        return ["decode", "-m", str(self.run_folder), "-i", str(source or self.source), "-o", str(output or self.output),
                "--batch-size", str(BATCH_SIZE), *map(str, arguments)]

    def whole(self, *arguments, source=None):
        """The output of a run that nothing disturbs."""
        path = self.work / "undisturbed"
        result = seq2seq(*self.command(*arguments, source=source, output=path))
        self.assertEqual(result.returncode, 0, result.stderr)
        return path.read_bytes()

    def lines_done(self):
        """The number of lines that the journal has: behind the settings, which an empty line ends."""
        if not self.journal.exists():
            return 0
        return len(self.journal.read_bytes().partition(b"\n\n")[2]) // RECORD

    def stop(self, how, *arguments, lines=BLOCK):
        """Sends a signal once that many lines are done; the exit code and stderr."""
        with subprocess.Popen([PROGRAM, *self.command(*arguments)], stderr=subprocess.PIPE) as process:
            while self.lines_done() < lines:
                self.assertIsNone(process.poll(), "it ended too soon")
                time.sleep(0.002)
            process.send_signal(how)
            message = process.stderr.read().decode()
            return process.wait(), message

    def resume(self, expected, *arguments, source=None):
        """Goes on, and ends as a run that nothing disturbed."""
        result = seq2seq(*self.command("--resume", *arguments, source=source))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.output.read_bytes(), expected)
        self.assertEqual({path.name for path in self.work.iterdir()} - {"undisturbed"}, {"output"})
        return result.stderr.decode()

    def test_a_killed_run_goes_on_in_every_format(self):
        for form in FORMATS:
            expected = self.whole(*form)
            self.stop(signal.SIGKILL, *form)
            self.assertFalse(self.output.exists())
            self.stop(signal.SIGKILL, "--resume", *form, lines=self.lines_done() + BLOCK)
            with self.part.open("ab") as part, self.journal.open("ab") as journal:
                part.write(b"half a li")
                journal.write(b"half")
            self.assertIn("resuming after line", self.resume(expected, *form))
            self.output.unlink()

    def test_an_interrupted_run_names_what_it_keeps(self):
        expected = self.whole()
        for how in (signal.SIGINT, signal.SIGTERM):
            code, message = self.stop(how)
            self.assertEqual(code, 1)
            self.assertEqual(message.count("\n"), 1, message)
            kept = self.part.read_bytes()
            lines = kept.count(b"\n")
            self.assertIn(f"stopped by a signal after line {lines}; {self.part} covers {lines} lines of the input, and "
                          "--resume continues from there", message)
            self.assertTrue(0 < lines < 2500 and expected.startswith(kept))
            self.assertIn(f"resuming after line {lines} of {self.source}", self.resume(expected))
            self.output.unlink()

    def test_a_full_disk_keeps_whole_lines(self):
        for form in (FORMATS[0], FORMATS[1], FORMATS[4]):
            expected = self.whole(*form)
            limit = len(expected) // 3
            result = seq2seq(*self.command(*form), preexec_fn=limit_files(limit), restore_signals=False)
            self.assert_fails(result, "cannot write", "--resume continues from there", f"{self.part} covers")
            kept = self.part.read_bytes()
            self.assertTrue(0 < len(kept) <= limit and expected.startswith(kept) and kept.endswith(b"\n"))
            self.resume(expected, *form)
            self.output.unlink()

    def test_a_full_file_system_keeps_whole_lines(self):
        disk = self.work / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "none", str(disk)], capture_output=True,
                                 check=False)
        if mounted.returncode != 0:
            self.skipTest("a file system can be mounted by root alone")
        self.addCleanup(subprocess.run, ["umount", str(disk)], check=True)
        expected = self.whole("--format", "jsonl")
        part = disk / "output.part"
        self.assert_fails(seq2seq(*self.command("--format", "jsonl", output=disk / "output")), part, "No space left",
                          "--resume")
        self.assertGreater(part.stat().st_size, 50_000)
        subprocess.run(["mount", "-o", "remount,size=10m", str(disk)], check=True)
        result = seq2seq(*self.command("--format", "jsonl", "--resume", output=disk / "output"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual((disk / "output").read_bytes(), expected)
        self.assertEqual([path.name for path in disk.iterdir()], ["output"])

    def test_what_stands_before_a_mistake_is_kept(self):
        lines = self.requests.read_text().splitlines(keepends=True)
        source = self.work / "mended"
        source.write_text("".join(lines))
        expected = self.whole("--input-format", "jsonl", source=source)
        for number, wrong, part in ((1234, "\n", "empty line"), (2500, "{\n", "invalid JSON")):
            source.write_text("".join([*lines[:number - 1], wrong, *lines[number:]]))
            self.assert_fails(seq2seq(*self.command("--input-format", "jsonl", source=source)), f"{source}:{number}: ",
                              part, f"{self.part} covers {number - 1} lines of the input")
            self.assertEqual(self.part.read_bytes().count(b"\n"), number - 1)
            source.write_text("".join(lines))
            self.assertEqual(seq2seq(*self.command("--input-format", "jsonl", "--resume", source=source)).returncode, 0)
            self.assertEqual(self.output.read_bytes(), expected)
            self.output.unlink()
        source.write_text("\n")
        self.assert_fails(seq2seq(*self.command("--input-format", "jsonl", source=source)), f"{source}:1: ")
        self.assertFalse(self.part.exists(), "nothing is done, so there is nothing to keep")

    def test_a_stream_goes_on_too(self):
        expected = self.whole()
        self.stop(signal.SIGKILL)
        command = ["decode", "-m", self.run_folder, "-o", self.output, "--batch-size", "8", "--resume"]
        result = seq2seq(*command, stdin=self.source.read_bytes())
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.output.read_bytes(), expected)

    def test_goes_on_with_the_same_input_and_settings_alone(self):
        self.stop(signal.SIGKILL)
        kept = self.part.read_bytes()
        self.assert_fails(seq2seq(*self.command("--resume", "-b", "4")), self.part, "'beam: 5', not 'beam: 4'")
        self.assert_fails(seq2seq(*self.command("--resume", "-m", self.run_folder)), self.part, "model: ")
        lines = self.source.read_text().splitlines(keepends=True)
        other = self.work / "other"
        other.write_text("".join([*lines[:2], "my dog eats my cat\n", *lines[3:]]))
        self.assert_fails(seq2seq(*self.command("--resume", source=other)), f"{other}:3: is not the line", self.part)
        other.write_text("".join(lines[:2]))
        self.assert_fails(seq2seq(*self.command("--resume", source=other)), f"{other}:3: lacks the line", self.part)
        records = self.journal.read_bytes()
        self.journal.unlink()
        self.assert_fails(seq2seq(*self.command("--resume")), self.part, "journal")
        self.assertEqual(self.part.read_bytes(), kept)
        self.journal.write_bytes(records)
        other.unlink()
        # What does not fit its journal is made again.
        self.part.write_bytes(b"X" + kept[1:])
        self.assertNotIn("resuming", self.resume(self.whole()))

    def test_begins_anew_unless_it_is_to_go_on(self):
        self.part.write_text("of another time\n")
        expected = self.whole()
        self.assertEqual(seq2seq(*self.command()).returncode, 0)
        self.assertEqual(self.output.read_bytes(), expected)
        self.output.unlink()
        self.resume(expected)
        empty = self.work / "empty"
        empty.write_text("")
        self.assertEqual(seq2seq(*self.command("--resume", source=empty)).returncode, 0)
        self.assertEqual(self.output.read_bytes(), b"")

    def test_two_do_not_write_one_file(self):
        with subprocess.Popen([PROGRAM, *self.command(source="-")], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            while not self.part.exists():  # It waits for its input meanwhile.
                self.assertIsNone(process.poll(), "it ended too soon")
                time.sleep(0.002)
            self.assert_fails(seq2seq(*self.command("--resume")), self.part, "in use by another process")
            process.communicate(b"the dog runs\n")
            self.assertEqual(process.returncode, 0)
        self.assertEqual(self.output.read_bytes(), b"THE DOG RUNS\n")

    def test_a_link_stays_and_what_it_leads_to_is_replaced(self):
        self.output.symlink_to("real")
        (self.work / "real").write_text("before\n")
        expected = self.whole()
        self.assertEqual(seq2seq(*self.command()).returncode, 0)
        self.assertTrue(self.output.is_symlink())
        self.assertEqual((self.work / "real").read_bytes(), expected)

    def test_streams_are_added_to(self):
        (self.work / "link").symlink_to("/dev/stdout")
        for path, redirection in (("/dev/stdout", ">>"), ("/proc/self/fd/1", ">>"), (self.work / "link", ">>"),
                                  ("/dev/fd/3", "3>>")):
            everything = self.work / "all.txt"
            everything.write_text("OLD\n")
            subprocess.run(["bash", "-c", f"echo the dog runs | {PROGRAM} decode -m {self.run_folder} -o {path} "
                            f"{redirection} {everything}; echo NEW >> {everything}"], check=True)
            self.assertEqual(everything.read_text(), "OLD\nTHE DOG RUNS\nNEW\n")
        subprocess.run(["bash", "-c", f"(echo OLD; echo the dog runs | {PROGRAM} decode -m {self.run_folder} "
                        f"-o /dev/stdout; echo NEW) > {everything}"], check=True)
        self.assertEqual(everything.read_text(), "OLD\nTHE DOG RUNS\nNEW\n")
        self.assert_fails(seq2seq("decode", "-m", self.run_folder, "--resume", stdin="the dog\n"), "--resume", "--output")
        self.assert_fails(seq2seq(*self.command("--resume", output="/dev/stdout")), "--resume", "--output")
        self.assert_fails(seq2seq(*self.command(output="/dev/full")), "/dev/full: cannot write")

    def test_what_cannot_be_written_is_said_before_anything_is_done(self):
        self.assert_fails(seq2seq(*self.command(output=self.work)), self.work, "is a folder")
        self.assert_fails(seq2seq(*self.command(output=self.work / "none" / "output")), self.work / "none" / "output")
        self.assertEqual(list(self.work.iterdir()), [])

    def test_lines_do_not_name_options_of_search(self):
        request = self.work / "one.jsonl"
        request.write_text('{"text": "the dog", "beam": 5}\n')  # The default, but not the flag.
        self.assert_fails(seq2seq(*self.command("--input-format", "jsonl", "-b", "1", source=request)),
                          f"{request}:1: beam: ", "flags")


if __name__ == "__main__":
    unittest.main()
