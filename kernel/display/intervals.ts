import type { BenchmarkGroup } from './benchmarkMime';
import { GREY } from './pictures/grey';
import { svgImage } from './pictures/svgImage';
import { escapeHtml, formatNumber } from './table';
import { axis } from './training/charts';

const WIDTH = 620;
const ROW = 26;
const TOP = 26;
/** Characters of a name, at most. */
const NAME = 31;
const BOTTOM = 42;
const RIGHT = 20;
/** Colours that are readable on white and on black: the picture does not know the theme. */
const SCORE = '#4c78d8';
const BEST = '#e07b39';

/** Returns a picture of scores with their intervals, for viewers without the extension. */
export function intervalsImage(group: BenchmarkGroup): string {
  const height = TOP + group.rows.length * ROW + BOTTOM;
  return svgImage(intervalsSvg(group, height), `Mean returns in ${group.environment}, with 95 % intervals`, {
    width: WIDTH,
    height,
  });
}

function intervalsSvg({ rows, chance, human }: BenchmarkGroup, height: number): string {
  const left = Math.min(220, 20 + 6.5 * Math.max(...rows.map(({ policy }) => policy.length)));
  const all = rows.flatMap(({ score, best }) => [score, ...(best ? [best] : [])]);
  const values = [
    ...all.flatMap(({ mean, low, high }) => [mean, low ?? mean, high ?? mean]),
    ...(chance === undefined ? [] : [chance]),
  ];
  // A human far above all would press them together.
  const reach = Math.max(...values) - Math.min(...values);
  const shownHuman = human && human.mean <= Math.max(...values) + reach ? human.mean : undefined;
  const x = axis(shownHuman === undefined ? values : [...values, shownHuman], left, WIDTH - RIGHT);
  const floor = TOP + rows.length * ROW;
  const line = (value: number, name: string) =>
    `<line x1="${at(x.at(value))}" x2="${at(x.at(value))}" y1="${TOP}" y2="${floor}" stroke="${GREY}" stroke-dasharray="4 3"/>` +
    `<text x="${at(x.at(value))}" y="${height - 6}" text-anchor="middle">${name}</text>`;
  const mark = ({ mean, low, high }: (typeof all)[number], y: number, colour: string) =>
    (low === null || high === null
      ? ''
      : `<line x1="${at(x.at(low))}" x2="${at(x.at(high))}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="2"/>`) +
    `<circle cx="${at(x.at(mean))}" cy="${y}" r="4" fill="${colour}"/>`;
  const body = [
    ...x.ticks.map(
      (tick) =>
        `<line x1="${at(x.at(tick))}" x2="${at(x.at(tick))}" y1="${TOP}" y2="${floor}" stroke="${GREY}" stroke-opacity="0.25"/>` +
        `<text x="${at(x.at(tick))}" y="${floor + 16}" text-anchor="middle">${formatNumber(tick, x.digits)}</text>`,
    ),
    ...(chance === undefined ? [] : [line(chance, 'chance')]),
    ...(shownHuman === undefined ? [] : [line(shownHuman, 'human')]),
    ...rows.flatMap(({ policy, score, best }, i) => {
      const y = TOP + (i + 0.5) * ROW;
      return [
        `<text x="${left - 10}" y="${y + 4}" text-anchor="end">${escapeHtml(policy.length > NAME ? `${policy.slice(0, NAME - 1)}…` : policy)}</text>`,
        mark(score, best ? y - 4 : y, SCORE),
        ...(best ? [mark(best, y + 5, BEST)] : []),
      ];
    }),
    ...(rows.some(({ best }) => best)
      ? [
          `<text x="${left}" y="14" fill="${SCORE}">● mean</text>`,
          `<text x="${left + 60}" y="14" fill="${BEST}">● best of attempts</text>`,
        ]
      : []),
  ];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" ` +
    `font-family="sans-serif" font-size="11" fill="${GREY}">\n${body.join('\n')}\n</svg>`
  );
}

function at(x: number): string {
  return x.toFixed(1);
}
