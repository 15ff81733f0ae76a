// The WebAssembly backend of TensorFlow.js: products, additions, and the perceptron and the convolutional network. See
// serve.mjs.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { serve } from '../serve.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const threads = Number(process.env.BENCH_THREADS ?? 1);
console.warn = () => {}; // it advises to use another package
setWasmPaths(`${path.join(here, 'node_modules/@tensorflow/tfjs-backend-wasm/wasm-out')}/`);
tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', threads > 1);
if (threads > 1) setThreadsCount(threads);
await tf.setBackend('wasm');
await tf.ready();

const variable = (...shape) => tf.variable(tf.randomUniform(shape, -0.05, 0.05));

/** Layers as functions of x, and what they train. */
const networks = {
  perceptron: (widths) => {
    const layers = widths.slice(1).map((to, i) => [variable(widths[i], to), variable(to)]);
    const forward = (x) =>
      layers.reduce((h, [w, b], i) => {
        const y = h.matMul(w).add(b);
        return i < layers.length - 1 ? y.relu() : y;
      }, x);
    return { forward, x: tf.randomNormal([64, widths[0]]) };
  },
  cnn: () => {
    const [w1, b1, w2, b2, w3, b3] = [
      variable(3, 3, 1, 16),
      variable(16),
      variable(3, 3, 16, 32),
      variable(32),
      variable(800, 10),
      variable(10),
    ];
    const stage = (x, w, b) => tf.maxPool(tf.conv2d(x, w, 1, 'valid').add(b).relu(), 2, 2, 'valid');
    const forward = (x) =>
      stage(stage(x, w1, b1), w2, b2)
        .reshape([64, 800])
        .matMul(w3)
        .add(b3);
    return { forward, x: tf.randomNormal([64, 28, 28, 1]) };
  },
};
const network = {
  mlp: () => networks.perceptron([784, 256, 128, 10]),
  mlp512: () => networks.perceptron([784, 512, 10]),
  cnn: networks.cnn,
};

const kinds = {
  matmul({ m, n, k, batch = null, ta = false, tb = false, dtype = 'float32', precision = null }) {
    if (dtype !== 'float32' || precision !== null || batch !== null) return null;
    const a = tf.randomNormal(ta ? [k, m] : [m, k]);
    const b = tf.randomNormal(tb ? [n, k] : [k, n]);
    return () => tf.tidy(() => void tf.matMul(a, b, ta, tb));
  },
  add({ n, form = 'function' }) {
    if (form !== 'disposed') return null; // nothing is collected here: every result is disposed of
    const [a, b] = [tf.randomNormal([n]), tf.randomNormal([n])];
    return () => tf.add(a, b).dispose();
  },
  training({ network: name }) {
    // The backend has no kernel for the gradient of a convolution's weight.
    if (!network[name] || name === 'cnn') return null;
    const { forward, x } = network[name]();
    const y = tf.oneHot(tf.randomUniformInt([64], 0, 10), 10);
    const optimizer = tf.train.adam(1e-3);
    return () => {
      const loss = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, forward(x)), true);
      loss.dataSync();
      loss.dispose();
    };
  },
  inference({ network: name }) {
    if (!network[name]) return null;
    const { forward, x } = network[name]();
    return () => tf.tidy(() => void forward(x).dataSync());
  },
};

await serve(({ kind, args }) => kinds[kind]?.(args) ?? null);
