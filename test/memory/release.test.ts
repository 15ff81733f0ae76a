// What frees a tensor, when, and what is left of it.
import torch, { type Tensor } from 'flambeau';

const GONE = 'the tensor was disposed and cannot be used any more';
const KIB256 = 2 ** 16; // elements of float32

/** Storage bytes and tensors that are alive once everything unreachable is gone. */
async function live() {
  // In a turn of its own: the frames of a running function may still hold what it has dropped.
  await new Promise(setImmediate);
  return torch.memoryStats(true);
}

/** How many bytes and tensors more `work` leaves behind, given that its result is still held. */
async function leaves<T>(work: () => T): Promise<{ bytes: number; tensors: number; result: T }> {
  const before = await live();
  const result = work();
  const after = await live();
  return { bytes: after.bytes - before.bytes, tensors: after.tensors - before.tensors, result };
}

// What the library made while it loaded, and its frames still held, is gone after this.
beforeAll(async () => {
  await live();
  await live();
});

describe('a tensor that nothing refers to', () => {
  test('is freed by the next full collection', async () => {
    const { bytes, tensors } = await leaves(() => {
      torch.ones(KIB256).add(1);
    });
    expect([bytes <= 0, tensors <= 0]).toEqual([true, true]);
  });

  test('is freed in a loop without any await', () => {
    let most = 0;
    for (let i = 0; i < 2000; i++) {
      torch.ones(KIB256);
      most = Math.max(most, torch.memoryStats().bytes);
    }
    // 500 MiB went by; at most 8 MiB wait for a collection, in three ages.
    expect(most).toBeLessThan(64 * 2 ** 20);
  });

  test('is freed in a loop without any await when it has grown old, too', () => {
    let most = 0;
    for (let round = 0; round < 60; round++) {
      // 25 MiB that outlive several minor collections before the next round drops them.
      const held = Array.from({ length: 100 }, () => torch.ones(KIB256));
      for (let i = 0; i < 400; i++) torch.ones(KIB256);
      most = Math.max(most, torch.memoryStats().bytes);
      expect(held[99]!.shape).toEqual([KIB256]);
    }
    // 128 MiB of new tensors and 64 MiB of old ones may wait, and what comes until the next operation looks.
    expect(most).toBeLessThan(320 * 2 ** 20);
  });

  test('is freed with the graph that saved it', async () => {
    const w = torch.ones(KIB256, { requiresGrad: true });
    const { bytes, result } = await leaves(() => w.exp().mul(2).sum());
    expect(result.item()).toBeCloseTo(2 * Math.E * KIB256, -3);
    // exp() saves its result.
    expect(Math.round(bytes / (4 * KIB256))).toBeGreaterThanOrEqual(1);
    const freed = await leaves(() => result.backward());
    // Its own gradient comes in, what exp() saved goes.
    expect(freed.bytes).toBeLessThanOrEqual(0);
  });
});

describe('dispose()', () => {
  test('frees at once, without a collection', () => {
    const t = torch.ones(KIB256);
    const before = torch.memoryStats();
    t.dispose();
    const after = torch.memoryStats();
    expect(before.bytes - after.bytes).toBeGreaterThanOrEqual(4 * KIB256);
    expect(before.tensors - after.tensors).toBeGreaterThanOrEqual(1);
  });

  test('may be called twice', () => {
    const t = torch.ones(3);
    t.dispose();
    const after = torch.memoryStats();
    expect(() => t.dispose()).not.toThrow();
    expect(torch.memoryStats().tensors).toBe(after.tensors);
  });

  test.each<[string, (t: Tensor) => unknown]>([
    ['an op', (t) => t.add(1)],
    ['an op that takes it second', (t) => torch.ones(3).mul(t)],
    ['an op on a list', (t) => torch.cat([torch.ones(3), t])],
    ['an in-place op', (t) => t.add_(1)],
    ['a view', (t) => t.view(3, 1)],
    ['item()', (t) => t.item()],
    ['tolist()', (t) => t.tolist()],
    ['toTypedArray()', (t) => t.toTypedArray()],
    ['stride()', (t) => t.stride()],
    ['copying into it', (t) => t.copy_(torch.zeros(3))],
  ])('leaves a tensor that %s refuses', (_, use) => {
    const t = torch.ones(3);
    t.dispose();
    expect(() => use(t)).toThrow(torch.RuntimeError);
    expect(() => use(t)).toThrow(GONE);
  });

  test('of a tensor that backward needs makes backward refuse', () => {
    const w = torch.ones(3, { requiresGrad: true });
    const x = torch.ones(3);
    const loss = w.mul(x).sum();
    x.dispose();
    expect(() => loss.backward()).toThrow(GONE);
    expect(w.grad).toBeNull();
  });

  test('of a leaf makes the backward that reaches it refuse', () => {
    const w = torch.ones(3, { requiresGrad: true });
    const loss = w.mul(2).sum();
    w.dispose();
    expect(() => loss.backward()).toThrow(GONE);
  });

  test('of a result leaves the graph before it alone', () => {
    const w = torch.ones(3, { requiresGrad: true });
    const y = w.mul(3);
    const loss = y.sum();
    y.dispose();
    loss.backward();
    expect(w.grad!.tolist()).toEqual([3, 3, 3]);
  });

  test('still lets a tensor be printed', () => {
    const t = torch.ones(3);
    t.dispose();
    expect(String(t)).toBe('tensor(<disposed>)');
  });
});

