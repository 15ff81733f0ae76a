"""State dicts: what they hold, what loading takes, refuses and reports."""
from collections import OrderedDict

import torch
from torch import nn

from .common import error, fill, kind, ramp


def live():
    """The tensors of a state dict share memory with the module; keep_vars keeps the parameters themselves."""
    m = fill(nn.Linear(2, 1))
    d = m.state_dict()
    with torch.no_grad():
        m.bias.add_(1)
    kept = m.state_dict(keep_vars=True)
    return {'shares': d['bias'], 'requires': d['bias'].requires_grad, 'kept': kept['bias'].requires_grad,
            'same': kept['bias'] is m.bias,
            'metadata': [[k, v] for k, v in d._metadata.items()]}


def copies_in_place():
    m = fill(nn.Linear(2, 1))
    p = m.weight
    source = torch.tensor([[5.0, 6.0]], dtype=torch.float64)
    result = m.load_state_dict({'weight': source, 'bias': torch.tensor([7])})
    source.zero_()
    return {'same': m.weight is p, 'weight': m.weight.detach(), 'bias': m.bias.detach(),
            'requires': m.weight.requires_grad, 'result': repr(result)}


def strict_errors():
    m = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1))
    good = m.state_dict()

    def changed(**changes):
        d = OrderedDict(good)
        for key, value in changes.items():
            key = key.replace('__', '.')
            if value is None:
                del d[key]
            else:
                d[key] = value
        return d

    def load(d, **options):
        return error(lambda: m.load_state_dict(d, **options))
    renamed = {k.replace('0.', 'first.'): v for k, v in good.items()}
    return {'missing': load(changed(**{'0__weight': None})),
            'unexpected': load(changed(**{'2__weight': torch.ones(1), 'x': torch.ones(1)})), 'renamed': load(renamed),
            'size': load(changed(**{'0__weight': torch.ones(2, 2)})),
            'size_loose': load(changed(**{'0__weight': torch.ones(2, 2)}), strict=False),
            'several': load(changed(**{'0__weight': torch.ones(3), '0__bias': None, 'y': torch.ones(1)})),
            'inside_tensor': load(changed(**{'0__weight__x': torch.ones(1)})),
            'empty': load({}), 'kind': kind(lambda: m.load_state_dict([1]))}


def loosely():
    m = fill(nn.Sequential(nn.Linear(2, 1)))
    result = m.load_state_dict({'0.weight': torch.zeros(1, 2), 'other.weight': torch.ones(3)}, strict=False)
    return {'missing': result.missing_keys, 'unexpected': result.unexpected_keys, 'text': repr(result),
            'weight': m[0].weight.detach(), 'bias': m[0].bias.detach()}


def what_fits_is_loaded():
    """An error in one entry does not keep the others from being loaded."""
    m = fill(nn.Linear(2, 1))
    e = error(lambda: m.load_state_dict({'weight': torch.ones(5), 'bias': torch.tensor([9.0])}))
    return {'failed': e is not None, 'bias': m.bias.detach(), 'weight': m.weight.detach()}


def assigned():
    """assign=True puts the given tensors in place, with their types."""
    m = nn.Linear(2, 1)
    m.bias.requires_grad_(False)
    weight, bias = torch.ones(1, 2, dtype=torch.float64), nn.Parameter(torch.ones(1))
    m.load_state_dict({'weight': weight, 'bias': bias}, assign=True)
    n = nn.BatchNorm1d(2)
    mean = torch.full((2,), 3.0)
    n.load_state_dict({**n.state_dict(), 'running_mean': mean}, assign=True)
    mean.zero_()
    return {'type': str(m.weight.dtype), 'parameter': isinstance(m.weight, nn.Parameter),
            'requires': [m.weight.requires_grad, m.bias.requires_grad],
            'shares': m.weight.data_ptr() == weight.data_ptr(),
            'same_bias': m.bias is bias, 'mean': n.running_mean, 'buffer': 'running_mean' in dict(n.named_buffers()),
            'size': error(lambda: m.load_state_dict({'weight': torch.ones(3), 'bias': bias}, assign=True))}


