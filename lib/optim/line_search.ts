// A line search for the strong Wolfe conditions, with cubic interpolation.
// (Nocedal and Wright, "Numerical Optimization", 2006, algorithms 3.5 and 3.6)
import type { Tensor } from '../tensor/tensor.js';

/** The objective along the search direction, at distance `t`. */
export interface LinePoint {
  t: number;
  /** The loss. */
  f: number;
  /** The gradient, flat. */
  g: Tensor;
  /** The slope: the gradient along the direction. */
  slope: number;
}

/** The minimum of the cubic through two points with their slopes, kept within bounds (default: between the points). */
function cubicMinimum(a: LinePoint, b: LinePoint, bounds?: [number, number]): number {
  const [low, high] = bounds ?? (a.t <= b.t ? [a.t, b.t] : [b.t, a.t]);
  const d1 = a.slope + b.slope - (3 * (a.f - b.f)) / (a.t - b.t);
  const square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const d2 = Math.sqrt(square);
  const at =
    a.t <= b.t
      ? b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
      : a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2));
  return Math.min(Math.max(at, low), high);
}

/** c1 and c2 of the conditions: enough decrease, and a slope that has flattened enough. */
const DECREASE = 1e-4;
const CURVATURE = 0.9;

interface Search {
  evaluate: (t: number) => LinePoint;
  /** Where the search starts: t is 0. */
  start: LinePoint;
  /** The largest element of the direction. */
  directionNorm: number;
  toleranceChange: number;
  maxEvaluations: number;
}

/**
 * Looks for a point that satisfies the strong Wolfe conditions.
 * @param first the first distance to try.
 * @returns the best point found, and how often the objective was evaluated.
 */
export function strongWolfe(search: Search, first: number): { point: LinePoint; evaluations: number } {
  const { evaluate, start, maxEvaluations } = search;
  const slopeBound = -CURVATURE * start.slope;
  let previous = start;
  let point = evaluate(first);
  let evaluations = 1;
  let tries = 0;
  let bracket: [LinePoint, LinePoint] | null = null;
  while (tries < maxEvaluations) {
    const tooHigh = point.f > start.f + DECREASE * point.t * start.slope || (tries > 1 && point.f >= previous.f);
    if (!tooHigh && Math.abs(point.slope) <= slopeBound) return { point, evaluations };
    if (tooHigh || point.slope >= 0) {
      bracket = [previous, point];
      break;
    }
    const t = cubicMinimum(previous, point, [point.t + 0.01 * (point.t - previous.t), point.t * 10]);
    previous = point;
    point = evaluate(t);
    evaluations++;
    tries++;
  }
  bracket ??= [start, point];
  const found = zoom(search, bracket, tries, slopeBound);
  return { point: found.point, evaluations: evaluations + found.evaluations };
}

/** Narrows a bracket that holds a point as wanted. */
function zoom(
  search: Search,
  bracket: [LinePoint, LinePoint],
  triesBefore: number,
  slopeBound: number,
): { point: LinePoint; evaluations: number } {
  const { evaluate, start, directionNorm, toleranceChange, maxEvaluations } = search;
  let low = bracket[0].f <= bracket[1].f ? 0 : 1;
  let stuck = false;
  let evaluations = 0;
  for (let tries = triesBefore; tries < maxEvaluations; tries++) {
    const [a, b] = bracket;
    const smallest = Math.min(a.t, b.t);
    const largest = Math.max(a.t, b.t);
    if ((largest - smallest) * directionNorm < toleranceChange) break;
    let t = cubicMinimum(a, b);
    // Too close to a boundary twice in a row, or on it: move in by a tenth of the bracket.
    const margin = 0.1 * (largest - smallest);
    if (Math.min(largest - t, t - smallest) < margin) {
      if (stuck || t >= largest || t <= smallest) {
        t = Math.abs(t - largest) < Math.abs(t - smallest) ? largest - margin : smallest + margin;
        stuck = false;
      } else {
        stuck = true;
      }
    } else {
      stuck = false;
    }
    const point = evaluate(t);
    evaluations++;
    const high = 1 - low;
    if (point.f > start.f + DECREASE * t * start.slope || point.f >= bracket[low]!.f) {
      bracket[high] = point;
      low = bracket[0].f <= bracket[1].f ? 0 : 1;
      continue;
    }
    const done = Math.abs(point.slope) <= slopeBound;
    if (!done && point.slope * (bracket[high]!.t - bracket[low]!.t) >= 0) bracket[high] = bracket[low]!;
    bracket[low] = point;
    if (done) break;
  }
  return { point: bracket[low]!, evaluations };
}
