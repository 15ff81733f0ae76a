"""Tensors: views and copies, indexing, types, errors of shape, random numbers."""
import torch
from torch import nn
from torch.nn import functional as F

from .common import error, kind, ramp


def views_share():
    x = torch.arange(6.0).reshape(2, 3)
    t, v, s, e = x.t(), x.view(-1), x[1], x[:, :1].expand(2, 3)
    c, r = x.clone(), x.t().reshape(-1)
    same, flat = x.reshape(3, 2), x.flatten()
    d, n = torch.diagonal(x), x.narrow(1, 1, 2)
    x[1, 0] = 100
    return {'t': t, 'v': v, 's': s, 'e': e, 'c': c, 'r': r, 'reshaped': same, 'flat': flat, 'diagonal': d, 'narrow': n,
            'view_error': error(lambda: x.t().view(-1)), 'strides': [list(a.stride()) for a in (x, t, e, d, n)],
            'contiguous': [a.is_contiguous() for a in (x, t, v, n, e)],
            'offsets': [a.storage_offset() for a in (s, n, d)], 'contiguous_is_self': x.contiguous() is x,
            'unfold': x.unfold(1, 2, 1), 'chunks': [list(a.shape) for a in x.chunk(2, 1)],
            'split': [list(a.shape) for a in torch.arange(7).split(3)],
            'same_memory': x.view(6).data_ptr() == x.data_ptr()}


def shape_errors():
    o = torch.ones
    return {'matmul': error(lambda: o(2, 3) @ o(2, 3)), 'add': error(lambda: o(2) + o(3)),
            'cat': error(lambda: torch.cat([o(2, 2), o(2, 3)])), 'cat_dims': error(lambda: torch.cat([o(2), o(2, 3)])),
            'view': error(lambda: o(4).view(3)),
            'minus_one': error(lambda: o(4).view(-1, 3)), 'two_minus': error(lambda: o(4).view(-1, -1)),
            'index': error(lambda: o(2)[5]), 'index_list': error(lambda: o(2)[torch.tensor([5])]),
            'too_many': error(lambda: o(2)[0, 0]), 'dim': error(lambda: o(2).sum(3)),
            'linear': error(lambda: nn.Linear(3, 2)(o(2, 4))), 'conv': error(lambda: nn.Conv2d(3, 2, 3)(o(1, 4, 8, 8))),
            'conv_small': error(lambda: nn.Conv2d(1, 1, 5)(o(1, 1, 3, 3))),
            'conv_dims': error(lambda: nn.Conv2d(1, 1, 1)(o(3, 3))),
            'target': error(lambda: F.cross_entropy(o(2, 3), torch.tensor([0, 5]))),
            'target_type': error(lambda: F.cross_entropy(o(2, 3), torch.tensor([0.0, 1.0]))),
            'batch': error(lambda: F.cross_entropy(o(2, 3), torch.tensor([0]))),
            'mse': kind(lambda: F.mse_loss(o(2), o(3))),
            'embedding': error(lambda: nn.Embedding(3, 2)(torch.tensor([5]))),
            'embedding_type': kind(lambda: nn.Embedding(3, 2)(o(1))),
            'batch_norm': error(lambda: nn.BatchNorm1d(2)(o(1, 2))),
            'batch_norm_size': error(lambda: nn.BatchNorm1d(2)(o(3, 5))),
            'layer_norm': error(lambda: nn.LayerNorm(3)(o(2, 4))),
            'types': error(lambda: o(2, 2) @ o(2, 2, dtype=torch.float64)), 'squeeze': error(lambda: o(2).squeeze(4)),
            'stack': error(lambda: torch.stack([])), 'stack_sizes': error(lambda: torch.stack([o(2), o(3)])),
            'permute': error(lambda: o(2, 3).permute(0)), 'permute_twice': error(lambda: o(2, 3).permute(0, 0)),
            'transpose': error(lambda: o(2).transpose(0, 1)), 'expand': error(lambda: o(2, 3).expand(4, 3)),
            'expand_less': error(lambda: o(2, 3).expand(3)), 'item': error(lambda: o(2).item()),
            'empty_max': error(lambda: o(0).max()), 'empty_max_dim': error(lambda: o(2, 0).max(1)),
            'pool': error(lambda: F.max_pool2d(o(1, 1, 2, 2), 3)),
            'bmm': error(lambda: torch.bmm(o(1, 2, 3), o(2, 3, 2))), 'mv': error(lambda: o(2, 3).mv(o(2))),
            'dot': error(lambda: o(2).dot(o(3))),
            'gather': error(lambda: o(2, 2).gather(0, torch.tensor([[5]])))['message'],
            'unfold': error(lambda: o(3).unfold(0, 5, 1)),
            'pixel': error(lambda: F.pixel_shuffle(o(1, 3, 2, 2), 2)), 'group_norm': error(lambda: nn.GroupNorm(2, 3)),
            'attention': error(lambda: nn.MultiheadAttention(5, 2)),
            'padding_mode': kind(lambda: nn.Conv2d(1, 1, 1, padding_mode='mirror')),
            'groups': error(lambda: nn.Conv2d(3, 2, 1, groups=2))}


