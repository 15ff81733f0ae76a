// Layers, functions and utilities called with nothing or with something else than they take: every one of them, whatever is added.
import torch, { F, nn } from 'flambeau';

type Callable = (...args: unknown[]) => unknown;

const x = torch.ones(2, 3);
const WRONG: Record<string, unknown[]> = {
  nothing: [],
  undefined: [undefined],
  null: [null],
  'a number': [3],
  'a string': ['a'],
  'an array': [[1]],
  'a boolean': [true],
  'a date': [new Date(0)],
};
const AFTER_A_TENSOR: Record<string, unknown[]> = {
  'a tensor': [x],
  'a tensor and null': [x, null],
  'a tensor and a number': [x, 3],
  'a tensor and a string': [x, 'a'],
  'a tensor and an array': [x, [1]],
  'two tensors and a number': [x, x, 3],
};
/** What the engine says about code that was not made for its arguments, and what native code says about its own. */
const INTERNAL =
  /Cannot (read|set|destructure|convert)|is not (iterable|a function|a constructor|defined)|native op|Invalid array length|reading '/;

/** The error of a call, or null. What is no error of this library's kinds, or internal, fails. */
function errorOf(call: () => unknown, what: string): Error | null {
  try {
    call();
    return null;
  } catch (error) {
    const known = error instanceof TypeError || error instanceof RangeError || error instanceof torch.RuntimeError;
    if (known && !INTERNAL.test((error as Error).message)) return error as Error;
    throw new Error(`${what}: ${String(error)}`);
  }
}
function refusals(name: string, call: Callable, named: RegExp, mustRefuse = true): void {
  for (const [what, args] of Object.entries(WRONG)) {
    const error = errorOf(() => call(...args), `${name} of ${what}`);
    if (error === null && mustRefuse) throw new Error(`${name} took ${what}`);
    if (error !== null && !named.test(error.message)) throw new Error(`${name} of ${what}: ${error.message}`);
  }
  for (const [what, args] of Object.entries(AFTER_A_TENSOR)) errorOf(() => call(...args), `${name} of ${what}`);
}
const functionsOf = (space: object) =>
  Object.entries(space as Record<string, unknown>).filter((entry): entry is [string, Callable] => {
    return typeof entry[1] === 'function' && /^[a-z_]/.test(entry[0]);
  });

beforeAll(() => {
  jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
});
afterAll(() => {
  jest.restoreAllMocks();
});

type Class = new (...args: unknown[]) => nn.Module;
const layers = Object.entries(nn as unknown as Record<string, unknown>).filter((entry): entry is [string, Class] => {
  return typeof entry[1] === 'function' && entry[1].prototype instanceof nn.Module;
});
/** Settings that some layer takes; the first that fit are used. */
const SETTINGS = [[3, 4], [3, 4, 2], [4, 2], [2], [], [3, 3, 2], [1, [3]]];
const MADE: Record<string, () => nn.Module> = {
  AdaptiveLogSoftmaxWithLoss: () => new nn.AdaptiveLogSoftmaxWithLoss(3, 10, [5]),
  TransformerEncoder: () => new nn.TransformerEncoder(new nn.TransformerEncoderLayer(4, 2), 1),
  TransformerDecoder: () => new nn.TransformerDecoder(new nn.TransformerDecoderLayer(4, 2), 1),
  Transformer: () => new nn.Transformer(4, 2, 1, 1, 8),
  FractionalMaxPool2d: () => new nn.FractionalMaxPool2d(2, { outputSize: 2 }),
  FractionalMaxPool3d: () => new nn.FractionalMaxPool3d(2, { outputSize: 2 }),
  Fold: () => new nn.Fold([4, 4], 2),
  Unflatten: () => new nn.Unflatten(1, [3, 1]),
  Sequential: () => new nn.Sequential(new nn.ReLU()),
};
function make(name: string, layer: Class): nn.Module {
  if (MADE[name] !== undefined) return MADE[name]();
  for (const settings of SETTINGS) {
    try {
      return new layer(...settings);
    } catch {
      // The next ones may fit.
    }
  }
  throw new Error(`no settings fit ${name}`);
}
const callable = layers.filter(([name]) => !/Base$/.test(name));

