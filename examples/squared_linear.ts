// A layer of one's own that says what it is when it is printed.
import assert from 'node:assert';
import torch, { F, nn, type Tensor } from 'flambeau';

/** (x W' + b) squared. */
class SquaredLinear extends nn.Module {
  weight: nn.Parameter;
  bias: nn.Parameter;

  constructor(inFeatures: number, outFeatures: number) {
    super();
    this.weight = new nn.Parameter(torch.randn(outFeatures, inFeatures));
    this.bias = new nn.Parameter(torch.zeros(outFeatures));
  }

  override forward(x: Tensor): Tensor {
    return F.linear(x, this.weight, this.bias).square();
  }

  override extraRepr(): string {
    return `in_features=${this.weight.size(1)}, out_features=${this.weight.size(0)}`;
  }
}

const layer = new SquaredLinear(10, 5);
console.log(String(layer));
assert.equal(String(layer), 'SquaredLinear(in_features=10, out_features=5)');
console.log(String(new nn.Sequential(layer, new nn.ReLU())));

// Autograd squares, too: the derivative of y^2 is 2 y.
const x = torch.randn(4, 10);
const y = layer(x);
assert(y.ge(0).all().item());
y.sum().backward();
const inner = F.linear(x, layer.weight.detach(), layer.bias.detach());
assert(torch.allclose(layer.bias.grad!, inner.mul(2).sum(0), { rtol: 1e-4, atol: 1e-5 }));