def scalars_and_shapes():
    """A scalar parameter takes a vector of one element; a vector of one does not take a scalar."""
    m = nn.Module()
    m.s = nn.Parameter(torch.tensor(1.0))
    m.load_state_dict({'s': torch.tensor([5.0])})
    v = nn.Module()
    v.s = nn.Parameter(torch.ones(1))
    return {'s': m.s.detach(), 'error': error(lambda: v.load_state_dict({'s': torch.tensor(5.0)})),
            'broadcast': error(lambda: nn.Linear(2, 1).load_state_dict({'weight': torch.ones(1),
                'bias': torch.ones(1)}))}


def old_batch_norm():
    """Statistics of version 1 lack the number of batches."""
    m = nn.BatchNorm1d(2)
    m(ramp(3, 2))
    d = m.state_dict()
    del d['num_batches_tracked']
    new = error(lambda: nn.BatchNorm1d(2).load_state_dict(d))
    d._metadata['']['version'] = 1
    n = nn.BatchNorm1d(2)
    n.load_state_dict(d)
    bare = nn.BatchNorm1d(2)
    bare.load_state_dict(dict(d))
    return {'new': new, 'count': n.num_batches_tracked, 'mean': n.running_mean, 'bare': bare.num_batches_tracked}


def extra_state():
    class Counted(nn.Module):
        def __init__(self, n):
            super().__init__()
            self.n = n

        def get_extra_state(self):
            return {'n': self.n}

        def set_extra_state(self, state):
            self.n = state['n']
    a, b = nn.Sequential(Counted(3)), nn.Sequential(Counted(0))
    b.load_state_dict(a.state_dict())
    return {'keys': list(a.state_dict()), 'n': b[0].n, 'missing': error(lambda: b.load_state_dict({})),
            'unexpected': error(lambda: nn.Identity().load_state_dict({'_extra_state': 1})),
            'loose': list(b.load_state_dict({}, strict=False).missing_keys)}


def partial_loading():
    """Parts of a checkpoint into a larger model, by name."""
    small, large = fill(nn.Sequential(nn.Linear(2, 2), nn.ReLU())), fill(nn.Sequential(nn.Linear(2, 2), nn.ReLU(),
        nn.Linear(2, 1)))
    with torch.no_grad():
        small[0].weight.fill_(5)
    own = large.state_dict()
    own.update({k: v for k, v in small.state_dict().items() if own[k].shape == v.shape})
    large.load_state_dict(own)
    result = large.load_state_dict(small.state_dict(), strict=False)
    return {'weight': large[0].weight.detach(), 'missing': list(result.missing_keys), 'head': large[2].bias.detach()}


def destination_and_prefix():
    d = nn.Linear(1, 1).state_dict(prefix='a.')
    out = nn.Linear(1, 1).state_dict(destination=d, prefix='b.')
    return {'same': out is d, 'keys': list(out), 'metadata': list(out._metadata)}


def shared_and_missing_parts():
    """A tied parameter is loaded once per name: the last wins. A module that is None has no entries."""
    net = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    net[1].weight = net[0].weight
    net.load_state_dict({'0.weight': torch.tensor([[1.0]]), '1.weight': torch.tensor([[2.0]])})
    m = nn.Module()
    m.a = nn.Linear(1, 1)
    m.a = None
    return {'tied': net[0].weight.detach(), 'keys': list(m.state_dict()), 'loads': repr(m.load_state_dict({}))}


def non_persistent():
    m = nn.Module()
    m.register_buffer('kept', torch.ones(1))
    m.register_buffer('loose', torch.ones(1), persistent=False)
    first = list(m.state_dict())
    m.register_buffer('loose', torch.ones(1))
    m.register_buffer('kept', torch.ones(1), persistent=False)
    return {'first': first, 'later': list(m.state_dict()),
            'refused': error(lambda: m.load_state_dict({'loose': torch.zeros(1), 'kept': torch.zeros(1)}))}
