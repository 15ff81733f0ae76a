// What the library itself costs: tiny tensors.
const TWO_LAYERS = 'Linear(4, 3), ReLU, Linear(3, 1), abs, SGD with momentum and weight decay';
const row = (name, about, kind, args = {}, more = {}) => ({
  name,
  group: 'small programs',
  about,
  kind,
  args,
  ...more,
});

export const rows = [
  row('two_layer_program', `${TWO_LAYERS}: build it and take 10,000 steps`, 'program', {}, { once: true }),
  row('two_layer_step', 'one step of it', 'twoLayers', {}, { inner: 20 }),
  row('add16', 'a + b of 16 float32', 'add', { n: 16 }, { inner: 500 }),
  row('add16_disposed', 'the same, the result released at once', 'add', { n: 16, form: 'disposed' }, { inner: 500 }),
  row('add16_', 'a += b of 16 float32', 'add', { n: 16, form: 'in place' }, { inner: 500 }),
  row('view16', 'a view of 16 elements as 4 x 4', 'view', {}, { inner: 500 }),
];
