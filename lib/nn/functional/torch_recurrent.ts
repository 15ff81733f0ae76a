// The functions of `torch` that recurrent layers are made of: all layers over time, and single steps, on weights that are given.
import { kindOf, RuntimeError } from '../../core/errors.js';
import { fnOp } from '../../ops/define.js';
import { bind, signature } from '../../ops/signature.js';
import { asNumbers, Tensor } from '../../tensor/tensor.js';
import { cellStep, type Mode, runLayers, type State, type Weights } from './recurrent.js';

/** How many layers and directions there are, and what they do beside their weights. */
type Layers = [hasBiases: boolean, numLayers: number, dropout: number, train: boolean, bidirectional: boolean];
type Padded<S> = [input: Tensor, hx: S, params: readonly Tensor[], ...layers: Layers, batchFirst: boolean];
type Packed<S> = [data: Tensor, batchSizes: Tensor, hx: S, params: readonly Tensor[], ...layers: Layers];

const LAYERS = 'Tensor[] params, bool hasBiases, int numLayers, float dropout, bool train, bool bidirectional';

/** Sorts the list of parameters into layers and directions. */
function weightsOf(params: readonly Tensor[], count: number, hasBiases: boolean, projected: boolean): Weights[] {
  const each = 2 + (hasBiases ? 2 : 0) + (projected ? 1 : 0);
  if (params.length !== each * count) throw new RuntimeError('got an incorrect number of RNN parameters');
  return Array.from({ length: count }, (_, i) => {
    const list = params.slice(i * each, (i + 1) * each);
    const [biasIh, biasHh] = hasBiases ? [list[2]!, list[3]!] : [null, null];
    return { ih: list[0]!, hh: list[1]!, biasIh, biasHh, hr: projected ? list.at(-1)! : null };
  });
}

function recurrent(name: string, mode: Mode, state: 'Tensor' | 'Tensor[]') {
  const padded = signature(`${name}(Tensor input, ${state} hx, ${LAYERS}, bool batchFirst)`);
  const packed = signature(`${name}(Tensor data, Tensor batchSizes, ${state} hx, ${LAYERS})`);
  return (args: readonly unknown[]): Tensor[] => {
    const last = args.at(-1);
    const named = kindOf(last) === 'Object' && 'batchSizes' in (last as object);
    // What stands third is a state, or in a call for a padded batch the parameters.
    const isPacked = named || (args[1] instanceof Tensor && (state === 'Tensor[]' || args[2] instanceof Tensor));
    const bound = bind(isPacked ? packed : padded, args);
    const sizes = isPacked ? Array.from(asNumbers(bound.splice(1, 1)[0] as Tensor), Number) : null;
    const [input, hx, params, hasBiases, numLayers, dropout, train, bidirectional, batchFirst] =
      bound as Padded<unknown>;
    const given = (state === 'Tensor' ? [hx] : hx) as State;
    if (mode === 'LSTM' && given.length !== 2) throw new RuntimeError('lstm expects two hidden states');
    const ndim = isPacked ? 2 : 3;
    if (input.ndim !== ndim) throw new RuntimeError(`input must have ${ndim} dimensions, got ${input.ndim}`);
    if (given.some((s) => s.ndim !== 3)) throw new RuntimeError('hx must have 3 dimensions');
    const projected = mode === 'LSTM' && given[0]!.size(2) !== given[1]!.size(2);
    const weights = weightsOf(params, numLayers * (bidirectional ? 2 : 1), hasBiases, projected);
    const options = { mode, weights, bidirectional, dropout: train ? dropout : 0, sizes };
    const turned = !isPacked && batchFirst;
    const [y, end] = runLayers(turned ? input.transpose(0, 1) : input, given, options);
    return [turned ? y.transpose(0, 1) : y, ...end];
  };
}
const RUN = {
  gru: recurrent('gru', 'GRU', 'Tensor'),
  lstm: recurrent('lstm', 'LSTM', 'Tensor[]'),
  rnnTanh: recurrent('rnnTanh', 'RNN_TANH', 'Tensor'),
  rnnRelu: recurrent('rnnRelu', 'RNN_RELU', 'Tensor'),
};

/**
 * Layers of gated recurrent units, as `nn.GRU` computes them.
 * @param args input [T, B, in] (or [B, T, in]), hx [layers, B, H], params (of each layer and direction weight_ih, weight_hh,
 *   bias_ih, bias_hh), hasBiases, numLayers, dropout, train, bidirectional, batchFirst; or for a packed batch data [total, in],
 *   batchSizes, hx, params ... without batchFirst
 * @returns [output, hx after the last step]
 * @throws RuntimeError for another number of parameters and sizes that do not fit; TypeError for arguments that do not fit
 */
