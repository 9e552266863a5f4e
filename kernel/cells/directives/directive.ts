import type { NotebookProgram } from '../compile/program/notebook';
import type { Variables } from '../variables';

/** One argument of a directive: `name=value` in its comment. */
export interface Parameter {
  name: string;
  /** The name that it had before. */
  was?: string;
  /** `variable`: the name of a variable of the notebook. */
  type: 'number' | 'boolean' | 'variable';
  /** One sentence for completion and inspection. */
  documentation: string;
}

/** The value of an argument; a variable is given by its name. */
export type Arguments = Record<string, number | boolean | string | undefined>;

/** Something that a cell declares at its top level. */
export interface Declared {
  name: string;
  kind: 'function' | 'class' | 'const' | 'variable';
  /** A class that extends another and can be made. */
  derived?: boolean;
  /** Its line in the cell, counted from 1. */
  line: number;
}

/** A cell that ran, as a directive sees it. */
export interface DirectiveCell {
  /** The name of the cell in errors: "Cell [3]". */
  label: string;
  args: Arguments;
  /** The declarations of the statement right after the comment. */
  target: Declared[];
  /** The text of the comment before its first tag. */
  description: string;
  /** The declarations of the whole cell, in order. */
  declared: Declared[];
  /** True where the same directive stands before more than one statement of the cell. */
  repeated: boolean;
  /** The variables of the notebook, with what the cell left in them. */
  variables: Variables;
  /** The notebook's types. */
  notebook: NotebookProgram;
}

/** A comment that gives a cell a meaning: `/** @name argument=value *\/`. */
export interface Directive {
  name: string;
  /** A sentence or two for inspection. */
  documentation: string;
  parameters: Parameter[];
  /** Variables that the directive itself gives the notebook, each with its type. */
  gives?(args: Arguments, target: Declared[], declared: Declared[]): Record<string, string>;
  /** Called after the cell ran to its end. */
  apply(cell: DirectiveCell): Promise<void>;
  /** Called when the directive was applied everywhere in the cell. */
  finish?(): Promise<void>;
}
