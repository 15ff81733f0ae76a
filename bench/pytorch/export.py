"""Writes the networks of models.py as ONNX files into a folder: python export.py FOLDER NAME ... (needs the package onnx)."""

import sys
import warnings

import torch
from models import NETWORKS

warnings.simplefilter("ignore")
folder, *names = sys.argv[1:]
for name in names:
    torch.manual_seed(0)
    model, x, _ = NETWORKS[name]()
    model.eval()
    torch.onnx.export(model, (x,), f"{folder}/{name}.onnx", dynamo=False, opset_version=17)
