"""Whole networks; the counterpart of kinds/networks.mjs."""

import torch
import torch.nn.functional as F
from models import NETWORKS

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=1e-3, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=1e-3),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-4),
}


def training(network, optimizer="adam"):
    model, x, y = NETWORKS[network]()
    stepper = OPTIMIZERS[optimizer](model.parameters())

    def step():
        stepper.zero_grad()
        out = model(x)
        loss = F.cross_entropy(out.reshape(-1, out.shape[-1]), y.reshape(-1))
        loss.backward()
        stepper.step()
        return loss.item()

    return step


def inference(network):
    model, x, _ = NETWORKS[network]()
    model.eval()

    def run():
        with torch.inference_mode():
            return model(x)

    return run


KINDS = {"training": training, "inference": inference}
