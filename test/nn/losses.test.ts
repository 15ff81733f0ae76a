// Losses: gradients of first and second order, reductions, and the rules of targets.
import torch, { F, nn, type Tensor } from 'flambeau';
import { expectTensor } from './module_support';

const f64 = { dtype: torch.float64 };
const i64 = { dtype: torch.int64 };

function inputs(...shape: number[]): Tensor {
  return torch.randn(shape, f64).requiresGrad_();
}
const unit = (t: Tensor): Tensor => t.sigmoid().mul(0.9).add(0.05);
const signs = torch.tensor([1, -1, 1], f64);

type Loss = (x: Tensor, y: Tensor, reduction: string) => Tensor;
/** Each with two inputs of [3, 4] that both get gradients. */
const LOSSES: [name: string, loss: Loss][] = [
  ['mseLoss', (x, y, reduction) => F.mseLoss(x, y, { reduction })],
  ['l1Loss', (x, y, reduction) => F.l1Loss(x, y, { reduction })],
  ['smoothL1Loss', (x, y, reduction) => F.smoothL1Loss(x, y, { reduction, beta: 0.7 })],
  ['huberLoss', (x, y, reduction) => F.huberLoss(x, y, { reduction, delta: 0.6 })],
  [
    'binaryCrossEntropy',
    (x, y, reduction) =>
      F.binaryCrossEntropy(unit(x), unit(y), { reduction, weight: torch.tensor([1, 2, 0.5, 3], f64) }),
  ],
  ['binaryCrossEntropyWithLogits', (x, y, reduction) => F.binaryCrossEntropyWithLogits(x, unit(y), { reduction })],
  [
    'with posWeight',
    (x, y, reduction) =>
      F.binaryCrossEntropyWithLogits(x, unit(y), { reduction, posWeight: torch.tensor([1, 2, 0.5, 3], f64) }),
  ],
  ['klDiv', (x, y, reduction) => F.klDiv(x, unit(y), { reduction })],
  ['klDiv of logarithms', (x, y, reduction) => F.klDiv(x, y, { reduction, logTarget: true })],
  ['poissonNllLoss', (x, y, reduction) => F.poissonNllLoss(x, y, { reduction })],
  ['gaussianNllLoss', (x, y, reduction) => F.gaussianNllLoss(x, y, unit(y), { reduction, full: true })],
  ['multilabelSoftMarginLoss', (x, y, reduction) => F.multilabelSoftMarginLoss(x, unit(y), { reduction })],
  ['cosineEmbeddingLoss', (x, y, reduction) => F.cosineEmbeddingLoss(x, y, signs, { reduction, margin: -0.9 })],
  ['tripletMarginLoss', (x, y, reduction) => F.tripletMarginLoss(x, y, x.flip([0]), { reduction, margin: 5 })],
  [
    'crossEntropy of classes',
    (x, y, reduction) => F.crossEntropy(x.mul(y), torch.tensor([3, 0, 1], i64), { reduction }),
  ],
  [
    'crossEntropy, smoothed',
    (x, y, reduction) =>
      F.crossEntropy(x.mul(y), torch.tensor([3, -100, 1], i64), {
        reduction,
        labelSmoothing: 0.3,
        weight: torch.tensor([1, 2, 0.5, 3], f64),
      }),
  ],
  [
    'crossEntropy of probabilities',
    (x, y, reduction) => F.crossEntropy(x, y.softmax(1), { reduction, labelSmoothing: 0.1 }),
  ],
  [
    'multiMarginLoss',
    (x, y, reduction) => F.multiMarginLoss(x.mul(y), torch.tensor([3, 0, 1], i64), { reduction, p: 2 }),
  ],
  ['softMarginLoss', (x, y, reduction) => F.softMarginLoss(x, y, { reduction })],
];

