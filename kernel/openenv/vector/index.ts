/** Many games of a process of this machine, in lockstep. */
export { answers, MESSAGE_TIMEOUT, snakeCase, VectorClient, type VectorLane, type VectorOptions, type VectorStep } from './client';
export { Sleeper, type SleepCells } from './sleeper';
