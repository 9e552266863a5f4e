import type { EnvironmentData, EnvironmentTable } from '../../kernel/display/mime';
import { shortNumber } from '../../kernel/display/table';
import { element } from '../widgets/element';
import { icon } from '../widgets/icons';
import { keepReachable } from '../widgets/reachable';

/**
 * Returns the card of an environment: description, actions, state variables with their ranges, first frame.
 *
 * @param play starts a game in the place of the picture; `null` where there is none to play
 */
export function environmentCard(data: EnvironmentData, play: ((picture: HTMLElement) => void) | null): HTMLElement {
  const head = element('div', 'joylab-Environment-head', [
    element('span', 'joylab-Environment-name', data.name),
    ...(data.release ? [element('span', 'joylab-Environment-kind', data.release)] : []),
    ...(data.environment === data.name ? [] : [element('span', 'joylab-Environment-kind', data.environment)]),
  ]);
  const text = element('div', 'joylab-Environment-text', [
    head,
    ...(data.description ? [element('p', 'joylab-Environment-description', data.description)] : []),
    ...section('Actions', data.actions.length > 0 ? actionList(data.actions) : null),
    ...(data.returns
      ? section(`Return in ${data.returns.maxSteps.toLocaleString('en')} steps`, returnList(data.returns))
      : data.measuring
        ? section(
            'Return',
            element('div', 'joylab-Environment-measuring', 'Being measured: chance, and each action alone …'),
          )
        : []),
    ...section('Options', Object.keys(data.options).length > 0 ? optionList(data.options) : null),
  ]);
  const top = element('div', 'joylab-Environment-top', [
    ...(data.frame ? [picture(data.name, data.frame, play)] : []),
    text,
  ]);
  const groups = [
    ...(data.variables.length > 0 ? [variableRows(data.variables)] : []),
    ...(data.tables ?? []).map(fieldRows),
  ];
  const table = element('div', 'joylab-Environment-table', [element('table', '', groups)]);
  keepReachable(table);
  return element('div', 'joylab-Card joylab-Environment', groups.length > 0 ? [top, table] : [top]);
}

/** Returns what is wrong with the data of a card, in words; `null` when it can be shown. */
export function checkEnvironment(data: EnvironmentData): string | null {
  if (typeof data !== 'object' || data === null) return 'it is not an object';
  if (data.version !== 1) return `it has version ${data.version}, this card knows version 1`;
  if (!Array.isArray(data.actions)) return 'its actions are missing';
  if (!Array.isArray(data.variables)) return 'its state variables are missing';
  if (
    data.tables !== undefined &&
    !(Array.isArray(data.tables) && data.tables.every((table) => Array.isArray(table?.fields)))
  )
    return 'its tables are broken';
  if (
    data.returns !== undefined &&
    !(Array.isArray(data.returns?.rows) && data.returns.rows.every((row) => typeof row?.mean === 'number'))
  )
    return 'its returns are broken';
  if (typeof data.options !== 'object' || data.options === null) return 'its options are missing';
  return null;
}

function section(title: string, content: HTMLElement | null): HTMLElement[] {
  return content
    ? [element('div', 'joylab-Environment-section', [element('div', 'joylab-Environment-label', title), content])]
    : [];
}

function actionList(actions: string[]): HTMLElement {
  const items = actions.map((name, id) => {
    const item = element('li', 'joylab-Chip', name);
    item.title = `action_id ${id}`;
    return item;
  });
  return element('ol', 'joylab-Chips', items);
}

function optionList(options: Record<string, unknown>): HTMLElement {
  const items = Object.entries(options).map(([name, value]) =>
    element('li', 'joylab-Option', [
      element('span', 'joylab-Option-name', name),
      ' ',
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
  return element('ul', 'joylab-Options', items);
}

function returnList({ rows }: NonNullable<EnvironmentData['returns']>): HTMLElement {
  const items = rows.map(({ name, mean }) =>
    element('li', 'joylab-Option', [element('span', 'joylab-Option-name', name), ' ', shortNumber(mean)]),
  );
  return element('ul', 'joylab-Options', items);
}

function picture(
  name: string,
  { png, type, width, height }: NonNullable<EnvironmentData['frame']>,
  play: ((picture: HTMLElement) => void) | null,
): HTMLElement {
  const image = element('img', 'joylab-Environment-frame');
  image.alt = `First frame of ${name}`;
  image.src = `data:${type ?? 'image/png'};base64,${png}`;
  if (width && height) image.style.aspectRatio = String(width / height);
  // Drawings have a ground of their own; a console's screen is black around its picture.
  const kind = type === 'image/svg+xml' ? 'joylab-Environment-picture joylab-mod-drawn' : 'joylab-Environment-picture';
  const node = element('div', kind, [image]);
  if (!play) return node;
  const button = element('button', 'joylab-Action joylab-Environment-play', [icon('play'), 'Play']);
  button.type = 'button';
  button.title = `Play ${name} yourself, by keyboard`;
  button.addEventListener('click', () => play(node));
  node.append(button);
  return node;
}

function variableRows(variables: EnvironmentData['variables']): HTMLElement {
  const rows = variables.map(({ name, description, minimum, maximum }) => [
    name,
    '',
    `${minimum} … ${maximum}`,
    description,
  ]);
  return group('State variable', rows);
}

function fieldRows({ title, fields }: EnvironmentTable): HTMLElement {
  return group(
    title,
    fields.map(({ name, type, range, description, optional }) => [
      optional ? `${name}?` : name,
      type,
      range,
      description,
    ]),
  );
}

function header(text: string): HTMLElement {
  const cell = element('th', '', text);
  cell.scope = 'col';
  return cell;
}

/** Returns rows of name, type, range and meaning under a heading. Groups share one table, so that their columns align. */
function group(title: string, rows: string[][]): HTMLElement {
  const head = element(
    'tr',
    '',
    [title, 'Values', 'Meaning'].map((text) => header(text)),
  );
  const body = rows.map(([name, type, range, meaning]) =>
    element('tr', '', [
      element('td', 'joylab-Environment-variable', name),
      element('td', `joylab-Environment-values${type ? '' : ' joylab-mod-range'}`, [
        ...(type ? [element('code', '', type)] : []),
        ...(range ? [element('span', 'joylab-Environment-range', range.replace(/(^|\s)-(?=\d)/g, '$1−'))] : []),
      ]),
      element('td', 'joylab-Environment-meaning', meaning),
    ]),
  );
  return element('tbody', '', [head, ...body]);
}
