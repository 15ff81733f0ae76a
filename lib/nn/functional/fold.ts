// Windows of images as columns, and columns summed back into images.
import { needsGrad, record } from '../../autograd/graph.js';
import { unrecorded } from '../../autograd/mode.js';
import { RuntimeError } from '../../core/errors.js';
import { fnOp } from '../../ops/define.js';
import { permute } from '../../ops/view.js';
import type { Tensor } from '../../tensor/tensor.js';
import { padConstant } from './padding.js';
import { reshaped, sliceDim } from '../../ops/internal/view.js';
import { windowCounts } from '../../ops/internal/window_counts.js';

type Pair = readonly [number, number];
interface Windows {
  kernel: Pair;
  dilation: Pair;
  padding: Pair;
  stride: Pair;
}

function pair(what: string, v: readonly number[] | number): Pair {
  const list = typeof v === 'number' ? [v] : v;
  if (list.length === 1) return [list[0]!, list[0]!];
  if (list.length === 2) return [list[0]!, list[1]!];
  throw new RuntimeError(`It is expected ${what} equals to 2, but got size ${list.length}`);
}

function windows(
  kernel: readonly number[],
  dilation: readonly number[],
  padding: readonly number[],
  stride: readonly number[],
): Windows {
  const at = {
    kernel: pair('kernel_size', kernel),
    dilation: pair('dilation', dilation),
    padding: pair('padding', padding),
    stride: pair('stride', stride),
  };
  for (const [what, v, least] of [
    ['kernel size', at.kernel, 1],
    ['dilation', at.dilation, 1],
    ['padding', at.padding, 0],
    ['stride', at.stride, 1],
  ] as const) {
    if (v[0] < least || v[1] < least) {
      const bound = least === 1 ? 'greater than zero' : 'non-negative';
      throw new RuntimeError(
        `${what} should be ${bound}, but got ${what.replace(' ', '_')}_height: ${v[0]} ${what.replace(' ', '_')}_width: ${v[1]}`,
      );
    }
  }
  return at;
}

/** How many windows fit along each dimension. */
const blocks = (size: readonly number[], at: Windows): [number, number] =>
  windowCounts(size, at.kernel, at) as [number, number];

/** [N, C, H, W] to [N, C kh kw, L]. */
function toColumns(x: Tensor, at: Windows): Tensor {
  const y = unrecorded(gather, x, at);
  const size = x.shape.slice(2) as unknown as Pair;
  if (needsGrad(x)) record('Im2ColBackward0', y, [x], [], (g) => [fromColumns(g, size, at)]);
  return y;
}

function gather(x: Tensor, at: Windows): Tensor {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const [kh, kw] = at.kernel;
  const [oh, ow] = blocks([h, w], at);
  const [ph, pw] = at.padding;
  const padded = ph + pw === 0 ? x.detach() : padConstant(x.detach(), [pw, pw, ph, ph], 0);
  // Windows with all places between: [N, C, oh, ow, reach h, reach w]; then every dilation-th of them.
  let view = padded
    .unfold(2, at.dilation[0] * (kh - 1) + 1, at.stride[0])
    .unfold(3, at.dilation[1] * (kw - 1) + 1, at.stride[1]);
  if (at.dilation[0] > 1) view = sliceDim(view, 4, 0, null, at.dilation[0]);
  if (at.dilation[1] > 1) view = sliceDim(view, 5, 0, null, at.dilation[1]);
  return reshaped(permute(view, 0, 1, 4, 5, 2, 3), [n, c * kh * kw, oh * ow]);
}

/** [N, C kh kw, L] to [N, C, H, W]: overlapping windows add up. */
function fromColumns(columns: Tensor, size: Pair, at: Windows): Tensor {
  const y = unrecorded(spread, columns, size, at);
  if (needsGrad(columns)) record('Col2ImBackward0', y, [columns], [], (g) => [toColumns(g, at)]);
  return y;
}

function spread(columns: Tensor, size: Pair, at: Windows): Tensor {
  const [n, ck] = columns.shape as [number, number];
  const [kh, kw] = at.kernel;
  const c = ck / (kh * kw);
  const [oh, ow] = blocks(size, at);
  const [ph, pw] = at.padding;
  const padded = columns.detach().newZeros([n, c, size[0] + 2 * ph, size[1] + 2 * pw]);
  const parts = reshaped(columns.detach(), [n, c, kh, kw, oh, ow]);
  for (let i = 0; i < kh; i++) {
    const top = i * at.dilation[0];
    const rows = sliceDim(padded, 2, top, top + (oh - 1) * at.stride[0] + 1, at.stride[0]);
    const line = parts.select(2, i);
    for (let j = 0; j < kw; j++) {
      const left = j * at.dilation[1];
      sliceDim(rows, 3, left, left + (ow - 1) * at.stride[1] + 1, at.stride[1]).add_(line.select(2, j));
    }
  }
  return ph + pw === 0 ? padded : padConstant(padded, [-pw, -pw, -ph, -ph], 0);
}

