// Batches of sequences of different lengths: padded with a value, or packed without gaps.
import type { DeviceLike } from '../../core/device.js';
import type { DType } from '../../core/dtype.js';
import { int64 } from '../../core/dtype.js';
import { kindOf, RuntimeError } from '../../core/errors.js';
import { full, tensor } from '../../ops/creation.js';
import { fnOp } from '../../ops/define.js';
import { indexSelect } from '../../ops/index_along.js';
import { cat } from '../../ops/join.js';
import { Tensor } from '../../tensor/tensor.js';

/** Integers of a tensor or an array. */
function numbersOf(fn: string, argument: string, v: Tensor | readonly number[]): number[] {
  if (!(v instanceof Tensor) && !(Array.isArray(v) && v.every(Number.isInteger)))
    throw new TypeError(`${fn}(): argument '${argument}' must be Tensor or int[], not ${kindOf(v)}`);
  return v instanceof Tensor ? Array.from(v.toTypedArray() as ArrayLike<number | bigint>, Number) : [...v];
}

/**
 * Where each place of a permutation went: its inverse.
 * @param permutation [n], int64, or null
 * @returns [n], int64, or null
 */
export function invertPermutation(permutation: Tensor | null): Tensor | null {
  if (permutation === null) return null;
  const order = numbersOf('invertPermutation', 'permutation', permutation);
  const inverse = new BigInt64Array(order.length);
  order.forEach((from, to) => {
    inverse[from] = BigInt(to);
  });
  return tensor(inverse, { device: permutation.device });
}

/**
 * The sequences of a batch, time step by time step, without padding. Made by packPaddedSequence and packSequence.
 * As an array it is [data, batchSizes, sortedIndices, unsortedIndices].
 */
export class PackedSequence {
  readonly data: Tensor;
  /** How many sequences are still running at each time step: int64 [steps]. Also as `batch_sizes`. */
  readonly batchSizes: Tensor;
  /** The order that sorted the sequences by length, longest first; null if they came sorted. */
  readonly sortedIndices: Tensor | null;
  readonly unsortedIndices: Tensor | null;

  /**
   * @param data [total, ..]: the elements of all sequences, time step by time step
   * @param batchSizes int64 [steps], not increasing: how many sequences have each step
   * @param sortedIndices int64 [batch]: the order that sorted the sequences (default null: they came sorted)
   * @param unsortedIndices int64 [batch]: its inverse (default null: computed)
   */
  constructor(
    data: Tensor,
    batchSizes: Tensor,
    sortedIndices: Tensor | null = null,
    unsortedIndices: Tensor | null = null,
  ) {
    this.data = data;
    this.batchSizes = batchSizes;
    this.sortedIndices = sortedIndices ?? null;
    this.unsortedIndices = unsortedIndices ?? invertPermutation(this.sortedIndices);
  }

  /** [data, batchSizes, sortedIndices, unsortedIndices], one after the other. */
  *[Symbol.iterator](): Iterator<Tensor | null> {
    yield this.data;
    yield this.batchSizes;
    yield this.sortedIndices;
    yield this.unsortedIndices;
  }

  /**
   * The packed elements on another device or with another type, as Tensor.to; the rest is shared.
   * @param target a device or a dtype
   */
  to(target: DType | DeviceLike): PackedSequence {
    return new PackedSequence(this.data.to(target), this.batchSizes, this.sortedIndices, this.unsortedIndices);
  }

  /** As PyTorch prints it, a named tuple. */
  toString(): string {
    const { data, batchSizes, sortedIndices, unsortedIndices } = this;
    const [sorted, unsorted] = [sortedIndices, unsortedIndices].map((t) => (t === null ? 'None' : String(t)));
    const sizes = `batch_sizes=${String(batchSizes)}, sorted_indices=${sorted!}, unsorted_indices=${unsorted!}`;
    return `PackedSequence(data=${String(data)}, ${sizes})`;
  }

  /** How console.log shows it: as `toString`. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /** The packed elements as float64; the rest is shared. */
  double(): PackedSequence {
    return new PackedSequence(this.data.double(), this.batchSizes, this.sortedIndices, this.unsortedIndices);
  }

  /** The packed elements as float32; the rest is shared. */
  float(): PackedSequence {
    return new PackedSequence(this.data.float(), this.batchSizes, this.sortedIndices, this.unsortedIndices);
  }
}

