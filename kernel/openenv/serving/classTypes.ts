import { defined } from '../../common/defined';
import type * as ts from 'typescript';
import type { EnvironmentMetadata, EnvironmentSchema } from '../protocol';
import { TypeSchemas } from '../../schema/fromTypes';

/** Schemas and description from the types and comments of a class. */
export interface ClassTypes {
  schema: Partial<EnvironmentSchema>;
  /** The description from the comment before the class. */
  metadata: Partial<EnvironmentMetadata>;
}

/**
 * Returns the schemas of the type arguments that a class gives `Environment`; `null`
 * for a class that does not extend it. The checker must have `strictNullChecks`:
 * without it, TypeScript drops `null` from all types.
 */
export function classTypes(compiler: typeof ts, checker: ts.TypeChecker, symbol: ts.Symbol): ClassTypes | null {
  const declared = declaredTypes(checker, symbol);
  if (!declared) return null;
  const { action, observation, state } = declared;
  const input = new TypeSchemas(compiler, checker, 'closed');
  // Observations and states may have more than their types say: so has what TypeScript assigns to them.
  const output = new TypeSchemas(compiler, checker, 'open');
  const schema = {
    action: input.read(action, 'Action'),
    observation: output.read(observation, 'Observation'),
    state: output.read(state, 'State'),
  };
  const description = compiler.displayPartsToString(symbol.getDocumentationComment(checker)).trim();
  return {
    schema: defined(schema),
    metadata: description === '' ? {} : { description },
  };
}

/** Returns the types that a class declares by what it extends, directly or not: see `DeclaredTypes`. */
function declaredTypes(
  checker: ts.TypeChecker,
  symbol: ts.Symbol,
): Record<'action' | 'observation' | 'state', ts.Type> | undefined {
  // TypeScript's name of the symbol that is the method's key.
  const method = checker
    .getDeclaredTypeOfSymbol(symbol)
    .getProperties()
    .find(({ escapedName }) => /^__@declaredTypes@/.test(String(escapedName)));
  const [signature] = method ? checker.getNonNullableType(checker.getTypeOfSymbol(method)).getCallSignatures() : [];
  if (!signature) return undefined;
  const typeOf = (name: string): ts.Type => checker.getTypeOfSymbol(signature.getReturnType().getProperty(name)!);
  return {
    action: checker.getTypeOfSymbol(signature.parameters[0]),
    observation: typeOf('observation'),
    state: typeOf('state'),
  };
}
