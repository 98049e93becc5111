"""Measures steps of a ring of two processes over TCP: both send so many bytes and receive as many before the next step.

usage: link.py RANK ADDRESS

RANK is 0, which listens at ADDRESS and prints [[bytes, seconds of a step], …] as JSON, or 1, which connects to it.
"""

import concurrent.futures
import json
import socket
import statistics
import sys
import time

PORT = 29501
SIZES = [1, 1 << 14, 1 << 18, 1 << 20, 1 << 22]
STEPS = 8
ROUNDS = 5
WARM_UP = 2000  # Steps of a byte: processors that were idle wake up slowly.
INLINE = 1 << 14  # As many bytes fit into the buffers of a socket.


def connect(rank, address):
    if rank == 0:
        with socket.create_server((address, PORT)) as server:
            server.settimeout(60)
            return server.accept()[0]
    deadline = time.monotonic() + 60
    while True:
        try:
            return socket.create_connection((address, PORT), timeout=60)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def receive(connection, buffer):
    received = 0
    while received < len(buffer):
        count = connection.recv_into(buffer[received:])
        if count == 0:
            raise ConnectionError("the other process has ended")
        received += count


def step(connection, sender, data, buffer):
    if len(data) <= INLINE:
        connection.sendall(data)
        receive(connection, buffer)
        return
    sent = sender.submit(connection.sendall, data)
    receive(connection, buffer)
    sent.result()


def measure(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    measured = []
    with concurrent.futures.ThreadPoolExecutor(1) as sender:
        for _ in range(WARM_UP):
            step(connection, sender, b"x", memoryview(bytearray(1)))
        for size in SIZES:
            data, buffer, seconds = bytes(size), memoryview(bytearray(size)), []
            for _ in range(ROUNDS + 1):
                start = time.monotonic()
                for _ in range(STEPS):
                    step(connection, sender, data, buffer)
                seconds.append((time.monotonic() - start) / STEPS)
            measured.append([size, statistics.median(seconds[1:])])
    return measured


def main():
    rank, address = int(sys.argv[1]), sys.argv[2]
    with connect(rank, address) as connection:
        measured = measure(connection)
    if rank == 0:
        print(json.dumps(measured))


if __name__ == "__main__":
    main()
