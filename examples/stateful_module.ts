// Every way in which a module can hold state, and what of it a state dict has.
import assert from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import torch, { nn } from 'flambeau';

class StatefulModule extends nn.Module {
  /** A parameter, as every Parameter that is assigned. */
  param1 = new nn.Parameter(torch.randn(2));
  paramList = new nn.ParameterList([0, 1, 2].map(() => new nn.Parameter(torch.randn(2))));
  paramDict = new nn.ParameterDict({ foo: new nn.Parameter(torch.randn(3)), bar: new nn.Parameter(torch.randn(4)) });
  /** A submodule: its parameters are this module's, too. */
  linear = new nn.Linear(2, 3);
  /** Neither a tensor nor a module: an ordinary property. */
  note = 'not saved';

  constructor() {
    super();
    // The same by name.
    this.registerParameter('param2', new nn.Parameter(torch.randn(3)));
    // Keeps the name for a parameter; nothing is saved until there is one.
    this.registerParameter('param3', null);
    this.registerBuffer('buffer1', torch.randn(4));
    // Moves and converts with the module, but is not saved.
    this.registerBuffer('buffer2', torch.randn(5), { persistent: false });
    this.registerBuffer('buffer3', null);
  }

  override forward(): never {
    throw new Error('this module only holds state');
  }
}

const m = new StatefulModule();
const keys = [...m.stateDict().keys()];
console.log(keys.join('\n'));
// A ParameterDict made of a plain object has its keys in alphabetical order.
assert.deepEqual(keys, [
  'param1',
  'param2',
  'buffer1',
  'paramList.0',
  'paramList.1',
  'paramList.2',
  'paramDict.bar',
  'paramDict.foo',
  'linear.weight',
  'linear.bias',
]);

// A name that was kept takes nothing but what it was kept for.
const open = m as unknown as Record<string, unknown>;
assert.throws(() => (open['param3'] = torch.zeros(2)), TypeError);
assert.throws(() => (open['buffer1'] = 'text'), TypeError);
open['param3'] = new nn.Parameter(torch.zeros(2));
assert(m.stateDict().has('param3'));
open['param3'] = null;
assert(!m.stateDict().has('param3'));

const folder = mkdtempSync(path.join(tmpdir(), 'flambeau-'));
try {
  const file = path.join(folder, 'state.pt');
  torch.save(m.stateDict(), file);
  const loaded = new StatefulModule();
  assert(!loaded.param1.equal(m.param1));
  const result = loaded.loadStateDict(torch.load(file) as ReturnType<typeof m.stateDict>);
  console.log(String(result));
  assert.equal(String(result), '<All keys matched successfully>');
  for (const [key, value] of m.stateDict()) assert(loaded.stateDict().get(key)!.equal(value), key);
} finally {
  rmSync(folder, { recursive: true });
}
