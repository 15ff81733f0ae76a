"""Records what PyTorch's CPU generator gives, test/random/streams.json, and what dropout makes of it, dropouts.json beside it.
Run with a Python that has torch."""

import json
import math
import pathlib

import torch

OUT = pathlib.Path(__file__).parent.parent / "test" / "random" / "streams.json"
MOST = 64  # values kept per call; of longer results every n-th

FLOATS = ["float32", "float64", "float16", "bfloat16"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]


def text(v):
    """What JSON has no number for, as a string."""
    beyond = abs(v) > 2**53 if isinstance(v, int) else not math.isfinite(v)
    return str(v) if beyond else v


def kept(t):
    flat = t.reshape(-1)
    step = max(1, -(-flat.numel() // MOST))
    values = flat[::step].to(torch.float64) if t.is_floating_point() else flat[::step]
    return {"step": step, "values": [text(v) for v in values.tolist()]}


def calls():
    """Each case draws several times from one seed, so that it also shows how much a call consumes."""
    for dtype in FLOATS:
        sizes = list(range(1, 41)) + [1000]
        yield "rand", dtype, [{"fn": "rand", "size": [n]} for n in (1, 2, 15, 16, 17, 1000)]
        yield "randn", dtype, [{"fn": "randn", "size": [n]} for n in sizes]
        yield "uniform_", dtype, [{"fn": "uniform_", "size": [n], "args": [-0.25, 1.75]} for n in (5, 100, 1000)]
        yield "normal_", dtype, [{"fn": "normal_", "size": [n], "args": [1.5, 0.25]} for n in (5, 31, 100)]
        yield "exponential_", dtype, [{"fn": "exponential_", "size": [n], "args": [1.5]} for n in (5, 100)]
        yield "cauchy_", dtype, [{"fn": "cauchy_", "size": [n], "args": [0.5, 2.0]} for n in (5, 50)]
        yield "log_normal_", dtype, [{"fn": "log_normal_", "size": [n], "args": [0.5, 0.25]} for n in (5, 50)]
    for dtype in FLOATS + INTEGERS + ["bool"]:
        yield "random_", dtype, [{"fn": "random_", "size": [n], "args": []} for n in (3, 20)]
        yield "bernoulli_", dtype, [{"fn": "bernoulli_", "size": [n], "args": [0.3]} for n in (7, 500)]
        if dtype != "bool":
            yield "geometric_", dtype, [{"fn": "geometric_", "size": [n], "args": [0.4]} for n in (5, 50)]
            yield "randint", dtype, [{"fn": "randint", "size": [n], "args": [3, 100]} for n in (5, 50)]
            yield "randperm", dtype, [{"fn": "randperm", "size": [], "args": [n]} for n in (1, 2, 10, 100)]
    ranges = [(0, 2**28 - 1), (0, 2**28), (-5, 2**40), (-(2**52), 2**52)]
    yield "wide randint", "int64", [{"fn": "randint", "size": [9], "args": list(r)} for r in ranges]
    yield "randperm", "int64", [{"fn": "randperm", "size": [], "args": [5000]}]
    mixed = [{"fn": "randn", "size": [3]}, {"fn": "rand", "size": [2]}, {"fn": "randn", "size": [2]}]
    yield "a pair's second value is kept", "float32", mixed + [{"fn": "randn", "size": [20]}, {"fn": "randn", "size": [1]}]


def draw(call, dtype):
    dtype = getattr(torch, dtype)
    fn, size, args = call["fn"], call["size"], call.get("args", [])
    if fn in ("rand", "randn"):
        return getattr(torch, fn)(size, dtype=dtype)
    if fn == "randint":
        return torch.randint(args[0], args[1], size, dtype=dtype)
    if fn == "randperm":
        return torch.randperm(args[0], dtype=dtype)
    return getattr(torch.empty(size, dtype=dtype), fn)(*args)


cases = []
for i, (name, dtype, sequence) in enumerate(calls()):
    seed = [0, 1, 42, 2**31 + 7, 2**32 + 5, 123456789012345][i % 6]
    torch.manual_seed(seed)
    recorded = [{**call, **kept(draw(call, dtype))} for call in sequence]
    cases.append({"name": name, "dtype": dtype, "seed": seed, "calls": recorded})

torch.manual_seed(7)
torch.randn(3)
state = torch.get_rng_state()
following = torch.randn(40)
torch.manual_seed(0)
linear = torch.nn.Linear(4, 3)
extras = {
    "state": bytes(state.tolist()).hex(),
    "following": following.double().tolist(),
    "linear": {k: v.detach().double().tolist() for k, v in linear.named_parameters()},
}
OUT.write_text(
    '{"extras": %s,\n"cases": [\n%s\n]}\n'
    % (json.dumps(extras), ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases))
)


# Dropout. Inputs are ramps, so that nothing but the mask is drawn; two draws behind each show how much it consumed.
nn, F = torch.nn, torch.nn.functional


def ramp(shape, dtype):
    return (torch.arange(math.prod(shape), dtype=torch.float64) * 0.37 - 3).reshape(shape).to(dtype)


LAYOUTS = {
    "row-major": lambda x: x,
    "transposed": lambda x: x.reshape(x.shape[::-1]).t(),
    "with gaps": lambda x: torch.stack([x, x], -1).select(-1, 1),
    "broadcast": lambda x: x[:1].expand(x.shape),
}
WAYS = {
    "F.dropout": lambda x, p: F.dropout(x, p),
    "torch.dropout": lambda x, p: torch.dropout(x, p, True),
    "inplace": lambda x, p: F.dropout(x.clone(), p, inplace=True),
    "nn.Dropout": lambda x, p: nn.Dropout(p)(x),
    "native_dropout": lambda x, p: torch.native_dropout(x, p, True)[0],
    "alpha_dropout": lambda x, p: F.alpha_dropout(x, p, training=True),
}


def dropouts():
    ways = [(way, dtype, p, "row-major") for way in WAYS for dtype in FLOATS for p in (0.1, 0.3, 0.5, 0.9)]
    # Alpha dropout adds numbers to its mask, which is about arithmetic of narrow types and not about dropout.
    ways = [row for row in ways if row[0] != "alpha_dropout" or row[1] in ("float32", "float64")]
    for way, dtype, p, layout in ways + [(way, "float32", 0.4, layout) for way in WAYS for layout in LAYOUTS]:
        x = LAYOUTS[layout](ramp([5, 7], getattr(torch, dtype))).detach().requires_grad_()
        torch.manual_seed(3)
        y = WAYS[way](x, p)
        following = torch.rand(2)
        y.sum().backward()
        found = {"values": [text(v) for v in y.detach().double().flatten().tolist()], "stride": list(y.stride())}
        grad = [text(v) for v in x.grad.double().flatten().tolist()]
        yield {"way": way, "dtype": dtype, "p": p, "layout": layout, **found, "grad": grad, "following": following.tolist()}


def networks():
    def filled(module):
        with torch.no_grad():
            for p in module.parameters():
                p.copy_(torch.sin(ramp(list(p.shape), torch.float64)).mul(0.5))
        return module

    x = torch.cos(ramp([4, 3, 6], torch.float32))
    packed = nn.utils.rnn.pack_padded_sequence(x, [4, 2, 1])
    for kind in ("RNN", "GRU", "LSTM"):
        for bidirectional in (False, True):
            layer = filled(getattr(nn, kind)(6, 4, num_layers=3, dropout=0.4, bidirectional=bidirectional))
            for form, given in (("padded", x), ("packed", packed)):
                torch.manual_seed(5)
                y = layer(given)[0]
                y = y.data if form == "packed" else y
                yield {"kind": kind, "bidirectional": bidirectional, "form": form, "values": y.detach().flatten().tolist()}
    layer = filled(nn.TransformerEncoderLayer(6, 2, 8, dropout=0.4))
    layer.self_attn.dropout = 0.0
    torch.manual_seed(5)
    yield {"kind": "TransformerEncoderLayer", "values": layer(x).detach().flatten().tolist()}


lines = [",\n".join(json.dumps(c, separators=(",", ":")) for c in rows) for rows in (dropouts(), networks())]
OUT.with_name("dropouts.json").write_text('{"functions": [\n%s\n],\n"networks": [\n%s\n]}\n' % tuple(lines))
