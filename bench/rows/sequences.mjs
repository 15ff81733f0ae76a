// Attention of 12 heads of 64, and recurrent layers.
const HEADS = 12;
const WIDTH = 64;
const attention = (length, backward, causal = false) => ({
  name: `attention${length}${causal ? '_causal' : ''}_${backward ? 'fb' : 'f'}`,
  group: 'attention',
  about: `${HEADS} heads of ${WIDTH}, length ${length}${causal ? ', causal' : ''}, ${backward ? 'forward and backward' : 'forward'}`,
  kind: 'attention',
  args: { batch: 1, heads: HEADS, length, width: WIDTH, causal, backward },
  // Two products forward, five backward; half of each when causal.
  flops: ((backward ? 7 : 2) * 2 * HEADS * length * length * WIDTH) / (causal ? 2 : 1),
});

const GATES = { RNN: 1, LSTM: 4, GRU: 3 };
function recurrent(name, batch, width, hidden, backward, layers = 1) {
  const length = 128;
  const products = length * batch * GATES[name] * hidden * (width + hidden + (layers - 1) * 2 * hidden);
  return {
    name: `${name.toLowerCase()}_${batch}x${width}x${hidden}_${backward ? 'fb' : 'f'}`,
    group: 'recurrent layers',
    about: `${name}(${width}, ${hidden}), length ${length}, batch ${batch}, ${backward ? 'forward and backward' : 'forward'}`,
    kind: 'recurrent',
    args: { name, length, batch, width, hidden, layers, backward },
    flops: 2 * products * (backward ? 3 : 1),
  };
}

export const rows = [
  ...[128, 512, 1024, 2048, 4096].flatMap((length) => [attention(length, false), attention(length, true)]),
  attention(2048, false, true),
  attention(2048, true, true),
  ...['LSTM', 'GRU', 'RNN'].flatMap((name) =>
    [
      [1, 128, 128],
      [32, 128, 256],
      [64, 512, 512],
    ].flatMap(([batch, width, hidden]) => [false, true].map((b) => recurrent(name, batch, width, hidden, b))),
  ),
];
