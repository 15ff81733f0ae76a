// One process of the fuzzer: calls ops with one seed's arguments, and prints a line of JSON with what it counted and found.
//
//   node test/fuzz/child.mjs --library dist/index.js --seed 1 --rounds 3000 --calls calls.json --trace file [--only name] [--crash-at round]
import { openSync, readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { argumentMaker, randomSource } from './arguments.mjs';

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const file = path.resolve(option('library', 'dist/index.js'));

// The library's own errors are made with these, those of the engine with the original ones: an error of the engine means
// that an argument was not looked at. Native code makes the originals too, in a call of the addon.
const OURS = Symbol('made by a throw statement');
const AnyError = Error;
for (const name of ['Error', 'TypeError', 'RangeError']) {
  const Original = globalThis[name];
  globalThis[name] = class extends Original {
    [OURS] = true;
  };
  Object.defineProperty(globalThis[name], 'name', { value: name });
}
const lines = readFileSync(file, 'utf8').split('\n');
const isOurs = (error) => {
  if (error[OURS]) return true;
  const at = /index\.js:(\d+):\d+\)?$/m.exec(error.stack?.split('\n').find((line) => /^ +at /.test(line)) ?? '');
  return at !== null && /\baddon\.|\bload\(/.test(lines[Number(at[1]) - 1] ?? '');
};

const torch = createRequire(import.meta.url)(file);
const random = randomSource(Number(option('seed', '1')));
const rounds = Number(option('rounds', '3000'));
const only = option('only', null);
// Proves that a crash is noticed.
const crashAt = Number(option('crash-at', '-1'));
const trace = openSync(option('trace', os.devNull), 'w');
const make = argumentMaker(torch, random);
torch.manualSeed(Number(option('seed', '1')));

// These work on files, which has a fuzzer of its own, or change how long the process takes.
const LEFT_OUT = new Set(['save', 'saveAsync', 'saveSharded', 'load', 'loadSharded', 'inspectFile', 'setNumThreads', 'setNumInteropThreads', 'fork', 'constructor', '_describe', '_single']);
// These change a tensor that they are given, or run a function that does.
const CHANGES = /_$|^(batchNorm|instanceNorm|nativeBatchNorm|embedding|embeddingBag|embeddingRenorm|dispose|tidy|set \w+|_native_batch_norm_legit|backward|apply|map)$/;

const spaces = {
  '': torch,
  'F.': torch.F,
  'linalg.': torch.linalg,
  'fft.': torch.fft,
  'special.': torch.special,
  'windows.': torch.signal.windows,
  'masked.': torch.masked,
  'init.': torch.nn.init,
};
const targets = new Map();
for (const [prefix, space] of Object.entries(spaces)) {
  for (const [name, value] of Object.entries(space)) {
    if (typeof value !== 'function' || LEFT_OUT.has(name) || /^[A-Z]/.test(name)) continue;
    targets.set(prefix + name, { op: name, call: (args) => value(...args), params: value.signature?.params });
  }
}
for (const [name, d] of Object.entries(Object.getOwnPropertyDescriptors(torch.Tensor.prototype))) {
  if (LEFT_OUT.has(name)) continue;
  const method = (op, call, params) => targets.set(`x.${op}`, { op, method: true, call, params });
  if (typeof d.value === 'function') method(name, ([self, ...rest]) => d.value.call(self, ...rest), d.value.signature?.params);
  if (d.get) method(name, ([self]) => d.get.call(self), [{ kind: 'Tensor', name: 'self', required: true }]);
  if (d.set) method(`set ${name}`, ([self, value]) => d.set.call(self, value));
}

const isTensor = (v) => v instanceof torch.Tensor && v._h !== 0;
const templates = new Map();
for (const call of JSON.parse(readFileSync(option('calls'), 'utf8'))) {
  const bare = call.name.replace(/^\w+\./, '');
  const names = targets.has(call.name) ? [call.name] : ['F.', 'special.', 'linalg.'].map((space) => space + bare);
  for (const name of new Set([...names, bare, `x.${bare}`, `x.${bare}_`])) {
    const target = targets.get(name);
    if (target === undefined || (target.method && !call.args[0]?.tensor)) continue;
    if (!templates.has(name)) templates.set(name, []);
    templates.get(name).push(call);
  }
}

function shown(v) {
  if (v instanceof torch.Tensor) return v._h === 0 ? 'disposed' : `${v.dtype.name}[${v.shape}]${v.isContiguous() ? '' : `/${v.stride()}`}${v.requiresGrad ? 'g' : ''}`;
  if (Array.isArray(v)) return `[${v.map(shown).join(', ')}]`;
  if (ArrayBuffer.isView(v)) return v.constructor.name;
  if (typeof v === 'object' && v !== null && [Object.prototype, null].includes(Object.getPrototypeOf(v)))
    return `{ ${Object.entries(v).map(([k, x]) => `${k}: ${shown(x)}`).join(', ')} }`;
  return typeof v === 'bigint' ? `${v}n` : Object.is(v, -0) ? '-0' : typeof v === 'string' ? JSON.stringify(v) : typeof v === 'object' && v !== null ? v.constructor.name : String(v);
}

/** What a tensor holds: its sizes and the bytes of its elements. */
function snapshot(t) {
  const values = t.toTypedArray();
  return `${t.dtype.name}[${t.shape}]${Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('latin1')}`;
}
const tensorsIn = (args) => args.flatMap((a) => (Array.isArray(a) ? a : typeof a === 'object' && a !== null && Object.getPrototypeOf(a) === Object.prototype ? Object.values(a) : [a])).filter(isTensor);

const counts = { calls: 0, returned: 0, TypeError: 0, RangeError: 0, RuntimeError: 0, other: 0, backward: 0 };
const failures = [];
const succeeded = new Set();
const called = new Set();

function restore() {
  torch.setGradEnabled(true);
  torch.setDefaultDtype(torch.float32);
  torch.setFloat32MatmulPrecision('highest');
  torch.useDeterministicAlgorithms(false);
  torch.setPrintoptions({ profile: 'default' });
}
/** Counts an error; reports it unless it is one that the library throws on purpose. */
function judge(error, text) {
  if (typeof error === 'object' && error !== null && /thrown by a callback/.test(error.message)) return;
  if (!(error instanceof AnyError) || !isOurs(error)) {
    failures.push(`careless: ${text}: ${error?.stack?.split('\n').slice(0, 5).join(' | ') ?? error}`);
    return;
  }
  counts[error.name in counts ? error.name : 'other']++;
  if (!error.message) failures.push(`no message: ${text}`);
}

const chosen = [...targets].filter(([name]) => only === null || name === only || name.endsWith(`.${only}`));
for (let round = 0; round < rounds; round++) {
  const [name, target] = chosen[round < chosen.length ? round : make.below(chosen.length)];
  const known = templates.get(name);
  const args = known && random() < 0.6 ? make.fromCall(make.pick(known)) : make.fromSignature(target.params);
  if (target.method && !(args[0] instanceof torch.Tensor)) args.unshift(make.tensor());
  // As many iterations as are asked for.
  if (target.params?.some((p) => p.name === 'niter') && args.some((a) => a > 1e6 || a?.niter > 1e6)) continue;
  const text = `${name}(${args.map(shown).join(', ')})`;
  writeSync(trace, text.slice(0, 1999).padEnd(2000), 0);
  if (round === crashAt) process.kill(process.pid, 'SIGSEGV');
  const given = tensorsIn(args).map((t) => [t, snapshot(t)]);
  const changed = () => given.filter(([t, before]) => t._h !== 0 && snapshot(t) !== before);
  counts.calls++;
  called.add(name);
  let result;
  try {
    result = target.call(args);
  } catch (error) {
    judge(error, text);
    restore();
    // The callbacks of these may have done so.
    if (changed().length > 0 && !/^(apply_|map_|map2_|tidy|dispose)$/.test(target.op)) failures.push(`half changed: ${text}: ${error?.message}`);
    continue;
  }
  counts.returned++;
  succeeded.add(name);
  if (result instanceof Promise) result.catch((error) => judge(error, text));
  // A mode that was switched on.
  if (!(result instanceof torch.Tensor)) result?.[Symbol.dispose]?.();
  restore();
  const mayChange = CHANGES.test(target.op) || target.params?.some((p) => p.name === 'inplace');
  if (!mayChange && changed().length > 0) failures.push(`changed its argument: ${text}`);
  // Results are read whole, so that memory outside of a storage would be touched here; gradients are asked for.
  for (const t of [result].flat(2)) {
    if (!isTensor(t)) continue;
    try {
      if (t.numel() < 1e6) t.toTypedArray();
      if (!t.requiresGrad || random() < 0.5 || t.numel() > 1e6) continue;
      counts.backward++;
      const leaves = given.map(([x]) => x).filter((x) => isTensor(x) && x.requiresGrad);
      const sum = (t.dtype.isComplex ? torch.viewAsReal(t) : t).sum();
      const again = random() < 0.3;
      const grads = torch.autograd.grad(sum, leaves, { createGraph: again, allowUnused: true });
      const second = grads.filter((g) => g?.requiresGrad).map((g) => (g.dtype.isComplex ? torch.viewAsReal(g) : g).sum());
      if (again && second.length > 0) torch.autograd.grad(second[0], leaves, { allowUnused: true });
      for (const g of grads) g?.toTypedArray();
    } catch (error) {
      judge(error, `backward of ${text}`);
    }
  }
}
const never = [...called].filter((name) => !succeeded.has(name));
process.stdout.write(`${JSON.stringify({ counts, failures, never, ops: targets.size })}\n`);
