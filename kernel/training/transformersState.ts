import { stepInterval, type ResolvedArguments } from './arguments';
import type { TrainerState } from './callbacks';

/** A run's state as transformers' `TrainerState.load_from_json` reads it. */
export function transformersState(state: TrainerState, config: ResolvedArguments): object {
  const { globalStep, maxSteps, epoch, numInputTokensSeen, logHistory } = state;
  return {
    best_global_step: null,
    best_metric: null,
    best_model_checkpoint: null,
    epoch,
    eval_steps: stepInterval(config.evalSteps ?? config.loggingSteps, maxSteps),
    global_step: globalStep,
    is_hyper_param_search: false,
    is_local_process_zero: true,
    is_world_process_zero: true,
    log_history: logHistory,
    logging_steps: stepInterval(config.loggingSteps, maxSteps),
    max_steps: maxSteps,
    num_input_tokens_seen: numInputTokensSeen,
    num_train_epochs: Math.ceil(config.numTrainEpochs),
    save_steps: stepInterval(config.saveSteps, maxSteps),
    stateful_callbacks: {},
    total_flos: 0,
    train_batch_size: config.perDeviceTrainBatchSize,
    trial_name: null,
    trial_params: null,
  };
}
