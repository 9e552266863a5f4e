import type * as ts from 'typescript';
import type { EnvironmentMetadata, EnvironmentSchema } from '../protocol';
import { TypeSchemas } from './typeSchema';

/** What the types of a class that extends `Environment` tell. */
export interface ClassTypes {
  schema: Partial<EnvironmentSchema>;
  /** The description from the comment before the class. */
  metadata: Partial<EnvironmentMetadata>;
}

/** Reads the type arguments of `Environment` that a class has; `null` for a class that does not extend it. */
export function classTypes(compiler: typeof ts, checker: ts.TypeChecker, symbol: ts.Symbol): ClassTypes | null {
  const base = environmentBase(checker, checker.getDeclaredTypeOfSymbol(symbol));
  if (!base) return null;
  const [action, observation, state] = checker.getTypeArguments(base as ts.TypeReference);
  const schemas = new TypeSchemas(compiler, checker);
  const schema = { action: schemas.read(action, 'Action'), observation: opened(schemas.read(observation, 'Observation')), state: opened(schemas.read(state, 'State')) };
  const description = compiler.displayPartsToString(symbol.getDocumentationComment(checker)).trim();
  return {
    schema: Object.fromEntries(Object.entries(schema).filter(([, it]) => it !== undefined)),
    metadata: description === '' ? {} : { description },
  };
}

/** `Environment<…>` itself among what a class extends, directly or not. */
function environmentBase(checker: ts.TypeChecker, type: ts.Type): ts.Type | undefined {
  if (!type.isClassOrInterface() && !(type as ts.TypeReference).target) return undefined;
  const bases = checker.getBaseTypes(((type as ts.TypeReference).target ?? type) as ts.InterfaceType);
  for (const base of bases) {
    const found = base.symbol?.name === 'Environment' ? base : environmentBase(checker, base);
    if (found) return found;
  }
  return undefined;
}

/** Observations and states may have more than their types say: the protocol adds fields. */
function opened<Schema extends Record<string, any> | undefined>(schema: Schema): Schema {
  if (schema?.additionalProperties !== false) return schema;
  const { additionalProperties, ...rest } = schema;
  return rest as Schema;
}
