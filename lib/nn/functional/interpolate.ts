// Images of another size. Every mode is a weighted sum of a few places along one dimension after the other.
import { tableOf } from '../../core/table.js';
import { float32, int64, uint8 } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { add, mul } from '../../ops/arithmetic.js';
import { clamp } from '../../ops/comparison.js';
import { fnOp } from '../../ops/define.js';
import { indexSelect } from '../../ops/index_along.js';
import { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d } from '../../ops/pool.js';
import { floor } from '../../ops/unary.js';
import { fromBytes } from '../../tensor/storage.js';
import type { Tensor } from '../../tensor/tensor.js';
import { warn } from '../warn.js';
import { cast } from '../../ops/internal/cast.js';
import { reshaped } from '../../ops/internal/view.js';

/** For each place of the result: which places of the input count, and how much; `taps` of them each. */
interface Taps {
  /** int64 [out], `taps` times, as pairs of 32 bits. */
  places: Int32Array[];
  /** [out], `taps` times; none where the one place counts whole. */
  weights: Float64Array[];
}

/**
 * Room for the taps of `out` places. Typed arrays: an array of numbers that is too large ends the process.
 * @throws RuntimeError if there is not enough memory.
 */
function room(taps: number, out: number, weighted: boolean): Taps {
  try {
    const each = <T>(make: () => T): T[] => Array.from({ length: taps }, make);
    return { places: each(() => new Int32Array(2 * out)), weights: weighted ? each(() => new Float64Array(out)) : [] };
  } catch {
    throw new RuntimeError(`interpolate(): not enough memory for a size of ${out}`);
  }
}

function setPlace(places: Int32Array, i: number, place: number): void {
  places[2 * i] = place % 2 ** 32;
  places[2 * i + 1] = Math.floor(place / 2 ** 32);
}

type Filter = (x: number) => number;

