#!/usr/bin/env python3
"""`seq2seq tune`: sweeps that end, are killed and go on, are shared, fail in part, and their page.

usage: tune_test.py PROGRAM
"""

import json
import os
import pathlib
import random
import re
import signal
import subprocess
import tempfile
import time
import unittest

import tiny_run
from program import PROGRAM, TestCase, seq2seq

BASE = """data: {{train: {text}, valid: {text}, source_tokenizer: {words}, target_tokenizer: {words}}}
model: {{encoder: {{hidden: 8, dropout: 0}}, decoder: {{hidden: 8, dropout: 0}}}}
train: {{threads: 1, report_every: 5, validate_every: 5, save_every: 5, max_updates: 20}}
"""

PARAMETERS = """parameters:
  train.schedule.learning_rate: {min: 0.0001, max: 0.1, distribution: log_uniform}
  train.schedule.kind: {values: [constant, cosine]}
  train.schedule.length: {values: [10u, 20u], when: {train.schedule.kind: cosine}}
"""

HALVING = "early_terminate: {type: asha, min: 5, eta: 2}\n"


class TuneTest(TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.text, self.words = tiny_run.write_text(PROGRAM, self.folder)
        (self.folder / "base.yaml").write_text(BASE.format(text=self.text.replace(",", ", "), words=self.words))

    def write_sweep(self, rest, name="sweep", parameters=PARAMETERS):
        """The file of a sweep in the folder `name`, which is returned too."""
        path, folder = self.folder / f"{name}.yaml", self.folder / name
        path.write_text(f"metric: {{name: loss, goal: minimize}}\nconfig: [{self.folder}/base.yaml]\nfolder: {folder}\n"
                        f"{parameters}{rest}")
        return path, folder

    def tune(self, path, *settings):
        result = seq2seq("tune", path, *settings)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result

    def trials(self, folder, times=False):
        """What trial.json of each trial holds; without the time, which differs from run to run."""
        trials = []
        for number in range(1, 1 + len(list(folder.glob("trial-*")))):
            trial = json.loads((folder / f"trial-{number}/trial.json").read_text())
            for result in trial["results"]:
                self.assertGreaterEqual(result["seconds"], 0)
                if not times:
                    del result["seconds"]
            trials.append(trial)
        return trials

    def check_trained_once(self, folder):
        """Every run folder has the events of its updates once, up to its last rung, and a start for each rung at least."""
        for trial in self.trials(folder):
            events = [json.loads(line) for line in (folder / f"trial-{trial['number']}/run/log.jsonl").read_text().splitlines()]
            updates = [event["update"] for event in events if event["event"] == "progress"]
            self.assertEqual(updates, list(range(5, trial["results"][-1]["updates"] + 1, 5)))

    def test_promoted_trials_go_on_in_their_run_folder(self):
        path, folder = self.write_sweep(f"budget: {{trials: 5}}\n{HALVING}")
        result = self.tune(path)
        trials = self.trials(folder)
        self.assertEqual(len(trials), 5)
        self.assertEqual({r["updates"] for trial in trials for r in trial["results"]}, {5, 10, 20})
        self.check_trained_once(folder)
        starts = sum((folder / f"trial-{trial['number']}/run/log.jsonl").read_text().count('"start"') for trial in trials)
        self.assertEqual(starts, sum(len(trial["results"]) for trial in trials))
        best = min((trial for trial in trials if len(trial["results"]) == 3), key=lambda trial: trial["results"][2]["value"])
        self.assertIn(f"best: trial {best['number']},", result.stdout.decode())
        # What was stopped and went on is what was trained at once.
        settings = [f"{key}={value}" for key, value in best["parameters"].items()]
        whole = seq2seq("train", "-c", self.folder / "base.yaml", f"train.run={self.folder}/whole", *settings)
        self.assertEqual(whole.returncode, 0, whole.stderr)
        self.assertEqual((self.folder / "whole/latest/model.safetensors").read_bytes(),
                         (folder / f"trial-{best['number']}/run/latest/model.safetensors").read_bytes())
        # The configuration at the end is that of the best trial, in full.
        command = re.search(r"seq2seq (train -c \S+ train.run=\S+)", result.stdout.decode())[1].split()
        again = seq2seq(*command)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual((folder / "best/latest/model.safetensors").read_bytes(),
                         (self.folder / "whole/latest/model.safetensors").read_bytes())

    def test_killed_again_and_again_it_ends_with_the_same_trials(self):
        path, folder = self.write_sweep(f"budget: {{trials: 6}}\n{HALVING}", name="whole")
        self.tune(path)
        expected = self.trials(folder)
        path, folder = self.write_sweep(f"budget: {{trials: 6}}\n{HALVING}", name="killed")
        draw = random.Random(3)
        for _ in range(8):
            process = subprocess.Popen([PROGRAM, "tune", str(path)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            time.sleep(draw.uniform(0.2, 3))
            process.send_signal(draw.choice([signal.SIGKILL, signal.SIGTERM]))
            process.wait()
        self.tune(path)
        self.assertEqual(self.trials(folder), expected)
        self.check_trained_once(folder)

    def test_several_processes_share_a_sweep(self):
        path, folder = self.write_sweep("method: random\nbudget: {trials: 7}\nparallel: 2\n")
        processes = [subprocess.Popen([PROGRAM, "tune", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                     for _ in range(2)]
        finished = 0
        for process in processes:
            _, errors = process.communicate()
            self.assertEqual(process.returncode, 0, errors)
            finished += errors.decode().count("20 updates")
        self.assertEqual(finished, 7)
        self.assertEqual([len(trial["results"]) for trial in self.trials(folder)], [1] * 7)
        self.check_trained_once(folder)

    def test_failed_trials_are_results(self):
        parameters = "parameters:\n  train.label_smoothing: {values: [2, 0.1]}\n  train.seed: {values: [1, 2]}\n"
        path, folder = self.write_sweep("method: grid\n", parameters=parameters)
        result = self.tune(path)
        trials = self.trials(folder)
        self.assertEqual([bool(trial["error"]) for trial in trials], [True, True, False, False])
        self.assertIn("train.label_smoothing", trials[0]["error"])
        self.assertIn("best: trial", result.stdout.decode())
        path, _ = self.write_sweep("budget: {trials: 9}\n", name="none")
        self.assert_fails_at_last(seq2seq("tune", path, "metric.name=bleurt"), "all trials have failed", "bleurt")

    def assert_fails_at_last(self, result, *parts):
        self.assertEqual(result.returncode, 1)
        for part in parts:
            self.assertIn(part, result.stderr.decode().splitlines()[-1])

    def test_tokenizers_are_learnt_once_for_each_size(self):
        parameters = ("parameters:\n  tokenizer.vocab_size: {values: [20, 22]}\n  tokenizer.type: {value: word}\n"
                      "  train.seed: {values: [1, 2]}\n")
        texts = self.text.strip("[]").replace(",", ", ")
        path, folder = self.write_sweep(f"method: grid\nparallel: 2\ntokenizer_text: [{texts}]\n", parameters=parameters)
        self.tune(path)
        trials = self.trials(folder)
        self.assertEqual([trial["error"] for trial in trials], [""] * 4)
        models = sorted(file.name for file in (folder / "tokenizers").glob("*.model"))
        self.assertEqual(models, ["vocab_size=20,type=word.model", "vocab_size=22,type=word.model"])
        self.assertEqual((folder / "trial-1/run/source.model").read_bytes(),
                         (folder / "tokenizers" / models[0]).read_bytes())

    def test_budget_of_minutes_ends_it_and_more_goes_on(self):
        path, folder = self.write_sweep("budget: {minutes: 0.05}\n")
        self.assertIn("budget.minutes reached", self.tune(path).stderr.decode())
        first = self.trials(folder)
        self.assertGreater(len(first), 0)
        seconds = json.loads((folder / "clock.json").read_text())["seconds"]
        self.assertGreaterEqual(seconds, 3)
        self.tune(path, "budget.minutes=60", f"budget.trials={len(first) + 1}")
        self.assertEqual(len(self.trials(folder)), len(first) + 1)
        self.check_trained_once(folder)
        for before, after in zip(first, self.trials(folder)):
            self.assertEqual(before["parameters"], after["parameters"])

    def test_page_shows_the_sweep(self):
        path, folder = self.write_sweep(f"budget: {{trials: 6}}\n{HALVING}")
        self.tune(path)
        result = seq2seq("report", folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        data = re.search(r'<script type="application/json" id="data">(.*?)</script>', result.stdout.decode(), re.DOTALL)
        sweep = json.loads(data[1])["sweep"]
        self.assertEqual(sweep["metric"], {"name": "loss", "goal": "minimize"})
        self.assertEqual(sweep["rungs"], [5, 10, 20])
        self.assertEqual([trial["number"] for trial in sweep["trials"]], list(range(1, 7)))
        for trial, stored in zip(sweep["trials"], self.trials(folder, times=True)):
            self.assertEqual(trial["values"], [[r["updates"], r["value"], r["seconds"]] for r in stored["results"]])
            self.assertEqual(trial["value"], stored["results"][-1]["value"])
            self.assertIn(trial["state"], ("finished", "waiting"))
        self.assertEqual([parameter["key"] for parameter in sweep["parameters"]],
                         ["train.schedule.learning_rate", "train.schedule.kind", "train.schedule.length"])
        self.assertEqual(len(sweep["importance"]), 3)
        self.assertIn("learning_rate", sweep["best"]["yaml"])
        self.assert_fails(seq2seq("report", folder, folder), "sweep", "a page of its own")

    def test_mistakes_are_told_before_anything_is_trained(self):
        for parameters, parts in (("  train.schedul.rate: {values: [1]}", ["train.schedul.rate", "train.schedule"]),
                                  ("  train.schedule.kind: {values: [constant, cosin]}", ["train.schedule.kind", "cosin"]),
                                  ("  train.seed: {min: 1}", ["sweep.yaml:5", "train.seed"])):
            path, folder = self.write_sweep("budget: {trials: 3}\n", parameters=f"parameters:\n{parameters}\n")
            self.assert_fails(seq2seq("tune", path), *parts)
            self.assertFalse((folder / "sweep.yaml").exists())
        path, folder = self.write_sweep("budget: {trials: 1}\n")
        self.tune(path)
        self.assert_fails(seq2seq("tune", path, "seed=2"), "seed", "another folder")
        self.assert_fails(seq2seq("tune", path, "budget.trial=2"), "budget.trial", "budget.trials")
        self.assert_fails(seq2seq("tune", self.folder / "none.yaml"), "none.yaml")
        os.remove(folder / "trial-1/trial.json")
        (folder / "trial-1/trial.json").write_text("[" * 400_000)
        self.assert_fails(seq2seq("tune", path), "trial-1/trial.json", "damaged")


if __name__ == "__main__":
    unittest.main()
