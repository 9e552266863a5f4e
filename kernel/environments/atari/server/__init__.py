"""An OpenEnv environment for Atari games, on the Arcade Learning Environment."""
