#!/usr/bin/env python3
"""Tests of bench/scaling: its model recovers what invented measurements were made of, and draws them."""

import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unittest
from xml.etree import ElementTree

sys.dont_write_bytecode = True
BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))

import chart  # noqa: E402  (found by the line above)
import scaling_model as model  # noqa: E402

A, B, SENTENCE, OVERLAP = 0.05, 0.001, 15.0, 0.6
NETWORKS = {"loopback": model.Network(2e-5, 5e-10), "1 Gbit/s": model.Network(1e-4, 8e-9)}
CASES = [("loopback", 2, "fp32", 64), ("1 Gbit/s", 2, "fp32", 64), ("1 Gbit/s", 2, "bf16", 64), ("1 Gbit/s", 2, "every 10", 64),
         ("loopback", 4, "fp32", 128)]


def invent():
    """Measurements of programs that cost exactly what the model says."""
    values = [100_000, 3_000_000, 5_000_000, 1_000_000]
    workload = {
        "compute": [{"batch": batch, "tokens": SENTENCE * batch, "seconds": A + B * SENTENCE * batch}
                    for batch in (16, 64, 128)],
        "dense_values": values, "embedding_values": 4_000_000, "state_bytes": 3 * 4 * (sum(values) + 4_000_000),
        "state_tensors": 24, "sent": {"fp32": 4 * sum(values) + 600_000, "bf16": 2 * sum(values) + 300_000}}
    measured = {"date": "2026-11-30", "processor": "an abacus", "cores": 2, "beside": 1.1, "points": [],
                "workloads": {"W1": workload, "W2": workload},
                "networks": {name: [[size, of.alpha + of.beta * size] for size in (0, 1 << 18, 1 << 20, 1 << 22)]
                             for name, of in NETWORKS.items()}}
    fit = model.Model(measured)
    for network, processes, way, batch in CASES:
        point = {"network": network, "workload": "W1", "processes": processes, "way": way, "batch": batch,
                 "tokens": SENTENCE * batch}
        fit.overlap = OVERLAP
        measured["points"].append({**point, "seconds": fit.predict(point)})
    return measured


def invent_workload(draw):
    dense, embeddings = draw.uniform(1e6, 1e9), draw.uniform(1e6, 1e8)
    return model.Workload(draw.choice([0, draw.uniform(0, 1)]), draw.uniform(1e-5, 1e-2), draw.uniform(1, 60),
                          draw.randint(1, 9), dense, embeddings, {"fp32": embeddings / 9, "bf16": embeddings / 18},
                          3 * (dense + embeddings), 60)


class ModelTest(unittest.TestCase):
    def test_recovers_what_measurements_were_made_of(self):
        fit = model.Model(invent())
        workload = fit.workloads["W1"]
        self.assertAlmostEqual(workload.fixed, A)
        self.assertAlmostEqual(workload.per_token, B)
        self.assertAlmostEqual(workload.sentence, SENTENCE)
        self.assertAlmostEqual(workload.rows["fp32"], 600_000)
        self.assertAlmostEqual(workload.rows["bf16"], 300_000)
        for name, network in NETWORKS.items():
            self.assertAlmostEqual(fit.networks[name].alpha, network.alpha, delta=1e-9)
            self.assertAlmostEqual(fit.networks[name].beta, network.beta, delta=1e-13)
        self.assertEqual(fit.fitted["network"], "1 Gbit/s")
        self.assertAlmostEqual(fit.overlap, OVERLAP)
        for point in fit.measured["points"]:
            self.assertAlmostEqual(fit.predict(point), point["seconds"])

    def test_an_exchange_that_is_hidden_whole_bounds_the_overlap(self):
        fit = model.Model(invent())
        workload, network, case = fit.setting(fit.measured["points"][0])
        seconds = model.update_seconds(workload, network, 1, case)
        overlap = model.fit_overlap(workload, network, case, seconds)
        self.assertLess(overlap, 1)
        self.assertAlmostEqual(model.update_seconds(workload, network, overlap, case), seconds)

    def test_fits_no_negative_times(self):
        self.assertEqual(model.fit_line([(1, 2), (2, 1)])[1], 0)
        intercept, slope = model.fit_line([(1, 1), (2, 3)])
        self.assertEqual(intercept, 0)
        self.assertGreater(slope, 0)

    def test_noise_changes_the_line_little(self):
        draw = random.Random(7)
        points = [(x, (0.5 + 0.01 * x) * draw.uniform(0.98, 1.02)) for x in range(100, 2000, 50)]
        intercept, slope = model.fit_line(points)
        self.assertAlmostEqual(intercept, 0.5, delta=0.1)
        self.assertAlmostEqual(slope, 0.01, delta=0.0003)

    def test_a_ring_of_two_sends_every_byte_once_each_way(self):
        self.assertAlmostEqual(model.Network(0, 1).ring(2, 1, 100), 100)
        self.assertAlmostEqual(model.Network(0, 1).ring(4, 1, 100), 150)
        self.assertAlmostEqual(model.Network(1, 0).ring(4, 5, 100), 30)

    def test_slices_are_those_of_the_gradient_exchange(self):
        self.assertEqual(model.count_slices([10, 20]), 1)
        self.assertEqual(model.count_slices([model.SLICE_VALUES] * 3), 3)
        self.assertEqual(model.count_slices([8 * model.SLICE_VALUES] * 16), 8)

    def test_predicted_throughput_never_exceeds_as_many_single_workers(self):
        draw = random.Random(1)
        for _ in range(300):
            workload = invent_workload(draw)
            network = model.Network(10 ** draw.uniform(-7, -1), 10 ** draw.uniform(-12, -7))
            overlap = draw.uniform(0, 1)
            for count in model.WORKERS:
                for way in ("fp32", "bf16", "every 10"):
                    for batch in (64, 64 * count):
                        case = model.Case(count, batch, way)
                        # A batch that is cut is compared with one worker that computes all of it.
                        alone = model.throughput(workload, network, overlap, model.Case(1, 64))
                        self.assertLessEqual(model.throughput(workload, network, overlap, case), count * alone * (1 + 1e-9))

    def test_a_faster_network_and_more_overlap_are_never_slower(self):
        workload = model.Model(invent()).workloads["W1"]
        for count in model.WORKERS:
            case = model.Case(count, 64)
            rates = [model.throughput(workload, model.Network(5e-5, beta), overlap, case)
                     for beta in (8e-9, 8e-10, 8e-11) for overlap in (0, 0.5, 1)]
            self.assertEqual(rates[0], min(rates))
            self.assertEqual(rates[-1], max(rates))


