import type * as ts from 'typescript';
import { syntaxErrors } from '../../patches/typescript';
import { typescript } from '../typescript';

/** TypeScript's code for JSX where it is not allowed. */
export const NO_JSX = 17004;

/** A file that cannot be read because there is JSX in it: an error that says so, at its place. */
export function jsxProblem(file: ts.SourceFile): ts.Diagnostic | null {
  if (!/<[\w>]/.test(file.text)) return null;
  const compiler = typescript();
  const read = compiler.createSourceFile(
    'cell.tsx',
    file.text,
    compiler.ScriptTarget.Latest,
    true,
    compiler.ScriptKind.TSX,
  );
  const element = find(
    read,
    (node) => isElement(node) && syntaxErrors(read).every(({ start = 0 }) => start < node.pos || node.end < start),
  );
  if (!element) return null;
  const start = element.getStart(read);
  const name = compiler.isJsxFragment(element)
    ? ''
    : (compiler.isJsxElement(element) ? element.openingElement : (element as ts.JsxSelfClosingElement)).tagName.getText(
        read,
      );
  return {
    file,
    start,
    length: name.length + 1,
    code: NO_JSX,
    messageText: adviceOnJsx(name),
    category: compiler.DiagnosticCategory.Error,
  };
}

/** Returns what to write instead of an element. */
export function adviceOnJsx(name: string): string {
  return `JSX (<${name}>) is not understood in a cell: nothing is there that would render it. For markup write html\`<b>\${name}</b>\` with import { html } from 'joylab';`;
}

function isElement(node: ts.Node): boolean {
  const compiler = typescript();
  return compiler.isJsxElement(node) || compiler.isJsxSelfClosingElement(node) || compiler.isJsxFragment(node);
}

function find(node: ts.Node, test: (node: ts.Node) => boolean): ts.Node | undefined {
  return test(node) ? node : typescript().forEachChild(node, (child) => find(child, test));
}
