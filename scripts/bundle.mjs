// Makes dist/ from what tsc wrote to build/lib: one dist/index.js that holds every module of the library, as the functions
// Node would have made of the files. Loading some two hundred files one by one takes twice as long as loading the library.
// The command line is a program of its own above the public index, and stays as files.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

const SEPARATE = ['cli'];
const ENTRIES = ['index.js', 'index.mjs', 'index.d.mts'];

/** What tsc makes of an import of a file of the library. */
const REQUIRE = /\brequire\("(\.\.?\/[^"]+)"\)/g;

/**
 * The modules that `entry` needs, itself first, with their imports by path from `folder`.
 * @throws Error if one is missing
 */
function collect(folder, entry) {
  const modules = new Map();
  const add = (name) => {
    if (modules.has(name)) return;
    modules.set(name, '');
    const source = readFileSync(path.join(folder, name), 'utf8').replace(REQUIRE, (_, target) => {
      const wanted = path.posix.join(path.posix.dirname(name), target);
      add(wanted);
      return `require(${JSON.stringify(wanted)})`;
    });
    modules.set(name, source);
  };
  add(entry);
  return modules;
}

/** The text of one CommonJS file that runs `entry` with its modules around it. */
function bundle(folder, entry) {
  const parts = [...collect(folder, entry)].map(
    ([name, source]) =>
      `// ${name}\n${JSON.stringify(name)}(exports, require, module, __dirname) {\n${source.trimEnd()}\n},\n`,
  );
  return `"use strict";
const path = require("path");
const loaded = new Map();
const files = {
${parts.join('\n')}};
function load(name) {
  if (!(name in files)) return require(name);
  let module = loaded.get(name);
  if (module === undefined) {
    loaded.set(name, (module = { exports: {} }));
    files[name](module.exports, load, module, path.join(__dirname, path.dirname(name)));
  }
  return module.exports;
}
module.exports = load(${JSON.stringify(entry)});
`;
}

/** Replaces a file as one step, so that a process that loads it meanwhile sees the old or the new one. */
export function writeIfChanged(file, text) {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, text);
  renameSync(`${file}.${process.pid}`, file);
}

/**
 * @param {string} lib folder of the sources
 * @param {string} from folder of the compiled modules
 * @param {string} to folder of the package's files; the declarations are there already
 */
export function bundleLibrary(lib, from, to) {
  const isCompiled = (name) => existsSync(path.join(lib, name.replace(/(\.d\.ts|\.js)$/, '.ts')));
  const isSeparate = (name) => SEPARATE.includes(name.split('/')[0]);
  prune(from, isCompiled);
  prune(to, (name) => ENTRIES.includes(name) || (isCompiled(name) && (name.endsWith('.d.ts') || isSeparate(name))));
  writeIfChanged(path.join(to, 'index.js'), bundle(from, 'index.js'));
  for (const folder of SEPARATE) {
    if (existsSync(path.join(from, folder)))
      cpSync(path.join(from, folder), path.join(to, folder), { recursive: true });
  }
}

/** Removes the files of `folder` that do not belong there any more: they would be packed and shipped. */
export function prune(folder, belongs, below = '') {
  for (const entry of readdirSync(path.join(folder, below), { withFileTypes: true })) {
    const name = path.posix.join(below, entry.name);
    if (entry.isDirectory()) {
      prune(folder, belongs, name);
      if (!readdirSync(path.join(folder, name)).length) rmdirSync(path.join(folder, name));
    } else if (!belongs(name)) rmSync(path.join(folder, name));
  }
}
