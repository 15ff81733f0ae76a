// Numbers as decimal text the way C and Python write them. JavaScript's own toFixed and toExponential differ in four
// things: exact ties (they round up, not to even), the sign of -0, exponents of one digit, and 1e21 and above.

// A double next to an exact tie differs from it in one of the next 30 digits, for up to 20 digits asked for. (Past those
// it could take more, for values that lie closer to a tie than anything but a constructed one does.)
const GUARD = 30;
const MOST = 100; // digits that toFixed and toExponential can give

/** The first `kept` characters of `exact`, if the rest says "exactly one half" and the last of them is even. */
function evenTie(exact: string, kept: number): string | null {
  if (!/^\.?50*$/.test(exact.slice(kept))) return null;
  const head = exact.slice(0, kept);
  return Number(head.at(-1)) % 2 === 0 ? head : null;
}

const nonFinite = (x: number): string => (Number.isNaN(x) ? 'nan' : x > 0 ? 'inf' : '-inf');

const signOf = (x: number): string => (x < 0 || Object.is(x, -0) ? '-' : '');

/**
 * `x` with `digits` decimals (0 to 70), as `%.4f`.
 */
export function fixed(x: number, digits: number): string {
  if (!Number.isFinite(x)) return nonFinite(x);
  const size = Math.abs(x);
  if (size >= 2 ** 53) return signOf(x) + BigInt(size) + (digits > 0 ? `.${'0'.repeat(digits)}` : '');
  const plain = size.toFixed(digits);
  const exact = size.toFixed(Math.min(MOST, digits + GUARD));
  const kept = exact.indexOf('.') + (digits > 0 ? 1 + digits : 0);
  return signOf(x) + (evenTie(exact, kept) ?? plain);
}

/**
 * `x` with one digit before the point, `digits` after it (0 to 70) and an exponent of at least two, as `%.4e`.
 */
export function scientific(x: number, digits: number): string {
  if (!Number.isFinite(x)) return nonFinite(x);
  const size = Math.abs(x);
  const exact = size.toExponential(Math.min(MOST, digits + GUARD));
  const at = exact.indexOf('e');
  const tie = evenTie(exact.slice(0, at), digits > 0 ? 2 + digits : 1);
  const text = tie === null ? size.toExponential(digits) : tie + exact.slice(at);
  return signOf(x) + text.replace(/e([+-])(\d)$/, 'e$10$2');
}
