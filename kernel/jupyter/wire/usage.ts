import * as os from 'node:os';
import { performance } from 'node:perf_hooks';

/** Milliseconds of the machine's processors: in total, and idle. */
interface HostTimes {
  total: number;
  idle: number;
}

/** The resources that kernel and machine use. */
export class Usage {
  private lastCpu = process.cpuUsage();
  private lastTime = performance.now();
  private lastHost = hostTimes();

  /**
   * Returns the content of `usage_reply`, with ipykernel's names. Percentages
   * are means since the last call; memory is in bytes.
   *
   * @param dropped number of messages that were malformed or wrongly signed
   * @param signals number of signals that ended no synchronous code of a cell
   */
  content(dropped: number, signals: number): Record<string, unknown> {
    const { user, system } = process.cpuUsage(this.lastCpu);
    const elapsed = Math.max(1, performance.now() - this.lastTime);
    const host = hostTimes();
    const hostTotal = Math.max(1, host.total - this.lastHost.total);
    const hostIdle = host.idle - this.lastHost.idle;
    this.lastCpu = process.cpuUsage();
    this.lastTime = performance.now();
    this.lastHost = host;
    const [total, free] = [os.totalmem(), os.freemem()];
    return {
      hostname: os.hostname(),
      pid: process.pid,
      kernel_cpu: round((100 * (user + system)) / 1000 / elapsed),
      kernel_memory: process.memoryUsage.rss(),
      cpu_count: os.cpus().length,
      host_cpu_percent: round(100 * (1 - hostIdle / hostTotal)),
      host_virtual_memory: {
        total,
        available: free,
        used: total - free,
        free,
        percent: round((100 * (total - free)) / total),
      },
      dropped_messages: dropped,
      signals,
    };
  }
}

function hostTimes(): HostTimes {
  const all = os.cpus().map(({ times }) => times);
  const idle = all.reduce((sum, times) => sum + times.idle, 0);
  const total = all.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return { total, idle };
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10;
}
