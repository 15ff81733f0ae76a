import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const root = path.join(__dirname, '..', '..');
const node = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', env: { ...process.env, ...env } });

describe('kernels', () => {
  test('have no weak symbols, which the linker would merge across instruction sets', () => {
    const { status, stdout, stderr } = node(['scripts/check-weak-symbols.mjs']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^\d+ objects of kernels\/, 0 with weak symbols$/m);
    expect(status).toBe(0);
  });

  test('with a weak symbol would be found', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'weak-'));
    try {
      const source = path.join(folder, 'weak.cc');
      const object = path.join(folder, 'weak.o');
      fs.writeFileSync(source, 'inline int shared_by_all() { return 1; }\nint use() { return shared_by_all(); }\n');
      const compiled = spawnSync(process.env.CXX ?? 'c++', ['-c', '-O0', source, '-o', object], { encoding: 'utf8' });
      expect(compiled.status).toBe(0);
      const script = `import { weakSymbols } from './scripts/check-weak-symbols.mjs'; console.log(weakSymbols(process.argv[1]).join());`;
      expect(node(['--input-type=module', '-e', script, object]).stdout).toContain('shared_by_all()');
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});

describe('the package', () => {
  test('is the same through require and import', () => {
    const script = `
      import { createRequire } from 'node:module';
      import torch, * as named from 'flambeau';
      const cjs = createRequire(process.cwd() + '/')('flambeau');
      const names = Object.keys(cjs).filter((n) => n !== 'default' && n !== '__esModule');
      const missing = names.filter((n) => !Object.is(named[n], cjs[n]));
      const surplus = Object.keys(named).filter((n) => n !== 'default' && !names.includes(n));
      console.log(JSON.stringify([torch === cjs.default, missing, surplus, names.length > 100]));`;
    const { stdout, stderr } = node(['--input-type=module', '-e', script]);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([true, [], [], true]);
  });

  test('ships what an install needs and nothing of the tests', () => {
    const { files, exports, bin } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      files: string[];
      exports: Record<string, Record<string, Record<string, string>>>;
      bin: Record<string, string>;
    };
    const named = [...Object.values(exports['.']!).flatMap((e) => Object.values(e)), ...Object.values(bin)];
    for (const file of named) {
      expect([file, fs.existsSync(path.join(root, file))]).toEqual([file, true]);
      expect([file, files.includes(path.normalize(file).split(path.sep)[0]!)]).toEqual([file, true]);
    }
    expect(files.some((f) => /^(test|bench|examples|docs)/.test(f))).toBe(false);
  });
});
