// Self-attention in one head: every position of a sequence looks at all positions up to its own.
import assert from 'node:assert';
import torch, { F, nn, optim, type Tensor } from 'flambeau';

/** x: [N, T, C] -> [N, T, C]; softmax(Q K' / sqrt(C)) V, causal. (Vaswani et al., "Attention Is All You Need", 2017) */
class SelfAttention extends nn.Module {
  query: nn.Linear;
  key: nn.Linear;
  value: nn.Linear;

  constructor(readonly channels: number) {
    super();
    this.query = new nn.Linear(channels, channels);
    this.key = new nn.Linear(channels, channels, { bias: false });
    this.value = new nn.Linear(channels, channels);
  }

  weights(x: Tensor): Tensor {
    const length = x.size(1);
    const scores = this.query(x).matmul(this.key(x).transpose(1, 2)).div(Math.sqrt(this.channels));
    const later = torch.ones(length, length).triu(1).to(torch.bool);
    return F.softmax(scores.maskedFill(later, -Infinity), -1);
  }

  override forward(x: Tensor): Tensor {
    return this.weights(x).matmul(this.value(x));
  }
}

torch.manualSeed(0);
const attention = new SelfAttention(8);
const x = torch.randn(2, 5, 8);
const weights = attention.weights(x);
console.log('weights of the first sequence:', String(weights.select(0, 0).detach()));
assert(torch.allclose(weights.sum(-1), torch.ones(2, 5)));
assert.equal(weights.triu(1).abs().sum().item(), 0);
const reference = F.scaledDotProductAttention(attention.query(x), attention.key(x), attention.value(x), {
  isCausal: true,
});
assert(torch.allclose(attention(x), reference, { atol: 1e-5 }));

// A later position cannot change an earlier answer.
const changed = x.clone();
changed.select(1, 4).fill_(9);
assert(torch.allclose(attention(changed).narrow(1, 0, 4), attention(x).narrow(1, 0, 4), { atol: 1e-6 }));

// It learns to repeat what the first position held.
const optimizer = new optim.Adam(attention.parameters(), { lr: 0.02 });
const marked = torch.randn(64, 5, 8);
marked.select(1, 0).select(1, 0).fill_(5);
const target = marked.narrow(1, 0, 1).expand(64, 5, 8);
let loss = 0;
for (let step = 0; step < 150; step++) {
  optimizer.zeroGrad();
  const error = F.mseLoss(attention(marked), target);
  error.backward();
  optimizer.step();
  loss = Number(error.item());
}
console.log(`loss after training: ${loss.toFixed(4)}`);
assert(loss < 0.1);
