import { defined } from '../../common/defined';
import { shownSize, type PictureSize } from '../../display/pictures/aspect';
import type { MimeBundle } from '../../display/cellContext';
import { ENVIRONMENT_MIME, type EnvironmentData, type EnvironmentTable } from '../../display/mime';
import { escapeHtml, shortNumber, textTable } from '../../display/table';
import type { EnvironmentSchema } from '../../openenv/protocol';
import type { StateVariable } from '../environment';
import { png, type IndexedImage } from './image';
import type { PictureFile } from './picture';
import type { ReferenceReturns } from '../reference';
import { schemaFields } from '../../schema/fields';

/** The content of a card. */
export interface CardContent {
  environment: string;
  name: string;
  description?: string;
  /** The environment's own version. */
  release?: string | null;
  options: Record<string, unknown>;
  actions: readonly string[];
  stateVariables: ReadonlyArray<Pick<StateVariable, 'name' | 'description' | 'minimum' | 'maximum'>>;
  /** Shown as tables of fields. */
  schema?: EnvironmentSchema | null;
  frame?: IndexedImage | PictureFile;
  /** Returns of random actions, of each constant action and of a human, if they were measured. */
  reference?: ReferenceReturns | null;
  /** Whether these returns are being measured. */
  measuring?: boolean;
  /** The ID with which views open a comm to play it. */
  play?: string;
}

/** Content of a card that the environment does not have itself. */
export type CardOptions = Pick<CardContent, 'reference' | 'measuring'>;

/** Returns the MIME bundle of a card: for the extension, as HTML for other viewers, and as text. */
export function environmentBundle(content: CardContent): MimeBundle {
  const data = cardData(content);
  return { [ENVIRONMENT_MIME]: data, 'text/html': cardHtml(data), 'text/plain': cardText(data) };
}

function cardData(content: CardContent): EnvironmentData {
  const { environment, name, description, release, options, actions, schema, frame, reference, measuring, play } =
    content;
  const tables = schema ? schemaTables(schema) : [];
  return {
    version: 1,
    environment,
    name,
    ...(description && { description }),
    ...(release && { release }),
    options: defined(options),
    actions: [...actions],
    variables: content.stateVariables.map(({ name, description, minimum, maximum }) => ({
      name,
      description,
      minimum,
      maximum,
    })),
    ...(tables.length > 0 && { tables }),
    ...(frame && { frame: frameData(frame) }),
    ...(reference && { returns: returnsData(reference) }),
    ...(measuring && { measuring }),
    ...(play && { play }),
  };
}

/** Tables of actions, at most, when an action is one of several objects. */
const MAXIMUM_ACTIONS = 20;

/** Returns tables of the fields of action, observation and state; one for each action when it is one of several objects. */
function schemaTables({ action, observation, state }: EnvironmentSchema): EnvironmentTable[] {
  const members: Array<Record<string, any>> = action?.properties ? [] : (action?.oneOf ?? action?.anyOf ?? []);
  const actions = members.slice(0, MAXIMUM_ACTIONS).map((member) => ({ ...member, $defs: action.$defs }));
  const tables = [
    ...(actions.length > 1
      ? actions.map((it, i) => ({
          title: `Action: ${memberName(it) ?? i + 1}`,
          fields: schemaFields(it, 'input', ['metadata']),
        }))
      : [{ title: 'Action', fields: schemaFields(action, 'input', ['metadata']) }]),
    { title: 'Observation', fields: schemaFields(observation, 'output', ['done', 'reward', 'metadata']) },
    { title: 'State', fields: schemaFields(state, 'output') },
  ];
  return tables.filter(({ fields }) => fields.length > 0);
}

function memberName({ title, $ref }: Record<string, any>): string | undefined {
  return title ?? $ref?.split('/').at(-1);
}

/** Returns the reference returns, the lowest first. */
function returnsData({ maxSteps, chance, constants, human }: ReferenceReturns): EnvironmentData['returns'] {
  const rows = [
    { name: 'chance', mean: chance.mean },
    ...constants.map(({ action, mean }) => ({ name: `always ${action}`, mean })),
    ...(human ? [{ name: `human (${human.source})`, mean: human.mean }] : []),
  ];
  return { maxSteps, rows: rows.sort((a, b) => a.mean - b.mean) };
}

