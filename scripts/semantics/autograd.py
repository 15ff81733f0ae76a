"""Gradients: where they go, how they add up, what is refused."""
import torch
from torch import nn
from torch.autograd import functional

from .common import error, fill, kind, leaf, ramp


def accumulation():
    x = leaf([1.0, 2.0])
    before = x.grad is None
    (x * x).sum().backward()
    once = x.grad.clone()
    (x * 3).sum().backward()
    same = x.grad
    twice = x.grad.clone()
    (x * 1).sum().backward()
    return {'none_before': before, 'once': once, 'twice': twice, 'in_place': same is x.grad, 'thrice': x.grad}


def accumulation_with_create_graph():
    """With create_graph the sum is a new tensor, and keeps its history."""
    x = leaf([2.0])
    (x * x).sum().backward(create_graph=True)
    first = x.grad
    (x * x * x).sum().backward(create_graph=True)
    return {'same': first is x.grad, 'first': first.detach(), 'total': x.grad.detach(),
            'requires': x.grad.requires_grad}


def given_gradients():
    """A gradient set by hand is added to; one of another shape is refused."""
    x = leaf([1.0, 2.0])
    x.grad = torch.tensor([10.0, 20.0])
    (x * 2).sum().backward()
    return {'grad': x.grad, 'shape': error(lambda: setattr(x, 'grad', torch.ones(3))),
            'self': error(lambda: setattr(x, 'grad', x)), 'kind': kind(lambda: setattr(x, 'grad', 3))}


def retain_graph():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    y.backward()
    failed = error(y.backward)
    z = (x * x).sum()
    z.backward(retain_graph=True)
    z.backward()
    return {'error': failed, 'grad': x.grad}


def freed_parts():
    """Only operations that saved something cannot run twice; a shared part that was freed fails for its second user."""
    x = leaf([1.0, 2.0])
    h = x.exp()
    a, b = h.sum(), (h * 2).sum()
    a.backward()
    shared = error(b.backward)
    linear = (x + 1).sum()
    linear.backward()
    return {'shared': shared, 'linear': error(linear.backward), 'grad': x.grad}


def non_scalar():
    x = leaf([1.0, 2.0])
    y = x * 2
    first = error(y.backward)
    y.backward(torch.tensor([1.0, 10.0]))
    return {'error': first, 'grad': x.grad, 'wrong_shape': error(lambda: (x * 2).backward(torch.ones(3))),
            'one_element': error(lambda: (x[:1] * 2).backward()), 'after': x.grad}


def leaves_and_flags():
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    z = torch.ones(2)
    return {'leaf': [x.is_leaf, y.is_leaf, z.is_leaf, (z + z).is_leaf],
            'requires': [y.requires_grad, (z + x).requires_grad, (z + z).requires_grad],
            'grad_fn': [x.grad_fn is None, y.grad_fn is not None, z.grad_fn is None],
            'comparison': (x > 0).requires_grad, 'argmax': x.argmax().requires_grad,
            'to_int': x.to(torch.int64).requires_grad,
            'int_error': error(lambda: torch.ones(2, dtype=torch.int64, requires_grad=True)),
            'int_flag': error(lambda: torch.ones(2, dtype=torch.int64).requires_grad_()),
            'clear_non_leaf': error(lambda: y.requires_grad_(False)), 'set_non_leaf': y.requires_grad_().requires_grad,
            'detached': [y.detach().requires_grad, y.detach().is_leaf]}


def detach():
    x = leaf([1.0, 2.0])
    y = x * 2
    d = y.detach()
    d[0] = 100.0
    (x * d).sum().backward()
    return {'y_sees_write': y.detach(), 'grad': x.grad, 'flags': [d.requires_grad, d.is_leaf]}


def detach_in_place():
    x = leaf([1.0, 2.0])
    y = x * 2
    y.detach_()
    z = (y * x).sum()
    z.backward()
    return {'leaf': y.is_leaf, 'grad_fn': y.grad_fn is None, 'grad': x.grad,
            'view': error(lambda: (x * 2)[0].detach_())}


def modes():
    x = leaf([1.0])
    seen = []
    try:
        with torch.no_grad():
            seen.append((x * 2).requires_grad)
            with torch.enable_grad():
                seen.append((x * 2).requires_grad)
            with torch.set_grad_enabled(False):
                seen.append(torch.is_grad_enabled())
            raise ValueError('x')
    except ValueError:
        seen.append(torch.is_grad_enabled())
    with torch.no_grad():
        fresh = nn.Parameter(torch.ones(1))
        new = torch.ones(1, requires_grad=True)
        seen += [fresh.requires_grad, new.requires_grad]
    return {'seen': seen}


