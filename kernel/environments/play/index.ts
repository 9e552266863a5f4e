import { randomUUID } from 'node:crypto';
import { cellContext } from '../../display/cellContext';
import { PLAY_COMM } from '../../display/mime';
import { Player, type Playable } from './player';

export type { Playable, PlayGame, PlayStep } from './player';
export { recordPlay } from './recorder';

/** Environments whose cards were shown, by the IDs on the cards. A card does not keep its environment alive. */
const offers = new Map<string, WeakRef<Playable>>();
const ids = new WeakMap<Playable, string>();
const players = new WeakMap<Playable, Set<Player>>();

/** Lets views of an environment's card play it, and returns the ID with which they open their comm. */
export function offerPlay(environment: Playable): string {
  cellContext().registerCommTarget(PLAY_COMM, (comm, data) => {
    const wanted = offers.get(String(data?.id))?.deref();
    if (wanted) return play(wanted, comm);
    comm.send({ type: 'error', text: 'This environment is not open any more. Run its cell again to play.' });
    comm.close();
  });
  const id = ids.get(environment) ?? randomUUID();
  ids.set(environment, id);
  offers.set(id, new WeakRef(environment));
  return id;
}

/** Ends the sessions in which people play an environment that is closed. */
export function endPlay(environment: Playable): void {
  offers.delete(ids.get(environment) ?? '');
  for (const player of players.get(environment) ?? [])
    player.close(`${environment.name} was closed. Run its cell again to play.`);
}

/** Returns the number of people who play an environment. */
export function playerCount(environment: Playable): number {
  return players.get(environment)?.size ?? 0;
}

function play(environment: Playable, comm: ConstructorParameters<typeof Player>[1]): void {
  const open = players.get(environment) ?? new Set();
  players.set(environment, open);
  const player = new Player(environment, comm, cellContext().signal, () => open.delete(player));
  open.add(player);
}