/** Returns the reference returns as a line. */
export function returnsText({ maxSteps, rows }: NonNullable<EnvironmentData['returns']>): string {
  return `return in ${maxSteps.toLocaleString('en')} steps: ${rows.map(({ name, mean }) => `${name} ${shortNumber(mean)}`).join(' · ')}`;
}

function frameData(frame: IndexedImage | PictureFile): EnvironmentData['frame'] {
  const size = frame.width && frame.height ? shownSize(frame as PictureSize, 1) : {};
  if ('bytes' in frame) return { ...size, type: frame.type, png: Buffer.from(frame.bytes).toString('base64') };
  return { ...size, png: Buffer.from(png(frame)).toString('base64') };
}

/** Returns the card as HTML. It sets no colours, so that it is readable in light and dark themes. */
function cardHtml(data: EnvironmentData): string {
  const { environment, name, description, release, options, actions, variables, tables = [], frame, returns } = data;
  const size = frame?.width ? ` width="${frame.width}" height="${frame.height}"` : '';
  const picture = frame
    ? `<img alt="First frame of ${escapeHtml(name)}" src="data:${frame.type ?? 'image/png'};base64,${frame.png}"${size} style="image-rendering: pixelated; flex: none">`
    : '';
  const settings = Object.entries(options).map(([option, value]) => `${option}: ${JSON.stringify(value)}`);
  const rows = variables.map(({ name, description, minimum, maximum }) => [
    code(name),
    `${minimum} … ${maximum}`,
    escapeHtml(description),
  ]);
  return (
    `<div style="display: flex; flex-wrap: wrap; gap: 1.5em; align-items: flex-start">${picture}<div>` +
    `<p><strong>${escapeHtml(name)}</strong>${release ? ` ${escapeHtml(release)}` : ''} (${escapeHtml(environment)})${description ? `: ${escapeHtml(description)}` : ''}</p>` +
    (actions.length ? `<p>Actions: ${actions.map(code).join(' ')}</p>` : '') +
    (returns ? `<p>${escapeHtml(capital(returnsText(returns)))}</p>` : '') +
    htmlTable(['state', 'range', 'meaning'], rows) +
    tables
      .map(({ title, fields }) =>
        htmlTable(
          [title, 'type', 'range', 'meaning'],
          fields.map(({ name, type, range, description, optional }) => [
            code(name + (optional ? '?' : '')),
            code(type),
            escapeHtml(range),
            escapeHtml(description),
          ]),
        ),
      )
      .join('') +
    (settings.length ? `<p><small>${escapeHtml(settings.join(' · '))}</small></p>` : '') +
    `</div></div>`
  );
}

function htmlTable(titles: string[], rows: string[][]): string {
  if (rows.length === 0) return '';
  const cells = (tag: string, texts: string[]) =>
    `<tr>${texts.map((text) => `<${tag} style="text-align: left; vertical-align: top"${tag === 'th' ? ' scope="col"' : ''}>${text}</${tag}>`).join('')}</tr>`;
  return `<table><thead>${cells('th', titles.map(escapeHtml))}</thead><tbody>${rows.map((row) => cells('td', row)).join('')}</tbody></table>`;
}

function code(text: string): string {
  return text && `<code>${escapeHtml(text)}</code>`;
}

function capital(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}

function cardText(data: EnvironmentData): string {
  const { environment, name, description, release, actions, variables, tables = [], returns } = data;
  const columns = (title: string) =>
    [title, 'type', 'range', 'meaning'].map((it) => ({ title: it, align: 'left' as const }));
  return [
    `${name}${release ? ` ${release}` : ''} (${environment})${description ? `: ${description}` : ''}`,
    ...(actions.length ? [`actions: ${actions.join(', ')}`] : []),
    ...(returns ? [returnsText(returns)] : []),
    ...variables.map(
      ({ name, description, minimum, maximum }) => `state.${name}: ${minimum} … ${maximum}, ${description}`,
    ),
    ...tables.map(
      ({ title, fields }) =>
        `\n${textTable(
          columns(title),
          fields.map(({ name, type, range, description, optional }) => [
            name + (optional ? '?' : ''),
            type,
            range,
            description.replace(/\s+/g, ' '),
          ]),
        )}`,
    ),
  ].join('\n');
}