# "train" leaves the log and the weights of a run whose updates take 0.1 s and 1 ms a token, of 15 to a sentence.
SEQ2SEQ = """#!/usr/bin/env python3
import json, pathlib, struct, sys
settings = dict(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)
run, updates, every = (settings["train." + key] for key in ("run", "max_updates", "report_every"))
(pathlib.Path(run) / "latest").mkdir(parents=True)
tokens = 15 * int(settings["data.batch.size"])
with open(run + "/log.jsonl", "w") as log:
    for update in range(int(every), int(updates) + 1, int(every)):
        seconds = 0.1 + 0.001 * tokens
        print(json.dumps({"event": "progress", "update": update, "seconds": update * seconds,
                          "tokens_per_second": tokens / seconds,
                          "sent_bytes": 2000 if "train.processes.compression" in settings else 4000}), file=log)
for name, tensors in (("model", ["a.weight", "embedding.weight"]), ("optimizer", ["mean.a.weight"])):
    header = json.dumps({tensor: {"shape": [10, 50]} for tensor in tensors}).encode()
    pathlib.Path(run, "latest", name + ".safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
"""


class ChartTest(unittest.TestCase):
    def test_labels_do_not_overlap_and_stay_near(self):
        places = chart.spread([10, 11, 12, 100, 200, 200], gap=10)
        self.assertEqual(places, [1, 11, 21, 100, 195, 205])


class ProgramTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "measured.json").write_text(json.dumps(invent()))

    def scaling(self, *arguments):
        return subprocess.run([sys.executable, "-B", str(BENCH / "scaling"), *arguments], cwd=self.folder, capture_output=True,
                              text=True, check=False)

    def test_prints_and_draws_what_it_reads(self):
        result = self.scaling("--from", "measured.json", "--svg", "a & b.svg")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("2 cores of an abacus", result.stdout)
        self.assertIn("| W1 | 50.0 | 1000 | 15.0 |", result.stdout)
        self.assertRegex(result.stdout, r"\| 1 Gbit/s \| W1 \| 2 \| fp32 \| 64 \| \d+ \| \d+ \| 1.00 \(fitted\) \|")
        self.assertEqual(len(re.findall(r"\| \d+ \| \d+ \| 1\.00 \|", result.stdout)), len(CASES) - 1)
        self.assertIn("| W2 | 100 Gbit/s | batch each, every 10 |", result.stdout)
        root = ElementTree.parse(self.folder / "a & b.svg").getroot()
        svg = "{http://www.w3.org/2000/svg}"
        self.assertEqual(root.tag, f"{svg}svg")
        self.assertEqual(len(root.findall(f"{svg}g")), 6)
        self.assertEqual(len(root.findall(f".//{svg}polyline")), 2 * (4 + 4 + 8))
        texts = {element.text for element in root.iter(f"{svg}text")}
        for text in ("workers", "target tokens/s", "1,024", "10 Gbit/s", "W2, fp32, 64 sentences a worker", "each, bf16"):
            self.assertIn(text, texts)

    def test_measures_what_a_program_takes(self):
        (self.folder / "seq2seq").write_text(SEQ2SEQ)
        (self.folder / "seq2seq").chmod(0o755)
        (self.folder / "text").write_text("a\n")
        result = self.scaling(".", "text", "text", "text", "--measurements", "new.json")
        self.assertEqual(result.returncode, 0, result.stderr)
        measured = json.loads((self.folder / "new.json").read_text())
        workload = model.Model(measured).workloads["W2"]
        self.assertAlmostEqual(workload.fixed, 0.1)
        self.assertAlmostEqual(workload.per_token, 0.001)
        self.assertAlmostEqual(workload.sentence, 15)
        self.assertEqual(workload.dense, 2000)
        self.assertEqual(workload.rows, {"fp32": 2000, "bf16": 1000})
        self.assertEqual((workload.embeddings, workload.state, workload.state_tensors), (2000, 6000, 3))
        self.assertAlmostEqual(measured["beside"], 1)
        self.assertEqual([point["processes"] for point in measured["points"]], [2, 2, 2, 2, 4, 2])
        self.assertAlmostEqual(measured["points"][0]["seconds"], 1.06)

    def test_keeps_what_it_reads(self):
        result = self.scaling("--from", "measured.json", "--measurements", "again.json")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads((self.folder / "again.json").read_text()), invent())

    def test_refuses_to_read_and_measure(self):
        for arguments in ((), ("programs", "source", "target", "tokenizer", "--from", "measured.json"), ("programs",)):
            result = self.scaling(*arguments)
            self.assertEqual(result.returncode, 2)
            self.assertIn("either PROGRAMS SOURCE TARGET TOKENIZER or --from FILE", result.stderr)


if __name__ == "__main__":
    unittest.main()
