"""Records what PyTorch answers to the programs in scripts/semantics, for test/semantics: one file for each topic.

    python scripts/record_semantics.py [topic ...]      (needs torch; test/fixtures/semantics is checked in)

A topic is a module of functions without arguments; what a function returns is recorded under its name. test/semantics
states the same programs in TypeScript, so names and keys are written in camelCase.
"""
import importlib
import inspect
import json
import math
import pathlib
import re
import sys
import warnings

import torch

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parent / 'test' / 'fixtures' / 'semantics'
sys.path.insert(0, str(HERE))


def camel(name):
    return re.sub(r'(?<=[a-z0-9])_([a-z0-9])', lambda m: m[1].upper(), name)


def number(x):
    return x if not isinstance(x, float) or math.isfinite(x) else str(x)


def plain(value):
    """The recorded form of a value: a tensor is an object of its type, shape and values in row-major order."""
    if isinstance(value, torch.Tensor):
        t = value.detach()
        flat = torch.view_as_real(t.resolve_conj()) if t.is_complex() else t
        return {'dtype': str(t.dtype)[6:], 'shape': list(t.shape),
                'values': [number(x) for x in flat.flatten().tolist()]}
    if isinstance(value, dict):
        return {camel(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return number(value)
    raise TypeError(f'a program returned {type(value)}')


def record(topic):
    module = importlib.import_module(f'semantics.{topic}')
    own = [(n, f) for n,
           f in vars(module).items() if inspect.isfunction(f) and f.__module__ == module.__name__ and n[0] != '_']
    out = {}
    for name, program in own:
        torch.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            try:
                out[camel(name)] = plain(program())
            except Exception:
                print(f'in {topic}.{name}', file=sys.stderr)
                raise
    lines = ',\n'.join(f'{json.dumps(k)}: {json.dumps(v, separators=(",", ":"), ensure_ascii=False)}' for k,
                       v in out.items())
    (OUT / f'{topic}.json').write_text('{\n' + lines + '\n}\n')
    return len(out)


OUT.mkdir(parents=True, exist_ok=True)
for topic in sys.argv[1:] or sorted(p.stem for p in (HERE / 'semantics').glob('*.py') if p.stem != 'common'):
    print(topic, record(topic))
