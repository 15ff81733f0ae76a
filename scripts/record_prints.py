"""Records how PyTorch prints tensors: test/tensor/print_cases.json. Run with a Python that has torch."""

import base64
import json
import pathlib

import torch

OUT = pathlib.Path(__file__).parent.parent / "test" / "tensor" / "print_cases.json"
nan, inf = float("nan"), float("inf")
cases = []


def record(name, t, options=None, grad=False, parameter=False):
    stored = t.detach().contiguous()
    plain = torch.view_as_real(stored) if stored.is_complex() else stored
    data = plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b""
    shown = t.requires_grad_() if grad else t
    if parameter:
        shown = torch.nn.Parameter(t, requires_grad=grad)
    torch.set_printoptions(profile="default", sci_mode=None)
    if options:
        torch.set_printoptions(**options)
    case = {
        "name": name,
        "dtype": str(t.dtype).removeprefix("torch."),
        "shape": list(t.shape),
        "data": base64.b64encode(data).decode(),
        "text": str(shown),
    }
    if options:
        case["options"] = options
    if grad:
        case["grad"] = True
    if parameter:
        case["parameter"] = True
    cases.append(case)


def ramp(*shape, dtype=torch.float32):
    n = 1
    for s in shape:
        n *= s
    return (torch.arange(n, dtype=torch.float64) / 7).reshape(shape).to(dtype)


for dtype in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64):
    record(f"{dtype} values", torch.tensor([[1, 20], [100, 4]], dtype=dtype))
    record(f"{dtype} scalar", torch.tensor(5, dtype=dtype))
    record(f"{dtype} empty", torch.empty(0, dtype=dtype))
for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
    record(f"{dtype} whole", torch.tensor([1.0, -20.0, 300.0], dtype=dtype))
    record(f"{dtype} fractions", torch.tensor([1.5, -20.25, 300.125], dtype=dtype))
    record(f"{dtype} scalar", torch.tensor(3.14159265, dtype=dtype))
    record(f"{dtype} wide range", torch.tensor([1e-3, 1.0, 3e3], dtype=dtype))
    record(f"{dtype} not finite", torch.tensor([nan, inf, -inf, 1.5], dtype=dtype))
    record(f"{dtype} empty", torch.empty(0, dtype=dtype))
    record(f"{dtype} negative zero", torch.tensor([0.0, -0.0], dtype=dtype))
    record(f"{dtype} ramp", ramp(4, 5, dtype=dtype))

record("bool", torch.tensor([[True, False], [False, False]]))
record("bool scalar", torch.tensor(True))
record("all false", torch.zeros(3, dtype=torch.bool))
record("int64 extremes", torch.tensor([2**62, -(2**63), 2**63 - 1, 0]))
record("0 x 3", torch.empty(0, 3))
record("2 x 0 x 3 integers", torch.empty(2, 0, 3, dtype=torch.int64))
record("empty with gradient", torch.empty(0, 3), grad=True)

record("whole and not finite", torch.tensor([nan, inf, 2.0, -inf]))
record("only not finite", torch.tensor([nan, inf, -inf]))
record("large whole numbers", torch.tensor([1.0, 12345678.0]))
record("over 1e8", torch.tensor([2e8, 1e8]))
record("exactly 1e8", torch.tensor([1e8, 1e6]))
record("ratio of 1000", torch.tensor([1000.5, 1.0005], dtype=torch.float64))
record("ratio over 1000", torch.tensor([1001.5, 1.0]))
record("tiny", torch.tensor([9.9e-5, 2e-4]))
record("scientific with nan", torch.tensor([1e-10, nan, -inf, 5e5]))
record("exponents of three digits", torch.tensor([1e-200, 1e200, -1.0], dtype=torch.float64))
record("denormal", torch.tensor([5e-324, 1.0], dtype=torch.float64))
record("ties go to even", torch.tensor([0.03125, 0.09375, 0.15625, -0.03125], dtype=torch.float64))
record("carry in rounding", torch.tensor([0.99995, 9.99996, 99.99999]))
record("negative that rounds to zero", torch.tensor([-0.00012, 0.05]))

