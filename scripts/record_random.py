"""Records what PyTorch's CPU generator gives: test/random/streams.json. Run with a Python that has torch."""

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
