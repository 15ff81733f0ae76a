// Installs the packages of package-lock.json if they are not there, so that `npm test` and `npm run quickstart` work on a
// fresh clone.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './native.mjs';

/** @returns {boolean} whether the packages are in place */
export function installPackages() {
  const lock = path.join(root, 'package-lock.json');
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && (!existsSync(lock) || sameVersions(lock, installed))) return true;
  console.log('Installing packages ...');
  // Without scripts: the package's own install script would build the addon, which the caller does next, visibly.
  const npm = (...command) =>
    spawnSync('npm', [...command, '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: root, stdio: 'inherit' })
      .status === 0;
  return (existsSync(lock) && npm('ci')) || npm('install', '--no-save');
}

/** Whether what is installed is what the lock file asks for (packages of other platforms aside). */
function sameVersions(lock, installed) {
  const versions = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;
  const [want, have] = [versions(lock), versions(installed)];
  return Object.entries(want).every(
    ([name, { version, optional }]) => !name || optional || have[name]?.version === version,
  );
}
