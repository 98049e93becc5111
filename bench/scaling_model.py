"""A model of the time of a training update in several processes, fitted to measurements of one and two.

    update = compute + late exchange + max(0, early exchange - overlap * backward)
    compute = a + b * tokens of a process,  backward = 2/3 * b * tokens of a process
    exchange = operations * 2 (N - 1) * alpha + bytes sent * beta

N processes form a ring; a sum of n bytes takes 2 (N - 1) messages, and each process sends 2 (N - 1) / N * n (Thakur,
Rabenseifner and Gropp 2005; that this is the fewest: Patarasuk and Yuan 2009). Early are the dense gradients, which are sent in
slices while the backward pass runs; late are the rows of sparse ones, gathered, and a few numbers. Local SGD exchanges all
weights and optimizer states every H updates, with no overlap.
"""

import dataclasses
import math

SLICES = 8  # At most, and of so many values at least: seq2seq/train/gradient_exchange.cc.
SLICE_VALUES = 1 << 18
BACKWARD = 2 / 3  # Of the time that grows with tokens: two of three products of a layer.
LATE_OPERATIONS = 3  # The numbers, and the rows of two embeddings.
SYNC_EVERY = 10
WORKERS = [1 << i for i in range(1, 11)]


@dataclasses.dataclass
class Network:
    """Seconds of a message, and of a byte."""
    alpha: float
    beta: float

    def ring(self, processes, operations, size):
        """Seconds of sums of `size` bytes in all."""
        return 2 * (processes - 1) * (operations * self.alpha + size / processes * self.beta)


@dataclasses.dataclass
class Workload:
    """What a model costs: a and b, and the bytes of its tensors."""
    fixed: float  # Seconds of an update without tokens: a.
    per_token: float  # b.
    sentence: float  # Target tokens of a sentence.
    slices: int
    dense: float  # Bytes of the dense gradients in fp32.
    embeddings: float  # Of those that are sparse, if all rows were sent.
    rows: dict  # {way: bytes of rows that a process sends to each other one}.
    state: float  # Bytes of weights and optimizer states.
    state_tensors: int


@dataclasses.dataclass
class Case:
    """What is trained how: `way` is fp32, bf16 or every 10, `batch` the sentences of all processes together."""
    processes: int
    batch: int
    way: str = "fp32"
    per_core: float = 1  # Processes that share a core.
    beside: float = 1  # Slowdown of computing by processes that share a machine's memory and clock.


def fit_line(points):
    """The intercept and slope of (x, y), of least squared relative error, neither below 0."""
    weights = [1 / (y * y) for _, y in points]
    total = sum(weights)
    mean_x = sum(w * x for w, (x, _) in zip(weights, points)) / total
    mean_y = sum(w * y for w, (_, y) in zip(weights, points)) / total
    above = sum(w * (x - mean_x) * (y - mean_y) for w, (x, y) in zip(weights, points))
    below = sum(w * (x - mean_x) ** 2 for w, (x, _) in zip(weights, points))
    slope = above / below if below > 0 else 0
    if slope < 0:
        return mean_y, 0.0
    intercept = mean_y - slope * mean_x
    if intercept >= 0:
        return intercept, slope
    squares = sum(w * x * x for w, (x, _) in zip(weights, points))
    return 0.0, sum(w * x * y for w, (x, y) in zip(weights, points)) / squares


def fit_network(points):
    """alpha is the time of the smallest message, beta what the two largest take beyond it for each byte: messages between may
    be faster than the link, which holds some in buffers."""
    (size, alpha), *_, second, largest = sorted(points)
    return Network(alpha, sum((seconds - alpha) / (count - size) for count, seconds in (second, largest)) / 2)


