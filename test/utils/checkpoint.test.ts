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
