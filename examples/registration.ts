// What a module notices when it is assigned, and what escapes it.
import assert from 'node:assert';
import torch, { nn, type Tensor } from 'flambeau';

const count = (m: nn.Module): number => [...m.parameters()].reduce((sum, p) => sum + p.numel(), 0);

/** A tensor that requires a gradient is still no parameter: it is neither trained by an optimizer nor saved. */
class Broken extends nn.Module {
  weight = torch.randn(5, 10, { requiresGrad: true });

  override forward(x: Tensor): Tensor {
    return x.matmul(this.weight.t());
  }
}

class Right extends nn.Module {
  weight = new nn.Parameter(torch.randn(5, 10));

  override forward(x: Tensor): Tensor {
    return x.matmul(this.weight.t());
  }
}
console.log(`parameters: ${count(new Broken())} with a plain tensor, ${count(new Right())} with a Parameter`);
assert.deepEqual([count(new Broken()), count(new Right())], [0, 50]);
assert.equal(new Broken().stateDict().size, 0);

/** Modules in a plain array escape, too. */
class Hidden extends nn.Module {
  layers = [new nn.Linear(10, 10), new nn.Linear(10, 10)];

  override forward(x: Tensor): Tensor {
    return this.layers.reduce((h, layer) => layer(h), x);
  }
}

class Listed extends nn.Module {
  layers = new nn.ModuleList([new nn.Linear(10, 10), new nn.Linear(10, 10)]);

  override forward(x: Tensor): Tensor {
    let h = x;
    for (const layer of this.layers) h = (layer as nn.Linear)(h);
    return h;
  }
}
console.log(`parameters: ${count(new Hidden())} in an array, ${count(new Listed())} in a ModuleList`);
assert.deepEqual([count(new Hidden()), count(new Listed())], [0, 220]);

// Assigning again replaces; null keeps the name; something else is refused.
const layer = new nn.Linear(3, 2);
layer.weight = new nn.Parameter(torch.ones(2, 3));
assert(layer(torch.ones(3)).sub(layer.bias!).eq(3).all().item());
layer.bias = null;
assert.deepEqual([...layer.stateDict().keys()], ['weight']);
assert.throws(() => {
  (layer as { weight: unknown }).weight = torch.ones(2, 3);
}, TypeError);

// A module that is used twice is one module: its parameters are counted once.
const shared = new nn.Linear(4, 4);
const twice = new nn.Sequential(shared, new nn.ReLU(), shared);
assert.equal(count(twice), 20);
assert.deepEqual(
  [...twice.namedModules()].map(([name]) => name),
  ['', '0', '1'],
);
