// Recurrent networks: cells, and layers of cells over time. The input's share of all gates is one product for all times.
import { grad } from '../../autograd/backward.js';
import { float32, float64 } from '../../core/dtype.js';
import { add, mul, sub } from '../../ops/arithmetic.js';
import { relu, sigmoid, tanh } from '../../ops/activation.js';
import { cat } from '../../ops/join.js';
import { linear } from '../../ops/matmul.js';
import { select } from '../../ops/view.js';
import type { Tensor } from '../../tensor/tensor.js';
import { dropoutOf } from './dropout.js';
import { reshaped, sliceDim } from '../../ops/internal/view.js';
import { recurrentLayer } from '../../ops/rnn.js';

export type Mode = 'RNN_TANH' | 'RNN_RELU' | 'LSTM' | 'GRU';
/** A cell's state: [h], or [h, c] for LSTM. */
export type State = Tensor[];

/** The parameters of one layer and direction. */
export interface Weights {
  ih: Tensor;
  hh: Tensor;
  biasIh: Tensor | null;
  biasHh: Tensor | null;
  /** The projection of an LSTM's hidden state; null for none. */
  hr: Tensor | null;
}

/** Part k of n equal parts of the last dimension. */
function part(x: Tensor, k: number, width: number): Tensor {
  return sliceDim(x, -1, k * width, (k + 1) * width, 1);
}

/** Hochreiter and Schmidhuber (1997): gates in the order input, forget, cell, output. x: [B, 4 H] with the input's share. */
function lstmStep(x: Tensor, [h, c]: State, w: Weights): State {
  const gates = add.impl(x, linear.impl(h!, w.hh, w.biasHh), 1);
  const width = c!.size(-1);
  const keep = sigmoid.impl(part(gates, 1, width));
  const write = mul.impl(sigmoid.impl(part(gates, 0, width)), tanh.impl(part(gates, 2, width)));
  const cell = add.impl(mul.impl(keep, c!), write, 1);
  const out = mul.impl(sigmoid.impl(part(gates, 3, width)), tanh.impl(cell));
  return [w.hr === null ? out : linear.impl(out, w.hr, null), cell];
}

/** Cho et al. (2014): gates in the order reset, update, new; the reset gate acts on the product with the hidden state. */
function gruStep(x: Tensor, [h]: State, w: Weights): State {
  const own = linear.impl(h!, w.hh, w.biasHh);
  const width = h!.size(-1);
  const gate = (k: number): Tensor => sigmoid.impl(add.impl(part(x, k, width), part(own, k, width), 1));
  const fresh = tanh.impl(add.impl(part(x, 2, width), mul.impl(gate(0), part(own, 2, width)), 1));
  return [add.impl(fresh, mul.impl(gate(1), sub.impl(h!, fresh, 1)), 1)];
}

const rnnStep =
  (activation: typeof tanh) =>
  (x: Tensor, [h]: State, w: Weights): State => [activation.impl(add.impl(x, linear.impl(h!, w.hh, w.biasHh), 1))];

const STEPS: Record<Mode, (x: Tensor, state: State, w: Weights) => State> = {
  LSTM: lstmStep,
  GRU: gruStep,
  RNN_TANH: rnnStep(tanh),
  RNN_RELU: rnnStep(relu),
};

/** One step of a cell. input: [B, in]; state: [B, H] each. */
export function cellStep(mode: Mode, input: Tensor, state: State, w: Weights): State {
  return STEPS[mode](linear.impl(input, w.ih, w.biasIh), state, w);
}

/** Whether a layer runs as one operation: longer sequences of the types that have kernels, without a projection. */
function isFused(input: Tensor, times: number, rows: number, w: Weights): boolean {
  const type = input.dtype === float32 || input.dtype === float64;
  // Packing the weights costs what a few steps do.
  return type && times > 2 && rows > 0 && w.hr === null && w.hh.dtype === input.dtype;
}

/** One direction of one layer as one operation. input: [total, in] */
function runFused(
  mode: Mode,
  input: Tensor,
  sizes: readonly number[],
  state: State,
  w: Weights,
  reverse: boolean,
): [Tensor, State] {
  const [y, ...end] = recurrentLayer(input, state, w, { mode, reverse, sizes }, (inputs, given, needs) => {
    // The same step by step, from aliases: what leads to the inputs themselves is not for this node to differentiate.
    const own = inputs.map((t) => (t === null ? null : t.viewAs(t)));
    const [x, ih, hh, biasIh, biasHh, ...s] = own as [
      Tensor,
      Tensor,
      Tensor,
      Tensor | null,
      Tensor | null,
      ...Tensor[],
    ];
    const [out, last] = runPacked(mode, x, sizes, s, { ih, hh, biasIh, biasHh, hr: null }, reverse);
    const results = [out, ...last].filter((_, i) => given[i] !== null && given[i] !== undefined);
    const wanted = own.filter((_, i) => needs[i]) as Tensor[];
    const gradients = grad(results, wanted, {
      gradOutputs: given.filter((g) => g !== null && g !== undefined),
      createGraph: true,
      allowUnused: true,
    });
    let at = 0;
    return own.map((_, i) => (needs[i] ? gradients[at++]! : null));
  });
  return [y!, end];
}

