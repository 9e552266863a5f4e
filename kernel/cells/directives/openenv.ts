import { typescript } from '../compile/typescript';
import { showCard, type HasCard } from './environmentCard';
import type { Arguments, Declared, Directive, DirectiveCell } from './directive';

/** `@openenv`: shows the cards of the environments that the cell declares, and serves a class that extends `Environment`. */
export const openenv: Directive = {
  name: 'openenv',
  documentation:
    'Shows the environments that the cell declares: name, actions, state variables, first frame, what chance gets. ' +
    'A class that extends `Environment` is served as an OpenEnv server on a free local port; a client of it becomes a variable, for `class MyGame` the variable `myGame`. ' +
    'Running the cell again replaces the server.',
  parameters: [
    { name: 'card', type: 'boolean', documentation: 'Whether the card is shown. Default: true.' },
    {
      name: 'reference',
      type: 'boolean',
      documentation:
        'Whether the card tells what chance and every constant action get, for which about 50 episodes are played. Default: true for what comes with Joylab, false for classes and servers.',
    },
    {
      name: 'client',
      type: 'variable',
      documentation:
        "The client's variable, for a class. Default: the name of the class, its first letter small (`catchClient` where that is a reserved word).",
    },
    { name: 'port', type: 'number', documentation: 'The port of the server, for a class. Default: a free one.' },
  ],

  gives(args, target, declared) {
    const served = servedClass(target);
    const name = served && clientName(args, served, declared);
    return name ? { [name]: `import('joylab').EnvironmentClient<${served.name}>` } : {};
  },

  async apply(cell) {
    const { args, target, declared, variables } = cell;
    const served = servedClass(target);
    const client = served && (await serveClass(served, cell));
    if (args.card === false) return;
    const values = new Set([...(client ? [client] : []), ...declared.map(({ name }) => variables.get(name))]);
    for (const value of values) if (hasCard(value)) await showCard(value, args.reference as boolean | undefined);
  },
};

/** The class after the comment that is served. */
export function servedClass(target: Declared[]): Declared | undefined {
  return target.find(({ derived }) => derived);
}

/** Returns the name of the client's variable; undefined when the cell declares that name itself. */
export function clientName(args: Arguments, { name }: Declared, declared: Declared[]): string | undefined {
  const small = name[0].toLowerCase() + name.slice(1);
  const chosen =
    typeof args.client === 'string' ? args.client : small === name || isReserved(small) ? `${small}Client` : small;
  return declared.some((it) => it.name === chosen) ? undefined : chosen;
}

/** Returns whether a name is a reserved word, as `catch` is for `class Catch`. */
function isReserved(name: string): boolean {
  const { createScanner, ScriptTarget, SyntaxKind } = typescript();
  const kind = createScanner(ScriptTarget.Latest, true, undefined, name).scan();
  return (
    kind === SyntaxKind.AwaitKeyword ||
    (kind >= SyntaxKind.FirstReservedWord && kind <= SyntaxKind.LastFutureReservedWord)
  );
}

async function serveClass(
  served: Declared,
  { args, declared, description, variables, notebook }: DirectiveCell,
): Promise<unknown> {
  const { serveInNotebook } = await import('../../environments/remote/served.js');
  const { classTypes } = await import('../../openenv/serving/classTypes.js');
  const found = notebook.findClass(served.name);
  const types = found && classTypes(typescript(), found.checker, found.symbol);
  const client = await serveInNotebook(variables.get(served.name), {
    ...(types ? { schema: types.schema } : {}),
    metadata: { description },
    port: args.port as number | undefined,
  });
  const name = clientName(args, served, declared);
  if (name) variables.set(name, client);
  return client;
}

function hasCard(value: unknown): value is HasCard {
  return typeof (value as { card?: unknown } | null | undefined)?.card === 'function';
}
