import { escapeHtml } from '../table';
import { reportBody, reportText } from './body';
import type { ReportData } from './data';

/** Both themes, phones, and paper. Nothing is loaded: fonts are the system's. */
const STYLE = `
:root { color-scheme: light dark; --ink: #1f2328; --quiet: #57606a; --line: #d0d7de; --ground: #ffffff; --raised: #f6f8fa; --accent: #0b57d0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --quiet: #9aa4af; --line: #3b434c; --ground: #0f1318; --raised: #181d24; --accent: #8ab4f8; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1100px; padding: 24px 20px 64px; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.25; }
h2 { margin: 2.2em 0 0.6em; padding-bottom: 0.25em; border-bottom: 1px solid var(--line); font-size: 1.2rem; }
h3 { margin: 1.2em 0 0.4em; font-size: 1rem; }
header p, figcaption, label, summary { color: var(--quiet); }
header p { margin: 0.4em 0 0; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 28px; }
.pair p { margin: 0 0 0.5em; }
figure img { display: block; width: min(100%, 480px); border: 1px solid var(--line); border-radius: 6px; }
figcaption { margin-top: 0.5em; font-size: 0.92rem; }
figcaption strong { color: var(--ink); }
figure { position: relative; }
label { font-size: 0.85rem; }
input { margin: 0 6px 8px 0; accent-color: var(--accent); vertical-align: middle; }
.still { display: none !important; }
input:checked ~ .still { display: block !important; }
input:checked ~ .moving { display: none !important; }
pre { margin: 0.4em 0; padding: 12px 14px; border: 1px solid var(--line); border-radius: 6px; background: var(--raised); font: 0.85rem/1.5 ui-monospace, monospace; white-space: pre-wrap; }
table { border-collapse: collapse; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
tbody tr { border-top: 1px solid var(--line); }
th, td { vertical-align: top; }
td:last-child { overflow-wrap: anywhere; }
[style*='text-align:right'] { white-space: nowrap; }
th { color: var(--quiet); font-weight: 600; }
details { margin-top: 0.8em; }
summary { cursor: pointer; width: max-content; max-width: 100%; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 20px; }
.charts svg { display: block; width: 100%; height: auto; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
@media print {
  :root { color-scheme: light; --ink: #000; --quiet: #444; --line: #bbb; --ground: #fff; --raised: #fff; }
  body { max-width: none; padding: 0; font-size: 11pt; }
  figure, tr, .charts > *, pre { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .pair { grid-template-columns: 1fr 1fr; }
  .charts { grid-template-columns: 1fr 1fr; }
  input, label { display: none; }
  .moving:not(:only-of-type) { display: none !important; }
  .moving ~ .still { display: block !important; }
  details::details-content { display: block; content-visibility: visible; height: auto; }
}
@media (prefers-reduced-motion: reduce) {
  .moving:has(~ .still) { display: none !important; }
  .moving ~ .still { display: block !important; }
  input[id^='still'], label[for^='still'] { display: none; }
}
`;

/** Returns a report as one HTML file: nothing else is loaded, no script runs. */
export function reportPage(data: ReportData): string {
  const { title, experiment, made } = data;
  const facts = `${experiment.model.name} · ${made.slice(0, 10)} · made with Joylab ${experiment.versions.joylab}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(facts)}</p>
</header>
<main>
${reportBody(data, 'page')}
</main>
</body>
</html>
`;
}

/** Returns a report for the notebook: as HTML and as text. */
export function reportBundle(data: ReportData): Record<string, unknown> {
  return {
    'text/html': `<h3>${escapeHtml(data.title)}</h3>\n${reportBody(data, 'cell')}`,
    'text/plain': reportText(data),
  };
}
