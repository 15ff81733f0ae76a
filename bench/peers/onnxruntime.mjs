// onnxruntime's side: inference of the networks, which PyTorch exports, and single products. See serve.mjs.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ort from 'onnxruntime-node';
import { serve } from '../serve.mjs';

const threads = Number(process.env.BENCH_THREADS ?? 1);
const exporter = fileURLToPath(new URL('../pytorch/export.py', import.meta.url));
const folder = mkdtempSync(path.join(os.tmpdir(), 'bench-onnx-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** float32 normal enough for a timing. */
const noise = (n) => Float32Array.from({ length: n }, () => Math.random() * 2 - 1);

async function inference({ network }) {
  const written = spawnSync(process.env.FLAMBEAU_PYTHON, [exporter, folder, network], { encoding: 'utf8' });
  if (written.status !== 0) throw new Error(`${network} was not exported: ${written.stderr}`);
  const session = await ort.InferenceSession.create(path.join(folder, `${network}.onnx`), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
  });
  const [input] = session.inputMetadata;
  const x = new ort.Tensor('float32', noise(input.shape.reduce((a, b) => a * b)), input.shape);
  return () => session.run({ [input.name]: x });
}

await serve(({ kind, args }) => (kind === 'inference' && process.env.FLAMBEAU_PYTHON ? inference(args) : null));
