#!/usr/bin/env python3
"""Every field of every options struct can be set, and is told of: in its Visit, in --help and in --dump-config.

usage: options_test.py PROGRAM
"""

import pathlib
import re
import unittest

from program import TestCase, seq2seq

# What a caller alone may set, and no file: code in a model runs only for who asks for it.
CALLERS = {"ImageNetworkOptions": {"allow_scripts"}}
# Of structs that are sections, which they lay out themselves: config.yaml has a section for two of them.
SECTIONS = {"Config", "TrainingConfig"}
ROOT = pathlib.Path(__file__).resolve().parents[2]


def structs():
    """{name: (fields, visited)} of the structs with a Visit, as their headers have them."""
    found = {}
    for header in sorted([*(ROOT / "seq2seq").rglob("*.h"), *(ROOT / "tokenizer").rglob("*.h")]):
        for name, body in re.findall(r"^struct (\w+) \{\n(.*?)^\};", header.read_text(), re.MULTILINE | re.DOTALL):
            fields, visit, visits = body.partition("  template <typename V>\n  void Visit(V&& visit) {")
            if visit and name not in SECTIONS:
                found[name] = (re.findall(r"^  [\w:<>]+ (\w+)(?: = [^;]+)?;", fields, re.MULTILINE),
                               re.findall(r'visit\(\s*"(\w+)", (\w+)', visits))
    return found


def keys_of(dump):
    """The keys of a dumped configuration, "model.decoder.hidden"."""
    keys, path = [], []
    for line in dump.splitlines():
        match = re.match(r"( *)(\w+):(.*)", line)
        if match:
            path = [*path[:len(match[1]) // 2], match[2]]
            if match[3]:
                keys.append(".".join(path))
    return keys


class OptionsTest(TestCase):
    def test_every_field_is_visited_by_its_name(self):
        found = structs()
        self.assertGreater(len(found), 15)
        for name, (fields, visited) in found.items():
            self.assertGreater(len(fields), 0, name)
            settable = [field for field in fields if field not in CALLERS.get(name, ())]
            self.assertEqual([(field, field) for field in settable], visited, name)

    def test_every_key_is_in_help_and_in_the_dumped_configuration(self):
        dump = seq2seq("train", "--dump-config").stdout.decode()
        keys = keys_of(dump)
        self.assertGreater(len(keys), 100)
        self.assertIn("model.encoder.directions", keys)
        text = seq2seq("train", "--help").stdout.decode()
        for key in keys:
            self.assertRegex(text, rf"(?m)^ *{re.escape(key)}\b", key)
        names = {key.rpartition(".")[2] for key in keys}
        # Sections are structs themselves; the server has flags of its own, a sweep its keys.
        names |= {part for key in keys for part in key.split(".")}
        tune = seq2seq("tune", "--help").stdout.decode()
        names |= {part for key in re.findall(r"(?m)^ +([\w.]+) = ", tune) for part in key.split(".")}
        names |= set(re.findall(r"--([\w-]+)", seq2seq("serve", "--help").stdout.decode().replace("-", "_")
                                .replace("__", "--")))
        for name, (fields, _) in structs().items():
            for field in fields:
                self.assertIn(field, names, f"{name}.{field} is told of nowhere")

    def test_every_key_says_what_it_is_for(self):
        for line in seq2seq("train", "--dump-config").stdout.decode().splitlines():
            if re.match(r" +\w+: \S", line):
                self.assertRegex(line, r"  # \S")


if __name__ == "__main__":
    unittest.main()
