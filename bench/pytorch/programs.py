"""Small programs; the counterpart of kinds/programs.mjs."""

import torch
from torch import nn


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


def add(n, form="function"):
    a, b = torch.randn(n), torch.randn(n)
    return (lambda: a.add_(b)) if form == "in place" else (lambda: torch.add(a, b))


def view():
    a = torch.randn(16)
    return lambda: a.view(4, 4)


def chain(layers, width, batch):
    model = nn.Sequential(*(nn.Linear(width, width) for _ in range(layers)))
    x = torch.randn(batch, width)

    def step():
        model.zero_grad()
        model(x).sum().backward()

    return step


KINDS = {"program": lambda: program, "twoLayers": two_layers, "add": add, "view": view, "chain": chain}
