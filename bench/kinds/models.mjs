// The networks that are timed: { model, x, y }, x one batch of input, y its labels.

const images = (torch, n, c, size, classes) => ({
  x: torch.randn(n, c, size, size),
  y: torch.randint(0, classes, [n]),
});

function perceptron(torch, widths) {
  const layers = [];
  for (let i = 1; i < widths.length; i++) {
    if (i > 1) layers.push(new torch.nn.ReLU());
    layers.push(new torch.nn.Linear(widths[i - 1], widths[i]));
  }
  const model = new torch.nn.Sequential(...layers);
  return { model, x: torch.randn(64, widths[0]), y: torch.randint(0, widths.at(-1), [64]) };
}

/** Two convolutions and a linear layer, on 28 x 28. */
function cnn(torch) {
  const { nn } = torch;
  const model = new nn.Sequential(
    new nn.Conv2d(1, 16, 3),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(16, 32, 3),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(800, 10),
  );
  return { model, ...images(torch, 64, 1, 28, 10) };
}

/** ResNet-18 (He et al. 2015); `small` has the 3 x 3 stem without pooling that is used for 32 x 32 images. */
function resnet18(torch, { small, n, size, classes }) {
  const { nn } = torch;
  class Block extends nn.Module {
    constructor(c, o, stride) {
      super();
      this.conv1 = new nn.Conv2d(c, o, 3, { stride, padding: 1, bias: false });
      this.bn1 = new nn.BatchNorm2d(o);
      this.conv2 = new nn.Conv2d(o, o, 3, { padding: 1, bias: false });
      this.bn2 = new nn.BatchNorm2d(o);
      this.relu = new nn.ReLU();
      this.down =
        stride === 1 && c === o
          ? new nn.Identity()
          : new nn.Sequential(new nn.Conv2d(c, o, 1, { stride, bias: false }), new nn.BatchNorm2d(o));
    }
    forward(x) {
      const y = this.bn2(this.conv2(this.relu(this.bn1(this.conv1(x)))));
      return this.relu(y.add(this.down(x)));
    }
  }
  const stem = small
    ? [new nn.Conv2d(3, 64, 3, { padding: 1, bias: false }), new nn.BatchNorm2d(64), new nn.ReLU()]
    : [
        new nn.Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false }),
        new nn.BatchNorm2d(64),
        new nn.ReLU(),
        new nn.MaxPool2d(3, { stride: 2, padding: 1 }),
      ];
  const blocks = [64, 128, 256, 512].flatMap((o, i) => [new Block(i ? o / 2 : 64, o, i ? 2 : 1), new Block(o, o, 1)]);
  const model = new nn.Sequential(
    ...stem,
    ...blocks,
    new nn.AdaptiveAvgPool2d(1),
    new nn.Flatten(),
    new nn.Linear(512, classes),
  );
  return { model, ...images(torch, n, 3, size, classes) };
}

/** A decoder of pre-norm blocks with causal attention over tokens x: [n, length]. */
function gpt(torch, { n, length, width, heads, layers, words }) {
  const { nn } = torch;
  const { functional: F } = nn;
  class Block extends nn.Module {
    constructor() {
      super();
      this.norm1 = new nn.LayerNorm(width);
      this.qkv = new nn.Linear(width, 3 * width);
      this.out = new nn.Linear(width, width);
      this.norm2 = new nn.LayerNorm(width);
      this.mlp = new nn.Sequential(new nn.Linear(width, 4 * width), new nn.GELU(), new nn.Linear(4 * width, width));
    }
    forward(x) {
      const [b, t] = x.shape;
      const [q, k, v] = this.qkv(this.norm1(x))
        .split(width, 2)
        .map((p) => p.view(b, t, heads, width / heads).transpose(1, 2));
      const y = F.scaledDotProductAttention(q, k, v, { isCausal: true });
      const z = x.add(this.out(y.transpose(1, 2).reshape(b, t, width)));
      return z.add(this.mlp(this.norm2(z)));
    }
  }
  class Decoder extends nn.Module {
    constructor() {
      super();
      this.tokens = new nn.Embedding(words, width);
      this.places = new nn.Embedding(length, width);
      this.blocks = new nn.Sequential(...Array.from({ length: layers }, () => new Block()));
      this.norm = new nn.LayerNorm(width);
      this.head = new nn.Linear(width, words, { bias: false });
      this.registerBuffer('place', torch.arange(length), { persistent: false });
    }
    forward(x) {
      return this.head(this.norm(this.blocks(this.tokens(x).add(this.places(this.place)))));
    }
  }
  return { model: new Decoder(), x: torch.randint(0, words, [n, length]), y: torch.randint(0, words, [n, length]) };
}

/** Two LSTM layers over x: [length, n, 128] and a linear layer on the last state. */
function lstm(torch) {
  const { nn } = torch;
  class Recurrent extends nn.Module {
    constructor() {
      super();
      this.lstm = new nn.LSTM(128, 256, { numLayers: 2 });
      this.head = new nn.Linear(256, 10);
    }
    forward(x) {
      const [out] = this.lstm(x);
      return this.head(out.index(-1));
    }
  }
  return { model: new Recurrent(), x: torch.randn(64, 32, 128), y: torch.randint(0, 10, [32]) };
}

/** The encoder of BERT-base (Devlin et al. 2018), post-norm, on embedded tokens x: [1, 128, 768]. */
function bert(torch) {
  const { nn } = torch;
  const layer = new nn.TransformerEncoderLayer(768, 12, {
    dimFeedforward: 3072,
    activation: 'gelu',
    batchFirst: true,
    dropout: 0,
  });
  const model = new nn.TransformerEncoder(layer, 12, { enableNestedTensor: false });
  // The layers are copies of one; an exporter would store them once, and they would fit in a cache.
  for (const p of model.parameters()) nn.init.normal_(p, { std: 0.02 });
  return { model, x: torch.randn(1, 128, 768), y: null };
}

export const networks = {
  mlp: (torch) => perceptron(torch, [784, 256, 128, 10]),
  mlp512: (torch) => perceptron(torch, [784, 512, 10]),
  cnn,
  resnet18_32: (torch) => resnet18(torch, { small: true, n: 32, size: 32, classes: 10 }),
  resnet18_224: (torch) => resnet18(torch, { small: false, n: 1, size: 224, classes: 1000 }),
  gpt: (torch) => gpt(torch, { n: 8, length: 256, width: 384, heads: 6, layers: 6, words: 1024 }),
  lstm,
  bert,
};
