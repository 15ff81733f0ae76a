// Charts as SVG files under docs/performance, drawn by echarts, and what is written between the marks of a page.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
export const page = path.join(root, 'docs', 'performance.md');
const folder = path.join(root, 'docs', 'performance');

function draw(file, size, option) {
  // Where it is installed, so that the tables alone can be written without it.
  const echarts = createRequire(new URL('./peers/package.json', import.meta.url))('echarts');
  const drawing = echarts.init(null, null, { renderer: 'svg', ssr: true, ...size });
  drawing.setOption({ animation: false, ...option });
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, file), drawing.renderToSVGString());
  drawing.dispose();
}

/** Horizontal bars: `names` down the side, `values` of one series, a line at `limit.at`. */
export function bars(file, title, names, { name, values }, limit) {
  draw(
    file,
    { width: 900, height: 90 + 18 * names.length },
    {
      title: { text: title, left: 10, textStyle: { fontSize: 14 } },
      legend: { top: 26, left: 10 },
      grid: { left: 190, right: 30, top: 56, bottom: 24 },
      xAxis: { type: 'value', max: limit.max },
      yAxis: { type: 'category', inverse: true, data: names, axisLabel: { fontSize: 10, interval: 0 } },
      series: [
        {
          name,
          type: 'bar',
          data: values,
          markLine: { symbol: 'none', label: { show: false }, data: [{ xAxis: limit.at }] },
        },
      ],
    },
  );
}

/** Lines over two logarithmic axes; `series`: { name, points: [x, y][] }. */
export function curves(file, title, [x, y], series) {
  const axis = (name) => ({ type: 'log', name, nameLocation: 'middle', nameGap: 28, minorSplitLine: { show: true } });
  draw(
    file,
    { width: 560, height: 360 },
    {
      title: { text: title, left: 10, textStyle: { fontSize: 14 } },
      legend: { top: 26, left: 10 },
      grid: { left: 80, right: 30, top: 60, bottom: 48 },
      xAxis: { ...axis(x), logBase: 2 },
      yAxis: { ...axis(y), nameGap: 56 },
      series: series.map(({ name, points }) => ({ name, type: 'line', data: points, symbolSize: 6 })),
    },
  );
}

/** Replaces what stands between `<!-- name: .. -->` and `<!-- end of name -->` in docs/performance.md. */
export function writeBetween(name, text) {
  const old = readFileSync(page, 'utf8');
  const begin = old.search(new RegExp(`<!-- ${name}: .* -->`));
  const end = old.indexOf(`<!-- end of ${name} -->`);
  if (begin < 0 || end < begin) throw new Error(`${page} has lost the marks of ${name}`);
  const from = old.indexOf('\n', begin);
  writeFileSync(page, `${old.slice(0, from)}\n\n${text}\n\n${old.slice(end)}`);
}

/** A Markdown table; the first `words` columns and the last are text, the others numbers. */
export function markdown(head, lines, words) {
  const format = (cells) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, i) => (i < words || i === head.length - 1 ? '---' : '---:'));
  return [format(head), format(rule), ...lines.map(format)].join('\n');
}
