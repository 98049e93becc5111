#!/usr/bin/env python3
"""Test of seq2seq.py, the module for Python, with the shared library: python_test.py PROGRAM LIBRARY."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "seq2seq" / "c_api"))
os.environ["SEQ2SEQ_LIBRARY"] = sys.argv.pop()
PROGRAM = sys.argv.pop()

import seq2seq  # pylint: disable=wrong-import-position


class PythonTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.model = SOURCE / "tests" / "tools" / "run_folders" / "translate"
        cls.translator = seq2seq.Translator(cls.model, threads=1, max_beam=20)
        cls.addClassCleanup(cls.translator.close)

    def assert_fails(self, call, *parts):
        with self.assertRaises(seq2seq.Error) as raised:
            call()
        for part in parts:
            self.assertIn(part, str(raised.exception))

    def test_translates_as_decode_does(self):
        lines = ["a dog runs", "", "the bird eats"]
        found = self.translator.translate(lines)
        decoded = subprocess.run([PROGRAM, "decode", "-m", self.model], input="\n".join(lines) + "\n", text=True, check=True,
                                 stdout=subprocess.PIPE).stdout
        self.assertEqual("".join(candidates[0].text + "\n" for candidates in found), decoded)
        self.assertEqual([len(candidates) for candidates in found], [1, 1, 1])
        self.assertEqual(self.translator.translate([]), [])
        self.assertEqual(self.translator.notes, [])

    def test_starts_from_what_the_model_was_validated_with(self):
        with tempfile.TemporaryDirectory() as scratch:
            model = pathlib.Path(scratch) / "model"
            shutil.copytree(self.model, model, symlinks=True)
            config = (model / "config.yaml").read_text()
            start = config.index("\nvalidation:")
            (model / "config.yaml").write_text(config[:start] + re.sub(r"\n  max_length: \d+", "\n  max_length: 2",
                                                                      config[start:]))
            with seq2seq.Translator(model, threads=1) as translator:
                self.assertEqual(translator.translate(["a dog runs"])[0][0].text, "A DOG")
                self.assertEqual(translator.translate(["a dog runs"], max_length=250)[0][0].text, "A DOG RUNS")

    def test_models_of_other_kinds_translate_alike(self):
        for kind in ("transformer", "ssru-int8"):
            with seq2seq.Translator(self.model.parent / kind, threads=1) as translator:
                found = translator.translate(["a dog runs", "my cat eats"], n_best=2, attention=True)
                self.assertEqual([candidates[0].text for candidates in found], ["A DOG RUNS", "MY CAT EATS"], kind)
                for row in found[0][0].attention:
                    self.assertAlmostEqual(sum(row), 1, 4)
                prefixed = translator.translate(["a dog runs"], prefix="THE", forbidden=["RUNS"])[0][0].text.split()
                self.assertEqual(prefixed[0], "THE", kind)
                self.assertNotIn("RUNS", prefixed, kind)

    def test_a_candidate_has_all_that_the_library_knows(self):
        found = self.translator.translate(["a dog runs"], n_best=3, beam=4, attention=True)[0]
        self.assertEqual(len(found), 3)
        self.assertEqual(sorted(found, key=lambda one: -one.score), found)
        for candidate in found:
            self.assertEqual(len(candidate.tokens), len(candidate.subwords))
            self.assertEqual(len(candidate.token_scores), len(candidate.subwords) + 1)
            self.assertAlmostEqual(sum(candidate.token_scores), candidate.log_probability, 5)
            self.assertEqual(len(candidate.attention), len(candidate.token_scores))
            self.assertEqual(candidate.source_subwords[-1], "</s>")
            for row in candidate.attention:
                self.assertEqual(len(row), len(candidate.source_subwords))
                self.assertAlmostEqual(sum(row), 1, 4)
        self.assertEqual(self.translator.translate(["a dog runs"])[0][0].attention, [])

    def test_prefix_constraints_and_forbidden_words(self):
        for prefix, constraints in (("THE", ["BIRD"]), (["THE", "THE"], [["BIRD"], ["BIRD"]])):
            found = self.translator.translate(["a dog runs"] * 2, n_best=3, beam=6, prefix=prefix, constraints=constraints,
                                              forbidden=["RUNS", "MY CAT"])
            for candidate in sum(found, []):
                words = candidate.text.split()
                self.assertEqual(words[0], "THE")
                self.assertIn("BIRD", words)
                self.assertNotIn("RUNS", words)
        first, second = self.translator.translate(["a dog runs"] * 2, prefix=["THE", ""])
        self.assertTrue(first[0].text.startswith("THE "))
        self.assertEqual(second[0].text, "A DOG RUNS")

    def test_scores_as_it_translates(self):
        lines = ["a dog runs", "my cat sleeps"]
        best = [candidates[0] for candidates in self.translator.translate(lines)]
        scored = self.translator.score(lines, [candidate.text for candidate in best])
        for found, expected in zip(scored, best):
            self.assertAlmostEqual(found.log_probability, expected.log_probability, 3)
            self.assertEqual(found.tokens, expected.tokens)
        self.assert_fails(lambda: self.translator.score(lines, ["A"]), "2 sources and 1 targets")
        self.assert_fails(lambda: self.translator.score(None, ["A"]), "0 sources and 1 targets")

    def test_texts_are_streamed_as_they_grow(self):
        lines = ["a dog runs", "", "the bird eats", "my cat sleeps"]
        for beam in (1, 5):
            texts = [[""] for _ in lines]
            found = self.translator.translate(lines, beam=beam, on_text=lambda line, text, texts=texts:
                                              texts[line].append(text))
            for streamed, candidates in zip(texts, found):
                self.assertEqual(streamed[-1], candidates[0].text)
                for before, after in zip(streamed, streamed[1:]):
                    self.assertTrue(after.startswith(before) and len(after) > len(before), streamed)
            self.assertEqual(len(texts[1]), 1)
            self.assertTrue(beam > 1 or len(texts[0]) == 4, texts)  # A token each.

    def test_what_a_listener_raises_cancels_the_call(self):
        calls = []

        def stop(line, text):
            calls.append((line, text))
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            self.translator.translate(["a dog runs"] * 100, beam=1, on_text=stop)
        self.assertEqual(len(calls), 1)
        self.assertEqual(self.translator.translate(["a dog runs"])[0][0].text, "A DOG RUNS")

    def test_a_timeout_holds_during_search(self):
        self.assert_fails(lambda: self.translator.translate(
            ["a dog runs"] * 3, beam=20, timeout=0.2, max_length=10**4, min_length=10**4, max_ratio=10**4), "line 0", "too long")

    def test_threads_share_a_translator_and_have_errors_of_their_own(self):
        found = {}

        def translate(number):
            if number % 2:
                found[number] = self.translator.translate(["a dog runs"] * 20)[-1][0].text
            else:
                self.assert_fails(lambda: self.translator.translate(["a"], beam=-number), f"found -{number}")
                found[number] = "refused"

        threads = [threading.Thread(target=translate, args=(number,)) for number in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([found[number] for number in range(1, 9)], ["A DOG RUNS", "refused"] * 4)

    def test_models_may_be_several(self):
        with seq2seq.Translator([self.model, str(self.model)], ensemble="log_probability", precision="fp32") as ensemble:
            self.assertEqual(ensemble.translate(["a dog runs"])[0][0].text, "A DOG RUNS")

    def test_mistakes_are_named(self):
        for models, options, *parts in (
                ("no/such/run", {}, "no/such/run"), ([], {}, "at least one model"),
                (self.model, {"language_model": "no such/model"}, "no such/model"),
                (self.model, {"precision": "fp31"}, "precision", "fp31"), (self.model, {"threads": -1}, "threads", "-1"),
                (self.model, {"batch_size": 0}, "batch_size"), (self.model, {"max_beam": 0}, "max_beam"),
                (self.model, {"shortlist": "maybe"}, "maybe"), (self.model, {"no_such": 1}, "no_such")):
            self.assert_fails(lambda models=models, options=options: seq2seq.Translator(models, **options), *parts)
        for options, *parts in (
                ({"beam": 0}, "beam", "0"), ({"beam": 21}, "max_beam"), ({"n_best": 6, "beam": 5}, "n_best"),
                ({"baem": 5}, "baem"), ({"prefix": ["a", "b"]}, "prefix", "found 2"), ({"timeout": -1}, "timeout", "-1"),
                ({"prefix": "\u2603"}, "line 0", "prefix"), ({"constraints": ["A\0"]}, "null character")):
            self.assert_fails(lambda options=options: self.translator.translate(["a dog runs"], **options), *parts)
        with self.assertRaises(TypeError):
            self.translator.translate("a dog runs")
        with self.assertRaises(TypeError):
            self.translator.translate(["a dog runs"], constraints="A DOG")

    def test_a_closed_translator_says_so(self):
        with seq2seq.Translator(self.model) as translator:
            pass
        translator.close()
        self.assert_fails(lambda: translator.translate(["a"]), "closed")

    def test_a_library_that_is_not_there_is_named(self):
        for library, part in (("/no/such/library.so", "/no/such/library.so"), ("", "SEQ2SEQ_LIBRARY")):
            result = subprocess.run([sys.executable, "-c", "import seq2seq; seq2seq.Translator('run')"], check=False,
                                    env={**os.environ, "SEQ2SEQ_LIBRARY": library,
                                         "PYTHONPATH": str(SOURCE / "seq2seq" / "c_api")}, stderr=subprocess.PIPE)
            self.assertIn(part, result.stderr.decode().splitlines()[-1])


if __name__ == "__main__":
    unittest.main()
