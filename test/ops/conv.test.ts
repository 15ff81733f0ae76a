// Convolutions: the rows of the table, and the kernels against a loop over every product.
import torch, { type Tensor } from 'flambeau';
import { conv, convInput, convOutput, type ConvShape, convWeight, size } from './reference';
import { Draw, TOLERANCES } from './shapes';
import { checkFile } from './structured';
import { expectClose, functionOf, numbers } from './support';
import { rows } from './table/layers';

checkFile(
  'layers',
  rows.filter((row) => row.op.startsWith('conv')),
);

/** A random convolution over nd dimensions with an output. */
function drawShape(draw: Draw, nd: number): ConvShape {
  for (;;) {
    const groups = draw.pick([1, 1, 1, 2, 3]);
    const depthwise = draw.chance(0.2);
    const per = depthwise ? 1 : draw.whole(1, 4);
    const lead = new Array<number>(3 - nd).fill(1);
    const zero = new Array<number>(3 - nd).fill(0);
    const shape: ConvShape = {
      n: draw.whole(1, 2),
      c: groups * per,
      o: groups * (depthwise ? 1 : draw.whole(1, 5)),
      groups,
      input: [...lead, ...draw.list(nd, 1, nd === 1 ? 24 : nd === 2 ? 9 : 5)],
      kernel: [...lead, ...draw.list(nd, 1, nd === 1 ? 5 : 3)],
      stride: [...lead, ...draw.list(nd, 1, 3)],
      padding: [...zero, ...draw.list(nd, 0, 2)],
      dilation: [...lead, ...draw.list(nd, 1, 2)],
    };
    if (convOutput(shape).every((v) => v > 0)) return shape;
  }
}
/** A convolution over [n, c, side, side] with a square kernel. */
function squareShape(
  n: number,
  c: number,
  o: number,
  groups: number,
  side: number,
  k: number,
  step: number,
  pad: number,
): ConvShape {
  return {
    n,
    c,
    o,
    groups,
    input: [1, side, side],
    kernel: [1, k, k],
    stride: [1, step, step],
    padding: [0, pad, pad],
    dilation: [1, 1, 1],
  };
}
const text = (s: ConvShape): string => JSON.stringify(s);

