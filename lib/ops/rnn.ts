// One direction of one recurrent layer over all times as a single operation: the input's share of all gates is one
// product, and so are the gradients of the weights; only the hidden state's share goes step by step.
import { type Needs, needsGrad, record } from '../autograd/graph.js';
import { gradMode, unrecorded } from '../autograd/mode.js';
import { nativeOp } from '../native/addon.js';
import { invokeMany } from '../tensor/invoke.js';
import { release } from '../tensor/memory.js';
import type { Tensor } from '../tensor/tensor.js';
import { add } from './arithmetic.js';
import { indexSelect } from './index_along.js';
import { sliceDim } from './internal/view.js';
import { cat } from './join.js';
import { tensor } from './creation.js';
import { linear, matmul } from './matmul.js';
import { sum } from './reduce.js';

const RNN = nativeOp('rnn');
const RNN_BACKWARD = nativeOp('rnn_backward');

/** The modes in the order of native/kernels/rnn.h. */
const MODES = ['RNN_TANH', 'RNN_RELU', 'LSTM', 'GRU'] as const;
export type RecurrentMode = (typeof MODES)[number];

/** A layer's parameters: [G H, in], [G H, H], [G H] each or null. */
export interface RecurrentWeights {
  ih: Tensor;
  hh: Tensor;
  biasIh: Tensor | null;
  biasHh: Tensor | null;
}

/** What a sequence is, beside its numbers. */
export interface RecurrentSettings {
  mode: RecurrentMode;
  reverse: boolean;
  /** How many rows each time has: they are the first ones of the batch, and never more than at the time before. */
  sizes: readonly number[];
}

/**
 * Gradients by recorded operations: of the inputs (input, ih, hh, biasIh, biasHh and the states) from those of the results.
 */
export type RecordedGradients = (
  inputs: readonly (Tensor | null)[],
  gradients: readonly (Tensor | null)[],
  needs: Needs,
) => (Tensor | null)[];

const rowsOf = (x: Tensor, from: number, to: number): Tensor => sliceDim(x, 0, from, to, 1);

/** The rows of [total, H] that hold the batch's last states, in order. */
function lastRows(x: Tensor, { reverse, sizes }: RecurrentSettings): Tensor {
  const batch = sizes[0]!;
  const last = sizes.length - 1;
  if (reverse) return rowsOf(x, 0, batch).clone();
  if (sizes[last] === batch) return rowsOf(x, last * batch, (last + 1) * batch).clone();
  const index = new Array<number>(batch);
  let start = 0;
  sizes.forEach((n, t) => {
    for (let b = t === last ? 0 : sizes[t + 1]!; b < n; b++) index[b] = start + b;
    start += n;
  });
  return indexSelect.impl(x, 0, tensor(index.map(BigInt)));
}

/** The bias that joins the input's product, and that of GRU's new gate, which the reset gate acts on. */
function splitBias(mode: RecurrentMode, hidden: number, w: RecurrentWeights): [Tensor | null, Tensor | null] {
  const { biasIh, biasHh } = w;
  if (biasHh === null) return [biasIh, null];
  if (mode !== 'GRU') return [biasIh === null ? biasHh : add.impl(biasIh, biasHh, 1), null];
  const gates = cat.impl([rowsOf(biasHh, 0, 2 * hidden), biasHh.newZeros([hidden])], 0);
  return [biasIh === null ? gates : add.impl(biasIh, gates, 1), rowsOf(biasHh, 2 * hidden, 3 * hidden)];
}

/** The result, what backward needs of the gates, LSTM's cell states, and the last state. */
function advance(input: Tensor, state: readonly Tensor[], w: RecurrentWeights, at: RecurrentSettings) {
  const { mode, reverse, sizes } = at;
  const [bias, newBias] = splitBias(mode, w.hh.shape[1]!, w);
  const shares = linear.impl(input, w.ih, bias);
  const made = invokeMany(RNN, MODES.indexOf(mode), reverse, sizes, w.hh, newBias, state[0]!, state[1] ?? null, shares);
  release(shares);
  const [y, gates, more = null] = made as [Tensor, Tensor, Tensor?];
  const last = mode === 'LSTM' ? [lastRows(y, at), lastRows(more!, at)] : [lastRows(y, at)];
  return [y, gates, more, last] as const;
}

/**
 * One direction of one layer.
 * @param input [total, in] @param state [h] or [h, c], [batch, H] each.
 * @param again what backward runs when its own derivatives are wanted.
 * @returns y [total, H], the final h, and for LSTM the final c.
 */
export function recurrentLayer(
  input: Tensor,
  state: readonly Tensor[],
  w: RecurrentWeights,
  at: RecurrentSettings,
  again: RecordedGradients,
): Tensor[] {
  const { mode, reverse, sizes } = at;
  const hidden = w.hh.shape[1]!;
  const lstm = mode === 'LSTM';
  const id = MODES.indexOf(mode);
  const inputs = [input, w.ih, w.hh, w.biasIh, w.biasHh, ...state];
  const count = inputs.length;
  // The pieces of the forward pass are no operations of the graph: they make one node.
  const [y, gates, more, last] = unrecorded(advance, input, state, w, at);
  const results = [y, ...last];
  if (!needsGrad(...inputs)) {
    release(gates);
    if (more !== null) release(more);
    return results;
  }
  record(
    'RecurrentLayerBackward0',
    results,
    inputs,
    [...inputs, y, gates, more],
    (given, saved, needs) => {
      const own = saved.slice(0, count);
      if (gradMode) return again(own, given, needs);
      const [y0, gates0, more0] = saved.slice(count) as [Tensor, Tensor, Tensor | null];
      const [x, ih, hh, , biasHh, h0, c0 = null] = own as [
        Tensor,
        Tensor,
        Tensor,
        Tensor,
        Tensor | null,
        Tensor,
        Tensor?,
      ];
      const newBias = mode === 'GRU' && biasHh !== null ? rowsOf(biasHh, 2 * hidden, 3 * hidden) : null;
      const gy = given[0] ?? y0.newZeros([...y0.shape]);
      const passed = [gates0, y0, more0, gy, given[1] ?? null, given[2] ?? null];
      const made = invokeMany(RNN_BACKWARD, id, reverse, sizes, hh, newBias, h0, c0, ...passed);
      const [g, gh0, before, extra] = made as [Tensor, Tensor, Tensor, Tensor?];
      // The reset gate of GRU acts on the hidden state's share alone; elsewhere both shares have one gradient.
      const gHidden = mode === 'GRU' ? extra! : g;
      const gBias = needs[3] || (needs[4] && gHidden === g) ? sum(g, [0]) : null;
      return [
        needs[0] ? matmul.impl(g, ih) : null,
        needs[1] ? matmul.impl(g.t(), x) : null,
        needs[2] ? matmul.impl(gHidden.t(), before) : null,
        gBias,
        needs[4] && gHidden !== g ? sum(gHidden, [0]) : gBias,
        gh0,
        ...(lstm ? [extra!] : []),
      ];
    },
    { temporaries: more === null ? [gates] : [gates, more] },
  );
  return results;
}
