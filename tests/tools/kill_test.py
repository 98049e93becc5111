"""A training that is killed again and again, at any moment, ends as one that was not.

Usage: kill_test.py PROGRAM [KILLS [SEED]]
"""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import tiny_run

PROGRAM = os.path.abspath(sys.argv.pop(1))
KILLS = int(sys.argv.pop(1)) if len(sys.argv) > 1 else 6
SEED = int(sys.argv.pop(1)) if len(sys.argv) > 1 else 1


def state_of(step):
    state = json.loads((step / "trainer.json").read_text())
    del state["seconds"]
    return state


def is_whole(tensors):
    """Whether a safetensors file has the bytes that its header counts."""
    data = tensors.read_bytes()
    header = 8 + int.from_bytes(data[:8], "little")
    entries = json.loads(data[8:header])
    return len(data) == header + max((entry["data_offsets"][1] for name, entry in entries.items()
                                      if name != "__metadata__"), default=0)


def events(run):
    """What the log tells, without what depends on the time it took and on where training was begun."""
    found = []
    for line in (run / "log.jsonl").read_text().splitlines():
        event = json.loads(line)
        if event["event"] == "start":
            continue
        values = {"loss": event["loss"]} if event["event"] == "validation" else {}
        found.append((event["event"], event["update"], values))
    return found


def names(run):
    return sorted(str(path.relative_to(run)) for path in run.rglob("*"))


class KillTest(unittest.TestCase):
    def start(self, run):
        return subprocess.Popen([PROGRAM, "train", f"train.run={run}", *self.settings], stderr=subprocess.PIPE, text=True)

    def check_what_is_left(self, run):
        """Of a run that was killed: steps are whole, and the links lead to some of them."""
        for step in run.glob("step-*"):
            if step.suffix != ".tmp":
                self.assertTrue(is_whole(step / "model.safetensors"), step)
                self.assertTrue(is_whole(step / "optimizer.safetensors"), step)
                self.assertEqual(f"step-{state_of(step)['update']}", step.name)
        if os.path.lexists(run / "latest"):
            self.assertTrue((run / "latest/trainer.json").exists())
        if os.path.lexists(run / "best"):
            validations = state_of(run / "best")["validations"]
            best = max(validations, key=lambda validation: validation["score"])
            self.assertEqual(os.readlink(run / "best"), f"step-{best['update']}")

    def check_the_end(self, run):
        self.assertEqual(names(run), names(self.whole))
        self.assertEqual(events(run), events(self.whole))
        for link in ("latest", "best"):
            self.assertEqual(os.readlink(run / link), os.readlink(self.whole / link))
            self.assertEqual(state_of(run / link), state_of(self.whole / link))
            for file in ("model.safetensors", "optimizer.safetensors"):
                self.assertEqual((run / link / file).read_bytes(), (self.whole / link / file).read_bytes(), f"{link} {file}")

    def train_and_kill(self, run, draw):
        """Whether the program was killed before it had ended."""
        process = self.start(run)
        with process:
            if draw.random() < 0.2:
                time.sleep(draw.uniform(0, self.starting))
            else:
                while "model:" not in (line := process.stderr.readline()) and line:
                    pass
                time.sleep(draw.uniform(0, self.training))
            process.send_signal(signal.SIGKILL)
            errors = process.stderr.read()
        self.assertIn(process.returncode, (0, -signal.SIGKILL), errors)
        return process.returncode != 0

    def test_ends_as_one_that_was_not_killed(self):
        draw = random.Random(SEED)
        kills = runs = 0
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            text, words = tiny_run.write_text(PROGRAM, folder)
            self.settings = [
                f"data.train={text}", f"data.valid={text}", f"data.source_tokenizer={words}", f"data.target_tokenizer={words}",
                "data.batch.size=6", "model.encoder.embedding=4", "model.encoder.hidden=4", "model.decoder.embedding=4",
                "model.decoder.hidden=8", "train.threads=1", "train.metric=loss", "train.max_updates=90", "train.save_every=3",
                "train.validate_every=9", "train.report_every=5", "train.patience=0", "train.keep_last=2", "train.average=0.9",
                "train.teacher_forcing.kind=linear", "train.teacher_forcing.decay=0.005", "train.schedule.warmup=10",
                "validation.beam=1", "validation.max_length=8"]
            self.whole = folder / "whole"
            began = time.monotonic()
            with self.start(self.whole) as process:
                while "model:" not in (line := process.stderr.readline()) and line:
                    pass
                self.starting = time.monotonic() - began
                errors = process.stderr.read()
            self.assertEqual(process.returncode, 0, errors)
            self.training = time.monotonic() - began - self.starting
            while kills < KILLS:
                runs += 1
                run = folder / f"run-{runs}"
                killed = True
                while killed and kills < KILLS:
                    killed = self.train_and_kill(run, draw)
                    kills += killed
                    self.check_what_is_left(run)
                if killed:
                    with self.start(run) as process:
                        errors = process.stderr.read()
                    self.assertEqual(process.returncode, 0, errors)
                self.check_the_end(run)
        print(f"{kills} kills in {runs} runs", file=sys.stderr)

    def test_killed_between_its_tokenizers_starts_again(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            text, words = tiny_run.write_text(PROGRAM, folder)
            for left in ("source.model", "target.model", "source.model.4711.tmp"):
                run = folder / left
                run.mkdir()
                (run / left).write_bytes(words.read_bytes())
                result = subprocess.run(
                    [PROGRAM, "train", f"train.run={run}", f"data.train={text}", f"data.valid={text}",
                     f"data.source_tokenizer={words}", f"data.target_tokenizer={words}", "train.max_updates=1",
                     "train.metric=loss"], capture_output=True, check=False)
                self.assertEqual(result.returncode, 0, result.stderr)
            run = folder / "other"
            run.mkdir()
            (run / "a file").write_text("")
            result = subprocess.run([PROGRAM, "train", f"train.run={run}", f"data.train={text}", f"data.valid={text}",
                                     f"data.source_tokenizer={words}", f"data.target_tokenizer={words}"],
                                    capture_output=True, check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn(b"is not a run folder", result.stderr)


if __name__ == "__main__":
    unittest.main()