def indexing():
    x = torch.arange(24.0).reshape(2, 3, 4)
    i, j = torch.tensor([0, 1, 1]), torch.tensor([2, 0, 1])
    mask = x > 10
    return {'int': x[1], 'negative': x[-1, -1], 'slice': x[:, 1:, ::2], 'ellipsis': x[..., 0],
            'new_axis': list(x[None, :, None].shape), 'list': x[i], 'pair': x[i, j], 'apart': x[i, :, j],
            'mixed': x[:, i, 1:3], 'mask': x[mask], 'row_mask': x[torch.tensor([True, False])],
            'matrix_index': list(x[torch.zeros(2, 2, dtype=torch.int64)].shape),
            'broadcast': x[torch.tensor([[0], [1]]), torch.tensor([0, 2])], 'take': x.take(torch.tensor([0, 5, -1])),
            'select': x.index_select(2, j), 'masked': x.masked_select(x % 7 == 0)}


def assignments():
    def after(f):
        x = torch.zeros(3, 3)
        f(x)
        return x
    return {'row': after(lambda x: x.__setitem__(1, 5.0)),
            'column': after(lambda x: x.__setitem__((slice(None), 0), torch.arange(3.0))),
            'block': after(lambda x: x.__setitem__((slice(1), slice(1, 3)), 7.0)),
            'mask': after(lambda x: x.__setitem__(torch.eye(3, dtype=torch.bool), 2.0)),
            'indices': after(lambda x: x.__setitem__((torch.tensor([0, 2]), torch.tensor([1, 1])),
                                                     torch.tensor([3.0, 4.0]))),
            'all': after(lambda x: x.__setitem__(Ellipsis, 1.0)),
            'accumulate': after(lambda x: x.index_put_((torch.tensor([0, 0]), torch.tensor([1, 1])),
                                                       torch.tensor([3.0, 4.0]), accumulate=True)),
            'error': kind(lambda: torch.zeros(3).__setitem__(slice(2), torch.ones(3)))}


def types():
    f, d, h, i, b, u = torch.ones(1), torch.ones(1, dtype=torch.float64), torch.ones(1,
        dtype=torch.float16), torch.ones(1, dtype=torch.int64), torch.tensor([True]), torch.ones(1, dtype=torch.uint8)
    zero = torch.tensor(1.0, dtype=torch.float64)
    t = lambda x: str(x.dtype)[6:]
    return {'pairs': [t(f + d), t(f + h), t(f + i), t(i + b), t(u + i), t(b + b), t(i * 2.5), t(f * 2.5), t(b * 2)],
            'scalar_tensor': [t(f + zero), t(i + zero), t(h * zero)], 'division': [t(i / i), t(i // i), t(b / b)],
            'comparison': t(i > f),
            'reductions': [t(i.sum()), t(b.sum()), t(u.sum()), t(i.float().mean()), t(b.any()), t(f.argmax()),
                           t(u.cumsum(0))], 'mean_of_integers': error(lambda: i.mean()),
            'functions': [t(i.exp()), t(b.sqrt()), t(h.exp()), t(i.abs()), t(i.neg())],
            'stack': [t(torch.stack([f, d])), t(torch.cat([i, f]))], 'where': t(torch.where(b, f, d)),
            'result': str(torch.result_type(i, 1.5)), 'casts': [torch.tensor([1.9, -1.9]).to(torch.int64),
                torch.tensor([300]).to(torch.uint8), torch.tensor([0.0, 0.5]).bool()], 'neg_bool': kind(lambda: -b),
            'sub_bool': error(lambda: b - b)}


def seeding():
    torch.manual_seed(5)
    a = torch.randn(3)
    state = torch.get_rng_state()
    b = torch.rand(3)
    torch.set_rng_state(state)
    c = torch.rand(3)
    torch.manual_seed(5)
    d = torch.randn(3)
    g = torch.Generator().manual_seed(5)
    e = torch.randn(3, generator=g)
    return {'a': a, 'b': b, 'repeatable': torch.equal(a, d), 'restored': torch.equal(b, c), 'own': torch.equal(a, e),
            'perm': torch.randperm(6), 'ints': torch.randint(3, 7, (5,)),
            'normal': torch.normal(torch.tensor([0.0, 10.0]), torch.tensor([1.0, 0.1])),
            'in_place': torch.empty(3).uniform_(2, 3),
            'multinomial': torch.multinomial(torch.tensor([0.1, 0.6, 0.3]), 4, replacement=True),
            'seed': torch.initial_seed(), 'exponential': torch.empty(2).exponential_(2.0)}


def values():
    """item, tolist, equality, and what a tensor of one element is."""
    x = torch.tensor([[1.5]])
    return {'item': x.item(), 'list': torch.tensor([[1, 2], [3, 4]]).tolist(),
            'equal': [torch.equal(torch.ones(2), torch.ones(2)), torch.equal(torch.ones(2), torch.ones(2, 1))],
            'close': torch.allclose(torch.tensor([1.0]), torch.tensor([1.0 + 1e-6])),
            'nan': [torch.equal(torch.tensor([float('nan')]), torch.tensor([float('nan')])),
                    torch.allclose(torch.tensor([float('nan')]), torch.tensor([float('nan')]), equal_nan=True)],
            'scalar': [torch.tensor(3.0).ndim, list(torch.tensor(3.0).shape), torch.tensor(3.0).numel()],
            'sizes': [list(torch.empty(0).shape), torch.empty(2, 0).numel(), torch.empty(2, 0).sum()]}