/** A padded batch: one direction over all times. input: [T, B, in] */
function runPadded(mode: Mode, input: Tensor, state: State, w: Weights, reverse: boolean): [Tensor, State] {
  const [times, batch, width] = input.shape as [number, number, number];
  if (isFused(input, times, batch, w)) {
    const sizes = new Array<number>(times).fill(batch);
    const [y, end] = runFused(mode, reshaped(input, [times * batch, width]), sizes, state, w, reverse);
    return [reshaped(y, [times, batch, y.shape[1]!]), end];
  }
  const step = STEPS[mode];
  const gates = linear.impl(input, w.ih, w.biasIh);
  const outputs = new Array<Tensor>(times);
  let now = state;
  for (let i = 0; i < times; i++) {
    const t = reverse ? times - 1 - i : i;
    now = step(select.impl(gates, 0, t), now, w);
    outputs[t] = now[0]!.unsqueeze(0);
  }
  return [cat.impl(outputs, 0), now];
}

const rows = (x: Tensor, from: number, to: number): Tensor => sliceDim(x, 0, from, to, 1);

/** A packed batch: at each time the sequences that are still running. input: [total, in] */
function runPacked(
  mode: Mode,
  input: Tensor,
  sizes: readonly number[],
  state: State,
  w: Weights,
  reverse: boolean,
): [Tensor, State] {
  const step = STEPS[mode];
  const gates = linear.impl(input, w.ih, w.biasIh);
  const starts: number[] = [];
  sizes.reduce((at, n) => {
    starts.push(at);
    return at + n;
  }, 0);
  const outputs = new Array<Tensor>(sizes.length);
  let now: State;
  if (reverse) {
    // Sequences join as time goes back: the longest come first.
    let running = sizes[sizes.length - 1]!;
    now = state.map((s) => rows(s, 0, running));
    for (let t = sizes.length - 1; t >= 0; t--) {
      const n = sizes[t]!;
      if (n > running) {
        const from = running;
        now = now.map((s, k) => cat.impl([s, rows(state[k]!, from, n)], 0));
        running = n;
      }
      now = step(rows(gates, starts[t]!, starts[t]! + n), now, w);
      outputs[t] = now[0]!;
    }
    return [cat.impl(outputs, 0), now];
  }
  now = state;
  const ended: State[] = [];
  for (let t = 0; t < sizes.length; t++) {
    const n = sizes[t]!;
    const running = now[0]!.shape[0]!;
    if (n < running) {
      ended.push(now.map((s) => rows(s, n, running)));
      now = now.map((s) => rows(s, 0, n));
    }
    now = step(rows(gates, starts[t]!, starts[t]! + n), now, w);
    outputs[t] = now[0]!;
  }
  ended.reverse();
  const last = now.map((s, k) => (ended.length === 0 ? s : cat.impl([s, ...ended.map((e) => e[k]!)], 0)));
  return [cat.impl(outputs, 0), last];
}

export interface RunOptions {
  mode: Mode;
  /** One entry per layer and direction. */
  weights: readonly Weights[];
  bidirectional: boolean;
  /** Between layers; 0 for none. */
  dropout: number;
  /** How many sequences run at each time, for packed input; null for padded. */
  sizes: readonly number[] | null;
}

/**
 * All layers and directions.
 * @param input [T, B, in], or packed [total, in].
 * @param state [h] or [h, c]: [layers * directions, B, H] each.
 * @returns the last layer's outputs, and the final states in the shape of the given ones.
 */
export function runLayers(input: Tensor, state: State, o: RunOptions): [Tensor, State] {
  const directions = o.bidirectional ? 2 : 1;
  const layers = o.weights.length / directions;
  const finals: State[] = [];
  let x = input;
  for (let layer = 0; layer < layers; layer++) {
    const outputs: Tensor[] = [];
    for (let d = 0; d < directions; d++) {
      const at = layer * directions + d;
      const start = state.map((s) => select.impl(s, 0, at));
      const w = o.weights[at]!;
      const reverse = d === 1;
      const [y, end] =
        o.sizes === null
          ? runPadded(o.mode, x, start, w, reverse)
          : isFused(x, o.sizes.length, o.sizes[0]!, w)
            ? runFused(o.mode, x, o.sizes, start, w, reverse)
            : runPacked(o.mode, x, o.sizes, start, w, reverse);
      outputs.push(y);
      finals.push(end);
    }
    x = outputs.length === 1 ? outputs[0]! : cat.impl(outputs, -1);
    if (o.dropout > 0 && layer < layers - 1) x = dropoutOf(x, o.dropout);
  }
  const stacked = state.map((_, k) =>
    cat.impl(
      finals.map((f) => f[k]!.unsqueeze(0)),
      0,
    ),
  );
  return [x, stacked];
}
