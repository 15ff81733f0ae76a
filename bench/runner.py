"""PyTorch's side: the same works under the same names, one answer per request. See run.mjs."""

import json
import os
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(int(os.environ.get("BENCH_THREADS", "1")))


class MyLinear(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x @ self.weight + self.bias


class TwoLayers(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = MyLinear(4, 3)
        self.relu = nn.ReLU()
        self.second = MyLinear(3, 1)

    def forward(self, x):
        return self.second(self.relu(self.first(x)))


def two_layers():
    model = TwoLayers()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, weight_decay=1e-2, momentum=0.9)
    x = torch.randn(1, 4)

    def step():
        optimizer.zero_grad()
        loss = model(x).abs()
        loss.backward()
        optimizer.step()

    return step


def program():
    step = two_layers()
    for _ in range(10_000):
        step()


def add(n):
    a, b = torch.randn(n), torch.randn(n)
    return lambda: torch.add(a, b)


def matmul(n):
    a, b = torch.randn(n, n), torch.randn(n, n)
    return lambda: torch.matmul(a, b)


def training(model, x):
    y = torch.randint(0, 10, (x.shape[0],))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def mlp():
    return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 10),
    )  # fmt: skip


def inference(model, x):
    def run():
        with torch.no_grad():
            return model(x)

    return run


def pointwise(function, n):
    x = torch.randn(n)
    return lambda: function(x)


MLP_INPUT, CNN_INPUT = (64, 784), (64, 1, 28, 28)
WORKS = {
    "two_layer_program": (lambda: program, 1),
    "two_layer_step": (two_layers, 20),
    "add16": (lambda: add(16), 500),
    "add_1m": (lambda: add(1 << 20), 1),
    "exp_1m": (lambda: pointwise(torch.exp, 1 << 20), 1),
    "gelu_1m": (lambda: pointwise(F.gelu, 1 << 20), 1),
    "sum_1m": (lambda: pointwise(torch.sum, 1 << 20), 1),
    "softmax_1024": (lambda: (lambda x: lambda: torch.softmax(x, 1))(torch.randn(1024, 1024)), 1),
    "layer_norm_1024": (lambda: (lambda x: lambda: F.layer_norm(x, (1024,)))(torch.randn(1024, 1024)), 1),
    "matmul64": (lambda: matmul(64), 20),
    "matmul512": (lambda: matmul(512), 1),
    "matmul1024": (lambda: matmul(1024), 1),
    "mlp_step": (lambda: training(mlp(), torch.randn(MLP_INPUT)), 1),
    "mlp_inference": (lambda: inference(mlp(), torch.randn(MLP_INPUT)), 1),
    "cnn_step": (lambda: training(cnn(), torch.randn(CNN_INPUT)), 1),
    "cnn_inference": (lambda: inference(cnn(), torch.randn(CNN_INPUT)), 1),
}

calls = {}
print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    make, inner = WORKS[request["work"]]
    if request["work"] not in calls:
        torch.manual_seed(0)
        calls[request["work"]] = make()
    call = calls[request["work"]]
    n, wall, cpu, start = 0, 0.0, time.process_time(), time.perf_counter()
    while n == 0 or wall * 1000 < request["ms"]:
        for _ in range(inner):
            call()
        n += inner
        wall = time.perf_counter() - start
    cpu = time.process_time() - cpu
    print(json.dumps({"wall": wall * 1e6 / n, "cpu": cpu * 1e6 / n, "calls": n}), flush=True)