record("cube", ramp(2, 3, 4))
record("4-D", ramp(2, 2, 2, 3))
record("5-D", ramp(1, 2, 1, 2, 2))
record("one column", ramp(3, 1))
record("broken lines", ramp(40))
record("broken lines of integers", torch.arange(100) * 37)
record("long rows", ramp(2, 30))
record("999 elements", torch.arange(999))
record("1000 elements", torch.arange(1000.0))
record("1001 elements", torch.arange(1001.0))
record("summarized 2-D", ramp(40, 50))
record("summarized, short rows", ramp(400, 3))
record("summarized, few rows", ramp(4, 300))
record("summarized 3-D", ramp(10, 11, 12))
record("summarized 4-D", ramp(7, 2, 8, 10))
record("summarized int16", (torch.arange(3000) % 999).to(torch.int16).reshape(30, 100))
record("summarized: the middle does not count", torch.cat([torch.ones(10), torch.full((2000,), 1e-6), torch.ones(10)]))
record("summarized complex", torch.view_as_complex(ramp(700, 2)))
record("summarized bool", torch.arange(2000).reshape(40, 50) % 3 == 0)

record("complex", torch.tensor([1 + 2j, -0.5 - 0.25j, 3j]))
record("complex whole", torch.tensor([[1 + 2j, -3 - 4j]]))
record("complex128", torch.tensor([1.5 + 2j], dtype=torch.complex128))
record("complex scalar", torch.tensor(1.25 - 3.5j))
record("complex not finite", torch.tensor([complex(nan, inf), complex(-inf, nan), 1 + 1j]))
record("complex, parts of other size", torch.tensor([1e-6 + 1000j, 1 + 2000.5j]))
record("complex, broken lines", torch.view_as_complex(ramp(20, 2)))

record("gradient", ramp(3), grad=True)
record("gradient and dtype", ramp(3, dtype=torch.float64), grad=True)
record("suffix on a line of its own", ramp(10), grad=True)
record("suffixes broken apart", ramp(6, dtype=torch.float16), grad=True)
record("suffix at the very edge", torch.arange(11.0), grad=True)
record("parameter", ramp(2, 3), grad=True, parameter=True)
record("parameter without gradient", ramp(3), parameter=True)

record("precision 2", ramp(7), {"precision": 2})
record("precision 8", ramp(7, dtype=torch.float64), {"precision": 8})
record("precision 0", ramp(7), {"precision": 0})
record("precision 0 of ties", torch.tensor([0.5, 1.5, 2.5, -0.5]), {"precision": 0})
record("threshold 10", ramp(4, 5), {"threshold": 10})
record("edge items 1", ramp(30, 50), {"edgeitems": 1})
record("edge items 0", ramp(30, 50), {"edgeitems": 0})
record("edge items 0, 1-D", ramp(2000), {"edgeitems": 0})
record("edge items 0, small", ramp(3), {"edgeitems": 0})
record("line width 40", ramp(20), {"linewidth": 40})
record("line width 5", ramp(4), {"linewidth": 5}, grad=True)
record("scientific", ramp(5), {"sci_mode": True})
record("scientific whole", torch.arange(4.0), {"sci_mode": True})
record("never scientific", torch.tensor([1e-10, 1e10, 1e22]), {"sci_mode": False})
record("never scientific, fractions", torch.tensor([1e-10, 12345.678, 1.0e21]), {"sci_mode": False})
record("short profile", ramp(40, 50), {"profile": "short"})
record("full profile", torch.arange(1100), {"profile": "full"})
record("profile refined", ramp(2000), {"profile": "short", "edgeitems": 4})

OUT.write_text("[\n%s\n]\n" % ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases))
