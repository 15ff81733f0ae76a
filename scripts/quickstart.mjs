// From a fresh clone to a trained network: installs, builds, trains on handwritten digits, and reads some with the result.
import { spawnSync } from 'node:child_process';
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
console.log('\nTraining on handwritten digits ...');
must('training', node('examples/digits/train.mjs'));
console.log('\nReading digits with the trained network ...');
must('inference', node('examples/digits/infer.mjs'));
