import { OpenEnvError } from '../openenv/errors';
import type { Tool } from '../openenv/mcp';
import { actionChoice } from '../rollout/reference/actions';
import { validator } from '../schema/validate';
import { notTried, type Finding } from './book';
import { TEXTS } from './policies';
import type { CheckSession } from './session';

/** A tool that no environment has. */
const MISSING = 'joylab_no_such_tool';
/** What servers say of a tool that they do not have. */
const UNKNOWN = /unknown tool|no such tool|not found|does not exist|has no tool/i;

/** Returns the tools of a session; `null` where the environment has none. */
export async function toolsOf(session: CheckSession): Promise<Tool[] | null> {
  if (!session.listTools) return null;
  try {
    return await session.listTools();
  } catch (error) {
    if (error instanceof OpenEnvError && ['NOT_SUPPORTED', 'TOOL_ERROR', 'UNKNOWN_TYPE'].includes(error.code))
      return null;
    throw error;
  }
}

/** Do the tools that are listed exist, and only these? Calls each in the session. */
export async function toolDeclarations(session: CheckSession, tools: Tool[] | null): Promise<Finding> {
  if (!tools || tools.length === 0) return notTried('the environment has no tools (MCP).');
  const problems: string[] = [];
  const names = tools.map(({ name }) => name);
  for (const { name, description, inputSchema } of tools) {
    if (!name) problems.push('a tool has no name');
    else if (names.indexOf(name) !== names.lastIndexOf(name)) problems.push(`${name} is listed twice`);
    if (!description) problems.push(`${name} has no description`);
    try {
      validator(inputSchema, `tool ${name}`);
    } catch (error) {
      problems.push((error as Error).message);
      continue;
    }
    const refusal = await refusalOf(session, name, argumentsOf(inputSchema));
    if (refusal && UNKNOWN.test(refusal)) problems.push(`${name} is listed, and a call says: ${refusal}`);
  }
  const answer = await refusalOf(session, MISSING, {});
  if (answer === undefined) problems.push(`a call of ${MISSING}, which is not listed, was answered without an error`);
  const evidence = [`Listed are ${names.join(', ')}.`, ...[...new Set(problems)].slice(0, 5)];
  return problems.length > 0
    ? {
        status: 'fail',
        evidence,
        measured: { tools: tools.length, problems: problems.length },
        remediation:
          'List what can be called, with a description and a JSON Schema of its arguments, and refuse the rest.',
      }
    : {
        status: 'pass',
        evidence: [...evidence, 'Each was called; a call of another was refused.'],
        measured: { tools: tools.length },
      };
}

/** Calls a tool and returns what the error says; `undefined` where there is none. */
async function refusalOf(
  session: CheckSession,
  name: string,
  args: Record<string, unknown>,
): Promise<string | undefined> {
  try {
    await session.callTool!(name, args);
    return undefined;
  } catch (error) {
    if (error instanceof OpenEnvError && error.code === 'TOOL_ERROR') return error.message.split('\n')[0];
    throw error;
  }
}

/** Returns arguments that a tool's schema allows; none where they cannot be made. */
export function argumentsOf(inputSchema: object): Record<string, unknown> {
  const spec = {
    environment: '',
    options: {},
    actions: [],
    actionSchema: inputSchema,
    stateVariables: [],
    observations: true,
  };
  const [first] = actionChoice({ spec }, TEXTS).actions;
  return typeof first?.value === 'object' && first.value !== null ? (first.value as Record<string, unknown>) : {};
}
