#!/usr/bin/env python3
"""Test of `seq2seq serve`: what it answers, and what it bears."""

import concurrent.futures
import json
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import unittest
import urllib.error
import urllib.request

from program import PROGRAM, TestCase, seq2seq
import tiny_run


class ServeTest(TestCase):

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.model = tiny_run.train(PROGRAM, pathlib.Path(folder.name))
        cls.server, cls.port = cls.start("--max-body", "2000", "--max-texts", "3", "--max-text", "100", "--timeout", "5")
        cls.addClassCleanup(cls.server.kill)

    @classmethod
    def start(cls, *flags):
        server = subprocess.Popen([PROGRAM, "serve", "-m", str(cls.model), "--port", "0", *flags],
                                  stderr=subprocess.PIPE)
        line = server.stderr.readline().decode()
        return server, int(re.fullmatch(r"listening at http://127\.0\.0\.1:(\d+)/\n", line).group(1))

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.read().decode()

    def post(self, body, port=None):
        """The status and the JSON of an answer."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port or self.port}/translate", data=raw)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def test_answers_as_decode_does(self):
        lines = ["a dog runs", "", "the bird eats"]
        code, answer = self.post({"text": lines})
        self.assertEqual(code, 200)
        texts = [result["translations"][0]["text"] for result in answer["results"]]
        decoded = seq2seq("decode", "-m", self.model, stdin="\n".join(lines) + "\n")
        self.assertEqual("".join(text + "\n" for text in texts), decoded.stdout.decode())
        self.assertEqual(texts[0], "A DOG RUNS")

    def test_options_are_those_of_search(self):
        code, answer = self.post({"text": "my cat sleeps", "beam": 4, "n_best": 3, "attention": True, "prefix": "THE",
                                  "constraints": ["BIRD"], "normalization": "gnmt", "forbidden": ["SLEEPS"]})
        self.assertEqual(code, 200, answer)
        translations = answer["results"][0]["translations"]
        self.assertEqual(len(translations), 3)
        for translation in translations:
            words = translation["text"].split()
            self.assertEqual(words[0], "THE")
            self.assertIn("BIRD", words)
            self.assertNotIn("SLEEPS", words)
            self.assertEqual(len(translation["attention"]), len(translation["pieces"]) + 1)
            self.assertEqual(translation["source_pieces"][-1], "</s>")

    def test_mistakes_are_named(self):
        for body, code, *parts in (
                (b"{", 400, "JSON"), (b"[1]", 400, "JSON"), (b"\xff\xfe", 400, "JSON"), ({}, 400, "text"),
                ({"text": 5}, 400, "text", "5"), ({"text": ["a", 1]}, 400, "text"),
                ({"text": "a", "baem": 5}, 400, "baem", "beam"), ({"text": "a", "beam": "many"}, 400, "beam", "many"),
                ({"text": "a", "beam": 0}, 400, "beam", "0"), ({"text": "a", "prefix": 1}, 400, "prefix"),
                ({"text": "a", "constraints": "b"}, 400, "constraints"),
                ({"text": "a" * 101}, 413, "101", "100"), ({"text": ["a"] * 4}, 413, "4", "3"),
                ({"text": "a" * 3000}, 413, "too large")):
            found, answer = self.post(body)
            self.assertEqual(found, code, answer)
            for part in parts:
                self.assertIn(part, answer["error"])
        with self.assertRaises(urllib.error.HTTPError) as raised:
            self.get("/none")
        self.assertEqual(raised.exception.code, 404)
        raised.exception.close()

    def test_pages_for_machines_and_people(self):
        self.assertEqual(self.get("/health"), "ok\n")
        self.post({"text": "a dog runs"})
        self.post(b"{")
        metrics = dict(line.rsplit(" ", 1) for line in self.get("/metrics").splitlines() if not line.startswith("#"))
        self.assertGreaterEqual(int(metrics['seq2seq_requests_total{code="200"}']), 1)
        self.assertGreaterEqual(int(metrics['seq2seq_requests_total{code="400"}']), 1)
        self.assertEqual(metrics['seq2seq_request_seconds_bucket{le="+Inf"}'], metrics["seq2seq_request_seconds_count"])
        page = self.get("/")
        self.assertIn("<textarea", page)
        self.assertNotIn("http://", page.replace("http://127.0.0.1", ""))  # Needs nothing else.

    def test_requests_at_once_share_batches_and_get_their_own_answers(self):
        lines = [f"{one} {two} {three}" for one in ("a", "the", "my") for two in ("dog", "cat", "bird")
                 for three in ("runs", "sleeps", "eats")] * 4
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda line: self.post({"text": line}), lines))
        for line, (code, answer) in zip(lines, answers):
            self.assertEqual(code, 200)
            self.assertEqual(answer["results"][0]["translations"][0]["text"], line.upper())

    def test_bears_slow_rude_and_broken_clients(self):
        sockets = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(8)]
        head = b"POST /translate HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n"
        for client, start in zip(sockets, (b"", b"POST", head, head + b'{"text"', b"\x00\xff" * 100, b"GET / HTTP/9\r\n\r\n",
                                           b"POST /translate HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
                                           head.replace(b"500", b"-1") + b"x")):
            client.sendall(start)
        for client in sockets[::2]:
            client.close()
        self.assertEqual(self.post({"text": "a dog runs"})[0], 200)
        for client in sockets[1::2]:
            client.close()
        self.assertEqual(self.get("/health"), "ok\n")
        self.assertIsNone(self.server.poll())

    def test_finishes_what_has_begun_when_it_is_told_to_end(self):
        server, port = self.start()
        self.addCleanup(server.stderr.close)
        self.addCleanup(server.kill)
        answers = []
        body = {"text": ["a dog runs"] * 200, "beam": 50}
        asking = threading.Thread(target=lambda: answers.append(self.post(body, port)))
        asking.start()
        while asking.is_alive():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as metrics:
                if b"seq2seq_waiting 0" not in metrics.read():
                    break
        server.send_signal(signal.SIGTERM)
        asking.join()
        self.assertEqual(answers[0][0], 200)
        self.assertEqual(len(answers[0][1]["results"]), 200)
        self.assertEqual(server.wait(timeout=20), 0)

    def test_mistakes_at_the_start(self):
        self.assert_fails(seq2seq("serve", "-m", self.model, "--port", self.port, timeout=30), self.port)
        self.assert_fails(seq2seq("serve", "-m", self.model, "--port", "70000"), "port", "70000")
        self.assert_fails(seq2seq("serve", "-m", self.model / "none"), "none")


if __name__ == "__main__":
    unittest.main()
