"""Records what PyTorch's optimizers, schedulers and samplers do, for test/optim and test/data.

    python scripts/record_optim.py      (needs torch; the files it writes are checked in)
"""
import json
import math
import pathlib
import warnings

import torch
from torch.optim import lr_scheduler as S
from torch.utils import data as D

HERE = pathlib.Path(__file__).resolve().parent.parent / 'test' / 'fixtures'
SHAPES = [[2, 3], [3], [2, 2, 2]]
STEPS = 6
warnings.simplefilter('ignore')

TUPLE = {
    'SGD': [{'lr': 0.1}, {'lr': 0.1, 'momentum': 0.9, 'dampening': 0.1, 'weight_decay': 0.2},
            {'lr': 0.1, 'momentum': 0.8, 'nesterov': True, 'maximize': True}, {'lr': 0.1, 'weight_decay': 0.5}],
    'Adam': [{}, {'lr': 0.02, 'betas': [0.8, 0.95], 'eps': 1e-4, 'weight_decay': 0.1}, {'amsgrad': True, 'lr': 0.05},
             {'maximize': True, 'lr': 0.05}, {'lr': 0.05, 'weight_decay': 0.1, 'decoupled_weight_decay': True}],
    'AdamW': [{}, {'lr': 0.05, 'weight_decay': 0.3, 'amsgrad': True, 'maximize': True}],
    'Adamax': [{}, {'lr': 0.05, 'weight_decay': 0.1, 'maximize': True}],
    'NAdam': [{}, {'lr': 0.05, 'weight_decay': 0.1}, {'lr': 0.05, 'weight_decay': 0.1, 'decoupled_weight_decay': True},
              {'momentum_decay': 0.1, 'maximize': True}],
    'RAdam': [{}, {'lr': 0.05, 'betas': [0.8, 0.7], 'weight_decay': 0.1}, {'lr': 0.05, 'betas': [0.9, 0.8], 'maximize': True},
              {'lr': 0.05, 'weight_decay': 0.2, 'decoupled_weight_decay': True}],
    'Adagrad': [{}, {'lr': 0.1, 'lr_decay': 0.2, 'weight_decay': 0.1, 'initial_accumulator_value': 0.3, 'maximize': True}],
    'Adadelta': [{}, {'lr': 0.5, 'rho': 0.8, 'eps': 1e-3, 'weight_decay': 0.1, 'maximize': True}],
    'RMSprop': [{}, {'lr': 0.02, 'alpha': 0.9, 'momentum': 0.5, 'centered': True, 'weight_decay': 0.1},
                {'momentum': 0.9, 'maximize': True}, {'centered': True}],
    'Rprop': [{}, {'lr': 0.05, 'etas': [0.4, 1.5], 'step_sizes': [0.01, 0.1], 'maximize': True}],
    'ASGD': [{}, {'lr': 0.05, 'lambd': 0.1, 'alpha': 0.5, 't0': 2.0, 'weight_decay': 0.1}, {'maximize': True, 't0': 1.0}],
    'Adafactor': [{}, {'lr': 0.1, 'beta2_decay': -0.5, 'eps': [1e-6, 0.01], 'd': 2.0, 'weight_decay': 0.1, 'maximize': True}],
    'Muon': [{}, {'lr': 0.1, 'nesterov': False, 'adjust_lr_fn': 'match_rms_adamw', 'ns_steps': 3}],
}


def flat(t):
    t = torch.view_as_real(t) if t.is_complex() else t
    return [float(x) for x in t.flatten()]


def wave(shape, which, step, dtype):
    """The k-th gradient of a parameter (step -1: its first value): sin(1.3 step + 0.7 i + which)."""
    n = math.prod(shape) * (2 if dtype.is_complex else 1)
    x = torch.tensor([math.sin(1.3 * step + 0.7 * i + which) for i in range(n)], dtype=torch.float64)
    if dtype.is_complex:
        x = torch.view_as_complex(x.reshape(-1, 2))
    return x.reshape(shape).to(dtype)


