import type { Directive } from './directive';
import { grpo } from './grpo';
import { openenv } from './openenv';
import { reward } from './reward';

/** All directives, by name. A new one is a file of its own and an entry here. */
export const directives: ReadonlyMap<string, Directive> = new Map([openenv, reward, grpo].map((it) => [it.name, it]));
