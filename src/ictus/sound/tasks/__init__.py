"""How the networks of sound learn: tasks for the training loop, by the names that recipes give."""
