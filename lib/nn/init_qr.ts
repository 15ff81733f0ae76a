// The orthogonal factor of a matrix, in double precision whatever the parameter's type.

/**
 * Q of the decomposition A = QR whose R has a positive diagonal, which makes it unique. Householder reflections: Golub and
 * Van Loan, Matrix Computations, 5.2.
 * @param a: n columns of m numbers each, one after the other, m >= n; overwritten.
 * @returns Q: n columns of m numbers.
 */
export function orthonormalColumns(a: Float64Array, m: number, n: number): Float64Array {
  // Column k keeps its reflection's vector v from the diagonal on: H = I - beta v v'.
  const betas = new Float64Array(n);
  const signs = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    const v = a.subarray(k * m + k, (k + 1) * m);
    const norm = Math.sqrt(dot(v, v));
    // R's diagonal is alpha; choosing its sign against v[0] avoids cancellation.
    const alpha = v[0]! > 0 ? -norm : norm;
    // A zero column has no direction: sign(0) = 0 in PyTorch's normalisation too.
    signs[k] = Math.sign(alpha);
    v[0]! -= alpha;
    const square = dot(v, v);
    betas[k] = square === 0 ? 0 : 2 / square;
    for (let j = k + 1; j < n; j++) reflect(v, betas[k]!, a.subarray(j * m + k, (j + 1) * m));
  }
  const q = new Float64Array(m * n);
  for (let j = 0; j < n; j++) {
    const column = q.subarray(j * m, (j + 1) * m);
    column[j] = 1;
    for (let k = j; k >= 0; k--) reflect(a.subarray(k * m + k, (k + 1) * m), betas[k]!, column.subarray(k));
    for (let i = 0; i < m; i++) column[i]! *= signs[j]!;
  }
  return q;
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

/** y - beta v (v' y), in place. */
function reflect(v: Float64Array, beta: number, y: Float64Array): void {
  const scale = beta * dot(v, y);
  for (let i = 0; i < v.length; i++) y[i]! -= scale * v[i]!;
}
