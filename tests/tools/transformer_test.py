#!/usr/bin/env python3
"""Transformers train, decode, score and join ensembles as recurrent models do.

usage: transformer_test.py PROGRAM
"""

import json
import pathlib
import re
import subprocess
import tempfile
import unittest
import urllib.request

from program import PROGRAM, TestCase, seq2seq
from tiny_run import train

SMALL = ["model.encoder.transformer.feed_forward=32", "model.decoder.transformer.feed_forward=64", "model.encoder.layers=2",
         "model.decoder.layers=2"]
KINDS = {
    "transformer": ["model.encoder.kind=transformer", "model.decoder.kind=transformer", *SMALL],
    "ssru": ["model.encoder.kind=transformer", "model.decoder.kind=ssru", *SMALL],
    "hybrid": ["model.encoder.kind=transformer", *SMALL],
    "recurrent": [],
}


class TransformerTest(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.scratch.name)
        cls.runs = {name: train(PROGRAM, folder, *settings, name=name) for name, settings in KINDS.items()}
        cls.lines = (folder / "text.a").read_text()
        cls.expected = (folder / "text.b").read_text()

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def decode(self, *arguments):
        result = seq2seq("decode", *arguments, stdin=self.lines.encode())
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result.stdout.decode()

    def test_each_kind_learns_and_decodes_in_every_precision(self):
        for name, run in self.runs.items():
            for precision in ("fp32", "int8"):
                for beam in ("1", "2"):
                    found = self.decode("-m", run, "--precision", precision, "--beam", beam, "--stopping", "exact")
                    self.assertEqual(found, self.expected, f"{name}, {precision}, beam {beam}")

    def test_an_ensemble_has_models_of_different_kinds(self):
        models = [word for run in self.runs.values() for word in ("-m", run)]
        self.assertEqual(self.decode(*models, "--beam", "2", "--stopping", "exact"), self.expected)

    def test_a_sentence_is_decoded_as_it_is_in_a_batch(self):
        for name in ("transformer", "ssru"):
            together = self.decode("-m", self.runs[name], "--beam", "4", "--n-best", "3", "--format", "moses")
            alone = self.decode("-m", self.runs[name], "--beam", "4", "--n-best", "3", "--format", "moses",
                                "--batch-size", "1")
            self.assertEqual(together, alone, name)

    def test_a_shortlist_holds_for_every_kind(self):
        for name, run in self.runs.items():
            exported = pathlib.Path(self.scratch.name) / f"{name}-exported"
            result = seq2seq("export", "-m", run, "-o", exported, "--precision", "int8", "--shortlist")
            self.assertEqual(result.returncode, 0, result.stderr.decode())
            self.assertEqual(self.decode("-m", exported, "--beam", "1"), self.expected, name)

    def test_samples_are_the_same_in_every_batch(self):
        for name, run in self.runs.items():
            flags = ("-m", run, "--sample", "--n-best", "3", "--seed", "7", "--format", "moses")
            self.assertEqual(self.decode(*flags), self.decode(*flags, "--batch-size", "1"), name)

    def test_a_server_translates_with_every_kind(self):
        for name, run in self.runs.items():
            with subprocess.Popen([PROGRAM, "serve", "-m", run, "--port", "0"], stderr=subprocess.PIPE) as server:
                try:
                    address = re.search(r"http://\S+", server.stderr.readline().decode())
                    if address is None:
                        self.skipTest("built without the server")
                    request = urllib.request.Request(
                        address.group() + "translate",
                        data=json.dumps({"text": self.lines.splitlines(), "beam": 1}).encode())
                    with urllib.request.urlopen(request, timeout=60) as answer:
                        found = [result["translations"][0]["text"] for result in json.load(answer)["results"]]
                finally:
                    server.kill()
            self.assertEqual(found, self.expected.splitlines(), name)

    def test_kinds_bring_their_defaults(self):
        def dumped(*settings):
            return seq2seq("train", "--dump-config", *settings).stdout.decode()

        recurrent = dumped()
        self.assertIn("kind: plateau", recurrent)
        transformer = dumped("model.encoder.kind=transformer")
        self.assertIn("kind: inverse_sqrt", transformer)
        self.assertIn("warmup: 2000u", transformer)
        self.assertIn("beta2: 0.98", transformer)
        self.assertIn("warmup: 7u", dumped("train.schedule.warmup=7u", "model.encoder.kind=transformer"))


if __name__ == "__main__":
    unittest.main()
