"""Matrix products; the counterpart of kinds/products.mjs."""

import torch


def matmul(m, n, k, batch=None, ta=False, tb=False, dtype="float32", precision=None):
    def operand(rows, columns, transposed):
        shape = (columns, rows) if transposed else (rows, columns)
        stored = torch.randn(shape if batch is None else (batch, *shape)).to(getattr(torch, dtype))
        return stored.transpose(-2, -1) if transposed else stored

    a, b = operand(m, k, ta), operand(k, n, tb)
    if precision is None:
        return lambda: torch.matmul(a, b)

    def run():
        torch.set_float32_matmul_precision(precision)
        out = torch.matmul(a, b)
        torch.set_float32_matmul_precision("highest")
        return out

    return run


KINDS = {"matmul": matmul}
