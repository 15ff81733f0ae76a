"""Hooks on tensors, leaves and nodes: when they run, what they may replace."""
import torch
from torch.autograd import graph

from .common import error, kind, leaf, ramp


def needs_a_gradient():
    x = torch.ones(2)
    y = leaf([1.0]) * 2
    return {'error': error(lambda: x.register_hook(lambda g: g)),
            'post': error(lambda: x.register_post_accumulate_grad_hook(print)),
            'inner': error(lambda: y.register_post_accumulate_grad_hook(print)),
            'integer': error(lambda: torch.ones(1, dtype=torch.int64).register_hook(print))}


def order_and_replacement():
    """Hooks run in the order of registration; what one returns goes to the next and up the graph."""
    x = leaf([1.0, 2.0])
    y = x * 3
    log = []
    y.register_hook(lambda g: log.append(['first', g.clone()]) or g * 2)
    y.register_hook(lambda g: log.append(['second', g.clone()]))
    y.register_hook(lambda g: log.append(['third', g.clone()]) or g + 1)
    x.register_hook(lambda g: log.append(['leaf', g.clone()]) or g * 10)
    y.retain_grad()
    y.sum().backward()
    return {'log': log, 'x': x.grad, 'y': y.grad}


def leaf_hook_sees_each_pass():
    """A hook of a leaf sees what arrives, not the accumulated sum; all uses of the leaf arrive as one."""
    x = leaf([1.0])
    seen = []
    x.register_hook(lambda g: seen.append(g.clone()))
    (x * 2 + x * 3).backward()
    (x * 4).backward()
    torch.autograd.grad(x * 5, x)
    return {'seen': seen, 'grad': x.grad}


def replaced_at_capture():
    """autograd.grad gives what the hook made of it."""
    x = leaf([1.0])
    y = x * 2
    y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g + 0.5)
    return {'grads': list(torch.autograd.grad(y * 3, [y, x]))}


def handles():
    x = leaf([1.0])
    log = []
    a = x.register_hook(lambda g: log.append('a'))
    b = x.register_hook(lambda g: log.append('b'))
    (x * 1).backward()
    a.remove()
    a.remove()
    (x * 1).backward()
    with x.register_hook(lambda g: log.append('c')):
        (x * 1).backward()
    (x * 1).backward()
    b.remove()
    (x * 1).backward()
    return {'log': log}


def removed_while_running():
    """A hook that removes itself, or one behind it, or adds one."""
    x = leaf([1.0])
    log, handles = [], {}

    def once(g):
        log.append('once')
        handles['once'].remove()
    handles['once'] = x.register_hook(once)
    x.register_hook(lambda g: log.append('stays'))
    (x * 1).backward()
    (x * 1).backward()
    return {'log': log}


def wrong_results():
    def with_hook(hook):
        y = leaf([1.0, 2.0]) * 2
        y.register_hook(hook)
        e = error(lambda: y.sum().backward())
        return e and e['message'].split("'")[2]
    x = leaf([1.0])
    x.register_hook(lambda g: 5)
    return {'size': with_hook(lambda g: g[:1]), 'type': with_hook(lambda g: g.double()),
            'kind': kind(lambda: (x * 1).backward()),
            'none': with_hook(lambda g: None)}


def error_in_a_hook():
    """The error goes through backward; what ran before stays, what comes later does not run, and the next pass is whole."""
    a, b = leaf([1.0]), leaf([2.0])
    h = a * 1

    def fail(g):
        raise RuntimeError('from the hook')
    handle = h.register_hook(fail)
    y = (h + b).sum()
    first = error(lambda: y.backward(retain_graph=True))
    handle.remove()
    a.grad = b.grad = None
    y.backward()
    return {'error': first, 'a': a.grad, 'b': b.grad}


def post_accumulate():
    """register_post_accumulate_grad_hook sees the finished .grad, and may use it up."""
    x = leaf([1.0, 2.0])
    seen = []
    x.register_hook(lambda g: seen.append(['hook', x.grad is None]))
    x.register_post_accumulate_grad_hook(lambda p: seen.append(['post', p.grad.clone()]))
    (x * 2).sum().backward()
    (x * 3).sum().backward()

    def step(p):
        with torch.no_grad():
            p.sub_(p.grad)
        p.grad = None
    w = leaf([5.0])
    w.register_post_accumulate_grad_hook(step)
    (w * 2).backward()
    (w * 1).backward()
    torch.autograd.grad(x * 1, x, torch.ones(2))
    return {'seen': seen, 'w': w.detach(), 'none': w.grad is None}


