// torch.masked: the same as the plain operations on the elements that the mask leaves.
import torch, { masked, type Tensor } from 'flambeau';

const { float64 } = torch;
const x = torch.tensor(
  [
    [3, -1, 2],
    [0.5, 4, -2],
  ],
  { dtype: float64 },
);
const mask = torch.tensor([
  [true, false, true],
  [false, true, true],
]);
/** What each row keeps. */
const kept = [torch.tensor([3, 2], { dtype: float64 }), torch.tensor([4, -2], { dtype: float64 })];
const rows = (f: (t: Tensor) => Tensor): unknown[] => kept.map((t) => f(t).item());
const approx = (t: Tensor, expected: readonly unknown[]): void =>
  expect(t.tolist()).toEqual(expected.map((v) => expect.closeTo(v as number, 12)));

describe('reductions see only what the mask leaves', () => {
  test.each([
    ['sum', (t: Tensor) => t.sum()],
    ['prod', (t: Tensor) => t.prod()],
    ['amax', (t: Tensor) => t.amax()],
    ['amin', (t: Tensor) => t.amin()],
    ['mean', (t: Tensor) => t.mean()],
    ['var', (t: Tensor) => t.var()],
    ['std', (t: Tensor) => t.std()],
    ['logsumexp', (t: Tensor) => t.logsumexp(0)],
  ] as const)('%s', (name, plain) => {
    approx(masked[name](x, 1, { mask }), rows(plain));
    expect(masked[name](x, { dim: [1], keepdim: true, mask }).shape).toEqual([2, 1]);
    const all = torch.cat(kept);
    expect(masked[name](x, { mask }).item()).toBeCloseTo(plain(all).item() as number, 12);
    const everything = masked[name](x, 1);
    approx(
      everything,
      x.unbind(0).map((t) => plain(t).item()),
    );
  });

  test('norms', () => {
    approx(
      masked.norm(x, 2, 1, { mask }),
      rows((t) => t.norm()),
    );
    approx(masked.norm(x, -Infinity, 1, { mask }), [2, 2]);
  });

  test('median is the lower one, NaN where nothing is left', () => {
    expect(masked.median(x, 1, { mask }).tolist()).toEqual([2, -2]);
    const none = torch.tensor([
      [true, true, true],
      [false, false, false],
    ]);
    expect(masked.median(x, 1, { mask: none }).tolist()).toEqual([2, NaN]);
    const whole = torch.tensor([
      [3n, 1n, 2n],
      [1n, 1n, 1n],
    ]);
    expect(masked.median(whole, 1, { mask }).tolist()).toEqual([2, 1]);
    expect(() => masked.median(whole, 1, { mask: none })).toThrow('no fully masked out rows');
  });

  test('places come in the type of the input', () => {
    const at = masked.argmax(x.neg(), 1, { mask });
    expect([at.dtype, at.tolist()]).toEqual([float64, [2, 2]]);
    expect(masked.argmin(x, { mask }).item()).toBe(5);
  });

  test('what stands for nothing is neutral', () => {
    const none = torch.zeros(2, 3).to(torch.bool);
    expect(masked.sum(x, 1, { mask: none }).tolist()).toEqual([0, 0]);
    expect(masked.prod(x, 1, { mask: none }).tolist()).toEqual([1, 1]);
    expect(masked.amax(x, 1, { mask: none }).tolist()).toEqual([-Infinity, -Infinity]);
    expect(masked.amin(x.to(torch.int8), 1, { mask: none }).tolist()).toEqual([127, 127]);
    expect(masked.amax(x.to(torch.uint8), 1, { mask: none }).tolist()).toEqual([0, 0]);
    expect(masked.mean(x, 1, { mask: none }).tolist()).toEqual([NaN, NaN]);
  });

  test('corrections of the variance', () => {
    approx(
      masked.var(x, 1, { mask, unbiased: false }),
      rows((t) => t.var({ correction: 0 })),
    );
    approx(
      masked.std(x, 1, { mask, correction: 0.5 }),
      rows((t) => t.var({ correction: 0.5 }).sqrt()),
    );
    expect(() => masked.var(x, 1, { unbiased: true, correction: 1 })).toThrow(
      'Only one of unbiased and correction may be given',
    );
  });

  test('integers are summed as int64 and have no mean', () => {
    const i = x.to(torch.int32);
    expect(masked.sum(i, 1, { mask }).dtype).toBe(torch.int64);
    expect(() => masked.mean(i, { mask })).toThrow('mean(): Could not infer output dtype.');
  });

  test('a mask of fewer dimensions is broadcast, one of more refused', () => {
    const columns = torch.tensor([true, false, true]);
    expect(masked.sum(x, 1, { mask: columns }).tolist()).toEqual([5, -1.5]);
    expect(() => masked.sum(x, { mask: torch.ones(1, 2, 3) })).toThrow(
      'got mask dimensionality higher than of the input',
    );
    expect(() => masked.sum(x, [0, 0])).toThrow('appears multiple times in the list of dims');
  });

  test('gradients are zero where the mask is false', () => {
    const leaf = x.clone().requiresGrad_();
    masked.mean(leaf, { mask }).backward();
    expect(leaf.grad!.tolist()).toEqual([
      [0.25, 0, 0.25],
      [0, 0.25, 0.25],
    ]);
  });
});

describe('operations that keep the sizes', () => {
  test('softmax and its relatives', () => {
    const left = (t: Tensor): unknown => t.index(mask).tolist();
    const soft = torch.cat(kept.map((t) => t.softmax(0)));
    expect(left(masked.softmax(x, 1, { mask }))).toEqual(soft.tolist());
    expect(left(masked.logSoftmax(x, 1, { mask }))).toEqual(torch.cat(kept.map((t) => t.logSoftmax(0))).tolist());
    expect(left(masked.softmin(x, 1, { mask }))).toEqual(torch.cat(kept.map((t) => t.neg().softmax(0))).tolist());
    expect(masked.softmax(x, 1, { mask }).index(mask.logicalNot()).tolist()).toEqual([0, 0]);
  });
  test('running sums and products', () => {
    expect(masked.cumsum(x, 1, { mask }).tolist()).toEqual([
      [3, 3, 5],
      [0, 4, 2],
    ]);
    expect(masked.cumprod(x, 1, { mask }).tolist()).toEqual([
      [3, 3, 6],
      [1, 4, -8],
    ]);
  });
  test('normalize divides by the norm of what is left', () => {
    const y = masked.normalize(x, 1, 1, { mask });
    expect(y.tolist()).toEqual([
      [0.6, 0, 0.4],
      [0, expect.closeTo(2 / 3, 12), expect.closeTo(-1 / 3, 12)],
    ]);
  });
  test('logaddexp with a mask for each', () => {
    const y = masked.logaddexp(x, x, { inputMask: mask, otherMask: mask.logicalNot() });
    expect(torch.allclose(y, x)).toBe(true);
  });
});
