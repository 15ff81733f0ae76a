// Matrix products.

/** a: [batch?, m, k] (or its transpose), b: [batch?, k, n] (or its transpose), in `dtype`; `precision` of float32 products. */
function matmul(torch, { m, n, k, batch = null, ta = false, tb = false, dtype = 'float32', precision = null }) {
  const shape = (rows, columns) => (batch === null ? [rows, columns] : [batch, rows, columns]);
  const operand = (rows, columns, transposed) => {
    const stored = torch.randn(transposed ? shape(columns, rows) : shape(rows, columns)).to(torch[dtype]);
    return transposed ? stored.transpose(-2, -1) : stored;
  };
  const [a, b] = [operand(m, k, ta), operand(k, n, tb)];
  if (precision === null) return () => torch.matmul(a, b);
  return () => {
    torch.setFloat32MatmulPrecision(precision);
    const out = torch.matmul(a, b);
    torch.setFloat32MatmulPrecision('highest');
    return out;
  };
}

export const kinds = { matmul };
