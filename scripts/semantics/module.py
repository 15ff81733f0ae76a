"""Modules: names, registration, assignment, modes, conversions, copies, printing."""
import copy
from collections import OrderedDict

import torch
from torch import nn

from .common import error, fill, kind, leaf, names, ramp


class _Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.b = nn.Linear(2, 2)
        self.a = nn.Linear(2, 2, bias=False)
        self.again = self.b
        self.a.weight = self.b.weight
        self.scale = nn.Parameter(torch.ones(1))
        self.register_buffer('mean', torch.zeros(2))
        self.register_buffer('temporary', torch.zeros(1), persistent=False)
        self.register_buffer('nothing', None)
        self.register_parameter('absent', None)
        self.norm = nn.BatchNorm1d(2)


def names_and_sharing():
    net = _Net()
    return {'parameters': names(net.named_parameters()), 'every': names(net.named_parameters(remove_duplicate=False)),
            'buffers': names(net.named_buffers()),
            'modules': names(net.named_modules()), 'every_module': names(net.named_modules(remove_duplicate=False)),
            'children': names(net.named_children()),
            'prefixed': names(net.named_parameters(prefix='net')), 'direct': names(net.named_parameters(recurse=False)),
            'direct_buffers': names(net.named_buffers(prefix='p', recurse=False)), 'state': list(net.state_dict()),
            'prefixed_state': list(net.state_dict(prefix='p.')),
            'counts': [len(list(net.parameters())), len(list(net.modules())), len(list(net.buffers())),
                       len(list(net.children()))]}


def registration_errors():
    m = nn.Module()
    m.taken = 5
    m.register_buffer('buf', torch.ones(1))
    lin = nn.Linear(2, 1)
    return {'dot': error(lambda: m.add_module('a.b', nn.Linear(1, 1))),
            'empty': error(lambda: m.add_module('', nn.Linear(1, 1))),
            'taken': error(lambda: m.add_module('taken', nn.Linear(1, 1))),
            'parameter_dot': error(lambda: m.register_parameter('a.b', None)),
            'parameter_empty': error(lambda: m.register_parameter('', None)),
            'parameter_taken': error(lambda: m.register_parameter('taken', None)),
            'parameter_not': error(lambda: m.register_parameter('p', torch.ones(1))),
            'non_leaf': error(lambda: m.register_parameter('p', nn.Parameter(torch.ones(1)) * 2)),
            'buffer_taken': error(lambda: m.register_buffer('taken', torch.ones(1))),
            'buffer_dot': error(lambda: m.register_buffer('a.b', None)),
            'buffer_over_parameter': error(lambda: lin.register_buffer('weight', torch.ones(1))),
            'parameter_over_buffer': error(lambda: m.register_parameter('buf', None)),
            'module_over_parameter': error(lambda: lin.add_module('weight', nn.Identity())),
            'assign_tensor': error(lambda: setattr(lin, 'weight', torch.ones(1, 2))),
            'kinds': [kind(lambda: m.add_module('x', 5)), kind(lambda: m.register_buffer('q', 5)),
                      kind(lambda: setattr(lin, 'weight', 3)),
                      kind(lambda: setattr(m, 'buf', 3)),
                      kind(lambda: lin.register_parameter('weight', nn.Parameter(torch.ones(1))))],
            'same_kind_again': [kind(lambda: m.register_buffer('buf', torch.zeros(2))),
                                kind(lambda: m.add_module('c', None)), kind(lambda: m.add_module('c', nn.Identity()))],
            'buf': m.buf}


def assignment():
    """What becomes of a name when values of several kinds are assigned to it."""
    m = nn.Module()
    m.x = nn.Parameter(torch.ones(1))
    a = names(m.named_parameters())
    m.x = None
    b, state = names(m.named_parameters()), list(m.state_dict())
    m.x = nn.Parameter(torch.zeros(2))
    c = names(m.named_parameters())
    m.y = nn.Linear(1, 1)
    m.y = nn.Identity()
    m.z = torch.ones(1)
    m.w = nn.Parameter(torch.ones(1))
    del m.w
    m.register_buffer('v', torch.ones(1))
    m.v = torch.zeros(3)
    m.y = None
    gone = names(m.named_children())
    m.y = nn.ReLU()
    m.y = nn.Parameter(torch.ones(1))
    return {'first': a, 'after_none': b, 'state': state, 'back': c, 'children_none': gone,
            'children': names(m.named_children()), 'buffers': names(m.named_buffers()),
            'parameters': names(m.named_parameters()), 'v': m.v, 'deleted': hasattr(m, 'w')}


