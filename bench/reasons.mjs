// Why a row does not reach its aim: what its profile says. The report puts the reasons below the tables, and names the rows
// for which there is none.
const REASONS = [
  // [row's name, group, reason]; the first that fits counts
  [
    /^matmul_1x/,
    /matrix/,
    'one row of A: every element of B is read once, and that takes the time; all sides wait for memory',
  ],
  [/_bf16$/, /matrix/, 'the product itself is at the limit; PyTorch computes it with the same instructions in oneDNN'],
  [
    /^bmm_/,
    /matrix/,
    'the tiles have four fifths of the time, packing 4% or none; each call has a new result of 3 or 6 MB: released at once, the same product takes 8 to 12% less and is level with oneDNN, which writes one result over and over',
  ],
  [
    /^matmul/,
    /matrix/,
    'the tiles run at 0.94 to 0.99 of the peak, and so do those of oneDNN; a call takes 0.4 us, and finding dead results as much again for 64 squared, 1.5 us for 128 squared and 2 to 10 for 256',
  ],
  [
    /^conv_c128_56s2_n\d+_gx$/,
    /input/,
    'the tile has 80% of the time and runs at 0.9 of the peak: a phase of the stride has one to four taps a channel; transposing results takes 8%, the window 6%',
  ],
  [
    /^conv_c512_7_n1_gx$/,
    /input/,
    'one image for 9.4 MB of weights: transposing them into panels takes 34%; a tile has 7 positions, half of its registers',
  ],
  [
    /^conv_c128_56s2_n\d+_f$/,
    /forward/,
    'the tile has 79% of the time; dividing rows into even and odd columns takes 14%, transposing results 6%',
  ],
  [
    /^conv_c128_56s2_n\d+_gw$/,
    /weight/,
    'the product has 81% of the time; dividing rows into even and odd columns takes 13%, transposing taps 4%',
  ],
  [
    /^conv_c512_7_n1_gw$/,
    /weight/,
    'the product has 90% of the time: 49 positions are few for each reading and writing of 9.4 MB of sums',
  ],
  [
    /^sum/,
    /convolutions/,
    'ahead of PyTorch or level; the operands of oneDNN lie in blocks of 16 channels before the clock starts',
  ],
  [/^gelu_16m$/, /memory/, 'arithmetic: 54 vector instructions for 16 floats, two divisions among them'],
  [
    /^(gelu_tanh|silu|sigmoid|tanh)_16m$/,
    /memory/,
    'arithmetic: 31, 19, 21 and 22 vector instructions for 16 floats, a division among them; what lies in a cache altogether takes 0.7 to 0.8 of the time',
  ],
  [/^add_1m$/, /memory/, 'results wait for a collection: several take turns, where PyTorch writes into the same one'],
  [/^cast_/, /memory/, 'converted in tiles of the first-level cache, which are then streamed'],
  [
    /^(softmax|log_softmax|layer_norm)_f$/,
    /memory/,
    'arithmetic: three passes over a row in the first-level cache; what lies in a cache altogether takes 0.9 of the time',
  ],
  [/^(softmax|log_softmax)_b$/, /memory/, 'the kernel has 94% of the time: two passes over a row'],
  [
    /^layer_norm_b$/,
    /memory/,
    "the input's gradient has 70% of the time, the parameters' 23%: each reads its operands",
  ],
  [
    /^group_norm_/,
    /memory/,
    "the statistics are taken first, the result or the input's gradient (87% of the time) in a second pass over a cache",
  ],
  [
    /^(argmax_16m|sum_16m_dim1|amax_16m_dim1|amax_16m_dim0)$/,
    /memory/,
    'what lies in a cache altogether takes 0.26 to 0.52 of the time; the rest waits for memory',
  ],
  [
    /^(clone|neg|relu|exp|add|mul)_16m_?$/,
    /memory/,
    'what lies in a cache altogether takes a quarter of the time (exp two thirds); the rest waits for memory',
  ],
  [
    /^sum_16m$|^mean_16m$|^amax_16m$|^var_16m$/,
    /memory/,
    'what lies in a cache altogether takes a third of the time; the rest waits for memory',
  ],
  [
    /^cross_entropy_f$/,
    /memory/,
    'arithmetic: what lies in a cache takes 0.7 of the time, 16 vector instructions for 16 scores, most of them one after the other',
  ],
  [/^cross_entropy_b$/, /memory/, 'arithmetic: what lies in a cache takes 0.8 of the time'],
  [
    /^batch_norm_/,
    /memory/,
    'reads its operands twice: statistics first; channel by channel takes longer, for the images of one are 1 MiB apart and drive each other out of the second-level cache',
  ],
  [/^sgd/, /optimizers/, 'both sides are at the limit of memory'],
  [
    /^lstm_.*_f$/,
    /recurrent/,
    'the products have 75 to 81% of the time, the gates 10 to 16%; PyTorch leaves both to oneDNN',
  ],
  [
    /^cnn_step$/,
    /training/,
    'tiles of the convolutions and of their gradients 39%, windows and transposes for them 16%, JavaScript and collections 21%, the gradient of pooling, which waits for memory, 10%',
  ],
  [
    /^cnn_inference$/,
    /inference/,
    'tiles of the convolutions, with ReLU and pooling joined to them, 67%, transposing what they pool 10%, pooling 4% of the time',
  ],
];

/** @returns {string | null} */
export function reason(name, group) {
  return REASONS.find(([row, of]) => row.test(name) && of.test(group))?.[2] ?? null;
}
