export { FastLanguageModel, type FromPretrainedOptions, type PeftOptions } from './fastLanguageModel';
export type { Generation } from './generation/generate';
export type { GenerateOptions, GenerationConfig } from './generation/generateOptions';
export { CausalLM } from './causalLM';
export type { LoraConfig } from './lora/lora';
export { PeftModel } from './lora/peft';
export type { OnnxOptions } from './checkpoint/onnxExport';
export type { PushOptions } from './hub/push';
export type { SaveOptions } from './checkpoint/save';
export { TextStreamer, type Streamer, type TextStreamerOptions } from './generation/streamer';
export type { GgufOptions, QuantizationMethod } from './gguf/save';
export { ggufToFolder, type GgufToFolderOptions } from './gguf/toFolder';
export type {
  BatchEncoding,
  ChatMessage,
  ChatTemplateOptions,
  DecodeOptions,
  EncodeOptions,
  Encoding,
  Tokenizer,
} from './tokenizer/tokenizer';
