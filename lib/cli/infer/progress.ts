// How far a job is, on standard error.
import { SingleBar } from 'cli-progress';

/** When to show it: on a terminal only, always, or never. */
export const PROGRESS = ['auto', 'always', 'never'] as const;
export type ProgressMode = (typeof PROGRESS)[number];

/** Where no terminal redraws the line, a new one is written only now and then. */
const LINE_MS = 2000;

/** The rate is that of the last while. */
const WHILE_MS = 5000;

/** Rows per second over the last few seconds. */
class Rate {
  private points: [time: number, rows: number][] = [];

  constructor(rows: number) {
    this.points.push([Date.now(), rows]);
  }

  at(rows: number): number {
    const now = Date.now();
    const last = this.points[this.points.length - 1]!;
    if (now - last[0] > WHILE_MS / 10) this.points.push([now, rows]);
    while (this.points.length > 2 && now - this.points[1]![0] > WHILE_MS) this.points.shift();
    const [time, before] = this.points[0]!;
    return Math.round(((rows - before) * 1000) / Math.max(1, now - time));
  }
}

/** Shows progress. */
export interface ProgressBar {
  /**
   * @param done how much of the input is read, from 0 to 1; null if that is unknown.
   * @param rows how many rows are done.
   */
  update(done: number | null, rows: number): void;
  stop(): void;
}

/** 75 as '1m 15s'. */
function duration(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${s % 60}s`;
  return `${Math.floor(s / 3600)}h ${Math.floor((s % 3600) / 60)}m`;
}

/**
 * A bar with rows per second and the time that is left; without the bar where the input has no known end.
 * @param start where the job begins: more than nothing if it was interrupted.
 */
export function progressBar(mode: ProgressMode, start: { done: number | null; rows: number }): ProgressBar {
  const { stderr } = process;
  if (mode === 'never' || (mode === 'auto' && !stderr.isTTY)) return { update() {}, stop() {} };
  const known = start.done !== null;
  const bar = new SingleBar({
    format: known
      ? '{bar} {percentage}% | {rows} rows | {rate} rows/s | {left} left'
      : '{rows} rows | {rate} rows/s | {elapsed} so far',
    hideCursor: true,
    stream: stderr,
    clearOnComplete: true,
    noTTYOutput: mode === 'always',
    notTTYSchedule: LINE_MS,
    barsize: 30,
    // A signal ends the job in an orderly way; the bar must not end the process before.
    gracefulExit: false,
  });
  const began = Date.now();
  const rate = new Rate(start.rows);
  const first = start.done ?? 0;
  const values = (done: number | null, rows: number): Record<string, string> => {
    const seconds = (Date.now() - began) / 1000;
    const share = (done ?? 0) - first;
    return {
      rows: rows.toLocaleString('en-US'),
      rate: rate.at(rows).toLocaleString('en-US'),
      left: share > 0 && seconds > 0 ? duration((seconds * (1 - (done ?? 0))) / share) : '?',
      elapsed: duration(seconds),
    };
  };
  const TOTAL = 10_000;
  bar.start(TOTAL, Math.floor(first * TOTAL), values(start.done, start.rows));
  return {
    update: (done, rows) => bar.update(Math.floor((done ?? 0) * TOTAL), values(done, rows)),
    stop: () => bar.stop(),
  };
}