/** A cubic convolution kernel (Keys, 1981) with the slope a at one. */
function cubic(x: number, a: number): number {
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
}
function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= 3) return 0;
  const y = Math.PI * x;
  return (Math.sin(y) / y) * (Math.sin(y / 3) / (y / 3));
}
/** The filters of antialiased modes, with their reach. */
const FILTERS: Record<string, { reach: number; filter: Filter }> = tableOf({
  bilinear: { reach: 1, filter: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { reach: 2, filter: (x) => cubic(x, -0.5) },
  lanczos: { reach: 3, filter: lanczos },
});

/** The largest size of a dimension of the result: its places and weights are computed one by one, in JavaScript. */
const MAX_SIZE = 2 ** 26;

/** How far one step of the result goes in the input. */
function stepOf(n: number, out: number, alignCorners: boolean, scale: number | null): number {
  if (alignCorners) return out > 1 ? (n - 1) / (out - 1) : 0;
  return scale !== null && scale > 0 ? 1 / scale : n / out;
}

/** Positions are computed in the precision that PyTorch has: it decides which neighbour is the nearest. */
function nearestTaps(n: number, out: number, scale: number | null, exact: boolean): Taps {
  const round = Math.fround;
  const step = round(stepOf(n, out, false, scale));
  const taps = room(1, out, false);
  for (let i = 0; i < out; i++) {
    setPlace(taps.places[0]!, i, Math.min(Math.floor(round(round(exact ? i + 0.5 : i) * step)), n - 1));
  }
  return taps;
}

function linearTaps(n: number, out: number, scale: number | null, alignCorners: boolean): Taps {
  const step = stepOf(n, out, alignCorners, scale);
  const taps = room(2, out, true);
  for (let i = 0; i < out; i++) {
    const at = alignCorners ? step * i : Math.max(0, step * (i + 0.5) - 0.5);
    const low = Math.min(Math.floor(at), n - 1);
    const part = Math.min(Math.max(at - low, 0), 1);
    setPlace(taps.places[0]!, i, low);
    setPlace(taps.places[1]!, i, Math.min(low + 1, n - 1));
    taps.weights[0]![i] = 1 - part;
    taps.weights[1]![i] = part;
  }
  return taps;
}

function cubicTaps(n: number, out: number, scale: number | null, alignCorners: boolean): Taps {
  const step = stepOf(n, out, alignCorners, scale);
  const taps = room(4, out, true);
  for (let i = 0; i < out; i++) {
    const at = alignCorners ? step * i : step * (i + 0.5) - 0.5;
    const low = Math.floor(at);
    for (let k = 0; k < 4; k++) {
      setPlace(taps.places[k]!, i, Math.min(Math.max(low - 1 + k, 0), n - 1));
      taps.weights[k]![i] = cubic(at - (low - 1 + k), -0.75);
    }
  }
  return taps;
}

/** The filter is widened when the image shrinks, so that all of the input counts. */
function smoothTaps(mode: string, n: number, out: number, scale: number | null, alignCorners: boolean): Taps {
  const { reach, filter } = FILTERS[mode]!;
  const step = stepOf(n, out, alignCorners, scale);
  const wide = Math.max(step, 1);
  const support = reach * wide;
  const reachOf = (i: number): [first: number, count: number] => {
    const centre = step * (i + 0.5);
    const first = Math.max(Math.trunc(centre - support + 0.5), 0);
    return [first, Math.max(0, Math.min(Math.trunc(centre + support + 0.5), n) - first)];
  };
  room(1, out, true); // A size beyond all memory is refused before it is walked.
  let count = 1;
  for (let i = 0; i < out; i++) count = Math.max(count, reachOf(i)[1]);
  const taps = room(count, out, true);
  for (let i = 0; i < out; i++) {
    const [first, own] = reachOf(i);
    const weightOf = (k: number): number => filter((first + k - step * (i + 0.5) + 0.5) / wide);
    let total = 0;
    for (let k = 0; k < own; k++) total += weightOf(k);
    for (let k = 0; k < count; k++) {
      setPlace(taps.places[k]!, i, Math.min(first + k, n - 1));
      taps.weights[k]![i] = k < own ? weightOf(k) / (total === 0 ? 1 : total) : 0;
    }
  }
  return taps;
}

/** The weighted sums of places along dimension d. */
function resample(x: Tensor, d: number, { places, weights }: Taps): Tensor {
  const out = places[0]!.length / 2;
  let y: Tensor | null = null;
  places.forEach((at, k) => {
    const index = fromBytes(int64, [out], new Uint8Array(at.buffer));
    let part = indexSelect.impl(x, d, index);
    if (weights.length > 0) {
      const w = x.newTensor(weights[k]!);
      part = mul.impl(part, reshaped(w, [out, ...new Array<number>(x.ndim - 1 - d).fill(1)]));
    }
    y = y === null ? part : add.impl(y, part, 1);
  });
  return y!;
}

const NEEDS: Record<string, number> = tableOf({ linear: 3, bilinear: 4, trilinear: 5, bicubic: 4, lanczos: 4 });
const AREA = [adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d];

function checkMode(input: Tensor, mode: string): void {
  const n = input.ndim;
  const needs = NEEDS[mode];
  if (n === needs || (n >= 3 && n <= 5 && (mode === 'nearest' || mode === 'nearest-exact' || mode === 'area'))) return;
  if (needs !== undefined && n >= 3 && n <= 5 && mode !== 'bicubic' && mode !== 'lanczos') {
    throw new RuntimeError(`Got ${n}D input, but ${mode} mode needs ${needs}D input`);
  }
  throw new RuntimeError(
    `Input Error: Only 3D, 4D and 5D input Tensors supported (got ${n}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got ${mode})`,
  );
}

const wrongLength = (input: Tensor, what: string, given: readonly number[]): string =>
  `Input and ${what === 'size' ? 'output' : what} must have the same number of spatial dimensions, but got input with spatial dimensions of [${input.shape.slice(2).join(', ')}] and ${what === 'size' ? `output size of [${given.join(', ')}]` : `${what} of shape [${given.join(', ')}]`}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and ${what === 'size' ? 'output size in (o1, o2, ...,oK)' : `${what} in (s1, s2, ...,sK)`} format.`;

function perSpatial(input: Tensor, what: string, v: number | readonly number[]): number[] {
  const nd = input.ndim - 2;
  if (typeof v === 'number') return new Array<number>(nd).fill(v);
  if (v.length !== nd) throw new RuntimeError(wrongLength(input, what, v));
  return [...v];
}

/** `interpolate` with complete arguments, for layers. */
export function interpolateOf(
  input: Tensor,
  size: number | readonly number[] | null,
  scaleFactor: number | readonly number[] | null,
  mode: string,
  alignCorners: boolean | null,
  recomputeScaleFactor: boolean | null,
  antialias: boolean,
): Tensor {
  const byAverage = mode === 'nearest' || mode === 'area' || mode === 'nearest-exact';
  if (byAverage && alignCorners !== null) {
    throw new RuntimeError(
      'align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear',
    );
  }
  const corners = alignCorners ?? false;
  if (size !== null && scaleFactor !== null)
    throw new RuntimeError('only one of size or scale_factor should be defined');
  if (size === null && scaleFactor === null) throw new RuntimeError('either size or scale_factor should be defined');
  if (recomputeScaleFactor === true && size !== null) {
    throw new RuntimeError('recompute_scale_factor is not meaningful with an explicit size.');
  }
  checkMode(input, mode);
  const spatial = input.shape.slice(2);
  let scales = scaleFactor === null ? null : perSpatial(input, 'scale_factor', scaleFactor);
  // As in PyTorch, the product is cut in double precision.
  const out = size !== null ? perSpatial(input, 'size', size) : spatial.map((n, d) => Math.floor(n * scales![d]!));
  if (recomputeScaleFactor === true || mode === 'area') scales = null;
  if (antialias && FILTERS[mode] === undefined) {
    throw new RuntimeError(
      'Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input',
    );
  }
  if (mode === 'lanczos' && corners) throw new RuntimeError('Lanczos mode does not support align_corners=True');
  if (mode === 'lanczos' && !antialias) throw new RuntimeError('Lanczos mode requires antialias=True');
  if (!out.every((n) => n > 0) || spatial.includes(0)) {
    throw new RuntimeError(
      `Input and output sizes should be greater than 0, but got input (${spatial.join(', ')}) output (${out.join(', ')})`,
    );
  }
  if (input.shape[1] === 0) {
    throw new RuntimeError(
      `Non-empty ${input.ndim}D data tensor expected but got a tensor with sizes [${input.shape.join(', ')}]`,
    );
  }
  if (out.some((n) => n > MAX_SIZE))
    throw new RuntimeError(
      `interpolate: output sizes of (${out.join(', ')}) are too large; at most ${MAX_SIZE} are possible`,
    );
  if (mode === 'area') return AREA[spatial.length - 1]!.impl(input, out);
  const nearest = mode === 'nearest' || mode === 'nearest-exact';
  const bytes = input.dtype === uint8 && (mode === 'bilinear' || mode === 'bicubic');
  if (!nearest && !bytes && !input.dtype.isFloatingPoint) {
    throw new RuntimeError(`"upsample_${mode}${spatial.length}d" not implemented for '${input.dtype.name}'`);
  }
  const wide = bytes || (!nearest && input.dtype.itemsize === 2) ? float32 : input.dtype;
  let x = cast(input, wide);
  // The last dimension first: bytes are rounded after each.
  for (let i = spatial.length - 1; i >= 0; i--) {
    const n = spatial[i]!;
    const scale = scales === null ? null : scales[i]!;
    const to = out[i]!;
    const same = n === to && (scale === null || scale === 1);
    if (same && !antialias) continue;
    const taps = nearest
      ? nearestTaps(n, to, scale, mode === 'nearest-exact')
      : antialias
        ? smoothTaps(mode, n, to, scale, corners)
        : mode === 'bicubic'
          ? cubicTaps(n, to, scale, corners)
          : linearTaps(n, to, scale, corners);
    x = resample(x, i + 2, taps);
    if (bytes) x = clamp.impl(floor.impl(add.impl(x, 0.5, 1)), 0, 255);
  }
  return x === input ? input.clone() : cast(x, input.dtype);
}

/**
 * Images of another size. Every mode is a weighted sum of a few places along one dimension after the other.
 * @param input [N, C, L], [N, C, H, W] or [N, C, D, H, W]; floating-point, with the nearest modes any type, with 'bilinear' and
 *   'bicubic' also uint8
 * @param size the new sizes, one number for all or one each (default null); exactly one of it and
 * @param scaleFactor by what the sizes are multiplied, rounded down (default null)
 * @param mode 'nearest' (default), 'nearest-exact', 'linear' (3-D), 'bilinear', 'bicubic' (cubic convolution, Keys 1981),
 *   'lanczos' (4-D, with `antialias`), 'trilinear' (5-D) or 'area' (adaptive average pooling)
 * @param alignCorners whether the corners' centres of both images are the same point (default null: false); for linear and cubic
 *   modes alone
 * @param recomputeScaleFactor whether the sizes' quotient is used in the place of `scaleFactor` (default null: false)
 * @param antialias whether shrinking averages all pixels, for 'bilinear', 'bicubic' and 'lanczos' (default false)
 * @returns [N, C, ...new sizes], of input's type
 * @throws RuntimeError for arguments that do not fit together
 */
export const interpolate = fnOp(
  "interpolate(Tensor input, int|int[]? size=None, float|float[]? scaleFactor=None, str mode='nearest', bool? alignCorners=None, bool? recomputeScaleFactor=None, bool antialias=False)",
  interpolateOf,
);

type UpsampleText = 'x(Tensor input, int|int[]? size=None, float|float[]? scaleFactor=None)';
const upsampleLike = (name: string, mode: string, alignCorners: boolean | null) =>
  fnOp(
    `${name}(Tensor input, int|int[]? size=None, float|float[]? scaleFactor=None)` as UpsampleText,
    (
      input: Tensor,
      size: number | readonly number[] | null,
      scaleFactor: number | readonly number[] | null,
    ): Tensor => {
      warn(`\`nn.functional.${name}\` is deprecated. Use \`nn.functional.interpolate\` instead.`);
      return interpolateOf(input, size, scaleFactor, mode, alignCorners, null, false);
    },
  );
/** The older name of `interpolate` with mode 'nearest', with a warning; input, size, scaleFactor and result as there. */
export const upsampleNearest = upsampleLike('upsampleNearest', 'nearest', null);
/**
 * The older name of `interpolate` with mode 'bilinear' and aligned corners, with a warning; input, size, scaleFactor as there.
 */
export const upsampleBilinear = upsampleLike('upsampleBilinear', 'bilinear', true);
/**
 * The older name of `interpolate`, with a warning.
 * @param input [N, C, L], [N, C, H, W] or [N, C, D, H, W]
 * @param size the new sizes (default null); exactly one of it and
 * @param scaleFactor by what the sizes are multiplied, rounded down (default null)
 * @param mode 'nearest' (default) or another one of `interpolate`
 * @param alignCorners whether the corners' centres of both images are the same point (default null: false)
 * @returns [N, C, ...new sizes], of input's type
 * @throws RuntimeError for arguments that do not fit together
 */
export const upsample = fnOp(
  "upsample(Tensor input, int|int[]? size=None, float|float[]? scaleFactor=None, str mode='nearest', bool? alignCorners=None)",
  (
    input: Tensor,
    size: number | readonly number[] | null,
    scaleFactor: number | readonly number[] | null,
    mode: string,
    alignCorners: boolean | null,
  ): Tensor => {
    warn('`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.');
    return interpolateOf(input, size, scaleFactor, mode, alignCorners, null, false);
  },
);
