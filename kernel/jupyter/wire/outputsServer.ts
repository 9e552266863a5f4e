import type { CellOutputs } from './cellOutputs';
import type { Header, Message } from '../message';
import { OUTPUTS_COMM, type OutputsMessage, type OutputsPageMessage } from '../outputsComm';

/** The kernel's side of the comm for outputs: see outputsComm.ts. */
export class OutputsServer {
  /** IDs of the open comms. */
  private readonly comms = new Set<string>();

  constructor(
    private readonly outputs: CellOutputs,
    private readonly publish: (content: string, parent: Header) => void,
  ) {}

  /** Returns whether a message belongs to this comm. */
  knows({ content }: Message): boolean {
    return content.target_name === OUTPUTS_COMM || this.comms.has(content.comm_id);
  }

  receive({ header, content }: Message): void {
    const id = String(content.comm_id);
    if (header.msg_type === 'comm_open') {
      this.comms.add(id);
      this.sendExecutions(id, header);
      this.sendToOthers(id, header, { type: 'who' });
    } else if (header.msg_type === 'comm_close') this.comms.delete(id);
    else this.handle(id, header, content.data ?? {});
  }

  private handle(id: string, header: Header, message: OutputsPageMessage): void {
    if (!Array.isArray(message.executions)) return;
    if (message.type === 'ask') this.sendExecutions(id, header, message.executions);
    else if (message.type === 'here')
      this.sendToOthers(id, header, { type: 'elsewhere', executions: message.executions });
    else if (message.type === 'saved') this.outputs.saved(message.executions, Number(message.revision));
    else if (message.type === 'discarded') this.outputs.discarded(message.executions);
  }

  private sendExecutions(id: string, parent: Header, wanted?: readonly string[]): void {
    this.send(id, parent, { type: 'executions', executions: this.outputs.list(wanted) });
  }

  private sendToOthers(id: string, parent: Header, data: OutputsMessage): void {
    for (const other of this.comms) if (other !== id) this.send(other, parent, data);
  }

  private send(id: string, parent: Header, data: OutputsMessage): void {
    this.publish(JSON.stringify({ comm_id: id, data }), parent);
  }
}