function neededPacked(fn: string, argument: string, value: unknown): void {
  if (!(value instanceof PackedSequence))
    throw new TypeError(`${fn}(): argument '${argument}' must be PackedSequence, not ${kindOf(value)}`);
}

/**
 * Packs a padded batch: the elements of all sequences, time step by time step, without the padding.
 * @param input [T, B, ..], or [B, T, ..] with `batchFirst`
 * @param lengths of the B sequences, a tensor or an array, at most T; descending unless `enforceSorted` is false
 * @param batchFirst whether the batch comes first (default false)
 * @param enforceSorted whether the sequences must come longest first (default true); false sorts them
 * @returns a PackedSequence
 * @throws RuntimeError for lengths that are not positive, not sorted, or do not fit the batch, and for an empty input
 */
export const packPaddedSequence = fnOp(
  'packPaddedSequence(Tensor input, any lengths, bool batchFirst=False, bool enforceSorted=True)',
  (input: Tensor, lengths: Tensor | readonly number[], batchFirst: boolean, enforceSorted: boolean): PackedSequence => {
    const given = numbersOf('packPaddedSequence', 'lengths', lengths);
    const order = given.map((_, i) => i);
    if (!enforceSorted) order.sort((a, b) => given[b]! - given[a]! || a - b);
    const sorted = order.map((i) => given[i]!);
    const sortedIndices = enforceSorted ? null : tensor(order, { dtype: int64, device: input.device });
    let x = batchFirst ? input.transpose(0, 1) : input;
    if (sortedIndices !== null) x = indexSelect(x, 1, sortedIndices);
    const [steps, batch] = x.shape as [number, number];
    if (input.numel() === 0) throw new RuntimeError('Cannot pack empty tensors.');
    if (sorted.length !== batch) {
      throw new RuntimeError(
        `Expected \`len(lengths)\` to be equal to batch_size, but got ${sorted.length} (batch_size=${batch})`,
      );
    }
    if (sorted.some((n) => n <= 0)) {
      throw new RuntimeError(
        "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0",
      );
    }
    if (sorted.some((n, i) => i > 0 && n > sorted[i - 1]!)) {
      throw new RuntimeError(
        '`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do not need ONNX exportability.',
      );
    }
    if (sorted[0]! > steps) throw new RuntimeError(`Expected lengths of at most ${steps}, got ${sorted[0]}`);
    const sizes: number[] = [];
    const pieces: Tensor[] = [];
    for (let t = 0; t < sorted[0]!; t++) {
      let running = batch;
      while (sorted[running - 1]! <= t) running--;
      sizes.push(running);
      pieces.push(x.select(0, t).narrow(0, 0, running));
    }
    return new PackedSequence(cat(pieces), tensor(sizes, { dtype: int64, device: 'cpu' }), sortedIndices, null);
  },
);

/**
 * Unpacks into a padded batch, the reverse of `packPaddedSequence`.
 * @param sequence a PackedSequence
 * @param batchFirst whether the batch comes first (default false)
 * @param paddingValue what fills the ends (default 0)
 * @param totalLength the number of steps T (default null: the longest sequence's)
 * @returns [sequences: [T, B, ..] (or [B, T, ..]), lengths: int64 [B]], in the order before packing
 * @throws RuntimeError if `totalLength` is shorter than the longest sequence
 */
export const padPackedSequence = fnOp(
  'padPackedSequence(any sequence, bool batchFirst=False, float paddingValue=0, int? totalLength=None)',
  (
    sequence: PackedSequence,
    batchFirst: boolean,
    paddingValue: number,
    totalLength: number | null,
  ): [Tensor, Tensor] => {
    neededPacked('padPackedSequence', 'sequence', sequence);
    const sizes = numbersOf('padPackedSequence', 'batchSizes', sequence.batchSizes);
    const steps = totalLength ?? sizes.length;
    if (steps < sizes.length) {
      throw new RuntimeError(
        `Expected total_length to be at least the length of the longest sequence in input, but got total_length=${steps} and max sequence length being ${sizes.length}`,
      );
    }
    const batch = sizes[0]!;
    const tail = sequence.data.shape.slice(1);
    const rows: Tensor[] = [];
    let at = 0;
    for (let t = 0; t < steps; t++) {
      const n = sizes[t] ?? 0;
      const filling = full([batch - n, ...tail], paddingValue, {
        dtype: sequence.data.dtype,
        device: sequence.data.device,
      });
      const row =
        n === 0
          ? filling
          : n === batch
            ? sequence.data.narrow(0, at, n)
            : cat([sequence.data.narrow(0, at, n), filling]);
      rows.push(row.unsqueeze(0));
      at += n;
    }
    let padded = cat(rows);
    const lengths = Array.from({ length: batch }, (_, b) => sizes.filter((n) => n > b).length);
    let counts = tensor(lengths, { dtype: int64, device: 'cpu' });
    if (sequence.unsortedIndices !== null) {
      padded = indexSelect(padded, 1, sequence.unsortedIndices);
      counts = indexSelect(counts, 0, sequence.unsortedIndices);
    }
    return [batchFirst ? padded.transpose(0, 1) : padded, counts];
  },
);

