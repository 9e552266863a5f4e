import { FastLanguageModel, type FromPretrainedOptions, type PeftOptions } from '../../models';

/** How a notebook loads its model. */
export interface ModelRecipe {
  options: FromPretrainedOptions;
  lora: PeftOptions | null;
}

const recipes = new WeakMap<object, ModelRecipe>();

/**
 * Lets `FastLanguageModel` load nothing from now on: TRL holds the model. What
 * it gives instead says so when it is used, and knows its recipe.
 */
export function holdModelsElsewhere(): void {
  Object.assign(FastLanguageModel, {
    fromPretrained: async (options: FromPretrainedOptions) => {
      const model = standIn('model');
      recipes.set(model, { options, lora: null });
      return { model, tokenizer: standIn('tokenizer') };
    },
    getPeftModel: (base: object, lora: PeftOptions = {}) => {
      const recipe = recipes.get(base);
      if (!recipe) throw new Error('getPeftModel was not given a model that fromPretrained gave');
      const model = standIn('model');
      recipes.set(model, { ...recipe, lora });
      return model;
    },
  });
}

/** The recipe of what stands in for a model. */
export function recipeOf(model: unknown): ModelRecipe {
  const recipe = typeof model === 'object' && model !== null ? recipes.get(model) : undefined;
  if (recipe) return recipe;
  throw new Error(
    'the model of the notebook does not come from FastLanguageModel.fromPretrained: it cannot be exported',
  );
}

function standIn(what: string): any {
  return new Proxy(
    {},
    {
      get: (_, name) => {
        if (typeof name === 'symbol' || name === 'then') return undefined;
        throw new Error(
          `${what}.${name} is used where an exported notebook has no ${what}: environment, rewards and data set must do without`,
        );
      },
    },
  );
}
