// Arguments that are nearly right: refused with an error that names them, before anything has changed.
import torch, { F, nn, type Tensor } from 'flambeau';
import { expectSame } from './support';

const x = torch.tensor([[1, -2, 3]]);
const loose = (fn: unknown) => fn as (...args: unknown[]) => unknown;
const itself: unknown[] = [];
itself.push(itself);

const refused: Record<string, [call: () => unknown, kind: new (...args: never[]) => Error, message: RegExp]> = {
  'a complex number without numbers': [
    () => loose(torch.add)(x, { re: 'x', im: 1 }),
    TypeError,
    /unexpected keyword argument 're'/,
  ],
  'a complex tensor for a float': [
    () => loose(F.celu)(x, torch.tensor({ re: 1, im: 2 })),
    TypeError,
    /argument 'alpha' must be float, not Tensor/,
  ],
  'tidy of no function': [() => loose(torch.tidy)(3), TypeError, /argument 'fn' must be function, not number/],
  'indices that are no list': [
    () => loose(torch._unsafe_masked_index)(x, x.gt(0), 5, 0),
    TypeError,
    /argument 'indices' must be a list of Tensor or null, not number/,
  ],
  'more indices than dimensions': [
    () => torch._unsafe_masked_index(x, x.gt(0), [null, null, torch.tensor(0n)], 0),
    RangeError,
    /too many indices for tensor of dimension 2/,
  ],
  'an in-place function of a number': [
    () => loose(torch.xlogy_)(3, x),
    TypeError,
    /xlogy_\(\): argument 'input' must be Tensor, not number/,
  ],
  'a bound of each kind': [
    () => torch.clamp(x, x, 3),
    TypeError,
    /clamp\(\): arguments 'min' and 'max' must both be Tensor, or both numbers/,
  ],
  'a bound of each kind, in place': [
    () => loose(x.clamp_.bind(x))(x, { re: 1, im: 1 }),
    TypeError,
    /clamp_\(\): arguments 'min' and 'max' must both be Tensor/,
  ],
  'a right-hand side without dimensions': [
    () => torch.linalg.solve(torch.eye(3), torch.tensor(1)),
    torch.RuntimeError,
    /The input tensor B must have at least 1 dimension/,
  ],
  'no output size': [() => loose(F.adaptiveMaxPool2d)(torch.ones(1, 1, 4, 4), null), TypeError, /not null/],
  'an output size that is an object': [
    () => loose(F.adaptiveAvgPool2d)(torch.ones(1, 1, 4, 4), [Object.create(null), 2]),
    TypeError,
    /argument 'outputSize' must be int\|int\?\[\], not \[object, 2\]/,
  ],
  'a device that is an object': [
    () => loose(x.to.bind(x))(Object.create(null)),
    TypeError,
    /expected a dtype, a device/,
  ],
  'fans of no tensor': [() => loose(nn.init._calculateFanInAndFanOut)(), TypeError, /must be Tensor, not undefined/],
  'a gain of no name': [() => loose(nn.init.calculateGain)(Symbol('relu')), TypeError, /must be str, not symbol/],
  'a precision of no name': [
    () => loose(torch.setFloat32MatmulPrecision)(Object.create(null)),
    torch.RuntimeError,
    /'object' is not a valid precision/,
  ],
  'a setting of another name': [
    () => loose(torch.useDeterministicAlgorithms)(true, { warn: true }),
    TypeError,
    /got an unexpected keyword argument 'warn'/,
  ],
  'settings that are none': [
    () => loose(torch.useDeterministicAlgorithms)(true, null),
    TypeError,
    /keyword argument 'options'/,
  ],
  'infinity as an integer': [() => torch.tensor(Infinity).itemBigInt(), torch.RuntimeError, /cannot convert Infinity/],
  'a table of three dimensions': [
    () => F.embedding(torch.tensor([0n]), torch.ones(2, 3, 1), { maxNorm: 1 }),
    torch.RuntimeError,
    /Expected 2-dimensional tensor, but got 3-dimensional tensor for argument #1 'self'/,
  ],
  'places of no tensor': [
    () => loose(torch.indexPut_)(new Uint8Array(2), [], 2),
    TypeError,
    /indexPut_\(\): argument 'input' must be Tensor, not Uint8Array/,
  ],
  'a memory format that is an object': [
    () => loose(torch.clone)(x, { memoryFormat: Object.create(null) }),
    TypeError,
    /memoryFormat must be a memory format of torch, not object/,
  ],
  'a memory format that every object has': [
    () => loose(torch.clone)(x, { memoryFormat: 'constructor' }),
    TypeError,
    /memoryFormat must be a memory format of torch, not constructor/,
  ],
  'a chain of vectors': [
    () => torch.chainMatmul([torch.ones(3), torch.ones(3), torch.ones(3)]),
    torch.RuntimeError,
    /Expected 2-dimensional tensors, but got a tensor with 1 dimensions/,
  ],
  'lengths that are no list': [
    () => loose(F.ctcLoss)(torch.ones(4, 2, 3), torch.ones(2, 2).long(), 'x', [2, 2]),
    TypeError,
    /must be a Tensor or a list of integers, not string/,
  ],
  'more parts than memory holds': [
    () => torch.tensorSplit(torch.zeros(0, 2), 2 ** 31),
    torch.RuntimeError,
    /2147483648 parts are more tensors than memory holds/,
  ],
  'more slices than memory holds': [
    () =>
      torch
        .zeros(1)
        .expand(2 ** 40)
        .unbind(),
    torch.RuntimeError,
    /more tensors than memory holds/,
  ],
  'more values than arrays hold': [
    () =>
      torch
        .zeros(1)
        .expand(2 ** 40)
        .tolist(),
    torch.RuntimeError,
    /too large for arrays; use toTypedArray/,
  ],
  'an array that holds itself': [() => torch.tensor(itself), torch.RuntimeError, /at most 64 dimensions/],
  'an index that holds itself': [() => x.index(itself as never), torch.RuntimeError, /at most 64 dimensions/],
  'an image without end': [
    () => F.interpolate(torch.ones(1, 1, 2, 2), { size: [2 ** 53, 8], mode: 'bilinear' }),
    torch.RuntimeError,
    /output sizes of \(9007199254740992, 8\) are too large/,
  ],
  'an image of no size': [
    () => F.interpolate(torch.ones(1, 1, 2, 2), { scaleFactor: NaN }),
    torch.RuntimeError,
    /Input and output sizes should be greater than 0/,
  ],
};
test.each(Object.entries(refused))('%s is refused', (_, [call, kind, message]) => {
  expect(call).toThrow(kind);
  expect(call).toThrow(message);
  expect(x.tolist()).toEqual([[1, -2, 3]]);
});

