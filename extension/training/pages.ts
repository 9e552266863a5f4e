/** What pages say to one another of a run. */
interface PageMessage {
  type: 'hello' | 'here' | 'gone';
  page: string;
}

/** This page, among those of this browser. */
const own = Math.random().toString(36).slice(2);

/**
 * Counts the other pages of this browser that show a run. Returns what ends that.
 *
 * @param changed called with the number of other pages, whenever it changes
 */
export function watchPages(runId: string, changed: (others: number) => void): () => void {
  const channel = new BroadcastChannel(`joylab-run-${runId}`);
  const others = new Set<string>();
  const say = (type: PageMessage['type']): void => channel.postMessage({ type, page: own } satisfies PageMessage);
  const leave = (): void => say('gone');
  channel.onmessage = ({ data: { type, page } }: MessageEvent<PageMessage>) => {
    // Two views of one page are one.
    if (page === own) return;
    const before = others.size;
    if (type === 'gone') others.delete(page);
    else others.add(page);
    if (type === 'hello') say('here');
    if (others.size !== before) changed(others.size);
  };
  say('hello');
  window.addEventListener('pagehide', leave);
  return () => {
    leave();
    window.removeEventListener('pagehide', leave);
    channel.close();
  };
}
