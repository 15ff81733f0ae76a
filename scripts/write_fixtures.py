#!/usr/bin/env python3
"""Writes the files of test/fixtures/serialization with real PyTorch, and what they hold as fixtures.json.

    python scripts/write_fixtures.py

Needs PyTorch 2.13 and NumPy; the files are small and part of the repository, so that the tests need neither.
"""

import argparse
import base64
import io
import json
import struct
import tarfile
import warnings
import zipfile
from collections import Counter, OrderedDict, defaultdict
from pathlib import Path

import numpy as np
import torch
from torch import nn

OUT = Path(__file__).resolve().parent.parent / "test" / "fixtures" / "serialization"
cases = []


# ---------------------------------------------------------------------------------------------- what a value is


class Describer:
    """Turns a value into JSON. Equal numbers under `storage` mean shared memory."""

    def __init__(self):
        self.storages = {}
        self.keep = []

    def tensor(self, t):
        plain = t.detach().resolve_conj().resolve_neg().contiguous()
        raw = plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b""
        storage = t.untyped_storage()
        self.keep.append(storage)
        key = self.storages.setdefault(storage._cdata, len(self.storages)) if storage.nbytes() else None
        return {
            "dtype": str(t.dtype).removeprefix("torch."),
            "shape": list(t.shape),
            "stride": list(t.stride()),
            "offset": t.storage_offset(),
            "requires_grad": t.requires_grad,
            "parameter": isinstance(t, nn.Parameter),
            "storage": key,
            "bytes": base64.b64encode(raw).decode(),
        }

    def sparse(self, t):
        names = {
            torch.sparse_coo: ["_indices", "_values"],
            torch.sparse_csr: ["crow_indices", "col_indices", "values"],
            torch.sparse_bsr: ["crow_indices", "col_indices", "values"],
            torch.sparse_csc: ["ccol_indices", "row_indices", "values"],
            torch.sparse_bsc: ["ccol_indices", "row_indices", "values"],
        }[t.layout]
        parts = {name: self(getattr(t, name)()) for name in names}
        dense = self(t.to_dense())
        coalesced = t.layout == torch.sparse_coo and t.is_coalesced()
        return {"$sparse": {"layout": str(t.layout), **parts, "dense": dense, "coalesced": coalesced, "text": str(t)}}

    def quantized(self, t):
        per_tensor = t.qscheme() == torch.per_tensor_affine
        parameters = [repr(t.q_scale()), t.q_zero_point()] if per_tensor else [
            self(t.q_per_channel_scales()), self(t.q_per_channel_zero_points()), t.q_per_channel_axis()]  # fmt: skip
        return {"$quantized": {"dtype": str(t.dtype), "scheme": str(t.qscheme()), "parameters": parameters,
                               "shape": list(t.shape), "stride": list(t.stride()), "integers": self(t.int_repr().flatten().tolist()),
                               "numbers": t.dequantize().flatten().tolist(), "text": str(t)}}  # fmt: skip

    def __call__(self, v):
        if v is None or isinstance(v, (bool, str)):
            return v
        if isinstance(v, torch.Tensor) and v.layout != torch.strided:
            return self.sparse(v)
        if isinstance(v, torch.Tensor) and v.is_quantized:
            return self.quantized(v)
        if isinstance(v, torch.Tensor):
            return {"$tensor": self.tensor(v)}
        if isinstance(v, np.ndarray):
            return {"$tensor": self.tensor(torch.from_numpy(np.ascontiguousarray(v).reshape(v.shape)))}
        if isinstance(v, np.generic):
            return self(v.item())
        if isinstance(v, int):
            return v if abs(v) < 2**53 else {"$int": str(v)}
        if isinstance(v, float):
            return {"$float": repr(v)}
        if isinstance(v, complex):
            return {"$complex": [repr(v.real), repr(v.imag)]}
        if isinstance(v, (bytes, bytearray)):
            return {"$bytes": base64.b64encode(v).decode()}
        if isinstance(v, torch.Size):
            return {"$size": list(v)}
        if isinstance(v, tuple):
            return {"$tuple": [self(x) for x in v]}
        if isinstance(v, list):
            return [self(x) for x in v]
        if isinstance(v, (set, frozenset)):
            return {"$set": sorted((self(x) for x in v), key=str)}
        if isinstance(v, torch.dtype):
            return {"$dtype": str(v).removeprefix("torch.")}
        if isinstance(v, torch.device):
            return {"$device": str(v)}
        if isinstance(v, OrderedDict):
            attributes = {k: self(x) for k, x in vars(v).items()}
            return {"$odict": [[self(k), self(x)] for k, x in v.items()], "attributes": attributes}
        if isinstance(v, dict):
            return {"$dict": [[self(k), self(x)] for k, x in v.items()]}
        raise TypeError(f"no description of {type(v)}")


