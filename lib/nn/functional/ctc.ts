// Connectionist temporal classification (Graves et al., 2006). The recursions run in double precision.
import { needsGrad, record } from '../../autograd/graph.js';
import { float64 } from '../../core/dtype.js';
import { kindOf, RuntimeError } from '../../core/errors.js';
import { div, mul } from '../../ops/arithmetic.js';
import { eq } from '../../ops/comparison.js';
import { fnOp } from '../../ops/define.js';
import { fromNested } from '../../ops/nested.js';
import { fromBytes } from '../../tensor/storage.js';
import { asNumbers, Tensor } from '../../tensor/tensor.js';
import { reduced, reductionOf } from './reduction.js';
import { cast } from '../../ops/internal/cast.js';
import { select3 } from '../../ops/internal/select.js';

/** log(exp(a) + exp(b)) */
function logAdd(a: number, b: number): number {
  const m = Math.max(a, b);
  return m === -Infinity ? m : m + Math.log(Math.exp(a - m) + Math.exp(b - m));
}

/** One sequence: its scores [T, C] inside an array, and its labels with blanks between them. */
interface Sequence {
  scores: Float64Array;
  /** Where the score of class c at time t lies: start + t * step + c. */
  start: number;
  step: number;
  times: number;
  /** blank, y1, blank, y2, .., blank */
  states: Int32Array;
}

/** Whether a path may go from state s - 2 to s: over the blank between two different labels. */
function skips(states: Int32Array, s: number): boolean {
  return s >= 2 && states[s] !== states[s - 2] && s % 2 === 1;
}

/** alpha[t, s]: the log probability of all beginnings that are in state s at time t. */
function forwards({ scores, start, step, times, states }: Sequence): Float64Array {
  const n = states.length;
  const alpha = new Float64Array(times * n).fill(-Infinity);
  if (times === 0) return alpha;
  alpha[0] = scores[start + states[0]!]!;
  if (n > 1) alpha[1] = scores[start + states[1]!]!;
  for (let t = 1; t < times; t++) {
    const now = t * n;
    const before = now - n;
    for (let s = 0; s < n; s++) {
      let sum = alpha[before + s]!;
      if (s > 0) sum = logAdd(sum, alpha[before + s - 1]!);
      if (skips(states, s)) sum = logAdd(sum, alpha[before + s - 2]!);
      alpha[now + s] = sum + scores[start + t * step + states[s]!]!;
    }
  }
  return alpha;
}

/** beta[t, s]: the log probability of all endings that are in state s at time t, with that time's own score. */
function backwards({ scores, start, step, times, states }: Sequence): Float64Array {
  const n = states.length;
  const beta = new Float64Array(times * n).fill(-Infinity);
  if (times === 0) return beta;
  const last = (times - 1) * n;
  beta[last + n - 1] = scores[start + (times - 1) * step + states[n - 1]!]!;
  if (n > 1) beta[last + n - 2] = scores[start + (times - 1) * step + states[n - 2]!]!;
  for (let t = times - 2; t >= 0; t--) {
    const now = t * n;
    const after = now + n;
    for (let s = n - 1; s >= 0; s--) {
      let sum = beta[after + s]!;
      if (s + 1 < n) sum = logAdd(sum, beta[after + s + 1]!);
      if (s + 2 < n && skips(states, s + 2)) sum = logAdd(sum, beta[after + s + 2]!);
      beta[now + s] = sum + scores[start + t * step + states[s]!]!;
    }
  }
  return beta;
}

function lossOf(sequence: Sequence): number {
  const n = sequence.states.length;
  if (sequence.times === 0) return n === 1 ? 0 : Infinity;
  const alpha = forwards(sequence);
  const last = (sequence.times - 1) * n;
  return -logAdd(alpha[last + n - 1]!, n > 1 ? alpha[last + n - 2]! : -Infinity);
}

/** d loss / d score = exp(score) - exp(log sum of alpha beta over the states of the class + loss - score). */
function gradientInto(out: Float64Array, sequence: Sequence, classes: number, loss: number): void {
  const { scores, start, step, times, states } = sequence;
  const alpha = forwards(sequence);
  const beta = backwards(sequence);
  const n = states.length;
  const sums = new Float64Array(classes);
  for (let t = 0; t < times; t++) {
    sums.fill(-Infinity);
    for (let s = 0; s < n; s++) {
      const c = states[s]!;
      sums[c] = logAdd(sums[c]!, alpha[t * n + s]! + beta[t * n + s]!);
    }
    const at = start + t * step;
    for (let c = 0; c < classes; c++) {
      const score = scores[at + c]!;
      out[at + c] = Math.exp(score) - Math.exp(sums[c]! + loss - score);
    }
  }
}

type Lengths = Tensor | readonly number[] | number;
function lengthsOf(name: string, lengths: Lengths, batch: number): number[] {
  const list =
    typeof lengths === 'number'
      ? [lengths]
      : lengths instanceof Tensor
        ? Array.from(asNumbers(lengths), Number)
        : Array.isArray(lengths)
          ? [...(lengths as readonly number[])]
          : null;
  if (list === null)
    throw new TypeError(`ctcLoss(): argument '${name}' must be a Tensor or a list of integers, not ${kindOf(lengths)}`);
  if (list.length !== batch) throw new RuntimeError(`${name} must be of size batch_size`);
  for (const n of list) {
    if (!Number.isInteger(n) || n < 0)
      throw new RuntimeError(`Expected ${name} to have value at least 0, but got value ${n}`);
  }
  return list;
}

