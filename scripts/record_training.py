"""Records how PyTorch trains four models, for test/training: the loss of each step, and nothing else.

    python scripts/record_training.py      (needs torch; test/fixtures/training.json is checked in)

Weights and data are drawn from the seed in both worlds, so the test states the same models and draws in the same order.
"""
import json
import pathlib

import torch
from torch import nn, optim
from torch.nn import functional as F

OUT = pathlib.Path(__file__).resolve().parent.parent / 'test' / 'fixtures' / 'training.json'
STEPS = 50
SEED = 20


def mlp():
    """Classes of points, found by SGD with Nesterov's momentum; dropout of 0 keeps the layer in the graph."""
    model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Dropout(0.0), nn.Linear(32, 32), nn.GELU(), nn.LayerNorm(32),
                          nn.Linear(32, 4))
    teacher = torch.randn(8, 4)
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-3)
    for _ in range(STEPS):
        x = torch.randn(16, 8)
        loss = F.cross_entropy(model(x), (x @ teacher).argmax(1), label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss


class Block(nn.Module):
    def __init__(self, inside, outside, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.shortcut = nn.Identity()
        if stride != 1 or inside != outside:
            self.shortcut = nn.Sequential(nn.Conv2d(inside, outside, 1, stride=stride, bias=False),
                                          nn.BatchNorm2d(outside))

    def forward(self, x):
        h = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(h)) + self.shortcut(x))


def resnet():
    """Labels of pictures, found by AdamW on a cosine schedule with the norm of the gradient clipped."""
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
                          Block(8, 8, 1), Block(8, 16, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 5))
    for m in model.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, mode='fan_out', nonlinearity='relu')
    optimizer = optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS, eta_min=1e-4)
    pictures, labels = torch.rand(32, 3, 16, 16), torch.randint(0, 5, (32,))
    for step in range(STEPS):
        batch = torch.randperm(32)[:16]
        loss = F.cross_entropy(model(pictures[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        yield loss


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 12, padding_idx=0)
        self.lstm = nn.LSTM(12, 16, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(32, 20)

    def forward(self, tokens, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(tokens), lengths, batch_first=True,
                                                   enforce_sorted=False)
        out, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=tokens.shape[1])
        return self.head(out)


def lstm():
    """The token before, repeated by an LSTM that reads both ways; RMSprop with momentum."""
    model = Tagger()
    optimizer = optim.RMSprop(model.parameters(), lr=2e-3, alpha=0.95, momentum=0.5, centered=True)
    lengths = torch.tensor([9, 4, 7, 9, 6, 2, 8, 5])
    beyond = torch.arange(9).unsqueeze(0) >= lengths.unsqueeze(1)
    for _ in range(STEPS):
        tokens = torch.randint(1, 20, (8, 9)).masked_fill(beyond, 0)
        targets = tokens.roll(1, 1).masked_fill(beyond, -100)
        loss = F.cross_entropy(model(tokens, lengths).transpose(1, 2), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss


class Translator(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(16, 24)
        self.positions = nn.Parameter(torch.randn(10, 24) * 0.1)
        self.transformer = nn.Transformer(24, 4, 2, 2, dim_feedforward=48, dropout=0.0, activation='gelu',
                                          batch_first=True,
                                          norm_first=True)
        self.head = nn.Linear(24, 16)

    def embed(self, tokens):
        return self.embedding(tokens) + self.positions[:tokens.shape[1]]

    def forward(self, source, target, padding):
        mask = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
        out = self.transformer(self.embed(source), self.embed(target), tgt_mask=mask, src_key_padding_mask=padding,
                               memory_key_padding_mask=padding, tgt_is_causal=True)
        return self.head(out)


def transformer():
    """Sequences turned round, by an encoder and a decoder; Adam with a warm-up."""
    model = Translator()
    optimizer = optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-8)
    schedule = optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 10))
    for _ in range(STEPS):
        source = torch.randint(1, 16, (8, 10))
        padding = torch.zeros(8, 10, dtype=torch.bool)
        padding[:3, 7:] = True
        target = source.flip(1)
        logits = model(source, target[:, :-1], padding)
        loss = F.cross_entropy(logits.reshape(-1, 16), target[:, 1:].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), 0.5)
        optimizer.step()
        schedule.step()
        yield loss


def run(train):
    torch.manual_seed(SEED)
    return [loss.item() for loss in train()]


torch.set_num_threads(1)
losses = {train.__name__: run(train) for train in (mlp, resnet, lstm, transformer)}
OUT.write_text(json.dumps({'seed': SEED, 'losses': losses}, indent=1) + '\n')
