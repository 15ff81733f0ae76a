// The short-time Fourier transform: transforms of windowed frames of a signal, and its inverse.
import { tableOf } from '../core/table.js';
import { RuntimeError } from '../core/errors.js';
import { int64 } from '../core/dtype.js';
import { nativeOp } from '../native/addon.js';
import { div, mul } from '../ops/arithmetic.js';
import { viewAsReal } from '../ops/complex.js';
import { installMethods, type MethodsOf, op } from '../ops/define.js';
import { indexAdd } from '../ops/index_along.js';
import { cat } from '../ops/join.js';
import { narrow, select, squeeze, transpose, unfold, unsqueeze } from '../ops/view.js';
import { invoke } from '../tensor/invoke.js';
import { Tensor } from '../tensor/tensor.js';
import { arange } from '../ops/creation.js';
import { fft, ifft, irfft, rfft } from './one.js';
import { reshaped } from '../ops/internal/view.js';
import { allTrue } from '../ops/internal/truth.js';

const ZEROS = nativeOp('zeros');
const FULL = nativeOp('full');

function zerosBefore(x: Tensor, left: number, right: number): Tensor {
  const zeros = (n: number): Tensor => invoke(ZEROS, [...x.shape.slice(0, -1), n], x.dtype, x);
  const parts = [...(left > 0 ? [zeros(left)] : []), x, ...(right > 0 ? [zeros(right)] : [])];
  return parts.length === 1 ? x : cat.impl(parts, -1);
}
/** What stands before and after a signal [.., n], `pad` elements each. */
const ENDS: Record<string, (x: Tensor, n: number, pad: number) => [before: Tensor, after: Tensor]> = tableOf({
  reflect: (x, n, pad) => [narrow.impl(x, -1, 1, pad).flip(-1), narrow.impl(x, -1, n - 1 - pad, pad).flip(-1)],
  replicate: (x, n, pad) => {
    const shape = [...x.shape.slice(0, -1), pad];
    return [narrow.impl(x, -1, 0, 1).expand(shape), narrow.impl(x, -1, n - 1, 1).expand(shape)];
  },
  circular: (x, n, pad) => [narrow.impl(x, -1, n - pad, pad), narrow.impl(x, -1, 0, pad)],
});
/** A signal [.., n] with `pad` elements more at both ends. */
function padded(x: Tensor, pad: number, mode: string): Tensor {
  if (mode === 'constant') return zerosBefore(x, pad, pad);
  const ends = ENDS[mode];
  if (ends === undefined) throw new RuntimeError(`Unrecognised padding mode ${mode}`);
  const n = x.shape[x.ndim - 1]!;
  if (mode === 'reflect' ? pad >= n : pad > n && mode === 'circular') {
    const shape = [...Array.from({ length: Math.max(0, 3 - x.ndim) }, () => 1), ...x.shape];
    throw new RuntimeError(
      `Argument #4: Padding size should be less than the corresponding input dimension, but got: padding (${pad}, ${pad}) at dimension ${shape.length - 1} of input [${shape.join(', ')}]`,
    );
  }
  if (pad === 0) return x;
  const [before, after] = ends(x, n, pad);
  return cat.impl([before, x, after], -1);
}

/** What messages say about a tensor: `torch.FloatTensor[2, 8]`. */
function describe(t: Tensor, braces = false): string {
  const sizes = `[${t.shape.join(', ')}]`;
  return `torch.${t.dtype.scalarName}Tensor${braces ? `{${sizes}}` : sizes}`;
}
const shown = (v: boolean | null): string => (v === null ? 'None' : v ? '1' : '0');

/** The window over a whole frame: zeros around a shorter one; ones if there is none. */
function frameWindow(window: Tensor | null, like: Tensor, winLength: number, nFft: number): Tensor | null {
  if (window === null && winLength === nFft) return null;
  const w = window ?? invoke(FULL, [winLength], 1, like.dtype.toReal(), like);
  const left = Math.floor((nFft - winLength) / 2);
  return zerosBefore(w, left, nFft - winLength - left);
}

const STFT =
  "stft(Tensor input, int nFft, int? hopLength=None, int? winLength=None, Tensor? window=None, bool center=True, str padMode='reflect', bool normalized=False, bool? onesided=None, bool? returnComplex=None, bool? alignToWindow=None)";
