// Images read at places that a grid names (https://arxiv.org/abs/1506.02025).
import { int64 } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { add, mul, sub } from '../../ops/arithmetic.js';
import { eq, ge, le, logicalAnd, lt } from '../../ops/comparison.js';
import { linspace, ones } from '../../ops/creation.js';
import { fnOp } from '../../ops/define.js';
import { gather } from '../../ops/gather.js';
import { cat } from '../../ops/join.js';
import { bmm } from '../../ops/matmul.js';
import { floor, neg, round } from '../../ops/unary.js';
import type { Tensor } from '../../tensor/tensor.js';
import { warn } from '../warn.js';
import { asNode } from './reduction.js';
import { cast } from '../../ops/internal/cast.js';
import { select3 } from '../../ops/internal/select.js';
import { reshaped } from '../../ops/internal/view.js';

const CORNERS =
  'Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify ' +
  'align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.';

/** From [-1, 1] to pixels: the corners' centres, or their outer edges. */
function unnormalise(x: Tensor, size: number, corners: boolean): Tensor {
  if (corners) return mul.impl(add.impl(x, 1, 1), (size - 1) / 2);
  return mul.impl(sub.impl(mul.impl(add.impl(x, 1, 1), size), 1, 1), 0.5);
}
/** Limited to the image; no gradient outside, nor on the edge. */
function clipped(x: Tensor, size: number): Tensor {
  const low = select3(le.impl(x, 0), 0, x);
  return select3(ge.impl(low, size - 1), size - 1, low);
}
/** Mirrored at `low` and `high` as often as it takes. */
function reflected(x: Tensor, low: number, high: number): Tensor {
  if (low === high) return mul.impl(x, 0);
  const span = high - low;
  const from = sub.impl(x, low, 1);
  const distance = select3(lt.impl(from, 0), neg.impl(from), from);
  const flips = floor.impl(mul.impl(distance.detach(), 1 / span));
  const extra = sub.impl(distance, mul.impl(flips, span), 1);
  const even = eq.impl(flips.remainder(2), 0);
  return select3(even, add.impl(extra, low, 1), sub.impl(high, extra, 1));
}
function placed(x: Tensor, size: number, padding: string, corners: boolean): Tensor {
  if (padding === 'zeros') return x;
  if (padding === 'border') return clipped(x, size);
  const inside = corners ? reflected(x, 0, size - 1) : reflected(x, -0.5, size - 0.5);
  return clipped(inside, size);
}

/** The pixels at whole places (one tensor per dimension, of the grid's sizes); zero outside of the image. image: [N, C, ..] */
function pixels(image: Tensor, at: readonly Tensor[]): Tensor {
  const [n, c, ...size] = image.shape as [number, number, ...number[]];
  const shape = at[0]!.shape.slice(1);
  let flat: Tensor | null = null;
  let inside: Tensor | null = null;
  at.forEach((x, d) => {
    const ok = logicalAnd.impl(ge.impl(x, 0), le.impl(x, size[d]! - 1));
    inside = inside === null ? ok : logicalAnd.impl(inside, ok);
    const safe = cast(select3(ok, x, 0), int64);
    flat = flat === null ? safe : add.impl(mul.impl(flat, size[d]!), safe, 1);
  });
  const places = shape.reduce((a, b) => a * b, 1);
  const index = reshaped(flat!, [n, 1, places]).expand([n, c, places]);
  const area = size.reduce((a, b) => a * b, 1);
  const picked = reshaped(gather.impl(reshaped(image, [n, c, area]), 2, index, false), [n, c, ...shape]);
  return select3(inside!.unsqueeze(1), picked, 0);
}

/** Linear in each dimension: the corners of the cell around the point, by how near they are. */
function linearSample(image: Tensor, at: readonly Tensor[]): Tensor {
  const low = at.map((x) => floor.impl(x.detach()));
  let y: Tensor | null = null;
  for (let corner = 0; corner < 2 ** at.length; corner++) {
    let weight: Tensor | null = null;
    const places = at.map((x, d) => {
      const up = (corner >> d) & 1;
      const part = sub.impl(x, low[d]!, 1);
      const w = up === 1 ? part : sub.impl(1, part, 1);
      weight = weight === null ? w : mul.impl(weight, w);
      return up === 1 ? add.impl(low[d]!, 1, 1) : low[d]!;
    });
    const term = mul.impl(pixels(image, places), weight!.unsqueeze(1));
    y = y === null ? term : add.impl(y, term, 1);
  }
  return y!;
}