test.each(layers)('new %s', (name, layer) => {
  refusals(name, (...args) => new layer(...args), /./, false);
});
test.each(callable)('%s(...)', (name, layer) => {
  for (const training of [true, false]) {
    const module = make(name, layer).train(training) as unknown as Callable;
    // The container's own words, or those of the layer inside it.
    const named = /^(ParameterList|ParameterDict|Module)/.test(name) ? /./ : /\w\(\)|\bModule \[/;
    refusals(name, module, named, name !== 'Identity');
  }
});
test.each(functionsOf(F))('F.%s', (name, fn) => {
  // An alias says the name of what it stands for.
  refusals(name, fn, new RegExp(`${name.replace('native', '')}\\(\\)`, 'i'));
});
test.each(functionsOf(nn.init))('init.%s', (name, fn) => {
  refusals(name, fn, /./, false);
});
const SPACES = { '': nn.utils, rnn: nn.utils.rnn, parametrize: nn.utils.parametrize, prune: nn.utils.prune };
for (const [space, functions] of Object.entries({ ...SPACES, parametrizations: nn.utils.parametrizations })) {
  test.each(functionsOf(functions))(`utils ${space} %s`, (name, fn) => {
    refusals(name, fn, /./, false);
  });
}
test.each(functionsOf(torch.utils.checkpoint))('checkpoint %s', (name, fn) => {
  refusals(name, fn, /./, false);
});
test.each(Object.entries(torch.optim).filter(([name]) => /^[A-Z]/.test(name)))('new optim.%s', (name, optimizer) => {
  refusals(name, (...args) => new (optimizer as new (...given: unknown[]) => unknown)(...args), /./, false);
});

const FORWARDS: [call: () => unknown, message: string][] = [
  [() => (new nn.Linear(3, 4) as unknown as Callable)(), "Linear.forward() missing a required argument: 'input'"],
  [
    () => (new nn.Linear(3, 4) as unknown as Callable)(3),
    "Linear.forward(): argument 'input' must be Tensor, not number (3)",
  ],
  [
    () => (new nn.Embedding(2, 2) as unknown as Callable)([0]),
    "Embedding.forward(): argument 'input' must be Tensor, not [0]",
  ],
  [
    () => (new nn.CrossEntropyLoss() as unknown as Callable)(x),
    "CrossEntropyLoss.forward() missing a required argument: 'target'",
  ],
  [
    () => (new nn.LSTM(3, 4) as unknown as Callable)(x, x),
    "LSTM.forward(): argument 'hx' must be Tensor[] or null, not Tensor",
  ],
  [
    () => (new nn.GRUCell(3, 4) as unknown as Callable)(x, 3),
    "GRUCell.forward(): argument 'hx' must be Tensor or null, not number (3)",
  ],
  [
    () => (new nn.Sequential(new nn.ReLU()) as unknown as Callable)(),
    "ReLU.forward() missing a required argument: 'input'",
  ],
  [
    () => {
      const layer = new nn.Linear(3, 4);
      (layer as { weight: unknown }).weight = null;
      return layer(x);
    },
    "Linear.forward(): argument 'weight' must be Tensor, not null",
  ],
  [
    () => {
      const layer = new nn.Linear(3, 4);
      layer.registerForwardHook(() => undefined);
      return (layer as unknown as Callable)(null);
    },
    "Linear.forward(): argument 'input' must be Tensor, not null",
  ],
  [
    () => (new nn.LazyLinear(4) as unknown as Callable)('a'),
    "LazyLinear.forward(): argument 'input' must be Tensor, not string",
  ],
  [
    () => (nn.utils.clipGradNorm_ as unknown as Callable)([3], 1),
    "clipGradNorm_(): argument 'parameters' must be Tensor|Tensor[], not [3]",
  ],
  [
    () => new torch.optim.SGD(null as never),
    'params argument given to the optimizer should be an iterable of Tensors or dicts, but got null',
  ],
];
test.each(FORWARDS)('what is said: %#', (call, message) => {
  expect(errorOf(call, 'the call')).toMatchObject({ name: 'TypeError', message });
});

test('an error of a layer whose arguments fit is passed on as it is', () => {
  expect(() => new nn.Linear(4, 3)(x)).toThrow(torch.RuntimeError);
  class Broken extends nn.Linear {
    override forward(): never {
      throw new RangeError('mine');
    }
  }
  expect(() => (new Broken(1, 1) as unknown as Callable)()).toThrow(new RangeError('mine'));
});

test('vectorToParameters takes what it needs of a vector, or changes nothing', () => {
  const make2 = () => [new nn.Parameter(torch.zeros(2)), new nn.Parameter(torch.zeros(2, 2))];
  const long = make2();
  nn.utils.vectorToParameters(torch.arange(9, { dtype: torch.float32 }), long);
  expect(long.map((p) => p.tolist())).toEqual([
    [0, 1],
    [
      [2, 3],
      [4, 5],
    ],
  ]);
  const short = make2();
  expect(() => nn.utils.vectorToParameters(torch.ones(4), short)).toThrow(
    "shape '[2, 2]' is invalid for input of size 2",
  );
  expect(() => nn.utils.vectorToParameters(torch.ones(1), short)).toThrow("shape '[2]' is invalid for input of size 1");
  expect(() => nn.utils.vectorToParameters(torch.tensor(1), short)).toThrow(
    new RangeError('slice() cannot be applied to a 0-dim tensor.'),
  );
  expect(short[0]!.tolist()).toEqual([0, 0]);
});
