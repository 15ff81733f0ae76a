// Settings of checkpoints beside what PyTorch's recorded runs show.
import torch, { type Tensor } from 'flambeau';

const { checkpoint, setCheckpointEarlyStop } = torch.utils.checkpoint;

/** How often the end of a function is reached, by forward and by recomputation, for a checkpoint made inside `make`. */
async function endsReached(make: (run: () => Tensor) => Tensor | Promise<Tensor>): Promise<number> {
  let reached = 0;
  const f = (t: Tensor): Tensor => {
    const y = t.sin();
    reached++;
    return y;
  };
  const x = torch.ones(2, { requiresGrad: true });
  const y = await make(() => checkpoint(f, x, { useReentrant: false }) as Tensor);
  y.sum().backward();
  return reached;
}

test('setCheckpointEarlyStop holds while a function runs, or until its promise settles', async () => {
  expect(await endsReached((run) => run())).toBe(1);
  expect(await endsReached((run) => setCheckpointEarlyStop(false, run))).toBe(2);
  const late = (run: () => Tensor) => async (): Promise<Tensor> => {
    await Promise.resolve();
    return run();
  };
  expect(await endsReached((run) => setCheckpointEarlyStop(false, late(run)))).toBe(2);
  expect(await endsReached((run) => run())).toBe(1);
});

describe('a reentrant checkpoint', () => {
  const message =
    'When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or passing an `inputs` parameter to ' +
    '.backward(). To resolve this error, you can either set use_reentrant=False, or call .backward() without passing ' +
    'the `inputs` argument.';
  const make = () => {
    const x = torch.ones(3, { requiresGrad: true });
    const w = torch.ones(3, { requiresGrad: true });
    const y = checkpoint((t: Tensor) => t.mul(t).mul(w), x, { useReentrant: true }) as Tensor;
    return { x, w, y };
  };

  test('runs in a backward for all leaves, nested ones included', () => {
    const { x, w, y } = make();
    const z = checkpoint((t: Tensor) => checkpoint((u: Tensor) => u.mul(2), t, { useReentrant: true }) as Tensor, y, {
      useReentrant: true,
    }) as Tensor;
    z.sum().backward();
    expect([x.grad!.tolist(), w.grad!.tolist()]).toEqual([
      [4, 4, 4],
      [2, 2, 2],
    ]);
  });
  test('refuses a pass for given inputs, and leaves other leaves alone', () => {
    for (const pass of [
      ({ x, y }: ReturnType<typeof make>) => torch.autograd.grad(y.sum(), x),
      ({ x, y }: ReturnType<typeof make>) => y.sum().backward({ inputs: [x] }),
    ]) {
      const made = make();
      expect(() => pass(made)).toThrow(new torch.RuntimeError(message));
      expect([made.x.grad, made.w.grad]).toEqual([null, null]);
    }
  });
});
