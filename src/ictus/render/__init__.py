"""What people see: drawn figures, films with their sound, contact sheets and plots."""
