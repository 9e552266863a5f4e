import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runtimeSettings } from '../../onnx/threads';
import { llamaPackage } from './install';

/* The part of node-llama-cpp that is used here; the package itself comes later, see install.ts. */

/** llama.cpp in this process. */
export interface Llama {
  loadModel(options: {
    modelPath: string;
    onLoadProgress?: (share: number) => void;
    loadSignal?: AbortSignal;
  }): Promise<LlamaModel>;
}

/** A model in memory. */
export interface LlamaModel {
  readonly trainContextSize: number;
  readonly tokens: { readonly shouldPrependBosToken: boolean; readonly bos: number | null };
  createContext(options: {
    sequences: number;
    contextSize: number;
    batchSize: number;
    threads: number;
    createSignal?: AbortSignal;
  }): Promise<LlamaContext>;
  tokenize(text: string, specialTokens: boolean, options?: 'trimLeadingSpace'): number[];
  detokenize(tokens: readonly number[], specialTokens: boolean): string;
  isSpecialToken(token: number): boolean;
  isEogToken(token: number): boolean;
  dispose(): Promise<void>;
}

/** Memory for the keys and values of some sequences. */
export interface LlamaContext {
  getSequence(): LlamaSequence;
  dispose(): Promise<void>;
}

/** Settings of sampling a token. */
export interface Choosing {
  temperature: number;
  topK: number;
  topP: number;
  minP: number;
  seed: number;
  repeatPenalty?: { punishTokens: number[]; maxPunishTokens: number; penalty: number };
  tokenBias?: TokenBias;
}

/** What is computed after a token. */
export interface Wanted {
  generateNext: { token?: boolean; confidence?: boolean; probabilities?: boolean; options: Choosing };
}

export interface LlamaSequence {
  clearHistory(): Promise<void>;
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>;
  controlledEvaluate(
    tokens: ReadonlyArray<number | [number, Wanted]>,
  ): Promise<
    Array<{ next: { token?: number | null; confidence?: number; probabilities?: Map<number, number> } } | undefined>
  >;
  saveStateToFile(path: string): Promise<unknown>;
  loadStateFromFile(path: string, risk: { acceptRisk: true }): Promise<void>;
}

export interface TokenBias {
  set(token: number, bias: 'never'): TokenBias;
}

interface LlamaModule {
  getLlama(options: object): Promise<Llama>;
  TokenBias: { for(model: LlamaModel): TokenBias };
  LlamaLogLevel: Record<string, string>;
}

let loaded: Promise<{ llama: Llama; module: LlamaModule }> | undefined;

/** Resolves to llama.cpp, which is installed and loaded at the first call. */
export function llamaCpp(): Promise<{ llama: Llama; module: LlamaModule }> {
  loaded ??= start().catch((error) => {
    loaded = undefined;
    throw error;
  });
  return loaded;
}

async function start(): Promise<{ llama: Llama; module: LlamaModule }> {
  const folder = await llamaPackage();
  const module = (await import(pathToFileURL(join(folder, 'dist', 'index.js')).href)) as LlamaModule;
  const llama = await module.getLlama({
    // What was installed is what runs; nothing is compiled or fetched.
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    logLevel: module.LlamaLogLevel.error,
    maxThreads: runtimeSettings.threads,
  });
  return { llama, module };
}
