// Recurrent layers as one operation against the cells run step by step, which the recorded values of layers.json cover.
import torch, { autograd, type DType, nn, type Tensor } from 'flambeau';
import { output, runCode } from '../native/process';

type Kind = 'LSTM' | 'GRU' | 'RNN' | 'relu';
type Layer = (nn.LSTM | nn.GRU | nn.RNN) & { bias: boolean };
interface Setup {
  kind: Kind;
  inputSize: number;
  hidden: number;
  layers?: number;
  bidirectional?: boolean;
  bias?: boolean;
  batchFirst?: boolean;
}
const parameterOf = (layer: nn.Module, name: string): Tensor => (layer as unknown as Record<string, Tensor>)[name]!;

function layerOf({ kind, inputSize, hidden, ...s }: Setup, dtype: DType): Layer {
  const options = {
    numLayers: s.layers ?? 1,
    bidirectional: s.bidirectional ?? false,
    bias: s.bias ?? true,
    batchFirst: s.batchFirst ?? false,
    dtype,
  };
  if (kind === 'LSTM') return new nn.LSTM(inputSize, hidden, options);
  if (kind === 'GRU') return new nn.GRU(inputSize, hidden, options);
  return new nn.RNN(inputSize, hidden, { ...options, nonlinearity: kind === 'relu' ? 'relu' : 'tanh' });
}

/** One step by its definition; x: [B, in], state: [B, H] each. */
function cell(kind: Kind, x: Tensor, state: Tensor[], layer: Layer, tail: string): Tensor[] {
  const share = (of: Tensor, name: string): Tensor => {
    const y = of.matmul(parameterOf(layer, `weight_${name}_${tail}`).t());
    return layer.bias ? y.add(parameterOf(layer, `bias_${name}_${tail}`)) : y;
  };
  const [a, b] = [share(x, 'ih'), share(state[0]!, 'hh')];
  if (kind === 'RNN') return [a.add(b).tanh()];
  if (kind === 'relu') return [a.add(b).relu()];
  if (kind === 'LSTM') {
    const [i, f, g, o] = a.add(b).chunk(4, 1) as [Tensor, Tensor, Tensor, Tensor];
    const c = f.sigmoid().mul(state[1]!).add(i.sigmoid().mul(g.tanh()));
    return [o.sigmoid().mul(c.tanh()), c];
  }
  const [ar, az, an] = a.chunk(3, 1) as [Tensor, Tensor, Tensor];
  const [br, bz, bn] = b.chunk(3, 1) as [Tensor, Tensor, Tensor];
  const n = an.add(ar.add(br).sigmoid().mul(bn)).tanh();
  const z = az.add(bz).sigmoid();
  return [n.add(z.mul(state[0]!.sub(n)))];
}

/** The whole by its definition, sequence by sequence. x: [T, B, in]; lengths of the sequences; state: [layers, B, H]. */
function defined(s: Setup, layer: Layer, x: Tensor, lengths: number[], state: Tensor[]): [Tensor[], Tensor[][]] {
  const directions = s.bidirectional ? 2 : 1;
  const ends: Tensor[][] = state.map(() => []);
  let inputs = lengths.map((n, b) => x.index(torch.slice(0, n), torch.slice(b, b + 1)));
  for (let l = 0; l < (s.layers ?? 1); l++) {
    const outputs: Tensor[][] = lengths.map(() => []);
    for (let d = 0; d < directions; d++) {
      const at = l * directions + d;
      const last = lengths.map((n, b) => {
        let now = state.map((h) => h.index(at, torch.slice(b, b + 1)));
        const steps = new Array<Tensor>(n);
        for (let k = 0; k < n; k++) {
          const t = d === 1 ? n - 1 - k : k;
          now = cell(s.kind, inputs[b]!.index(t), now, layer, `l${l}${d === 1 ? '_reverse' : ''}`);
          steps[t] = now[0]!;
        }
        outputs[b]!.push(torch.stack(steps));
        return now;
      });
      state.forEach((_, k) => {
        ends[k]!.push(torch.cat(last.map((now) => now[k]!)));
      });
    }
    inputs = outputs.map((list) => torch.cat(list, 2));
  }
  return [inputs, ends];
}