describe('gradients', () => {
  for (const [name, loss] of LOSSES) {
    for (const reduction of ['none', 'mean', 'sum']) {
      test(`${name}, ${reduction}`, () => {
        torch.manualSeed(2);
        const given: [Tensor, Tensor] = [inputs(3, 4), inputs(3, 4)];
        const run = (x: Tensor, y: Tensor): Tensor => loss(x, y, reduction);
        expect(torch.autograd.gradcheck(run, given)).toBe(true);
        expect(torch.autograd.gradgradcheck(run, given)).toBe(true);
      });
    }
  }

  test.each(LOSSES)('%s: the reductions fit together', (_name, loss) => {
    torch.manualSeed(3);
    const [x, y] = [inputs(3, 4), inputs(3, 4)];
    expect(torch.allclose(loss(x, y, 'none').sum(), loss(x, y, 'sum'))).toBe(true);
    expect(() => loss(x, y, 'avg')).toThrow(/avg is not (a )?valid/);
  });
});

describe('classes', () => {
  const scores = torch.tensor([
    [1, 2, 3],
    [0, 0, 0],
  ]);

  test('a class out of range', () => {
    expect(() => F.crossEntropy(scores, torch.tensor([0, 3], i64))).toThrow(
      new RangeError('Target 3 is out of bounds.'),
    );
    expect(() => F.crossEntropy(scores, torch.tensor([0, -1], i64))).toThrow(RangeError);
    expect(F.crossEntropy(scores, torch.tensor([0, -1], i64), { ignoreIndex: -1 }).item()).toBeCloseTo(2.407606, 5);
  });

  test('targets of other sizes or kinds', () => {
    expect(() => F.crossEntropy(scores, torch.tensor([0], i64))).toThrow(
      'Expected input batch_size (2) to match target batch_size (1).',
    );
    expect(() => F.nllLoss(scores, torch.tensor([0, 1]))).toThrow(
      'expected target dtype to be Long or Byte, but got Float',
    );
    expect(() => F.crossEntropy(scores, torch.tensor([0, 1], i64), { weight: torch.ones(2) })).toThrow(
      'cross_entropy: weight tensor should be defined either for all 3 classes',
    );
    expect(() => F.crossEntropy(scores, torch.tensor([0, 1], i64), { labelSmoothing: 2 })).toThrow(
      'label_smoothing must be between 0.0 and 1.0. Got: 2',
    );
  });

  test('large scores lose nothing', () => {
    const x = torch
      .tensor([
        [1000, 0],
        [-1000, 0],
      ])
      .requiresGrad_();
    const loss = F.crossEntropy(x, torch.tensor([0, 0], i64), { reduction: 'none' });
    expectTensor(loss, [2], [0, 1000]);
    loss.sum().backward();
    expectTensor(x.grad, [2, 2], [0, 0, -1, 1]);
  });

  test('where all targets are ignored there is no mean and no gradient', () => {
    const x = scores.clone().requiresGrad_();
    const loss = F.crossEntropy(x, torch.tensor([-100, -100], i64));
    expect(loss.item()).toBeNaN();
    loss.backward();
    expectTensor(x.grad, [2, 3], [0, 0, 0, 0, 0, 0]);
  });

  test('images', () => {
    torch.manualSeed(0);
    const x = torch.randn(2, 3, 4, 5);
    const t = torch.randint(0, 3, [2, 4, 5]);
    const flat = F.crossEntropy(x.permute(0, 2, 3, 1).reshape(-1, 3), t.reshape(-1));
    expect(torch.allclose(F.crossEntropy(x, t), flat)).toBe(true);
    expect(F.crossEntropy(x, t, { reduction: 'none' }).shape).toEqual([2, 4, 5]);
    expect(() => F.crossEntropy(x, t.narrow(1, 0, 2))).toThrow('Expected target size [2, 4, 5], got [2, 2, 5]');
  });
});

