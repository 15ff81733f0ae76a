"""Records what PyTorch gives for the rows of test/ops/table: test/fixtures/ops/*.json. Run with a Python that has torch.

    python scripts/write_op_fixtures.py [file ...]
"""

import itertools
import json
import math
import pathlib
import re
import subprocess
import sys
import warnings

import torch

warnings.filterwarnings("ignore")
ROOT = pathlib.Path(__file__).parent.parent
OUT = ROOT / "test" / "fixtures" / "ops"
DTYPES = {
    name: getattr(torch, name)
    for name in (
        "uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128 bool".split()
    )
}


def snake(name):
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: "_" + m.group(1).lower(), name)


def decoded(value):
    """JSON as print.mjs writes it, with its special numbers."""
    if isinstance(value, dict):
        if set(value) == {"number"}:
            return float(value["number"])
        return {k: decoded(v) for k, v in value.items()}
    return [decoded(v) for v in value] if isinstance(value, list) else value


def tensor(spec, dtype=None):
    target = DTYPES[dtype or spec["dtype"]]
    values = spec["values"]
    if spec["dtype"].startswith("complex"):
        pairs = torch.tensor(values, dtype=torch.float64).reshape(-1, 2)
        return torch.view_as_complex(pairs).reshape(spec["shape"]).to(target)
    whole = all(math.isfinite(v) and v == int(v) for v in values)
    wide = torch.tensor([int(v) for v in values] if whole else values, dtype=torch.int64 if whole else torch.float64)
    return wide.reshape(spec["shape"]).to(target)


def argument(value, dtype=None):
    """An argument of a row; with `dtype`, float64 tensors are made in that type instead."""
    if isinstance(value, dict):
        if "tensor" in value:
            return tensor(value, dtype if value["dtype"] == "float64" else None)
        if "dtypeNamed" in value:
            return DTYPES[value["dtypeNamed"]]
        return complex(value["re"], value["im"])
    return [argument(v, dtype) for v in value] if isinstance(value, list) else value


def function_of(row):
    if "python" in row:
        return eval(row["python"])
    name = snake(row["op"])
    for home in (torch, torch.nn.functional, torch.special, torch.Tensor):
        if hasattr(home, name):
            return getattr(home, name)
    raise AttributeError(name)


def run(row, args, options, dtype=None):
    fn = function_of(row)
    args = [argument(a, dtype) for a in args]
    options = {snake(k): argument(v, dtype) for k, v in options.items()}
    try:
        return fn(*args, **options)
    except TypeError:
        # Sizes one by one are taken by the method alone.
        method = getattr(torch.Tensor, snake(row["op"]), None)
        if method is None or not isinstance(args[0], torch.Tensor):
            raise
        return method(*args, **options)


def number(v):
    if isinstance(v, (bool, int)):
        return int(v)
    if math.isnan(v):
        return "nan"
    if math.isinf(v):
        return "inf" if v > 0 else "-inf"
    if v == 0 and math.copysign(1, v) < 0:
        return "-0"
    return int(v) if v == int(v) and abs(v) < 2**53 else v


def flat(t):
    t = t.detach().resolve_conj().resolve_neg().contiguous()
    if t.is_complex():
        t = torch.view_as_real(t)
    if t.dtype in (torch.float16, torch.bfloat16):
        t = t.float()
    if t.dtype == torch.float32:
        # The shortest decimal that gives the float32 again.
        return [number(float(f"{v:.9g}")) if math.isfinite(v) else number(v) for v in t.flatten().tolist()]
    return [number(v) for v in t.flatten().tolist()]


def short(dtype):
    # complex32, PyTorch's incomplete type, does not exist here: half types become complex64.
    if dtype == torch.complex32:
        return "complex64"
    return str(dtype).removeprefix("torch.")


def recorded(value):
    if isinstance(value, torch.Tensor):
        return {"dtype": short(value.dtype), "shape": list(value.shape), "values": flat(value)}
    if isinstance(value, (list, tuple)):
        return [recorded(v) for v in value]
    return value


def columns(samples):
    """All combinations of the operands' samples, one list per operand."""
    return [list(c) for c in zip(*itertools.product(*samples))]


def pointwise(row):
    arity = row["arity"]
    extra, options = row.get("extra", []), row.get("options", {})
    out = {"values": {}, "dtypes": {}}

    def apply(operands):
        return run(row, [*operands, *extra], options)

    def operands_of(samples, dtype):
        made = []
        for k, values in enumerate(columns(samples)):
            if row.get("masked") and k == 0:
                made.append(torch.tensor([isinstance(v, dict) or (v == v and v > 0) for v in values]))
            elif isinstance(values[0], dict):
                made.append(torch.tensor([complex(v["re"], v["im"]) for v in values], dtype=dtype))
            else:
                made.append(torch.tensor(values, dtype=dtype))
        return made

    if "real" in row:
        types = ["float64", "float32", "float16", "bfloat16"] if row.get("perType") else ["float64"]
        for name in types:
            out["values"][name] = flat(apply(operands_of(row["real"], DTYPES[name])))
    if "complex" in row:
        out["values"]["complex128"] = flat(apply(operands_of(row["complex"], torch.complex128)))
    if "ints" in row:
        for name in ("int8", "int16", "int32", "int64", "uint8"):
            samples = row["ints"]
            if name == "uint8":
                samples = [[v for v in s if v >= 0] for s in samples]
            if all(samples):
                out["values"][name] = flat_result(apply, operands_of(samples, DTYPES[name]))
    for name, dtype in DTYPES.items():
        ones = [torch.ones(2, dtype=torch.bool if row.get("masked") and k == 0 else dtype) for k in range(arity)]
        try:
            result = apply(ones).dtype
            out["dtypes"][name] = None if result == torch.complex32 else short(result)
        except (RuntimeError, TypeError, NotImplementedError):
            out["dtypes"][name] = None
    # Where the op is not defined for a type there is nothing to compare.
    out["values"] = {k: v for k, v in out["values"].items() if v is not None}
    return out


