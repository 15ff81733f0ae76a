"""Operations with a gradient of their own, and recomputation."""
import torch
from torch import nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import checkpoint, checkpoint_sequential

from .common import error, fill, kind, leaf, ramp


def plain():
    class Scale(Function):
        @staticmethod
        def forward(ctx, x, k):
            ctx.save_for_backward(x)
            ctx.k = k
            return x * k, torch.is_grad_enabled()

        @staticmethod
        def backward(ctx, g, _):
            x, = ctx.saved_tensors
            return g * ctx.k * 10, None
    x = leaf([1.0, 2.0])
    y, enabled = Scale.apply(x, 3)
    y.sum().backward()
    return {'y': y.detach(), 'grad': x.grad, 'enabled': enabled, 'name': y.grad_fn.name(), 'leaf': y.is_leaf}


def unused_in_no_grad():
    class Twice(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2
    x = leaf([1.0])
    with torch.no_grad():
        y = Twice.apply(x)
    return {'requires': y.requires_grad, 'constant': Twice.apply(torch.ones(1)).requires_grad}


def saved_tensors_are_guarded():
    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            x, = ctx.saved_tensors
            return 2 * x * g
    x = leaf([1.0, 2.0])
    a = x * 1
    y = Square.apply(a)
    a.add_(1)
    changed = error(lambda: y.sum().backward())
    z = Square.apply(x)
    z.sum().backward()
    again = error(lambda: z.sum().backward())
    w = Square.apply(x)
    g, = torch.autograd.grad(w.sum(), x, create_graph=True)
    return {'changed': changed, 'again': again, 'second': list(torch.autograd.grad(g.sum(), x))}


def saved_output():
    class Exp(Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            y, = ctx.saved_tensors
            return g * y
    x = leaf([0.5])
    y = Exp.apply(x)
    g, = torch.autograd.grad(y, x, create_graph=True)
    gg, = torch.autograd.grad(g, x, create_graph=True)
    z = Exp.apply(x)
    z.mul_(2)
    return {'first': g.detach(), 'second': gg.detach(), 'changed': error(lambda: z.backward())}


def wrong_gradients():
    def function(result):
        class Wrong(Function):
            @staticmethod
            def forward(ctx, x, k):
                return x * k

            @staticmethod
            def backward(ctx, g):
                return result(g)
        return Wrong

    def run(result):
        return error(lambda: function(result).apply(leaf([1.0, 2.0]), 2.0).sum().backward())
    x = leaf([1.0, 2.0])
    function(lambda g: (None, None)).apply(x, 1.0).sum().backward()
    y = leaf([1.0, 2.0])
    function(lambda g: (g, None, None)).apply(y, 1.0).sum().backward()
    return {'few': run(lambda g: g), 'many': run(lambda g: (g, None, g)), 'number': run(lambda g: (g, g)),
            'shape': run(lambda g: (torch.ones(3), None)),
            'broadcast': run(lambda g: (torch.ones(1), None)), 'none': x.grad is None, 'trailing': y.grad,
            'kind': kind(lambda: function(lambda g: (5, None)).apply(leaf([1.0]), 1.0).backward())}


def several_outputs():
    """Outputs without gradient give zeros; an unused one too, or None on request."""
    seen = []

    def function(materialize):
        class Split(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.set_materialize_grads(materialize)
                count = torch.tensor([3])
                sign = x.sign()
                ctx.mark_non_differentiable(sign)
                return x * 2, x * 3, sign, count, 'text'

            @staticmethod
            def backward(ctx, *grads):
                seen.append([None if g is None else g.clone() for g in grads])
                return grads[0] * 2
        return Split
    x = leaf([1.0, -2.0])
    a, b, sign, count, text = function(True).apply(x)
    flags = [t.requires_grad for t in (a, b, sign, count)]
    a.sum().backward()
    c = function(False).apply(x)[0]
    c.sum().backward()
    return {'flags': flags, 'text': text, 'seen': seen, 'grad': x.grad}


def input_changed_in_place():
    class Double_(Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 20

    class Forgotten(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g
    x = leaf([1.0, 2.0])
    a = x * 1
    y = Double_.apply(a)
    y.sum().backward()
    b = torch.ones(2)
    Double_.apply(b)
    return {'same': y is a, 'y': y.detach(), 'grad': x.grad, 'leaf': error(lambda: Double_.apply(leaf([1.0]))),
            'constant': b,
            'version': [a._version, b._version], 'forgotten': error(lambda: Forgotten.apply(leaf([1.0]) * 1))}


def input_returned():
    """An input that is returned as it is becomes another tensor on the same memory."""
    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 7

    class View(Function):
        @staticmethod
        def forward(ctx, x):
            return x.view(-1)

        @staticmethod
        def backward(ctx, g):
            return g.view(1, 2)
    x = leaf([1.0, 2.0])
    y = Same.apply(x)
    y.sum().backward()
    v = View.apply(leaf([[1.0, 2.0]]) * 1)
    return {'same': y is x, 'grad': x.grad, 'view': y._is_view(),
            'change': error(lambda: Same.apply(leaf([1.0]) * 1).add_(1)), 'changed_view': error(lambda: v.add_(1))}


def needs_input_grad():
    seen = []

    class Product(Function):
        @staticmethod
        def forward(ctx, a, k, b):
            seen.append(list(ctx.needs_input_grad))
            return a * b * k

        @staticmethod
        def backward(ctx, g):
            seen.append(list(ctx.needs_input_grad))
            return (g if ctx.needs_input_grad[0] else None, None, g * 2 if ctx.needs_input_grad[2] else None)
    a, b = leaf([1.0]), leaf([2.0])
    Product.apply(a, 2, b).backward()
    Product.apply(a, 2, torch.ones(1)).backward()
    torch.autograd.grad(Product.apply(a, 2, b), b)
    return {'seen': seen, 'a': a.grad, 'b': b.grad}


def set_up_apart():
    class Power(Function):
        @staticmethod
        def forward(x, n):
            return x ** n, x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, n = inputs
            ctx.n = n
            ctx.save_for_backward(x, output[0])

        @staticmethod
        def backward(ctx, g, h):
            x, y = ctx.saved_tensors
            return g * ctx.n * y / x + 2 * h, None
    x = leaf([2.0, 3.0])
    a, b = Power.apply(x, 3)
    (a + b).sum().backward()
    return {'a': a.detach(), 'grad': x.grad}


def differentiable_once():
    class Once(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x ** 2

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            x, = ctx.saved_tensors
            return 2 * x * g
    x = leaf([3.0])
    g, = torch.autograd.grad(Once.apply(x), x, create_graph=True)
    return {'g': g.detach(), 'requires': g.requires_grad, 'again': error(lambda: g.backward())}


def missing_parts():
    class Empty(Function):
        pass

    class NoBackward(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2
    return {'forward': kind(lambda: Empty.apply(torch.ones(1))),
            'backward': error(lambda: NoBackward.apply(leaf([1.0])).backward()),
            'fine': NoBackward.apply(torch.ones(1))}


def straight_through():
    """A rounding whose gradient passes through."""
    class Round(Function):
        @staticmethod
        def forward(ctx, x):
            return x.round()

        @staticmethod
        def backward(ctx, g):
            return g
    net = fill(nn.Sequential(nn.Linear(2, 2), nn.Tanh()))
    x = ramp(3, 2)
    Round.apply(net(x) * 4).sum().backward()
    return {'grads': [p.grad for p in net.parameters()]}


def _net():
    return fill(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)))


def recomputed():
    """checkpoint computes again in backward: twice the calls, the same gradients."""
    def run(use_reentrant):
        net = _net()
        x = ramp(2, 3).requires_grad_()
        calls = []
        net[0].register_forward_hook(lambda *a: calls.append(1))
        y = checkpoint(net, x, use_reentrant=use_reentrant)
        before = len(calls)
        y.sum().backward()
        return [before, len(calls), y.detach(), x.grad, [p.grad for p in net.parameters()]]
    return {'plain': run(False), 'reentrant': run(True)}


def recomputed_with_dropout():
    """The same elements are dropped again, and the numbers drawn after are those without recomputation."""
    drop = nn.Dropout(0.5)
    x = torch.ones(50, requires_grad=True)
    y = checkpoint(drop, x, use_reentrant=False)
    state = torch.get_rng_state()
    y.sum().backward()
    fresh = torch.ones(50, requires_grad=True)
    z = checkpoint(lambda t: drop(t) * t, fresh, use_reentrant=True)
    z.sum().backward()
    return {'same': torch.equal(x.grad, y.detach()), 'stream': torch.equal(state, state),
            'reentrant': torch.equal(fresh.grad, 2 * z.detach())}


def recomputed_parts():
    """Several outputs, keyword arguments, nesting, and derivatives of derivatives."""
    x = ramp(3).add(1).requires_grad_()
    calls = []

    def f(t, k=1.0):
        calls.append(k)
        return t.sin() * k, t.exp(), 5
    a, b, five = checkpoint(f, x, use_reentrant=False, k=3.0)
    (a * b).sum().backward()
    first = x.grad.clone()
    x.grad = None
    outer = checkpoint(lambda t: checkpoint(torch.exp, t.sin(), use_reentrant=False) * t, x, use_reentrant=False)
    outer.sum().backward()
    nested = x.grad.clone()
    g, = torch.autograd.grad(checkpoint(lambda t: (t ** 3).sin(), x, use_reentrant=False).sum(), x, create_graph=True)
    return {'calls': calls, 'five': five, 'first': first, 'nested': nested,
            'second': list(torch.autograd.grad(g.sum(), x))}


def recomputed_twice():
    x = ramp(3).requires_grad_()
    calls = []

    def f(t):
        calls.append(1)
        return t.exp().sin()
    y = checkpoint(f, x, use_reentrant=False).sum()
    y.backward(retain_graph=True)
    y.backward()
    counted = len(calls)
    return {'calls': counted, 'grad': x.grad, 'third': kind(y.backward)}


def recomputed_differently():
    """A function that is not the same again is found out."""
    def run(g):
        state = {'n': 0}

        def f(t):
            state['n'] += 1
            return g(t, state['n'])
        x = ramp(4).requires_grad_()
        e = error(lambda: checkpoint(f, x, use_reentrant=False).sum().backward())
        return e and e['message'].split('\n')[0]
    return {'more': run(lambda t, n: t.exp() if n == 1 else t.sin().exp().sin()),
            'fewer': run(lambda t, n: t.exp().sin() if n == 1 else t * 2),
            'size': run(lambda t, n: t.exp() if n == 1 else t[:2].exp()), 'same': run(lambda t, n: t.exp())}


def recomputed_sequence():
    net = fill(nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3), nn.Sigmoid(), nn.Linear(3, 1)))
    calls = []
    for i, m in enumerate(net):
        m.register_forward_hook(lambda m, a, o, i=i: calls.append(i))
    x = ramp(2, 3).requires_grad_()
    y = checkpoint_sequential(net, 2, x, use_reentrant=False)
    y.sum().backward()
    return {'calls': calls, 'y': y.detach(), 'x': x.grad, 'grads': [p.grad for p in net.parameters()]}
