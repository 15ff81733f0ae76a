"""Optimizers and schedulers around the step: groups, state, hooks, errors."""
import copy

import torch
from torch import nn, optim

from .common import error, fill, kind, leaf, ramp


def _step(m, o, k):
    o.zero_grad()
    (m(ramp(3, 2) + k) ** 2).mean().backward()
    o.step()


def errors():
    p = nn.Parameter(torch.ones(1))
    sgd = lambda: optim.SGD([p], lr=0.1)
    return {'empty': error(lambda: optim.SGD([], lr=0.1)), 'tensor': error(lambda: optim.SGD(p, lr=0.1)),
            'negative': error(lambda: optim.Adam([p], lr=-1.0)),
            'betas': error(lambda: optim.Adam([p], betas=(1.5, 0.9))),
            'second': error(lambda: optim.Adam([p], betas=(0.5, 2.5))), 'eps': error(lambda: optim.Adam([p], eps=-0.5)),
            'decay': error(lambda: optim.AdamW([p], weight_decay=-0.5)),
            'momentum': error(lambda: optim.SGD([p], lr=0.1, momentum=-0.5)),
            'nesterov': error(lambda: optim.SGD([p], lr=0.1, nesterov=True)),
            'twice': error(lambda: optim.SGD([{'params': [p]}, {'params': [p]}], lr=0.1)),
            'non_leaf': error(lambda: optim.SGD([p * 2], lr=0.1)),
            'not_tensor': kind(lambda: optim.SGD([3.0], lr=0.1)),
            'load_groups': error(lambda: sgd().load_state_dict({'state': {}, 'param_groups': []})),
            'load_sizes': error(lambda: sgd().load_state_dict({'state': {}, 'param_groups': [{'params': [0, 1]}]})),
            'group_kind': kind(lambda: sgd().add_param_group([p])),
            'group_set': kind(lambda: sgd().add_param_group({'params': {p}})),
            'again': error(lambda: sgd().add_param_group({'params': [p]})),
            'constant': torch.is_tensor(optim.SGD([torch.ones(1)], lr=0.1).param_groups[0]['params'][0])}


def groups():
    a, b, c = leaf([1.0]), leaf([2.0]), leaf([3.0])
    o = optim.SGD([{'params': [a], 'lr': 0.5}, {'params': b, 'momentum': 0.9}], lr=0.1, weight_decay=0.01)
    o.add_param_group({'params': [c], 'lr': 1.0})
    rates = [[g['lr'], g['momentum'], g['weight_decay'], len(g['params'])] for g in o.param_groups]
    for _ in range(2):
        for p in (a, b, c):
            p.grad = torch.ones(1)
        o.step()
    o.param_groups[0]['lr'] = 0.0
    before = a.detach().clone()
    o.step()
    return {'rates': rates, 'values': [a.detach(), b.detach(), c.detach()], 'stopped': torch.equal(before, a.detach()),
            'text': repr(o)}


def state_dict_round_trip():
    """A second optimizer that loads a copy of the state goes on exactly as the first."""
    a = fill(nn.Linear(2, 1))
    oa = optim.Adam(a.parameters(), lr=0.1)
    for k in range(3):
        _step(a, oa, k)
    b = fill(nn.Linear(2, 1))
    b.load_state_dict(a.state_dict())
    ob = optim.Adam(b.parameters(), lr=0.5)
    d = copy.deepcopy(oa.state_dict())
    ob.load_state_dict(d)
    for k in range(3):
        _step(a, oa, k)
        _step(b, ob, k)
    return {'a': [p.detach() for p in a.parameters()], 'b': [p.detach() for p in b.parameters()],
            'lr': ob.param_groups[0]['lr'], 'keys': [list(d), list(d['state']), list(d['state'][0]),
                                                     list(d['param_groups'][0])],
            'step': d['state'][0]['step'], 'params': d['param_groups'][0]['params']}


def gradients_and_steps():
    """Parameters without gradient are left alone; zero_grad forgets or clears; the closure runs with gradients."""
    a, b = leaf([1.0]), leaf([2.0])
    o = optim.SGD([a, b], lr=0.1, momentum=0.9)
    a.grad = torch.ones(1)
    o.step()
    states = len(o.state)
    o.zero_grad()
    none = a.grad is None
    a.grad = torch.ones(1)
    o.zero_grad(set_to_none=False)
    seen = []

    def closure():
        seen.append(torch.is_grad_enabled())
        o.zero_grad()
        loss = (a * 3).sum()
        loss.backward()
        return loss
    with torch.no_grad():
        loss = o.step(closure)
    return {'a': a.detach().clone(), 'b': b.detach(), 'states': states, 'none': none, 'seen': seen,
            'loss': loss.detach(), 'returns': o.step()}


