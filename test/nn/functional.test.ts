// Functions of torch.nn.functional against what PyTorch computes, in-place forms, and errors.
import torch, { F, type Tensor } from 'flambeau';
import recorded from './functional.json';
import { expectTensor, ramp } from './module_support';
import { draw, drawAll, expectFlat, type Flat, gradients, tensorsOf } from './recorded';

interface Case {
  fn: string;
  args: unknown[];
  options: Record<string, unknown>;
  outputs: Flat[];
  grads: (Flat | null)[];
}
const functions = F as unknown as Record<string, (...args: unknown[]) => unknown>;

describe('functions', () => {
  for (const [i, c] of (recorded as unknown as Case[]).entries()) {
    test(`${i} ${c.fn}(${JSON.stringify(c.options)})`, () => {
      torch.manualSeed(5);
      const args = c.args.map(draw);
      const options = drawAll(c.options);
      const outputs = tensorsOf(options === undefined ? functions[c.fn]!(...args) : functions[c.fn]!(...args, options));
      expect(outputs).toHaveLength(c.outputs.length);
      outputs.forEach((t, k) => expectFlat(`output ${k}`, t, c.outputs[k]!));
      const given = [...args, ...Object.values(options ?? {})];
      const leaves = given.filter((x) => x instanceof torch.Tensor && x.requiresGrad) as Tensor[];
      const grads = gradients(outputs, leaves);
      expect(grads).toHaveLength(c.grads.length);
      grads.forEach((g, k) => expectFlat(`gradient ${k}`, g, c.grads[k]!, 1e-4));
    });
  }
});

test.each(['nearest', 'nearest-exact', 'bilinear', 'bicubic', 'area'] as const)(
  'a size beyond all memory is an error of interpolate with mode %s, not the end of the process',
  (mode) => {
    for (const antialias of mode.startsWith('bi') ? [false, true] : [false]) {
      expect(() => F.interpolate(torch.ones(1, 1, 2, 2), { size: [2, 2 ** 45], mode, antialias })).toThrow(
        torch.RuntimeError,
      );
      expect(() => F.interpolate(torch.ones(1, 1, 2, 2), { scaleFactor: 1e300, mode, antialias })).toThrow(
        torch.RuntimeError,
      );
    }
  },
);

describe('in place', () => {
  test.each(['relu_', 'selu_', 'elu_', 'celu_', 'leakyRelu_', 'hardtanh_', 'rrelu_'])('%s', (name) => {
    const x = torch.tensor([-2, -0.5, 0, 3]);
    const want = functions[name.slice(0, -1)]!(x) as Tensor;
    expect(functions[name]!(x)).toBe(x);
    expect(torch.equal(x, want)).toBe(true);
  });

  test('as an option', () => {
    for (const name of ['relu', 'relu6', 'silu', 'mish', 'hardswish', 'hardsigmoid']) {
      const x = torch.tensor([-2, -0.5, 0, 3]);
      const want = functions[name]!(x) as Tensor;
      expect(functions[name]!(x, { inplace: true })).toBe(x);
      expect(torch.allclose(x, want)).toBe(true);
    }
    const x = torch.tensor([-1, 2]);
    expectTensor(F.threshold(x, 0, 7, true), [2], [7, 2]);
    expectTensor(x, [2], [7, 2]);
  });

  test('a leaf that requires a gradient cannot be overwritten', () => {
    expect(() => F.relu(torch.ones(2).requiresGrad_(), { inplace: true })).toThrow(
      'a leaf Variable that requires grad is being used in an in-place operation.',
    );
  });
});

describe('gumbel softmax', () => {
  test('is a distribution, or one of its corners', () => {
    torch.manualSeed(0);
    const logits = torch
      .tensor([
        [0, 1, 2],
        [3, 0, 0],
      ])
      .requiresGrad_();
    const soft = F.gumbelSoftmax(logits, { tau: 0.7 });
    expectTensor(soft.sum(1), [2], [1, 1]);
    const hard = F.gumbelSoftmax(logits, { hard: true });
    expect(hard.round().eq(hard.detach().round()).all().item()).toBe(true);
    expectTensor(hard.max(1).values, [2], [1, 1]);
    hard.mul(ramp(2, 3)).sum().backward();
    expect(logits.grad!.ne(0).any().item()).toBe(true);
  });

  test('draws classes with their probabilities', () => {
    torch.manualSeed(1);
    const logits = torch.log(torch.tensor([0.2, 0.5, 0.3])).expand(5000, 3);
    const share = F.gumbelSoftmax(logits, { hard: true }).mean(0);
    expectTensor(share, [3], [0.2, 0.5, 0.3], 1);
  });
});

describe('half types', () => {
  test('normalisation and attention are computed in float32', () => {
    const x = ramp(2, 3, 4).sub(1);
    for (const dtype of [torch.float16, torch.bfloat16]) {
      const low = x.to(dtype);
      const want = F.scaledDotProductAttention(low.float(), low.float(), low.float());
      const found = F.scaledDotProductAttention(low, low, low);
      expect(found.dtype).toBe(dtype);
      expect(torch.equal(found, want.to(dtype))).toBe(true);
      expect(
        torch.equal(F.rmsNorm(low, [4], { eps: 1e-5 }), F.rmsNorm(low.float(), [4], { eps: 1e-5 }).to(dtype)),
      ).toBe(true);
    }
  });
});

