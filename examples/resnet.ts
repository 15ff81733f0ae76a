// Residual connections: a block for pictures, a small ResNet of such blocks, and a wrapper for any layer.
import assert from 'node:assert';
import torch, { F, nn, optim, type Tensor } from 'flambeau';

class ResidualBlock extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;

  constructor(channels: number) {
    super();
    this.conv1 = new nn.Conv2d(channels, channels, 3, { padding: 1 });
    this.bn1 = new nn.BatchNorm2d(channels);
    this.conv2 = new nn.Conv2d(channels, channels, 3, { padding: 1 });
    this.bn2 = new nn.BatchNorm2d(channels);
  }

  override forward(x: Tensor): Tensor {
    const h = F.relu(this.bn1(this.conv1(x)));
    return F.relu(this.bn2(this.conv2(h)).add(x));
  }
}

/** x: [N, 3, H, W] -> [N, classes] */
class ResNet extends nn.Module {
  convIn: nn.Conv2d;
  blocks: nn.ModuleList;
  fc: nn.Linear;

  constructor(channels = 8, blocks = 2, classes = 4) {
    super();
    this.convIn = new nn.Conv2d(3, channels, 7, { padding: 3 });
    this.blocks = new nn.ModuleList(Array.from({ length: blocks }, () => new ResidualBlock(channels)));
    this.fc = new nn.Linear(channels, classes);
  }

  override forward(x: Tensor): Tensor {
    let h = this.convIn(x);
    for (const block of this.blocks) h = (block as ResidualBlock)(h);
    return this.fc(h.mean([2, 3]));
  }
}

torch.manualSeed(0);
const net = new ResNet();
console.log(String(net));
assert.equal([...net.modules()].filter((m) => m instanceof ResidualBlock).length, 2);

// It tells pictures apart by the corner that is bright.
const labels = torch.arange(0, 32).remainder(4);
const pictures = torch.randn(32, 3, 8, 8).mul(0.1);
for (let i = 0; i < 32; i++) {
  const corner = i % 4;
  pictures
    .select(0, i)
    .narrow(1, corner < 2 ? 0 : 4, 4)
    .narrow(2, corner % 2 === 0 ? 0 : 4, 4)
    .add_(1 + corner);
}
const optimizer = new optim.Adam(net.parameters(), { lr: 0.01 });
let loss = torch.zeros([]);
for (let step = 0; step < 40; step++) {
  optimizer.zeroGrad();
  loss = F.crossEntropy(net(pictures), labels);
  loss.backward();
  optimizer.step();
}
const right = Number(net(pictures).argmax(1).eq(labels).sum().item());
console.log(`loss ${Number(loss.item()).toFixed(4)}, ${right} of 32 right`);
assert(right >= 30);

/** layer(x) + x for any layer; where sizes differ, x passes through a linear layer of its own. */
class Residual extends nn.Module {
  shortcut: nn.Module;

  constructor(
    readonly layer: nn.Linear,
    inFeatures: number,
    outFeatures: number,
  ) {
    super();
    this.layer = layer;
    this.shortcut =
      inFeatures === outFeatures ? new nn.Identity() : new nn.Linear(inFeatures, outFeatures, { bias: false });
  }

  override forward(x: Tensor): Tensor {
    return this.layer(x).add((this.shortcut as nn.Linear)(x));
  }
}

const x = torch.randn(2, 6);
const same = new Residual(new nn.Linear(6, 6), 6, 6);
assert(torch.allclose(same(x), same.layer(x).add(x)));
assert.deepEqual([...new Residual(new nn.Linear(6, 3), 6, 3)(x).shape], [2, 3]);
