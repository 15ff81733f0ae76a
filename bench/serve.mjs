// The protocol between run.mjs and the processes that are timed: a line of JSON asks, a line of JSON answers.
//   { name, kind, args, inner, ms } -> { wall, cpu, calls } microseconds per call, or { missing: true }
//   { peaks: ms } -> the limits of the machine, each measured so long
//   { memory: true } -> { peak } bytes of the resident set at its highest
import readline from 'node:readline';

/**
 * Answers until the input ends.
 * @param {(request: object) => (() => unknown) | Promise<(() => unknown) | null> | null} make prepares the call that is
 *   timed, null where there is none of this kind; the call may be asynchronous
 * @param {(ms: number) => object} [peaks]
 */
export async function serve(make, peaks) {
  const calls = new Map();
  const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
  answer('ready');
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    if (request.peaks) answer(peaks(request.peaks));
    else if (request.memory) answer({ peak: process.resourceUsage().maxRSS * 1024 });
    else {
      const { name, ms, inner = 1 } = request;
      // One work at a time: what the last one holds is given back.
      if (!calls.has(name)) {
        calls.clear();
        calls.set(name, await make(request));
      }
      const call = calls.get(name);
      answer(call ? await time(call, ms, inner) : { missing: true });
    }
  }
}

async function time(call, ms, inner) {
  let n = 0;
  let wall = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  do {
    for (let i = 0; i < inner; i++) {
      const result = call();
      if (result instanceof Promise) await result;
    }
    n += inner;
    wall = performance.now() - start;
  } while (wall < ms);
  const { user, system } = process.cpuUsage(cpu);
  return { wall: (wall * 1000) / n, cpu: (user + system) / n, calls: n };
}
