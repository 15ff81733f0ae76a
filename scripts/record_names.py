"""Records the names that PyTorch's namespaces have: test/fixtures/names.json. Run with a Python that has torch.

    python scripts/record_names.py
"""

import json
import pathlib

import torch
import torch.nn.utils.prune

OUT = pathlib.Path(__file__).parent.parent / "test" / "fixtures" / "names.json"
SPACES = {
    "": torch,
    "linalg": torch.linalg,
    "fft": torch.fft,
    "special": torch.special,
    "nn.functional": torch.nn.functional,
    "signal.windows": torch.signal.windows,
    "masked": torch.masked,
    "nn": torch.nn,
    "nn.init": torch.nn.init,
    "nn.utils": torch.nn.utils,
    "optim": torch.optim,
    "optim.lr_scheduler": torch.optim.lr_scheduler,
    "Tensor": torch.Tensor,
}
names = {space: " ".join(n for n in dir(value) if n == "__version__" or not n.startswith("__")) for space, value in SPACES.items()}
OUT.write_text(json.dumps({"torch": torch.__version__, "names": names}, indent=1) + "\n")
