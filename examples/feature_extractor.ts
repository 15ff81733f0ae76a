// Features from inside a network: by hooks on layers of any depth, and by leaving out the last layers.
import assert from 'node:assert';
import torch, { nn, type Tensor } from 'flambeau';

/** Keeps the outputs of some layers; `remove` takes the hooks off again. */
class FeatureExtractor {
  readonly features = new Map<string, Tensor>();
  private readonly handles: { remove(): void }[];

  constructor(model: nn.Module, names: readonly string[]) {
    this.handles = names.map((name) =>
      model.getSubmodule(name).registerForwardHook((_, __, output) => {
        this.features.set(name, (output as Tensor).detach());
      }),
    );
  }

  remove(): void {
    for (const handle of this.handles) handle.remove();
  }
}

torch.manualSeed(0);
const backbone = new nn.Sequential(new nn.Linear(10, 20), new nn.ReLU(), new nn.Linear(20, 6));
const model = new nn.Sequential([
  ['backbone', backbone],
  ['head', new nn.Linear(6, 2)],
]);
const extractor = new FeatureExtractor(model, ['backbone.1', 'backbone']);
const x = torch.randn(3, 10);
const y = model(x) as Tensor;
for (const [name, t] of extractor.features) console.log(name, t.shape, t.requiresGrad);
assert.deepEqual([...extractor.features.get('backbone.1')!.shape], [3, 20]);
assert(extractor.features.get('backbone.1')!.ge(0).all().item(), 'after a ReLU nothing is negative');
assert.equal(extractor.features.get('backbone')!.requiresGrad, false);
extractor.remove();
extractor.features.clear();
model(x);
assert.equal(extractor.features.size, 0);
assert.throws(() => new FeatureExtractor(model, ['backbone.7']));

/** All children but the last, frozen. */
class Trunk extends nn.Module {
  features: nn.Sequential;

  constructor(trained: nn.Module) {
    super();
    this.features = new nn.Sequential(...[...trained.children()].slice(0, -1));
    this.features.requiresGrad_(false);
  }

  override forward(input: Tensor): Tensor {
    return this.features(input) as Tensor;
  }
}
const trunk = new Trunk(model);
assert.deepEqual([...trunk(x).shape], [3, 6]);
assert.equal(trunk(x).requiresGrad, false);
const head = model.getSubmodule('head') as nn.Linear;
assert(torch.allclose(head(trunk(x)), y));
