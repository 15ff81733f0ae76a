// Activations written as modules, compared with the built-in ones: values and gradients.
import assert from 'node:assert';
import torch, { nn, type Tensor } from 'flambeau';

class CustomReLU extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.clamp({ min: 0 });
  }
}

/** x Phi(x), with the distribution function of the normal distribution. */
class CustomGELU extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.mul(torch.erf(x.div(Math.SQRT2)).add(1)).mul(0.5);
  }
}

/** x / (1 + exp(-x)) */
class CustomSiLU extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.mul(torch.sigmoid(x));
  }
}

/** Drops elements in training, and scales the others so that their expected sum stays. */
class CustomDropout extends nn.Module {
  constructor(readonly p = 0.5) {
    super();
  }

  override forward(x: Tensor): Tensor {
    if (!this.training) return x;
    return x.mul(torch.rand(x.shape).ge(this.p)).div(1 - this.p);
  }
}

torch.manualSeed(0);
const points = torch.randn(1000).mul(3);
for (const [ours, theirs] of [
  [new CustomReLU(), new nn.ReLU()],
  [new CustomGELU(), new nn.GELU()],
  [new CustomSiLU(), new nn.SiLU()],
] as [nn.Module & ((x: Tensor) => Tensor), nn.Module & ((x: Tensor) => Tensor)][]) {
  const [a, b] = [points.clone().requiresGrad_(true), points.clone().requiresGrad_(true)];
  const [y, z] = [ours(a), theirs(b)];
  y.sum().backward();
  z.sum().backward();
  const difference = Number(y.sub(z).abs().max().item());
  const slope = Number(a.grad!.sub(b.grad!).abs().max().item());
  console.log(
    `${String(ours)} and ${String(theirs)}: values differ by ${difference.toExponential(1)}, gradients by ${slope.toExponential(1)}`,
  );
  assert(difference < 1e-5 && slope < 1e-5);
}

const dropout = new CustomDropout(0.25);
const ones = torch.ones(10_000);
const dropped = dropout(ones);
assert(Math.abs(Number(dropped.eq(0).to(torch.float32).mean().item()) - 0.25) < 0.02);
assert(Math.abs(Number(dropped.mean().item()) - 1) < 0.03);
assert(dropout.eval()(ones).equal(ones));
