// safetensors, NumPy's files, and listing files without loading them.
import { readFileSync } from 'node:fs';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import torch, { type Tensor } from 'flambeau';
import { cases, elements, fixture, Matcher } from './match';

const { safetensors } = torch;
const named = (ending: string): [string, (typeof cases)[number]][] =>
  cases.filter(({ file, content }) => file.endsWith(ending) && content !== undefined).map((c) => [c.file, c]);

describe('safetensors', () => {
  test.each(named('.safetensors'))('%s holds what was written', (file, { content, metadata }) => {
    // Recorded were the tensors before they were written: each has memory of its own in the file.
    new Matcher(false).match(safetensors.loadFile(fixture(file)), content!);
    new Matcher(false).match(safetensors.load(readFileSync(fixture(file))), content!);
    const found = safetensors.loadMetadata(fixture(file));
    expect(found && Object.entries(found)).toEqual(metadata && Object.entries(metadata));
  });

  test.each(named('.safetensors'))('%s is the same after saving it again', (file, { content, metadata }) => {
    const tensors = safetensors.loadFile(fixture(file));
    new Matcher(false).match(
      Object.fromEntries(Object.entries(safetensors.load(safetensors.save(tensors, metadata)))),
      {
        $dict: [...(content as { $dict: [string, never][] }).$dict].sort(
          ([a], [b]) => order(tensors, a) - order(tensors, b),
        ),
      },
    );
  });

  /** Where a name comes in the object that holds it. */
  const order = (tensors: Record<string, Tensor>, name: string): number => Object.keys(tensors).indexOf(name);

  test('the file is laid out like the reference implementation does', () => {
    const bytes = safetensors.save({
      small: torch.tensor([1, 2, 3], { dtype: torch.uint8 }),
      b: torch.tensor([1.5]),
      a: torch.tensor([2.5]),
      wide: torch.tensor([3], { dtype: torch.int64 }),
    });
    const length = Number(Buffer.from(bytes).readBigUInt64LE(0));
    expect(length % 8).toBe(0);
    expect(
      Buffer.from(bytes.subarray(8, 8 + length))
        .toString()
        .trimEnd(),
    ).toBe(
      '{"wide":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},' +
        '"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]},"small":{"dtype":"U8","shape":[3],"data_offsets":[16,19]}}',
    );
    expect(bytes.length).toBe(8 + length + 19);
  });

  test('views are written row-major, Maps taken, metadata kept', () => {
    const base = torch.arange(6).view(2, 3);
    const found = safetensors.load(
      safetensors.save(
        new Map([
          ['t', base.t()],
          ['row', base.narrow(0, 1, 1)],
        ]),
      ),
    );
    expect(found['t']?.tolist()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(found['t']?.isContiguous()).toBe(true);
    expect(found['row']?.tolist()).toEqual([[3, 4, 5]]);
    const file = path.join(os.tmpdir(), `flambeau-${process.pid}.safetensors`);
    safetensors.saveFile({ x: base }, file, { format: 'pt' });
    expect(safetensors.loadMetadata(file)).toEqual({ format: 'pt' });
    expect(safetensors.loadFile(file, { device: 'cpu' })['x']?.tolist()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    fs.rmSync(file);
  });

  test('what cannot be saved or loaded is named', () => {
    const x = torch.zeros(1);
    expect(() => safetensors.save({ x: 1 as unknown as Tensor })).toThrow(/'x' is not a Tensor but number/);
    expect(() => safetensors.save({ __metadata__: x })).toThrow(TypeError);
    expect(() => safetensors.save({ x }, { n: 1 as unknown as string })).toThrow(/metadata 'n'/);
    const { 'torch.complex128': wide } = Object.fromEntries(torch.load<Map<string, Tensor>>(fixture('dtypes.pt')));
    expect(() => safetensors.save({ wide: wide! })).toThrow(/torch.complex128/);
    expect(() => safetensors.loadFile(fixture('unsigned.safetensors'))).toThrow(/torch.uint16/);
  });
});

describe('NumPy', () => {
  test.each([...named('.npy'), ...named('.npz')])('%s holds what NumPy wrote', (file, { content }) => {
    new Matcher().match(torch.fromNumpy(readFileSync(fixture(file))), content!);
  });

  test.each(named('.npy'))('%s is the same after writing it again', (file, { content }) => {
    new Matcher(false).match(torch.fromNumpy(torch.toNumpy(torch.fromNumpy(readFileSync(fixture(file))))), content!);
  });

  test.each(cases.filter((c) => c.refuse && c.file.endsWith('.npy')).map((c) => [c.file, c.refuse!] as const))(
    '%s is refused',
    (file, message) => {
      expect(() => torch.fromNumpy(readFileSync(fixture(file)))).toThrow(message);
    },
  );

  test('a row-major file is byte for byte what NumPy writes', () => {
    for (const file of ['matrix.npy', 'scalar.npy', 'empty.npy', 'bool.npy', 'half.npy']) {
      const own = readFileSync(fixture(file));
      expect(Buffer.compare(torch.toNumpy(torch.fromNumpy(own)), own)).toBe(0);
    }
  });

  test('archives keep their names', () => {
    const tensors = { a: torch.arange(6).view(2, 3).t(), 'x.y': torch.tensor([0.5]) };
    const found = torch.fromNumpy<Record<string, Tensor>>(torch.toNumpy(tensors));
    expect(Object.keys(found)).toEqual(['a', 'x.y']);
    expect(found['a']?.tolist()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
  });

  test('the bytes that were given stay as they are', () => {
    const own = readFileSync(fixture('big_endian.npy'));
    const before = Buffer.from(own);
    torch.fromNumpy(own);
    expect(Buffer.compare(own, before)).toBe(0);
  });

  test('what NumPy lacks is named', () => {
    expect(() => torch.toNumpy(torch.load<Map<string, Tensor>>(fixture('dtypes.pt')).get('torch.bfloat16')!)).toThrow(
      /bfloat16/,
    );
    expect(() => torch.fromNumpy('matrix.npy' as unknown as Uint8Array)).toThrow(TypeError);
    expect(() => torch.toNumpy({ x: 1 as unknown as Tensor })).toThrow(TypeError);
  });
});

describe('inspectFile', () => {
  const { inspectFile } = torch.serialization;

  test('lists a checkpoint by the paths of its keys', () => {
    for (const file of ['checkpoint.pt', 'checkpoint_legacy.pt']) {
      const { format, tensors, values, size, bytes } = inspectFile(fixture(file));
      expect(format).toBe(file === 'checkpoint.pt' ? 'pytorch' : 'pytorch (legacy)');
      expect(size).toBe(fs.statSync(fixture(file)).size);
      const names = tensors.map(({ name }) => name);
      expect(names.slice(0, 2)).toEqual(['model.fc1.weight', 'model.fc1.bias']);
      expect(names).toContain('optimizer.state.0.exp_avg');
      expect(tensors[0]).toMatchObject({ dtype: 'float32', shape: [6, 4], bytes: 96, requiresGrad: false });
      expect(values).toContainEqual(['epoch', '3']);
      expect(values).toContainEqual(['history.1.0', '2']);
      expect(bytes).toBe(tensors.reduce((n, t) => n + t.bytes, 0));
    }
  });

  test.each(cases.filter((c) => c.inspect).map((c) => [c.file, c.inspect!] as const))(
    '%s can be listed',
    (file, expected) => {
      const { tensors } = inspectFile(fixture(file));
      expect(tensors.map(({ name, dtype, shape, bytes }) => [name, dtype, shape, bytes])).toEqual(expected);
    },
  );

  test('lists sparse and quantized tensors and those of other element types', () => {
    const list = (file: string): string[] =>
      inspectFile(fixture(file)).tensors.map((t) =>
        [t.name, t.dtype, t.shape.join('x'), t.bytes, ...(t.layout ? [t.layout] : [])].join(' '),
      );
    for (const end of ['', '_legacy']) {
      expect(list(`sparse${end}.pt`)).toEqual(
        expect.arrayContaining(['uncoalesced float32 2x3 60 sparse_coo', 'csr float32 2x3 60 sparse_csr']),
      );
      expect(list(`quantized${end}.pt`).slice(0, 2)).toEqual([
        'quint8 quint8 2x3 6 quantized',
        'transposed quint8 3x2 6 quantized',
      ]);
    }
    expect(list('element_types.pt')).toEqual(
      expect.arrayContaining(['tensors.shared uint16 2x3 12', 'tensors.float8_e4m3fn float8_e4m3fn 24 24']),
    );
  });

  test('memory that several tensors share counts once', () => {
    const { tensors, bytes } = inspectFile(fixture('parameters.pt'));
    expect(tensors.map(({ name, parameter }) => [name, Boolean(parameter)])).toEqual([
      ['tied.0', true],
      ['tied.1', true],
      ['frozen', true],
      ['view', false],
      ['leaf', false],
    ]);
    expect(bytes).toBe(96 + 8 + 12);
  });

  test('knows the other formats', () => {
    const formats = [
      'tensors.safetensors',
      'matrix.npy',
      'deflated.npz',
      'stored.npz',
      'torchscript.pt',
      'module.pt',
      'first_versions.tar.pt',
    ];
    expect(formats.map((file) => inspectFile(fixture(file)).format)).toEqual([
      'safetensors',
      'npy',
      'npz',
      'npz',
      'torchscript',
      'pytorch',
      'pytorch (legacy)',
    ]);
    expect(inspectFile(fixture('deflated.npz')).tensors.map(({ name, shape }) => [name, shape])).toEqual([
      ['a', [2, 3]],
      ['b', []],
      ['__proto__', [1]],
    ]);
    expect(inspectFile(fixture('odd_names.safetensors')).values).toContainEqual(['__metadata__.format', '"pt"']);
    const weights = inspectFile(fixture('torchscript.pt')).tensors.map(
      ({ dtype, shape }) => `${dtype} ${shape.join('x')}`,
    );
    expect(weights).toEqual(['float32 3x2', 'float32 3']);
    expect(inspectFile(fixture('module.pt')).tensors.map(({ shape }) => shape.join('x'))).toEqual(['3x2', '3']);
  });

  test('a tensor of a listed file has the bytes that its elements take', () => {
    for (const { name, bytes } of inspectFile(fixture('dtypes.pt')).tensors) {
      const t = torch.load<Map<string, Tensor>>(fixture('dtypes.pt')).get(name)!;
      expect(Buffer.from(elements(t), 'base64').length).toBe(bytes);
    }
  });
});
