"""Changing tensors in place: what autograd notices, follows and refuses."""
import torch

from .common import error, kind, leaf, ramp


def saved_tensor_changed():
    """exp saves its result, a product its factors: changing them is found at backward."""
    x = torch.ones(3, requires_grad=True)
    y = x.exp()
    y.add_(1)
    a = torch.ones(3, requires_grad=True)
    b = a * 2
    c = b * b
    b.mul_(2)
    return {'exp': error(lambda: y.sum().backward()), 'mul': error(lambda: c.sum().backward())}


def changes_that_count():
    """Every way of writing is noticed: through views, detached tensors, indices, copies and out-of-graph code."""
    def after(change):
        x = torch.ones(3, requires_grad=True)
        y = x * 2
        z = (y * y).sum()
        change(y)
        e = error(z.backward)
        return e and e['message'].split('is at ')[1][:34]

    def under_no_grad(y):
        with torch.no_grad():
            y.zero_()
    return {'view': after(lambda y: y[0].fill_(5)), 'detached': after(lambda y: y.detach().add_(1)),
            'index': after(lambda y: y.__setitem__(torch.tensor([0, 2]), 1.0)),
            'copy': after(lambda y: y.copy_(torch.zeros(3))),
            'no_grad': after(under_no_grad), 'twice': after(lambda y: y.add_(1).mul_(2)),
            'data': after(lambda y: y.data.add_(1)),
            'nothing': after(lambda y: y.t()), 'empty': after(lambda y: y[:0].fill_(1)),
            'set_shape': after(lambda y: y.unsqueeze_(0))}


def saved_tensor_not_needed():
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    y.add_(1).mul_(3)
    y.sum().backward()
    return {'y': y.detach(), 'grad': x.grad}


def what_is_saved():
    """Which operations mind a change of their input or of their result."""
    def fails(f, which):
        x = ramp(3).add(0.5).requires_grad_()
        a = x * 1
        out = f(a)
        with torch.no_grad():
            (a if which == 'input' else out).add_(1)
        return error(lambda: out.sum().backward()) is not None
    table = {'exp': torch.exp, 'log': torch.log, 'sqrt': torch.sqrt, 'tanh': torch.tanh, 'sigmoid': torch.sigmoid,
             'relu': torch.relu,
             'add': lambda a: a + 1, 'mul': lambda a: a * a, 'scale': lambda a: a * 2,
             'div': lambda a: a / (a.detach() + 1), 'divisor': lambda a: torch.ones(3) / a, 'neg': torch.neg,
             'square': lambda a: a ** 2, 'sin': torch.sin, 'softmax': lambda a: a.softmax(0),
             'cumsum': lambda a: a.cumsum(0),
             'abs': torch.abs, 'clamp': lambda a: a.clamp(min=0.6), 'reciprocal': torch.reciprocal,
             'rsqrt': torch.rsqrt,
             'sum': lambda a: a.sum(0, keepdim=True), 'mean': lambda a: a.mean(0, keepdim=True),
             'prod': lambda a: a.prod(0, keepdim=True),
             'norm': lambda a: a.norm().view(1), 'where': lambda a: torch.where(torch.tensor([True, False, True]), a,
                 a * 2)}
    return {k: [fails(f, 'input'), fails(f, 'result')] for k, f in table.items()}


def leaves():
    """A leaf that requires a gradient cannot be changed while recording; otherwise it can."""
    x = leaf([1.0, 2.0])
    whole = error(lambda: x.add_(1))
    view = error(lambda: x[0].add_(1))
    detached = x.detach().mul_(10).clone()
    with torch.no_grad():
        x.add_(1)
        x[0] = 100.0
    free = torch.ones(2)
    free.add_(x)
    return {'whole': whole, 'view': view, 'detached': detached, 'x': x.detach(), 'leaf': x.is_leaf,
            'free': [free.requires_grad, free.is_leaf], 'flag': error(lambda: x.requires_grad_(False)),
            'fill': error(lambda: leaf([1.0]).fill_(3)),
            'transpose': error(lambda: leaf([[1.0]]).t_())}


