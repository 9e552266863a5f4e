import type * as ts from 'typescript';
import { join } from 'node:path';
import { buildRoot } from '../../common/packagePaths';
import { classTypes } from '../../openenv/serving/classTypes';
import { typescript } from '../compile/typescript';
import type { NotebookProgram } from './program';

/** Puts the schemas that the types of served classes give into a program, which lies at `path`. */
export function withSchemas({ text, served }: NotebookProgram, path: string): string {
  if (served.length === 0) return text;
  const compiler = typescript();
  const kernel = join(buildRoot, 'kernel');
  const program = compiler.createProgram([path], {
    target: compiler.ScriptTarget.ES2022,
    module: compiler.ModuleKind.ESNext,
    moduleResolution: compiler.ModuleResolutionKind.Bundler,
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    types: [],
    paths: { joylab: [join(kernel, 'index.d.ts')], 'joylab/internal': [join(kernel, 'internal.d.ts')] },
  });
  const checker = program.getTypeChecker();
  const classes = program.getSourceFile(path)!.statements.filter(compiler.isClassDeclaration);
  return served.reduce((filled, { className, place, description }) => {
    const declaration = classes.find(({ name }) => name?.text === className);
    const types = declaration && classTypes(compiler, checker, symbolOf(checker, declaration));
    const options = { ...(types && { schema: types.schema }), metadata: { description } };
    return filled.replace(place, () => JSON.stringify(options, null, 2));
  }, text);
}

function symbolOf(checker: ts.TypeChecker, { name }: ts.ClassDeclaration): ts.Symbol {
  return checker.getSymbolAtLocation(name!)!;
}