def case(name, value, **more):
    """Records a file that is there already; `value` is what a reader must find in it."""
    cases.append({"file": name, "content": Describer()(value), **more})


def save(name, value, expect=None, *, record=True, **kwargs):
    """Saves with torch.save, and records what the file holds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(value, OUT / name, **kwargs)
    if record:
        case(name, value if expect is None else expect)


def refused(name, message, **more):
    """Records a file that must be refused with an error that contains `message`."""
    cases.append({"file": name, "refuse": message, **more})


# ---------------------------------------------------------------------------------------------- the values


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 6)
        self.bn = nn.BatchNorm1d(6)
        self.fc2 = nn.Linear(6, 3)

    def forward(self, x):
        return self.fc2(torch.relu(self.bn(self.fc1(x))))


def plain_values():
    shared = [1, 2]
    cyclic = {"name": "cycle"}
    cyclic["list"] = [shared]
    return {
        "none": None,
        "true": True,
        "false": False,
        "ints": [0, 1, 255, 256, 65535, 65536, 2**31 - 1, 2**31, -1, -(2**31), -(2**31) - 1, 2**53 - 1],
        "bigints": [2**53, -(2**53), 2**64 - 1, -(2**63), 2**200 + 1, -(2**200)],
        "floats": [0.1, -2.5, 1.0, -3.0, 0.0, -0.0, 1e300, 5e-324, float("inf"), float("-inf"), float("nan"), 1e16],
        "strings": ["", "text", "é名🙂\0\n\"'\\", "\ud800", "x" * 300],
        "bytes": [b"", b"\x00\xff\n'", bytes(range(256))],
        "bytearray": bytearray(b"abc"),
        "tuples": [(), (1,), (1, 2.0), (1, 2, 3), (1, (2, (3, 4)), [5], 6)],
        "set": {1, 2, 3},
        "frozenset": frozenset(["a"]),
        "complex": 1.5 - 2j,
        "size": torch.Size([2, 3]),
        "dtypes": [torch.float32, torch.bfloat16, torch.int64, torch.bool, torch.complex64],
        "devices": [torch.device("cpu"), torch.device("cuda", 1), torch.device("mps")],
        "odict": OrderedDict([("b", 1), ("a", OrderedDict())]),
        "nested": {"x": {"y": {"z": [None]}}},
        "int_keys": {3: "c", 1: "a", -1: "m"},
        "mixed_keys": {(1, 2): "t", None: "n", 1.5: "f", True: "b", b"k": "bytes", "s": "string"},
        "number_like_keys": {"b": 1, "10": 2, "2": 3.0, "a": 4},
        "odd_keys": {"__proto__": 1, "constructor": {"prototype": 2}, "toString": None, "": 3},
        "shared": shared,
        "shared_again": shared,
        "inner": cyclic,
    }


def every_dtype():
    out = OrderedDict()
    for dtype in [torch.float64, torch.float32, torch.float16, torch.bfloat16]:
        out[str(dtype)] = torch.tensor([0.0, -0.0, 1.5, -2.25, float("inf"), float("nan")], dtype=dtype)
    for dtype in [torch.int64, torch.int32, torch.int16, torch.int8]:
        info = torch.iinfo(dtype)
        out[str(dtype)] = torch.tensor([info.min, -1, 0, 1, info.max], dtype=dtype)
    out["torch.uint8"] = torch.tensor([0, 1, 255], dtype=torch.uint8)
    out["torch.bool"] = torch.tensor([True, False, True])
    for dtype in [torch.complex64, torch.complex128]:
        out[str(dtype)] = torch.tensor([1 + 2j, -0.5j], dtype=dtype)
    return out


def views():
    base = torch.arange(24, dtype=torch.float32)
    out = OrderedDict(base=base, matrix=base.view(4, 6), transposed=base.view(4, 6).t(), row=base.view(4, 6)[1])
    out.update(column=base.view(4, 6)[:, 2], block=base.view(4, 6)[1:3, 2:5], step=base[::3], last=base[23])
    out.update(overlapping=torch.as_strided(base, (3, 3), (1, 1), 2), expanded=torch.tensor([1.0, 2.0]).expand(3, 2))
    out.update(tail=torch.arange(100)[90:], empty=torch.empty(0), empty_2d=torch.empty(0, 3), empty_view=base[5:5])
    out.update(scalar=torch.tensor(7), channels_last=torch.arange(48.0).view(2, 3, 2, 4).to(memory_format=torch.channels_last))
    return out


def element_types():
    bits = torch.arange(24, dtype=torch.uint8)
    shared = torch.tensor([[1, 2, 3], [4, 5, 65535]], dtype=torch.uint16)
    out = OrderedDict(shared=shared, column=shared[:, 1], again=shared, parameter=nn.Parameter(shared, requires_grad=False))
    for name in ["uint32", "uint64", "complex32", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"]:
        out[name] = bits.clone().view(getattr(torch, name))
    return {"tensors": out, "types": [torch.uint16, torch.float8_e4m3fn, torch.complex32]}


def sparse_tensors():
    coo = torch.sparse_coo_tensor([[0, 1, 0], [2, 0, 2]], [1.0, 2.0, 3.0], (2, 3))
    hybrid = torch.sparse_coo_tensor([[1, 3]], torch.arange(4).view(2, 2), (4, 2))
    block = torch.arange(1.0, 17.0).view(4, 4) * torch.tensor([[1, 0], [0, 1]]).repeat_interleave(2, 0).repeat_interleave(2, 1)
    batch = torch.stack([torch.eye(3), torch.eye(3).flip(0)])
    return {"uncoalesced": coo, "coalesced": coo.coalesce(), "hybrid": hybrid, "empty": torch.sparse_coo_tensor(size=(2, 0, 3)),
            "csr": torch.tensor([[0.0, 2.0, 0.0], [1.0, 0.0, 3.0]]).to_sparse_csr(), "csc": torch.tensor([[0.0, 2.0, 0.0], [1.0, 0.0, 3.0]]).to_sparse_csc(),
            "bsr": block.to_sparse_bsr((2, 2)), "bsc": block[:, :2].to_sparse_bsc((2, 1)), "batch": batch.to_sparse_csr()}  # fmt: skip


def quantized_tensors():
    x = torch.tensor([[0.5, -1.25, 3.0], [7.75, 0.0, -2.5]])
    scales, zeros = torch.tensor([0.25, 0.5], dtype=torch.float64), torch.tensor([3, -1])
    quint8 = torch.quantize_per_tensor(x, 0.1, 30, torch.quint8)
    floats = (torch.tensor([0.5, 0.25]), torch.tensor([1.0, 2.0]))
    return {"quint8": quint8, "transposed": quint8.t(), "qint8": torch.quantize_per_tensor(x, 1.0, 0, torch.qint8),
            "qint32": torch.quantize_per_tensor(x, 0.001, 5, torch.qint32), "channels": torch.quantize_per_channel(x, scales, zeros, 0, torch.qint8),
            "columns": torch.quantize_per_channel(x, torch.rand(3).double() + 0.1, torch.zeros(3, dtype=torch.int64), 1, torch.qint8),
            "packed": torch.quantize_per_channel(x[:, :2].contiguous().abs(), *floats, 0, torch.quint4x2)}  # fmt: skip


def checkpoint():
    torch.manual_seed(0)
    model = Net()
    groups = [{"params": model.fc1.parameters(), "lr": 1.0}, {"params": model.fc2.parameters(), "lr": 0.5}]
    optimizer = torch.optim.AdamW(groups, amsgrad=True)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
    for _ in range(2):
        optimizer.zero_grad()
        model(torch.randn(5, 4)).sum().backward()
        optimizer.step()
        scheduler.step()
    return {
        "epoch": 3,
        "best": 0.75,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "rng": torch.get_rng_state()[:64].clone(),
        "history": [(1, 0.5), (2, 0.25)],
    }


# ---------------------------------------------------------------------------------------------- files PyTorch cannot write


def big_endian(name, value):
    """A file as a big-endian machine writes it: every element of every storage reversed."""
    data = io.BytesIO()
    torch.save(value, data)
    widths = {t.untyped_storage().nbytes(): t.element_size() // (2 if t.is_complex() else 1) for t in value.values()}
    with zipfile.ZipFile(data) as source, zipfile.ZipFile(OUT / name, "w") as target:
        for info in source.infolist():
            raw = source.read(info)
            if info.filename.endswith("/byteorder"):
                raw = b"big"
            elif "/data/" in info.filename:
                width = widths[len(raw)]
                raw = b"".join(raw[i : i + width][::-1] for i in range(0, len(raw), width))
            target.writestr(zipfile.ZipInfo(info.filename), raw)
    assert all(torch.equal(x, y) for x, y in zip(torch.load(OUT / name).values(), value.values()))
    case(name, value)


class OldPickler(torch.serialization.pickle._Pickler):
    """What torch.save was in the first versions: tensors by their key."""

    def __init__(self, file, keys):
        super().__init__(file, protocol=2)
        self.keys = keys

    def persistent_id(self, obj):
        return str(self.keys[id(obj)]) if id(obj) in self.keys else None


def tar(name):
    """The format before PyTorch 0.2: a tar archive of storages, tensors and the pickle."""
    import pickle

    base = torch.arange(6, dtype=torch.float32)
    other = torch.tensor([7, 8], dtype=torch.int64)
    value = OrderedDict(base=base, rows=base.view(2, 3)[1], other=other, again=base, epoch=5)
    value["tail"] = base[4:]
    tensors = {1001: base, 1002: value["rows"], 1003: other, 1004: value["tail"]}
    storages = [(11, torch.FloatStorage, base), (12, torch.LongStorage, other)]

    def dump(obj):
        return pickle.dumps(obj, protocol=2)

    storage_file = dump(2)
    for key, cls, t in storages:
        storage_file += dump((key, "cpu", cls)) + struct.pack("<q", t.numel()) + t.numpy().tobytes()
    storage_file += dump([(13, 11, 4, 2)])
    tensor_file = dump(len(tensors))
    of = {1001: (11, 0), 1002: (11, 3), 1003: (12, 0), 1004: (13, 0)}
    for key, t in tensors.items():
        cls = torch.FloatTensor if t.dtype == torch.float32 else torch.LongTensor
        tensor_file += dump((key, of[key][0], cls)) + struct.pack("<ii", t.dim(), 0)
        tensor_file += struct.pack(f"<{t.dim()}q", *t.shape) + struct.pack(f"<{t.dim()}q", *t.stride())
        tensor_file += struct.pack("<q", of[key][1])
    objects = io.BytesIO()
    OldPickler(objects, {id(t): key for key, t in tensors.items()}).dump(value)
    with tarfile.open(OUT / name, "w:") as archive:
        for member, raw in [("sys_info", dump({})), ("pickle", objects.getvalue()), ("tensors", tensor_file), ("storages", storage_file)]:
            info = tarfile.TarInfo(member)
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))
    found = torch.load(OUT / name, weights_only=False)
    assert all(torch.equal(v, found[k]) if isinstance(v, torch.Tensor) else v == found[k] for k, v in value.items())
    case(name, value)


SAFETENSORS = {"float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
               "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL", "complex64": "C64", "uint16": "U16"}  # fmt: skip


def safetensors(name, tensors, metadata=None, record=True):
    """The format by its own description: the length of the header, the header, the data."""
    header = {} if metadata is None else {"__metadata__": metadata}
    data = b""
    for key, t in tensors.items():
        raw = t.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if t.numel() else b""
        dtype = SAFETENSORS[str(t.dtype).removeprefix("torch.")]
        header[key] = {"dtype": dtype, "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    (OUT / name).write_bytes(struct.pack("<Q", len(text)) + text + data)
    if record:
        case(name, tensors, metadata=metadata)


def numpy_files():
    def npy(name, array, shown=None):
        np.save(OUT / name, array, allow_pickle=False)
        t = torch.from_numpy(array.astype(array.dtype.newbyteorder("="), order="K") if shown is None else shown)
        case(name, t)

    npy("matrix.npy", np.arange(12, dtype="<f4").reshape(3, 4))
    npy("column_major.npy", np.asfortranarray(np.arange(12, dtype="<i8").reshape(3, 4)))
    npy("big_endian.npy", np.array([1.5, -2, 1e-300], dtype=">f8"))
    npy("big_endian_complex.npy", np.array([1 + 2j, -0.5j], dtype=">c8"))
    npy("scalar.npy", np.array(2.5))
    npy("empty.npy", np.zeros((0, 3), dtype="<i2"))
    npy("bool.npy", np.array([True, False]))
    npy("half.npy", np.array([1.5, -0.0, np.inf], dtype="<f2"))
    np.save(OUT / "unsigned.npy", np.array([1, 2], dtype="<u4"))
    refused("unsigned.npy", "torch.uint32")
    np.save(OUT / "text.npy", np.array(["a", "bc"]))
    refused("text.npy", "only numbers and booleans")
    arrays = {"a": np.arange(6, dtype="<f4").reshape(2, 3), "b": np.array(7), "__proto__": np.array([1.0])}
    for name, write in [("stored.npz", np.savez), ("deflated.npz", np.savez_compressed)]:
        write(OUT / name, **arrays)
        case(name, {k: torch.from_numpy(np.array(v)) for k, v in arrays.items()})


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()

    torch.manual_seed(0)
    net = Net()
    save("state_dict.pt", net.state_dict())
    save("parameters.pt", {"tied": [net.fc1.weight, net.fc1.weight], "frozen": nn.Parameter(torch.ones(2), requires_grad=False),
                           "view": net.fc1.weight.detach()[1], "leaf": torch.ones(3, requires_grad=True)})  # fmt: skip
    save("checkpoint.pt", checkpoint())
    save("checkpoint_legacy.pt", checkpoint(), _use_new_zipfile_serialization=False)
    save("dtypes.pt", every_dtype())
    save("dtypes_legacy.pt", every_dtype(), _use_new_zipfile_serialization=False)
    save("views.pt", views())
    save("views_legacy.pt", views(), _use_new_zipfile_serialization=False)
    for protocol in range(6):
        save(f"values_protocol{protocol}.pt", plain_values(), pickle_protocol=protocol)
        save(f"values_legacy_protocol{protocol}.pt", plain_values(), pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    save("views_protocol5.pt", views(), pickle_protocol=5)
    save("top_level_none.pt", None)
    save("top_level_scalar.pt", torch.tensor(1.5, dtype=torch.float64))

    cycle = [1]
    cycle.append({"self": cycle})
    save("cycle.pt", cycle, record=False)
    cases.append({"file": "cycle.pt", "cycle": True})
    save("collections.pt", {"counter": Counter("abca"), "default": defaultdict(list, k=[1]), "plain": defaultdict(None, x=1)})

    z = torch.tensor([1 + 2j, 3 - 4j])
    save("lazy_signs.pt", {"conj": z.conj(), "imag": z.clone().conj().imag, "neg": torch._neg_view(torch.tensor([1.0, -2.0]))}, record=False)
    lazy = {"conj": z.conj().resolve_conj(), "imag": z.conj().imag.resolve_neg(), "neg": torch.tensor([-1.0, 2.0])}
    cases.append({"file": "lazy_signs.pt", "content": Describer()(lazy), "geometry": False})

    tagged = torch.arange(3.0)
    tagged.note = "an attribute"
    parameter = nn.Parameter(torch.arange(2.0))
    parameter.note = "another"
    save("attributes.pt", {"tensor": tagged, "parameter": parameter})

    save("numpy_values.pt", {"f8": np.float64(0.25), "whole": np.float32(3.0), "i8": np.int64(-5), "u1": np.uint8(200),
                             "bool": np.bool_(True), "array": np.arange(6, dtype="<f4").reshape(2, 3),
                             "big": np.array([1, 2], dtype=">i4").astype("<i4"), "big_endian": np.float64(1.5).astype(">f8")})  # fmt: skip
    save("numpy_values_protocol5.pt", {"array": np.arange(6, dtype="<f8").reshape(2, 3)}, pickle_protocol=5)

    torch.serialization.set_crc32_options(False)
    save("no_checksums.pt", net.state_dict())
    torch.serialization.set_crc32_options(True)
    big_endian("big_endian.pt", OrderedDict(a=torch.tensor([1.5, -2.0, 3.0]), b=torch.tensor([1, -2, 2**40]),
                                            c=torch.tensor([1 + 2j], dtype=torch.complex128), d=torch.tensor([1, 2, 3], dtype=torch.uint8)))  # fmt: skip
    tar("first_versions.tar.pt")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save("element_types.pt", element_types())
        save("sparse.pt", sparse_tensors())
        save("sparse_legacy.pt", sparse_tensors(), _use_new_zipfile_serialization=False)
        save("quantized.pt", quantized_tensors())
        save("quantized_legacy.pt", quantized_tensors(), _use_new_zipfile_serialization=False)
    save("namespace.pt", {"args": argparse.Namespace(lr=0.5, names=["a"]), "w": torch.ones(2)}, record=False)
    refused("namespace.pt", "argparse.Namespace")
    save("module.pt", nn.Sequential(nn.Linear(2, 3), nn.ReLU()), record=False)
    refused("module.pt", "torch.nn.modules.container.Sequential")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(nn.Linear(2, 3), torch.ones(1, 2)), str(OUT / "torchscript.pt"))
    refused("torchscript.pt", "torch.jit.load")

    safetensors("tensors.safetensors", {k.removeprefix("torch."): v for k, v in every_dtype().items() if v.dtype != torch.complex128})
    odd = {k: torch.tensor([float(i)]) for i, k in enumerate(["__proto__", "constructor", "", "名", "10", "2", "a.b"])}
    odd.update(scalar=torch.tensor(3.0), empty=torch.zeros(0, 4))
    safetensors("odd_names.safetensors", odd, {"format": "pt", "__proto__": "x"})
    safetensors("unsigned.safetensors", {"w": torch.tensor([1, 2], dtype=torch.uint16)}, record=False)
    refused("unsigned.safetensors", "torch.uint16", inspect=[["w", "uint16", [2], 4]])
    numpy_files()

    (OUT / "fixtures.json").write_text(json.dumps({"torch": torch.__version__, "cases": cases}, separators=(",", ":")) + "\n")
    print(f"{len(cases)} files, {sum(f.stat().st_size for f in OUT.iterdir())} bytes")


if __name__ == "__main__":
    main()
