import type { EnvironmentRow, SessionCount } from '../../kernel/display/overview';
import { shortNumber } from '../../kernel/display/table';
import { describe, element } from '../widgets/element';
import { icon, type IconName } from '../widgets/icons';

/** What the buttons of an environment do. */
export interface EnvironmentActions {
  /** Goes to its cell. */
  show(row: EnvironmentRow): void;
  /** Starts a game in its card; `null` where that cannot be played. */
  play(row: EnvironmentRow): (() => void) | null;
  close(row: EnvironmentRow): void;
}

/** Returns the environments of a notebook, each with its sessions, scores and actions. */
export function environmentList(rows: readonly EnvironmentRow[], actions: EnvironmentActions): HTMLElement {
  return element(
    'ul',
    'joylab-Panel-list',
    rows.map((row) => item(row, actions)),
  );
}

function item(row: EnvironmentRow, actions: EnvironmentActions): HTMLElement {
  const { variables, name, source, sessions, returns } = row;
  const play = sessions && actions.play(row);
  const control = (action: string) => `${action} ${variables[0]}`;
  const buttons = [
    button('expand', 'Card', `Show the card of ${name}`, control('show'), () => actions.show(row)),
    ...(play ? [button('play', 'Play', `Play ${name} yourself, by keyboard`, control('play'), play)] : []),
    ...(sessions ? [button('close', 'Close', `Close ${name}`, control('close'), () => actions.close(row))] : []),
  ];
  return element('li', 'joylab-Panel-item', [
    element('div', 'joylab-Panel-head', [
      element('span', 'joylab-Panel-name', name),
      element('code', '', variables.join(', ')),
      element('span', 'joylab-Panel-faint', source === name ? '' : source),
    ]),
    element('div', '', sessionWords(sessions)),
    ...line('Scores', returns.map(({ name, mean }) => `${name} ${shortNumber(mean)}`).join(' · ')),
    ...line('Actions', row.actions.join(' ')),
    element('div', 'joylab-Panel-buttons', buttons),
  ]);
}

function sessionWords(sessions: SessionCount | null): string {
  if (!sessions) return 'Closed: run its cell to open it again.';
  const { open, busy } = sessions;
  if (open === 0) return 'No session is open: the next reset opens one.';
  return `${open} ${open === 1 ? 'session' : 'sessions'} open, ${busy === 0 ? 'none' : busy} busy`;
}

function line(title: string, text: string): HTMLElement[] {
  if (!text) return [];
  const node = element('div', 'joylab-Panel-line', [element('span', 'joylab-Panel-faint', title), ' ', text]);
  return [node];
}

/** Returns a button with text. @param control its name, by which it is found again after the list was made anew */
export function button(
  name: IconName,
  text: string,
  label: string,
  control: string,
  onClick: () => void,
): HTMLButtonElement {
  const node = element('button', 'joylab-Action', [icon(name), text]);
  node.type = 'button';
  node.dataset.control = control;
  describe(node, label);
  node.addEventListener('click', onClick);
  return node;
}
