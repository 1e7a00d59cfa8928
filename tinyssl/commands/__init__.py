"""What each command does, as a function: data in, a run folder and results out."""
