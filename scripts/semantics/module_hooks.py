"""Hooks of modules: order, power, and what is left when one fails or goes away."""
import copy

import torch
from torch import nn
from torch.nn.modules import module as M

from .common import error, fill, kind, leaf, ramp


def _one():
    return torch.ones(1)


class _Twice(nn.Module):
    def forward(self, x):
        return x * 2


def notes_example():
    """The example of PyTorch's notes on modules: a full backward hook replaces grad_input by 42s."""
    m = fill(nn.Linear(3, 3))
    x = ramp(2, 3).requires_grad_()
    plain = m(x)
    h1 = m.register_forward_pre_hook(lambda m, inputs: (inputs[0] + 1.0,))
    pre = m(x)
    h2 = m.register_forward_hook(lambda m, inputs, output: output + inputs[0])
    both = m(x)
    h1.remove()
    h2.remove()
    m.register_full_backward_hook(lambda m, gi, go: [torch.ones_like(g) * 42.0 for g in gi])
    m(x).sum().backward()
    return {'plain': plain, 'pre': pre, 'both': both, 'x': x.grad, 'weight': m.weight.grad, 'bias': m.bias.grad}


def several_of_a_kind():
    log = []
    m = nn.Identity()
    m.register_forward_pre_hook(lambda m, i: log.append(['pre1', i[0].clone()]) or (i[0] + 1,))
    m.register_forward_pre_hook(lambda m, i: log.append(['pre2', i[0].clone()]) or i[0] * 10)
    m.register_forward_hook(lambda m, i, o: log.append(['post1', o.clone()]) or o + 100)
    handle = m.register_forward_hook(lambda m, i, o: log.append(['post2', o.clone()]))
    first = m(_one())
    handle.remove()
    return {'first': first, 'second': m(_one()), 'log': log}


def prepended():
    log = []
    m = _Twice()
    for name, prepend in [('a', False), ('b', True), ('c', False), ('d', True)]:
        m.register_forward_pre_hook(lambda m, i, name=name: log.append('pre ' + name), prepend=prepend)
        m.register_forward_hook(lambda m, i, o, name=name: log.append('post ' + name), prepend=prepend)
        m.register_full_backward_pre_hook(lambda m, g, name=name: log.append('backward pre ' + name), prepend=prepend)
        m.register_full_backward_hook(lambda m, g, h, name=name: log.append('backward ' + name), prepend=prepend)
    m(leaf([1.0])).backward()
    return {'log': log}


def keyword_arguments():
    class Scaled(nn.Module):
        def forward(self, x, by=1, plus=0):
            return x * by + plus
    m = Scaled()
    log = []
    m.register_forward_pre_hook(lambda m, args, kwargs: log.append(['pre', list(args), kwargs]) or (args,
        {**kwargs, 'plus': 5}), with_kwargs=True)
    m.register_forward_pre_hook(lambda m, args: log.append(['plain', list(args)]))
    m.register_forward_hook(lambda m, args, kwargs, out: log.append(['post', list(args), kwargs, out]) or out * 2,
                            with_kwargs=True)
    m.register_forward_hook(lambda m, args, out: log.append(['end', list(args), out]))
    found = [m(1, by=10), m(1), m(2, by=3, plus=1)]
    bad = Scaled()
    bad.register_forward_pre_hook(lambda m, args, kwargs: 5, with_kwargs=True)
    half = Scaled()
    half.register_forward_pre_hook(lambda m, args, kwargs: None, with_kwargs=True)
    return {'found': found, 'log': log, 'bad': error(lambda: bad(1)), 'none': half(3, by=2)}


def tuples_and_structures():
    """A pre-hook returns one value or all arguments; a hook may replace a structured output."""
    class Two(nn.Module):
        def forward(self, a, b):
            return a + b, a * b
    m = Two()
    m.register_forward_pre_hook(lambda m, args: (args[1], args[0] * 2))
    seen = []
    m.register_forward_hook(lambda m, args, out: seen.append([a.clone() for a in args]) or {'sum': out[0],
        'product': out[1]})
    return {'out': m(_one(), _one() * 3), 'seen': seen}


def changed_in_place():
    """What a hook changes in place, it changes."""
    m = nn.Identity()
    m.register_forward_pre_hook(lambda m, args: args[0].add_(1) and None)
    m.register_forward_hook(lambda m, args, out: out.mul_(10) and None)
    x = _one()
    return {'out': m(x), 'x': x}


