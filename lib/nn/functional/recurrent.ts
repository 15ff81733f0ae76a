// Recurrent networks: cells, and layers of cells over time. The input's share of all gates is one product for all times.
import { add, mul, sub } from '../../ops/arithmetic.js';
import { relu, sigmoid, tanh } from '../../ops/activation.js';
import { cat } from '../../ops/join.js';
import { linear } from '../../ops/matmul.js';
import { select } from '../../ops/view.js';
import type { Tensor } from '../../tensor/tensor.js';
import { dropoutOf } from './dropout.js';
import { sliceDim } from '../../ops/internal/view.js';

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

/** A padded batch: one direction over all times. input: [T, B, in] */
function runPadded(mode: Mode, input: Tensor, state: State, w: Weights, reverse: boolean): [Tensor, State] {
  const step = STEPS[mode];
  const gates = linear.impl(input, w.ih, w.biasIh);
  const times = input.shape[0]!;
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
      const [y, end] =
        o.sizes === null ? runPadded(o.mode, x, start, w, d === 1) : runPacked(o.mode, x, o.sizes, start, w, d === 1);
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
