// One measurement of memory.mjs, in a process of its own; its argument says which, in JSON.
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import torch from 'flambeau';

const WARM = 1000;

/**
 * Fits w and b so that w x + b = y, element by element: about twelve tensors of the size a step.
 * @param {{ bytes: number, steps: number, hold: boolean }} request
 */
function measure({ bytes, steps, hold }) {
  const n = bytes / 4;
  torch.manualSeed(0);
  const [x, y] = [torch.randn(n), torch.randn(n)];
  const w = torch.ones(n, { requiresGrad: true });
  const b = torch.zeros(n, { requiresGrad: true });
  const optimizer = new torch.optim.SGD([w, b], { lr: 1e-3, momentum: 0.9 });
  const held = [];
  let start = 0;
  let peak = 0;
  let began = 0;
  for (let i = 0; i < steps; i++) {
    optimizer.zeroGrad();
    const loss = x.mul(w).add(b).sub(y).abs().mean();
    loss.backward();
    if (hold) held.push(loss, w.grad, x.mul(2));
    optimizer.step();
    if (i === WARM) {
      start = peak = process.memoryUsage.rss();
      began = performance.now();
    } else if (i > WARM && i % Math.max(1, Math.floor(steps / 1000)) === 0) {
      peak = Math.max(peak, process.memoryUsage.rss());
    }
  }
  const microseconds = ((performance.now() - began) * 1000) / (steps - WARM);
  const end = process.memoryUsage.rss();
  peak = Math.max(peak, end);
  return { steps, start, peak, end, growth: peak - start, microseconds, tensors: torch.memoryStats().tensors };
}

if (isMainThread) {
  const request = JSON.parse(process.argv[2]);
  const print = (result) => console.log(JSON.stringify({ ...request, ...result }));
  if (request.where === 'main') print(measure(request));
  else new Worker(fileURLToPath(import.meta.url), { workerData: request }).on('message', print);
} else {
  parentPort.postMessage(measure(workerData));
}