describe('using', () => {
  test('frees at the end of the block, also when it throws', () => {
    const before = torch.memoryStats().tensors;
    let seen: Tensor | undefined;
    expect(() => {
      using t = torch.ones(4);
      seen = t;
      throw new Error('stop');
    }).toThrow('stop');
    expect(torch.memoryStats().tensors).toBeLessThanOrEqual(before);
    expect(() => seen!.sum()).toThrow(GONE);
  });
});

describe('views', () => {
  test('share the storage, which lives as long as one of them', async () => {
    const base = torch.arange(KIB256, { dtype: torch.float32 });
    const before = await live();
    const more = () => Math.round((torch.memoryStats().bytes - before.bytes) / (4 * KIB256));
    const view = base.view(256, -1).select(0, 1).narrow(0, 2, 3);
    expect(more()).toBe(0);
    base.dispose();
    expect(more()).toBe(0);
    expect(view.tolist()).toEqual([258, 259, 260]);
    view.add_(1);
    expect(view.tolist()).toEqual([259, 260, 261]);
    view.dispose();
    await live();
    expect(more()).toBe(-1);
  });

  test('keep the storage of a base that nothing refers to', async () => {
    const { bytes, result } = await leaves(() => torch.ones(KIB256).narrow(0, 5, 2));
    expect(Math.round(bytes / (4 * KIB256))).toBe(1);
    for (let i = 0; i < 200; i++) torch.zeros(KIB256);
    await live();
    expect(result.tolist()).toEqual([1, 1]);
  });
});

describe('tidy()', () => {
  test('frees what was made inside except the result', async () => {
    const before = (await live()).tensors;
    const kept = torch.tidy(() => {
      const a = torch.ones(KIB256);
      const b = a.mul(2);
      return { sum: b.sum(), all: [a.add(1), new Map([['max', b.max()]])] };
    });
    expect(torch.memoryStats().tensors - before).toBeLessThanOrEqual(3);
    expect(kept.sum.item()).toBe(2 * KIB256);
    expect((kept.all[1] as Map<string, Tensor>).get('max')!.item()).toBe(2);
  });

  test('frees also when the function throws', async () => {
    const before = (await live()).tensors;
    expect(() =>
      torch.tidy(() => {
        torch.ones(3).add(1);
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(torch.memoryStats().tensors).toBeLessThanOrEqual(before);
  });

  test('leaves alone what was there before, and what keep() names', () => {
    const old = torch.ones(2);
    let kept: Tensor | undefined;
    torch.tidy(() => {
      old.add_(1);
      kept = torch.keep(torch.full([2], 7));
    });
    expect(old.tolist()).toEqual([2, 2]);
    expect(kept!.tolist()).toEqual([7, 7]);
  });

  test('hands its result to the tidy around it', async () => {
    const before = (await live()).tensors;
    const value = torch.tidy(() => {
      const inner = torch.tidy(() => torch.ones(3).add(1));
      expect(inner.tolist()).toEqual([2, 2, 2]);
      return inner.sum().item();
    });
    expect(value).toBe(6);
    expect(torch.memoryStats().tensors).toBeLessThanOrEqual(before);
  });

  test('keeps what backward still needs', () => {
    const w = torch.ones(3, { requiresGrad: true });
    const loss = torch.tidy(() => w.exp().mul(w).sum());
    loss.backward();
    const expected = 2 * Math.E;
    for (const g of w.grad!.tolist() as number[]) expect(g).toBeCloseTo(expected, 5);
  });

  test('leaves tensors that are refused for good, however often their place was used again', () => {
    let stale: Tensor | undefined;
    torch.tidy(() => {
      stale = torch.ones(2);
    });
    for (let i = 0; i < 2000; i++) {
      const other = torch.full([2], i);
      expect(() => stale!.tolist()).toThrow(GONE);
      other.dispose();
    }
    const other = torch.full([2], 5);
    stale!.dispose();
    expect(other.tolist()).toEqual([5, 5]);
  });

  test('refuses an async function, whose later tensors it would miss', () => {
    expect(() => torch.tidy(async () => torch.ones(1))).toThrow(TypeError);
  });
});

describe('a step of training', () => {
  test('leaves nothing behind but gradients', async () => {
    const w = torch.ones(KIB256, { requiresGrad: true });
    const x = torch.randn(KIB256);
    const step = () => {
      w.grad = null;
      w.mul(x).sub(1).abs().mean().backward();
    };
    step();
    const { bytes, tensors } = await leaves(() => {
      for (let i = 0; i < 50; i++) step();
    });
    expect([bytes <= 0, tensors <= 0]).toEqual([true, true]);
  });
});
