#!/usr/bin/env python3
"""Event files of TensorBoard, read by a reader that knows nothing of the writer but the formats.

usage: tensorboard_test.py PROGRAM
"""

import json
import math
import pathlib
import struct
import tempfile
import unittest
import zlib

from program import PROGRAM, TestCase
from tiny_run import train


def crc32c(data):
    """Bit by bit."""
    remainder = 0xFFFFFFFF
    for byte in data:
        remainder ^= byte
        for _ in range(8):
            remainder = (remainder >> 1) ^ (0x82F63B78 if remainder & 1 else 0)
    return remainder ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data, check):
    """The contents of a TFRecord file; the checksums of the first `check` are computed, which is slow here."""
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        body = data[12:12 + length]
        if check > 0:
            assert struct.unpack("<I", data[8:12])[0] == masked(data[:8])
            assert struct.unpack("<I", data[12 + length:16 + length])[0] == masked(body)
            check -= 1
        yield body
        data = data[16 + length:]


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(data):
    """The fields of a message of protocol buffers: {number: [values]}."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            (value,) = struct.unpack_from("<d", data, at)
            at += 8
        elif kind == 5:
            (value,) = struct.unpack_from("<f", data, at)
            at += 4
        else:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
        found.setdefault(key >> 3, []).append(value)
    return found


def doubles(packed):
    return struct.unpack(f"<{len(packed) // 8}d", packed)


def grey_pixels(png):
    """The rows of a PNG image of 8 bits of grey, whose rows are not filtered."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        kind, body = png[at + 4:at + 8], png[at + 8:at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length)[0] == zlib.crc32(kind + body)
        chunks[kind] = body
        at += 12 + length
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert rest == [8, 0, 0, 0, 0]
    rows = zlib.decompress(chunks[b"IDAT"])
    assert len(rows) == height * (width + 1) and not any(rows[::width + 1])
    return [rows[row * (width + 1) + 1:(row + 1) * (width + 1)] for row in range(height)]


class TensorBoardTest(TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        cls.run_folder = train(PROGRAM, cls.folder, "train.tensorboard=true", "train.samples=2")
        (cls.file,) = (cls.run_folder / "tensorboard").iterdir()
        cls.events = [fields(record) for record in records(cls.file.read_bytes(), check=8)]
        cls.values = {}  # (tag, step): the fields of the value
        for event in cls.events:
            for summary in event.get(5, []):
                for value in map(fields, fields(summary).get(1, [])):
                    cls.values[value[1][0].decode(), event[2][0]] = value
        cls.log = [json.loads(line) for line in (cls.run_folder / "log.jsonl").read_text().splitlines()]

    def test_a_file_begins_with_its_version_and_its_first_step(self):
        self.assertEqual(self.events[0][3], [b"brain.Event:2"])
        self.assertEqual((self.events[1][2], fields(self.events[1][7][0])), ([0], {1: [1]}))
        self.assertTrue(self.file.name.startswith("events.out.tfevents."))
        times = [event[1][0] for event in self.events]
        self.assertEqual(times, sorted(times))

    def test_scalars_are_those_of_the_log(self):
        for event in self.log:
            group = {"progress": "train", "validation": "valid"}.get(event["event"])
            for key in ("loss", "perplexity", "bleu", "learning_rate"):
                if group and key in event:
                    value = self.values[f"{group}/{key}", event["update"]]
                    self.assertAlmostEqual(value[2][0], event[key], delta=1e-6 * abs(event[key]))

    def test_histograms_count_every_parameter(self):
        for group in ("weights", "gradients"):
            found = 0
            for (tag, _), value in self.values.items():
                if tag.startswith(group + "/"):
                    histogram = fields(value[5][0])
                    limits, counts = doubles(histogram[6][0]), doubles(histogram[7][0])
                    self.assertEqual(list(limits), sorted(limits))
                    self.assertEqual(len(limits), len(counts))
                    self.assertEqual(sum(counts), histogram[3][0])
                    self.assertLessEqual(histogram[1][0], histogram[2][0])
                    self.assertLessEqual(histogram[2][0], limits[-1])
                    self.assertTrue(math.isfinite(histogram[5][0]))
                    found += 1
            self.assertGreater(found, 5, group)

    def test_outputs_are_texts_and_attention_images(self):
        (samples,) = (event for event in self.log if event["event"] == "samples")
        for number, line in enumerate(samples["lines"]):
            value = self.values[f"output/{number}", samples["update"]]
            text = fields(value[8][0])[8][0].decode()
            for part in (line["source"], line["reference"], line["output"]):
                self.assertIn(part, text)
            self.assertEqual(fields(fields(value[9][0])[1][0])[1], [b"text"])
            image = fields(self.values[f"attention/{number}", samples["update"]][4][0])
            weights = line["attention"]["weights"]
            self.assertEqual((image[1][0], image[2][0]), (len(weights), len(weights[0])))
            pixels = grey_pixels(image[4][0])
            self.assertEqual([len(row) for row in pixels], [len(row) for row in weights])
            for row, line_of_weights in zip(pixels, weights):
                for pixel, weight in zip(row, line_of_weights):
                    self.assertAlmostEqual(pixel / 255, weight, delta=0.003)

    def test_a_resumed_run_adds_a_file_that_begins_there(self):
        run = train(PROGRAM, self.folder, "train.tensorboard=true", name="twice")
        train(PROGRAM, self.folder, "train.tensorboard=true", "train.max_updates=140", name="twice")
        first, second = sorted((run / "tensorboard").iterdir(), key=lambda path: path.stat().st_mtime)
        events = [fields(record) for record in records(second.read_bytes(), check=2)]
        self.assertEqual((events[1][2], fields(events[1][7][0])), ([120], {1: [1]}))
        self.assertNotEqual(first.name, second.name)


if __name__ == "__main__":
    unittest.main()