/**
 * The short-time Fourier transform: transforms of windowed frames of a signal.
 * @param input [n] or [batch, n], real or complex
 * @param nFft points of each transform
 * @param hopLength from frame to frame (default null: floor(nFft / 4))
 * @param winLength length of the window; zeros fill it up on both sides (default null: nFft)
 * @param window [winLength] (default null: ones)
 * @param center whether to pad the signal by nFft / 2 on both sides, so that frame t is centred at t * hopLength (default true)
 * @param padMode 'reflect', 'constant', 'replicate' or 'circular' (default 'reflect')
 * @param normalized whether to divide by sqrt(nFft) (default false)
 * @param onesided whether to give elements 0 to nFft / 2 alone (default null: unless input or window is complex)
 * @param returnComplex must be given for a real input; false gives pairs of real numbers in a last dimension (default null)
 * @param alignToWindow with `center` false: frames start where the window does, not where its padding does (default null)
 * @returns [(batch,) elements, frames], complex, or [(batch,) elements, frames, 2]
 * @throws RuntimeError for lengths, a window or settings that do not fit each other or the signal
 */
export const stft = op(
  STFT,
  (
    input: Tensor,
    nFft: number,
    hopLength: number | null,
    winLength: number | null,
    window: Tensor | null,
    center: boolean,
    padMode: string,
    normalized: boolean,
    onesided: boolean | null,
    returnComplex: boolean | null,
    alignToWindow: boolean | null,
  ): Tensor => {
    const hop = hopLength ?? Math.floor(nFft / 4);
    const width = winLength ?? nFft;
    if (center && alignToWindow !== null)
      throw new RuntimeError('stft align_to_window should only be set when center = false');
    const whole = center ? padded(input, Math.floor(nFft / 2), padMode) : input;
    const complex = whole.dtype.isComplex || (window !== null && window.dtype.isComplex);
    if (returnComplex === null && !complex) {
      throw new RuntimeError(
        'stft requires the return_complex parameter be given for real inputs, and will further require that return_complex=True in a future PyTorch release.',
      );
    }
    const wrong = (what: string): never => {
      throw new RuntimeError(
        `stft(${describe(whole)}, n_fft=${nFft}, hop_length=${hop}, win_length=${width}, window=${window === null ? 'None' : describe(window, true)}, ` +
          `normalized=${shown(normalized)}, onesided=${shown(onesided)}, return_complex=${shown(returnComplex)}, ` +
          `align_to_window=${shown(alignToWindow)}) : ${what}`,
      );
    };
    if (!whole.dtype.isFloatingPoint && !whole.dtype.isComplex)
      wrong('expected a tensor of floating point or complex values');
    if (whole.ndim !== 1 && whole.ndim !== 2) wrong('expected a 1D or 2D tensor');
    const batched = whole.ndim === 2;
    let x = batched ? whole : unsqueeze.impl(whole, 0);
    const n = x.shape[1]!;
    const aligned = alignToWindow === true;
    if (nFft <= 0 || (!aligned && nFft > n) || (aligned && width > n))
      wrong(`expected 0 < n_fft < ${n}, but got n_fft=${nFft}`);
    if (hop <= 0) wrong(`expected hop_length > 0, but got hop_length=${hop}`);
    if (width <= 0 || width > nFft) wrong(`expected 0 < win_length <= n_fft, but got win_length=${width}`);
    if (window !== null && (window.ndim !== 1 || window.shape[0] !== width)) {
      wrong(
        `expected a 1D window tensor of size equal to win_length=${width}, but got window with size [${window.shape.join(', ')}]`,
      );
    }
    const one = onesided ?? !complex;
    if (one && complex) throw new RuntimeError('Cannot have onesided output if window or input is complex');
    if (aligned) {
      // The window's own padding then lies outside of the signal.
      const left = Math.floor((nFft - width) / 2);
      x = zerosBefore(x, left, nFft - width - left);
    }
    const w = frameWindow(window, x, width, nFft);
    const frames = unfold.impl(x, -1, nFft, hop);
    const shaped = w === null ? frames : mul.impl(frames, w);
    const norm = normalized ? 'ortho' : null;
    const spectrum = one ? rfft.impl(shaped, null, -1, norm) : fft.impl(shaped, null, -1, norm);
    const out = transpose.impl(spectrum, 1, 2);
    const result = batched ? out : select.impl(out, 0, 0);
    return returnComplex === false ? viewAsReal.impl(result) : result;
  },
);

const ISTFT =
  'istft(Tensor input, int nFft, int? hopLength=None, int? winLength=None, Tensor? window=None, bool center=True, bool normalized=False, bool? onesided=None, int? length=None, bool returnComplex=False)';
/**
 * The inverse of `stft`: the signal whose transform is nearest, by overlapping frames (Griffin and Lim 1984).
 * @param input [(batch,) elements, frames], complex
 * @param nFft points of each transform
 * @param hopLength from frame to frame, at most winLength (default null: floor(nFft / 4))
 * @param winLength length of the window (default null: nFft)
 * @param window [winLength] (default null: ones)
 * @param center whether the signal was padded, which is cut off (default true)
 * @param normalized whether the transform was divided by sqrt(nFft) (default false)
 * @param onesided whether elements 0 to nFft / 2 alone are given (default null: unless there are nFft)
 * @param length elements of the result (default null: what the frames cover)
 * @param returnComplex whether the signal is complex, of an input that is not onesided (default false)
 * @returns [(batch,) length]
 * @throws RuntimeError for arguments that do not fit, or if the squared windows add up to nothing somewhere
 */
