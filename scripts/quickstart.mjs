// From a fresh clone to a trained network: installs, builds, trains on handwritten digits, and reads some with the result.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { buildNative, root } from './native.mjs';
import { installPackages } from './setup.mjs';

function must(what, ok) {
  if (ok) return;
  console.error(`quickstart: ${what} failed`);
  process.exit(1);
}

const node = (...args) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status === 0;

must('installing packages', installPackages());
must('building the addon', buildNative());
must('building the package', node('scripts/build.mjs', '--ts'));
must('compiling the examples', node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.examples.json'));
console.log('\nTraining on handwritten digits ...');
must('training', node('build/examples/digits/train.js'));
console.log('\nReading the held-back digits with the trained network ...');
must(
  'inference',
  node(
    ...['dist/cli/main.js', 'infer', '--model', 'examples/digits/model.js', '--checkpoint', 'digits.pt'],
    ...['--input', 'test.csv', '--output', 'predictions.jsonl', '--batch-size', '256'],
  ),
);
const lines = (file) => readFileSync(path.join(root, file), 'utf8').trimEnd().split('\n');
const labels = lines('test-labels.csv').map(Number);
const right = lines('predictions.jsonl').filter((line, i) => JSON.parse(line).prediction === labels[i]).length;
console.log(`predictions.jsonl: ${right} of ${labels.length} digits read right`);
