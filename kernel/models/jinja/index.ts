/**
 * Jinja as chat templates use it: with Python's values, so that everything is written
 * as transformers writes it, or is an error; and with limits, since templates come
 * with models from elsewhere.
 *
 * It follows Jinja 3.1 with the settings, filters and functions that transformers
 * gives to chat templates.
 */
import type { Statement } from './syntax/ast';
import { withBudget } from './budget';
import { TemplateError } from './errors';
import { globals } from './globals';
import { render, type Rendered } from './interpreter';
import { parse } from './syntax/parser';
import { Scope } from './scope';
import { toPython } from './values';

export { RaisedByTemplate, TemplateError } from './errors';
export type { Rendered } from './interpreter';

/** A parsed template, which can be rendered many times. */
export class Template {
  private readonly body: readonly Statement[];

  /** @throws TemplateError when the text is no valid template */
  constructor(text: string) {
    this.body = withinStack(() => parse(text));
  }

  /** Renders the template. Throws a TemplateError when it fails or exceeds its limits. */
  render(variables: Record<string, unknown>): Rendered {
    // Data has a budget of its own: however much there is, the template may do as much.
    const around = withBudget(() => contextOf(variables));
    return withinStack(() => withBudget(() => render(this.body, new Scope(around))));
  }
}

/** Returns a scope with the variables and functions that a template is given. */
function contextOf(variables: Record<string, unknown>): Scope {
  const scope = new Scope();
  for (const [name, value] of globals()) scope.set(name, value);
  for (const [name, value] of Object.entries(variables))
    if (value !== undefined) scope.set(name, toPython(value, `the template's variable ${name}`));
  return scope;
}

/** Runs `work`. Throws a {@link TemplateError} when values are nested so deeply that the stack overflows, which does no harm. */
function withinStack<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError && error.message.includes('call stack'))
      throw new TemplateError('the template, or a value that it makes, is nested too deeply');
    throw error;
  }
}