def nested_order():
    """From outside in and out again; backward the other way."""
    log = []
    net = nn.Sequential(_Twice(), nn.Sequential(_Twice(), _Twice()))
    for name, m in net.named_modules():
        name = name or 'net'
        m.register_forward_pre_hook(lambda m, i, name=name: log.append('pre ' + name))
        m.register_forward_hook(lambda m, i, o, name=name: log.append('post ' + name))
        m.register_full_backward_pre_hook(lambda m, g, name=name: log.append('backward pre ' + name))
        m.register_full_backward_hook(lambda m, g, h, name=name: log.append('backward ' + name))
    x = leaf([1.0])
    net(x).backward()
    return {'log': log, 'grad': x.grad}


def called_twice():
    """A shared module runs its hooks for each call; each has its own gradients."""
    log = []
    m = _Twice()
    m.register_full_backward_hook(lambda m, gi, go: log.append([gi[0].clone(), go[0].clone()]) or (gi[0] + 1,))
    x = leaf([1.0])
    m(m(x)).backward()
    return {'log': log, 'grad': x.grad}


def global_hooks():
    log = []
    m = fill(nn.Linear(2, 1))
    m.register_forward_pre_hook(lambda m, i: log.append('own pre'), prepend=True)
    m.register_forward_hook(lambda m, i, o: log.append('own forward'))
    m.register_full_backward_hook(lambda m, gi, go: log.append('own backward'))
    m.register_full_backward_pre_hook(lambda m, go: log.append('own backward pre'))
    handles = [M.register_module_forward_pre_hook(lambda m, i: log.append('global pre ' + type(m).__name__)),
               M.register_module_forward_hook(lambda m, i, o: log.append('global forward ' + type(m).__name__)),
               M.register_module_full_backward_hook(lambda m, gi, go: log.append('global backward ' + type(m).__name__)),
               M.register_module_full_backward_pre_hook(lambda m, go: log.append('global backward pre ' + type(m).__name__))]
    net = nn.Sequential(m)
    net(ramp(1, 2).requires_grad_()).sum().backward()
    for h in handles:
        h.remove()
    net(ramp(1, 2))
    return {'log': log}


def global_hooks_replace():
    with M.register_module_forward_pre_hook(lambda m, i: (i[0] + 1,
                                                          )), M.register_module_forward_hook(lambda m, i, o: o * 10):
        both = nn.Sequential(_Twice(), _Twice())(_one())
    return {'both': both, 'after': _Twice()(_one())}


def registration_hooks():
    """Hooks that see, and may replace, what modules register."""
    log = []
    handles = [M.register_module_parameter_registration_hook(lambda m, n, p: log.append(['parameter', type(m).__name__,
        n])),
               M.register_module_buffer_registration_hook(lambda m, n, b: log.append(['buffer', n, b is None])),
               M.register_module_module_registration_hook(lambda m, n, c: log.append(['module', n, type(c).__name__]))]
    nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(2, affine=False))
    m = nn.Module()
    m.register_parameter('none', None)
    m.child = nn.Identity()
    m.p = nn.Parameter(torch.ones(1))
    m.register_buffer('b', None)
    for h in handles:
        h.remove()
    with M.register_module_parameter_registration_hook(lambda m, n, p: nn.Parameter(p.detach() * 0 + 7)):
        replaced = nn.Linear(1, 1)
    return {'log': log, 'replaced': [p.detach() for p in replaced.parameters()]}


def gradients_of_arguments():
    """grad_input has one entry per positional input, None for those without gradient."""
    log = []
    m = fill(nn.Bilinear(2, 2, 1))
    m.register_full_backward_hook(lambda m, gi, go: log.append([list(gi), list(go)]))
    m(ramp(3, 2).requires_grad_(), ramp(3, 2) + 1).sum().backward()

    class Mixed(nn.Module):
        def forward(self, k, x, note, y=None):
            return x * k, 'text', x * 3
    n = Mixed()
    n.register_full_backward_hook(lambda m, gi, go: log.append([len(gi), [g is None for g in gi],
        [g is None for g in go]]))
    x = leaf([1.0])
    n(2, x, 'a')[0].backward()
    n(2, x, 'a', y=leaf([3.0]))[2].backward()
    return {'log': log, 'grad': x.grad}


