"""Writes layers.json and functional.json: what PyTorch computes. Run with PyTorch: python test/nn/record_layers.py

Each case seeds the generator, makes the layer, then draws its inputs: the tests do the same, so that the weights' values and
the order in which they are drawn are checked, too.
"""
import json
import math
import pathlib
import re
import warnings

import torch
import torch.nn.functional as F
from torch import nn

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent


def camel(name):
    return re.sub(r"_([a-z0-9])", lambda m: m.group(1).upper(), name)


def N(*shape):
    return {"randn": shape}


def U(*shape):
    return {"rand": shape}


def I(high, *shape, low=0):
    return {"randint": shape, "low": low, "high": high}


def V(values, dtype):
    return {"values": values, "dtype": dtype}


def draw(spec):
    if not isinstance(spec, dict):
        return spec
    if "randn" in spec:
        return torch.randn(spec["randn"]).requires_grad_()
    if "rand" in spec:
        return torch.rand(spec["rand"]).requires_grad_()
    if "randint" in spec:
        return torch.randint(spec["low"], spec["high"], spec["randint"])
    if "values" in spec:
        return torch.tensor(spec["values"], dtype=getattr(torch, spec["dtype"]))
    return spec


def number(x):
    """Seven digits; JSON has no other form of infinities and NaN than text."""
    return float(f"{x:.7g}") if math.isfinite(x) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(x, "NaN")


def flat(t):
    return {"shape": list(t.shape), "values": [number(x) for x in t.detach().double().flatten().tolist()]}


def settings(v):
    """An array of JavaScript is a tuple."""
    return tuple(map(settings, v)) if isinstance(v, list) else v


def tensors(v):
    if isinstance(v, torch.Tensor):
        return [v]
    if isinstance(v, (tuple, list)):
        return [t for x in v for t in tensors(x)]
    return []


def finish(outputs, leaves):
    """Gradients of sum(output * (0.3, 0.4, 0.5, ...)) for all floating outputs."""
    outs = [t for t in outputs if t.is_floating_point() and t.requires_grad]
    if not outs:
        return []
    total = sum((t * (torch.arange(t.numel(), dtype=t.dtype).reshape(t.shape) * 0.1 + 0.3)).sum() for t in outs)
    grads = torch.autograd.grad(total, leaves, allow_unused=True)
    return [None if g is None else flat(g) for g in grads]


def layer(cls, *args, inputs, training=True, call=None, **kwargs):
    torch.manual_seed(3)
    m = getattr(nn, cls)(*map(settings, args), **{k: settings(v) for k, v in kwargs.items()}).train(training)
    xs = [draw(s) for s in inputs]
    case = {
        "class": cls,
        "args": list(args),
        "options": {camel(k): v for k, v in kwargs.items()},
        "training": training,
        "inputs": inputs,
        "call": {camel(k): v for k, v in (call or {}).items()},
        "repr": str(m),
        "state": {k: flat(v) for k, v in m.state_dict().items()},
    }
    outs = tensors(m(*xs, **{k: draw(v) for k, v in (call or {}).items()}))
    case["outputs"] = [flat(t) for t in outs]
    leaves = [x for x in xs if isinstance(x, torch.Tensor) and x.requires_grad] + list(m.parameters())
    case["grads"] = finish(outs, leaves)
    case["after"] = {k: flat(v) for k, v in m.state_dict().items() if k not in dict(m.named_parameters())}
    return case


def function(name, *args, **kwargs):
    torch.manual_seed(5)
    xs = [draw(s) for s in args]
    named = {k: draw(v) for k, v in kwargs.items()}
    outs = tensors(getattr(F, name)(*xs, **named))
    leaves = [x for x in [*xs, *named.values()] if isinstance(x, torch.Tensor) and x.requires_grad]
    return {
        "fn": camel(name),
        "args": list(args),
        "options": {camel(k): v for k, v in kwargs.items()},
        "outputs": [flat(t) for t in outs],
        "grads": finish(outs, leaves),
    }