def into_a_constant():
    """A tensor without history takes that of what is written into it."""
    w = leaf([2.0, 3.0])
    a = torch.zeros(2, 2)
    a[0] = w
    a[:, 1] *= w
    b = torch.ones(2)
    b.copy_(w)
    c = torch.ones(2)
    c.mul_(w)
    (a * ramp(2, 2)).sum().backward(retain_graph=True)
    first = w.grad.clone()
    w.grad = None
    (b * torch.tensor([1.0, 10.0])).sum().backward()
    copied = w.grad.clone()
    w.grad = None
    c.sum().backward()
    return {'a': a.detach(), 'assigned': first, 'copied': copied, 'multiplied': w.grad,
            'names': [a.grad_fn.name(), b.grad_fn.name(), c.grad_fn.name()]}


def through_view():
    x = ramp(4).requires_grad_()
    a = x * 1
    a[1:3].mul_(10)
    a[0] = 7
    (a * a).sum().backward()
    return {'a': a.detach(), 'grad': x.grad}


def through_views_of_views():
    x = ramp(2, 3).requires_grad_()
    a = x * 1
    v = a.t()
    row = v[1]
    row.mul_(5).sub_(1)
    v.select(1, 0).mul_(3)
    a.view(-1)[2:4].zero_()
    (a * (ramp(2, 3) + 1)).sum().backward()
    return {'a': a.detach(), 'row': row.detach(), 'grad': x.grad, 'names': [a.grad_fn.name(), row.grad_fn.name()]}


def view_before_the_change():
    """A view that was made before follows the change of its base, values and gradient."""
    x = leaf([1.0, 2.0, 3.0])
    a = x * 1
    v = a[1:]
    a.mul_(torch.tensor([1.0, 10.0, 100.0]))
    (v * v).sum().backward()
    return {'v': v.detach(), 'grad': x.grad, 'name': v.grad_fn.name()}


