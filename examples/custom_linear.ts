// A linear layer written by hand, twice: as plainly as possible, and with all that nn.Linear has.
import assert from 'node:assert';
import torch, { nn, type Tensor } from 'flambeau';

/** y = x W + b, with W of [in, out]. */
class MyLinear extends nn.Module {
  weight: nn.Parameter;
  bias: nn.Parameter;

  constructor(inFeatures: number, outFeatures: number) {
    super();
    this.weight = new nn.Parameter(torch.randn(inFeatures, outFeatures));
    this.bias = new nn.Parameter(torch.randn(outFeatures));
  }

  override forward(x: Tensor): Tensor {
    return x.matmul(this.weight).add(this.bias);
  }
}

/** y = x W' + b as nn.Linear has it: W of [out, in], its initial values, an optional bias, a description. */
class CustomLinear extends nn.Module {
  weight: nn.Parameter;
  declare bias: nn.Parameter | null;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    bias = true,
  ) {
    super();
    this.weight = new nn.Parameter(torch.empty(outFeatures, inFeatures));
    this.registerParameter('bias', bias ? new nn.Parameter(torch.empty(outFeatures)) : null);
    nn.init.kaimingUniform_(this.weight, { a: Math.sqrt(5) });
    if (this.bias !== null) {
      const bound = 1 / Math.sqrt(inFeatures);
      nn.init.uniform_(this.bias, -bound, bound);
    }
  }

  override forward(x: Tensor): Tensor {
    const y = x.matmul(this.weight.t());
    return this.bias === null ? y : y.add(this.bias);
  }

  override extraRepr(): string {
    return `in_features=${this.inFeatures}, out_features=${this.outFeatures}, bias=${this.bias === null ? 'False' : 'True'}`;
  }
}

torch.manualSeed(0);
const plain = new MyLinear(4, 3);
const y = plain(torch.randn(4));
console.log('MyLinear gives', String(y));
assert.deepEqual([...y.shape], [3]);
assert.deepEqual(
  [...plain.namedParameters()].map(([name, p]) => [name, [...p.shape]]),
  [
    ['weight', [4, 3]],
    ['bias', [3]],
  ],
);

// The same seed and the same calls give the initial values of nn.Linear.
torch.manualSeed(1);
const ours = new CustomLinear(10, 5);
torch.manualSeed(1);
const theirs = new nn.Linear(10, 5);
console.log(String(ours), 'and', String(theirs));
assert(ours.weight.equal(theirs.weight) && ours.bias!.equal(theirs.bias!));
const x = torch.randn(3, 10);
assert(torch.allclose(ours(x), theirs(x), { atol: 1e-6 }));
assert.equal(String(ours), 'CustomLinear(in_features=10, out_features=5, bias=True)');
assert.deepEqual([...new CustomLinear(2, 2, false).stateDict().keys()], ['weight']);

// Gradients are those of nn.Linear, too: nobody wrote a backward function.
ours(x).square().sum().backward();
theirs(x).square().sum().backward();
assert(torch.allclose(ours.weight.grad!, theirs.weight.grad!, { atol: 1e-4 }));
