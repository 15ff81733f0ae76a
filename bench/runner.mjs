// This library's side.
import torch from 'flambeau';
import { kinds } from './kinds/index.mjs';
import { serve } from './serve.mjs';

torch.setNumThreads(Number(process.env.BENCH_THREADS ?? 1));
await serve(
  ({ kind, args }) => {
    torch.manualSeed(0);
    return kinds[kind](torch, args);
  },
  (ms) => torch.backends.cpu.measurePeaks(ms),
);
