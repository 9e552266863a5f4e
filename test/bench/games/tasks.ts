import { openenv, type AtariGame } from '../../../kernel';
import { Emberloom, emberloomByHand } from './invented/emberloom';
import { Shellfield, shellfieldByHand } from './invented/shellfield';
import { Weirferry, weirferryByHand } from './invented/weirferry';
import type { OpenedEnvironment } from './playing';
import { moveOrders, randomMove } from './moves2048';

/** A game to learn. */
export interface Task {
  name: string;
  /** Kind of the game, each with a table of its own. */
  kind: 'atari' | 'invented' | 'board';
  open(): Promise<OpenedEnvironment>;
  /** Largest number of steps of a training episode. */
  trainingSteps: number;
  /** Limits of steps of the reported episodes; the first is the main one. */
  reportedSteps: number[];
  /** Number of held-out starts. */
  starts: number;
  /** Programs to compare with, by name; with `constants` also each constant action. */
  references: Record<string, string>;
  constants: boolean;
  /** Target returns by the limit of steps. */
  targets?: Record<number, number>;
}

/** Targets of the ten games, at 1,000 and at 5,000 steps. */
const ATARI: Array<[AtariGame, targets?: Record<number, number>]> = [
  ['breakout', { 1000: 45, 5000: 70 }],
  ['pong', { 1000: -3 }],
  ['boxing', { 1000: 70, 5000: 85 }],
  ['space_invaders', { 1000: 550 }],
  ['ms_pacman', { 1000: 2400 }],
  ['freeway', { 1000: 13 }],
  ['seaquest', { 1000: 320 }],
  ['demon_attack', { 1000: 280, 5000: 1000 }],
  ['qbert'],
  ['tennis'],
];

const atari = ATARI.map(
  ([game, targets]): Task => ({
    name: game,
    kind: 'atari',
    open: () => openenv('atari', { game }),
    trainingSteps: 1000,
    reportedSteps: [1000, 5000],
    starts: 20,
    references: {},
    constants: true,
    targets,
  }),
);

/** Returns the task of an invented environment, which ends by itself and is served as from a cell. */
function invented(type: new () => any, byHand: string): Task {
  const [trainingSteps, starts] = [200, 20];
  return {
    name: type.name.toLowerCase(),
    kind: 'invented',
    open: () => openenv(type),
    trainingSteps,
    reportedSteps: [trainingSteps],
    starts,
    references: { 'by hand': byHand },
    constants: true,
  };
}

const game2048: Task = {
  name: '2048',
  kind: 'board',
  open: () => openenv('game2048'),
  trainingSteps: 2000,
  reportedSteps: [8192],
  starts: 100,
  references: { 'random legal moves': randomMove, ...moveOrders },
  constants: false,
};

export const TASKS: readonly Task[] = [
  ...atari,
  invented(Emberloom, emberloomByHand),
  invented(Shellfield, shellfieldByHand),
  invented(Weirferry, weirferryByHand),
  game2048,
];

/** The first five games, which have three seeds each; the others have one. */
export const FIRST_GAMES = ATARI.slice(0, 5).map(([game]) => game as string);

/** Returns a task by name. Throws a RangeError when there is none. */
export function taskNamed(name: string): Task {
  const task = TASKS.find((one) => one.name === name);
  if (!task)
    throw new RangeError(`There is no game ${name}. The games are: ${TASKS.map((one) => one.name).join(', ')}.`);
  return task;
}