/**
 * The windows of images as columns; numbers stand for both dimensions, pairs for [height, width].
 * @param input [N, C, H, W] or [C, H, W]
 * @param kernelSize the windows' sizes, kh and kw
 * @param dilation the distance between a window's elements (default 1)
 * @param padding zeros on all sides (default 0)
 * @param stride the distance between windows (default 1)
 * @returns [N, C kh kw, L] or [C kh kw, L], L the number of windows: the product over both dimensions of
 *   floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1
 * @throws RuntimeError if no window fits, and for other numbers of dimensions
 */
export const unfold = fnOp(
  'unfold(Tensor input, int[] kernelSize, int[] dilation=1, int[] padding=0, int[] stride=1)',
  (
    input: Tensor,
    kernelSize: readonly number[],
    dilation: readonly number[],
    padding: readonly number[],
    stride: readonly number[],
  ): Tensor => {
    const at = windows(kernelSize, dilation, padding, stride);
    const valid = (input.ndim === 3 || input.ndim === 4) && !input.shape.slice(-3).includes(0);
    if (!valid) {
      throw new RuntimeError(
        `Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: [${input.shape.join(', ')}]`,
      );
    }
    const size = input.shape.slice(-2);
    const [oh, ow] = blocks(size, at);
    if (oh < 1 || ow < 1) {
      throw new RuntimeError(
        `Given input with spatial size (${size.join(', ')}), kernel_size=(${at.kernel.join(', ')}), dilation=(${at.dilation.join(', ')}), padding=(${at.padding.join(', ')}), stride=(${at.stride.join(', ')}), calculated shape of the array of sliding blocks as (${oh}, ${ow}), but its components must be at least one.`,
      );
    }
    return input.ndim === 4 ? toColumns(input, at) : toColumns(input.unsqueeze(0), at).squeeze(0);
  },
);

/**
 * Columns summed back into images, the transpose of `unfold`: places in several windows add up.
 * @param input [N, C kh kw, L] or [C kh kw, L]
 * @param outputSize H and W
 * @param kernelSize the windows' sizes, kh and kw
 * @param dilation the distance between a window's elements (default 1)
 * @param padding what was added on all sides (default 0)
 * @param stride the distance between windows (default 1)
 * @returns [N, C, H, W] or [C, H, W]
 * @throws RuntimeError unless kh kw divides the rows and L is the number of windows of that size
 */
export const fold = fnOp(
  'fold(Tensor input, int[] outputSize, int[] kernelSize, int[] dilation=1, int[] padding=0, int[] stride=1)',
  (
    input: Tensor,
    outputSize: readonly number[],
    kernelSize: readonly number[],
    dilation: readonly number[],
    padding: readonly number[],
    stride: readonly number[],
  ): Tensor => {
    const at = windows(kernelSize, dilation, padding, stride);
    const size = pair('output_size', outputSize);
    const valid = (input.ndim === 2 || input.ndim === 3) && !input.shape.slice(-2).includes(0);
    if (!valid) {
      throw new RuntimeError(
        `Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, but got: [${input.shape.join(', ')}]`,
      );
    }
    const [rows, columns] = input.shape.slice(-2) as [number, number];
    const area = at.kernel[0] * at.kernel[1];
    if (rows % area !== 0) {
      throw new RuntimeError(
        `Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)=${rows} and kernel_size=(${at.kernel.join(', ')}).`,
      );
    }
    const [oh, ow] = blocks(size, at);
    if (oh < 1 || ow < 1 || oh * ow !== columns) {
      throw new RuntimeError(
        `Given output_size=(${size.join(', ')}), kernel_size=(${at.kernel.join(', ')}), dilation=(${at.dilation.join(', ')}), padding=(${at.padding.join(', ')}), stride=(${at.stride.join(', ')}), expected size of input's dimension 2 to match the calculated number of sliding blocks ${oh} * ${ow} = ${oh * ow}, but got input.size(2)=${columns}.`,
      );
    }
    return input.ndim === 3 ? fromColumns(input, size, at) : fromColumns(input.unsqueeze(0), size, at).squeeze(0);
  },
);