def gradients_replaced():
    """A backward hook replaces grad_input, a pre-hook grad_output; several are chained."""
    m = fill(nn.Linear(2, 1))
    log = []
    m.register_full_backward_pre_hook(lambda m, go: log.append(['pre1', go[0].clone()]) or (go[0] * 2,))
    m.register_full_backward_pre_hook(lambda m, go: log.append(['pre2', go[0].clone()]) or (go[0] + 1,))
    m.register_full_backward_hook(lambda m, gi, go: log.append(['hook1', gi[0].clone(), go[0].clone()]) or (gi[0] * 10,
        ))
    m.register_full_backward_hook(lambda m, gi, go: log.append(['hook2', gi[0].clone()]))
    x = ramp(1, 2).requires_grad_()
    m(x).backward(torch.ones(1, 1))
    return {'log': log, 'x': x.grad, 'weight': m.weight.grad}


def wrong_gradients():
    def run(register):
        m = nn.Linear(2, 1)
        register(m)
        return error(lambda: m(torch.ones(1, 2, requires_grad=True)).sum().backward())
    return {'many': run(lambda m: m.register_full_backward_hook(lambda m, gi, go: (gi[0], gi[0]))),
            'none': run(lambda m: m.register_full_backward_hook(lambda m, gi, go: ())),
            'pre': run(lambda m: m.register_full_backward_pre_hook(lambda m, go: (go[0], go[0]))),
            'shape': kind(lambda: run(lambda m: m.register_full_backward_hook(lambda m, gi, go: (torch.ones(5),))))}


def without_gradients():
    """No input requires a gradient, or nothing is recorded."""
    log = []
    m = fill(nn.Linear(2, 1))
    handle = m.register_full_backward_hook(lambda m, gi, go: log.append([list(gi), list(go)]))
    m(ramp(1, 2)).sum().backward()
    with torch.no_grad():
        m(ramp(1, 2))
    m(ramp(1, 2).requires_grad_())
    handle.remove()
    m.register_full_backward_hook(lambda m, gi, go: (torch.ones(1, 2),))
    return {'log': log, 'refused': error(lambda: m(ramp(1, 2)).sum().backward())}


def removed_while_running():
    log, handles = [], {}
    m = nn.Identity()

    def once(m, i):
        log.append('once')
        handles['once'].remove()
        m.register_forward_pre_hook(lambda m, i: log.append('added'))
    handles['once'] = m.register_forward_pre_hook(once)
    m.register_forward_pre_hook(lambda m, i: log.append('stays'))

    def post(m, i, o):
        log.append('post')
        handles['post'].remove()
    handles['post'] = m.register_forward_hook(post)
    m.register_forward_hook(lambda m, i, o: log.append('last'))
    m(_one())
    m(_one())
    return {'log': log}


def backward_hook_removed_before_backward():
    """Hooks are taken along when the module is called."""
    log = []
    m = _Twice()
    handle = m.register_full_backward_hook(lambda m, gi, go: log.append('backward'))
    y = m(leaf([1.0]))
    handle.remove()
    y.backward()
    z = m(leaf([1.0]))
    m.register_full_backward_hook(lambda m, gi, go: log.append('late'))
    z.backward()
    return {'log': log}


def errors_in_hooks():
    """After an error the module is as it was."""
    log = []

    def fail(*args):
        raise RuntimeError('from the hook')
    found = []
    for register in ['register_forward_pre_hook', 'register_forward_hook', 'register_full_backward_pre_hook',
                     'register_full_backward_hook']:
        m = fill(nn.Linear(2, 1))
        handle = getattr(m, register)(fail)
        x = torch.ones(1, 2, requires_grad=True)
        e = error(lambda: m(x).sum().backward())
        handle.remove()
        m.zero_grad()
        x.grad = None
        m(x).sum().backward()
        found.append([e['message'], x.grad.clone(), m.weight.grad.clone()])
    return {'found': found, 'log': log}


def always_called():
    class Bad(nn.Module):
        fails = True

        def forward(self, x):
            if self.fails:
                raise RuntimeError('no')
            return x
    log = []
    m = Bad()
    m.register_forward_hook(lambda m, i, o: log.append(['always', o is None]), always_call=True)
    m.register_forward_hook(lambda m, i, o: log.append(['normal', o is None]))
    m.register_forward_hook(lambda m, i, k, o: log.append(['with kwargs', k, o is None]), always_call=True,
                            with_kwargs=True)
    first = error(lambda: m(_one()))
    m.fails = False
    m(_one())
    return {'error': first, 'log': log}


