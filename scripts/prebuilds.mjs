// Makes prebuilds/<platform>-<arch>/flambeau.<libc>.node, which node-gyp-build finds in an installed package.
//
// prebuildify strips, names and places the binary. What it would build with, node-gyp, fetches Node's headers from the
// network; in its stead it is given a program that runs the CMake build (scripts/prebuild-gyp.mjs). It works in a folder
// of its own because it moves the binary away from build/Release.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { root } from './native.mjs';
import { installPackages } from './setup.mjs';

if (!installPackages()) process.exit(1);

const require = createRequire(import.meta.url);
const { name } = require('../package.json');
const cwd = path.join(root, 'build', 'prebuild');
mkdirSync(cwd, { recursive: true });

const prebuildify = path.join(path.dirname(require.resolve('prebuildify/package.json')), 'bin.js');
const { status } = spawnSync(
  process.execPath,
  // The C library is in the name so that a musl system never loads a glibc binary.
  [prebuildify, '--napi', '--strip', '--tag-libc', '--name', name, '--cwd', cwd, '--out', root],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PREBUILD_NODE_GYP: path.join(root, 'scripts', 'prebuild-gyp.mjs') },
  },
);
if (status === 0) console.log(`prebuilds/${process.platform}-${process.arch}`);
process.exitCode = status ?? 1;
