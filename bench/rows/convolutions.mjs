// The convolutions of ResNet-18, ResNet-50 and MobileNet, one by one, in all three passes.
const LAYERS = [
  // [name, c, o, size, kernel, stride, padding, groups]
  ['stem7x7', 3, 64, 224, 7, 2, 3, 1],
  ['c64_56', 64, 64, 56, 3, 1, 1, 1],
  ['c128_56s2', 64, 128, 56, 3, 2, 1, 1],
  ['c128_28', 128, 128, 28, 3, 1, 1, 1],
  ['c256_14', 256, 256, 14, 3, 1, 1, 1],
  ['c512_7', 512, 512, 7, 3, 1, 1, 1],
  ['p64_256_56', 64, 256, 56, 1, 1, 0, 1],
  ['p256_64_56', 256, 64, 56, 1, 1, 0, 1],
  ['p256_512_56s2', 256, 512, 56, 1, 2, 0, 1],
  ['p1024_256_14', 1024, 256, 14, 1, 1, 0, 1],
  ['dw32_112', 32, 32, 112, 3, 1, 1, 32],
  ['dw64_112s2', 64, 64, 112, 3, 2, 1, 64],
  ['dw512_14', 512, 512, 14, 3, 1, 1, 512],
  ['g32_128_56', 128, 128, 56, 3, 1, 1, 32],
];

const PASSES = { forward: 'f', input: 'gx', weight: 'gw' };

function row(n, [name, c, o, size, kernel, stride, padding, groups], pass) {
  const out = Math.floor((size + 2 * padding - kernel) / stride) + 1;
  return {
    name: `conv_${name}_n${n}_${PASSES[pass]}`,
    group: `convolutions, batch ${n}, ${{ forward: 'forward', input: 'gradient of the input', weight: 'gradient of the weight' }[pass]}`,
    about: `${c} to ${o} channels of ${size} x ${size}, ${kernel} x ${kernel}, stride ${stride}${groups > 1 ? `, ${groups} groups` : ''}`,
    kind: 'conv2d',
    args: { n, c, o, size, kernel, stride, padding, groups, pass },
    flops: 2 * n * o * out * out * (c / groups) * kernel * kernel,
  };
}

export const rows = [1, 32].flatMap((n) =>
  Object.keys(PASSES).flatMap((pass) => LAYERS.map((layer) => row(n, layer, pass))),
);
