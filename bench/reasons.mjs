// Why a row does not reach its aim: what its profile says. The report puts the reasons below the tables, and names the rows
// for which there is none.
const REASONS = [
  // [row's name, group, reason]; the first that fits counts
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
];

/** @returns {string | null} */
export function reason(name, group) {
  return REASONS.find(([row, of]) => row.test(name) && of.test(group))?.[2] ?? null;
}
