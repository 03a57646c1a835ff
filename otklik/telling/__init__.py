"""What people are told without asking: early warnings, nights that failed or are late; each once by each way."""
