import { shownSize } from '../display/aspect';
import type { MimeBundle } from '../display/host';
import { ENVIRONMENT_MIME, type EnvironmentData } from '../display/mime';
import type { StateVariable } from './environment';
import { png, type IndexedImage } from './image';

/** A picture as the file that it is. */
export interface PictureFile {
  width: number;
  height: number;
  /** MIME type. */
  type: string;
  bytes: Uint8Array;
}

/** What a card shows. */
export interface CardContent {
  environment: string;
  name: string;
  description?: string;
  options: Record<string, unknown>;
  actions: string[];
  stateVariables: Array<Pick<StateVariable, 'name' | 'description' | 'minimum' | 'maximum'>>;
  frame?: IndexedImage | PictureFile;
}

/** The card of an environment: for the extension, as HTML for other viewers, as text. */
export function environmentBundle(content: CardContent): MimeBundle {
  const data = cardData(content);
  return { [ENVIRONMENT_MIME]: data, 'text/html': cardHtml(data), 'text/plain': cardText(data) };
}

function cardData({ environment, name, description, options, actions, stateVariables, frame }: CardContent): EnvironmentData {
  return {
    version: 1,
    environment,
    name,
    ...(description === undefined ? {} : { description }),
    options: Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    actions,
    variables: stateVariables.map(({ name, description, minimum, maximum }) => ({ name, description, minimum, maximum })),
    ...(frame ? { frame: frameData(frame) } : {}),
  };
}

function frameData(frame: IndexedImage | PictureFile): EnvironmentData['frame'] {
  const { width, height } = frame;
  if ('bytes' in frame) return { width, height, type: frame.type, png: Buffer.from(frame.bytes).toString('base64') };
  return { width, height, png: Buffer.from(png(frame)).toString('base64') };
}

/** No colours of its own: it reads well on light and on dark pages. */
function cardHtml({ environment, name, description, options, actions, variables, frame }: EnvironmentData): string {
  const picture = frame
    ? `<img alt="First frame of ${escapeHtml(name)}" src="data:${frame.type ?? 'image/png'};base64,${frame.png}" ${sizeAttributes(frame)} style="image-rendering: pixelated; flex: none">`
    : '';
  const rows = variables.map(({ name, description, minimum, maximum }) => row(`<code>${escapeHtml(name)}</code>`, `${minimum} … ${maximum}`, escapeHtml(description)));
  const table = rows.length
    ? `<table><thead><tr><th style="text-align: left">state</th><th style="text-align: left">range</th><th style="text-align: left">meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table>`
    : '';
  const settings = Object.entries(options).map(([option, value]) => `${option}: ${JSON.stringify(value)}`);
  return (
    `<div style="display: flex; flex-wrap: wrap; gap: 1.5em; align-items: flex-start">${picture}<div>` +
    `<p><strong>${escapeHtml(name)}</strong> (${escapeHtml(environment)})${description ? `: ${escapeHtml(description)}` : ''}</p>` +
    (actions.length ? `<p>Actions: ${actions.map(action => `<code>${escapeHtml(action)}</code>`).join(' ')}</p>` : '') +
    table +
    (settings.length ? `<p><small>${escapeHtml(settings.join(' · '))}</small></p>` : '') +
    `</div></div>`
  );
}

/** The place of a picture on the page. */
function sizeAttributes(frame: { width: number; height: number }): string {
  const { width, height } = shownSize(frame.width, frame.height, 1);
  return `width="${width}" height="${height}"`;
}

function row(...cells: string[]): string {
  return `<tr>${cells.map(cell => `<td style="text-align: left">${cell}</td>`).join('')}</tr>`;
}

function cardText({ environment, name, description, actions, variables }: EnvironmentData): string {
  return [
    `${name} (${environment})${description ? `: ${description}` : ''}`,
    ...(actions.length ? [`actions: ${actions.join(', ')}`] : []),
    ...variables.map(({ name, description, minimum, maximum }) => `state.${name}: ${minimum} … ${maximum}, ${description}`),
  ].join('\n');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
}
