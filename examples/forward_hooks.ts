// Forward hooks: to look at what flows through a module, and to change it without touching its code.
import assert from 'node:assert';
import torch, { nn, type Tensor } from 'flambeau';

torch.manualSeed(1);
const m = new nn.Linear(3, 3);
const x = torch.randn(2, 3);
const plain = m(x);

// A pre-hook may replace the input, a forward hook the output.
const pre = m.registerForwardPreHook((_, [input]) => (input as Tensor).add(1));
assert(torch.allclose(m(x), plain.add(m.weight.sum(1)), { atol: 1e-6 }));
const post = m.registerForwardHook((_, [input], output) => (output as Tensor).add(input as Tensor));
const shifted = x.add(1);
console.log('with both hooks:', String(m(x)));
assert(torch.allclose(m(x), shifted.matmul(m.weight.t()).add(m.bias!).add(shifted), { atol: 1e-6 }));
// forward() itself knows nothing of hooks: always call the module.
assert(torch.allclose(m.forward(x), plain));
pre.remove();
post.remove();
assert(m(x).equal(plain));

// Looking at every layer of a pipeline.
const model = new nn.Sequential(new nn.Linear(10, 20), new nn.ReLU(), new nn.Linear(20, 5));
const lines: string[] = [];
const handles = [...model.namedChildren()].map(([name, child]) =>
  child.registerForwardHook((module, [input], output) => {
    const [from, to] = [input as Tensor, output as Tensor];
    lines.push(`${name} ${module.constructor.name}: [${from.shape.join(', ')}] -> [${to.shape.join(', ')}]`);
  }),
);
model(torch.randn(3, 10));
console.log(lines.join('\n'));
assert.deepEqual(lines, ['0 Linear: [3, 10] -> [3, 20]', '1 ReLU: [3, 20] -> [3, 20]', '2 Linear: [3, 20] -> [3, 5]']);
for (const handle of handles) handle.remove();
model(torch.randn(3, 10));
assert.equal(lines.length, 3);

// Noise on the output, for one layer, until the hook is removed.
const noisy = m.registerForwardHook((_, __, output) => (output as Tensor).add(torch.randnLike(output as Tensor)));
assert(!m(x).equal(m(x)));
noisy.remove();
assert(m(x).equal(m(x)));
