"""The worker that holds a model for the kernel: PyTorch, transformers, PEFT and TRL, or Unsloth.

The kernel starts it, tells it what to load, generate, train and save, and is
asked by it for prompts and rewards. Environments, strategies and reward
functions stay in the kernel.
"""