describe('resizing', () => {
  test('bytes are rounded', () => {
    const x = torch.tensor(
      [
        [
          [
            [0, 255],
            [10, 11],
          ],
        ],
      ],
      { dtype: torch.uint8 },
    );
    const y = F.interpolate(x, { size: [2, 3], mode: 'bilinear' });
    expect(y.dtype).toBe(torch.uint8);
    expect(y.tolist()).toEqual([
      [
        [
          [0, 128, 255],
          [10, 11, 11],
        ],
      ],
    ]);
  });

  test('fold undoes unfold where windows do not overlap', () => {
    const x = ramp(2, 3, 4, 6);
    const columns = F.unfold(x, [2, 3], { stride: [2, 3] });
    expect(columns.shape).toEqual([2, 18, 4]);
    expect(torch.equal(F.fold(columns, [4, 6], [2, 3], { stride: [2, 3] }), x)).toBe(true);
  });

  test('unpooling puts maxima back', () => {
    const x = torch.tensor([[[1, 5, 2, 8, 3, 4]]]);
    const [y, at] = F.maxPool1d(x, 2, { returnIndices: true }) as unknown as [Tensor, Tensor];
    expectTensor(F.maxUnpool1d(y, at, 2), [1, 1, 6], [0, 5, 0, 8, 0, 4]);
    expect(() => F.maxUnpool1d(y, at.add(9), 2)).toThrow('Found an invalid max index');
  });
});

describe('second derivatives', () => {
  const x = (): Tensor => {
    torch.manualSeed(11);
    return torch.randn(1, 2, 4, 4, { dtype: torch.float64 }).requiresGrad_();
  };
  test.each([
    ['unfold', (v: Tensor) => F.unfold(v, 2)],
    ['pad reflect', (v: Tensor) => F.pad(v, [1, 2, 2, 1], 'reflect')],
    ['pad circular', (v: Tensor) => F.pad(v, [1, 2, 2, 1], 'circular')],
    ['pad constant', (v: Tensor) => F.pad(v, [1, -1, 0, 2], { value: 3 })],
    ['interpolate', (v: Tensor) => F.interpolate(v, { scaleFactor: 1.5, mode: 'bicubic' })],
    ['lpPool2d', (v: Tensor) => F.lpPool2d(v.abs().add(0.1), 3, 2)],
    ['localResponseNorm', (v: Tensor) => F.localResponseNorm(v, 2, 0.5)],
    ['normalize', (v: Tensor) => F.normalize(v)],
    ['attention', (v: Tensor) => F.scaledDotProductAttention(v, v, v, { isCausal: true })],
    ['pixelShuffle', (v: Tensor) => F.pixelShuffle(v.view(1, 4, 2, 4), 2)],
  ])('%s', (_name, run) => {
    expect(torch.autograd.gradcheck(run, [x()])).toBe(true);
    expect(torch.autograd.gradgradcheck(run, [x()])).toBe(true);
  });
});

describe('errors', () => {
  const at = (...shape: number[]): Tensor => torch.zeros(shape);
  test.each([
    ['min_val cannot be greater than max_val', () => F.hardtanh(at(2), 1, -1)],
    ['dropout probability has to be between 0 and 1, but got -1', () => F.dropout(at(2), -1)],
    ['glu does not support scalars because halving size must be even', () => F.glu(torch.tensor(1))],
    [
      'only one of size or scale_factor should be defined',
      () => F.interpolate(at(1, 1, 3), { size: 2, scaleFactor: 2 }),
    ],
    ['Got 3D input, but bilinear mode needs 4D input', () => F.interpolate(at(1, 1, 3), { size: 2, mode: 'bilinear' })],
    [
      'align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear',
      () => F.interpolate(at(1, 1, 3), { size: 2, alignCorners: true }),
    ],
    ['pdist only supports 2D tensors, got: 3D', () => F.pdist(at(1, 2, 3))],
    ['Padding length must be divisible by 2', () => F.pad(at(1, 2, 3), [1])],
    [
      'Expected number of channels in input to be divisible by num_groups, but got input of shape [2, 7, 4] and num_groups=2',
      () => F.groupNorm(at(2, 7, 4), 2),
    ],
    [
      'offsets has to be a 1D Tensor but got None',
      () => F.embeddingBag(torch.zeros([3], { dtype: torch.int64 }), at(2, 2)),
    ],
    [
      'max_norm and norm_type',
      () => F.embedding(torch.zeros([1], { dtype: torch.int64 }), at(2, 2), { paddingIdx: 2 }),
    ],
    [
      '_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True',
      () => F.scaledDotProductAttention(at(2, 2), at(2, 2), at(2, 2), { attnMask: at(2, 2), isCausal: true }),
    ],
    [
      'Expected floating point type for target with class probabilities, got int64',
      () => F.crossEntropy(at(2, 3), torch.zeros([2, 3], { dtype: torch.int64 })),
    ],
  ])('%s', (message, call) => {
    expect(call).toThrow(torch.RuntimeError);
    if (message !== 'max_norm and norm_type') expect(call).toThrow(message);
  });

  test('arguments of a wrong kind name the function', () => {
    const relu = F.relu as unknown as (...args: unknown[]) => Tensor;
    expect(() => relu(3)).toThrow(new TypeError("relu(): argument 'input' must be Tensor, not number (3)"));
    expect(() => relu(at(2), { inPlace: true })).toThrow("relu() got an unexpected keyword argument 'inPlace'");
  });
});