def inference():
    """Inference tensors stay out of recorded computation."""
    x = leaf([1.0, 2.0])
    with torch.inference_mode():
        y = x * 2
        inside = [y.requires_grad, y.is_inference(), x.is_inference(), torch.is_inference_mode_enabled()]
        y.add_(1)
        with torch.inference_mode(False):
            normal = torch.ones(2)
    return {'inside': inside, 'normal': normal.is_inference(), 'y': y.clone(), 'version': error(lambda: y._version),
            'in_place_outside': error(lambda: y.add_(1)), 'saved': error(lambda: x * y), 'sum': (y + 1).requires_grad,
            'clone': y.clone().is_inference(), 'flag': error(lambda: y.requires_grad_())}


def broadcasting():
    a = ramp(2, 1, 3).requires_grad_()
    b = (ramp(4, 1) + 1).requires_grad_()
    c = torch.tensor(2.0, requires_grad=True)
    (a * b + c / b).sum().backward()
    return {'a': a.grad, 'b': b.grad, 'c': c.grad}


def mixed_types():
    """A gradient has the type of its tensor."""
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0], torch.float64)
    h = leaf([0.5, 0.25], torch.float16)
    (a * b * h + torch.tensor([1, 2])).sum().backward()
    return {'a': a.grad, 'b': b.grad, 'h': h.grad}


def grad_function():
    """autograd.grad returns gradients and touches no .grad."""
    x, unused = leaf([1.0, 2.0]), leaf([5.0])
    y = (x * x).sum()
    g = torch.autograd.grad(y, x)
    z = (x * x).sum()
    return {'g': list(g), 'grad_none': x.grad is None,
            'unused': error(lambda: torch.autograd.grad(z, [x, unused], retain_graph=True)),
            'allowed': list(torch.autograd.grad(z, [x, unused], retain_graph=True, allow_unused=True)),
            'zeros': list(torch.autograd.grad(z, [x, unused], retain_graph=True, materialize_grads=True)),
            'contradiction': error(lambda: torch.autograd.grad(z, [x], allow_unused=False, materialize_grads=True)),
            'no_history': error(lambda: torch.autograd.grad(torch.ones(1), x)),
            'input_without': error(lambda: torch.autograd.grad(z, torch.ones(1))),
            'several': list(torch.autograd.grad([x * 2, x * x], x, [torch.ones(2), torch.tensor([1.0, 10.0])])),
            'intermediate': list((lambda h: torch.autograd.grad((h * h).sum(), [h, x]))(x * 3))}


def inputs_of_backward():
    """backward(inputs=...) fills only those; an inner tensor may be one of them."""
    a, b = leaf([2.0]), leaf([3.0])
    h = a * b
    (h * h).sum().backward(inputs=[a, h])
    return {'a': a.grad, 'b_none': b.grad is None, 'h': h.grad, 'empty': error(lambda: (a * b).backward(inputs=[]))}


def retained():
    """retain_grad keeps the gradient of an inner tensor; each backward adds to it."""
    x = leaf([1.0, 2.0])
    y = x * 3
    y.retain_grad()
    z = (y * y).sum()
    z.backward(retain_graph=True)
    first = y.grad.clone()
    z.backward()
    return {'first': first, 'second': y.grad, 'flags': [y.retains_grad, x.retains_grad],
            'error': error(lambda: torch.ones(1).retain_grad())}


def several_roots():
    a = leaf([1.0, 2.0])
    torch.autograd.backward([(a * a).sum(), a * 3], [None, torch.tensor([1.0, 10.0])])
    b = leaf([2.0])
    h = b * b
    torch.autograd.backward([h.sum(), (h * 5).sum()])
    return {'a': a.grad, 'b': b.grad, 'count': error(lambda: torch.autograd.backward([a.sum(), a.sum()], [None]))}


def ties_and_corners():
    """Gradients where the function has a corner or a tie."""
    def of(f, *values):
        x = leaf(list(values))
        f(x).sum().backward()
        return x.grad
    return {'abs': of(torch.abs, -1.0, 0.0, 2.0), 'relu': of(torch.relu, -1.0, 0.0, 2.0),
            'sqrt': of(torch.sqrt, 0.0, 4.0),
            'clamp': of(lambda x: x.clamp(0.0, 1.0), -1.0, 0.0, 0.5, 1.0, 2.0), 'amax': of(torch.amax, 3.0, 1.0, 3.0),
            'max': of(lambda x: x.max(), 3.0, 1.0, 3.0), 'max_dim': of(lambda x: x.max(0).values, 3.0, 1.0, 3.0),
            'maximum': of(lambda x: torch.maximum(x, torch.ones(3)), 0.0, 1.0, 2.0), 'norm': of(torch.norm, 0.0, 0.0),
            'prod': of(torch.prod, 2.0, 0.0, 3.0), 'prod_zeros': of(torch.prod, 0.0, 0.0, 3.0),
            'cumprod': of(lambda x: x.cumprod(0), 2.0, 0.0, 3.0), 'pow_zero': of(lambda x: x ** 0, 0.0, 2.0),
            'pow_two': of(lambda x: x ** 2, 0.0, 2.0), 'median': of(torch.median, 1.0, 3.0, 3.0, 2.0),
            'sort': of(lambda x: x.sort().values * torch.arange(3), 2.0, 1.0, 2.0), 'std': of(torch.std, 1.0, 1.0),
            'sign': of(torch.sign, -1.0, 0.0), 'round': of(torch.round, 0.5, 1.7),
            'hardtanh': of(nn.functional.hardtanh, -1.0, 1.0, 0.5),
            'where': of(lambda x: torch.where(x > 0, x.sqrt(), torch.zeros(2)), 4.0, 0.0)}


