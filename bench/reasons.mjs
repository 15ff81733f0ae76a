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
    /^matmul/,
    /matrix/,
    'the tile alone runs at 0.99 of the peak; packing both operands takes 3 to 6%, and more for smaller ones',
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
  [/^conv_c64_56_n\d+_gw$/, /weight/, 'the product has 84% of the time; transposing taps takes 10%, the window 5%'],
  [
    /^conv_c512_7_n1_gw$/,
    /weight/,
    'the product has 90% of the time: 49 positions are few for each reading and writing of 9.4 MB of sums',
  ],
  [
    /^conv_c512_7_n32_gw$/,
    /weight/,
    'the product has 82% of the time; the rows of gy, of 49 positions an image, are packed anew for every 288 columns: 13%',
  ],
  [
    /^sum/,
    /convolutions/,
    'ahead of PyTorch or level; the operands of oneDNN lie in blocks of 16 channels before the clock starts',
  ],
  [
    /^(gelu|gelu_tanh|silu)_16m$/,
    /memory/,
    'arithmetic: 61, 57 and 44 vector instructions for 16 floats, at nearly two a cycle',
  ],
  [/^(sigmoid|tanh)_16m$/, /memory/, 'arithmetic: 29 and 35 vector instructions for 16 floats, a division among them'],
  [/^add_1m$/, /memory/, 'results wait for a collection: several take turns, where PyTorch writes into the same one'],
  [/^cast_/, /memory/, 'converted in tiles of the first-level cache, which are then streamed'],
  [/^var_16m$/, /memory/, 'two passes, for the mean and for the deviations from it'],
  [/^cross_entropy_f$/, /memory/, 'writes the log-softmax, of which it needs an element a row'],
  [/^cross_entropy_b$/, /memory/, 'writes a gradient of zeros but for an element a row, and reads it back'],
  [/^batch_norm_/, /memory/, 'reads its operands twice: statistics first'],
  [/^sgd/, /optimizers/, 'both sides are at the limit of memory'],
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
