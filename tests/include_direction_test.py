#!/usr/bin/env python3
"""Test that includes run one way: a file includes its own folder and those to the left, never to the right."""

import pathlib
import re
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]

# Folders of the same number do not include each other. The upper row decodes and knows no LibTorch; the lower row
# trains, and includes from all of the upper one.
UPPER = {
    "base": 0,
    "align": 1,
    "kernels": 1,
    "tokenizer": 1,
    "metrics": 1,
    "tune": 1,
    "weights": 2,
    "image": 3,
    "source": 4,
    "inference": 5,
    "search": 6,
    "serve": 7,
    "c_api": 7,
    "tools": 12,
}
LOWER = {
    "data": 8,
    "ops": 9,
    "model": 10,
    "train": 11,
    "tools/torch": 13,
}
LEVELS = UPPER | LOWER

# Folders that do not know each other, whatever their order: a function handed in by the tools joins them.
STRANGERS = {("train", "search")}

INCLUDE = re.compile(r'\s*#\s*include\s*(?P<bracket>["<])(?P<path>[^">]+)[">]')
LIBTORCH = {"torch", "ATen", "c10", "c10d", "caffe2"}  # Folders of its headers.


def folder_of(path):
    """The folder of the library that a path from the root is in; None for seq2seq/seq2seq.h and what is outside."""
    parts = pathlib.PurePath(path).parts
    if parts[0] == "tokenizer":
        return "tokenizer"
    if parts[:3] == ("seq2seq", "tools", "torch"):
        return "tools/torch"
    return parts[1] if parts[0] == "seq2seq" and len(parts) > 2 else None


def is_libtorch(included):
    return included.split("/")[0] in LIBTORCH


def sources(root):
    for top in ("tokenizer", "seq2seq"):
        yield from sorted(path for path in (root / top).rglob("*") if path.suffix in (".cc", ".h"))


def violations(root):
    """Lines "file:line: reason" of what breaks the order."""
    found = []
    for path in sources(root):
        name = path.relative_to(root).as_posix()
        folder = folder_of(name)
        if folder is None:  # The umbrella header includes what it likes.
            continue
        if folder not in LEVELS:
            found.append(f"{name}:1: folder '{folder}' has no place in the order")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            included = match["path"]
            if is_libtorch(included):
                if folder in UPPER:
                    found.append(f"{name}:{number}: {folder} includes LibTorch, {included}")
            elif included == "seq2seq/seq2seq.h":
                found.append(f"{name}:{number}: includes the umbrella header")
            elif included.split("/")[0] in ("tests", "bench") or (match["bracket"] == '"' and "/" not in included):
                found.append(f"{name}:{number}: includes {included}")
            elif (other := folder_of(included)) and other != folder:
                upwards = folder in UPPER and other not in UPPER
                if upwards or LEVELS.get(other, len(LEVELS)) >= LEVELS[folder] or (folder, other) in STRANGERS:
                    found.append(f"{name}:{number}: {folder} includes {included}")
    return found


def public_headers():
    """The lists of cmake/PublicHeaders.cmake: {name: [header]}."""
    text = (ROOT / "cmake" / "PublicHeaders.cmake").read_text(encoding="utf-8")
    return {name: headers.split() for name, headers in re.findall(r"^set\((\w+)\n([^)]*)\)", text, re.MULTILINE)}


def included_by(headers):
    """All headers of the project that `headers` include, themselves and directly or not."""
    found, rest = set(), list(headers)
    while rest:
        header = rest.pop()
        if header in found:
            continue
        found.add(header)
        lines = (ROOT / header).read_text(encoding="utf-8").splitlines()
        includes = [match["path"] for match in map(INCLUDE.match, lines) if match]
        rest += [path for path in includes if path.split("/")[0] in ("seq2seq", "tokenizer")]
    return found


class PublicHeadersTest(unittest.TestCase):
    def test_lists_hold_what_the_interface_includes_and_nothing_else(self):
        lists = public_headers()
        interface = lists["inference_interface"] + lists["seq2seq_interface"]
        self.assertEqual(sorted(interface + lists["included_headers"]), sorted(included_by(interface)))

    def test_interface_of_inference_knows_no_libtorch(self):
        for header in included_by(public_headers()["inference_interface"]):
            self.assertIn(folder_of(header), UPPER, header)


