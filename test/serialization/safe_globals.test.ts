// Python classes and functions that a program allows.
import torch, { type Tensor } from 'flambeau';
import { fixture } from './match';

const { serialization } = torch;

class Namespace {
  lr = 0;
  names: string[] = [];
  total(): number {
    return this.names.length + this.lr;
  }
}

afterEach(() => serialization.clearSafeGlobals());

type Loaded = { args: Namespace; w: Tensor };
const load = (): Loaded => torch.load<Loaded>(fixture('namespace.pt'));

test('an allowed class gets the pickled attributes', () => {
  expect(load).toThrow(/argparse.Namespace/);
  serialization.addSafeGlobals([[Namespace, 'argparse.Namespace']]);
  const { args } = load();
  expect(args).toBeInstanceOf(Namespace);
  expect(args.names).toEqual(['a']);
  expect(args.total()).toBe(1.5);
  expect(serialization.getSafeGlobals()).toEqual([[Namespace, 'argparse.Namespace']]);
  serialization.clearSafeGlobals();
  expect(load).toThrow(torch.RuntimeError);
});

test('instances are saved as the Python class they were allowed under', () => {
  const bytes = serialization.safeGlobals([[Namespace, 'argparse.Namespace']], () => {
    const args = Object.assign(new Namespace(), { lr: 0.25 });
    return serialization.saveToBytes({ args, same: args });
  });
  expect(Buffer.from(bytes).includes('argparse\nNamespace\n')).toBe(true);
  expect(() => torch.load(bytes)).toThrow(/argparse.Namespace/);
  const { args, same } = serialization.safeGlobals([[Namespace, 'argparse.Namespace']], () =>
    torch.load<{ args: Namespace; same: Namespace }>(bytes),
  );
  expect(args.lr).toBe(0.25);
  expect(same).toBe(args);
});

test('a class can read and write its own state', () => {
  class Range {
    low = 0;
    high = 0;
    setState(state: [number, number]): void {
      [this.low, this.high] = state;
    }
    getState(): number[] {
      return [this.low, this.high];
    }
  }
  serialization.addSafeGlobals([Range]);
  const range = Object.assign(new Range(), { low: 2, high: 5 });
  const bytes = serialization.saveToBytes([range]);
  expect(Buffer.from(bytes).includes('__main__\nRange\n')).toBe(true);
  expect(torch.load<Range[]>(bytes)[0]).toMatchObject({ low: 2, high: 5 });
});

test('safeGlobals takes its names back, also after an error', () => {
  expect(() =>
    serialization.safeGlobals([[Namespace, 'argparse.Namespace']], () => {
      throw new Error('inside');
    }),
  ).toThrow('inside');
  expect(serialization.getSafeGlobals()).toEqual([]);
});

test('safeGlobals holds until a promise settles', async () => {
  const pending = serialization.safeGlobals([[Namespace, 'argparse.Namespace']], async () => {
    await Promise.resolve();
    return serialization.getSafeGlobals();
  });
  expect(serialization.getSafeGlobals()).toHaveLength(1);
  expect(await pending).toEqual([[Namespace, 'argparse.Namespace']]);
  expect(serialization.getSafeGlobals()).toEqual([]);
  const failing = serialization.safeGlobals([[Namespace, 'argparse.Namespace']], () =>
    Promise.reject(new Error('late')),
  );
  await expect(failing).rejects.toThrow('late');
  expect(serialization.getSafeGlobals()).toEqual([]);
});

test('what cannot be allowed is refused', () => {
  expect(() => serialization.addSafeGlobals([[Namespace, 'os.system']])).toThrow(/blocked/);
  expect(() => serialization.addSafeGlobals([5 as never])).toThrow(TypeError);
  expect(() => serialization.addSafeGlobals([[Namespace, 'no name']])).toThrow(TypeError);
  expect(serialization.getSafeGlobals()).toEqual([]);
});