IMAGE, SIGNAL, VOLUME = N(2, 4, 5, 6), N(2, 4, 9), N(1, 2, 4, 5, 4)
LAYERS = [
    layer("Linear", 5, 3, inputs=[N(2, 4, 5)]),
    layer("Linear", 5, 3, bias=False, inputs=[N(5)]),
    layer("Bilinear", 3, 4, 2, inputs=[N(5, 3), N(5, 4)]),
    layer("Conv1d", 4, 6, 3, stride=2, padding=1, groups=2, inputs=[SIGNAL]),
    layer("Conv1d", 4, 3, 4, padding="same", padding_mode="circular", inputs=[SIGNAL]),
    layer("Conv2d", 4, 3, [3, 2], padding=[1, 0], dilation=[1, 2], inputs=[IMAGE]),
    layer("Conv2d", 4, 3, 3, padding=1, padding_mode="reflect", bias=False, inputs=[N(4, 5, 6)]),
    layer("Conv2d", 4, 2, 3, padding=2, padding_mode="replicate", stride=2, inputs=[IMAGE]),
    layer("Conv3d", 2, 2, 2, stride=[1, 2, 1], inputs=[VOLUME]),
    layer("ConvTranspose1d", 4, 3, 3, stride=2, output_padding=1, inputs=[SIGNAL]),
    layer("ConvTranspose2d", 4, 4, 3, stride=2, padding=1, groups=2, inputs=[N(1, 4, 3, 3)], call={"output_size": [6, 6]}),
    layer("ConvTranspose3d", 2, 1, 2, dilation=2, inputs=[N(1, 2, 2, 3, 2)]),
    layer("BatchNorm1d", 4, inputs=[N(6, 4)]),
    layer("BatchNorm1d", 4, momentum=None, affine=False, inputs=[SIGNAL]),
    layer("BatchNorm2d", 4, momentum=0.3, bias=False, inputs=[IMAGE]),
    layer("BatchNorm2d", 4, training=False, inputs=[IMAGE]),
    layer("BatchNorm3d", 2, track_running_stats=False, training=False, inputs=[VOLUME]),
    layer("InstanceNorm1d", 4, affine=True, inputs=[N(4, 9)]),
    layer("InstanceNorm2d", 4, affine=True, track_running_stats=True, inputs=[IMAGE]),
    layer("InstanceNorm3d", 2, inputs=[VOLUME]),
    layer("LayerNorm", [5, 6], inputs=[IMAGE]),
    layer("LayerNorm", 6, eps=0.1, bias=False, inputs=[N(3, 6)]),
    layer("GroupNorm", 2, 4, inputs=[IMAGE]),
    layer("RMSNorm", 6, inputs=[N(3, 6)]),
    layer("LocalResponseNorm", 3, alpha=0.1, inputs=[N(2, 5, 3)]),
    layer("LocalResponseNorm", 2, beta=0.5, k=2.0, inputs=[N(1, 5, 2, 3)]),
    layer("Embedding", 7, 3, padding_idx=-2, inputs=[I(7, 2, 4)]),
    layer("Embedding", 7, 3, max_norm=1.0, scale_grad_by_freq=True, inputs=[I(7, 9)]),
    layer("EmbeddingBag", 7, 3, inputs=[I(7, 2, 4)]),
    layer("EmbeddingBag", 7, 3, mode="max", padding_idx=1, inputs=[I(7, 8)], call={"offsets": V([0, 3, 3], "int64")}),
    layer("EmbeddingBag", 7, 2, mode="sum", include_last_offset=True, inputs=[I(7, 6)], call={"offsets": V([0, 2, 6], "int64"), "per_sample_weights": V([1.0, -2.0, 0.5, 3.0, 1.5, 0.25], "float32")}),
    layer("PReLU", 4, inputs=[IMAGE]),
    layer("MaxPool1d", 3, stride=2, padding=1, inputs=[SIGNAL]),
    layer("MaxPool2d", [2, 3], ceil_mode=True, return_indices=True, inputs=[IMAGE]),
    layer("MaxPool3d", 2, dilation=[1, 2, 1], inputs=[VOLUME]),
    layer("AvgPool1d", 3, inputs=[SIGNAL]),
    layer("AvgPool2d", 3, stride=2, padding=1, count_include_pad=False, inputs=[IMAGE]),
    layer("AvgPool3d", 2, divisor_override=3, inputs=[VOLUME]),
    layer("AdaptiveAvgPool2d", [3, None], inputs=[IMAGE]),
    layer("AdaptiveMaxPool1d", 4, inputs=[SIGNAL]),
    layer("LPPool2d", 2.0, 2, inputs=[IMAGE]),
    layer("ReflectionPad2d", [1, 2, 0, 3], inputs=[IMAGE]),
    layer("ReplicationPad3d", 1, inputs=[N(1, 1, 2, 2, 2)]),
    layer("CircularPad2d", [1, 2, 3, 0], inputs=[N(1, 1, 3, 4)]),
    layer("ZeroPad2d", [1, -1, 2, 0], inputs=[N(1, 2, 3, 3)]),
    layer("ConstantPad1d", 2, 3.5, inputs=[N(1, 2, 3)]),
    layer("PixelShuffle", 2, inputs=[IMAGE]),
    layer("PixelUnshuffle", 2, inputs=[N(1, 2, 4, 2)]),
    layer("Flatten", inputs=[IMAGE]),
    layer("Unflatten", 1, [2, 2], inputs=[IMAGE]),
    layer("Fold", [4, 5], [2, 3], padding=1, inputs=[N(1, 12, 25)]),
    layer("Unfold", [2, 3], dilation=2, stride=[1, 2], padding=1, inputs=[IMAGE]),
    layer("Upsample", scale_factor=2.0, mode="bilinear", align_corners=True, inputs=[N(1, 2, 3, 3)]),
    layer("Upsample", size=[4, 7], mode="bicubic", inputs=[N(1, 1, 3, 5)]),
    layer("Softmax2d", inputs=[IMAGE]),
    layer("RNN", 3, 4, num_layers=2, nonlinearity="relu", inputs=[N(5, 2, 3)]),
    layer("RNN", 3, 4, bidirectional=True, batch_first=True, bias=False, inputs=[N(2, 5, 3)]),
    layer("LSTM", 3, 4, num_layers=2, bidirectional=True, inputs=[N(4, 2, 3)]),
    layer("LSTM", 3, 5, proj_size=2, inputs=[N(4, 3)]),
    layer("GRU", 3, 4, num_layers=2, batch_first=True, inputs=[N(2, 4, 3), N(2, 2, 4)]),
    layer("RNNCell", 3, 4, inputs=[N(2, 3)]),
    layer("LSTMCell", 3, 4, inputs=[N(3)]),
    layer("GRUCell", 3, 4, bias=False, inputs=[N(2, 3), N(2, 4)]),
    layer("MultiheadAttention", 6, 2, inputs=[N(3, 2, 6), N(4, 2, 6), N(4, 2, 6)]),
    layer("MultiheadAttention", 6, 3, kdim=4, vdim=5, add_bias_kv=True, add_zero_attn=True, batch_first=True, inputs=[N(2, 3, 6), N(2, 4, 4), N(2, 4, 5)], call={"average_attn_weights": False}),
    layer("TransformerEncoderLayer", 6, 2, 8, dropout=0.0, inputs=[N(4, 2, 6)], call={"src_key_padding_mask": V([[False, False, True, True], [False, False, False, True]], "bool")}),
    layer("TransformerDecoderLayer", 6, 2, 8, dropout=0.0, norm_first=True, batch_first=True, activation="gelu", inputs=[N(2, 3, 6), N(2, 4, 6)]),
    layer("Transformer", 4, 2, 1, 2, 8, dropout=0.0, inputs=[N(3, 2, 4), N(2, 2, 4)]),
    layer("AdaptiveLogSoftmaxWithLoss", 8, 9, [3, 6], inputs=[N(5, 8), V([0, 4, 8, 2, 7], "int64")]),
    layer("CrossEntropyLoss", label_smoothing=0.2, inputs=[N(3, 5), I(5, 3)]),
    layer("NLLLoss", ignore_index=1, inputs=[N(2, 3, 4), I(3, 2, 4)]),
    layer("BCELoss", reduction="sum", inputs=[U(3, 2), U(3, 2)]),
    layer("BCEWithLogitsLoss", inputs=[N(3, 2), U(3, 2)]),
    layer("SmoothL1Loss", beta=0.5, inputs=[N(3, 2), N(3, 2)]),
    layer("HuberLoss", delta=0.7, reduction="none", inputs=[N(3, 2), N(3, 2)]),
    layer("KLDivLoss", reduction="batchmean", inputs=[N(3, 2), U(3, 2)]),
    layer("PoissonNLLLoss", full=True, inputs=[N(3, 2), V([[0.0, 1.0], [2.0, 3.0], [5.0, 0.5]], "float32")]),
    layer("GaussianNLLLoss", full=True, inputs=[N(3, 2), N(3, 2), U(3, 2)]),
    layer("TripletMarginLoss", swap=True, inputs=[N(3, 4), N(3, 4), N(3, 4)]),
    layer("MultiMarginLoss", p=2, inputs=[N(3, 4), I(4, 3)]),
    layer("MultiLabelMarginLoss", inputs=[N(2, 4), V([[3, 0, -1, 1], [1, -1, 2, 2]], "int64")]),
    layer("CTCLoss", inputs=[N(6, 2, 4), I(4, 2, 2, low=1), V([6, 5], "int64"), V([2, 1], "int64")]),
]
FUNCTIONS = [
    function("softmin", N(3, 4), dim=1),
    function("glu", N(3, 4), dim=1),
    function("rrelu", N(3, 4), 0.1, 0.4, training=True),
    function("normalize", N(3, 4), p=3.0, dim=0),
    function("cosine_similarity", N(3, 4), N(1, 4), dim=1),
    function("pairwise_distance", N(3, 4), N(3, 4), p=1.0, keepdim=True),
    function("pdist", N(4, 3)),
    function("interpolate", N(1, 1, 5), size=8, mode="nearest"),
    function("interpolate", N(1, 1, 5), scale_factor=1.7, mode="nearest-exact"),
    function("interpolate", N(1, 1, 5), scale_factor=0.6, mode="linear"),
    function("interpolate", N(1, 1, 5, 6), size=[3, 3], mode="area"),
    function("interpolate", N(1, 1, 6, 6), size=[3, 4], mode="bilinear", antialias=True),
    function("interpolate", N(1, 1, 6, 6), size=[4, 3], mode="bicubic", antialias=True),
    function("interpolate", N(1, 1, 2, 3, 2), scale_factor=[1.5, 2.0, 2.0], mode="trilinear", recompute_scale_factor=True),
    function("grid_sample", N(1, 2, 3, 4), {"rand": [1, 2, 3, 2]}, align_corners=False),
    function("grid_sample", N(1, 2, 3, 4), N(1, 2, 3, 2), padding_mode="reflection", align_corners=True),
    function("grid_sample", N(1, 1, 4, 4), N(1, 2, 2, 2), mode="bicubic", padding_mode="border", align_corners=False),
    function("grid_sample", N(1, 1, 2, 3, 4), N(1, 2, 1, 2, 3), align_corners=False),
    function("affine_grid", N(1, 2, 3), [1, 1, 2, 3], align_corners=False),
    function("pad", N(1, 2, 3), [1, 2], mode="reflect"),
    function("pad", N(2, 3), [1, 0, -1, 2], value=0.5),
    function("scaled_dot_product_attention", N(1, 2, 3, 4), N(1, 2, 5, 4), N(1, 2, 5, 3), attn_mask=V([[True, True, False, True, False], [False, False, False, False, False], [True, False, False, False, True]], "bool")),
    function("scaled_dot_product_attention", N(1, 2, 3, 4), N(1, 2, 5, 4), N(1, 2, 5, 3), is_causal=True, scale=0.7),
    function("linear_cross_entropy", N(3, 4), N(5, 4), V([0, 3, 2], "int64"), linear_bias=N(5)),
    function("cross_entropy", N(2, 3), U(2, 3), weight=V([0.5, 1.0, 2.0], "float32"), label_smoothing=0.1),
    function("cross_entropy", N(2, 3, 2), V([[0, 1], [-100, 2]], "int64"), weight=V([0.5, 1.0, 2.0], "float32")),
    function("nll_loss", N(3), V(1, "int64"), reduction="none"),
    function("binary_cross_entropy_with_logits", N(2, 3), U(2, 3), weight=V([0.5, 1.0, 2.0], "float32"), pos_weight=V([3.0, 1.0, 0.5], "float32")),
    function("mse_loss", N(2, 3), N(2, 3), weight=V([[1.0, 2.0, 0.0], [0.5, 1.0, 1.0]], "float32")),
    function("ctc_loss", N(4, 3), V([1, 2], "int64"), V(4, "int64"), V(2, "int64"), reduction="none"),
    function("ctc_loss", N(2, 1, 3), V([[1, 1, 1]], "int64"), V([2], "int64"), V([3], "int64"), zero_infinity=True),
    function("bilinear", N(2, 3), N(2, 2), N(4, 3, 2), N(4)),
    function("conv_tbc", N(4, 2, 3), N(2, 3, 2), N(2), pad=1),
    function("channel_shuffle", N(1, 6, 2, 1), 3),
    function("one_hot", V([[0, 2], [1, 3]], "int64")),
    function("lp_pool1d", N(1, 2, 6), 3.0, 2, stride=3),
    function("max_unpool1d", N(1, 1, 3), V([[[1, 2, 5]]], "int64"), 2, output_size=[7]),
    function("fractional_max_pool2d", N(1, 1, 6, 7), 2, output_size=[3, 4]),
    function("multilabel_soft_margin_loss", N(2, 3), U(2, 3), reduction="none"),
    function("hinge_embedding_loss", N(4), V([1.0, -1.0, -1.0, 1.0], "float32")),
    function("cosine_embedding_loss", N(3, 4), N(3, 4), V([1.0, -1.0, 1.0], "float32"), margin=0.2),
    function("margin_ranking_loss", N(3), N(3), V([1.0, -1.0, 1.0], "float32"), margin=0.5),
    function("soft_margin_loss", N(4), V([1.0, -1.0, -1.0, 1.0], "float32")),
    function("dropout2d", N(2, 3, 2, 2), p=0.5),
    function("dropout3d", N(2, 3, 1, 2, 2), p=0.25),
    function("upsample", N(1, 2, 3, 2), scale_factor=2, mode="bilinear", align_corners=True),
    function("upsample_nearest", N(1, 2, 3), scale_factor=2),
    function("upsample_bilinear", N(1, 1, 2, 3), size=[3, 5]),
    function("multilabel_margin_loss", N(2, 4), V([[3, 0, -1, 1], [1, -1, 2, 2]], "int64"), reduction="sum"),
    function("triplet_margin_with_distance_loss", N(3, 4), N(3, 4), N(3, 4), margin=0.8, swap=True),
    function("adaptive_max_pool1d_with_indices", N(1, 2, 7), 3),
    function("adaptive_max_pool2d_with_indices", N(1, 2, 5, 4), [2, 3]),
    function("adaptive_max_pool3d_with_indices", N(2, 3, 4, 5), [2, 2, 3]),
    function("fractional_max_pool2d_with_indices", N(2, 2, 6, 7), [2, 3], output_ratio=[0.5, 0.6]),
    function("fractional_max_pool3d", N(1, 2, 5, 6, 4), 2, output_size=[2, 3, 2]),
    function("fractional_max_pool3d_with_indices", N(1, 1, 5, 5, 5), [2, 1, 3], output_ratio=0.5),
    function("lp_pool3d", N(1, 2, 4, 5, 4), 2.0, [2, 3, 2], stride=2, ceil_mode=True),
    function("max_unpool2d", N(1, 1, 2, 2), V([[[[0, 3], [9, 11]]]], "int64"), 2, output_size=[3, 4]),
    function("max_unpool3d", N(1, 1, 1, 2, 2), V([[[[[0, 3], [13, 30]]]]], "int64"), 2),
    function("multi_head_attention_forward", N(3, 2, 4), N(5, 2, 4), N(5, 2, 4), 4, 2, N(12, 4), N(12), N(1, 1, 4), N(1, 1, 4), True, 0.0, N(4, 4), N(4), training=False, average_attn_weights=False),
]

for name, cases in (("layers.json", LAYERS), ("functional.json", FUNCTIONS)):
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    (HERE / name).write_text(f"[\n{lines}\n]\n")
