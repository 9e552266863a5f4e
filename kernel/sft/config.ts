import {
  because,
  flag,
  nullable,
  oneOf,
  preset,
  resolveSettings,
  text,
  whole,
  type Declaration,
  type Given,
  type Resolved,
} from '../common/settings';
import { elsewhere, trainingArguments, type ResolvedArguments, type TrainingArguments } from '../training/arguments';
import { checkSchedule } from '../training/scheduler';

/** Settings that other trainers do not have, or have with another default. */
const ownSettings = {
  /** Rows of a micro-batch (with `packing`: packed rows). 8 by default. */
  perDeviceTrainBatchSize: trainingArguments.perDeviceTrainBatchSize,
  /** Peak learning rate. 2e-5 by default. */
  learningRate: preset(trainingArguments.learningRate, 2e-5),

  /** Column of the text in rows that have neither messages nor a prompt. 'text' by default. */
  datasetTextField: text('text', 'the name of a column'),
  /**
   * Text that is appended to a row's text or completion that does not end with it.
   * `null` by default: the tokenizer's end token.
   */
  eosToken: nullable(text(null, 'the text of a token')),
  /** Tokens of a row at most; what is longer is cut at the end; `null`: rows are never cut. 1,024 by default, or the model's `maxSeqLength` where that is less. */
  maxLength: nullable(whole(undefined, { from: 2 })),
  /** Shuffles the rows once by the seed, before they are packed. `false` by default. */
  shuffleDataset: flag(false),
  /** Order of the rows in each epoch: random (another order each time), or as given. 'random' by default. */
  trainSamplingStrategy: oneOf('random', ['random', 'sequential']),
  /** Fills rows of `maxLength` tokens with several sequences, which do not see each other. Batches count packed rows. `false` by default. */
  packing: flag(false),
  /** Best fit with long sequences cut ('bfd') or split ('bfd_split'), or all tokens one after the other ('wrapped': sequences are cut anywhere and see each other). 'bfd' by default. */
  packingStrategy: oneOf('bfd', ['bfd', 'bfd_split', 'wrapped']),
  /** Packs the rows of `evalDataset`. `null` by default: as `packing`. */
  evalPacking: nullable(flag(null)),

  /** Learns only the completions of rows { prompt, completion }. `null` by default: where rows have them. */
  completionOnlyLoss: nullable(flag(null)),
  /** Learns only the assistant's messages. The chat template must mark them with `{% generation %}`. `false` by default. */
  assistantOnlyLoss: flag(false),
  /** Negative log-likelihood ('nll'), or weighted by the token's probability ('dft', arXiv:2508.05629). 'nll' by default. */
  lossType: oneOf('nll', ['nll', 'dft']),
};

/**
 * Settings of a supervised run: TRL's names in camelCase, TRL's defaults
 * unless a setting says otherwise. Those that every trainer has are in
 * {@link TrainingArguments}.
 */
export interface SFTConfig extends Given<typeof ownSettings>, TrainingArguments {}

/** Every setting with its value. */
export interface ResolvedSFTConfig
  extends Resolved<typeof ownSettings>,
    Omit<ResolvedArguments, keyof typeof ownSettings> {}

/** The settings of a supervised run. */
export const sftDeclaration: Declaration = {
  owner: 'SFTConfig',
  example: '{ numTrainEpochs: 3, learningRate: 2e-4 }',
  settings: { ...trainingArguments, ...ownSettings },
  elsewhere: {
    ...elsewhere,
    ...because('load the model with FastLanguageModel.fromPretrained, and give it to the trainer', [
      'modelInitKwargs',
      'trustRemoteCode',
      'chatTemplatePath',
    ]),
    ...because('sequences are packed, never padded', ['paddingFree', 'padToken']),
    ...because('memory is saved without it', ['activationOffloading']),
    truncationMode: 'rows are cut at the end, which is all that TRL supports, too',
    datasetNumProc: 'rows are prepared in this process',
    datasetKwargs: 'rows that have inputIds already are taken as they are',
    routerAuxLossCoef: 'mixture-of-experts models are not supported',
    maxSeqLength: 'it is called maxLength',
  },
};

/**
 * Returns the settings with their defaults.
 *
 * @throws TypeError for an unknown name, with the nearest valid one, or for a
 * wrong value, with the valid ones
 */
export function resolveSFTConfig(config: SFTConfig = {}): ResolvedSFTConfig {
  const values = resolveSettings(sftDeclaration, config) as unknown as ResolvedSFTConfig;
  if (config.saveSteps !== undefined) values.outputDir ??= 'trainer_output';
  checkSchedule(values);
  if (values.packing && values.maxLength === null)
    throw new TypeError('SFTConfig: packing needs maxLength, the length of the packed rows.');
  return values;
}