/**
 * Stacks sequences of different lengths with padding.
 * @param sequences B tensors [T_i, ..] that agree in the further sizes
 * @param batchFirst whether the batch comes first (default false)
 * @param paddingValue what fills up (default 0)
 * @param paddingSide 'right' (default) or 'left': where
 * @returns [T, B, ..], or [B, T, ..] with `batchFirst`, T the longest length
 * @throws RuntimeError for no sequences, another side, and sizes that differ
 */
export const padSequence = fnOp(
  "padSequence(Tensor[] sequences, bool batchFirst=False, float paddingValue=0, str paddingSide='right')",
  (sequences: readonly Tensor[], batchFirst: boolean, paddingValue: number, paddingSide: string): Tensor => {
    if (sequences.length === 0) throw new RuntimeError('received an empty list of sequences');
    if (paddingSide !== 'right' && paddingSide !== 'left') {
      throw new RuntimeError(`Expected padding_side to be one of left or right, but got ${paddingSide}.`);
    }
    const steps = Math.max(...sequences.map((s) => s.shape[0]!));
    const rows = sequences.map((s) => {
      const missing = steps - s.shape[0]!;
      if (missing === 0) return s.unsqueeze(0);
      const filling = full([missing, ...s.shape.slice(1)], paddingValue, { dtype: s.dtype, device: s.device });
      return cat(paddingSide === 'right' ? [s, filling] : [filling, s]).unsqueeze(0);
    });
    const out = cat(rows);
    return batchFirst ? out : out.transpose(0, 1);
  },
);

/**
 * The sequences of a padded batch, cut to their lengths; the reverse of `padSequence`.
 * @param paddedSequences [T, B, ..], or [B, T, ..] with `batchFirst`
 * @param lengths of the B sequences, a tensor or an array
 * @param batchFirst whether the batch comes first (default false)
 * @returns B tensors [T_i, ..], views
 */
export const unpadSequence = fnOp(
  'unpadSequence(Tensor paddedSequences, any lengths, bool batchFirst=False)',
  (padded: Tensor, lengths: Tensor | readonly number[], batchFirst: boolean): Tensor[] => {
    const x = batchFirst ? padded : padded.transpose(0, 1);
    return numbersOf('unpadSequence', 'lengths', lengths).map((n, b) => x.select(0, b).narrow(0, 0, n));
  },
);

/**
 * Packs sequences given one by one.
 * @param sequences B tensors [T_i, ..], longest first unless `enforceSorted` is false
 * @param enforceSorted whether the sequences must come longest first (default true); false sorts them
 * @returns a PackedSequence
 * @throws RuntimeError for no sequences, lengths of zero, and a wrong order
 */
export const packSequence = fnOp(
  'packSequence(Tensor[] sequences, bool enforceSorted=True)',
  (sequences: readonly Tensor[], enforceSorted: boolean): PackedSequence =>
    packPaddedSequence(
      padSequence(sequences),
      sequences.map((s) => s.shape[0]!),
      { enforceSorted },
    ),
);

/**
 * The sequences of a packed batch.
 * @param packed a PackedSequence
 * @returns B tensors [T_i, ..], in their order before packing
 */
export function unpackSequence(packed: PackedSequence): Tensor[] {
  neededPacked('unpackSequence', 'packedSequences', packed);
  const [padded, lengths] = padPackedSequence(packed, true);
  return unpadSequence(padded, lengths, true);
}
