"""PyTorch's side: the same kinds of work under the same names, one answer per request. See serve.mjs."""

import json
import os
import resource
import sys
import time

import convolutions
import memory
import networks
import products
import programs
import sequences
import torch

torch.set_num_threads(int(os.environ.get("BENCH_THREADS", "1")))
KINDS = {}
for module in (programs, products, convolutions, memory, sequences, networks):
    KINDS.update(module.KINDS)

calls = {}


def answer(value):
    print(json.dumps(value), flush=True)


def timed(call, ms, inner):
    n, wall, cpu, start = 0, 0.0, time.process_time(), time.perf_counter()
    while n == 0 or wall * 1000 < ms:
        for _ in range(inner):
            call()
        n += inner
        wall = time.perf_counter() - start
    cpu = time.process_time() - cpu
    return {"wall": wall * 1e6 / n, "cpu": cpu * 1e6 / n, "calls": n}


answer("ready")
for line in sys.stdin:
    request = json.loads(line)
    if "memory" in request:
        answer({"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})
        continue
    name = request["name"]
    if name not in calls:
        calls.clear()
        torch.manual_seed(0)
        calls[name] = KINDS[request["kind"]](**request["args"])
    answer(timed(calls[name], request["ms"], request.get("inner", 1)))
