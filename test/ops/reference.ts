// Slow and plain forms of what the fast kernels compute, on flat row-major arrays.

export const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** a: [m, k], b: [k, n] -> [m, n]. */
export function matmul(a: readonly number[], b: readonly number[], m: number, k: number, n: number): number[] {
  const out = new Array<number>(m * n).fill(0);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) for (let l = 0; l < k; l++) out[i * n + j]! += a[i * k + l]! * b[l * n + j]!;
  return out;
}

export interface ConvShape {
  n: number;
  c: number;
  o: number;
  groups: number;
  /** Sizes of the input, the kernel and the output per spatial dimension (always three: depth, height, width). */
  input: readonly number[];
  kernel: readonly number[];
  stride: readonly number[];
  padding: readonly number[];
  dilation: readonly number[];
}
export function convOutput(s: ConvShape): number[] {
  return s.input.map(
    (n, d) => Math.floor((n + 2 * s.padding[d]! - s.dilation[d]! * (s.kernel[d]! - 1) - 1) / s.stride[d]!) + 1,
  );
}
/** Which element of an input's plane the kernel's element q meets at place p, at [p * taps + q]; -1 in the padding. */
function meetings(s: ConvShape, out: readonly number[]): Int32Array {
  const taps = size(s.kernel);
  const kernel = Array.from({ length: taps }, (_, q) => unravel(q, s.kernel));
  const met = new Int32Array(size(out) * taps).fill(-1);
  for (let p = 0; p < size(out); p++) {
    const at = unravel(p, out);
    for (let q = 0; q < taps; q++) {
      const from = at.map((v, d) => v * s.stride[d]! - s.padding[d]! + kernel[q]![d]! * s.dilation[d]!);
      if (from.every((v, d) => v >= 0 && v < s.input[d]!)) met[p * taps + q] = ravel(from, s.input);
    }
  }
  return met;
}

/** Visits every product of a convolution: places in x [n, c, ..], w [o, c / groups, ..] and y [n, o, ..]. */
function visitConv(s: ConvShape, visit: (x: number, w: number, y: number) => void): void {
  const out = convOutput(s);
  const perGroup = s.c / s.groups;
  const [places, taps, plane] = [size(out), size(s.kernel), size(s.input)];
  const met = meetings(s, out);
  for (let b = 0; b < s.n; b++) {
    for (let o = 0; o < s.o; o++) {
      const group = Math.floor(o / (s.o / s.groups));
      for (let p = 0; p < places; p++) {
        for (let c = 0; c < perGroup; c++) {
          const [image, weight] = [(b * s.c + group * perGroup + c) * plane, (o * perGroup + c) * taps];
          for (let q = 0; q < taps; q++) {
            const from = met[p * taps + q]!;
            if (from >= 0) visit(image + from, weight + q, (b * s.o + o) * places + p);
          }
        }
      }
    }
  }
}
export function conv(
  s: ConvShape,
  x: readonly number[],
  w: readonly number[],
  bias: readonly number[] | null,
): number[] {
  const plane = size(convOutput(s));
  const y = Array.from({ length: s.n * s.o * plane }, (_, i) => bias?.[Math.floor(i / plane) % s.o] ?? 0);
  visitConv(s, (i, j, k) => {
    y[k]! += x[i]! * w[j]!;
  });
  return y;
}
export function convInput(s: ConvShape, g: readonly number[], w: readonly number[]): number[] {
  const gx = new Array<number>(s.n * s.c * size(s.input)).fill(0);
  visitConv(s, (i, j, k) => {
    gx[i]! += g[k]! * w[j]!;
  });
  return gx;
}
export function convWeight(s: ConvShape, g: readonly number[], x: readonly number[]): number[] {
  const gw = new Array<number>(s.o * (s.c / s.groups) * size(s.kernel)).fill(0);
  visitConv(s, (i, j, k) => {
    gw[j]! += g[k]! * x[i]!;
  });
  return gw;
}

export function unravel(i: number, shape: readonly number[]): number[] {
  const at = new Array<number>(shape.length);
  for (let d = shape.length - 1; d >= 0; d--) {
    at[d] = i % shape[d]!;
    i = Math.floor(i / shape[d]!);
  }
  return at;
}
export function ravel(at: readonly number[], shape: readonly number[]): number {
  return at.reduce((i, v, d) => i * shape[d]! + v, 0);
}

export interface PoolShape {
  /** Spatial sizes. */
  input: readonly number[];
  kernel: readonly number[];
  stride: readonly number[];
  padding: readonly number[];
  dilation: readonly number[];
  ceil: boolean;
}
export function poolOutput(s: PoolShape): number[] {
  return s.input.map((n, d) => {
    const reach = n + 2 * s.padding[d]! - s.dilation[d]! * (s.kernel[d]! - 1) - 1;
    const count = (s.ceil ? Math.ceil(reach / s.stride[d]!) : Math.floor(reach / s.stride[d]!)) + 1;
    // A window that would start in the padding at the end is left out.
    return s.ceil && (count - 1) * s.stride[d]! >= n + s.padding[d]! ? count - 1 : count;
  });
}
/** For each window of one plane: the places inside the input, and how many places it has with the padding. */
export function windows(s: PoolShape): { places: number[]; padded: number }[] {
  const out = poolOutput(s);
  return Array.from({ length: size(out) }, (_, p) => {
    const start = unravel(p, out).map((v, d) => v * s.stride[d]! - s.padding[d]!);
    const padded = start
      .map((v, d) => Math.min(v + s.kernel[d]!, s.input[d]! + s.padding[d]!) - v)
      .reduce((a, b) => a * b, 1);
    const places: number[] = [];
    for (let q = 0; q < size(s.kernel); q++) {
      const at = unravel(q, s.kernel).map((k, d) => start[d]! + k * s.dilation[d]!);
      if (at.every((v, d) => v >= 0 && v < s.input[d]!)) places.push(ravel(at, s.input));
    }
    return { places, padded };
  });
}
/** Windows of adaptive pooling: from floor(i n / m) to ceil((i + 1) n / m). */
export function adaptiveWindows(input: readonly number[], out: readonly number[]): number[][] {
  return Array.from({ length: size(out) }, (_, p) => {
    const ranges = unravel(p, out).map(
      (i, d) => [Math.floor((i * input[d]!) / out[d]!), Math.ceil(((i + 1) * input[d]!) / out[d]!)] as const,
    );
    let places: number[][] = [[]];
    for (const [from, to] of ranges)
      places = places.flatMap((at) => Array.from({ length: to - from }, (_, k) => [...at, from + k]));
    return places.map((at) => ravel(at, input));
  });
}

export const mean = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0) / v.length;
/** The sum of squared distances from the mean over n - correction. */
export function variance(v: readonly number[], correction: number): number {
  const m = mean(v);
  return v.reduce((a, x) => a + (x - m) ** 2, 0) / (v.length - correction);
}
export function softmax(v: readonly number[]): number[] {
  const top = Math.max(...v);
  const e = v.map((x) => Math.exp(x - top));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((x) => x / total);
}
