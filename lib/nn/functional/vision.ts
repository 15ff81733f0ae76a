// Rearranging pixels and channels.
import { RuntimeError } from '../../core/errors.js';
import { fnOp } from '../../ops/define.js';
import { permute } from '../../ops/view.js';
import type { Tensor } from '../../tensor/tensor.js';
import { reshaped } from '../../ops/internal/view.js';

/** 0, 1, .. n - 1 */
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/**
 * Channels become pixels (https://arxiv.org/abs/1609.05158).
 * @param input [.., C r^2, H, W]
 * @param upscaleFactor r, positive
 * @returns [.., C, H r, W r]
 * @throws RuntimeError if r^2 does not divide the channels, and for fewer than three dimensions
 */
export const pixelShuffle = fnOp(
  'pixelShuffle(Tensor input, int upscaleFactor)',
  (input: Tensor, upscaleFactor: number): Tensor => {
    const r = upscaleFactor;
    if (input.ndim < 3) {
      throw new RuntimeError(
        `pixel_shuffle expects input to have at least 3 dimensions, but got input with ${input.ndim} dimension(s)`,
      );
    }
    if (r <= 0) throw new RuntimeError(`pixel_shuffle expects a positive upscale_factor, but got ${r}`);
    const [c, h, w] = input.shape.slice(-3) as [number, number, number];
    if (c % (r * r) !== 0) {
      throw new RuntimeError(
        `pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but input.size(-3)=${c} is not divisible by ${r * r}`,
      );
    }
    const lead = input.shape.slice(0, -3);
    const n = lead.length;
    const apart = reshaped(input, [...lead, c / (r * r), r, r, h, w]);
    return reshaped(permute(apart, [...upTo(n), n, n + 3, n + 1, n + 4, n + 2]), [...lead, c / (r * r), h * r, w * r]);
  },
);

/**
 * Pixels become channels, the reverse of `pixelShuffle`.
 * @param input [.., C, H r, W r]
 * @param downscaleFactor r, positive
 * @returns [.., C r^2, H, W]
 * @throws RuntimeError if r does not divide both sizes, and for fewer than three dimensions
 */
export const pixelUnshuffle = fnOp(
  'pixelUnshuffle(Tensor input, int downscaleFactor)',
  (input: Tensor, downscaleFactor: number): Tensor => {
    const r = downscaleFactor;
    if (input.ndim < 3) {
      throw new RuntimeError(
        `pixel_unshuffle expects input to have at least 3 dimensions, but got input with ${input.ndim} dimension(s)`,
      );
    }
    if (r <= 0) throw new RuntimeError(`pixel_unshuffle expects a positive downscale_factor, but got ${r}`);
    const [c, h, w] = input.shape.slice(-3) as [number, number, number];
    for (const [what, at, size] of [
      ['height', -2, h],
      ['width', -1, w],
    ] as const) {
      if (size % r !== 0) {
        throw new RuntimeError(
          `pixel_unshuffle expects ${what} to be divisible by downscale_factor, but input.size(${at})=${size} is not divisible by ${r}`,
        );
      }
    }
    const lead = input.shape.slice(0, -3);
    const n = lead.length;
    const apart = reshaped(input, [...lead, c, h / r, r, w / r, r]);
    return reshaped(permute(apart, [...upTo(n), n, n + 2, n + 4, n + 1, n + 3]), [...lead, c * r * r, h / r, w / r]);
  },
);

/**
 * Interleaves the channels of groups (https://arxiv.org/abs/1707.01083): [N, C, ..] as [N, groups, C / groups, ..] with these
 * dimensions swapped.
 * @param input [N, C, ..], at least three dimensions
 * @param groups how many; it divides C
 * @returns input's shape
 * @throws RuntimeError if `groups` does not divide the channels, and for fewer than three dimensions
 */
export const channelShuffle = fnOp(
  'channelShuffle(Tensor input, int groups)',
  (input: Tensor, groups: number): Tensor => {
    if (input.ndim <= 2) {
      throw new RuntimeError(
        `channel_shuffle expects input with > 2 dims, but got input with sizes [${input.shape.join(', ')}]`,
      );
    }
    const [n, c, ...rest] = input.shape as [number, number, ...number[]];
    if (groups <= 0)
      throw new RuntimeError(`Number of groups to divide channels in must be positive. Value of groups:${groups}`);
    if (c % groups !== 0) {
      throw new RuntimeError(`Number of channels must be divisible by groups. Got ${c} channels and ${groups} groups.`);
    }
    const apart = reshaped(input, [n, groups, c / groups, ...rest]);
    return reshaped(apart.transpose(1, 2), input.shape);
  },
);
export { channelShuffle as nativeChannelShuffle };
