import { GREY } from '../pictures/grey';
import type { MimeBundle } from '../cellContext';
import { svgImage } from '../pictures/svgImage';
import { axis } from './charts';
import { escapeHtml, formatNumber, htmlTable, shortNumber, textTable, type Column } from '../table';

/** A program in a tree. */
export interface TreeProgram {
  id: number;
  parent: number | null;
  /** The step that made it, from 1; 0: it was given. */
  step: number;
  /** Its expected fitness, or what its episodes said of it. */
  worth: number;
  /** Whether it is the best one or one of its ancestors. */
  onPath: boolean;
}

/** What edits of a kind have gained. */
export interface EditGains {
  kind: string;
  count: number;
  /** Share of those that were better than their parent. */
  better: number;
  meanGain: number;
}

const width = 720;
const height = 300;
const plot = { left: 56, right: width - 16, top: 34, bottom: height - 34 };

/** Colours that are readable on white and on black: the picture does not know the theme. */
const blue = '#4c78d8';

/** Returns programs as a tree over steps and worth, the way to the best one marked, and what kinds of edits have gained. */
export function programTreeBundle(
  title: string,
  programs: readonly TreeProgram[],
  edits: readonly EditGains[],
): MimeBundle {
  const columns: Column[] = [
    { title: 'edits', align: 'left' },
    ...['count', 'better', 'mean gain'].map((it) => ({ title: it })),
  ];
  const rows = edits.map(({ kind, count, better, meanGain }) => [
    kind,
    String(count),
    `${Math.round(100 * better)} %`,
    `${meanGain > 0 ? '+' : ''}${formatNumber(meanGain, 2)}`,
  ]);
  const path = programs
    .filter(({ onPath }) => onPath)
    .map(({ id, step, worth }) => `${id} (${step === 0 ? 'given' : `step ${step}`}, ${shortNumber(worth)})`)
    .join(' → ');
  return {
    'text/html':
      `<p>${escapeHtml(title)}</p>\n${svgImage(treeSvg(programs), `Tree of programs: ${path}`, { width, height })}\n` +
      (rows.length > 0 ? htmlTable(columns, rows) : ''),
    'text/plain': [title, `The way to the best: ${path}`, ...(rows.length > 0 ? [textTable(columns, rows)] : [])].join(
      '\n\n',
    ),
  };
}

function treeSvg(programs: readonly TreeProgram[]): string {
  const x = axis(
    programs.map(({ step }) => step),
    plot.left,
    plot.right,
    true,
  );
  const y = axis(
    programs.map(({ worth }) => worth),
    plot.bottom,
    plot.top,
  );
  const byId = new Map(programs.map((program) => [program.id, program]));
  const at = ({ step, worth }: TreeProgram): [number, number] => [Math.round(x.at(step)), Math.round(y.at(worth))];
  // What is on the way lies above the rest.
  const ordered = [...programs].sort((a, b) => Number(a.onPath) - Number(b.onPath));
  const edges = ordered.flatMap((program) => {
    const parent = program.parent === null ? undefined : byId.get(program.parent);
    if (!parent) return [];
    const [[x1, y1], [x2, y2]] = [at(parent), at(program)];
    const look = program.onPath ? `stroke="${blue}" stroke-width="2.5"` : `stroke="${GREY}" stroke-opacity="0.45"`;
    const middle = Math.round((x1 + x2) / 2);
    return [`<path d="M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}" fill="none" ${look}/>`];
  });
  const dots = ordered.map((program) => {
    const [cx, cy] = at(program);
    const look = program.onPath ? `r="5" fill="${blue}"` : `r="3" fill="${GREY}"`;
    return `<circle cx="${cx}" cy="${cy}" ${look}/>`;
  });
  const names = ordered
    .filter(({ onPath }) => onPath)
    .map((program) => {
      const [cx, cy] = at(program);
      return `<text x="${Math.min(cx, plot.right - 12)}" y="${cy - 9}" text-anchor="middle" fill="${blue}" font-weight="bold">${program.id}</text>`;
    });
  const lines = y.ticks.map((tick) => {
    const place = y.at(tick).toFixed(1);
    return (
      `<line x1="${plot.left}" x2="${plot.right}" y1="${place}" y2="${place}" stroke="${GREY}" stroke-opacity="0.25"/>` +
      `<text x="${plot.left - 6}" y="${Number(place) + 4}" text-anchor="end">${formatNumber(tick, y.digits)}</text>`
    );
  });
  const steps = x.ticks.map(
    (tick) => `<text x="${x.at(tick).toFixed(1)}" y="${plot.bottom + 18}" text-anchor="middle">${tick}</text>`,
  );
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" fill="${GREY}">\n` +
    `<text x="${plot.left}" y="16" font-size="13" font-weight="bold">worth of programs by the step that made them</text>\n` +
    `${[...lines, ...steps, ...edges, ...dots, ...names].join('\n')}\n` +
    `<text x="${(plot.left + plot.right) / 2}" y="${height - 3}" text-anchor="middle">step</text>\n</svg>`
  );
}
