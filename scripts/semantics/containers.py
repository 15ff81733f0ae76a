"""Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict."""
from collections import OrderedDict

import torch
from torch import nn

from .common import error, fill, kind, names, ramp


def _types(ms):
    return [type(m).__name__ for m in ms]


def sequential():
    s = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    named = nn.Sequential(OrderedDict([('in', nn.Linear(2, 3)), ('act', nn.Tanh())]))
    found = {'len': len(s), 'last': type(s[-1]).__name__, 'slice': _types(s[1:]), 'slice_class': type(s[:2]).__name__,
             'shared': s[:2][0] is s[0],
             'named_slice': names(named[1:].named_children()), 'named': names(named.named_children()),
             'out': error(lambda: s[5]), 'negative': error(lambda: s[-4]),
             'iterated': _types(s), 'empty': nn.Sequential()(3)}
    s[1] = nn.Sigmoid()
    s[-1] = nn.Linear(3, 2)
    found['set'] = _types(s)
    del s[0]
    found['deleted'] = [names(s.named_children()), _types(s)]
    s.append(nn.Identity()).insert(0, nn.Tanh())
    found['inserted'] = [names(s.named_children()), _types(s)]
    s.extend([nn.ReLU(), nn.ELU()])
    found['popped'] = [type(s.pop(0)).__name__, type(s.pop(-1)).__name__, names(s.named_children())]
    del s[1:3]
    found['rest'] = _types(s)
    found['errors'] = [error(lambda: s.insert(9, nn.ReLU())), kind(lambda: s.append(3)),
                       kind(lambda: nn.Sequential(nn.ReLU(), 3)), kind(lambda: s.pop(9))]
    return found


def sequential_arithmetic():
    a, b = nn.Sequential(nn.ReLU()), nn.Sequential(nn.Tanh(), nn.ELU())
    c, d = a + b, b * 2
    a += b
    b *= 2
    return {'sum': [_types(c), names(c.named_children())], 'product': [_types(d), d[0] is d[2]], 'grown': _types(a),
            'doubled': _types(b),
            'errors': [kind(lambda: a + 3), kind(lambda: a * 1.5), kind(lambda: a * 0),
                       kind(lambda: nn.Sequential(nn.ReLU()) * nn.ReLU())]}


def nested_sequential():
    net = fill(nn.Sequential(OrderedDict([('body', nn.Sequential(nn.Linear(2, 2), nn.Tanh())),
                                          ('head', nn.Linear(2, 1))])))
    return {'y': net(ramp(2, 2)), 'names': names(net.named_modules()), 'state': list(net.state_dict()),
            'attribute': type(net.body[1]).__name__, 'text': repr(net)}


def module_list():
    m = nn.ModuleList([nn.Linear(1, 1), nn.ReLU()])
    m.append(nn.Tanh()).extend([nn.ELU(), nn.Sigmoid()])
    m.insert(1, nn.Identity())
    found = {'types': _types(m), 'names': names(m.named_children()), 'len': len(m),
             'slice': [type(m[1:3]).__name__, _types(m[1:3])], 'last': type(m[-1]).__name__,
             'contains': m[0] in m, 'state': list(m.state_dict())}
    m[0] = nn.Linear(2, 2)
    popped = type(m.pop(1)).__name__
    del m[-1]
    found['later'] = [_types(m), names(m.named_children()), popped]
    del m[::2]
    found['every_second'] = _types(m)
    joined = m + nn.ModuleList([nn.ReLU()])
    m += [nn.Softmax(0)]
    found['joined'] = [_types(joined), _types(m), names(joined.named_children())]
    found['errors'] = [error(lambda: m[9]), error(lambda: m[-9]), kind(lambda: m.append(1)), kind(lambda: m.extend(3)),
                       kind(lambda: m(1)), error(lambda: m.pop(7))]
    return found


