import { duration } from '../display/progress/duration';
import { escapeHtml } from '../display/table';
import { CHECKS, type CheckId } from './checks';
import type { CheckResult, EnvironmentReport } from './report';

/** A status in a word, its sign, and its colour: white is legible on it, and it stands out in light and dark themes. */
const STATUS = {
  pass: { word: 'passed', sign: '✓', colour: '#1a7f37' },
  fail: { word: 'not met', sign: '✗', colour: '#c4272f' },
  warn: { word: 'look at it', sign: '!', colour: '#8a5a00' },
  skip: { word: 'not tried', sign: '–', colour: '#5b6670' },
} as const;

/** The parts of the report, by the beginning of their checks' IDs. */
const PARTS: Record<string, string> = {
  runtime: 'The server',
  semantic: 'The task',
  statistical: 'The returns',
};

/** Returns what a result is shown as: a failure that is no reason against training is a warning. */
function shownAs({ check_id, status }: CheckResult): keyof typeof STATUS {
  return status === 'fail' && CHECKS[check_id].severity !== 'fail' ? 'warn' : status;
}

function partOf(id: CheckId): string {
  return id.slice(0, id.indexOf('.'));
}

/** Returns what the report is of, in a line. */
function about({ environment, target, seconds, episodes, starts }: EnvironmentReport): string {
  const played = episodes > 0 ? `, ${episodes.toLocaleString('en')} episodes from ${starts} starts` : '';
  const name = target === environment ? environment : `${environment} (${target})`;
  return `${name}: ${duration(seconds)}${played}`;
}

/** Returns the report as HTML. */
export function reportHtml(report: EnvironmentReport): string {
  const { results, cut, verdict, summary } = report;
  const { colour, sign } = STATUS[verdict];
  return (
    `<div class="joylab-Check" style="max-width: 62em; line-height: 1.45">` +
    `<p style="margin: 0 0 0.3em"><strong>${badge(colour, sign, verdict)} ${escapeHtml(summary)}</strong></p>` +
    `<p style="margin: 0 0 0.6em">${escapeHtml(about(report))}</p>` +
    cut.map((sentence) => `<p style="margin: 0 0 0.6em">${escapeHtml(sentence)}</p>`).join('') +
    Object.entries(PARTS)
      .map(([part, title]) =>
        partHtml(
          title,
          results.filter(({ check_id }) => partOf(check_id) === part),
        ),
      )
      .join('') +
    `</div>`
  );
}

function partHtml(title: string, results: CheckResult[]): string {
  return (
    `<p style="margin: 0.8em 0 0.2em"><strong>${title}</strong></p>` +
    `<ul style="list-style: none; margin: 0; padding: 0">${results.map(resultHtml).join('')}</ul>`
  );
}

function resultHtml(result: CheckResult): string {
  const { check_id, evidence, remediation } = result;
  const { word, sign, colour } = STATUS[shownAs(result)];
  const { title } = CHECKS[check_id];
  return (
    `<li style="display: flex; gap: 0.7em; padding: 0.25em 0; border-top: 1px solid #80808055">` +
    `<span style="flex: 0 0 6.2em">${badge(colour, sign, word)}</span>` +
    `<span style="flex: 1 1 auto; min-width: 0; overflow-wrap: anywhere"><strong title="${check_id}">${escapeHtml(capital(title))}</strong> ` +
    `${escapeHtml(evidence.join(' '))}` +
    (remediation ? `<br><em>${escapeHtml(remediation)}</em>` : '') +
    `</span></li>`
  );
}

function badge(colour: string, sign: string, word: string): string {
  return `<span style="background: ${colour}; color: #fff; border-radius: 0.3em; padding: 0.05em 0.45em; font-size: 0.85em; white-space: nowrap">${sign} ${escapeHtml(word)}</span>`;
}

function capital(text: string): string {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

/** Columns of the sign and the title of a line of text. */
const WIDTH = Math.max(...Object.values(CHECKS).map(({ title }) => title.length));

/** Returns the report as lines of text: a line for each check, with its mend below where it fails. */
export function reportText(report: EnvironmentReport): string {
  const { results, cut, summary } = report;
  const lines = Object.entries(PARTS).flatMap(([part, title]) => [
    '',
    title,
    ...results.filter(({ check_id }) => partOf(check_id) === part).flatMap(resultLines),
  ]);
  return [summary, about(report), ...cut, ...lines].join('\n');
}

function resultLines(result: CheckResult): string[] {
  const { check_id, evidence, remediation } = result;
  const { sign } = STATUS[shownAs(result)];
  const indent = ' '.repeat(WIDTH + 6);
  return [
    `  ${sign} ${CHECKS[check_id].title.padEnd(WIDTH)}  ${evidence[0] ?? ''}`,
    ...evidence.slice(1).map((sentence) => indent + sentence),
    ...(remediation ? [`${indent}→ ${remediation}`] : []),
  ];
}
