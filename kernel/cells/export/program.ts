import { joylabImport } from '../directives/autoImport';
import { parse } from '../compile/declarations';
import type { NotebookCell } from './cells';
import { outlineOf, type CellOutline } from './outline';
import type { CellStatement } from './statements';

/** The part of a notebook that its training is made of. */
export interface NotebookProgram {
  /** The program, a TypeScript module whose default export are the parts. */
  text: string;
  /** Classes that are served as environments: what is served, and the place in the program of its description. */
  served: { className: string; place: string; description: string }[];
  /** What the reader should know. */
  notes: string[];
}

/**
 * Takes what the first `@grpo` cell of a notebook needs: the statements that
 * declare or change its model, environment, data set, settings and rewards,
 * and all that these name in turn. What else a notebook does on the way
 * (trying, showing, measuring) is left out.
 */
export function programOf(cells: readonly NotebookCell[], name: string): NotebookProgram {
  const outlines = cells.map((cell, i) => outlineOf(cell, i + 1));
  const at = outlines.findIndex(({ grpo }) => grpo);
  if (at < 0) throw new Error(`${name} has no @grpo cell: what it would train is not known`);
  const before = outlines.slice(0, at + 1);
  const { grpo } = outlines[at];
  const rewards = before.flatMap((cell) => cell.rewards);
  const parts = partsOf(before, grpo!);
  const roots = [...Object.values(parts).flatMap((part) => part ?? []), ...rewards.map((reward) => reward.name)];
  const taken = take(before, new Set(roots), new Set([parts.model, parts.env ?? '', 'tokenizer']));
  const lines: string[] = [];
  const served: NotebookProgram['served'] = [];
  for (const cell of before) {
    lines.push(...cell.statements.filter((statement) => taken.has(statement)).map(({ text }) => text));
    for (const { className, client, description } of cell.served) {
      if (!cell.statements.some((statement) => taken.has(statement) && statement.declares.includes(className)))
        continue;
      const place = `/* served: ${className} */ {}`;
      served.push({ className, place, description });
      lines.push(`const ${client} = await serveInNotebook(${className}, ${place});`);
    }
  }
  if (served.length > 0) lines.unshift("import { serveInNotebook } from 'joylab/internal';");
  lines.push(...rewards.map(registration));
  const exported = Object.entries(parts).map(([part, value]) => `${part}: ${value ?? 'null'}`);
  lines.push(`// What the process of the rewards reads.\nexport default { ${exported.join(', ')} };`);
  const body = `${lines.join('\n\n')}\n`;
  const head = `// What ${name} trains with: its environment, rewards, data set and settings, as \`joylab export\` has taken them.\n`;
  return { text: head + joylabImport(parse(body), new Set()) + body, served, notes: notesOf(outlines, at) };
}

/** The variables of the parts of a run. */
function partsOf(
  cells: readonly CellOutline[],
  { config, args }: NonNullable<CellOutline['grpo']>,
): Record<'config' | 'model', string> & Record<'env' | 'dataset', string | null> {
  const named = (name: string) => (typeof args[name] === 'string' ? (args[name] as string) : null);
  const declared = (name: string) =>
    cells.some(({ statements }) => statements.some((one) => one.declares.includes(name)));
  const model = named('model') ?? 'model';
  if (!declared(model)) throw new Error(`no cell above the @grpo cell declares the model: name it, @grpo model=NAME`);
  const newest = cells.findLast(({ environment }) => environment)?.environment ?? null;
  return { config, model, env: named('env') ?? newest ?? (declared('env') ? 'env' : null), dataset: named('dataset') };
}

/**
 * Takes what a class of an `@openenv` cell consists of, and all that it names, as a module
 * that exports the class; without a name, the notebook's only one.
 *
 * @throws Error when there is no such class, or several and no name
 */
export function servedModule(cells: readonly NotebookCell[], notebook: string, name?: string): string {
  const outlines = cells.map((cell, i) => outlineOf(cell, i + 1));
  const names = [...new Set(outlines.flatMap(({ served }) => served.map(({ className }) => className)))];
  if (names.length === 0)
    throw new Error(
      `${notebook} has no class that extends Environment in an @openenv cell, so there is nothing to serve`,
    );
  if (name === undefined && names.length > 1)
    throw new Error(`${notebook} has several environments. Choose one with --environment: ${names.join(', ')}`);
  const chosen = name ?? names[0];
  if (!names.includes(chosen)) throw new Error(`${notebook} has no environment ${chosen}. Valid: ${names.join(', ')}`);
  const taken = take(outlines, new Set([chosen]), new Set());
  const statements = outlines.flatMap((cell) => cell.statements).filter((statement) => taken.has(statement));
  const body = `${statements.map(({ text }) => text).join('\n\n')}\n\nexport { ${chosen} };\n`;
  return joylabImport(parse(body), new Set()) + body;
}

/** The statements that the needed names come from. `held`: names whose methods change nothing that is needed. */
function take(
  cells: readonly CellOutline[],
  needed: Set<string>,
  held: ReadonlySet<string>,
): ReadonlySet<CellStatement> {
  const all = cells.flatMap(({ statements }) => statements);
  // A name that was declared again is what the newest cell says.
  const newest = new Map(all.flatMap((statement) => statement.declares.map((name) => [name, statement] as const)));
  const taken = new Set<CellStatement>();
  const add = (statement: CellStatement): void => {
    if (taken.has(statement)) return;
    taken.add(statement);
    for (const name of statement.uses) needed.add(name);
  };
  for (const { statements, whole } of cells) if (whole) statements.forEach(add);
  for (let before = -1; before !== taken.size + needed.size; ) {
    before = taken.size + needed.size;
    for (const { className, client } of cells.flatMap(({ served }) => served))
      if (needed.has(client)) needed.add(className);
    for (const statement of all) {
      const declares = statement.declares.some((name) => needed.has(name) && newest.get(name) === statement);
      const changes =
        statement.declares.length === 0 &&
        [...statement.assigns, ...statement.changes.filter((name) => !held.has(name))].some(
          (name) => needed.has(name) && newest.has(name),
        );
      if (declares || changes) add(statement);
    }
  }
  return taken;
}

function registration({ name, args }: CellOutline['rewards'][number]): string {
  const options = { weight: args.weight, timeLimit: args.timeLimit, ...(args.off && { enabled: false }) };
  return `rewardRegistry.register(${JSON.stringify(name)}, ${name}, ${JSON.stringify(options)});`;
}

function notesOf(outlines: readonly CellOutline[], at: number): string[] {
  const { args } = outlines[at].grpo!;
  return [
    ...(outlines.slice(at + 1).some(({ grpo }) => grpo) ? ['of several @grpo cells the first is exported'] : []),
    ...(args.evalDataset ? ['evaluations (evalDataset) are not exported'] : []),
  ];
}
