"""nn.utils and nn.init: sequences, norms of gradients, vectors of parameters, the older weight norms, initial values."""
import math

import torch
from torch import nn
from torch.nn import init
from torch.nn import utils as U
from torch.nn.utils import rnn as R

from .common import error, fill, kind, leaf, names, ramp


def sequences():
    a, b, c = ramp(4, 2), ramp(2, 2) + 1, ramp(3, 2) + 2
    padded = R.pad_sequence([a, b, c], padding_value=-1.0)
    packed = R.pack_padded_sequence(padded, torch.tensor([4, 2, 3]), enforce_sorted=False)
    back, lengths = R.pad_packed_sequence(packed, batch_first=True, padding_value=9.0, total_length=5)
    direct = R.pack_sequence([a, c, b])
    return {'padded': padded, 'batch_first': R.pad_sequence([a, b, c], batch_first=True),
            'left': R.pad_sequence([a, b], batch_first=True, padding_side='left'), 'data': packed.data,
            'sizes': packed.batch_sizes,
            'sorted': packed.sorted_indices, 'unsorted': packed.unsorted_indices, 'back': back, 'lengths': lengths,
            'direct': direct.data, 'none': direct.sorted_indices is None,
            'not_sorted': error(lambda: R.pack_padded_sequence(padded, [4, 2, 3])),
            'zero': error(lambda: R.pack_padded_sequence(padded, [4, 0, 3], enforce_sorted=False)),
            'count': kind(lambda: R.pack_padded_sequence(padded, [4, 2], enforce_sorted=False)),
            'short_total': error(lambda: R.pad_packed_sequence(packed, total_length=2)),
            'unpacked': R.unpack_sequence(packed), 'unpadded': R.unpad_sequence(padded.clone(),
                torch.tensor([4, 2, 3])),
            'empty': kind(lambda: R.pad_sequence([])), 'double': str(packed.double().data.dtype)}


def packed_through_layers():
    """Packed sequences through a recurrent layer give what each sequence gives alone, gradients too."""
    lstm = fill(nn.LSTM(2, 3, batch_first=True, bidirectional=True))
    xs = [ramp(4, 2).requires_grad_(), (ramp(2, 2) + 1).requires_grad_(), (ramp(3, 2) - 1).requires_grad_()]
    out, (h, c) = lstm(R.pack_sequence(xs, enforce_sorted=False))
    padded, lengths = R.pad_packed_sequence(out, batch_first=True)
    (padded.sum() + h.sum()).backward()
    alone = [lstm(x.detach().unsqueeze(0))[0].squeeze(0) for x in xs]
    return {'padded': padded.detach(), 'h': h.detach(), 'c': c.detach(), 'lengths': lengths,
            'grads': [x.grad for x in xs], 'same': [torch.allclose(p[:n], q, atol=1e-6) for p, n,
                                                    q in zip(padded, lengths.tolist(), alone)]}


def clipped_norms():
    def params():
        a, b, c = leaf([3.0, 4.0]), leaf([[12.0]]), leaf([1.0])
        a.grad, b.grad = torch.tensor([3.0, -4.0]), torch.tensor([[12.0]])
        return [a, b, c]
    p, q, r, s = params(), params(), params(), params()
    total = U.clip_grad_norm_(p, 6.5)
    largest = U.clip_grad_norm_(q, 6.0, norm_type=float('inf'))
    small = U.clip_grad_norm_(r, 100.0)
    U.clip_grad_value_(s, 3.5)
    bad = leaf([1.0])
    bad.grad = torch.tensor([float('nan')])
    single = leaf([1.0])
    single.grad = torch.tensor([10.0])
    U.clip_grad_norm_(single, 1.0)
    return {'total': total, 'p': [t.grad for t in p], 'largest': largest, 'q': [t.grad for t in q], 'small': small,
            'r': r[0].grad, 's': [t.grad for t in s],
            'nan': error(lambda: U.clip_grad_norm_([bad], 1.0, error_if_nonfinite=True)),
            'nan_passes': U.clip_grad_norm_([bad], 1.0), 'single': single.grad, 'empty': U.clip_grad_norm_([], 1.0),
            'norm': U.get_total_norm([torch.tensor([3.0]), torch.tensor([4.0])]),
            'one': U.clip_grad_norm_(params(), 1.0, norm_type=1.0)}


def parameters_and_vectors():
    m = fill(nn.Linear(2, 2))
    v = U.parameters_to_vector(m.parameters())
    U.vector_to_parameters(torch.arange(6.0), m.parameters())
    return {'v': v.detach(), 'requires': v.requires_grad, 'weight': m.weight.detach(), 'bias': m.bias.detach(),
            'kind': kind(lambda: U.vector_to_parameters([1.0], m.parameters()))}


def older_weight_norm():
    m = U.weight_norm(fill(nn.Linear(3, 2)))
    found = {'names': names(m.named_parameters()), 'state': list(m.state_dict()), 'g': m.weight_g.detach().clone(),
             'v': m.weight_v.detach().clone(), 'parameter': isinstance(m.weight, nn.Parameter)}
    with torch.no_grad():
        m.weight_g.mul_(2)
    y = m(ramp(2, 3))
    y.sum().backward()
    found.update(y=y.detach(), grads=[m.weight_g.grad, m.weight_v.grad], twice=error(lambda: U.weight_norm(m)))
    U.remove_weight_norm(m)
    found.update(after=list(m.state_dict()), weight=m.weight.detach(), again=error(lambda: U.remove_weight_norm(m)),
                 dim1=U.weight_norm(fill(nn.Conv1d(2, 3, 2)), dim=1).weight_g.detach(),
                 none=U.weight_norm(fill(nn.Linear(3, 2)), dim=None).weight_g.detach())
    return found


