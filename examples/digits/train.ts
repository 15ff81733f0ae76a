// Trains the digits network and keeps its best weights; see README.md.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { SingleBar } from 'cli-progress';
import torch, { F, optim, type Tensor } from 'flambeau';
import { DigitNet } from './model.js';

const { DataLoader, randomSplit, TensorDataset } = torch.utils.data;

const { values: options } = parseArgs({
  options: {
    epochs: { type: 'string', default: '12' },
    seed: { type: 'string', default: '0' },
    'batch-size': { type: 'string', default: '64' },
    lr: { type: 'string', default: '0.003' },
    threads: { type: 'string' },
    out: { type: 'string', default: '.' },
  },
});
const epochs = Number(options.epochs);
const started = Date.now();
const seconds = (): string => ((Date.now() - started) / 1000).toFixed(1);

/** Pixels [N, 64] and classes [N]. */
function readDigits(): [Tensor, Tensor] {
  const root = path.dirname(require.resolve('flambeau/package.json'));
  const text = gunzipSync(readFileSync(path.join(root, 'examples', 'digits', 'data', 'digits.csv.gz'))).toString();
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(',').map(Number));
  const table = torch.tensor(rows, { dtype: torch.int64 });
  return [table.narrow(1, 0, 64).to(torch.float32), table.select(1, 64).contiguous()];
}

/** The share of pictures that the model names right. */
function accuracyOf(model: InstanceType<typeof DigitNet>, batches: Iterable<[Tensor, Tensor]>): number {
  model.eval();
  let right = 0;
  let all = 0;
  torch.noGrad(() => {
    for (const [pixels, classes] of batches) {
      right += Number(model(pixels).argmax(1).eq(classes).sum().item());
      all += classes.numel();
    }
  });
  return right / all;
}

/** Shows how far an epoch is: a bar on a terminal, nothing elsewhere. */
function progress(epoch: number, total: number): (done: number, loss: number) => void {
  if (!process.stdout.isTTY) return () => undefined;
  const bar = new SingleBar({
    format: `epoch ${String(epoch).padStart(2)} [{bar}] {value}/{total} batches, loss {loss}`,
    stream: process.stdout,
    clearOnComplete: true,
    hideCursor: true,
    barsize: 24,
  });
  bar.start(total, 0, { loss: '-' });
  return (done, loss) => {
    bar.update(done, { loss: loss.toFixed(4) });
    if (done === total) bar.stop();
  };
}

if (options.threads !== undefined) torch.setNumThreads(Number(options.threads));
torch.manualSeed(Number(options.seed));
mkdirSync(options.out, { recursive: true });
const inFolder = (name: string): string => path.join(options.out, name);

const [pixels, classes] = readDigits();
const [training, heldBack] = randomSplit(new TensorDataset(pixels, classes), [0.8, 0.2]) as [
  torch.utils.data.Subset<[Tensor, Tensor]>,
  torch.utils.data.Subset<[Tensor, Tensor]>,
];
const rowsOf = (t: Tensor): number[][] =>
  t.indexSelect(0, torch.tensor(heldBack.indices, { dtype: torch.int64 })).tolist() as number[][];
writeFileSync(
  inFolder('test.csv'),
  rowsOf(pixels)
    .map((row) => `${row.join(',')}\n`)
    .join(''),
);
writeFileSync(
  inFolder('test-labels.csv'),
  rowsOf(classes)
    .map((label) => `${String(label)}\n`)
    .join(''),
);

const trainLoader = new DataLoader(training, { batchSize: Number(options['batch-size']), shuffle: true });
const testLoader = new DataLoader(heldBack, { batchSize: 256 });

const model = new DigitNet();
const optimizer = new optim.Adam(model.parameters(), { lr: Number(options.lr) });
const schedule = new optim.lrScheduler.CosineAnnealingLR(optimizer, epochs);
console.log(`${training.length} digits to learn from, ${heldBack.length} held back`);

let best = 0;
for (let epoch = 1; epoch <= epochs; epoch++) {
  model.train();
  const show = progress(epoch, trainLoader.length);
  let total = 0;
  let right = 0;
  let seen = 0;
  let batch = 0;
  for (const [x, y] of trainLoader) {
    optimizer.zeroGrad();
    const scores = model(x);
    const loss = F.crossEntropy(scores, y);
    loss.backward();
    optimizer.step();
    total += Number(loss.item()) * y.numel();
    right += Number(scores.argmax(1).eq(y).sum().item());
    seen += y.numel();
    show(++batch, total / seen);
  }
  schedule.step();
  const accuracy = accuracyOf(model, testLoader);
  const kept = accuracy > best;
  if (kept) {
    best = accuracy;
    torch.save(model.stateDict(), inFolder('digits.pt'));
  }
  const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;
  console.log(
    `epoch ${String(epoch).padStart(2)}: loss ${(total / seen).toFixed(4)}, accuracy ${percent(right / seen)}, ` +
      `held back ${percent(accuracy)}, ${seconds()} s${kept ? ', kept' : ''}`,
  );
}
console.log(
  `best accuracy on held-back digits: ${(100 * best).toFixed(2)}% after ${seconds()} s; weights in ${inFolder('digits.pt')}`,
);