const count = (kind: Kind): number => (kind === 'LSTM' ? 2 : 1);
function run(
  layer: Layer,
  x: Tensor | nn.utils.rnn.PackedSequence,
  state: Tensor[],
): [Tensor | nn.utils.rnn.PackedSequence, Tensor[]] {
  const hx = state.length === 2 ? state : state[0]!;
  const [y, end] = (layer as unknown as (a: unknown, b: unknown) => [Tensor, Tensor | Tensor[]])(x, hx);
  return [y, Array.isArray(end) ? end : [end]];
}
function close(found: Tensor, expected: Tensor, tolerance: number): void {
  expect([...found.shape]).toEqual([...expected.shape]);
  const largest = Math.max(1, Number(expected.abs().max().item()));
  expect(Number(found.sub(expected).abs().max().item()) / largest).toBeLessThan(tolerance);
}
/** Gradients of the input, the states and all parameters of a weighted sum of everything that came out. */
function gradients(layer: Layer, results: Tensor[], inputs: Tensor[]): Tensor[] {
  const loss = results.reduce(
    (sum, r) =>
      sum.add(
        r
          .mul(
            torch
              .arange(r.numel())
              .to(r.dtype)
              .sin()
              .reshape([...r.shape]),
          )
          .sum(),
      ),
    torch.zeros([], { dtype: results[0]!.dtype }),
  );
  return autograd.grad(loss, [...inputs, ...layer.parameters()]);
}

const setups: Setup[] = (['LSTM', 'GRU', 'RNN', 'relu'] as const).flatMap((kind) => [
  { kind, inputSize: 3, hidden: 1 },
  { kind, inputSize: 5, hidden: 16 },
  { kind, inputSize: 4, hidden: 37, bidirectional: true },
  { kind, inputSize: 6, hidden: 9, layers: 2, bidirectional: true, batchFirst: true },
  { kind, inputSize: 3, hidden: 130, bias: false },
]);
const shapes = [
  [4, 1],
  [5, 3],
  [3, 60],
] as const;

describe.each([
  [torch.float32, 2e-4],
  [torch.float64, 1e-11],
] as [DType, number][])('%s', (dtype, tolerance) => {
  test.each(setups)('%j is its definition', (s) => {
    for (const [times, batch] of shapes) {
      torch.manualSeed(1);
      const layer = layerOf(s, dtype);
      const rows = (s.layers ?? 1) * (s.bidirectional ? 2 : 1);
      const x = torch.randn(times, batch, s.inputSize, { dtype, requiresGrad: true });
      const state = Array.from({ length: count(s.kind) }, () =>
        torch.randn(rows, batch, s.hidden, { dtype, requiresGrad: true }),
      );
      const [y, end] = run(layer, s.batchFirst ? x.transpose(0, 1) : x, state) as [Tensor, Tensor[]];
      const [steps, ends] = defined(s, layer, x, new Array<number>(batch).fill(times), state);
      const expected = [torch.cat(steps, 1), ...ends.map((list) => torch.stack(list))];
      const found = [s.batchFirst ? y.transpose(0, 1) : y, ...end];
      found.forEach((t, i) => {
        close(t, expected[i]!, tolerance);
      });
      const [a, b] = [gradients(layer, found, [x, ...state]), gradients(layer, expected, [x, ...state])];
      a.forEach((g, i) => {
        close(g, b[i]!, tolerance);
      });
      const unrecorded = torch.noGrad(() => run(layer, s.batchFirst ? x.transpose(0, 1) : x, state)) as [
        Tensor,
        Tensor[],
      ];
      expect(torch.equal(unrecorded[0], y.detach())).toBe(true);
    }
  });

  test.each(setups)('%j on a packed batch', (s) => {
    torch.manualSeed(2);
    const layer = layerOf({ ...s, batchFirst: false }, dtype);
    const lengths = [2, 6, 4, 6, 1];
    const rows = (s.layers ?? 1) * (s.bidirectional ? 2 : 1);
    const x = torch.randn(6, 5, s.inputSize, { dtype, requiresGrad: true });
    const state = Array.from({ length: count(s.kind) }, () =>
      torch.randn(rows, 5, s.hidden, { dtype, requiresGrad: true }),
    );
    const packed = nn.utils.rnn.packPaddedSequence(x, torch.tensor(lengths.map(BigInt)), { enforceSorted: false });
    const [y, end] = run(layer, packed, state) as [nn.utils.rnn.PackedSequence, Tensor[]];
    const [padded] = nn.utils.rnn.padPackedSequence(y) as [Tensor, Tensor];
    const [steps, ends] = defined({ ...s, batchFirst: false }, layer, x, lengths, state);
    const fillUp = (t: Tensor): Tensor => torch.cat([t, t.newZeros([6 - t.size(0), 1, t.size(2)])], 0);
    const expected = [torch.cat(steps.map(fillUp), 1), ...ends.map((list) => torch.stack(list))];
    const found = [padded, ...end];
    found.forEach((t, i) => {
      close(t, expected[i]!, tolerance);
    });
    const [a, b] = [gradients(layer, found, [x, ...state]), gradients(layer, expected, [x, ...state])];
    a.forEach((g, i) => {
      close(g, b[i]!, tolerance);
    });
  });
});

