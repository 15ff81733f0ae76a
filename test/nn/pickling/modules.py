"""Modules for the tests of whole-module files: of the cases of layers.json, and one of every class of torch.nn."""

import inspect
import re
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn

# Classes that the library does not have.
LEFT_OUT = {"Container", "DataParallel", "LinearCrossEntropyLoss"}

ARGUMENTS = {
    "AdaptiveLogSoftmaxWithLoss": (6, 5, [2, 4]),
    "AdaptiveAvgPool2d": ((2, None),),
    "Conv2d": (2, 2, (1, 2), 1, "same", 1, 1, True, "circular"),
    "Conv1d": (2, 2, 2, 1, 1, 1, 1, False, "reflect"),
    "ConstantPad1d": (2, 0.5),
    "ConstantPad3d": (2, -1.0),
    "LPPool1d": (2.0, 1),
    "LPPool3d": (1.5, 1),
    "ConstantPad2d": ((1, 2, 3, 4), 1.5),
    "Embedding": (3, 2, 1, 1.5),
    "EmbeddingBag": (3, 2),
    "Flatten": (),
    "Unflatten": (1, (2, 2)),
    "Fold": ((4, 5), 2),
    "FractionalMaxPool2d": (2, None, (0.5, 0.25)),
    "FractionalMaxPool3d": (2, 3),
    "GRU": (2, 1, 2),
    "LSTM": (2, 2, 1, True, True, 0.0, True, 1),
    "RNN": (2, 1, 1, "relu"),
    "RNNBase": ("GRU", 2, 1),
    "RNNCellBase": (2, 1, True, 4),
    "LayerNorm": ([2, 3],),
    "LocalResponseNorm": (2,),
    "LPPool2d": (2.0, (2, 1)),
    "MaxPool2d": ((2, 1),),
    "MultiheadAttention": (2, 1, 0.0, True, True, False, 3),
    "Parameter": None,
    "ParameterDict": ({"b": torch.ones(1), "a": torch.zeros(2), "note": "text"},),
    "ParameterList": ([torch.ones(1), 2.5, torch.zeros(2)],),
    "ModuleDict": ({"act": nn.ReLU(), "10": nn.Tanh(), "2": nn.ELU()},),
    "ModuleList": ([nn.ReLU(), nn.ReLU()],),
    "Sequential": (OrderedDict(first=nn.Linear(1, 1), second=nn.Sigmoid()),),
    "Threshold": (0.5, 2.0),
    "Transformer": (2, 1, 1, 1, 2),
    "TransformerEncoderLayer": (2, 1, 2, 0.1, "gelu"),
    "TransformerDecoderLayer": (2, 1, 2, 0.1, nn.SiLU()),
    "TransformerEncoder": (nn.TransformerEncoderLayer(2, 1, 2), 1, nn.LayerNorm(2)),
    "TransformerDecoder": (nn.TransformerDecoderLayer(2, 1, 2), 1),
    "TripletMarginWithDistanceLoss": (),
    "Upsample": (None, (1.5, 2.0), "bilinear", False),
    "BatchNorm2d": (2, 1e-3, None),
    "CrossEntropyLoss": (torch.tensor([1.0, 2.0]), None, -1, None, "sum", 0.1),
    "PReLU": (2,),
    "Softmax": (1,),
}
GUESSES = [(), (2,), (2, 1), (1, 2), (2, 2, 1), (2, 1, 2), (2, 1, 1, 1)]


class Net(nn.Module):
    """A program's own class, which pickles as modules.Net."""

    def __init__(self, hidden):
        super().__init__()
        self.hidden = hidden
        self.scale = 2.0
        self.fc1 = nn.Linear(3, hidden)
        self.fc2 = nn.Linear(hidden, 2)
        self.register_buffer("shift", torch.tensor([1.0, -1.0]))
        self.register_buffer("cache", torch.zeros(1), persistent=False)
        self.names = ("a", "b")

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x))) * self.scale + self.shift


def settings(v):
    """An array of JavaScript is a tuple."""
    return tuple(map(settings, v)) if isinstance(v, list) else v


def snake(name):
    return re.sub(r"([A-Z])", lambda m: "_" + m.group(1).lower(), name)


def from_case(c):
    """The module of a case of layers.json, with the values that its seed gives."""
    torch.manual_seed(3)
    options = {snake(k): settings(v) for k, v in c["options"].items()}
    return getattr(nn, c["class"])(*map(settings, c["args"]), **options).train(c["training"])


def draw(spec):
    """An input of a case, drawn after its module was made."""
    if not isinstance(spec, dict):
        return settings(spec)
    if "randn" in spec:
        return torch.randn(spec["randn"])
    if "rand" in spec:
        return torch.rand(spec["rand"])
    if "randint" in spec:
        return torch.randint(spec["low"], spec["high"], spec["randint"])
    return torch.tensor(spec["values"], dtype=getattr(torch, spec["dtype"]))


def every_class():
    """A module of every class of torch.nn by its name."""
    torch.manual_seed(4)
    out = OrderedDict()
    for name, cls in sorted(vars(nn).items()):
        if not (inspect.isclass(cls) and issubclass(cls, nn.Module)) or name in LEFT_OUT:
            continue
        for args in [ARGUMENTS[name]] if name in ARGUMENTS else GUESSES:
            try:
                out[name] = cls(*args)
                break
            except (TypeError, ValueError, AssertionError, NotImplementedError, RuntimeError, IndexError):
                if name in ARGUMENTS:
                    raise
        else:
            raise ValueError(f"no arguments for {name}")
    return out
