// What a row should reach: `share` of the limit, `ratio` to every peer, or another one to the peer of that name.
const GOALS = [
  // [row's name, group, goal]; the first that fits counts
  [/_high$/, /matrix/, { ratio: 2 }],
  [/_bf16$/, /matrix/, { share: 0.6, ratio: 1.1 }],
  [/^matmul(512|1024|2048)/, /matrix/, { share: 0.9, ratio: 1.1 }],
  [/./, /matrix/, { ratio: 0.95 }],
  [/^conv_c/, /convolutions/, { share: 0.75 }],
  [/^sum/, /convolutions/, { ratio: 1.1 }],
  [/_1m$/, /memory/, { ratio: 1 }],
  [/./, /memory/, { share: 0.9, ratio: 1 }],
  [/./, /optimizers/, { share: 0.9, ratio: 1.5 }],
  [/./, /attention/, { ratio: 1.2 }],
  [/./, /recurrent/, { ratio: 1.1 }],
  [/^(add16|two_layer)/, /small/, { ratio: 2 }],
  [/^cnn/, /training/, { ratio: 3 }],
  [/./, /training/, { ratio: 1.2 }],
  [/./, /inference/, { ratio: 1.2, onnxruntime: 0.9 }],
];

export function goals(name, group) {
  return GOALS.find(([row, of]) => row.test(name) && of.test(group))?.[2] ?? {};
}
