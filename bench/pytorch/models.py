"""The networks that are timed; the counterpart of kinds/models.mjs."""

import torch
import torch.nn.functional as F
from torch import nn


def images(n, c, size, classes):
    return torch.randn(n, c, size, size), torch.randint(0, classes, (n,))


def perceptron(widths):
    layers = []
    for i in range(1, len(widths)):
        if i > 1:
            layers.append(nn.ReLU())
        layers.append(nn.Linear(widths[i - 1], widths[i]))
    return nn.Sequential(*layers), torch.randn(64, widths[0]), torch.randint(0, widths[-1], (64,))


def cnn():
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 10),
    )  # fmt: skip
    return model, *images(64, 1, 28, 10)


class Block(nn.Module):
    def __init__(self, c, o, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(c, o, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(o)
        self.conv2 = nn.Conv2d(o, o, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(o)
        self.relu = nn.ReLU()
        if stride == 1 and c == o:
            self.down = nn.Identity()
        else:
            self.down = nn.Sequential(nn.Conv2d(c, o, 1, stride=stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + self.down(x))


def resnet18(small, n, size, classes):
    if small:
        stem = [nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    else:
        stem = [
            nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        ]
    blocks = []
    for i, o in enumerate((64, 128, 256, 512)):
        blocks += [Block(o // 2 if i else 64, o, 2 if i else 1), Block(o, o, 1)]
    model = nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes))
    return model, *images(n, 3, size, classes)


class DecoderBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.width, self.heads = width, heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        b, t, width = x.shape
        parts = self.qkv(self.norm1(x)).split(width, 2)
        q, k, v = (p.view(b, t, self.heads, width // self.heads).transpose(1, 2) for p in parts)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        z = x + self.out(y.transpose(1, 2).reshape(b, t, width))
        return z + self.mlp(self.norm2(z))


class Decoder(nn.Module):
    def __init__(self, length, width, heads, layers, words):
        super().__init__()
        self.tokens = nn.Embedding(words, width)
        self.places = nn.Embedding(length, width)
        self.blocks = nn.Sequential(*(DecoderBlock(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, words, bias=False)
        self.register_buffer("place", torch.arange(length), persistent=False)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.tokens(x) + self.places(self.place))))


def gpt(n, length, width, heads, layers, words):
    model = Decoder(length, width, heads, layers, words)
    return model, torch.randint(0, words, (n, length)), torch.randint(0, words, (n, length))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(128, 256, num_layers=2)
        self.head = nn.Linear(256, 10)

    def forward(self, x):
        return self.head(self.lstm(x)[0][-1])


def lstm():
    return Recurrent(), torch.randn(64, 32, 128), torch.randint(0, 10, (32,))


def bert():
    layer = nn.TransformerEncoderLayer(
        768, 12, dim_feedforward=3072, activation="gelu", batch_first=True, dropout=0.0
    )
    model = nn.TransformerEncoder(layer, 12, enable_nested_tensor=False)
    # The layers are copies of one; an exporter would store them once, and they would fit in a cache.
    for p in model.parameters():
        nn.init.normal_(p, std=0.02)
    return model, torch.randn(1, 128, 768), None


NETWORKS = {
    "mlp": lambda: perceptron([784, 256, 128, 10]),
    "mlp512": lambda: perceptron([784, 512, 10]),
    "cnn": cnn,
    "resnet18_32": lambda: resnet18(True, 32, 32, 10),
    "resnet18_224": lambda: resnet18(False, 1, 224, 1000),
    "gpt": lambda: gpt(8, 256, 384, 6, 6, 1024),
    "lstm": lstm,
    "bert": bert,
}
