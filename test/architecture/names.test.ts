// The public names: PyTorch's own in camelCase, and the few that are listed here.
import fs from 'node:fs';
import path from 'node:path';
import torch from 'flambeau';

const root = path.join(__dirname, '..', '..');
const recorded = (
  JSON.parse(fs.readFileSync(path.join(root, 'test', 'fixtures', 'names.json'), 'utf8')) as {
    names: Record<string, string>;
  }
).names;

/** 'log_softmax_' to 'logSoftmax_'. */
const camel = (name: string) =>
  name.replace(
    /^(_*)(.*?)(_*)$/,
    (_, before: string, inner: string, after: string) =>
      before + inner.replace(/_+([a-zA-Z0-9])/g, (_m, c: string) => c.toUpperCase()) + after,
  );
const pytorchs = (space: string) => new Set(recorded[space]!.split(' ').flatMap((name) => [name, camel(name)]));

/** What there is beside PyTorch's names. */
const OURS: Record<string, readonly string[]> = {
  '': [
    // The values of files and of Python's containers.
    ...[
      'StateDict',
      'Tuple',
      'Slice',
      'slice',
      'safetensors',
      'inspectFile',
      'toNumpy',
      'loadSharded',
      'saveAsync',
      'saveSharded',
    ],
    // Classes that PyTorch has in lower case, or as Python's own.
    ...['Device', 'DType', 'RuntimeError', 'deepcopy'],
    // Memory, printing, and the processor.
    ...['tidy', 'keep', 'memoryStats', 'getPrintoptions', 'instructionSet'],
    // Tensors that worker threads see.
    ...['shareTensor', 'openShared'],
    // What a model is made of and costs.
    'summary',
    // nn.functional by its usual short name.
    'F',
  ],
  optim: ['registerOptimizerStepPostHook', 'registerOptimizerStepPreHook'], // in PyTorch in torch.optim.optimizer
  Tensor: [
    // The language's.
    ...['constructor', 'toString', 'dispose', 'itemBigInt', 'toTypedArray'],
    // Shared by the rooms of the library.
    ...['_single', '_describe'],
    // Rows of `torch` whose first operand is a tensor, and their in-place forms.
    ...['celu', 'celu_', 'selu', 'selu_', 'threshold', 'threshold_', 'poisson', 'rsub', 'polar', 'complex', 'isin'],
    ...['stdMean', 'varMean', 'viewAsReal', 'viewAsComplex', 'maximum_', 'minimum_', 'fmax_', 'fmin_', 'logaddexp2_'],
    ...['angle_', 'isnan_', 'isinf_', 'isfinite_', 'isposinf_', 'isneginf_', 'signbit_'],
  ],
};

/** What a namespace has by name, among the exports of the package. */
function spaceOf(space: string): object {
  let at: unknown = space === 'Tensor' ? torch.Tensor.prototype : torch;
  if (space !== '' && space !== 'Tensor')
    for (const part of space.split('.')) at = (at as Record<string, unknown>)[camel(part)];
  return at as object;
}

describe('public names', () => {
  test.each(Object.keys(recorded))("of '%s' are PyTorch's and those listed", (space) => {
    const known = pytorchs(space);
    const beside = Object.getOwnPropertyNames(spaceOf(space)).filter(
      (name) => !known.has(name) && name !== '__esModule',
    );
    expect(beside.sort()).toEqual([...(OURS[space] ?? [])].sort());
  });

  test('of every row of lib/ops are reached through some namespace', () => {
    const reached = new Set(Object.keys(recorded).flatMap((space) => Object.getOwnPropertyNames(spaceOf(space))));
    // Forms of a row that a namespace shows under another name.
    const renamed = new Set(['select3', 'logSigmoid']);
    const folder = path.join(root, 'lib', 'ops');
    const rows = fs
      .readdirSync(folder)
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) =>
        [...fs.readFileSync(path.join(folder, file), 'utf8').matchAll(/^export const ([a-z]\w*)\b/gm)].map(
          (m) => m[1]!,
        ),
      );
    expect(rows.length).toBeGreaterThan(500);
    expect(rows.filter((name) => !reached.has(name) && !renamed.has(name))).toEqual([]);
  });
});