def jsonable(v):
    if isinstance(v, torch.Tensor):
        return {'shape': list(v.shape), 'dtype': str(v.dtype)[6:], 'values': flat(v)}
    if isinstance(v, dict):
        return {str(k): jsonable(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [jsonable(x) for x in v]
    return v


def optimizer_cases():
    out = []
    for name, all_options in TUPLE.items():
        for i, options in enumerate(all_options):
            for dtype in [torch.float64, torch.float32] + ([torch.complex128] if i == 1 and name not in ('Adafactor', 'Muon') else []):
                shapes = [[4, 3], [3, 4]] if name == 'Muon' else SHAPES
                params = [torch.nn.Parameter(wave(s, j, -1, dtype)) for j, s in enumerate(shapes)]
                kwargs = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
                opt = getattr(torch.optim, name)(params, **kwargs)
                for step in range(STEPS):
                    for j, p in enumerate(params):
                        # One parameter misses a step.
                        p.grad = None if (j, step) == (1, 2) else wave(list(p.shape), j, step, dtype)
                    opt.step()
                out.append({'optimizer': name, 'options': options, 'dtype': str(dtype)[6:], 'shapes': shapes,
                            'params': [flat(p.detach()) for p in params], 'state_dict': jsonable(opt.state_dict()),
                            'text': repr(opt)})
    return out


SCHEDULES = [
    ['LambdaLR', {}], ['MultiplicativeLR', {}],
    ['StepLR', {'step_size': 3, 'gamma': 0.5}], ['MultiStepLR', {'milestones': [2, 5, 5, 9], 'gamma': 0.4}],
    ['ConstantLR', {'factor': 0.25, 'total_iters': 4}], ['LinearLR', {'start_factor': 0.2, 'end_factor': 0.9, 'total_iters': 6}],
    ['ExponentialLR', {'gamma': 0.8}], ['PolynomialLR', {'total_iters': 7, 'power': 2.0}],
    ['CosineAnnealingLR', {'T_max': 5, 'eta_min': 0.01}], ['CosineAnnealingWarmRestarts', {'T_0': 3, 'T_mult': 2, 'eta_min': 0.02}],
    ['CyclicLR', {'base_lr': 0.01, 'max_lr': 0.3, 'step_size_up': 3, 'step_size_down': 2}],
    ['CyclicLR', {'base_lr': [0.01, 0.02], 'max_lr': [0.3, 0.5], 'step_size_up': 2, 'mode': 'exp_range', 'gamma': 0.9,
                  'base_momentum': 0.7, 'max_momentum': 0.95}],
    ['OneCycleLR', {'max_lr': 0.5, 'total_steps': 14}],
    ['OneCycleLR', {'max_lr': [0.5, 0.2], 'epochs': 2, 'steps_per_epoch': 8, 'three_phase': True, 'anneal_strategy': 'linear'}],
    ['ReduceLROnPlateau', {'mode': 'max', 'patience': 1, 'factor': 0.5, 'cooldown': 2, 'min_lr': [0.01, 0.05]}],
    ['ReduceLROnPlateau', {'patience': 0, 'threshold_mode': 'abs', 'threshold': 0.1, 'eps': 1e-3}],
    ['SWALR', {'swa_lr': 0.05, 'anneal_epochs': 4}],
    ['SWALR', {'swa_lr': [0.05, 0.3], 'anneal_epochs': 0, 'anneal_strategy': 'linear'}],
    ['SequentialLR', {}], ['ChainedScheduler', {}],
]


def scheduler_cases():
    out = []
    for name, options in SCHEDULES:
        for kind in (['SGD', 'Adam'] if 'momentum' in json.dumps(options) or name == 'OneCycleLR' else ['SGD']):
            groups = [{'params': [torch.nn.Parameter(torch.zeros(2))], 'lr': lr} for lr in (0.1, 0.4)]
            opt = torch.optim.SGD(groups, momentum=0.9) if kind == 'SGD' else torch.optim.Adam(groups)
            if name in ('LambdaLR', 'MultiplicativeLR'):
                sch = getattr(S, name)(opt, lambda e: 1 / (1 + e))
            elif name == 'SequentialLR':
                sch = S.SequentialLR(opt, [S.ConstantLR(opt, 0.1, 3), S.CosineAnnealingLR(opt, 4), S.ExponentialLR(opt, 0.7)], [3, 7])
            elif name == 'ChainedScheduler':
                sch = S.ChainedScheduler([S.ConstantLR(opt, 0.1, 3), S.ExponentialLR(opt, 0.7)])
            else:
                sch = getattr(torch.optim.swa_utils if name == 'SWALR' else S, name)(opt, **options)
            momentum = lambda g: g['betas'][0] if kind == 'Adam' else g['momentum']
            rates, momenta = [], []
            for step in range(14):
                rates.append([g['lr'] for g in opt.param_groups])
                momenta.append([momentum(g) for g in opt.param_groups])
                opt.step()
                if name == 'ReduceLROnPlateau':
                    sch.step(math.sin(step))
                else:
                    sch.step()
            state = {k: v for k, v in sch.state_dict().items() if k not in ('lr_lambdas',)}
            if name == 'MultiStepLR':
                state['milestones'] = dict(state['milestones'])
            state = json.loads(json.dumps(jsonable(state)).replace('-Infinity', '"-inf"').replace('Infinity', '"inf"'))
            out.append({'scheduler': name, 'options': options, 'optimizer': kind, 'rates': rates, 'momenta': momenta,
                        'state': state})
    return out


def loader_cases():
    out = []
    for options in [{'batch_size': 3, 'shuffle': True}, {'batch_size': 4, 'shuffle': True, 'drop_last': True}, {'batch_size': 4}]:
        torch.manual_seed(7)
        loader = D.DataLoader(list(range(11)), **options)
        epochs = [[b.tolist() for b in loader] for _ in range(2)]
        out.append({'options': options, 'epochs': epochs, 'after': torch.rand(2).tolist()})
    g = torch.Generator()
    g.manual_seed(3)
    loader = D.DataLoader(list(range(7)), batch_size=3, shuffle=True, generator=g)
    given = [[b.tolist() for b in loader] for _ in range(2)]
    torch.manual_seed(5)
    samplers = {
        'replacement': list(D.RandomSampler(range(9), replacement=True, num_samples=40)),
        'numSamples': list(D.RandomSampler(range(5), num_samples=12)),
        'subset': list(D.SubsetRandomSampler([3, 1, 4, 1, 5])),
        'weighted': list(D.WeightedRandomSampler([0.1, 0.4, 0.0, 2.0], 12)),
        'split': [list(s.indices) for s in D.random_split(range(10), [0.5, 0.25, 0.25])],
        'distributed': [list(D.DistributedSampler(range(10), 3, r, seed=4)) for r in range(3)],
        'distributedDrop': [list(D.DistributedSampler(range(10), 3, r, shuffle=False, drop_last=True)) for r in range(3)],
    }
    return {'loaders': out, 'given': given, 'samplers': samplers}


def average_cases():
    """AveragedModel over a Linear(2, 1) whose parameters are set to waves."""
    out = {}
    for name, fn in [('swa', None), ('ema', torch.optim.swa_utils.get_ema_avg_fn(0.9))]:
        model = torch.nn.Linear(2, 1)
        average = torch.optim.swa_utils.AveragedModel(model, avg_fn=fn)
        for step in range(4):
            with torch.no_grad():
                for j, p in enumerate(model.parameters()):
                    p.copy_(wave(list(p.shape), j, step, torch.float32))
            average.update_parameters(model)
        out[name] = [flat(p.detach()) for p in average.module.parameters()]
        out['keys'] = list(average.state_dict())
    return out


for file, value in [('optimizers', optimizer_cases()), ('schedulers', scheduler_cases()), ('samplers', loader_cases()),
                    ('averages', average_cases())]:
    HERE.mkdir(exist_ok=True)
    (HERE / f'{file}.json').write_text(json.dumps(value, separators=(',', ':')) + '\n')