const A = -0.75;
/** The weights of the four pixels around a point that lies `t` behind the second of them (Keys, 1981). */
function cubicWeights(t: Tensor): Tensor[] {
  const inner = (x: Tensor): Tensor => add.impl(mul.impl(mul.impl(sub.impl(mul.impl(x, A + 2), A + 3, 1), x), x), 1, 1);
  const outer = (x: Tensor): Tensor =>
    sub.impl(mul.impl(add.impl(mul.impl(sub.impl(mul.impl(x, A), 5 * A, 1), x), 8 * A, 1), x), 4 * A, 1);
  const rest = sub.impl(1, t, 1);
  return [outer(add.impl(t, 1, 1)), inner(t), inner(rest), outer(add.impl(rest, 1, 1))];
}
function cubicSample(image: Tensor, at: readonly Tensor[], padding: string, corners: boolean): Tensor {
  const size = image.shape.slice(2);
  const low = at.map((x) => floor.impl(x.detach()));
  const weights = at.map((x, d) => cubicWeights(sub.impl(x, low[d]!, 1)));
  let y: Tensor | null = null;
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j < 4; j++) {
      const places = [i, j].map((k, d) => placed(add.impl(low[d]!, k - 1, 1), size[d]!, padding, corners));
      const term = mul.impl(pixels(image, places), mul.impl(weights[0]![i]!, weights[1]![j]!).unsqueeze(1));
      y = y === null ? term : add.impl(y, term, 1);
    }
  }
  return y!;
}

/**
 * The values of an image at the points of a grid (https://arxiv.org/abs/1506.02025).
 * @param input [N, C, H, W] or [N, C, D, H, W]
 * @param grid [N, h, w, 2] or [N, d, h, w, 3]: points (x, y) or (x, y, z), -1 and 1 being the image's ends
 * @param mode 'bilinear' (default; linear in each dimension), 'nearest' or 'bicubic' (4-D alone)
 * @param paddingMode what lies outside: 'zeros' (default), 'border' or 'reflection'
 * @param alignCorners whether -1 and 1 are the centres of the corner pixels, not their edges (default
 *   null: false, with a warning)
 * @returns [N, C, h, w] or [N, C, d, h, w]
 * @throws RuntimeError for sizes or modes that do not fit
 */
export const gridSample = fnOp(
  "gridSample(Tensor input, Tensor grid, str mode='bilinear', str paddingMode='zeros', bool? alignCorners=None)",
  (input: Tensor, grid: Tensor, mode: string, paddingMode: string, alignCorners: boolean | null): Tensor => {
    if (mode !== 'bilinear' && mode !== 'nearest' && mode !== 'bicubic') {
      throw new RuntimeError(
        `nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '${mode}'`,
      );
    }
    if (paddingMode !== 'zeros' && paddingMode !== 'border' && paddingMode !== 'reflection') {
      throw new RuntimeError(
        `nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: '${paddingMode}'`,
      );
    }
    if (alignCorners === null) warn(CORNERS);
    const corners = alignCorners ?? false;
    const nd = input.ndim - 2;
    const show = (t: Tensor): string => `[${t.shape.join(', ')}]`;
    if ((nd !== 2 && nd !== 3) || input.ndim !== grid.ndim) {
      throw new RuntimeError(
        `grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes ${show(input)} and grid with sizes ${show(grid)}`,
      );
    }
    if (input.shape[0] !== grid.shape[0]) {
      throw new RuntimeError(
        `grid_sampler(): expected grid and input to have same batch size, but got input with sizes ${show(input)} and grid with sizes ${show(grid)}`,
      );
    }
    if (grid.size(-1) !== nd) {
      throw new RuntimeError(
        `grid_sampler(): expected grid to have size ${nd} in last dimension, but got grid with sizes ${show(grid)}`,
      );
    }
    const size = input.shape.slice(2);
    size.forEach((n, d) => {
      if (n > 0) return;
      throw new RuntimeError(
        `grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes ${show(input)} with dimension ${d + 2} being empty`,
      );
    });
    if (mode === 'bicubic' && nd === 3)
      throw new RuntimeError('grid_sampler(): bicubic interpolation only supports 4D input');
    // The grid names the last dimension first.
    const points = size.map((n, d) => unnormalise(grid.select(-1, nd - 1 - d), n, corners));
    if (mode === 'bicubic') return cubicSample(input, points, paddingMode, corners);
    const at = points.map((x, d) => placed(x, size[d]!, paddingMode, corners));
    if (mode === 'bilinear') return linearSample(input, at);
    const picked = pixels(
      input,
      at.map((x) => round.impl(x.detach(), 0)),
    );
    // Moving a point a little changes nothing: the grid's gradient is zero, but there is one.
    return asNode(
      'GridSampler2DBackward0',
      [picked, grid],
      ([values]) => values,
      (g, [, points0], needs) => [g, needs[1] ? points0.detach().newZeros([...points0.shape]) : null],
    );
  },
);