def hooks():
    log = []
    p = leaf([1.0])
    o = optim.SGD([p], lr=0.1)
    h = o.register_step_pre_hook(lambda o, args, kwargs: log.append('pre'))
    o.register_step_post_hook(lambda o, args, kwargs: log.append(['post', p.detach().clone()]))
    o.register_state_dict_pre_hook(lambda o: log.append('state pre'))
    o.register_state_dict_post_hook(lambda o, d: log.append(['state post', list(d)]))
    o.register_load_state_dict_pre_hook(lambda o, d: log.append('load pre'))
    o.register_load_state_dict_post_hook(lambda o: log.append('load post'))
    p.grad = torch.ones(1)
    o.step()
    h.remove()
    o.step()
    o.load_state_dict(o.state_dict())
    return {'log': log}


def maximised_and_shared():
    p, q = leaf([1.0]), leaf([1.0])
    p.grad = q.grad = torch.tensor([2.0])
    optim.SGD([p], lr=0.5, maximize=True).step()
    optim.AdamW([q], lr=0.5, maximize=True).step()
    return {'p': p.detach(), 'q': q.detach()}


def schedules():
    m = fill(nn.Linear(2, 1))
    o = optim.SGD([{'params': [m.weight], 'lr': 0.4}, {'params': [m.bias]}], lr=0.1)
    s = optim.lr_scheduler.StepLR(o, 2, gamma=0.5)
    rates = []
    for k in range(5):
        _step(m, o, k)
        rates.append(s.get_last_lr())
        s.step()
    d = s.state_dict()
    fresh = optim.SGD(fill(nn.Linear(2, 1)).parameters(), lr=0.1)
    t = optim.lr_scheduler.StepLR(fresh, 7)
    t.load_state_dict(d)
    return {'rates': rates, 'initial': [g['initial_lr'] for g in o.param_groups],
            'loaded': [t.step_size, t.gamma, t.last_epoch], 'keys': sorted(d),
            'kind': kind(lambda: optim.lr_scheduler.StepLR(3, 1)),
            'resumed': kind(lambda: optim.lr_scheduler.StepLR(optim.SGD([leaf([1.0])], lr=0.1), 1, last_epoch=3))}


def composed_schedules():
    def rates(make, steps=8):
        o = optim.SGD([leaf([1.0])], lr=1.0)
        s = make(o)
        found = []
        for _ in range(steps):
            found.append(o.param_groups[0]['lr'])
            o.step()
            s.step()
        return found
    L = optim.lr_scheduler
    return {'warm_up': rates(lambda o: L.SequentialLR(o, [L.LinearLR(o, 0.1, total_iters=3), L.ExponentialLR(o, 0.5)],
                                                      [3])),
            'chained': rates(lambda o: L.ChainedScheduler([L.ConstantLR(o, 0.5, 2), L.ExponentialLR(o, 0.9)])),
            'cosine': rates(lambda o: L.CosineAnnealingLR(o, 4, 0.1)),
            'restarts': rates(lambda o: L.CosineAnnealingWarmRestarts(o, 3, 2)),
            'cycle': rates(lambda o: L.OneCycleLR(o, 2.0, total_steps=9)),
            'milestones': error(lambda: rates(lambda o: L.SequentialLR(o, [L.ExponentialLR(o, 0.5)], [3])))}


def plateau():
    o = optim.SGD([leaf([1.0])], lr=1.0)
    s = optim.lr_scheduler.ReduceLROnPlateau(o, factor=0.5, patience=1, threshold=0.1, cooldown=1, min_lr=0.2)
    found = []
    for v in [1.0, 0.95, 0.94, 0.93, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]:
        s.step(v)
        found.append(o.param_groups[0]['lr'])
    return {'rates': found, 'bad': s.num_bad_epochs, 'best': s.best,
            'mode': error(lambda: optim.lr_scheduler.ReduceLROnPlateau(o, 'middle')),
            'factor': error(lambda: optim.lr_scheduler.ReduceLROnPlateau(o, factor=1.5))}


def averages():
    m = fill(nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1)))
    ema = optim.swa_utils.AveragedModel(m, multi_avg_fn=optim.swa_utils.get_ema_multi_avg_fn(0.5))
    swa = optim.swa_utils.AveragedModel(m)
    for k in range(3):
        with torch.no_grad():
            for p in m.parameters():
                p.add_(k + 1)
        ema.update_parameters(m)
        swa.update_parameters(m)
    return {'ema': [p.detach() for p in ema.parameters()], 'swa': [p.detach() for p in swa.parameters()],
            'count': swa.n_averaged, 'keys': list(swa.state_dict())}
