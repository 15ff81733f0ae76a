// An encoder that leaves out padded places: what is seen of it, and when.
import torch, { nn, type Tensor } from 'flambeau';
import { thrown } from './module_support';

const encoder = (options: Record<string, unknown> = {}, more: Record<string, unknown> = {}): nn.TransformerEncoder => {
  torch.manualSeed(2);
  const layer = new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16, batchFirst: true, ...options });
  return new nn.TransformerEncoder(layer, 2, more);
};
const x = (): Tensor => {
  torch.manualSeed(3);
  return torch.randn(3, 5, 8);
};
const paddingOf = (lengths: number[]): Tensor => torch.arange(5).ge(torch.tensor(lengths).view(lengths.length, 1));
/** Which places of the result are zero altogether. */
const zeros = (y: Tensor): number[][] => y.eq(0).all(2).to(torch.int64).tolist() as number[][];

test.each([[[5, 3, 1]], [[2, 0, 4]], [[0, 0, 0]]])(
  'lengths %j: padded places are zero, the others as ever',
  (lengths) => {
    const model = encoder().eval();
    const srcKeyPaddingMask = paddingOf(lengths);
    const packed = torch.noGrad(() => model(x(), { srcKeyPaddingMask }));
    expect(zeros(packed)).toEqual(srcKeyPaddingMask.to(torch.int64).tolist());
    // With gradients the same model keeps all places.
    const whole = model(x(), { srcKeyPaddingMask });
    const there = srcKeyPaddingMask.logicalNot().unsqueeze(2);
    expect(torch.allclose(packed, torch.where(there, whole.detach(), 0), { atol: 1e-5 })).toBe(true);
  },
);

test('a mask of numbers will do, and the norm follows', () => {
  const norm = new nn.LayerNorm(8);
  torch.noGrad(() => norm.bias!.fill_(2));
  const model = encoder({ activation: 'gelu' }, { norm }).eval();
  const srcKeyPaddingMask = torch.zeros(3, 5).maskedFill(paddingOf([5, 3, 1]), -Infinity);
  const y = torch.noGrad(() => model(x(), { srcKeyPaddingMask }));
  expect(y.index(2, 4).tolist()).toEqual(new Array<number>(8).fill(2));
});

describe('all places are kept', () => {
  const lengths = paddingOf([5, 3, 1]);
  const between = lengths.clone();
  between.index(1).index(0).fill_(true);
  const cases: [string, nn.TransformerEncoder, Record<string, Tensor>][] = [
    ['in training', encoder({ dropout: 0 }), { srcKeyPaddingMask: lengths }],
    ['when it is not wanted', encoder({}, { enableNestedTensor: false }).eval(), { srcKeyPaddingMask: lengths }],
    ['with padding in between', encoder().eval(), { srcKeyPaddingMask: between }],
    ['with another mask', encoder().eval(), { srcKeyPaddingMask: lengths, mask: torch.zeros(5, 5).to(torch.bool) }],
    ['without a bias', encoder({ bias: false }).eval(), { srcKeyPaddingMask: lengths }],
  ];
  test.each(cases)('%s', (_why, model, options) => {
    const y = torch.noGrad(() => model(x(), options));
    expect(zeros(y).flat()).not.toContain(1);
  });
  test('with a hook, which sees whole batches', () => {
    const model = encoder().eval();
    const seen: number[][] = [];
    (model.layers.get(1) as nn.TransformerEncoderLayer).linear1.registerForwardHook((_m, _args, out) => {
      seen.push([...(out as Tensor).shape]);
    });
    torch.noGrad(() => model(x(), { srcKeyPaddingMask: lengths }));
    expect(seen).toEqual([[3, 5, 16]]);
  });
});

test('without the check, as many places count as are not padded', () => {
  const model = encoder({}, { maskCheck: false }).eval();
  const between = paddingOf([5, 5, 5]);
  between.index(1).index(0).fill_(true);
  const y = torch.noGrad(() => model(x(), { srcKeyPaddingMask: between }));
  expect(zeros(y)[1]).toEqual([0, 0, 0, 0, 1]);
});

test('which layers allow it', () => {
  expect(encoder().useNestedTensor).toBe(true);
  expect(encoder({ activation: new nn.ReLU() }).useNestedTensor).toBe(true);
  for (const options of [{ normFirst: true }, { batchFirst: false }, { bias: false }, { activation: torch.tanh }]) {
    expect(encoder(options).useNestedTensor).toBe(false);
    expect(encoder(options).enableNestedTensor).toBe(true);
  }
});

test('a padding mask that does not fit is refused', () => {
  const model = encoder().eval();
  const call = (): unknown => torch.noGrad(() => model(x(), { srcKeyPaddingMask: torch.zeros(3, 4).to(torch.bool) }));
  expect(thrown(call)?.type).toBe('RuntimeError');
});
