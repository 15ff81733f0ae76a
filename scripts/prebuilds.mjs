// Puts this machine's binary where node-gyp-build looks for it in an installed package:
// prebuilds/<platform>-<arch>/flambeau[.glibc|.musl].node
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { buildNative, root } from './native.mjs';

if (!buildNative({ werror: true })) process.exit(1);

const isMusl = () => !process.report.getReport().header.glibcVersionRuntime;
const libc = process.platform === 'linux' ? (isMusl() ? '.musl' : '.glibc') : '';
const folder = path.join(root, 'prebuilds', `${process.platform}-${process.arch}`);
const file = path.join(folder, `flambeau${libc}.node`);
mkdirSync(folder, { recursive: true });
copyFileSync(path.join(root, 'build', 'Release', 'flambeau.node'), file);
if (process.platform === 'linux') spawnSync('strip', ['--strip-unneeded', file], { stdio: 'inherit' });
console.log(path.relative(root, file));