def repeated_indices():
    """An element that is read twice gets both gradients."""
    x = ramp(4).requires_grad_()
    w = torch.tensor([1.0, 10.0, 100.0])
    (x[torch.tensor([1, 1, 3])] * w).sum().backward()
    y = ramp(2, 2).requires_grad_()
    (y.expand(3, 2, 2) * ramp(3, 2, 2)).sum().backward()
    z = ramp(3).requires_grad_()
    (z.as_strided((2, 2), (1, 1)) * ramp(2, 2)).sum().backward()
    u = ramp(5).requires_grad_()
    (u.unfold(0, 3, 1) * ramp(3, 3)).sum().backward()
    return {'index': x.grad, 'expand': y.grad, 'strided': z.grad, 'unfold': u.grad}


def complex_numbers():
    """The gradient of a real loss by a complex tensor is the conjugate derivative, as PyTorch defines it."""
    z = torch.tensor([1 + 2j, -0.5 + 0.25j], requires_grad=True)
    (z * z.conj()).real.sum().backward()
    first = torch.view_as_real(z.grad).clone()
    z.grad = None
    (z * (2 + 1j)).exp().imag.sum().backward()
    x = leaf([0.5, 2.0])
    torch.complex(x, x * x).abs().sum().backward()
    return {'square': first, 'exp': torch.view_as_real(z.grad), 'real': x.grad,
            'scalar': error(lambda: (z * z).sum().backward())}


def create_graph():
    x = leaf([1.0, 2.0])
    (x ** 4).sum().backward(create_graph=True)
    first = x.grad
    x.grad = None
    (first ** 2).sum().backward()
    return {'first': first.detach(), 'second': x.grad}


def gradient_penalty():
    """The norm of a gradient as a part of the loss."""
    net = fill(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)))
    x = ramp(4, 2).requires_grad_()
    g, = torch.autograd.grad(net(x).sum(), x, create_graph=True)
    ((g.norm(dim=1) - 1) ** 2).mean().backward()
    return {'grads': [p.grad for p in net.parameters()], 'x': x.grad}


def functional_derivatives():
    x = torch.tensor([1.0, 2.0, 3.0])
    v = torch.tensor([1.0, -1.0, 0.5])
    f = lambda x: (x ** 3).sum() + x[0] * x[1]
    g = lambda x: torch.stack([x[0] * x[1], x[1].exp(), x.sum()])
    return {'jacobian': functional.jacobian(g, x), 'hessian': functional.hessian(f, x),
            'vjp': list(functional.vjp(g, x, v)),
            'jvp': list(functional.jvp(g, x, v)), 'hvp': list(functional.hvp(f, x, v)),
            'vhp': list(functional.vhp(f, x, v)),
            'vector': error(lambda: functional.hessian(g, x)),
            'strict': error(lambda: functional.jacobian(lambda x: torch.ones(2), x, strict=True)),
            'loose': functional.jacobian(lambda x: torch.ones(2), x)}


def third_derivative():
    x = leaf([0.5])
    out, found = (x ** 5).sum(), []
    for _ in range(4):
        out, = torch.autograd.grad(out, x, create_graph=True)
        found.append(out.detach())
    return {'found': found}


def graph_names():
    """The nodes of a graph know their names and inputs."""
    x = leaf([1.0, 2.0])
    y = (x * 2).relu().view(1, 2).sum()
    chain, node = [], y.grad_fn
    while node is not None:
        chain.append(node.name())
        node = node.next_functions[0][0] if node.next_functions else None
    text = {'exp': x.exp(), 'matmul': x @ x, 'index': x[0], 'pow': x ** 2, 'neg': -x, 'mean': x.mean(),
            'cat': torch.cat([x, x]),
            'clone': x.clone(), 'expand': x.expand(2, 2), 'softmax': x.softmax(0), 't': x.view(1, 2).t()}
    return {'chain': chain, 'text': [[k, v.grad_fn.name()] for k, v in text.items()]}
