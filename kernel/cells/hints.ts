import { builtinModules } from 'node:module';
import { camelCase, nameDistance } from '../common/names';
import * as widgets from '../display/widgets';
import type { Problem } from './compile/compiler';
import { adviceOnJsx } from './compile/problems/jsx';
import { joylabExports } from './directives/autoImport';

/** Names of Python, with what to write in TypeScript. */
const PYTHON: Record<string, string> = {
  print: 'console.log(…)',
  len: '.length',
  range: 'Array.from({ length: n }, (_, i) => i)',
  True: 'true',
  False: 'false',
  None: 'null',
  self: 'this',
  str: 'String(…)',
  int: 'Math.trunc(…)',
  float: 'Number(…)',
  help: 'Shift+Tab behind a name',
  dir: 'Object.keys(…)',
  type: 'typeof …',
  input: 'prompt(…)',
  enumerate: '.entries()',
  sum: '.reduce((a, b) => a + b, 0)',
};

const COMMAND =
  /^\s*(?:[!%]+\s*)?((?:pip3?|conda|npm|npx|apt|apt-get|git|ls|cat|python3?)\s+[\w./-].*)$|^\s*!\s*(\w.*)$/;
const FORMATTED = /(?:^|[^\w$])f(?:'[^']*'|"[^"]*")/;
const HELP = /^\s*\?\??[\w.$]+\s*$|^\s*[\w.$]+\?\??\s*$/;
const MAGIC = /^\s*%/;
const PYTHON_BLOCK =
  /^\s*(?:(?:for|while|if|elif|def|class|with)\s.*|else|try|except.*)\s*:\s*(?:#.*)?$|^\s*from\s+\S+\s+import\s|^\s*import\s+[\w.]+(?:\s+as\s+\w+)?\s*$/;

/** Returns advice on a problem for users of other notebooks, or of Python; `null`: there is none. */
export function hintFor(problem: Problem): string | null {
  const { code, text, start, length } = problem;
  const named = text.slice(start, start + length);
  if (code === 2305 && problem.message.includes('"joylab"')) return widgetName(named);
  if (code === 2584) return browserName(named);
  if (code === 2307) return missingModule(named.slice(1, -1));
  // TypeScript takes an element that is not closed for a type assertion.
  if (code === 2304 && text[start - 1] === '<' && /^[a-z]+\d?$/.test(named) && /^\s*>/.test(text.slice(start + length)))
    return adviceOnJsx(named);
  if (code === 2304 || code === 2552)
    return unknownName(named) ?? assigned(named, text.slice(start + length)) ?? otherLanguage(text, start);
  if (code === 2353 || code === 2561) return otherSetting(named, problem.message);
  return code < 2000 ? otherLanguage(text, start) : null;
}

function unknownName(name: string): string | null {
  if (joylabExports().has(name)) return `${name} comes with joylab: import { ${name} } from 'joylab';`;
  const widget = widgetName(name);
  if (widget) return widget;
  return Object.hasOwn(PYTHON, name) ? `Python's ${name} is ${PYTHON[name]} here.` : null;
}

/** Returns advice on a name of `joylab/widgets`. */
function widgetName(name: string): string | null {
  return Object.hasOwn(widgets, name)
    ? `${name} comes with joylab, too: import { ${name} } from 'joylab/widgets';`
    : null;
}

/** Returns advice on a name that the browser alone has. */
function browserName(name: string): string {
  return `A cell runs in Node.js, which has no ${name}. For code that a widget sends to the browser, the cell begins with the line /// <reference lib="dom" />`;
}

/** Returns advice on a setting that other libraries have, or that had another name. */
function otherSetting(name: string, message: string): string | null {
  const [, type = ''] = /in type '(\w+)'/.exec(message) ?? [];
  if (!/(Config|Options)$/.test(type)) return null;
  const { declarations } = require('../settings') as typeof import('../settings');
  const elsewhere = Object.hasOwn(declarations, type) ? declarations[type].elsewhere : undefined;
  const camel = camelCase(name);
  return elsewhere && Object.hasOwn(elsewhere, camel) ? `${name}: ${elsewhere[camel]}.` : null;
}

/** Returns advice on an assignment to a name that is not declared, as in Python. */
function assigned(name: string, behind: string): string | null {
  return /^\s*=(?![=>])/.test(behind) ? `A variable is declared before it is used: let ${name} = …;` : null;
}

function otherLanguage(text: string, start: number): string | null {
  const [line] = text.slice(text.lastIndexOf('\n', start - 1) + 1).split('\n');
  const [, folder] = /^\s*%?cd\s+(\S.*)$/.exec(line) ?? [];
  if (folder) return `Cells are TypeScript. To change the folder: process.chdir(${JSON.stringify(folder.trim())});`;
  const [, known, any] = COMMAND.exec(line) ?? [];
  const command = known ?? any;
  if (command)
    return `Cells are TypeScript. To run a program: import { execSync } from 'node:child_process'; execSync(${JSON.stringify(command.trim())}, { stdio: 'inherit' });`;
  if (FORMATTED.test(line)) return 'Python\'s f"{x}" is `${x}` here, between backticks.';
  if (HELP.test(line)) return 'For documentation press Shift+Tab behind a name.';
  if (MAGIC.test(line)) return 'Cells are TypeScript: there are no % commands.';
  return PYTHON_BLOCK.test(line) ? 'This reads like Python: cells are TypeScript.' : null;
}

function missingModule(specifier: string): string | null {
  if (/^(\.{0,2}\/|\w+:)/.test(specifier)) return null;
  const near = [...builtinModules, 'joylab'].find(
    (name) => !name.startsWith('_') && nameDistance(name, specifier) === 1,
  );
  if (near) return `Did you mean '${near}'?`;
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  return `If it is a package, install it in the notebook's folder: import { execSync } from 'node:child_process'; execSync('npm install ${name}', { stdio: 'inherit' });`;
}