def count_slices(values):
    """Of a flat buffer of tensors with so many values each."""
    size = max(SLICE_VALUES, sum(values) // SLICES)
    slices, filled = 0, size
    for count in values:
        if filled >= size:
            slices, filled = slices + 1, 0
        filled += count
    return slices


def fit_workload(measured):
    a, b = fit_line([(point["tokens"], point["seconds"]) for point in measured["compute"]])
    sentence = sum(point["tokens"] for point in measured["compute"]) / sum(point["batch"] for point in measured["compute"])
    dense = 4 * sum(measured["dense_values"])
    # Two processes send as many bytes as the gradients have.
    rows = {"fp32": measured["sent"]["fp32"] - dense, "bf16": measured["sent"]["bf16"] - dense / 2}
    return Workload(a, b, sentence, count_slices(measured["dense_values"]), dense, 4 * measured["embedding_values"], rows,
                    measured["state_bytes"], measured["state_tensors"])


def tokens(workload, case):
    """Target tokens of the process that has most."""
    return workload.sentence * math.ceil(case.batch / case.processes)


def compute_seconds(workload, case):
    return (workload.fixed + workload.per_token * tokens(workload, case)) * case.per_core * case.beside


def hidden_seconds(workload, case):
    """The time in which an exchange can be hidden: that of the backward pass."""
    return BACKWARD * workload.per_token * tokens(workload, case) * case.per_core * case.beside


def exchange_seconds(workload, network, case):
    """Of what may run beside the backward pass, and of what may not."""
    if case.way.startswith("every"):
        seconds = network.ring(case.processes, workload.state_tensors, workload.state) / SYNC_EVERY
        return 0.0, seconds * case.per_core
    share = 0.5 if case.way == "bf16" else 1
    early = network.ring(case.processes, workload.slices, workload.dense * share)
    # Rows are gathered where that is fewer bytes than the sum of all.
    others = case.processes - 1
    rows = min(others * workload.rows[case.way], 2 * others / case.processes * workload.embeddings * share)
    late = network.ring(case.processes, LATE_OPERATIONS, 0) + rows * network.beta
    return early * case.per_core, late * case.per_core


def update_seconds(workload, network, overlap, case):
    compute = compute_seconds(workload, case)
    if case.processes == 1:
        return compute
    early, late = exchange_seconds(workload, network, case)
    return compute + late + max(0.0, early - overlap * hidden_seconds(workload, case))


def throughput(workload, network, overlap, case):
    """Target tokens a second."""
    return workload.sentence * case.batch / update_seconds(workload, network, overlap, case)


def fit_overlap(workload, network, case, seconds):
    """The overlap with which an update takes these seconds, 0 to 1; the least one if the exchange is hidden whole."""
    early, late = exchange_seconds(workload, network, case)
    exposed = max(0.0, seconds - compute_seconds(workload, case) - late)
    return min(max((early - exposed) / hidden_seconds(workload, case), 0.0), 1.0)


class Model:
    """Everything that is fitted to measurements, as `scaling --measurements` writes them."""

    def __init__(self, measured):
        self.measured = measured
        self.workloads = {name: fit_workload(of) for name, of in measured["workloads"].items()}
        self.networks = {name: fit_network(points) for name, points in measured["networks"].items()}
        self.fitted = self.point_of_overlap()
        self.overlap = 0.0
        if self.fitted is not None:
            self.overlap = fit_overlap(*self.setting(self.fitted), self.fitted["seconds"])

    def point_of_overlap(self):
        """The measured point whose exchange is nearest to 1.5 times the backward pass: less may be hidden whole and shows only
        a bound, and of many times as much the hidden part is lost in noise. None without a point of two processes."""
        def distance(point):
            workload, network, case = self.setting(point)
            return abs(math.log(exchange_seconds(workload, network, case)[0] / hidden_seconds(workload, case) / 1.5))
        points = [point for point in self.measured["points"] if point["way"] == "fp32" and point["processes"] == 2]
        return min(points, key=distance, default=None)

    def setting(self, point):
        """The workload, network and case of a measured point, whose processes share one machine."""
        processes = point["processes"]
        workload = dataclasses.replace(self.workloads[point["workload"]], sentence=point["tokens"] / point["batch"])
        case = Case(processes, point["batch"], point["way"], max(1.0, processes / self.measured["cores"]),
                    self.measured["beside"] if processes > 1 else 1.0)
        return workload, self.networks[point["network"]], case

    def predict(self, point):
        """Seconds of an update of a measured point."""
        workload, network, case = self.setting(point)
        return update_seconds(workload, network, self.overlap, case)
