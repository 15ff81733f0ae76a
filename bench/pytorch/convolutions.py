"""Convolutions alone; the counterpart of kinds/convolutions.mjs."""

import torch
import torch.nn.functional as F


def conv2d(n, c, o, size, kernel, stride=1, padding=0, groups=1, **more):
    what = more.get("pass", "forward")
    x = torch.randn(n, c, size, size)
    weight = torch.randn(o, c // groups, kernel, kernel)

    def convolve():
        return F.conv2d(x, weight, None, stride, padding, 1, groups)

    if what == "forward":

        def forward():
            with torch.no_grad():
                return convolve()

        return forward
    wanted = (x if what == "input" else weight).requires_grad_()
    out = convolve()
    g = torch.randn(out.shape)
    return lambda: torch.autograd.grad(out, wanted, g, retain_graph=True)


KINDS = {"conv2d": conv2d}
