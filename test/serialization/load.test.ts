// Files of real PyTorch: every format and protocol, read value by value.
import { readFileSync } from 'node:fs';
import torch, { type Tensor } from 'flambeau';
import { cases, elements, fixture, Matcher, storageOf } from './match';

const pickles = cases.filter(({ file }) => file.endsWith('.pt'));
const readable = pickles.filter(({ content }) => content !== undefined);

test('the fixtures are there', () => {
  expect(readable.length).toBeGreaterThan(25);
});

test.each(readable.map((c) => [c.file, c] as const))('%s holds what PyTorch saved', (file, { content, geometry }) => {
  new Matcher(geometry).match(torch.load(fixture(file)), content!);
});

test.each(readable.map((c) => [c.file, c] as const))('%s from memory', (file, { content, geometry }) => {
  new Matcher(geometry).match(torch.load(readFileSync(fixture(file))), content!);
});

test.each(pickles.filter((c) => c.refuse).map((c) => [c.file, c.refuse!] as const))(
  '%s is refused',
  (file, message) => {
    expect(() => torch.load(fixture(file))).toThrow(torch.RuntimeError);
    expect(() => torch.load(fixture(file))).toThrow(message);
  },
);

test('containers can contain themselves', () => {
  const list = torch.load<[number, { self: unknown }]>(fixture('cycle.pt'));
  expect(list[0]).toBe(1);
  expect(list[1].self).toBe(list);
});

test('an object that occurs twice is one object again', () => {
  const value = torch.load<{ shared: unknown; shared_again: unknown; inner: { list: unknown[] } }>(
    fixture('values_protocol2.pt'),
  );
  expect(value.shared_again).toBe(value.shared);
  expect(value.inner.list[0]).toBe(value.shared);
  const { tied } = torch.load<{ tied: Tensor[] }>(fixture('parameters.pt'));
  expect(tied[1]).toBe(tied[0]);
});

test('a key called __proto__ is a key', () => {
  const { odd_keys: odd } = torch.load<{ odd_keys: Record<string, unknown> }>(fixture('values_protocol2.pt'));
  expect(Object.keys(odd)).toEqual(['__proto__', 'constructor', 'toString', '']);
  expect(Object.hasOwn(odd, '__proto__')).toBe(true);
  expect(({} as Record<string, unknown>)['prototype']).toBeUndefined();
});

test('lazily conjugated and negated tensors have memory of their own', () => {
  const { conj, imag } = torch.load<{ conj: Tensor; imag: Tensor }>(fixture('lazy_signs.pt'));
  expect(storageOf(conj)).not.toBe(storageOf(imag));
  expect(elements(imag)).toBe(Buffer.from(new Float32Array([-2, 4]).buffer).toString('base64'));
});

test('weightsOnly: false gives objects of unknown classes as inert data', () => {
  const { args, w } = torch.load<{ args: InstanceType<typeof torch.serialization.PythonObject>; w: Tensor }>(
    fixture('namespace.pt'),
    { weightsOnly: false },
  );
  expect(args).toBeInstanceOf(torch.serialization.PythonObject);
  expect(args.className).toBe('argparse.Namespace');
  expect(args.state).toEqual({ lr: 0.5, names: ['a'] });
  expect(w.tolist()).toEqual([1, 1]);
  expect(() => torch.save(args, '/nonexistent/file.pt')).toThrow();
  expect(() => torch.serialization.saveToBytes({ args })).toThrow(
    /inert object of the Python class argparse.Namespace/,
  );
});

describe('mapLocation', () => {
  const file = fixture('state_dict.pt');

  test('takes a device, a mapping and a function', () => {
    const seen: string[] = [];
    const byFunction = (storage: Tensor, location: string): Tensor => {
      seen.push(`${location} ${storage.dtype.name}`);
      return storage;
    };
    for (const mapLocation of [
      'cpu',
      torch.device('cpu'),
      { 'cuda:0': 'cpu' },
      new Map([['cpu', 'cpu']]),
      byFunction,
      null,
    ]) {
      expect(torch.load<Map<string, Tensor>>(file, { mapLocation }).size).toBe(9);
      expect(torch.load<Map<string, Tensor>>(file, mapLocation).size).toBe(9);
    }
    expect(new Set(seen)).toEqual(new Set(['cpu uint8']));
    expect(seen.length).toBe(18);
  });

  test('to the device meta reads no elements', () => {
    for (const name of ['views.pt', 'views_legacy.pt', 'sparse.pt', 'quantized.pt', 'element_types.pt']) {
      for (const mapLocation of ['meta', { cpu: 'meta' }, () => 'meta']) {
        const found = torch.load<Record<string, Tensor> | Map<string, Tensor>>(fixture(name), { mapLocation });
        for (const t of found instanceof Map ? found.values() : Object.values(found)) {
          if (t instanceof torch.Tensor)
            expect([t.isMeta, String(t)]).toEqual([true, expect.stringContaining("device='meta'")]);
        }
      }
    }
    const { transposed } = Object.fromEntries(torch.load<Map<string, Tensor>>(fixture('views.pt'), 'meta')) as {
      transposed: Tensor;
    };
    expect([transposed.shape, transposed.stride()]).toEqual([
      [6, 4],
      [1, 6],
    ]);
  });

  test('refuses a device that is not there', () => {
    expect(() => torch.load(file, { mapLocation: 'cuda' })).toThrow(torch.RuntimeError);
    expect(() => torch.load(file, { mapLocation: 'nonsense' })).toThrow(/nonsense/);
    expect(() => torch.load(file, { mapLocation: 5 as unknown as string })).toThrow(TypeError);
  });

  test('refuses a storage of another size', () => {
    expect(() => torch.load(file, { mapLocation: () => torch.zeros(1) })).toThrow(/another size/);
  });
});

test('wrong arguments are named', () => {
  expect(() => torch.load(5 as unknown as string)).toThrow(TypeError);
  expect(() => torch.load(fixture('dtypes.pt'), { weightOnly: true } as object)).toThrow(/weightOnly/);
  expect(() => torch.load(fixture('dtypes.pt'), { weightsOnly: 1 as unknown as boolean })).toThrow(/weightsOnly/);
  expect(() => torch.load('/nonexistent/file.pt')).toThrow(/ENOENT/);
  expect(() => torch.load(fixture(''))).toThrow();
  expect(() => torch.load(fixture('tensors.safetensors'))).toThrow(/safetensors.loadFile/);
  expect(() => torch.load(fixture('matrix.npy'))).toThrow(/fromNumpy/);
  expect(() => torch.load(new Uint8Array(0))).toThrow(/empty/);
});