/** The labels of each sequence: rows of a matrix, or one after the other. */
function labelsOf(targets: Tensor, lengths: readonly number[], batch: number): number[][] {
  const flat = Array.from(asNumbers(targets), Number);
  if (targets.ndim === 1) {
    const total = lengths.reduce((a, b) => a + b, 0);
    if (total !== flat.length) {
      throw new RuntimeError(
        `Expected tensor to have size ${total} at dimension 0, but got size ${flat.length} for targets in call to ctc_loss`,
      );
    }
    let at = 0;
    return lengths.map((n) => flat.slice(at, (at += n)));
  }
  if (targets.ndim !== 2 || targets.shape[0] !== batch) {
    throw new RuntimeError(
      `Expected targets of shape (${batch}, S) or 1-D targets, but got [${targets.shape.join(', ')}]`,
    );
  }
  const width = targets.shape[1]!;
  return lengths.map((n, b) => {
    if (n > width)
      throw new RuntimeError(
        `Expected tensor to have size at least ${n} at dimension 1, but got size ${width} for targets in call to ctc_loss`,
      );
    return flat.slice(b * width, b * width + n);
  });
}

/**
 * Minus the log probability of label sequences, summed over all their alignments to the time steps, which may repeat labels and
 * have blanks between them (connectionist temporal classification, Graves et al., 2006). The recursions run in double precision.
 * @param logProbs [T, N, C] or [T, C], floating-point: log probabilities (`logSoftmax`) of the classes at each time
 * @param targets [N, S], or 1-D: the labels of all sequences one after the other; integers, without blanks
 * @param inputLengths [N], at most T: a tensor, an array, or a number for one sequence
 * @param targetLengths [N]: likewise
 * @param blank the class that stands for no label (default 0)
 * @param reduction 'mean' (default; each loss by its target's length, then the mean), 'sum' or 'none'
 * @param zeroInfinity whether infinite losses (targets that are too long) and their gradients become zero (default false)
 * @returns [], or [N] ([] without a batch) with 'none'
 * @throws RuntimeError for sizes, lengths or labels that do not fit; TypeError for lengths of another kind
 */
export const ctcLoss = fnOp(
  "ctcLoss(Tensor logProbs, Tensor targets, any inputLengths, any targetLengths, int blank=0, str reduction='mean', bool zeroInfinity=False)",
  (
    logProbs: Tensor,
    targets: Tensor,
    inputLengths: Lengths,
    targetLengths: Lengths,
    blank: number,
    reduction: string,
    zeroInfinity: boolean,
  ): Tensor => {
    const how = reductionOf(null, null, reduction);
    if (!logProbs.dtype.isFloatingPoint)
      throw new RuntimeError(`"ctc_loss" not implemented for '${logProbs.dtype.name}'`);
    if (targets.dtype.isFloatingPoint || targets.dtype.isComplex) {
      throw new RuntimeError('targets must be integral');
    }
    if (logProbs.ndim !== 2 && logProbs.ndim !== 3) {
      throw new RuntimeError(`log_probs must be a tensor of 2 or 3 dimensions, got ${logProbs.ndim}`);
    }
    const batched = logProbs.ndim === 3;
    const times = logProbs.shape[0]!;
    const batch = batched ? logProbs.shape[1]! : 1;
    const classes = logProbs.shape.at(-1)!;
    if (blank < 0 || blank >= classes) throw new RuntimeError('blank must be in label range');
    const inputs = lengthsOf('input_lengths', inputLengths, batch);
    const lengths = lengthsOf('target_lengths', targetLengths, batch);
    for (const n of inputs) {
      if (n > times)
        throw new RuntimeError(
          `Expected input_lengths to have value at most ${times}, but got value ${n} (while checking arguments for ctc_loss_cpu)`,
        );
    }
    const labels = labelsOf(targets, lengths, batch);
    const step = batch * classes;
    const sequences = (scores: Float64Array): Sequence[] =>
      labels.map((list, b) => {
        const states = new Int32Array(2 * list.length + 1).fill(blank);
        list.forEach((label, i) => {
          if (label < 0 || label >= classes)
            throw new RuntimeError(`label ${label} is out of range for ${classes} classes`);
          states[2 * i + 1] = label;
        });
        return { scores, start: b * classes, step, times: inputs[b]!, states };
      });
    const read = (t: Tensor): Float64Array => cast(t.detach(), float64).toTypedArray() as Float64Array;
    const values = sequences(read(logProbs)).map(lossOf);
    let losses = fromNested(batched ? values : values[0]!, logProbs.dtype);
    if (needsGrad(logProbs)) {
      record('CtcLossBackward0', losses, [logProbs], [logProbs], (g, [x]) => {
        const out = new Float64Array(times * step);
        sequences(read(x)).forEach((sequence, b) => {
          if (zeroInfinity && values[b] === Infinity) return;
          gradientInto(out, sequence, classes, values[b]!);
        });
        const slope = cast(fromBytes(float64, [...x.shape], new Uint8Array(out.buffer)), x.dtype);
        if (needsGrad(x)) {
          record('CtcLossBackwardBackward0', slope, [x], [], () => {
            throw new RuntimeError('derivative for _ctc_loss_backward is not implemented');
          });
        }
        return [mul.impl(slope, batched ? g.unsqueeze(-1) : g)];
      });
    }
    if (zeroInfinity) losses = select3(eq.impl(losses.detach(), Infinity), 0, losses);
    if (how !== 'mean') return reduced(losses, how);
    const sizes = lengths.map((n) => Math.max(1, n));
    return reduced(div.impl(losses, fromNested(batched ? sizes : sizes[0]!, losses.dtype), null), how);
  },
);
