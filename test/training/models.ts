// The models of scripts/record_training.py, drawn and trained in the same order. Each generator yields the loss of a step.
import torch, { F, nn, optim, type Tensor } from 'flambeau';

export const STEPS = 50;

/** Classes of points: SGD with Nesterov's momentum and weight decay. */
export function* mlp(): Generator<Tensor> {
  const model = new nn.Sequential(
    new nn.Linear(8, 32),
    new nn.Tanh(),
    new nn.Dropout(0),
    new nn.Linear(32, 32),
    new nn.GELU(),
    new nn.LayerNorm(32),
    new nn.Linear(32, 4),
  );
  const teacher = torch.randn(8, 4);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 1e-3 });
  for (let step = 0; step < STEPS; step++) {
    const x = torch.randn(16, 8);
    const loss = F.crossEntropy(model(x) as Tensor, x.matmul(teacher).argmax(1), { labelSmoothing: 0.1 });
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    yield loss;
  }
}

class Block extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;
  shortcut: nn.Module;

  constructor(inside: number, outside: number, stride: number) {
    super();
    this.conv1 = new nn.Conv2d(inside, outside, 3, { stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(outside);
    this.conv2 = new nn.Conv2d(outside, outside, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(outside);
    this.shortcut =
      stride === 1 && inside === outside
        ? new nn.Identity()
        : new nn.Sequential(new nn.Conv2d(inside, outside, 1, { stride, bias: false }), new nn.BatchNorm2d(outside));
  }

  override forward(x: Tensor): Tensor {
    const h = F.relu(this.bn1(this.conv1(x)));
    return F.relu(this.bn2(this.conv2(h)).add((this.shortcut as nn.Sequential)(x) as Tensor));
  }
}

/** Labels of pictures: AdamW on a cosine schedule, the norm of the gradient clipped. */
export function* resnet(): Generator<Tensor> {
  const model = new nn.Sequential(
    new nn.Conv2d(3, 8, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new Block(8, 8, 1),
    new Block(8, 16, 2),
    new nn.AdaptiveAvgPool2d(1),
    new nn.Flatten(),
    new nn.Linear(16, 5),
  );
  for (const m of model.modules()) {
    if (m instanceof nn.Conv2d) nn.init.kaimingNormal_(m.weight, { mode: 'fan_out', nonlinearity: 'relu' });
  }
  const optimizer = new optim.AdamW(model.parameters(), { lr: 2e-3, weightDecay: 0.05 });
  const schedule = new optim.lrScheduler.CosineAnnealingLR(optimizer, { tMax: STEPS, etaMin: 1e-4 });
  const pictures = torch.rand(32, 3, 16, 16);
  const labels = torch.randint(0, 5, [32]);
  for (let step = 0; step < STEPS; step++) {
    const batch = torch.randperm(32).narrow(0, 0, 16);
    const loss = F.crossEntropy(model(pictures.index(batch)) as Tensor, labels.index(batch));
    optimizer.zeroGrad();
    loss.backward();
    nn.utils.clipGradNorm_(model.parameters(), 1);
    optimizer.step();
    schedule.step();
    yield loss;
  }
}

class Tagger extends nn.Module {
  embedding = new nn.Embedding(20, 12, { paddingIdx: 0 });
  lstm = new nn.LSTM(12, 16, { numLayers: 2, batchFirst: true, bidirectional: true });
  head = new nn.Linear(32, 20);

  /** tokens: [N, T], lengths: [N] -> scores [N, T, 20] */
  override forward(tokens: Tensor, lengths: Tensor): Tensor {
    const packed = nn.utils.rnn.packPaddedSequence(this.embedding(tokens), lengths, {
      batchFirst: true,
      enforceSorted: false,
    });
    const [out] = this.lstm(packed);
    const [padded] = nn.utils.rnn.padPackedSequence(out as nn.utils.rnn.PackedSequence, {
      batchFirst: true,
      totalLength: tokens.shape[1]!,
    });
    return this.head(padded);
  }
}

/** The token before, repeated by an LSTM that reads both ways: RMSprop, centred, with momentum. */
export function* lstm(): Generator<Tensor> {
  const model = new Tagger();
  const optimizer = new optim.RMSprop(model.parameters(), { lr: 2e-3, alpha: 0.95, momentum: 0.5, centered: true });
  const lengths = torch.tensor([9, 4, 7, 9, 6, 2, 8, 5], { dtype: torch.int64 });
  const beyond = torch.arange(9).unsqueeze(0).ge(lengths.unsqueeze(1));
  for (let step = 0; step < STEPS; step++) {
    const tokens = torch.randint(1, 20, [8, 9]).maskedFill(beyond, 0);
    const targets = tokens.roll(1, 1).maskedFill(beyond, -100);
    const loss = F.crossEntropy(model(tokens, lengths).transpose(1, 2), targets);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    yield loss;
  }
}

class Translator extends nn.Module {
  embedding = new nn.Embedding(16, 24);
  positions = new nn.Parameter(torch.randn(10, 24).mul(0.1));
  transformer = new nn.Transformer(24, 4, 2, 2, {
    dimFeedforward: 48,
    dropout: 0,
    activation: 'gelu',
    batchFirst: true,
    normFirst: true,
  });
  head = new nn.Linear(24, 16);

  embed(tokens: Tensor): Tensor {
    return this.embedding(tokens).add(this.positions.narrow(0, 0, tokens.shape[1]!));
  }

  /** source: [N, S], target: [N, T], padding: [N, S] of bool -> scores [N, T, 16] */
  override forward(source: Tensor, target: Tensor, padding: Tensor): Tensor {
    const out = this.transformer(this.embed(source), this.embed(target), {
      tgtMask: nn.Transformer.generateSquareSubsequentMask(target.shape[1]!),
      srcKeyPaddingMask: padding,
      memoryKeyPaddingMask: padding,
      tgtIsCausal: true,
    });
    return this.head(out);
  }
}

/** Sequences turned round by an encoder and a decoder: Adam with a warm-up, each gradient clipped. */
export function* transformer(): Generator<Tensor> {
  const model = new Translator();
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3, betas: [0.9, 0.98], eps: 1e-8 });
  const schedule = new optim.lrScheduler.LambdaLR(optimizer, (step) => Math.min(1, (step + 1) / 10));
  for (let step = 0; step < STEPS; step++) {
    const source = torch.randint(1, 16, [8, 10]);
    const padding = torch.zeros(8, 10, { dtype: torch.bool });
    padding.index(torch.slice(null, 3), torch.slice(7)).fill_(true);
    const target = source.flip(1);
    const logits = model(source, target.narrow(1, 0, 9), padding);
    const loss = F.crossEntropy(logits.reshape(-1, 16), target.narrow(1, 1, 9).reshape(-1));
    optimizer.zeroGrad();
    loss.backward();
    nn.utils.clipGradValue_(model.parameters(), 0.5);
    optimizer.step();
    schedule.step();
    yield loss;
  }
}
