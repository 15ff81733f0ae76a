"""Prints what torch.load(weights_only=True) finds in a file, tensors as lists."""

import sys

import torch

value = torch.load(sys.argv[1], weights_only=True)
shared = value["base"].untyped_storage().data_ptr() == value["rows"].untyped_storage().data_ptr()
print({k: v.tolist() if isinstance(v, torch.Tensor) and not v.is_meta else v for k, v in value.items()}, "shared", shared)
