import { isObject } from '../schema/jsonSchema';
import { serverValidator } from '../schema/validate';
import { ValidationFailure, describeProblem } from '../schema/problems';
import { shown } from '../common/shown';
import type { OpenEnvError } from '../openenv/errors';
import type { EnvironmentSchema, EpisodeState } from '../openenv/protocol';
import { notTried, type Finding } from './book';
import type { CheckSession } from './session';
import { median } from './statistics';
import { turnsOf, type Answer, type Player, type Trace } from './trace';

/** What a session's `state` was, and after how many steps. */
interface StateSeen {
  steps: number;
  state?: EpisodeState;
  error?: OpenEnvError;
}

/** An episode with its states. */
export interface Contract extends Trace {
  states: StateSeen[];
}

/** Plays an episode and asks for its state after the reset, the first step and the last. */
export async function playContract(session: CheckSession, player: Player, over: () => boolean): Promise<Contract> {
  const turns = turnsOf(session, player);
  const { answers } = turns.trace;
  const states: StateSeen[] = [];
  const look = async (): Promise<void> => {
    if (!session.state || answers.at(-1)?.error) return;
    const steps = answers.length - 1;
    await session.state().then(
      (state) => states.push({ steps, state }),
      (error) => states.push({ steps, error }),
    );
  };
  while (!over() && !(await turns.next()).done) if (answers.length <= 2) await look();
  if (answers.length > 2) await look();
  return { ...turns.trace, states };
}

/** What an error of a step is about. */
function isAbout(what: 'reward' | 'observation', { error }: Answer): boolean {
  if (!error || !['PROTOCOL_ERROR', 'EXECUTION_ERROR'].includes(error.code)) return false;
  const aboutReward = /\breward\b/i.test(error.message) && /number/i.test(error.message);
  return what === 'reward' ? aboutReward : !aboutReward && /\b(observation|done)\b/i.test(error.message);
}

function firstLine(error: Error): string {
  return error.message.split('\n')[0];
}

/** Did an episode start and take steps? */
export function startup({ answers }: Trace, actions: number): Finding {
  const [reset, ...steps] = answers;
  const broken = (answer: Answer | undefined): boolean =>
    answer?.error !== undefined && !isAbout('reward', answer) && !isAbout('observation', answer);
  if (broken(reset))
    return {
      status: 'fail',
      evidence: [`The reset failed: ${firstLine(reset.error!)}`],
      remediation: 'A reset without arguments other than seed and episode_id has to start an episode.',
    };
  if (broken(steps.at(-1)))
    return {
      status: 'fail',
      evidence: [
        `Step ${steps.length} failed with the action ${shown(steps.at(-1)!.action)}: ${firstLine(steps.at(-1)!.error!)}`,
      ],
      remediation: 'A step with an action that fits the schema has to be answered; an error is to be an observation.',
    };
  const done = steps.at(-1)?.result?.done ? 'and the episode ended' : 'and the episode went on';
  const evidence =
    steps.length > 0
      ? [`A reset and ${steps.length} steps were answered, ${done}.`]
      : [
          'A reset was answered.',
          actions > 0 ? 'The episode took no step.' : 'No action can be made of the schema, so no step was tried.',
        ];
  return { status: 'pass', evidence, measured: { steps: steps.length } };
}

/** Are observations as the schema says? */
export function observationSchema({ answers }: Trace, schemas: EnvironmentSchema | null | undefined): Finding {
  const wrong = answers.find((answer) => isAbout('observation', answer));
  const remediation = 'Return observations as the schema says, or declare the fields that are really sent.';
  if (wrong) return { status: 'fail', evidence: [firstLine(wrong.error!)], remediation };
  if (!schemas) return notTried('the environment has no JSON Schema of observations.');
  if (Object.keys(schemas.observation).length === 0) return notTried('its schema of observations says nothing.');
  const seen = answers.filter(({ result }) => result);
  for (const [i, { result }] of seen.entries()) {
    const schema = i === 0 ? (schemas.reset_observation ?? schemas.observation) : schemas.observation;
    const check = serverValidator(schema);
    if (!check) return notTried('its schema cannot be checked here in time.');
    const { observation, done, reward } = result!;
    const whole: Record<string, unknown> = { ...observation };
    // OpenEnv's models have them in the observation, and send them beside it.
    const properties = isObject(schema.properties) ? schema.properties : {};
    if ('done' in properties) whole.done ??= done;
    if ('reward' in properties) whole.reward ??= reward;
    try {
      check(whole);
    } catch (error) {
      if (!(error instanceof ValidationFailure)) throw error;
      const where = i === 0 ? 'The reset' : `Step ${i}`;
      return {
        status: 'fail',
        evidence: [`${where}: ${error.problems.slice(0, 3).map(describeProblem).join('; ')}`],
        measured: { observations: seen.length },
        remediation,
      };
    }
  }
  return {
    status: 'pass',
    evidence: [`${seen.length} observations fit the schema.`],
    measured: { observations: seen.length },
  };
}

