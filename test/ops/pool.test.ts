// Pooling: the rows of the table, and the kernels against a loop over windows.
import torch, { type Tensor } from 'flambeau';
import { adaptiveWindows, mean, poolOutput, type PoolShape, size, windows } from './reference';
import { Draw, TOLERANCES } from './shapes';
import { checkFile } from './structured';
import { expectClose, functionOf, numbers } from './support';
import { rows } from './table/layers';

checkFile(
  'layers',
  rows.filter((row) => /Pool/.test(row.op)),
);

function drawShape(draw: Draw, nd: number, dilated: boolean): PoolShape {
  for (;;) {
    const kernel = draw.list(nd, 1, 4);
    const shape: PoolShape = {
      input: draw.list(nd, 1, nd === 1 ? 30 : nd === 2 ? 11 : 6),
      kernel,
      stride: draw.chance(0.4) ? kernel : draw.list(nd, 1, 4),
      padding: kernel.map((k) => draw.whole(0, Math.floor(k / 2))),
      dilation: dilated ? draw.list(nd, 1, 2) : kernel.map(() => 1),
      ceil: draw.chance(0.4),
    };
    // A dilated window may lie in the padding altogether; it has no largest element.
    if (poolOutput(shape).every((n) => n > 0) && windows(shape).every(({ places }) => places.length > 0)) return shape;
  }
}
/** Where the largest of some values is: the first of equals, and any NaN before all. */
function argmax(values: readonly number[], places: readonly number[]): number {
  let best = places[0]!;
  for (const at of places)
    if (values[at]! > values[best]! || (Number.isNaN(values[at]!) && !Number.isNaN(values[best]!))) best = at;
  return best;
}
/** Splits flat values into planes. */
function planes(values: readonly number[], plane: number): number[][] {
  return Array.from({ length: values.length / plane }, (_, i) => values.slice(i * plane, (i + 1) * plane));
}

