// A network as a tree of modules: ways through it, and an inspector that sums it up.
import assert from 'node:assert';
import torch, { F, nn, type Tensor } from 'flambeau';

class Block extends nn.Module {
  linear: nn.Linear;
  norm: nn.LayerNorm;

  constructor(size: number) {
    super();
    this.linear = new nn.Linear(size, size);
    this.norm = new nn.LayerNorm(size);
  }

  override forward(x: Tensor): Tensor {
    return this.norm(F.relu(this.linear(x)).add(x));
  }
}

class Network extends nn.Module {
  embed: nn.Linear;
  blocks: nn.ModuleList;
  head: nn.Linear;

  constructor(size: number, blocks: number) {
    super();
    this.embed = new nn.Linear(10, size);
    this.blocks = new nn.ModuleList(Array.from({ length: blocks }, () => new Block(size)));
    this.head = new nn.Linear(size, 5);
  }

  override forward(x: Tensor): Tensor {
    let h = this.embed(x);
    for (const block of this.blocks) h = (block as Block)(h);
    return this.head(h);
  }
}

/** What there is to say about a model. */
function inspect(model: nn.Module): { total: number; trainable: number; layers: number; megabytes: number } {
  const parameters = [...model.parameters()];
  const sum = (list: Tensor[], of: (t: Tensor) => number): number => list.reduce((n, t) => n + of(t), 0);
  return {
    total: sum(parameters, (p) => p.numel()),
    trainable: sum(
      parameters.filter((p) => p.requiresGrad),
      (p) => p.numel(),
    ),
    layers: [...model.modules()].filter((m) => [...m.children()].length === 0).length,
    megabytes: sum([...parameters, ...model.buffers()], (t) => t.nbytes) / 2 ** 20,
  };
}

const model = new Network(64, 3);
console.log(String(model));
assert.deepEqual(
  [...model.namedChildren()].map(([name]) => name),
  ['embed', 'blocks', 'head'],
);
const names = [...model.namedModules()].map(([name]) => name);
console.log('modules:', names.map((n) => n || '(the network)').join(', '));
assert.deepEqual(names.slice(0, 6), ['', 'embed', 'blocks', 'blocks.0', 'blocks.0.linear', 'blocks.0.norm']);
assert.equal(model.getParameter('blocks.1.norm.weight'), (model.blocks.get(1) as Block).norm.weight);

model.embed.requiresGrad_(false);
const report = inspect(model);
console.log(report);
assert.equal(report.total, 10 * 64 + 64 + 3 * (64 * 64 + 64 + 128) + 64 * 5 + 5);
assert.equal(report.total - report.trainable, 704);
assert.equal(report.layers, 8);
assert.deepEqual([...model(torch.randn(2, 10)).shape], [2, 5]);
