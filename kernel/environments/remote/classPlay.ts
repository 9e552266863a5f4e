import type { EnvironmentClass } from '../../openenv';
import type { StepResult } from '../../openenv/protocol';
import { EpisodeRunner } from '../../openenv/serving/episode';
import { actionField } from '../../schema/actionField';
import type { JsonSchema } from '../../schema/jsonSchema';
import type { PictureFile } from '../card/picture';
import { recordPlay, type Playable, type PlayGame, type PlayStep } from '../play';

/** Actions that have a key, at most. */
const MOST_ACTIONS = 36;
/** Steps per second while a key is held. */
const STEPS_PER_SECOND = 8;

/**
 * Returns a class as an environment that people play by keyboard, step by step; undefined
 * where its actions are not a choice of few, or it draws no SVG.
 *
 * @param client the environment that records what was played
 * @param first its first picture, whose size all have
 */
export function playableClass(
  type: EnvironmentClass<any>,
  client: { name: string; schemas: { action: JsonSchema } | null },
  first: PictureFile | undefined,
): Playable | undefined {
  const field = client.schemas && actionField(client.schemas.action);
  const { values, names, name } = field ?? {};
  if (!values || !names || values.length > MOST_ACTIONS || first?.type !== 'image/svg+xml') return undefined;
  const actionOf = (id: number) => ({ [name!]: values[id] });
  return {
    name: client.name,
    actions: names,
    turns: true,
    playScreen: { width: first.width!, height: first.height!, stepsPerSecond: STEPS_PER_SECOND },
    openGame: async () => openGame(type, actionOf),
    recorded: ({ seed, actions }) => recordPlay(client, { seed, actions: actions.map(actionOf) }),
  };
}

/** Returns a game with an object of the class in this process. */
function openGame(type: EnvironmentClass<any>, actionOf: (id: number) => object): PlayGame {
  const runner = new EpisodeRunner(new type());
  return {
    reset: async (seed) => played(await runner.reset({ seed })),
    step: async (action) => played(await runner.step(actionOf(action))),
    frame: async () => Buffer.from(String(runner.environment.render!())),
    close: () => runner.close(),
  };
}

function played({ reward, done }: StepResult): PlayStep {
  return { reward: reward ?? 0, done };
}
