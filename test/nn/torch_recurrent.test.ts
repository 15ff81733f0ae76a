// The recurrent functions of torch against the layers, which are compared with PyTorch elsewhere.
import torch, { nn, type Tensor } from 'flambeau';

const x = torch.randn(5, 2, 3);
const numbers = (list: unknown) => (list as Tensor[]).map((t) => t.tolist());
const KINDS = {
  gru: ['GRU', {}],
  rnnTanh: ['RNN', {}],
  rnnRelu: ['RNN', { nonlinearity: 'relu' }],
  lstm: ['LSTM', {}],
} as const;
const FORMS = [
  { bidirectional: false, bias: true, batchFirst: false },
  { bidirectional: true, bias: true, batchFirst: true },
  { bidirectional: false, bias: false, batchFirst: false },
];
type Call = (...args: unknown[]) => Tensor[];
type Layer = nn.Module & { allWeights: Tensor[][] };

describe.each(Object.keys(KINDS) as (keyof typeof KINDS)[])('%s', (name) => {
  const [kind, extra] = KINDS[name];
  const call = torch[name] as unknown as Call;
  const made = (form: object) => new nn[kind](3, 4, { numLayers: 2, ...extra, ...form }) as unknown as Layer;
  const states = (layers: number) => {
    const list = Array.from({ length: kind === 'LSTM' ? 2 : 1 }, () => torch.randn(layers, 2, 4));
    return kind === 'LSTM' ? list : list[0]!;
  };

  test.each(FORMS)('a padded batch: %j', (form) => {
    const layer = made(form);
    const hx = states(form.bidirectional ? 4 : 2);
    const input = form.batchFirst ? x.transpose(0, 1) : x;
    const [y, end] = layer(input, hx) as [Tensor, Tensor | Tensor[]];
    const params = layer.allWeights.flat();
    const got = call(input, hx, params, form.bias, 2, 0, false, form.bidirectional, form.batchFirst);
    expect(numbers(got)).toEqual(numbers([y, end].flat()));
  });
  test('a packed batch, by position and by name', () => {
    const layer = made({});
    const hx = states(2);
    const packed = nn.utils.rnn.packPaddedSequence(x, [5, 3]);
    const [y, end] = layer(packed, hx) as [nn.utils.rnn.PackedSequence, Tensor | Tensor[]];
    const params = layer.allWeights.flat();
    const want = numbers([y.data, end].flat());
    expect(numbers(call(packed.data, packed.batchSizes, hx, params, true, 2, 0, false, false))).toEqual(want);
    const rest = { hasBiases: true, numLayers: 2, dropout: 0, train: false, bidirectional: false };
    expect(numbers(call(packed.data, { batchSizes: packed.batchSizes, hx, params, ...rest }))).toEqual(want);
  });
  test('what does not fit is refused', () => {
    const params = made({}).allWeights.flat();
    expect(() => call(x, states(2), params.slice(1), true, 2, 0, false, false, false)).toThrow(
      'got an incorrect number of RNN parameters',
    );
    expect(() => call(x.select(0, 0), states(2), params, true, 2, 0, false, false, false)).toThrow(
      'input must have 3 dimensions, got 2',
    );
    expect(() => call(x)).toThrow(`${name}() missing a required argument: 'hx'`);
  });
});

test('projections and a wrong number of states', () => {
  const layer = new nn.LSTM(3, 4, { projSize: 2 });
  const hx = [torch.randn(1, 2, 2), torch.randn(1, 2, 4)];
  const params = layer.allWeights.flat();
  const [y, end] = layer(x, hx as [Tensor, Tensor]);
  const call = torch.lstm as unknown as Call;
  expect(numbers(call(x, hx, params, true, 1, 0, false, false, false))).toEqual(numbers([y, ...end]));
  expect(() => call(x, [hx[0]], params, true, 1, 0, false, false, false)).toThrow('lstm expects two hidden states');
});

test('single steps', () => {
  const [input, h, c] = [torch.randn(2, 3), torch.randn(2, 4), torch.randn(2, 4)];
  const weights = (cell: nn.GRUCell | nn.LSTMCell | nn.RNNCell) =>
    [cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh] as const;
  const [gru, lstm, rnn] = [new nn.GRUCell(3, 4), new nn.LSTMCell(3, 4), new nn.RNNCell(3, 4)];
  const relu = new nn.RNNCell(3, 4, { nonlinearity: 'relu', bias: false });
  expect(torch.gruCell(input, h, ...weights(gru)).tolist()).toEqual(gru(input, h).tolist());
  expect(torch.rnnTanhCell(input, h, ...weights(rnn)).tolist()).toEqual(rnn(input, h).tolist());
  expect(torch.rnnReluCell(input, h, relu.weight_ih, relu.weight_hh).tolist()).toEqual(relu(input, h).tolist());
  expect(numbers(torch.lstmCell(input, [h, c], ...weights(lstm)))).toEqual(numbers(lstm(input, [h, c])));
  expect(() => torch.lstmCell(input, [h], ...weights(lstm))).toThrow('lstm_cell expects two hidden states');
});

test('numbers, and the version', () => {
  expect([torch.pi, torch.e, torch.inf, torch.nan, torch.newaxis]).toEqual([Math.PI, Math.E, Infinity, NaN, null]);
  expect(torch.version.__version__).toBe(torch.__version__);
});

test('a change that autograd did not see', () => {
  const a = torch.ones(2, { requiresGrad: true }).mul(2);
  const b = a.sin();
  const { incrementVersion } = torch.autograd.graph;
  incrementVersion(a);
  expect(a._version).toBe(1);
  expect(() => b.sum().backward()).toThrow('modified by an inplace operation');
  incrementVersion([a, a]);
  expect(a._version).toBe(3);
  expect(() => incrementVersion(3 as never)).toThrow('increment_version expect a Iterable[Tensor] as input');
  expect(() => incrementVersion([3] as never)).toThrow(
    'increment_version expects each element of the iterable to be a tensor',
  );
});
