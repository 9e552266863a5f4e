"""The strategist's corpus: random prompts, and random programs that answer them.

A prompt tells the state and the actions of an environment, all drawn at
random; a program tests some of that state and returns some of those actions,
chosen at random too; an edit changes a random program in a few places. So the
corpus teaches how a strategy is written and changed, and that names are
copied from the prompt, and nothing about any game: what matters, and what to
do when, is left to reinforcement learning.
"""
