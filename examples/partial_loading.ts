// Loading the weights of one model into a larger one: what fits by name and shape.
import assert from 'node:assert';
import torch, { nn, type Tensor } from 'flambeau';

class Small extends nn.Module {
  features = new nn.Linear(10, 20);
  head = new nn.Linear(20, 5);

  override forward(x: Tensor): Tensor {
    return this.head(torch.relu(this.features(x)));
  }
}

/** The same features, more classes, and a layer more. */
class Large extends nn.Module {
  features = new nn.Linear(10, 20);
  extra = new nn.Linear(20, 20);
  head = new nn.Linear(20, 100);

  override forward(x: Tensor): Tensor {
    return this.head(torch.relu(this.extra(torch.relu(this.features(x)))));
  }
}

torch.manualSeed(0);
const small = new Small();
const large = new Large();

// Strict loading, the default, names everything that does not fit.
assert.throws(
  () => large.loadStateDict(small.stateDict()),
  (error: Error) => {
    console.log(error.message);
    return (
      error.message.includes('Missing key(s) in state_dict: "extra.weight", "extra.bias"') &&
      error.message.includes('size mismatch for head.weight')
    );
  },
);

// Take what fits, keep the rest.
const own = large.stateDict();
const fitting = [...small.stateDict()].filter(([key, t]) => {
  const mine = own.get(key);
  return mine !== undefined && String(mine.shape) === String(t.shape);
});
console.log('taken over:', fitting.map(([key]) => key).join(', '));
assert.deepEqual(
  fitting.map(([key]) => key),
  ['features.weight', 'features.bias'],
);
for (const [key, t] of fitting) own.set(key, t);
assert.equal(String(large.loadStateDict(own)), '<All keys matched successfully>');
assert(large.features.weight.equal(small.features.weight));

// Without strictness, missing and unexpected keys are reported instead (a size that differs is still an error).
const partial = new Map([...small.stateDict()].filter(([key]) => key.startsWith('features')));
partial.set('unknown', torch.zeros(1));
const { missingKeys, unexpectedKeys } = new Large().loadStateDict(partial, { strict: false });
console.log('missing:', missingKeys.join(', '), '- unexpected:', unexpectedKeys.join(', '));
assert.deepEqual(missingKeys, ['extra.weight', 'extra.bias', 'head.weight', 'head.bias']);
assert.deepEqual(unexpectedKeys, ['unknown']);
