"""Compares files, [PyTorch's own, ours, whether weights_only reads ours], given as JSON: equal values, types and sharing."""

import json
import sys
import warnings

import torch

warnings.simplefilter("ignore")


class Difference(Exception):
    pass


class Comparison:
    def __init__(self, geometry):
        self.geometry = geometry
        self.storages = ({}, {})
        self.keep = []

    def parts(self, a, b, at):
        if a.layout != b.layout or a.shape != b.shape or a.is_quantized != b.is_quantized:
            raise Difference(f"{at}: {a} and {b}")
        if a.is_quantized:
            names = ["qscheme", "int_repr", "stride"]
            per_tensor = a.qscheme() == torch.per_tensor_affine
            names += ["q_scale", "q_zero_point"] if per_tensor else ["q_per_channel_scales", "q_per_channel_zero_points", "q_per_channel_axis"]
            if a.dtype != b.dtype:
                raise Difference(f"{at}: {a.dtype} and {b.dtype}")
        elif a.layout == torch.sparse_coo:
            names = ["_indices", "_values", "is_coalesced"]
        elif a.layout in (torch.sparse_csr, torch.sparse_bsr):
            names = ["crow_indices", "col_indices", "values"]
        else:
            names = ["ccol_indices", "row_indices", "values"]
        for name in names:
            self(getattr(a, name)(), getattr(b, name)(), f"{at}.{name}()")

    def bits(self, t):
        return t.detach().contiguous().reshape(-1).view(torch.uint8) if t.numel() else torch.empty(0)

    def tensor(self, a, b, at):
        if a.is_quantized or a.layout != torch.strided:
            return self.parts(a, b, at)
        if isinstance(a, torch.nn.Parameter) != isinstance(b, torch.nn.Parameter):
            raise Difference(f"{at}: a parameter and a tensor")
        a_plain, b_plain = (t.detach().resolve_conj().resolve_neg() for t in (a, b))
        same = a.dtype == b.dtype and a.shape == b.shape and a.requires_grad == b.requires_grad
        if not same or not torch.equal(self.bits(a_plain), self.bits(b_plain)):
            raise Difference(f"{at}: {a} and {b}")
        if a.is_conj() or a.is_neg() or not a.numel() or not self.geometry:
            return
        if a.stride() != b.stride() or a.storage_offset() != b.storage_offset():
            raise Difference(f"{at}: other strides")
        self.keep.append((a, b))
        keys = [seen.setdefault(t.untyped_storage()._cdata, len(seen)) for t, seen in zip((a, b), self.storages)]
        if keys[0] != keys[1]:
            raise Difference(f"{at}: other memory is shared")

    def __call__(self, a, b, at="value"):
        if isinstance(a, torch.Tensor):
            self.tensor(a, b, at)
        elif type(a) is not type(b):
            raise Difference(f"{at}: {type(a)} and {type(b)}")
        elif isinstance(a, dict):
            if list(map(repr, a)) != list(map(repr, b)):
                raise Difference(f"{at}: keys {list(a)} and {list(b)}")
            for key in a:
                self(a[key], b[key], f"{at}.{key}")
            self(vars(a) if hasattr(a, "__dict__") else None, vars(b) if hasattr(b, "__dict__") else None, f"{at}.__dict__")
        elif isinstance(a, (list, tuple)):
            if len(a) != len(b):
                raise Difference(f"{at}: {len(a)} and {len(b)} items")
            for i, (x, y) in enumerate(zip(a, b)):
                self(x, y, f"{at}[{i}]")
        elif repr(a) != repr(b):
            raise Difference(f"{at}: {a!r} and {b!r}")


def main():
    equal = 0
    for own, ours, weights_only in json.loads(sys.argv[1]):
        expected = torch.load(own, weights_only=False)
        # weights_only refuses a defaultdict, also in PyTorch's own file.
        weights_only = weights_only and "collections" not in own
        with torch.serialization.safe_globals([(frozenset, "builtins.frozenset")]):
            found = torch.load(ours, weights_only=weights_only)
        try:
            if "numpy_values" not in own:  # NumPy's values become plain numbers and tensors
                # PyTorch cuts the storages of a tar archive into pieces where they were views.
                Comparison(geometry=".tar." not in own)(expected, found)
            equal += 1
        except Difference as difference:
            print(f"{own}: {difference}")
    print(f"{equal} equal")


main()
