import { randomUUID } from 'node:crypto';
import { cellContext, type Comm } from '../../display/cellContext';
import { REWARDS_COMM, type RewardsMessage, type RewardsRequest } from '../../display/rewardsMime';
import type { RewardRegistry } from '../registry';
import { rewardsData } from './panel';

/** Milliseconds between two messages to a view, at least. */
const INTERVAL = 1000;

const registries = new Map<string, WeakRef<RewardRegistry>>();
const ids = new WeakMap<RewardRegistry, string>();

/** Lets views of a registry follow and change it, and returns the ID with which they open their comm. */
export function offerPanel(registry: RewardRegistry): string {
  cellContext().registerCommTarget(REWARDS_COMM, (comm, data) => {
    const wanted = registries.get(String(data?.id))?.deref();
    if (wanted) serve(wanted, comm);
    else comm.close();
  });
  const id = ids.get(registry) ?? randomUUID();
  ids.set(registry, id);
  registries.set(id, new WeakRef(registry));
  return id;
}

function serve(registry: RewardRegistry, comm: Comm): void {
  let timer: NodeJS.Timeout | null = null;
  const post = (message: RewardsMessage) => comm.send(message);
  const send = () => {
    timer = null;
    post({ type: 'data', data: rewardsData(ids.get(registry)!, registry.list(), registry.recentRollouts) });
  };
  const soon = () => {
    timer ??= setTimeout(send, INTERVAL).unref();
  };
  const { listeners } = registry.recentRollouts;
  const stop = registry.on('change', soon);
  listeners.add(soon);
  comm.onClose(() => {
    stop();
    listeners.delete(soon);
    if (timer) clearTimeout(timer);
  });
  comm.onMessage((request: RewardsRequest) => {
    try {
      apply(registry, request);
    } catch (error) {
      return post({ type: 'error', text: error instanceof Error ? error.message : String(error) });
    }
    if (timer) clearTimeout(timer);
    send();
  });
  send();
}

/** Does what a view asks for. Throws an Error that says why not. */
function apply(registry: RewardRegistry, request: RewardsRequest): void {
  if (request.type === 'weight') return registry.setWeight(request.name, request.weight);
  const others = registry.list().filter(({ name, enabled }) => name !== request.name && enabled !== false);
  if (!request.enabled && others.length === 0)
    throw new Error(`${request.name} is the only function that counts: without one nothing can be learned.`);
  registry.setEnabled(request.name, request.enabled);
}
