/** Thrown by code that would end its process. The name is ipykernel's: with the code 0, papermill takes a notebook for finished. */
export class SystemExit extends Error {
  override name = 'SystemExit';

  /**
   * @param call the call that the code made: "process.exit(1)"
   * @param code the exit code of the process
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
