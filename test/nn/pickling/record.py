"""Writes whole modules with torch.save, and modules.json, what they print as. Run with PyTorch: python test/nn/pickling/record.py

layers.pt has the layers of ../layers.json, in its order. classes.pt has a module of every class of torch.nn. The other files
have what is special: hooks that torch.nn sets, attributes that older versions did not have, classes of a program's own.
"""

import functools
import json
import sys
import types
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
import torch.nn.utils.prune as prune
from torch import nn

warnings.simplefilter("ignore")
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from modules import Net, every_class, from_case  # noqa: E402

record = {}


def save(name, value, **kwargs):
    torch.save(value, HERE / name, **kwargs)


def outputs(name, modules, x, before_saving=lambda: None):
    """Saves modules with what they print as and what they make of x, in evaluation."""
    record[name] = {k: {"text": str(m), "output": m.eval()(x).flatten().tolist()} for k, m in modules.items()}
    before_saving()
    save(name, modules)


def shout(module, args):
    print("a hook ran")


def without(module, *names):
    """As a version wrote it that did not have these attributes."""
    for name in names:
        del module.__dict__[name]
    return module


def named_net(name):
    module = types.ModuleType("models")
    cls = type(name, (nn.Module,), {"__module__": "models", "forward": lambda self, x: self.fc(x)})
    setattr(module, name, cls)
    sys.modules["models"] = module
    net = cls()
    net.fc = nn.Linear(2, 2)
    return net


def main():
    torch.manual_seed(0)
    layers = [from_case(c) for c in json.loads((HERE.parent / "layers.json").read_text())]
    save("layers.pt", layers)
    record["layers.pt"] = [str(m) for m in layers]
    classes = every_class()
    save("classes.pt", classes)
    record["classes.pt"] = [[k, f"{type(m).__module__}.{type(m).__name__}", str(m)] for k, m in classes.items()]

    hooked = {
        "weight_norm": nn.utils.weight_norm(nn.Linear(3, 2)),
        "bias_norm": nn.utils.weight_norm(nn.Linear(3, 2), "bias", None),
        "spectral_norm": nn.utils.spectral_norm(nn.Linear(3, 4)),
        "pruned": prune.l1_unstructured(nn.Linear(3, 2), "weight", 2),
        "twice": prune.ln_structured(prune.random_unstructured(nn.Linear(3, 4), "weight", 0.25), "weight", 1, 2, 0),
        "mask": prune.custom_from_mask(nn.Linear(3, 1), "bias", torch.tensor([0.0])),
    }
    outputs("hooks.pt", hooked, torch.tensor([[0.5, -1.0, 2.0]]))

    plain = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    for protocol in (1, 4, 5):
        save(f"protocol{protocol}.pt", plain, pickle_protocol=protocol)
    # PyTorch itself does not read the tensors of protocol 0.
    save("protocol0.pt", nn.Sequential(nn.ELU(), nn.Tanh()), pickle_protocol=0)
    # The legacy format has the source of every class beside it: a small one.
    save("legacy.pt", nn.Softsign(), _use_new_zipfile_serialization=False)

    old_hooks = ["_non_persistent_buffers_set", "_forward_hooks_with_kwargs", "_forward_hooks_always_called",
                 "_forward_pre_hooks_with_kwargs", "_state_dict_pre_hooks", "_load_state_dict_post_hooks",
                 "_backward_pre_hooks", "_is_full_backward_hook"]  # fmt: skip
    torch.manual_seed(1)
    old = {
        "conv": nn.Sequential(nn.Unflatten(1, (1, 3)), nn.Conv1d(1, 2, 2)),
        "norm": nn.BatchNorm1d(3),
        "softmax": nn.Softmax(1),
        "transformer": nn.TransformerEncoderLayer(3, 1, 4),
        "gelu": nn.GELU(),
    }

    def strip():
        without(old["conv"][1], "padding_mode", "_reversed_padding_repeated_twice", *old_hooks)
        del old["norm"]._buffers["num_batches_tracked"]
        without(old["softmax"], "dim", *old_hooks)
        without(old["transformer"], "norm_first", "activation_relu_or_gelu")
        without(old["gelu"], "approximate")

    outputs("old.pt", old, torch.tensor([[0.5, -1.0, 2.0]]), strip)
    record["old.pt"]["softmax"]["text"] = "Softmax(dim=None)"
    lstm = without(nn.LSTM(3, 2), "proj_size")
    lists = [without(nn.ParameterList([torch.ones(2), torch.zeros(1)]), "_size"), without(nn.ParameterDict({"b": torch.ones(1)}), "_keys"), lstm]
    save("old_containers.pt", lists)

    torch.manual_seed(2)
    net = Net(4)
    net.extra = [1.0, 2]
    outputs("net.pt", {"net": net}, torch.tensor([[0.5, -1.0, 2.0]]))
    shared = nn.Linear(3, 3)
    save("shared.pt", {"model": nn.Sequential(shared, nn.ReLU(), shared), "layer": shared, "epoch": 3, "weight": shared.weight})
    noted = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0))  # a float that is given as an int stays one
    noted.note, noted.rate, noted.place = "kept", 1.0, torch.device("cuda", 1)
    save("noted.pt", noted)

    unknown = named_net("Block")
    save("unknown.pt", nn.Sequential(nn.ReLU(), unknown))
    save("unknown_top.pt", unknown)
    hook = nn.ReLU()
    hook.register_forward_pre_hook(shout)
    save("hook.pt", hook)
    layer = nn.TransformerEncoderLayer(2, 1, 2, activation=functools.partial(F.leaky_relu, negative_slope=0.5))
    save("activation.pt", layer)
    layer = nn.TransformerEncoderLayer(2, 1, 2, activation=torch.tanh)
    save("tanh.pt", layer)
    record["refused"] = [
        ["unknown.pt", "models.Block"], ["unknown_top.pt", "models.Block"], ["hook.pt", "_forward_pre_hooks"],
        ["activation.pt", "activation"],
    ]  # fmt: skip
    (HERE / "modules.json").write_text(json.dumps(record, indent=1) + "\n")


main()