export const istft = op(
  ISTFT,
  (
    given: Tensor,
    nFft: number,
    hopLength: number | null,
    winLength: number | null,
    window: Tensor | null,
    center: boolean,
    normalized: boolean,
    onesided: boolean | null,
    length: number | null,
    returnComplex: boolean,
  ): Tensor => {
    const hop = hopLength ?? Math.floor(nFft / 4);
    const width = winLength ?? nFft;
    const wrong = (what: string): never => {
      throw new RuntimeError(
        `istft(${describe(given)}, n_fft=${nFft}, hop_length=${hop}, win_length=${width}, window=${window === null ? 'None' : describe(window, true)}, ` +
          `center=${shown(center)}, normalized=${shown(normalized)}, onesided=${shown(onesided)}, length=${length ?? 'None'}, ` +
          `return_complex=${shown(returnComplex)}) ${what}`,
      );
    };
    if (!given.dtype.isComplex) {
      throw new RuntimeError(
        'istft requires a complex-valued input tensor matching the output from stft with return_complex=True.',
      );
    }
    if (given.ndim !== 2 && given.ndim !== 3)
      wrong(`: expected a tensor with 3 or 4 dimensions, but got ${given.ndim + 1}`);
    if (given.numel() === 0) wrong(': input tensor cannot be empty.');
    const batched = given.ndim === 3;
    const input = batched ? given : unsqueeze.impl(given, 0);
    const [, elements, count] = input.shape as [number, number, number];
    const one = onesided ?? elements !== nFft;
    if (one && Math.floor(nFft / 2) + 1 !== elements) {
      wrong(
        `: expected the frequency dimension (3rd to the last) of the input tensor to match n_fft / 2 + 1 when onesided=True, but got ${elements}`,
      );
    }
    if (!one && nFft !== elements) {
      wrong(
        `: expected the frequency dimension (3rd to the last) of the input tensor to match n_fft when onesided=False, but got ${elements}`,
      );
    }
    if (hop <= 0 || hop > width) wrong(': expected 0 < hop_length <= win_length');
    if (width <= 0 || width > nFft) wrong(': expected 0 < win_length <= n_fft');
    if (window !== null && (window.ndim !== 1 || window.shape[0] !== width)) {
      wrong(': Invalid window shape. window has to be 1D and length of `win_length`');
    }
    if (!returnComplex && window !== null && window.dtype.isComplex)
      throw new RuntimeError('Complex windows are incompatible with return_complex=False');
    if (returnComplex && one) throw new RuntimeError('Cannot have onesided output if window or input is complex');
    const spectrum = transpose.impl(input, 1, 2);
    const norm = normalized ? 'ortho' : null;
    // A real signal is made from the first half of the elements.
    let frames = returnComplex
      ? ifft.impl(spectrum, null, -1, norm)
      : irfft.impl(one ? spectrum : narrow.impl(spectrum, -1, 0, Math.floor(nFft / 2) + 1), nFft, -1, norm);
    const w = frameWindow(window, frames, width, nFft) ?? invoke(FULL, [nFft], 1, frames.dtype.toReal(), frames);
    frames = mul.impl(frames, w);
    const total = nFft + hop * (count - 1);
    // Element i of frame t belongs at t * hop + i.
    const starts = arange(0, hop * count, hop, { dtype: int64, device: frames.device }).unsqueeze(1);
    const places = reshaped(starts.add(arange(nFft, { dtype: int64, device: frames.device })), [count * nFft]);
    const addUp = (t: Tensor): Tensor =>
      indexAdd.impl(
        invoke(ZEROS, [t.shape[0]!, total], t.dtype, t),
        1,
        places,
        reshaped(t, [t.shape[0]!, count * nFft]),
        1,
      );
    const energy = mul.impl(w, w);
    const weights = addUp(energy.expand(1, count, nFft));
    const start = center ? Math.floor(nFft / 2) : 0;
    const end = length !== null ? start + length : center ? total - Math.floor(nFft / 2) : total;
    const inside = Math.min(end, total) - start;
    const signal = narrow.impl(addUp(frames), 1, start, inside);
    const envelope = narrow.impl(weights, 1, start, inside);
    if (!allTrue(envelope.detach().abs().gt(1e-11))) wrong('window overlap add min: 1');
    const y = zerosBefore(div.impl(signal, envelope, null), 0, end - start - inside);
    return batched ? y : squeeze.impl(y, [0]);
  },
);

const methods = { istft, stft };
installMethods(Tensor.prototype, methods);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsOf<typeof methods> {}
}
