/** Thrown by code that would end its process; named as ipykernel names it. With the code 0, papermill takes a notebook for finished. */
export class SystemExit extends Error {
  override name = 'SystemExit';

  /**
   * @param call what the code called
   * @param code with which the process would have ended
   */
  constructor(
    readonly call: string,
    readonly code: string,
  ) {
    super(
      `${call} ends a program. Here it ended the cell: the kernel goes on, and the variables stay. To end the kernel, choose "Shut Down Kernel" in the menu.`,
    );
  }
}