export function gru(...args: Padded<Tensor> | Packed<Tensor>): [Tensor, Tensor] {
  return RUN.gru(args) as [Tensor, Tensor];
}
/**
 * Layers of long short-term memory, as `nn.LSTM` computes them.
 * @param args as for `gru`, with hx = [h, c]; with projections h is narrower than c, and params has weight_hr behind the biases
 * @returns [output, h, c after the last step]
 * @throws RuntimeError for another number of states or parameters and sizes that do not fit; TypeError for arguments that do not
 *   fit
 */
export function lstm(...args: Padded<readonly Tensor[]> | Packed<readonly Tensor[]>): [Tensor, Tensor, Tensor] {
  return RUN.lstm(args) as [Tensor, Tensor, Tensor];
}
/**
 * Layers of Elman's network with tanh, as `nn.RNN` computes them.
 * @param args as for `gru`
 * @returns [output, hx after the last step]
 * @throws RuntimeError for another number of parameters and sizes that do not fit; TypeError for arguments that do not fit
 */
export function rnnTanh(...args: Padded<Tensor> | Packed<Tensor>): [Tensor, Tensor] {
  return RUN.rnnTanh(args) as [Tensor, Tensor];
}
/**
 * Layers of Elman's network with relu, as `nn.RNN` computes them.
 * @param args as for `gru`
 * @returns [output, hx after the last step]
 * @throws RuntimeError for another number of parameters and sizes that do not fit; TypeError for arguments that do not fit
 */
export function rnnRelu(...args: Padded<Tensor> | Packed<Tensor>): [Tensor, Tensor] {
  return RUN.rnnRelu(args) as [Tensor, Tensor];
}

type CellText = 'cell(Tensor input, Tensor hx, Tensor wIh, Tensor wHh, Tensor? bIh=None, Tensor? bHh=None)';
const cell = (name: string, mode: Mode) =>
  fnOp(
    `${name}(Tensor input, Tensor hx, Tensor wIh, Tensor wHh, Tensor? bIh=None, Tensor? bHh=None)` as CellText,
    (input: Tensor, hx: Tensor, ih: Tensor, hh: Tensor, biasIh: Tensor | null, biasHh: Tensor | null): Tensor =>
      cellStep(mode, input, [hx], { ih, hh, biasIh, biasHh, hr: null })[0]!,
  );
/**
 * One step of a gated recurrent unit, as `nn.GRUCell` computes it.
 * @param input [B, in]
 * @param hx the state before, [B, H]
 * @param wIh [3 H, in]
 * @param wHh [3 H, H]
 * @param bIh [3 H] (default null: none)
 * @param bHh [3 H] (default null: none)
 * @returns the state after, [B, H]
 * @throws RuntimeError for sizes that do not fit
 */
export const gruCell = cell('gruCell', 'GRU');
/**
 * One step of Elman's network with tanh, as `nn.RNNCell` computes it.
 * @param input [B, in]
 * @param hx the state before, [B, H]
 * @param wIh [H, in]
 * @param wHh [H, H]
 * @param bIh [H] (default null: none)
 * @param bHh [H] (default null: none)
 * @returns the state after, [B, H]
 * @throws RuntimeError for sizes that do not fit
 */
export const rnnTanhCell = cell('rnnTanhCell', 'RNN_TANH');
/**
 * One step of Elman's network with relu, as `nn.RNNCell` computes it.
 * @param input [B, in]
 * @param hx the state before, [B, H]
 * @param wIh [H, in]
 * @param wHh [H, H]
 * @param bIh [H] (default null: none)
 * @param bHh [H] (default null: none)
 * @returns the state after, [B, H]
 * @throws RuntimeError for sizes that do not fit
 */
export const rnnReluCell = cell('rnnReluCell', 'RNN_RELU');
/**
 * One step of long short-term memory, as `nn.LSTMCell` computes it.
 * @param input [B, in]
 * @param hx the states before, [h, c], of [B, H] each
 * @param wIh [4 H, in]
 * @param wHh [4 H, H]
 * @param bIh [4 H] (default null: none)
 * @param bHh [4 H] (default null: none)
 * @returns [h, c] after the step
 * @throws RuntimeError for another number of states and sizes that do not fit
 */
export const lstmCell = fnOp(
  'lstmCell(Tensor input, Tensor[] hx, Tensor wIh, Tensor wHh, Tensor? bIh=None, Tensor? bHh=None)',
  (
    input: Tensor,
    hx: readonly Tensor[],
    ih: Tensor,
    hh: Tensor,
    biasIh: Tensor | null,
    biasHh: Tensor | null,
  ): [Tensor, Tensor] => {
    if (hx.length !== 2) throw new RuntimeError('lstm_cell expects two hidden states');
    return cellStep('LSTM', input, [...hx], { ih, hh, biasIh, biasHh, hr: null }) as [Tensor, Tensor];
  },
);
