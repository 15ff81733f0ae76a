"""Work that waits for memory; the counterpart of kinds/memory.mjs."""

import torch
import torch.nn.functional as F

UNARY = {
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "exp": torch.exp,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "clone": torch.clone,
    "neg": torch.neg,
}


def pointwise(op, n):
    x, f = torch.randn(n), UNARY[op]
    return lambda: f(x)


def binary(op, n, inPlace=False):
    a, b = torch.randn(n), torch.randn(n)
    f = getattr(torch.Tensor, f"{op}_") if inPlace else getattr(torch, op)
    return lambda: f(a, b)


def cast(to, n, **more):
    x, target = torch.randn(n).to(getattr(torch, more["from"])), getattr(torch, to)
    return lambda: x.to(target)


def reduction(op, rows, columns, dim=None):
    x, f = torch.randn(rows, columns), getattr(torch, op)
    return (lambda: f(x)) if dim is None else (lambda: f(x, dim))


NORMALIZATIONS = {
    "softmax": lambda x, w, b, t: F.softmax(x, 1),
    "log_softmax": lambda x, w, b, t: F.log_softmax(x, 1),
    "layer_norm": lambda x, w, b, t: F.layer_norm(x, (x.shape[1],), w, b),
    "batch_norm": lambda x, w, b, t: F.batch_norm(x, None, None, w, b, True),
    "group_norm": lambda x, w, b, t: F.group_norm(x, 8, w, b),
    "cross_entropy": lambda x, w, b, t: F.cross_entropy(x, t),
}


def normalization(op, shape, backward=False):
    x = torch.randn(shape)
    w, b = torch.ones(shape[1]), torch.zeros(shape[1])
    target = torch.randint(0, shape[1], (shape[0],))

    def f():
        return NORMALIZATIONS[op](x, w, b, target)

    if not backward:

        def forward():
            with torch.no_grad():
                return f()

        return forward
    wanted = [x.requires_grad_()]
    if op.endswith("norm"):
        wanted += [w.requires_grad_(), b.requires_grad_()]
    out = f()
    g = torch.randn(out.shape)
    return lambda: torch.autograd.grad(out, wanted, g, retain_graph=True)


def optimizer(name, options, width, layers):
    parameters = []
    for _ in range(layers):
        for shape in ((width, width), (width,)):
            p = torch.nn.Parameter(torch.randn(shape))
            p.grad = torch.randn(shape)
            parameters.append(p)
    stepper = getattr(torch.optim, name)(parameters, **options)
    return stepper.step


KINDS = {
    "pointwise": pointwise,
    "binary": binary,
    "cast": cast,
    "reduction": reduction,
    "normalization": normalization,
    "optimizer": optimizer,
}