describe.each(TOLERANCES)('in %s', (type, relative) => {
  test.each([
    [1, 60],
    [2, 60],
    [3, 25],
  ])('random %id convolutions and their gradients agree with the loop', (nd, rounds) => {
    const draw = new Draw(10 * nd);
    for (let round = 0; round < rounds; round++) {
      const s = drawShape(draw, nd);
      const [xs, ws] = [draw.values(s.n * s.c * size(s.input)), draw.values((s.o * s.c * size(s.kernel)) / s.groups)];
      const bias = draw.chance(0.5) ? draw.values(s.o) : null;
      const last = (v: readonly number[]): number[] => v.slice(3 - nd);
      const x = draw
        .tensor(xs, [s.n, s.c, ...last(s.input)], type)
        .detach()
        .requiresGrad_();
      const w = draw
        .tensor(ws, [s.o, s.c / s.groups, ...last(s.kernel)], type)
        .detach()
        .requiresGrad_();
      const b = bias && draw.tensor(bias, [s.o], type).detach().requiresGrad_();
      const y = functionOf(`conv${nd}d`)(
        x,
        w,
        b,
        last(s.stride),
        last(s.padding),
        last(s.dilation),
        s.groups,
      ) as Tensor;
      expect(y.shape).toEqual([s.n, s.o, ...last(convOutput(s))]);
      expectClose(numbers(y), conv(s, xs, ws, bias), type, { relative }, (i) => `${text(s)}: y[${i}]`);
      const gs = draw.values(y.numel());
      y.backward(draw.tensor(gs, y.shape, type));
      expectClose(numbers(x.grad!), convInput(s, gs, ws), type, { relative }, (i) => `${text(s)}: gx[${i}]`);
      expectClose(numbers(w.grad!), convWeight(s, gs, xs), type, { relative }, (i) => `${text(s)}: gw[${i}]`);
      if (b) {
        const plane = size(convOutput(s));
        const sums = new Array<number>(s.o).fill(0);
        gs.forEach((v, i) => {
          sums[Math.floor(i / plane) % s.o]! += v;
        });
        expectClose(numbers(b.grad!), sums, type, { relative }, (i) => `${text(s)}: gb[${i}]`);
      }
      // The transposed convolution is the gradient by the input, up to the size that outputPadding chooses.
      const sizes = last(s.input).map((_, d) => {
        const at = 3 - nd + d;
        return (
          (convOutput(s)[at]! - 1) * s.stride[at]! - 2 * s.padding[at]! + s.dilation[at]! * (s.kernel[at]! - 1) + 1
        );
      });
      const extra = last(s.input).map((n, d) => n - sizes[d]!);
      if (extra.every((e, d) => e >= 0 && (e < last(s.stride)[d]! || e < last(s.dilation)[d]!))) {
        const g = draw.tensor(gs, y.shape, type);
        const back = functionOf(`convTranspose${nd}d`)(
          g,
          w.detach(),
          null,
          last(s.stride),
          last(s.padding),
          extra,
          s.groups,
          last(s.dilation),
        ) as Tensor;
        expectClose(numbers(back), convInput(s, gs, ws), type, { relative }, (i) => `${text(s)}: transposed[${i}]`);
      }
    }
  });
  test('layers of common networks agree with the loop', () => {
    const draw = new Draw(99);
    const common: [
      n: number,
      c: number,
      o: number,
      side: number,
      kernel: number,
      stride: number,
      padding: number,
      groups: number,
    ][] = [
      [1, 3, 8, 16, 3, 1, 1, 1],
      [2, 8, 16, 9, 3, 2, 1, 1],
      [1, 16, 24, 7, 1, 1, 0, 1],
      [1, 3, 8, 17, 7, 2, 3, 1],
      [1, 24, 24, 11, 3, 1, 1, 24],
      [1, 24, 24, 12, 5, 2, 2, 24],
      [2, 6, 6, 40, 3, 1, 1, 6],
      [1, 4, 8, 37, 3, 2, 1, 4],
      [1, 5, 5, 70, 3, 2, 0, 5],
      [1, 3, 6, 2, 3, 1, 3, 3],
      [1, 3, 3, 1, 3, 2, 1, 3],
      [2, 16, 32, 6, 1, 2, 0, 1],
      [1, 12, 24, 8, 3, 1, 1, 4],
    ];
    for (const [n, c, o, side, k, step, pad, groups] of common) {
      const s = squareShape(n, c, o, groups, side, k, step, pad);
      const [xs, ws] = [draw.values(n * c * side * side), draw.values((o * c * k * k) / groups)];
      const x = draw.tensor(xs, [n, c, side, side], type).detach().requiresGrad_();
      const w = draw
        .tensor(ws, [o, c / groups, k, k], type)
        .detach()
        .requiresGrad_();
      const y = torch.conv2d(x, w, null, step, pad, 1, groups);
      expectClose(numbers(y), conv(s, xs, ws, null), type, { relative }, (i) => `${text(s)}: y[${i}]`);
      const gs = draw.values(y.numel());
      y.backward(draw.tensor(gs, y.shape, type));
      expectClose(numbers(x.grad!), convInput(s, gs, ws), type, { relative }, (i) => `${text(s)}: gx[${i}]`);
      expectClose(numbers(w.grad!), convWeight(s, gs, xs), type, { relative }, (i) => `${text(s)}: gw[${i}]`);
    }
  });
  test('depthwise layers of 3 by 3 agree with the loop, at every edge of their strips', () => {
    const draw = new Draw(33);
    for (let round = 0; round < 100; round++) {
      // Planes narrower than a vector, as wide, and wider, by a column more or less.
      const height = draw.whole(1, 9);
      const width = draw.pick([1, 2, 3, 7, 8, 9, 14, 15, 16, 17, 18, 31, 32, 33, 35, 50, 66, 67]);
      const step = draw.pick([1, 2]);
      const [up, left] = draw.list(2, 0, 3);
      const groups = width < 9 ? draw.pick([2, 18]) : draw.pick([1, 2, 3]);
      const each = draw.pick([1, 1, 2, 3]);
      const s: ConvShape = {
        n: draw.whole(1, 3),
        c: groups,
        o: groups * each,
        groups,
        input: [1, height, width],
        kernel: [1, 3, 3],
        stride: [1, step, step],
        padding: [0, up!, left!],
        dilation: [1, 1, 1],
      };
      if (convOutput(s).some((v) => v < 1)) continue;
      const [xs, ws] = [draw.values(s.n * groups * height * width), draw.values(s.o * 9)];
      const bias = draw.values(s.o);
      const x = draw.tensor(xs, [s.n, groups, height, width], type).detach().requiresGrad_();
      const w = draw.tensor(ws, [s.o, 1, 3, 3], type).detach().requiresGrad_();
      const y = torch.conv2d(x, w, draw.tensor(bias, [s.o], type), step, [up!, left!], 1, groups);
      expectClose(numbers(y), conv(s, xs, ws, bias), type, { relative }, (i) => `${text(s)}: y[${i}]`);
      const gs = draw.values(y.numel());
      const g = draw.tensor(gs, y.shape, type);
      y.backward(g);
      const gx = convInput(s, gs, ws);
      expectClose(numbers(x.grad!), gx, type, { relative }, (i) => `${text(s)}: gx[${i}]`);
      expectClose(numbers(w.grad!), convWeight(s, gs, xs), type, { relative }, (i) => `${text(s)}: gw[${i}]`);
      const [h, v] = convOutput(s).slice(1);
      const extra = [height - (h! - 1) * step + 2 * up! - 3, width - (v! - 1) * step + 2 * left! - 3];
      if (extra.some((e) => e < 0 || e >= step)) continue;
      const shift = draw.values(groups);
      const t = draw.tensor(shift, [groups], type);
      const back = torch.convTranspose2d(g, w.detach(), t, step, [up!, left!], extra, groups);
      const shifted = gx.map((value, i) => value + shift[Math.floor(i / (height * width)) % groups]!);
      expectClose(numbers(back), shifted, type, { relative }, (i) => `${text(s)}: transposed[${i}]`);
    }
  });
  test.each([
    // c, o, groups, side, kernel, stride: depthwise, and few input channels
    [2, 2, 2, 19, 3, 1],
    [2, 2, 2, 19, 3, 2],
    [3, 20, 1, 26, 7, 2],
    [4, 4, 1, 26, 3, 1],
  ])(
    'an infinity reaches the gradients that it counts for: %i to %i channels, %i groups of %i',
    (c, o, groups, side, k, step) => {
      const draw = new Draw(5);
      const pad = Math.floor(k / 2);
      const s = squareShape(1, c, o, groups, side, k, step, pad);
      const out = convOutput(s);
      const [xs, ws, gs] = [
        draw.values(c * side * side),
        draw.values((o * c * k * k) / groups),
        draw.values(o * size(out)),
      ];
      if (groups > 1) {
        for (const at of [0, side - 1, side * side - 1]) xs[at] = Number.POSITIVE_INFINITY;
      } else {
        gs[out[2]! + 1] = Number.POSITIVE_INFINITY;
      }
      const x = draw.tensor(xs, [1, c, side, side], type).detach().requiresGrad_();
      const w = draw
        .tensor(ws, [o, c / groups, k, k], type)
        .detach()
        .requiresGrad_();
      const y = torch.conv2d(x, w, null, step, pad, 1, groups);
      y.backward(draw.tensor(gs, y.shape, type));
      if (groups > 1) expectClose(numbers(w.grad!), convWeight(s, gs, xs), type, { relative }, (i) => `gw[${i}]`);
      else expectClose(numbers(x.grad!), convInput(s, gs, ws), type, { relative }, (i) => `gx[${i}]`);
    },
  );
  test('layers with many output channels agree with the loop', () => {
    const draw = new Draw(7);
    type Sizes = [number, number, number];
    const many: [n: number, c: number, o: number, groups: number, Sizes, Sizes, Sizes, Sizes, Sizes][] = [
      // input, kernel, stride, padding, dilation
      [1, 8, 40, 1, [1, 9, 13], [1, 3, 3], [1, 1, 1], [0, 1, 1], [1, 1, 1]],
      [2, 8, 48, 2, [1, 8, 11], [1, 3, 3], [1, 2, 2], [0, 1, 1], [1, 1, 1]],
      [1, 6, 16, 1, [1, 3, 300], [1, 3, 3], [1, 1, 1], [0, 1, 1], [1, 1, 1]], // rows that are cut
      [1, 6, 16, 1, [1, 2, 600], [1, 1, 5], [1, 1, 2], [0, 0, 4], [1, 1, 2]],
      [5, 8, 32, 1, [1, 4, 4], [1, 3, 3], [1, 1, 1], [0, 1, 1], [1, 1, 1]], // lines across images
      [17, 8, 48, 1, [1, 2, 3], [1, 3, 3], [1, 1, 1], [0, 1, 1], [1, 1, 1]],
      [6, 16, 32, 2, [1, 7, 7], [1, 3, 3], [1, 2, 2], [0, 1, 1], [1, 1, 1]],
      [4, 6, 24, 1, [1, 5, 5], [1, 2, 2], [1, 2, 3], [0, 3, 3], [1, 1, 2]], // windows of padding alone
      [1, 6, 24, 1, [3, 5, 6], [2, 3, 3], [1, 1, 1], [1, 1, 1], [1, 1, 1]],
      [5, 4, 32, 1, [3, 4, 3], [3, 2, 3], [2, 1, 1], [1, 0, 1], [1, 2, 1]],
      [2, 40, 32, 1, [1, 9, 9], [1, 1, 1], [1, 2, 2], [0, 0, 0], [1, 1, 1]],
      [2, 4, 32, 1, [2, 30, 20], [2, 3, 3], [1, 1, 1], [0, 0, 0], [1, 1, 1]], // bands of rows in the image itself
      [1, 20, 16, 1, [1, 30, 260], [1, 30, 2], [1, 1, 1], [0, 0, 1], [1, 1, 1]], // more than a window holds
      // Many input channels and strides: results of the gradient by the input lie between one another.
      [1, 40, 8, 1, [1, 9, 13], [1, 3, 3], [1, 2, 2], [0, 1, 1], [1, 1, 1]],
      [2, 32, 8, 2, [1, 11, 12], [1, 4, 3], [1, 3, 2], [0, 2, 0], [1, 1, 2]],
      [1, 16, 12, 1, [1, 10, 14], [1, 1, 1], [1, 2, 2], [0, 0, 0], [1, 1, 1]], // results of no product
      [1, 16, 3, 1, [1, 3, 600], [1, 3, 3], [1, 1, 2], [0, 1, 1], [1, 1, 1]],
      [5, 16, 8, 1, [1, 9, 9], [1, 3, 3], [1, 2, 2], [0, 1, 1], [1, 1, 1]],
      [6, 24, 4, 1, [3, 6, 7], [2, 3, 3], [2, 2, 2], [1, 1, 1], [1, 1, 1]],
      [1, 16, 4, 1, [5, 8, 9], [3, 3, 3], [2, 2, 1], [1, 1, 1], [1, 1, 1]],
      [1, 16, 8, 1, [1, 16, 16], [1, 2, 2], [1, 4, 4], [0, 0, 0], [1, 1, 1]],
      [1, 16, 3, 1, [1, 20, 20], [1, 5, 5], [1, 5, 5], [0, 0, 0], [1, 1, 1]], // too many for a stage
      // Few output channels, or few input channels for the gradient by the input.
      [2, 5, 3, 1, [1, 9, 20], [1, 3, 3], [1, 1, 1], [0, 1, 1], [1, 1, 1]],
      [1, 9, 1, 1, [1, 6, 47], [1, 3, 5], [1, 2, 2], [0, 2, 0], [1, 1, 2]],
      [1, 4, 5, 1, [1, 3, 300], [1, 3, 3], [1, 1, 1], [0, 0, 1], [1, 1, 1]],
      [2, 16, 16, 4, [1, 7, 30], [1, 3, 3], [1, 1, 1], [0, 1, 1], [1, 1, 1]],
      [2, 3, 20, 1, [1, 13, 33], [1, 7, 7], [1, 2, 2], [0, 3, 3], [1, 1, 1]],
      [1, 7, 9, 1, [1, 8, 64], [1, 3, 3], [1, 2, 2], [0, 1, 1], [1, 1, 1]], // in two passes
      [1, 2, 9, 1, [1, 12, 60], [1, 4, 5], [1, 3, 3], [0, 1, 1], [1, 1, 2]],
      [1, 3, 8, 1, [1, 8, 65], [1, 4, 4], [1, 4, 4], [0, 0, 0], [1, 1, 1]],
      [1, 2, 10, 1, [1, 5, 64], [1, 1, 1], [1, 2, 2], [0, 0, 0], [1, 1, 1]],
      [2, 3, 12, 1, [4, 5, 34], [3, 3, 3], [2, 2, 2], [1, 1, 1], [1, 1, 1]],
      [2, 6, 2, 1, [3, 4, 15], [2, 2, 3], [1, 1, 1], [1, 0, 1], [1, 1, 1]],
    ];
    for (const [n, c, o, groups, input, kernel, stride, padding, dilation] of many) {
      const s: ConvShape = { n, c, o, groups, input, kernel, stride, padding, dilation };
      const [xs, ws, bias] = [
        draw.values(n * c * size(input)),
        draw.values((o * c * size(kernel)) / groups),
        draw.values(o),
      ];
      const x = draw
        .tensor(xs, [n, c, ...input], type)
        .detach()
        .requiresGrad_();
      const w = draw
        .tensor(ws, [o, c / groups, ...kernel], type)
        .detach()
        .requiresGrad_();
      const y = torch.conv3d(x, w, draw.tensor(bias, [o], type), stride, padding, dilation, groups);
      expectClose(numbers(y), conv(s, xs, ws, bias), type, { relative }, (i) => `${text(s)}: y[${i}]`);
      const gs = draw.values(y.numel());
      y.backward(draw.tensor(gs, y.shape, type));
      expectClose(numbers(x.grad!), convInput(s, gs, ws), type, { relative }, (i) => `${text(s)}: gx[${i}]`);
      expectClose(numbers(w.grad!), convWeight(s, gs, xs), type, { relative }, (i) => `${text(s)}: gw[${i}]`);
    }
  });
});