def with_in_place():
    """A hook belongs to the value that the tensor had when it was registered."""
    x = leaf([1.0, 2.0])
    y = x * 1
    log = []
    y.register_hook(lambda g: log.append(['before', g.clone()]))
    y.mul_(3)
    y.register_hook(lambda g: log.append(['after', g.clone()]))
    y.sum().backward()
    return {'log': log, 'grad': x.grad}


def retained_with_in_place():
    x = leaf([1.0, 2.0])
    y = x * 1
    y.retain_grad()
    y.mul_(3)
    (y * 2).sum().backward()
    return {'y': y.grad, 'x': x.grad}


def hook_and_retain():
    """retain_grad keeps what the hooks leave, whichever was asked for first."""
    x = leaf([1.0])
    a, b = x * 1, x * 1
    a.retain_grad()
    a.register_hook(lambda g: g * 2)
    b.register_hook(lambda g: g * 2)
    b.retain_grad()
    (a + b).backward()
    return {'a': a.grad, 'b': b.grad, 'x': x.grad}


def node_hooks():
    """Hooks of a node see its gradients before and after it ran."""
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = x * w
    log = []
    y.grad_fn.register_prehook(lambda gout: log.append(['pre', gout[0].clone()]) or (gout[0] * 2,))
    y.grad_fn.register_hook(lambda gin, gout: log.append(['post', gin[0].clone(), gin[1].clone(),
                                                          gout[0].clone()]) or (gin[0] + 1, None))
    y.sum().backward()
    return {'log': log, 'x': x.grad, 'w_none': w.grad is None}


def all_kinds_in_order():
    x = leaf([1.0])
    log = []
    y = x * 2
    y.grad_fn.register_hook(lambda gin, gout: log.append('node post'))
    y.grad_fn.register_prehook(lambda gout: log.append('node pre'))
    y.register_hook(lambda g: log.append('tensor'))
    x.register_hook(lambda g: log.append('leaf'))
    x.register_post_accumulate_grad_hook(lambda p: log.append('accumulated'))
    y.sum().backward()
    return {'log': log}


def several_tensors():
    """register_multi_grad_hook waits for the gradients that the pass will bring."""
    a, b, c = leaf([1.0]), leaf([2.0]), leaf([3.0])
    seen = []
    handle = graph.register_multi_grad_hook([a, b, c],
                                            lambda gs: seen.append(['all',
                                                [None if g is None else g.clone() for g in gs]]))
    (a * b).backward()
    (a * b * c).backward()
    handle.remove()
    (a * 1).backward()
    graph.register_multi_grad_hook([a, b], lambda g: seen.append(['any', g.clone()]), mode='any')
    (a * 5 + b * 0).backward()
    return {'seen': seen, 'mode': error(lambda: graph.register_multi_grad_hook([a], print, mode='some')),
            'needs': kind(lambda: graph.register_multi_grad_hook([torch.ones(1)], print))}


def recording_inside():
    """Inside a hook gradients are recorded only with create_graph."""
    x = leaf([2.0])
    seen = []
    y = x * x
    y.register_hook(lambda g: seen.append([torch.is_grad_enabled(), g.requires_grad, (g * x).requires_grad]))
    y.backward(retain_graph=True)
    y.backward(create_graph=True)
    return {'seen': seen}


def backward_inside():
    """A hook may run another pass; it must record for itself."""
    x, w = leaf([2.0]), leaf([1.0])
    y = x * x
    found = []

    def inner(g):
        found.append(error(lambda: (w * 3).sum().backward()))
        with torch.enable_grad():
            (w * 3).sum().backward()
    y.register_hook(inner)
    y.backward()
    return {'found': found, 'x': x.grad, 'w': w.grad}


def saved_tensors():
    """Hooks on saved tensors see each one that an operation keeps."""
    x = ramp(3).add(1).requires_grad_()
    log = []

    def pack(t):
        log.append(['pack', t.detach().clone()])
        return t.detach() * 2

    def unpack(t):
        log.append(['unpack', t.clone()])
        return t
    with graph.saved_tensors_hooks(pack, unpack):
        y = x * x
        z = y.exp() + 1
    z.sum().backward()
    outside = x * x
    outside.sum().backward()
    return {'log': log, 'grad': x.grad}


def accumulator_hooks():
    """The node at a leaf can have hooks as well; it is the same for all uses of the leaf."""
    x = leaf([1.0, 2.0])
    log = []
    node = (x * 1).grad_fn.next_functions[0][0]
    node.register_hook(lambda gin, gout: log.append(['post', len(gin), gout[0].clone()]))
    node.register_prehook(lambda gout: log.append('pre') or (gout[0] * 2,))
    same = (x + 1).grad_fn.next_functions[0][0] is node
    (x * 3).sum().backward()
    return {'log': log, 'same': same, 'variable': node.variable is x, 'grad': x.grad}