def older_spectral_norm():
    m = U.spectral_norm(fill(nn.Linear(3, 4)), n_power_iterations=20)
    for _ in range(2):
        y = m(ramp(2, 3))
    m.eval()
    found = {'y': y.detach(), 'parameters': names(m.named_parameters()), 'buffers': names(m.named_buffers()),
             'largest': torch.linalg.svdvals(m.weight.detach())[0]}
    U.remove_spectral_norm(m)
    found['after'] = [names(m.named_parameters()), names(m.named_buffers())]
    return found


def folded_batch_norm():
    conv, bn = fill(nn.Conv2d(1, 2, 2)), nn.BatchNorm2d(2)
    with torch.no_grad():
        bn.running_mean.copy_(torch.tensor([0.1, -0.2]))
        bn.running_var.copy_(torch.tensor([0.5, 2.0]))
        bn.weight.copy_(torch.tensor([1.5, 0.5]))
        bn.bias.copy_(torch.tensor([0.3, 0.7]))
    fused = U.fuse_conv_bn_eval(conv.eval(), bn.eval())
    x = ramp(1, 1, 3, 3)
    return {'weight': fused.weight.detach(), 'bias': fused.bias.detach(),
            'same': torch.allclose(fused(x), bn(conv(x)), atol=1e-6),
            'training': kind(lambda: U.fuse_conv_bn_eval(conv.train(), bn))}


def skipped_initialisation():
    torch.manual_seed(3)
    before = torch.rand(1)
    torch.manual_seed(3)
    m = U.skip_init(nn.Linear, 3, 2, bias=False)
    return {'same_stream': torch.equal(before, torch.rand(1)), 'shape': list(m.weight.shape), 'bias': m.bias is None,
            'requires': m.weight.requires_grad}


def initial_values():
    w = torch.empty(4, 6)
    found = {}
    for name, f in [('uniform', lambda t: init.uniform_(t, -1, 2)), ('normal', lambda t: init.normal_(t, 1.0, 2.0)),
                    ('xavier_uniform', lambda t: init.xavier_uniform_(t, gain=2.0)),
                    ('xavier_normal', init.xavier_normal_),
                    ('kaiming_uniform', lambda t: init.kaiming_uniform_(t, a=math.sqrt(5))),
                    ('kaiming_normal', lambda t: init.kaiming_normal_(t, mode='fan_out', nonlinearity='leaky_relu')),
                    ('trunc', lambda t: init.trunc_normal_(t, 0.5, 1.0, -1.0, 1.0)),
                    ('constant', lambda t: init.constant_(t, 0.3)), ('ones', init.ones_), ('zeros', init.zeros_),
                    ('eye', init.eye_)]:
        torch.manual_seed(1)
        found[name] = f(w).clone()
    found['dirac'] = init.dirac_(torch.empty(4, 2, 3), groups=2)
    return found


def initial_statistics():
    w = torch.empty(20, 30)
    q, s = init.orthogonal_(torch.empty(4, 6)), init.sparse_(torch.empty(20, 10), sparsity=0.3)
    tn = init.trunc_normal_(torch.empty(1000), mean=1.0, std=2.0, a=0.0, b=2.0)
    return {'xavier': bool(init.xavier_uniform_(w,
                                                init.calculate_gain('tanh')).abs().max() <= 5 / 3 * math.sqrt(6 / 50)),
            'orthogonal': torch.allclose(q @ q.t(), torch.eye(4), atol=1e-5), 'zeros_per_column': (s == 0).sum(0),
            'truncated': bool(((tn >= 0) & (tn <= 2)).all()),
            'gains': [init.calculate_gain(n) for n in ['linear', 'sigmoid', 'tanh', 'relu', 'leaky_relu', 'selu',
                                                       'conv2d']] + [init.calculate_gain('leaky_relu', 0.5)]}


def initial_errors():
    return {'vector': error(lambda: init.xavier_uniform_(torch.empty(3))),
            'eye': error(lambda: init.eye_(torch.empty(2, 2, 2))),
            'dirac': error(lambda: init.dirac_(torch.empty(2, 2))),
            'groups': error(lambda: init.dirac_(torch.empty(3, 2, 2), 2)),
            'sparse': error(lambda: init.sparse_(torch.empty(2), 0.1)),
            'orthogonal': error(lambda: init.orthogonal_(torch.empty(2))),
            'gain': error(lambda: init.calculate_gain('other')),
            'mode': error(lambda: init.kaiming_normal_(torch.empty(2, 2), mode='fan')),
            'slope': kind(lambda: init.calculate_gain('leaky_relu', 'x'))}


def initial_values_of_layers():
    """The same seed gives the layers of PyTorch's values."""
    found = {}
    for name, make in [('linear', lambda: nn.Linear(3, 2)), ('conv', lambda: nn.Conv2d(1, 2, 2)),
                       ('embedding', lambda: nn.Embedding(3, 2)), ('lstm', lambda: nn.LSTM(2, 1)),
                       ('bilinear', lambda: nn.Bilinear(2, 2, 1)),
                       ('attention', lambda: nn.MultiheadAttention(4, 2)),
                       ('transpose', lambda: nn.ConvTranspose1d(2, 1, 2)), ('gru', lambda: nn.GRUCell(2, 1)),
                       ('prelu', lambda: nn.PReLU(2))]:
        torch.manual_seed(5)
        found[name] = [p.detach() for p in make().parameters()]
    return found