/**
 * The grid of an affine map, for `gridSample`: theta times (x, y, 1) or (x, y, z, 1) of every place
 * (https://arxiv.org/abs/1506.02025).
 * @param theta [N, 2, 3] or [N, 3, 4], floating-point
 * @param size [N, C, H, W] or [N, C, D, H, W]: the shape of the result of sampling
 * @param alignCorners whether -1 and 1 are the centres of the corner pixels, not their edges (default
 *   null: false, with a warning)
 * @returns [N, H, W, 2] or [N, D, H, W, 3]
 * @throws RuntimeError for sizes that do not fit, and for integers
 */
export const affineGrid = fnOp(
  'affineGrid(Tensor theta, int[] size, bool? alignCorners=None)',
  (theta: Tensor, size: readonly number[], alignCorners: boolean | null): Tensor => {
    if (alignCorners === null) warn(CORNERS);
    const corners = alignCorners ?? false;
    if (!theta.dtype.isFloatingPoint) {
      throw new RuntimeError(`Expected theta to have floating point type, but got ${String(theta.dtype)}`);
    }
    const nd = size.length - 2;
    const text = `torch.Size([${size.join(', ')}])`;
    if (nd !== 2 && nd !== 3) {
      throw new RuntimeError(
        `affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size ${text}.`,
      );
    }
    if (theta.ndim !== 3 || theta.shape[1] !== nd || theta.shape[2] !== nd + 1) {
      throw new RuntimeError(
        `Expected a batch of ${nd}D affine matrices of shape Nx${nd}x${nd + 1} for size ${text}. Got torch.Size([${theta.shape.join(', ')}]).`,
      );
    }
    if (Math.min(...size) <= 0) throw new RuntimeError(`Expected non-zero, positive output size. Got ${text}`);
    const spatial = size.slice(2);
    // [D, H, W, (x, y, z, 1)] with the last dimension's coordinate first.
    const options = { dtype: theta.dtype, device: theta.device };
    const axes = spatial.map((n, d) => {
      const line = n > 1 ? linspace(-1, 1, n, options) : linspace(0, 0, 1, options);
      const points = corners ? line : mul.impl(line, (n - 1) / n);
      return reshaped(
        points,
        spatial.map((_, i) => (i === d ? n : 1)),
      )
        .expand(spatial)
        .unsqueeze(-1);
    });
    const base = cat.impl([...axes.reverse(), ones([...spatial, 1], options)], -1);
    const count = spatial.reduce((a, b) => a * b, 1);
    const n = size[0]!;
    const points = reshaped(base, [1, count, nd + 1]).expand([n, count, nd + 1]);
    return reshaped(bmm.impl(points, theta.transpose(1, 2)), [n, ...spatial, nd]);
  },
);