def copies():
    """Hooks are copied with the module; a copy has its own list."""
    log = []
    m = nn.Identity()
    m.register_forward_hook(lambda m, i, o: log.append('hook'))
    c = copy.deepcopy(m)
    m.register_forward_hook(lambda m, i, o: log.append('of the original'))
    c(_one())
    m(_one())
    return {'log': log}


def feature_extraction():
    """What layers put out, kept by hooks; the hooks of parts run inside a Sequential and a ModuleList alike."""
    net = fill(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)))
    kept = {}
    for name, m in net.named_children():
        m.register_forward_hook(lambda m, i, o, name=name: kept.__setitem__('layer' + name, o.detach()))
    net(ramp(2, 2))
    return kept


def direct_forward():
    """forward called directly runs no hook."""
    log = []
    m = nn.Identity()
    m.register_forward_hook(lambda m, i, o: log.append('hook'))
    m.forward(_one())
    m(_one())
    m.eval()(_one())
    return {'log': log}


def state_dict_hooks():
    log = []
    m = fill(nn.Sequential(nn.Linear(2, 1)))
    m[0]._register_state_dict_hook(lambda module, d, prefix, meta: log.append(['state', sorted(d), prefix]))
    m[0]._register_load_state_dict_pre_hook(lambda d, prefix, *a: log.append(['pre', prefix, sorted(d)]))
    m.register_load_state_dict_post_hook(lambda module, keys: log.append(['post', list(keys.missing_keys),
        list(keys.unexpected_keys)]))
    d = m.state_dict()
    d['extra'] = torch.ones(1)
    del d['0.bias']
    m.load_state_dict(d, strict=False)
    return {'log': log}


def state_dict_hooks_change():
    """What the hooks of saving and loading may change."""
    m = fill(nn.Sequential(nn.Linear(2, 1)))
    m.register_state_dict_pre_hook(lambda module, prefix, keep: setattr(module, 'seen', [prefix, keep]))
    m[0].register_state_dict_post_hook(lambda module, d, prefix, meta: d.__setitem__(prefix + 'added', torch.ones(1)))
    keys = list(m.state_dict(prefix='p.'))
    seen = m.seen
    refused = nn.Linear(1, 1)
    refused.register_state_dict_post_hook(lambda module, d, prefix, meta: d)
    replaced = nn.Linear(1, 1)
    replaced._register_state_dict_hook(lambda module, d, prefix, meta: {'only': d['weight']})
    old = fill(nn.Linear(2, 1))
    old.register_load_state_dict_pre_hook(lambda module, d, prefix, *a: d.__setitem__(prefix + 'weight',
        d.pop(prefix + 'w')))
    old.load_state_dict({'w': torch.zeros(1, 2), 'bias': torch.ones(1)})
    forgiving = nn.Linear(2, 1)
    forgiving.register_load_state_dict_post_hook(lambda module, keys: keys.missing_keys.clear())
    result = forgiving.load_state_dict({'bias': torch.ones(1)})
    talking = nn.Linear(1, 1)
    talking.register_load_state_dict_post_hook(lambda module, keys: keys)
    return {'keys': keys, 'seen': seen, 'refused': error(lambda: refused.state_dict()),
            'replaced': list(replaced.state_dict()), 'old': old.weight,
            'forgiven': list(result.missing_keys),
            'returned': kind(lambda: talking.load_state_dict(talking.state_dict()))}


def load_hooks_order():
    log = []
    net = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.Linear(1, 1)))
    for name, m in net.named_modules():
        m.register_load_state_dict_pre_hook(lambda m, d, prefix, meta, strict, *a: log.append(['pre', prefix, strict,
            meta.get('version')]))
        m.register_load_state_dict_post_hook(lambda m, keys, name=name: log.append(['post', name]))
        m.register_state_dict_pre_hook(lambda m, prefix, keep: log.append(['save pre', prefix]))
        m.register_state_dict_post_hook(lambda m, d, prefix, meta: log.append(['save post', prefix, len(d)]))
    net.load_state_dict(net.state_dict())
    return {'log': log}
