import type { NotebookProgram } from '../compile/program/notebook';
import type { Variables } from '../variables';

/** One argument of a directive: `name=value` in its comment. */
export interface Parameter {
  name: string;
  /** The name that it had in earlier versions. */
  was?: string;
  /** `variable`: the name of a variable of the notebook. */
  type: 'number' | 'boolean' | 'variable';
  /** One sentence for completion and inspection. */
  documentation: string;
}

/** The value of an argument; a variable is given by its name. */
export type Arguments = Record<string, number | boolean | string | undefined>;

/** A declaration at a cell's top level. */
export interface Declared {
  name: string;
  kind: 'function' | 'class' | 'const' | 'variable';
  /** Whether it is a class that extends another and is not abstract. */
  derived?: boolean;
  /** Its line in the cell, counted from 1. */
  line: number;
}

/** A cell that has run, for a directive. */
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
  /** Whether the cell has the same directive before several statements. */
  repeated: boolean;
  /** The variables of the notebook, with their values after the cell. */
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
  /** Whether cells with this directive alone run at once while a model trains. */
  runsBeside?: true;
  /** Returns the variables that the directive itself declares in the notebook, each with its type. */
  gives?(args: Arguments, target: Declared[], declared: Declared[]): Record<string, string>;
  /** Applies the directive, after the cell has run without an error. */
  apply(cell: DirectiveCell): Promise<void>;
  /** Called once, after the directive was applied everywhere in the cell. */
  finish?(): Promise<void>;
}
