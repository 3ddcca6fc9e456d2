"""What the conducting networks learn: one task each, matched by the training loop's protocol."""
