"""Compares whole-module files, given as JSON: {"again": [[PyTorch's own, ours], ...], "made": a file of the layers of layers.json
that JavaScript made}. Classes, attributes, their types and values must be those of PyTorch's own modules, and the results its.
"""

import json
import math
import sys
import warnings
import weakref
from pathlib import Path

import torch
from torch import nn

warnings.simplefilter("ignore")
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from modules import draw, from_case, snake  # noqa: E402

# Weak references, whether a faster way is open, and what handles of hooks count.
SKIPPED = {"_flat_weight_refs", "use_nested_tensor", "_load_hook", "_initialize_hook"}


class Difference(Exception):
    pass


class Comparison:
    def __init__(self):
        self.seen = set()

    def values(self, a, b, at):
        for name in sorted(set(a) | set(b)):
            if name in SKIPPED:
                continue
            if name not in a or name not in b:
                raise Difference(f"{at}: {name} is only in {'the first' if name in a else 'the second'}")
            self(a[name], b[name], f"{at}.{name}")

    def __call__(self, a, b, at):
        if isinstance(a, (nn.Module, torch.Tensor)) or hasattr(a, "__dict__"):
            if (id(a), id(b)) in self.seen:
                return
            self.seen.add((id(a), id(b)))
        if type(a) is not type(b):
            raise Difference(f"{at}: {type(a)} and {type(b)}")
        if isinstance(a, nn.parameter.UninitializedTensorMixin) or isinstance(a, weakref.ref):
            return
        if isinstance(a, torch.Tensor):
            same = a.dtype == b.dtype and a.shape == b.shape and a.requires_grad == b.requires_grad
            if not same or not torch.allclose(a.detach(), b.detach(), 1e-5, 1e-6, equal_nan=True):
                raise Difference(f"{at}: {a} and {b}")
        elif isinstance(a, dict):
            if "hooks" in at.rsplit(".", 1)[-1]:  # by numbers that differ
                a, b = dict(enumerate(a.values())), dict(enumerate(b.values()))
            if "._" in at and list(a) != list(b):
                raise Difference(f"{at}: {list(a)} and {list(b)}")
            self.values({str(k): v for k, v in a.items()}, {str(k): v for k, v in b.items()}, at)
        elif isinstance(a, (list, tuple)):
            if len(a) != len(b):
                raise Difference(f"{at}: {a} and {b}")
            for i, (x, y) in enumerate(zip(a, b)):
                self(x, y, f"{at}[{i}]")
        elif isinstance(a, nn.Module) or (hasattr(a, "__dict__") and not callable(a)):
            self.values(vars(a), vars(b), at)
        elif type(a).__module__.startswith("torch.nn.utils") or type(a).__name__ == "_WrappedHook":
            self.values(vars(a), vars(b), at)
        elif type(a).__name__ == "method":
            if a.__func__ is not b.__func__:
                raise Difference(f"{at}: {a} and {b}")
        elif a != b and not (isinstance(a, float) and math.isnan(a) and math.isnan(b)):
            raise Difference(f"{at}: {a!r} and {b!r}")


def tensors(v):
    if isinstance(v, torch.Tensor):
        return [v]
    return [t for x in v for t in tensors(x)] if isinstance(v, (tuple, list)) else []


def check_case(case, module):
    """A layer that JavaScript made from the same seed, against PyTorch's own and its recorded results."""
    Comparison()(from_case(case), module, "layer")
    inputs = [draw(s) for s in case["inputs"]]
    found = tensors(module(*inputs, **{snake(k): draw(v) for k, v in case["call"].items()}))
    if len(found) != len(case["outputs"]):
        raise Difference(f"{len(found)} outputs")
    for t, want in zip(found, case["outputs"]):
        values = torch.tensor([float(x) for x in want["values"]], dtype=torch.float64).reshape(want["shape"])
        if not torch.allclose(t.double(), values, 1e-4, 1e-5, equal_nan=True):
            raise Difference(f"output {t}, expected {values}")


def main():
    request = json.loads(sys.argv[1])
    equal = 0
    for own, ours in request["again"]:
        try:
            Comparison()(torch.load(own, weights_only=False), torch.load(ours, weights_only=False), Path(own).name)
            equal += 1
        except Difference as difference:
            print(difference)
    cases = json.loads((HERE.parent / "layers.json").read_text())
    for i, (case, module) in enumerate(zip(cases, torch.load(request["made"], weights_only=False))):
        try:
            check_case(case, module)
            equal += 1
        except (Difference, RuntimeError, AttributeError, TypeError) as difference:
            print(f"{i} {case['class']}: {difference}")
    print(f"{equal} equal")


main()
