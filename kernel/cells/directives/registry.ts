import type { Directive } from './directive';
import { grpo } from './grpo';
import { openenv } from './openenv';
import { reward } from './reward';

/** Every directive, by name. A new one is a file of its own and a line here. */
export const directives: ReadonlyMap<string, Directive> = new Map([openenv, reward, grpo].map((it) => [it.name, it]));
