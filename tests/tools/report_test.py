#!/usr/bin/env python3
"""`seq2seq report` and `seq2seq watch`: what is in the page, and that it follows a run.

usage: report_test.py PROGRAM
"""

import json
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from program import PROGRAM, TestCase, seq2seq

SERVES = seq2seq("watch", "--help").returncode == 0

CONFIG = """model:
  encoder:
    kind: transformer
train:
  metric: bleu
  seed: 1
"""


def progress(update, **more):
    return {"event": "progress", "update": update, "epoch": update / 100, "loss": 5.0, "seconds": update / 10,
            "tokens_per_second": 1000.0, **more}


class ReportTest(TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def make_run(self, *events, name="run", config=CONFIG):
        run = self.folder / name
        run.mkdir()
        (run / "config.yaml").write_text(config)
        (run / "log.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
        return run

    def page(self, *runs):
        result = seq2seq("report", *runs)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.decode()

    def data(self, *runs):
        data = re.search(r'<script type="application/json" id="data">(.*?)</script>', self.page(*runs), re.DOTALL)
        return json.loads(data[1])

    def test_numbers_of_events_are_columns(self):
        run = self.make_run(progress(50), progress(100, loss=None), progress(150, exchanging=0.25))
        columns = self.data(run)["runs"][0]["progress"]
        self.assertEqual(columns["update"], [50, 100, 150])
        self.assertEqual(columns["loss"], [5, None, 5])
        self.assertEqual(columns["exchanging"], [None, None, 0.25])
        self.assertEqual(columns["tokens"], [5000, 10000, 15000])
        self.assertEqual({len(column) for column in columns.values()}, {3})

    def test_validations_have_a_place_on_every_axis(self):
        run = self.make_run(progress(100), {"event": "validation", "update": 150, "seconds": 15.5, "bleu": 30.5}, progress(200),
                            {"event": "validation", "update": 250, "seconds": 25, "bleu": 31})
        validation = self.data(run)["runs"][0]["validation"]
        self.assertEqual(validation["bleu"], [30.5, 31])
        self.assertEqual(validation["epoch"], [1.5, 2])
        self.assertEqual(validation["tokens"], [15000, 20000])
        self.assertEqual(validation["seconds"], [15.5, 25])

    def test_norms_have_a_row_for_each_module(self):
        one = {"encoder": {"gradient": 1.0, "weight": 2.0}}
        both = {**one, "decoder": {"gradient": 3.0, "weight": 4.0, "saturated": 0.5}}
        norms = self.data(self.make_run(progress(1, norms=one), progress(2), progress(3, norms=both)))["runs"][0]["norms"]
        self.assertEqual(norms["update"], [1, 3])
        self.assertEqual(norms["modules"], ["decoder", "encoder"])
        self.assertEqual(norms["gradient"], [[None, 3], [1, 1]])
        self.assertEqual(norms["saturated"], [[None, 0.5], [None, None]])

    def test_runs_with_what_a_start_told(self):
        start = {"event": "start", "update": 0, "processor": "Z80", "threads": "2"}
        samples = {"event": "samples", "update": 1, "lines": [{"source": "a", "reference": "b", "output": "<c>"}]}
        first, second = self.data(self.make_run(start, progress(1), samples), self.make_run(name="other"))["runs"]
        self.assertEqual(first["facts"], {"processor": "Z80", "threads": "2", "seconds": 0.1, "updates": 1})
        self.assertEqual(first["samples"], [{"update": 1, "lines": samples["lines"]}])
        self.assertEqual(first["config"], {"model.encoder.kind": "transformer", "train.metric": "bleu", "train.seed": "1"})
        self.assertEqual((second["facts"], second["progress"], second["norms"], second["best"]), ({}, {}, None, None))

    def test_the_best_is_where_the_link_leads(self):
        run = self.make_run(progress(1))
        (run / "step-500").mkdir()
        (run / "best").symlink_to("step-500")
        self.assertEqual(self.data(run)["runs"][0]["best"], {"metric": "bleu", "update": 500})

    def test_no_text_ends_the_script(self):
        run = self.make_run({"event": "samples", "update": 1, "lines": [{"output": "</script><script>alert(1)</script>"}]},
                            config='a: "</script>"\n')
        self.assertNotIn("<script>alert", self.page(run))
        self.assertEqual(self.data(run)["runs"][0]["config"], {"a": "</script>"})

    def test_lines_that_are_no_events_are_passed_over(self):
        run = self.make_run(progress(1))
        with open(run / "log.jsonl", "ab") as log:
            log.write(b"\xff\n" + b"[" * 400_000 + b"\n[1]\nnull\n" + json.dumps(progress(2)).encode() + b'\n{"event":"pro')
        self.assertEqual(self.data(run)["runs"][0]["progress"]["update"], [1, 2])

    def test_needs_nothing_from_elsewhere(self):
        page = self.page(self.make_run(progress(1)))
        self.assertNotRegex(page, r'(src|href)="?(https?:)?//|@import|url\(\s*["\']?https?:')

    def test_a_file_appears_whole_or_not_at_all(self):
        output = self.folder / "report.html"
        self.assertEqual(seq2seq("report", self.make_run(progress(1)), "-o", output).returncode, 0)
        self.assertTrue(output.read_text().rstrip().endswith("</html>"))
        self.assert_fails(seq2seq("report", self.folder, "-o", self.folder / "none.html"), self.folder, "config.yaml")
        self.assertFalse((self.folder / "none.html").exists())

    def test_mistakes(self):
        self.assert_fails(seq2seq("report", self.folder / "none"), self.folder / "none")
        run = self.make_run(config="a: [1\n")
        self.assert_fails(seq2seq("report", run), run / "config.yaml")

    @unittest.skipUnless(SERVES, "built without the server")
    def test_watch_follows_a_run(self):
        run = self.make_run(progress(1))
        with subprocess.Popen([PROGRAM, "watch", run, "--port", "0"], stderr=subprocess.PIPE, text=True) as watch:
            self.addCleanup(watch.kill)
            address = re.search(r"http://127\.0\.0\.1:\d+/", watch.stderr.readline())[0]

            def get(path="", **options):
                with urllib.request.urlopen(urllib.request.Request(address + path, **options), timeout=10) as answer:
                    return answer.read().decode()

            self.assertIn("</html>", get())
            self.assertEqual(json.loads(get("data.json"))["runs"][0]["progress"]["update"], [1])
            self.assertTrue(json.loads(get("data.json"))["live"])
            with open(run / "log.jsonl", "a", encoding="utf-8") as log:
                log.write(json.dumps(progress(2)) + "\n")
            self.assertEqual(json.loads(get("data.json"))["runs"][0]["progress"]["update"], [1, 2])
            for path, method, code in (("none", "GET", 404), ("", "POST", 405)):
                with self.assertRaises(urllib.error.HTTPError) as refused:
                    get(path, method=method)
                self.assertEqual(refused.exception.code, code)
            watch.send_signal(signal.SIGTERM)
            self.assertEqual(watch.wait(timeout=20), 0)

    @unittest.skipUnless(SERVES, "built without the server")
    def test_watch_of_no_run_is_a_mistake(self):
        self.assert_fails(seq2seq("watch", self.folder / "none"), self.folder / "none")


if __name__ == "__main__":
    unittest.main()
