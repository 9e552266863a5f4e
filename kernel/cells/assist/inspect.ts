import type * as ts from 'typescript';
import type { MimeBundle } from '../../display/cellContext';
import { withoutPlaces } from '../compile/names';
import type { NotebookProgram } from '../compile/program/notebook';
import { typescript } from '../compile/typescript';

/** What a front end shows about a name: its declaration with its documentation. */
interface Description {
  signature: string;
  documentation: string;
  tags: Array<{ name: string; text: string }>;
  /** The text of the declaration, if it was asked for and is known. */
  source?: string;
}

/**
 * Returns the documentation of the name at a position, else of the call around it; `null`: there is none.
 *
 * @param preamble text that belongs before the cell: imports that it leaves out
 * @param detail 1: with the source of the declaration
 */
export function inspect(
  notebook: NotebookProgram,
  code: string,
  position: number,
  preamble = '',
  detail: 0 | 1 = 0,
): MimeBundle | null {
  notebook.edit(preamble + code);
  const { service, draft } = notebook;
  // A cursor behind a name is still at it.
  const places = [position, position - 1].filter((at) => at >= 0 && /[\p{ID_Continue}$]/u.test(code[at] ?? ''));
  const at = places.map((it) => preamble.length + it).find((it) => isKnown(service.getQuickInfoAtPosition(draft, it)));
  if (at === undefined) {
    const call = signature(service.getSignatureHelpItems(draft, preamble.length + position, {}));
    return call && bundle(call);
  }
  const description = described(service.getQuickInfoAtPosition(draft, at)!);
  return bundle(detail === 1 ? { ...description, source: sourceOf(notebook, at) } : description);
}

/** Returns whether a name is declared: one that is not is `any` for TypeScript, of no kind. */
function isKnown(info: ts.QuickInfo | undefined): boolean {
  return info !== undefined && !(String(info.kind) === '' && text(info.displayParts) === 'any');
}

/** Returns the text of the declaration of the name at a position of the draft, in a cell, a file or a package. */
function sourceOf({ service, draft }: NotebookProgram, at: number): string | undefined {
  const [definition] = service.getDefinitionAtPosition(draft, at) ?? [];
  const file = definition && service.getProgram()!.getSourceFile(definition.fileName);
  if (!file) return undefined;
  const { start, length } = definition.contextSpan ?? definition.textSpan;
  const declared = file.statements.find((statement) => statement.getStart(file) === start);
  if (declared && typescript().isInterfaceDeclaration(declared) && declared.members.length === 0)
    return membersText(declared, service.getProgram()!.getTypeChecker());
  return file.text.slice(start, start + length);
}

/** Returns the text of an interface that inherits all of its members, with these written out. */
function membersText(declared: ts.InterfaceDeclaration, checker: ts.TypeChecker): string {
  const members = checker.getPropertiesOfType(checker.getTypeAtLocation(declared)).map((member) => {
    const about = text(member.getDocumentationComment(checker)).replace(/\n/g, '\n   * ');
    const isOptional = (member.flags & typescript().SymbolFlags.Optional) !== 0;
    const type = checker.typeToString(checker.getTypeOfSymbol(member)).replace(isOptional ? / \| undefined$/ : '', '');
    return `${about && `  /** ${about} */\n`}  ${member.name}${isOptional ? '?' : ''}: ${type};`;
  });
  return `${declared.modifiers ? 'export ' : ''}interface ${declared.name.text} {\n${members.join('\n')}\n}`;
}

function described({ displayParts, documentation, tags }: ts.QuickInfo): Description {
  return { signature: text(displayParts), documentation: text(documentation), tags: tagTexts(tags) };
}

/** Returns the call that the cursor is in, with the documentation of the parameter that is being written. */
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
  return withoutPlaces((parts ?? []).map((part) => part.text).join(''));
}

function tagTexts(tags: readonly ts.JSDocTagInfo[] = []): Description['tags'] {
  return tags.map((tag) => ({ name: tag.name, text: text(tag.text) }));
}

function bundle({ signature, documentation, tags, source = '' }: Description): MimeBundle {
  const plain = [
    signature,
    documentation,
    tags.map(({ name, text }) => `@${name} ${text}`.trim()).join('\n'),
    source && `Source:\n${source}`,
  ].filter((it) => it !== '');
  const notes = tags.map(({ name, text }) =>
    `- *${name}* ${name === 'param' ? text.replace(/^(\S+)\s*-?\s*/, '`$1` ') : text}`.trimEnd(),
  );
  const markdown = [
    `\`\`\`typescript\n${signature}\n\`\`\``,
    documentation,
    notes.join('\n'),
    source && `**Source**\n\n\`\`\`typescript\n${source}\n\`\`\``,
  ].filter((it) => it !== '');
  return { 'text/plain': plain.join('\n\n'), 'text/markdown': markdown.join('\n\n') };
}
