"""The errors of the values that ulp-values.mjs wrote, in ulp of the true value: <folder>/errors.json. See ulp.mjs."""

import json
import pathlib
import sys

import mpmath as mp
import numpy as np
import torch

mp.mp.dps = 60
folder, sets = pathlib.Path(sys.argv[1]), sys.argv[2:]
TRUTH = {
    "exp2": lambda x: mp.power(2, x),
    "log2": lambda x: mp.log(x, 2),
    "log1p": mp.log1p,
    "rsqrt": lambda x: 1 / mp.sqrt(x),
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "lgamma": mp.loggamma,
    "gelu": lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2,
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
}
# Bits of the fraction, and the exponent of the smallest normal number.
FORMATS = {"float32": (np.float32, 23, -126), "float64": (np.float64, 52, -1022)}


def ulps(value, truth, bits, smallest):
    """|value - truth| in the distance of the neighbours of the true value."""
    if not mp.isfinite(truth) or not np.isfinite(value):
        return mp.mpf(0 if mp.mpf(float(value)) == truth or (np.isnan(value) and mp.isnan(truth)) else "inf")
    exponent = max(int(mp.floor(mp.log(abs(truth), 2))) if truth else smallest, smallest)
    return abs(mp.mpf(float(value)) - truth) / mp.mpf(2) ** (exponent - bits)


errors = []
for case in json.loads((folder / "cases.json").read_text())["cases"]:
    name = case["name"]
    true = TRUTH.get(name) or getattr(mp, name)
    of_torch = getattr(torch.nn.functional if case.get("functional") else torch, name)
    for dtype, (kind, bits, smallest) in FORMATS.items():
        x = np.fromfile(folder / f"{name}-{dtype}.x", kind)
        values = {s: np.fromfile(folder / f"{s}-{name}-{dtype}.y", kind) for s in sets}
        values["pytorch"] = of_torch(torch.from_numpy(x)).numpy()
        worst, at = dict.fromkeys(values, mp.mpf(0)), None
        for i, argument in enumerate(x):
            truth = true(mp.mpf(float(argument)))
            for side, y in values.items():
                error = ulps(y[i], truth, bits, smallest)
                if side == sets[0] and error > worst[side]:
                    at = float(argument)
                worst[side] = max(worst[side], error)
        ours = {s: round(float(worst[s]), 3) for s in sets}
        errors.append({"name": name, "dtype": dtype, "ours": ours, "pytorch": round(float(worst["pytorch"]), 3), "at": at})
(folder / "errors.json").write_text(json.dumps(errors))
