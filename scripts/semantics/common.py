"""What the programs share: data, filled modules, and how an error is told."""
import math

import torch

KINDS = {TypeError: 'TypeError', IndexError: 'RangeError'}


def ramp(*shape):
    """0, 0.1, 0.2, ... in a shape."""
    return (torch.arange(math.prod(shape)) * 0.1).reshape(shape)


def leaf(values, dtype=torch.float32):
    return torch.tensor(values, dtype=dtype, requires_grad=True)


def fill(module):
    """Sets all parameters, in order, to sin(1), sin(2), ..."""
    at = 1
    with torch.no_grad():
        for p in module.parameters():
            n = p.numel()
            p.copy_(torch.tensor([math.sin(at + i) for i in range(n)], dtype=torch.float64).reshape(p.shape))
            at += n
    return module


def kind(f):
    """The kind of error that `f` raises, None if it does not: for messages that name Python's own types."""
    try:
        f()
    except Exception as e:
        return KINDS.get(type(e), 'RuntimeError')
    return None


def error(f):
    """Kind and message of the error that `f` raises, None if it does not."""
    try:
        f()
    except Exception as e:
        return {'type': KINDS.get(type(e), 'RuntimeError'), 'message': str(e.args[0])}
    return None


def names(pairs):
    return [name for name, _ in pairs]