describe.each(TOLERANCES)('in %s', (type, relative) => {
  test.each([1, 2, 3])('random %id max pools, their indices and gradients agree with the loop', (nd) => {
    const draw = new Draw(nd);
    for (let round = 0; round < 60; round++) {
      const s = drawShape(draw, nd, true);
      const lead = draw.pick([[2], [1, 3], [2, 2]]);
      const plane = size(s.input);
      const values = draw.values(size(lead) * plane);
      if (draw.chance(0.3)) values[draw.whole(0, values.length - 1)] = NaN;
      const x = draw
        .tensor(values, [...lead, ...s.input], type)
        .detach()
        .requiresGrad_();
      const [y, indices] = functionOf(`maxPool${nd}dWithIndices`)(
        x,
        s.kernel,
        s.stride,
        s.padding,
        s.dilation,
        s.ceil,
      ) as [Tensor, Tensor];
      const at = planes(values, plane).flatMap((p) => windows(s).map(({ places }) => argmax(p, places)));
      const perPlane = size(poolOutput(s));
      expect(y.shape).toEqual([...lead, ...poolOutput(s)]);
      expect([JSON.stringify(s), ...numbers(indices)]).toEqual([JSON.stringify(s), ...at]);
      expectClose(
        numbers(y),
        at.map((k, i) => values[Math.floor(i / perPlane) * plane + k]!),
        type,
        {},
      );
      // Without a gradient no places are looked for.
      const alone = functionOf(`maxPool${nd}d`)(
        x.detach(),
        s.kernel,
        s.stride,
        s.padding,
        s.dilation,
        s.ceil,
      ) as Tensor;
      expect([JSON.stringify(s), ...numbers(alone)]).toEqual([JSON.stringify(s), ...numbers(y)]);
      const gs = draw.values(y.numel());
      y.backward(draw.tensor(gs, y.shape, type));
      const gx = new Array<number>(values.length).fill(0);
      at.forEach((k, i) => {
        gx[Math.floor(i / perPlane) * plane + k]! += gs[i]!;
      });
      expectClose(numbers(x.grad!), gx, type, { relative });
    }
  });
  test.each([
    [3, 1, 1, 1],
    [3, 2, 1, 1],
    [5, 1, 2, 1],
    [4, 2, 0, 2],
    [2, 1, 0, 1],
  ])('rows longer than a piece: kernel %i, stride %i, padding %i, dilation %i', (kernel, stride, padding, dilation) => {
    const draw = new Draw(5);
    const s: PoolShape = {
      input: [4, 1100],
      kernel: [2, kernel],
      stride: [1, stride],
      padding: [1, padding],
      dilation: [1, dilation],
      ceil: false,
    };
    const values = draw.values(4400);
    values[1600] = NaN;
    const x = draw.tensor(values, [1, 4, 1100], type).detach();
    const y = functionOf('maxPool2d')(x, s.kernel, s.stride, s.padding, s.dilation) as Tensor;
    expect(numbers(y)).toEqual(numbers(x.flatten().index(windows(s).map(({ places }) => argmax(values, places)))));
  });
  test.each([1, 2, 3])('random %id average pools and their gradients agree with the loop', (nd) => {
    const draw = new Draw(10 + nd);
    for (let round = 0; round < 60; round++) {
      const s = drawShape(draw, nd, false);
      const countPad = draw.chance(0.5);
      const divisor = nd > 1 && draw.chance(0.2) ? 3 : null;
      const plane = size(s.input);
      const values = draw.values(2 * plane);
      const x = draw
        .tensor(values, [2, ...s.input], type)
        .detach()
        .requiresGrad_();
      const y = functionOf(`avgPool${nd}d`)(
        x,
        s.kernel,
        s.stride,
        s.padding,
        s.ceil,
        countPad,
        ...(nd > 1 ? [divisor] : []),
      ) as Tensor;
      const all = windows(s).map(({ places, padded }) => ({
        places,
        by: divisor ?? (countPad ? padded : places.length),
      }));
      const expected = planes(values, plane).flatMap((p) =>
        all.map(({ places, by }) => places.reduce((a, k) => a + p[k]!, 0) / by),
      );
      expectClose(
        numbers(y),
        expected,
        type,
        { relative },
        (i) => `${JSON.stringify({ ...s, countPad, divisor })}: y[${i}]`,
      );
      const gs = draw.values(y.numel());
      y.backward(draw.tensor(gs, y.shape, type));
      const gx = new Array<number>(values.length).fill(0);
      gs.forEach((g, i) => {
        const { places, by } = all[i % all.length]!;
        for (const k of places) gx[Math.floor(i / all.length) * plane + k]! += g / by;
      });
      expectClose(
        numbers(x.grad!),
        gx,
        type,
        { relative },
        (i) => `${JSON.stringify({ ...s, countPad, divisor })}: gx[${i}]`,
      );
    }
  });
  test.each([1, 2, 3])('random %id adaptive pools and their gradients agree with the loop', (nd) => {
    const draw = new Draw(20 + nd);
    for (let round = 0; round < 40; round++) {
      const input = draw.list(nd, 1, nd === 1 ? 30 : 8);
      const out = draw.list(nd, 1, nd === 1 ? 12 : 5);
      const plane = size(input);
      const values = draw.values(3 * plane);
      const all = adaptiveWindows(input, out);
      const x = draw
        .tensor(values, [3, ...input], type)
        .detach()
        .requiresGrad_();
      const y = functionOf(`adaptiveAvgPool${nd}d`)(x, out) as Tensor;
      expectClose(
        numbers(y),
        planes(values, plane).flatMap((p) => all.map((places) => mean(places.map((k) => p[k]!)))),
        type,
        { relative },
      );
      const gs = draw.values(y.numel());
      y.backward(draw.tensor(gs, y.shape, type));
      const gx = new Array<number>(values.length).fill(0);
      gs.forEach((g, i) => {
        const places = all[i % all.length]!;
        for (const k of places) gx[Math.floor(i / all.length) * plane + k]! += g / places.length;
      });
      expectClose(numbers(x.grad!), gx, type, { relative });
      const [best, indices] = functionOf(`adaptiveMaxPool${nd}d`)(x.detach(), out, true) as [Tensor, Tensor];
      const at = planes(values, plane).flatMap((p) => all.map((places) => argmax(p, places)));
      expect(numbers(indices)).toEqual(at);
      expectClose(
        numbers(best),
        at.map((k, i) => values[Math.floor(i / all.length) * plane + k]!),
        type,
        {},
      );
    }
  });
});

describe('geometry without bounds', () => {
  const x = torch.ones(1, 2, 8, 8);
  const most = 2 ** 31 - 1;

  test.each([2 ** 31, 2 ** 40, 2 ** 53 - 1, -(2 ** 40)])('%d is no int', (huge) => {
    const refused = 'value cannot be converted to type int without overflow';
    for (const name of ['maxPool2d', 'avgPool2d']) {
      const pool = functionOf(name);
      expect(() => pool(x, huge)).toThrow(refused);
      expect(() => pool(x, 3, huge)).toThrow(refused);
      expect(() => pool(x, 3, 1, huge)).toThrow(refused);
    }
    expect(() => functionOf('maxPool2d')(x, 3, 1, 0, huge)).toThrow(refused);
  });

  test('the largest windows have their maximum and their mean', () => {
    const pad = 2 ** 30 - 1;
    for (const nd of [1, 2, 3]) {
      const input = torch.ones(...[1, 1, ...new Array<number>(nd).fill(4)]);
      expect((functionOf(`maxPool${nd}d`)(input, most, most, pad) as Tensor).flatten().select(0, 0).item()).toBe(1);
      if (nd === 3) continue;
      const mean = functionOf(`avgPool${nd}d`)(input.clone().requiresGrad_(), most, most, pad, true, false) as Tensor;
      expect(mean.flatten().select(0, 0).item()).toBe(1);
      mean.sum().backward();
      const counted = functionOf(`avgPool${nd}d`)(input, most, most, pad, true, true) as Tensor;
      expect(counted.flatten().select(0, 0).item()).toBeLessThan(1e-8);
    }
  });
});
