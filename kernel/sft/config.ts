import {
  elsewhere,
  sayFor,
  trainingArguments,
  type ResolvedArguments,
  type TrainingArguments,
} from '../training/arguments';
import { checkSchedule } from '../training/scheduler';
import {
  flag,
  nullable,
  number,
  oneOf,
  resolveSettings,
  text,
  whole,
  type Setting,
  type SettingTable,
} from '../training/settings';

/**
 * Settings of a supervised run: TRL's names in camelCase, TRL's defaults
 * unless a setting says otherwise. Those that every trainer has are in
 * {@link TrainingArguments}.
 */
export interface SFTConfig extends TrainingArguments {
  /** Rows of a micro-batch (with `packing`: packed rows). 8 by default. */
  perDeviceTrainBatchSize?: number;
  /** Peak learning rate. 2e-5 by default. */
  learningRate?: number;

  /** Column of the text in rows that have neither messages nor a prompt. 'text' by default. */
  datasetTextField?: string;
  /** The text that ends a row's text or completion, where it does not end so already. The tokenizer's end token by default (`null`). */
  eosToken?: string | null;
  /** Tokens of a row at most; what is longer is cut at the end. 1,024 by default, or the model's `maxSeqLength` where that is less; `null`: rows are never cut. */
  maxLength?: number | null;
  /** Shuffle the rows once by the seed, before they are packed. false by default. */
  shuffleDataset?: boolean;
  /** In which order each pass goes through the rows: another random one each time, or as they are. 'random' by default. */
  trainSamplingStrategy?: 'random' | 'sequential';
  /** Fill rows of `maxLength` tokens with several sequences, which do not see each other. Batches count packed rows. false by default. */
  packing?: boolean;
  /** Best fit with long sequences cut ('bfd', the default) or split ('bfd_split'), or all tokens one after the other ('wrapped': sequences are cut anywhere and see each other). */
  packingStrategy?: 'bfd' | 'bfd_split' | 'wrapped';
  /** Whether rows of `evalDataset` are packed. As `packing` by default (`null`). */
  evalPacking?: boolean | null;

  /** Whether only completions are learned, of rows { prompt, completion }. By default (`null`) they are where rows have them. */
  completionOnlyLoss?: boolean | null;
  /** Whether only the assistant's messages are learned. The chat template must mark them with `{% generation %}`. false by default. */
  assistantOnlyLoss?: boolean;
  /** Negative log-likelihood ('nll', the default), or weighted by the token's probability ('dft', arXiv:2508.05629). */
  lossType?: 'nll' | 'dft';
}

/** Every setting with its value. */
export interface ResolvedSFTConfig
  extends ResolvedArguments,
    Required<Omit<SFTConfig, keyof TrainingArguments | 'maxLength'>> {
  /** `undefined`: 1,024, or what the model takes where that is less. */
  maxLength: number | null | undefined;
}

const settings: Record<keyof SFTConfig, Setting> = {
  ...trainingArguments,
  learningRate: number(2e-5, { from: 0 }),
  datasetTextField: text('text', 'the name of a column'),
  eosToken: nullable(text(null, 'the text of a token')),
  maxLength: nullable(whole(undefined, 2)),
  shuffleDataset: flag(false),
  trainSamplingStrategy: oneOf('random', ['random', 'sequential']),
  packing: flag(false),
  packingStrategy: oneOf('bfd', ['bfd', 'bfd_split', 'wrapped']),
  evalPacking: oneOf(null, [true, false, null]),
  completionOnlyLoss: oneOf(null, [true, false, null]),
  assistantOnlyLoss: flag(false),
  lossType: oneOf('nll', ['nll', 'dft']),
};

const table: SettingTable = {
  owner: 'SFTConfig',
  example: '{ numTrainEpochs: 3, learningRate: 2e-4 }',
  settings,
  elsewhere: {
    ...elsewhere,
    ...sayFor('load the model with FastLanguageModel.fromPretrained, and give it to the trainer', [
      'modelInitKwargs',
      'trustRemoteCode',
      'chatTemplatePath',
    ]),
    ...sayFor('sequences are packed, never padded', ['paddingFree', 'padToken']),
    ...sayFor('memory is saved without it', ['activationOffloading']),
    truncationMode: 'rows are cut at the end, which is all that TRL supports, too',
    datasetNumProc: 'rows are prepared in this process',
    datasetKwargs: 'rows that have inputIds already are taken as they are',
    routerAuxLossCoef: 'mixture-of-experts models are not supported',
    maxSeqLength: 'it is called maxLength',
  },
};

/**
 * The settings with their defaults.
 *
 * @throws TypeError for an unknown name, with the nearest valid one, or for a
 * wrong value, with the valid ones
 */
export function resolveSFTConfig(config: SFTConfig = {}): ResolvedSFTConfig {
  const values = resolveSettings(table, config) as unknown as ResolvedSFTConfig;
  // `null` is a value of this one.
  values.maxLength = config.maxLength;
  if (config.saveSteps !== undefined) values.outputDir ??= 'trainer_output';
  checkSchedule(values);
  if (values.packing && values.maxLength === null)
    throw new TypeError('SFTConfig: packing needs maxLength, the length of the packed rows.');
  return values;
}