def flat_result(apply, operands):
    try:
        return flat(apply(operands))
    except (RuntimeError, TypeError, NotImplementedError):
        return None


def structured(row):
    cases = []
    for case in row["cases"]:
        torch.manual_seed(0)
        cases.append(recorded(run(row, case["args"], case.get("options", {}))))
    out = {"cases": cases}
    if row.get("types", True):
        out["dtypes"] = {}
        first = row["cases"][0]
        for name in DTYPES:
            try:
                torch.manual_seed(0)
                result = run(row, first["args"], first.get("options", {}), name)
                results = result if isinstance(result, (list, tuple)) else [result]
                out["dtypes"][name] = [short(r.dtype) if isinstance(r, torch.Tensor) else type(r).__name__ for r in results]
            except (RuntimeError, TypeError, NotImplementedError, ValueError):
                out["dtypes"][name] = None
    return out


def refused(row):
    cases = []
    for case in row["cases"]:
        try:
            run(row, case["args"], case.get("options", {}))
        except Exception as error:  # noqa: BLE001
            cases.append({"kind": type(error).__name__, "message": str(error).split("\n")[0]})
        else:
            cases.append({"kind": None, "message": ""})
    return {"cases": cases}


def promotion():
    """The result types of every pair of types, in the forms that promotion tells apart."""
    numbers = {"bool": True, "int": 3, "float": 2.5, "complex": 1 + 2j}
    table = {"tensors": {}, "scalarTensor": {}, "numbers": {}, "zeroWithNumber": {}, "inPlace": {}}
    for a, ta in DTYPES.items():
        one, zero = torch.ones(2, dtype=ta), torch.ones((), dtype=ta)
        table["tensors"][a] = [short((one * torch.ones(2, dtype=tb)).dtype) for tb in DTYPES.values()]
        table["scalarTensor"][a] = [short((one * torch.ones((), dtype=tb)).dtype) for tb in DTYPES.values()]
        table["numbers"][a] = [short((one * n).dtype) for n in numbers.values()]
        table["zeroWithNumber"][a] = [short((zero * n).dtype) for n in numbers.values()]
        fits = []
        for tb in DTYPES.values():
            try:
                torch.ones(2, dtype=ta).mul_(torch.ones(2, dtype=tb))
                fits.append("")
            except RuntimeError as error:
                fits.append(str(error))
        table["inPlace"][a] = fits
    casts = {a: [torch.can_cast(ta, tb) for tb in DTYPES.values()] for a, ta in DTYPES.items()}
    return {"types": list(DTYPES), "numbers": list(numbers), "table": table, "canCast": casts}


def conversions():
    """Every type to every other, of values at the edges: float to integer is undefined beyond the range and left out."""
    samples = [0, 1, -1, 2.5, -2.5, 3.999, 100.5, -100, 127, 65504, 70000, 1e-8, 16777217, 3e38, 1e300, math.inf, -math.inf, math.nan]
    out = {}
    for a, ta in DTYPES.items():
        exact = torch.tensor([0, 1, 2, 127, 128, 255] if a == "uint8" else [0, 1, -1, 2, 127, -128], dtype=torch.int64)
        source = torch.tensor(samples, dtype=torch.float64).to(ta) if ta.is_floating_point or ta.is_complex else exact.to(ta)
        row = {}
        for b, tb in DTYPES.items():
            narrows = not (tb.is_floating_point or tb.is_complex or tb == torch.bool) and (ta.is_floating_point or ta.is_complex)
            small = source[:7] if narrows else source
            if narrows and tb == torch.uint8:
                small = source[[0, 1, 3, 5, 6]]
            row[b] = flat(small.to(tb))
        out[a] = row
    return {"samples": [number(float(v)) for v in samples], "values": out}


def main():
    printed = subprocess.run(["node", str(ROOT / "test/ops/table/print.mjs")], capture_output=True, check=True, text=True)
    table = decoded(json.loads(printed.stdout))
    wanted = sys.argv[1:]
    OUT.mkdir(parents=True, exist_ok=True)
    failed = 0
    for file, rows in table.items():
        if wanted and file not in wanted:
            continue
        result = {}
        for row in rows:
            record = refused if file == "errors" else pointwise if "arity" in row else structured
            try:
                result[row["title"]] = {"fingerprint": row["fingerprint"], **record(row)}
            except Exception as error:  # noqa: BLE001
                failed += 1
                print(f"{file}: {row['title']}: {type(error).__name__}: {str(error).splitlines()[0]}", file=sys.stderr)
        write(file, result)
    if not wanted or "promotion" in wanted:
        write("promotion", promotion())
    if not wanted or "conversions" in wanted:
        write("conversions", conversions())
    sys.exit(1 if failed else 0)


def write(name, content):
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in content.items())
    (OUT / f"{name}.json").write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
