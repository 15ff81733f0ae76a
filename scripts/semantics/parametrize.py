"""Parametrizations: a parameter that is computed from others."""
import copy

import torch
from torch import nn
from torch.nn.utils import parametrize as P
from torch.nn.utils import parametrizations as Z

from .common import error, fill, kind, names, ramp


class _Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).t()


class _Scale(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.k = k

    def forward(self, x):
        return x * self.k

    def right_inverse(self, y):
        return y / self.k


def registering():
    m = fill(nn.Linear(2, 2))
    before = m.weight
    P.register_parametrization(m, 'weight', _Symmetric())
    found = {'names': names(m.named_parameters()), 'state': list(m.state_dict()), 'class': type(m).__name__,
             'is': [P.is_parametrized(m), P.is_parametrized(m, 'weight'), P.is_parametrized(m, 'bias')],
             'weight': m.weight.detach(), 'original': m.parametrizations.weight.original is before,
             'parameter': isinstance(m.weight, nn.Parameter), 'text': repr(m),
             'instance': isinstance(m, nn.Linear), 'again': m.weight is m.weight, 'modules': names(m.named_modules())}
    m(ramp(1, 2)).sum().backward()
    found['grad'] = m.parametrizations.weight.original.grad
    P.remove_parametrizations(m, 'weight')
    found['after'] = [names(m.named_parameters()), type(m).__name__, repr(m), m.weight is before]
    found['kept'] = m.weight.detach()
    return found


def several_in_a_row():
    m = fill(nn.Linear(2, 2))
    P.register_parametrization(m, 'weight', _Scale(2.0))
    P.register_parametrization(m, 'weight', _Scale(5.0))
    first = m.weight.detach().clone()
    m.weight = torch.ones(2, 2)
    return {'first': first, 'original': m.parametrizations.weight.original.detach(), 'weight': m.weight.detach(),
            'len': len(m.parametrizations.weight), 'text': repr(m.parametrizations),
            'names': names(m.named_parameters())}


def removing():
    def make(leave):
        m = fill(nn.Linear(2, 2))
        P.register_parametrization(m, 'weight', _Symmetric())
        P.remove_parametrizations(m, 'weight', leave_parametrized=leave)
        return m.weight
    m = nn.Linear(2, 2)
    P.register_parametrization(m, 'weight', _Symmetric())
    P.register_parametrization(m, 'bias', _Scale(2.0))
    P.remove_parametrizations(m, 'weight')
    one_left = [names(m.named_parameters()), type(m).__name__]
    P.remove_parametrizations(m, 'bias')
    return {'left': make(True).detach(), 'original': make(False).detach(),
            'requires': [make(True).requires_grad, make(False).requires_grad], 'one_left': one_left,
            'none_left': [names(m.named_parameters()), type(m).__name__],
            'error': error(lambda: P.remove_parametrizations(m, 'weight')), 'has': hasattr(m, 'parametrizations')}


def refused():
    class Shape(nn.Module):
        def forward(self, x):
            return x[:1]

    class Type(nn.Module):
        def forward(self, x):
            return x.double()

    class Kind(nn.Module):
        def forward(self, x):
            return 5

    class BadInverse(nn.Module):
        def forward(self, x):
            return x

        def right_inverse(self, y):
            return y[:1]
    found = {k: error(lambda: P.register_parametrization(nn.Linear(2, 2), 'weight', p)) for k,
             p in [('shape', Shape()), ('type', Type()), ('bad_inverse', BadInverse())]}
    m = nn.Linear(2, 2)
    found['kind'] = kind(lambda: P.register_parametrization(m, 'weight', Kind()))
    found['missing'] = error(lambda: P.register_parametrization(m, 'other', _Symmetric()))
    found['unchanged'] = [names(m.named_parameters()), type(m).__name__]
    P.register_parametrization(m, 'weight', _Symmetric())
    found['no_inverse'] = kind(lambda: setattr(m, 'weight', torch.ones(2, 2)))
    found['still'] = names(m.named_parameters())
    P.register_parametrization(nn.Linear(2, 2), 'weight', Shape(), unsafe=True)
    return found


def unsafe():
    class Grow(nn.Module):
        def forward(self, x):
            return torch.cat([x, x])
    m = fill(nn.Linear(2, 2, bias=False))
    P.register_parametrization(m, 'weight', Grow(), unsafe=True)
    return {'shape': list(m.weight.shape), 'y': m(ramp(1, 2))}


def caching():
    calls = []

    class Counted(nn.Module):
        def forward(self, x):
            calls.append(1)
            return x * 2
    m = fill(nn.Linear(2, 2))
    P.register_parametrization(m, 'weight', Counted())
    calls.clear()
    m.weight, m.weight
    apart = len(calls)
    with P.cached():
        same = m.weight is m.weight
        m(ramp(1, 2))
        with P.cached():
            m.weight
    inside = len(calls) - apart
    m.weight
    return {'apart': apart, 'same': same, 'inside': inside, 'after': len(calls)}


def several_originals():
    class Rank1(nn.Module):
        def forward(self, u, v):
            return u.unsqueeze(1) * v

        def right_inverse(self, w):
            return w[:, 0].clone(), w[0] / w[0, 0]
    m = fill(nn.Linear(2, 2))
    P.register_parametrization(m, 'weight', Rank1())
    m.weight = torch.tensor([[2.0, 4.0], [6.0, 12.0]])
    return {'names': names(m.named_parameters()), 'weight': m.weight.detach(),
            'u': m.parametrizations.weight.original0.detach(), 'state': list(m.state_dict()),
            'error': error(lambda: P.remove_parametrizations(m, 'weight', leave_parametrized=False))}


def buffers_and_new_parts():
    """A buffer can be parametrized; a parametrization may have parameters of its own."""
    class Learned(nn.Module):
        def __init__(self):
            super().__init__()
            self.k = nn.Parameter(torch.tensor(3.0))

        def forward(self, x):
            return x * self.k
    m = nn.Module()
    m.register_buffer('b', torch.ones(2))
    P.register_parametrization(m, 'b', Learned())
    m.b.sum().backward()
    return {'parameters': names(m.named_parameters()), 'buffers': names(m.named_buffers()), 'b': m.b.detach(),
            'grad': m.parametrizations.b[0].k.grad}


def copies_and_state():
    m = fill(nn.Linear(2, 2))
    P.register_parametrization(m, 'weight', _Scale(2.0))
    c = copy.deepcopy(m)
    with torch.no_grad():
        c.parametrizations.weight.original.zero_()
    other = nn.Linear(2, 2)
    P.register_parametrization(other, 'weight', _Scale(2.0))
    other.load_state_dict(m.state_dict())
    fresh = nn.Linear(2, 2)
    P.transfer_parametrizations_and_params(m, fresh)
    return {'m': m.weight.detach(), 'c': c.weight.detach(), 'other': other.weight.detach(),
            'fresh': fresh.weight.detach(), 'class': type(c).__name__,
            'plain': error(lambda: nn.Linear(2, 2).load_state_dict(m.state_dict())),
            'counts': [P.type_before_parametrizations(m).__name__, type(m).__name__]}


def weight_norm():
    m = Z.weight_norm(fill(nn.Linear(3, 2)))
    x = ramp(2, 3)
    m(x).sum().backward()
    n = Z.weight_norm(fill(nn.Conv1d(2, 3, 2)), dim=1)
    w = Z.weight_norm(fill(nn.Linear(3, 2)), dim=None)
    found = {'names': names(m.named_parameters()), 'weight': m.weight.detach(),
             'g': m.parametrizations.weight.original0.detach().clone(), 'grads': [p.grad for p in m.parameters()],
             'dim1': n.parametrizations.weight.original0.detach(),
             'none': w.parametrizations.weight.original0.detach(), 'text': repr(m)}
    with torch.no_grad():
        m.parametrizations.weight.original0.mul_(2)
    found['scaled'] = m.weight.detach()
    P.remove_parametrizations(m, 'weight')
    found['after'] = names(m.named_parameters())
    return found


def spectral_norm():
    m = Z.spectral_norm(fill(nn.Linear(3, 4)), n_power_iterations=30)
    for _ in range(3):
        w = m.weight
    m.eval()
    a, b = m.weight.detach(), m.weight.detach()
    return {'largest': torch.linalg.svdvals(w.detach())[0], 'same': torch.equal(a, b),
            'buffers': names(m.named_buffers()), 'parameters': names(m.named_parameters()), 'weight': a,
            'text': repr(m)}


def orthogonal():
    found = {}
    for name, map_, shape in [('cayley', 'cayley', (3, 3)), ('exp', 'matrix_exp', (3, 3)),
                              ('householder', 'householder', (4, 2)), ('wide', 'householder', (2, 4))]:
        m = Z.orthogonal(fill(nn.Linear(shape[1], shape[0])), orthogonal_map=map_)
        w = m.weight.detach()
        q = w.t() @ w if shape[0] >= shape[1] else w @ w.t()
        found[name] = [torch.allclose(q, torch.eye(q.shape[0]), atol=1e-5), names(m.named_parameters()),
                       names(m.named_buffers())]
    m = Z.orthogonal(nn.Linear(2, 2))
    m.weight = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
    found['set'] = m.weight.detach()
    found['bad'] = kind(lambda: setattr(m, 'weight', torch.ones(2, 2)))
    found['vector'] = kind(lambda: Z.orthogonal(nn.Linear(2, 2), 'bias'))
    return found