describe('geometry without bounds', () => {
  const HUGE = [2 ** 31, 2 ** 40, 2 ** 52];
  const x = torch.arange(128).float().reshape(1, 2, 8, 8);
  const w = torch.ones(2, 2, 3, 3);

  test.each(HUGE)('a step of %d from the only window takes none', (stride) => {
    for (const type of ['float32', 'float64'] as const) {
      const a = x.to(torch[type]).requiresGrad_();
      const y = torch.conv2d(a, w.to(torch[type]), null, stride);
      expect(y.tolist()).toEqual(torch.conv2d(x, w, null, 6).tolist());
    }
  });

  // Their products with the sizes of the padded image do not fit in 64 bits.
  test.each(HUGE)('padding of %d is memory that nobody has', (padding) => {
    const refused = /^DefaultCPUAllocator: can't allocate memory/;
    for (const stride of [1, 3, padding]) {
      expect(() => torch.conv2d(x, w, null, stride, padding, padding)).toThrow(refused);
      if (padding > 2 ** 31) {
        const [row, taps] = [torch.ones(1, 2, 8), torch.ones(2, 2, 3)];
        expect(() => torch.conv1d(row, taps, null, stride, padding, padding)).toThrow(refused);
      }
    }
    expect(() => torch.conv2d(torch.ones(1, 4, 8, 8), torch.ones(4, 1, 3, 3), null, 1, padding, padding, 4)).toThrow(
      refused,
    );
  });
});
