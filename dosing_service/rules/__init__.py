"""Pure functions from a request and the knowledge base to an assessment: no I/O, no clock, no random numbers."""
