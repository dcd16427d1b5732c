"""spanloop: trace LLM applications and close the loop from production to evals."""