/** Calls that find out late that they cannot go on: nothing may have moved by then. */
const stats = () => [torch.zeros(3), torch.ones(3)] as const;
test.each<[string, (mean: Tensor, variance: Tensor) => unknown]>([
  [
    'integers',
    (mean) => F.batchNorm(torch.randn(4, 3), mean, torch.ones(3, { dtype: torch.int32 }), { training: true }),
  ],
  ['one place for all', (mean) => F.batchNorm(torch.randn(4, 3), mean, torch.ones(1).expand(3), { training: true })],
  ['a matrix', (mean) => F.batchNorm(torch.randn(4, 3), mean, torch.ones(3, 1), { training: true })],
  ['weights of another size', (mean, v) => F.batchNorm(torch.randn(4, 3), mean, v, torch.ones(2), null, true)],
  ['integers, per sample', (mean) => F.instanceNorm(torch.randn(4, 3, 5), mean, torch.ones(3, { dtype: torch.int32 }))],
])('running statistics stay when the others are %s', (_, call) => {
  const [mean, variance] = stats();
  expect(() => call(mean, variance)).toThrow(torch.RuntimeError);
  expect([mean.tolist(), variance.tolist()]).toEqual([
    [0, 0, 0],
    [1, 1, 1],
  ]);
});
test('a tensor stays when the second of two bounds does not fit', () => {
  const self = torch.tensor([1, 2, 3]);
  expect(() => self.clamp_(torch.full([3], 2), torch.ones(2))).toThrow(torch.RuntimeError);
  expect(() => self.clamp_(null, torch.ones(2, 3))).toThrow(/doesn't match the broadcast shape/);
  expect(self.tolist()).toEqual([1, 2, 3]);
});

test('what happens to a list after the call does not reach the gradient', () => {
  const leaf = torch.ones(2, 3, { requiresGrad: true });
  for (const call of [
    (dims: number[]) => leaf.sum(dims),
    (dims: number[]) => torch.sum(leaf, { dim: dims }),
    (dims: number[]) => leaf.permute(dims).sum(),
    (dims: number[]) => leaf.roll([1], dims).sum([0]),
  ]) {
    const dims = call.toString().includes('permute') ? [1, 0] : [1];
    const y = call(dims);
    dims.reverse();
    dims[0] = 7;
    leaf.grad = null;
    y.sum().backward();
    expect(leaf.grad!.tolist()).toEqual([
      [1, 1, 1],
      [1, 1, 1],
    ]);
  }
  const parts = [leaf, leaf.mul(2)];
  const joined = torch.cat(parts, 0);
  parts.length = 0;
  leaf.grad = null;
  joined.sum().backward();
  expect(leaf.grad!.tolist()).toEqual([
    [3, 3, 3],
    [3, 3, 3],
  ]);
});
test('bigints and tensors count as integers in a list', () => {
  expectSame(loose(x.sum.bind(x))([1n]) as Tensor, x.sum([1]));
  expect((loose(torch.zeros)([2n, torch.tensor(3n)]) as Tensor).shape).toEqual([2, 3]);
});

describe('typed arrays in an array', () => {
  test.each<[string, unknown, string, unknown]>([
    [
      'stack',
      [new Float32Array([1, 2]), new Float32Array([3, 4])],
      'float32',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['keep their type', [new Int16Array([1]), new Int16Array([2])], 'int16', [[1], [2]]],
    ['promote', [new Int32Array([1]), new Float64Array([0.5])], 'float64', [[1], [0.5]]],
    [
      'stand beside arrays',
      [new Uint8Array([1, 2]), [true, false]],
      'uint8',
      [
        [1, 2],
        [1, 0],
      ],
    ],
    ['nest deeper', [[new BigInt64Array([5n])], [new BigInt64Array([6n])]], 'int64', [[[5]], [[6]]]],
    ['may be empty', [new Float64Array(0), new Float64Array(0)], 'float64', [[], []]],
  ])('%s', (_, data, dtype, list) => {
    const t = torch.tensor(data);
    expect([t.dtype.name, t.tolist()]).toEqual([dtype, list]);
  });
  test('must have one length', () => {
    expect(() => torch.tensor([new Float32Array(2), new Float32Array(3)])).toThrow(
      'expected sequence of length 2 at dim 1 (got 3)',
    );
  });
});

describe.each(['constructor', 'toString', '__proto__', 'valueOf'])('%s is no name of a table', (name) => {
  const x = torch.ones(2, 3);
  const rows = torch.tensor([0n, 1n]);
  const any = name as never;
  test.each<[string, () => unknown]>([
    ['padMode of stft', () => torch.stft(torch.ones(8), 4, { padMode: any, returnComplex: true })],
    ['mode of pad', () => torch.F.pad(x.unsqueeze(0), [1, 1], { mode: any })],
    ['mode of interpolate', () => torch.F.interpolate(x.view(1, 1, 2, 3), { scaleFactor: 2, mode: any })],
    ['antialiased mode', () => torch.F.interpolate(x.view(1, 1, 2, 3), { size: [2, 2], mode: any, antialias: true })],
    ['reduction of indexReduce', () => x.indexReduce(0, rows, x, any)],
    ['reduction of scatterReduce', () => x.scatterReduce(0, torch.zeros(2, 3).long(), x, any)],
    ['reduction of _segment_reduce', () => torch._segment_reduce(torch.ones(2), any, { lengths: torch.tensor([2n]) })],
    ['interpolation of quantile', () => x.quantile(0.5, { interpolation: any })],
    ['indexing of meshgrid', () => torch.meshgrid([torch.ones(2)], { indexing: any })],
    ['side of searchsorted', () => torch.searchsorted(torch.ones(2), torch.ones(1), { side: any })],
    ['reduction of a loss', () => torch.F.mseLoss(x, x, { reduction: any })],
    ['norm of fft', () => torch.fft.fft(x, { norm: any })],
    ['nonlinearity of a gain', () => torch.nn.init.calculateGain(any)],
  ])('%s', (_what, call) => {
    let thrown: unknown;
    try {
      call();
    } catch (error) {
      thrown = error;
    }
    // Thrown on purpose: the engine's own TypeErrors say what "is not a function" or "is not iterable".
    expect(String(thrown)).not.toMatch(/^undefined$|is not (a function|iterable|an object)|Cannot read/);
  });
});
