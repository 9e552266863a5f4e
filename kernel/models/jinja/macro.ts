import type { Signature, Statement } from './syntax/ast';
import { TemplateError } from './errors';
import { Callable, Dict, Tuple, Undefined, type Arguments, type Value } from './values';

/** Variables of a macro's body besides its parameters, where it uses them. */
const EXTRAS = ['caller', 'kwargs', 'varargs'] as const;
type Extra = (typeof EXTRAS)[number];

/** A macro, or the body between `{% call %}` and `{% endcall %}`. */
export class Macro extends Callable {
  override readonly type = 'Macro';
  private readonly extras: ReadonlySet<Extra>;

  /** @param render returns the body with the values of its variables; undefined stands for a parameter's default */
  constructor(
    private readonly label: string | null,
    private readonly signature: Signature,
    body: readonly Statement[],
    private readonly render: (variables: [string, Value | undefined][]) => string,
  ) {
    super(label ?? 'caller', (given) => this.run(given));
    this.extras = extrasOf(body);
  }

  private run({ args, kwargs }: Arguments): string {
    const { parameters } = this.signature;
    const named = new Map(kwargs);
    const variables = parameters.map((name, i): [string, Value | undefined] => {
      if (i < args.length) return [name, args[i]];
      const value = named.get(name);
      named.delete(name);
      return [name, value];
    });
    if (this.extras.has('caller') && !parameters.includes('caller')) {
      const caller = named.get('caller');
      named.delete('caller');
      variables.push(['caller', caller ?? new Undefined('No caller defined')]);
    }
    if (this.extras.has('kwargs')) variables.push(['kwargs', Dict.from(named)]);
    else if (named.size > 0)
      throw new TemplateError(`macro ${this.quotedName} takes no keyword argument '${[...named.keys()][0]}'`);
    if (this.extras.has('varargs')) variables.push(['varargs', new Tuple(args.slice(parameters.length))]);
    else if (args.length > parameters.length)
      throw new TemplateError(`macro ${this.quotedName} takes not more than ${parameters.length} argument(s)`);
    return this.render(variables);
  }

  private get quotedName(): string {
    return this.label === null ? 'None' : `'${this.label}'`;
  }

  override attribute(name: string): Value | undefined {
    if (name === 'name') return this.label;
    return name === 'arguments' ? new Tuple(this.signature.parameters) : undefined;
  }

  repr(): string {
    return `<Macro ${this.label === null ? 'anonymous' : `'${this.label}'`}>`;
  }
}

const known = new WeakMap<readonly Statement[], ReadonlySet<Extra>>();

/** Returns which of {@link EXTRAS} a body uses. */
function extrasOf(body: readonly Statement[]): ReadonlySet<Extra> {
  let found = known.get(body) as Set<Extra> | undefined;
  if (!found) {
    found = new Set();
    collect(body, found);
    known.set(body, found);
  }
  return found;
}

function collect(node: unknown, found: Set<Extra>): void {
  if (typeof node !== 'object' || node === null) return;
  const { kind, name } = node as { kind?: string; name?: Extra };
  if (kind === 'name' && EXTRAS.includes(name!)) found.add(name!);
  for (const [key, child] of Object.entries(node)) if (key !== 'target' && key !== 'targets') collect(child, found);
}
