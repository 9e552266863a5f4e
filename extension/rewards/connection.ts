import type { ISessionContext } from '@jupyterlab/apputils';
import { REWARDS_COMM, type RewardsMessage, type RewardsRequest } from '../../kernel/display/rewardsMime';
import { NotebookComm, type CommListener } from '../widgets/notebookComm';

/** A panel's comm with the reward functions of the kernel. */
export type RewardsComm = NotebookComm<RewardsRequest, RewardsMessage>;

/** Opens the comm with the reward functions that have an ID. */
export function rewardsComm(session: ISessionContext, id: string, listener: CommListener<RewardsMessage>): RewardsComm {
  return new NotebookComm(session, { target: REWARDS_COMM, data: { id } }, listener);
}