def buffers():
    class Counter(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer('n', torch.zeros(1, dtype=torch.int64))
            self.kept = nn.Buffer(torch.ones(2))
            self.loose = nn.Buffer(torch.ones(2), persistent=False)

        def forward(self, x):
            self.n += 1
            self.kept = self.kept * x
            return x
    m = Counter()
    m(2.0)
    m(3.0)
    m.double()
    return {'state': [[k, v.clone()] for k, v in m.state_dict().items()], 'buffers': names(m.named_buffers()),
            'types': [str(b.dtype) for b in m.buffers()],
            'requires': [b.requires_grad for b in m.buffers()],
            'set_none': (setattr(m, 'kept', None), names(m.named_buffers()))[1]}


def parameters_are_leaves():
    p = nn.Parameter(torch.ones(2))
    frozen = nn.Parameter(torch.ones(2), requires_grad=False)
    with torch.no_grad():
        inside = nn.Parameter(torch.ones(2))
    x = leaf([1.0, 2.0])
    of_result = nn.Parameter(x * 2)
    return {'leaf': [p.is_leaf, frozen.is_leaf, of_result.is_leaf],
            'requires': [p.requires_grad, frozen.requires_grad, inside.requires_grad],
            'detached': isinstance(p.detach(), nn.Parameter), 'cloned': isinstance(p.clone(), nn.Parameter),
            'integer': error(lambda: nn.Parameter(torch.ones(2, dtype=torch.int64))),
            'frozen_integer': nn.Parameter(torch.ones(2, dtype=torch.int64), requires_grad=False).detach(),
            'text': repr(p), 'shares': (of_result.data.zero_(), x.detach())[1]}


def modes():
    net = nn.Sequential(nn.Dropout(0.5), nn.Sequential(nn.BatchNorm1d(1)))
    a = [m.training for m in net.modules()]
    net.eval()
    b = [m.training for m in net.modules()]
    net[1].train()
    c = [m.training for m in net.modules()]
    same = net.train() is net
    return {'a': a, 'b': b, 'c': c, 'same': same, 'kind': kind(lambda: net.train('yes'))}


def freezing():
    net = fill(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1)))
    net[0].requires_grad_(False)
    x = ramp(3, 2)
    net(x).sum().backward()
    grads = [p.grad is None for p in net.parameters()]
    net.requires_grad_()
    net.zero_grad()
    cleared = [p.grad is None for p in net.parameters()]
    net(x).sum().backward()
    net.zero_grad(set_to_none=False)
    return {'none': grads, 'cleared': cleared, 'zeros': [p.grad for p in net.parameters()]}


def apply_order():
    log = []
    net = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU(), nn.Tanh()))
    same = net.apply(lambda m: log.append(type(m).__name__))

    def init(m):
        if isinstance(m, nn.Linear):
            nn.init.constant_(m.weight, 3.0)
            m.bias.data.fill_(1)
    return {'log': log, 'same': same is net, 'weight': net.apply(init)[0].weight.detach(), 'bias': net[0].bias.detach()}


def conversions():
    net = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    p, b = net[0].weight, net[1].running_mean
    net(torch.ones(2, 1)).sum().backward()

    def types():
        return [[k, str(v.dtype)[6:]] for k, v in net.state_dict().items()]
    net.double()
    d = types()
    same = [net[0].weight is p, net[1].running_mean is b, str(p.grad.dtype)]
    net.to(torch.float16)
    h = types()
    net.bfloat16()
    bf = types()[0]
    net.float()
    net.to(torch.ones(1, dtype=torch.float64))
    like = types()[0]
    net.type(torch.float32)
    return {'double': d, 'half': h, 'bfloat': bf, 'like': like, 'type': types(), 'same': same,
            'int': error(lambda: net.to(torch.int32)),
            'cpu': net.cpu() is net, 'half_again': str(net.half()[0].weight.dtype)}


