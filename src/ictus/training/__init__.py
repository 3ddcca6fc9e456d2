"""The one training loop, for every art: tasks, recipes, checkpoints, logs. It knows no art."""