def indexed_writes():
    """Gradients of what is written and of what is overwritten."""
    def run(write):
        x, w = ramp(4).add(1).requires_grad_(), leaf([10.0, 20.0])
        a = x * 1
        write(a, w)
        (a * torch.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
        return [a.detach(), x.grad, w.grad]
    i = torch.tensor([0, 3])
    mask = torch.tensor([False, True, True, False])
    return {'put': run(lambda a, w: a.index_put_((i,), w)),
            'accumulate': run(lambda a, w: a.index_put_((i,), w, accumulate=True)),
            'masked': run(lambda a, w: a.masked_fill_(mask, w.sum())), 'scatter': run(lambda a, w: a.scatter_(0, i, w)),
            'index_add': run(lambda a, w: a.index_add_(0, i, w, alpha=2)),
            'index_copy': run(lambda a, w: a.index_copy_(0, i, w)),
            'masked_scatter': run(lambda a, w: a.masked_scatter_(mask, w)), 'slice': run(lambda a, w: a[1:3].copy_(w)),
            'add_from_view': run(lambda a, w: a[:2].add_(a[2:] + w)),
            'addcmul': run(lambda a, w: a[2:].addcmul_(w, w, value=0.5))}


def several_views():
    """Results of one operation with several views cannot be changed."""
    def after(f):
        return error(lambda: f(leaf([1.0, 2.0]) * 1)[0].add_(1))

    def base_changed():
        a = leaf([1.0, 2.0]) * 1
        u = a.unbind(0)
        a.mul_(2)
        return u[0] + 1
    return {'unbind': after(lambda a: a.unbind(0)), 'split': after(lambda a: a.split(1)),
            'chunk': after(lambda a: a.chunk(2)),
            'base': error(base_changed)}


def views_without_recording():
    x = leaf([1.0, 2.0])
    a = x * 1
    with torch.no_grad():
        v = a[0]
    with torch.inference_mode():
        u = a[0]
    refused = error(lambda: v.mul_(2))
    inferred = error(lambda: u.mul_(2))
    with torch.no_grad():
        v.mul_(2)
    return {'refused': refused, 'inferred': inferred, 'a': a.detach()}


def versions():
    """Versions are counted by memory: views and detached tensors share the count, copies do not."""
    x = torch.ones(3)
    counts = [x._version]
    x.add_(1)
    counts.append(x._version)
    x[0].mul_(2)
    x.detach().zero_()
    counts.append(x._version)
    x.data.fill_(4)
    counts += [x._version, x.clone()._version, x[:2]._version, x.view(3, 1)._version]
    x.copy_(torch.zeros(3))
    x[1] = 5
    counts.append(x._version)
    x.unsqueeze_(0).t_()
    return {'counts': counts, 'reshaped': x._version}


def dtype_rules():
    i, f, b = torch.ones(2, dtype=torch.int64), torch.ones(2), torch.tensor([True, False])
    return {'int_plus_float': error(lambda: i.add_(1.5)), 'int_div': error(lambda: i.div_(2)),
            'int_pow': error(lambda: i.pow_(-1)),
            'float_plus_double': error(lambda: f.add_(torch.ones(2, dtype=torch.float64))),
            'float_plus_complex': error(lambda: f.add_(1j)),
            'bool_plus_int': error(lambda: b.add_(1)), 'bool_or': b.logical_or_(torch.tensor([0, 1])),
            'int_fill': i.fill_(2.7).clone(),
            'int_copy': i.clone().copy_(torch.tensor([1.9, -1.9])),
            'int_mul_bool': i.mul_(torch.tensor([True, False])).clone(),
            'shape': error(lambda: f.add_(torch.ones(3, 2))), 'shape_smaller': error(lambda: f.add_(torch.ones(1, 2))),
            'exp': error(lambda: i.exp_()),
            'compare': f.gt_(0.5).clone(), 'values': [i, f]}


def overlapping_memory():
    e = torch.ones(1).expand(3)
    x = torch.arange(4.0)
    return {'expanded': error(lambda: e.add_(1)), 'fill': error(lambda: e.fill_(1)),
            'partial': error(lambda: x[1:].add_(x[:-1])),
            'same': error(lambda: x.add_(x)), 'x': x, 'copy': error(lambda: e.copy_(torch.zeros(3))), 'e': e,
            'filled': torch.arange(6.0).view(2, 3, 1).expand(2, 3, 4).fill_(7), 'random': error(lambda: e.uniform_()),
            'exp': error(lambda: e.exp_())}


def shape_changes():
    """In-place changes of shape leave the memory alone and are part of the graph."""
    x = ramp(2, 3).requires_grad_()
    a = x * 1
    a.t_().unsqueeze_(0).squeeze_(0)
    (a * ramp(3, 2)).sum().backward()
    b = torch.arange(6)
    c = b.view(2, 3)
    b.resize_(2, 2)
    return {'shape': list(a.shape), 'grad': x.grad, 'resized': b, 'other': c, 'requires': error(lambda: x.resize_(1)),
            'swap': list(torch.ones(2, 3, 4).transpose_(0, 2).shape)}


def activations():
    """Functions with an in-place form: gradients are those of the ordinary form."""
    def run(f):
        x = torch.tensor([-1.0, 0.5, 2.0], requires_grad=True)
        a = x * 2
        f(a)
        (a * a).sum().backward()
        return [a.detach(), x.grad]
    from torch.nn import functional as F
    return {'relu': run(torch.relu_), 'sigmoid': run(torch.sigmoid_), 'tanh': run(torch.tanh_), 'exp': run(torch.exp_),
            'leaky': run(lambda a: F.leaky_relu(a, 0.1, inplace=True)),
            'elu': run(lambda a: F.elu(a, inplace=True)), 'clamp': run(lambda a: a.clamp_(0.0, 1.5)),
            'abs': run(torch.abs_), 'sqrt': run(lambda a: a.abs_().sqrt_()),
            'div': run(lambda a: a.div_(a.detach() + 5)), 'self': run(lambda a: a.mul_(2).add_(a.clone())),
            'hardtanh': run(lambda a: F.hardtanh(a, inplace=True))}


def self_products():
    """Operands that are, or share memory with, the tensor that is changed: backward would need their old values."""
    def run(f):
        x = ramp(4).add(1).requires_grad_()
        a = x * 1
        f(a)
        return [kind(lambda: a.sum().backward()), a.detach(), x.grad]
    return {'mul': run(lambda a: a.mul_(a)), 'add': run(lambda a: a.add_(a)), 'div': run(lambda a: a.div_(a)),
            'part': run(lambda a: a[:2].mul_(a[2:])),
            'detached': run(lambda a: a.mul_(a.detach())), 'view': run(lambda a: a.mul_(a.view(4))),
            'clone': run(lambda a: a.mul_(a.clone())), 'pow': run(lambda a: a.pow_(a)),
            'atan2': run(lambda a: a.atan2_(a)), 'addcmul': run(lambda a: a.addcmul_(a, a)),
            'lerp': run(lambda a: a.lerp_(torch.ones(4), a)),
            'sub': run(lambda a: a.sub_(a, alpha=3)), 'maximum': run(lambda a: a.clamp_(min=a)),
            'copy': run(lambda a: a.copy_(a))}
