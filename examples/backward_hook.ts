// Backward hooks: to look at gradients on their way, and to change them.
import assert from 'node:assert';
import torch, { nn, type Tensor } from 'flambeau';

torch.manualSeed(1);
const m = new nn.Linear(3, 3);
const x = torch.randn(2, 3, { requiresGrad: true });
(m(x) as Tensor).sum().backward();
console.log('x.grad without a hook:', String(x.grad));
assert(torch.allclose(x.grad!, m.weight.sum(0).expand(2, 3)));

// What the hook returns goes on in place of the gradients of the inputs.
m.zeroGrad();
x.grad!.zero_();
const handle = m.registerFullBackwardHook((_, gradInputs) =>
  gradInputs.map((g) => torch.onesLike(g as Tensor).mul(42)),
);
m(x).sum().backward();
console.log('x.grad with the hook:', String(x.grad));
assert(x.grad!.eq(42).all().item());
// The gradients of the parameters are not among them.
assert(torch.allclose(m.weight.grad!, x.detach().sum(0).expand(3, 3)));
handle.remove();

// Gradients at every layer, to see whether they vanish or explode.
const deep = new nn.Sequential(...Array.from({ length: 4 }, () => [new nn.Linear(8, 8), new nn.Sigmoid()]).flat());
const norms: number[] = [];
for (const layer of deep) {
  if (layer instanceof nn.Linear) {
    layer.registerFullBackwardHook((_, __, [g]) => void norms.push(Number((g as Tensor).norm().item())));
  }
}
(deep(torch.randn(4, 8, { requiresGrad: true })) as Tensor).sum().backward();
console.log('gradient norms from the last layer to the first:', norms.map((n) => n.toFixed(4)).join(', '));
assert.equal(norms.length, 4);
assert(norms[3]! < norms[0]!, 'they shrink on their way through the sigmoids');

// Clipping the gradient that leaves a layer.
const clipped = new nn.Linear(10, 5);
clipped.registerFullBackwardHook((_, gradInputs) =>
  gradInputs.map((g) => {
    const norm = (g as Tensor).norm();
    return Number(norm.item()) > 1 ? (g as Tensor).div(norm) : g;
  }),
);
const large = torch.randn(3, 10).mul(100).requiresGrad_(true);
clipped(large).square().sum().backward();
assert(Math.abs(Number(large.grad!.norm().item()) - 1) < 1e-4);
