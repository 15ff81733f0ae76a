"""Pruning: masks on parameters, their combination and removal."""
import copy

import torch
from torch import nn
from torch.nn.utils import prune as Q

from .common import error, fill, kind, names, ramp


def _linear():
    return fill(nn.Linear(4, 3))


def one_method():
    m = _linear()
    before = m.weight
    same = Q.l1_unstructured(m, 'weight', 0.4) is m
    found = {'same': same, 'parameters': names(m.named_parameters()), 'buffers': names(m.named_buffers()),
             'state': list(m.state_dict()), 'mask': m.weight_mask, 'weight': m.weight.detach(),
             'original': m.weight_orig is before, 'parameter': isinstance(m.weight, nn.Parameter),
             'hooks': len(m._forward_pre_hooks), 'pruned': [Q.is_pruned(m), Q.is_pruned(nn.Sequential(m)),
                                                            Q.is_pruned(_linear())]}
    y = m(ramp(2, 4))
    y.sum().backward()
    found['y'] = y.detach()
    found['grad'] = m.weight_orig.grad
    Q.remove(m, 'weight')
    found['after'] = [names(m.named_parameters()), list(m.state_dict()), m.weight is before, len(m._forward_pre_hooks),
                      Q.is_pruned(m)]
    found['kept'] = m.weight.detach()
    found['again'] = error(lambda: Q.remove(m, 'weight'))
    return found


def methods():
    def mask(f):
        m = _linear()
        f(m)
        return m.weight_mask
    conv = fill(nn.Conv2d(2, 4, 2))
    Q.ln_structured(conv, 'weight', 2, n=1, dim=0)
    return {'identity': mask(lambda m: Q.identity(m, 'weight')),
            'l1': mask(lambda m: Q.l1_unstructured(m, 'weight', 5)),
            'rows': mask(lambda m: Q.ln_structured(m, 'weight', 1, n=2, dim=0)),
            'columns': mask(lambda m: Q.ln_structured(m, 'weight', 0.5, n=float('inf'), dim=1)),
            'last': mask(lambda m: Q.ln_structured(m, 'weight', 1, n=2, dim=-1)),
            'custom': mask(lambda m: Q.custom_from_mask(m, 'weight', torch.eye(3, 4))),
            'scores': mask(lambda m: Q.l1_unstructured(m, 'weight', 9, importance_scores=ramp(3, 4))),
            'none': mask(lambda m: Q.l1_unstructured(m, 'weight', 0)),
            'all': mask(lambda m: Q.l1_unstructured(m, 'weight', 12)),
            'rounded': mask(lambda m: Q.l1_unstructured(m, 'weight', 0.21)), 'conv': conv.weight_mask.sum((1, 2, 3)),
            'random': mask(lambda m: Q.random_unstructured(m, 'weight', 4)),
            'random_rows': mask(lambda m: Q.random_structured(m, 'weight', 2, dim=0))}


def combined():
    """Each further method acts on what is left."""
    m = _linear()
    Q.l1_unstructured(m, 'weight', 0.5)
    first = m.weight_mask.clone()
    Q.l1_unstructured(m, 'weight', 0.5)
    second = m.weight_mask.clone()
    Q.ln_structured(m, 'weight', 1, n=2, dim=0)
    hook, = m._forward_pre_hooks.values()
    found = {'first': first, 'second': second, 'third': m.weight_mask, 'container': type(hook).__name__,
             'len': len(hook), 'types': [type(h).__name__ for h in hook], 'original': m.weight_orig.detach()}
    Q.remove(m, 'weight')
    found['weight'] = m.weight.detach()
    return found


def two_tensors():
    m = _linear()
    Q.l1_unstructured(m, 'weight', 3)
    Q.l1_unstructured(m, 'bias', 1)
    found = {'state': list(m.state_dict()), 'parameters': names(m.named_parameters()), 'y': m(ramp(1, 4)),
             'bias': m.bias.detach()}
    Q.remove(m, 'weight')
    found['left'] = [list(m.state_dict()), Q.is_pruned(m)]
    return found


def everywhere_at_once():
    a, b = fill(nn.Linear(2, 3)), fill(nn.Linear(3, 2))
    Q.global_unstructured([(a, 'weight'), (b, 'weight'), (b, 'bias')], pruning_method=Q.L1Unstructured, amount=0.5)
    first = [a.weight_mask.clone(), b.weight_mask.clone(), b.bias_mask.clone()]
    Q.global_unstructured([(a, 'weight'), (b, 'weight')], pruning_method=Q.L1Unstructured, amount=2)
    return {'first': first, 'second': [a.weight_mask, b.weight_mask],
            'structured': kind(lambda: Q.global_unstructured([(a, 'weight')], pruning_method=Q.LnStructured, amount=1,
                n=2)),
            'kind': kind(lambda: Q.global_unstructured(3, pruning_method=Q.L1Unstructured, amount=1)),
            'amount': kind(lambda: Q.global_unstructured([(a, 'bias')], pruning_method=Q.L1Unstructured, amount=9))}


def own_method():
    class Every(Q.BasePruningMethod):
        PRUNING_TYPE = 'unstructured'

        def __init__(self, step):
            self.step = step

        def compute_mask(self, t, default_mask):
            mask = default_mask.clone()
            mask.view(-1)[::self.step] = 0
            return mask
    m = _linear()
    method = Every.apply(m, 'weight', 2)
    first = m.weight_mask.clone()
    both = Every.apply(m, 'weight', 3)
    return {'first': first, 'second': m.weight_mask, 'classes': [type(method).__name__, type(both).__name__],
            'tensor': Every(2).prune(ramp(4) + 1), 'with_mask': Every(2).prune(ramp(4) + 1,
                torch.tensor([1.0, 1.0, 1.0, 0.0]))}


def refused():
    m = _linear()
    found = {'missing': error(lambda: Q.l1_unstructured(m, 'other', 1)),
             'negative': error(lambda: Q.l1_unstructured(m, 'weight', -1)),
             'share': kind(lambda: Q.l1_unstructured(m, 'weight', 1.5)),
             'many': error(lambda: Q.l1_unstructured(m, 'weight', 13)),
             'kind': kind(lambda: Q.l1_unstructured(m, 'weight', 'x')),
             'dim': kind(lambda: Q.ln_structured(m, 'weight', 1, n=2, dim=2)),
             'vector': error(lambda: Q.ln_structured(m, 'bias', 1, n=2, dim=0)),
             'scores': kind(lambda: Q.l1_unstructured(m, 'weight', 1, importance_scores=torch.ones(2)))}
    found['unchanged'] = [list(m.state_dict()), len(m._forward_pre_hooks), isinstance(m.weight, nn.Parameter)]
    return found


def with_the_rest():
    """Copies, state dicts, conversions and training of a pruned module."""
    m = _linear()
    Q.l1_unstructured(m, 'weight', 6)
    opt = torch.optim.SGD(m.parameters(), lr=0.1)
    for _ in range(2):
        opt.zero_grad()
        m(ramp(2, 4)).pow(2).sum().backward()
        opt.step()
    y = m(ramp(2, 4)).detach()
    other = _linear()
    Q.identity(other, 'weight')
    other.load_state_dict(m.state_dict())
    z = other(ramp(2, 4)).detach()
    m.double()
    d = str(m(ramp(2, 4).double()).dtype)
    return {'y': y, 'z': z, 'type': d, 'plain': error(lambda: _linear().load_state_dict(m.state_dict())),
            'deepcopy': error(lambda: copy.deepcopy(m)) is not None}
