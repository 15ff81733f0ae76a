// npm's install script: nothing to do where prebuilds/ has a binary for this machine, else a build from source.
// Node finds the prebuilt binary when the package is first required, so an install without scripts works as well.
import { createRequire } from 'node:module';
import { buildNative, root } from './native.mjs';

const require = createRequire(import.meta.url);

function loads() {
  try {
    require('node-gyp-build')(root);
    return true;
  } catch {
    return false;
  }
}

if ((process.env.npm_config_build_from_source || !loads()) && !buildNative()) {
  console.error('flambeau: there is no prebuilt binary for this machine, and building one from source failed.');
  console.error('flambeau: a source build needs CMake 3.16 and a C++20 compiler (GCC 12, Clang 15 or newer).');
  process.exitCode = 1;
}
