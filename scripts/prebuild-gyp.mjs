#!/usr/bin/env node
// What prebuildify runs as node-gyp: `<this> rebuild --target=... --devdir=... --arch=... --release`. Builds with CMake and
// leaves the binary where prebuildify looks, in build/Release of the working folder. `--target` does not matter: a
// Node-API binary serves every Node.
import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { binary, buildNative } from './native.mjs';

const arch = process.argv.find((a) => a.startsWith('--arch='))?.slice('--arch='.length) ?? process.arch;
if (arch !== process.arch) {
  console.error(`a binary for ${arch} must be built on such a machine; this one is ${process.arch}`);
  process.exit(1);
}
if (!buildNative()) process.exit(1);
const folder = path.join(process.cwd(), 'build', 'Release');
mkdirSync(folder, { recursive: true });
copyFileSync(binary, path.join(folder, path.basename(binary)));
