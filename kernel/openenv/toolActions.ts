import type { JsonSchema } from '../schema/jsonSchema';

/** An action of an environment that offers tools. */
interface ToolAction {
  type: 'list_tools' | 'call_tool';
  /** Its TypeScript type. */
  text: string;
}

const LIST: ToolAction = { type: 'list_tools', text: '{ type: "list_tools" }' };
const CALL: ToolAction = {
  type: 'call_tool',
  text: '{ type: "call_tool"; tool_name: string; arguments?: Record<string, any> }',
};

/**
 * Returns the actions that an environment takes beside those of its schema: OpenEnv's
 * servers give the schema of one tool action and take both.
 */
export function otherToolActions(schema: JsonSchema | undefined): ToolAction[] {
  const others: Record<string, ToolAction[]> = {
    Action: [LIST, CALL],
    CallToolAction: [LIST],
    ListToolsAction: [CALL],
  };
  return typeof schema?.title === 'string' && Object.hasOwn(others, schema.title) ? others[schema.title] : [];
}
