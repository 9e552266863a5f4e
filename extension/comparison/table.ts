import type { ComparedRollout, ComparisonData } from '../../kernel/display/rewardsMime';
import { element } from '../widgets/element';
import { keepReachable } from '../widgets/reachable';
import { change, rise } from './change';

interface Column {
  title: string;
  cell(rollout: ComparedRollout): HTMLElement | string;
  /** The number that it is sorted by, the largest first; left out for texts, which are not sorted. */
  key?(rollout: ComparedRollout): number;
}

/** Returns the rollouts that changed as a table that is sorted by a click on a heading. */
export function comparisonTable({ rollouts, functions }: ComparisonData): HTMLElement {
  const columns: Column[] = [
    { title: '#', cell: ({ index }) => String(index), key: ({ index }) => -index },
    { title: 'step', cell: ({ step }) => String(step), key: ({ step }) => step },
    ...functions.map(
      ({ name, weight }, f): Column => ({
        title: name,
        cell: ({ rewards }) => change(rewards[f], weight < 0 ? -1 : 1),
        key: ({ rewards }) => rise(rewards[f]),
      }),
    ),
    { title: 'sum', cell: ({ sum }) => change(sum), key: ({ sum }) => rise(sum) },
    { title: 'rank', cell: ({ rank }) => change(rank, -1), key: ({ rank }) => -rise(rank) },
    { title: 'advantage', cell: ({ advantage }) => change(advantage), key: ({ advantage }) => rise(advantage) },
    { title: 'program', cell: ({ text }) => element('code', 'joylab-Compare-program', text) },
  ];
  const body = element('tbody', '');
  const rows = rollouts.map((rollout) => ({
    rollout,
    node: element(
      'tr',
      '',
      columns.map((column) => element('td', column.key ? '' : 'joylab-mod-text', [column.cell(rollout)])),
    ),
  }));
  const headings = columns.map((column) => heading(column, () => sort(column)));
  let sorted = columns.findIndex(({ title }) => title === 'advantage');
  let descending = true;

  function sort(column: Column): void {
    const index = columns.indexOf(column);
    descending = index === sorted ? !descending : true;
    sorted = index;
    order();
  }

  function order(): void {
    const key = columns[sorted].key!;
    const sign = descending ? -1 : 1;
    rows.sort((a, b) => sign * (key(a.rollout) - key(b.rollout)) || a.rollout.index - b.rollout.index);
    body.replaceChildren(...rows.map(({ node }) => node));
    headings.forEach((node, c) => {
      if (c === sorted) node.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      else node.removeAttribute('aria-sort');
    });
  }

  order();
  const node = element('div', 'joylab-Compare-table', [
    element('table', '', [element('thead', '', [element('tr', '', headings)]), body]),
  ]);
  keepReachable(node);
  return node;
}

function heading(column: Column, onClick: () => void): HTMLElement {
  const node = element('th', column.key ? '' : 'joylab-mod-text');
  node.scope = 'col';
  if (!column.key) {
    node.textContent = column.title;
    return node;
  }
  const button = element('button', 'joylab-Compare-sort', column.title);
  button.type = 'button';
  button.title = `Sort by the change of ${column.title}`;
  button.addEventListener('click', onClick);
  node.append(button);
  return node;
}
