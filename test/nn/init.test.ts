// Initial values: the same numbers as PyTorch's from the same seed, ranges, and errors.
import torch, { nn, type Tensor } from 'flambeau';
import { expectTensor, thrown } from './module_support';

const { init } = nn;

describe("PyTorch's numbers from the same seed", () => {
  test.each<[string, number, number[], (t: Tensor) => Tensor, number[]]>([
    [
      'uniform_',
      0,
      [2, 3],
      (t) => init.uniform_(t, -1, 2),
      [0.4887698, 1.3046653, -0.7345677, -0.6039085, -0.0777315, 0.902236],
    ],
    [
      'normal_',
      0,
      [2, 3],
      (t) => init.normal_(t, { mean: 1, std: 2 }),
      [4.0819921, 0.4131422, -3.3575788, 2.1368625, -1.1690447, -1.7971908],
    ],
    [
      'xavierUniform_',
      1,
      [2, 3],
      (t) => init.xavierUniform_(t, { gain: 2 }),
      [1.1288851, -0.9670113, -0.4247293, 1.0283358, -2.0625849, 1.3139148],
    ],
    [
      'xavierNormal_',
      1,
      [2, 3],
      (t) => init.xavierNormal_(t),
      [0.4182758, 0.1688176, 0.0390081, 0.3929556, -0.2858104, -0.10507],
    ],
    [
      'kaimingUniform_',
      2,
      [2, 3],
      (t) => init.kaimingUniform_(t, Math.sqrt(5)),
      [0.1324385, -0.1373945, 0.158326, -0.0294898, 0.2466369, 0.1374514],
    ],
    [
      'kaimingNormal_',
      2,
      [2, 3, 2],
      (t) => init.kaimingNormal_(t, { mode: 'fan_out', nonlinearity: 'relu' }),
      [
        0.2773958, -0.1580836, -0.2259208, -0.8520899, 0.7385473, -0.4477596, 0.4052477, 0.3825076, -0.2771193,
        -0.7372853, 0.9324033, 0.5286606,
      ],
    ],
    [
      'orthogonal_ wide',
      3,
      [2, 4],
      (t) => init.orthogonal_(t, 2),
      [1.5601373, 0.3395646, 0.1728149, -1.1919743, 0.8316699, -1.5917286, 0.5196198, 0.7104369],
    ],
    [
      'orthogonal_ tall',
      3,
      [4, 1, 2],
      (t) => init.orthogonal_(t),
      [0.9158908, -0.1159791, 0.1014523, -0.3707124, 0.052657, -0.7857901, 0.38481, 0.4813056],
    ],
    [
      'orthogonal_ square',
      3,
      [3, 3],
      (t) => init.orthogonal_(t),
      [0.7537251, -0.1559298, -0.6384236, -0.5758601, 0.3114013, -0.7559196, 0.3166763, 0.937398, 0.1449172],
    ],
    [
      'sparse_',
      4,
      [4, 3],
      (t) => init.sparse_(t, 0.5),
      [0, 0, 0.0223987, 0.0084729, 0, 0, 0, 0.0090393, 0.0085572, 0.0068888, 0.0088499, 0],
    ],
    [
      'truncNormal_',
      5,
      [6],
      (t) => init.truncNormal_(t),
      [-0.4867808, -0.6038216, -0.5580962, 0.6675243, -0.1974151, 1.9427835],
    ],
    [
      'truncNormal_ redrawn',
      5,
      [6],
      (t) => init.truncNormal_(t, 0, 1, -0.5, 1),
      [-0.4867808, -0.0838121, 0.6312134, 0.6675243, -0.1974151, 0.6907188],
    ],
    [
      'truncNormal_ in the tail',
      5,
      [6],
      (t) => init.truncNormal_(t, { a: 1.5, b: 1.8 }),
      [1.7490755, 1.5378332, 1.7722409, 1.6737982, 1.776031, 1.5349935],
    ],
    [
      'truncNormal_ in a narrow range',
      5,
      [20],
      (t) => init.truncNormal_(t, 1, 2, 0, 0.5),
      [
        0.4151259, 0.0630555, 0.4537348, 0.4099635, 0.4600517, 0.0583226, 0.0821958, 0.3689597, 0.0166323, 0.4970924,
        0.3032143, 0.2822856, 0.0362061, 0.3296695, 0.3575029, 0.2896638, 0.4904635, 0.3250793, 0.0283169, 0.4600559,
      ],
    ],
  ])('%s', (_, seed, shape, fillIn, expected) => {
    torch.manualSeed(seed);
    const t = torch.empty(shape);
    expect(fillIn(t)).toBe(t);
    expectTensor(t, shape, expected);
  });
});

