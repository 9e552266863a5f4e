/** The thread in which counted programs are called: see `index.ts`. */
import { serveRequests } from '../../common/threads/boundedThread';
import type { Failure, Outcome, Program, SandboxLimits } from '../outcome';
import { Sandbox } from '../sandbox';

/** A counted program and its calls. */
export interface CountRequest {
  program: Program;
  /** JSON of the arguments of each call. */
  argumentsTexts: string[];
  /** Whether each call begins with a new start of the program. */
  fresh: boolean;
  limits: SandboxLimits;
}

export interface CountReply {
  /** Why the program did not start. */
  opened?: Failure;
  /** Of each call. */
  outcomes: Outcome[];
}

async function count({ program, argumentsTexts, fresh, limits }: CountRequest): Promise<CountReply> {
  const outcomes: Outcome[] = [];
  let sandbox = await started(program, limits);
  try {
    if (sandbox.opened.kind === 'failure') return { opened: sandbox.opened.failure, outcomes };
    for (const [i, argumentsText] of argumentsTexts.entries()) {
      if (fresh && i > 0) {
        sandbox.dispose();
        sandbox = await started(program, limits);
      }
      outcomes.push(sandbox.call(argumentsText));
    }
    return { outcomes };
  } finally {
    sandbox.dispose();
  }
}

async function started(program: Program, limits: SandboxLimits): Promise<Sandbox> {
  return new Sandbox(await Sandbox.engine(limits), program, limits);
}

serveRequests(count);
