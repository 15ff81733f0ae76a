// The digits example from end to end: compiled, trained, and its model run over the held-back rows.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.join(__dirname, '..', '..');
function node(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

test('reads at least 98% of the held-back digits after twelve epochs', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'flambeau-digits-'));
  const at = (name: string): string => path.join(folder, name);
  const lines = (name: string): string[] => readFileSync(at(name), 'utf8').trimEnd().split('\n');
  try {
    node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.examples.json');
    const said = node('build/examples/digits/train.js', '--out', folder, '--threads', '2');
    // Piped, it writes plain lines: one per epoch, no control characters.
    expect(said.match(/^epoch +\d+: loss \d+\.\d+, accuracy \d+\.\d+%, held back \d+\.\d+%/gm)).toHaveLength(12);
    expect(said).not.toContain('\u001b');

    expect(lines('test.csv')).toHaveLength(359);
    const infer = ['--model', 'examples/digits/model.js', '--checkpoint', at('digits.pt'), '--input', at('test.csv')];
    node('dist/cli/main.js', 'infer', ...infer, '--output', at('predictions.jsonl'), '--batch-size', '256');
    const labels = lines('test-labels.csv').map(Number);
    const right = lines('predictions.jsonl').filter(
      (line, i) => (JSON.parse(line) as { prediction: number }).prediction === labels[i],
    );
    expect(right.length / labels.length).toBeGreaterThanOrEqual(0.98);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 120_000);
