import type * as ts from 'typescript';
import type { MimeBundle } from '../../display/host';
import type { NotebookProgram } from '../compile/notebook';

/** A declaration with its documentation: what a front end shows about a name. */
interface Description {
  signature: string;
  documentation: string;
  tags: Array<{ name: string; text: string }>;
}

/**
 * What is known about the name at a position, else about the call around it; `null`: nothing.
 *
 * @param preamble text that belongs before the cell: imports that it leaves out
 */
export function inspect(notebook: NotebookProgram, code: string, position: number, preamble = ''): MimeBundle | null {
  notebook.open(preamble + code);
  const { service, draft } = notebook;
  // A cursor behind a name is still at it.
  const places = [position, position - 1].filter((at) => at >= 0 && /[\p{ID_Continue}$]/u.test(code[at] ?? ''));
  const info = places.map((at) => service.getQuickInfoAtPosition(draft, preamble.length + at)).find((it) => it !== undefined);
  const description = info ? described(info) : signature(service.getSignatureHelpItems(draft, preamble.length + position, {}));
  return description && bundle(description);
}

function described({ displayParts, documentation, tags }: ts.QuickInfo): Description {
  return { signature: text(displayParts), documentation: text(documentation), tags: tagTexts(tags) };
}

/** The call that the cursor is in, with the documentation of the parameter that is being written. */
function signature(help: ts.SignatureHelpItems | undefined): Description | null {
  const item = help?.items[help.selectedItemIndex];
  if (!help || !item) return null;
  const parameters = item.parameters.map(({ displayParts }) => text(displayParts));
  const whole = `${text(item.prefixDisplayParts)}${parameters.join(text(item.separatorDisplayParts))}${text(item.suffixDisplayParts)}`;
  const current = item.parameters[help.argumentIndex];
  const tags = tagTexts(item.tags.filter(({ name }) => name !== 'param'));
  if (current) tags.unshift({ name: 'param', text: `${current.name} ${text(current.documentation)}`.trim() });
  return { signature: whole, documentation: text(item.documentation), tags };
}

function text(parts: readonly ts.SymbolDisplayPart[] | undefined): string {
  return (parts ?? []).map((part) => part.text).join('');
}

function tagTexts(tags: readonly ts.JSDocTagInfo[] = []): Description['tags'] {
  return tags.map((tag) => ({ name: tag.name, text: text(tag.text) }));
}

function bundle({ signature, documentation, tags }: Description): MimeBundle {
  const plain = [signature, documentation, tags.map(({ name, text }) => `@${name} ${text}`.trim()).join('\n')].filter((it) => it !== '');
  const notes = tags.map(({ name, text }) => `- *${name}* ${name === 'param' ? text.replace(/^(\S+)\s*-?\s*/, '`$1` ') : text}`.trimEnd());
  const markdown = [`\`\`\`typescript\n${signature}\n\`\`\``, documentation, notes.join('\n')].filter((it) => it !== '');
  return { 'text/plain': plain.join('\n\n'), 'text/markdown': markdown.join('\n\n') };
}