class IncludeDirectionTest(unittest.TestCase):
    def test_includes_run_from_left_to_right(self):
        self.assertGreater(len(list(sources(ROOT))), 40)
        self.assertEqual([], violations(ROOT))

    def test_every_wrong_direction_is_found_with_file_and_line(self):
        wrong = [
            ("seq2seq/base/a.h", '"seq2seq/data/b.h"'),
            ("seq2seq/metrics/a.cc", '"tokenizer/tokenizer.h"'),
            ("tokenizer/a.cc", '"seq2seq/kernels/b.h"'),
            ("seq2seq/data/a.cc", '"seq2seq/model/b.h"'),
            ("seq2seq/ops/a.cc", '"seq2seq/model/b.h"'),
            ("seq2seq/train/a.cc", '"seq2seq/search/b.h"'),
            ("seq2seq/search/a.h", '"seq2seq/train/b.h"'),
            ("seq2seq/search/a.h", '"seq2seq/data/b.h"'),
            ("seq2seq/inference/a.h", '"seq2seq/model/b.h"'),
            ("seq2seq/weights/a.h", '"seq2seq/image/b.h"'),
            ("seq2seq/model/a.cc", '"seq2seq/train/b.h"'),
            ("seq2seq/serve/a.cc", '"seq2seq/tools/b.h"'),
            ("seq2seq/train/a.cc", '"seq2seq/tools/b.h"'),
            ("seq2seq/tools/a.cc", '"seq2seq/model/b.h"'),
            ("seq2seq/tools/a.cc", '"seq2seq/tools/torch/b.h"'),
            ("seq2seq/tools/a.cc", "<torch/torch.h>"),
            ("seq2seq/c_api/a.cc", "<torch/torch.h>"),
            ("seq2seq/search/a.cc", '"seq2seq/seq2seq.h"'),
            ("seq2seq/search/a.cc", '"tests/testing/temporary_folder.h"'),
            ("seq2seq/search/a.cc", '"beam.h"'),
            ("seq2seq/search/a.cc", '"seq2seq/elsewhere/b.h"'),
            ("seq2seq/search/a.cc", "<seq2seq/model/b.h>"),
            ("seq2seq/search/a.cc", "<tests/testing/temporary_folder.h>"),
            ("seq2seq/search/a.cc", "<torch/types.h>"),
            ("seq2seq/search/a.cc", '"torch/torch.h"'),
            ("seq2seq/kernels/a.cc", "<ATen/ATen.h>"),
            ("seq2seq/kernels/a.cc", "<c10/util/Optional.h>"),
            ("seq2seq/serve/a.cc", "<c10d/Store.hpp>"),
            ("tokenizer/a.cc", "<caffe2/core/macros.h>"),
        ]
        right = [
            ("seq2seq/tools/a.cc", '"seq2seq/serve/b.h"'),
            ("seq2seq/tools/torch/a.cc", '"seq2seq/tools/b.h"'),
            ("seq2seq/tools/torch/a.cc", '"seq2seq/train/b.h"'),
            ("seq2seq/tools/torch/a.cc", "<torch/torch.h>"),
            ("seq2seq/model/a.cc", '"seq2seq/search/b.h"'),
            ("seq2seq/data/a.cc", '"tokenizer/tokenizer.h"'),
            ("tokenizer/a.cc", '"seq2seq/base/b.h"'),
            ("seq2seq/model/a.cc", '"seq2seq/model/b.h"'),
            ("seq2seq/seq2seq.h", '"seq2seq/search/b.h"'),
            ("seq2seq/model/a.cc", '"absl/status/status.h"'),
            ("seq2seq/model/a.cc", "<torch/torch.h>"),
            ("seq2seq/search/a.cc", "<vector>"),
            ("seq2seq/search/a.cc", "<sys/stat.h>"),
        ]
        for expected, pairs in ((True, wrong), (False, right)):
            for name, included in pairs:
                with self.subTest(file=name, included=included), tempfile.TemporaryDirectory() as scratch:
                    path = pathlib.Path(scratch) / name
                    path.parent.mkdir(parents=True)
                    path.write_text(f'// A comment.\n#include {included}\n')
                    found = violations(pathlib.Path(scratch))
                    self.assertEqual(expected, bool(found))
                    if expected:
                        self.assertIn(f"{name}:2:", found[0])

    def test_folder_without_a_place_is_found(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch) / "seq2seq" / "utils" / "a.h"
            path.parent.mkdir(parents=True)
            path.write_text("")
            self.assertIn("seq2seq/utils/a.h:1:", violations(pathlib.Path(scratch))[0])


if __name__ == "__main__":
    unittest.main()
