#!/usr/bin/env python3
"""Test of `seq2seq serve`: what it answers, and what it bears."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
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

    # A search that takes many seconds.
    ENDLESS = {"text": ["a dog runs"] * 3, "beam": 100, "max_length": 10**4, "min_length": 10**4, "max_ratio": 10**4}

    @classmethod
    def launch(cls, *flags):
        return subprocess.Popen([PROGRAM, "serve", "-m", str(cls.model), "--port", "0", *flags], stderr=subprocess.PIPE)

    @classmethod
    def start(cls, *flags):
        server = cls.launch(*flags)
        line = server.stderr.readline().decode()
        return server, int(re.fullmatch(r"listening at http://127\.0\.0\.1:(\d+)/\n", line).group(1))

    def start_another(self, *flags):
        """A server that this test may stop, and its port."""
        server, port = self.start(*flags)
        self.addCleanup(server.stderr.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        return server, port

    def get(self, path, port=None):
        with urllib.request.urlopen(f"http://127.0.0.1:{port or self.port}{path}", timeout=10) as answer:
            return answer.read().decode()

    def metrics(self, port=None):
        lines = self.get("/metrics", port).splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))

    def await_metric(self, name, value, port=None):
        end = time.monotonic() + 60
        while self.metrics(port).get(name) != value:
            self.assertLess(time.monotonic(), end, f"{name} never is {value}")
            time.sleep(0.01)

    def ask(self, port, head, body=b""):
        """A connection on which a request to translate was sent; what the server did not want to read is not."""
        client = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.addCleanup(client.close)
        try:
            client.sendall(b"POST /translate HTTP/1.1\r\n" + head + b"\r\n\r\n" + body)
        except ConnectionError:
            pass
        return client

    def ask_json(self, port, body):
        raw = json.dumps(body).encode()
        return self.ask(port, b"Content-Length: %d" % len(raw), raw)

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

    def stream(self, body, port=None):
        """The type of a streamed answer, and its events as pairs of a type and the JSON of the data."""
        raw = json.dumps({**body, "stream": True}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port or self.port}/translate", data=raw)
        with urllib.request.urlopen(request, timeout=20) as answer:
            events = []
            for event in answer.read().decode().removesuffix("\n\n").split("\n\n"):
                kind, _, data = event.rpartition("data: ")
                events.append((kind, json.loads(data)))
            return answer.headers["Content-Type"], events

    def test_streams_the_text_as_it_grows(self):
        for beam in (1, 5):
            for text in ("a dog runs", "my cat sleeps", ""):
                kind, events = self.stream({"text": text, "beam": beam, "n_best": 1})
                self.assertEqual(kind, "text/event-stream")
                self.assertEqual({name for name, _ in events}, {""})
                texts = [event["text"] for _, event in events[:-1]]
                self.assertEqual(events[-1][1], self.post({"text": text, "beam": beam, "n_best": 1})[1])
                best = events[-1][1]["results"][0]["translations"][0]["text"]
                self.assertEqual(best, text.upper())
                for before, after in zip(texts, texts[1:] + [best]):
                    self.assertTrue(after.startswith(before), events)
                self.assertEqual(bool(texts), bool(text))

    def test_a_stream_without_chunks_ends_with_the_connection(self):
        raw = b'{"text": "a dog runs", "stream": true}'
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as client:
            client.sendall(b"POST /translate HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s" % (len(raw), raw))
            with client.makefile("rb") as answer:
                head, _, body = answer.read().partition(b"\r\n\r\n")
        self.assertIn(b"text/event-stream", head)
        self.assertNotIn(b"chunked", head)
        self.assertTrue(body.startswith(b"data: ") and body.endswith(b"]}\n\n"), body)

    # A stream that takes many seconds after its first event.
    ENDLESS_STREAM = {"text": "a dog runs", "beam": 1, "max_length": 10**4, "min_length": 10**4, "max_ratio": 10**4}

    def test_an_error_during_a_stream_is_an_event(self):
        _, port = self.start_another("--timeout", "0.5")
        _, events = self.stream(self.ENDLESS_STREAM, port)
        self.assertGreater(len(events), 1)
        self.assertEqual(events[-1][0], "event: error\n")
        self.assertIn("too long", events[-1][1]["error"])
        self.await_metric('seq2seq_requests_total{code="504"}', "1", port)

    def test_an_error_before_a_stream_is_answered_as_others(self):
        for body, code, *parts in (({"text": ["a"], "stream": True}, 400, "stream", "list"),
                                   ({"text": "a", "stream": 1}, 400, "stream", "1"),
                                   ({"text": "a", "stream": True, "beam": 0}, 400, "beam"),
                                   ({"text": "a" * 101, "stream": True}, 413, "101")):
            found, answer = self.post(body)
            self.assertEqual(found, code, answer)
            for part in parts:
                self.assertIn(part, answer["error"])

    def test_who_hangs_up_during_a_stream_is_not_searched_for(self):
        _, port = self.start_another("--timeout", "3000")
        client = self.ask_json(port, {**self.ENDLESS_STREAM, "stream": True})
        with client.makefile("rb") as answer:
            self.assertIn(b" 200 ", answer.readline())
        client.close()
        self.await_metric('seq2seq_requests_total{code="499"}', "1", port)
        self.assertEqual(self.post({"text": "a dog runs"}, port)[0], 200)

    def test_mistakes_are_named(self):
        for body, code, *parts in (
                (b"{", 400, "JSON"), (b"[1]", 400, "JSON"), (b"\xff\xfe", 400, "JSON"), ({}, 400, "text"),
                ({"text": 5}, 400, "text", "5"), ({"text": ["a", 1]}, 400, "text"),
                ({"text": "a", "baem": 5}, 400, "baem", "beam"), ({"text": "a", "beam": "many"}, 400, "beam", "many"),
                ({"text": "a", "beam": 0}, 400, "beam", "0"), ({"text": "a", "prefix": 1}, 400, "prefix"),
                ({"text": "a", "constraints": "b"}, 400, "constraints"),
                ({"text": "a" * 101}, 413, "101", "100"), ({"text": ["a"] * 4}, 413, "4", "3"),
                ({"text": "a" * 3000}, 413, "2000"), (b'{"beam":' + b"[" * 900 + b"]" * 900 + b"}", 413, "nesting"),
                ({"text": "a", "beam": 1000}, 400, "beam", "max_beam"),
                ({"text": "a", "min_length": 10**9, "max_length": 10**9}, 400, "max_length", "max_subwords"),
                ({"text": "a", "constraints": ["a"] * 101}, 400, "constraints", "max_constraints"),
                ({"text": "a" * 100, "attention": True, "max_length": 10**4, "max_ratio": 10**4, "beam": 50,
                  "n_best": 50}, 413, "attention"),
                ({"text": "a", "beam=2 #": 1}, 400, "beam=2 #")):
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
        metrics = self.metrics()
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

    def test_refuses_what_is_too_large_before_it_is_read(self):
        for head, body, code in (
                (b"Content-Length: 99999999999", b"", b"413"),
                (b"Transfer-Encoding: chunked", b"10000\r\n" + b"x" * 65536 + b"\r\n", b"413"),
                (b"Transfer-Encoding: chunked", b"10\r\n" + b"x" * 16 + b"\r\n" + b"10\r\n0123456789abcdef\r\n" * 200, b"413"),
                (b"\r\n".join(b"A%d: x" % i for i in range(1000)), b"", b"431"),
                (b"A: " + b"x" * 1_000_000, b"", b"431")):
            with self.ask(self.port, head, body) as client:
                self.assertEqual(client.recv(12), b"HTTP/1.1 " + code)
        self.assertEqual(self.post({"text": "a dog runs"})[0], 200)

    def test_slow_senders_are_dropped_and_keep_nobody_out(self):
        _, port = self.start_another("--connections", "8", "--client-timeout", "1")
        slow = [self.ask(port, b"Content-Length: 100", b"{") for _ in range(20)]
        self.assertEqual(self.post({"text": "a dog runs"}, port)[0], 200)
        with slow[-1].makefile("rb") as answer:
            self.assertIn(b" 408 ", answer.readline())
        self.assertIn('seq2seq_requests_total{code="408"}', self.metrics(port))

    def test_searches_that_take_too_long_are_given_up(self):
        _, port = self.start_another("--timeout", "0.5")
        code, answer = self.post(self.ENDLESS, port)
        self.assertEqual(code, 504)
        self.assertIn("too long", answer["error"])
        self.assertEqual(self.post({"text": "a dog runs"}, port)[0], 200)

    def test_more_texts_than_may_ever_wait_are_refused_for_good(self):
        _, port = self.start_another("--queue", "2")
        code, answer = self.post({"text": ["a dog runs"] * 3}, port)
        self.assertEqual(code, 413, answer)
        self.assertEqual(self.post({"text": ["a dog runs"] * 2}, port)[0], 200)

    def test_who_hangs_up_is_not_searched_for(self):
        _, port = self.start_another("--timeout", "3000")
        for hung_up in range(1, 4):
            client = self.ask_json(port, self.ENDLESS)
            client.close()
            self.await_metric('seq2seq_requests_total{code="499"}', str(hung_up), port)
            self.assertEqual(self.post({"text": "a dog runs"}, port)[0], 200)

    def test_finishes_what_has_begun_when_it_is_told_to_end(self):
        server, port = self.start_another("--grace", "60")
        answers = []
        body = {"text": ["a dog runs"] * 200, "beam": 50}
        asking = threading.Thread(target=lambda: answers.append(self.post(body, port)))
        asking.start()
        while asking.is_alive():
            if self.metrics(port)["seq2seq_waiting"] != "0":
                break
        server.send_signal(signal.SIGTERM)
        asking.join()
        self.assertEqual(answers[0][0], 200)
        self.assertEqual(len(answers[0][1]["results"]), 200)
        self.assertEqual(server.wait(timeout=20), 0)

    def test_gives_up_what_takes_longer_than_the_grace_time(self):
        server, port = self.start_another("--grace", "1", "--timeout", "3000")
        client = self.ask_json(port, self.ENDLESS)
        self.get("/health", port)
        server.send_signal(signal.SIGTERM)
        with client.makefile("rb") as answer:
            self.assertIn(b" 503 ", answer.readline())
        self.assertEqual(server.wait(timeout=60), 0)

    def test_ends_when_it_is_told_to_while_it_loads(self):
        for delay in (0.1, 0.3, 0.5, 0.7, 1, 1.5, None):
            server = self.launch()
            self.addCleanup(server.stderr.close)
            self.addCleanup(server.kill)
            if delay is None:
                server.stderr.readline()  # It listens.
            else:
                time.sleep(delay)
            server.send_signal(signal.SIGTERM)
            self.assertIn(server.wait(timeout=30), (0, -signal.SIGTERM))  # The latter before it knows of signals.

    def test_a_log_that_nobody_reads_stops_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as reserved:
            port = reserved.getsockname()[1]
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        os.set_blocking(writing, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, b"x" * 4096)
        os.set_blocking(writing, True)
        server = subprocess.Popen([PROGRAM, "serve", "-m", str(self.model), "--port", str(port), "--max-line-length", "1"],
                                  stderr=writing)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        os.close(writing)
        end = time.monotonic() + 60
        while True:
            try:
                self.get("/health", port)
                break
            except OSError:
                self.assertLess(time.monotonic(), end)
                time.sleep(0.05)
        self.assertEqual(self.post({"text": ["a dog runs"] * 100}, port)[0], 200)  # Each is cut, which is logged.
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(timeout=20), 0)

    def test_the_end_of_who_reads_the_log_does_not_end_it(self):
        server, port = self.start_another("--max-line-length", "1")
        server.stderr.close()
        self.assertEqual(self.post({"text": "a dog runs"}, port)[0], 200)
        self.assertEqual(self.post({"text": "a dog runs"}, port)[0], 200)
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(timeout=20), 0)

    def test_requests_cannot_fill_the_log(self):
        server, port = self.start_another("--max-line-length", "1")
        for _ in range(10):
            self.assertEqual(self.post({"text": ["a dog runs"] * 100}, port)[0], 200)
        server.send_signal(signal.SIGTERM)
        log = server.stderr.read().decode()
        self.assertIn("is cut to 1\n", log)
        self.assertIn(" log messages dropped\n", log)
        self.assertLess(log.count("\n"), 500)

    def test_page_asks_for_what_the_server_does_by_itself(self):
        _, port = self.start_another("-b", "6", "--groups", "3", "--max-beam", "12", "--max-n-best", "4")
        page = self.get("/", port)
        self.assertIn('min="1" max="12" value="6"', page)
        self.assertIn("beam === 6 ? {} : { beam }", page)
        self.assertIn("Math.min(beam, 4)", page)
        self.assertNotIn("{{", page)
        code, answer = self.post({"text": "a dog runs", "n_best": 4, "attention": True}, port)
        self.assertEqual(code, 200, answer)

    def test_mistakes_at_the_start(self):
        self.assert_fails(seq2seq("serve", "-m", self.model, "--port", self.port, timeout=30), self.port)
        self.assert_fails(seq2seq("serve", "-m", self.model, "--port", "70000"), "port", "70000")
        self.assert_fails(seq2seq("serve", "-m", self.model / "none"), "none")


if __name__ == "__main__":
    unittest.main()