describe('derivatives', () => {
  const kinds: Kind[] = ['LSTM', 'GRU', 'RNN', 'relu'];
  test.each(kinds)('first and second of %s', (kind) => {
    torch.manualSeed(3);
    const layer = layerOf({ kind, inputSize: 2, hidden: 2, bidirectional: kind === 'RNN' }, torch.float64);
    const rows = kind === 'RNN' ? 2 : 1;
    const x = torch.randn(3, 2, 2, { dtype: torch.float64, requiresGrad: true });
    const state = Array.from({ length: count(kind) }, () =>
      torch.randn(rows, 2, 2, { dtype: torch.float64, requiresGrad: true }),
    );
    const given = [x, ...state, ...layer.parameters()];
    // The parameters take part through the layer, which holds those very tensors.
    const call = (...t: Tensor[]): Tensor[] => {
      const [y, end] = run(layer, t[0]!, t.slice(1, 1 + state.length)) as [Tensor, Tensor[]];
      return [y, ...end];
    };
    expect(autograd.gradcheck(call, given)).toBe(true);
    expect(autograd.gradgradcheck(call, given)).toBe(true);
  });
  test('weights that the input comes from do not count twice', () => {
    torch.manualSeed(4);
    const layer = layerOf({ kind: 'RNN', inputSize: 3, hidden: 3 }, torch.float64);
    const weight = parameterOf(layer, 'weight_hh_l0');
    const x = torch.randn(3, 1, 3, { dtype: torch.float64 });
    const call = (): Tensor =>
      (run(layer, x.matmul(weight), [torch.zeros(1, 1, 3, { dtype: torch.float64 })])[0] as Tensor).pow(2).sum();
    const [plain] = autograd.grad(call(), weight);
    const [recorded] = autograd.grad(call(), weight, { createGraph: true });
    close(recorded!.detach(), plain!, 1e-12);
  });
  test.each(kinds)('of the final state of %s alone', (kind) => {
    torch.manualSeed(5);
    const layer = layerOf({ kind, inputSize: 2, hidden: 3 }, torch.float64);
    const x = torch.randn(4, 2, 2, { dtype: torch.float64, requiresGrad: true });
    const state = Array.from({ length: count(kind) }, () => torch.randn(1, 2, 3, { dtype: torch.float64 }));
    const call = (a: Tensor): Tensor => run(layer, a, state)[1].at(-1)!;
    expect(autograd.gradcheck(call, [x])).toBe(true);
  });
});

test('dropout between layers is drawn in training alone', () => {
  torch.manualSeed(6);
  const layer = new nn.LSTM(4, 5, { numLayers: 2, dropout: 0.5 });
  const x = torch.randn(6, 2, 4);
  const once = layer(x)[0];
  expect(torch.equal(layer(x)[0], once)).toBe(false);
  layer.eval();
  expect(torch.equal(layer(x)[0], layer(x)[0])).toBe(true);
});

test('every instruction set gives the same, on one thread and on several', () => {
  const code = `
    const t = torch(); const all = [];
    for (const kind of ['LSTM', 'GRU', 'RNN']) {
      for (const [hidden, batch, dtype] of [[70, 7, t.float32], [33, 100, t.float64], [200, 20, t.float32]]) {
        t.manualSeed(3);
        const layer = new t.nn[kind](5, hidden, { bidirectional: true, dtype });
        const x = t.randn(9, batch, 5, { dtype, requiresGrad: true });
        const [y] = layer(x);
        y.mul(t.arange(y.numel()).reshape(y.shape).to(dtype).sin()).sum().backward();
        for (const r of [y, x.grad, ...[...layer.parameters()].map((p) => p.grad)]) {
          all.push(...r.detach().flatten().to(t.float64).tolist().filter((_, i) => i % 101 === 0));
        }
      }
    }
    console.log(JSON.stringify(all));
  `;
  const numbers = (set: string, threads: string): number[] =>
    JSON.parse(output(code, { FLAMBEAU_ISA: set, FLAMBEAU_NUM_THREADS: threads }));
  const expected = numbers('scalar', '1');
  for (const set of ['scalar', 'avx2', 'avx512', 'neon']) {
    if (runCode('addon()', { FLAMBEAU_ISA: set }).status !== 0) continue;
    for (const threads of ['1', '4']) {
      const found = numbers(set, threads);
      expect(found).toHaveLength(expected.length);
      const off = found.findIndex(
        (v, i) => !(Math.abs(v - expected[i]!) <= 1e-3 * Math.max(1, Math.abs(expected[i]!))),
      );
      expect([set, threads, off]).toEqual([set, threads, -1]);
    }
  }
});
