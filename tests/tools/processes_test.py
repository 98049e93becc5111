"""Training in several processes ends as in one, and ends well when one is lost.

Usage: processes_test.py PROGRAM
"""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import program
import tiny_run

PROGRAM = program.PROGRAM


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def losses(run):
    """{update: loss} of the validations in the log."""
    events = map(json.loads, (run / "log.jsonl").read_text().splitlines())
    return {event["update"]: event["loss"] for event in events if event["event"] == "validation"}


def children_of(pid):
    """The process ids of the ranks that a process has started, in their order."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == pid:
                environment = (folder / "environ").read_bytes().split(b"\0")
                rank = next((int(entry[5:]) for entry in environment if entry.startswith(b"RANK=")), None)
                if rank is not None:
                    found.append((rank, int(folder.name)))
        except (OSError, ValueError):
            continue  # It has ended meanwhile.
    return [child for rank, child in sorted(found)]


class ProcessesTest(program.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)
        text, words = tiny_run.write_text(PROGRAM, cls.path)
        cls.settings = [f"data.train={text}", f"data.valid={text}", f"data.source_tokenizer={words}",
                        f"data.target_tokenizer={words}", "data.batch.size=8", "model.encoder.hidden=16",
                        "model.decoder.hidden=32", "model.encoder.dropout=0", "model.decoder.dropout=0",
                        "train.schedule.learning_rate=0.01", "train.schedule.warmup=10", "train.precision=fp32",
                        "train.validate_every=20", "train.save_every=20", "train.patience=0", "validation.min_length=1"]

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def train(self, name, *arguments, **environment):
        return subprocess.run([PROGRAM, "train", f"train.run={self.path / name}", *self.settings, *arguments],
                              capture_output=True, check=False, env={**os.environ, **environment}, timeout=300)

    def start(self, name, *arguments, **environment):
        return subprocess.Popen([PROGRAM, "train", f"train.run={self.path / name}", *self.settings, *arguments],
                                stderr=subprocess.PIPE, text=True, env={**os.environ, **environment})

    def await_checkpoint(self, training, name):
        """Waits until a training of unlimited length has saved; returns its ranks."""
        deadline = time.monotonic() + 120
        while not (self.path / name / "latest/trainer.json").exists():
            self.assertIsNone(training.poll(), "it has ended")
            self.assertLess(time.monotonic(), deadline, "no checkpoint")
            time.sleep(0.05)
        return children_of(training.pid)

    def assert_alike(self, name, other):
        expected = losses(self.path / other)
        found = losses(self.path / name)
        self.assertEqual(found.keys(), expected.keys())
        for update, loss in expected.items():
            self.assertAlmostEqual(found[update], loss, delta=1e-3 * loss)

    def test_processes_of_one_machine_train_what_one_does(self):
        for processes in (1, 2, 3):
            result = self.train(f"alike-{processes}", "train.max_updates=60", "--processes", str(processes))
            self.assertEqual(result.returncode, 0, result.stderr.decode())
            if processes > 1:
                self.assert_alike(f"alike-{processes}", "alike-1")
        self.assertNotIn("[rank", result.stderr.decode())  # Rank 0 alone tells how it goes.

    def test_a_launcher_starts_each_process(self):
        port = free_port()
        places = [
            lambda rank: {"RANK": rank, "WORLD_SIZE": 2, "LOCAL_RANK": rank, "MASTER_ADDR": "127.0.0.1"},
            lambda rank: {"SLURM_PROCID": rank, "SLURM_STEP_NUM_TASKS": 2, "SLURM_STEP_NODELIST": "localhost"},
            lambda rank: {"OMPI_COMM_WORLD_RANK": rank, "OMPI_COMM_WORLD_SIZE": 2, "OMPI_COMM_WORLD_LOCAL_SIZE": 2},
        ]
        for i, place in enumerate(places):
            ranks = [self.start(f"launched-{i}", "train.max_updates=20", MASTER_PORT=str(port + i),
                                **{name: str(value) for name, value in place(rank).items()}) for rank in range(2)]
            for rank in ranks:
                error = rank.communicate(timeout=120)[1]
                self.assertEqual(rank.returncode, 0, error)
            self.assertTrue((self.path / f"launched-{i}/best/model.safetensors").exists())

    def test_configuration_that_one_process_alone_can_read_is_refused(self):
        read, write = os.pipe()
        os.close(write)
        result = subprocess.run([PROGRAM, "train", "-c", f"/dev/fd/{read}", "--processes", "2"], pass_fds=[read],
                                capture_output=True, check=False, timeout=60)
        os.close(read)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"/dev/fd/{read}: with --processes, a configuration is a file", result.stderr.decode())

    def test_one_task_of_slurm_trains_alone(self):
        # As a script of sbatch sees it, which has started no tasks.
        result = self.train("alone", "train.max_updates=2", SLURM_PROCID="0", SLURM_NTASKS="4")
        self.assertEqual(result.returncode, 0, result.stderr.decode())

    def test_killed_rank_ends_all_and_training_goes_on_with_other_numbers(self):
        self.train("whole", "train.max_updates=120")
        training = self.start("killed", "train.max_updates=100000", "train.save_every=20", "--processes", "3")
        ranks = self.await_checkpoint(training, "killed")
        self.assertEqual(len(ranks), 3)
        os.kill(ranks[1], signal.SIGKILL)
        error = training.communicate(timeout=60)[1]
        self.assertEqual(training.returncode, 1, error)
        self.assertIn("rank 1 of 3 processes was ended by signal 9", error)
        self.assertRegex(error, rf"rank 1 \(.*, process {ranks[1]}\) ")
        saved = json.loads((self.path / "killed/latest/trainer.json").read_text())["update"]
        for processes, more in ((2, 20), (1, 40)):
            result = self.train("killed", f"train.max_updates={saved + more}", "--processes", str(processes))
            self.assertEqual(result.returncode, 0, result.stderr.decode())
        updates = [json.loads(line)["update"] for line in (self.path / "killed/log.jsonl").read_text().splitlines()]
        self.assertEqual(updates, sorted(updates))
        for update, loss in losses(self.path / "killed").items():
            if update <= 120:
                self.assertAlmostEqual(loss, losses(self.path / "whole")[update], delta=1e-2 * loss)

    def test_hanging_rank_ends_all_within_the_timeout(self):
        for stopped in (1, 0):
            name = f"hangs-{stopped}"
            training = self.start(name, "train.max_updates=100000", "train.processes.timeout=3", "--processes", "2")
            ranks = self.await_checkpoint(training, name)
            os.kill(ranks[stopped], signal.SIGSTOP)
            start = time.monotonic()
            while os.path.exists(f"/proc/{ranks[1 - stopped]}") and time.monotonic() - start < 30:
                time.sleep(0.1)
            self.assertLess(time.monotonic() - start, 20)
            os.kill(ranks[stopped], signal.SIGKILL)
            error = training.communicate(timeout=60)[1]
            self.assertEqual(training.returncode, 1, error)
            self.assertRegex(error, rf"rank {stopped} \(.*, process {ranks[stopped]}\) gives no sign of life")

    def test_machine_that_is_cut_off_ends_all_and_training_goes_on(self):
        # Two network namespaces stand for two machines.
        sides = [f"seq2seq-{os.getpid()}-{side}" for side in "ab"]

        def ip(*words):
            subprocess.run(["ip", *words], check=True, capture_output=True)

        for side in sides:
            self.addCleanup(subprocess.run, ["ip", "netns", "del", side], check=False, stderr=subprocess.DEVNULL)
        try:
            for side in sides:
                ip("netns", "add", side)
            ip("link", "add", "cut-a", "netns", sides[0], "type", "veth", "peer", "name", "cut-b", "netns", sides[1])
        except (OSError, subprocess.CalledProcessError):
            self.skipTest("needs network namespaces, which root may make")
        for i, side in enumerate(sides):
            device = f"cut-{'ab'[i]}"
            ip("-n", side, "addr", "add", f"10.77.0.{i + 1}/24", "dev", device)
            ip("-n", side, "link", "set", "lo", "up")
            ip("-n", side, "link", "set", device, "up")

        def start_both(updates):
            return [subprocess.Popen(["ip", "netns", "exec", side, PROGRAM, "train", f"train.run={self.path}/cut-{i}",
                                      *self.settings, f"train.max_updates={updates}", "train.processes.timeout=4"],
                                     stderr=subprocess.PIPE, text=True,
                                     env={**os.environ, "RANK": str(i), "WORLD_SIZE": "2", "MASTER_ADDR": "10.77.0.1",
                                          "MASTER_PORT": "29500"}) for i, side in enumerate(sides)]

        ranks = start_both(100000)
        self.await_checkpoint(ranks[0], "cut-0")
        ip("-n", sides[0], "link", "set", "cut-a", "down")
        for i, rank in enumerate(ranks):
            error = rank.communicate(timeout=30)[1]
            self.assertEqual(rank.returncode, 1, error)
            self.assertRegex(error, f"rank {1 - i} ")
        ip("-n", sides[0], "link", "set", "cut-a", "up")
        saved = json.loads((self.path / "cut-0/latest/trainer.json").read_text())["update"]
        for rank in start_both(saved + 20):
            error = rank.communicate(timeout=60)[1]
            self.assertEqual(rank.returncode, 0, error)
        self.assertEqual(json.loads((self.path / "cut-0/latest/trainer.json").read_text())["update"], saved + 20)

    def test_request_to_stop_saves_and_ends_all(self):
        training = self.start("stopped", "train.max_updates=100000", "--processes", "2")
        self.await_checkpoint(training, "stopped")
        training.send_signal(signal.SIGTERM)
        error = training.communicate(timeout=60)[1]
        self.assertEqual(training.returncode, 0, error)
        self.assertRegex(error, "saved .*/stopped/step-")

    def test_ranks_that_differ_are_refused_by_what_differs(self):
        other_text = self.path / "other.a"
        other_text.write_text("".join(reversed((self.path / "text.a").read_text().splitlines(keepends=True))))
        for setting, what in (("train.seed=2", "train.seed is 2 in rank 1 and 1 in rank 0"),
                              ("model.decoder.hidden=64", "model.decoder.hidden is 64 in rank 1 and 32 in rank 0"),
                              (f"data.train=[{other_text},{self.path / 'text.b'}]", "the content of data.train is ")):
            port = free_port()
            ranks = [self.start(f"differ-{rank}", *([setting] if rank else []), "train.max_updates=20", RANK=str(rank),
                                WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)) for rank in range(2)]
            for rank in ranks:
                error = rank.communicate(timeout=120)[1]
                self.assertEqual(rank.returncode, 1, error)
                self.assertIn(what, error)

    def test_mistakes_are_named(self):
        self.assert_fails(self.train("mistake", RANK="0"), "WORLD_SIZE", "found nothing")
        self.assert_fails(self.train("mistake", RANK="one", WORLD_SIZE="2"), "RANK", "'one'")
        self.assert_fails(self.train("mistake", RANK="0", WORLD_SIZE="2"), "MASTER_ADDR")
        self.assert_fails(self.train("mistake", RANK="2", WORLD_SIZE="2", MASTER_ADDR="127.0.0.1"), "expected 0 to 1")
        self.assert_fails(self.train("mistake", "--processes=2", RANK="0", WORLD_SIZE="2", MASTER_ADDR="127.0.0.1"),
                          "--processes", "RANK")
        self.assert_fails(self.train("mistake", "--processes=0"), "--processes")
        self.assert_fails(self.train("mistake", "train.processes.timeout=2", RANK="0", WORLD_SIZE="2",
                                     MASTER_ADDR="127.0.0.1", MASTER_PORT=str(free_port())), "rank 1 did not connect")
        self.assert_fails(self.train("mistake", "train.processes.timeout=2", RANK="1", WORLD_SIZE="2",
                                     MASTER_ADDR="127.0.0.1", MASTER_PORT=str(free_port())), "cannot join")
        self.assertFalse(re.search("terminate called", self.train("mistake", RANK="x").stderr.decode()))


if __name__ == "__main__":
    unittest.main()
