// A network whose depth and activation are chosen when it is made, or when it is called.
import assert from 'node:assert';
import torch, { F, nn, type Tensor } from 'flambeau';

class DynamicNet extends nn.Module {
  linears: nn.ModuleList;
  activations: nn.ModuleDict;
  final: nn.Linear;

  constructor(layers: number) {
    super();
    // Parameters are listed in the order of these assignments.
    this.linears = new nn.ModuleList(Array.from({ length: layers }, () => new nn.Linear(4, 4)));
    this.activations = new nn.ModuleDict({ relu: new nn.ReLU(), lrelu: new nn.LeakyReLU() });
    this.final = new nn.Linear(4, 1);
  }

  override forward(x: Tensor, activation: string): Tensor {
    let h = x;
    for (const linear of this.linears) h = (linear as nn.Linear)(h);
    return this.final((this.activations.get(activation) as nn.ReLU)(h));
  }
}

torch.manualSeed(0);
const net = new DynamicNet(3);
console.log(String(net));
const x = torch.randn(4);
assert.deepEqual([...net(x, 'relu').shape], [1]);
assert.notEqual(net(x, 'relu').item(), net(x, 'lrelu').item());
assert.deepEqual(
  [...net.namedParameters()].map(([name]) => name),
  [
    'linears.0.weight',
    'linears.0.bias',
    'linears.1.weight',
    'linears.1.bias',
    'linears.2.weight',
    'linears.2.bias',
    'final.weight',
    'final.bias',
  ],
);

// All parameters change their type at once; a tensor of the old type no longer fits.
net.to(torch.float64);
assert.equal(net(x.to(torch.float64), 'relu').dtype, torch.float64);
assert.throws(() => net(x, 'relu'));

/** As deep as its caller says: each call builds another graph. */
class AdaptiveDepth extends nn.Module {
  fc = new nn.Linear(10, 10);

  override forward(input: Tensor, repeats: number): Tensor {
    let h = input;
    for (let i = 0; i < repeats; i++) h = F.relu(this.fc(h));
    return h;
  }
}

const adaptive = new AdaptiveDepth();
const [shallow, deep] = [adaptive(torch.ones(10), 3), adaptive(torch.ones(10), 10)];
console.log(`sums: ${shallow.sum().item()} after 3 layers, ${deep.sum().item()} after 10`);
shallow.sum().backward();
const once = adaptive.fc.weight.grad!.clone();
deep.sum().backward();
assert(!once.equal(adaptive.fc.weight.grad!), 'the deep graph adds its own gradient');