describe('probabilities', () => {
  test('certain wrong answers cost 100', () => {
    const x = torch.tensor([0, 1]).requiresGrad_();
    const loss = F.binaryCrossEntropy(x, torch.tensor([1, 0]), { reduction: 'none' });
    expectTensor(loss, [2], [100, 100]);
    loss.sum().backward();
    expect(x.grad!.isfinite().all().item()).toBe(true);
    expect(() => F.binaryCrossEntropy(torch.tensor([1.5]), torch.tensor([1]))).toThrow(
      'all elements of input should be between 0 and 1',
    );
  });

  test('logits far from zero', () => {
    const x = torch.tensor([200, -200]);
    expectTensor(F.binaryCrossEntropyWithLogits(x, torch.tensor([0, 1]), { reduction: 'none' }), [2], [200, 200]);
    expectTensor(F.binaryCrossEntropyWithLogits(x, torch.tensor([1, 0]), { reduction: 'none' }), [2], [0, 0]);
  });

  test('sizes that differ', () => {
    expect(() => F.binaryCrossEntropyWithLogits(torch.zeros(2), torch.zeros(3))).toThrow(
      'Target size (torch.Size([3])) must be the same as input size (torch.Size([2]))',
    );
  });
});

describe('sequences', () => {
  test('the sum over all alignments', () => {
    // Two times, labels (1): the paths 1 1, blank 1, 1 blank.
    const p = torch.tensor([[[0.4, 0.6]], [[0.3, 0.7]]]);
    const loss = F.ctcLoss(p.log(), torch.tensor([[1]], i64), [2], [1], { reduction: 'none' });
    expectTensor(loss, [1], [-Math.log(0.6 * 0.7 + 0.4 * 0.7 + 0.6 * 0.3)]);
  });

  test('its gradient, through the softmax', () => {
    torch.manualSeed(1);
    const x = inputs(5, 2, 3);
    const run = (v: Tensor): Tensor =>
      F.ctcLoss(
        v.logSoftmax(2),
        torch.tensor(
          [
            [1, 2],
            [2, 2],
          ],
          i64,
        ),
        [5, 4],
        [2, 2],
      );
    expect(torch.autograd.gradcheck(run, [x])).toBe(true);
  });

  test('targets too long for the input', () => {
    const x = torch.zeros(1, 1, 2).requiresGrad_();
    const target = torch.tensor([[1, 1]], i64);
    expect(F.ctcLoss(x, target, [1], [2]).item()).toBe(Infinity);
    const loss = F.ctcLoss(x, target, [1], [2], { zeroInfinity: true });
    expect(loss.item()).toBe(0);
    loss.backward();
    expectTensor(x.grad, [1, 1, 2], [0, 0]);
  });

  test.each([
    ['input_lengths must be of size batch_size', [2, 2], [1]],
    ['Expected input_lengths to have value at most 2, but got value 3', [3], [1]],
    ['Expected tensor to have size at least 2 at dimension 1, but got size 1', [2], [2]],
  ])('%s', (message, inputLengths, targetLengths) => {
    expect(() => F.ctcLoss(torch.zeros(2, 1, 3), torch.tensor([[1]], i64), inputLengths, targetLengths)).toThrow(
      message,
    );
  });
});

describe('older and shared forms', () => {
  test('sizeAverage and reduce', () => {
    const [x, y] = [torch.tensor([1, 2]), torch.tensor([0, 0])];
    expect(F.mseLoss(x, y, { sizeAverage: false }).item()).toBe(5);
    expect(F.mseLoss(x, y, { reduce: false }).shape).toEqual([2]);
    expect(new nn.MSELoss({ sizeAverage: false }).reduction).toBe('sum');
  });

  test('weights are buffers', () => {
    const loss = new nn.CrossEntropyLoss({ weight: torch.tensor([1, 2]) });
    expect([...loss.stateDict().keys()]).toEqual(['weight']);
    expect(loss.double().weight!.dtype).toBe(torch.float64);
    expect([...new nn.BCEWithLogitsLoss({ posWeight: torch.ones(1) }).stateDict().keys()]).toEqual(['pos_weight']);
  });
});
