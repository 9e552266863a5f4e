/** Thrown when a template is not valid or fails; the message ends with the line, where that is known. */
export class TemplateError extends Error {
  override name = 'TemplateError';
  /** Line of the template, from 1. */
  line: number | undefined;

  /** Adds the line of the error, unless it has one. */
  at(line: number): this {
    if (this.line === undefined) {
      this.line = line;
      this.message += ` (line ${line} of the template)`;
    }
    return this;
  }
}

/** Thrown when a template calls `raise_exception`. */
export class RaisedByTemplate extends TemplateError {
  override at(line: number): this {
    this.line ??= line;
    return this;
  }
}
