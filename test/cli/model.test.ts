// flambeau summary and bench.
import torch, { nn } from 'flambeau';
import { flambeau, Folder, model } from './run';

const folder = new Folder();

describe('summary', () => {
  const whole = (): string => {
    torch.save(
      new nn.Sequential(new nn.Conv2d(3, 8, 3), new nn.ReLU(), new nn.Flatten(), new nn.Linear(288, 10)),
      folder.at('m.pt'),
    );
    return folder.at('m.pt');
  };

  test('shows the layers of a whole module and of a JavaScript module', () => {
    const { status, stdout, stderr } = flambeau(['summary', '--model', whole(), '--shape', '2,3,8,8']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/Conv2d.*\[2, 8, 6, 6\]/);
    expect(stdout).toMatch(/Linear.*\[2, 10\]/);
    expect(stdout).toMatch(/\nParameters: 3,114 /);
    const linear = flambeau(['summary', '--model', model('linear.cjs'), '--shape', '4,3', '--json']);
    expect(JSON.parse(linear.stdout)).toMatchObject({ parameters: 8, multiplyAdds: 24, inputBytes: 48 });
  });

  test('takes several inputs of a type, and computes where shapes are not enough', () => {
    const given = ['summary', '--model', model('picky.cjs'), '--shape', '2,3'];
    const refused = flambeau(given);
    expect([refused.status, refused.stderr]).toEqual([3, expect.stringContaining('needs --compute')]);
    expect(flambeau([...given, '--compute']).status).toBe(0);
    const two = flambeau([
      'summary',
      '--model',
      model('two.cjs'),
      '--shape',
      '2,3',
      '--shape',
      '2,5',
      '--dtype',
      'float64',
      '--json',
    ]);
    expect(JSON.parse(two.stdout)).toMatchObject({ inputBytes: 8 * 16, rows: [{ outputShape: [2, 8] }] });
  });

  test('refuses wrong shapes', () => {
    expect(flambeau(['summary', '--model', whole(), '--shape', '2,x']).status).toBe(2);
    const { status, stderr } = flambeau(['summary', '--model', whole(), '--shape', '2,4,8,8']);
    expect([status, stderr]).toEqual([3, expect.stringMatching(/^flambeau: cannot summarise /)]);
  });
});

test('bench measures limits and kernels', () => {
  const { status, stdout } = flambeau(['bench', '--seconds', '0.001', '--threads', '1', '--json']);
  expect(status).toBe(0);
  const report = JSON.parse(stdout) as {
    threads: number;
    peaks: Record<string, number>;
    kernels: { name: string; seconds: number; rate: number }[];
  };
  expect(report.threads).toBe(1);
  for (const name of ['float32', 'copy', 'triad']) expect([name, report.peaks[name]! > 0]).toEqual([name, true]);
  for (const word of ['matmul', 'conv2d', 'softmax', 'add'])
    expect(
      report.kernels.filter(({ name, seconds, rate }) => name.startsWith(word) && seconds > 0 && rate > 0),
    ).toHaveLength(1);
});
