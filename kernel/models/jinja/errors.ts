/** An error in a template, or in what it does; the message ends with the line where that is known. */
export class TemplateError extends Error {
  override name = 'TemplateError';
  /** Line of the template, from 1. */
  line: number | undefined;

  /** Adds the line where something went wrong, once. */
  at(line: number): this {
    if (this.line === undefined) {
      this.line = line;
      this.message += ` (line ${line} of the template)`;
    }
    return this;
  }
}

/** An error that a template raises itself, with `raise_exception`. */
export class RaisedByTemplate extends TemplateError {
  override at(line: number): this {
    this.line ??= line;
    return this;
  }
}