describe('fixed values', () => {
  test('constants', () => {
    expectTensor(init.constant_(torch.empty(2), 0.5), [2], [0.5, 0.5]);
    expectTensor(init.ones_(torch.empty(2)), [2], [1, 1]);
    expectTensor(init.zeros_(torch.ones(2)), [2], [0, 0]);
    expectTensor(init.eye_(torch.empty(2, 3)), [2, 3], [1, 0, 0, 0, 1, 0]);
  });

  test('dirac_ passes channels through', () => {
    expectTensor(
      init.dirac_(torch.empty(4, 2, 3)),
      [4, 2, 3],
      [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, ...Array<number>(12).fill(0)],
    );
    expectTensor(init.dirac_(torch.empty(4, 1, 3), { groups: 2 }), [4, 1, 3], [0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    const x = torch.randn(1, 2, 5, 5);
    const w = init.dirac_(torch.empty(2, 2, 3, 3));
    expect(torch.equal(nn.functional.conv2d(x, w, { padding: 1 }), x)).toBe(true);
  });
});

describe('statistics', () => {
  test('bounds and orthogonality', () => {
    const w = torch.empty(20, 30);
    const gain = init.calculateGain('tanh');
    const largest = (t: Tensor): number => Number(t.abs().max().item());
    expect(largest(init.xavierUniform_(w, gain))).toBeLessThanOrEqual(0.5773502691896258);
    expect(largest(init.xavierUniform_(w, gain))).toBeGreaterThan(0.55);
    expect(largest(init.kaimingUniform_(w, Math.sqrt(5)))).toBeLessThanOrEqual(0.18257418583505536);
    const q = init.orthogonal_(torch.empty(4, 6));
    expectTensor(q.matmul(q.t()), [4, 4], [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
    const s = init.sparse_(torch.empty(20, 10), 0.3);
    expect(s.eq(0).sum(0).tolist()).toEqual(Array(10).fill(6));
    const t = init.truncNormal_(torch.empty(1000), 1, 2, 0, 2);
    expect(Number(t.min().item())).toBeGreaterThanOrEqual(0);
    expect(Number(t.max().item())).toBeLessThanOrEqual(2);
  });

  test('parameters are filled without a trace in autograd', () => {
    const p = new nn.Parameter(torch.empty(3, 3));
    for (const fillIn of [init.orthogonal_, init.kaimingNormal_, init.eye_, init.truncNormal_, init.zeros_]) {
      expect(fillIn(p)).toBe(p);
      expect([p.isLeaf, p.requiresGrad]).toEqual([true, true]);
    }
  });

  test('a generator of its own gives its own numbers', () => {
    const draw = (seed: number): unknown =>
      init.normal_(torch.empty(4), { generator: new torch.Generator().manualSeed(seed) }).tolist();
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });
});

test('skipInit draws no random number', () => {
  torch.manualSeed(7);
  const expected = torch.rand(3).tolist();
  torch.manualSeed(7);
  const layer = nn.utils.skipInit(nn.Linear, 3, 5);
  expect(torch.rand(3).tolist()).toEqual(expected);
  expect([...layer.weight.shape]).toEqual([5, 3]);
  torch.manualSeed(7);
  new nn.Linear(3, 5);
  expect(torch.rand(3).tolist()).not.toEqual(expected);
  expect(() => nn.utils.skipInit(Date as never)).toThrow('Expected a Module; got Function');
});

test('gains', () => {
  const gain = init.calculateGain;
  expect([gain('linear'), gain('conv2d'), gain('conv_transpose3d'), gain('sigmoid')]).toEqual([1, 1, 1, 1]);
  expect([gain('tanh'), gain('relu'), gain('selu')]).toEqual([5 / 3, Math.sqrt(2), 0.75]);
  expect(gain('leaky_relu')).toBe(1.4141428569978354);
  expect(gain('leaky_relu', 0.2)).toBeCloseTo(1.3867504905630728, 14);
});

test.each<[() => unknown, string]>([
  [() => init.eye_(torch.empty(2)), 'Only tensors with 2 dimensions are supported'],
  [() => init.dirac_(torch.empty(2, 2)), 'Only tensors with 3, 4, or 5 dimensions are supported'],
  [() => init.dirac_(torch.empty(3, 2, 2), 2), 'dim 0 must be divisible by groups'],
  [
    () => init.xavierUniform_(torch.empty(2)),
    'Fan in and fan out can not be computed for tensor with fewer than 2 dimensions',
  ],
  [
    () => init.kaimingNormal_(torch.empty(2, 2), { mode: 'fan' as never }),
    "Mode fan not supported, please use one of ['fan_in', 'fan_out']",
  ],
  [() => init.calculateGain('x' as never), 'Unsupported nonlinearity x'],
  [() => init.calculateGain('leaky_relu', 'a' as never), "negative_slope 'a' not a valid number"],
  [() => init.orthogonal_(torch.empty(2)), 'Only tensors with 2 or more dimensions are supported'],
  [() => init.sparse_(torch.empty(2), 0.1), 'Only tensors with 2 dimensions are supported'],
])('error %#', (act, message) => {
  expect(thrown(act)).toEqual({ type: 'RuntimeError', message });
});

test('truncNormal_ leaves a complex tensor as it was', () => {
  const t = torch.ones(3, { dtype: torch.complex64 });
  expect(thrown(() => init.truncNormal_(t))).toEqual({
    type: 'RuntimeError',
    message: '"lt_cpu" not implemented for \'ComplexFloat\'',
  });
  expect(t.equal(torch.ones(3, { dtype: torch.complex64 }))).toBe(true);
});
