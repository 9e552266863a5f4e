import type { RolloutData, RolloutRow } from '../../kernel/display/rollouts';
import { formatNumber } from '../episode/timeline';
import { element } from '../widgets/element';

/** Returns a number for people; an en dash where there is none. */
export function shown(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : formatNumber(value);
}

/** Returns a rollout's name: "step 12, no. 5". */
export function nameOf({ step, position }: Pick<RolloutRow, 'step' | 'position'>): string {
  return `step ${step}, no. ${position + 1}`;
}

/**
 * Returns the rewards of rollouts: a row for each function with its weight, then the sum
 * and the advantage; a column for each rollout, of two also their difference.
 */
export function rewardTable(rollouts: readonly RolloutData[]): HTMLElement {
  const names = [...new Set(rollouts.flatMap(({ rewards }) => Object.keys(rewards)))];
  const weights = Object.assign({}, ...rollouts.map((one) => one.weights)) as Record<string, number>;
  const weighted = names.some((name) => weights[name] !== 1);
  const isPair = rollouts.length === 2;
  const heads = rollouts.length === 1 ? ['reward'] : rollouts.map(nameOf);
  const head = ['function', ...(weighted ? ['weight'] : []), ...heads, ...(isPair ? ['difference'] : [])];
  const row = (name: string, values: Array<number | null>, weight = '', kind = '') => {
    const [a, b] = values;
    const difference = a === null || b === null || b === undefined ? null : b - a;
    const cells = [...(weighted ? [weight] : []), ...values.map(shown)].map((text) => element('td', '', text));
    if (isPair) cells.push(element('td', signOf(difference), difference ? signed(difference) : '–'));
    const title = element('th', '', name);
    title.scope = 'row';
    return element('tr', kind, [title, ...cells]);
  };
  const body = [
    ...names.map((name) =>
      row(
        name,
        rollouts.map(({ rewards }) => rewards[name] ?? null),
        shown(weights[name]),
      ),
    ),
    row(
      'sum',
      rollouts.map(({ reward }) => reward),
      '',
      'joylab-mod-sum',
    ),
    row(
      'advantage',
      rollouts.map(({ advantage }) => advantage),
    ),
  ];
  return table(head, body);
}

/** Returns a table. */
export function table(head: readonly string[], body: readonly HTMLElement[]): HTMLElement {
  const cells = head.map((text) => {
    const cell = element('th', '', text);
    cell.scope = 'col';
    return cell;
  });
  return element('table', 'joylab-Rollouts-table', [
    element('thead', '', [element('tr', '', cells)]),
    element('tbody', '', [...body]),
  ]);
}

/** Returns the completion, each token with its probability as its tint and its tooltip. */
export function tokenView({ texts, logprobs }: RolloutData['completionTokens']): HTMLElement {
  const node = element('div', 'joylab-Tokens');
  node.tabIndex = 0;
  node.dataset.lmSuppressShortcuts = 'true';
  node.setAttribute('role', 'group');
  node.setAttribute('aria-label', 'Completion in tokens');
  texts.forEach((text, i) => {
    const token = element('span', 'joylab-Token', text);
    if (logprobs) {
      const probability = Math.exp(logprobs[i]);
      token.style.setProperty('--joylab-doubt', (1 - probability).toFixed(3));
      token.title = `${JSON.stringify(text)}: ${percent(probability)}`;
    }
    node.append(token);
  });
  return node;
}

/** Returns what tokens tell in one line: how many, how likely together, the least likely. */
export function tokenSummary({ texts, logprobs }: RolloutData['completionTokens']): string {
  if (!logprobs) return `${texts.length} tokens; their probabilities are not known: they were sampled elsewhere.`;
  const mean = logprobs.reduce((sum, value) => sum + value, 0) / Math.max(1, logprobs.length);
  const least = logprobs.indexOf(Math.min(...logprobs));
  const rarest =
    least < 0 ? '' : ` · least likely ${JSON.stringify(texts[least])} (${percent(Math.exp(logprobs[least]))})`;
  return `${texts.length} tokens · geometric mean ${percent(Math.exp(mean))}${rarest}`;
}

function percent(probability: number): string {
  const value = probability * 100;
  return `${value >= 10 ? Math.round(value) : Number(value.toPrecision(2))} %`;
}

function signed(value: number): string {
  return (value > 0 ? '+' : '') + formatNumber(value);
}

function signOf(value: number | null): string {
  if (!value) return '';
  return value > 0 ? 'joylab-mod-gain' : 'joylab-mod-loss';
}
