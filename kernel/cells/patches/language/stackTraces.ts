import { readFileSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isCellScript, type CellCompiler } from '../../compile/compiler';
import type { LocalModules } from '../../modules/localModules';
import { replace, type Undo } from '../replace';

/** A frame of a stack in the user's own code: a cell or a file. */
export interface Frame {
  /** "Cell [3]", or a file's path from the notebook's folder. */
  label: string;
  text: string;
  line: number;
  column: number;
  /** The function, as V8 names it; empty at the top level. */
  name: string;
}

/** Enough frames to reach the user's own below a library's. */
const STACK_FRAMES = 100;

const framesOf = new WeakMap<object, Frame[]>();

/** The user's own frames of an error's stack, the newest first. */
export function userFrames(error: object): Frame[] {
  // The stack is made when it is first asked for.
  void (error as Error).stack;
  return framesOf.get(error) ?? [];
}

/**
 * Makes the stacks of errors speak of cells and of the user's TypeScript, whoever
 * prints them: `at add (Cell [3], line 2, column 5)`. What the kernel does to
 * run a cell is left out.
 */
export function installStackTraces(compiler: CellCompiler, modules: LocalModules, folder: string): Undo {
  const prepareStackTrace: typeof Error.prepareStackTrace = (error, sites) => {
    const lines: string[] = [];
    const frames: Frame[] = [];
    let end = 0;
    for (const site of sites) {
      const frame = userFrame(site);
      if (frame === 'hidden') continue;
      lines.push(
        `\n    at ${frame ? `${frame.name ? `${frame.name} ` : ''}(${frame.label}, line ${frame.line}, column ${frame.column})` : site}`,
      );
      if (!frame) continue;
      frames.push(frame);
      end = lines.length;
    }
    framesOf.set(error, frames);
    return `${headline(error)}${(end > 0 ? lines.slice(0, end) : lines).join('')}`;
  };
  return replace(Error, { stackTraceLimit: STACK_FRAMES, prepareStackTrace });

  function userFrame(site: NodeJS.CallSite): Frame | 'hidden' | null {
    const script = site.getScriptNameOrSourceURL() ?? '';
    const [line, column] = [site.getLineNumber() ?? 1, site.getColumnNumber() ?? 1];
    if (isCellScript(script)) {
      const place = compiler.trace(script, line, column);
      return place
        ? { label: place.label, text: place.code, line: place.line, column: place.column, name: functionName(site) }
        : 'hidden';
    }
    const path = script.startsWith('file:') ? fileURLToPath(script) : script;
    if (!isAbsolute(path) || !modules.isLocal(path)) return null;
    const place = modules.trace(path, line, column);
    return place
      ? {
          label: relative(folder, path),
          text: read(path),
          line: place.line,
          column: place.column,
          name: functionName(site),
        }
      : 'hidden';
  }
}

/** The function of a frame, as it stands before the place: "new Box", "async load", "Array.map". */
function functionName(site: NodeJS.CallSite): string {
  const text = /^(.*) \(/.exec(String(site))?.[1] ?? '';
  return text
    .replace(
      /^(async )?(eval|Object\.<anonymous>|Timeout\._onTimeout|Immediate\.<anonymous>|<anonymous>|__cells__\.<computed>)$/,
      '',
    )
    .replace(/^(async )?__cells__\./, '$1');
}

function headline(error: Error): string {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return 'Error';
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