def paths():
    net = nn.Sequential(OrderedDict([('a',
                                      nn.Sequential(OrderedDict([('b', nn.Linear(1, 2)), ('n', nn.BatchNorm1d(2))])))]))
    net.a.b.note = 5
    found = {'type': type(net.get_submodule('a.b')).__name__, 'self': net.get_submodule('') is net,
             'parameter': list(net.get_parameter('a.b.weight').shape),
             'buffer': net.get_buffer('a.n.num_batches_tracked'), 'missing': error(lambda: net.get_submodule('a.c')),
             'deep': error(lambda: net.get_submodule('a.c.d')),
             'missing_parameter': error(lambda: net.get_parameter('a.b.gamma')),
             'not_buffer': error(lambda: net.get_buffer('a.b.weight')),
             'not_parameter': error(lambda: net.get_parameter('a.n.running_mean')),
             'not_module': error(lambda: net.get_submodule('a.b.weight')),
             'attribute': error(lambda: net.get_submodule('a.b.note'))}
    net.set_submodule('a.b', nn.Identity())
    found['set'] = type(net.a.b).__name__
    found['set_empty'] = error(lambda: net.set_submodule('', nn.Identity()))
    found['set_missing'] = error(lambda: net.set_submodule('x.y', nn.Identity()))
    net.set_submodule('a.fresh', nn.ReLU())
    found['names'] = names(net.named_modules())
    found['strict'] = error(lambda: net.set_submodule('a.other', nn.ReLU(), strict=True))
    return found


def deep_copy():
    net = fill(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)))
    net[1].weight = net[0].weight
    net[0].weight.requires_grad_(False)
    net[1].eval()
    net(torch.ones(1, 2)).sum().backward()
    c = copy.deepcopy(net)
    with torch.no_grad():
        c[0].weight.zero_()
    return {'original': net[0].weight.detach(), 'tied': c[0].weight is c[1].weight, 'copy': c[1].weight.detach(),
            'requires': [p.requires_grad for p in c.parameters()],
            'training': [m.training for m in c.modules()], 'grad': [p.grad for p in c.parameters()],
            'own_grad': c[1].bias.grad is net[1].bias.grad,
            'non_leaf': error(lambda: copy.deepcopy(net[1].bias * 2))}


def forward_missing():
    class Empty(nn.Module):
        pass
    return {'error': error(lambda: Empty()(1)), 'plain': error(lambda: nn.Module()(1))}


def printing():
    class Scale(nn.Module):
        def __init__(self, n):
            super().__init__()
            self.n = n
            self.inner = nn.Linear(1, 1)

        def extra_repr(self):
            return f'n={self.n}'

    class Long(nn.Module):
        def extra_repr(self):
            return 'a\nb'

    class Named(nn.Module):
        def _get_name(self):
            return 'Other'
    repeated = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1), nn.ReLU(), nn.Linear(2, 1)])
    reserved = nn.Module()
    reserved.none = None
    reserved.add_module('gone', None)
    return {'with_child': repr(Scale(3)), 'two_lines': repr(Long()),
            'nested': repr(nn.Sequential(Scale(1), Long(), nn.Sequential())), 'named': repr(nn.Sequential(Named())),
            'repeated': repr(repeated), 'plain': repr(nn.Module()), 'reserved': repr(reserved), 'net': repr(_Net()),
            'dict': repr(nn.ModuleDict({'x': nn.ModuleDict()}))}


def lazy():
    m = nn.LazyLinear(3)
    before = [repr(m), list(m.state_dict()), m.has_uninitialized_params(), type(m.weight).__name__]
    shape = kind(lambda: m.weight.shape)
    m(torch.ones(2, 5))
    other = nn.LazyLinear(3)
    other.load_state_dict(m.state_dict())
    loaded = [list(other.weight.shape), type(other).__name__, other.has_uninitialized_params()]
    other(torch.ones(1, 5))
    net = nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(2))
    net(torch.ones(2, 3, 5, 5))
    return {'before': before, 'shape': shape, 'after': repr(m), 'weight': list(m.weight.shape), 'loaded': loaded,
            'other': type(other).__name__, 'net': repr(net),
            'count': kind(lambda: sum(p.numel() for p in nn.LazyLinear(3).parameters()))}


def tied_weights():
    """Both uses of a shared parameter add to one gradient; an optimizer has it once."""
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.inside = nn.Linear(2, 3, bias=False)
            self.outside = nn.Linear(3, 2, bias=False)
            self.outside.weight = nn.Parameter(self.inside.weight.t().contiguous())
            self.third = nn.Linear(2, 3, bias=False)
            self.third.weight = self.inside.weight

        def forward(self, x):
            return self.third(self.outside(self.inside(x)))
    m = fill(Tied())
    m(ramp(2, 2)).sum().backward()
    return {'names': names(m.named_parameters()), 'state': list(m.state_dict()),
            'same': m.inside.weight.grad is m.third.weight.grad, 'grad': m.inside.weight.grad}