def module_dict():
    d = nn.ModuleDict({'b': nn.Linear(1, 1), 'a': nn.ReLU()})
    d['c'] = nn.Linear(1, 2)
    d.update({'z': nn.Tanh(), 'y': nn.Identity()})
    d.update([['x', nn.Sigmoid()]])
    d.update(nn.ModuleDict({'w': nn.ELU()}))
    popped = type(d.pop('a')).__name__
    del d['z']
    found = {'keys': list(d.keys()), 'types': _types(d.values()), 'items': names(d.items()), 'len': len(d),
             'contains': ['b' in d, 'z' in d], 'iterated': list(d), 'state': list(d.state_dict()),
             'missing': kind(lambda: d['nope']), 'popped': popped, 'pop_missing': kind(lambda: d.pop('nope')),
             'repr': repr(d), 'bad_key': kind(lambda: d.__setitem__(3, nn.ReLU())),
             'bad_value': kind(lambda: d.__setitem__('q', 3)), 'attribute': type(d.b).__name__,
             'call': kind(lambda: d(1)), 'update_number': kind(lambda: d.update(3)),
             'update_pair': kind(lambda: d.update([['x']])), 'dotted': error(lambda: d.__setitem__('p.q', nn.ReLU())),
             'taken': error(lambda: d.__setitem__('keys', nn.ReLU()))}
    d['b'] = nn.ReLU()
    found['replaced'] = [list(d.keys()), type(d['b']).__name__]
    d.clear()
    found['cleared'] = [len(d), list(d.state_dict())]
    return found


def parameter_list():
    p = nn.ParameterList([nn.Parameter(torch.ones(2)), nn.Parameter(torch.zeros(1, 3))])
    p.append(nn.Parameter(torch.ones(1)))
    p.extend([nn.Parameter(torch.ones(2, 2), requires_grad=False)])
    keys = list(p.state_dict())
    p[0] = nn.Parameter(torch.full((2,), 5.0))
    found = {'keys': keys, 'len': len(p), 'names': names(p.named_parameters()), 'value': p[0].detach(), 'repr': repr(p),
             'last': p[-1].shape == (2, 2), 'slice': [type(p[1:3]).__name__, len(p[1:3])],
             'errors': [kind(lambda: p[9]), kind(lambda: p(1)), kind(lambda: p.extend(3)),
                        kind(lambda: p.__setitem__(9, p[0]))], 'iterated': [list(q.shape) for q in p]}
    p.append(torch.ones(1))
    found['tensor'] = [isinstance(p[4], nn.Parameter), len(list(p.parameters()))]
    p.append('text')
    found['other'] = [p[5], len(p), len(list(p.parameters()))]
    p += [nn.Parameter(torch.ones(7))]
    found['grown'] = list(p[-1].shape)
    return found


def parameter_dict():
    d = nn.ParameterDict({'right': nn.Parameter(torch.ones(2)), 'left': nn.Parameter(torch.zeros(1))})
    d['new'] = nn.Parameter(torch.ones(3))
    popped = d.pop('left')
    d.setdefault('new', nn.Parameter(torch.ones(9)))
    d.setdefault('other', nn.Parameter(torch.ones(1)))
    found = {'keys': list(d.keys()), 'state': list(d.state_dict()), 'len': len(d), 'popped': popped.detach(),
             'contains': ['new' in d, 'left' in d], 'shape': list(d['new'].shape), 'repr': repr(d),
             'missing': kind(lambda: d['nope']), 'get': [d.get('nope'), d.get('nope', 5), list(d.get('new').shape)],
             'items': names(d.items()), 'call': kind(lambda: d(1))}
    d.update({'b': nn.Parameter(torch.ones(1)), 'a': torch.ones(2)})
    found['updated'] = [list(d.keys()), isinstance(d['a'], nn.Parameter)]
    found['popped_item'] = d.popitem()[0]
    found['from_keys'] = list(d.fromkeys(['p', 'q'], nn.Parameter(torch.ones(1))).keys())
    copied = d.copy()
    found['copied'] = [list(copied.keys()), copied['new'] is d['new']]
    d.clear()
    found['cleared'] = len(d)
    return found


def dynamic_use():
    """Layers chosen by number and by name at run time."""
    class Dynamic(nn.Module):
        def __init__(self):
            super().__init__()
            self.linears = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
            self.acts = nn.ModuleDict({'relu': nn.ReLU(), 'lrelu': nn.LeakyReLU()})
            self.final = nn.Linear(2, 1)
            self.scales = nn.ParameterList([torch.tensor([float(i + 1)]) for i in range(2)])

        def forward(self, x, act):
            for linear in self.linears:
                x = self.acts[act](linear(x)) * self.scales[0]
            return self.final(x) * self.scales[1]
    net = fill(Dynamic())
    x = ramp(2, 2)
    net(x, 'lrelu').sum().backward()
    return {'relu': net(x, 'relu'), 'lrelu': net(x, 'lrelu'), 'names': names(net.named_parameters()),
            'grads': [p.grad for p in net.parameters()][-2:], 'text': repr(net)}
