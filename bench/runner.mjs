// This library's side: answers each request with the time per call. See run.mjs.
import readline from 'node:readline';
import torch from 'flambeau';
import { works } from './works/index.mjs';

torch.setNumThreads(Number(process.env.BENCH_THREADS ?? 1));
const calls = new Map();

function callOf(name) {
  if (!calls.has(name)) {
    torch.manualSeed(0);
    calls.set(name, works.find((w) => w.name === name).make(torch));
  }
  return calls.get(name);
}

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
answer('ready');
for await (const line of readline.createInterface({ input: process.stdin })) {
  const { work, ms } = JSON.parse(line);
  const { inner = 1 } = works.find((w) => w.name === work);
  const call = callOf(work);
  let n = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  let wall = 0;
  do {
    for (let i = 0; i < inner; i++) call();
    n += inner;
    wall = performance.now() - start;
  } while (wall < ms);
  const { user, system } = process.cpuUsage(cpu);
  answer({ wall: (wall * 1000) / n, cpu: (user + system) / n, calls: n });
}
