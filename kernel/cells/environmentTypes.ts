import type { EnvironmentTyping } from '../environments/typing';
import { TYPES_NAMESPACE } from './compile/names';
import type { NotebookProgram } from './compile/program/notebook';
import type { Variables } from './variables';

/** The same as in environments/typing.ts, which need not be loaded for it. */
const TYPING = Symbol.for('joylab.typing');

/** Declares the types of the environments that the notebook has opened for its cells. */
export class EnvironmentTypes {
  private readonly typings = new Map<string, EnvironmentTyping>();

  constructor(
    private readonly variables: Variables,
    private readonly notebook: NotebookProgram,
  ) {}

  /**
   * Declares the types of the environments that a cell has assigned to variables;
   * called after each cell. From then on `openenv` returns these types, and the
   * variable has its own, unless the user gave it one.
   */
  update(): void {
    for (const name of this.variables.names()) {
      if (!this.variables.isChanged(name)) continue;
      const typing = typingOf(this.variables.get(name));
      if (!typing) continue;
      this.add(typing);
      const type = this.notebook.constantType(name);
      if (type === typing.general || type === typing.type) this.notebook.redeclare(name, variableText(name, typing));
    }
  }

  /**
   * Reads the schemas again of the environments that a cell names, since a server
   * may have been replaced by another. Resolves with whether a type has changed.
   */
  async refresh(code: string): Promise<boolean> {
    const mentioned = [...this.typings.values()].filter(({ key, refresh }) => refresh && code.includes(key));
    const changed = await Promise.all(
      mentioned.map(async ({ refresh }) => {
        const typing = await refresh!().catch(() => null);
        return typing !== null && this.add(typing);
      }),
    );
    return changed.includes(true);
  }

  /** Declares types. Returns whether they are new. */
  private add(typing: EnvironmentTyping): boolean {
    const known = this.typings.get(typing.key);
    this.typings.set(typing.key, typing);
    if (known?.declarations === typing.declarations && known.type === typing.type) return false;
    this.notebook.addTypes(environmentsText([...this.typings.values()]));
    return true;
  }
}

function typingOf(value: unknown): EnvironmentTyping | null {
  if (typeof value !== 'object' || value === null || !(TYPING in value)) return null;
  return (value as { [TYPING](): EnvironmentTyping | null })[TYPING]();
}

/** Returns the text of a module that adds the types of environments to joylab's. */
function environmentsText(typings: EnvironmentTyping[]): string {
  // Other names in the namespace begin with a capital letter.
  const namespaces = typings.map(
    ({ declarations, type }, i) =>
      `declare namespace ${TYPES_NAMESPACE}${i} {\n${declarations}\nexport type environment = import('joylab').${type};\n}`,
  );
  const entries = typings.map(({ key }, i) => `${JSON.stringify(key)}: ${TYPES_NAMESPACE}${i}.environment;`);
  return `${namespaces.join('\n')}\ndeclare module 'joylab' { interface OpenedEnvironments {\n${entries.join('\n')}\n} }\n`;
}

/** Returns a declaration of a variable with its new type, and names for the types of its methods: `env.Action`, `env.Observation`, `env.State`. */
function variableText(name: string, { key, description }: EnvironmentTyping): string {
  const documentation = description ? `/** ${description.replace(/\*\//g, '*\\/')} */\n` : '';
  return `${documentation}declare const ${name}: import('joylab').OpenedEnvironments[${JSON.stringify(key)}];
declare namespace ${name} {
  type Action = Parameters<typeof ${name}.step>[0];
  type Observation = Awaited<ReturnType<typeof ${name}.step>>['observation'];
  type State = Awaited<ReturnType<typeof ${name}.state>>;
}
`;
}
