"""How the networks of sound learn: tasks for the training loop, named by recipes."""