/** Has each step a finite reward? */
export function rewardWellFormed({ answers }: Trace): Finding {
  const remediation = 'Give each step a finite number as reward: 0 where nothing was won.';
  const wrong = answers.find((answer) => isAbout('reward', answer));
  if (wrong) return { status: 'fail', evidence: [firstLine(wrong.error!)], remediation };
  const rewards = answers.slice(1).flatMap(({ result }) => (result ? [result.reward] : []));
  if (rewards.length === 0) return notTried('no step could be taken.');
  const numbers = rewards.filter((reward): reward is number => typeof reward === 'number');
  const missing = rewards.length - numbers.length;
  if (missing > 0)
    return {
      status: 'fail',
      evidence: [`${missing} of ${rewards.length} steps had no reward (null).`],
      measured: { steps: rewards.length, missing },
      remediation,
    };
  const [lowest, highest] = [Math.min(...numbers), Math.max(...numbers)];
  return {
    status: 'pass',
    evidence: [`${rewards.length} steps had rewards from ${lowest} to ${highest}.`],
    measured: { steps: rewards.length, lowest, highest },
  };
}

/** Has the state the ID of the episode and the number of its steps? */
export function stateContract({ states, episodeId }: Contract): Finding {
  if (states.length === 0) return notTried('the session has no state to ask for.');
  const remediation =
    'state() is to return { episode_id, step_count }: the ID that reset was given, 0 after a reset and one more after each step.';
  for (const { steps, state, error } of states) {
    const when = steps === 0 ? 'After the reset' : `After ${steps === 1 ? 'one step' : `${steps} steps`}`;
    const problem = error
      ? `state() failed: ${firstLine(error)}`
      : state!.episode_id !== episodeId
        ? `episode_id was ${shown(state!.episode_id)}, not the ${shown(episodeId)} that reset was given`
        : state!.step_count !== steps
          ? `step_count was ${shown(state!.step_count)}`
          : undefined;
    if (problem) return { status: 'fail', evidence: [`${when}, ${problem}.`], remediation };
  }
  const counts = states.map(({ steps }) => steps).join(', ');
  return { status: 'pass', evidence: [`episode_id was the one given, step_count was ${counts}.`] };
}

/** Milliseconds of a step from which on training takes hours, and the bytes of a message that `openenv validate` reads. */
const BOUNDS = { milliseconds: 1000, bytes: 1024 * 1024 };

/** What do a reset and a step cost? */
export function resourceBounds(traces: readonly Trace[], measuresBytes: boolean): Finding {
  const resets = traces.flatMap(({ answers }) => answers.slice(0, 1));
  const steps = traces.flatMap(({ answers }) => answers.slice(1));
  const answers = steps.length > 0 ? steps : resets;
  const step = median(answers.map(({ milliseconds }) => milliseconds));
  const slowest = Math.max(...answers.map(({ milliseconds }) => milliseconds));
  const reset = median(resets.map(({ milliseconds }) => milliseconds));
  const largest = Math.max(...[...resets, ...steps].map(({ bytes }) => bytes));
  const measured = {
    reset_ms: rounded(reset),
    step_ms: rounded(step),
    slowest_step_ms: rounded(slowest),
    ...(measuresBytes && { largest_observation_bytes: largest }),
  };
  const evidence = [
    `A step took ${milliseconds(step)} (the slowest of ${answers.length}: ${milliseconds(slowest)}), a reset ${milliseconds(reset)}.`,
    ...(measuresBytes ? [`The largest observation has ${largest.toLocaleString('en')} bytes.`] : []),
  ];
  const slow = step > BOUNDS.milliseconds;
  const large = measuresBytes && largest > BOUNDS.bytes;
  if (!slow && !large) return { status: 'pass', evidence, measured };
  const group = Math.round((16 * 100 * step) / 60_000);
  return {
    status: 'fail',
    evidence: [
      ...evidence,
      ...(slow ? [`A group of 16 episodes of 100 steps takes ${group} minutes of steps.`] : []),
      ...(large ? ['openenv validate reads no message of more than 1,048,576 bytes.'] : []),
    ],
    measured,
    remediation: slow
      ? 'Make a step quicker, or serve more sessions at a time.'
      : 'Send less: what a policy needs, not the whole history.',
  };
}

function rounded(milliseconds: number): number {
  return Number(milliseconds.toFixed(2));
}

function milliseconds(value: number): string {
  return value < 1 ? 'less than 1 ms' : value < 10_000 ? `${Math.round(value)} ms` : `${Math.round(value / 1000)} s`;
}
