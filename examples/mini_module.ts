// The module system in small: how assignment can register parameters and submodules.
import assert from 'node:assert';
import torch, { nn, type DType, type Tensor } from 'flambeau';

/** What of nn.Module a first network needs, in fifty lines. */
class MiniModule {
  readonly ownParameters = new Map<string, nn.Parameter>();
  readonly ownModules = new Map<string, MiniModule>();
  readonly ownBuffers = new Map<string, Tensor>();
  training = true;

  constructor() {
    // biome-ignore lint/correctness/noConstructorReturn: the proxy sees every assignment, class fields among them.
    return new Proxy(this, {
      defineProperty: (target, name, descriptor) => {
        if (descriptor.value instanceof nn.Parameter) target.ownParameters.set(String(name), descriptor.value);
        else if (descriptor.value instanceof MiniModule) target.ownModules.set(String(name), descriptor.value);
        return Reflect.defineProperty(target, name, descriptor);
      },
    });
  }

  registerBuffer(name: string, t: Tensor): void {
    this.ownBuffers.set(name, t);
  }

  *namedParameters(prefix = ''): Generator<[string, nn.Parameter]> {
    for (const [name, p] of this.ownParameters) yield [prefix + name, p];
    for (const [name, m] of this.ownModules) yield* m.namedParameters(`${prefix}${name}.`);
  }

  stateDict(prefix = ''): Map<string, Tensor> {
    const own = [...this.ownParameters, ...this.ownBuffers].map(([name, t]): [string, Tensor] => [
      prefix + name,
      t.detach(),
    ]);
    return new Map([...own, ...[...this.ownModules].flatMap(([name, m]) => [...m.stateDict(`${prefix}${name}.`)])]);
  }

  loadStateDict(state: ReadonlyMap<string, Tensor>): void {
    for (const [name, t] of this.stateDict()) {
      const saved = state.get(name);
      if (saved === undefined) throw new Error(`missing key: ${name}`);
      t.copy_(saved);
    }
  }

  train(mode = true): this {
    this.training = mode;
    for (const m of this.ownModules.values()) m.train(mode);
    return this;
  }

  to(dtype: DType): this {
    for (const p of this.ownParameters.values()) p.data = p.data.to(dtype);
    for (const [name, b] of this.ownBuffers) this.ownBuffers.set(name, b.to(dtype));
    for (const m of this.ownModules.values()) m.to(dtype);
    return this;
  }
}

class MiniLinear extends MiniModule {
  weight: nn.Parameter;
  bias: nn.Parameter;

  constructor(inFeatures: number, outFeatures: number) {
    super();
    this.weight = new nn.Parameter(torch.randn(outFeatures, inFeatures));
    this.bias = new nn.Parameter(torch.zeros(outFeatures));
    this.registerBuffer('calls', torch.zeros([]));
  }

  forward(x: Tensor): Tensor {
    this.ownBuffers.get('calls')!.add_(1);
    return x.matmul(this.weight.t()).add(this.bias);
  }
}

class MiniNet extends MiniModule {
  first = new MiniLinear(3, 4);
  second = new MiniLinear(4, 1);

  forward(x: Tensor): Tensor {
    return this.second.forward(torch.relu(this.first.forward(x)));
  }
}

torch.manualSeed(0);
const net = new MiniNet();
const names = [...net.namedParameters()].map(([name]) => name);
console.log('parameters:', names.join(', '));
assert.deepEqual(names, ['first.weight', 'first.bias', 'second.weight', 'second.bias']);
const x = torch.randn(2, 3);
net.forward(x).sum().backward();
assert(net.first.weight.grad !== null);
console.log('state:', [...net.stateDict().keys()].join(', '));

const copy = new MiniNet();
copy.loadStateDict(net.stateDict());
assert(torch.allclose(copy.forward(x), net.forward(x)));
assert.equal(copy.stateDict().get('first.calls')!.item(), 2);
assert.throws(() => copy.loadStateDict(new Map()), /missing key: first.weight/);
assert.equal(net.train(false).second.training, false);
assert.equal(net.to(torch.float64).forward(x.to(torch.float64)).dtype, torch.float64);
