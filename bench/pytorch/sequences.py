"""Attention and recurrent layers; the counterpart of kinds/sequences.mjs."""

import torch
import torch.nn.functional as F


def attention(batch, heads, length, width, causal=False, backward=False):
    q, k, v = (torch.randn(batch, heads, length, width) for _ in range(3))

    def attend():
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal)

    if not backward:

        def forward():
            with torch.no_grad():
                return attend()

        return forward
    for t in (q, k, v):
        t.requires_grad_()
    g = torch.randn(batch, heads, length, width)
    return lambda: torch.autograd.grad(attend(), (q, k, v), g)


def recurrent(name, length, batch, width, hidden, layers=1, backward=False):
    layer = getattr(torch.nn, name)(width, hidden, num_layers=layers)
    x = torch.randn(length, batch, width)
    if not backward:

        def forward():
            with torch.no_grad():
                return layer(x)[0]

        return forward
    parameters = list(layer.parameters())
    g = torch.randn(length, batch, hidden)
    return lambda: torch.autograd.grad(layer(x)[0], parameters, g)


KINDS = {"attention": attention, "recurrent": recurrent}
