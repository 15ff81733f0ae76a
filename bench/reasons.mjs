// Why a row does not reach its aim: what its profile says. The report puts the reasons below the tables, and names the rows
// for which there is none.
const REASONS = [
  // [row's name, group, reason]; the first that fits counts
];

/** @returns {string | null} */
export function reason(name, group) {
  return REASONS.find(([row, of]) => row.test(name) && of.test(group))?.[2] ?? null;
}
